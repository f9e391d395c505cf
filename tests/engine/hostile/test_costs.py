"""What a worker may send is bounded in what it costs the judge: time, memory, length of a result.

The judge's time outside the student's clock is everybody's, so each bound is a refusal and not a slow success.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time

import pytest
import torch

from autograder.judge.answers import as_tensor
from autograder.judge.expect import MAX_LENGTH, Expect
from autograder.judge.loading import Code
from autograder.judge.session import Session
from autograder.judge.transport import WorkerLost, WorkerTransport
from autograder.judge.verdicts import CheckFailed, StudentError
from autograder.sandbox import WorkerLimits
from autograder.wire import values
from autograder.wire.channel import Channel
from autograder.wire.decoding import decode
from autograder.wire.encoding import encode
from autograder.wire.values import Unusable, WireError

PRIME = 2**61 - 1  # Python's hash of an integer is its remainder by this


def colliding_tuples(n: int) -> list:
    """Pairs with equal hashes: nested empty ones are not enough, so they hold colliding integers."""
    return [{"t": "tuple", "v": [i * PRIME, 7]} for i in range(n)]


@pytest.mark.parametrize(
    "tree",
    [
        {"t": "dict", "v": [[i * PRIME, 0] for i in range(1000)]},
        {"t": "set", "v": [i * PRIME for i in range(1000)]},
        {"t": "set", "v": colliding_tuples(1000)},
        {"t": "dict", "v": [[item, 0] for item in colliding_tuples(1000)]},
        {"t": "set", "v": [{"t": "complex", "v": [-1000003.0 * k, float(k)]} for k in range(1000)]},
    ],
    ids=["dict", "set", "set of pairs", "dict of pairs", "complex numbers"],
)
def test_keys_made_to_collide_are_refused(tree):
    with pytest.raises(WireError, match="collide"):
        decode(tree, [])


def test_ordinary_keys_do_not_collide():
    value = {"numbers": {2.0**k: k for k in range(-300, 300)}, "set": set(range(-5000, 5000)), (1, 2): {(0, 1), (1, 0)}}
    buffers: list = []
    assert decode(encode(value, buffers), buffers) == value


def test_generators_are_counted():
    """Each takes kilobytes here for thirty bytes there."""
    one = {"t": "generator", "seed": "0x1"}
    assert len(decode([one] * values.MAX_GENERATORS, [])) == values.MAX_GENERATORS
    with pytest.raises(WireError, match="generators"):
        decode([one] * (values.MAX_GENERATORS + 1), [])


@pytest.mark.parametrize("shape", [[0, 2**49], [0] + [2**40] * 15, [2**30, 2**30, 0]])
@pytest.mark.parametrize("dtype", ["float64", "bool", "complex64"])
def test_empty_tensors_of_absurd_shapes_are_refused(shape, dtype):
    with pytest.raises(WireError, match="bad shape"):
        decode({"t": "tensor", "d": dtype, "s": shape, "b": 0, "c": "torch"}, [bytearray()])
    answer = decode(encode(torch.empty(shape[-2:] if shape[0] else [0, 2**49]), []), [])
    assert isinstance(answer, Unusable), "the worker says so itself, and is not taken for a breach of the protocol"


def test_items_of_a_message_are_counted_together(monkeypatch):
    """Many lists, each within its bound."""
    monkeypatch.setattr("autograder.wire.decoding.MAX_ITEMS", 1000)
    numbers = [{"t": "numbers", "d": "int64", "b": i} for i in range(3)]
    assert len(decode(numbers[:1], [bytearray(8 * 1000)])[0]) == 1000
    with pytest.raises(WireError, match="too many items"):
        decode(numbers, [bytearray(8 * 1000) for _ in numbers])
    monkeypatch.setattr("autograder.wire.encoding.MAX_ITEMS", 1000)
    assert isinstance(encode([[1.5] * 600, [2.5] * 600, 1], [])[2], dict), "the honest end stops before that"


def test_what_torch_refuses_is_a_breach_and_no_fault(monkeypatch):
    def fail(*arguments):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("autograder.wire.channel.decode", fail)
    a, b = socket.socketpair()
    with a, b:
        Channel(b).send(1, "value", 5)
        with pytest.raises(WireError, match="cannot be built"):
            Channel(a).receive(time.monotonic() + 5)


# --- a worker that is nothing but a socket ------------------------------------------------------------------------


def frame(number: int, kind: str, value: object) -> bytes:
    header = json.dumps({"id": number, "kind": kind, "value": value, "sizes": []}).encode()
    return struct.pack(">4sIQ", b"AGW1", len(header), 0) + header


def tagged(**fields: object) -> dict:
    return {"t": "dict", "v": [[name, value] for name, value in fields.items()]}


class FakeWorker:
    """What `WarmParent.spawn` gives, with a test's own thread behind the socket."""

    isolation = None

    def __init__(self, end: socket.socket) -> None:
        self.socket = end

    def wait(self, timeout):
        return None

    def kill(self):
        self.socket.close()


class FakeParent:
    def __init__(self, answer) -> None:
        self.answer = answer

    def spawn(self, limits, libraries):
        mine, theirs = socket.socketpair()
        threading.Thread(target=self._serve, args=(theirs,), daemon=True).start()
        return FakeWorker(mine)

    def _serve(self, end):
        with end, contextlib.suppress(OSError):  # the judge has hung up
            self.answer(end)


def transport(answer) -> WorkerTransport:
    made = WorkerTransport(FakeParent(answer), WorkerLimits(memory_bytes=2**20, cpu_seconds=1))
    made.start()
    return made


