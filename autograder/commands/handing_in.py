"""What `autograder grade` is given: a folder or an archive, read in whatever layout it has, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autograder.language import _, ngettext
from autograder.submissions.layouts import names

if TYPE_CHECKING:
    from autograder.batch.grade import Batch
    from autograder.book.store import Store
    from autograder.course import CourseConfig
    from autograder.results.grade import Grade
    from autograder.results.model import Result
    from autograder.submissions import HandIn

UNPLACED = "unplaced.csv"
RESOLVE = "resolve.csv"  # the template for --resolve
_CLASS_OPTIONS = (
    click.option("--layout", type=click.Choice(("auto", *names())), default="auto", help="How FOLDER is laid out."),
    click.option("--roster", type=click.Path(path_type=Path, exists=True, dir_okay=False),
                 help="CSV of the course's students: id, name, email, numbers in other programs."),
)  # fmt: skip
_OPTIONS = (
    *_CLASS_OPTIONS,
    click.option("--submitted-from", type=click.Choice(["mtime"]),
                 help="Take a file's own time as that of handing in, where nothing better is known."),
    click.option("--resolve", type=click.Path(path_type=Path, exists=True, dir_okay=False),
                 help="What you decided about hand-ins that need a person: OUT/resolve.csv, filled in."),
    click.option("--damaged", is_flag=True, help="Read what can be read of a damaged archive of the class."),
)  # fmt: skip


def class_options(function: Any) -> Any:
    """The options of a command that looks at what a class handed in."""
    for option in reversed(_CLASS_OPTIONS):
        function = option(function)
    return function


def reading_options(function: Any) -> Any:
    """The options of a command that reads submissions."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_submissions(
    source: Path, config: CourseConfig, exercises: Sequence[str] = (), layout: str = "auto",
    roster: Path | None = None, submitted_from: str | None = None, resolve: Path | None = None, damaged: bool = False,
    without: Sequence[Path] = (),
) -> HandIn:  # fmt: skip
    """Read what was handed in; what had to be unpacked is removed when the command ends."""
    from autograder.course.roster import read_roster
    from autograder.submissions import Resolutions, Wanted, read_class, read_resolutions

    people = read_roster(roster) if roster else None
    wanted = Wanted.of(
        config,
        exercises=exercises,
        layout=layout,
        roster=people,
        submitted_from="mtime" if submitted_from else "",
        damaged=damaged,
        without=without,
    )
    # What was decided once holds for good: the output folder keeps it.
    kept = (folder / RESOLVE for folder in without)
    files = [file for file in (*kept, *((resolve,) if resolve else ())) if file.is_file()]
    decided = [read_resolutions(file, wanted.exercises, people, wanted.zone) for file in files]
    wanted = replace(wanted, resolutions=Resolutions({k: v for one in decided for k, v in one.decisions.items()}))
    return click.get_current_context().with_resource(read_class(source, wanted))


def before_the_batch(
    config: CourseConfig, scan: HandIn, secret: bytes, store: Store, language: str, unprotected: bool
) -> list[HandIn]:
    """Earlier attempts that have to be graded first, where the best of all counts."""
    if not scan.earlier:
        return []
    from autograder.batch.attempts import not_graded_yet, rounds
    from autograder.batch.keys import Keys

    keys = Keys(config, secret, language, unprotected)
    return [left for one in rounds(scan) if (left := not_graded_yet(one, store, keys)).entries]


def after_the_batch(config: CourseConfig, batch: Batch, out: Path, store: Store) -> None:
    """Settle which attempts count and how late they were, and list what was handed in and what could not be placed."""
    from autograder.batch.attempts import handed_files, handed_in, settle
    from autograder.book.grades import extensions
    from autograder.results.files import write_atomically
    from autograder.submissions.resolutions import template

    found = handed_in(batch.scan, batch.plan.digests)
    store.handed_in.note(handed_files(found), [*batch.scan.students, *batch.scan.absent])
    extended = extensions(store.decisions.history())
    batch.changed |= bool(settle(config, found, batch.everyone, out, store, extended))
    if batch.scan.questions or batch.scan.decided.decisions:
        write_atomically(out / RESOLVE, template(batch.scan.questions, batch.scan.decided))
    write_atomically(out / UNPLACED, _unplaced(batch.scan))
    _write_handed_in(batch.scan, out)


