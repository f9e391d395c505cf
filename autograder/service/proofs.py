"""What authors prove and measure of an exercise: that its checks judge rightly, and where the limits lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.batch import calibration, verification
from autograder.batch.coverage import Coverage, markdown, read_coverage
from autograder.batch.declarations import wrong_declarations
from autograder.batch.pool import Done, default_workers
from autograder.batch.populations import Run
from autograder.batch.verification import Verification, VerificationSeeds
from autograder.course import find_exercise
from autograder.course.calibration import PlacedLimit, Seeds
from autograder.course.written import DataSet
from autograder.service.course import Course

__all__ = [
    "Coverage", "DataSet", "Measurements", "Seeds", "Verification", "VerificationSeeds", "accept", "calibrate",
    "coverage", "markdown", "verify", "wrong",
]  # fmt: skip

Advance = Callable[[int, str], object]  # told, as each run ends, how many there are in all, and which it was


def wrong(course: Course, exercises: Sequence[str], mistakes: Sequence[str] = ()) -> list[str]:
    """A line for each thing that is declared wrongly: nothing has to be run to see it."""
    with course.speaking():
        return [
            line for exercise in exercises
            for line in wrong_declarations(course.config, find_exercise(course.config, exercise), mistakes)
        ]  # fmt: skip


def coverage(course: Course, exercises: Sequence[str]) -> list[Coverage]:
    """Which check proves which requirement of each exercise's contract."""
    return [read_coverage(find_exercise(course.config, exercise)) for exercise in exercises]


def verify(
    course: Course, exercise: str, seeds: VerificationSeeds, advance: Advance, workers: int | None = None,
    mistakes: Sequence[str] = (),
) -> Verification:  # fmt: skip
    """Judge every known submission of an exercise over its seeds; what was seen, with what is not as it should be.

    Args:
        seeds: how many runs of each kind.
        advance: told of each run.
        workers: judge processes; one per core without it.
        mistakes: these alone; every submission without it.

    Raises:
        JudgeFault: nothing can be judged here.
    """
    with course.speaking():
        return verification.verify(
            course.config, find_exercise(course.config, exercise), seeds, workers or default_workers(),
            _telling(advance), mistakes,
        )  # fmt: skip


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


def calibrate(
    course: Course, exercise: str, seeds: Seeds, advance: Advance, workers: int | None = None,
    data_set: DataSet | None = None,
) -> Measurements:  # fmt: skip
    """Measure every calibrated quantity of an exercise, place its limit, and write both down.

    Args:
        seeds: how many runs of each kind.
        advance: told of each run.
        workers: judge processes; one per core without it.
        data_set: `mnist` or `digits`; the course's own without it.

    Raises:
        JudgeFault: a check broke, or a correct solution gave no value.
    """
    from autograder.reports.calibration_plot import draw_calibration

    found = find_exercise(course.config, exercise)
    with course.speaking():
        measured = calibration.calibrate(
            course.config, found, seeds, workers or default_workers(), _telling(advance), data_set
        )
        kept = calibration.merge_and_write(found.reference_json, measured)
        picture = None
        if kept.limits:
            picture = found.reference_json.with_suffix(".png")
            draw_calibration(kept, picture)
        return Measurements(found.reference_json, picture, measured.limits, calibration.overlaps(measured))


def _telling(advance: Advance) -> Callable[[Done[Run], int], None]:
    def on_done(done: Done[Run], total: int) -> None:
        advance(total, str(done.task.key))

    return on_done
