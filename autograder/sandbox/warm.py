"""The judge's side: start a warm parent, get locked workers from it, kill them, learn how they ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Self

import autograder
from autograder.sandbox import forks, plain
from autograder.sandbox.environment import environment
from autograder.sandbox.forks import PRELOAD, Fork
from autograder.sandbox.gpu import Opening
from autograder.sandbox.isolation import (
    SWITCHES,
    AnswerData,
    Exit,
    Isolation,
    IsolationRefused,
    ParentOrder,
    WarmParentDied,
    WorkerLimits,
)
from autograder.sandbox.worker import Worker

_START_SECONDS = 300.0  # a cold disk, a loaded machine: importing torch can take very long
_ANSWER_SECONDS = 60.0

_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[2]); from autograder.sandbox.parent import main; main(int(sys.argv[1]))"
)


class WarmParent:
    """A process that has imported torch and hands out locked workers in milliseconds. A context manager.

    serve: "module:function", called in every locked worker with (socket, isolation as a dict).
    preload: modules to import once. import_path: folders in front of the parent's search path, unreadable
    for workers. readable: more files and folders that workers may read. without: layers left out, for tests.
    processor: the only one that workers run on, and cannot leave. None: any.
    unprotected: serve even where this machine can't isolate; the result then says level "none".
    gpu: what is opened to workers of a GPU; unless `gpu_required` they do without where it does not compute.
    """

    def __init__(
        self,
        serve: str = "autograder.worker.service:serve",
        preload: Sequence[str] = PRELOAD,
        unprotected: bool = False,
        without: frozenset[str] = frozenset(),
        readable: Sequence[Path] = (),
        import_path: Sequence[Path] = (),
        processor: int | None = None,
        gpu: Opening | None = None,
        gpu_required: bool = True,
    ) -> None:
        unknown = without - SWITCHES
        if unknown:
            raise ValueError(f"no such layer: {', '.join(sorted(unknown))}; there are {', '.join(sorted(SWITCHES))}")
        self._order = ParentOrder(
            serve=serve,
            preload=list(preload),
            unprotected=unprotected,
            without=sorted(without - {"warm_parent"}),
            readable=[str(path) for path in readable],
            import_path=[str(path) for path in import_path],
            processor=processor,
            gpu=None if gpu is None else gpu.to_json(),
            gpu_required=gpu_required,
            root=str(Path(autograder.__file__).resolve().parent.parent),
            judge=os.getpid(),
            sys_path=sys.path,
        )
        self._plain = "warm_parent" in without or sys.platform != "linux"
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | Fork | None = None
        self._lock = threading.Lock()
        self.timings: dict[str, float] = {}
        self._isolation: Isolation | None = None

    @property
    def isolation(self) -> Isolation:
        """What workers of this parent get. Known after `start()`."""
        if self._isolation is None:
            raise WarmParentDied("the warm parent has not been started; call start()")
        return self._isolation

    @property
    def ordinary(self) -> bool:
        """Whether its workers are ordinary processes, which nothing is put around."""
        return self._plain

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Start afresh: a parent that still runs is closed first, with its workers."""
        self.close()
        if self._plain:
            self._isolation = plain.isolation(self._order["unprotected"])
            return
        if not os.path.exists("/proc/self/status"):
            raise IsolationRefused("there is no /proc here, by which processes are isolated and watched: mount it")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with tempfile.TemporaryFile() as errors:
            with theirs:
                self._process = _forked(theirs, errors.fileno()) or _executed(theirs, errors, self._order["root"])
            self._control = ours
            try:
                ours.send(json.dumps(self._order).encode())
                answer = _receive(ours, _START_SECONDS)
            except OSError as error:
                answer = {"failed": f"no answer: {error}"}
            if answer is None or "ready" not in answer:
                self.close()
                errors.seek(0)
                self._explain(answer, errors.read().decode(errors="replace"))
                return
        self.timings = answer["timings"]
        self._isolation = Isolation.from_json(answer["ready"])

    @staticmethod
    def _explain(answer: AnswerData | None, errors: str) -> None:
        if answer is not None and "refused" in answer:
            raise IsolationRefused(answer["refused"])
        cause = (answer and answer.get("failed")) or errors.strip() or "it ended without a word"
        # Of a traceback what was raised: who reads this is told in a line.
        raise WarmParentDied(f"the warm parent did not come up: {cause.strip().splitlines()[-1]}")

    def close(self) -> None:
        """End the warm parent; its minders and workers die with it."""
        control, process = self._control, self._process
        self._control = self._process = self._isolation = None
        if control is not None:
            control.close()
        if process is not None:
            process.kill()
            process.wait()

    def spawn(self, limits: WorkerLimits, libraries: Sequence[str] | None = None) -> Worker:
        """A new worker, locked down and tested, waiting on its socket.

        libraries: files and folders, the only ones that it may read in folders for packages; None: all that is there.
        """
        control, isolation = self._control, self.isolation
        if self._plain:
            return plain.spawn(self._order, limits, isolation)
        if control is None:
            raise WarmParentDied("the warm parent has not been started; call start()")
        wire, their_wire = socket.socketpair()
        status, their_status = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with their_wire, their_status:
            request = json.dumps({"spawn": asdict(limits), "libraries": libraries}).encode()
            descriptors = [their_wire.fileno(), their_status.fileno()]
            try:
                with self._lock:
                    socket.send_fds(control, [request], descriptors)
            except OSError as error:
                wire.close()
                status.close()
                raise WarmParentDied(f"the warm parent is dead ({error}); call start() again") from None
        try:
            answer = _receive(status, _ANSWER_SECONDS)
            if answer is None:
                raise WarmParentDied("the warm parent died while it made a worker; call start() again")
            if "failed" in answer:
                raise WarmParentDied(f"no locked worker: {answer['failed']}")
            if "locked" not in answer:
                details = answer.get("details", "")
                raise IsolationRefused(f"no locked worker: {answer['refused']}\n{details}".rstrip())
        except BaseException:
            wire.close()
            status.close()
            raise
        return LockedWorker(wire, status, isolation, answer["pid"])


