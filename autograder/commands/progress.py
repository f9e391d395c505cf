"""Progress of long work: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from autograder.language import _


class Progress:
    """What a command tells its progress to."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._started = time.monotonic()
        self._told = 0.0
        self.done = 0

    def advance(self, total: int, detail: str = "") -> None:
        """One more of `total` is done."""
        self.done += 1
        now = time.monotonic()
        if self.done == total or now - self._told >= 10:
            self._told = now
            elapsed = now - self._started
            rest = elapsed / self.done * (total - self.done)
            print(
                _("{label}: {done} of {total}, {elapsed:.0f} s, {rest:.0f} s to go").format(
                    label=self._label, done=self.done, total=total, elapsed=elapsed, rest=rest
                ),
                file=sys.stderr,
            )


class BarProgress(Progress):
    """The same on a terminal: a bar with rate and remaining time."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), TextColumn("{task.fields[detail]}", markup=False),
            console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task(label, total=None, detail="")

    def advance(self, total: int, detail: str = "") -> None:
        self.done += 1
        self._bar.update(self._task, total=total, completed=self.done, detail=detail[:40])


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """A progress for the time of the block."""
    if sys.stderr.isatty():
        bar = BarProgress(label)
        with bar._bar:
            yield bar
    else:
        yield Progress(label)
