"""Where a user's own files lie outside any course: cached downloads and state that must outlive them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

import platformdirs


def user_folder(kind: Literal["cache", "state"]) -> Path:
    """The user's folder of this kind (not created); `AUTOGRADER_CACHE` and `AUTOGRADER_STATE` win."""
    named = os.environ.get(f"AUTOGRADER_{kind.upper()}")
    if named:
        return Path(named).expanduser()
    dirs = platformdirs.PlatformDirs("autograder", appauthor=False)
    if sys.platform == "win32":  # one folder for all of a program there: the secret stays where it has been
        return dirs.user_data_path / kind
    return dirs.user_cache_path if kind == "cache" else dirs.user_state_path
