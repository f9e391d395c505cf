"""The page of every form of a hand-in that is tried, made by reading each: docs/reference/hand-ins.md."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.engine.submissions.cases import CASES, EVERYBODY, Case

KINDS = {
    "missing": "missing: handed in nothing",
    "name_unknown": "not gradable: nobody knows which exercise it is",
    "candidates": "not gradable: several files, and nothing tells which counts",
    "no_code": "not gradable: no file of code",
    "unreadable": "not gradable: it cannot be read",
    "limit": "not gradable: over a limit",
    "person_unknown": "not gradable: nobody knows whose it is",
    "contradiction": "not gradable: it names two people",
}


def page() -> str:
    """The table, one row per form."""
    people = ", ".join(f"{student.name} ({student.id})" for student in EVERYBODY)
    lines = [
        "# Forms of a hand-in", "",
        f"{len(CASES)} forms, each read by a test that fails where another thing becomes of it. Downloads are written",
        "after the platforms' own sources (`tests/engine/submissions/platforms/` names repository, file and version).",
        f"The class is {people}, and a row says what becomes of each one's `markov_quiz`. *Missing* is only who handed",
        "in nothing that may be theirs; what is not gradable is never a zero, and `grade --resolve` settles it.", "",
        "| layout | who is known by | what is special | what becomes of it |", "|---|---|---|---|",
    ]  # fmt: skip
    for case in CASES:
        cells = (case.layout, case.identity, case.damage or "nothing", _becomes(case))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _becomes(case: Case) -> str:
    with tempfile.TemporaryDirectory() as base:
        found = case.status(Path(base))
    if "refused" in found:
        return "refused, with the reason"
    said: dict[str, list[str]] = {}
    for student, status in found.items():
        said.setdefault(KINDS.get(status, "graded"), []).append(student)
    return "; ".join(f"{', '.join(students)}: {status}" for status, students in said.items())
