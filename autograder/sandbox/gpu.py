"""What a worker is given of a GPU, and a worker on the CPU is not: an `Opening`, plain data that every layer reads.

`jail` binds its nodes and files, `landlock` allows them, `seccomp` lets its ioctls through, `lockdown` has its driver
start before the filter is on, `selftest` proves that it computes and that the rest stays shut. A GPU that is not in the
opening is not there. Nothing here touches a GPU: what exists is read from names and from the driver's texts in /proc.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from glob import glob
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, TypedDict

# The driver's own nodes; the one of the GPU comes to them. The driver's newer versions fail without the last.
CONTROL_NODES = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")

# What the driver's library reads when it starts: its own files, and what it sizes itself by. Without /sys it fails.
DRIVER_FILES = (
    "/proc/driver/nvidia",
    "/proc/driver/nvidia-caps",
    "/proc/driver/nvidia-uvm",
    "/proc/devices",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/modules",
    "/proc/sys/vm/mmap_min_addr",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/sys/devices/system/memory",
    "/sys/devices/system/node",
    "/sys/module/nvidia",
    "/sys/module/nvidia_uvm",
)
# Versions of the driver differ in what they read there: all of it, where it does not start with that.
WIDER = ("/sys",)

# Where the driver's libraries lie beside the folders that every worker reads.
DRIVER_LIBRARIES = (
    "/usr/local/nvidia/lib64",
    "/usr/local/nvidia/lib",
    "/usr/local/cuda/compat",
    "/run/opengl-driver/lib",
)

# Requests to /dev/nvidiactl and /dev/nvidiaN: `_IOWR('F', number, size)`, whose sizes differ between versions of the
# driver. 211, which carries another request in memory where a filter can't look, is not among them.
ESCAPES = (
    0x27, 0x29, 0x2A, 0x2B,  # memory, free, control, allocate
    0x34, 0x35, 0x41, 0x4A,  # duplicate, share, idle channels, the heap
    0x4E, 0x4F, 0x54, 0x57, 0x58, 0x5E,  # mapping and unmapping
    200, 201, 206, 207,  # the cards, descriptors, events
    210, 212, 214, 215, 218,  # version, attaching, parameters, NUMA, waiting for an open
)  # fmt: skip

# Requests to /dev/nvidia-uvm: plain numbers. Those of its tools, which read and write memory, are not among them.
REQUESTS = (
    0x30000001, 0x30000002,  # initialise, deinitialise
    *range(23, 32), 33, 34, 35,  # range groups, address spaces, channels, peers, mapping and freeing
    *range(37, 48),  # GPUs, pageable memory, where memory is and who reads it
    51, 53, 54, 55,  # moving, atomics
    65, 66, *range(68, 76),  # parallelism, unmapping, semaphores, ranges, memory of the process
)  # fmt: skip

_TYPE = ord("F")


def escape(number: int, size: int = 0) -> int:
    """The request of this number, as an ioctl has it."""
    return 3 << 30 | size << 16 | _TYPE << 8 | number


class OpeningData(TypedDict):
    """An `Opening` as JSON."""

    device: str
    nodes: list[str]
    readable: list[str]
    wider: list[str]
    shut: list[str]
    environment: dict[str, str]
    escapes: list[int]
    requests: list[int]
    driver: str


@dataclass(frozen=True, kw_only=True)
class Opening:
    """All that is opened for one GPU.

    Attributes:
        device: the GPU, as `CUDA_VISIBLE_DEVICES` and NVML name it.
        nodes: device nodes: opened, read, written, mapped, and asked by ioctl.
        readable: files and folders beyond those of every worker, to be read.
        wider: more of them, where the driver does not start without.
        shut: nodes that must stay shut, for the self-test.
        environment: names and values that a worker's environment gets.
        escapes: numbers of the ioctls of the driver's type that pass; see `escape`.
        requests: ioctls that pass as they are.
        driver: the module with what is to be done, a `Driver`.
    """

    device: str
    nodes: tuple[str, ...]
    readable: tuple[str, ...] = ()
    wider: tuple[str, ...] = ()
    shut: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    escapes: tuple[int, ...] = ESCAPES
    requests: tuple[int, ...] = REQUESTS
    driver: str = "autograder.sandbox.cuda"

    def to_json(self) -> OpeningData:
        return OpeningData(
            device=self.device,
            nodes=list(self.nodes),
            readable=list(self.readable),
            wider=list(self.wider),
            shut=list(self.shut),
            environment=dict(self.environment),
            escapes=list(self.escapes),
            requests=list(self.requests),
            driver=self.driver,
        )

    @classmethod
    def from_json(cls, data: OpeningData) -> Opening:
        return cls(
            device=data["device"],
            nodes=tuple(data["nodes"]),
            readable=tuple(data["readable"]),
            wider=tuple(data["wider"]),
            shut=tuple(data["shut"]),
            environment=tuple(data["environment"].items()),
            escapes=tuple(data["escapes"]),
            requests=tuple(data["requests"]),
            driver=data["driver"],
        )


class Gauge(Protocol):
    """Says from outside what a process has of a GPU's memory."""

    def used(self, pid: int) -> int | None:
        """Bytes; None where that cannot be told."""


class Driver(Protocol):
    """What is to be done with a GPU; a module."""

    def start(self, memory_bytes: int) -> None:
        """In the worker, before the filter is on: have the driver do what only its start needs.

        memory_bytes: of the GPU's, which the worker's own allocator is to keep to.
        """

    def compute(self) -> None:
        """In the locked worker: prove that the GPU computes."""

    def gauge(self, device: str) -> Gauge:
        """In the minder; OSError where there is none."""


