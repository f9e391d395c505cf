"""What a check finds wrong when it is run on public numbers: for what can only be judged against the code itself.

A layer with weights of its own has no right answer that another program knows. The check does: it compares the
log-determinant with the Jacobian of this very layer. So the check is run once more, in the worker that has never seen
the inputs that graded, and what it compares where it fails is shown: one row of it. The reference and every alternative
pass the check on the same numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import process_time
from typing import TYPE_CHECKING, TypeVar, cast

import pytest
import torch
from torch import Tensor

from autograder.judge.answers import as_tensor
from autograder.judge.arguments import Arguments
from autograder.judge.case import Case
from autograder.judge.draw import Draw, subseed
from autograder.judge.outcomes import CannotGoOn, Ended, differ, outcome, shows_something, text_of_outcome
from autograder.judge.parts import Parts
from autograder.judge.plain_tensors import CONSTANT
from autograder.judge.recording import KeptCall, Made, NoPart, Recorder, evaluate
from autograder.judge.session import Session
from autograder.judge.shown import MOST
from autograder.judge.verdicts import CheckFailed, StudentError
from autograder.language import said

if TYPE_CHECKING:
    from autograder.judge.check import CheckInfo
    from autograder.judge.engine import Engine, Kit
    from autograder.judge.public_calls import Rerun

T = TypeVar("T")

SLOW = 6.0  # seconds of all right code together: longer, and the check is not run once more
MOST_DRAWN = 2000  # times
NEAR = 1e-9
SAME = 1e-6


class DrawnTooOften(Exception):
    """A check draws again until something holds, and of these numbers it never does."""


class RoundDraw(Draw):
    """Public numbers that can be read: one decimal, the smallest sizes, seeds that count from 1.

    Raises:
        DrawnTooOften: at one draw more than any check needs.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._seeds = self._drawn = self._chosen = 0

    def _count(self) -> None:
        self._drawn += 1
        if self._drawn > MOST_DRAWN:
            raise DrawnTooOften

    def normal(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """With one decimal."""
        self._count()
        return super().normal(*shape).round(decimals=1).to(dtype)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0, dtype: torch.dtype = torch.float64) -> Tensor:
        """With one decimal where the range is not too narrow."""
        self._count()
        plain = super().uniform(*shape, low=low, high=high)
        return (plain.round(decimals=1).clamp(low, high) if high - low >= 1 else plain).to(dtype)

    def integer(self, low: int, high: int) -> int:
        """The smallest."""
        self._count()
        return low

    def choice(self, sequence: Sequence[T]) -> T:
        """Each element in its turn, the last one first: of two flags, both."""
        self._count()
        self._chosen += 1
        return sequence[-self._chosen % len(sequence)]

    def seed(self) -> int:
        """The next one."""
        self._count()
        self._seeds += 1
        return self._seeds


