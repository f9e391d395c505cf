"""What a worker may read: the Python installation and shared libraries, never the repository or a home.

A course's repository holds solutions and hidden checks, and often the virtual environment as well: of an
environment only `site-packages` is on this list.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/gnu/store")
SETTINGS = ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/usr/share/fonts", "/usr/share/zoneinfo")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


def devices() -> list[str]:
    return [path for path in _DEVICES if os.path.exists(path)]


def site_packages(entries: Iterable[str]) -> list[str]:
    """Those of the `sys.path` entries that installers write to."""
    return [entry for entry in entries if os.path.basename(entry) in ("site-packages", "dist-packages")]


def library_paths(extra: Iterable[str] = ()) -> list[str]:
    """Existing files and folders that a worker may read, absolute, none inside another, links unresolved.

    Where an entry is a link, its goal is listed too.
    """
    wanted = [
        os.path.dirname(os.__file__),
        os.path.join(sys.base_prefix, "lib"),
        *site_packages(sys.path),
        *LIBRARIES,
        *SETTINGS,
        *extra,
    ]
    found: set[str] = set()
    for path in map(os.path.abspath, wanted):
        if os.path.exists(path):
            found.add(path)
            found.add(os.path.realpath(path))
    return [path for path in sorted(found) if not any(_inside(path, other) for other in found)]


def _inside(path: str, other: str) -> bool:
    """Whether `other`, a real folder, holds `path`."""
    return path != other and path.startswith(other + "/") and not os.path.islink(other)


def sys_path_within(paths: Iterable[str]) -> list[str]:
    """The entries of `sys.path` that remain readable, so that no import looks elsewhere and stumbles."""
    allowed = [os.path.realpath(path) for path in paths]
    kept = []
    for entry in sys.path:
        real = os.path.realpath(entry)
        if any(real == path or real.startswith(path + "/") for path in allowed):
            kept.append(entry)
    return kept
