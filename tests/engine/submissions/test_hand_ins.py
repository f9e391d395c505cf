"""Every form of a hand-in that is tried: nobody's work is missing or another's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.course.roster import read_roster
from autograder.submissions import Wanted, read_class
from tests.engine.submissions.cases import CASES, CODE, EVERYBODY, EXERCISES, ROSTER, WHEN, Case, handed
from tests.engine.submissions.platforms import github_classroom
from tests.engine.submissions.platforms.model import folder, zipped


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.layout}: {case.identity}: {case.damage}"[:90])
def test_what_becomes_of_it(case: Case, tmp_path: Path):
    found = case.status(tmp_path)
    if case.refused:
        assert case.refused in found["refused"]
    else:
        assert found == case.becomes


def test_the_forms_are_many():
    assert len({(case.layout, case.identity, case.damage) for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "it"])
def test_worksheets_have_the_time_in_every_language(language: str, tmp_path: Path):
    (case,) = [case for case in CASES if case.identity == f"worksheet in {language}"]
    with case.read(tmp_path) as scan:
        assert {entry.submitted for entry in scan.entries} == {WHEN}
        assert not any(entry.unread_time for entry in scan.entries)


def test_each_of_several_worksheets_tells_the_times_of_its_own_download(tmp_path: Path):
    (case,) = [case for case in CASES if "each with its worksheet" in case.damage]
    with case.read(tmp_path) as scan:
        assert {(entry.exercise, entry.submitted) for entry in scan.entries} == {(e, WHEN) for e in EXERCISES}
        owners = {(entry.student, scan.origin(entry.path).parent.name.partition(" ")[0]) for entry in scan.entries}
        assert owners == {("ada", "Ada"), ("bob", "Bob"), ("zoe", "Zoé")}


def test_a_file_without_an_owner_is_asked_for_though_everybody_has_one(tmp_path: Path):
    files = {f"{student.id}/markov_quiz.py": CODE for student in EVERYBODY} | {"sub/homework.py": CODE}
    (tmp_path / "roster.csv").write_text(ROSTER)
    with read_class(folder(tmp_path, files), Wanted(("markov_quiz",))) as scan:
        assert [question.path for question in scan.questions] == ["sub/homework.py"]


def test_several_rosters_of_which_none_is_taken_are_named(tmp_path: Path):
    files = {"u1/markov_quiz.py": CODE, "a.csv": b"id\nu1\n", "b.csv": b"id\nu1\nu2\n"}
    with read_class(folder(tmp_path, files), Wanted(EXERCISES)) as scan:
        assert scan.students == ("u1",)
        assert scan.detected[0].startswith("a.csv, b.csv may each be the roster")


def test_worksheets_that_do_not_tell_namesakes_apart_are_not_put_together(tmp_path: Path):
    sheet = "Identifier,Full name,Status,Grade\nParticipant {},Anne Martin,,\nParticipant {},Anne Martin,,\n"
    zips = {f"GM-{name}.zip": zipped({"Anne Martin_1_assignsubmission_file/a.py": CODE}) for name in ("a-7", "b-8")}
    sheets = {"Grades-a-7.csv": sheet.format(1, 2).encode(), "Grades-b-8.csv": sheet.format(2, 1).encode()}
    with read_class(folder(tmp_path, {**zips, **sheets}), Wanted(EXERCISES)) as scan:
        assert "none is taken" in scan.detected[0]


def test_clones_that_git_made_have_the_time_of_their_last_commit(tmp_path: Path):
    pytest.importorskip("dulwich")
    if shutil.which("git") is None:
        pytest.skip("no git")
    place = github_classroom.clones(tmp_path, [handed(student) for student in EVERYBODY], slug="markov-quiz")
    (tmp_path / "roster.csv").write_text(ROSTER)
    with read_class(place, Wanted(EXERCISES, roster=read_roster(tmp_path / "roster.csv"))) as scan:
        assert {entry.student: entry.submitted for entry in scan.entries} == {s.id: WHEN for s in EVERYBODY}
