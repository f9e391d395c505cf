"""Calibration: the figures of correct solutions and of mistakes over many seeds, and the limits between them.

The correct solutions are the reference and every alternative of `tests/alternatives/`: a limit that knows only
one author's style would fail another's right answer.
"""

from __future__ import annotations

import json
import math
import platform
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.authoring.losses import read_bank
from autograder.batch.job import Order
from autograder.batch.judges import JudgeFault
from autograder.batch.pool import Done, run_tasks
from autograder.batch.populations import Run, subjects, task
from autograder.course import CourseConfig, Exercise
from autograder.course.calibration import Calibration, Measured, PlacedLimit, Runs, Seeds, Values, read_calibration
from autograder.course.written import DataSet
from autograder.language import _
from autograder.results.files import write_atomically
from autograder.results.model import CheckResult

PREFIX = "calibrate/"
# What the calibrated checks of one exercise may add up to; p-values have their own share.
FALSE_FAIL_PER_EXERCISE = 5e-4
SECRET = b"the secret of calibration runs"


@dataclass(frozen=True)
class Figure:
    """A figure that a check judges by a calibrated limit."""

    check: str
    better: str
    data: str
    name: str


def calibrate(
    course: CourseConfig,
    exercise: Exercise,
    seeds: Seeds,
    workers: int,
    on_done: Callable[[Done[Run], int], None],
    data_set: DataSet | None = None,
) -> Calibration:
    """Measure every calibrated figure of an exercise and place its limit.

    Args:
        course: with its data set and limits.
        exercise: which one.
        seeds: how many runs of each kind.
        workers: judge processes.
        on_done: told each finished run and how many there are in all.
        data_set: `mnist` or `digits`; the course's own without it.

    Returns:
        What `reference/<exercise>.json` is to hold of the data sets of this run.

    Raises:
        JudgeFault: a check broke, or a correct solution gave no figure.
    """
    order = Order(course.file, (exercise.hidden_folder,), SECRET, uncalibrated=True, data_set=data_set)
    found = _calibrated_checks(order, course, exercise)
    if not found:
        return Calibration(exercise.id)
    checks = tuple(sorted({figure.check for figure in found}))
    wrong = {m.id: set(m.loses) for m in read_bank(exercise)}
    tasks = []
    for subject in subjects(exercise):
        if subject.kind == "stub" or (subject.kind == "mistake" and not wrong[subject.name] & set(checks)):
            continue
        wanted = checks if subject.kind != "mistake" else tuple(c for c in checks if c in wrong[subject.name])
        tasks += [task(course, exercise, subject, seed, wanted) for seed in range(getattr(seeds, subject.kind))]
    figures: dict[Figure, Runs] = defaultdict(Runs)
    faults: list[str] = []

    def collect(done: Done[Run]) -> None:
        kind, name, _seed = done.task.key
        if done.result is None:
            faults.append(f"{done.task.key}: {done.fault}")
        else:
            mistaken = kind == "mistake"
            for check in done.result.checks:
                if mistaken and (check.id not in wrong[name] or check.outcome != "passed"):
                    # Run only because another check requires it, or caught by something else than a figure.
                    continue
                if not mistaken and check.outcome != "passed":
                    faults.append(f"{done.task.key}: {check.id}: {check.message}")
                for figure, value in _figures(check):
                    side = figures[figure].bad if mistaken else figures[figure].good
                    side.setdefault(name, []).append(value)
        on_done(done, len(tasks))

    run_tasks(order, tasks, workers, collect)
    if faults:
        raise JudgeFault(_("calibration met faults:\n  ") + "\n  ".join(faults[:20]))
    return _place(exercise, figures, seeds)


def _calibrated_checks(order: Order, course: CourseConfig, exercise: Exercise) -> list[Figure]:
    """One run of the reference says which checks have calibrated figures."""
    results: list[Done[Run]] = []
    reference = next(s for s in subjects(exercise) if s.kind == "reference")
    run_tasks(order, [task(course, exercise, reference, 0)], 1, results.append)
    result = results[0].result
    if result is None:
        raise JudgeFault(results[0].fault)
    broken = [f"{check.id}: {check.message}" for check in result.checks if check.outcome != "passed"]
    if broken:
        raise JudgeFault(_("the reference does not pass its own checks:\n  ") + "\n  ".join(broken))
    return [figure for check in result.checks for figure, *_rest in _figures(check)]


def _figures(check: CheckResult) -> list[tuple[Figure, float | None]]:
    found = []
    for key, value in check.measured.items():
        if key.startswith(PREFIX):
            better, data, name = key.removeprefix(PREFIX).split("/", 2)
            found.append((Figure(check.id, better, data, name), value))
    return found


def _place(exercise: Exercise, figures: Mapping[Figure, Runs], seeds: Seeds) -> Calibration:
    from autograder.statistics.limits import place_limit

    share = FALSE_FAIL_PER_EXERCISE / max(1, len(figures))
    found = Calibration(exercise.id)
    answers_for = _telling_figures(figures, share)
    for figure, runs in figures.items():
        bad = {m: values for m, values in _numbers(runs.bad).items() if answers_for[figure.check, m] == figure}
        limit = place_limit(_numbers(runs.good), bad, figure.better, share)
        own = found.data.setdefault(figure.data, Measured(seeds, _environment()))
        own.limits[figure.name] = msgspec.convert({"check": figure.check, **limit.to_json()}, PlacedLimit)
        own.figures[figure.name] = runs
    return found


def _numbers(values: Values) -> dict[str, list[float]]:
    return {name: [math.nan if value is None else value for value in own] for name, own in values.items()}


def _telling_figures(figures: Mapping[Figure, Runs], share: float) -> dict[tuple[str, str], Figure]:
    """For each check and mistake, the figure that tells it best: a check catches a mistake by one of its figures."""
    from autograder.statistics.limits import place_limit

    best: dict[tuple[str, str], tuple[float, float, Figure]] = {}
    for figure, runs in figures.items():
        for mistake, values in _numbers(runs.bad).items():
            limit = place_limit(_numbers(runs.good), {mistake: values}, figure.better, share)
            refused = sum(not limit.accepts(value) for value in values) / len(values)
            passes = 1.0 - refused if limit.false_pass is None else limit.false_pass
            score = (-passes, limit.separation or 0.0, figure)
            known = best.get((figure.check, mistake))
            if known is None or score[:2] > known[:2]:
                best[figure.check, mistake] = score
    return {key: figure for key, (_, _, figure) in best.items()}


def _environment() -> dict[str, str]:
    import numpy
    import torch

    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": str(numpy.__version__),
        "device": "cpu",
    }


def merge_and_write(path: Path, found: Calibration) -> Calibration:
    """Write what was measured; what is known of data sets that were not measured this time stays.

    Returns:
        What the file holds now.
    """
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
    """One line for each figure whose mistakes cannot be told from correct solutions: change the check."""
    return [
        f"{name} ({data}, check {limit.check}): a mistake passes with probability {limit.false_pass or 0.0:.2g}; "
        "change the check, not the limit"
        for data, name, limit in found.limits
        if limit.overlaps
    ]
