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
import tokenize
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

LENGTH = 8  # tokens of a fingerprint
WINDOW = 4  # of so many neighbours one is kept
LEAST = 12  # fingerprints; fewer say nothing
COMMON = 0.5  # share of the class beyond which what they have in common is nobody's
LEAST_COMMON = 5  # students, in a small class: so many may have copied from one another
LEAST_ALIKE, SURELY_ALIKE = 0.5, 0.9
DEVIATIONS = 6.0  # from the median of all pairs
MOST = 40  # pairs of one exercise

_LAYOUT = frozenset({
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
    tokenize.ENCODING, tokenize.ERRORTOKEN,
})  # fmt: skip
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
    """What a student wrote, as tokens, also of code that is broken: without layout, comments and docstrings."""
    given = {" ".join(line.split()) for line in stub.splitlines()}
    known = _KEPT | {token.string for token in _tokens(stub)}
    written = code.splitlines()
    tokens: list[str] = []
    before = ""
    for token in _tokens(code):
        if " ".join(written[token.start[0] - 1].split()) in given:
            continue
        if token.type == tokenize.STRING:
            tokens.append('""')
        elif token.type == tokenize.NUMBER:
            tokens.append(_number(token.string))
        elif token.type == tokenize.NAME and token.string not in known and (before != "." or tokens[-2:-1] == ["self"]):
            tokens.append("_")
        else:
            tokens.append(token.string)
        before = token.string
    return tokens


def _tokens(code: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a text that say something; where it is broken, those of the lines that follow."""
    lines, start, fresh = [f"{line}\n" for line in code.splitlines()], 0, True
    while start < len(lines):
        row = 1
        try:
            for token in tokenize.generate_tokens(iter([*lines[start:], ""]).__next__):
                row = max(row, token.start[0])
                docstring = token.type == tokenize.STRING and fresh
                fresh = token.type in _LAYOUT or docstring
                if not fresh:
                    yield token._replace(start=(start + token.start[0], token.start[1]))
            return
        except (tokenize.TokenError, SyntaxError):
            start += row


def _number(text: str) -> str:
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


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
