"""What is said around the table of a student's own check: what passed, under which limits, and what nobody can know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autograder.course import ExerciseConfig
from autograder.language import _, ngettext, number
from autograder.results.model import CheckResult


def passed_text(checks: Sequence[CheckResult]) -> str:
    """How many public checks passed, and how many answers of the quiz are of the form that is asked for."""
    public = [check for check in checks if check.kind != "quiz"]
    quiz = [check for check in checks if check.kind == "quiz"]
    n = sum(check.outcome == "passed" for check in public)
    text = ngettext("{n} of {total} public checks passed.", "{n} of {total} public checks passed.", n)
    said = [text.format(n=n, total=len(public))] if public else []
    if quiz:
        n = sum(check.outcome == "passed" for check in quiz)
        text = ngettext(
            "Quiz: {n} of {total} answers has the form that is asked for.",
            "Quiz: {n} of {total} answers have the form that is asked for.",
            n,
        )
        said.append(text.format(n=n, total=len(quiz)))
    return " ".join(said)


def limits_text(config: ExerciseConfig, slower: float) -> str:
    """Under which limits the code ran, beside those of grading.

    Args:
        config: of the exercise.
        slower: what its limits were multiplied by on this machine.
    """
    check, load = config.limits.per_check.seconds, config.limits.per_import.seconds
    text = _("Limits of grading: {check} s for a check, {load} s for a statement at the top level.")
    said = text.format(check=number(check, "g"), load=number(load, "g"))
    if slower == 1:
        return said
    here = _("For the speed of this machine that is {check} s and {load} s here.")
    return f"{said} {here.format(check=number(check * slower, '.3g'), load=number(load * slower, '.3g'))}"


def not_known(quiz: bool) -> Iterator[str]:
    """What a check on a student's machine cannot say, a sentence each.

    Args:
        quiz: whether the exercise has one.
    """
    yield _("What cannot be known here: hidden checks, with other inputs and longer trainings, give the points.")
    if quiz:
        yield _("Nor whether an answer to the quiz is right.")
