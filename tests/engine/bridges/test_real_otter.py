"""otter-grader itself on an exported exercise: `otter check` and `otter run`; scores are ours."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile

import pytest

from tests.engine.bridges.conftest import FORGERY, ROOT, code, ours

pytestmark = pytest.mark.slow


def run(programs, zip_file, submission, student, at):
    """What `otter run` says of a submission: points by check, and all it wrote."""
    at.mkdir(exist_ok=True)
    programs("otter", "run", "-a", zip_file, "-o", at, submission, at=at, AUTOGRADER_STUDENT=student)
    written = json.loads((at / "results.json").read_text(encoding="utf-8"))
    return {test["name"]: test["score"] for test in written["tests"] if "score" in test}, written


@pytest.fixture(scope="module")
def exported(programs, toy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("otter")
    programs.autograder("export", "otter", folder, "--course", toy, at=toy)
    return folder / "toy"


@pytest.fixture(scope="module")
def results(programs, toy, toy_class, tmp_path_factory):
    return ours(programs, toy, toy_class, tmp_path_factory.mktemp("ours") / "out")


def same(found, result):
    expected = {check["id"]: check["points"] for check in result["checks"]}
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("student", ["ada", "bob", "cleo", "dan", "eve"])
def test_scores_are_ours(programs, exported, toy_class, results, tmp_path, student):
    submission = next((toy_class / student).iterdir())
    found, _ = run(programs, exported / "autograder/toy-autograder.zip", submission, student, tmp_path / "run")
    same(found, results[student])


def test_a_hostile_zip_runs_nowhere(programs, exported, toy_class, results, tmp_path):
    ran = tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            return (open, (str(ran), "w"))

    work = tmp_path / "work"
    work.mkdir()
    shutil.copy(toy_class / "cleo" / "toy.ipynb", work)
    (work / "otter.py").write_text(FORGERY.format(ran=str(ran)))
    (work / ".OTTER_LOG").write_bytes(pickle.dumps(Bomb()))
    (work / "tests").mkdir()
    (work / "tests" / "mean_value.py").write_text(FORGERY.format(ran=str(ran)))
    archive = tmp_path / "cleo.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in work.rglob("*"):
            packed.write(path, path.relative_to(work))
    found, _ = run(programs, exported / "autograder/toy-autograder.zip", archive, "cleo", tmp_path / "run")
    same(found, results["cleo"])
    assert not ran.exists()


def test_students_see_no_hidden_outcome(programs, exported, toy_class, tmp_path):
    submission = toy_class / "cleo" / "toy.ipynb"
    _, written = run(programs, exported / "autograder/toy-autograder.zip", submission, "cleo", tmp_path / "run")
    assert written["tests"]
    assert {test["visibility"] for test in written["tests"]} == {"hidden"}


def test_students_see_what_the_course_shows(programs, toy, toy_class, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(toy, course)
    with (course / "grading_config.yaml").open("a") as config:
        config.write("visibility: visible\n")
    programs.autograder("export", "otter", tmp_path / "otter", "--course", course, at=tmp_path)
    zip_file = tmp_path / "otter/toy/autograder/toy-autograder.zip"
    _, written = run(programs, zip_file, toy_class / "cleo" / "toy.ipynb", "cleo", tmp_path / "run")
    shown = {test["name"]: test for test in written["tests"]}
    assert "hidden" not in {test["visibility"] for test in shown.values()}
    assert "spread(x)" in shown["spread_value"]["output"]


def test_without_the_plugin_nobody_earns_anything(programs, exported, toy_class, tmp_path):
    bare = tmp_path / "bare.zip"
    with zipfile.ZipFile(exported / "autograder/toy-autograder.zip") as old, zipfile.ZipFile(bare, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, b'{"lang": "python"}' if name == "otter_config.json" else content)
    found, _ = run(programs, bare, toy_class / "ada" / "toy.ipynb", "ada", tmp_path / "run")
    assert found
    assert not any(found.values())


def test_otter_check_runs_the_public_checks(programs, exported, toy_class, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(exported / "student", work)
    assert "All tests passed" not in programs("otter", "check", "toy.ipynb", at=work)
    shutil.copy(toy_class / "ada" / "toy.ipynb", work)
    assert "All tests passed" in programs("otter", "check", "toy.ipynb", at=work)


def test_the_cells_of_the_notebook_work_in_jupyter(programs, exported, toy_class, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(exported / "student", work)
    student = json.loads((work / "toy.ipynb").read_text(encoding="utf-8"))
    own = json.loads((toy_class / "ada" / "toy.ipynb").read_text(encoding="utf-8"))
    student["cells"] = own["cells"] + [c for c in student["cells"] if c["metadata"].get("tags") == ["otter_ignore"]]
    student["cells"].append(code("end", "1 + 1"))
    (work / "toy.ipynb").write_text(json.dumps(student), encoding="utf-8")
    programs("jupyter", "nbconvert", "--to", "notebook", "--execute", "toy.ipynb", "--output", "done", at=work)
    assert "mean_of_ones results: All test cases passed" in (work / "done.ipynb").read_text(encoding="utf-8")


def test_the_example_class_gets_the_same(programs, tmp_path):
    submissions = ROOT / "examples" / "submissions"
    programs.autograder("export", "otter", tmp_path / "otter", "--exercise", "markov_quiz", at=ROOT)
    zip_file = tmp_path / "otter/markov_quiz/autograder/markov_quiz-autograder.zip"
    results = ours(programs, ROOT, submissions, tmp_path / "out", "--exercise", "markov_quiz", status=3)
    for student, result in results.items():
        file = submissions / student / result["submission"]["file"]
        found, _ = run(programs, zip_file, file, student, tmp_path / student)
        if result["outcome"] == "graded":
            same(found, result)
        else:
            assert sum(found.values()) == result["points"] == 0
