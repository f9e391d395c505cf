"""What authors prove and measure of an exercise: that its checks judge rightly, and where the limits lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.batch import calibration, verification
from autograder.batch.declarations import Coverage, markdown, read_coverage, wrong_declarations
from autograder.batch.pool import workers_for
from autograder.batch.populations import Advance
from autograder.batch.touched import Revision, touched
from autograder.batch.verification import Verification, VerificationSeeds
from autograder.course import find_exercise
from autograder.course.calibration import PlacedLimit, Seeds
from autograder.course.written import DataSet
from autograder.service.course import Course, in_its_language

__all__ = [
    "Coverage", "DataSet", "Measurements", "Seeds", "Verification", "VerificationSeeds", "accept", "calibrate",
    "coverage", "markdown", "verify", "wrong",
]  # fmt: skip


@in_its_language
def wrong(course: Course, exercises: Sequence[str], mistakes: Sequence[str] = ()) -> list[str]:
    """A line for each thing that is declared wrongly: nothing has to be run to see it."""
    return [
        line for exercise in exercises
        for line in wrong_declarations(course.config, find_exercise(course.config, exercise), mistakes)
    ]  # fmt: skip


def coverage(course: Course, exercises: Sequence[str]) -> list[Coverage]:
    """Which check proves which requirement of each exercise's contract."""
    return [read_coverage(find_exercise(course.config, exercise)) for exercise in exercises]


@in_its_language
def verify(
    course: Course, exercise: str, seeds: VerificationSeeds, advance: Advance, workers: int | None = None,
    mistakes: Sequence[str] = (), since: str | None = None,
) -> Verification | None:  # fmt: skip
    """Judge every known submission of an exercise over its seeds; what was seen, with what is not as it should be.

    Args:
        seeds: how many runs of each kind.
        workers: judge processes; one per core without it.
        mistakes: these alone; every submission without it.
        since: a git revision; only what a change after it touches is run. None is returned where that is nothing.

    Raises:
        JudgeFault: nothing can be judged here.
        AuthoringError: the course is in no git repository, or it has no such revision.
    """
    found = find_exercise(course.config, exercise)
    what = None if since is None else touched(found, Revision(found.root, since))
    if what is not None and not what:
        return None
    judges = workers_for(course.config, workers)
    return verification.verify(course.config, found, seeds, judges, advance, mistakes, what)


def accept(course: Course, seen: Verification) -> tuple[Path, list[str]]:
    """Write what each mistake was seen to lose as what it should; the file, and the lines that changed."""
    exercise = find_exercise(course.config, seen.exercise)
    return exercise.losses, verification.accept(seen, exercise)


@dataclass(frozen=True)
class Measurements:
    """What was measured of an exercise.

    Attributes:
        file: that the limits were written to.
        picture: of the quantities and their limits; None where there are none.
        limits: data set, quantity and limit of each.
        overlaps: a line for each quantity whose mistakes cannot be told from correct solutions.
    """

    file: Path
    picture: Path | None
    limits: Sequence[tuple[str, str, PlacedLimit]]
    overlaps: list[str]


@in_its_language
def calibrate(
    course: Course, exercise: str, seeds: Seeds, advance: Advance, workers: int | None = None,
    data_set: DataSet | None = None,
) -> Measurements:  # fmt: skip
    """Measure every calibrated quantity of an exercise, place its limit, and write both down.

    Args:
        seeds: how many runs of each kind.
        workers: judge processes; one per core without it.
        data_set: `mnist` or `digits`; the course's own without it.

    Raises:
        JudgeFault: a check broke, or a correct solution gave no value.
    """
    from autograder.reports.calibration_plot import draw_calibration

    found = find_exercise(course.config, exercise)
    judges = workers_for(course.config, workers)
    measured = calibration.calibrate(course.config, found, seeds, judges, advance, data_set)
    kept = calibration.merge_and_write(found.reference_json, measured)
    picture = found.reference_json.with_suffix(".png") if kept.limits else None
    if picture is not None:
        draw_calibration(kept, picture)
    return Measurements(found.reference_json, picture, measured.limits, calibration.overlaps(measured))
