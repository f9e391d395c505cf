"""Whole samplings with the right noise of centred Gaussian data.

There the best noise predictor is f(x, t) = √(1-ᾱ) / (ᾱ s² + 1-ᾱ) x, and every step multiplies the variance and adds to
it: the samples' law is known exactly. It is not that of the data, which few steps miss.
"""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.judge.verdicts import StudentError
from autograder.language import _
from autograder.statistics.tests import covariance_test, mean_test, standard_normal_test

from .positions import subspace

ALPHA = 1e-6  # a correct sampler fails less than once in 100,000 times


class Gaussian:
    """Centred Gaussian data of standard deviation s, a schedule, and the right model for them."""

    def __init__(self, draw, probe):
        self.T, self.N, self.n = draw.integer(7, 11), draw.integer(3, 4), 3000 + draw.integer(0, 200)
        self.alpha_bars = draw.uniform(self.T, low=0.6, high=0.85).cumprod(0)
        before = torch.cat([torch.ones(1, dtype=torch.float64), self.alpha_bars[:-1]])
        s = float(draw.uniform(1, low=0.3, high=0.6)) * draw.choice((1.0, 4.0))
        spread = 1 - self.alpha_bars
        self.scale = spread.sqrt() / (self.alpha_bars * s**2 + spread)
        alphas = self.alpha_bars / before
        self.gains = (1 - (1 - alphas) / spread.sqrt() * self.scale) / alphas.sqrt()
        self.noises = (1 - alphas) * (1 - before) / spread
        self.types = draw.integers(0, 2, self.N)
        self.model = probe.scaled_model(self.scale, torch.zeros(2, 3, dtype=torch.float64))

    def variance(self, times, gains=None, noises=None, start=1.0):
        """Variance of each of the 3(N-1) coordinates after the steps of these times."""
        gains, noises = self.gains if gains is None else gains, self.noises if noises is None else noises
        v = start
        for t in times:
            v = float(gains[t]) ** 2 * v + float(noises[t])
        return v

    def own(self, student, probe, draw):
        """Gains and noise of the student's own reverse_step; None where it is none."""
        x, noise = (y - y.mean(1, keepdim=True) for y in (draw.normal(1, self.N, 3), draw.normal(1, self.N, 3)))
        try:
            answer = probe.steps_on(student.reverse_step, self.model, self.types, self.alpha_bars, x, noise)
        except StudentError:
            return None
        parts = [answer.get(k) for k in ("still", "drawn")] if isinstance(answer, dict) else [None]
        if not all(isinstance(p, torch.Tensor) and p.shape == (self.T, 1, self.N, 3) for p in parts):
            return None
        still, drawn = (p.double() for p in parts)
        gains = (still * x).sum((1, 2, 3)) / (x * x).sum()
        noises = ((drawn * noise).sum((1, 2, 3)) / (noise * noise).sum()).square()
        return (gains, noises) if bool((gains.isfinite() & noises.isfinite()).all()) else None

    def leaks(self, student, probe, draw):
        """Whether the student's own reverse_step lets the mean of the noise in: it has a check of its own."""
        x = torch.zeros(1, self.N, 3, dtype=torch.float64)
        try:
            answer = probe.steps_on(student.reverse_step, self.model, self.types, self.alpha_bars, x, x + 1.0)
        except StudentError:
            return False
        drawn = answer.get("drawn") if isinstance(answer, dict) else None
        return isinstance(drawn, torch.Tensor) and float(drawn.double().abs().max()) > 1e-3


def p_values(x, v):
    """p-values of coordinates (n, d) being independent normal numbers of variance v."""
    d = x.shape[1]
    if not (x.abs() < 1e6).all() or not 0 < v < 1e9:
        return {"mean": 0.0}
    zero, one = torch.zeros(d, dtype=torch.float64), torch.eye(d, dtype=torch.float64)
    return {
        "mean": mean_test(x, zero, v * one),
        "covariance": covariance_test(x, v * one),
        "shape": standard_normal_test(x[:, 0] / math.sqrt(v)),
    }


@check(points=1, kind="statistical", covers=("sampling", "sample"))
def test_sample_law(student, probe, expect, draw):
    """From centred noise down all T steps: with the right noise of Gaussian data, samples follow their known law."""
    data = Gaussian(draw, probe)
    what = "sample(model, types, alpha_bars, n)"
    shape = (data.n, data.N, 3)
    answer = student.sample(data.model, data.types, data.alpha_bars, data.n, generator=draw.generator())
    x = expect.tensor(answer, shape, what).double()
    first = expect.tensor(probe.first_input(data.model), shape, _("the start of {what}").format(what=what)).double()
    clouds = [first] if data.leaks(student, probe, draw) else [first, x]
    expect.true(
        all(float(y.mean(1).abs().max()) < 1e-6 * max(1.0, float(y.abs().max())) for y in clouds),
        _("{what}: the molecules do not have zero mean over the atoms.").format(what=what),
        hint=_("Centred noise at the start, centred noise at each step."),
        mistake="start_off_centre",
    )
    expect.true(
        len(torch.unique(first.reshape(data.n, -1), dim=0)) == data.n,
        _("{what}: several molecules start from the same noise.").format(what=what),
        mistake="starts_repeated",
    )
    basis = subspace(data.N)
    start, flat = ((basis.T @ y.clamp(-1e6, 1e6)).flatten(1) for y in (first, x))
    for p in p_values(start, 1.0).values():
        expect.p_value(p, _("the start of {what}").format(what=what), alpha=ALPHA)
    down = list(range(data.T - 1, -1, -1))
    right = data.variance(down)
    found = p_values(flat, right)
    if min(found.values()) < ALPHA:
        own = data.own(student, probe, draw)
        if own is not None and 0.1 < data.variance(down, *own) / right < 10:
            found = max(found, p_values(flat, data.variance(down, *own)), key=lambda p: min(p.values()))
    mistake = None
    if min(found.values()) < ALPHA:
        wrong = {"loop_stops_at_one": data.variance(down[:-1]), "times_ascending": data.variance(down[::-1])}
        fits = {name: min(p_values(flat, v).values()) for name, v in wrong.items()}
        best = max(fits, key=fits.get)
        mistake = best if fits[best] > 1e-4 else None
    names = {
        "mean": _("the mean of {what}"),
        "covariance": _("the covariance of {what}"),
        "shape": _("the law of {what}"),
    }
    for name, p in found.items():
        expect.p_value(p, names[name].format(what=what), alpha=ALPHA, mistake=mistake)
