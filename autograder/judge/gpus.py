"""Which GPU a judge's workers are given, and how judges of one machine share them.

A judge holds a place on a GPU by a lock on a file, which the kernel takes back when it ends, however it does. So judges
of a pool, of a cluster's workers and of two commands at the same time keep out of each other's way.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course.config import CourseConfig
from autograder.judge.verdicts import FrameworkFault
from autograder.sandbox.gpu import Gpu, Opening, gpus, opening, ready, torch_built_for, visible

WAIT_SECONDS = 60.0  # for a place that another judge is just leaving
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Place:
    """A place on a GPU, held until it is left."""

    opening: Opening
    lock: int

    def leave(self) -> None:
        """Somebody else may have it."""
        os.close(self.lock)


def usable_gpus(course: CourseConfig) -> list[Gpu]:
    """The GPUs that the course's submissions may compute on here; none where it asks for the CPU.

    Raises:
        FrameworkFault: it asks for `cuda`, and there are none: says what was looked for.
    """
    if course.device == "cpu" or sys.platform != "linux":
        return []
    built = torch_built_for()
    if built != "cuda":
        if course.device == "auto":
            return []
        raise FrameworkFault(
            f"the course asks for device: cuda, but torch is built for {built or 'the CPU alone'} here: "
            "install a torch built for CUDA, or write device: auto"
        )
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    found = gpus()
    left = visible(found, chosen)
    if left and not ready():
        if course.device == "auto":
            return []
        raise FrameworkFault(
            f"the course asks for device: cuda, and {left[0].node} is here, but not both /dev/nvidiactl and "
            "/dev/nvidia-uvm: have them made (nvidia-modprobe -c 0 -u), and given to the container"
        )
    if left or course.device == "auto":
        return left
    if not found:
        raise FrameworkFault(
            "the course asks for device: cuda, but there is no GPU here: no /dev/nvidiaN that this user may read and "
            "write was found, by /proc/driver/nvidia/gpus or by name; install NVIDIA's driver, have the container or "
            "the job given a GPU (--gpus, --gres=gpu:1), or write device: auto"
        )
    raise FrameworkFault(
        f"the course asks for device: cuda, but CUDA_VISIBLE_DEVICES={chosen} names none of the GPUs here: "
        + ", ".join(f"{gpu.device} ({gpu.node})" for gpu in found)
    )


def places(course: CourseConfig) -> int | None:
    """How many judges can have a GPU at the same time; None where they need none.

    Raises: as `usable_gpus`.
    """
    found = usable_gpus(course)
    return len(found) * course.workers_per_gpu if found else None


def take_place(course: CourseConfig, folder: Path | None = None, wait: float = WAIT_SECONDS) -> Place | None:
    """A place on the GPU that has most room; None where the course's submissions compute on the CPU.

    folder: where the locks are kept; a folder of this user's without it.

    Raises:
        FrameworkFault: every place is taken; or as `usable_gpus`.
    """
    found = usable_gpus(course)
    if not found:
        return None
    folder = folder or _own_folder()
    deadline = time.monotonic() + wait
    while True:
        place = _free(found, course.workers_per_gpu, folder)
        if place is not None:
            return place
        if time.monotonic() >= deadline:
            raise FrameworkFault(
                f"every place on the GPUs here is taken ({len(found)} with {course.workers_per_gpu} each): wait for "
                "what grades beside this, grade with fewer --workers, or raise workers_per_gpu"
            )
        time.sleep(LOOK_SECONDS)


def _free(found: Sequence[Gpu], each: int, folder: Path) -> Place | None:
    import fcntl

    for number in range(each):  # one on each GPU before two on any
        for gpu in found:
            name = re.sub(r"[^\w-]", "_", gpu.node + "_" + gpu.device)
            lock = os.open(folder / f"{name}.{number}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                continue
            return Place(opening(gpu), lock)
    return None


def _own_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"autograder-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise FrameworkFault(f"{folder} is somebody else's; remove it, or set TMPDIR")
    return folder
