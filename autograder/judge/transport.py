"""Ways to reach a dispatcher: what they have in common, and the one over the wire to a locked worker."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from autograder.judge.raised import is_line
from autograder.judge.remote import Answered, Handle
from autograder.results.model import LoadingProblem
from autograder.results.outcomes import is_problem_kind
from autograder.sandbox import (
    Exit,
    Isolation,
    IsolationRefused,
    WarmParent,
    WarmParentDied,
    Worker,
    WorkerLimits,
    shortage,
)
from autograder.sandbox.isolation import MIB, WATCHED
from autograder.wire.channel import Channel, ChannelClosed, ChannelTimeout
from autograder.wire.decoding import TakeHandle
from autograder.wire.values import HandleReference, WireError

SIGKILL = 9  # signal.SIGKILL is missing on Windows
START_SECONDS = 60.0  # for a new worker's first answer, on a loaded machine
ENDING_SECONDS = 2.0  # for a worker that has closed the wire
WITNESS_SECONDS = 0.3  # between two deaths of one cause
LOOK_SECONDS = 0.5  # between two looks at what the kernel has killed

RequestFields: TypeAlias = dict[str, object]  # the fields of a request, see `autograder.worker.dispatcher`
Take: TypeAlias = TakeHandle[Handle]


@dataclass(frozen=True)
class Death:
    """A worker was killed by something that is neither a limit of its own nor the judge.

    Attributes:
        at: when, on this machine's monotonic clock.
        proved: whether it was nothing that the submission did: the kernel says that it has killed for want of memory,
            others died too, or nothing of the submission had run.
    """

    at: float
    proved: bool


class WorkerLost(Exception):
    """The worker hung, died or broke the protocol, and has been killed.

    Attributes:
        kind: `timeout`, `died` or `protocol`.
        reason: in words.
        statement: number of the top-level statement that ran, while loading.
        where: the cell or file of that statement.
        line: its line.
        death: where it was killed from outside, as far as one can see.
    """

    def __init__(
        self,
        kind: str,
        reason: str,
        statement: int | None = None,
        where: str = "",
        line: int = 0,
        death: Death | None = None,
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.statement = statement
        self.where = where
        self.line = line
        self.death = death


@dataclass(frozen=True)
class Loaded:
    """What a load gave: public names, and what could not be loaded."""

    names: frozenset[str]
    problems: list[LoadingProblem]


class Transport(Protocol):
    """Requests and replies; see `autograder.worker.dispatcher` for their kinds.

    Attributes:
        isolation: the layers in force.
        received: bytes of all replies so far.
        deaths: of workers, by something that is neither a limit of theirs nor the judge.
        sealed: whether replies of probes are proved, because a submission's code runs beside them.
    """

    sealed: bool
    isolation: Isolation | None
    received: int
    deaths: list[Death]

    def start(self) -> None:
        """Make a fresh worker."""

    def hand_key(self) -> None:
        """Give a fresh worker what it proves replies of probes by, before a line of the submission is there."""

    def allow_memory(self, megabytes: int) -> None:
        """How much the worker may have from now on, beyond what it was before the submission."""

    def load(self, request: RequestFields, seconds: float) -> Loaded:
        """Load a submission; WorkerLost says at which statement it broke."""

    def request(self, kind: str, value: RequestFields, seconds: float, take_handle: Take) -> tuple[str, Answered]:
        """One request, one reply."""

    def works_unasked(self) -> bool:
        """Whether the worker computes though nothing has been asked."""

    def stop(self) -> None:
        """End the worker."""


class WorkerTransport:
    """A locked worker forked from the warm parent.

    Args:
        libraries: files and folders, the only ones that it may read where packages are installed; None: all.
        names: what the probes use of others, to be watched.
        witnessed: have another worker beside it that runs nothing: whether that dies too tells who is to blame.
    """

    sealed = True

    def __init__(
        self,
        parent: WarmParent,
        limits: WorkerLimits,
        libraries: Sequence[str] | None = None,
        witnessed: bool = False,
        names: Sequence[str] = (),
    ) -> None:
        self._parent = parent
        self._limits = limits
        self._libraries = libraries
        self._worker: Worker | None = None
        self._channel: Channel[Handle] | None = None
        self._allowed = limits.memory_bytes
        self._number = 0
        self._take_handle: Take = no_handle
        self.isolation: Isolation | None = None
        self.received = 0
        self.deaths: list[Death] = []
        self._witnessed = witnessed
        self._names = names
        self._witness: Worker | None = None
        self._key = b""
        self._looked = -math.inf
        self._kills: tuple[int, ...] = ()

    def start(self) -> None:
        self._drop()
        if self._witnessed and self._witness is None:
            self._witness = self._spawn()
        self._worker = self._spawn()
        self.isolation = self._worker.isolation
        self._take_handle = no_handle
        self._channel = Channel(self._worker.socket, encode_handle, self._taken)
        self._allowed = self._limits.memory_bytes

    def hand_key(self) -> None:
        self._key = secrets.token_bytes(16)
        try:  # before a line of the submission is there
            self.request("key", {"key": self._key.hex(), "names": list(self._names)}, START_SECONDS, no_handle)
        except WorkerLost as lost:
            raise WarmParentDied(f"a new worker was lost: {lost.reason}") from None

    def _taken(self, reference: HandleReference) -> Handle:
        return self._take_handle(reference)

    def allow_memory(self, megabytes: int) -> None:
        if self._worker is not None and megabytes * MIB != self._allowed:
            self._allowed = megabytes * MIB
            self._worker.allow_memory(self._allowed)

    def _spawn(self) -> Worker:
        try:
            return self._parent.spawn(self._limits, self._libraries)
        except (WarmParentDied, IsolationRefused):
            # Killed, or while it locked itself down: nothing of the submission has run in it.
            self.deaths.append(Death(time.monotonic(), proved=True))
            raise

    def load(self, request: RequestFields, seconds: float) -> Loaded:
        deadline = time.monotonic() + seconds
        channel = self._send("load", request, deadline)
        statement: int | None = None
        where, line = "", 0
        try:
            while True:
                message = channel.receive(deadline)
                if message.number != self._number:
                    raise WireError("a reply to another request")
                if message.kind == "progress":
                    following, where, line = _read_progress(message.value)
                    if statement is not None and following <= statement:
                        raise WireError("progress that goes back")
                    statement = following
                    # Reading waits only where nothing has come: a flood of progress would never meet the deadline.
                    if time.monotonic() >= deadline:
                        raise ChannelTimeout
                    continue
                return _read_loaded(message.kind, message.value)
        except (ChannelTimeout, ChannelClosed, WireError) as error:
            lost = self._lost(error, ran=statement is not None)
            raise WorkerLost(lost.kind, lost.reason, statement, where, line, lost.death) from None

    def request(self, kind: str, value: RequestFields, seconds: float, take_handle: Take) -> tuple[str, Answered]:
        self._take_handle = take_handle
        deadline = time.monotonic() + seconds
        channel = self._send(kind, value, deadline)
        try:
            message = channel.receive(deadline, self._key if kind in ("probe", "probes") else None)
            if message.number != self._number:
                raise WireError("a reply to another request")
            if message.kind not in ("value", "raised", "missing", "done"):
                raise WireError("a reply of an unknown kind")
        except (ChannelTimeout, ChannelClosed, WireError) as error:
            raise self._lost(error) from None
        self.received += message.size
        return message.kind, message.value

    def works_unasked(self) -> bool:
        return self._worker is not None and self._worker.works_unasked()

    def stop(self) -> None:
        self._drop()
        if self._witness is not None:
            self._witness.kill()
            self._witness = None

    def _drop(self) -> None:
        """End the worker."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def _send(self, kind: str, value: RequestFields, deadline: float) -> Channel[Handle]:
        channel = self._channel
        if channel is None:
            raise WorkerLost("died", "the worker is gone")
        self._number += 1
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked, self._kills = time.monotonic(), shortage.kills()
        try:
            if channel.unsolicited():
                raise WireError("bytes that nobody asked for")
            channel.send(self._number, kind, value, deadline)
        except (ChannelTimeout, ChannelClosed, WireError) as error:
            raise self._lost(error) from None
        return channel

    def _lost(self, error: Exception, ran: bool = True) -> WorkerLost:
        """What has become of the worker; `ran`: anything of the submission."""
        if isinstance(error, ChannelTimeout):
            lost = WorkerLost("timeout", "time limit")
        elif isinstance(error, WireError):
            lost = WorkerLost("protocol", str(error))
        else:
            ended = self._end()
            lost = WorkerLost("died", "closed the wire" if ended is None or ended.reason == "killed" else ended.reason)
            if ended is not None and _killed(ended):
                proved = not ran or ended.reason == "lost" or self._others_die()
                lost.death = Death(time.monotonic(), proved)
                self.deaths.append(lost.death)
        self._drop()
        return lost

    def _others_die(self) -> bool:
        """Whether the kernel has killed for want of memory since the last look, or somebody has killed the witness."""
        before, self._kills = self._kills, shortage.kills()
        witness = self._witness
        if witness is not None and witness.wait(WITNESS_SECONDS) is not None:
            witness.kill()
            self._witness = None
            return True
        return before != self._kills

    def _end(self) -> Exit | None:
        """How the worker ended whose wire is closed; "killed" where it had not."""
        if self._worker is None:
            return None
        if self._worker.wait(ENDING_SECONDS) is None:  # or a loaded machine has kept its minder from saying so
            self._worker.kill()
        return self._worker.wait(0)


