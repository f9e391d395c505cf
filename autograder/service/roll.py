"""Changing who is in the class: whether it can be, and what becomes of the files that show it."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.batch.pictures import FOLDER as FIGURES
from autograder.book.place import has_book
from autograder.book.roll import RollChange
from autograder.book.roll import RollKind as RollKind
from autograder.book.upgrade import COPY
from autograder.errors import AutograderError
from autograder.language import _
from autograder.results.files import write_atomically
from autograder.service.views import GRADES, RESOLVE, UNPLACED
from autograder.submissions.names import bad_folder

if TYPE_CHECKING:
    from autograder.service.book import Book


class RollFault(AutograderError):
    """There is no such student, or the change makes no sense; says which and why."""


@dataclass(frozen=True)
class Listed:
    """One student of a book.

    Attributes:
        attempts: at how many exercises there is one.
        removed: from sight.
    """

    student: str
    name: str
    attempts: int
    removed: bool


def class_list(book: Book) -> list[Listed]:
    """Everybody whom a book knows, by name; removed ones among them."""
    if not has_book(book.place):
        return []
    store = book.store
    names = store.handed_in.names()
    at: dict[str, int] = {}
    for student, _exercise in store.attempts.latest():
        at[student] = at.get(student, 0) + 1
    hidden = store.roll.hidden()
    decided = {decision.student for decision in store.decisions.history()}
    everybody = {*store.handed_in.students(), *at, *decided}
    return [Listed(one, names.get(one, ""), at.get(one, 0), one in hidden) for one in sorted(everybody)]


def require_student(student: str, book: Book, removed: bool = False, among: Sequence[Listed] | None = None) -> None:
    """Refuse a name that nobody has, with the one that may be meant; anything, where nobody is known yet.

    Args:
        removed: those who were removed may be named, too.
        among: the class, where it is known.
    """
    listed = {one.student: one for one in (class_list(book) if among is None else among)}
    found = listed.get(student)
    if found is not None and found.removed and not removed:
        line = _("{student!r} was removed from the class; `gradebook people restore` brings them back")
        raise RollFault(line.format(student=student))
    if found is None and (listed or set(student) & set("*?")):
        raise _nobody(student, [name for name, one in listed.items() if removed or not one.removed], book)


def change_roll(book: Book, change: RollChange, submissions: Path | None) -> RollChange:
    """Make a change, and have the files that show the class follow; arguments and errors as of `Book.change_people`."""
    listed = {one.student: one for one in class_list(book)}
    if change.student not in listed:
        raise _nobody(change.student, listed, book)
    removed = listed[change.student].removed
    if change.kind == "remove" and removed:
        raise RollFault(_("{student!r} was removed already").format(student=change.student))
    if change.kind == "restore" and not removed:
        raise RollFault(_("{student!r} was not removed").format(student=change.student))
    if change.kind == "rename":
        if change.into in listed:
            line = _("there is a student {name!r} already; `gradebook people merge` makes one of two")
            raise RollFault(line.format(name=change.into))
        if reason := bad_folder(change.into) or (set(change.into) & set("*?/") and _("it names no folder")):
            raise RollFault(_("{name!r} cannot name a student: {reason}").format(name=change.into, reason=reason))
    if change.kind == "merge":
        if change.into not in listed:
            raise _nobody(change.into, listed, book)
        if change.into == change.student:
            raise RollFault(_("{student!r} is one already").format(student=change.student))
    told = {text for one in book.store.handed_in.files() if one.student == change.student
            for text in (one.name, one.email)} | {change.student}  # fmt: skip
    with book.store.only_grader(book.views):
        book.store.roll.keep(change)
        if book.views is not None:
            _follow(book.views, change)
            if change.kind == "erase":
                _forget(book.views, book.store.file, told - {""})
            if (book.views / GRADES).is_file():
                book.write_views()
        if change.kind == "erase" and submissions is not None:
            _remove(submissions, change.student)
    return change


def _nobody(student: str, known: Collection[str], book: Book) -> RollFault:
    close = get_close_matches(student, known, n=1)
    suggestion = _("; did you mean {name!r}?").format(name=close[0]) if close else ""
    line = _("{out} knows no student {student!r}{suggestion} (`grade --roster` makes a whole class known)")
    return RollFault(line.format(out=book.place, student=student, suggestion=suggestion))


def _follow(views: Path, change: RollChange) -> None:
    """Take away what shows the student under a name that is none any more; the rest is written anew from the book."""
    if change.kind != "restore":
        _remove(views / "results", change.student)
    if change.kind in ("rename", "merge", "erase"):
        _remove(views / FIGURES, change.student)


def _forget(views: Path, file: Path | None, told: Collection[str]) -> None:
    """Take away what is kept beside the book and names a person who was erased."""
    for name in (UNPLACED, RESOLVE):
        if (table := views / name).is_file():
            rows = list(csv.reader(io.StringIO(table.read_text(encoding="utf-8"), newline="")))
            stream = io.StringIO()
            csv.writer(stream, lineterminator="\n").writerows(row for row in rows if not _names(row, told))
            write_atomically(table, stream.getvalue())
    # Copies from before the book, of the whole class: one person cannot be taken out of them.
    _remove(views, COPY)
    for copy in file.parent.glob(f"{file.name}.before-*") if file is not None else ():
        copy.unlink()


def _names(row: list[str], told: Collection[str]) -> bool:
    return any(cell in told or set(Path(cell).parts) & set(told) for cell in row)


def _remove(folder: Path, name: str) -> None:
    if (folder / name).parent == folder and (folder / name).is_dir() and not (folder / name).is_symlink():
        shutil.rmtree(folder / name)
