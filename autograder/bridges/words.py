"""What a student may read of a check, in programs that show every test's output."""

from __future__ import annotations

from datetime import datetime

from autograder.course import ExerciseConfig
from autograder.language import _
from autograder.reports.visible import to_student
from autograder.results.model import CheckResult, Result


def points_text(points: float) -> str:
    """A number of points, short."""
    return f"{points:g}"


def verdict(check: CheckResult, result: Result, config: ExerciseConfig, now: datetime) -> str:
    """Whether a check passed and, where the course lets students see it, why not."""
    if check.outcome == "passed":
        return _("Passed.")
    if not config.is_visible(check.id, now):
        return _("Not passed.")
    message, hint = to_student(check, [other for other in result.checks if not config.is_visible(other.id, now)])
    lines = [message]
    if check.diagnosis_title:
        lines.append(_("This is what you get with a known mistake: {title}").format(title=check.diagnosis_title))
    lines.append(hint)
    return "\n".join(line for line in lines if line) or _("Not passed.")


def remarks(result: Result) -> str:
    """What could not be loaded, and the notes: about the student's own file, so always theirs to read."""
    problem = _("{where}, line {line}: {message}")
    lines = [problem.format(where=p.where, line=p.line, message=p.message) for p in result.loading]
    return "\n".join([*lines, *result.notes])
