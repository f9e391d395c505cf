"""What a network's answers tell of its layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from autograder.judge.expect import Expect
from autograder.judge.layers import bends_at_points, ending, normalises_batches
from autograder.judge.verdicts import CheckFailed, StudentError


def test_the_end_of_a_network_shows_in_its_range():
    wide = 30 * torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    assert [ending(f(wide)) for f in (torch.sigmoid, torch.tanh, torch.relu)] == ["sigmoid", "tanh", "relu"]
    assert [ending(y) for y in (wide, torch.zeros(9), -wide.abs(), nn.functional.elu(wide))] == [None] * 4


def test_statistics_of_a_batch_show_where_a_row_is_alone():
    rows = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))

    def raising(row):
        raise StudentError("Expected more than 1 value per channel when training")

    def hanging(row):
        raise StudentError("", kind="timeout")

    assert normalises_batches(raising, rows)
    assert normalises_batches(lambda x: (x - x.mean(0)) / x.std(0, correction=0), rows)  # 0 / 0
    assert normalises_batches(lambda x: (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt(), rows)
    assert not normalises_batches(lambda x: x + x.mean(0), rows)
    assert not normalises_batches(hanging, rows)
    assert not normalises_batches(lambda x: None, rows)


def test_a_relu_bends_at_points_and_a_tanh_everywhere():
    line = torch.linspace(-2, 2, 65, dtype=torch.float64)[:, None]
    assert all(bends_at_points(y) for y in (torch.relu(line + 0.3), nn.functional.leaky_relu(line, 0.2)))
    assert not any(bends_at_points(y) for y in (2 * line + 1, line.tanh()))


@pytest.mark.parametrize(
    ("value", "mistake"), [(torch.zeros(4, 1), "column"), (torch.zeros(4), "single"), (torch.zeros(2), None)]
)
def test_a_known_wrong_shape_or_dtype_is_named(value, mistake):
    with pytest.raises(CheckFailed) as failed:
        Expect().tensor(value, (4,), dtype=torch.float64, mistakes={"column": (4, 1), "single": torch.float32})
    assert failed.value.mistake == mistake
