"""Scores to sample from, and gradients with respect to a model's weights."""

import torch


def wells(centre, half, std, log_odds):
    """A score with two wells of one width, at centre + half and centre - half, without gradients."""

    @torch.no_grad()
    def score(x):
        z = (x - centre) / std**2  # (B, d)
        side = torch.tanh(z @ half + log_odds)  # (B,)
        return side[:, None] * half / std**2 - z

    return score


def weight_gradients(function, model, *args):
    """Gradients of `function(model, *args)` with respect to the model's parameters, None where none arrive."""
    value = function(model, *args)
    if not (isinstance(value, torch.Tensor) and value.requires_grad):
        return [None for _ in model.parameters()]
    return list(torch.autograd.grad(value.sum(), list(model.parameters()), allow_unused=True))
