"""What is made of a book and can be made again: results as JSON, the table of grades, who handed in what."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.language import _
from autograder.results.files import file_digest, result_path, result_text, text_digest, write_atomically
from autograder.results.grade import Grade
from autograder.results.model import Result
from autograder.submissions.resolutions import template

if TYPE_CHECKING:
    from autograder.book.handed_in import Handed
    from autograder.results.attempt import Name
    from autograder.service.book import Book
    from autograder.submissions import HandIn

GRADES = "grades.csv"
HANDED_IN = "handed_in.csv"
UNPLACED = "unplaced.csv"
RESOLVE = "resolve.csv"


def write_result(folder: Path, result: Result) -> bool:
    """Write the file of a result, unless it says so already."""
    path, text = result_path(folder, result.student, result.exercise), result_text(result)
    if file_digest(path) == text_digest(text):
        return False
    # Not waiting for the disk: what a power failure takes is written again from the book.
    write_atomically(path, text, durable=False)
    return True


@dataclass
class Views:
    """What was seen of a class while its views were written; results themselves are not kept.

    Attributes:
        isolation: what was in force around the code of a result, by student and exercise.
        written: whether the file of any result had to be.
    """

    grades: tuple[Grade, ...] = ()
    isolation: dict[Name, str] = field(default_factory=dict)
    written: bool = False


def write_views(book: Book) -> Views:
    """Write every view of a book, where it has a folder for them."""
    from autograder.exporters.table import GradeTable
    from autograder.reports.cells import Form

    views, folder = Views(), book.views

    def seen() -> Iterator[tuple[Result, Grade]]:
        for result, grade in book.graded():
            if result.environment.isolation is not None:
                views.isolation[result.student, result.exercise] = result.environment.level
            if folder is not None:
                views.written |= write_result(folder, result)
            yield result, grade

    table = GradeTable(seen(), book.course.config, book.people())
    views.grades = tuple(row.grade for row in table.rows)
    if folder is not None:
        for student in book.store.roll.hidden():
            # The judge's answer about a file that a removed student handed in again.
            shutil.rmtree(folder / "results" / student, ignore_errors=True)
        write_atomically(folder / GRADES, Form().text(table.long(Form())))
        write_atomically(folder / HANDED_IN, _handed_in(book.handed_in()))
    return views


def write_unplaced(folder: Path, handed_in: HandIn) -> None:
    """List what a hand-in holds that is not graded, and who is on the roster and handed in nothing."""
    rows: list[Sequence[str]] = [("path", "reason")]
    for item in handed_in.evidence:
        inside = item.path.is_relative_to(handed_in.folder)
        rows.append((str(item.path.relative_to(handed_in.folder) if inside else item.path), item.reason))
    rows += [(student, _("on the roster, and handed in nothing")) for student in handed_in.absent]
    write_atomically(folder / UNPLACED, _table(rows))


def write_questions(folder: Path, handed_in: HandIn) -> None:
    """What a person has to decide, and what was decided: the table that `course.read(resolve=)` reads."""
    if handed_in.questions or handed_in.decided.settled:
        write_atomically(folder / RESOLVE, template(handed_in.questions, handed_in.decided))


def _handed_in(files: Iterable[Handed]) -> str:
    """Who handed in what last, and when."""
    heading = ("student", "exercise", "file", "submitted", "late", "name", "email", "lms_id", "notes")
    last = {(one.student, one.exercise): one for one in files}
    rows = [
        (
            *name, one.file, one.submitted.isoformat() if one.submitted else "", "marked" if one.late else "",
            one.name, one.email, one.lms_id, one.notes,
        )
        for name, one in sorted(last.items())
    ]  # fmt: skip
    return _table([heading, *rows])


def _table(rows: Iterable[Sequence[str]]) -> str:
    from autograder.reports.cells import Form
    from autograder.submissions.shown import shown

    return Form().text([shown(cell) for cell in row] for row in rows)
