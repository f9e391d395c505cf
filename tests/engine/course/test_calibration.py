"""`reference/<exercise>.json`: each data set with its own seeds and environment, whatever was measured when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.batch.calibration import merge_and_write
from autograder.course.calibration import (
    Calibration,
    Measured,
    PlacedLimit,
    Runs,
    Seeds,
    device_of,
    measured_as,
    read_calibration,
)
from autograder.judge.calibrated import Calibrated, LimitBook
from autograder.judge.verdicts import FrameworkFault


def measured(high: float, seeds: Seeds, torch: str) -> Measured:
    return Measured(
        seeds,
        {"torch": torch},
        {"loss": PlacedLimit("trains", "lower", None, high)},
        {"loss": Runs({"reference": [high - 1.0] * seeds.reference}, {"wrong": [high + 1.0, None]})},
    )


def test_a_data_set_that_is_not_measured_keeps_its_own_seeds_and_environment(tmp_path: Path):
    path = tmp_path / "toy.json"
    merge_and_write(path, Calibration("toy", {"mnist": measured(2.0, Seeds(16, 8, 5), "2.4")}))
    now = merge_and_write(path, Calibration("toy", {"digits": measured(3.0, Seeds(12, 8, 4), "2.13")}))
    assert read_calibration(path) == now
    assert {name: (own.seeds, own.environment) for name, own in now.data.items()} == {
        "mnist": (Seeds(16, 8, 5), {"torch": "2.4"}),
        "digits": (Seeds(12, 8, 4), {"torch": "2.13"}),
    }
    assert next(iter(json.loads(path.read_text()))) == "schema_version"
    book = LimitBook(path)
    assert (book.limit("mnist", "loss"), book.limit("digits", "loss")) == ((None, 2.0), (None, 3.0))


def test_limits_of_a_device_are_its_own_where_they_were_measured(tmp_path: Path):
    path = tmp_path / "toy.json"
    merge_and_write(path, Calibration("toy", {"any": measured(2.0, Seeds(16, 8, 5), "2.4")}))
    book = LimitBook(path)
    assert (book.limit("any", "loss"), book.borrowed) == ((None, 2.0), False)
    assert (book.limit("any", "loss", "cuda"), book.borrowed) == ((None, 2.0), True)
    merge_and_write(path, Calibration("toy", {measured_as("any", "cuda"): measured(3.0, Seeds(4, 4, 4), "2.5")}))
    book = LimitBook(path)
    assert (book.limit("any", "loss", "cuda"), book.limit("any", "loss"), book.borrowed) == (
        (None, 3.0), (None, 2.0), False,
    )  # fmt: skip
    with pytest.raises(FrameworkFault, match="no limit for 'other'"):
        book.limit("any", "other", "cuda")


def test_a_quantity_is_recorded_with_its_device(tmp_path: Path):
    noted: dict[str, float] = {}
    for device in ("cpu", "cuda"):
        Calibrated(None, "digits", noted.__setitem__, device)("loss", 1.0)
    assert list(noted) == ["calibrate/lower/digits/loss", "calibrate/lower/digits@cuda/loss"]
    assert [device_of(name.split("/")[2]) for name in noted] == ["cpu", "cuda"]


def test_of_an_older_file_nobody_knows_which_data_set_its_seeds_were_of(tmp_path: Path):
    path = tmp_path / "toy.json"
    limit = {"check": "trains", "better": "lower", "low": None, "high": 2.0, "false_fail": 1e-4, "false_pass": None,
             "separation": None, "overlaps": False, "good": {}, "bad": {}}  # fmt: skip
    path.write_text(json.dumps({
        "schema_version": 1, "exercise": "toy", "seeds": {"reference": 9}, "environment": {"torch": "2.4"},
        "limits": {"any": {"loss": limit}}, "figures": {"any": {"loss": {"good": {"reference": [1.0]}, "bad": {}}}},
    }))  # fmt: skip
    old = read_calibration(path).data["any"]
    assert (old.seeds, old.environment) == (None, None)
    assert old.runs["loss"].good == {"reference": [1.0]}
    assert LimitBook(path).limit("any", "loss") == (None, 2.0)


@pytest.mark.parametrize("text", ["{", "[]", '{"schema_version": 3, "exercise": "toy"}', '{"limits": {"any": {}}}'])
def test_what_calibrate_did_not_write_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "toy.json"
    path.write_text(text)
    with pytest.raises(FrameworkFault, match="not a file written by"):
        LimitBook(path)
