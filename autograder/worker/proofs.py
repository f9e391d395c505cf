"""Replies of probes carry a proof: a seal over the whole frame, by a key that the judge has given before it sent a line
of the submission. Only the code below has it, and only sets it where nothing that a probe relies on has been replaced.

What is watched, whenever the judge asks for a look: the functions of torch that probes use, ours, and the probes
themselves, each by identity and, where written in Python, by its code. What stands in this process can be found in it:
who searches its memory for the key, or puts everything back before the look, is not seen.
`docs/explanation/isolation.md` says what remains.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from operator import attrgetter, is_not
from typing import cast

from autograder.wire.channel import Channel, Frame
from autograder.wire.values import Unusable, WireError
from autograder.worker import compiled, probes
from autograder.worker.dispatcher import Dispatcher, Reply
from autograder.worker.probes import Target
from autograder.worker.raised import REPLACED, Raised, describe_exception

Answering = Callable[[Frame[object]], None]
Holder = Mapping[str, object]

# Modules whose functions and classes probes use, torch's and ours.
_WATCHED = (
    "torch", "torch.autograd", "torch.func", "torch.linalg", "torch.nn", "torch.nn.functional", "torch.nn.init",
    "torch.random", "autograder.wire.channel", "autograder.wire.decoding", "autograder.wire.encoding",
    "autograder.worker.compiled", "autograder.worker.dispatcher", "autograder.worker.objects",
    "autograder.worker.probes", "autograder.worker.raised",
    "autograder.worker.service", __name__,
)  # fmt: skip
_BUILTINS = (
    "isinstance", "type", "len", "list", "dict", "tuple", "zip", "map", "getattr", "hasattr", "sum", "range", "all",
    "any", "enumerate", "float", "int", "super", "sorted", "min", "max", "callable", "abs", "set", "iter", "next",
)  # fmt: skip


# Beneath what probes name.
_ALWAYS = frozenset((
    "grad", "backward", "manual_seed", "linear", "forward", "apply", "item", "detach", "clone", "equal", "allclose",
    "isclose", "isfinite", "__call__", "__init__", "__torch_function__", "__getattr__", "__setattr__", "__getitem__",
    "__bool__", "__eq__", "__ne__", "__sub__", "__add__", "__mul__", "__float__", "_call_impl", "_wrapped_call_impl",
    *_BUILTINS,
))  # fmt: skip
_OURS = ("autograder.", "probes")

_any, _map, _code = any, map, attrgetter("__code__")  # as they are now, whatever becomes of the names


class Watch:
    """Tells which of the functions in some places is another one now.

    Args:
        places: names and what holds the functions: modules and classes.
        names: of the functions to be watched where they are not ours: in a fork each one that is touched costs a copy.
    """

    def __init__(self, places: Iterator[tuple[str, object]], names: frozenset[str] = frozenset()) -> None:
        self._holders: list[tuple[str, Holder, list[str], list[object]]] = []
        self._functions: list[types.FunctionType] = []
        self._classes: list[tuple[str, Holder, int, frozenset[str]]] = []  # with what they inherit
        for place, owner in places:
            holder: Holder = vars(owner)
            found: dict[str, object] = {
                key: value
                for key, value in (
                    list(holder.items())
                    if place.startswith(_OURS)
                    else [(key, holder[key]) for key in names if key in holder]
                )
                if (callable(value) or isinstance(value, property | classmethod | staticmethod))
                and (place != "builtins" or key in _BUILTINS)
            }
            self._holders.append((place, holder, list(found), list(found.values())))
            if isinstance(owner, type):
                bases = [vars(base) for base in owner.__mro__[1:]]
                inherited = frozenset(name for name in names if name not in holder and any(name in b for b in bases))
                self._classes.append((place, holder, len(holder), inherited))
            self._functions += [value for value in found.values() if isinstance(value, types.FunctionType)]
        self._codes = list(map(_code, self._functions))

    def replaced(self, allowed: set[int]) -> str:
        """The first that is another one now, empty where none is.

        allowed: ids of what our own fence has put there.
        """
        for place, holder, keys, values in self._holders:
            if _any(_map(is_not, _map(holder.get, keys), values)):
                for key, value in zip(keys, values, strict=True):
                    now = holder.get(key)
                    if now is not value and id(now) not in allowed:
                        return f"{place}.{key}"
        for place, holder, size, inherited in self._classes:
            if size != len(holder):
                for key in inherited & holder.keys():
                    if id(holder[key]) not in allowed:
                        return f"{place}.{key}"
        if _any(_map(is_not, _map(_code, self._functions), self._codes)):
            for function, before in zip(self._functions, self._codes, strict=True):
                if function.__code__ is not before and id(function.__code__) not in allowed:
                    return f"{function.__module__}.{function.__qualname__}"
        return ""


def _places(names: frozenset[str]) -> Iterator[tuple[str, object]]:
    for name in _WATCHED:
        module = sys.modules.get(name)
        if module is None:
            continue
        yield name, module
        if name.startswith(_OURS):
            yield from [(f"{name}.{k}", v) for k, v in list(vars(module).items())
                        if isinstance(v, type) and v.__module__ == name]  # fmt: skip
        elif name == "torch.nn":
            yield from [(f"{name}.{k}", vars(module)[k]) for k in names if isinstance(vars(module).get(k), type)]
    import torch

    yield "builtins", builtins
    yield "torch.Tensor", torch.Tensor
    yield "torch.nn.Module", torch.nn.Module


def sealed(key: bytes, names: Iterable[str], channel: Channel[object], dispatcher: Dispatcher) -> Answering:
    """What answers requests about probes from now on. Called before a line of the submission is there.

    Args:
        key: of this worker.
        names: those that the exercise's probes use.
        channel: to the judge.
        dispatcher: of this worker.
    """
    used = frozenset(names) | names_in(*(function.__code__ for function in _written(probes.GENERIC))) | _ALWAYS
    watch = Watch(_places(used), used)
    own: Watch | None = None
    table: dict[str, Target] = dict(probes.GENERIC)
    send, describe, define, plain = Channel.send, describe_exception, compiled.define, asdict

    def reply_to(message: Frame[object]) -> Reply:
        nonlocal own
        request = cast("dict[str, object]", message.value)
        if message.kind == "probes":
            defined = define(cast(str, request["code"]))
            table.update(defined)
            own = Watch(iter([("probes", _namespace(defined))]))
            return "done", None
        run = table[cast(str, request["name"])]
        return "value", run(*cast("list[object]", request["args"]), **cast("dict[str, object]", request["kwargs"]))

    def answer(message: Frame[object]) -> None:
        try:
            kind, value = reply_to(message)
        except BaseException as error:
            kind, value = "raised", plain(describe(error, dispatcher.files))
        fence = dispatcher.fence.put
        looks = cast("dict[str, object]", message.value).get("look")
        if looks and (name := watch.replaced(fence) or (own.replaced(fence) if own is not None else "")):
            kind, value = "raised", plain(Raised(REPLACED, (), name, "", 0, "", False))
        try:
            send(channel, message.number, kind, value, key=key)
        except WireError as error:
            unusable = Unusable(f"an answer that is too large to be read ({error})")
            send(channel, message.number, "value", unusable, key=key)

    return answer


def names_in(*codes: types.CodeType) -> frozenset[str]:
    """Every name that these use for something of others."""
    found: set[str] = set()
    todo = list(codes)
    while todo:
        code = todo.pop()
        found.update(code.co_names)
        todo += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return frozenset(found)


def _written(functions: Mapping[str, object]) -> list[types.FunctionType]:
    return [function for function in functions.values() if isinstance(function, types.FunctionType)]


class _Names:
    """Holds these names themselves, no copy."""

    def __init__(self, names: dict[str, object]) -> None:
        self.__dict__ = names


def _namespace(defined: Mapping[str, object]) -> _Names:
    """What the functions of the probes find by name."""
    own = [f for f in defined.values() if isinstance(f, types.FunctionType) and f.__module__ == "probes"]
    return _Names(own[0].__globals__ if own else {})
