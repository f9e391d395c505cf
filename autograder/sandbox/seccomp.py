"""The allow-list of system calls, as a classic BPF program, and its installation.

A call on the list passes, or passes if its arguments do; a known call that is not on the list gives EPERM.
A newer one, and those whose arguments lie in memory where a filter can't look (clone3, openat2, io_uring),
give ENOSYS so that the C library falls back. Another architecture's numbers kill.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import termios
from collections.abc import Sequence
from functools import lru_cache

from autograder.sandbox import calls, kernel
from autograder.sandbox.gpu import Opening, escape

LOAD, EQUAL, AT_LEAST, AND, RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
X32 = 0x40000000  # the bit that marks calls of the x32 convention

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant

ALWAYS = """
read write readv writev pread64 pwrite64 preadv pwritev lseek close close_range dup
dup2 dup3 creat fsync fdatasync ftruncate fallocate sendfile
copy_file_range stat lstat fstat newfstatat statx access faccessat faccessat2 getdents getdents64
getcwd chdir fchdir umask mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 statfs
fstatfs mmap munmap mprotect mremap madvise msync brk membarrier futex set_robust_list
get_robust_list rseq set_tid_address rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending
rt_sigtimedwait rt_sigsuspend sigaltstack restart_syscall pause alarm getitimer setitimer
timerfd_create timerfd_settime timerfd_gettime clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday
time times getrandom poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait
epoll_pwait epoll_pwait2 pipe pipe2 eventfd eventfd2 signalfd signalfd4 recvfrom shutdown
getsockname getpeername wait4 waitid exit exit_group getrlimit getrusage
sched_yield sched_get_priority_max sched_get_priority_min getpid getppid gettid getuid geteuid
getgid getegid getresuid getresgid getgroups getpgrp getpriority capget getcpu
sysinfo uname
""".split()  # noqa: SIM905 (one word in quotes a line would hide the list)

# Their first argument is a process.
ABOUT_PROCESSES = (
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_rr_get_interval", "sched_getattr", "getpgid",
    "getsid",
)  # fmt: skip

PRETEND_ABSENT = ("clone3", "openat2", "io_uring_setup", "io_uring_enter", "io_uring_register")

_IOCTLS = (
    termios.TCGETS,
    termios.TIOCGWINSZ,
    termios.TIOCGPGRP,
    termios.FIONREAD,
    termios.FIONBIO,
    termios.FIOCLEX,
    termios.FIONCLEX,
)
# No locks, here and by flock: on /dev/null and the libraries, which all workers see, they would be a way to talk.
_FCNTLS = (
    fcntl.F_DUPFD,
    fcntl.F_DUPFD_CLOEXEC,
    fcntl.F_GETFD,
    fcntl.F_SETFD,
    fcntl.F_GETFL,
    fcntl.F_SETFL,
)
_PRCTLS = (
    kernel.PR_SET_NAME,
    kernel.PR_GET_NAME,
    kernel.PR_GET_DUMPABLE,
    kernel.PR_GET_PDEATHSIG,
    kernel.PR_GET_NO_NEW_PRIVS,
    kernel.PR_CAPBSET_READ,
)

# What Python asks of a socket. SO_PEERPIDFD, a handle on the judge, is not among them.
_SOCKET_OPTIONS = (socket.SO_TYPE, socket.SO_ERROR, socket.SO_PROTOCOL, socket.SO_DOMAIN, socket.SO_ACCEPTCONN)

_ALLOW: Instruction = (RETURN, 0, 0, ALLOW)
_DENY: Instruction = (RETURN, 0, 0, ERRNO | errno.EPERM)
_ABSENT: Instruction = (RETURN, 0, 0, ERRNO | errno.ENOSYS)


def _argument(index: int, high: bool = False) -> Instruction:
    """Load half an argument (little-endian; so does the kernel with pids, flags)."""
    return (LOAD, 0, 0, 16 + 8 * index + (4 if high else 0))


def _one_of(index: int, values: Sequence[int]) -> list[Instruction]:
    body = [_argument(index)]
    for value in values:
        body += [(EQUAL, 0, 1, value & 0xFFFFFFFF), _ALLOW]
    return [*body, _DENY]


def _ioctls(gpu: Opening | None) -> list[Instruction]:
    if gpu is None:
        return _one_of(1, _IOCTLS)
    # Which descriptor it is about a filter can't tell: on another one the numbers mean nothing, or nothing harmful.
    body = _one_of(1, (*_IOCTLS, *gpu.requests))[:-1]
    body.append((AND, 0, 0, 0xC000FFFF))  # without the size
    for number in gpu.escapes:
        body += [(EQUAL, 0, 1, escape(number)), _ALLOW]
    return [*body, _DENY]


def _new_thread_only() -> list[Instruction]:
    return [
        _argument(0),
        (AND, 0, 0, kernel.CLONE_THREAD | kernel.ANY_NAMESPACE),
        (EQUAL, 0, 1, kernel.CLONE_THREAD),
        _ALLOW,
        _DENY,
    ]


def _open_flags(index: int) -> list[Instruction]:
    # Truncating while opening for reading empties a file under the first Landlock versions. The access mode 3
    # ("neither, for ioctl") passes Landlock unseen and truncates too.
    return [
        _argument(index),
        (AND, 0, 0, os.O_ACCMODE | os.O_TRUNC),
        (EQUAL, 0, 1, os.O_RDONLY | os.O_TRUNC),
        _DENY,
        (AND, 0, 0, os.O_ACCMODE),
        (EQUAL, 0, 1, os.O_ACCMODE),
        _DENY,
        _ALLOW,
    ]


def _nothing_in(index: int) -> list[Instruction]:
    """The argument, a pointer, is null."""
    return [_argument(index), (EQUAL, 0, 3, 0), _argument(index, high=True), (EQUAL, 0, 1, 0), _ALLOW, _DENY]


def _to_oneself(pid: int, signal_index: int) -> list[Instruction]:
    # Killed or stopped by itself, a worker would look like one that the system has killed, or that hangs.
    deadly = [
        instruction for number in (signal.SIGKILL, signal.SIGSTOP) for instruction in ((EQUAL, 0, 1, number), _DENY)
    ]
    return [_argument(0), (EQUAL, 1, 0, pid), _DENY, _argument(signal_index), *deadly, _ALLOW]


def _own_limits_read(pid: int) -> list[Instruction]:
    return [_argument(0), (EQUAL, 2, 0, 0), (EQUAL, 1, 0, pid), _DENY, *_nothing_in(2)]


def _of_oneself(pid: int) -> list[Instruction]:
    return [_argument(0), (EQUAL, 2, 0, 0), (EQUAL, 1, 0, pid), _DENY, _ALLOW]


@lru_cache(maxsize=2)
def program(pid: int, own_files: bool, gpu: Opening | None = None) -> bytes:
    """The filter for a worker whose process id is `pid`.

    own_files: the worker has a file system and process numbers of its own. Otherwise readlink is refused too, because
    Landlock does not filter it and /proc/<pid>/cwd of other processes is a link; and so are questions about other
    processes.
    gpu: what passes to a GPU's driver.
    """
    conditions = {
        "clone": _new_thread_only(),
        "open": _open_flags(1),
        "openat": _open_flags(2),
        "kill": _to_oneself(pid, 1),
        "tgkill": _to_oneself(pid, 2),
        "prlimit64": _own_limits_read(pid),
        "prctl": _one_of(0, _PRCTLS),
        "ioctl": _ioctls(gpu),
        "fcntl": _one_of(1, _FCNTLS),
        "sendto": _nothing_in(4),
        # Without flags: whether a page of a file that all workers see is in memory would be a way to talk, with the
        # calls that read ahead and drop pages, which are refused.
        "preadv2": _nothing_in(5),
        "pwritev2": _nothing_in(5),
        "getsockopt": _one_of(2, _SOCKET_OPTIONS),
        "socketpair": _one_of(0, [1]),  # AF_UNIX
    }
    always = [*ALWAYS, *ABOUT_PROCESSES, "readlink", "readlinkat"] if own_files else ALWAYS
    conditions |= {} if own_files else {name: _of_oneself(pid) for name in ABOUT_PROCESSES}
    conditions |= {name: [_ALLOW] for name in always} | {name: [_ABSENT] for name in PRETEND_ABSENT}

    architecture = calls.AUDIT_ARCH[calls.architecture()]
    code: list[Instruction] = [
        (LOAD, 0, 0, 4),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, KILL),
        (AT_LEAST, 0, 1, calls.NEWEST + 1),
        _ABSENT,
    ]
    for name, body in conditions.items():
        number = calls.number(name)
        if number is not None:
            code += [(EQUAL, 0, len(body), number), *body]
    code.append(_DENY)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def install(pid: int, own_files: bool, gpu: Opening | None = None) -> None:
    """Put the filter on every thread of this process; it can't be taken off. Needs no_new_privs."""
    code = program(pid, own_files, gpu)
    structure = _Program(len(code) // 8, code)
    set_mode_filter, on_all_threads = 1, 1
    kernel.call("seccomp", set_mode_filter, on_all_threads, kernel.bytes_of(structure))
