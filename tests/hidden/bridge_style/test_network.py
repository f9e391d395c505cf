"""The network that guesses the end, its loss and its drift, on models whose answers are known."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.judge.verdicts import StudentError
from autograder.language import _


@check(points=0.5, covers=("network", "EndpointNet"))
def test_network(student, probe, expect, draw):
    """The network has the dimensions asked for, acts row by row, and uses both place and time."""
    for hidden in (32, 96):
        dim, rows = draw.integer(2, 6), draw.integer(5, 8)
        what = f"EndpointNet({dim}, hidden={hidden})"
        network = expect.handle(student.EndpointNet(dim, hidden=hidden), what).double()
        expect.integers([probe.parameter_count(network)], what, low=dim)
        # Layers that start at zero are right: away from the start every network shows what it uses.
        probe.perturb(network, 0.2, draw.seed())
        x, t = draw.normal(rows, dim), draw.uniform(rows, low=0.05, high=0.95)

        def answer(x, t, network=network, dim=dim, what=what):
            return expect.tensor(probe.predict(network, x, t), (len(x), dim), f"{what}(x, t)")

        whole = answer(x, t)
        alone = torch.cat([answer(x[k : k + 1], t[k : k + 1]) for k in range(rows)])
        expect.true(
            torch.allclose(whole, alone, rtol=1e-5, atol=1e-7)
            and not expect.flag(probe.first_row_sees_others(network, x, t)),
            _("{what}: a row's answer depends on the other rows of the batch.").format(what=what),
            _("No batch normalisation, no mean over the batch, no squeeze."),
            mistake="network_mixes_rows",
        )
        size = float(whole.abs().mean())
        moved = answer(x + 0.5, t) - whole
        expect.true(
            float(moved.abs().min(0).values.min()) > 1e-6 * size,
            _("{what}: the answer does not depend on x.").format(what=what),
        )
        later = answer(x, (t + 0.4) % 1) - whole
        expect.true(
            float(later.abs().max(1).values.min()) > 1e-5 * size,
            _("{what}: the answer does not depend on t.").format(what=what),
            mistake="time_ignored",
        )
        # Curved: an affine guess of the end is right for Gaussians alone.
        bent = answer(x + 1.0, t) + answer(x - 1.0, t) - 2 * whole
        expect.true(
            float(bent.abs().max()) > 1e-5 * size,
            _("{what}: the answer is affine in x.").format(what=what),
            _("Non-linear functions go between the linear layers."),
        )
    networks = [expect.handle(student.EndpointNet(3, hidden=hidden)) for hidden in (32, 96)]
    small, large = expect.integers([probe.parameter_count(network) for network in networks], "EndpointNet(3)", low=3)
    expect.true(
        large > 1.3 * small,
        _("EndpointNet: `hidden` does not change the size of the network."),
        mistake="hidden_ignored",
    )


def draw_batch(draw):
    """A model x W + t v + c, pairs, times, a noise level and noise."""
    d, rows = draw.integer(2, 4), draw.integer(5, 9)
    parameters = 0.7 * draw.normal(d, d), 2 * draw.normal(d), draw.normal(d)
    batch = draw.normal(rows, d), 2 * draw.normal(rows, d) + 1, draw.uniform(rows, low=0.05, high=0.95)
    return parameters, batch, round(float(draw.uniform(1, low=0.4, high=2.2)), 2), draw.normal(rows, d)


def place(batch, sigma, noise):
    """x_t of the right bridge."""
    x0, x1, t = batch[0], batch[1], batch[2][:, None]
    return (1 - t) * x0 + t * x1 + sigma * (t * (1 - t)).sqrt() * noise


def own_place(student, batch, sigma, noise):
    """x_t of the student's own bridge_interpolate where it is near a bridge, even backwards: it has its own check."""
    right = place(batch, sigma, noise)
    try:
        own = student.bridge_interpolate(*batch, sigma, noise)
    except StudentError:
        return right
    if not isinstance(own, torch.Tensor) or own.shape != right.shape or not own.isfinite().all():
        return right
    for bridge in (right, place((batch[1], batch[0], batch[2]), sigma, noise)):
        cosine = float((own * bridge).sum() / (own.norm() * bridge.norm()).clamp_min(1e-12))
        if cosine > 0.7 and 0.5 < float(own.norm() / bridge.norm()) < 2:
            return own.double()
    return right


def guess(parameters, x, t):
    weight, slope, bias = parameters
    return x @ weight + t[:, None] * slope + bias


LOSS = "endpoint_loss(model, x0, x1, t, sigma, noise)"


@check(points=0.75, covers=("loss", "endpoint_loss"))
def test_loss_value(student, probe, expect, compare, draw):
    """The loss compares the guess from a place on the bridge with its end, as the mean over all entries."""
    for _k in range(3):
        parameters, batch, sigma, noise = draw_batch(draw)
        model = probe.affine_model(*parameters)
        value = student.endpoint_loss(model, *batch, sigma, noise)
        right, own = (
            (guess(parameters, x, batch[2]) - batch[1]).square().mean()
            for x in (place(batch, sigma, noise), own_place(student, batch, sigma, noise))
        )
        if not torch.allclose(torch.tensor(expect.number(value, LOSS)).double(), own, rtol=1e-6):
            compare(value, right, LOSS)
        expect.true(
            expect.flag(probe.times_well_formed(model)),
            _("{what}: the model did not get its times as (B,).").format(what=LOSS),
        )


@check(points=0.25, requires=("loss_value",), covers=("loss_gradient", "endpoint_loss"))
def test_loss_gradient(student, probe, expect, compare, draw):
    """The loss can be differentiated in the model's parameters."""
    parameters, batch, sigma, noise = draw_batch(draw)
    model = probe.affine_model(*parameters)
    answer = probe.weight_gradients(student.endpoint_loss, model, *batch, sigma, noise)
    gradients = expect.sequence(answer, 3, _("gradients of {what}").format(what=LOSS))
    hint = _("Nothing on the way from the model to the loss may detach: no `.item()`, `.detach()`, `no_grad`.")
    what = _("gradient of {what} with respect to the model's weight").format(what=LOSS)
    got = expect.tensor(gradients[0], parameters[0].shape, what, hint=hint)
    for x in (own_place(student, batch, sigma, noise), place(batch, sigma, noise)):
        gap = guess(parameters, x, batch[2]) - batch[1]
        right = 2 * x.T @ gap / gap.numel()
        if torch.allclose(got, right, rtol=1e-4, atol=1e-7):
            return
    compare(got, right, what, rtol=1e-4, hint=hint)


@check(points=0.5, covers=("endpoint_drift",))
def test_endpoint_drift(student, probe, expect, compare, draw):
    """The drift is what is left of the way over what is left of the time; the model gets its times as (B,)."""
    for _k in range(2):
        parameters, batch, _sigma, _noise = draw_batch(draw)
        x, rows = batch[0], len(batch[0])
        for t in (round(float(draw.uniform(1, low=0.2, high=0.9)), 2), 0.0, batch[2]):
            times = t if isinstance(t, torch.Tensor) else torch.full((rows,), t, dtype=torch.float64)
            model = probe.affine_model(*parameters)
            what = f"endpoint_drift(model, x, {'t (B,)' if isinstance(t, torch.Tensor) else t})"
            right = (guess(parameters, x, times) - x) / (1 - times)[:, None]
            compare(student.endpoint_drift(model, x, t), right, what, rtol=1e-5)
            expect.true(
                expect.flag(probe.times_well_formed(model)),
                _("{what}: the model did not get its times as (B,).").format(what=what),
                mistake="model_gets_a_float",
            )
