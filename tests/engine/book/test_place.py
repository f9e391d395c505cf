"""Where a book is, and what is refused as one."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from autograder import Course
from autograder.book.engine import StoreFault, without_password
from autograder.book.place import has_book, open_store
from autograder.service.views import write_result
from tests.engine.book.conftest import result


def test_reading_makes_no_book(course, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with Course(course).book(out) as book:
        assert book.history() == []
        assert list(book.grades()) == []
    assert list(out.iterdir()) == []


def test_a_file_that_is_no_book_is_named(tmp_path):
    (tmp_path / "book.db").write_text("no database at all, but long enough to be read as one " * 20)
    with pytest.raises(StoreFault, match=r"book\.db"):
        open_store(tmp_path)


def test_a_newer_book_is_refused(tmp_path):
    open_store(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'book.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '99'"))
    engine.dispose()
    with pytest.raises(StoreFault, match="version 99"):
        open_store(tmp_path)


def test_it_can_be_read_while_it_is_graded_for_the_first_time(tmp_path):
    """Students are noted at the end; until then results lie in the folder already, and nobody waits for the lock."""
    with open_store(tmp_path, "small") as grading, grading.only_grader(tmp_path):
        grading.attempts.keep(result(), {}, "0")
        write_result(tmp_path, result())
        with open_store(tmp_path, "small") as reading:
            assert ("ada", "flows") in reading.attempts.latest()


def test_results_that_nobody_knows_are_taken_over(tmp_path):
    write_result(tmp_path, result())
    for _again in range(2):
        with open_store(tmp_path, "small") as store:
            assert len(store.attempts.history("ada", "flows")) == 1
            assert store.handed_in.students() == ["ada"]
    assert not (tmp_path / "written-by-0.1").exists()


def test_one_grader_at_a_time_and_a_second_says_who(tmp_path):
    with open_store(tmp_path / "a", "small") as one, open_store(f"sqlite:///{tmp_path / 'a' / 'book.db'}") as other:
        with one.only_grader(tmp_path / "a"):
            for out, what in ((tmp_path / "a", "process"), (tmp_path / "b", "book.db")):
                with pytest.raises(StoreFault, match=what) as fault, other.only_grader(out):
                    pass
                assert str(os.getpid()) in str(fault.value)
        with other.only_grader(tmp_path / "b"):
            pass


def test_an_sqlite_file_is_a_place(tmp_path):
    file = tmp_path / "mine.sqlite"
    with open_store(f"sqlite:///{file}", "small") as store:
        store.handed_in.note([], ["ada"])
    for place in (file, str(file)):
        assert has_book(place)
        with open_store(place, "small") as store:
            assert store.handed_in.students() == ["ada"]


@pytest.mark.parametrize("place", ["nonsense://x", "postgresql://[", "sqlite:////no/such/folder/x.sqlite"])
def test_a_place_that_cannot_be_is_refused_in_one_line(place):
    with pytest.raises(StoreFault) as fault:
        open_store(place, "small")
    assert "\n" not in str(fault.value)


def test_a_file_in_the_place_of_a_folder_is_no_book(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("no database at all " * 500)
    with pytest.raises(StoreFault, match="notes") as fault:
        open_store(file, "small")
    assert "\n" not in str(fault.value)
    with pytest.raises(StoreFault, match="notes"):
        open_store(file / "out", "small")


def test_several_threads_write_into_one_book(tmp_path):
    with open_store(tmp_path, "small") as store, ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(store.attempts.keep, result(f"s{n}"), {"n": str(n)}, "0") for n in range(40)]:
            done.result()
        assert {student for student, _exercise in store.attempts.latest()} == {f"s{n}" for n in range(40)}


def test_an_output_folder_has_one_book(tmp_path):
    """Another one would show other points beside the same results: without what was decided in the first."""
    url, out = f"sqlite:///{tmp_path / 'department.sqlite'}", tmp_path / "out"
    with open_store(url, "small", out) as store, store.only_grader(out):
        store.attempts.keep(result(), {}, "0")
        write_result(out, result())
    assert has_book(out)
    with pytest.raises(StoreFault, match=r"department.*--book") as fault:
        open_store(out, "small")
    assert "\n" not in str(fault.value)
    with open_store(url, "small", out) as store:
        assert len(store.attempts.history("ada", "flows")) == 1
    # Nor is a folder's own book left for another.
    with open_store(tmp_path / "own", "small", tmp_path / "own"):
        pass
    with pytest.raises(StoreFault, match=r"book\.db"):
        open_store(url, "small", tmp_path / "own")
    assert not (tmp_path / "own" / "book.url").exists()
    # Another folder's may be taken.
    with open_store(tmp_path / "own", "small", tmp_path / "views") as store, store.only_grader(tmp_path / "views"):
        pass
    with pytest.raises(StoreFault, match="own"):
        open_store(tmp_path / "views", "small")


def test_no_password_is_noted(tmp_path):
    (tmp_path / "out").mkdir()
    with open_store(tmp_path / "own", "small") as store:
        store.name = without_password("postgresql://me:geheim@db.example/grades")
        store.mark(tmp_path / "out")
    assert "geheim" not in (tmp_path / "out" / "book.url").read_text()
