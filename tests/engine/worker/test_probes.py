"""Generic probes that run beside the student's code."""

from __future__ import annotations

import torch

from autograder.worker.probes import changed, torch_calls


def test_changed_names_the_tensors_that_a_call_changes():
    def in_place(x, y, scale, z=None):
        y.mul_(scale)
        return x + y

    x, y = torch.ones(3), torch.ones(3)
    assert changed(in_place, x, y, 2.0) == [1]
    assert changed(in_place, x, y, 1.0) == []


def test_changed_sees_a_new_shape():
    assert changed(lambda x: x.unsqueeze_(0), torch.ones(3)) == [0]


def test_torch_calls_names_what_modules_and_functions_call_of_torch():
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Dropout(0.1))
    of_layers = ["linear", "batch_norm", "dropout"]
    assert [name for name in torch_calls(network, torch.ones(4, 2)) if name in of_layers] == of_layers
    assert torch_calls(lambda x: 2 * x, 3.0) == []
