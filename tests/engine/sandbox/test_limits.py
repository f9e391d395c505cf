"""A worker that eats memory, time, space, threads or descriptors, and how its end is told."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from autograder.sandbox import WorkerLimits
from autograder.sandbox.isolation import MIB

# MiB that the C library's heap may hold free when a worker starts: they are used first and do not count as growth. How
# many there are depends on the machine (the size of its pages, what the libraries have freed).
FREE = 16

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation is built on Linux alone")


def test_memory_bomb_meets_its_limit(worker, talk, limits):
    reply = talk(
        worker,
        """
        held = []
        try:
            while True:
                held.append(bytearray(1 << 20))
        except MemoryError:
            answer = len(held)
            held.clear()
    """,
    )
    assert 0 < reply.answer <= limits.memory_bytes // MIB + FREE


def test_what_a_thread_has_left_before_the_fork_is_no_memory_on_top(new_parent, talk, limits, public_folder):
    (public_folder / "left_by_a_thread.py").write_text(
        "import threading\n"
        "thread = threading.Thread(target=lambda: [bytearray(1000) for _ in range(100)])\n"
        "thread.start()\n"
        "thread.join()\n"
    )
    preload, path = ("left_by_a_thread",), [Path(__file__).parent, public_folder]
    with new_parent(preload=preload, import_path=path) as parent, parent.spawn(limits) as worker:
        assert 0 < talk(worker, GROW).answer <= limits.memory_bytes // MIB + FREE


@pytest.mark.parametrize("kind", ["mmap.MAP_SHARED", "mmap.MAP_PRIVATE"])
def test_mapped_memory_meets_its_limit(kind, worker, talk, limits):
    reply = talk(
        worker,
        f"""
        import mmap
        held = []
        try:
            while True:
                held.append(mmap.mmap(-1, 1 << 20, flags={kind} | mmap.MAP_ANONYMOUS))
        except OSError:
            answer = len(held)
    """,
    )
    assert 0 < reply.answer * MIB <= limits.memory_bytes


GROW = """
    held = []
    try:
        while True:
            held.append(bytearray(1 << 20))
    except MemoryError:
        answer = len(held)
        held.clear()
