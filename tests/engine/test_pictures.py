"""Every picture of the repository shows the data that stand beside it: its hash is that of what it is drawn from."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from autograder.authoring.losses import read_bank
from autograder.batch.declarations import declared_checks
from autograder.batch.populations import kinds
from autograder.batch.verification import expected
from autograder.course import find_exercise, load_config
from autograder.course.calibration import read_calibration
from autograder.reports.calibration_plot import calibration_data
from autograder.reports.matrix import matrix_data
from autograder.reports.stamp import read_stamp, stamp
from benchmarks.presenting import size_data, tools_data

ROOT = Path(__file__).parents[2]
COURSE = load_config(ROOT / "grading_config.yaml")


def matrix(path: Path) -> tuple[object, str]:
    """What `verify` draws where nothing is as it should not be."""
    exercise = find_exercise(COURSE, path.stem)
    checks = [check.info.id for check in declared_checks(exercise)]
    rows = expected(kinds(exercise), checks, {m.id: m for m in read_bank(exercise)})
    return matrix_data(exercise.id, checks, rows), f"autograder verify {exercise.id} --picture docs/pictures"


def example_class(path: Path) -> tuple[object, str]:
    """Pages of the example class: who handed in what, and what each gets."""
    shown = yaml.safe_load((ROOT / "examples" / "expected.yaml").read_text(encoding="utf-8"))
    return shown, "make demo, python docs/screenshots.py out/demo"


def calibration(path: Path) -> tuple[object, str]:
    return calibration_data(read_calibration(path.with_suffix(".json"))), f"autograder calibrate {path.stem}"


def benchmark(path: Path) -> tuple[object, str]:
    results = json.loads((path.parent / "results.json").read_text(encoding="utf-8"))
    return {"tools": tools_data, "size": size_data}[path.stem](results), "make bench"


def comparison(path: Path) -> tuple[object, str]:
    """The models side by side: the numbers of the page."""
    numbers = json.loads((ROOT / "docs" / "explanation" / "comparison.json").read_text(encoding="utf-8"))
    return numbers, "python docs/comparison.py"


SOURCES: dict[str, Callable[[Path], tuple[object, str]]] = {
    "docs/pictures/class-report.png": example_class,
    "docs/pictures/student-page.png": example_class,
    "docs/pictures/comparison.png": comparison,
    "docs/pictures": matrix,
    "reference": calibration,
    "benchmarks": benchmark,
}
PICTURES = [
    Path(line)
    for line in subprocess.run(
        ["git", "ls-files", "--", "*.png"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
] or [path.relative_to(ROOT) for folder in SOURCES for path in sorted((ROOT / folder).glob("*.png"))]


@pytest.mark.parametrize("path", PICTURES, ids=str)
def test_a_picture_shows_what_stands_beside_it(path):
    source = SOURCES.get(path.as_posix()) or SOURCES.get(path.parent.as_posix())
    assert source is not None, f"{path}: say what it is drawn from"
    shown, command = source(ROOT / path)
    assert read_stamp(ROOT / path) == stamp(shown)["Data"], f"{path} shows other data; draw it again: {command}"