class LevelDraw(RoundDraw):
    """Larger tensors that are one number everywhere, another one for each: nothing is to be read but their shapes."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._levels = itertools.cycle((1.0, 0.5, -0.5, 2.0))

    def normal(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """The next number everywhere; a few numbers as they are."""
        plain = super().normal(*shape, dtype=dtype)
        return torch.full_like(plain, next(self._levels)) if plain.numel() > CONSTANT else plain

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0, dtype: torch.dtype = torch.float64) -> Tensor:
        """The middle of the range everywhere; a few numbers as they are."""
        plain = super().uniform(*shape, low=low, high=high, dtype=dtype)
        return torch.full_like(plain, (low + high) / 2) if plain.numel() > CONSTANT else plain

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """The middle one everywhere; a few numbers as they are."""
        plain = super().integers(low, high, *shape)
        return torch.full_like(plain, (low + high) // 2) if plain.numel() > CONSTANT else plain


class RowsDraw(RoundDraw):
    """Every row of a larger tensor one number everywhere: where rows have to differ, and one of them is shown."""

    def normal(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """A number for each row; a few numbers as they are."""
        return _by_rows(super().normal(*shape, dtype=dtype))

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0, dtype: torch.dtype = torch.float64) -> Tensor:
        """A number for each row; a few numbers as they are."""
        return _by_rows(super().uniform(*shape, low=low, high=high, dtype=dtype))


def _by_rows(plain: Tensor) -> Tensor:
    if plain.ndim < 2 or plain[0].numel() <= CONSTANT:
        return plain
    return plain.flatten(1)[:, :1].reshape(-1, *[1] * (plain.ndim - 1)).expand_as(plain).clone()


DRAWS: tuple[type[Draw], ...] = (LevelDraw, RowsDraw, RoundDraw, Draw)
GREYS: dict[type[Draw], tuple[float, ...]] = {LevelDraw: (0.5,), RowsDraw: (0.2, 0.4, 0.6, 0.8, 1.0)}  # of images


@dataclass(frozen=True)
class Shown:
    """What is wrong in a check on public numbers.

    Attributes:
        call: the call that it is about, with one row of what was passed where that says it.
        objects: the labels of the objects in it.
        what: is different, in words, where no call answers it.
    """

    call: Arguments
    objects: dict[int, str]
    got: str
    right: str
    what: str = ""


class OwnRuns:
    """The checks of one exercise on public numbers, and whether right code passes them there."""

    def __init__(self, kit: Kit, rerun: Rerun) -> None:
        self._kit = kit
        self._rerun = rerun

    def shown(self, session: Session, item: pytest.Function, info: CheckInfo, case: Case) -> Shown | None:
        """What the check finds wrong in this session's code; None where it finds nothing, or not only there."""
        for drawn in self.passed_by_all(item, info, case):
            recorder = Recorder()
            failure = self._failure(session, item, info, case, drawn, recorder)
            if isinstance(failure, StudentError) and not shows_something(failure):
                return None
            if failure is not None:
                break
        else:
            return None
        reference = self._kit.right_code.sessions[0]
        return shown_of(session, recorder, failure, said(info.title), lambda *call: answered_by(reference, *call))

    def passed_by_all(self, item: pytest.Function, info: CheckInfo, case: Case) -> list[type[Draw]]:
        """The draws on which right code passes, the simplest first, down to one that can show all that is wrong."""
        known, name = self._kit.right_code.remembered, f"right code passes {info.id} on"
        if name not in known:
            plain = [draw.__name__ for draw in GREYS if self._all_pass(item, info, case, draw)]
            others = (draw.__name__ for draw in DRAWS[len(GREYS) :] if self._all_pass(item, info, case, draw))
            known[name] = [*plain, *itertools.islice(others, 1)]
        return [draw for draw in DRAWS if draw.__name__ in cast("list[str]", known[name])]

    def _all_pass(self, item: pytest.Function, info: CheckInfo, case: Case, draw: type[Draw]) -> bool:
        started = process_time()
        for session in self._kit.right_code.sessions:
            if self._failure(session, item, info, case, draw, None) is not None or process_time() - started > SLOW:
                return False
        return True

    def _failure(
        self, session: Session, item: pytest.Function, info: CheckInfo, case: Case, draw: type[Draw],
        recorder: Recorder | None,
    ) -> Exception | None:  # fmt: skip
        """What the check loses first; the one with values where there is one."""
        from autograder.judge.public_calls import PublicEngine

        seed = subseed(0, f"example/{self._kit.exercise.id}/{info.id}")
        once: dict[str, object] = {}

        def kept_once(key: str, function: object) -> object:
            if key not in once:
                once[key] = function(draw(subseed(seed, key)))  # type: ignore[operator]
            return once[key]

        engine = cast("Engine", PublicEngine(case.engine, seed, GREYS.get(draw, ())))
        own = replace(
            case, engine=engine, session=session, seed=seed, once=kept_once, draw=draw,
            record=lambda name, value: None, limits=None, quiz_answers={}, parts=Parts(), noted=[],
        )  # fmt: skip
        session.trace, session.recorder = [], recorder
        try:
            session.reseed(subseed(seed, "globals"))
            self._rerun(item, own)
        except CheckFailed as failed:
            several: list[Exception] = [*(own.noted or ()), *own.parts.errors.values(), failed]
            return next((one for one in several if getattr(one, "compared", None) is not None), several[0])
        except Exception as error:
            return error
        finally:
            session.recorder = None
        return None


def answered_by(reference: Session, made: Made, value: object) -> bool:
    """Whether the reference answers a call so, too: then it shows nothing of what is wrong."""
    try:
        ended = outcome(reference, "value", Arguments((made,)))
    except CannotGoOn:
        return False
    return not ended.raised and not differ(value, ended.value, SAME)


