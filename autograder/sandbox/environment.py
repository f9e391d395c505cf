"""The environment of processes that run student code: clean, one thread, the same numbers as the judge."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Numbers in their last bits depend on these, so the worker has to have what the judge has.
_KEPT = ("OPENBLAS_", "MKL_CBWR", "ATEN_CPU", "DNNL_", "ONEDNN_")

SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "USER": "student",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    # The heap begins in large pages, see `pages`. It has one arena: a second one, of a library's thread that has ended
    # long ago, would be 64 MiB of addresses that a worker got on top of its limit, for the kernel lets reserved pages
    # be written to, whatever RLIMIT_DATA says, where RLIMIT_AS is reached.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1",
}


def environment() -> dict[str, str]:
    """The warm parent's whole environment: nothing of the judge's but what decides over numerical results."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    fixed = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "MPLCONFIGDIR": str(_font_cache())}
    return kept | SETTINGS | fixed


def _font_cache() -> Path:
    """Where matplotlib keeps its list of fonts between two starts of a warm parent."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = (Path(base) if base else Path.home() / ".cache") / "autograder" / "matplotlib"
        folder.mkdir(parents=True, exist_ok=True)
    except (
        OSError,
        RuntimeError,
    ):  # no home, or one that can't be written to: the list is made anew each time
        return Path(tempfile.gettempdir())
    return folder
