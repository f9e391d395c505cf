"""Batch normalisation against torch's, which the student's may not call."""

from __future__ import annotations

import torch
from torch import nn

from autograder.judge import check
from autograder.language import _

FORBIDDEN = (
    "torch.nn.BatchNorm1d", "torch.nn.BatchNorm2d", "torch.nn.BatchNorm3d", "torch.nn.SyncBatchNorm",
    "torch.nn.LazyBatchNorm1d", "torch.nn.functional.batch_norm",
)  # fmt: skip


def draw_layers(student, probe, expect, draw):
    """The student's layer and torch's with the same numbers, and a batch of rows far from mean 0 and variance 1."""
    features, momentum, eps = draw.integer(3, 6), float(draw.uniform(1, low=0.2, high=0.4)), draw.choice((0.03, 0.1))
    what = f"BatchNorm({features}, momentum={momentum:.2f}, eps={eps})"
    layer = expect.handle(student.BatchNorm(features, momentum=momentum, eps=eps), what)
    expect.true(probe.is_instance(layer, "torch.nn.Module"), _("{what} is no nn.Module.").format(what=what))
    right = nn.BatchNorm1d(features, momentum=momentum, eps=eps).double()
    weight, bias = draw.uniform(features, low=0.5, high=2.0), draw.normal(features)
    probe.place_on(layer, weight)
    learnt = probe.parameters(layer)
    expect.true(
        isinstance(learnt, dict) and {name: tuple(p.shape) for name, p in learnt.items()}
        == {"weight": (features,), "bias": (features,)},
        _("{what}: its parameters are not weight and bias, of shape ({n},) each.").format(what=what, n=features),
        hint=_("nn.Parameter for what is learnt, register_buffer for the running statistics."),
    )  # fmt: skip
    probe.set_parameters(layer, {"weight": weight, "bias": bias})
    with torch.no_grad():
        right.weight.copy_(weight)
        right.bias.copy_(bias)
    return (
        layer,
        right,
        what,
        lambda: draw.normal(features) * 2 + draw_scale(draw, features) * draw.normal(draw.integer(4, 7), features),
    )


def draw_scale(draw, features):
    """How wide each column is."""
    return draw.uniform(features, low=0.2, high=2.0)


@check(points=0.5, covers=("batch_norm", "BatchNorm"), forbids=FORBIDDEN)
def test_batch_norm_training(student, probe, compare, expect, draw):
    """In training mode each column is brought to mean 0 and variance 1 of its batch, then scaled and moved."""
    layer, right, what, batch = draw_layers(student, probe, expect, draw)
    for _round in range(2):
        x = batch()
        hint = _("The variance of a batch is over B, and eps stands under the root.")
        compare(layer(x), right(x), what=f"{what}(x)", hint=hint)
    fresh = expect.handle(student.BatchNorm(3), "BatchNorm(3)")
    x = draw.normal(9, 3, dtype=torch.float32)
    compare(fresh(x), nn.BatchNorm1d(3)(x), what="BatchNorm(3)(x)", rtol=1e-4, atol=1e-5)


@check(points=0.25, covers=("batch_norm", "BatchNorm"), forbids=FORBIDDEN)
def test_batch_norm_gradient(student, probe, compare, expect, draw):
    """The gradient flows through the mean and the variance of the batch."""
    layer, right, what, batch = draw_layers(student, probe, expect, draw)
    x = batch().requires_grad_()
    by = draw.normal(*x.shape)
    (slope,) = torch.autograd.grad((right(x) * by).sum(), x)
    got = probe.pulled_back(layer, x.detach(), by)
    expect.true(got is not None, _("{what}(x) has no gradient by x.").format(what=what))
    hint = _("Mean and variance are functions of x: leave them in the graph; only the running averages are detached.")
    compare(got, slope, what=_("gradient of {what}(x) by x").format(what=what), hint=hint)


def running(probe, expect, layer, features, what):
    """The running statistics."""
    names = "running_mean", "running_var"
    answer = expect.sequence(probe.attributes(layer, list(names)), 2, what)
    return [
        expect.tensor(value, (features,), f"{what}.{name}").double() for value, name in zip(answer, names, strict=True)
    ]


@check(points=0.5, covers=("running", "BatchNorm"), forbids=FORBIDDEN)
def test_batch_norm_running(student, probe, compare, expect, draw):
    """Running mean and unbiased running variance follow the batches by momentum, from 0 and 1."""
    layer, right, what, batch = draw_layers(student, probe, expect, draw)
    features = right.num_features
    mean, variance = running(probe, expect, layer, features, what)
    compare(mean, torch.zeros(features, dtype=torch.float64), what=_("{what}.running_mean at first").format(what=what))
    compare(
        variance, torch.ones(features, dtype=torch.float64), what=_("{what}.running_var at first").format(what=what)
    )
    for _round in range(2):
        x = batch()
        layer(x)
        right(x)
    mean, variance = running(probe, expect, layer, features, what)
    hint = _("running ← (1 - momentum)·running + momentum·batch; the variance here is the one over B - 1.")
    compare(mean, right.running_mean, what=_("{what}.running_mean after two batches").format(what=what), hint=hint)
    compare(variance, right.running_var, what=_("{what}.running_var after two batches").format(what=what), hint=hint)


@check(points=0.25, covers=("evaluation", "BatchNorm"), forbids=FORBIDDEN)
def test_batch_norm_evaluation(student, probe, compare, expect, draw):
    """Evaluation mode uses the running statistics, a single row too, and changes nothing."""
    layer, right, what, batch = draw_layers(student, probe, expect, draw)
    for _round in range(2):
        x = batch()
        layer(x)
        right(x)
    before = running(probe, expect, layer, right.num_features, what)
    # As they are: how they come about is another check's business.
    expect.true(
        (before[0].abs() > 1e-6).all() and (before[1] > 0).all() and ((before[1] - 1).abs() > 1e-6).all(),
        _("{what}: the running statistics stay where they were.").format(what=what),
    )
    layer.eval()
    x = batch()
    scaled = (x - before[0]) / (before[1] + right.eps).sqrt() * right.weight.detach() + right.bias.detach()
    hint = _("self.training says which mode it is: in evaluation mode the running statistics stand in for the batch's.")
    compare(layer(x), scaled, what=_("{what}(x) in evaluation mode").format(what=what), hint=hint)
    compare(layer(x[:1]), scaled[:1], what=_("{what}(x) of one row in evaluation mode").format(what=what), hint=hint)
    for one, other in zip(running(probe, expect, layer, right.num_features, what), before, strict=True):
        compare(one, other, what=_("running statistics of {what} after evaluation").format(what=what), hint=hint)
