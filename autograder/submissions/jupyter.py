"""A cell as Jupyter reads it: IPython's own transformer makes its lines (`%magic`, `!command`, `name?`) Python.

Text goes in and text comes out: nothing is compiled or run. Every line stays where it was. Where IPython is not
installed, which only a student's `check` may do without, `magics` reads in its place.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from autograder.submissions import magics

# IPython reads a cell again after each line of its own; more characters in all than these are no student's work.
MOST_READ = 500_000

# Where none of these is found, IPython changes nothing (a test holds it): most cells need not go through it.
_SIGNS = re.compile(
    r"\A\s*[^\S\n]\S"  # the first line is indented
    r"|^[^\S\n]+$"  # a line of blanks
    r"|^[^\S\n]*(?:[%!?,;/]|>>>|\.\.\.|\[nav\]|\[ins\]|In \[)"
    r"|=[^\S\n]*[%!]"
    r"|\?[^\S\n]*$",
    re.MULTILINE,
)


class Transformer(Protocol):
    """What is used of IPython's."""

    def transform_cell(self, cell: str) -> str:
        """A cell as Python."""


@cache
def ipython_version() -> str:
    """Of the IPython that reads cells here; empty where there is none."""
    try:
        return version("ipython")
    except PackageNotFoundError:
        return ""


class Reader:
    """Reads the cells of one submission."""

    def __init__(self) -> None:
        self._left = MOST_READ

    def as_python(self, source: str) -> str:
        """The text of a cell with IPython's lines made Python; lines keep their numbers."""
        if not may_change(source):
            return source
        if not ipython_version():
            return magics.as_python(source)
        above = re.match(r"(?:[^\S\n]*\n)*", source)
        blank = above[0].count("\n") if above else 0  # IPython drops empty lines above the first
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of lines that end in other ways than \n
                return "\n" * blank + transformer(self._count).transform_cell(source)
        except Exception:  # whatever the text is, IPython's trouble with it must not cost the cell
            return magics.as_python(source)

    def _count(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            raise RuntimeError("too many of IPython's lines")


def may_change(source: str) -> bool:
    """Whether anything in a cell may be IPython's."""
    return _SIGNS.search(source) is not None


def transformer(count: Callable[[int], None]) -> Transformer:
    """IPython's transformer, with an empty line for each line that it takes away.

    Args:
        count: told how many characters it is going to read, each time.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    class CountedTransformer(TransformerManager):
        def do_one_token_transform(self, lines: list[str]) -> tuple[bool, list[str]]:
            count(sum(map(len, lines)))
            changed, after = super().do_one_token_transform(lines)  # type: ignore[no-untyped-call]
            gone = len(lines) - len(after)
            if changed and gone > 0:
                at = next((i for i, (a, b) in enumerate(zip(lines, after, strict=False)) if a != b), len(after) - 1)
                after = [*after[: at + 1], *["\n"] * gone, *after[at + 1 :]]
            return changed, after

    return CountedTransformer()  # type: ignore[no-untyped-call]
