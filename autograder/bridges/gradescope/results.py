"""A result in the form of Gradescope's `results.json`.

Every check carries the visibility that the configuration gives it (the four words are Gradescope's own), so that
Gradescope decides when students see it. Everything is plain text: what a student wrote is never rendered. Measured
figures, incidents and faults of ours are in no field of it: they go to the standard output, which only instructors see.
"""

from __future__ import annotations

import math

import msgspec

from autograder.bridges.asking import remarks
from autograder.course import ConfigurationError, ExerciseConfig
from autograder.language import _
from autograder.reports.visible import example_text, raised_text, to_student
from autograder.results.grade import Grade
from autograder.results.model import CheckResult, Result


def results_json(
    result: Result, grade: Grade, config: ExerciseConfig, leaderboard: tuple[str, ...] = ()
) -> dict[str, object]:
    """What Gradescope reads.

    Args:
        leaderboard: entries, `points` or `<check>:<figure>`, `:asc` behind it where less is better.
    """
    data: dict[str, object] = {
        "score": grade.final or 0.0,  # Gradescope knows no points that are open; the output says why
        "execution_time": math.ceil(result.duration_s),
        "output": _overall(result, grade),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": config.visibility,
        "stdout_visibility": "hidden",
        "extra_data": {
            "sha256": result.submission.sha256,
            "isolation": msgspec.to_builtins(result.environment.isolation) or {},
            "versions": result.environment.versions,
        },
        "tests": [_test(number, check, result, config) for number, check in enumerate(result.checks, start=1)],
    }
    entries = [entry for item in leaderboard if (entry := _leader(item, result, grade)) is not None]
    if entries:
        data["leaderboard"] = entries
    return data


def check_leaderboard(leaderboard: tuple[str, ...], config: ExerciseConfig) -> None:
    """Refuse a leaderboard that would show what the configuration hides: every student reads it.

    Raises:
        ConfigurationError: says which entry and why.
    """
    for entry in leaderboard:
        name, _colon, rest = entry.partition(":")
        if name == "points":
            shown = config.visibility == "visible" and all(
                check.visibility in (None, "visible") for check in config.checks.values()
            )
            if not shown:
                raise ConfigurationError(
                    _(
                        "--leaderboard {entry}: students would read their points from it; it needs visibility: "
                        "visible for every check of {id}"
                    ).format(entry=entry, id=config.id)
                )
        elif not rest:
            raise ConfigurationError(
                _("--leaderboard {entry}: write points, or CHECK:FIGURE, or CHECK:FIGURE:asc").format(entry=entry)
            )
        else:
            own = config.checks.get(name)
            rule = (own.visibility if own else None) or config.visibility
            if rule != "visible":
                raise ConfigurationError(
                    _(
                        "--leaderboard {entry}: the check {name} is {rule}, and its figures are not for "
                        "students; make it visible or leave it out"
                    ).format(entry=entry, name=name, rule=rule)
                )


def _leader(entry: str, result: Result, grade: Grade) -> dict[str, object] | None:
    name, _colon, rest = entry.partition(":")
    if name == "points":
        return {"name": "points", "value": grade.final or 0.0}
    figure, _colon, order = rest.partition(":")
    check = next((c for c in result.checks if c.id == name), None)
    value = None if check is None or check.visibility != "visible" else check.measured.get(figure)
    if value is None:
        return None
    return {"name": f"{name} {figure}", "value": value, "order": "asc" if order == "asc" else "desc"}


def _overall(result: Result, grade: Grade) -> str:
    """What concerns the submission as a whole, without a word on its points."""
    lines = [result.message] if result.message and result.outcome != "error" else []
    lines += filter(None, [remarks(result)])
    if grade.penalty:
        lines.append(_("Handed in late: {percent:g}% of the points are taken off.").format(percent=100 * grade.penalty))
    return "\n".join(lines)


def _test(number: int, check: CheckResult, result: Result, config: ExerciseConfig) -> dict[str, object]:
    return {
        "name": check.title,
        "name_format": "text",
        "number": str(number),
        "score": check.points,
        "max_score": check.max_points,
        "status": "passed" if check.outcome == "passed" else "failed",
        "output": _output(check, result, config),
        "output_format": "text",
        "tags": [check.kind],
        "visibility": check.visibility,
    }


def _output(check: CheckResult, result: Result, config: ExerciseConfig) -> str:
    # A check that students see later, or never, may not be read from this one.
    others = [c for c in result.checks if c.visibility not in (check.visibility, "visible")]
    lines = [*to_student(check, others)]
    if check.raised is not None:
        lines.append(raised_text(check.raised))
    # Gradescope has one rule for all that is said of a check: an example goes with it where it is not to come later.
    if check.example is not None and config.examples in ("visible", check.visibility):
        lines.append(example_text(check.example))
    return "\n".join(filter(None, lines))
