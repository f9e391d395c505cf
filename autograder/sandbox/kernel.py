"""The few kernel calls that Python's standard library does not offer, by ctypes. Linux only."""

from __future__ import annotations

import ctypes
import os

from autograder.sandbox import calls

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

PR_SET_PDEATHSIG, PR_GET_PDEATHSIG = 1, 2
PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4
PR_SET_NAME, PR_GET_NAME = 15, 16
PR_CAPBSET_READ, PR_CAPBSET_DROP = 23, 24
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 38, 39
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

CLONE_THREAD = 0x00010000
CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
ANY_NAMESPACE = 0x7E020000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_NOATIME, MS_NODIRATIME, MS_BIND = 32, 1024, 2048, 4096
MS_REC, MS_PRIVATE, MS_RELATIME = 16384, 1 << 18, 1 << 21
MNT_DETACH = 2


def _checked(result: int, what: str) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def call(name: str, *arguments: int | ctypes.Array[ctypes.c_char] | bytes | None) -> int:
    """The raw system call `name`. Whole numbers go as 64 bits, buffers and None as pointers."""
    number = calls.number(name)
    if number is None:
        raise OSError(38, f"{name}: this processor has no such call")
    words = [ctypes.c_ulong(a & 0xFFFFFFFFFFFFFFFF) if isinstance(a, int) else a for a in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *words), name)


def prctl(option: int, *arguments: int) -> int:
    words = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(_libc.prctl(ctypes.c_int(option), *words), f"prctl({option})")


def name_process(name: str) -> None:
    """What `ps` and `top` call this process: at most 15 characters. A fork has its origin's command line."""
    text = ctypes.create_string_buffer(name.encode()[:15])
    prctl(PR_SET_NAME, ctypes.addressof(text))


def unshare(flags: int) -> None:
    _checked(_libc.unshare(ctypes.c_int(flags)), f"unshare({flags:#x})")


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    words = [None if w is None else os.fsencode(w) for w in (source, target, kind, data)]
    _checked(_libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]), f"mount on {target}")


def madvise(address: int, length: int, advice: int) -> None:
    words = [ctypes.c_void_p(address), ctypes.c_size_t(length), ctypes.c_int(advice)]
    _checked(_libc.madvise(*words), f"madvise({advice})")


def detach(target: str) -> None:
    _checked(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def capabilities() -> int:
    """The effective capabilities of this process, as a bit set."""
    header, data = _capability_header(), (ctypes.c_uint32 * 6)()
    call("capget", header, bytes_of(data))
    return data[0] | data[3] << 32


def drop_bounding_set() -> None:
    """Give up the right to regain a capability. Needs CAP_SETPCAP; nothing happens without it."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # past the last capability that this kernel has, or an ordinary user
            break


def drop_capabilities() -> None:
    """Empty every set of capabilities."""
    drop_bounding_set()
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    call("capset", _capability_header(), bytes_of((ctypes.c_uint32 * 6)()))


def _capability_header() -> ctypes.Array[ctypes.c_char]:
    return bytes_of((ctypes.c_uint32 * 2)(0x20080522, 0))  # version 3, this process


def bytes_of(value: ctypes.Array[ctypes.c_uint32] | ctypes.Structure) -> ctypes.Array[ctypes.c_char]:
    """The memory of a ctypes value as a char array: the same memory, not a copy."""
    return (ctypes.c_char * ctypes.sizeof(value)).from_buffer(value)