def _forked(control: socket.socket, errors: int) -> Fork | None:
    """A warm parent from the zygote that this judge comes from itself, None where there is none."""
    line = forks.known()
    if line is None:
        return None
    try:
        return line.fork({"role": "warm parent"}, [control.fileno(), errors])
    except OSError:  # the zygote has been killed; the import takes longer, and nothing else is different
        return None


def _executed(control: socket.socket, errors: IO[bytes], root: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-s", "-P", "-c", _BOOT, str(control.fileno()), root],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env=environment(),
        cwd="/",
        pass_fds=(control.fileno(),),
        start_new_session=True,
    )


class LockedWorker(Worker):
    """A worker in the care of a minder."""

    def __init__(self, wire: socket.socket, status: socket.socket, isolation: Isolation, pid: int) -> None:
        super().__init__(wire, isolation, pid)
        self._status = status
        self._exit: Exit | None = None

    def wait(self, timeout: float | None) -> Exit | None:
        if self._exit is None:
            try:
                answer = _receive(self._status, timeout)
            except TimeoutError:
                return None
            except OSError:
                answer = None
            self._end(answer)
        return self._exit

    def _end(self, answer: AnswerData | None) -> None:
        lost = Exit(None, None, 0.0, 0, "lost")
        self._exit = Exit(**answer["exit"]) if answer is not None and "exit" in answer else lost
        self._status.close()

    def allow_memory(self, memory_bytes: int) -> None:
        try:
            self._status.send(json.dumps({"memory_bytes": memory_bytes}).encode())
            answer = _receive(self._status, _ANSWER_SECONDS)
        except TimeoutError:
            raise WarmParentDied(f"the minder of worker {self.pid} does not answer") from None
        except OSError:
            return  # it has ended, which `wait` says
        if answer is None or "exit" in answer:
            self._end(answer)
        elif "refused" in answer:
            raise IsolationRefused(f"the memory of worker {self.pid} cannot be limited: {answer['refused']}")

    def kill(self) -> None:
        if self._exit is None:
            with contextlib.suppress(OSError):  # the minder is gone, so the worker is; wait() says how
                self._status.shutdown(socket.SHUT_WR)
            if self.wait(_ANSWER_SECONDS) is None:
                raise WarmParentDied(f"the minder of worker {self.pid} does not answer")
        self.socket.close()


def _receive(channel: socket.socket, timeout: float | None) -> AnswerData | None:
    """One message, None at the end of the channel. TimeoutError if nothing comes in time."""
    poll = select.poll()  # select() fails for descriptors above 1024
    poll.register(channel, select.POLLIN)
    if not poll.poll(None if timeout is None else timeout * 1000):
        raise TimeoutError(f"nothing within {timeout} seconds")
    message = channel.recv(1 << 17)
    if not message:
        return None
    report: AnswerData = json.loads(message)
    return report
