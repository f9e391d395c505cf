"""NVIDIA's driver, as a `gpu.Driver`: started in a worker before student code is there, and watched from its minder.

Much of what the driver's library does when it starts (a socket for other processes, names for its threads, files in
/proc) is refused to student code. So all of it is done here, once, by code that is trusted; see `lockdown`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os

from autograder.sandbox.gpu import DRIVER_LIBRARIES, Gauge

_ROOM = 256 << 20  # bytes of the GPU's memory for what libraries load beside the allocator


def start(memory_bytes: int) -> None:
    """Bring CUDA up: the driver, the context, the libraries, and the thread of backward passes.

    Raises:
        OSError: there is no GPU to be had; says why.
    """
    import torch

    for folder in DRIVER_LIBRARIES:  # the loader finds by its name what is loaded already
        with contextlib.suppress(OSError):
            ctypes.CDLL(os.path.join(folder, "libcuda.so.1"), ctypes.RTLD_GLOBAL)
            break
    if torch.version.cuda is None:
        raise OSError(19, f"torch {torch.__version__} is built without CUDA")
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
        _use()
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, (memory_bytes + torch.cuda.memory_reserved()) / total))
        torch.cuda.reset_peak_memory_stats()
    except (RuntimeError, AssertionError) as error:
        raise OSError(19, f"CUDA does not start: {str(error).strip().splitlines()[0]}") from error


def compute() -> None:
    """The GPU computes, and computes what is right.

    Raises:
        OSError: it does not; says why.
    """
    try:
        found = _use()
    except (RuntimeError, AssertionError) as error:
        raise OSError(5, f"CUDA does not compute: {str(error).strip().splitlines()[0]}") from error
    if found != (64.0, 128.0):
        raise OSError(5, f"the GPU computes {found}, and not (64, 128)")


def _use() -> tuple[float, float]:
    """A product of matrices with its backward pass, and a convolution: 64 and 128. No random number is drawn."""
    import torch

    left = torch.ones(64, 64, device="cuda", requires_grad=True)
    product = left @ torch.ones(64, 64, device="cuda")
    product.sum().backward()  # type: ignore[no-untyped-call]
    image = torch.ones(1, 8, 6, 6, device="cuda", dtype=torch.float64)
    drawn = torch.nn.functional.conv2d(image, torch.ones(4, 8, 4, 4, device="cuda", dtype=torch.float64))
    assert left.grad is not None
    gradient = left.grad[0, 0].item()
    return (product[0, 0].item() if gradient == 64 else gradient), drawn[0, 0, 0, 0].item()


def gauge(device: str) -> Gauge:
    """What processes use of this GPU, by NVML.

    Raises:
        OSError: NVML cannot be asked; says why.
    """
    try:
        import pynvml
    except ImportError as error:
        raise OSError(2, "nvidia-ml-py is not installed") from error
    try:
        pynvml.nvmlInit()
        handle = (
            pynvml.nvmlDeviceGetHandleByIndex(int(device))
            if device.isdigit()
            else pynvml.nvmlDeviceGetHandleByUUID(device)
        )
    except pynvml.NVMLError as error:
        raise OSError(5, f"NVML: {error}") from error
    return NvmlGauge(handle)


class NvmlGauge:
    """The memory of processes on one GPU.

    Args:
        device: NVML's handle of it.
    """

    def __init__(self, device: object) -> None:
        self._device = device

    def used(self, pid: int) -> int | None:
        """Bytes of this process. In a container the driver may call processes by numbers of the host: where only one
        uses the GPU, that is the one."""
        import pynvml

        try:
            processes = pynvml.nvmlDeviceGetComputeRunningProcesses(self._device)
        except pynvml.NVMLError:
            return None
        own = [process for process in processes if process.pid == pid] or processes
        if len(own) != 1:
            return None
        used = own[0].usedGpuMemory
        return None if used is None else int(used)
