"""The worker locks itself down: the steps, in the one order in which they work.

Everything here runs in a freshly forked child, before it has seen a byte of student code. Each step may raise
OSError; then nothing is served.
"""

from __future__ import annotations

import fcntl
import os
import random
import resource
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.sandbox import jail, kernel, landlock, seccomp
from autograder.sandbox.gpu import Driver, Opening, open_node
from autograder.sandbox.isolation import MIB, WorkerLimits
from autograder.sandbox.readable import Readable, devices

WIRE, REPORT = 3, 4  # descriptors of the worker: the wire for good, the report until the self-test is over

# What a GPU's driver takes of a worker's own limits: private memory while it starts, descriptors, threads.
_DRIVER_DATA, _DRIVER_FILES, DRIVER_THREADS = 8192 * MIB, 192, 16


@dataclass(frozen=True)
class Lockdown:
    """What the warm parent found out that this machine can do."""

    namespaces: bool
    landlock: bool
    seccomp: bool
    protected: bool = True  # otherwise no self-test, no other user: for one's own work


@dataclass(frozen=True)
class OpenedGpu:
    """A GPU that the worker is given, and what is to be done with it."""

    opening: Opening
    driver: Driver


@dataclass(frozen=True)
class Owner:
    """Whom the worker will belong to. `counted_alone`: the kernel counts its threads apart from others."""

    uid: int
    gid: int
    counted_alone: bool


def lock(
    plan: Lockdown, limits: WorkerLimits, owner: Owner, readable: Readable, size: int, data: int,
    gpu: OpenedGpu | None = None,
) -> list[str]:  # fmt: skip
    """Lock this process down and name the layers that hold. `keep_descriptors` comes first.

    size, data: the process's address space and private data at the start, in bytes: its memory limit comes on top.
    """
    nodes = gpu.opening.nodes if gpu is not None else ()
    os.setsid()
    die_with_parent()
    if plan.namespaces:
        jail.enter(readable, limits.scratch_bytes, (owner.uid, owner.gid), nodes)
        layers = ["namespaces", "pivot_root"]
    else:
        os.chdir("/")
        layers = []
    _settle_in(plan.namespaces)
    if plan.protected:
        _drop_privileges(owner)
        _require_readable(readable.paths, owner)
        layers.append("unprivileged")
    die_with_parent()  # changing uid has cleared it
    rules = _rules(plan, readable, nodes)
    if gpu is not None:
        _start(plan, limits, gpu, rules)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    _set_limits(limits, size, data, owner.counted_alone, gpu is not None)
    layers.append("rlimits")
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if plan.landlock:
        landlock.restrict(rules)
        layers.append("landlock")
    if plan.seccomp:
        seccomp.install(os.getpid(), own_files=plan.namespaces, gpu=gpu.opening if gpu is not None else None)
        layers.append("seccomp")
    return layers


def _rules(plan: Lockdown, readable: Readable, nodes: Sequence[str]) -> list[tuple[str, int]]:
    rules = [(path, landlock.READ) for path in readable.paths]
    rules += [(path, landlock.READ_DIR) for path in readable.listed]
    rules += [(path, landlock.READ) for path in devices()]
    rules += [("/dev/null", landlock.READ | landlock.WRITE_FILE | landlock.TRUNCATE)]
    rules += [(path, landlock.DEVICE) for path in nodes]
    rules += [(jail.SCRATCH, landlock.SCRATCH)] if plan.namespaces else []
    return rules


