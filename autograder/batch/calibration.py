"""Calibration: the quantities of correct solutions and of mistakes over many seeds, and the limits between them.

The correct solutions are the reference and every alternative of `tests/alternatives/`: a limit that knows only
one author's style would fail another's right answer.
"""

from __future__ import annotations

import json
import math
import platform
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.authoring.losses import read_bank
from autograder.batch.declarations import declared_checks
from autograder.batch.job import Order
from autograder.batch.judges import JudgeFault
from autograder.batch.pool import Done, run_tasks
from autograder.batch.populations import Advance, Run, subjects, task
from autograder.course import CourseConfig, Exercise
from autograder.course.calibration import BySeed, Calibration, Measured, Runs, Seeds, device_of, read_calibration
from autograder.course.written import DataSet
from autograder.language import _
from autograder.results.files import write_atomically
from autograder.results.model import CheckResult

PREFIX = "calibrate/"
# What the calibrated checks of one exercise may add up to; p-values have their own share.
FALSE_FAIL_PER_EXERCISE = 5e-4
SECRET = b"the secret of calibration runs"


@dataclass(frozen=True)
class Quantity:
    """A quantity that a check judges by a calibrated limit."""

    check: str
    better: str
    data: str
    name: str


def calibrate(
    course: CourseConfig,
    exercise: Exercise,
    seeds: Seeds,
    workers: int,
    advance: Advance,
    data_set: DataSet | None = None,
) -> Calibration:
    """Measure every calibrated quantity of an exercise and place its limit.

    Returns:
        What `reference/<exercise>.json` is to hold of the data sets of this run.

    Raises:
        JudgeFault: a check broke, or a correct solution gave no quantity.
    """
    order = Order(course.file, (exercise.hidden_folder,), SECRET, uncalibrated=True, data_set=data_set)
    found = _calibrated_checks(order, course, exercise)
    if not found:
        return Calibration(exercise.id)
    checks = tuple(sorted({quantity.check for quantity in found}))
    wrong = _judged_wrong(exercise)
    tasks = []
    for subject in subjects(exercise):
        if subject.kind == "stub" or (subject.kind == "mistake" and not wrong[subject.name] & set(checks)):
            continue
        wanted = checks if subject.kind != "mistake" else tuple(c for c in checks if c in wrong[subject.name])
        tasks += [task(course, exercise, subject, seed, wanted) for seed in range(getattr(seeds, subject.kind))]
    quantities: dict[Quantity, Runs] = defaultdict(Runs)
    faults: list[str] = []

    def collect(done: Done[Run]) -> None:
        kind, name, _seed = done.task.key
        if done.result is None:
            faults.append(f"{done.task.key}: {done.fault}")
        else:
            mistaken = kind == "mistake"
            for check in done.result.checks:
                if mistaken and (check.id not in wrong[name] or check.outcome != "passed"):
                    # Run only because another check requires it, or caught by something else than a quantity.
                    continue
                if not mistaken and check.outcome != "passed":
                    faults.append(f"{done.task.key}: {check.id}: {check.message}")
                for quantity, value in _quantities(check):
                    side = quantities[quantity].bad if mistaken else quantities[quantity].good
                    side.setdefault(name, []).append(value)
        advance(len(tasks), str(done.task.key))

    run_tasks(order, tasks, workers, collect)
    if faults:
        raise JudgeFault(_("calibration met faults:\n  ") + "\n  ".join(faults[:20]))
    return _place(exercise, quantities, seeds)


def _judged_wrong(exercise: Exercise) -> dict[str, set[str]]:
    """Mistake -> the checks that judge it and that it loses: where a check that they require fails, they never do."""
    requires = {check.info.id: set(check.info.requires) for check in declared_checks(exercise)}

    def blocked(check: str, lost: set[str]) -> bool:
        return any(name in lost or blocked(name, lost) for name in requires[check])

    bank = {mistake.id: set(mistake.loses) for mistake in read_bank(exercise)}
    return {name: {check for check in lost if not blocked(check, lost)} for name, lost in bank.items()}


