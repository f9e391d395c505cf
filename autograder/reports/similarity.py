"""Submissions that look alike: which pairs share code that few others have, and how alike a class is anyway.

Compared are fingerprints of the tokens that a student wrote (winnowing, Schleimer, Wilkerson and Aiken 2003): without
comments, docstrings, strings' contents and the lines of the stub; names that the student chose are all one, so
renaming changes nothing, and functions in another order share theirs. What much of the class has in common is left
out: short exercises have few right solutions. How alike a pair must be to be listed follows from all pairs of the
class, and no list proves anything: it says where to look.
"""

from __future__ import annotations

import builtins
import keyword
import statistics
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

from autograder.course.tokens import tokens, without_personal

LENGTH = 8  # tokens of a fingerprint
WINDOW = 4  # of so many neighbours one is kept
LEAST = 12  # fingerprints; fewer say nothing
COMMON = 0.5  # share of the class beyond which what they have in common is nobody's
LEAST_COMMON = 5  # students, in a small class: so many may have copied from one another
LEAST_ALIKE, SURELY_ALIKE = 0.5, 0.9
DEVIATIONS = 6.0  # from the median of all pairs
MOST = 40  # pairs of one exercise

_KEPT = frozenset({*keyword.kwlist, *dir(builtins), "self"})


@dataclass(frozen=True)
class Pair:
    """Two students with nearly the same code for one exercise; `similarity` is the share of common fingerprints."""

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
        codes: of the students in `pairs`.
        limit: from which on pairs are listed.
    """

    exercise: str
    compared: int
    median: float | None
    pairs: tuple[Pair, ...]
    codes: Mapping[str, str]
    limit: float = SURELY_ALIKE


def own_tokens(code: str, stub: str) -> list[str]:
    """What a student wrote, as tokens: without the lines of the stub, and the questions that were asked."""
    given = set(_rows(stub))
    known = _KEPT | {token.text for token in tokens(stub)}
    own: list[str] = []
    before = ""
    for _line, row in groupby(tokens(without_personal(code)), key=lambda token: token.line):
        line = list(row)
        if tuple(token.text for token in line) in given:
            continue
        for token in line:
            chosen = token.is_name and token.text not in known and (before != "." or own[-2:-1] == ["self"])
            own.append("_" if chosen else token.text)
            before = token.text
    return own


def _rows(code: str) -> Iterator[tuple[str, ...]]:
    for _line, row in groupby(tokens(code), key=lambda token: token.line):
        yield tuple(token.text for token in row)


def fingerprints(tokens: Sequence[str]) -> frozenset[int]:
    """The hashes of a text's runs of tokens, one of each few neighbours."""
    runs = [
        zlib.crc32(" ".join(tokens[i : i + LENGTH]).encode(errors="replace")) for i in range(len(tokens) - LENGTH + 1)
    ]
    return frozenset(min(runs[i : i + WINDOW]) for i in range(max(len(runs) - WINDOW + 1, min(len(runs), 1))))


def likeness(exercise: str, codes: Mapping[str, str], stub: str) -> Likeness:
    """Compare every pair of submissions for an exercise."""
    prints = {student: fingerprints(own_tokens(code, stub)) for student, code in codes.items()}
    prints = {student: own for student, own in sorted(prints.items()) if len(own) >= LEAST}
    often = Counter(one for own in prints.values() for one in own)
    common = {one for one, count in often.items() if count > max(LEAST_COMMON, COMMON * len(prints))}
    prints = {student: own - common for student, own in prints.items()}
    shares = {
        (a, b): 2 * len(prints[a] & prints[b]) / total
        for a, b in combinations(prints, 2)
        if (total := len(prints[a]) + len(prints[b])) >= LEAST
    }
    if not shares:
        return Likeness(exercise, len(prints), None, (), {})
    middle = statistics.median(shares.values())
    spread = 1.4826 * statistics.median(abs(share - middle) for share in shares.values())
    limit = min(max(middle + DEVIATIONS * spread, LEAST_ALIKE), SURELY_ALIKE)
    found = [Pair(exercise, a, b, round(share, 3)) for (a, b), share in shares.items() if share >= limit]
    found.sort(key=lambda pair: -pair.similarity)
    named = {student for pair in found[:MOST] for student in (pair.first, pair.second)}
    return Likeness(
        exercise, len(prints), round(middle, 3), tuple(found[:MOST]), {s: codes[s] for s in sorted(named)},
        round(limit, 3),
    )  # fmt: skip
