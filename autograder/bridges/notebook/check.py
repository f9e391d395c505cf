"""The public checks, from a notebook (`autograder.check(...)`, `%autograder EXERCISE`) or any Python session.

In a live kernel the cells that were run are checked, not the saved file: what a student sees on the screen is what they
ask about, and a notebook is often not saved. The report says which it was.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from autograder.bridges.notebook.history import cells_that_ran, live_shell
from autograder.bridges.notebook.report import Report
from autograder.course import ConfigurationError
from autograder.errors import AutograderError
from autograder.language import _, ngettext, said
from autograder.reports.public import limits_text
from autograder.service.course import PUBLIC, Course
from autograder.service.own_check import YOU
from autograder.submissions import Submission, read_submission


def check(
    exercise: str, *parts: str, file: str | Path | None = None, course: str | Path | None = None,
    language: str | None = None,
) -> Report:  # fmt: skip
    """Run the public checks of an exercise.

    Args:
        exercise: its id, such as `vae_mnist`.
        parts: only the checks of these functions and classes, such as `"kl_divergence"`.
        file: check this file as it is saved. Without it: the cells run in this session, or where there are none the
            exercise's file in this folder.
        course: where the course's files are; here or above without it.
        language: of messages, `en` or `fr`; the course's without it.

    Raises:
        ConfigurationError: no course here, no such exercise or part, or nothing to check.
        SubmissionUnreadable: the file holds no code.
        JudgeFault: the checks themselves broke.
    """
    of = Course.handed_out(course or ".", language)
    shell = live_shell()
    with of.speaking(), of.grader(PUBLIC, workers=1) as grader:
        config = of.config.exercise(exercise)
        submission, source = _submission(of, exercise, file, shell)
        with _watching(shell) as watch:
            result = grader.grade(submission, parts=parts, watch=watch)
        return Report(result, said(config.title), source, limits_text(config, grader.slower))


@contextmanager
def _watching(shell: object) -> Iterator[Callable[[str, float], None] | None]:
    """Shows which check runs, under a cell that runs; nothing of it is left."""
    if shell is None:
        yield None
        return
    from IPython.display import clear_output

    def watch(title: str, seconds: float) -> None:
        clear_output(wait=True)  # type: ignore[no-untyped-call]
        print(_("{title} (at most {seconds:.0f} s)").format(title=title, seconds=seconds), flush=True)

    try:
        yield watch
    finally:
        clear_output()  # type: ignore[no-untyped-call]


def _submission(
    of: Course, exercise: str, file: str | Path | None, shell: object
) -> tuple[Submission, str]:  # fmt: skip
    """What to check, and in words what it is."""
    if file is not None:
        return _read(Path(file), exercise)
    cells = cells_that_ran(shell) if shell is not None else ()
    if cells:
        name = Path(f"{exercise}.ipynb")
        source = ngettext(
            "{n} cell that you ran in this session (not the saved file)",
            "{n} cells that you ran in this session (not the saved file)",
            len(cells),
        ).format(n=len(cells))
        return Submission(YOU, exercise, name, "", "ipynb", cells), source
    found = of.read_student(".", YOU, [exercise]).entries
    if not found:
        raise ConfigurationError(
            _("nothing to check: run the cells of your notebook first, or name a file: check({exercise!r}, file=...)")
            .format(exercise=exercise)
        )  # fmt: skip
    return _read(found[0].path, exercise)


def _read(file: Path, exercise: str) -> tuple[Submission, str]:
    return read_submission(file, student=YOU, exercise=exercise), _("the saved file {file}").format(file=file)


class Shell(Protocol):
    """What is used of an IPython shell."""

    def register_magic_function(self, func: Callable[[str], object], magic_kind: str, magic_name: str) -> None:
        """Make a function a magic."""


def register(shell: Shell) -> None:
    """Give a shell the magic."""

    def autograder(line: str) -> Report:
        """Run the public checks: `%autograder EXERCISE [PART ...] [--file FILE] [--course FOLDER]`."""
        return magic(line)

    shell.register_magic_function(autograder, "line", "autograder")


def magic(line: str) -> Report:
    """What `%autograder` does with the rest of its line; errors are said in one line, as IPython does for its own."""
    from IPython.core.error import UsageError

    words = shlex.split(line)
    options: dict[str, str] = {}
    while len(words) >= 2 and words[-2] in ("--file", "--course", "--lang"):
        options[words[-2][2:]] = words[-1]
        words = words[:-2]
    if not words:
        raise UsageError(_("Write: %autograder EXERCISE [PART ...] [--file FILE] [--course FOLDER] [--lang LANGUAGE]"))
    try:
        return check(*words, file=options.get("file"), course=options.get("course"), language=options.get("lang"))
    except AutograderError as fault:
        raise UsageError(str(fault)) from None
