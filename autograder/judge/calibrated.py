"""Limits that nobody typed: a quantity is judged against what calibration measured, or recorded for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from autograder.course.calibration import CPU, Better, PlacedLimit, measured_as, read_calibration
from autograder.judge.verdicts import CheckFailed, FrameworkFault
from autograder.language import _, said

# Quantities recorded for calibration carry their direction and their data set in the name.
CALIBRATION_PREFIX = "calibrate/"


class LimitBook:
    """The limits in `reference/<exercise>.json`: by data set ("any" where a check uses none), then by quantity.

    Attributes:
        borrowed: whether a limit was asked for on a device where none was measured, and the CPU's has taken its place.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.borrowed = False
        self._limits: dict[tuple[str, str], PlacedLimit] = {}
        if path.is_file():
            try:
                self._limits = {(data, name): limit for data, name, limit in read_calibration(path).limits}
            except (OSError, ValueError) as error:
                raise FrameworkFault(f"{path}: not a file written by `autograder calibrate` ({error})") from None

    def limit(self, data: str, name: str, device: str = CPU) -> tuple[float | None, float | None]:
        """The low and the high limit of a quantity, those of this device where they were measured; FrameworkFault where
        there is none."""
        entry = self._limits.get((measured_as(data, device), name))
        if entry is None:
            entry = self._limits.get((data, name))
            self.borrowed = self.borrowed or entry is not None
        if entry is None:
            raise FrameworkFault(f"{self.path}: no limit for {name!r} on data {data!r}; run `autograder calibrate`")
        return entry.low, entry.high


class Calibrated:
    """The `calibrated` fixture.

    Args:
        book: the limits; None records only.
        device: where the submission computes.
    """

    def __init__(
        self, book: LimitBook | None, data: str, record: Callable[[str, float], None], device: str = CPU
    ) -> None:
        self._book = book
        self._data = data
        self._record = record
        self._device = device

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
            self._record(f"{CALIBRATION_PREFIX}{better}/{measured_as(self._data, self._device)}/{name}", value)
            return
        self._record(name, value)
        low, high = self._book.limit(self._data, name, self._device)
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
