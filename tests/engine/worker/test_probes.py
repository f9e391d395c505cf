"""Generic probes that run beside the student's code."""

from __future__ import annotations

import torch

from autograder.worker.probes import changed, from_seed, global_seed, predict, torch_calls, twice, weight_gradients


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


def test_weight_gradients_are_those_of_the_models_own_parameters():
    model = torch.nn.Linear(2, 1)
    by_weight, by_bias = weight_gradients(lambda model, x: model(x), model, torch.tensor([[3.0, 4.0]]))
    assert by_weight.tolist() == [[3.0, 4.0]]
    assert by_bias.tolist() == [1.0]
    assert weight_gradients(lambda model, x: model(x).detach(), model, torch.ones(1, 2)) == [None, None]


def test_predict_is_of_the_evaluation_mode_and_carries_no_graph():
    network = torch.nn.Sequential(torch.nn.Dropout(0.9), torch.nn.Linear(4, 1))
    one, again = predict(network, torch.ones(1, 4)), predict(network, torch.ones(1, 4))
    assert torch.equal(one, again)
    assert not one.requires_grad


def test_a_generator_goes_on_from_call_to_call_and_a_seed_begins_anew():
    def draw(n, generator=None):
        return torch.rand(n, generator=generator)

    first, second = twice(draw, 3, generator=torch.Generator().manual_seed(1))
    assert not torch.equal(first, second)
    assert torch.equal(from_seed(5, draw, 3), from_seed(5, draw, 3))
    assert global_seed() == 5
