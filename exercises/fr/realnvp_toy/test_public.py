"""Small examples to try your flow on; they give no points."""

import math

import torch

from autograder.judge import check
from autograder.language import _


@check()
def test_coupling_example(student, probe, expect, compare, draw):
    """A coupling layer keeps one coordinate, comes back, and knows its log-determinant."""
    layer = expect.handle(student.AffineCoupling(2, torch.tensor([1.0, 0.0]), hidden=16), "AffineCoupling(2, mask)")
    layer.double()
    x = draw.normal(6, 2)
    z, log_det = expect.sequence(layer(x), 2, "AffineCoupling.forward(x)")
    z = expect.tensor(z, (6, 2), "AffineCoupling.forward(x)").double()
    expect.true(
        any(torch.allclose(z[:, i], x[:, i]) for i in (0, 1)),
        _("AffineCoupling.forward(x): with the mask (1, 0), neither coordinate passes unchanged."),
    )
    back, _minus_log_det = expect.sequence(layer.inverse(z), 2, "AffineCoupling.inverse(z)")
    compare(back, x, what="AffineCoupling.inverse(forward(x))", rtol=1e-6, atol=1e-7)
    jacobian = expect.tensor(probe.batch_jacobian(layer, x, output=0), (6, 2, 2), "the Jacobian of forward").double()
    compare(
        log_det,
        torch.linalg.slogdet(jacobian)[1],
        what=_("the log-determinant of {what}").format(what="AffineCoupling.forward(x)"),
        atol=1e-7,
    )


@check()
def test_flow_example(student, expect, compare, draw):
    """A flow comes back through all its layers, and its log-density is that of the change of variables."""
    flow = expect.handle(student.RealNVP(n_layers=4, hidden=16), "RealNVP(n_layers=4, hidden=16)")
    flow.double()
    x = draw.normal(6, 2)
    z, log_det = expect.sequence(flow(x), 2, "RealNVP.forward(x)")
    z = expect.tensor(z, (6, 2), "RealNVP.forward(x)").double()
    log_det = expect.tensor(log_det, (6,), "RealNVP.forward(x)").double()
    back, _minus_log_det = expect.sequence(flow.inverse(z), 2, "RealNVP.inverse(z)")
    compare(back, x, what="RealNVP.inverse(forward(x))", rtol=1e-6, atol=1e-7)
    log_prob = -0.5 * (z**2).sum(1) - math.log(2 * math.pi) + log_det
    compare(flow.log_prob(x), log_prob, what="RealNVP.log_prob(x)", atol=1e-7)
    compare(student.nll(flow, x), -log_prob.mean(), what="nll(model, x)", atol=1e-7)
    expect.tensor(flow.sample(5), (5, 2), "RealNVP.sample(5)")


@check(kind="training")
def test_training_example(student, expect, draw):
    """A short training lowers the negative log-likelihood of a shifted cloud."""
    flow = expect.handle(student.RealNVP(n_layers=2, hidden=16), "RealNVP(n_layers=2, hidden=16)")
    x = 3 + draw.normal(200, 2, dtype=torch.float32)
    history = student.train_flow(flow, x, 60, batch_size=64, lr=1e-2, generator=draw.generator())
    values = expect.history(history, "nll", 60, "train_flow(model, x, 60)")
    expect.true(
        sum(values[-5:]) < sum(values[:5]),
        _("train_flow(model, x, 60): the NLL does not fall: expected lower values at the end than at the start."),
    )
    points, density = expect.sequence(student.density_grid(flow, 0.0, 6.0, 5), 2, "density_grid(model, 0, 6, 5)")
    expect.tensor(points, (25, 2), "density_grid(model, 0, 6, 5)")
    density = expect.tensor(density, (25,), "density_grid(model, 0, 6, 5)")
    expect.true((density >= 0).all(), _("density_grid(model, 0, 6, 5): a density is never negative."))
