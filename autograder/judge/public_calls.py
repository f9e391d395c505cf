"""The calls of a check that anybody may know: what it asks of the reference, on public numbers.

Their seed follows from the exercise and the check alone; images are drawn too. `right_code` says what is right of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from time import process_time
from typing import TYPE_CHECKING, cast

import pytest
import torch
from torch import Tensor

from autograder.judge.arguments import Arguments
from autograder.judge.case import Case
from autograder.judge.check import CheckInfo
from autograder.judge.draw import Draw, subseed
from autograder.judge.outcomes import LARGEST, Asked, CannotGoOn, outcome, parts_of
from autograder.judge.parts import Parts
from autograder.judge.recording import KeptCall, Made, Recorder, Seeded
from autograder.judge.remote import Handle
from autograder.judge.right_code import PublicCall, within
from autograder.judge.session import Session

if TYPE_CHECKING:
    from autograder.course.data import Split
    from autograder.course.sets import PublishedSet
    from autograder.judge.engine import Engine, Kit

CALLS = 4  # of one function, which are tried
PAIRS = 4
DIRECT = 12  # calls within probes, which are tried by themselves
SECONDS = 20.0  # of the reference in one check
SLOW = 0.25  # seconds of a call that is not made again and again
IMAGES = 64

Rerun = Callable[[pytest.Function, Case], None]


def public_calls(
    kit: Kit, item: pytest.Function, info: CheckInfo, case: Case, run: int, rerun: Rerun
) -> Sequence[PublicCall]:
    """The calls that the check makes of the reference in this run of it, the plainest first."""

    def record() -> Sequence[PublicCall]:
        recorded = _recorded(kit, item, info, case, run, rerun)
        direct = [kept for one in recorded if (kept := _directly(kit.right_code.sessions[0], one)) is not None]
        return list(_candidates([*direct[:DIRECT], *recorded], _looks_at_types(item)))

    return kit.right_code.calls_of(info.id, run, record)


class PublicEngine:
    """The engine as a check on public numbers sees it: no image of the course is looked at."""

    def __init__(self, engine: Engine, seed: int, greys: Sequence[float] = ()) -> None:
        self.device = engine.device
        self.images = DrawnImages(seed, greys)


class DrawnImages:
    """In the place of real images: smooth blots in [0, 1], drawn; or each of one grey, these in turn."""

    def __init__(self, seed: int, greys: Sequence[float]) -> None:
        self._seed = seed
        self._greys = greys

    def __call__(
        self, published: PublishedSet, split: Split, n: int | None = None, size: int = 28
    ) -> tuple[Tensor, Tensor]:
        n = IMAGES if n is None else n
        if self._greys:
            grey = torch.tensor(self._greys)[torch.arange(n) % len(self._greys)]
            return grey[:, None].expand(n, size * size).clone(), torch.arange(n) % 10
        draw = Draw(subseed(self._seed, f"{published.name}/{split}/{n}/{size}"))
        coarse = draw.uniform(n, 1, 7, 7, dtype=torch.float32)
        fine = torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")
        return ((fine - 0.3) * 1.6).clamp(0, 1).reshape(n, size * size), torch.arange(n) % 10

    def data_name(self, uses: object) -> str:
        """None."""
        return ""


def _recorded(kit: Kit, item: pytest.Function, info: CheckInfo, case: Case, run: int, rerun: Rerun) -> list[KeptCall]:
    seed = subseed(run, f"example/{kit.exercise.id}/{info.id}")
    session = kit.reference_session()
    session.recorder = recorder = Recorder()
    try:
        session.begin_check(info.id, SECONDS, subseed(seed, "globals"))
        once: dict[str, object] = {}

        def kept_once(key: str, function: Callable[[Draw], object]) -> object:
            if key not in once:
                once[key] = function(Draw(subseed(seed, key)))
            return once[key]

        public = replace(
            case, engine=cast("Engine", PublicEngine(case.engine, seed)), session=session, seed=seed, once=kept_once,
            record=lambda name, value: None, limits=None, quiz_answers={}, parts=Parts(), noted=[],
        )  # fmt: skip
        rerun(item, public)
    except Exception:  # however it ends: what was called is what counts
        pass
    finally:
        session.recorder = None
        session.close()
    return recorder.kept


def _directly(session: Session, kept: KeptCall) -> KeptCall | None:
    """The call that a probe is given to make, of a function or of an object's method; None where it does otherwise."""
    made = kept.made
    first = made.args[0] if made.how == "probe" and made.args else None
    if not isinstance(first, Made) or not _plain(kept):
        return None
    if first.how in ("name", "get"):
        call, label = Made("call", "", first, made.args[1:], made.kwargs), str(first.name)
    elif len(made.args) > 1 and isinstance(made.args[1], str) and made.args[1].isidentifier():
        call = Made("call", "", Made("get", made.args[1], first), made.args[2:], made.kwargs)
        label = f"{kept.label}.{made.args[1]}"
    else:
        return None
    started = process_time()
    try:
        ended = outcome(session, "value", Arguments((call,)))
    except CannotGoOn:
        return None
    seconds = process_time() - started
    return None if ended.raised else KeptCall(call, label, started, seconds, ended.value, answered=True)


