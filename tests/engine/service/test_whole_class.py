"""A run over a part of the class writes what it grades, and tables of everybody."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder import Course
from autograder.commands.outcome import tell
from autograder.course import load_config
from autograder.results.files import read_result, result_path
from tests.engine.classes import answering, grade_class

ROOT = Path(__file__).parents[3]
EXERCISES = ("ae_vs_pca", "markov_quiz")


@pytest.fixture(scope="module")
def course():
    found = load_config(ROOT / "grading_config.yaml")
    assert {exercise.id for exercise in found.exercises} >= set(EXERCISES)
    # Whenever this runs, it was due: what was not handed in is missing.
    return replace(found, exercises=tuple(replace(e, due=datetime(2020, 1, 1, tzinfo=UTC)) for e in found.exercises))


@pytest.fixture
def folder(tmp_path):
    """Three students; the last one has handed in one of two exercises."""
    base = tmp_path / "class"
    for student, exercises in (("ada", EXERCISES), ("bob", EXERCISES), ("eve", EXERCISES[:1])):
        (base / student).mkdir(parents=True)
        for exercise in exercises:
            (base / student / f"{exercise}.py").write_text(f"x = '{student}'\n")
    return base


def run(course, folder, out, place=None, **choice):
    """What `autograder grade` does once it has read its arguments; the students and exercises that were graded."""
    graded = []

    def note(result, total):
        graded.append((result.student, result.exercise))

    batch = grade_class(course, folder, out, answering, tell=note, place=place, **choice)
    with Course(course).book(place or out, out) as book:
        tell(batch, book, out)
    return sorted(graded)


def table(out):
    with (out / "grades.csv").open() as stream:
        return {(row["student"], row["exercise"]): row["outcome"] for row in csv.DictReader(stream)}


WHOLE = {
    ("ada", "ae_vs_pca"): "graded", ("ada", "markov_quiz"): "graded", ("bob", "ae_vs_pca"): "graded",
    ("bob", "markov_quiz"): "graded", ("eve", "ae_vs_pca"): "graded", ("eve", "markov_quiz"): "missing",
}  # fmt: skip


@pytest.mark.parametrize(
    "selection",
    [{"students": ["bob"]}, {"exercises": ["ae_vs_pca"]}, {"only": ["ae_*"]}, {"failed": True},
     {"students": ["eve"], "exercises": ["markov_quiz"]}],
)  # fmt: skip
def test_a_partial_run_keeps_the_table_of_the_class(course, folder, tmp_path, selection):
    out = tmp_path / "out"
    run(course, folder, out)
    assert table(out) == WHOLE
    (folder / "bob" / "ae_vs_pca.py").write_text("x = 'changed'\n")
    run(course, folder, out, **selection)
    assert table(out) == WHOLE


def test_the_printed_table_is_of_what_was_asked_for(course, folder, tmp_path, capsys):
    out = tmp_path / "out"
    run(course, folder, out)
    capsys.readouterr()
    run(course, folder, out, students=["bob"])
    printed = capsys.readouterr().out
    assert "bob" in printed
    assert "ada" not in printed
    assert "There are 6 results of the whole class" in printed


def test_what_was_never_graded_is_in_no_table(course, folder, tmp_path):
    out = tmp_path / "out"
    assert run(course, folder, out, exercises=["ae_vs_pca"]) == [(s, "ae_vs_pca") for s in ("ada", "bob", "eve")]
    assert table(out) == {name: outcome for name, outcome in WHOLE.items() if name[1] == "ae_vs_pca"}
    run(course, folder, out, exercises=["markov_quiz"])
    assert table(out) == WHOLE


def test_who_handed_in_nothing_is_missing_though_alone_asked_for(course, folder, tmp_path):
    run(course, folder, tmp_path / "out", students=["ada"])
    run(course, folder, tmp_path / "out", students=["eve"])
    # Bob's files are there, and wait to be graded.
    assert table(tmp_path / "out") == {name: outcome for name, outcome in WHOLE.items() if name[0] != "bob"}


def test_the_files_of_the_others_are_brought_up_to_date_too(course, folder, tmp_path):
    """The database knows the class; this folder of results lost one, or is new."""
    out = tmp_path / "out"
    database = f"sqlite:///{tmp_path / 'book.db'}"
    run(course, folder, out, database)
    result_path(out, "ada", "markov_quiz").unlink()
    assert run(course, folder, out, database, students=["bob"]) == []
    assert table(out) == WHOLE
    other = tmp_path / "other"
    assert run(course, folder, other, database, students=["eve"]) == []
    assert table(other) == WHOLE
    assert read_result(result_path(other, "ada", "ae_vs_pca")).points == 10.0


def test_whoever_left_keeps_the_grades(course, folder, tmp_path):
    """As in the reports: what is in OUT counts, whether the folder still holds the file or not."""
    out = tmp_path / "out"
    run(course, folder, out)
    (folder / "ada" / "ae_vs_pca.py").unlink()
    (folder / "ada" / "markov_quiz.py").unlink()
    (folder / "ada").rmdir()
    run(course, folder, out)
    assert table(out) == WHOLE