@dataclass(frozen=True)
class Gpu:
    """A GPU of this machine.

    Attributes:
        device: its UUID, or its number among those that can be opened where the driver does not say.
        node: its device node.
        place: on the PCI bus, empty where that is not known.
    """

    device: str
    node: str
    place: str = ""

    @property
    def minor(self) -> int:
        """The number of its node."""
        return int(self.node.rpartition("nvidia")[2])


def open_node(path: str) -> None:
    """Open a node as the driver's library does, and close it; OSError says which, and for whom not.

    A capability is there to be read alone.
    """
    flags = os.O_RDONLY if os.path.basename(os.path.dirname(path)) == "nvidia-caps" else os.O_RDWR
    try:
        os.close(os.open(path, flags | os.O_NOCTTY))
    except OSError as error:
        said = f"user {os.getuid()}, who a worker runs as, can't open {path}: {error.strerror}"
        raise OSError(error.errno, said) from error


def ready(root: str = "") -> bool:
    """Whether the driver's nodes for memory and control are there: the first program that uses CUDA makes them."""
    return all(os.path.exists(root + path) for path in CONTROL_NODES[:2])


def torch_built_for() -> str:
    """What the installed torch is built for beside the CPU: `cuda`, `hip` or nothing. It is not imported for that."""
    spec = find_spec("torch")
    try:
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8") if spec and spec.origin else ""
    except OSError:
        text = ""
    for name in ("cuda", "hip"):
        if re.search(rf"^{name}\b[^=\n]*=\s*['\"]", text, re.MULTILINE):
            return name
    return ""


def gpus(root: str = "") -> list[Gpu]:
    """The GPUs of NVIDIA's driver that this process may open, in the order of the PCI bus.

    root: where the file system begins, for tests.
    """
    found = []
    for place in sorted(glob(f"{root}/proc/driver/nvidia/gpus/*/information")):
        with open(place, encoding="utf-8", errors="replace") as file:
            facts = dict(re.findall(r"^([^:\n]+):\s*(.*?)\s*$", file.read(), re.MULTILINE))
        node = f"/dev/nvidia{facts.get('Device Minor', '')}"
        if _usable(root + node):
            found.append(Gpu(facts.get("GPU UUID", "?"), node, os.path.basename(os.path.dirname(place))))
    if not found:  # some containers have no such texts
        nodes = glob(f"{root}/dev/nvidia[0-9]*")
        found = [Gpu("?", node[len(root) :]) for node in sorted(nodes, key=_number) if _usable(node)]
    return [replace(gpu, device=str(n)) if "?" in gpu.device else gpu for n, gpu in enumerate(found)]


def _number(node: str) -> int:
    return int(re.sub(r"\D", "", os.path.basename(node)) or 0)


def _usable(node: str) -> bool:
    return os.access(node, os.R_OK | os.W_OK)  # a control group's refusal shows here too


def visible(found: list[Gpu], chosen: str | None) -> list[Gpu]:
    """Those of them that `CUDA_VISIBLE_DEVICES` leaves, in its order: numbers, UUIDs or beginnings of them.

    A part of a GPU (`MIG-...`) is named by itself; its GPU is the one whose UUID is in its name, or the only one.
    """
    if chosen is None:
        return found
    left = []
    for word in (part.strip() for part in chosen.split(",")):
        if word.isdigit():
            fitting = found[int(word) : int(word) + 1]
        elif word.startswith("MIG-"):
            fitting = [gpu for gpu in found if gpu.device in word] or (found if len(found) == 1 else [])
            fitting = [replace(gpu, device=word) for gpu in fitting]
        else:
            fitting = [gpu for gpu in found if word and gpu.device.startswith(word)]
        if len(fitting) != 1:  # CUDA too stops at the first that it does not know
            break
        left += fitting
    return left


def opening(gpu: Gpu, root: str = "") -> Opening:
    """What a worker needs to compute on this GPU, and nothing of any other."""

    def there(paths: Iterable[str]) -> list[str]:
        return [path for path in paths if os.path.exists(root + path)]

    nodes = [*there(CONTROL_NODES), gpu.node, *there(_parts(gpu, root))]
    bus = [f"/sys/bus/pci/devices/{gpu.place}"] if gpu.place else []
    every = [
        node[len(root) :] for pattern in ("nvidia*", "nvidia-caps/*", "dri/*") for node in glob(f"{root}/dev/{pattern}")
    ]
    return Opening(
        device=gpu.device,
        nodes=tuple(nodes),
        readable=tuple(there((*DRIVER_FILES, *DRIVER_LIBRARIES, *bus))),
        wider=tuple(there(WIDER)),
        shut=tuple(sorted(node for node in every if node not in nodes and not os.path.isdir(root + node))),
        environment=tuple(_environment(gpu).items()),
    )


def _environment(gpu: Gpu) -> Mapping[str, str]:
    return {
        # A number counts what can be opened, and that is one.
        "CUDA_VISIBLE_DEVICES": "0" if gpu.device.isdigit() else gpu.device,
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_CACHE_DISABLE": "1",  # compiled kernels of one worker are nobody else's
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # the same numbers every time
    }


def _parts(gpu: Gpu, root: str) -> list[str]:
    """The capability nodes of this GPU's parts (MIG). Those that set parts up or watch them are nobody's."""
    try:
        with open(f"{root}/proc/driver/nvidia-caps/mig-minors", encoding="ascii", errors="replace") as table:
            rows = [line.split() for line in table]
    except OSError:
        return []
    own = f"gpu{gpu.minor}/"
    return [f"/dev/nvidia-caps/nvidia-cap{row[1]}" for row in rows if len(row) == 2 and row[0].startswith(own)]
