"""Submissions that look alike: which pairs of students wrote nearly the same code, and how alike a class is anyway.

Compared are the tokens that a student wrote: without comments, blank lines and the lines of the stub. The measure is
2 M / T (M tokens in common in the same order, T tokens of both). Short exercises have few right solutions, so the
median over all pairs stands beside each list, and no list proves anything: it says where to look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LEAST_TOKENS = 60  # fewer say nothing
LIKE = 0.9
MOST = 40  # pairs of one exercise

_TOKEN = re.compile(r"[^\W\d]\w*|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\"[^\"\n]*\"|'[^'\n]*'|[^\w\s]")
_COMMENT = re.compile(r"(?m)(?:^|\s)#.*$")


@dataclass(frozen=True)
class Pair:
    """Two students with nearly the same code for one exercise."""

    exercise: str
    first: str
    second: str
    similarity: float


@dataclass(frozen=True)
class Likeness:
    """What the comparison of one exercise's submissions gave.

    Attributes:
        compared: submissions that hold enough of the student's own.
        median: similarity over all pairs; None where there are fewer than two submissions.
        pairs: the most alike first.
    """

    exercise: str
    compared: int
    median: float | None
    pairs: tuple[Pair, ...]


def own_tokens(code: str, stub: str) -> list[str]:
    """What a student wrote, as tokens. Lines are taken as they are: broken code has tokens too."""
    given = {" ".join(line.split()) for line in stub.splitlines()}
    lines = (line for line in _COMMENT.sub("", code).splitlines() if " ".join(line.split()) not in given)
    return _TOKEN.findall("\n".join(lines))


def likeness(exercise: str, codes: Mapping[str, str], stub: str) -> Likeness:
    """Compare every pair of submissions for an exercise.

    Args:
        exercise: id.
        codes: the code of each student.
        stub: what they were given.
    """
    import numpy
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    tokens = {student: own_tokens(code, stub) for student, code in codes.items()}
    students = sorted(student for student, own in tokens.items() if len(own) >= LEAST_TOKENS)
    if len(students) < 2:
        return Likeness(exercise, len(students), None, ())
    # One character per distinct token: rapidfuzz is at its fastest on strings.
    letters: dict[str, str] = {}
    texts = ["".join(letters.setdefault(t, _letter(len(letters))) for t in tokens[s]) for s in students]
    matrix = process.cdist(texts, texts, scorer=Indel.normalized_similarity, dtype=numpy.float32)
    above = numpy.triu_indices(len(students), 1)
    found = [
        Pair(exercise, students[i], students[j], round(float(matrix[i, j]), 3))
        for i, j in zip(*above, strict=True)
        if matrix[i, j] >= LIKE
    ]
    found.sort(key=lambda pair: -pair.similarity)
    return Likeness(exercise, len(students), round(float(numpy.median(matrix[above])), 3), tuple(found[:MOST]))


def _letter(number: int) -> str:
    # Surrogates are no characters.
    code = 0x100 + number
    return chr(code if code < 0xD800 else code + 0x800)
