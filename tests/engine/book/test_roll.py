"""People change: what a book holds of them follows, is hidden, or is gone for good; SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from autograder.book.engine import StoreFault
from autograder.book.handed_in import Handed
from autograder.book.roll import RollChange
from autograder.book.store import Store
from tests.engine.book.conftest import NOW, decision, result


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'book.db'}"
    return request.getfixturevalue("url")


@pytest.fixture
def store(place):
    with Store(place, "small") as store:
        for student in ("ada", "bob"):
            store.attempts.keep(result(student, sha256=student), {"student": student}, student)
            store.handed_in.note([Handed(student, "flows", student, name=student.title(), email=f"{student}@x")])
            store.decisions.add(decision("comment", student=student, text=f"to {student}"))
        yield store


def change(store, kind, student, into="", why="because"):
    store.roll.keep(RollChange(kind, student, into, "Dr T", why, NOW))


def locked(store):
    for verb in ("UPDATE decisions SET why = ''", "DELETE FROM decisions"):
        with pytest.raises(DatabaseError, match="only added to"), store._engine.begin() as connection:
            connection.execute(text(verb))


def test_a_new_name_takes_everything_along(store):
    change(store, "rename", "ada", "augusta")
    assert sorted(store.attempts.latest()) == [("augusta", "flows"), ("bob", "flows")]
    (attempt,) = store.attempts.history("augusta", "flows")
    assert (attempt.result.student, attempt.result.points) == ("augusta", 6.0)
    assert [d.text for d in store.decisions.history("augusta")] == ["to ada"]
    assert store.handed_in.students() == ["augusta", "bob"]
    assert [(one.student, one.name) for one in store.handed_in.files()] == [("augusta", "Ada"), ("bob", "Bob")]
    assert store.roll.history() == [RollChange("rename", "ada", "augusta", "Dr T", "because", NOW)]
    locked(store)


def test_a_name_of_the_roster_goes_along(store):
    store.handed_in.note([], ["eve"], {"eve": "Eve Adams"})
    change(store, "rename", "eve", "e-17")
    assert store.handed_in.names()["e-17"] == "Eve Adams"


def test_two_become_one(store):
    change(store, "merge", "ada", "bob")
    assert [a.sha256 for a in store.attempts.history("bob", "flows")] == ["ada", "bob"]
    assert store.attempts.several() == {("bob", "flows")}
    assert store.handed_in.students() == ["bob"]
    locked(store)


def test_who_is_removed_is_hidden_until_restored(store):
    change(store, "remove", "ada")
    assert store.roll.hidden() == {"ada"}
    change(store, "rename", "ada", "augusta")
    assert store.roll.hidden() == {"augusta"}
    change(store, "restore", "augusta")
    assert store.roll.hidden() == set()
    assert len(store.attempts.history("augusta", "flows")) == 1


def test_who_is_erased_leaves_a_line_without_a_name(store, place, tmp_path):
    change(store, "remove", "ada")
    change(store, "rename", "ada", "augusta")
    change(store, "rename", "bob", "robert")
    change(store, "erase", "augusta", why="asked for it")
    assert list(store.attempts.latest()) == [("robert", "flows")]
    assert store.handed_in.students() == ["robert"]
    assert [d.student for d in store.decisions.history()] == ["robert"]
    assert store.roll.history() == [
        RollChange("rename", "bob", "robert", "Dr T", "because", NOW),
        RollChange("erase", "", "", "Dr T", "asked for it", NOW),
    ]
    with store._engine.connect() as connection:
        for name in ("attempts", "handed_in", "students", "decisions", "roll"):
            rows = str(connection.execute(text(f"SELECT * FROM {name}")).all())
            assert "ada" not in rows.lower(), name
            assert "augusta" not in rows, name
    locked(store)
    store.close()
    for file in tmp_path.glob("book.db*"):
        assert b"ada@x" not in file.read_bytes(), file


def test_another_course_keeps_its_people(store, place):
    with Store(place, "other") as other:
        other.attempts.keep(result("ada"), {}, "x")
        change(store, "erase", "ada")
        assert list(other.attempts.latest()) == [("ada", "flows")]
        assert other.roll.history() == []


def test_a_change_says_who_and_why(store):
    with pytest.raises(StoreFault, match="why"):
        store.roll.keep(RollChange("remove", "ada", who="Dr T", why=" ", when=datetime.now(UTC)))
    assert store.roll.hidden() == set()
