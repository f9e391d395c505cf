"""The way back: one step, Euler's recursion on given times, and the law of chains with a score that is known.

A chain follows its score, so with a known score every increment shows the drift and the noise behind it. Where a check
builds on `reverse_step`, it accepts two laws: the right one, and the one that the student's own `reverse_step` has, if
that one is of about the right size. A wrong step costs its own points and no others.

False-fail rate: each p-value below fails a correct solution with probability ALPHA; all checks together about 4e-6.
Smallest differences: noise of 400 chains and 30 steps with a standard deviation off by 3 %, or correlated by 0.06; at
the end of 20,000 chains a mean off by 0.05 standard deviations or a variance off by 7 %.
"""

from __future__ import annotations

import math

import torch
from scipy import stats

from autograder.judge import CheckFailed, check
from autograder.language import _
from autograder.statistics import tests

ALPHA = 1e-6
FARTHEST = 1e9


def draw_eta(draw):
    """Between 0 and 1, where eta, its square and its root differ."""
    return round(float(draw.uniform(1, low=0.3, high=0.7)), 2)


@check(points=1.25, covers=("reverse", "reverse_step"))
def test_reverse_step(student, compare, draw):
    """A step back has the drift x + (1 + eta²) score and the noise eta sqrt(2 dt), for every eta from 0 to 1."""
    for eta in (1.0, 0.0, draw_eta(draw)):
        for dt in (0.03, round(float(draw.uniform(1, low=0.2, high=0.9)), 2)):
            B, d = draw.integer(3, 6), draw.integer(1, 4)
            x, score, noise = draw.normal(B, d), draw.normal(B, d), draw.normal(B, d)
            right = x + dt * (x + (1 + eta**2) * score) + eta * math.sqrt(2 * dt) * noise
            what = f"reverse_step(x, score, {dt}, noise, eta={eta:g})"
            compare(student.reverse_step(x, score, dt, noise, eta=eta), right, what)
    right = x + dt * (x + 2 * score) + math.sqrt(2 * dt) * noise
    compare(student.reverse_step(x, score, dt, noise), right, f"reverse_step(x, score, {dt}, noise)")


def points(expect, answer, shape, what):
    """A trajectory, safe to compute with: of this shape, finite, and not exploded."""
    way = expect.tensor(answer, shape, what)
    expect.true(
        bool((way.abs() < FARTHEST).all()),
        _("{what}: the points run away, farther than {bound:g}.").format(what=what, bound=FARTHEST),
        _("Which sign has the drift, and is the time step part of it?"),
    )
    return way


def right_factors(steps, eta):
    """What x, score and noise are multiplied with in each step, beside x itself: (n, 3)."""
    ones = torch.ones_like(steps)
    return torch.stack([steps, (1 + eta**2) * steps, eta * torch.sqrt(2 * steps) * ones], 1)


def factors_to_accept(student, expect, draw, times, eta):
    """The right factors of each step, then the student's own where they make a chain."""
    steps = times[:-1] - times[1:]
    right = right_factors(steps, eta)
    own = []
    for dt in steps.tolist():
        x, score, noise = draw.normal(4, 2), draw.normal(4, 2), draw.normal(4, 2)
        try:
            answer = expect.tensor(student.reverse_step(x, score, dt, noise, eta=eta), (4, 2), "reverse_step")
        except CheckFailed:
            return [right]
        columns = torch.stack([x.reshape(-1), score.reshape(-1), noise.reshape(-1)], 1)
        target = (answer - x).reshape(-1)
        found = torch.linalg.lstsq(columns, target[:, None]).solution[:, 0]
        if not (columns @ found - target).abs().max() < 1e-6 * (1 + target.abs().max()):
            return [right]
        own.append(found)
    own = torch.stack(own)
    # Another sign, or another size by far, makes no chain to judge by; nor does noise where there is none.
    ratio = own[:, : 3 if eta > 0 else 2] / right[:, : 3 if eta > 0 else 2]
    sound = bool(((ratio > 0.25) & (ratio < 4)).all()) and (eta > 0 or bool((own[:, 2].abs() < 1e-9).all()))
    return [right, own] if sound else [right]


