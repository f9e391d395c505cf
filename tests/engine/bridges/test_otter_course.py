"""The exercise for otter-grader as files: what they hold and what they must not."""

from __future__ import annotations

import ast
import json

import pytest

from autograder import Course
from autograder.bridges.otter_course import PLUGIN, write_exercises


@pytest.fixture(scope="module")
def exported(toy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("otter")
    list(write_exercises(Course.open(toy), folder, ["toy"], packed=False))
    return folder / "toy"


def test_test_files_hold_names_and_points_alone(exported):
    files = sorted((exported / "autograder/tests").glob("*.py"))
    assert "mean_value" in [file.stem for file in files]
    total = 0.0
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        (body,) = function.body
        assert isinstance(body, ast.Raise)  # whoever runs it without the plugin earns nothing
        (decorator,) = function.decorator_list
        total += next(ast.literal_eval(k.value) for k in decorator.keywords if k.arg == "points")
    assert total == pytest.approx(10)


def test_the_configuration_names_the_plugin(exported):
    config = json.loads((exported / "autograder/otter_config.json").read_text(encoding="utf-8"))
    assert config["plugins"] == [{PLUGIN: {"exercise": "toy"}}]
    assert config["force_public_test_summary"] is False  # it says of hidden tests that they passed


def test_students_get_no_hidden_check_and_no_solution(exported, toy):
    text = "\n".join(p.read_text(encoding="utf-8") for p in (exported / "student").rglob("*") if p.is_file())
    assert "mean_of_ones" in text
    for hidden in ("mean_value", "x.sum(1) / x.shape[1]", "SOLUTION", "quiz.grade"):
        assert hidden not in text


def test_cells_of_checks_are_marked(exported):
    cells = json.loads((exported / "student/toy.ipynb").read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        if "otter" in "".join(cell["source"]):
            assert cell["metadata"]["tags"] == ["otter_ignore"]


def test_a_second_export_replaces_the_first(exported, toy):
    stale = exported / "autograder/tests/gone.py"
    stale.write_text("")
    list(write_exercises(Course.open(toy), exported.parent, ["toy"], packed=False))
    assert not stale.exists()
