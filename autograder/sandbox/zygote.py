"""The zygote: a process that imports torch once, and forks the judges and warm parents of a batch, which then have it.

It holds no course, no secret and no submission, and lives in the clean environment of a warm parent; what a judge
needs beyond that is given to the fork. It ends with the process that started it. See `forks` for the other side.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import NoReturn

from autograder.sandbox import forks, kernel, pages, parent
from autograder.sandbox.lockdown import close_from
from autograder.sandbox.readable import site_packages


def main(descriptor: int) -> None:
    """Import what the first message says, then fork on request until the other side has gone. Never returns."""
    with contextlib.suppress(KeyboardInterrupt):
        _live(socket.socket(fileno=descriptor))
    os._exit(0)


def _live(control: socket.socket) -> None:
    kernel.name_process("ag-zygote")
    close_from(control.fileno() + 1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever asked for a fork sees its end by a descriptor
    order = json.loads(control.recv(1 << 20))
    plain_path = [entry for entry in sys.path if entry != order["root"]]
    sys.path += [entry for entry in site_packages(order["sys_path"]) if entry not in sys.path]
    for name in order["preload"]:
        importlib.import_module(name)
    parent.warm_up()
    gc.collect()
    gc.freeze()
    pages.collect()
    lines = {control.fileno(): control}
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while True:
        for number, _event in poll.poll():
            line = lines[number]
            message, descriptors, _flags, _address = socket.recv_fds(line, 1 << 16, 3)
            if message:
                own = _fork(json.loads(message), descriptors, line, lines, plain_path)
                if own is not None:
                    lines[own.fileno()] = own
                    poll.register(own, select.POLLIN)
            elif line is control:
                return
            else:
                poll.unregister(line)
                lines.pop(number).close()


def _fork(
    request: forks.Request, descriptors: list[int], line: socket.socket, lines: dict[int, socket.socket],
    plain_path: list[str],
) -> socket.socket | None:  # fmt: skip
    """Fork and answer; this side of the fork's own line."""
    if why := parent.unfit():  # a child of a process with threads can hang
        _refuse(line, why, descriptors)
        return None
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        with ours:
            for other in lines.values():
                other.close()
        if request["role"] == "warm parent":
            _run(partial(_warm_parent, descriptors, theirs))
        _run(partial(_judge, descriptors, theirs, plain_path))
    theirs.close()
    try:
        handle = os.pidfd_open(child)
    except OSError as error:  # it has died already
        ours.close()
        _refuse(line, str(error), descriptors)
        return None
    with contextlib.suppress(OSError):
        socket.send_fds(line, [json.dumps({"pid": child}).encode()], [handle])
    for descriptor in (*descriptors, handle):
        os.close(descriptor)
    return ours


def _refuse(line: socket.socket, why: str, descriptors: list[int]) -> None:
    with contextlib.suppress(OSError):
        line.send(json.dumps({"failed": why}).encode())
    for descriptor in descriptors:
        os.close(descriptor)


def _run(role: Callable[[], int]) -> NoReturn:
    """The child's side."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        code = role()
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
            sys.stderr.flush()
        os._exit(code)


def _warm_parent(descriptors: list[int], line: socket.socket) -> int:
    line.close()  # workers come from here: no way back
    control, errors = descriptors
    os.dup2(errors, 2)
    os.dup2(control, 3)
    parent.main(3, warm=True)
    return 0


def _judge(descriptors: list[int], line: socket.socket, plain_path: list[str]) -> int:
    kernel.name_process("ag-judge")
    connection, errors, sealed = descriptors
    os.dup2(errors, 2)
    os.close(errors)
    with open(sealed, "rb") as file:
        file.seek(0)
        request: forks.JudgeOrder = json.loads(file.read())
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    # As `python -P` would have it: not the folder we stand in, where a student's file may be called json.py.
    sys.path[:] = [*request["path"], *(entry for entry in plain_path if entry not in request["path"])]
    sys.path += [entry for entry in (*site_packages(request["sys_path"]), request["root"]) if entry not in sys.path]
    sys.path_importer_cache.clear()
    sys.dont_write_bytecode = request["dont_write_bytecode"]
    sys.argv[:] = [request["module"], str(connection)]
    forks.use(line)
    code = importlib.import_module(request["module"]).main()
    return code if isinstance(code, int) else 0
