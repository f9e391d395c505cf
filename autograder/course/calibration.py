"""`reference/<exercise>.json`: what `autograder calibrate` measured, and the limits that follow, by data set.

Each data set has been measured by itself, perhaps by another run on another machine: it has its own seeds and
environment. Where an older file does not say them they are null: nobody knows. What was measured on another device than
the CPU stands beside it, `mnist@cuda` beside `mnist`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, field

ANY_DATA = "any"  # the data set of checks that use none
CPU = "cpu"

Better = Literal["lower", "higher", "between"]
BySeed = dict[str, list[float | None]]  # over seeds, by population; null where a value was not finite


class Spread(Struct, frozen=True, forbid_unknown_fields=True):
    """One population of a quantity, a solution or a mistake, on the scale that is nearer to normal.

    Attributes:
        n: number of values; mean, deviation: on `scale`; scale: `raw`, `log` or `root`.
        lowest, highest: of the values themselves.
        degrees: of freedom that `deviation` stands on: n - 1, more where others lent theirs; null in older files.
    """

    n: int
    mean: float
    deviation: float
    scale: str
    lowest: float
    highest: float
    degrees: float | None = None


class PlacedLimit(Struct, forbid_unknown_fields=True):
    """The limit of a quantity between correct solutions and mistakes, and how sure it is.

    Attributes:
        low, high: the values accepted, ends included; None where that side is free.
        false_fail: probability that the next run of the worst correct population is refused.
        false_pass: probability that the next run of the best mistake is accepted; None without mistakes.
        separation: least distance of a correct population from a mistake, in their joint standard deviations
            ($|m_1 - m_2| / sqrt(s_1^2 + s_2^2)$ on the raw values); None without mistakes.
        overlaps: no limit keeps both rates; the false-fail rate was kept, the false-pass rate is above its aim.
        good, bad: the populations, by name. A mistake with fewer than 3 finite values has None.
    """

    check: str = ""
    better: Better = "lower"
    low: float | None = None
    high: float | None = None
    false_fail: float = 0.0
    false_pass: float | None = None
    separation: float | None = None
    overlaps: bool = False
    good: dict[str, Spread] = field(default_factory=dict)
    bad: dict[str, Spread | None] = field(default_factory=dict)

    def accepts(self, value: float) -> bool:
        """Whether a value is within the limit; NaN never is."""
        low = -math.inf if self.low is None else self.low
        return low <= value <= (math.inf if self.high is None else self.high)


class Runs(Struct, forbid_unknown_fields=True):
    """The values of a quantity: of correct solutions, and of mistakes."""

    good: BySeed = field(default_factory=dict)
    bad: BySeed = field(default_factory=dict)


class Seeds(Struct, frozen=True, forbid_unknown_fields=True):
    """How many runs of each kind."""

    reference: int = 40
    alternative: int = 12
    mistake: int = 8


class Measured(Struct, forbid_unknown_fields=True):
    """What was measured with one data set, in one run, on one device."""

    seeds: Seeds | None = None
    environment: dict[str, str] | None = None
    limits: dict[str, PlacedLimit] = field(default_factory=dict)
    runs: dict[str, Runs] = field(default_factory=dict)
    device: str = CPU


class Calibration(Struct, forbid_unknown_fields=True):
    """A whole file."""

    exercise: str
    data: dict[str, Measured] = field(default_factory=dict)
    schema_version: Literal[2] = 2

    @property
    def limits(self) -> list[tuple[str, str, PlacedLimit]]:
        """Every limit, with its data set and its quantity's name."""
        return [(data, name, limit) for data, own in self.data.items() for name, limit in own.limits.items()]


def measured_as(data: str, device: str) -> str:
    """What measurements with a data set on a device are called in a file."""
    return data if device == CPU else f"{data}@{device}"


def device_of(name: str) -> str:
    """The device that such a name says."""
    return name.partition("@")[2] or CPU


def read_calibration(path: Path) -> Calibration:
    """What a file holds; ValueError where it is none that `autograder calibrate` wrote."""
    return msgspec.convert(_upgraded(json.loads(path.read_text(encoding="utf-8"))), Calibration)


def _upgraded(document: object) -> object:
    """Version 1 had one `seeds` and `environment`, those of whichever data set was measured last."""
    if not isinstance(document, Mapping) or document.get("schema_version") != 1:
        return document
    limits, figures = document.get("limits"), document.get("figures")
    if not isinstance(limits, Mapping) or not isinstance(figures, Mapping):
        return document
    data = {name: {"limits": limits[name], "runs": figures.get(name, {})} for name in limits}
    return {"schema_version": 2, "exercise": document.get("exercise"), "data": data}
