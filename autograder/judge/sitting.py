"""What a pytest session judges with: the engine of its course, and the grading that is open now."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autograder.judge.case import Case
from autograder.judge.check import CheckInfo
from autograder.judge.items import forbidden_names, info_of, is_public
from autograder.judge.parts import Parts

if TYPE_CHECKING:
    from autograder.judge.engine import Engine
    from autograder.judge.grading import Grading
    from autograder.judge.session import Session
    from autograder.wire.values import CellData

DEVELOPMENT_SECRET = b"the secret of plain pytest runs"


class Sitting:
    """The gradings of a pytest session, one open at a time.

    Attributes:
        engine: None until the first check needs it.
        grading: the one that is open.
        on_start: told about every check that is going to be judged, and how many seconds it has.
        limited: whether quantities are judged against their limits, not only recorded.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.options = config.option
        self.engine: Engine | None = None
        self.grading: Grading | None = None
        self.on_start: Callable[[CheckInfo, float], None] | None = None
        self.limited: bool = not config.option.uncalibrated
        self._opened: str | None = None

    @property
    def in_force(self) -> tuple[Engine, Grading]:
        """The engine and the open grading, while a check is judged."""
        assert self.engine is not None
        assert self.grading is not None
        return self.engine, self.grading

    def open_for(self, item: pytest.Item) -> Grading:
        """The grading of this check's exercise, opened where plain pytest did not open it before."""
        exercise = item.path.parent.name
        if self.grading is not None and (self._opened is None or self._opened == exercise):
            return self.grading
        self.close()
        from autograder.judge.messages import Job

        engine = self._engine_for(item)
        options = self.options
        cells: Sequence[CellData]
        if options.submission is not None:
            from autograder.submissions import code_of, read_submission

            cells = code_of(read_submission(options.submission), exercise).cells
        else:
            cells = engine.reference_cells(exercise, options.student, options.mistake)
        watched = forbidden_names(i for i in item.session.items if i.path.parent == item.path.parent)
        self.grading = engine.open(Job(exercise, options.student, cells, math.inf, salt=options.salt), watched)
        self._opened = exercise
        return self.grading

    def _engine_for(self, item: pytest.Item) -> Engine:
        if self.engine is None:
            from autograder.course import find_course, load_config, load_secret
            from autograder.course.config import CONFIG_NAME
            from autograder.judge.engine import Engine

            root: Path = self.options.course or find_course(item.path.parent)
            course = load_config(root / CONFIG_NAME)
            tell = partial(print, file=sys.stderr)  # a plain run of pytest
            secret = load_secret(course, root, tell) if self.options.submission else DEVELOPMENT_SECRET
            self.engine = Engine(course, secret, self.options.unprotected, public=is_public(item))
        return self.engine

    def case(self, item: pytest.Function) -> Case:
        """What the fixtures of this check are made of, while its grading is open."""
        engine, grading = self.in_force
        info = info_of(item)
        if info is None:
            raise pytest.UsageError(f"{item.nodeid}: only a check can take this fixture; declare it with @check")
        return Case(
            engine=engine,
            session=grading.session,
            seed=grading.seed(info.id),
            record=grading.record,
            once=grading.once,
            reference=grading.reference,
            limits=engine.kit(grading.exercise).limits if self.limited else None,
            quiz_answers=grading.quiz_answers,
            answers_released=grading.answers_released,
            uses=item.fixturenames,
            parts=grading.parts,
            told=grading.tell,
        )

    def case_on(self, item: pytest.Function, session: Session) -> Case:
        """The same check on other code: the same draws, and nothing shared with the submission."""
        from autograder.judge.draw import Draw

        _engine, grading = self.in_force
        return replace(
            self.case(item),
            session=session,
            once=lambda key, function: function(Draw(grading.seed(f"once/{key}"))),
            answers_released=False,
            parts=Parts(),
            noted=[],
            told=lambda answer: None,
        )

    def limits_for(self, info: CheckInfo) -> tuple[float, int]:
        """Seconds and megabytes of this check: the configuration's word for it, else its own, else those of all."""
        engine, grading = self.in_force
        config = engine.kit(grading.exercise).config
        own, everybodys = config.checks.get(info.id), config.limits.per_check
        seconds = own.seconds if own is not None and own.seconds is not None else info.time_limit or everybodys.seconds
        memory_mb = own.memory_mb if own is not None and own.memory_mb is not None else everybodys.memory_mb
        return seconds * engine.slower, memory_mb

    def ends_with(self, item: pytest.Item | None) -> bool:
        """Whether the open grading, opened by plain pytest, is over when this item comes next."""
        return self._opened is not None and (item is None or item.path.parent.name != self._opened)

    def close(self) -> None:
        """End the open grading's worker."""
        if self.grading is not None:
            self.grading.session.close()
            self.grading = None
            self._opened = None


SITTING = pytest.StashKey[Sitting]()
