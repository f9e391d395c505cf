"""Every public name of every solution runs with tensors and modules on another device, by generators of either.

The calls are those of hidden checks (`cover.yaml`). `python -m tests.engine.device.cover list` prints what ran by which
means; a name that no check has called fails here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import load_config
from tests.engine.device.cover import FILE, ROOT, cover, means, public, run, without_tensors

EXERCISES = sorted(cover())


@pytest.fixture(scope="module", params=["cuda", "cpu"])
def ledger(request, tmp_path_factory):
    """What came of the chosen checks; generators are on the device or beside it, and draw nowhere else."""
    return run(tmp_path_factory.mktemp("device"), EXERCISES, request.param)


def test_every_exercise_is_here():
    finished = sorted(exercise.id for exercise in load_config(ROOT / "grading_config.yaml").finished)
    assert finished == EXERCISES, f"write down its checks in {FILE}: python -m tests.engine.device.cover choose"


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_public_name_runs_on_the_device(ledger, exercise):
    own = ledger[exercise]
    assert {check: entry["message"] for check, entry in own.items() if entry["message"]} == {}
    how = means(own)
    assert [name for name in public(exercise) if name not in how] == []
    by_no_tensors = [name for name in public(exercise) if how[name].startswith("no ")]
    assert by_no_tensors == without_tensors().get(exercise, [])


PLANTED = {
    # Exercise, its check, what stands in the solution, and the wrong thing in its place.
    "a mask": ("kde_mixture", "leave_one_out", "dtype=torch.bool, device=data.device)", "dtype=torch.bool)"),
    "a sum": ("gibbs_mcmc", "fit_history", "torch.zeros(2, dtype=data.dtype, device=data.device)", "torch.zeros(2)"),
    "a draw": ("realnvp_toy", "conventions", "generator=generator, dtype=parameter.dtype, device=device)",
               "generator=generator, dtype=parameter.dtype)"),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_a_tensor_on_the_wrong_device_is_found(tmp_path: Path, what: str):
    exercise, check, right, wrong = PLANTED[what]
    solution = (ROOT / "solutions" / exercise / f"{exercise}.py").read_text(encoding="utf-8")
    assert right in solution
    planted = tmp_path / f"{exercise}.py"
    planted.write_text(solution.replace(right, wrong), encoding="utf-8")
    message = run(tmp_path, [exercise], "cuda", [check], planted)[exercise][check]["message"]
    assert "at least two devices" in message or "device type for generator" in message


@pytest.mark.slow
@pytest.mark.parametrize("generators", [None, "cuda", "cpu"])
@pytest.mark.parametrize("exercise", EXERCISES)
def test_all_checks_pass_on_the_device(tmp_path: Path, exercise: str, generators: str | None):
    own = run(tmp_path, [exercise], generators, [])[exercise]
    assert {check: entry["message"] for check, entry in own.items() if entry["message"]} == {}


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES)
def test_alternatives_run_on_the_device(tmp_path: Path, exercise: str):
    wrong = {}
    for path in sorted((ROOT / "tests" / "alternatives" / exercise).glob("*.py")):
        own = run(tmp_path, [exercise], None, None, path)[exercise]
        wrong |= {f"{path.stem}: {c}": entry["message"] for c, entry in own.items() if entry["message"]}
    assert wrong == {}
