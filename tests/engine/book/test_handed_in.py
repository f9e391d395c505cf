"""Who handed in what and when is kept, and what is known later takes the place of what was known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autograder.book.handed_in import Handed
from autograder.book.place import open_store
from autograder.book.store import Store

WHEN = datetime(2027, 2, 8, 12, tzinfo=UTC)


@pytest.fixture
def handed_in(tmp_path):
    with open_store(tmp_path, "toy") as store:
        yield store.handed_in


def file(sha256="a", **more):
    return Handed(more.pop("student", "ada"), more.pop("exercise", "flows"), sha256, "flows.py", **more)


def test_it_comes_back_as_it_was(handed_in):
    kept = [file("a", submitted=WHEN), file("b", late=True, name="Ada 🌊", email="a@b", lms_id="7", notes="x. y.")]
    handed_in.note(kept, ["eve", "ada"])
    assert handed_in.files() == kept
    assert handed_in.students() == ["ada", "eve"]
    handed_in.note([], ["bob"])
    assert handed_in.students() == ["ada", "bob", "eve"]


def test_names_of_a_roster_are_those_of_whoever_handed_in_nothing(handed_in):
    handed_in.note([file(name="Ada")], ["eve", "bob"], {"eve": "Eve Adams", "ada": "Ada Lovelace", "bob": ""})
    assert handed_in.names() == {"ada": "Ada", "eve": "Eve Adams"}
    handed_in.note([], ["eve"])
    assert handed_in.names()["eve"] == "Eve Adams", "a reading without a roster takes no name away"


def test_the_last_reading_counts(handed_in):
    handed_in.note([file("a", submitted=WHEN), file("b")])
    handed_in.note([file("b"), file("a", submitted=WHEN + timedelta(days=1))])
    assert [(one.sha256, one.submitted) for one in handed_in.files()] == [("b", None), ("a", WHEN + timedelta(days=1))]


@pytest.mark.parametrize(
    ("times", "kept"),
    [
        ((WHEN, WHEN + timedelta(days=9)), WHEN),
        ((WHEN + timedelta(days=9), WHEN), WHEN),
        ((None, WHEN), WHEN),
        ((WHEN, None), WHEN),
        ((None, None), None),
    ],
)
def test_who_hands_in_the_same_again_is_not_late_by_it(handed_in, times, kept):
    handed_in.note([file(submitted=when, late=when is None) for when in times])
    (found,) = handed_in.files()
    assert found.submitted == kept
    assert found.late == (kept is None)


def test_courses_in_one_book_do_not_meet(tmp_path):
    url = f"sqlite:///{tmp_path / 'book.db'}"
    with Store(url, "one") as one, Store(url, "two") as two:
        one.handed_in.note([file()], ["eve"])
        assert (two.handed_in.files(), two.handed_in.students()) == ([], [])
        two.handed_in.note([file("b")])
        assert [found.sha256 for found in one.handed_in.files()] == ["a"]
