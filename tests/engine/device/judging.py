"""Hidden checks on the pretended device: student code, probes and stand-ins run there, the checks here on the CPU.

    python -m pytest -p tests.engine.device.judging tests/hidden/EXERCISE [--submission FILE]

What crosses is what crosses to a worker with a GPU: tensors arrive on the device, modules are moved there, generators
are made there; answers come back to the CPU. `LEDGER` keeps which public names ran in which checks, and by which means,
and which of them with a generator.
With `PRETENDED_LEDGER=FILE` in the environment it is written there when the session ends, with the seconds and the
messages of the checks; with `PRETENDED_CHECKS=EXERCISE/ID,...` only these are judged.
"""

from __future__ import annotations

import json
import os
import re
import types
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.judge import concluding
from autograder.judge.engine import Engine
from autograder.judge.local import LocalTransport
from autograder.judge.reference import load_module
from autograder.judge.remote import Handle
from autograder.judge.transport import Loaded
from autograder.wire.values import HandleReference
from autograder.worker.accelerator import EitherDevice
from tests.engine.device.pretended import CUDA, PretendedDevice, device_of

ON_DEVICE, NO_TENSORS = "tensors on the pretended device", "no tensors in or out"
# By exercise, check and public name, how it ran.
LEDGER: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
_now = [""]  # the check that is judged
_mixed: list[str] = []  # what was refused in it because of devices
_MIXED = re.compile("on the same device|device type|indices should be either|on a different device|not implemented for")
_REPORTS: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)


class _AsTheyAre(EitherDevice):
    def _on(self, generator: torch.Generator, kind: str) -> torch.Generator:
        return generator


class PretendedTransport(LocalTransport):
    """A dispatcher in this process, on the pretended device.

    Args:
        generators: the kind of device on which generators arrive, `cuda` or `cpu`, and stay: each draws on its own
            only, as torch has it. None: as in a worker, where `EitherDevice` lets them draw on both. A plain run of
            pytest takes it from the environment, `PRETENDED_GENERATORS`.
    """

    def __init__(self, exercise: str, generators: str | None = None) -> None:
        super().__init__(types.ModuleType(exercise), "cuda")
        self.exercise = exercise
        self._generators = generators

    def start(self) -> None:
        super().start()
        if self._generators is not None:
            self._dispatcher.generators = _AsTheyAre()

    def load(self, request: dict[str, Any], seconds: float) -> Loaded:
        source = "\n\n".join(cell["source"] for cell in request["cells"])
        self._module = load_module(f"pretended_{self.exercise}", source, f"{self.exercise}.py")
        self._dispatcher.objects.set_module(self._module)
        self._dispatcher.files = frozenset({f"{self.exercise}.py"})
        return super().load(request, seconds)

    def request(self, kind: str, value: dict[str, Any], seconds: float, take_handle: Any) -> tuple[str, Any]:
        if kind == "forbid":  # the check's own code runs in this process too
            return "done", None
        with PretendedDevice():
            reply = super().request(kind, value, seconds, take_handle)
            if reply[0] == "raised" and _MIXED.search(reply[1]["message"]):
                where = f" (line {reply[1]['line']}, {reply[1]['function']})" if reply[1]["line"] else ""
                _mixed.append(f"{value.get('name', 'a call')}: {reply[1]['message']}{where}")
            if kind in ("call", "probe") and reply[0] == "value":
                known = LEDGER[self.exercise][_now[0]]
                means = ON_DEVICE if self._has_tensors((value, reply[1])) else NO_TENSORS
                for name in self._public(value):
                    known[name] = ON_DEVICE if ON_DEVICE in (means, known.get(name)) else NO_TENSORS
                    if "generator" in str(value.get("kwargs", {}).keys()):
                        known[f"{name} with a generator"] = known[name]
        return reply

    def _sent(self, value: dict[str, Any]) -> object:
        sent = super()._sent(value)
        return _on_cpu(sent) if self._generators == "cpu" else sent

    def _objects(self, value: object) -> Iterator[object]:
        """What is in a request or a reply: tensors, and the objects that handles stand for."""
        if isinstance(value, Handle | HandleReference):
            reference = value._reference if isinstance(value, Handle) else value
            yield self._dispatcher.objects.take(reference)
        elif isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, dict | list | tuple):
            for item in value.values() if isinstance(value, dict) else value:
                yield from self._objects(item)

    def _has_tensors(self, value: object) -> bool:
        for one in self._objects(value):
            if isinstance(one, torch.Tensor):
                return True
            if isinstance(one, torch.nn.Module):
                state = [*one.parameters(), *one.buffers()]
                assert all(device_of(t) == CUDA for t in state), f"a {type(one).__name__} that is not on the device"
                return True
        return False

    def _public(self, value: object) -> Iterator[str]:
        """The public functions and classes that a request calls, or hands to a probe."""
        for one in self._objects(value):
            owner = getattr(one, "__self__", one)  # of a method
            for found in (one, owner, type(one), type(owner)):
                name = getattr(found, "__name__", "")
                if name and vars(self._module).get(name) is found:
                    yield name


def _on_cpu(value: Any) -> Any:
    """The same with its generators on the CPU."""
    if isinstance(value, torch.Generator):
        return torch.Generator().manual_seed(value.initial_seed())
    if type(value) is dict:
        return {key: _on_cpu(item) for key, item in value.items()}
    return type(value)(map(_on_cpu, value)) if type(value) in (list, tuple) else value


@pytest.hookimpl
def pytest_configure(config: pytest.Config) -> None:
    """Let the workers of this session be pretended ones."""
    on_pretended_device(os.environ.get("PRETENDED_GENERATORS"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the checks that are asked for, and of the others all but the quiz."""
    items[:] = [item for item in items if item.path.name != "test_quiz.py"]
    if wanted := os.environ.get("PRETENDED_CHECKS"):
        ids = wanted.split(",")
        items[:] = [i for i in items if f"{i.path.parent.name}/{i.name.removeprefix('test_')}" in ids]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Note which check is judged, and fail it where devices were mixed, whatever it has made of that."""
    _now[0] = item.name.removeprefix("test_")
    _mixed.clear()
    result = yield
    if _mixed:
        pytest.fail("; ".join(_mixed))
    return result


@pytest.hookimpl
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what came of it."""
    if report.when == "call":
        exercise, check = report.nodeid.split("/")[-2], report.nodeid.rpartition("::test_")[2]
        message = "" if report.passed else "; ".join(_mixed) or str(report.longrepr)
        _REPORTS[exercise][check] = {"seconds": round(report.duration, 3), "message": message}


@pytest.hookimpl
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the ledger down, for whoever started this session."""
    if file := os.environ.get("PRETENDED_LEDGER"):
        found = {e: {c: r | {"names": LEDGER[e].get(c, {})} for c, r in own.items()} for e, own in _REPORTS.items()}
        Path(file).write_text(json.dumps(found, indent=1), encoding="utf-8")


def on_pretended_device(generators: str | None = None) -> None:
    """The same, for the rest of this process."""
    Engine.transport = lambda self, job, kit, doubted=False: PretendedTransport(job.exercise, generators)  # type: ignore
    Engine.device = "cuda"  # type: ignore[method-assign, assignment]
    Engine.start = lambda self: None  # type: ignore[method-assign]
    # Every call of torch takes several times as long here, which is nobody's fault.
    Engine.slower = property(lambda self: 50.0, lambda self, value: None)  # type: ignore[assignment]
    concluding._diagnose = lambda *_: None  # type: ignore[assignment]
