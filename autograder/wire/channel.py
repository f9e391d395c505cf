"""Frames on a socket: a fixed prefix, a JSON header, raw buffers. Every size is checked before it is believed.

    prefix   magic (4 bytes), header length (uint32), body length (uint64), big endian
    header   {"id": int, "kind": str, "value": tree, "sizes": [bytes of each buffer]}
    body     the buffers, one after the other; the last one may be a seal over the header and the others

A reply carries the id of its request. Bytes that nobody asked for, a wrong id or a bad frame end the connection:
the judge then replaces the worker.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from typing import Generic, Never

from autograder.wire.decoding import TakeHandle, decode
from autograder.wire.encoding import Buffers, MakeHandle, encode
from autograder.wire.values import Other, Value, WireError

_PREFIX = struct.Struct(">4sIQ")
_MAGIC = b"AGW1"
MAX_HEADER = 4 * 2**20
MAX_BODY = 256 * 2**20
MAX_BUFFERS = 4096
_TOGETHER = 256 * 2**10  # bytes of a body that are copied rather than written one by one
_AHEAD = 64 * 2**10  # bytes that are read where fewer are missing
_AT_ONCE = 2**20
_SEAL = 16


class ChannelClosed(Exception):
    """The other side is gone."""


class ChannelTimeout(Exception):
    """The deadline passed before the whole frame was there."""


@dataclass(frozen=True)
class Frame(Generic[Other]):
    """One frame: `number` pairs a reply with its request, `kind` says what it is, `value` is plain data.

    `size` is its length on the wire.
    """

    number: int
    kind: str
    value: Value[Other]
    size: int = 0


class Channel(Generic[Other]):
    """One end of the wire.

    Args:
        connection: a connected stream socket, owned by the channel from now on.
        make_handle: how this side turns its objects into handles (worker).
        take_handle: how this side turns handles into objects (worker) or into what stands for them (judge).

    Attributes:
        device: where received tensors are put; None is the CPU.
    """

    def __init__(
        self,
        connection: socket.socket,
        make_handle: MakeHandle | None = None,
        take_handle: TakeHandle[Other] | None = None,
    ) -> None:
        self._socket = connection
        self._make_handle = make_handle
        self._take_handle = take_handle
        self.device: str | None = None
        connection.setblocking(False)
        self._readable = select.poll()  # select() fails for descriptors above 1024
        self._readable.register(connection, select.POLLIN)
        self._ahead = b""  # received, from here on not yet read
        self._at = 0

    def send(
        self, number: int, kind: str, value: object, deadline: float | None = None, key: bytes | None = None
    ) -> None:
        """Send one frame, sealed where there is a key.

        Raises:
            ChannelClosed: the other side has closed.
            ChannelTimeout: it does not read the frame in time.
        """
        buffers: Buffers = []
        tree = encode(value, buffers, self._make_handle)
        sizes = [len(buffer) for buffer in buffers] + [_SEAL] * (key is not None)
        header = _ENCODER.encode({"id": number, "kind": kind, "value": tree, "sizes": sizes}).encode()
        body = sum(sizes)
        if len(header) > MAX_HEADER or body > MAX_BODY or len(buffers) > MAX_BUFFERS:
            raise WireError(f"a value too large to send: {len(header):,} + {body:,} bytes")
        parts: list[bytes | memoryview] = [_PREFIX.pack(_MAGIC, len(header), body), header, *buffers]
        if key is not None:
            parts.append(_seal(key, parts[1:]))
        if body <= _TOGETHER:
            # In one piece: each write wakes the other side, which would find half a frame and wait again.
            parts = [b"".join(parts)]
        for part in parts:
            self._write(part, deadline)

    def receive(self, deadline: float | None = None, key: bytes | None = None) -> Frame[Other]:
        """Receive one frame, which must be sealed where there is a key.

        Raises:
            ChannelClosed: the other side has closed.
            ChannelTimeout: `deadline` (seconds of `time.monotonic`) has passed.
            WireError: the frame breaks the protocol.
        """
        magic, header_length, body_length = _PREFIX.unpack(self._read(_PREFIX.size, deadline))
        if magic != _MAGIC:
            raise WireError("bytes that are no frame")
        if header_length > MAX_HEADER or body_length > MAX_BODY:
            raise WireError("a frame larger than allowed")
        head = self._read(header_length, deadline)
        header = _parse_header(head)
        if sum(header.sizes) != body_length:
            raise WireError("buffer sizes do not add up to the body")
        buffers = [self._read(size, deadline) for size in header.sizes]
        if key is not None and (not buffers or not compare_digest(_seal(key, [head, *buffers[:-1]]), buffers.pop())):
            raise WireError("a reply without its proof")
        try:
            value = decode(header.value, buffers, self._take_handle, self.device)
        except RecursionError:
            raise WireError("value nested too deep") from None
        except (RuntimeError, ValueError, OverflowError, MemoryError) as error:  # torch found what no check here did
            raise WireError(f"a value that cannot be built ({type(error).__name__})") from None
        return Frame(header.number, header.kind, value, header_length + body_length)

    def unsolicited(self) -> bool:
        """Whether bytes wait that no request has asked for."""
        if self._at < len(self._ahead):
            return True
        if not self._readable.poll(0):
            return False
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def close(self) -> None:
        """Close this end; the other side reads the end of the stream."""
        self._socket.close()

    def _write(self, data: bytes | memoryview, deadline: float | None) -> None:
        view = memoryview(data).cast("B")
        while view:
            try:
                view = view[self._socket.send(view) :]
            except BlockingIOError:
                writable = select.poll()
                writable.register(self._socket, select.POLLOUT)
                _wait(writable, deadline)
            except OSError as error:
                raise ChannelClosed(str(error)) from None

    def _read(self, size: int, deadline: float | None) -> bytearray:
        # Memory grows with what has arrived, not with what a header promises.
        data = bytearray(memoryview(self._ahead)[self._at : self._at + size])
        self._at += len(data)
        while len(data) < size:
            missing = size - len(data)
            came = self._some(min(max(missing, _AHEAD), _AT_ONCE), deadline)
            data += memoryview(came)[:missing]
            self._ahead, self._at = came, min(missing, len(came))
        return data

    def _some(self, most: int, deadline: float | None) -> bytes:
        """At least one byte."""
        while True:
            # First of all, as hardly ever anything is there already: a failed attempt would cost as much.
            _wait(self._readable, deadline)
            try:
                came = self._socket.recv(most)
            except BlockingIOError:
                continue
            except OSError as error:
                raise ChannelClosed(str(error)) from None
            if not came:
                raise ChannelClosed("end of stream")
            return came


def _seal(key: bytes, parts: Iterable[bytes | bytearray | memoryview]) -> bytes:
    digest = blake2b(key=key, digest_size=_SEAL)
    for part in parts:
        digest.update(part)
    return digest.digest()


def _wait(poll: select.poll, deadline: float | None) -> None:
    timeout = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
    if not poll.poll(timeout) and deadline is not None and time.monotonic() >= deadline:
        raise ChannelTimeout


@dataclass(frozen=True)
class _FrameHeader:
    number: int
    kind: str
    value: object
    sizes: list[int]


def _parse_header(data: bytearray) -> _FrameHeader:
    try:
        header: object = _DECODER.decode(data.decode())
    except (ValueError, RecursionError):
        raise WireError("a header that is no JSON") from None
    if type(header) is not dict or set(header) != _FIELDS:
        raise WireError("a header with other fields than id, kind, value, sizes")
    number, kind, sizes = header["id"], header["kind"], header["sizes"]
    if type(number) is not int:
        raise WireError("a header with a bad id")
    if type(kind) is not str or len(kind) > 40:
        raise WireError("a header with a bad kind")
    if type(sizes) is not list or len(sizes) > MAX_BUFFERS or any(type(n) is not int or n < 0 for n in sizes):
        raise WireError("a header with a bad sizes")
    return _FrameHeader(number, kind, header["value"], sizes)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise WireError("a header with a repeated key")
    return result


def _refuse(constant: str) -> Never:
    raise WireError(f"{constant} in a header")


_FIELDS = {"id", "kind", "value", "sizes"}
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
_ENCODER = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":"))
