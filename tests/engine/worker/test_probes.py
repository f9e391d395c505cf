"""Generic probes that run beside the student's code."""

from __future__ import annotations

import torch

from autograder.worker.probes import changed


def test_changed_names_the_tensors_that_a_call_changes():
    def in_place(x, y, scale, z=None):
        y.mul_(scale)
        return x + y

    x, y = torch.ones(3), torch.ones(3)
    assert changed(in_place, x, y, 2.0) == [1]
    assert changed(in_place, x, y, 1.0) == []


def test_changed_sees_a_new_shape():
    assert changed(lambda x: x.unsqueeze_(0), torch.ones(3)) == [0]
