"""`%load_ext autograder`, then `%autograder EXERCISE`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Protocol

from autograder.bridges.notebook.check import check
from autograder.bridges.notebook.report import Report
from autograder.errors import AutograderError
from autograder.language import _


class Shell(Protocol):
    """What is used of an IPython shell."""

    def register_magic_function(self, func: Callable[[str], object], magic_kind: str, magic_name: str) -> None:
        """Make a function a magic."""


def register(shell: Shell) -> None:
    """Give a shell the magic."""

    def autograder(line: str) -> Report:
        """Run the public checks: `%autograder EXERCISE [--file FILE] [--course FOLDER]`."""
        return magic(line)

    shell.register_magic_function(autograder, "line", "autograder")


def magic(line: str) -> Report:
    """What `%autograder` does with the rest of its line; errors are said in one line, as IPython does for its own."""
    from IPython.core.error import UsageError

    words = shlex.split(line)
    options: dict[str, str] = {}
    while len(words) >= 2 and words[-2] in ("--file", "--course", "--lang"):
        options[words[-2][2:]] = words[-1]
        words = words[:-2]
    if len(words) != 1:
        raise UsageError(_("Write: %autograder EXERCISE [--file FILE] [--course FOLDER] [--lang LANGUAGE]"))
    try:
        return check(words[0], options.get("file"), course=options.get("course"), language=options.get("lang"))
    except AutograderError as fault:
        raise UsageError(str(fault)) from None
