"""Answers the judge's requests on the student's objects.

Requests (kind: fields) and their replies:

    load      name, cells, skip, seconds   -> progress* then loaded: names, problems     (in service.py)
    seed      n                            -> done              global generators are set before each check
    get       target, name                 -> value | missing | raised
    call      target, args, kwargs, seed?  -> value | raised    a seed is that of the global generators, set before
    probes    code                         -> done | raised     defines the exercise's probes, from compiled code
    probe     name, args, kwargs, look     -> value | raised    in a worker these two are answered by `proofs`
    key       key, names                   -> done              in service.py, before anything is loaded
    release   numbers                      -> done
    forbid    names                        -> done | raised     until the next one; no names lift it
    mentions  cells, names                 -> value             before anything is loaded

The judge runs the same dispatcher on its own known mistakes, so that a diagnosis compares like with like.
"""

from __future__ import annotations

import random
from dataclasses import asdict
from typing import Protocol, TypeAlias, cast

from autograder.wire.values import CellData, HandleReference
from autograder.worker import accelerator, compiled, probes
from autograder.worker.forbidden import Fence, mentions, namespace_of
from autograder.worker.objects import Objects
from autograder.worker.probes import Target
from autograder.worker.raised import describe_exception

_MISSING = object()
Reply: TypeAlias = tuple[str, object]  # kind and value


class Dispatcher:
    """The objects behind handles, and the probes.

    Args:
        device: where modules made by the student's code are put; None is the CPU.
    """

    def __init__(self, device: str | None = None) -> None:
        self.objects = Objects()
        self.device = device
        self.probes: dict[str, Target] = dict(probes.GENERIC)
        self.files: frozenset[str] = frozenset()
        self.fence = Fence()
        self.generators = accelerator.EitherDevice()  # in force where there is a device

    def answer(self, kind: str, request: dict[str, object]) -> Reply:
        """The kind and the value of the reply to one request; one with a `seed` sets the global generators before."""
        seed = request.pop("seed", None)
        try:
            if type(seed) is int:
                self._seed(seed)
            return _HANDLERS[kind](self, **request)
        except BaseException as error:
            return "raised", asdict(describe_exception(error, self.files))

    def make_handle(self, value: object) -> HandleReference:
        """Keep `value` here, and give the handle that stands for it."""
        if self.device is not None:
            import torch

            if isinstance(value, torch.nn.Module):
                value.to(self.device)
        return self.objects.make_handle(value)

    def _seed(self, n: int) -> Reply:
        import numpy as np
        import torch

        if self.device is None:
            # torch.manual_seed formats the call stack for each kind of accelerator that is not there: milliseconds.
            torch.default_generator.manual_seed(n)
        else:
            torch.manual_seed(n)
        random.seed(n)
        np.random.seed(n % 2**32)
        # A default that one check's code changed must not reach the next check.
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        accelerator.full_precision()
        self.generators.forget()
        return "done", None

    def _get(self, target: object, name: str) -> Reply:
        value = getattr(target, name, _MISSING)
        return ("missing", name) if value is _MISSING else ("value", value)

    def _call(self, target: Target, args: list[object], kwargs: dict[str, object]) -> Reply:
        return "value", target(*args, **kwargs)

    def _probes(self, code: str) -> Reply:
        self.probes = probes.GENERIC | compiled.define(code)
        return "done", None

    def _probe(self, name: str, args: list[object], kwargs: dict[str, object], look: bool = False) -> Reply:
        return "value", self.probes[name](*args, **kwargs)

    def _release(self, numbers: list[int]) -> Reply:
        self.objects.release(numbers)
        return "done", None

    def _forbid(self, names: list[str]) -> Reply:
        self.fence.lift()
        self.fence.forbid(names, namespace_of(self.objects.module))
        return "done", None

    def _mentions(self, cells: list[CellData], names: list[str]) -> Reply:
        return "value", [asdict(mention) for mention in mentions(cells, names)]


class _Handler(Protocol):
    def __call__(self, dispatcher: Dispatcher, /, **fields: object) -> Reply: ...


# Each has parameters of its own; the judge, who names them, is believed.
_HANDLERS = cast(
    dict[str, _Handler],
    {
        "seed": Dispatcher._seed,
        "get": Dispatcher._get,
        "call": Dispatcher._call,
        "probes": Dispatcher._probes,
        "probe": Dispatcher._probe,
        "release": Dispatcher._release,
        "forbid": Dispatcher._forbid,
        "mentions": Dispatcher._mentions,
    },
)
