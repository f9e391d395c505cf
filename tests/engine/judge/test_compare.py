"""What `compare` lets pass, and what it says of the rest, both ways."""

from __future__ import annotations

import pytest
import torch

from autograder.judge.compare import OF_THE_LARGEST, compare
from autograder.judge.verdicts import CheckFailed

RIGHT = torch.tensor([4.0, -1.0, 1e-9, torch.inf], dtype=torch.float64)


def off(by):
    return RIGHT + torch.tensor([0.0, 0.0, by, 0.0], dtype=torch.float64)


def test_a_value_near_0_may_be_off_by_a_small_part_of_the_largest():
    compare(off(0.9 * OF_THE_LARGEST * 4), RIGHT, "f(x)")
    with pytest.raises(CheckFailed, match="1 of 4 values differs"):
        compare(off(1.2 * OF_THE_LARGEST * 4), RIGHT, "f(x)")


def test_what_differs_is_counted_by_the_tolerance_that_decides():
    got = RIGHT * torch.tensor([1.01, 1 + 1e-4, 1.0, 1.0], dtype=torch.float64)
    with pytest.raises(CheckFailed, match="1 of 4 values differs"):
        compare(got, RIGHT, "f(x)", rtol=1e-3)
    with pytest.raises(CheckFailed, match="2 of 4 values differ"):
        compare(got, RIGHT, "f(x)")
    with pytest.raises(CheckFailed, match="1 of 4 values differs"):  # in single precision, which other checks judge
        compare((RIGHT * torch.tensor([1.01, 1 + 1e-5, 1.0, 1.0])).float(), RIGHT, "f(x)")


@pytest.mark.parametrize("wrong", [torch.zeros(4), torch.full((4,), torch.nan), -RIGHT])
def test_zeros_nan_and_the_other_sign_never_pass(wrong):
    with pytest.raises(CheckFailed):
        compare(wrong.double(), RIGHT, "f(x)")
