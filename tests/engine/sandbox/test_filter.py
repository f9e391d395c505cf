"""The filter's program, run by an interpreter of our own: what it lets through, on both processors."""

from __future__ import annotations

import errno
import os
import struct
import sys
import threading

import pytest

if sys.platform != "linux":
    pytest.skip("isolation is built on Linux alone", allow_module_level=True)

from autograder.sandbox import calls, seccomp

PID = 4711
ALLOW, KILL = "allow", "kill"
SIGCHLD, VM_FLAGS = 17, 0x3D0F00  # what the C library passes for a new thread, CLONE_THREAD among it


def _judge(code: bytes, number: int, arguments: tuple[int, ...], architecture: int) -> str | int:
    """Run the program on one call: "allow", "kill", or the error number."""
    arguments = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(a & 0xFFFFFFFFFFFFFFFF for a in arguments))
    program = [struct.unpack_from("=HBBI", code, place) for place in range(0, len(code), 8)]
    at = value = 0
    while True:
        kind, if_true, if_false, constant = program[at]
        at += 1
        if kind == seccomp.LOAD:
            value = struct.unpack_from("<I", data, constant)[0]
        elif kind == seccomp.AND:
            value &= constant
        elif kind == seccomp.EQUAL:
            at += if_true if value == constant else if_false
        elif kind == seccomp.AT_LEAST:
            at += if_true if value >= constant else if_false
        elif kind == seccomp.RETURN:
            return {seccomp.ALLOW: ALLOW, seccomp.KILL: KILL}.get(constant, constant & 0xFFFF)
        else:
            raise AssertionError(f"instruction {kind:#x} at {at - 1}")


@pytest.fixture(params=["x86_64", "aarch64"])
def judge(request, monkeypatch):
    monkeypatch.setattr(calls, "architecture", lambda: request.param)
    seccomp.program.cache_clear()
    code = seccomp.program(PID, own_files=True)
    yield lambda name, *arguments: _judge(
        code, name if isinstance(name, int) else calls.number(name), arguments, calls.AUDIT_ARCH[request.param]
    )
    seccomp.program.cache_clear()


REFUSED = errno.EPERM
CASES = [
    ("read", (0, 0, 0), ALLOW),
    ("futex", (), ALLOW),
    ("exit_group", (0,), ALLOW),
    ("execve", (), REFUSED),
    ("socket", (2, 1, 0), REFUSED),
    ("connect", (3, 0, 0), REFUSED),
    ("ptrace", (16, 1), REFUSED),
    ("sendmsg", (3, 0, 0), REFUSED),
    ("clone3", (), errno.ENOSYS),
    ("openat2", (), errno.ENOSYS),
    ("clone", (VM_FLAGS,), ALLOW),
    ("clone", (SIGCHLD,), REFUSED),
    *[("clone", (VM_FLAGS | 1 << bit,), REFUSED) for bit in (17, 25, 26, 27, 28, 29, 30)],
    ("openat", (-100, 0, os.O_RDONLY), ALLOW),
    ("openat", (-100, 0, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), ALLOW),
    ("openat", (-100, 0, os.O_RDWR | os.O_TRUNC), ALLOW),
    ("openat", (-100, 0, os.O_RDONLY | os.O_TRUNC), REFUSED),
    ("openat", (-100, 0, os.O_RDONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_CREAT), REFUSED),
    ("openat", (-100, 0, 3), REFUSED),
    ("openat", (-100, 0, 3 | os.O_TRUNC), REFUSED),
    ("kill", (PID, 15), ALLOW),
    ("kill", (PID, 9), REFUSED),
    ("kill", (PID, 19), REFUSED),
    ("kill", (PID, 1 << 32 | 9), REFUSED),  # the kernel reads 32 bits of it, and so does the filter
    ("kill", (0, 9), REFUSED),
    ("kill", (-1, 9), REFUSED),
    ("kill", (-PID, 9), REFUSED),
    ("kill", (PID + 1, 9), REFUSED),
    ("tgkill", (PID, PID + 3, 6), ALLOW),
    ("tgkill", (PID, PID + 3, 9), REFUSED),
    ("tgkill", (PID, PID, 19), REFUSED),
    ("timer_create", (1, 0x7FFF0000, 0x7FFF0000), REFUSED),  # its signal, in memory, may be SIGKILL
    ("tgkill", (PID + 3, PID, 9), REFUSED),
    ("prlimit64", (0, 7, 0, 0x7FFF0000), ALLOW),
    ("prlimit64", (PID, 7, 0, 0x7FFF0000), ALLOW),
    ("prlimit64", (0, 7, 0x7FFF0000, 0), REFUSED),
    ("prlimit64", (PID, 7, 1 << 40, 0), REFUSED),
    ("getrlimit", (7, 0x7FFF0000), ALLOW),
    ("setrlimit", (7, 0x7FFF0000), REFUSED),
    ("prlimit64", (1, 7), REFUSED),
    ("sched_setaffinity", (0,), REFUSED),
    ("sched_setaffinity", (1,), REFUSED),
    ("sched_getaffinity", (1,), ALLOW),  # there is none but oneself
    ("preadv2", (3, 0x7FFF0000, 1, 0, 0, 0), ALLOW),
    ("preadv2", (3, 0x7FFF0000, 1, 0, 0, 8), REFUSED),  # RWF_NOWAIT tells what others have read
    ("fadvise64", (3, 0, 0, 4), REFUSED),
    ("readahead", (3, 0, 4096), REFUSED),
    ("prctl", (15,), ALLOW),
    ("prctl", (1, 0), REFUSED),
    ("prctl", (4, 1), REFUSED),
    ("ioctl", (0, 0x5401), ALLOW),
    ("ioctl", (0, 0x5412), REFUSED),
    ("ioctl", (0, 0x5401 | 1 << 32), ALLOW),  # the kernel reads 32 bits of it, and so does the filter
    ("fcntl", (0, 1), ALLOW),
    ("fcntl", (0, 8), REFUSED),
    ("fcntl", (0, 1024), REFUSED),
    *[("fcntl", (0, command), REFUSED) for command in (5, 6, 7, 36, 37, 38)],  # locks, which other workers see
    ("flock", (0, 2), REFUSED),
    ("sendto", (3, 0, 1, 0, 0, 0), ALLOW),
    ("sendto", (3, 0, 1, 0, 0x7FFF0000, 16), REFUSED),
    ("sendto", (3, 0, 1, 0, 1 << 40, 16), REFUSED),
    ("socketpair", (1, 1, 0), ALLOW),
    ("socketpair", (2, 1, 0), REFUSED),
    ("getsockopt", (3, 1, 3), ALLOW),
    ("getsockopt", (3, 1, 77), REFUSED),
    (calls.NEWEST + 1, (), errno.ENOSYS),
    (5000, (), errno.ENOSYS),
    (seccomp.X32 + 39, (), KILL),
    (0xFFFFFFFF, (), KILL),
]