def final_grades(config: CourseConfig, place: Path | str) -> Callable[[Result], Grade]:
    """What makes a result's grade: overrides, marks, extensions, late penalty."""
    from autograder.book.grades import grade_by
    from autograder.book.place import read_decisions
    from autograder.book.rubric import load_rubric

    return grade_by(config, read_decisions(place, config.id), load_rubric(config))


def grades_csv(results: Iterable[Result], config: CourseConfig, out: Path, place: Path | str) -> str:
    """The table of grades of the whole class, one result in memory at a time."""
    from autograder.book.grades import extensions
    from autograder.book.missing import ABSENT, not_handed_in
    from autograder.book.place import read_decisions
    from autograder.exporters.people import People
    from autograder.exporters.table import GradeTable
    from autograder.reports.cells import Form

    grade_of, own = final_grades(config, place), extensions(read_decisions(place, config.id))
    said = (
        # What is not due today may be missing tomorrow.
        not_handed_in(config, name, own.get(name)) if result.outcome in ABSENT else result
        for result in results
        if (name := (result.student, result.exercise))
    )
    table = GradeTable(((result, grade_of(result)) for result in said), config, People(None, out))
    return Form().text(table.long(Form()))


def lines(scan: HandIn) -> list[str]:
    """What to say of a class besides what is not graded."""
    said = [_("layout: {layout}").format(layout=layout) for layout in scan.detected]
    if scan.absent:
        names = ", ".join(scan.absent[:20]) + (" ..." if len(scan.absent) > 20 else "")
        said.append(_("{count} of the roster handed in nothing: {names}").format(count=len(scan.absent), names=names))
    if scan.evidence:
        said.append(
            ngettext(
                "{n} thing could not be placed or needs a look: {file}",
                "{n} things could not be placed or need a look: {file}",
                len(scan.evidence),
            ).format(n=len(scan.evidence), file=UNPLACED)
        )
    return said


def not_graded(scan: HandIn) -> list[str]:
    """A line for each thing that could not be placed, whatever its name holds."""
    from autograder.submissions.shown import shown

    line = _("not graded: {path}: {reason}")
    return [shown(line.format(path=item.path, reason=item.reason)) for item in scan.evidence]


def _unplaced(scan: HandIn) -> str:
    rows: list[Sequence[str]] = [("path", "reason")]
    for item in scan.evidence:
        inside = item.path.is_relative_to(scan.folder)
        rows.append((str(item.path.relative_to(scan.folder) if inside else item.path), item.reason))
    rows += [(student, _("on the roster, and handed in nothing")) for student in scan.absent]
    return _table(rows)


def _write_handed_in(scan: HandIn, out: Path) -> None:
    """Who handed in what and when; lines of earlier runs about other exercises stay."""
    from autograder.course.errors import ConfigurationError
    from autograder.course.roster import read_table
    from autograder.exporters.people import HANDED_IN, HANDED_IN_COLUMNS
    from autograder.results.files import write_atomically

    rows: dict[tuple[str, str], Sequence[str]] = {}
    try:
        for _number, row in read_table(out / HANDED_IN)[0]:
            rows[row.get("student", ""), row.get("exercise", "")] = [row.get(c) or "" for c in HANDED_IN_COLUMNS]
    except ConfigurationError:
        pass  # the first run
    for entry in scan.entries:
        who = entry.who
        rows[entry.student, entry.exercise] = (
            entry.student,
            entry.exercise,
            entry.path.name,
            entry.submitted.isoformat() if entry.submitted else "",
            "marked" if entry.late else "",
            who.name if who else "",
            who.email if who else "",
            who.number if who else "",
            " ".join(entry.notes),
        )
    write_atomically(out / HANDED_IN, _table([HANDED_IN_COLUMNS, *(rows[key] for key in sorted(rows))]))


def _table(rows: Sequence[Sequence[str]]) -> str:
    from autograder.reports.cells import Form
    from autograder.submissions.shown import shown

    return Form().text([shown(cell) for cell in row] for row in rows)
