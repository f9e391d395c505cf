"""The way to a dispatcher in this process, for our own modules: the known mistakes, and the reference."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import asdict
from types import FrameType, ModuleType
from typing import cast

from autograder.judge.remote import Answered
from autograder.judge.transport import Death, Loaded, RequestFields, Take, encode_handle
from autograder.sandbox import Isolation
from autograder.wire.decoding import TakeHandle, decode
from autograder.wire.encoding import Buffers, MakeHandle, encode
from autograder.wire.values import Other, Value
from autograder.worker.dispatcher import Dispatcher
from autograder.worker.raised import describe_exception

PATIENCE = 120.0  # processor seconds of one request


class LocalTransport:
    """A dispatcher in this process, for our own modules (known mistakes): same encoding, same semantics.

    Args:
        device: where tensors and modules are put; None is the CPU.
        patience: processor seconds after which a request ends as if the code had raised a TimeoutError. Right code too
            may loop for ever on arguments that nobody would choose, such as a batch larger than the data.
    """

    sealed = False

    def __init__(self, module: ModuleType, device: str | None = None, patience: float = PATIENCE) -> None:
        self._module = module
        self._patience = patience
        self._device = device
        self._dispatcher = Dispatcher(device)
        self.isolation: Isolation | None = None
        self.received = 0
        self.deaths: list[Death] = []

    def start(self) -> None:
        self._dispatcher = Dispatcher(self._device)
        self._dispatcher.objects.set_module(self._module)

    def hand_key(self) -> None:
        """Our own code proves nothing."""

    def allow_memory(self, megabytes: int) -> None:
        """Our own code needs no limit."""

    def load(self, request: RequestFields, seconds: float) -> Loaded:
        return Loaded(frozenset(n for n in self._module.__dict__ if not n.startswith("_")), [])

    def request(self, kind: str, value: RequestFields, seconds: float, take_handle: Take) -> tuple[str, Answered]:
        sent = self._sent(value)
        with contextlib.nullcontext() if self._device is None else self._dispatcher.generators:
            try:
                with _at_most(self._patience):
                    reply_kind, reply = self._dispatcher.answer(kind, cast(RequestFields, sent))
            except TimeoutError as late:  # as it was about to end
                reply_kind, reply = "raised", asdict(describe_exception(late, frozenset()))
        return reply_kind, _copy(reply, self._dispatcher.make_handle, take_handle)

    def _sent(self, value: RequestFields) -> object:
        """A request as it arrives."""
        return _copy(value, encode_handle, self._dispatcher.objects.take, self._device)

    def works_unasked(self) -> bool:
        return False

    def stop(self) -> None:
        self._dispatcher = Dispatcher(self._device)


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """A TimeoutError in the code within, after so many processor seconds; without limit beside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    left, _interval = signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, left)
        signal.signal(signal.SIGVTALRM, before)


def _copy(
    value: object, make_handle: MakeHandle, take_handle: TakeHandle[Other], device: str | None = None
) -> Value[Other]:
    arrays: Buffers = []
    tree = encode(value, arrays, make_handle)
    return decode(tree, [bytearray(array) for array in arrays], take_handle, device)
