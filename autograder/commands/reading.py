"""How a command is told what a class handed in, and what it says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.options import FILE, gathered
from autograder.language import _, ngettext
from autograder.reports.words import called
from autograder.submissions.layouts import names

if TYPE_CHECKING:
    from autograder import Course, HandIn


RESOLVE = "resolve.csv"


@dataclass(frozen=True)
class ReadingOptions:
    """How what a class handed in is read."""

    layout: str
    roster: Path | None
    submitted_from: str | None = None
    resolve: Path | None = None
    damaged: bool = False

    def of(self, course: Course, source: Path, exercises: Sequence[str] = (), out: Path | None = None) -> HandIn:
        """Read it; what had to be unpacked is removed when the command ends.

        Args:
            out: the output folder, which keeps for good what was decided once.
        """
        decided = [file for file in (out and out / RESOLVE, self.resolve) if file is not None and file.is_file()]
        handed_in = course.read(
            source, self.layout, self.roster, exercises=exercises,
            submitted_from="mtime" if self.submitted_from else "", resolve=decided, damaged=self.damaged,
            without=(out,) if out is not None else (),
        )  # fmt: skip
        return click.get_current_context().with_resource(handed_in)


_CLASS = (
    click.option("--layout", type=click.Choice(("auto", *names())), default="auto", help="How FOLDER is laid out."),
    click.option(
        "--roster", type=FILE, help="CSV of the course's students: id, name, email, numbers in other programs."
    ),
)
class_options = gathered("reading", lambda layout, roster: ReadingOptions(layout, roster), *_CLASS)
reading_options = gathered(
    "reading",
    ReadingOptions,
    *_CLASS,
    click.option(
        "--submitted-from",
        type=click.Choice(["mtime"]),
        help="Take a file's own time as that of handing in, where nothing better is known.",
    ),
    click.option(
        "--resolve",
        type=FILE,
        help="What you decided about hand-ins that need a person: OUT/resolve.csv filled in, or YAML.",
    ),
    click.option("--damaged", is_flag=True, help="Read what can be read of a damaged archive of the class."),
)


def lines(handed_in: HandIn, out: Path = Path()) -> list[str]:
    """What to say of a class besides what is not graded; `out` is where the list of it is."""
    said = [_("layout: {layout}").format(layout=layout) for layout in handed_in.detected]
    absent = handed_in.absent
    if absent:
        shown = ", ".join(called(student, handed_in.names) for student in absent[:20])
        listing = shown + (" ..." if len(absent) > 20 else "")
        said.append(_("{count} of the roster handed in nothing: {names}").format(count=len(absent), names=listing))
    if handed_in.evidence:
        said.append(
            ngettext(
                "{n} thing could not be placed or needs a look: {file}",
                "{n} things could not be placed or need a look: {file}",
                len(handed_in.evidence),
            ).format(n=len(handed_in.evidence), file=out / "unplaced.csv")
        )
    return said


def not_graded(handed_in: HandIn) -> list[str]:
    """A line for each thing that was handed in and is no entry; what needs nobody comes last."""
    evidence = sorted(handed_in.evidence, key=lambda item: not item.counts)
    lines = {True: _("not graded: {path}: {reason}"), False: _("listed: {path}: {reason}")}
    return [lines[item.counts].format(path=item.path, reason=item.reason) for item in evidence]
