"""In which order a batch is graded: the longest first, fair between students, wiser with every result.

With the longest first no worker is left with a long job when the others have run out of work. How long a job takes is
known from the same student's earlier attempt, else guessed from the exercise's other submissions; of exercises that
nothing is known of one is tried at once. A student whose job is running waits while others' work is there, so that a
student whose every file takes its whole time limit does not hold up the class.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

from autograder.results.attempt import Name

T = TypeVar("T")

_SAMPLE = 101  # durations that a guess is made from


@dataclass(frozen=True)
class ToDo(Generic[T]):
    """Something to do.

    Attributes:
        name: student and exercise.
        work: what the caller wants back.
        seconds: that it took the last time; None where it was never done.
        size: bytes of the file: of equally long ones the larger comes first.
    """

    name: Name
    work: T
    seconds: float | None = None
    size: int = 0


class Schedule(Generic[T]):
    """What is still to be begun.

    Args:
        known: seconds of earlier results by exercise.
    """

    def __init__(self, pieces: Iterable[ToDo[T]], known: Mapping[str, Iterable[float]] | None = None) -> None:
        self._waiting: dict[str, list[ToDo[T]]] = {}
        for piece in pieces:
            self._waiting.setdefault(piece.name[1], []).append(piece)
        for group in self._waiting.values():
            # The last of a list is taken first.
            group.sort(key=lambda piece: (piece.seconds or 0.0, piece.size))
        self._seen: dict[str, list[float]] = {e: list(values)[-_SAMPLE:] for e, values in (known or {}).items()}
        self._median: dict[str, float] = {e: median(values) for e, values in self._seen.items() if values}
        self._running: Counter[str] = Counter()
        self._begun: Counter[str] = Counter()
        self._guessed = Counter(p.name[1] for group in self._waiting.values() for p in group if p.seconds is None)
        self._measured = sum(p.seconds or 0.0 for group in self._waiting.values() for p in group)

    def __len__(self) -> int:
        return sum(len(group) for group in self._waiting.values())

    def take(self) -> T | None:
        """The next work to begin, None where all has been begun."""
        heads = [(group, at) for group in self._waiting.values() if group for at in [self._free(group)]]
        if not heads:
            return None
        free = [head for head in heads if head[1] is not None]
        group, at = max(free, key=self._urgency) if free else (max(heads, key=self._urgency)[0], None)
        piece = group.pop(-1 if at is None else at)
        self._running[piece.name[0]] += 1
        self._begun[piece.name[1]] += 1
        if piece.seconds is None:
            self._guessed[piece.name[1]] -= 1
        else:
            self._measured -= piece.seconds
        return piece.work

    def ended(self, name: Name, seconds: float | None) -> None:
        """A piece of work is done, and took so long (None: it says nothing about others)."""
        student, exercise = name
        self._running[student] -= 1
        if seconds is not None:
            seen = self._seen.setdefault(exercise, [])
            seen.append(seconds)
            del seen[:-_SAMPLE]
            self._median[exercise] = median(seen)

    def seconds_waiting(self) -> float | None:
        """How long what has not begun will take one worker; None while there is nothing to guess from."""
        total = self._measured
        for exercise, number in self._guessed.items():
            if number:
                if exercise not in self._median:
                    return None
                total += number * self._median[exercise]
        return max(0.0, total)

    def _free(self, group: list[ToDo[T]]) -> int | None:
        """Where the first piece stands whose student has nothing running; None where there is none."""
        for back in range(1, len(group) + 1):
            if not self._running[group[-back].name[0]]:
                return -back
        return None

    def _urgency(self, head: tuple[list[ToDo[T]], int | None]) -> tuple[float, int, int]:
        group, at = head
        piece = group[-1 if at is None else at]
        exercise = piece.name[1]
        expected = self._median.get(exercise, math.inf) if piece.seconds is None else piece.seconds
        return expected, -self._begun[exercise], piece.size
