"""The grading of one submission: its session, what each check needs, what came out."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.judge.check import CheckInfo
from autograder.judge.draw import Draw, subseed
from autograder.judge.parts import Parts
from autograder.judge.quiz import RightAnswers
from autograder.judge.session import Session
from autograder.judge.shown import text_of
from autograder.judge.verdicts import FrameworkFault, StudentError
from autograder.language import _, said
from autograder.results.model import AskedQuestion, CheckResult, LoadingProblem
from autograder.results.outcomes import CheckOutcome, PartOutcome
from autograder.worker.forbidden import find

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
MAX_TEXT = 2000


@dataclass
class Grading:
    """One submission under judgement.

    Args:
        seed: gives the seed of a check from its id.
        reference: the reference solution; None for public checks on a student's machine.
        questions: of the quiz, by key, with the student's own numbers.
        quiz_answers: right answers to the student's own questions.
        answers_released: whether wrong quiz answers are explained.
        total_seconds: what the student's code may take for all checks together, in all tries.
        spent: what earlier tries have taken, which something from outside has spoilt.
    """

    exercise: str
    student: str
    seed: Callable[[str], int]
    session: Session
    reference: types.ModuleType | None = None
    quiz_answers: RightAnswers = field(default_factory=dict)
    answers_released: bool = False
    total_seconds: float = math.inf
    spent: float = 0.0
    questions: Mapping[str, str] = field(default_factory=dict)
    results: dict[str, CheckResult] = field(default_factory=dict)
    measured: dict[str, float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.about: dict[str, str] = {}  # the function that a failed check is about, by the check's id
        self.likened: dict[str, tuple[str, str]] = {}  # by a check that shows a mistake: the one meant for it, a hint
        self._once: dict[str, tuple[int, object]] = {}
        self.parts = Parts()
        self._answer = ""  # to the quiz, in the check that runs now

    def tell(self, answer: object) -> None:
        """Keep an answer to the quiz as it was given."""
        self._answer = text_of(answer)

    def record(self, name: str, value: float) -> None:
        """Keep a figure of the check that runs now."""
        self.measured[name] = value if math.isfinite(value) else None

    def begin(self, info: CheckInfo, seconds: float, memory_mb: int) -> None:
        """Make ready for a check: so many seconds for the student's code, so much memory for its process."""
        self.measured = {}
        self._answer = ""
        self.parts = Parts(lambda part: not self._lost(info.substance_of(part)), lambda: self.session.can_answer)
        left = self.total_seconds - self.session.student_seconds
        if left <= 0:
            raise StudentError(
                _("Not run: the submission had used up its {seconds:g} s for the whole exercise.").format(
                    seconds=self.total_seconds
                ),
                kind="timeout",
            )
        for name in info.forbids:
            try:
                find(name)
            except LookupError as error:
                raise FrameworkFault(f"check {info.id} forbids {name}: {error}") from None
        if self.spent and min(seconds, left) > left - self.spent:
            raise FrameworkFault(
                f"no time is left to judge this check: {self.spent:.0f} s went into tries that others have spoilt"
            )
        seed = subseed(self.seed(info.id), "globals")
        self.session.begin_check(info.id, min(left, seconds), seed, info.forbids, memory_mb)

    def once(self, key: str, function: Callable[[Draw], object]) -> object:
        """The value of `function(draw)`, computed once while the worker lives.

        The draws depend on the key alone, so that it does not matter which check comes first.
        """
        known = self._once.get(key)
        if known is not None and known[0] == self.session.generation:
            return known[1]
        seed = self.seed(f"once/{key}")
        self.session.reseed(subseed(seed, "globals"))
        value = function(Draw(seed))
        self._once[key] = (self.session.generation, value)
        return value

    def blocked_by(self, info: CheckInfo) -> list[CheckResult]:
        """The prerequisites of a check that did not pass."""
        return self._lost(info.requires)

    def _lost(self, checks: Sequence[str]) -> list[CheckResult]:
        known = [self.results[name] for name in checks if name in self.results]
        return [check for check in known if check.outcome != "passed"]

    def finish(
        self,
        info: CheckInfo,
        outcome: CheckOutcome,
        duration: float,
        message: str = "",
        hint: str = "",
        diagnosis: str | None = None,
        diagnosis_title: str = "",
        parts: Mapping[str, PartOutcome] | None = None,
    ) -> CheckResult:
        """Keep the result of a check; its parts, where it has several and not all have passed."""
        if outcome == "passed" and info.forbids:
            self.session.flag_mentions(info.forbids, info.covers)
        result = CheckResult(
            id=info.id,
            title=said(info.title),
            points=0.0,
            max_points=info.points,
            outcome=outcome,
            message=clean(message),
            hint=clean(hint),
            diagnosis=diagnosis,
            diagnosis_title=diagnosis_title,
            duration_s=round(duration, 4),
            measured=dict(self.measured),
            kind=info.kind,
            parts=dict(parts or {}),
            asked=self._asked(info),
        )
        result.points = info.points * result.share
        self.results[info.id] = result
        return result

    def _asked(self, info: CheckInfo) -> AskedQuestion | None:
        question = self.questions.get(info.id.removeprefix("quiz_")) if info.kind == "quiz" else None
        return AskedQuestion(question, clean(self._answer)) if question else None

    @property
    def passed(self) -> frozenset[str]:
        """Ids of the checks that have passed so far."""
        return frozenset(name for name, result in self.results.items() if result.outcome == "passed")

    def reconsider(self) -> None:
        """Take back what answers looked like where the check that is meant for that mistake has passed later on."""
        for check, (meant, hint) in self.likened.items():
            if meant in self.passed:
                result = self.results[check]
                result.diagnosis, result.diagnosis_title, result.hint = None, "", clean(hint)

    def loading_problems(self) -> list[LoadingProblem]:
        """What of the file could not be loaded, in words that are safe to show and in the language in force."""
        return [
            LoadingProblem(one_line(p.where)[:100], p.line, p.kind, said(one_line(p.message)))
            for p in self.session.loading.everything
        ]


def one_line(text: str) -> str:
    """A student's text that is printed as a line: with breaks in it, it could pass for other lines of ours."""
    return clean(" ".join(text.split()))


def clean(text: str) -> str:
    """A student's text without control characters (terminal escapes, direction overrides), cut to a readable length."""
    text = _CONTROL.sub("\ufffd", text)
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
