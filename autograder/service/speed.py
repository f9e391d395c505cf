"""How fast this machine is beside the one that the course's limits are meant for.

Limits are seconds of the grading machine. On a student's own they would say something else: a function that takes nine
of ten seconds on a fast laptop does not pass where it is graded. What is measured is Python's own speed, on one
processor.
"""

from __future__ import annotations

import time

# Of `_work` on the machine on which the limits were set.
NOMINAL_SECONDS = 0.0072
_TRIES = 12  # the quickest counts: what else the machine does only makes one slower
_LEAST, _MOST = 0.5, 8.0
_ALIKE = 0.8, 1.25


def slower() -> float:
    """What seconds of the grading machine are multiplied by here: 2 where this machine is half as fast."""
    ratio = min(_timed() for _ in range(_TRIES)) / NOMINAL_SECONDS
    return 1.0 if _ALIKE[0] <= ratio <= _ALIKE[1] else round(min(max(ratio, _LEAST), _MOST), 1)


def _timed() -> float:
    started = time.thread_time()
    _work()
    return time.thread_time() - started


def _work() -> float:
    """Calls, numbers, lists and texts, as students' loops have them."""
    total = 0.0
    seen: dict[str, list[float]] = {}
    for i in range(30_000):
        value = (i * 2654435761 % 1000003) / 1000003
        total += value * value - total / (i + 1)
        seen.setdefault(str(i % 97), []).append(value)
    return total + sum(sum(sorted(values)) for values in seen.values())