def _looks_at_types(item: pytest.Function) -> bool:
    try:
        return "dtype=" in inspect.getsource(item.obj)
    except (OSError, TypeError):
        return False


def _candidates(recorded: Sequence[KeptCall], types: bool) -> Iterator[PublicCall]:
    """Values first; then what is asked of generators; then pairs of calls. What probes do comes after real calls."""
    plain = sorted((kept for kept in recorded if _plain(kept)), key=lambda kept: kept.made.how == "probe")
    by_label: dict[str, list[KeptCall]] = {}
    for kept in plain:
        by_label.setdefault(kept.label, []).append(kept)
    few = {
        label: sorted(those, key=lambda kept: Arguments((kept.made,)).numbers)[: 2 if "(" in label else CALLS]
        for label, those in by_label.items()
    }
    for label, those in few.items():
        for kept in those:
            for made in (kept.made, *parts_of(kept.made, kept.value)):
                yield PublicCall(label, "value", Arguments((made,)))
    if types:
        for label, those in few.items():
            for kept in those:
                for made in (kept.made, *parts_of(kept.made, kept.value)):
                    yield PublicCall(label, "value", Arguments((made,)), types=True)
    asked: tuple[Asked, ...] = ("twice", "seeds", "free")
    for label, those in few.items():
        for kept in those[:1]:
            if any(isinstance(leaf, Seeded) for leaf in Arguments((kept.made,)).leaves):
                yield from (PublicCall(label, one, Arguments((kept.made,))) for one in asked)
    for label, several in by_label.items():
        for first, second in list(pairwise(several))[:PAIRS]:
            if _shapes(first.value) == _shapes(second.value) != ():
                yield PublicCall(label, "pair", Arguments((first.made, second.made)))
    for label, those in few.items():
        for kept in those[:2]:
            for pair in _rows(kept):
                yield PublicCall(label, "pair", Arguments(pair))


def _plain(kept: KeptCall) -> bool:
    """Whether a call says something of the code that is judged, soon, and in what can be shown."""
    if isinstance(kept.value, Handle) or (kept.answered and kept.value is None) or kept.seconds > SLOW:
        return False
    call = Arguments((kept.made,))
    return any(made.how == "name" for made in within(call)) and _volume(call) <= LARGEST


def _volume(call: Arguments) -> int:
    return sum(leaf.numel() for leaf in call.leaves if isinstance(leaf, Tensor))


def _shapes(value: object) -> tuple[object, ...]:
    if isinstance(value, Tensor):
        return (tuple(value.shape), value.dtype)
    return tuple(map(_shapes, value)) if isinstance(value, list | tuple) else ()


def _rows(kept: KeptCall) -> Iterator[tuple[Made, Made]]:
    """The first row of an answer for several rows, and the answer for that row alone."""
    made = kept.made
    sizes = {arg.shape[0] for arg in made.args if isinstance(arg, Tensor) and arg.ndim}
    for size in sizes - {0, 1}:
        alone = replace(made, args=tuple(
            arg[:1].clone() if isinstance(arg, Tensor) and arg.ndim and arg.shape[0] == size else arg
            for arg in made.args
        ))  # fmt: skip
        whole = [(made, alone, kept.value)]
        if isinstance(kept.value, list | tuple):
            whole = [(Made("part", k, made), Made("part", k, alone), v) for k, v in enumerate(kept.value[:3])]
        for of_all, of_one, value in whole:
            if isinstance(value, Tensor) and value.ndim and value.shape[0] == size:
                yield Made("part", 0, of_all), Made("part", 0, of_one)
