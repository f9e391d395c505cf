"""System call numbers of the two processors the sandbox knows; measured on x86_64 only.

Each name has its number on x86_64 and on aarch64 (`None` where the call does not exist there: the modern
`*at` twin does its work). The aarch64 column is the kernel's generic table and has **not been tested** on a
machine. `NEWEST` is the newest number that was judged when the allow-list was written: whatever the kernel
adds later is answered with ENOSYS, as an older kernel would.
"""

from __future__ import annotations

import platform

NEWEST = 450

# The value that a seccomp filter sees as the architecture of a call.
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# fmt: off
_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66), "pread64": (17, 67),
    "pwrite64": (18, 68), "preadv": (295, 69), "pwritev": (296, 70), "preadv2": (327, 286),
    "pwritev2": (328, 287), "lseek": (8, 62), "close": (3, 57), "close_range": (436, 436), "dup": (32, 23),
    "dup2": (33, None), "dup3": (292, 24), "open": (2, None), "openat": (257, 56), "creat": (85, None),
    "fcntl": (72, 25), "ioctl": (16, 29), "flock": (73, 32), "fsync": (74, 82), "fdatasync": (75, 83),
    "ftruncate": (77, 46), "fallocate": (285, 47), "fadvise64": (221, 223), "readahead": (187, 213),
    "sendfile": (40, 71), "copy_file_range": (326, 285), "stat": (4, None), "lstat": (6, None),
    "fstat": (5, 80), "newfstatat": (262, 79), "statx": (332, 291), "access": (21, None),
    "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, None), "readlinkat": (267, 78),
    "getdents": (78, None), "getdents64": (217, 61), "getcwd": (79, 17), "chdir": (80, 49),
    "fchdir": (81, 50), "umask": (95, 166), "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None),
    "unlink": (87, None), "unlinkat": (263, 35), "rename": (82, None), "renameat": (264, 38),
    "renameat2": (316, 276), "statfs": (137, 43), "fstatfs": (138, 44), "mmap": (9, 222),
    "munmap": (11, 215), "mprotect": (10, 226), "mremap": (25, 216), "madvise": (28, 233),
    "mincore": (27, 232), "msync": (26, 227), "brk": (12, 214), "membarrier": (324, 283),
    "futex": (202, 98), "set_robust_list": (273, 99), "get_robust_list": (274, 100), "rseq": (334, 293),
    "set_tid_address": (218, 96), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137),
    "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132), "restart_syscall": (219, 128),
    "pause": (34, None), "alarm": (37, None), "getitimer": (36, 102), "setitimer": (38, 103),
    "timer_create": (222, 107), "timer_settime": (223, 110), "timer_gettime": (224, 108),
    "timer_getoverrun": (225, 109), "timer_delete": (226, 111), "timerfd_create": (283, 85),
    "timerfd_settime": (286, 86), "timerfd_gettime": (287, 87), "clock_gettime": (228, 113),
    "clock_getres": (229, 114), "clock_nanosleep": (230, 115), "nanosleep": (35, 101),
    "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153), "getrandom": (318, 278),
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "epoll_create": (213, None), "epoll_create1": (291, 20), "epoll_ctl": (233, 21),
    "epoll_wait": (232, None), "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441), "pipe": (22, None),
    "pipe2": (293, 59), "eventfd": (284, None), "eventfd2": (290, 19), "signalfd": (282, None),
    "signalfd4": (289, 74), "recvfrom": (45, 207), "sendto": (44, 206), "shutdown": (48, 210),
    "socketpair": (53, 199), "getsockname": (51, 204), "getpeername": (52, 205), "getsockopt": (55, 209),
    "wait4": (61, 260), "waitid": (247, 95), "exit": (60, 93), "exit_group": (231, 94), "clone": (56, 220),
    "kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261), "prctl": (157, 167),
    "getrlimit": (97, 163), "setrlimit": (160, 164), "getrusage": (98, 165), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "sched_setaffinity": (203, 122), "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126), "sched_rr_get_interval": (148, 127), "sched_getattr": (315, 275),
    "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174),
    "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "getresuid": (118, 148),
    "getresgid": (120, 150), "getgroups": (115, 158), "getpgid": (121, 155), "getpgrp": (111, None),
    "getsid": (124, 156), "getpriority": (140, 141), "capget": (125, 90), "getcpu": (309, 168),
    "sysinfo": (99, 179), "uname": (63, 160), "clone3": (435, 435), "openat2": (437, 437),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "seccomp": (317, 277), "landlock_create_ruleset": (444, 444), "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446), "pivot_root": (155, 41), "capset": (126, 91), "execve": (59, 221),
    "execveat": (322, 281), "ptrace": (101, 117), "memfd_create": (319, 279), "socket": (41, 198),
    "connect": (42, 203), "bind": (49, 200), "fork": (57, None), "vfork": (58, None), "chmod": (90, None),
    "fchmodat": (268, 53), "symlinkat": (266, 36), "linkat": (265, 37), "shmget": (29, 194),
    "setpriority": (141, 140), "mount": (165, 40), "unshare": (272, 97), "bpf": (321, 280),
    "keyctl": (250, 219), "process_vm_readv": (310, 270), "truncate": (76, 45),
    "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434), "sendmsg": (46, 211), "recvmsg": (47, 212),
    "utimensat": (280, 88), "setns": (308, 268), "userfaultfd": (323, 282), "perf_event_open": (298, 241),
    "mknodat": (259, 33), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "fchownat": (260, 54),
}
# fmt: on


def architecture() -> str:
    """The processor's name as the kernel spells it: a key of `AUDIT_ARCH`, or something unsupported."""
    return platform.machine()


def number(name: str) -> int | None:
    """The number of the call `name` on this processor, None where it does not exist."""
    column = {"x86_64": 0, "aarch64": 1}[architecture()]
    return _NUMBERS[name][column]
