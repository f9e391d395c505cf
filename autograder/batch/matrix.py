"""The matrix of known submissions × checks: what should come out, and where something else did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.authoring.mistakes import Mistake
from autograder.batch.populations import SubjectKind

PASSES, LOSES, SOMETIMES, UNANSWERED, WRONG = "●", "○", "◐", "·", "✗"
_ORDER: dict[SubjectKind, int] = {"reference": 0, "alternative": 1, "stub": 2, "mistake": 3}
Rows = dict[str, list[str]]  # submission -> a sign for each check


def expected(kinds: Mapping[str, SubjectKind], checks: Sequence[str], bank: Mapping[str, Mistake]) -> Rows:
    """What each submission should give: the reference first, then alternatives, the stub and the mistakes."""
    names = sorted(kinds, key=lambda name: _ORDER[kinds[name]])
    return {name: [_expected(kinds[name], check, bank.get(name)) for check in checks] for name in names}


def _expected(kind: SubjectKind, check: str, mistake: Mistake | None) -> str:
    if kind == "stub":
        return LOSES
    if kind == "alternative":
        return UNANSWERED if check.startswith("quiz_") else PASSES
    if mistake is None:
        return PASSES
    if check == mistake.check:
        return LOSES
    return {"always": LOSES, "sometimes": SOMETIMES}.get(mistake.losses.get(check, ""), PASSES)


def seen(
    rows: Rows, checks: Sequence[str], passed: Mapping[str, Mapping[str, int]], judged: Mapping[str, Mapping[str, int]]
) -> Rows:
    """The same, with a cross where what came out is not as it should be."""
    kept = {PASSES: lambda p, n: p == n, LOSES: lambda p, n: p == 0}
    return {
        name: [
            sign if sign not in kept or kept[sign](passed[name][check], judged[name][check]) else WRONG
            for check, sign in zip(checks, signs, strict=True)
        ]
        for name, signs in rows.items()
    }
