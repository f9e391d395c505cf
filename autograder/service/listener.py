"""How whoever asked for a class to be graded hears of it while it goes on."""

from __future__ import annotations

from autograder.results.model import Result


class Listener:
    """Told how grading goes; here it does nothing. Its methods are called in the thread that asked, one at a time."""

    def graded(self, result: Result, total: int, seconds_left: float | None) -> None:
        """One more submission is graded and kept.

        Args:
            result: of it, as the judge gave it.
            total: how many will be graded in this round.
            seconds_left: of work for one worker, in this round; None where nobody can say yet.
        """
