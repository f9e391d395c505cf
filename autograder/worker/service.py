"""The worker's loop: one request, one reply, until the judge closes the wire."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import TypedDict, cast

from autograder.wire.channel import Channel, ChannelClosed, Frame
from autograder.wire.values import CellData, Unusable, WireError
from autograder.worker import imports, proofs, surroundings
from autograder.worker.dispatcher import Dispatcher, Reply
from autograder.worker.loader import load

MAX_NAMES = 50_000  # `from torch import *` and the like give thousands, and the student's own come last


class KeyRequest(TypedDict, total=False):
    """What comes with `key`: the worker's, and what the exercise's probes name."""

    key: str
    names: list[str]


class LoadRequest(TypedDict):
    """What comes with `load`; `skip` are numbers of statements, `seconds` are for each of the others.
    `importable` are the top-level modules of installed libraries that an import finds (None: all), `libraries` what
    people call them."""

    name: str
    cells: list[CellData]
    skip: list[int]
    seconds: float
    device: str
    importable: list[str] | None
    libraries: list[str]


def serve(connection: socket.socket, isolation: Mapping[str, object]) -> None:
    """Answer requests on `connection` until it closes. Runs in the locked worker, beside the student's code."""
    dispatcher = Dispatcher()
    channel: Channel[object] = Channel(connection, dispatcher.make_handle, dispatcher.objects.take)
    surroundings.prepare()
    sys.setrecursionlimit(3000)
    probing: proofs.Answering | None = None
    while True:
        try:
            message = channel.receive()
        except ChannelClosed:
            return
        if message.kind == "key":
            request = cast(KeyRequest, message.value)
            # Taken out: this frame can be found by the submission.
            probing = proofs.sealed(bytes.fromhex(request.pop("key")), request["names"], channel, dispatcher)
            channel.send(message.number, "done", None)
            continue
        if probing is not None and message.kind in ("probes", "probe"):
            try:
                probing(message)
            except ChannelClosed:
                return
            continue
        kind, value = (
            _load(channel, dispatcher, message)
            if message.kind == "load"
            else dispatcher.answer(message.kind, cast("dict[str, object]", message.value))
        )
        try:
            channel.send(message.number, kind, value)
        except ChannelClosed:
            return
        except WireError as error:
            channel.send(message.number, "value", Unusable(f"an answer that is too large to be read ({error})"))
        except BaseException as error:  # nothing is on the wire yet: the answer's own methods failed while it was read
            channel.send(message.number, "value", Unusable(f"an answer that cannot be read ({type(error).__name__})"))


def _load(channel: Channel[object], dispatcher: Dispatcher, message: Frame[object]) -> Reply:
    def progress(number: int, where: str, line: int) -> None:
        channel.send(message.number, "progress", {"statement": number, "where": where, "line": line})

    request = cast(LoadRequest, message.value)  # the judge is believed
    dispatcher.device = channel.device = None if request["device"] == "cpu" else request["device"]
    if dispatcher.device is not None:
        dispatcher.generators.__enter__()  # type: ignore[no-untyped-call]  # for as long as this process lives
    dispatcher.files = frozenset(cell["filename"] for cell in request["cells"])
    if request["importable"] is not None:
        imports.allow_only(request["importable"])
    module, problems = load(
        request["name"], request["cells"], set(request["skip"]), request["seconds"], progress, request["libraries"]
    )
    dispatcher.objects.set_module(module)
    surroundings.prepare()  # pyplot may have been imported by the student only now
    names = [n for n in module.__dict__ if type(n) is str and not n.startswith("_")]
    return "loaded", {"names": names[:MAX_NAMES], "problems": [asdict(p) for p in problems]}
