"""The likelihood by the probability flow: on a noised mixture whose density is known, and along scores that bend.

Where the check builds on `divergence`, the integral of the student's own one is accepted too, if it follows the right
one: a wrong divergence costs its own points and no others.
"""

from __future__ import annotations

import math

import torch

from autograder.judge import CheckFailed, check
from autograder.language import N_, _

LIMIT = 0.03  # nats; of order 2 in 100 steps at most 0.01, Euler's method 0.13 and more


class Wells:
    """Two wells on their way to noise: score and log-density, here and beside the student."""

    def __init__(self, probe, draw, d, between):
        way = 0.2 + draw.normal(d).abs()  # not across the diagonal: there, sums of all entries of the Jacobian vanish
        self.half = float(draw.uniform(1, low=1.0, high=1.5)) * way / way.norm()
        self.centre, self.std = 0.5 * draw.normal(d), float(draw.uniform(1, low=0.3, high=0.45))
        self.log_odds = draw.choice((-1, 1)) * draw.uniform(1, low=0.2, high=0.5)
        self.module = probe.wells(self.centre, self.half, torch.tensor(self.std).double(), self.log_odds, between)

    def sample(self, draw, n, t):
        side = torch.where(draw.uniform(n) < torch.sigmoid(2 * self.log_odds), 1.0, -1.0)[:, None].double()
        x0 = self.centre + side * self.half + self.std * draw.normal(n, len(self.half))
        return math.exp(-t) * x0 + math.sqrt(-math.expm1(-2 * t)) * draw.normal(*x0.shape)

    def log_prob(self, x, t):
        left = math.exp(-t)
        variance = 1 + (self.std**2 - 1) * left**2
        logs = [
            torch.nn.functional.logsigmoid(sign * 2 * self.log_odds)
            - (x - left * (self.centre + sign * self.half)).square().sum(1) / (2 * variance)
            for sign in (1, -1)
        ]
        return torch.logsumexp(torch.stack(logs), 0) - x.shape[1] / 2 * math.log(2 * math.pi * variance)

    def __call__(self, x, t):
        left = math.exp(-t)
        variance = 1 + (self.std**2 - 1) * left**2
        z = x - left * self.centre
        side = torch.tanh((z * left * self.half).sum(1, keepdim=True) / variance + self.log_odds)
        return (side * left * self.half - z) / variance


class Bent:
    """The score (W x + b)(1 + t / 2) + c sin(x), here and beside the student."""

    def __init__(self, probe, draw, d, between):
        self.weight = 0.4 * draw.normal(d, d) - 0.6 * torch.eye(d).double()
        self.bias, self.bend = 0.5 * draw.normal(d), 0.5 * draw.normal(d)
        self.module = probe.bent_score(self.weight, self.bias, self.bend, between)

    def __call__(self, x, t):
        return (x @ self.weight.T + self.bias) * (1 + t / 2) + self.bend * torch.sin(x)

    def rate(self, x, t):
        """Divergence of the velocity, (B,)."""
        return -x.shape[1] - self.weight.trace() * (1 + t / 2) - (self.bend * torch.cos(x)).sum(1)


def followed(score, x, times, inside=8):
    """Where the points are at each of `times`, by Runge-Kutta 4 with steps that much finer: (n + 1, B, d)."""
    frames = [x]
    for first, last in zip(times.tolist(), times.tolist()[1:], strict=False):
        h = (last - first) / inside
        for k in range(inside):
            t = first + k * h
            one = -x - score(x, t)
            two = -(x + h / 2 * one) - score(x + h / 2 * one, t + h / 2)
            three = -(x + h / 2 * two) - score(x + h / 2 * two, t + h / 2)
            four = -(x + h * three) - score(x + h * three, t + h)
            x = x + h / 6 * (one + 2 * two + 2 * three + four)
        frames.append(x)
    return torch.stack(frames)


def integral(rates, times):
    """Of rates (n + 1, B) over the times, by trapezia."""
    return ((rates[1:] + rates[:-1]) / 2 * (times[1:] - times[:-1])[:, None]).sum(0)


def normal_log_prob(x):
    """log N(x; 0, I)."""
    return -0.5 * x.square().sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi)


def own_log_prob(student, probe, expect, score, path, times, right):
    """What the student's own divergence gives along the right path, or None where it does not follow the right one."""
    try:
        answer = probe.divergences(student.divergence, score.module, path, times)
        rates = expect.tensor(answer, tuple(path.shape[:2]), "divergence")
    except CheckFailed:
        return None
    own = integral(rates, times)
    shift, target = own - own.mean(), right - right.mean()
    alike = float((shift * target).sum() / (shift.norm() * target.norm()).clamp_min(1e-12))
    sound = alike > 0.5 and 1 / 4 < float(shift.norm() / target.norm()) < 4
    return normal_log_prob(path[-1]) + own if sound else None


def geometric(first, last, n):
    """n + 1 times whose quotients are equal."""
    times = first * (last / first) ** (torch.arange(n + 1).double() / n)
    times[0], times[-1] = first, last
    return times


ORDER = N_(
    "Euler's method is too coarse: take one of order 2 or more (Heun, midpoint, Runge-Kutta 4), for the integral too."
)