def _start(plan: Lockdown, limits: WorkerLimits, gpu: OpenedGpu, rules: list[tuple[str, int]]) -> None:
    """Have the driver start, with what only its start needs: other calls, and files about its own process.

    Its threads live on. The filter, which comes afterwards, reaches them; what Landlock takes away then does not: they
    keep the right to this process's own files in /proc. Everything else they are refused from their first moment.
    """
    os.environ.update(gpu.opening.environment)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # or its own files in /proc, where it names its threads, are root's
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if plan.landlock:
        naming = landlock.READ | landlock.WRITE_FILE | landlock.TRUNCATE
        own = [] if plan.namespaces else [("/proc/self", landlock.READ), ("/proc/self/task", naming)]
        landlock.restrict([*rules, *own])
    for path in gpu.opening.nodes:
        open_node(path)  # the driver's library would only say that there is no GPU
    gpu.driver.start(limits.gpu_memory_mb * MIB)
    if plan.namespaces:
        jail.forget_process()


def die_with_parent() -> None:
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)


def close_from(first: int) -> None:
    try:
        kernel.call("close_range", first, 0xFFFFFFFF, 0)
    except OSError:  # before Linux 5.9
        os.closerange(first, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def keep_descriptors(wire: int, report: int) -> None:
    """Move the two to WIRE and REPORT, turn the standard ones into /dev/null, close everything else."""
    # Moved out of the way first, so that neither target overwrites the other's source.
    spare_wire = fcntl.fcntl(wire, fcntl.F_DUPFD_CLOEXEC, 10)
    spare_report = fcntl.fcntl(report, fcntl.F_DUPFD_CLOEXEC, 10)
    nothing = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.dup2(spare_wire, WIRE, inheritable=False)
    os.dup2(spare_report, REPORT, inheritable=False)
    close_from(REPORT + 1)


def memory_sizes(process: str = "self") -> tuple[int, int]:
    """Address space and private data of a process now, in bytes."""
    with open(f"/proc/{process}/statm", encoding="ascii") as table:
        fields = [int(word) * resource.getpagesize() for word in table.read().split()]
    return fields[0], fields[5]


def _settle_in(own_files: bool) -> None:
    """Make Python see the new place."""
    home = jail.SCRATCH if own_files else "/nonexistent"
    os.environ.update(HOME=home, TMPDIR=home, MPLCONFIGDIR=home)
    tempfile.tempdir = None
    random.seed(0)  # the fork has given it a random one
    os.umask(0o077)


def _drop_privileges(owner: Owner) -> None:
    if os.getuid() != owner.uid:
        kernel.drop_bounding_set()  # takes CAP_SETPCAP, which goes with the uid
        try:
            os.setgroups([])
            os.setresgid(owner.gid, owner.gid, owner.gid)
            os.setresuid(owner.uid, owner.uid, owner.uid)
        except OSError as error:
            raise PermissionError(
                f"root can't become user {owner.uid} ({error}); give it CAP_SETUID and CAP_SETGID, "
                "or start the judge as an ordinary user"
            ) from error
    kernel.drop_capabilities()


def _require_readable(paths: Sequence[str], owner: Owner) -> None:
    for path in paths:
        if not os.access(path, os.R_OK):
            raise PermissionError(
                f"user {owner.uid}, who a worker runs as, can't read {path}; "
                "install Python where every user can read it, or allow namespaces"
            )


def _set_limits(limits: WorkerLimits, size: int, data: int, counted_alone: bool, gpu: bool) -> None:
    # Soft and hard are the same: as first process of its namespace the worker ignores SIGXCPU.
    wanted = {
        resource.RLIMIT_AS: size + limits.memory_bytes,
        resource.RLIMIT_DATA: data + limits.memory_bytes,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_SIGPENDING: limits.threads,  # timers too are kernel memory
    }
    if gpu:
        # It reserves more addresses than the machine has memory: what is used of them is watched, see `minder`. The
        # limit of private data is lowered by it to what the worker has once the driver runs.
        del wanted[resource.RLIMIT_AS]
        wanted[resource.RLIMIT_DATA] += _DRIVER_DATA
        wanted[resource.RLIMIT_NOFILE] += _DRIVER_FILES
    if counted_alone:
        # One for the minder, which an ordinary user's count has.
        wanted[resource.RLIMIT_NPROC] = limits.threads + 1 + (DRIVER_THREADS if gpu else 0)
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(kind, (value, value))
