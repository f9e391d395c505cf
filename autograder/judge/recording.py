"""How every answer of a check came about: which calls, on which values, so that they can be made again on other code.

What a check asks of the code that it judges becomes an expression: `q_sample(Diffusion(betas), x0, t)` is a call whose
first argument was made by another call. Leaves are plain data, which may be replaced by smaller data; objects (modules,
functions) are never kept themselves, only the calls that made them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from autograder.judge.remote import Handle

if TYPE_CHECKING:
    from autograder.judge.session import Session

How = Literal["name", "get", "call", "probe", "part"]
MOST_KEPT = 400  # answers of one check


@dataclass(frozen=True)
class Seeded:
    """A generator that is passed, by its seed."""

    seed: int


@dataclass(frozen=True, eq=False)
class Made:
    """A value by what made it.

    Attributes:
        how: a public name, an attribute of `of`, a call of it, a part of it, or a probe.
        name: of the public name, the attribute or the probe; which part.
        args, kwargs: of calls and probes: plain data and what was made.
    """

    how: How
    name: str | int = ""
    of: Made | None = None
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict)

    def mapped(self, change: Callable[[object], object]) -> Made:
        """The same, made of changed things."""
        of = change(self.of) if self.of is not None else None
        assert of is None or isinstance(of, Made)
        args = tuple(map(change, self.args))
        return Made(self.how, self.name, of, args, {name: change(value) for name, value in self.kwargs.items()})

    @property
    def contract_name(self) -> str:
        """What it is, or is made by, in the contract: `f`, `Class`, `Class.method`; empty for what probes make."""
        if self.how in ("name", "probe"):
            return str(self.name) if self.how == "name" else ""
        inner = self.of.contract_name if self.of is not None else ""
        if self.how == "get":
            return f"{inner}.{self.name}" if inner else ""
        if self.how == "call" and self.of is not None and self.of.how in ("call", "probe", "part"):
            return f"{inner}.forward" if inner else ""
        return inner


def uses(values: Sequence[object]) -> list[Made | Tensor]:
    """Every place where a tensor or something made is used, the outermost first; what was made is entered once."""
    found: list[Made | Tensor] = []
    entered: set[int] = set()

    def look(value: object) -> object:
        if isinstance(value, Made | Tensor):
            found.append(value)
        if isinstance(value, Made) and id(value) not in entered:
            entered.add(id(value))
            value.mapped(look)
        elif isinstance(value, list | tuple):
            list(map(look, value))
        elif isinstance(value, dict):
            list(map(look, value.values()))
        return value

    list(map(look, values))
    return found


def passed(values: Sequence[object]) -> list[Made]:
    """What was made by a call or a probe and is passed to another, once each."""
    found: dict[int, Made] = {}

    def look(value: object, given: bool) -> None:
        if isinstance(value, Made):
            if given and value.how in ("call", "probe"):
                found[id(value)] = value
            look(value.of, False)
            for item in (*value.args, *value.kwargs.values()):
                look(item, True)
        elif isinstance(value, list | tuple):
            for item in value:
                look(item, given)
        elif isinstance(value, dict):
            look(list(value.values()), given)

    for value in values:
        look(value, False)
    return list(found.values())


def exchanged(values: Sequence[object], others: Mapping[int, Made]) -> tuple[object, ...]:
    """The same with others in the place of some that were made, by their ids; the rest stands for itself."""
    known: dict[int, Made] = dict(others)

    def of(value: object) -> object:
        if isinstance(value, Made):
            if id(value) not in known:
                known[id(value)] = value.mapped(of)
            return known[id(value)]
        if isinstance(value, list | tuple):
            return type(value)(map(of, value))
        return {name: of(item) for name, item in value.items()} if isinstance(value, dict) else value

    return tuple(map(of, values))


@dataclass
class KeptCall:
    """A call that was made, and what came of it."""

    made: Made
    label: str
    started: float
    seconds: float = 0.0  # of this process, where the code runs in it
    value: object = None
    answered: bool = False


class Unknown(Exception):
    """Something is passed of which nobody knows where it comes from."""


class Recorder:
    """Notes the calls of one check on one session."""

    def __init__(self) -> None:
        self.kept: list[KeptCall] = []
        self._objects: dict[int, tuple[object, Made]] = {}
        self._seeds: dict[int, int] = {}  # of generators: small ones in their place
        self._passed: list[Tensor] = []  # each tensor once, however often it is passed

    @property
    def live(self) -> dict[int, object]:
        """The objects that were made, by the id of what made them."""
        return {id(made): value for value, made in self._objects.values() if isinstance(value, Handle)}

    @property
    def labels(self) -> dict[int, str]:
        """What those objects are called."""
        objects = [(value, made) for value, made in self._objects.values() if isinstance(value, Handle)]
        return {id(made): value._label for value, made in objects if made.how in ("call", "probe", "part")}

    def named(self, value: object, name: str) -> None:
        """A public name was read."""
        self._remember(value, Made("name", name))

    def got(self, handle: Handle, name: str, value: object) -> None:
        """An attribute was read; data among them is an answer too."""
        of = self._objects.get(id(handle))
        if of is not None:
            made = Made("get", name, of[1])
            self._remember(value, made)
            if not isinstance(value, Handle):
                self.kept.append(KeptCall(made, f"{handle._label}.{name}", 0.0, 0.0, value, answered=True))

    def call(self, handle: Handle, args: Sequence[object], kwargs: Mapping[str, object]) -> KeptCall | None:
        """Something is called, or None where it cannot be written down; tell `answer` what comes."""
        of = self._objects.get(id(handle))
        return None if of is None else self._begun(Made("call", of=of[1]), handle._label, args, kwargs)

    def probe(self, name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> KeptCall | None:
        """The same for a probe."""
        return self._begun(Made("probe", name), name, args, kwargs)

    def answer(self, kept: KeptCall | None, value: object) -> None:
        """What came of a call."""
        if kept is not None:
            kept.value, kept.answered = value, True
            kept.seconds = time.process_time() - kept.started
            self._remember(value, kept.made)

    def _begun(self, made: Made, label: str, args: Sequence[object], kwargs: Mapping[str, object]) -> KeptCall | None:
        if len(self.kept) >= MOST_KEPT:
            return None
        try:
            whole = replace(
                made,
                args=tuple(map(self._given, args)),
                kwargs={name: self._given(value) for name, value in kwargs.items()},
            )
        except Unknown:
            return None
        kept = KeptCall(whole, label, time.process_time())
        self.kept.append(kept)
        return kept

    def _remember(self, value: object, made: Made) -> None:
        if isinstance(value, Handle | Tensor):
            self._objects[id(value)] = value, made
        elif isinstance(value, list | tuple):
            for place, item in enumerate(value[:10]):
                self._remember(item, Made("part", place, made))
        elif isinstance(value, dict):
            for key, item in list(value.items())[:10]:
                if isinstance(key, str):
                    self._remember(item, Made("part", key, made))

    def _given(self, value: object) -> object:
        """What is passed, made of plain data and of what was made before."""
        if value is None or isinstance(value, bool | int | float | str | torch.dtype):
            return value
        if isinstance(value, torch.Generator):
            return Seeded(self._seeds.setdefault(value.initial_seed(), len(self._seeds)))
        if isinstance(value, Tensor):
            return self._tensor(value)
        if isinstance(value, Handle):
            if id(value) not in self._objects:
                raise Unknown
            return self._objects[id(value)][1]
        if isinstance(value, list | tuple):
            return type(value)(map(self._given, value))
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {key: self._given(item) for key, item in value.items()}
        raise Unknown

    def _tensor(self, value: Tensor) -> object:
        if value.is_complex() or value.requires_grad:
            raise Unknown
        if id(value) in self._objects:  # an earlier answer, passed on as it came
            return self._objects[id(value)][1]
        floating = value.is_floating_point() and value.numel() > 1
        if floating:  # or a copy of one
            for other, made in reversed(self._objects.values()):
                if isinstance(other, Tensor) and _equal(other, value):
                    return made
        for known in self._passed:
            if _equal(known, value):
                return known
        self._passed.append(value.clone())
        return self._passed[-1]


def _equal(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b)


class NoPart(Exception):
    """An answer has no such part."""


def evaluate(session: Session, value: object, live: Mapping[int, object] | None = None) -> object:
    """What a session answers to an expression: everything that is shared in it is made once.

    Args:
        live: objects that are there already, by the id of what made them.

    Raises:
        StudentError: a call in it has raised.
        NoPart: an answer in it is not made of the parts that are asked for.
    """
    known: dict[int, object] = dict(live or {})

    def of(one: object) -> object:
        if isinstance(one, Made):
            if id(one) not in known:
                known[id(one)] = made(one)
            return known[id(one)]
        if isinstance(one, Tensor):
            return one.clone()
        if isinstance(one, Seeded):
            return torch.Generator().manual_seed(one.seed)
        if isinstance(one, list | tuple):
            return type(one)(map(of, one))
        return {key: of(item) for key, item in one.items()} if isinstance(one, dict) else one

    def made(one: Made) -> object:
        if one.how == "name":
            return session.get_public(str(one.name))
        args, kwargs = tuple(map(of, one.args)), {name: of(item) for name, item in one.kwargs.items()}
        if one.how == "probe":
            return session.probe(str(one.name), args, kwargs)
        thing = of(one.of)
        if one.how == "part":
            parts = isinstance(thing, list | tuple | Tensor) and isinstance(one.name, int) and _long(thing) > one.name
            if parts or (isinstance(thing, dict) and one.name in thing):
                return thing[one.name]  # type: ignore[index]
            raise NoPart
        if not isinstance(thing, Handle):
            raise NoPart
        return session.get(thing, str(one.name)) if one.how == "get" else session.call(thing, args, kwargs)

    return of(value)


def _long(value: object) -> int:
    return 0 if isinstance(value, Tensor) and value.ndim == 0 else len(value)  # type: ignore[arg-type]