class Bent:
    """The score (W x + b)(1 + t / 2) + c sin(x), here and beside the student; NaN outside the times allowed."""

    def __init__(self, probe, draw, d, between, bend=True):
        basis = torch.linalg.qr(draw.normal(d, d)).Q
        skew = draw.normal(d, d)
        self.weight = -basis @ torch.diag(draw.uniform(d, low=1.0, high=2.0)) @ basis.T + 0.3 * (skew - skew.T)
        self.bias, self.bend = draw.normal(d), (0.5 if bend else 0.0) * draw.normal(d)
        self.module = probe.bent_score(self.weight, self.bias, self.bend, between)

    def __call__(self, x, t):
        return (x @ self.weight.T + self.bias) * (1 + t / 2) + self.bend * torch.sin(x)

    def path(self, x, times, factors):
        """Euler's recursion without noise."""
        frames = [x]
        for t, (a, b, _c) in zip(times, factors, strict=False):
            frames.append(frames[-1] + a * frames[-1] + b * self(frames[-1], t))
        return torch.stack(frames)

    def residuals(self, way, times, factors):
        """The noise behind a trajectory (n + 1, B, d): (n, B, d)."""
        drifts = [a * x + b * self(x, t) for x, t, (a, b, _c) in zip(way, times, factors, strict=False)]
        return (way[1:] - way[:-1] - torch.stack(drifts)) / factors[:, 2, None, None]


def draw_descent(draw, n, first=2.0, last=0.0):
    """n + 1 times from first to last, strictly decreasing and far from even."""
    widths = draw.uniform(n, low=0.3, high=1.7)
    times = torch.cat([torch.zeros(1).double(), widths.cumsum(0) / widths.sum()]) * (last - first) + first
    times[0], times[-1] = first, last  # and not a rounding error below 0
    return times


@check(points=0.75, covers=("path", "times", "reverse_sample"))
def test_reverse_path(student, probe, expect, compare, draw):
    """Without noise the trajectory is Euler's recursion on the times given, the score at the start of each step."""
    for last in (0.0, 0.15):
        B, d, n = draw.integer(4, 7), draw.integer(2, 3), draw.integer(5, 8)
        times = draw_descent(draw, n, last=last)
        # Not asked at the last time: there it is NaN, as a score at time 0 may be.
        score = Bent(probe, draw, d, (float(times[-2]) - 1e-6, float(times[0]) + 1e-6))
        x_T = draw.normal(B, d)
        what = f"reverse_sample(score_fn, x_T, times, eta=0), {n} steps"
        answer = student.reverse_sample(score.module, x_T, times, eta=0.0, generator=draw.generator())
        hint = _("Where the score is asked at a time that is no start of a step, it answers NaN here.")
        way = expect.tensor(answer, (n + 1, B, d), what, hint=hint)
        compare(way[0], x_T, _("the first frame of {what}").format(what=what))
        right, *own = factors_to_accept(student, expect, draw, times, 0.0)
        if not any(torch.allclose(way, score.path(x_T, times, f), rtol=1e-6, atol=1e-8) for f in own):
            compare(answer, score.path(x_T, times, right), what)
    expect.true(
        probe.well_formed(score.module) is True,
        _("{what}: score_fn is to be given the times as a (B,) tensor in the dtype of the points.").format(
            what="reverse_sample"
        ),
    )
    facts = probe.starting_point_kept(student.reverse_sample, score.module, x_T, times)
    expect.true(isinstance(facts, dict), "reverse_sample(score_fn, x_T, times)")
    expect.true(facts.get("kept") is True, _("reverse_sample changes x_T."), _("Work on a copy: `x = x + ...`."))
    expect.true(
        facts.get("graph") is False,
        _("reverse_sample: the trajectory carries gradients."),
        _("`.detach()` what the score function answers, or sample under `torch.no_grad()`."),
    )


def two_sided(statistic, freedom):
    """p-value of a chi-square statistic that may be too large or too small."""
    return 2 * min(stats.chi2.sf(statistic, freedom), stats.chi2.cdf(statistic, freedom))


