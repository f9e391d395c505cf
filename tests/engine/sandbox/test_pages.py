"""Large pages: used where the kernel has them, harmless where it has not."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path

import pytest

from autograder.sandbox import kernel, pages

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not Path("/proc/self/smaps_rollup").exists(), reason="the kernel tells nothing of pages"
)


def large_kib() -> int:
    with open("/proc/self/smaps_rollup", encoding="ascii") as table:
        return next(int(line.split()[1]) for line in table if line.startswith("AnonHugePages:"))


def test_memory_is_moved_into_large_pages():
    memory = mmap.mmap(-1, 8 * pages.LARGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[:] = b"x" * len(memory)
    before = large_kib()
    if not pages.collect():
        pytest.skip("this kernel has no large pages for a process to ask for")
    assert large_kib() >= before + 4 * pages.LARGE // 1024
    assert memory[:] == b"x" * len(memory)


def test_a_kernel_without_them_costs_nothing_else(monkeypatch):
    def refuse(address: int, length: int, advice: int) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(kernel, "madvise", refuse)
    assert pages.collect() == 0
