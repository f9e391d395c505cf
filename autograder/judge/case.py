"""One check on one submission: what its fixtures are made of."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

from autograder.judge.parts import Parts

if TYPE_CHECKING:
    from autograder.judge.calibrated import LimitBook
    from autograder.judge.draw import Draw
    from autograder.judge.engine import Engine
    from autograder.judge.quiz import RightAnswers
    from autograder.judge.session import Session
    from autograder.judge.verdicts import CheckFailed


def _nobody(answer: object) -> None:
    """For code that is nobody's submission."""


Record: TypeAlias = Callable[[str, float], None]
Once: TypeAlias = "Callable[[str, Callable[[Draw], object]], object]"


@dataclass(frozen=True)
class Case:
    """What a check is judged with.

    Attributes:
        session: the code that is judged: the submission's, or a known mistake's where a diagnosis is made.
        seed: of the check's draws.
        once: computations that several checks share.
        limits: from calibration; None where quantities are recorded and not judged.
        quiz_answers: the right answers to the student's own questions.
        answers_released: whether wrong ones are explained.
        uses: the names of the fixtures that the check takes.
        told: where an answer to the quiz is kept as it was given.
        draw: how numbers are drawn, where it is not as for grading.
        noted: where comparisons that fail are kept, so that the rest of the check runs as well; None where they end it.
    """

    engine: Engine
    session: Session
    seed: int
    record: Record
    once: Once
    reference: ModuleType | None = None
    limits: LimitBook | None = None
    quiz_answers: RightAnswers = field(default_factory=dict)
    answers_released: bool = False
    uses: Collection[str] = ()
    parts: Parts = field(default_factory=Parts)
    noted: list[CheckFailed] | None = None
    told: Callable[[object], None] = _nobody
    draw: type[Draw] | None = None
