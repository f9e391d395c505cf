"""The lines of a submission that a failed check is about: those of the function or class that it judges, and the line
that raised an exception."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence

from autograder.judge.grading import clean
from autograder.judge.verdicts import RaisedIn
from autograder.results.model import OwnLines, RaisedLine
from autograder.submissions.model import CodeCell
from autograder.wire.values import CellData

_WORD = re.compile(r"[A-Za-z_]\w*")
MOST_LINES = 40
MOST_RAISED = 8  # lines of a statement that raised, and variables in it


def excerpts(cells: Sequence[CodeCell]) -> Mapping[str, OwnLines]:
    """The text of each function and class at the top level, by name; of one defined twice, the last."""
    found: dict[str, OwnLines] = {}
    for cell in cells:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an odd escape in a student's text is no business of the judge's log
                body = ast.parse(cell["source"]).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # said elsewhere: it could not be loaded
        lines = cell["source"].splitlines()
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                last = min(node.end_lineno or node.lineno, node.lineno + MOST_LINES - 1)
                text = clean("\n".join(lines[node.lineno - 1 : last]))
                found[node.name] = OwnLines(cell["where"], cell["first_line"] + node.lineno - 1, text)
    return found


def raised_line(cells: Sequence[CellData], raised: RaisedIn) -> RaisedLine | None:
    """The statement that an exception came from, with what the variables in it were; None where it is not there."""
    for cell in cells:
        lines = cell["source"].splitlines()
        here = raised.line - cell["first_line"]
        if cell["filename"] != raised.file or not 0 <= here < len(lines):
            continue
        statement, first, last = _statement(cell["source"], here + 1)
        # Of one that is too long the lines from the one that raised on.
        first = first if here + 1 - first < MOST_RAISED else here + 1
        last = min(last, first + MOST_RAISED - 1)
        text = textwrap.dedent("\n".join(lines[first - 1 : last]))
        # A file that is broken elsewhere has no statements, and words all the same.
        names = _names(statement, first, last) if statement is not None else _WORD.findall(text)
        there = {name: raised.values[name] for name in names if name in raised.values}
        return RaisedLine(cell["where"], raised.line, clean(text), dict(list(there.items())[:MOST_RAISED]))
    return None


def _statement(source: str, line: int) -> tuple[ast.stmt | None, int, int]:
    """The innermost statement around a line, its first line and its last, of a compound one its head's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, line, line
    found: ast.stmt | None = None
    for node in ast.walk(tree):
        around = isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
        if isinstance(node, ast.stmt) and around and node.lineno >= (found.lineno if found is not None else 0):
            found = node
    if found is None:
        return None, line, line
    first, last = found.lineno, found.end_lineno or found.lineno
    body = getattr(found, "body", None)
    if isinstance(body, list) and body:
        last = max(first, body[0].lineno - 1)
    return found, first, last


def _names(statement: ast.stmt, first: int, last: int) -> Iterator[str]:
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name) and first <= node.lineno <= last]
    for node in sorted(names, key=lambda name: (name.lineno, name.col_offset)):
        yield node.id
