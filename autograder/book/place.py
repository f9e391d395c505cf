"""Where a book is: a folder's own SQLite file, or a database by its URL."""

from __future__ import annotations

from pathlib import Path

from autograder.book.decisions import Decision
from autograder.book.store import Store

FILE_NAME = "book.db"


def is_url(place: Path | str) -> bool:
    """Whether a place is a database's URL and no folder."""
    return isinstance(place, str) and "://" in place


def has_book(place: Path | str) -> bool:
    """Whether there is a book already; of a URL nobody knows before it is opened."""
    return is_url(place) or (Path(place) / FILE_NAME).is_file()


def open_store(place: Path | str, course: str = "") -> Store:
    """Open a book; it is made where there is none.

    Args:
        place: a folder, whose `book.db` it is, or an SQLAlchemy URL.
        course: id of the course; of every course where empty.

    Raises:
        StoreFault: it cannot be opened, was made by a newer version, or is another program's database.
    """
    if isinstance(place, str) and is_url(place):
        return Store(place, course)
    folder = Path(place)
    folder.mkdir(parents=True, exist_ok=True)
    return Store(f"sqlite:///{folder / FILE_NAME}", course)


def read_decisions(place: Path | str, course: str = "") -> list[Decision]:
    """Every decision; a folder without a book has none, and gets none by being read."""
    if not has_book(place):
        return []
    with open_store(place, course) as store:
        return store.decisions.history()
