"""Points as numbers: rounded in one way, in one place."""

from __future__ import annotations

DECIMALS = 4


def rounded(points: float) -> float:
    """Points to four decimals, as every sum, grade and table has them: 0.1 + 0.2 is 0.3."""
    return round(points, DECIMALS)
