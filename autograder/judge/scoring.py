"""From a finished grading to a result: points, visibility, what was in force."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from functools import cache

from autograder import __version__
from autograder.course.config import ExerciseConfig
from autograder.judge.grading import Grading, clean, one_line
from autograder.results.model import CheckResult, Environment, Incident, Result, SubmissionFacts
from autograder.results.points import rounded


def build_result(
    grading: Grading,
    config: ExerciseConfig,
    submission: SubmissionFacts,
    notes: Sequence[str],
    environment: Environment,
    duration: float,
) -> Result:
    """The result of a grading."""
    checks = list(grading.results.values())
    apply_points(checks, config)
    return Result(
        student=grading.student,
        exercise=grading.exercise,
        points=rounded(sum(check.points for check in checks)),
        max_points=rounded(sum(check.max_points for check in checks)),
        outcome="error" if any(check.outcome == "error" for check in checks) else "graded",
        checks=checks,
        submission=submission,
        loading=grading.loading_problems(),
        notes=[clean(note) for note in notes],
        incidents=[Incident(i.kind, one_line(i.detail), i.check) for i in grading.session.incidents],
        environment=environment,
        duration_s=round(duration, 4),
    )


def apply_points(checks: list[CheckResult], config: ExerciseConfig) -> None:
    """Set the points that the configuration gives: single checks first, then all scaled to the exercise's points."""
    for check in checks:
        own = config.checks.get(check.id)
        if own is not None and own.points is not None:
            check.max_points = own.points
        check.visibility = (own.visibility if own else None) or config.visibility
    total = sum(check.max_points for check in checks)
    scale = config.points / total if total else 0.0
    # Rounded as they add up, not one by one: the checks' points together are the exercise's, to the last digit.
    reached = given = 0.0
    for check in checks:
        reached += check.max_points * scale
        check.max_points = rounded(rounded(reached) - given)
        given = rounded(reached)
        check.points = rounded(check.max_points * check.share)


@cache
def versions() -> dict[str, str]:
    """The versions that a figure can depend on."""
    import numpy
    import torch

    return {
        "autograder": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": str(numpy.__version__),
    }
