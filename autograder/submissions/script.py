"""A script to cells, by its text alone: cut at `# %%` lines, so that a syntax error costs one part."""

from __future__ import annotations

import bisect
import itertools
import re

from autograder.submissions.model import Cell

MAX_PARTS = 5_000  # more is nobody's work: the text then stays in one piece

_PART = re.compile(r"^# ?%%.*$", re.MULTILINE)
# Everything that may hide a quote or a `# %%`: comments and one-line strings. Linear, whatever the text.
_TOKEN = re.compile(
    r"""#[^\n]*|\"\"\"|'''|"(?:\\[^\n]|[^"\\\n])*"?|'(?:\\[^\n]|[^'\\\n])*'?|\\[^\n]|[^#"'\\]+|\\""",
    re.DOTALL,
)
_END = {quote: re.compile(r"(?:\\.|[^\\])*?" + quote, re.DOTALL) for quote in ('"""', "'''")}


def split_script(text: str, name: str) -> tuple[Cell, ...]:
    """The parts of a percent script, or the whole of a plain one; parts without code are left out.

    A part marked as markdown is kept when it holds more than comments: for Python it is code all the same.
    """
    edges = sorted({0, *_part_starts(text), len(text)})
    if len(edges) > MAX_PARTS:
        edges = [0, len(text)]
    cells = []
    line = 1
    for index, (start, end) in enumerate(itertools.pairwise(edges), start=1):
        part = text[start:end]
        if not all(not row.strip() or row.lstrip().startswith("#") for row in part.split("\n")):
            cells.append(Cell(index, name, part, line))
        line += part.count("\n")
    return tuple(cells)


def _part_starts(text: str) -> list[int]:
    inside = _inside_strings(text)
    begins = [begin for begin, _ in inside]
    starts = []
    for match in _PART.finditer(text):
        if text.endswith("\\\n", 0, match.start()):
            continue  # the line before goes on here
        before = bisect.bisect_left(begins, match.start()) - 1
        if before < 0 or inside[before][1] <= match.start():
            starts.append(match.start())
    return starts


def _inside_strings(text: str) -> list[tuple[int, int]]:
    """Where triple-quoted strings run that hold a `# %%` line.

    Where one is never closed the quotes cannot be trusted, and every `# %%` line counts: the damage stays in
    its part.
    """
    ranges = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:  # cannot happen: the alternatives cover every character
            return []
        position = match.end()
        end_pattern = _END.get(match[0])
        if end_pattern is None:
            continue
        closing = end_pattern.match(text, position)
        if closing is None:
            return []
        if _PART.search(text, position, closing.end()):
            ranges.append((position, closing.end()))
        position = closing.end()
    return ranges
