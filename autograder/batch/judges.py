"""Judge processes as seen by the scheduler: start one, give it jobs, replace it when it is lost."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import AutograderError
from autograder.sandbox import forks
from autograder.sandbox.forks import Fork

START_SECONDS = 300.0

SETTINGS = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    # We may have been started among students' files: a `json.py` there would be run by the judge.
    "PYTHONSAFEPATH": "1",
}  # fmt: skip


class JudgeFault(AutograderError):
    """The framework could not grade: never the student's fault."""

    status = 1


class JudgeLost(JudgeFault):
    """The judge process died or hung in the middle of a job."""


@dataclass(frozen=True)
class Order:
    """What every judge of a batch is told.

    Attributes:
        config: the course's configuration file.
        checks: files or folders of the checks to collect.
        secret: the course secret.
        unprotected: run student code without isolation where there is none.
        without: isolation layers left out (tests).
        public: public checks on a student's machine.
        uncalibrated: record figures, judge none.
        language: of the messages; None takes the course's.
        figures: folder for pictures of figures; none are drawn without it.
        data_set: `mnist` or `digits`; None takes the course's.
        listing: asked only what its checks are worth: no worker is made ready.
    """

    config: Path
    checks: Sequence[Path]
    secret: bytes
    unprotected: bool = False
    without: frozenset[str] = frozenset()
    public: bool = False
    uncalibrated: bool = False
    language: str | None = None
    figures: Path | None = None
    data_set: str | None = None
    listing: bool = False


class Judge:
    """One judge process. Use as a context manager."""

    program: tuple[str, ...] = ("-m", "autograder.judge.process")

    def __init__(self, order: Order, slot: int | None = None) -> None:
        self.checks: dict[str, list[dict[str, Any]]] = {}  # of each exercise, once started; see `process.worth`
        self._order = order
        self._slot = slot  # its number among those that work at the same time
        self._process: subprocess.Popen[bytes] | Fork | None = None
        self._socket: socket.socket | None = None
        self._stream: Any = None

    def __enter__(self) -> Judge:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the process; JudgeFault with the reason where it cannot grade at all."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = self._forked(theirs.fileno()) or self._executed(theirs.fileno())
        ours.settimeout(START_SECONDS)
        self._socket = ours
        self._stream = ours.makefile("rw", encoding="utf-8", newline="\n")
        order = self._order
        self._send(
            {
                "config": str(order.config),
                "checks": [str(path) for path in order.checks],
                "secret": order.secret.hex(),
                "unprotected": order.unprotected,
                "without": sorted(order.without),
                "public": order.public,
                "uncalibrated": order.uncalibrated,
                "language": order.language,
                "data_set": order.data_set,
                "listing": order.listing,
                "figures": str(order.figures) if order.figures else None,
                "slot": self._slot,
            }
        )
        answer = self._receive()
        if "ready" not in answer:
            self.kill()
            raise JudgeFault(answer.get("fatal", "the judge process did not start"))
        self.checks = answer.get("checks", {})

    def _forked(self, connection: int) -> Fork | None:
        """A process that has imported torch already; None where it must do so itself."""
        module = self.program[-1]
        if self.program[0] != "-m" or self._order.listing or not forks.possible():
            return None
        for _attempt in range(2):  # the second time with a zygote that has not been killed
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

    def grade(
        self, job: dict[str, Any], seconds: float, on_check: Callable[[str, str], None] | None = None
    ) -> dict[str, Any]:
        """The result of one job, as JSON-able data.

        Raises:
            JudgeLost: the process died, or said nothing for `seconds`.
            JudgeFault: the framework failed on this job, and the judge goes on.
        """
        assert self._socket is not None
        self._socket.settimeout(seconds)
        self._send(job | {"progress": on_check is not None})
        while True:
            answer = self._receive()
            if "check" in answer:
                if on_check is not None:
                    on_check(answer["check"], answer["outcome"])
                continue
            if "result" in answer:
                result: dict[str, Any] = answer["result"]
                return result
            if "fatal" in answer:
                self.kill()
                raise JudgeLost(answer["fatal"])
            raise JudgeFault(answer["fault"])

    def close(self) -> None:
        """Let the process end by itself, then make sure."""
        if self._process is None:
            return
        self._hang_up()
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
        self._hang_up()

    def _hang_up(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._stream.close()
            self._socket.close()
            self._socket = None

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._stream.write(json.dumps(message) + "\n")
            self._stream.flush()
        except OSError as error:
            self.kill()
            raise JudgeLost(f"the judge process is gone ({error})") from None

    def _receive(self) -> dict[str, Any]:
        try:
            line = self._stream.readline()
        except (OSError, ValueError) as error:  # a time-out is one
            self.kill()
            raise JudgeLost(f"the judge process did not answer ({error})") from None
        if not line:
            self.kill()
            raise JudgeLost("the judge process died")
        answer: dict[str, Any] = json.loads(line)
        return answer
