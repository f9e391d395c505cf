"""A number may come back as a Python or NumPy scalar or as a 0-d tensor; only a tensor has a dtype to keep."""

from __future__ import annotations

import pytest
import torch

from autograder.judge import CheckFailed
from autograder.judge.expect import Expect
from autograder.wire.values import Array

EXPECT = Expect()
NUMPY = Array(torch.tensor(0.5, dtype=torch.float64))


@pytest.mark.parametrize("number", [0.5, 0, NUMPY, torch.tensor(0.5)], ids=["float", "int", "numpy", "tensor"])
def test_a_number_has_no_dtype_to_keep(number):
    EXPECT.tensor(number, (), "spread(x)", dtype=torch.float32)


@pytest.mark.parametrize(
    ("answer", "shape", "dtype"),
    [
        (torch.tensor(0.5, dtype=torch.float64), (), torch.float32),
        (Array(torch.zeros(2, dtype=torch.float64)), (2,), torch.float32),
        ([0.5, 0.25], (2,), torch.float32),
        (True, (), torch.float32),
        (0.5, (), torch.int64),
    ],
    ids=["tensor", "array", "list", "bool", "index"],
)
def test_what_is_no_bare_number_keeps_its_dtype(answer, shape, dtype):
    with pytest.raises(CheckFailed, match="expected dtype"):
        EXPECT.tensor(answer, shape, "spread(x)", dtype=dtype)


@pytest.mark.parametrize("number", [0.5, NUMPY], ids=["float", "numpy"])
def test_a_loss_that_is_to_be_differentiated_is_a_tensor(number):
    with pytest.raises(CheckFailed, match="expected a tensor of shape"):
        EXPECT.tensor(number, (), "loss(x)", dtype=torch.float32, container="tensor")
