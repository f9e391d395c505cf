"""nbgrader itself on an exported course: it validates, generates, autogrades and gives feedback; scores are ours."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.engine.bridges.conftest import ROOT, ours

pytestmark = pytest.mark.slow

SCORES = """\
import json, sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///" + sys.argv[1]) as gradebook:
    print(json.dumps({
        s.student.id: {
            "score": s.score, "max": s.max_score,
            "checks": {g.cell.name: g.auto_score for n in s.notebooks for g in n.grades},
        } for s in gradebook.assignment_submissions(sys.argv[2])
    }))
"""


def scores(programs, database, exercise):
    return json.loads(programs("python", "-c", SCORES, database, exercise, at=database.parent).splitlines()[-1])


@pytest.fixture(scope="module")
def graded(programs, toy, toy_class, tmp_path_factory):
    """The toy's course in nbgrader, autograded."""
    folder = tmp_path_factory.mktemp("nbgrader") / "course"
    told = programs.autograder("export", "nbgrader", folder, "--course", toy, "--submissions", toy_class, at=toy)
    assert "questions: shared" in told
    programs("nbgrader", "generate_assignment", "toy", at=folder)
    programs("nbgrader", "autograde", "toy", at=folder)
    return folder


@pytest.fixture(scope="module")
def results(programs, toy, toy_class, tmp_path_factory):
    return ours(programs, toy, toy_class, tmp_path_factory.mktemp("ours") / "out")


def same(found, results):
    assert set(found) == set(results)
    for student, result in results.items():
        assert found[student]["score"] == pytest.approx(result["points"], abs=1e-3), student
        for check in result["checks"]:
            got = found[student]["checks"][f"check-{check['id']}"]
            assert got == pytest.approx(check["points"], abs=1e-3), f"{student} {check['id']}"


def test_scores_are_ours(programs, graded, results):
    assert {results["ada"]["points"], results["bob"]["points"]} == {10}
    assert 0 < results["cleo"]["points"] < 10
    same(scores(programs, graded / "gradebook.db", "toy"), results)


def test_a_forger_gains_nothing_and_runs_nowhere(programs, graded, toy_class, results):
    found = scores(programs, graded / "gradebook.db", "toy")["eve"]
    assert found["checks"]["check-mean_value"] == 0
    assert found["score"] == results["eve"]["points"] < 10
    assert not (toy_class.parent / "ran").exists()


def test_a_release_holds_no_solution(graded):
    text = (graded / "release/toy/toy.ipynb").read_text(encoding="utf-8")
    assert "mean is not written yet" in text
    for hidden in ("x.shape[1]", "judged(", "BEGIN SOLUTION", "HIDDEN TESTS"):
        assert hidden not in text


def test_the_solution_validates(programs, graded):
    assert "Success!" in programs("nbgrader", "validate", "source/toy/toy.ipynb", at=graded)


def test_an_unwritten_notebook_does_not_validate(programs, graded):
    assert "VALIDATION FAILED ON 1 CELL" in programs("nbgrader", "validate", "release/toy/toy.ipynb", at=graded)


def test_feedback_is_generated(programs, graded):
    programs("nbgrader", "generate_feedback", "toy", at=graded)
    page = (graded / "feedback/cleo/toy/toy.html").read_text(encoding="utf-8")
    assert "The spread of each row is right." in page
    assert "Not passed." in page  # the course publishes nothing yet
    assert "reference.spread" not in page


def test_with_another_configuration_nobody_earns_anything(programs, graded, tmp_path):
    # A kernel runs the cells: they refuse, rather than ask a judge that the student's code could stand in for.
    folder = tmp_path / "course"
    shutil.copytree(graded, folder)
    shutil.rmtree(folder / "autograded")
    config = folder / "nbgrader_config.py"
    judge, execute = "autograder.bridges.nbgrader_judge.JudgeCells", "nbgrader.preprocessors.Execute"
    config.write_text(config.read_text().replace(f'"{judge}"', f'"{execute}"'))
    programs("nbgrader", "autograde", "toy", "--student", "ada", "--force", at=folder)
    assert scores(programs, folder / "gradebook.db", "toy")["ada"]["score"] == 0


def test_scores_are_written_without_nbgrader_having_graded(programs, toy, toy_class, tmp_path, results):
    again = ours(programs, toy, toy_class, tmp_path / "out")
    programs.autograder(
        "gradebook", "override", "out", "cleo", "toy", "7.5", "--why", "a fair try", "--course", toy, at=tmp_path
    )
    database = tmp_path / "gradebook.db"
    told = programs.autograder("export", "nbgrader-scores", "out", "--course", toy, at=tmp_path)
    assert f"wrote {len(again)} results" in told
    found = scores(programs, database, "toy")
    assert found.pop("cleo")["score"] == pytest.approx(7.5)
    same(found, {student: result for student, result in again.items() if student != "cleo"})
    programs.autograder("export", "nbgrader-scores", "out", "--course", toy, at=tmp_path)  # again changes nothing
    assert scores(programs, database, "toy")["cleo"]["score"] == pytest.approx(7.5)


def test_the_example_class_gets_the_same(programs, tmp_path):
    course, submissions = ROOT, ROOT / "examples" / "submissions"
    folder = tmp_path / "course"
    told = programs.autograder(
        "export", "nbgrader", folder, "--exercise", "markov_quiz", "--submissions", submissions, at=course
    )
    assert "left out: jonas markov_quiz" in told  # a PDF: no notebook can be made of it
    programs("nbgrader", "generate_assignment", "markov_quiz", at=folder)
    programs("nbgrader", "autograde", "markov_quiz", at=folder)
    results = ours(programs, course, submissions, tmp_path / "out", "--exercise", "markov_quiz", status=3)
    assert results.pop("jonas")["points"] == 0
    same(scores(programs, folder / "gradebook.db", "markov_quiz"), results)
    programs.autograder(
        "export", "nbgrader-scores", Path(tmp_path / "out"), "--gradebook", folder / "gradebook.db", at=course
    )
    assert scores(programs, folder / "gradebook.db", "markov_quiz")["jonas"]["score"] == 0
