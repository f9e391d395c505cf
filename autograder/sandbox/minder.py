"""The minder of one worker: makes its namespaces, forks it, watches it, kills it, and says how it ended.

Runs as a fork of the warm parent and is trusted. It holds the status socket to the judge: when that closes,
because the judge wants so or has died, the worker is killed. The minder itself dies with the warm parent, and
the worker dies with the minder.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import resource
import select
import signal
import socket
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograder.sandbox import kernel, selftest
from autograder.sandbox.isolation import AnswerData, Exit, IsolationData, WorkerLimits
from autograder.sandbox.lockdown import (
    DRIVER_THREADS,
    REPORT,
    WIRE,
    Lockdown,
    OpenedGpu,
    Owner,
    die_with_parent,
    keep_descriptors,
    lock,
    memory_sizes,
)
from autograder.sandbox.memory import Memory
from autograder.sandbox.readable import Readable
from autograder.sandbox.watching import Sentry, gpu_memory, shared_memory, threads

Serve = Callable[[socket.socket, IsolationData], object]

# Where a judge with uid 0 puts its workers: a range that no system uses, one uid for each worker, so that the
# kernel's count of a user's threads is this worker's own.
_FIRST_UID, _UIDS, _NOBODY = 0x70000000, 1 << 22, 65534

# How often it is looked at what the kernel does not limit.
_LOOK_EVERY_MS = 100

# A crash with at least this share of the memory budget in use is put down to the budget.
_NEARLY_ALL = 0.75

# A kernel that counts ticks ends a process some way before what its usage later says was the limit.
_CPU_SPENT = 0.75


@dataclass(frozen=True)
class Mission:
    """Everything a minder needs to know beside its two sockets."""

    plan: Lockdown
    limits: WorkerLimits
    readable: Readable
    repository: str | None
    isolation: IsolationData  # what the worker is told about itself
    serve: Serve | None  # None: lock down, test, report, leave
    gpu: OpenedGpu | None = None


def mind(mission: Mission, wire: socket.socket, status: socket.socket, parent: int) -> None:
    """The whole life of a minder, a child of `parent`. Never returns."""
    try:
        _mind(mission, wire, status, parent)
    except BaseException as error:
        _tell(status, {"refused": f"{type(error).__name__}: {error}", "details": traceback.format_exc()})
    finally:
        os._exit(0)


def _mind(mission: Mission, wire: socket.socket, status: socket.socket, parent: int) -> None:
    os.setsid()
    kernel.name_process("ag-minder")
    die_with_parent()
    if os.getppid() != parent:  # it died before the line above
        return
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    owner = _prepare(mission.plan)
    sizes = memory_sizes()
    read_report, write_report = os.pipe()
    worker = os.fork()
    if worker == 0:
        _work(mission, owner, wire, write_report, sizes)
    wire.close()
    os.close(write_report)
    handle = os.pidfd_open(worker)
    before = _resident(worker)
    report = _read_all(read_report)
    if report is None or "locked" not in report:
        os.kill(worker, signal.SIGKILL)
        _, code, _ = os.wait4(worker, 0)
        _tell(status, report or _died_while_locking(code))
        return
    _require_power_over(worker)
    # What a GPU's driver has taken is there now, and comes before the worker's own.
    counted = sizes if mission.gpu is None else (None, memory_sizes(str(worker))[1])
    memory = Memory(worker, owner, mission.limits.memory_bytes, counted)
    memory.allow(mission.limits.memory_bytes)
    watches, unwatched = _watches(mission, worker, owner, memory)
    _tell(status, {**report, "pid": worker, **unwatched})
    reason = _watch(handle, status, memory, watches)
    os.kill(worker, signal.SIGKILL)
    _, code, usage = os.wait4(worker, 0)
    ended = _verdict(code, usage, reason, mission.limits.cpu_seconds, memory.allowed, before)
    _tell(status, {"exit": ended.to_json()})


def _died_while_locking(code: int) -> AnswerData:
    """Nothing in there ends by SIGKILL: that came from outside, and says nothing of what this machine can do."""
    if os.WIFSIGNALED(code) and os.WTERMSIG(code) == signal.SIGKILL:
        return AnswerData(failed="the worker was killed from outside while it locked itself down")
    return AnswerData(refused=f"the worker died while locking itself down (status {code})")


def _watches(
    mission: Mission, worker: int, owner: Owner, memory: Memory
) -> tuple[list[Sentry], AnswerData]:  # fmt: skip
    """What is looked at while it runs, and what cannot be."""
    found, unwatched = [], AnswerData()
    more = 0 if mission.gpu is None else DRIVER_THREADS
    if not owner.counted_alone:  # the kernel's own limit would count the user's other processes too
        found.append(threads(worker, mission.limits.threads + more))
    if mission.gpu is not None:
        found.append(shared_memory(worker, memory))
        try:
            found.append(gpu_memory(worker, mission.gpu, mission.limits.gpu_memory_mb))
        except OSError as error:
            unwatched["unwatched"] = error.strerror or str(error)
    return found, unwatched


def _prepare(plan: Lockdown) -> Owner:
    """Enter the namespaces that only children see, and settle whom the worker will belong to."""
    uid, gid = os.getuid(), os.getgid()
    # The files of /proc/self belong to root while a process is not dumpable.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    _write_own("oom_score_adj", "1000")  # if memory runs out, workers go first
    own_users = plan.namespaces and (uid != 0 or not plan.protected)
    if own_users:
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID)
        _write_own("setgroups", "deny")
        _write_own("uid_map", f"{uid} {uid} 1")
        _write_own("gid_map", f"{gid} {gid} 1")
    elif plan.namespaces:
        kernel.unshare(kernel.CLONE_NEWPID)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    if uid == 0 and plan.protected:
        return _somebody_else()
    return Owner(uid, gid, own_users and uid != 0 and _threads_counted_by_namespace())


def _write_own(name: str, text: str) -> None:
    with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
        file.write(text)


def _somebody_else() -> Owner:
    """An unprivileged user that root may become: one of its own for each worker, where there are so many."""
    with open("/proc/self/uid_map", encoding="ascii") as table:
        ranges = [[int(word) for word in line.split()] for line in table]
    number = _FIRST_UID + os.getpid() % _UIDS
    for uid, alone in ((number, True), (_NOBODY, False)):
        if any(first <= uid < first + count for first, _, count in ranges):
            return Owner(uid, uid, alone)
    raise PermissionError("this root has no other user to give a worker to: its user namespace maps too few")


def _require_power_over(worker: int) -> None:
    try:
        os.kill(worker, 0)
    except PermissionError as error:
        raise PermissionError("root can't kill a worker of another user; give it CAP_KILL") from error


def _threads_counted_by_namespace() -> bool:
    """Since Linux 5.14 RLIMIT_NPROC counts inside a user namespace only what lives there."""
    major, minor = platform.release().split(".")[:2]
    return (int(major), int("".join(filter(str.isdigit, minor)))) >= (5, 14)


def _work(mission: Mission, owner: Owner, wire: socket.socket, report: int, sizes: tuple[int, int]) -> None:
    """The worker's side of the fork. Never returns."""
    code = 70
    try:
        kernel.name_process("ag-worker")
        own = _locked(mission, owner, wire.detach(), report, sizes)
        if own is not None and mission.serve is not None:
            mission.serve(own, mission.isolation)
            code = 0
    finally:
        os._exit(code)