"""


def test_memory_follows_what_the_judge_allows_now(worker, talk, limits):
    """The import, a check and another check have limits of their own: set from outside, while the worker runs."""
    most = limits.memory_bytes // MIB
    for allowed, wanted in ((most, most), (most // 4, most // 4), (most // 2, most // 2), (10 * most, most)):
        worker.allow_memory(allowed * MIB)
        reached = talk(worker, GROW).answer
        assert wanted - FREE <= reached <= wanted + FREE, (allowed, reached)


def test_a_worker_keeps_what_it_has_when_less_is_allowed(worker, talk, limits):
    assert talk(worker, "kept = bytearray(128 << 20); answer = 1").answer == 1
    worker.allow_memory(64 * MIB)
    assert talk(worker, "answer = len(kept)").answer == 128 * MIB
    assert talk(worker, "more = bytearray(8 << 20)").error == "MemoryError"


@pytest.mark.parametrize(
    "call",
    [
        "setrlimit({kind}, (hard, hard))",
        "setrlimit({kind}, (1 << 20, hard))",
        "prlimit(0, {kind}, (hard, hard))",
        "prlimit(os.getpid(), {kind}, (hard, hard))",
    ],
)
@pytest.mark.parametrize("kind", ["AS", "DATA", "CPU", "NOFILE", "STACK"])
def test_a_worker_sets_no_limit_of_its_own(call, kind, worker, talk):
    """Neither to have more than is allowed now, nor to be killed as if by somebody else."""
    kind = f"resource.RLIMIT_{kind}"
    text = f"import os, resource\nhard = resource.getrlimit({kind})[1]\nresource.{call.format(kind=kind)}"
    assert talk(worker, text).error in ("ValueError", "PermissionError")
    assert talk(worker, "answer = 1").answer == 1


def test_memory_of_a_worker_that_has_ended(worker, talk):
    assert talk(worker, "import os; os._exit(3)").dead
    worker.allow_memory(64 * MIB)
    assert worker.wait(60).reason == "exit 3"


def test_death_by_memory_is_recognised(worker, talk):
    reply = talk(
        worker,
        """
        held = []
        try:
            while True:
                held.append(b"x" * (1 << 20))
        except MemoryError:
            import ctypes
            ctypes.CDLL(None).abort()      # as the C++ library does when an allocation fails
    """,
    )
    assert reply.dead
    assert worker.wait(60).reason == "memory"


@pytest.mark.parametrize("trick", [
    "",
    "signal.signal(signal.SIGXCPU, signal.SIG_IGN)",
    "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))",
    "[threading.Thread(target=spin, daemon=True).start() for _ in range(4)]",
], ids=["plain", "ignoring", "blocking", "threads"])  # fmt: skip
def test_cpu_limit(trick, parent, talk):
    with parent.spawn(WorkerLimits(memory_bytes=256 * MIB, cpu_seconds=1)) as worker:
        reply = talk(
            worker,
            f"""
            import signal, threading
            def spin():
                while True:
                    pass
            {trick}
            spin()
        """,
        )
        assert reply.dead
        ended = worker.wait(60)
    assert ended.reason == "cpu"
    assert ended.cpu_seconds >= 0.75


def test_sleeping_is_not_cpu_time(parent, talk):
    with parent.spawn(WorkerLimits(memory_bytes=256 * MIB, cpu_seconds=1)) as worker:
        assert talk(worker, "import time; time.sleep(1.2); answer = 1").answer == 1


def test_thread_bomb(worker, mode, talk, limits):
    reply = talk(
        worker,
        """
        import threading
        threading.stack_size(64 << 10)
        hold, count = threading.Event(), 0
        try:
            while True:
                threading.Thread(target=hold.wait, daemon=True).start()
                count += 1
        except RuntimeError:
            answer = count
    """,
    )
    if mode == "reduced" and os.getuid() != 0:
        # The kernel's count has the user's other processes: the minder counts, now and then, and kills.
        assert reply.dead or reply.answer > limits.threads
        assert worker.wait(60).reason == "threads"
    else:
        assert limits.threads / 2 < reply.answer <= limits.threads


def test_descriptors_are_limited(worker, talk, limits):
    reply = talk(
        worker,
        """
        import os
        held = []
        try:
            while True:
                held.append(os.dup(0))
        except OSError:
            answer = len(held) + 4
    """,
    )
    assert reply.answer == limits.open_files


def test_scratch_has_a_size(worker, mode, talk, limits):
    if mode == "reduced":
        pytest.skip("there is no scratch folder")
    reply = talk(
        worker,
        """
        import os
        written, refused = 0, []
        try:
            with open("large", "wb", buffering=0) as file:
                while True:
                    written += file.write(bytes(65536))
        except OSError as error:
            refused.append(error.errno)
        large = written
        try:
            for number in range(1000):
                with open(f"part{number}", "wb", buffering=0) as file:
                    for _ in range(8):
                        written += file.write(bytes(65536))
        except OSError as error:
            refused.append(error.errno)
        try:
            for number in range(100000):
                os.close(os.open(f"empty{number}", os.O_CREAT | os.O_WRONLY))
        except OSError as error:
            refused.append(error.errno)
        answer = [large, written, refused]
    """,
    )
    large, written, refused = reply.answer
    assert large == limits.file_bytes
    assert written <= limits.scratch_bytes
    assert refused == [27, 28, 28], "file too large, no space, no space for names"


@pytest.mark.parametrize(("text", "code", "number", "reason"), [
    ("import os; os._exit(3)", 3, None, "exit 3"),
    ("import os; os._exit(0)", 0, None, "exit 0"),
    ("import ctypes; ctypes.string_at(0)", None, signal.SIGSEGV, "signal 11"),
    ("exec('def f(x):\\n return [x].sort(key=f)'); import sys; sys.setrecursionlimit(10**9); f(1)", None,
     signal.SIGSEGV, "signal 11"),
    ("wire.close(); import os; os._exit(4)", 4, None, "exit 4"),
])  # fmt: skip
def test_how_a_death_is_told(text, code, number, reason, worker, talk):
    assert talk(worker, text).dead
    ended = worker.wait(60)
    assert (ended.code, ended.signal, ended.reason) == (code, number, reason)
    assert ended.max_rss_bytes > MIB


@pytest.mark.parametrize("text", [
    "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); signal.pause()",
    "import signal\nfor n in range(1, 65):\n  try: signal.signal(n, signal.SIG_IGN)\n  except OSError: pass\n"
    "signal.pause()",
    "while True: pass",
], ids=["blocking", "ignoring", "spinning"])  # fmt: skip
def test_a_worker_that_does_not_answer_can_be_killed(text, worker, talk):
    worker.socket.sendall(json.dumps(text).encode() + b"\n")
    assert worker.wait(0) is None
    worker.kill()
    assert worker.wait(0).reason == "killed"
    assert worker.wait(0).signal == signal.SIGKILL
    worker.kill()


@pytest.mark.parametrize(
    "name", ["memory_bytes", "cpu_seconds", "scratch_bytes", "file_bytes", "open_files", "threads"]
)
@pytest.mark.parametrize("value", [0, -1, 1.5, True, None])
def test_limits_are_whole_positive_numbers(name, value):
    with pytest.raises(ValueError, match=name):
        WorkerLimits(**{"memory_bytes": MIB, "cpu_seconds": 1, name: value})
