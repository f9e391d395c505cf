"""Progress of long work: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from autograder.language import _
from autograder.results.model import Result
from autograder.service.classes import Listener


class Progress:
    """What a command tells its progress to."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._started = time.monotonic()
        self._first = 0.0
        self._told = 0.0
        self.done = 0

    def advance(self, total: int, detail: str = "", left: float | None = None) -> None:
        """One more of `total` is done.

        Args:
            left: seconds to go; guessed from the pace without it.
        """
        self.done += 1
        now = time.monotonic()
        if self.done == total or now - self._told >= 10:
            self._told = now
            rest = self._left(total, left)
            told = _("{label}: {done} of {total}, {elapsed:.0f} s")
            told = told.format(label=self._label, done=self.done, total=total, elapsed=now - self._started)
            to_go = [] if rest is None else [_("{rest:.0f} s to go").format(rest=rest)]
            print(", ".join([told, self._rate(), *to_go]), file=sys.stderr)

    def _rate(self) -> str:
        per_second = self.done / max(1e-3, time.monotonic() - self._started)
        if per_second >= 1:
            return _("{number:.1f} per second").format(number=per_second)
        return _("{number:.1f} per minute").format(number=60 * per_second)

    def _left(self, total: int, left: float | None) -> float | None:
        """Seconds to go. The first took the start of everything with it: nothing is guessed from it."""
        self._first = self._first or time.monotonic()
        if left is None and self.done > 1:
            left = (time.monotonic() - self._first) / (self.done - 1) * (total - self.done)
        return 0.0 if self.done == total else left


class BarProgress(Progress):
    """The same on a terminal: a bar with rate and remaining time."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("{task.fields[pace]}", markup=False), TextColumn("{task.fields[detail]}", markup=False),
            console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task(label, total=None, detail="", pace="")

    def advance(self, total: int, detail: str = "", left: float | None = None) -> None:
        self.done += 1
        pace, rest = self._rate(), self._left(total, left)
        if rest is not None:
            minutes, seconds = divmod(round(rest), 60)
            pace = _("{rate}, {time} to go").format(rate=pace, time=f"{minutes}:{seconds:02}")
        self._bar.update(self._task, total=total, completed=self.done, detail=detail[:40], pace=pace)


class GradingProgress(Listener):
    """Tells a progress of a class that is graded."""

    def __init__(self, bar: Progress, workers: int) -> None:
        self._bar = bar
        self._workers = workers

    def graded(self, result: Result, total: int, seconds_left: float | None) -> None:
        left = None if seconds_left is None else seconds_left / self._workers
        self._bar.advance(total, f"{result.student} {result.exercise}", left)


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """A progress for the time of the block."""
    if sys.stderr.isatty():
        bar = BarProgress(label)
        with bar._bar:
            yield bar
    else:
        yield Progress(label)
