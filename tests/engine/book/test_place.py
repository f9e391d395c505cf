"""Where a book is, and what is refused as one."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from autograder.book.faults import StoreFault
from autograder.book.place import open_store, read_decisions


def test_reading_makes_no_book(tmp_path):
    assert read_decisions(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_book_is_named(tmp_path):
    (tmp_path / "book.db").write_text("no database at all, but long enough to be read as one " * 20)
    with pytest.raises(StoreFault, match=r"book\.db"):
        read_decisions(tmp_path)


def test_a_newer_book_is_refused(tmp_path):
    open_store(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'book.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '99'"))
    engine.dispose()
    with pytest.raises(StoreFault, match="version 99"):
        open_store(tmp_path)