def shown_of(
    session: Session, recorder: Recorder, failure: Exception, title: str, is_right: Callable[[Made, object], bool]
) -> Shown | None:
    """What a check that ended so shows of the calls that were recorded in it.

    Args:
        title: of the check: what has to hold.
        is_right: whether right code answers a call so, too.
    """
    objects = recorder.labels
    compared = getattr(failure, "compared", None)
    if compared is not None:
        got, right, what = compared
        row = _wrong_row(got, right)
        for made, value, kept in _answers(recorder.kept):
            if value.shape == got.shape and not differ(value, got, NEAR):
                call, at = _row_of(session, recorder, made, kept, got, row)
                pick = got if at is None else got[at : at + 1]
                due = right if at is None else right[at : at + 1]
                return Shown(call, objects, _text(pick), _text(due.to(pick.dtype) if due.is_floating_point() else due))
    if compared is not None:  # something made of the answers, which has its name
        wrong = got.ndim > 0 and got.shape == right.shape and len(got) > 0
        pick, due = (got[row].reshape(-1)[:MOST], right[row].reshape(-1)[:MOST]) if wrong else (got, right)
        due = due.to(pick.dtype) if due.is_floating_point() and not pick.is_complex() else due
        return Shown(Arguments(()), objects, _text(pick), _text(due), what)
    # Nothing was compared, but something does not hold: the last call, and what has to hold.
    told = [kept for kept in recorder.kept if _about_them(kept)]
    if isinstance(failure, StudentError) and told and not told[-1].answered:
        return Shown(Arguments((told[-1].made,)), objects, failure.bases[0], title) if failure.bases else None
    # What the check has asked in vain, to name the mistake, is no answer.
    told = [kept for kept in told if kept.answered]
    # What probes answer only where nothing else was called.
    for kept in sorted(told[:-7:-1], key=lambda kept: kept.made.how == "probe"):
        for made, value, _one in _answers([kept]):
            if is_right(made, value):
                break
            if value.ndim and len(value) > 1:
                call, at = _row_of(session, recorder, made, kept, value, 0)
                if at is not None:
                    return Shown(call, objects, _text(value[:1]), title)
            return Shown(Arguments((made,)), objects, _text(value), title)
    return None


def _about_them(kept: KeptCall) -> bool:
    return kept.made.how != "probe" or any(isinstance(arg, Made) for arg in kept.made.args)


def _text(value: object) -> str:
    return text_of_outcome(Ended(value), "values")


def _wrong_row(got: Tensor, right: Tensor) -> int:
    """The row that is farthest off."""
    if got.ndim == 0 or got.shape != right.shape:
        return 0
    off = (got.to(torch.float64) - right.to(torch.float64)).abs().nan_to_num(nan=torch.inf)
    return int(off.reshape(len(off), -1).amax(1).argmax()) if off.numel() else 0


def _answers(kept: Sequence[KeptCall]) -> Iterator[tuple[Made, Tensor, KeptCall]]:
    """All tensors that were answered, the last first, down to parts of parts."""
    for one in reversed(kept):
        todo: list[tuple[Made, object, int]] = [(one.made, one.value, 0)]
        while todo:
            made, value, depth = todo.pop(0)
            tensor = as_tensor(value)
            if tensor is not None and not tensor.is_complex():
                yield made, tensor, one
            if depth < 3 and isinstance(value, list | tuple) and len(value) <= 8:
                todo += [(Made("part", place, made), item, depth + 1) for place, item in enumerate(value)]
            elif depth < 3 and isinstance(value, dict):
                todo += [(Made("part", key, made), item, depth + 1) for key, item in value.items()]


def _row_of(
    session: Session, recorder: Recorder, made: Made, kept: KeptCall, value: Tensor, row: int
) -> tuple[Arguments, int | None]:
    """The call with one row of what was passed, where it answers that row of the answer; else the whole call."""
    whole = Arguments((made,)), None
    if value.ndim == 0 or len(value) < 2:
        return whole
    size = len(value)
    outer = kept.made
    if not any(isinstance(arg, Tensor) and arg.ndim and len(arg) == size for arg in outer.args):
        return whole
    alone = replace(outer, args=tuple(
        arg[row : row + 1].clone() if isinstance(arg, Tensor) and arg.ndim and len(arg) == size else arg
        for arg in outer.args
    ))  # fmt: skip
    path: list[str | int] = []
    inner = made
    while inner is not outer and inner.of is not None:
        path.append(inner.name)
        inner = inner.of
    shown = alone
    for name in reversed(path):
        shown = Made("part", name, shown)
    try:
        answer = as_tensor(evaluate(session, shown, recorder.live))
    except (StudentError, NoPart):
        return whole
    if answer is None or answer.shape != value[row : row + 1].shape or differ(answer, value[row : row + 1], 1e-5):
        return whole
    return Arguments((shown,)), row