def noise_p_value(noise):
    """p-value of (T, B, d) numbers being independent and standard normal, by six tests together."""
    n_steps, chains, d = noise.shape
    rows = noise.reshape(-1, d)
    p_values = [
        tests.mean_test(rows, torch.zeros(d), torch.eye(d)),
        tests.covariance_test(rows, torch.eye(d)),
        tests.standard_normal_test(rows.reshape(-1)),
        # Noise shared by the chains, or by the steps, does not average out over them.
        two_sided(float(chains * noise.mean(1).square().sum()), n_steps * d),
        two_sided(float(n_steps * noise.mean(0).square().sum()), chains * d),
        # Neighbours in time, each product of mean 0 and variance 1.
        tests.mean_test((noise[1:] * noise[:-1]).mean((1, 2)) * math.sqrt(chains * d), 0.0, 1.0),
    ]
    return min(1.0, len(p_values) * min(p_values))


@check(points=0.5, kind="statistical", covers=("noise", "reverse_sample"))
def test_reverse_noise(student, probe, expect, draw):
    """Every step has independent normal noise for each row and coordinate, which comes from the generator."""
    n, chains, d, eta = 30, 400, 2, draw_eta(draw)
    times = draw_descent(draw, n, first=1.5)
    score = Bent(probe, draw, d, (-1.0, 9.0))
    x_T = 2 * draw.normal(chains, d)
    what = f"reverse_sample(score_fn, x_T, times, eta={eta}), {n} steps"

    def run(generator, rows=chains, frames=n + 1):
        answer = student.reverse_sample(score.module, x_T[:rows], times[:frames], eta=eta, generator=generator)
        return points(expect, answer, (frames, rows, d), what)

    way = run(draw.generator())
    accepted = factors_to_accept(student, expect, draw, times, eta)
    p = max(noise_p_value(score.residuals(way, times, factors)) for factors in accepted)
    expect.p_value(p, _("the noise of {what}").format(what=what), alpha=ALPHA)
    first, second = draw.seed(), draw.seed()
    seeds = (first, first, second)
    same, again, other = (run(torch.Generator().manual_seed(seed), rows=5, frames=4) for seed in seeds)
    expect.true(
        torch.equal(same, again),
        _("{what}: two generators of one seed give two chains.").format(what=what),
        mistake="noise_not_from_generator",
    )
    expect.true(not torch.equal(same, other), _("{what}: generators of two seeds give one chain.").format(what=what))
    alone = [run(None, rows=5, frames=4) for _k in range(2)]
    expect.true(not torch.equal(*alone), _("Without a generator, two calls give one chain."))


def final_law(score, start, times, factors):
    """Mean and covariance after the last step, from one point: the recursion of the chain itself, not of the SDE."""
    eye = torch.eye(len(start)).double()
    mean, cov = start, torch.zeros_like(eye)
    for t, (a, b, c) in zip(times, factors, strict=False):
        M = (1 + a) * eye + b * (1 + t / 2) * score.weight
        mean, cov = M @ mean + b * (1 + t / 2) * score.bias, M @ cov @ M.T + c**2 * eye
    return mean, cov


@check(points=0.5, kind="statistical", covers=("law", "reverse_sample"))
def test_reverse_law(student, probe, expect, draw):
    """Many chains with a linear score end with the mean and the covariance of the reverse SDE's Euler steps."""
    n, chains, d = draw.integer(8, 10), 20_000, 2
    times = draw_descent(draw, n, first=1.0)
    score = Bent(probe, draw, d, (-1.0, 9.0), bend=False)
    start = 2 * draw.normal(d)
    what = f"reverse_sample(score_fn, x_T, times), {n} steps"
    answer = student.reverse_sample(score.module, start.repeat(chains, 1), times, generator=draw.generator())
    last = points(expect, answer, (n + 1, chains, d), what)[-1]
    best, eye = 0.0, torch.eye(d).double()
    for factors in factors_to_accept(student, expect, draw, times, 1.0):
        mean, cov = final_law(score, start, times, factors)
        # In the coordinates where the law is standard.
        rows = torch.linalg.solve_triangular(torch.linalg.cholesky(cov), (last - mean).T, upper=False).T
        p_values = tests.mean_test(rows, torch.zeros(d), eye), tests.covariance_test(rows, eye)
        best = max(best, min(1.0, 2 * min(p_values)))
    expect.p_value(best, _("the last frame of {what}").format(what=what), alpha=ALPHA)