def _killed(ended: Exit) -> bool:
    """Whether a worker ended by none of its limits, which would have ended it with another signal, and not by us."""
    return ended.reason == "lost" or (ended.signal == SIGKILL and ended.reason not in ("killed", "cpu", *WATCHED))


def no_handle(reference: HandleReference) -> Handle:
    """For requests that no object can answer."""
    raise WireError("a handle where none is due")


def encode_handle(value: object) -> HandleReference:
    """What stands for a handle on the way to the worker; TypeError for what cannot cross."""
    if not isinstance(value, Handle):
        raise TypeError(
            f"a check cannot send a {type(value).__name__} to the worker: make functions and modules there by a probe"
        )
    return value._reference


def _read_progress(value: object) -> tuple[int, str, int]:
    if type(value) is not dict or set(value) != {"statement", "where", "line"}:
        raise WireError("a bad progress message")
    statement, where, line = value["statement"], value["where"], value["line"]
    if type(statement) is not int or type(where) is not str or not is_line(line):
        raise WireError("a bad progress message")
    return statement, where[:100], line


def _read_loaded(kind: str, value: object) -> Loaded:
    if kind != "loaded" or type(value) is not dict or set(value) != {"names", "problems"}:
        raise WireError("a bad answer to load")
    names, problems = value["names"], value["problems"]
    if type(names) is not list or len(names) > 100_000 or any(type(n) is not str for n in names):
        raise WireError("bad names in the answer to load")
    fields = {"where": str, "line": int, "kind": str, "message": str}
    if type(problems) is not list or len(problems) > 100:
        raise WireError("bad problems in the answer to load")
    for problem in problems:
        if type(problem) is not dict or {k: type(v) for k, v in problem.items()} != fields:
            raise WireError("bad problems in the answer to load")
        if not is_line(problem["line"]):
            raise WireError("bad problems in the answer to load")
    return Loaded(frozenset(names), [_problem(**problem) for problem in problems])


def _problem(where: str, line: int, kind: str, message: str) -> LoadingProblem:
    return LoadingProblem(where, line, kind if is_problem_kind(kind) else "exception", message[:1000])
