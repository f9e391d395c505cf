"""What people read: a page for each student, and the report on the class for teachers."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from autograder.authoring.bundle import purposes_of, stub_source
from autograder.authoring.overlay import changed_functions
from autograder.course import find_exercise
from autograder.reports.class_text import checks_csv, class_markdown, mistakes_csv, statistics_csv
from autograder.reports.class_view import class_view, listing
from autograder.reports.pages import Links, class_page, index_page, student_page
from autograder.reports.pictures import student_pictures
from autograder.reports.reading import ReadingList
from autograder.reports.similarity import Likeness, likeness
from autograder.reports.visible import student_view
from autograder.results.files import write_atomically
from autograder.results.grade import Grade
from autograder.results.model import Result
from autograder.submissions import SubmissionUnreadable
from autograder.submissions.lines import excerpt

if TYPE_CHECKING:
    from autograder.results.attempt import Name
    from autograder.service.book import Book
    from autograder.submissions import HandIn


INDEX = "index.html"
REPORT = "class.html"


def write_pages(
    book: Book, folder: Path, teacher: bool, student: str | None, exercises: Sequence[str], report: Path | None,
    handed_in: HandIn | None,
) -> int:  # fmt: skip
    """Arguments and result as of `Book.write_pages`."""
    if not teacher:
        count = 0
        for name, page in pages(book, book.graded(student, exercises), handed_in=handed_in):
            write_atomically(folder / _file(name), page)
            count += 1
        return count
    students = list(dict.fromkeys(name for name, _exercise in book.results(student, exercises).names))
    names, of_class = book.names(), _address(report / REPORT, folder) if report is not None else ""
    near = [(names.get(name, name), quote(_file(name))) for name in students]
    links = {
        name: Links(INDEX, of_class, near[i - 1] if i else None, near[i + 1] if i + 1 < len(near) else None)
        for i, name in enumerate(students)
    }
    seen: list[tuple[Grade, bool]] = []
    for name, page in pages(book, _seen(book.graded(student, exercises), seen), links, handed_in):
        write_atomically(folder / _file(name), page)
    config = book.course.config
    listed = listing(config, seen, datetime.now(UTC), names)
    write_atomically(folder / INDEX, index_page(listed, config, book.course.language, addresses(students), of_class))
    return len(students)


def _seen(
    graded: Iterator[tuple[Result, Grade]], noted: list[tuple[Grade, bool]]
) -> Iterator[tuple[Result, Grade]]:  # fmt: skip
    """The same, while grades and whether something happened are noted."""
    for result, grade in graded:
        noted.append((grade, bool(result.alarms)))
        yield result, grade


def addresses(students: Iterable[str], folder: Path | None = None, beside: Path | None = None) -> dict[str, str]:
    """The addresses of students' pages in a folder, as a page in the folder `beside` names them."""
    if folder is None or beside is None:
        return {student: quote(_file(student)) for student in students}
    return {student: _address(folder / _file(student), beside) for student in students}


def _file(student: str) -> str:
    # The list of all pages has this name.
    return f"{student}_.html" if f"{student}.html".casefold() == INDEX else f"{student}.html"


def _address(page: Path, folder: Path) -> str:
    return quote(Path(os.path.relpath(page, folder)).as_posix())


def pages(
    book: Book, graded: Iterator[tuple[Result, Grade]], links: Mapping[str, Links] | None = None,
    handed_in: HandIn | None = None,
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """Students and their pages, of results in the order of students; one student's are in memory at a time.

    Args:
        links: of each page; with them pages are for teachers, and show everything.
        handed_in: what was graded: lines that comments are about are shown from it.
    """
    entries = {(entry.student, entry.exercise): entry for entry in handed_in.entries} if handed_in is not None else {}
    config, now, names = book.course.config, datetime.now(UTC), book.names()
    reading = ReadingList(config, changed_functions, purposes_of)
    several = book.several()
    for name, own in groupby(graded, key=lambda pair: pair[0].student):
        results, grades = map(list, zip(*own, strict=True))
        pictures = {r.exercise: student_pictures(book.views, name, r.exercise) for r in results} if book.views else {}
        view = student_view(
            config, results, grades, now, name=names.get(name, ""), teacher=links is not None,
            read_on=reading.of(results), pictures=pictures, purposes=reading.purposes(results),
            before=dict(_attempts_before(book, results, several)),
            excerpts={
                (grade.exercise, comment.line): excerpt(handed_in.read(entry), comment.line)
                for grade in grades
                if handed_in is not None and (entry := entries.get((name, grade.exercise))) is not None
                for comment in grade.comments
                if comment.line
            },
        )  # fmt: skip
        yield name, student_page(view, config, book.course.language, links[name] if links is not None else None)


def write_report(
    book: Book, folder: Path, handed_in: HandIn | None, student: str | None, exercises: Sequence[str],
    pages_at: Path | None,
) -> Path:  # fmt: skip
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
    page = folder / REPORT
    at = addresses((row.student for row in view.students), pages_at, folder) if pages_at is not None else {}
    index = _address(pages_at / INDEX, folder) if pages_at is not None else ""
    write_atomically(page, class_page(view, config, book.course.language, at, index))
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


def _attempts_before(book: Book, results: Sequence[Result], several: Container[Name]) -> Iterator[tuple[str, Result]]:
    """The attempt before the one that counts, of another file, by exercise."""
    for result in results:
        if (result.student, result.exercise) not in several:
            continue
        earlier: Result | None = None
        found: Result | None = None
        for attempt in book.store.attempts.history(result.student, result.exercise):
            if attempt.sha256 == result.submission.sha256:
                found = earlier
            else:
                earlier = attempt.result
        if found is not None:
            yield result.exercise, found


def _before(book: Book, results: Sequence[Result]) -> dict[Name, float]:
    """The points of the attempt before the last."""
    before = {}
    for result in results:
        attempts = book.store.attempts.history(result.student, result.exercise)
        if len(attempts) > 1:
            before[result.student, result.exercise] = attempts[-2].result.points
    return before
