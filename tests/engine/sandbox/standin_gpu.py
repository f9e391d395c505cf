"""What stands for NVIDIA's driver where there is no GPU: it does what that one does, with devices of another kind.

As a `gpu.Driver` it is run in the worker and in the minder. The first node of the environment's STANDIN_NODES is asked.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import socket
import threading
from pathlib import Path

from autograder.sandbox.gpu import ESCAPES, REQUESTS, escape

RESERVED = 1 << 40  # bytes of addresses: more than any limit of a worker on the CPU

_kept: list[object] = []  # as a driver's library keeps its own


def nodes() -> list[str]:
    return os.environ["STANDIN_NODES"].split(":")


def ask(node: str) -> None:
    """Each request reaches the device, which does not know it."""
    with open(node, "rb+", buffering=0) as device:
        for request in (*(escape(number, 16) for number in ESCAPES), *REQUESTS):
            try:
                fcntl.ioctl(device, request, b"")
            except OSError as error:
                if error.errno not in (errno.ENOTTY, errno.EINVAL):
                    raise


def start(memory_bytes: int) -> None:
    if os.environ.get("STANDIN_FAULT") == "start":
        raise OSError(19, "it does not start")
    for node in nodes():
        ask(node)
        _kept.append(open(node, "rb+", buffering=0))  # noqa: SIM115 (kept, as a driver keeps it)
    _kept.append(mmap.mmap(-1, RESERVED, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=0))
    _kept.append(bytearray(64 << 20))  # which is not counted as the worker's
    meeting = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    meeting.bind(f"\0standin-{os.getpid()}")
    meeting.listen()
    _kept.append(meeting)
    asleep = threading.Event()
    thread = threading.Thread(target=asleep.wait, daemon=True)
    thread.start()
    _kept.append(asleep)
    for process in ("self", str(os.getpid())) if os.getpid() == 1 else ("self",):
        with open(f"/proc/{process}/task/{thread.native_id}/comm", "w") as name:
            name.write("standin")
    assert "rw" in Path("/proc/self/maps").read_text()
    assert os.listdir("/sys/devices/system/cpu")
    if os.environ.get("STANDIN_FAULT") == "narrow":
        os.listdir("/sys/kernel/mm")


def compute() -> None:
    if os.environ.get("STANDIN_FAULT") == "compute":
        raise OSError(5, "it computes 3, and not 4")
    ask(nodes()[0])


class Figure:
    """What a file says that the process uses."""

    def __init__(self, file: str) -> None:
        self.file = Path(file)

    def used(self, pid: int) -> int | None:
        text = self.file.read_text()
        return int(text) if text else None


def gauge(device: str) -> Figure:
    if not os.path.exists(device):
        raise OSError(2, "nobody measures here")
    return Figure(device)
