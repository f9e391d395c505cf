"""Where a book is: a folder's own SQLite file, or a database by its URL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from autograder.book.engine import StoreFault, UnusableBook
from autograder.book.store import FILE_NAME, MARK, Store
from autograder.book.upgrade import DATABASES, has_results, left_by_0_1, of_version_1
from autograder.language import _


def is_url(place: Path | str) -> bool:
    """Whether a place is a database's URL and no folder."""
    return isinstance(place, str) and "://" in place


def has_book(place: Path | str) -> bool:
    """Whether there is a book already, or what one is made of; of a URL nobody knows before it is opened."""
    folder = _folder(place)
    if folder is None or any((folder / name).is_file() for name in (FILE_NAME, MARK)):
        return True
    return bool(left_by_0_1(folder)) or has_results(folder)


def open_store(place: Path | str, course: str = "", out: Path | None = None) -> Store:
    """Open a book; it is made where there is none. What version 0.1 wrote is taken over, a copy of it is kept.

    Args:
        place: a folder, whose `book.db` it is, an SQLite file that is there, or an SQLAlchemy URL. A folder's
            `state.db` or `gradebook.db`, as version 0.1 had them, stand for the folder.
        course: id of the course; of every course where empty.
        out: the output folder, where the book is not in it: what version 0.1 left there is taken over into the book,
            and the folder notes where its book is.

    Raises:
        StoreFault: it cannot be opened, was made by a newer version, is another program's database, or is not the book
            of this output folder.
    """
    folder = _folder(place)
    elsewhere = out if out is not None and (folder is None or out.resolve() != folder.resolve()) else None
    _require_one_book(folder, elsewhere)
    if folder is None:
        store = Store(str(place) if is_url(place) else f"sqlite:///{place}", course)
    else:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableBook(_("{folder} cannot be made: {error}").format(folder=folder, error=error)) from None
        store = Store(f"sqlite:///{folder / FILE_NAME}", course)
    try:
        for there in (folder, elsewhere):
            if there is not None and (left_by_0_1(there) or (has_results(there) and _unknown(store, there))):
                store.take_over(there)
                store.mark(there)
    except BaseException:
        store.close()
        raise
    return store


def _require_one_book(folder: Path | None, elsewhere: Path | None) -> None:
    """An output folder has one book: another one would show other points beside the same results."""
    if folder is not None and (folder / MARK).is_file() and not (folder / FILE_NAME).is_file():
        name = (folder / MARK).read_text(encoding="utf-8").strip()
        raise StoreFault(_("the book of {folder} is {name}: name it with --book").format(folder=folder, name=name))
    if elsewhere is not None and (elsewhere / FILE_NAME).is_file():
        raise StoreFault(
            _("{folder} has a book of its own, {file}: leave --book out, or name another output folder").format(
                folder=elsewhere, file=FILE_NAME
            )
        )


def _unknown(store: Store, out: Path) -> bool:
    """Whether results in a folder are no views of this book: it knows the students of a class that it has read."""
    return not store.handed_in.students() and (of_version_1(out) or not store.attempts.any())


def _folder(place: Path | str) -> Path | None:
    """The folder of a place; None where it is a database of its own."""
    file: str | None = str(place) if Path(place).is_file() else None
    if file is None:
        if not isinstance(place, str) or not is_url(place):
            return Path(place)
        try:
            url = make_url(place)
        except ArgumentError:
            return None
        file = url.database if url.get_backend_name() == "sqlite" else None
    return Path(file).parent if file and Path(file).name in (FILE_NAME, *DATABASES) else None
