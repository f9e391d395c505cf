"""The layouts that are read: one file each, which is all that a new one takes.

A module here is a layout. Its file's name is the layout's name, with hyphens; its constants and functions are those
of `autograder.submissions.layout.Layout`. The command line's choices, the documentation and the reader all ask here.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from autograder.submissions.layout import Layout

FALLBACK = "folder"  # every folder may be laid out like this: it is what is left when nothing speaks for another


def names() -> tuple[str, ...]:
    """Every layout's name; nothing is imported for it."""
    return tuple(sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__)))


@cache
def layouts() -> Mapping[str, Layout]:
    """Every layout by its name, in the order in which they are tried."""
    found = {name: cast("Layout", import_module(f"{__name__}.{name.replace('-', '_')}")) for name in names()}
    return dict(sorted(found.items(), key=lambda pair: (pair[1].RANK, pair[0])))
