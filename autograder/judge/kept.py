"""What of an earlier result is taken over when only some checks have changed."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import pytest
from msgspec.structs import replace

from autograder.judge.items import info_of
from autograder.judge.messages import Kept
from autograder.results.model import CheckResult


class KeptChecks:
    """The checks that are not judged again.

    A check that needs one that is judged again is judged again too: whether it is blocked may have changed.
    """

    def __init__(self, items: Sequence[pytest.Item], kept: Kept) -> None:
        known = {check.id: check for check in kept.checks}
        again: set[str] = set()
        self._results: dict[str, CheckResult] = {}
        for item in items:
            info = info_of(item)
            if info is None:
                continue
            if info.id in known and not again.intersection(info.needs):
                # Points are scaled anew: those of another check may have changed.
                before = known[info.id]
                points = info.points * before.share
                self._results[info.id] = replace(before, points=points, max_points=info.points)
            else:
                again.add(info.id)
        if not again:
            self._results = {}  # nothing to judge would be no grading
        self.incidents = [incident for incident in kept.incidents if incident.check in self._results]

    def result(self, item: pytest.Item) -> CheckResult | None:
        """The kept result of a check, None where it is to be judged."""
        info = info_of(item)
        found = self._results.get(info.id) if info is not None else None
        return copy(found) if found is not None else None
