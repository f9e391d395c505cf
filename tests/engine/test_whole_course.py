"""The whole course graded at once: a class that hands in every exercise, its reports and what other programs get.

Nothing may be made for a few exercises only: what is written names each of them, in both languages.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.batch.pool import default_workers
from autograder.commands.main import cli
from autograder.course import find_exercise
from examples.make_submissions import COURSE
from examples.whole_course import STUDENTS, exercises, mistakes_of_xenia, write
from tests.engine.classes import grade_class

ROOT = Path(__file__).parents[2]
EXERCISES = exercises()
MISTAKES = mistakes_of_xenia()
# By form of an export: what it asks for. A file of feedback needs the numbers that a platform gives its participants.
FORMS = {"csv": (), "json": (), "moodle": ("--ids-are", "username"), "canvas": (), "nbgrader-csv": ()}


def run(*arguments):
    ran = CliRunner().invoke(cli, [*map(str, arguments), "--course", str(ROOT)], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.output


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole course")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def graded(handed_in, tmp_path_factory):
    """The output folder and the results, by student and exercise."""
    out = tmp_path_factory.mktemp("graded")
    batch = grade_class(COURSE, handed_in, out, secret=b"the secret of the whole course", workers=default_workers())
    assert not batch.faults
    return out, {(result.student, result.exercise): result for result in batch.results}


def test_every_student_hands_in_every_exercise(handed_in):
    found = sorted((path.parent.name, path.stem) for path in handed_in.glob("*/*"))
    assert found == sorted((student, exercise) for student in STUDENTS for exercise in EXERCISES)
    assert len({path.suffix for path in handed_in.glob("*/*")}) == 2


@pytest.mark.slow  # every training of the course, three times
@pytest.mark.parametrize("exercise", EXERCISES)
def test_everybody_gets_what_they_deserve(graded, exercise):
    results = graded[1]
    points = COURSE.exercise(exercise).points
    for student in ("vera", "wim"):
        result = results[student, exercise]
        assert result.points == points, [(c.id, c.message) for c in result.checks if c.outcome != "passed"]
    assert results["yara", exercise].points == 0
    known = MISTAKES[exercise]
    lost = {check.id: check for check in results["xenia", exercise].checks if check.outcome != "passed"}
    assert set(lost) == set(known.loses)
    assert lost[known.check].diagnosis == known.id


@pytest.mark.slow  # the same class
@pytest.mark.parametrize("language", ["en", "fr"])
def test_reports_and_exports_name_every_exercise(graded, handed_in, tmp_path, language):
    out, _results = graded
    run("report", out, "--class", tmp_path / "class", "--html", tmp_path / "pages", "--submissions", handed_in,
        "--teacher", "--lang", language)  # fmt: skip
    titles = [find_exercise(COURSE, exercise).id for exercise in EXERCISES]
    for page in (tmp_path / "class" / "class.html", *(tmp_path / "pages" / f"{student}.html" for student in STUDENTS)):
        text = page.read_text(encoding="utf-8")
        assert [title for title in titles if title not in text] == [], page
    for form, options in FORMS.items():
        file = tmp_path / f"{form}.out"
        run("export", form, out, "--to", file, *options)
        assert file.stat().st_size > 0
    with (tmp_path / "csv.out").open(encoding="utf-8-sig", newline="") as table:
        rows = list(csv.DictReader(table))
    assert {(row["student"], row["exercise"]) for row in rows} == {(s, e) for s in STUDENTS for e in EXERCISES}


@pytest.mark.slow  # seventeen notebooks for each of two programs
@pytest.mark.parametrize("program", [("nbgrader",), ("otter", "--no-zip")])
def test_other_programs_get_every_exercise(tmp_path, program):
    run("export", *program, tmp_path)
    names = {part for path in tmp_path.rglob("*") for part in (path.stem, path.parent.name)}
    assert [exercise for exercise in EXERCISES if exercise not in names] == []
