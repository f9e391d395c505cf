"""Limits that nobody typed: a quantity is judged against what calibration measured, or recorded for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from autograder.course.calibration import Better, PlacedLimit, read_calibration
from autograder.judge.verdicts import CheckFailed, FrameworkFault
from autograder.language import _, said

# Quantities recorded for calibration carry their direction and their data set in the name.
CALIBRATION_PREFIX = "calibrate/"


class LimitBook:
    """The limits in `reference/<exercise>.json`: by data set ("any" where a check uses none), then by quantity."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._limits: dict[tuple[str, str], PlacedLimit] = {}
        if path.is_file():
            try:
                self._limits = {(data, name): limit for data, name, limit in read_calibration(path).limits}
            except (OSError, ValueError) as error:
                raise FrameworkFault(f"{path}: not a file written by `autograder calibrate` ({error})") from None

    def limit(self, data: str, name: str) -> tuple[float | None, float | None]:
        """The low and the high limit of a quantity; FrameworkFault where there is none."""
        try:
            entry = self._limits[data, name]
            return entry.low, entry.high
        except KeyError:
            raise FrameworkFault(
                f"{self.path}: no limit for {name!r} on data {data!r}; run `autograder calibrate`"
            ) from None


class Calibrated:
    """The `calibrated` fixture.

    Args:
        book: the limits; None records only.
    """

    def __init__(self, book: LimitBook | None, data: str, record: Callable[[str, float], None]) -> None:
        self._book = book
        self._data = data
        self._record = record

    def __call__(
        self,
        name: str,
        value: float,
        better: Better = "lower",
        what: str = "",
        hint: str | None = None,
        mistake: str | None = None,
    ) -> None:
        """Fail where `value` is worse than the limit.

        Args:
            name: the quantity's name, unique in the exercise.
            value: what this submission gives.
            better: `lower`, `higher` or `between` (too good is as wrong as too bad).
            what: the quantity in the student's words.
            hint: what to look at next.
            mistake: id of the mistake that a value beyond the limit points to.
        """
        value = float(value)
        if self._book is None:
            self._record(f"{CALIBRATION_PREFIX}{better}/{self._data}/{name}", value)
            return
        self._record(name, value)
        low, high = self._book.limit(self._data, name)
        what = said(what or name)
        if math.isnan(value):
            raise CheckFailed(_("{what} is NaN.").format(what=what), hint or "", mistake)
        if high is not None and value > high:
            raise CheckFailed(_("{what} is higher than a correct solution's.").format(what=what), hint or "", mistake)
        if low is not None and value < low:
            raise CheckFailed(
                _("{what} is lower than a correct solution's{too_good}.").format(
                    what=what, too_good=_(": too good to be true") if better == "between" else ""
                ),
                hint or "",
                mistake,
            )
