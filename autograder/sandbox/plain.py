"""Without isolation: an ordinary process, for students who check their own work where nothing better is had.

Works on every platform: the child connects back to the judge over the loopback interface and shows a token.
Its standard input is its life line: when that closes, because the judge is gone, it ends.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import asdict

from autograder.sandbox.environment import SETTINGS
from autograder.sandbox.isolation import Exit, Isolation, IsolationRefused, ParentOrder, WarmParentDied, WorkerLimits
from autograder.sandbox.worker import Worker

_CONNECT_SECONDS = 300.0  # the child imports torch first
_LOOK_EVERY = 0.2  # seconds between two looks at whether the child still lives
_TOKEN_BYTES = 32

_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from autograder.sandbox.plain import main; main()"


def isolation(unprotected: bool) -> Isolation:
    why = f"no warm parent on {sys.platform}: an ordinary process is all there is"
    if not unprotected:
        raise IsolationRefused(
            f"student code can't be isolated here ({why}). Grade on Linux, or allow unprotected work in so many words."
        )
    return Isolation("none", (), ("namespaces", "pivot_root", "landlock", "seccomp", "self-test"), (why,))


def spawn(order: ParentOrder, limits: WorkerLimits, level: Isolation) -> Worker:
    """Start one ordinary process that serves; it has imported everything when this returns."""
    token = secrets.token_bytes(_TOKEN_BYTES)
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, order["root"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ) | SETTINGS,
            start_new_session=os.name == "posix",
        )
        sent = {
            **order,
            "token": token.hex(),
            "port": server.getsockname()[1],
            "limits": asdict(limits),
            "isolation": level.to_json(),
        }
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(sent).encode() + b"\n")
            process.stdin.flush()
            wire = _accept(server, process, token)
        except BaseException:
            _end(process)
            raise
    return PlainWorker(wire, level, process)


def _accept(server: socket.socket, process: subprocess.Popen[bytes], token: bytes) -> socket.socket:
    server.settimeout(_LOOK_EVERY)
    for _ in range(int(_CONNECT_SECONDS / _LOOK_EVERY)):
        if process.poll() is not None:
            raise WarmParentDied(f"the worker ended with status {process.returncode} before it served")
        with contextlib.suppress(TimeoutError):
            wire, _ = server.accept()
            wire.settimeout(_CONNECT_SECONDS)
            shown = b""
            while len(shown) < _TOKEN_BYTES and (part := wire.recv(_TOKEN_BYTES - len(shown))):
                shown += part
            if secrets.compare_digest(shown, token):
                wire.settimeout(None)
                return wire
            wire.close()
    raise WarmParentDied(f"the worker did not answer within {_CONNECT_SECONDS:g} seconds")


def _end(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix" and process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


class PlainWorker(Worker):
    """An ordinary child process. Its Exit does not say what it used."""

    def __init__(self, wire: socket.socket, isolation: Isolation, process: subprocess.Popen[bytes]) -> None:
        super().__init__(wire, isolation, process.pid)
        self._process = process
        self._exit: Exit | None = None

    def wait(self, timeout: float | None) -> Exit | None:
        if self._exit is None:
            try:
                status = self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                return None
            self._finish(f"exit {status}" if status >= 0 else f"signal {-status}")
        return self._exit

    def allow_memory(self, memory_bytes: int) -> None:
        """An ordinary process has no limit: not every system offers one."""

    def kill(self) -> None:
        if self._exit is None and self.wait(0) is None:
            _end(self._process)
            self._finish("killed")
        self.socket.close()

    def _finish(self, reason: str) -> None:
        status = self._process.returncode
        _end(self._process)
        code, number = (status, None) if status >= 0 else (None, -status)
        self._exit = Exit(code, number, 0.0, 0, reason)


def main() -> None:
    """The child: import, connect, serve. Never returns."""
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_judge, daemon=True).start()
    sys.path[:0] = order["import_path"]
    sys.path += [entry for entry in order["sys_path"] if entry not in sys.path]
    for name in order["preload"]:
        importlib.import_module(name)
    module, _, function = order["serve"].partition(":")
    serve = getattr(importlib.import_module(module), function)
    _limit(order["limits"])
    wire = socket.create_connection(("127.0.0.1", order["port"]))
    wire.sendall(bytes.fromhex(order["token"]))
    code = 70
    try:
        serve(wire, order["isolation"])
        code = 0
    finally:
        os._exit(code)


def _end_with_judge() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _limit(limits: dict[str, int]) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_seconds"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
