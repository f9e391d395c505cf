"""The reference and the alternatives of an exercise, asked what is right of a call on public numbers.

What they agree on is right (`outcomes`). Each is asked once, and what every submission leads to is kept for the next
judge.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import process_time
from typing import TYPE_CHECKING, cast

from torch import Tensor

from autograder.judge.arguments import Arguments
from autograder.judge.ladder import plainer, rungs
from autograder.judge.loading import Code
from autograder.judge.local import LocalTransport
from autograder.judge.outcomes import Asked, CannotGoOn, Ended, Right, outcome, settled
from autograder.judge.recording import Made, NoPart, evaluate, uses
from autograder.judge.remembered import PlainCall, Remembered, call_of, is_plain_data, plain
from autograder.judge.remote import Handle
from autograder.judge.session import Session
from autograder.judge.verdicts import StudentError
from autograder.worker.probes import GENERIC

if TYPE_CHECKING:
    from autograder.judge.engine import Kit

PATIENCE = 2.0  # processor seconds of one call of right code
PLAINER = 2.0  # of all that is tried to make one call plainer
WORTH_KEEPING = 0.004  # processor seconds of an answer to one submission's call that another judge need not ask for
MOST_KNOWN = 50_000  # answers of right code that are kept


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
        return next((str(made.name) for made in within(self.call) if made.how == "name"), "")

    @property
    def as_fact(self) -> PlainCall:
        """The same as plain data."""
        return [self.label, self.asked, self.types, plain(self.call)]

    @classmethod
    def of_fact(cls, fact: PlainCall) -> PublicCall:
        """The one that was written so."""
        label, asked, types, call = cast("tuple[str, Asked, bool, PlainCall]", fact)
        return cls(label, asked, call_of(call), types)


class RightCode:
    """The reference and the alternatives of one exercise, asked what is right. Answers are kept for all submissions."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.remembered = Remembered(kit.exercise)
        self._known: dict[tuple[int, str], Ended | None] = {}
        self._right: dict[tuple[int | None, bool, str], Right | None] = {}
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

    def calls_of(self, check: str, run: int, record: Callable[[], Sequence[PublicCall]]) -> Sequence[PublicCall]:
        """What a check asks on public numbers in this run of it.

        Args:
            record: finds it out.
        """
        return self.remembered.once(
            f"calls of {check} in run {run}", record, lambda calls: [one.as_fact for one in calls],
            lambda facts: [PublicCall.of_fact(fact) for fact in cast("list[PlainCall]", facts)],
        )  # fmt: skip

    def shown_by(self, mistake: str, check: str, search: Callable[[], PublicCall | None]) -> PublicCall | None:
        """The small call of a check that shows a known mistake; None where there is none.

        Args:
            search: finds it, or that there is none.
        """
        return self.remembered.once(
            f"{mistake} in {check}", search,
            lambda found: found and found.as_fact, lambda fact: PublicCall.of_fact(fact) if fact else None,
        )  # fmt: skip

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

    def says(
        self, one: PublicCall, call: Arguments | None = None, asked: int | None = None, trying: bool = False
    ) -> Right | None:
        """What is right of a call, or of another one in its place; None where nothing is settled.

        Args:
            asked: how many of them are, from the reference on; all without it.
            trying: whether what a submission answers has led to this call: nobody else will ask.
        """
        call = one.call if call is None else call
        key = f"{one.asked} {list(map(_key, call.args))}"
        place = asked, one.types, key
        if place not in self._right:
            if len(self._right) >= MOST_KNOWN:
                self._right.clear()
            self._right[place] = self._said(one, call, key, asked, trying)
        return self._right[place]

    def _said(self, one: PublicCall, call: Arguments, key: str, asked: int | None, trying: bool) -> Right | None:
        found: list[Ended] = []
        for place, session in enumerate(self.sessions[:asked]):
            if (place, key) not in self._known:
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known[place, key] = self._outcome(place, session, one, call, key, trying)
            ended = self._known[place, key]
            if ended is None:
                return None
            found.append(ended)
            if place == 0 and settled(found, one.types) is None:
                return None  # nothing to be seen whatever the others say
        return settled(found, one.types)

    def _outcome(
        self, place: int, session: Session, one: PublicCall, call: Arguments, key: str, trying: bool
    ) -> Ended | None:
        """How a call ends on one of them; kept for the next judge where it will ask too, or where it takes long."""
        name = f"answer {place} to {_digest(key.encode())}"
        if name in self.remembered:
            value, raised = cast("tuple[PlainCall, str]", self.remembered[name])
            return Ended(call_of(value).args[0], raised)
        started = process_time()
        ended = _outcome(session, one, call)
        worth = not trying or process_time() - started > WORTH_KEEPING
        if worth and self.remembered.has_room and ended is not None and is_plain_data(ended.value):
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
        return f"{value.dtype}{tuple(value.shape)}{_digest(value.detach().contiguous().numpy().tobytes())}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}[{','.join(map(_key, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{name}:{_key(item)}' for name, item in value.items())}}}"
    return repr(value)


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()[:32]


def within(call: Arguments) -> list[Made]:
    """All that was made on the way, the outermost first."""
    return [made for made in uses(call.args) if isinstance(made, Made)]
