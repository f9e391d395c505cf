"""What people read: a page for each student, and the report on the class for teachers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.authoring.bundle import stub_source
from autograder.course import find_exercise
from autograder.reports.class_text import checks_csv, class_markdown, mistakes_csv, statistics_csv
from autograder.reports.class_view import class_view
from autograder.reports.pages import class_page, student_page
from autograder.reports.pictures import student_pictures
from autograder.reports.reading import ReadingList
from autograder.reports.similarity import Likeness, likeness
from autograder.reports.visible import student_view
from autograder.results.files import write_atomically
from autograder.results.grade import Grade
from autograder.results.model import Result
from autograder.submissions import SubmissionUnreadable

if TYPE_CHECKING:
    from autograder.service.book import Book
    from autograder.service.results import Name
    from autograder.submissions import HandIn


def write_pages(book: Book, folder: Path, teacher: bool, student: str | None, exercises: Sequence[str]) -> int:
    """Arguments and result as of `Book.write_pages`."""
    count = 0
    for name, page in pages(book, book.graded(student, exercises), teacher):
        write_atomically(folder / f"{name}.html", page)
        count += 1
    return count


def pages(
    book: Book, graded: Iterator[tuple[Result, Grade]], teacher: bool = False
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """Students and their pages, of results in the order of students; one student's are in memory at a time."""
    config, now, reading = book.course.config, datetime.now(UTC), ReadingList(book.course.config)
    for name, own in groupby(graded, key=lambda pair: pair[0].student):
        results, grades = map(list, zip(*own, strict=True))
        pictures = {r.exercise: student_pictures(book.views, name, r.exercise) for r in results} if book.views else {}
        view = student_view(
            config, results, grades, now, teacher=teacher, read_on=reading.of(results), pictures=pictures
        )
        yield name, student_page(view, config, book.course.language)


def write_report(
    book: Book, folder: Path, handed_in: HandIn | None, student: str | None, exercises: Sequence[str]
) -> Path:
    """Arguments and result as of `Book.write_report`."""
    from autograder.exporters.table import GradeTable
    from autograder.reports.cells import Form

    config = book.course.config
    graded = list(book.graded(student, exercises))
    results, grades = [result for result, _grade in graded], [grade for _result, grade in graded]
    view = class_view(
        config, results, grades, datetime.now(UTC), names=book.names(), likeness=_likeness(book, results, handed_in),
        before=_before(book, results),
    )  # fmt: skip
    table = GradeTable(graded, config, book.people())
    page = folder / "class.html"
    write_atomically(page, class_page(view, config, book.course.language))
    for name, text in (
        ("class.md", class_markdown(view)), ("grades.csv", Form().text(table.long(Form()))),
        ("checks.csv", checks_csv(view)), ("statistics.csv", statistics_csv(view)),
        ("mistakes.csv", mistakes_csv(view)),
    ):  # fmt: skip
        write_atomically(folder / name, text)
    return page


def _likeness(book: Book, results: Sequence[Result], handed_in: HandIn | None) -> list[Likeness]:
    """What the submissions that were graded have in common; nothing without them."""
    graded = {(result.student, result.exercise) for result in results}
    codes: dict[str, dict[str, str]] = {}
    for entry in handed_in.entries if handed_in is not None else ():
        if handed_in is None or (entry.student, entry.exercise) not in graded:
            continue
        try:
            read = handed_in.read(entry)
        except SubmissionUnreadable:
            continue  # its result says so
        codes.setdefault(entry.exercise, {})[entry.student] = "\n".join(cell.source for cell in read.cells)
    return [likeness(e, codes[e], stub_source(find_exercise(book.course.config, e))) for e in sorted(codes)]


def _before(book: Book, results: Sequence[Result]) -> dict[Name, float]:
    """The points of the attempt before the last."""
    before = {}
    for result in results:
        attempts = book.store.attempts.history(result.student, result.exercise)
        if len(attempts) > 1:
            before[result.student, result.exercise] = attempts[-2].result.points
    return before
