"""Where a user's own files lie outside any course: cached downloads and state that must outlive them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal


def user_folder(kind: Literal["cache", "state"]) -> Path:
    """The user's folder of this kind (not created); `AUTOGRADER_CACHE` and `AUTOGRADER_STATE` win."""
    named = os.environ.get(f"AUTOGRADER_{kind.upper()}")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "autograder" / kind
    if sys.platform == "darwin":
        library = "Caches" if kind == "cache" else "Application Support"
        return Path.home() / "Library" / library / "autograder"
    base = os.environ.get(f"XDG_{kind.upper()}_HOME")
    fallback = Path.home() / (".cache" if kind == "cache" else ".local/state")
    # The XDG specification: a relative path there is to be ignored.
    return (Path(base) if base and os.path.isabs(base) else fallback) / "autograder"
