"""What teachers decide is kept as it was, and cannot be changed afterwards."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from autograder.book.decisions import Decision
from autograder.book.engine import StoreFault
from autograder.book.place import open_store
from tests.engine.book.conftest import NOW, decision


def test_decisions_come_back_as_they_were(tmp_path):
    book = open_store(tmp_path)
    kept = [
        decision("override", points=7.5, was=6.0),
        decision("override", check="c1", points=0.1 + 0.2, was=0.0),
        decision("extend", due=datetime(2027, 2, 9, 12, tzinfo=UTC)),
        decision("comment", text="<b>é\n日本", private=True),
        decision("override", withdrawn=True, was=6.0),
        decision("comment", student="bob", text="x"),
    ]
    for one in kept:
        book.decisions.add(one)
    assert book.decisions.history() == kept
    assert book.decisions.history(student="bob") == kept[-1:]
    book.close()
    with open_store(tmp_path) as again:
        assert again.decisions.history() == kept


def test_nothing_can_be_changed_or_removed(tmp_path):
    book = open_store(tmp_path)
    book.decisions.add(decision("override", points=7.5, was=6.0))
    book.close()
    engine = create_engine(f"sqlite:///{tmp_path / 'book.db'}")
    for statement in ("UPDATE decisions SET points = 20", "DELETE FROM decisions"):
        with pytest.raises(DatabaseError, match="only added to"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
    with open_store(tmp_path) as again:
        assert [c.points for c in again.decisions.history()] == [7.5]


@pytest.mark.parametrize("empty", ["who", "why"])
def test_a_decision_says_who_and_why(tmp_path, empty):
    book = open_store(tmp_path)
    values = {"when": NOW, "who": "t", "why": "y", "kind": "comment", "student": "ada", "exercise": "flows"}
    with pytest.raises(StoreFault, match=empty):
        book.decisions.add(Decision(**(values | {empty: "  "})))
    assert book.decisions.history() == []
    book.close()