def test_a_flood_of_progress_meets_the_deadline():
    """There is always a frame to read, so reading never waits."""
    ended = threading.Event()

    def flood(end):
        end.recv(2**16)
        for number in range(10**6):  # a judge that reads on sees the end of the stream, and says `died`
            end.sendall(frame(1, "progress", tagged(statement=number, where="x", line=1)))
        ended.set()

    with pytest.raises(WorkerLost) as lost:
        transport(flood).load({}, 0.3)
    assert lost.value.kind == "timeout"
    assert not ended.is_set()


@pytest.mark.parametrize(
    "reply",
    [
        ("progress", tagged(statement=0, where="x", line=10**4000)),
        ("progress", tagged(statement=0, where="x", line=-1)),
        ("loaded", tagged(names=[], problems=[tagged(where="x", line=10**4000, kind="syntax", message="")])),
        ("loaded", tagged(names=[], problems=[tagged(where="x", line=1, kind="syntax", message="")] * 101)),
        ("loaded", tagged(names=["a"] * 200_001, problems=[])),
    ],
    ids=["progress far away", "progress before", "problem far away", "problems", "names"],
)
def test_a_load_that_says_nonsense_is_a_breach(reply):
    def answer(end):
        end.recv(2**16)
        end.sendall(frame(1, *reply))
        end.recv(1)

    with pytest.raises(WorkerLost) as lost:
        transport(answer).load({}, 20)
    assert lost.value.kind == "protocol"


def test_progress_that_goes_back_is_a_breach():
    """Otherwise a submission could name another statement as the one that hung, for ever."""

    def answer(end):
        end.recv(2**16)
        for number in (3, 4, 4):
            end.sendall(frame(1, "progress", tagged(statement=number, where="x", line=1)))
        end.recv(1)

    with pytest.raises(WorkerLost) as lost:
        transport(answer).load({}, 20)
    assert (lost.value.kind, lost.value.statement) == ("protocol", 4)


class Slow:
    """A transport that answers everything, and a clock that each answer moves on."""

    isolation = None
    received = 0
    sealed = False

    def __init__(self, monkeypatch, seconds: float, size: int) -> None:
        self.now, self.seconds, self.size, self.calls = 0.0, seconds, size, 0
        monkeypatch.setattr("autograder.judge.session.time.monotonic", lambda: self.now)

    def start(self):
        pass

    def hand_key(self):
        pass

    def allow_memory(self, megabytes):
        pass

    def works_unasked(self):
        return False

    def load(self, request, seconds):
        from autograder.judge.transport import Loaded

        return Loaded(frozenset({"f"}), [])

    def request(self, kind, value, seconds, take_handle):
        assert seconds > 0
        if kind == "seed":
            return "done", None
        if kind == "get":
            return "value", take_handle(values.HandleReference(1, "function", True))
        self.calls += 1
        self.now += self.seconds
        self.received += self.size
        return "value", 1

    def stop(self):
        pass


def test_no_call_is_made_after_the_checks_time(monkeypatch):
    """A thousand calls, each quick: the time of a check is that of all together."""
    slow = Slow(monkeypatch, seconds=1.0, size=0)
    session = Session(slow, Code("x", ()), 1.0)
    session.begin_check("a", 3.5, 0)
    f = session.get_public("f")
    for _ in range(4):
        f()
    with pytest.raises(StudentError, match="did not end within"):
        f()
    assert slow.calls == 4
    session.begin_check("b", 3.5, 0)
    assert f() == 1, "the next check has its own time"


def test_the_answers_of_a_check_are_weighed_together(monkeypatch):
    """A check that keeps a hundred answers of 200 MB would need 20 GB."""
    slow = Slow(monkeypatch, seconds=0.0, size=200 * 2**20)
    session = Session(slow, Code("x", ()), 1.0)
    session.begin_check("a", 100.0, 0)
    f = session.get_public("f")
    assert [f(), f()] == [1, 1]
    with pytest.raises(StudentError, match="more than 512 MB"):
        f()
    assert session.trace == []
    session.begin_check("b", 100.0, 0)
    assert f() == 1


# --- answers as Python lists --------------------------------------------------------------------------------------


def test_lists_of_lists_become_a_tensor_at_once(monkeypatch):
    """A tensor per row takes seconds for a million rows."""
    built = []
    make = torch.tensor
    monkeypatch.setattr(torch, "tensor", lambda *a, **k: built.append(1) or make(*a, **k))
    tensor = as_tensor([[i, 0.5] for i in range(10_000)])
    assert tensor is not None
    assert tensor.shape == (10_000, 2)
    assert tensor.dtype == torch.float64
    assert len(built) == 1


@pytest.mark.parametrize(
    "value", [[[0]] * 20_000 + [None], [[]] * 20_000, [0] * 20_000 + [torch.zeros(())], [[1], [2, 3]], [1, [2]], [[]]],
    ids=["one None", "empty rows", "one tensor", "ragged", "two depths", "nothing"],
)  # fmt: skip
def test_what_is_no_table_of_numbers_is_no_tensor(value):
    assert as_tensor(value) is None


def test_a_long_tensor_does_not_become_a_list():
    long = torch.zeros(1, dtype=torch.float64).expand(MAX_LENGTH + 1)
    for refuse in (
        lambda: Expect().history({"loss": long}, "loss", None, "train()"),
        lambda: Expect().integers(long, "sample()"),
        lambda: Expect().integers(long, "sample()", length=3),
    ):
        with pytest.raises(CheckFailed, match="expected"):
            refuse()
    assert Expect().history({"loss": long[:3]}, "loss", None, "train()") == [0.0, 0.0, 0.0]
