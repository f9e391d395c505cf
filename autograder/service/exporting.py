"""A book's grades in the form of another program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course.roster import Roster
from autograder.exporters.exporter import Given, Graded, Written
from autograder.exporters.formats import exporter
from autograder.exporters.table import GradeTable, Missing
from autograder.language import _
from autograder.reports.cells import ExportFault

if TYPE_CHECKING:
    from autograder.service.book import Book


def export(
    book: Book, form: str, exercises: Sequence[str], roster: Roster | Path | str | None, given: Given | None,
    missing: Missing | None,
) -> Written:  # fmt: skip
    """Arguments, result and errors as of `Book.export`."""
    of = exporter(form)
    pairs = list(book.graded(exercises=exercises))
    if not pairs:
        raise ExportFault(_("{out}: no results of these; grade first").format(out=book.place))
    config, people = book.course.config, book.people(roster)
    table = GradeTable(pairs, config, people, missing)
    graded = Graded(
        config, book.views or Path(), tuple(exercises), [result for result, _grade in pairs],
        [grade for _result, grade in pairs], table, people, datetime.now(UTC),
    )  # fmt: skip
    written = of.write(graded, given or Given())
    line = _("{student} {exercise}: no final points yet ({outcome}); the cell stays empty")
    notes = [
        line.format(student=row.grade.student, exercise=row.grade.exercise, outcome=row.grade.outcome)
        for row in table.open
        if row.grade.outcome != "missing"
    ]
    return replace(written, notes=(*notes, *written.notes))