@pytest.mark.parametrize(("name", "arguments", "wanted"), CASES)
def test_calls_are_judged(name, arguments, wanted, judge):
    assert judge(name, *arguments) == wanted


def test_the_other_processors_calls_kill(monkeypatch):
    for here, there in (("x86_64", "aarch64"), ("aarch64", "x86_64")):
        monkeypatch.setattr(calls, "architecture", lambda here=here: here)
        seccomp.program.cache_clear()
        code = seccomp.program(PID, own_files=True)
        assert _judge(code, calls.number("read"), (), calls.AUDIT_ARCH[there]) == KILL
    seccomp.program.cache_clear()


def test_links_are_readable_only_in_a_file_system_of_ones_own():
    here = calls.AUDIT_ARCH[calls.architecture()]
    for own, wanted in ((True, ALLOW), (False, REFUSED)):
        assert _judge(seccomp.program(PID, own), calls.number("readlinkat"), (), here) == wanted


def test_other_processes_are_asked_about_only_where_there_are_none():
    here = calls.AUDIT_ARCH[calls.architecture()]
    for name in seccomp.ABOUT_PROCESSES:
        for process, wanted in ((0, ALLOW), (PID, ALLOW), (PID + 1, REFUSED), (1, REFUSED)):
            assert _judge(seccomp.program(PID, False), calls.number(name), (process,), here) == wanted
        assert _judge(seccomp.program(PID, True), calls.number(name), (1,), here) == ALLOW


def test_numbers_are_not_mixed_up():
    for column in (0, 1):
        numbers = [pair[column] for pair in calls._NUMBERS.values() if pair[column] is not None]
        assert len(set(numbers)) == len(numbers)
        assert max(numbers) <= calls.NEWEST


def test_numbers_are_those_of_this_kernel():
    import ctypes

    libc = ctypes.CDLL(None)
    assert libc.syscall(ctypes.c_long(calls.number("getpid"))) == os.getpid()
    assert libc.syscall(ctypes.c_long(calls.number("gettid"))) == threading.get_native_id()
    assert libc.syscall(ctypes.c_long(calls.number("getuid"))) == os.getuid()
