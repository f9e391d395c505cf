"""Which installed libraries a submission may import: those of its exercise, for `check` as for grading.

Where code is isolated, others are not there to be read at all. Where it is not, on a student's own machine, they are
not found all the same, so that nobody hands in what cannot be graded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

_PACKAGES = ("site-packages", "dist-packages")


class Gate:
    """Finds what others find, but for top-level modules from folders for packages that are not among `names`."""

    def __init__(self, finders: Iterable[object], names: Iterable[str]) -> None:
        self._finders = list(finders)
        self._names = frozenset(names)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As `importlib` asks for it."""
        for finder in self._finders:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find is not None else None
            if spec is not None:
                return spec if path is not None or name in self._names or not _installed(spec) else None
        return None

    def invalidate_caches(self) -> None:
        """As `importlib.invalidate_caches` asks for it."""
        for finder in self._finders:
            forget = getattr(finder, "invalidate_caches", None)
            if forget is not None:
                forget()


def _installed(spec: ModuleSpec) -> bool:
    places = list(spec.submodule_search_locations or ()) or [spec.origin or ""]
    return any(folder in place.replace("\\", "/").split("/") for place in places for folder in _PACKAGES)


def allow_only(names: Iterable[str]) -> None:
    """From now on, no other installed library is found by an import."""
    sys.meta_path[:] = [Gate(sys.meta_path, names)]
