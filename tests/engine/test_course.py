"""The course's own invariants, read from its files: nothing missing, nothing stale, nothing leaking."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from autograder.authoring.bundle import check_up_to_date
from autograder.authoring.coverage import markdown, read_coverage
from autograder.authoring.mistakes import read_mistakes
from autograder.course import find_exercise, load_config

ROOT = Path(__file__).parents[2]
COURSE = load_config(ROOT / "grading_config.yaml")
EXERCISES = [exercise.id for exercise in COURSE.exercises]


def literal(node: ast.expr, constants: dict[str, ast.expr]):
    """The value of a literal that may name or unpack the file's own constants."""
    if isinstance(node, ast.Name):
        return literal(constants[node.id], constants)
    if isinstance(node, ast.Tuple):
        items: list = []
        for item in node.elts:
            items += literal(item.value, constants) if isinstance(item, ast.Starred) else [literal(item, constants)]
        return tuple(items)
    return ast.literal_eval(node)


def checks_of(exercise) -> dict[str, dict]:
    """Declared checks by id: literal keywords of `@check`."""
    found = {}
    for path in exercise.hidden_checks:
        constants: dict[str, ast.expr] = {}
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                constants[node.targets[0].id] = node.value
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "check":
                    keywords = {k.arg: k.value for k in decorator.keywords}
                    found[node.name.removeprefix("test_")] = {
                        name: literal(value, constants)
                        for name, value in keywords.items()
                        if name in ("points", "requires", "kind")
                    } | {"doc": ast.get_docstring(node)}
    return found


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_is_complete(name):
    assert find_exercise(COURSE, name).missing() == ()


@pytest.mark.parametrize("name", EXERCISES)
def test_points_add_up(name):
    checks = checks_of(find_exercise(COURSE, name))
    assert sum(check["points"] for check in checks.values()) == COURSE.exercise(name).points
    quiz = sum(check["points"] for key, check in checks.items() if "quiz" in key)
    assert 1 <= quiz <= 3
    for key, check in checks.items():
        assert check["doc"], key
        assert (check.get("kind") == "quiz") == ("quiz" in key), key


@pytest.mark.parametrize("name", EXERCISES)
def test_no_check_depends_on_the_quiz(name):
    for key, check in checks_of(find_exercise(COURSE, name)).items():
        requires = check.get("requires", ())
        assert not any("quiz" in r for r in ([requires] if isinstance(requires, str) else requires)), key


@pytest.mark.parametrize("name", EXERCISES)
def test_mistakes_name_real_checks(name):
    exercise = find_exercise(COURSE, name)
    known = set(checks_of(exercise))
    bank = read_mistakes(exercise.mistakes, check_ids=known, solution=exercise.solution)
    assert len(bank) >= 12
    assert all(mistake.hint and mistake.title for mistake in bank)


@pytest.mark.parametrize("name", EXERCISES)
def test_every_requirement_has_a_check(name):
    assert read_coverage(find_exercise(COURSE, name)).missing() == []


def test_the_coverage_table_is_up_to_date():
    found = [read_coverage(find_exercise(COURSE, name)) for name in EXERCISES]
    assert (ROOT / "docs" / "contract-coverage.md").read_text(encoding="utf-8") == markdown(found), (
        "run: autograder verify --all --coverage docs/contract-coverage.md"
    )


@pytest.mark.parametrize("name", EXERCISES)
def test_correct_alternatives_are_kept(name):
    assert len(find_exercise(COURSE, name).alternatives) >= 4


def test_the_handout_can_be_made_and_the_solutions_carry_the_numbers_of_the_quiz():
    """What is made is not committed, so that it need not be here; a solution's numbers are."""
    assert not [line for line in check_up_to_date(COURSE) if not line.startswith("exercises/")]


@pytest.mark.parametrize("name", EXERCISES)
def test_calibrated_false_fail_rates_keep_to_their_share(name):
    path = find_exercise(COURSE, name).reference_json
    if not path.is_file():
        pytest.skip("no calibrated check")
    document = json.loads(path.read_text(encoding="utf-8"))
    for limits in document["limits"].values():
        assert sum(limit["false_fail"] for limit in limits.values()) <= 1e-3
        for limit in limits.values():
            assert limit["low"] is not None or limit["high"] is not None
