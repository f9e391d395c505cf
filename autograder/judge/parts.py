"""The parts of one check over several functions: what fails inside one costs that part's share, and no other's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from autograder.judge.verdicts import OURS, CheckFailed, StudentError
from autograder.language import _, ngettext
from autograder.results.outcomes import PartOutcome


class Parts:
    """What has come out of the parts that were entered so far.

    Args:
        proven: whether the function that a part is about has passed the checks of its values. Form earns nothing
            without substance: a part of which this does not hold is judged all the same, so that its student reads what
            is wrong, and earns nothing.
        can_answer: whether the worker lives and has time left.
    """

    def __init__(
        self, proven: Callable[[str], bool] = lambda name: True, can_answer: Callable[[], bool] = lambda: True
    ) -> None:
        self._proven = proven
        self._can_answer = can_answer
        self._entered: dict[str, Exception | None] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Judge one part; entered several times, it passes only if it passes every time.

        A fault of ours, or a worker that cannot answer any more, ends the whole check.
        """
        self._entered.setdefault(name, None)
        try:
            yield
        except Exception as error:
            if isinstance(error, OURS) or (isinstance(error, StudentError) and not self._can_answer()):
                raise
            if self._entered[name] is None:
                self._entered[name] = error

    @property
    def errors(self) -> dict[str, Exception]:
        """What each failed part ended with."""
        return {name: error for name, error in self._entered.items() if error is not None}

    @property
    def outcomes(self) -> dict[str, PartOutcome]:
        """Name -> what came out, in the order in which they were entered first."""
        return {name: self._outcome(name) for name in self._entered}

    def _outcome(self, name: str) -> PartOutcome:
        if self._entered[name] is not None:
            return "failed"
        return "passed" if self._proven(name) else "blocked"

    def verdict(self, failures: Mapping[str, CheckFailed]) -> CheckFailed | None:
        """All that is lost in one, with the hint and the mistake of the first part that has one; None: nothing is."""
        outcomes = self.outcomes
        passed = sum(outcome == "passed" for outcome in outcomes.values())
        if passed == len(outcomes):
            return None
        earn = ngettext(
            "{n} of {total} parts earns its share of the points.",
            "{n} of {total} parts earn their share of the points.",
            passed,
        )
        lines = [earn.format(n=passed, total=len(outcomes))]
        form = _("`{part}`: form counts only where the values are right, and they are not.")
        if len(outcomes) == 1:  # a check of one function, whose values another check judges
            lines, form = [], _("`{part}`: this counts only where its values are right, and they are not.")
        lines += [
            f"`{name}`: {failures[name].message}" if outcome == "failed" else form.format(part=name)
            for name, outcome in outcomes.items()
            if outcome != "passed"
        ]
        hint = next((failure.hint for failure in failures.values() if failure.hint), "")
        mistake = next((failure.mistake for failure in failures.values() if failure.mistake), None)
        lost = CheckFailed(" ".join(lines), hint, mistake, outcomes)
        lost.raised_in = next((failure.raised_in for failure in failures.values() if failure.raised_in), None)
        return lost
