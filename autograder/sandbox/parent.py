"""The warm parent: a trusted process that has imported torch once and forks a minder for every worker.

The judge executes it with a clean environment and one descriptor. It stays single-threaded, because a child
of a process with threads can hang; it counts its threads before every fork.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from autograder.sandbox import calls, kernel, landlock, minder, pages, seccomp
from autograder.sandbox.gpu import Driver, Opening
from autograder.sandbox.isolation import GPU_LAYER, MIB, AnswerData, Isolation, Level, ParentOrder, WorkerLimits
from autograder.sandbox.lockdown import Lockdown, OpenedGpu, close_from
from autograder.sandbox.readable import Readable, library_paths, narrowed, site_packages, sys_path_within

FIRST_PROCESS = 1  # the id of every worker in its own namespace

_ATTEMPTS = 3

_PROBE_LIMITS = WorkerLimits(memory_bytes=64 * MIB, cpu_seconds=10, scratch_bytes=MIB)
_GPU_PROBE_LIMITS = WorkerLimits(memory_bytes=1024 * MIB, cpu_seconds=120, scratch_bytes=16 * MIB)

# What an unprotected worker may still have, best first: namespaces, Landlock, seccomp.
_UNPROTECTED = (
    (True, True, False),
    (True, False, False),
    (False, True, True),
    (False, True, False),
    (False, False, True),
    (False, False, False),
)

ADVICE = (
    "Grade on Linux with user namespaces or Landlock, and with seccomp; or allow unprotected work in so many words."
)


def main(descriptor: int, warm: bool = False) -> None:
    """Prepare as the judge's first message says, then fork minders until the judge is gone. Never returns.

    warm: this process is a fork of the zygote, which has imported and run everything once.
    """
    try:
        _live(socket.socket(fileno=descriptor), warm)
    finally:
        os._exit(0)


def _live(control: socket.socket, warm: bool) -> None:
    kernel.name_process("ag-parent")
    close_from(control.fileno() + 1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # minders are reaped by the kernel
    try:
        order: ParentOrder = json.loads(control.recv(1 << 20))
        judge = os.pidfd_open(order["judge"])
        if not warm:
            # For the time of the imports, which the judge waits for; afterwards its end is watched.
            kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != order["judge"]:
                return
        if order["processor"] is not None:
            os.sched_setaffinity(0, {order["processor"]})  # forks inherit it, and the filter refuses to change it
        started = time.perf_counter()
        mission = _prepare(order, warm)
        imported = time.perf_counter()
        mission = _planned(mission, order)
    except CannotStart as refusal:
        control.send(json.dumps({"refused": str(refusal)}).encode())
        return
    except BaseException:
        control.send(json.dumps({"failed": traceback.format_exc()[-50000:]}).encode())
        return
    kernel.prctl(kernel.PR_SET_PDEATHSIG, 0)  # it would go with the judge's thread, not with the judge
    _silence()
    timings = {"import_seconds": imported - started, "probe_seconds": time.perf_counter() - imported}
    control.send(json.dumps({"ready": mission.isolation, "timings": timings}).encode())
    _fork_on_request(mission, control, judge)


class CannotStart(Exception):
    pass


class ProbeKilled(Exception):
    pass


def _prepare(order: ParentOrder, warm: bool) -> minder.Mission:
    for entry in site_packages(order["sys_path"]):
        if entry not in sys.path:
            sys.path.append(entry)
    sys.path[:0] = order["import_path"]
    for name in order["preload"]:
        importlib.import_module(name)
    module, _, function = order["serve"].partition(":")
    serve = getattr(importlib.import_module(module), function)
    gpu = None
    if order["gpu"] is not None:
        opening = Opening.from_json(order["gpu"])
        gpu = OpenedGpu(opening, cast(Driver, importlib.import_module(opening.driver)))
    if not warm:
        warm_up()
    paths = library_paths(order["readable"])
    sys.argv[:] = [""]
    sys.path[:] = sys_path_within(paths)
    # Done here and not in each worker: touching what was imported copies its pages, which takes milliseconds.
    sys.path_importer_cache.clear()
    seccomp.program(FIRST_PROCESS, True, None if gpu is None else gpu.opening)
    if not warm:
        gc.collect()
        gc.freeze()
        pages.collect()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    root = order["root"]
    return minder.Mission(
        plan=Lockdown(namespaces=True, landlock=True, seccomp=True),
        limits=_PROBE_LIMITS,
        readable=Readable(tuple(paths)),
        repository=None if site_packages([root]) else root,
        isolation=Isolation("none", (), ()).to_json(),
        serve=serve,
        gpu=gpu,
    )


def warm_up() -> None:
    """Pay first-time costs once: the first optimiser step, the first figure with its fonts."""
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(1)
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
        optimiser = torch.optim.Adam(model.parameters())
        for _ in range(2):
            optimiser.zero_grad()
            loss = model(torch.ones(3, 4)).square().mean()
            if knows_gpus():  # both count the GPUs, and with that the driver starts in a process that is to fork
                continue
            loss.backward()
            optimiser.step()
        torch.manual_seed(0)  # a fresh process has a random one: no two gradings would agree
    if "numpy" in sys.modules:
        import numpy

        numpy.random.seed(0)
    if "matplotlib.pyplot" in sys.modules:
        from matplotlib import pyplot

        figure, axes = pyplot.subplots()
        axes.set_title("$x$")
        figure.savefig(io.BytesIO(), format="png")
        pyplot.close(figure)


def knows_gpus() -> bool:
    """Whether this torch was built for GPUs, there being any or not."""
    import torch

    return torch.version.cuda is not None or torch.version.hip is not None


def _planned(mission: minder.Mission, order: ParentOrder) -> minder.Mission:
    """The mission with its plan. Where its GPU cannot be had in any, and need not be, without one: it is said why."""
    without, unprotected = frozenset(order["without"]), order["unprotected"]
    if mission.gpu is None:
        return _choose_plan(mission, without, unprotected)
    opening = mission.gpu.opening
    refused = ""
    for more in ((), opening.wider) if opening.wider else ((),):
        readable = Readable(tuple(library_paths([*order["readable"], *opening.readable, *more])))
        try:
            chosen = _choose_plan(replace(mission, readable=readable, limits=_GPU_PROBE_LIMITS), without, unprotected)
        except CannotStart as refusal:
            refused = str(refusal)
            continue
        if more:
            chosen.isolation["why"].append(
                f"the GPU's driver starts only where it can read {', '.join(more)}: {refused}"
            )
        return chosen
    if order["gpu_required"]:
        raise CannotStart(refused)
    plain = _choose_plan(replace(mission, gpu=None), without, unprotected)
    plain.isolation["why"].append(f"the GPU {opening.device} is not used: {refused}")
    return plain


def _choose_plan(mission: minder.Mission, without: frozenset[str], unprotected: bool) -> minder.Mission:
    """The strongest plan that this machine carries out, self-test included: tried on a throw-away worker."""
    if calls.architecture() not in calls.AUDIT_ARCH:
        raise CannotStart(f"the sandbox does not know the processor {calls.architecture()}. {ADVICE}")
    why = [f"{name}: switched off" for name in sorted(without)]
    filtered = "seccomp" not in without
    files = "landlock" not in without and landlock.version() > 0
    if "landlock" not in without and not files:
        why.append("landlock: this kernel does not have it")
    plans = []
    if filtered and "namespaces" not in without:
        plans.append(Lockdown(namespaces=True, landlock=files, seccomp=True))
    if filtered and files:
        plans.append(Lockdown(namespaces=False, landlock=True, seccomp=True))
    for plan in plans:
        layers, reason = _try(replace(mission, plan=plan))
        if layers is not None:
            why += [reason] if reason else []
            level: Level = "full" if plan.namespaces else "reduced"
            return _settled(mission, plan, level, layers, why)
        why.append(f"{'namespaces' if plan.namespaces else 'landlock alone'}: {reason}")
    if not unprotected:
        what = "isolated" if mission.gpu is None else f"isolated with the GPU {mission.gpu.opening.device}"
        raise CannotStart(f"student code can't be {what} on this machine: {'; '.join(why)}. {ADVICE}")
    for namespaces, landlocked, with_filter in _UNPROTECTED:
        if (with_filter and not filtered) or (landlocked and not files) or (namespaces and "namespaces" in without):
            continue
        plan = Lockdown(namespaces, landlocked, with_filter, protected=False)
        layers, reason = _try(replace(mission, plan=plan))
        if layers is not None:
            return _settled(mission, plan, "none", layers, why)
        why.append(f"unprotected: {reason}")
    raise CannotStart(f"not even an unprotected worker starts: {'; '.join(why)}")


def _settled(
    mission: minder.Mission, plan: Lockdown, level: Level, layers: list[str], why: list[str]
) -> minder.Mission:
    wanted = ["namespaces", "pivot_root", "unprivileged", "landlock", "seccomp", "self-test"]
    wanted += [] if mission.gpu is None else [GPU_LAYER]
    missing = tuple(name for name in wanted if name not in layers)
    isolation = Isolation(level, tuple(layers), missing, tuple(why), mission.gpu.opening.device if mission.gpu else "")
    return replace(mission, plan=plan, isolation=isolation.to_json())


def _try(mission: minder.Mission) -> tuple[list[str] | None, str]:
    """Lock down one worker that serves nothing: its layers and what is missing, or None and the reason.

    Tried again where it fails: a worker that a system short of memory has killed must not cost everybody a layer.

    Raises:
        ProbeKilled: none lived long enough to tell.
    """
    layers, reason = None, ""
    for attempt in range(_ATTEMPTS):
        try:
            layers, reason = _try_once(mission)
        except ProbeKilled:
            if attempt == _ATTEMPTS - 1:
                raise
        if layers is not None:
            break
    return layers, reason


def _try_once(mission: minder.Mission) -> tuple[list[str] | None, str]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    wire, far_end = socket.socketpair()
    with ours, theirs, wire, far_end:
        if _fork_minder(replace(mission, serve=None), wire, theirs, (ours, far_end)) is None:
            return None, unfit()
        theirs.close()
        answer: AnswerData = json.loads(ours.recv(1 << 17) or b'{"refused": "the minder died"}')
        if "failed" in answer:
            raise ProbeKilled(answer["failed"])
        if "locked" not in answer:
            return None, answer["refused"]
        ours.recv(1 << 17)  # how it ended: the minder is done
        if mission.gpu is None:
            return answer["locked"], ""
        if "unwatched" in answer:
            return answer["locked"], f"{GPU_LAYER}: {answer['unwatched']}"
        return [*answer["locked"], GPU_LAYER], ""


def _silence() -> None:
    """Errors up to here went to the judge's file; from here on there is nothing to tell."""
    nothing = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)


