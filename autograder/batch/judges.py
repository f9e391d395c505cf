"""A judge process as seen by the scheduler: started, given jobs one by one, ended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from msgspec import Struct

from autograder.errors import AutograderError
from autograder.judge.messages import (
    Ask,
    Disturbed,
    Fault,
    Job,
    JobAnswer,
    JobResult,
    Judging,
    Order,
    Ready,
    Start,
    Unable,
    Worth,
    answer_from,
    to_line,
)
from autograder.results.model import Result
from autograder.sandbox import forks
from autograder.sandbox.forks import Fork

START_SECONDS = 300.0

SETTINGS = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    # We may have been started among students' files: a `json.py` there would be run by the judge.
    "PYTHONSAFEPATH": "1",
}  # fmt: skip

OnCheck = Callable[[str, float], None]  # a title, and how many seconds it may take


class JudgeFault(AutograderError):
    """The framework could not grade: never the student's fault."""

    status = 1


class CannotJudge(JudgeFault):
    """No judge of this order can judge anything: says why."""


class TryLost(JudgeFault):
    """This try came to nothing, and another may end well: see `retries`."""


class JudgeLost(TryLost):
    """The judge process died or hung."""


class StartLost(JudgeLost):
    """The judge process died or hung before it was ready."""


class JobDisturbed(TryLost):
    """Something from outside ended the try; the judge goes on."""


class Judge:
    """One judge process. Use as a context manager.

    Args:
        order: what it judges.
        slot: its number among those that work at the same time; its workers keep to one processor.

    Attributes:
        checks: what there is to earn, of each exercise of the order, once started.
    """

    program: tuple[str, ...] = ("-m", "autograder.judge.process")

    def __init__(self, order: Order, slot: int | None = None) -> None:
        self.checks: Mapping[str, Sequence[Worth]] = {}
        self.slot = slot
        self.number = slot or 0  # in a pool, whether tied to a processor or not
        self._order = order
        self._process: subprocess.Popen[bytes] | Fork | None = None
        self._socket: socket.socket | None = None
        self._stream: TextIO | None = None

    def __enter__(self) -> Judge:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the process, unless it runs.

        Raises:
            CannotJudge: it cannot grade at all; says why.
            StartLost: it died or hung.
        """
        if self._process is not None:
            return
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = self._forked(theirs.fileno()) or self._executed(theirs.fileno())
        ours.settimeout(START_SECONDS)
        self._socket = ours
        self._stream = ours.makefile("rw", encoding="utf-8", newline="\n")
        try:
            self._send(Start(self._order, self.slot))
            answer = self._receive()
        except JudgeLost as lost:
            raise StartLost(str(lost)) from None
        if isinstance(answer, Ready):
            self.checks = answer.checks
            return
        self.kill()
        if isinstance(answer, Disturbed):
            raise StartLost(answer.reason)
        raise CannotJudge(answer.reason if isinstance(answer, Unable) else f"the judge process said {answer}")

    def _forked(self, connection: int) -> Fork | None:
        """A process that has imported torch already; None where it must do so itself."""
        module = self.program[-1]
        if self.program[0] == "-m" and not self._order.listing and forks.possible():
            with contextlib.suppress(OSError):
                return forks.judge(module, connection, SETTINGS)
        return None

    def _executed(self, connection: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-P", *self.program, str(connection)],
            pass_fds=[connection],
            env=dict(os.environ) | SETTINGS,
            stdin=subprocess.DEVNULL,
            # Ctrl-C is for the scheduler, which then ends its judges in good order.
            start_new_session=True,
        )

    def grade(self, job: Job, on_check: OnCheck | None = None) -> Result:
        """The result of one job: one try, and what others did meanwhile is taken for the submission's doing.

        Raises: see `ask`.
        """
        return self.ask(Ask(job, on_check is not None), on_check).result

    def ask(self, question: Ask, on_check: OnCheck | None = None) -> JobResult:
        """What came of one try of a job.

        Args:
            question: the try.
            on_check: told each check before it begins.

        Raises:
            TryLost: nothing came of this try.
            CannotJudge: the exercise's checks cannot be collected.
            JudgeFault: the framework failed on this job, and the judge goes on.
        """
        assert self._socket is not None, "start() it first"
        self._socket.settimeout(question.job.seconds)
        self._send(question)
        while True:
            match self._receive():
                case Judging(title, seconds):
                    if on_check is not None:
                        on_check(title, seconds)
                case JobResult() as done:
                    return done
                case Disturbed(reason):
                    raise JobDisturbed(reason)
                case Unable(reason):
                    self.kill()
                    raise CannotJudge(reason)
                case Fault(reason):
                    raise JudgeFault(reason)
                case Ready():
                    self.kill()
                    raise JudgeLost("the judge process began again")

    def close(self) -> None:
        """Let the process end by itself, then make sure."""
        if self._process is None:
            return
        self.hang_up()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def interrupt(self) -> None:
        """End the process from another thread; the one that waits for it cleans up."""
        process = self._process
        if process is not None:
            process.kill()

    def kill(self) -> None:
        """End the process now; its workers die with it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.hang_up()

    def hang_up(self) -> None:
        """Let the process end, without waiting for it."""
        if self._socket is not None and self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.close()
            self._socket.close()
            self._socket = self._stream = None

    def _send(self, message: Struct) -> None:
        assert self._stream is not None
        try:
            self._stream.write(to_line(message))
            self._stream.flush()
        except OSError as error:
            self.kill()
            raise JudgeLost(f"the judge process is gone ({error})") from None

    def _receive(self) -> JobAnswer:
        assert self._stream is not None
        try:
            line = self._stream.readline()
            if line:
                return answer_from(line)
        except (OSError, ValueError) as error:  # a time-out is one
            self.kill()
            raise JudgeLost(f"the judge process did not answer ({error})") from None
        self.kill()
        raise JudgeLost("the judge process died")
