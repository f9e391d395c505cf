"""What of an earlier result is taken over when only some checks have changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from autograder.judge.items import info_of
from autograder.results.model import CheckResult, Incident


class Kept:
    """The checks that are not judged again.

    A check that needs one that is judged again is judged again too: whether it is blocked may have changed.

    Args:
        items: all checks, each after those that it requires.
        data: `checks` and `incidents` of the earlier result, as JSON.
    """

    def __init__(self, items: Sequence[pytest.Item], data: Mapping[str, Any]) -> None:
        known = {check["id"]: msgspec.convert(check, CheckResult) for check in data["checks"]}
        again: set[str] = set()
        self._results: dict[str, CheckResult] = {}
        for item in items:
            info = info_of(item)
            if info is None:
                continue
            if info.id in known and not again.intersection(info.requires):
                # Points are scaled anew: those of another check may have changed.
                before = known[info.id]
                points = info.points if before.outcome == "passed" else 0.0
                self._results[info.id] = replace(before, points=points, max_points=info.points)
            else:
                again.add(info.id)
        if not again:
            self._results = {}  # nothing to judge would be no grading
        self.incidents = [
            Incident(one["kind"], one["detail"], one["check"])
            for one in data["incidents"]
            if one["check"] in self._results
        ]

    def result(self, item: pytest.Item) -> CheckResult | None:
        """The kept result of a check, None where it is to be judged."""
        info = info_of(item)
        found = self._results.get(info.id) if info is not None else None
        return copy(found) if found is not None else None
