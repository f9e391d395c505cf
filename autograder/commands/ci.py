"""`autograder ci`: a repository checked by continuous integration, its results in the forms that such services show."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autograder.commands.faults import CommandFault
from autograder.language import LANGUAGES, _

if TYPE_CHECKING:
    from autograder.bridges.ci.report import Section
    from autograder.course import CourseConfig
    from autograder.results.model import Result
    from autograder.submissions import Entry, HandIn

EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
OK, BAD, USAGE, FAULT = 0, 1, 2, 3


@click.command("ci")
@click.argument("folder", type=EXISTING, default=Path("."))
@click.option("--course", type=EXISTING, help="Where the course is (default: FOLDER or above).")
@click.option("--exercise", "exercises", multiple=True, help="Only this exercise; may be repeated.")
@click.option("--student", help="Whose repository it is (default: the folder's name). Hidden checks draw by it.")
@click.option(
    "--checks",
    type=click.Choice(["auto", "public", "hidden"]),
    default="auto",
    show_default=True,
    help="auto: the hidden ones where the course has them, else the public ones.",
)
@click.option("--teacher", is_flag=True, help="Show everything: for logs that students cannot read.")
@click.option("--junit", type=FILE, help="Write JUnit XML.")
@click.option("--summary", type=FILE, help="Write a Markdown summary (default: $GITHUB_STEP_SUMMARY, added to it).")
@click.option("--code-quality", type=FILE, help="Write GitLab's Code Quality report.")
@click.option("--classroom", type=FILE, help="Write GitHub Classroom's result (base64; also in $GITHUB_OUTPUT).")
@click.option("--no-fail", is_flag=True, help="Exit status 0 also where checks did not pass.")
@click.option("--unprotected", is_flag=True, help="Hidden checks WITHOUT isolation where this machine has none.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of messages (default: the course's).")
def command(
    folder: Path,
    course: Path | None,
    exercises: tuple[str, ...],
    student: str | None,
    checks: str,
    teacher: bool,
    junit: Path | None,
    summary: Path | None,
    code_quality: Path | None,
    classroom: Path | None,
    no_fail: bool,
    unprotected: bool,
    lang: str | None,
) -> None:
    """Check the exercises in FOLDER, a student's repository.

    Students see of hidden checks what the configuration lets them see. An exercise of which nothing is written yet is
    listed and fails nobody, unless there is no other.

    Exit status: 0 everything that may be seen passed; 1 something did not; 2 wrong usage or configuration; 3 the
    framework could not check.
    """
    from autograder.batch.judges import JudgeFault
    from autograder.bridges.ci.annotations import code_quality as quality_report
    from autograder.bridges.ci.classroom import classroom_result
    from autograder.bridges.ci.junit import junit_xml
    from autograder.bridges.ci.markdown import summary as markdown
    from autograder.bridges.ci.report import status
    from autograder.results.files import write_atomically
    from autograder.submissions import read_student

    place = _Place(folder, course, checks, teacher, unprotected, lang)
    for exercise in exercises:
        place.config.exercise(exercise)
    name = student or folder.resolve().name
    scan = read_student(folder, name, [e.id for e in place.config.exercises])
    entries = [entry for entry in scan.entries if not exercises or entry.exercise in exercises]
    if not entries:
        wanted = ", ".join(exercises or [e.id for e in place.config.exercises])
        raise CommandFault(
            _("{folder}: no file of an exercise in it (looked for {wanted}, .py and .ipynb)").format(
                folder=folder, wanted=wanted
            ),
            USAGE,
        )
    try:
        sections = [place.section(entry, scan) for entry in entries]
    except JudgeFault as fault:
        raise CommandFault(str(fault), FAULT) from None
    _print(sections)
    if junit is not None:
        write_atomically(junit, junit_xml(sections))
    if code_quality is not None:
        write_atomically(code_quality, quality_report(sections))
    if classroom is not None:
        write_atomically(classroom, classroom_result(sections) + "\n")
    if summary is not None:
        write_atomically(summary, markdown(sections))
    elif os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(Path(os.environ["GITHUB_STEP_SUMMARY"]), markdown(sections))
    if os.environ.get("GITHUB_OUTPUT"):
        _append(Path(os.environ["GITHUB_OUTPUT"]), _outputs(sections, classroom_result(sections)))
    outcome = status(sections)
    if outcome == "error":
        sys.exit(FAULT)
    sys.exit(BAD if outcome == "fail" and not no_fail else OK)


class _Place:
    """Where the course is, and which checks are run."""

    def __init__(
        self, folder: Path, course: Path | None, checks: str, teacher: bool, unprotected: bool, lang: str | None
    ) -> None:
        from autograder.course import CONFIG_NAME, ConfigurationError, find_course, load_config
        from autograder.course.handout import find_handout
        from autograder.language import TRANSLATIONS, use_language

        self.folder, self.teacher, self.unprotected, self.lang = folder, teacher, unprotected, lang
        root = None
        if checks != "public":
            try:
                root = find_course(course or folder)
            except ConfigurationError:
                if checks == "hidden":
                    raise
        if root is not None and root == folder.resolve():
            raise CommandFault(
                _("{folder} is the course itself; name a folder that a student works in").format(folder=folder), USAGE
            )
        self.full = load_config(root / CONFIG_NAME) if root is not None else None
        # Public checks need no more than what students have.
        self.handout = None if self.full is not None else find_handout(course or folder, lang)
        self.config: CourseConfig = self.full or self.handout.config  # type: ignore[union-attr]
        use_language(lang or self.config.language, self.config.root / TRANSLATIONS)
        self._secret: bytes | None = None

    def section(self, entry: Entry, scan: HandIn) -> Section:
        """Check one file and say what came out, as its reader may see it."""
        from dataclasses import replace
        from datetime import UTC, datetime

        from autograder.book.grades import grade
        from autograder.bridges.ci.report import section
        from autograder.language import _
        from autograder.reports.visible import student_view
        from autograder.submissions import SubmissionUnreadable, read_submission
        from autograder.submissions.lines import LineFinder
        from autograder.submissions.shown import shown

        started = time.monotonic()
        hidden = self.full is not None and bool(self._hidden_checks(entry.exercise))
        result = self._hidden(entry, scan) if hidden else self._public(entry, scan)
        # Where it lies is no news in a repository.
        inner = shown(entry.path.relative_to(scan.folder).parent.as_posix())
        usual = _("The file was found in the folder {folder}.").format(folder=inner)
        notes = dict.fromkeys([*entry.notes, *result.notes])
        result = replace(result, notes=[note for note in notes if note != usual])
        grading = grade(result, self.config, ())
        # Public checks are public: their outcome is for everybody.
        view = student_view(
            self.config, [result], [grading], datetime.now(UTC), teacher=self.teacher or not hidden
        ).exercises[0]
        try:
            submission = read_submission(entry.path, student=entry.student, exercise=entry.exercise, base=scan.folder)
            lines = LineFinder(submission, scan.folder)
        except SubmissionUnreadable:
            lines = None
        return section(view, _relative(entry.path), "hidden" if hidden else "public", lines, time.monotonic() - started)

    def _hidden_checks(self, exercise: str) -> Sequence[Path]:
        from autograder.course import find_exercise

        return find_exercise(self.config, exercise).hidden_checks

    def _hidden(self, entry: Entry, scan: HandIn) -> Result:
        from autograder.batch.single import grade_entry
        from autograder.course import load_secret

        if self._secret is None:
            self._secret = load_secret(self.config, self.config.root, lambda line: click.echo(line, err=True))
        return grade_entry(self.config, self._secret, entry, scan, self.unprotected, self.lang)

    def _public(self, entry: Entry, scan: HandIn) -> Result:
        from autograder.batch.handin import check_submission
        from autograder.course.handout import find_handout
        from autograder.results.model import Result
        from autograder.submissions import SubmissionUnreadable, read_submission

        handout = self.handout or find_handout(self.config.root, self.lang)
        try:
            submission = read_submission(entry.path, student="you", exercise=entry.exercise, base=scan.folder)
        except SubmissionUnreadable as reason:
            return Result(entry.student, entry.exercise, 0.0, 0.0, "handed_in_not_gradable", message=reason.message)
        return check_submission(handout, submission, self.lang)


def _relative(path: Path) -> str:
    """A file as the service knows it: from the repository's root, which is where its jobs start."""
    start = Path(os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR") or ".").resolve()
    real = path.resolve()
    return real.relative_to(start).as_posix() if real.is_relative_to(start) else real.as_posix()


def _print(sections: Sequence[Section]) -> None:
    from autograder.bridges.ci.annotations import github_annotations, without_commands

    text = _table(sections)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        click.echo(without_commands(text, secrets.token_hex(16)), nl=False)
        for line in github_annotations(sections):
            click.echo(line)
    else:
        click.echo(text, nl=False)


def _table(sections: Sequence[Section]) -> str:
    import io

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from autograder.bridges.ci.report import word
    from autograder.language import _

    buffer = io.StringIO()
    colour = sys.stdout.isatty() or os.environ.get("GITHUB_ACTIONS") == "true" or os.environ.get("GITLAB_CI") == "true"
    width = None if sys.stdout.isatty() else 130  # logs of services are wide, and say they are 80
    console = Console(file=buffer, force_terminal=colour, width=width)
    for part in sections:
        console.print(Text(f"{part.id}: {part.file}", style="bold"))
        if not part.begun:
            console.print(Text(part.headline, style="dim"))
            continue
        for sentence in filter(None, part.text.split("\n")):
            console.print(Text(f"  {sentence}"))
        for finding in part.findings:
            if finding.level == "warning":
                console.print(Text(f"  {finding.file}:{finding.line}: {finding.text}", style="yellow"))
        if part.seen:
            table = Table(header_style="bold")
            for column in (_("check"), "", _("points"), _("line"), _("what to look at")):
                table.add_column(column)
            for line in part.seen:
                table.add_row(*_row(line, word(line)))
            console.print(table)
        console.print(Text(part.headline))
    return buffer.getvalue()


def _row(line: Any, outcome: str) -> list[Any]:
    from rich.text import Text

    styles = {"passed": "green", "failed": "red", "blocked": "yellow", "error": "bold magenta"}
    points = "" if line.points is None or not line.max_points else f"{line.points:g} / {line.max_points:g}"
    return [
        Text(line.title), Text(outcome, style=styles.get(line.outcome, "dim")), Text(points),
        Text(str(line.line or "")), Text(line.text),
    ]  # fmt: skip


def _outputs(sections: Sequence[Section], classroom: str) -> str:
    """The outputs of the step; none of them can hold a line break."""
    from autograder.bridges.ci.report import status

    lines = {"result": classroom, "status": status(sections)}
    if all(part.kind == "hidden" and part.points is not None for part in sections):
        lines["points"] = f"{sum(part.points or 0.0 for part in sections):g}"
        lines["max-points"] = f"{sum(part.max_points for part in sections):g}"
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)
