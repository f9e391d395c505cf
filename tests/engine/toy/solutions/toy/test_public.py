"""Public checks of the toy."""

import torch

from autograder.judge import check


@check()
def test_mean_of_ones(student, compare):
    """The mean of ones is one."""
    compare(student.mean(torch.ones(2, 3)), torch.ones(2), what="mean(ones)")
