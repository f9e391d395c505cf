"""What a worker may read: the Python installation and shared libraries, never the repository or a home.

A course's repository holds solutions and hidden checks, and often the virtual environment as well: of an
environment only `site-packages` is on this list.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/gnu/store")
SETTINGS = ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/usr/share/fonts", "/usr/share/zoneinfo")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


_PACKAGES = ("site-packages", "dist-packages")
_SAMPLES = 3  # of each folder, for the self-test


@dataclass(frozen=True)
class Readable:
    """What a worker may read.

    Attributes:
        paths: files and folders, absolute; of a folder everything but what is `hidden`.
        hidden: folders within those of which only what is among the paths is there.
        listed: folders whose names may be listed, at least: those on the search path.
        samples: files that must not be readable, for the self-test.
    """

    paths: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()

    def without_mounts(self) -> Readable:
        """The same for who can only allow whole folders: one around a hidden one is named child by child.

        The names in it can be listed, and so can those in the hidden one.
        """
        if not self.hidden:
            return self
        whole, around, todo = [], [], list(self.paths)
        while todo:
            path = todo.pop()
            if os.path.islink(path) or path in self.hidden:  # what a link leads to is named itself
                continue
            if any(_inside(hidden, path) for hidden in self.hidden):
                around.append(path)
                todo += [entry.path for entry in os.scandir(path)]
            else:
                whole.append(path)
        return Readable(tuple(sorted(whole)), (), (*self.listed, *sorted(around)), self.samples)


def narrowed(paths: Sequence[str], libraries: Sequence[str], search_path: Iterable[str]) -> Readable:
    """Of all folders for packages only what `libraries` names.

    Args:
        paths: everything that may be read otherwise, see `library_paths`.
        libraries: files and folders in folders for packages.
        search_path: as in `sys.path`.
    """
    packages = {folder for path in paths if not os.path.islink(path) for folder in _package_folders(path)}
    plain = [path for path in paths if path not in packages and os.path.basename(path) not in _PACKAGES]
    kept = {place for path in libraries for place in (path, os.path.realpath(path))}
    hidden = [folder for folder in packages if any(_inside(folder, path) for path in plain)]
    # What lies elsewhere, a library's own link say, is not within any of these folders.
    listed = [path for path in search_path if os.path.basename(path) in _PACKAGES and os.path.isdir(path)]
    return Readable(
        tuple(sorted({*plain, *kept})), tuple(sorted(hidden)), tuple(listed), tuple(_strangers(packages, kept))
    )


def _package_folders(path: str) -> list[str]:
    if os.path.basename(path) in _PACKAGES:
        return [path]
    inside = [f"{middle}{name}" for middle in ("", "python*/") for name in _PACKAGES]
    return [found for pattern in inside for found in glob(f"{path}/{pattern}") if os.path.realpath(found) == found]


def _strangers(folders: Iterable[str], kept: set[str]) -> Iterator[str]:
    for folder in folders:
        files = sorted(glob(f"{folder}/*/__init__.py"))
        yield from [file for file in files if os.path.dirname(file) not in kept][:_SAMPLES]


def devices() -> list[str]:
    return [path for path in _DEVICES if os.path.exists(path)]


def site_packages(entries: Iterable[str]) -> list[str]:
    """Those of the `sys.path` entries that installers write to."""
    return [entry for entry in entries if os.path.basename(entry) in _PACKAGES]


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
