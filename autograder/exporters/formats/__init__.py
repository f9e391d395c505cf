"""The exporters of grades: one file each, which is all that a new one takes.

A module here is an exporter. Its file's name is the exporter's name, with hyphens; its constants and its function are
those of `autograder.exporters.exporter.Exporter`. The command line derives a subcommand from each, with its options.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, cast

from autograder.language import _
from autograder.reports.cells import ExportFault

if TYPE_CHECKING:
    from autograder.exporters.exporter import Exporter


def names() -> tuple[str, ...]:
    """Every exporter's name; nothing is imported for it."""
    return tuple(sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__)))


def exporter(name: str) -> Exporter:
    """The exporter of this name; ExportFault says which there are."""
    if name not in names():
        raise ExportFault(_("no exporter {name!r}; there are: {listing}").format(name=name, listing=", ".join(names())))
    return cast("Exporter", import_module(f"{__name__}.{name.replace('-', '_')}"))
