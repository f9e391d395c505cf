"""The progress of a class that is graded."""

from __future__ import annotations

from autograder.commands.progress import Progress
from autograder.results.model import Result
from autograder.service.classes import Listener


class GradingProgress(Listener):
    """Tells a progress of a class that is graded."""

    def __init__(self, bar: Progress, workers: int) -> None:
        self._bar = bar
        self._workers = workers

    def graded(self, result: Result, total: int, seconds_left: float | None) -> None:
        left = None if seconds_left is None else seconds_left / self._workers
        self._bar.advance(total, f"{result.student} {result.exercise}", left)
