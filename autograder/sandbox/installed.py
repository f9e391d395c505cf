"""What of an environment's packages belongs to a few libraries and to what these need inside."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution

_SUFFIXES = (".py", ".so", ".pyd")


@dataclass(frozen=True)
class Installed:
    """Where libraries lie.

    Attributes:
        places: files and folders of theirs, directly in a folder for packages.
        names: what can be imported of them, top level only.
    """

    places: tuple[str, ...]
    names: frozenset[str]


@lru_cache(8)
def installed(libraries: Sequence[str]) -> Installed:
    """The libraries that are there, by the names under which they are installed, and everything that they require."""
    places: set[str] = set()
    for found in _with_required(libraries):
        base = os.path.abspath(str(found.locate_file("")))
        places.update(place for name in _top_level(found) if os.path.exists(place := os.path.join(base, name)))
    names = {os.path.basename(place).split(".")[0] for place in places if _importable(place)}
    return Installed(tuple(sorted(places)), frozenset(names))


def _with_required(libraries: Iterable[str]) -> list[Distribution]:
    from packaging.requirements import InvalidRequirement, Requirement

    found: dict[str, Distribution] = {}
    todo = list(libraries)
    while todo:
        name = todo.pop().lower().replace("_", "-").replace(".", "-")
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        for line in found[name].requires or ():
            try:
                needed = Requirement(line)
            except InvalidRequirement:
                continue
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                todo.append(needed.name)
    return list(found.values())


def _top_level(found: Distribution) -> set[str]:
    """The first parts of the paths of its files; its own description and programs (`../../bin`) are left out."""
    record = found.read_text("RECORD") or found.read_text("SOURCES.txt") or ""
    first = {line.split(",", 1)[0].split("/", 1)[0].strip('"') for line in record.splitlines()}
    first |= set((found.read_text("top_level.txt") or "").split())
    unwanted = ("", "..", "__pycache__")
    return {name for name in first if name not in unwanted and not name.endswith((".dist-info", ".egg-info", ".pth"))}


def _importable(place: str) -> bool:
    return place.endswith(_SUFFIXES) if "." in os.path.basename(place) else os.path.isdir(place)


def standard(name: str) -> bool:
    """Whether a module of this name is Python's own."""
    return name in sys.stdlib_module_names
