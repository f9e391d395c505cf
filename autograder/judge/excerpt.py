"""The lines of a submission that a failed check is about: those of the function or class that it judges."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping, Sequence

from autograder.judge.grading import clean
from autograder.results.model import OwnLines
from autograder.submissions.model import CodeCell

MOST_LINES = 40


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