def why_off(log_prob, right):
    """Where to look: all too high or too low by one amount, as by a constant, or each by its own."""
    gaps = log_prob - right
    if float(gaps.std()) < 0.1 * float(gaps.mean().abs()):
        return _("All are off by the same amount: look at the constants, those of log N(x_T; 0, I) first.")
    return _(ORDER)


@check(points=1, covers=("likelihood", "flow_log_likelihood"))
def test_flow_mixture(student, probe, expect, draw):
    """The flow finds the log-density of a noised mixture."""
    B, d, first, T = draw.integer(30, 40), draw.integer(2, 3), 0.02, 8.0
    times = geometric(first, T, 100)
    score = Wells(probe, draw, d, (first - 1e-9, T + 1e-6))
    x = score.sample(draw, B, first)
    what = f"flow_log_likelihood(score_fn, x, times), T = {T:g}"
    log_prob, end = expect.sequence(student.flow_log_likelihood(score.module, x, times), 2, what)
    log_prob = expect.tensor(log_prob, (B,), f"log_prob, {what}")
    expect.tensor(end, (B, d), f"x_T, {what}")
    right = score.log_prob(x, first)
    error = float((log_prob - right).abs().max())
    if error > LIMIT:
        path = followed(score, x, times)
        exact = right - normal_log_prob(path[-1])
        own = own_log_prob(student, probe, expect, score, path, times, exact)
        if own is not None:
            error = min(error, float((log_prob - own).abs().max()))
    expect.true(
        error < LIMIT,
        _("{what}: the log-densities are up to {error:.2g} nats off; a right solution's are within {limit}.").format(
            what=what, error=error, limit=LIMIT
        ),
        why_off(log_prob, right),
    )


@check(points=1, covers=("transport", "times", "flow_log_likelihood"))
def test_flow_transport(student, probe, expect, draw):
    """Along scores that bend, end points and log-densities are the flow's; the score is asked within the times."""
    B, d, n = draw.integer(5, 8), draw.integer(2, 3), 60
    first, T = draw.choice((0.0, 0.2)), 1.4
    widths = draw.uniform(n, low=0.5, high=1.5)
    times = torch.cat([torch.zeros(1).double(), widths.cumsum(0) / widths.sum()]) * (T - first) + first
    score = Bent(probe, draw, d, (first - 1e-9, T + 1e-9))
    x = draw.normal(B, d)
    what = f"flow_log_likelihood(score_fn, x, times), {n} steps"
    log_prob, end = expect.sequence(student.flow_log_likelihood(score.module, x, times), 2, what)
    hint = _("The score answers NaN at times before the first one or after the last.")
    end = expect.tensor(end, (B, d), f"x_T, {what}", hint=hint)
    log_prob = expect.tensor(log_prob, (B,), f"log_prob, {what}", hint=hint)
    path = followed(score, x, times)
    rates = torch.stack([score.rate(x, t) for x, t in zip(path, times.tolist(), strict=True)])
    right = integral(rates, times)
    # What Euler's method is off by: a method of order 2 is off by a small part of it.
    coarse, total = x, torch.zeros(B).double()
    for now, after in zip(times.tolist(), times.tolist()[1:], strict=False):
        total = total + (after - now) * score.rate(coarse, now)
        coarse = coarse + (after - now) * (-coarse - score(coarse, now))
    wrong = float((coarse - path[-1]).abs().max())
    expect.true(
        float((end - path[-1]).abs().max()) < 0.2 * wrong,
        _("{what}: the points do not end where the flow takes them.").format(what=what),
        _(ORDER),
    )
    off = float((normal_log_prob(coarse) + total - normal_log_prob(path[-1]) - right).abs().max())
    candidates = [normal_log_prob(path[-1]) + right]

    def error():
        return min(float((log_prob - value).abs().max()) for value in candidates)

    if error() > 0.2 * off:
        own = own_log_prob(student, probe, expect, score, path, times, right)
        candidates += [] if own is None else [own]
    expect.true(
        error() < 0.2 * off,
        _("{what}: the log-densities are not those of the flow.").format(what=what),
        why_off(log_prob, candidates[0]),
    )
    found = log_prob - normal_log_prob(end)  # of the divergence: of order 2 too, however much the end points weigh
    starts = (rates[:-1] * (times[1:] - times[:-1])[:, None]).sum(0)
    first_order = float((starts - right).abs().max())
    expect.true(
        min(float((found - value + normal_log_prob(path[-1])).abs().max()) for value in candidates) < 0.4 * first_order,
        _("{what}: the integral of the divergence is too coarse.").format(what=what),
        _(ORDER),
        "flow_integral_of_starts" if float((found - starts).abs().max()) < 0.3 * first_order else None,
    )
    again, _end = expect.sequence(student.flow_log_likelihood(score.module, x, times), 2, what)
    expect.true(
        bool((expect.tensor(again, (B,), f"log_prob, {what}") - log_prob).abs().max() < 1e-6 * off),
        _("{what}: two calls give two log-densities.").format(what=what),
        _("The divergence is exact: no random vectors."),
    )
    expect.true(
        probe.well_formed(score.module) is True,
        _("{what}: score_fn is to be given the times as a (B,) tensor in the dtype of the points.").format(
            what="flow_log_likelihood"
        ),
    )
