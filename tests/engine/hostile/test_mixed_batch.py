"""Honest and hostile submissions in one batch: the honest ones' results are those of a batch without the others."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from autograder.authoring.personal import personalise
from autograder.course import find_exercise, load_config
from autograder.results.model import Result
from tests.engine.classes import grade_class

HERE = Path(__file__).parent
WORST = (
    "hard exit in a call", "a reply from a thread, over and over", "keys made to collide", "builtins", "json",
    "planted modules", "a planted result", "exit from a thread",
)  # fmt: skip


def attacks() -> dict[str, str]:
    """The attackers of the other files that are whole submissions once appended to the solution."""
    verdict = runpy.run_path(str(HERE / "test_verdict.py"))["ATTACKS"]
    comparison = runpy.run_path(str(HERE / "test_comparison.py"))["ATTACKS"]
    return {name: text for name, (_loses, _flagged, text) in (comparison | verdict).items()}


def write_class(base: Path, solutions: dict[str, str]) -> Path:
    for student, source in solutions.items():
        (base / student).mkdir(parents=True)
        (base / student / "toy.py").write_text(source, encoding="utf-8", errors="surrogatepass")
    return base


def graded(course, base: Path, out: Path, workers: int) -> dict[str, Result]:
    batch = grade_class(course, base, out, workers=workers)
    assert batch.faults == []
    return {result.student: result for result in batch.results}


def without_times(result: Result) -> dict:
    data = result.to_json()
    data["duration_s"] = 0
    for check in data["checks"]:
        check["duration_s"] = 0
    return data


@pytest.mark.parametrize(
    ("honest", "hostile"), [(6, 8), pytest.param(50, 50, marks=pytest.mark.slow)], ids=["small", "50 and 50"]
)
def test_honest_results_do_not_change(honest, hostile, quick_toy, toy_solution, tmp_path):
    course = load_config(quick_toy / "grading_config.yaml")
    exercise = find_exercise(course, "toy")
    forger = runpy.run_path(str(HERE / "conftest.py"))["FORGER"]
    texts = attacks()
    names = [*WORST, *(name for name in texts if name not in WORST)][:hostile]
    # Right, half right and broken work, in the order of the alphabet between the hostile ones.
    kinds = (lambda s: s, lambda s: s + "\n\ndef mean(x):\n    return x.sum(1)\n", lambda s: s[: len(s) // 2])
    good = {
        f"student{i:02d}": kinds[i % 3](personalise(toy_solution, exercise, f"student{i:02d}")) for i in range(honest)
    }
    bad = {f"student{i:02d}x": f"{toy_solution}\n\n{forger}\n{texts[name]}" for i, name in enumerate(names)}
    workers = 1 if honest < 10 else 2
    alone = graded(course, write_class(tmp_path / "alone", good), tmp_path / "out1", workers)
    mixed = graded(course, write_class(tmp_path / "mixed", good | bad), tmp_path / "out2", workers)
    for student in good:
        assert without_times(mixed[student]) == without_times(alone[student]), student
    assert {result.points for result in alone.values()} > {10.0}, "some get all, some do not"
    assert set(mixed) == set(good) | set(bad)
    limits = course.exercise("toy").limits
    for student in bad:
        assert mixed[student].duration_s <= limits.total_seconds + 4 * limits.per_import.seconds + 30
    for student, name in zip(bad, names, strict=True):
        if name in WORST:
            assert mixed[student].points < 10, name
