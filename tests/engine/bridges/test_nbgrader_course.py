"""The course for nbgrader as files: what its notebooks hold and what they must not."""

from __future__ import annotations

import ast
import json

import pytest
from click.testing import CliRunner

from autograder import Course
from autograder.bridges.asking import SETTINGS, course_of
from autograder.bridges.nbgrader_course import write_course, write_submitted
from autograder.commands.export_nbgrader import command
from autograder.course import load_config
from autograder.submissions import Wanted, read_class, read_submission


@pytest.fixture(scope="module")
def course(toy):
    return load_config(toy / "grading_config.yaml")


@pytest.fixture(scope="module")
def exported(course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nbgrader")
    write_course(Course(course), folder, ["toy"])
    return folder


@pytest.fixture(scope="module")
def cells(exported):
    found = json.loads((exported / "source/toy/toy.ipynb").read_text(encoding="utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in found]


def graded(cells):
    rights = [cell["metadata"].get("nbgrader", {}) for cell in cells]
    return {r["grade_id"]: r for r in rights if r.get("grade")}


def test_every_hidden_check_has_a_cell_with_its_points(cells, course):
    found = graded(cells)
    assert found.pop("public-checks")["points"] == 0
    assert set(found) >= {"check-mean_value", "check-line", "check-quiz_mean"}
    assert all(r["locked"] and not r["solution"] for r in found.values())
    assert sum(r["points"] for r in found.values()) == pytest.approx(course.exercise("toy").points)


def test_no_cell_holds_a_hidden_check(cells, toy):
    text = "\n".join(cell["source"] for cell in cells)
    tree = ast.parse((toy / "tests/hidden/toy/test_toy.py").read_text(encoding="utf-8"))
    bodies = [ast.unparse(node) for function in tree.body if isinstance(function, ast.FunctionDef)
              for node in function.body[1:]]  # fmt: skip
    assert len(bodies) > 8
    assert not [body for body in bodies if body in text]


def test_only_the_hidden_part_calls_the_judge(cells):
    for cell in cells:
        if "judged(" in cell["source"]:
            before, _, rest = cell["source"].partition("### BEGIN HIDDEN TESTS")
            assert "judged" in rest.partition("### END HIDDEN TESTS")[0]
            assert not [line for line in before.splitlines() if not line.startswith("#")]


def test_the_configuration_runs_no_kernel(exported):
    config = (exported / "nbgrader_config.py").read_text(encoding="utf-8")
    ast.parse(config)
    assert "autograder.bridges.nbgrader_judge.JudgeCells" in config
    assert '"nbgrader.preprocessors.Execute"' not in config


def test_students_get_the_public_checks_alone(exported):
    files = {path.relative_to(exported / "source/toy").as_posix()
             for path in (exported / "source/toy").rglob("*") if path.is_file()}  # fmt: skip
    assert files == {"toy.ipynb", "course.yaml", "toy/quiz.py", "toy/test_public.py"}


def test_the_reader_leaves_out_cells_of_checks(exported):
    submission = read_submission(exported / "source/toy/toy.ipynb", student="x", exercise="toy")
    text = "\n".join(cell.source for cell in submission.cells)
    assert "def spread" in text
    assert "autograder.bridges" not in text


def test_the_course_is_found_from_inside(exported, course, tmp_path):
    assert course_of(exported / "source" / "toy").config == course
    (tmp_path / SETTINGS).write_text(json.dumps({"course": str(tmp_path)}))
    with pytest.raises(Exception, match="there is no course in"):
        course_of(tmp_path)


def test_submissions_become_notebooks(toy_class, course, tmp_path):
    scan = read_class(toy_class, Wanted(["toy"]))
    assert write_submitted(scan, tmp_path, ["toy"]) == []
    for entry in scan.entries:
        made = tmp_path / "submitted" / entry.student / "toy" / "toy.ipynb"
        own = read_submission(entry.path, student=entry.student, exercise="toy")
        again = read_submission(made, student=entry.student, exercise="toy")
        assert [c.source.strip() for c in again.cells] == [c.source.strip() for c in own.cells]


def test_an_export_does_not_overwrite(exported, toy):
    result = CliRunner().invoke(command, [str(exported), "--course", str(toy)])
    assert result.exit_code != 0
    assert "--force" in str(result.exception or result.output)