def _fork_on_request(mission: minder.Mission, control: socket.socket, judge: int) -> None:
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(judge, select.POLLIN)
    readable: dict[tuple[str, ...] | None, Readable] = {None: mission.readable}
    while True:
        if any(descriptor == judge for descriptor, _ in poll.poll()):
            return
        message, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 2)
        if not message:
            return
        request = json.loads(message)
        libraries = tuple(request["libraries"]) if request["libraries"] is not None else None
        if libraries not in readable:
            readable[libraries] = narrowed(mission.readable.paths, libraries or (), sys.path)
        limits = WorkerLimits(**request["spawn"])
        wanted = replace(mission, limits=limits, readable=readable[libraries])
        with socket.socket(fileno=descriptors[0]) as wire, socket.socket(fileno=descriptors[1]) as status:
            if _fork_minder(wanted, wire, status, (control,)) is None:
                with contextlib.suppress(OSError):  # whoever asked may have gone
                    status.send(json.dumps({"refused": unfit()}).encode())


def _fork_minder(
    mission: minder.Mission, wire: socket.socket, status: socket.socket, others: Sequence[socket.socket]
) -> int | None:
    """Fork; None if that would not be safe. `others` are closed in the child."""
    if unfit():
        return None
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            for other in others:
                other.close()
            minder.mind(mission, wire, status, parent)
        os._exit(1)
    return child


def unfit() -> str:
    """Why there must be no fork; empty where there may."""
    if thread_count() != 1:
        return too_many_threads()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return "CUDA runs in the warm parent, and no fork could use it: a preloaded module started it"
    return ""


def thread_count() -> int:
    """Of this process."""
    return len(os.listdir("/proc/self/task"))


def too_many_threads() -> str:
    """Why there is no fork."""
    return f"the warm parent has {thread_count()} threads: a preloaded module started some"
