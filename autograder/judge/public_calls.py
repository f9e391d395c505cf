"""The calls of a check that anybody may know: what it asks of the reference, on public numbers.

Their seed follows from the exercise and the check alone; images are drawn too. What is right of such a call is what the
reference and every alternative agree on (`outcomes`).
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
from autograder.judge.ladder import plainer, rungs
from autograder.judge.loading import Code
from autograder.judge.local import LocalTransport
from autograder.judge.outcomes import LARGEST, Asked, CannotGoOn, Ended, Right, outcome, parts_of, settled
from autograder.judge.parts import Parts
from autograder.judge.recording import KeptCall, Made, NoPart, Recorder, Seeded, evaluate, uses
from autograder.judge.remembered import PlainCall, Remembered, call_of, is_plain_data, plain
from autograder.judge.remote import Handle
from autograder.judge.session import Session
from autograder.judge.verdicts import StudentError
from autograder.worker.probes import GENERIC

if TYPE_CHECKING:
    from autograder.course.data import Split
    from autograder.course.sets import PublishedSet
    from autograder.judge.engine import Engine, Kit

CALLS = 4  # of one function, which are tried
PAIRS = 4
DIRECT = 12  # calls within probes, which are tried by themselves
SECONDS = 20.0  # of the reference in one check
SLOW = 0.25  # seconds of a call that is not made again and again
PATIENCE = 2.0  # processor seconds of one call of right code
PLAINER = 2.0  # of all that is tried to make one call plainer
WORTH_KEEPING = 0.004  # processor seconds of an answer of right code that the next judge need not ask for
MOST_KNOWN = 50_000  # answers of right code that are kept
IMAGES = 64

Rerun = Callable[[pytest.Function, Case], None]


@dataclass(frozen=True)
class PublicCall:
    """A call, and what is asked of it.

    Attributes:
        label: what is called, as sessions name it.
        types: whether containers and dtypes are looked at.
    """

    label: str
    asked: Asked
    call: Arguments
    types: bool = False

    @property
    def function(self) -> str:
        """The public function or class that it is about."""
        return next((str(made.name) for made in _within(self.call) if made.how == "name"), "")


class RightCode:
    """The reference and the alternatives of one exercise, asked what is right. Answers are kept for all submissions."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.calls: dict[tuple[str, int], tuple[PublicCall, ...]] = {}  # by check and run
        self.remembered = Remembered(kit.exercise)
        self._shown: dict[str, PublicCall | None] = {}
        self._known: dict[tuple[int, str], Ended | None] = {}
        self._plainer: dict[int, tuple[PublicCall, list[Arguments]]] = {}
        self._rungs: dict[int, tuple[PublicCall, list[Arguments], Iterator[Arguments]]] = {}  # as far as asked for

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        """On the reference and on every alternative."""
        kit = self._kit
        modules = (kit.reference, *kit.alternatives)
        code = Code(kit.exercise.id, (), kit.probes)
        sessions = tuple(Session(LocalTransport(m, patience=PATIENCE), code, 60.0) for m in modules)
        for session in sessions:
            session.begin_check("examples", math.inf, 0)
        return sessions

    @cached_property
    def probe_words(self) -> Mapping[str, str]:
        """What each probe does, as its docstring begins, by name."""
        found = {name: inspect.getdoc(probe) or "" for name, probe in GENERIC.items()}
        path = self._kit.exercise.probes
        if path.is_file():
            body = ast.parse(path.read_text(encoding="utf-8")).body
            found |= {node.name: ast.get_docstring(node) or "" for node in body if isinstance(node, ast.FunctionDef)}
        return {name: " ".join(text.split("\n\n")[0].split()) for name, text in found.items()}

    def shown_by(self, mistake: str, check: str, search: Callable[[], PublicCall | None]) -> PublicCall | None:
        """The small call of a check that shows a known mistake; None where there is none. It is looked for once.

        Args:
            search: finds it, or that there is none.
        """
        name = f"{mistake} in {check}"
        if name not in self._shown:
            if name in self.remembered:
                written = cast("tuple[str, Asked, bool, PlainCall] | None", self.remembered[name])
                self._shown[name] = written and PublicCall(written[0], written[1], call_of(written[3]), written[2])
            else:
                found = self._shown[name] = search()
                self.remembered[name] = found and [found.label, found.asked, found.types, plain(found.call)]
        return self._shown[name]

    def rungs(self, one: PublicCall) -> Iterator[Arguments]:
        """Small versions of a call that the reference answers, those first that show the most for their size."""
        if id(one) not in self._rungs:
            self._rungs[id(one)] = one, [], rungs([one.call, *self.plainer(one)], lambda call: self._answers(one, call))
        _one, known, more = self._rungs[id(one)]
        yield from known
        for call in more:
            known.append(call)
            yield call

    def plainer(self, one: PublicCall) -> Sequence[Arguments]:
        """The call with simpler objects, or with few numbers that need be said, where right code has an answer."""
        if id(one) not in self._plainer:
            end = process_time() + PLAINER
            found = plainer(one.call, lambda call: process_time() < end and self._answers(one, call), self._is_object)
            self._plainer[id(one)] = one, list(found)
        return self._plainer[id(one)][1]

    def _answers(self, one: PublicCall, call: Arguments) -> bool:
        """Whether the reference answers where it answers the call itself, and refuses where it refuses that."""
        first, found = self.says(one, asked=1), self.says(one, call, asked=1)
        return first is not None and found is not None and bool(found.ended.raised) == bool(first.ended.raised)

    def _is_object(self, made: Made) -> bool:
        try:
            return isinstance(evaluate(self.sessions[0], made), Handle)
        except (StudentError, NoPart):
            return False

    def says(self, one: PublicCall, call: Arguments | None = None, asked: int | None = None) -> Right | None:
        """What is right of a call, or of another one in its place; None where nothing is settled.

        Args:
            asked: how many of them are, from the reference on; all without it.
        """
        call = one.call if call is None else call
        key = f"{one.asked} {list(map(_key, call.args))}"
        found: list[Ended] = []
        for place, session in enumerate(self.sessions[:asked]):
            if (place, key) not in self._known:
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known[place, key] = self._outcome(place, session, one, call, key)
            ended = self._known[place, key]
            if ended is None:
                return None
            found.append(ended)
            if place == 0 and settled(found, one.types) is None:
                return None  # nothing to be seen whatever the others say
        return settled(found, one.types)

    def _outcome(self, place: int, session: Session, one: PublicCall, call: Arguments, key: str) -> Ended | None:
        """How a call ends on one of them; what takes long is kept for the next judge."""
        name = f"answer {place} to {hashlib.sha256(key.encode()).hexdigest()[:32]}"
        if name in self.remembered:
            value, raised = cast("tuple[PlainCall, str]", self.remembered[name])
            return Ended(call_of(value).args[0], raised)
        started = process_time()
        ended = _outcome(session, one, call)
        slow = process_time() - started > WORTH_KEEPING
        kept = slow and one.asked == "value" and self.remembered.has_room
        if kept and ended is not None and is_plain_data(ended.value):
            self.remembered[name] = [plain(Arguments((ended.value,))), ended.raised]
        return ended


