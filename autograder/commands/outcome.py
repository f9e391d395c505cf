"""What `autograder grade` prints when it is done: the class, what was not graded and why, where everything is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.language import _, ngettext

if TYPE_CHECKING:
    from autograder.batch.grade import Batch
    from autograder.batch.plan import Plan
    from autograder.course import CourseConfig
    from autograder.results.model import Result

MOST_STUDENTS = 60  # in a table of the terminal; a larger class gets a line per exercise
MOST_NAMES = 20


@dataclass
class Seen:
    """What is noted of results while they pass, one in memory at a time.

    Attributes:
        names: student and exercise of those that are noted.
    """

    names: frozenset[tuple[str, str]]
    levels: set[str] = field(default_factory=set)
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    points: dict[str, list[float]] = field(default_factory=dict)

    def noting(self, results: Iterable[Result]) -> Iterator[Result]:
        """The same results."""
        for result in results:
            if (result.student, result.exercise) not in self.names:
                yield result
                continue
            if result.environment.isolation is not None:
                self.levels.add(result.environment.level)
            self.outcomes.setdefault(result.exercise, Counter())[result.outcome] += 1
            if result.outcome == "graded":
                self.points.setdefault(result.exercise, []).append(result.points / max(result.max_points, 1e-9))
            yield result

    def table(self) -> Any:
        """A rich table: a line per exercise."""
        from statistics import median

        from rich.table import Table

        table = Table(header_style="bold")
        table.add_column(_("exercise"))
        for column in (_("graded"), _("not gradable"), _("missing"), _("not graded"), _("median")):
            table.add_column(column, justify="right")
        for exercise, outcomes in self.outcomes.items():
            shares = self.points.get(exercise)
            numbers = [str(outcomes[name]) for name in ("graded", "handed_in_not_gradable", "missing", "error")]
            table.add_row(exercise, *numbers, f"{100 * median(shares):.0f} %" if shares else "")
        return table


def tell(batch: Batch, out: Path, config: CourseConfig, place: Path | str) -> None:
    """Write `grades.csv`, with what teachers decided, and print what came of a batch."""
    from rich.console import Console

    from autograder.commands.handing_in import final_grades, grades_csv, lines, not_graded
    from autograder.exporters.people import People
    from autograder.reports.table import grade_table
    from autograder.results.files import write_atomically
    from autograder.submissions.shown import shown

    # The table in the file is of the whole class, what is printed is of what was asked for.
    console, seen = Console(), Seen(frozenset(batch.results.names))
    write_atomically(out / "grades.csv", grades_csv(seen.noting(batch.everyone), config, out, place))
    if batch.results:
        large = len({student for student, _exercise in seen.names}) > MOST_STUDENTS
        if large:
            console.print(seen.table())
        else:
            grade_of, people = final_grades(config, place), People(None, out)
            called = {student: people.of(student).name for student, _exercise in seen.names}
            console.print(grade_table(((result, grade_of(result)) for result in batch.results), called))
    for line in lines(batch.scan):
        console.print(shown(line), markup=False, highlight=False, soft_wrap=True)
    for line in not_graded(batch.scan):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for fault in batch.faults:
        console.print(
            _("could not be graded: {student} {exercise}: {why}").format(
                student=fault.student, exercise=fault.exercise, why=_why(fault)
            ),
            markup=False, highlight=False, soft_wrap=True, style="bold magenta",
        )  # fmt: skip
    unchanged = len(batch.plan.kept.keys() - batch.plan.left)
    if unchanged:
        console.print(_("{n} unchanged since the last run (--force grades them again)").format(n=unchanged))
    for line in left_out(batch.plan):
        console.print(line, highlight=False, soft_wrap=True)
    for exercise, names in batch.plan.identical():
        listing = ", ".join(names[:MOST_NAMES])
        if len(names) > MOST_NAMES:
            listing = _("{names} and {n} more").format(names=listing, n=len(names) - MOST_NAMES)
        line = _("identical files for {exercise}: {listing}").format(exercise=exercise, listing=listing)
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if seen.levels:
        console.print(_("isolation: {listing}").format(listing=", ".join(sorted(seen.levels))), highlight=False)
    console.print(_("results: {out}").format(out=out / "results"), soft_wrap=True, highlight=False)
    console.print(_("grades:  {out}").format(out=out / "grades.csv"), soft_wrap=True, highlight=False)
    if len(batch.everyone) > len(batch.results):
        line = ngettext(
            "There is {n} result of the whole class in this table.",
            "There are {n} results of the whole class in this table.",
            len(batch.everyone),
        ).format(n=len(batch.everyone))
        console.print(line, soft_wrap=True, highlight=False)


def left_out(plan: Plan) -> list[str]:
    """What a run with --failed or --only does not look at."""
    if not plan.left:
        return []
    return [_("{n} new or changed ones are left for a run without --failed and --only").format(n=len(plan.left))]


def todo(plan: Plan) -> Iterator[str]:
    """What will be graded and why: a line for each, or for each exercise and reason of a large class."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in plan.todo:
        groups.setdefault((item.entry.exercise, item.why), []).append(item.entry.student)
    if len({item.entry.student for item in plan.todo}) <= MOST_STUDENTS:
        yield from (f"{item.entry.student} {item.entry.exercise}: {item.why}" for item in plan.todo)
        return
    for (exercise, why), students in sorted(groups.items()):
        names = ", ".join(students[:MOST_NAMES]) + (", ..." if len(students) > MOST_NAMES else "")
        yield f"{exercise}: {len(students)} ({names}): {why}"


def _why(fault: Result) -> str:
    if fault.message:
        return fault.message
    return "; ".join(f"check {c.id}: {c.message}" for c in fault.checks if c.outcome == "error")
