"""Frames: what is sent arrives; whatever else arrives ends the connection and nothing more."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.wire.channel import Channel, ChannelClosed, ChannelTimeout
from autograder.wire.values import WireError


@pytest.fixture
def pair():
    a, b = socket.socketpair()
    yield Channel(a), b
    a.close()
    b.close()


def frame(header: bytes, body: bytes = b"", magic: bytes = b"AGW1", lengths: tuple[int, int] | None = None) -> bytes:
    sizes = lengths or (len(header), len(body))
    return struct.pack(">4sIQ", magic, *sizes) + header + body


def header(**changes) -> bytes:
    return json.dumps({"id": 1, "kind": "value", "value": None, "sizes": []} | changes).encode()


def soon() -> float:
    return time.monotonic() + 5


def test_a_message_arrives_with_its_tensors(pair):
    channel, other = pair
    far = Channel(other)
    big = torch.randn(700, 500, dtype=torch.float64)
    sender = threading.Thread(target=channel.send, args=(7, "call", {"x": big, "n": [1, 2]}))
    sender.start()
    message = far.receive(soon())
    sender.join()
    assert (message.number, message.kind) == (7, "call")
    assert torch.equal(message.value["x"], big)
    assert message.value["n"] == [1, 2]


@pytest.mark.parametrize(
    "data",
    [
        frame(header(), magic=b"EVIL"),
        frame(header(), lengths=(2**31, 0)),
        frame(header(), lengths=(10, 2**60)),
        frame(b"[]"),
        frame(b"{"),
        frame(header(extra=1)),
        frame(b'{"id": 1, "id": 2, "kind": "v", "value": null, "sizes": []}'),
        frame(b'{"id": 1, "kind": "v", "value": NaN, "sizes": []}'),
        frame(header(id=True)),
        frame(header(kind="k" * 100)),
        frame(header(sizes=[5])),
        frame(header(sizes=[-5, 5])),
        frame(header(sizes="abc")),
        frame(header(value={"t": "nonsense"})),
        frame(b"[" * 100_000),
        frame(b'{"id": 1, "kind": "v", "sizes": [], "value": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    ],
)
def test_a_bad_frame_is_refused(pair, data):
    channel, other = pair
    other.sendall(data)
    with pytest.raises(WireError):
        channel.receive(soon())


def test_a_promise_of_bytes_allocates_nothing(pair):
    channel, other = pair
    other.sendall(frame(header(sizes=[200 * 2**20]), lengths=(len(header(sizes=[200 * 2**20])), 200 * 2**20)))
    with pytest.raises(ChannelTimeout):
        channel.receive(time.monotonic() + 0.1)


def test_the_end_of_the_stream_and_silence_are_told_apart(pair):
    channel, other = pair
    with pytest.raises(ChannelTimeout):
        channel.receive(time.monotonic() + 0.05)
    other.close()
    with pytest.raises(ChannelClosed):
        channel.receive(soon())


def test_unsolicited_bytes_are_seen(pair):
    channel, other = pair
    assert not channel.unsolicited()
    other.sendall(b"x")
    assert channel.unsolicited()


def test_frames_that_came_together_are_read_one_by_one(pair):
    channel, other = pair
    other.sendall(frame(header()) + frame(header(id=2, kind="done")))
    assert channel.receive(soon()).number == 1
    assert channel.unsolicited(), "the second frame has been read ahead: nobody asked for it"
    assert channel.receive(soon()).kind == "done"
    assert not channel.unsolicited()


@pytest.mark.parametrize("pause", [1, 15, 16, 17, 60])
def test_a_frame_may_come_in_pieces(pair, pause):
    channel, other = pair
    tree = {"t": "tensor", "d": "uint8", "s": [5], "b": 0, "c": "torch"}
    data = frame(header(value=tree, sizes=[5]), b"abcde")

    def dribble():
        for start in range(0, len(data), pause):
            other.sendall(data[start : start + pause])

    sender = threading.Thread(target=dribble)
    sender.start()
    message = channel.receive(soon())
    sender.join()
    assert bytes(message.value.tolist()) == b"abcde"


def test_a_small_frame_is_one_write(pair, monkeypatch):
    channel, _other = pair
    writes = []
    write = Channel._write
    monkeypatch.setattr(Channel, "_write", lambda self, data, deadline: (writes.append(1), write(self, data, deadline)))
    channel.send(1, "call", [torch.zeros(3), torch.ones(2)])
    assert len(writes) == 1


def test_a_receiver_that_never_reads_does_not_hold_the_sender(pair):
    channel, _other = pair
    with pytest.raises(ChannelTimeout):
        channel.send(1, "call", torch.zeros(4_000_000), time.monotonic() + 0.2)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_refusal(data):
    a, b = socket.socketpair()
    channel = Channel(a)
    try:
        b.sendall(data)
        b.close()
        with pytest.raises((WireError, ChannelClosed)):
            channel.receive(soon())
    finally:
        a.close()


@pytest.mark.slow
def test_a_hundred_thousand_malformed_frames_neither_crash_nor_hang_nor_grow():
    """Mutations of good frames: the judge's side answers each with a refusal or a value, in bounded memory."""
    import resource

    rng = random.Random(5)
    tree = {
        "t": "tuple",
        "v": [1, {"t": "tensor", "d": "float64", "s": [2], "b": 0, "c": "torch"}, {"t": "dict", "v": []}],
    }
    good = frame(json.dumps({"id": 1, "kind": "value", "value": tree, "sizes": [16]}).encode(), bytes(16))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100_000):
        data = bytearray(good)
        for _ in range(rng.randint(1, 6)):
            match rng.randrange(4):
                case 0:
                    data[rng.randrange(len(data))] = rng.randrange(256)
                case 1:
                    del data[rng.randrange(len(data)) :]
                    data += b"\0"
                case 2:
                    i = rng.randrange(len(data))
                    data[i:i] = bytes([rng.choice(b'{}[]":,0123456789tvdsbc')])
                case 3:
                    i, j = sorted(rng.randrange(len(data)) for _ in range(2))
                    data[i:j] = data[i:j][::-1]
        a, b = socket.socketpair()
        channel = Channel(a, None, lambda reference: reference)
        b.sendall(data)
        b.close()
        try:
            channel.receive(time.monotonic() + 5)
        except (WireError, ChannelClosed):
            pass
        finally:
            a.close()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 400 * 1024  # kilobytes: one frame's largest body, not the sum of many
