"""A command that ends with a message for the user and an exit status."""

from __future__ import annotations

import errno
import os

from autograder.errors import AutograderError
from autograder.language import _


class CommandFault(AutograderError):
    """Ends a command: 1 for what could not be graded or proved, 2 for wrong usage."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def of_the_machine(error: Exception) -> CommandFault | None:
    """What to say where the machine fails a command: a full disk, a place that cannot be written, too many open files,
    a library that is not installed.

    None where it is something else, which is ours to mend.
    """
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] != "autograder":
        return CommandFault(
            _(
                "this needs the library {name}, which is not installed here. What students set up is made for `new`, "
                "`check` and `ci`; the other commands are for teachers, who set up with `make` in the course's folder"
            ).format(name=error.name.partition(".")[0]),
            2,
        )
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        if error.errno in (errno.EMFILE, errno.ENFILE):
            return CommandFault(
                _("{reason}: allow more of them, with `ulimit -n 256` say; the same command then goes on").format(
                    reason=reason
                )
            )
        where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        what = f"{where}: {reason}" if where else reason
    elif type(error).__module__.startswith("sqlalchemy.") and getattr(error, "orig", None) is not None:
        what = _("the book: {reason}").format(reason=getattr(error, "orig", ""))
    else:
        return None
    return CommandFault(
        _("{what}. Nothing half-written is left; once this is mended, the same command goes on").format(
            what=" ".join(what.split())
        )
    )
