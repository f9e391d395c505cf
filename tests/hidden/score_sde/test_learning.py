"""The loss and the network.

Where the loss builds on `ou_sample` and `ou_moments`, it may follow the student's own ones, if those follow the right
ones: a wrong one costs its own points and no others.
"""

from __future__ import annotations

from contextlib import suppress

import torch

from autograder.judge import CheckFailed, check
from autograder.language import _

from .moments import draw_times, moments_to_accept

LOSS = "score_matching_loss(model, x0, t, noise)"


def draw_case(draw, B, d):
    """Data, distinct times and noise."""
    return 1 + draw.normal(B, d), draw_times(draw, B), draw.normal(B, d)


class Accepted:
    """(x_t, std) of which a loss may be made: the right ones first, then the student's own where they follow."""

    def __init__(self, student, expect, draw):
        self.student, self.expect, self.laws = student, expect, moments_to_accept(student, expect, draw)
        self.own_sample = True
        x0, t, noise = draw_case(draw, 64, 2)
        right, own = (values[0][0] for values in (self(x0, t, noise)[:1], self(x0, t, noise)[-1:]))
        alike = float((own * right).sum() / (own.norm() * right.norm()).clamp_min(1e-12))
        self.own_sample = alike > 0.5 and 0.3 < float(own.norm() / right.norm()) < 3

    def __call__(self, x0, t, noise):
        pairs = [law(t) for law in self.laws]
        noisy = [decay[:, None] * x0 + std[:, None] * noise for decay, std in pairs]
        if self.own_sample:
            with suppress(CheckFailed):
                noisy.append(self.expect.tensor(self.student.ou_sample(x0, t, noise), tuple(x0.shape), "ou_sample"))
        return [(x, std[:, None]) for x in noisy for _decay, std in pairs]


@check(points=0.75, covers=("loss", "score_matching_loss"))
def test_loss_value(student, probe, expect, compare, draw):
    """The loss is the mean over all entries of (std·model(x_t, t) + noise)², each row at its own time."""
    accepted = Accepted(student, expect, draw)
    square = draw.integer(3, 4)
    for B, d in ((draw.integer(5, 9), draw.integer(2, 3)), (square, square), (draw.integer(3, 5), 1)):
        x0, t, noise = draw_case(draw, B, d)
        weight, bias = draw.normal(d, d), draw.normal(d)
        answer = student.score_matching_loss(probe.time_linear(weight, bias), x0, t, noise)
        values = [
            (std * (x @ weight.T + t[:, None] * bias) + noise).square().mean() for x, std in accepted(x0, t, noise)
        ]
        value = expect.tensor(answer, (), LOSS)
        if not any(torch.allclose(value, own, rtol=1e-6) for own in values[1:]):
            compare(answer, values[0], LOSS)


@check(points=0.25, requires=("loss_value",), covers=("loss_gradient", "score_matching_loss"))
def test_loss_gradient(student, probe, expect, compare, draw):
    """The loss can be differentiated in the model's parameters."""
    accepted = Accepted(student, expect, draw)
    B, d = draw.integer(5, 8), draw.integer(2, 3)
    x0, t, noise = draw_case(draw, B, d)
    weight, bias = draw.normal(d, d), draw.normal(d)
    answer = probe.weight_gradients(student.score_matching_loss, probe.time_linear(weight, bias), x0, t, noise)
    what = _("gradient of {what} with respect to the model's weight").format(what=LOSS)
    hint = _("Nothing on the way from the model to the loss may detach: no `.item()`, `.detach()`, `no_grad`.")
    gradients = expect.sequence(answer, 2, what)
    found = expect.tensor(gradients[0], weight.shape, what, hint=hint)
    right = []
    for x, std in accepted(x0, t, noise):
        gap = std * (x @ weight.T + t[:, None] * bias) + noise
        right.append(2 * (std * gap).T @ x / gap.numel())
    if not any(torch.allclose(found, own, rtol=1e-4) for own in right[1:]):
        compare(found, right[0], what, rtol=1e-4, hint=hint)


def make_network(student, expect, probe, draw, **sizes):
    """A network whose weights are away from their start (which may be zero)."""
    network = expect.handle(student.ScoreNetwork(**sizes), "ScoreNetwork(...)")
    probe.perturb(network, 0.1, draw.seed())
    return network


@check(points=0.75, covers=("network", "ScoreNetwork"))
def test_network_time(student, probe, expect, draw):
    """The network answers scores of the points' shape that depend on the point, and on each row's own time alone."""
    for dim, hidden in ((2, 64), (draw.integer(3, 5), draw.choice((32, 96)))):
        network = make_network(student, expect, probe, draw, dim=dim, hidden=hidden)
        B = draw.integer(4, 6)
        x = draw.normal(B, dim, dtype=torch.float32)
        # Each row gets an early and a late time: two that happen to lie close give nearly the same answer.
        early, late = (draw.uniform(B, low=low, high=2 * low, dtype=torch.float32) for low in (0.1, 1.0))
        first = torch.arange(B) % 2 == 0
        t, others = torch.where(first, early, late), torch.where(first, late, early)
        what = f"ScoreNetwork(dim={dim}, hidden={hidden})(x, t)"

        def ask(x, t, call=probe.predict, network=network, dim=dim, what=what):
            return expect.tensor(call(network, x, t), (len(x), dim), what).double()

        together = ask(x, t)
        size = together.abs().amax(1)  # of each row: 1 / std may make them very different
        expect.true(
            bool((size > 0).all()),
            _("{what}: there are points where the answer is 0.").format(what=what),
            mistake="network_returns_zero",
        )
        # Before all else: where rows mix, a change of all of them says little about one.
        alone = torch.cat([ask(x[i : i + 1], t[i : i + 1]) for i in range(B)])
        one_time = bool(((ask(x, t[:1].expand(B)) - together).abs().amax(1) < 1e-3 * size).all())
        expect.true(
            bool(((alone - together).abs().amax(1) < 1e-3 * size).all()),
            _("{what}: a row's answer depends on the other rows or times of the batch.").format(what=what),
            mistake="network_first_time" if one_time else "network_rows_mix",
        )
        expect.true(
            bool(((ask(x, others) - together).abs().amax(1) > 1e-4 * size).all()),
            _("{what}: the same point gets the same answer at two times.").format(what=what),
            hint=_("Is the time used in `forward`?"),
            mistake="network_ignores_time",
        )
        expect.true(
            bool(((ask(x + 0.5, t) - together).abs().amax(1) > 1e-4 * size).all()),
            _("{what}: two points get the same answer.").format(what=what),
        )
        apart = 1.5 * draw.normal(B, dim, dtype=torch.float32)
        bent = (ask(x + apart, t) + ask(x - apart, t) - 2 * together).abs().amax(1)
        expect.true(
            bool((bent > 1e-3 * size).any()),
            _("{what}: the answer is linear in the point, as only the score of one Gaussian is.").format(what=what),
        )
        # In training mode too, unless it is random there: batch normalisation mixes the rows, which have other times.
        training = ask(x, t, probe.predict_training)
        if torch.allclose(training, ask(x, t, probe.predict_training), rtol=1e-4):
            try:
                half = ask(x[:2], t[:2], probe.predict_training)
            except CheckFailed:
                half = torch.full_like(training[:2], float("inf"))
            expect.true(
                bool(((half - training[:2]).abs().amax(1) < 1e-3 * training[:2].abs().amax(1)).all()),
                _("{what}: while it trains, a row's answer depends on the other rows of the batch.").format(what=what),
                hint=_("No batch normalisation: the rows of a batch are at different times."),
                mistake="network_batch_norm",
            )
