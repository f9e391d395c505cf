"""What verify makes of results: faults of a mistake, losses that differ, what --accept writes; on canned results."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.authoring.losses import read_losses
from autograder.batch import verification
from autograder.batch.pool import Done
from autograder.batch.verification import WRONG, Verification, VerificationSeeds, accept, verify
from autograder.course import find_exercise, load_config
from autograder.results.model import CheckResult, Result

TOY = Path(__file__).parents[1] / "toy"
KINDS = {
    "mean_value": "exact", "mean_refuses": "exact", "spread_value": "exact", "line": "exact",
    "sample_law": "statistical", "sample_spread": "statistical", "quiz_mean": "quiz",
}  # fmt: skip
STUB = dict.fromkeys(KINDS, "failed")
# What the toy's bank loses; what a test says of a mistake comes on top, for all seeds or for one.
LOST = {
    "mean_over_batch": {"mean_value": "failed", "spread_value": "blocked"},
    "dimension_not_checked": {"mean_refuses": "failed"},
    "unbiased_spread": {"spread_value": "failed"},
    "uniform_sample": {"sample_law": "failed", "sample_spread": "failed"},
}


@pytest.fixture
def course(tmp_path):
    shutil.copytree(TOY, tmp_path / "toy", ignore=shutil.ignore_patterns("__pycache__"))
    return load_config(tmp_path / "toy" / "grading_config.yaml")


@pytest.fixture
def seen(course, monkeypatch):
    """`seen({"mistake": {"check": "failed"}}, {"mistake": {1: {...}}})` verifies results of which these are known."""

    def run(changed: dict = {}, at: dict = {}, only=(), named=True) -> Verification:  # noqa: B006
        def outcomes(kind, name, seed):
            lost = STUB if kind == "stub" else LOST.get(name, {})
            return dict.fromkeys(KINDS, "passed") | lost | changed.get(name, {}) | at.get(name, {}).get(seed, {})

        def check(name, check, outcome):
            found = name if named and outcome == "failed" else None
            return CheckResult(
                check, check, 0.0, 0.0, outcome, f"{check} said so", diagnosis=found, kind=KINDS[check]
            )  # fmt: skip

        def run_tasks(order, tasks, workers, on_done):
            for task in tasks:
                kind, name, seed = task.key
                wanted = task.job.checks or KINDS
                checks = [check(name, c, o) for c, o in outcomes(kind, name, seed).items() if c in wanted]
                on_done(Done(task, Result("x", "toy", 0.0, 0.0, "graded", checks, duration_s=1.0)))

        monkeypatch.setattr(verification, "run_tasks", run_tasks)
        seeds = VerificationSeeds(2, 1, 2, 1, 3)
        return verify(course, find_exercise(course, "toy"), seeds, 1, lambda total, label: None, only)

    return run


def test_what_is_as_it_should_be_has_no_problem(seen):
    result = seen()
    assert (result.problems, result.differences) == ([], [])
    assert result.named == len(LOST)
    assert result.remarks == ["no mistake of the bank is meant for line"]
    assert result.runs["reference"] == 2
    assert result.judged["reference"] == dict.fromkeys(KINDS, 2) | {c: 5 for c, k in KINDS.items() if k == "exact"}
    rows = result.rows()
    assert list(rows) == ["reference", "stub", *LOST]
    assert rows["reference"] == ["●"] * len(KINDS), "further runs of exact checks alone are no runs of the others"
    assert rows["mean_over_batch"] == ["○", "●", "○", "●", "●", "●", "●"]


@pytest.mark.parametrize(
    ("changed", "at", "words"),
    [
        ({"reference": {"line": "failed"}}, {}, "reference reference, seed 0: line failed: line said so"),
        ({"stub": {"line": "passed"}}, {}, "the untouched stub passes line"),
        ({}, {"unbiased_spread": {1: {"spread_value": "passed"}}},
         "mistake unbiased_spread: passes spread_value, the check meant for it (seed 1)"),
        ({}, {"unbiased_spread": {1: {"spread_value": "blocked"}}},
         "mistake unbiased_spread: spread_value does not name it (seed 1, diagnosis: None)"),
        ({}, {"unbiased_spread": {0: {"line": "failed"}}},
         "mistake unbiased_spread: turns line red, too (line said so): mend it, or say in also= why"),
        ({"unbiased_spread": {"sample_law": "error"}}, {}, "sample_law met a fault of ours: sample_law said so"),
        ({"reference": {"line": "error"}}, {}, "line is a fault of ours"),
    ],
)  # fmt: skip
def test_faults_are_problems_and_are_not_accepted(seen, course, changed, at, words):
    result = seen(changed, at)
    assert any(words in line for line in result.problems), result.problems
    exercise = find_exercise(course, "toy")
    before = exercise.losses.read_bytes()
    accept(result, exercise)
    assert exercise.losses.read_bytes() == before


def test_losses_that_differ_are_told_and_accepted(seen, course):
    exercise = find_exercise(course, "toy")
    changed = {"unbiased_spread": {"sample_law": "failed"}, "uniform_sample": {"sample_spread": "passed"}}
    result = seen(changed, {"mean_over_batch": {1: {"sample_law": "failed"}}})
    assert result.problems == []
    assert sorted(result.differences) == [
        "mistake mean_over_batch: loses sample_law sometimes, in losses.yaml never: sample_law said so",
        "mistake unbiased_spread: loses sample_law always, in losses.yaml never: sample_law said so",
        "mistake uniform_sample: loses sample_spread never, in losses.yaml always: -",
    ]
    assert result.rows()["uniform_sample"] == ["●", "●", "●", "●", "○", WRONG, "●"]
    assert accept(result, exercise) == [
        "mean_over_batch: {sample_law: sometimes, spread_value: always}",
        "unbiased_spread: {sample_law: always}",
    ]
    assert result.rows()["uniform_sample"] == ["●", "●", "●", "●", "○", "●", "●"]
    # Once in some runs only: that stays, whatever a few runs say.
    for law in ("failed", "passed"):
        again = seen(changed | {"mean_over_batch": {"sample_law": law}})
        assert (again.problems, again.differences) == ([], [])
        assert accept(again, exercise) == []


def test_an_exact_check_beside_the_one_that_is_meant_needs_a_reason(seen, course):
    exercise = find_exercise(course, "toy")
    changed = {"unbiased_spread": {"line": "failed"}}
    assert seen(changed).problems
    text = exercise.mistakes.read_text()
    exercise.mistakes.write_text(
        text.replace('check="spread_value",', 'check="spread_value", also={"line": "lines have a spread"},')
    )
    result = seen(changed)
    assert result.problems == []
    assert accept(result, exercise) == ["unbiased_spread: {line: always}"]
    assert seen(changed).differences == []
    (line,) = seen().problems
    assert "also= says why line turns red, and it does not" in line


def test_what_is_blocked_needs_none(seen):
    result = seen({"unbiased_spread": {"line": "blocked"}})
    assert result.problems == []
    assert result.differences == [
        "mistake unbiased_spread: loses line always, in losses.yaml never: line said so"
    ]  # fmt: skip


def test_single_mistakes_are_verified_and_accepted_alone(seen, course):
    exercise = find_exercise(course, "toy")
    changed = {"unbiased_spread": {"sample_law": "failed"}, "reference": {"line": "failed"}}
    result = seen(changed, only=("unbiased_spread",))
    assert list(result.kinds) == ["unbiased_spread"]
    assert (result.problems, result.remarks) == ([], [])
    accept(result, exercise)
    assert read_losses(exercise.losses)["uniform_sample"] == {"sample_spread": "always"}


def test_a_mistake_that_is_gone_leaves_the_file(seen, course):
    exercise = find_exercise(course, "toy")
    before = exercise.losses.read_text()
    exercise.losses.write_text(before + "zeroed: {line: always}\n")
    result = seen()
    assert result.differences == ["losses.yaml names zeroed, which is no mistake"]
    accept(result, exercise)
    assert exercise.losses.read_text() == before
