"""The example class gets what each of its submissions deserves: `examples/expected.yaml` says what that is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from autograder.batch.pool import default_workers
from autograder.course import load_config
from tests.engine.classes import grade_class
from tests.engine.valid_results import validate

ROOT = Path(__file__).parents[2]
EXPECTED = yaml.safe_load((ROOT / "examples" / "expected.yaml").read_text(encoding="utf-8"))
CASES = [(student, exercise) for student, exercises in EXPECTED.items() for exercise in exercises]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    course = load_config(ROOT / "grading_config.yaml")
    folder, out = ROOT / "examples" / "submissions", tmp_path_factory.mktemp("examples")
    batch = grade_class(course, folder, out, secret=b"the secret of the example class", workers=default_workers())
    return {(r.student, r.exercise): r for r in batch.results}


def test_everybody_is_there(results):
    assert set(CASES) == set(results)


def test_the_pages_that_make_demo_names_are_worth_opening():
    """A student who did well, and one with a typical mistake."""
    recipe = re.search(r"(?m)^demo:.*\n(?:\t.*\n)+", (ROOT / "Makefile").read_text(encoding="utf-8"))
    well, typical = re.findall(r"students/(\w+)\.html", recipe[0])
    assert all(given["points"] == [20, 20] for given in EXPECTED[well].values())
    assert any(given.get("diagnosis") for given in EXPECTED[typical].values())
    assert "open:    out/demo/pages/class.html" in recipe[0]


@pytest.mark.parametrize(("student", "exercise"), CASES)
def test_each_gets_what_it_deserves(results, student, exercise):
    expected, result = EXPECTED[student][exercise], results[student, exercise]
    validate(result.to_json())
    assert result.outcome == expected["outcome"]
    assert result.submission.file == expected["file"]
    assert [p.kind for p in result.loading] == expected.get("loading", [])
    lost = {check.id: check for check in result.checks if check.outcome != "passed"}
    if expected.get("loses") == "all":
        assert len(lost) == len(result.checks)
    else:
        must, may = set(expected.get("loses", ())), set(expected.get("may_lose", ()))
        assert must <= set(lost) <= must | may, {name: lost[name].message for name in set(lost) ^ must}
    least, most = expected["points"]
    assert least <= result.points <= most
    for check, mistake in expected.get("diagnosis", {}).items():
        assert lost[check].diagnosis == mistake
    if "note" in expected:
        assert any(expected["note"] in note for note in result.notes)
