"""Verification: the reference gets full marks over many seeds, the stub none, every mistake loses what it should."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from autograder.batch.judges import Order
from autograder.batch.pool import Done, run_tasks
from autograder.batch.populations import Subject, mistakes, subjects, task
from autograder.course import CourseConfig, Exercise

SECRET = b"the secret of verification runs"


@dataclass(frozen=True)
class VerificationSeeds:
    """How many runs of each kind."""

    reference: int = 50
    alternative: int = 3
    mistake: int = 2
    stub: int = 2
    exact: int = 0  # further runs of the reference on its exact checks only


@dataclass
class Verification:
    """What was seen of one exercise.

    Attributes:
        checks: ids in order.
        passed: subject -> check -> how often it passed.
        runs: subject -> number of runs.
        diagnosed: mistake -> how often its own check named it.
        expected: mistake -> checks that it must lose, and those of `near` that it has lost.
        near: mistake -> checks with a calibrated limit that it comes near, and may lose.
        seconds: of the reference's checks, median.
        exact: ids of the exact checks.
        problems: one line for each thing that is not as it should be.
        remarks: what an author may want to look at.
    """

    exercise: str
    checks: list[str] = field(default_factory=list)
    passed: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    runs: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    kinds: dict[str, str] = field(default_factory=dict)
    diagnosed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    expected: dict[str, tuple[str, ...]] = field(default_factory=dict)
    near: dict[str, tuple[str, ...]] = field(default_factory=dict)
    durations: list[float] = field(default_factory=list)
    exact: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Median time of all checks on the reference."""
        return sorted(self.durations)[len(self.durations) // 2] if self.durations else 0.0


def verify(
    course: CourseConfig,
    exercise: Exercise,
    seeds: VerificationSeeds,
    workers: int,
    on_done: Callable[[Done, int], None],
) -> Verification:
    """Judge every known submission of an exercise over its seeds, and say what is not as it should be."""
    bank = mistakes(exercise)
    seen = Verification(exercise.id, expected={m.id: m.loses for m in bank}, near={m.id: m.may_lose for m in bank})
    order = Order(course.file, [exercise.hidden_folder], SECRET)
    everything = subjects(exercise)
    tasks = [
        task(course, exercise, subject, seed) for subject in everything for seed in range(getattr(seeds, subject.kind))
    ]
    points = course.exercise(exercise.id).points
    total = len(tasks) + seeds.exact

    def collect(done: Done) -> None:
        _note(seen, done, points)
        on_done(done, total)

    run_tasks(order, tasks, workers, collect)
    if seeds.exact:
        _exact(course, exercise, everything[0], seeds, order, workers, seen, lambda done: on_done(done, total))
    _conclude(seen, exercise)
    return seen


def _exact(
    course: CourseConfig,
    exercise: Exercise,
    reference: Subject,
    seeds: VerificationSeeds,
    order: Order,
    workers: int,
    seen: Verification,
    on_done: Callable[[Done], None],
) -> None:
    exact = tuple(check for check in seen.checks if check in seen.exact)
    tasks = [task(course, exercise, reference, 1000 + seed, exact) for seed in range(seeds.exact)]

    def collect(done: Done) -> None:
        _note(seen, done, None)
        on_done(done)

    run_tasks(order, tasks, workers, collect)


def _note(seen: Verification, done: Done, points: float | None) -> None:
    kind, name, seed = done.task.key
    label = f"{kind} {name}, seed {seed}"
    if done.result is None:
        seen.problems.append(f"{label}: {done.fault}")
        return
    seen.kinds[name] = kind
    seen.runs[name] += 1
    result = done.result
    for check in result["checks"]:
        if check["id"] not in seen.checks:
            seen.checks.append(check["id"])
        if check["kind"] == "exact":
            seen.exact.add(check["id"])
        if check["outcome"] == "error":
            seen.problems.append(f"{label}: {check['id']} is a fault of ours: {check['message']}")
        seen.passed[name][check["id"]] += check["outcome"] == "passed"
    if kind == "reference":
        _want_full_marks(seen, label, result, quiz=True)
        if points is None:
            return
        seen.durations.append(result["duration_s"])
        declared = round(sum(check["max_points"] for check in result["checks"]), 3)
        if abs(declared - points) > 1e-2:
            seen.problems.append(f"{label}: {declared} points in all, the configuration says {points}")
    elif kind == "alternative":
        _want_full_marks(seen, label, result, quiz=False)
    elif kind == "stub":
        for check in result["checks"]:
            if check["outcome"] == "passed":
                seen.problems.append(f"{label}: the untouched stub passes {check['id']}")
    else:
        _want_mistake(seen, label, name, result)


def _want_full_marks(seen: Verification, label: str, result: dict, quiz: bool) -> None:  # type: ignore[type-arg]
    for check in result["checks"]:
        if check["outcome"] != "passed" and (quiz or check["kind"] != "quiz"):
            seen.problems.append(f"{label}: {check['id']} {check['outcome']}: {check['message']}")


def _want_mistake(seen: Verification, label: str, name: str, result: dict) -> None:  # type: ignore[type-arg]
    lost = {check["id"]: check for check in result["checks"] if check["outcome"] != "passed"}
    loses = seen.expected[name]
    for check in loses:
        if check not in lost and check not in seen.near[name]:
            seen.problems.append(f"{label}: passes {check}, which should catch it")
    for check, entry in lost.items():
        if check in seen.near[name]:
            seen.expected[name] = (*dict.fromkeys((*seen.expected[name], check)),)
        elif check not in loses:
            seen.problems.append(f"{label}: also loses {check}: {entry['message']}")
    meant = lost.get(loses[0])
    if meant is not None:
        if meant["diagnosis"] == name:
            seen.diagnosed[name] += 1
        else:
            seen.problems.append(f"{label}: {loses[0]} does not name it (diagnosis: {meant['diagnosis']})")


def _conclude(seen: Verification, exercise: Exercise) -> None:
    known = set(seen.checks)
    for name, loses in seen.expected.items():
        for check in loses:
            if check not in known:
                seen.problems.append(f"mistake {name}: loses {check!r}, but there is no such check")
    for check in seen.checks:
        if not any(check in loses for loses in seen.expected.values()) and "quiz" not in check:
            seen.remarks.append(f"no mistake of the bank is meant for {check}")
