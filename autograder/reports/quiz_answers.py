"""What a class answered to the questions of a quiz: how many rightly, and which wrong answers how many gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.language import said
from autograder.reports.words import measured
from autograder.results.model import CheckResult

_ANSWER = "answer"  # as the judge records it: a number under this name, a word behind it
MOST = 8  # wrong answers of a question


@dataclass(frozen=True)
class QuizStats:
    """One question over the class.

    Attributes:
        id: of its check.
        right: how many answered rightly.
        wrong: the wrong answers, the most frequent first, with how many gave them; at most `MOST`.
        others: how many gave other wrong answers.
        unanswered: how many gave none, or one of another kind.
    """

    id: str
    title: str
    right: int
    wrong: tuple[tuple[str, int], ...]
    others: int
    unanswered: int

    @property
    def students(self) -> int:
        """How many were asked."""
        return self.right + sum(count for _answer, count in self.wrong) + self.others + self.unanswered


def quiz_stats(name: str, checks: Sequence[CheckResult]) -> QuizStats:
    """Count one question; the checks are of all students."""
    judged = [check for check in checks if check.outcome in ("passed", "failed")]
    right = sum(check.outcome == "passed" for check in judged)
    answers = Counter(answer for check in judged if check.outcome == "failed" and (answer := answer_of(check)))
    shown = tuple(answers.most_common(MOST))
    given = answers.total()
    return QuizStats(
        id=name,
        title=said(checks[-1].title),
        right=right,
        wrong=shown,
        others=given - sum(count for _answer, count in shown),
        unanswered=len(judged) - right - given,
    )


def answer_of(check: CheckResult) -> str:
    """What was answered, as a text; empty where nothing was that could be read."""
    for name, value in check.measured.items():
        if name == _ANSWER:
            return measured(value)
        if name.startswith(f"{_ANSWER}: "):
            return name.removeprefix(f"{_ANSWER}: ")
    return ""