def _calibrated_checks(order: Order, course: CourseConfig, exercise: Exercise) -> list[Quantity]:
    """One run of the reference says which checks have calibrated quantities."""
    results: list[Done[Run]] = []
    reference = next(s for s in subjects(exercise) if s.kind == "reference")
    run_tasks(order, [task(course, exercise, reference, 0)], 1, results.append)
    result = results[0].result
    if result is None:
        raise JudgeFault(results[0].fault)
    broken = [f"{check.id}: {check.message}" for check in result.checks if check.outcome != "passed"]
    if broken:
        raise JudgeFault(_("the reference does not pass its own checks:\n  ") + "\n  ".join(broken))
    return [quantity for check in result.checks for quantity, *_rest in _quantities(check)]


def _quantities(check: CheckResult) -> list[tuple[Quantity, float | None]]:
    found = []
    for key, value in check.measured.items():
        if key.startswith(PREFIX):
            better, data, name = key.removeprefix(PREFIX).split("/", 2)
            found.append((Quantity(check.id, better, data, name), value))
    return found


def _place(exercise: Exercise, quantities: Mapping[Quantity, Runs], seeds: Seeds) -> Calibration:
    from autograder.statistics.limits import place_limit

    share = FALSE_FAIL_PER_EXERCISE / max(1, len(quantities))
    found = Calibration(exercise.id)
    answers_for = _telling(quantities, share)
    for quantity, runs in quantities.items():
        bad = {m: values for m, values in _numbers(runs.bad).items() if answers_for[quantity.check, m] == quantity}
        limit = place_limit(_numbers(runs.good), bad, quantity.better, share)
        device = device_of(quantity.data)
        own = found.data.setdefault(quantity.data, Measured(seeds, _environment(device), device=device))
        own.limits[quantity.name] = msgspec.structs.replace(limit, check=quantity.check)
        own.runs[quantity.name] = runs
    return found


def _numbers(values: BySeed) -> dict[str, list[float]]:
    return {name: [math.nan if value is None else value for value in own] for name, own in values.items()}


def _telling(quantities: Mapping[Quantity, Runs], share: float) -> dict[tuple[str, str], Quantity]:
    """For each check and mistake, the quantity that tells it best: one of a check's quantities catches it."""
    from autograder.statistics.limits import place_limit

    best: dict[tuple[str, str], tuple[float, float, Quantity]] = {}
    for quantity, runs in quantities.items():
        for mistake, values in _numbers(runs.bad).items():
            limit = place_limit(_numbers(runs.good), {mistake: values}, quantity.better, share)
            refused = sum(not limit.accepts(value) for value in values) / len(values)
            passes = 1.0 - refused if limit.false_pass is None else limit.false_pass
            score = (-passes, limit.separation or 0.0, quantity)
            known = best.get((quantity.check, mistake))
            if known is None or score[:2] > known[:2]:
                best[quantity.check, mistake] = score
    return {key: quantity for key, (_, _, quantity) in best.items()}


def _environment(device: str) -> dict[str, str]:
    import numpy
    import torch

    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": str(numpy.__version__),
        "device": device,
    }


def merge_and_write(path: Path, found: Calibration) -> Calibration:
    """Write what was measured beside what is known of other data sets; returns what the file holds now."""
    before = read_calibration(path).data if path.is_file() else {}
    merged = Calibration(found.exercise, {**before, **found.data})
    head = {"schema_version": merged.schema_version}  # first, for whoever looks at the file
    document = head | msgspec.to_builtins(merged)
    write_atomically(path, json.dumps(_rounded(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return merged


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def overlaps(found: Calibration) -> list[str]:
    """One line for each quantity whose mistakes cannot be told from correct solutions: change the check."""
    return [
        f"{name} ({data}, check {limit.check}): a mistake passes with probability {limit.false_pass or 0.0:.2g}; "
        "change the check, not the limit"
        for data, name, limit in found.limits
        if limit.overlaps
    ]