def _outcome(session: Session, one: PublicCall, call: Arguments) -> Ended | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sizes that nobody would choose
        try:
            return outcome(session, one.asked, call)
        except CannotGoOn:
            return None


def _key(value: object) -> str:
    if isinstance(value, Made):
        inside = [*map(_key, value.args), *(f"{name}={_key(item)}" for name, item in value.kwargs.items())]
        return f"{value.how} {value.name} {_key(value.of) if value.of is not None else ''}({','.join(inside)})"
    if isinstance(value, Tensor):
        return f"{value.dtype}{tuple(value.shape)}{_digest(value)}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}[{','.join(map(_key, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{name}:{_key(item)}' for name, item in value.items())}}}"
    return repr(value)


def _digest(value: Tensor) -> str:
    return hashlib.sha256(value.detach().contiguous().numpy().tobytes()).hexdigest()[:16]


def public_calls(
    kit: Kit, item: pytest.Function, info: CheckInfo, case: Case, run: int, rerun: Rerun
) -> tuple[PublicCall, ...]:
    """The calls that the check makes of the reference in this run of it, the plainest first."""
    known = kit.right_code.calls
    if (info.id, run) not in known:
        recorded = _recorded(kit, item, info, case, run, rerun)
        direct = [kept for one in recorded if (kept := _directly(kit.right_code.sessions[0], one)) is not None]
        known[info.id, run] = tuple(_candidates([*direct[:DIRECT], *recorded], _looks_at_types(item)))
    return known[info.id, run]


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
    return any(made.how == "name" for made in _within(call)) and _volume(call) <= LARGEST


def _volume(call: Arguments) -> int:
    return sum(leaf.numel() for leaf in call.leaves if isinstance(leaf, Tensor))


def _within(call: Arguments) -> list[Made]:
    """All that was made on the way, the outermost first."""
    return [made for made in uses(call.args) if isinstance(made, Made)]


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