def _locked(mission: Mission, owner: Owner, wire: int, report: int, sizes: tuple[int, int]) -> socket.socket | None:
    """Lock down, test, report over the pipe; the wire if all went well."""
    keep_descriptors(wire, report)
    try:
        # With a file system of its own, what is hidden is not there.
        readable = mission.readable if mission.plan.namespaces else mission.readable.without_mounts()
        layers = lock(mission.plan, mission.limits, owner, readable, *sizes, mission.gpu)
        own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=WIRE)
        if mission.plan.protected:
            wrong = selftest.failures(mission.plan, mission.limits, owner, readable, mission.repository, mission.gpu)
            if wrong:
                raise OSError(1, "the self-test found: " + "; ".join(wrong))
            layers.append("self-test")
        answer = AnswerData(locked=layers)
    except BaseException as error:
        message = f"{type(error).__name__}: {error}"
        answer = AnswerData(refused=message, details=traceback.format_exc()[-50000:])
    os.write(REPORT, json.dumps(answer).encode())
    os.close(REPORT)
    return own if "locked" in answer else None


def _read_all(pipe: int) -> AnswerData | None:
    chunks = []
    while chunk := os.read(pipe, 65536):
        chunks.append(chunk)
    os.close(pipe)
    if not chunks:
        return None
    report: AnswerData = json.loads(b"".join(chunks))
    return report


def _watch(handle: int, status: socket.socket, memory: Memory, watches: Sequence[Sentry]) -> str | None:
    """Wait for the worker's end, or for a reason to end it: then the reason. Sets its memory as the judge says."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(status, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(_LOOK_EVERY_MS if watches else None)}
        if handle in ready:
            return None
        if status.fileno() in ready:
            message = status.recv(1 << 10)
            if not message:
                return "killed"
            with contextlib.suppress(ProcessLookupError):  # it has just died, which the next look finds
                memory.allow(json.loads(message)["memory_bytes"])
                _tell(status, {"allowed": memory.allowed})
        for look in watches:
            if (reason := look()) is not None:
                return reason


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def _verdict(
    code: int, usage: resource.struct_rusage, reason: str | None, cpu_seconds: int, memory_bytes: int, before: int
) -> Exit:
    killed_by = os.WTERMSIG(code) if os.WIFSIGNALED(code) else None
    status = os.WEXITSTATUS(code) if os.WIFEXITED(code) else None
    cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
    if reason is None:
        reason = f"exit {status}" if killed_by is None else f"signal {killed_by}"
        nearly_all = memory - before >= _NEARLY_ALL * memory_bytes
        if killed_by in (signal.SIGKILL, signal.SIGXCPU) and cpu >= _CPU_SPENT * cpu_seconds:
            reason = "cpu"
        elif killed_by == signal.SIGKILL or (killed_by is not None and nearly_all):
            reason = "memory"  # a SIGKILL that nobody here sent comes from a system short of memory
    return Exit(status, killed_by, round(cpu, 3), memory, reason)


def _tell(status: socket.socket, message: AnswerData) -> None:
    with contextlib.suppress(OSError):  # the judge is gone: nobody is left to be told
        status.send(json.dumps(message).encode())
