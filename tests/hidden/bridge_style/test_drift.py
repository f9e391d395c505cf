"""The drift of the bridge against the gradient of log h_t, its simulation, and neighbours that are kept.

False-fail rate of the one random check: ALPHA. Smallest difference: a mass of the ends off by 0.15.
"""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.language import _

ALPHA = 1e-6


def draw_targets(draw, m, d):
    """Targets, masses far from uniform, and potentials that matter: (y, b, g)."""
    b = draw.uniform(m, low=0.3, high=1.7)
    return 1.2 * draw.normal(m, d), b / b.sum(), 2 * draw.normal(m)


def doob_drift(x, t, y, b, g, sigma):
    """σ² ∇ log h_t(x), h_t(x) = Σ_j b_j exp(g_j / 2σ²) N(y_j; x, σ²(1-t) I), by autograd; t (B,)."""
    x = x.clone().requires_grad_()
    variance = sigma**2 * (1 - t)[:, None]  # (B, 1)
    exponent = -(x[:, None] - y).square().sum(-1) / (2 * variance)
    normaliser = 0.5 * x.shape[1] * (2 * math.pi * variance).log()
    log_h = torch.logsumexp(b.log() + g / (2 * sigma**2) + exponent - normaliser, dim=1)
    return sigma**2 * torch.autograd.grad(log_h.sum(), x)[0]


@check(points=1.25, covers=("drift", "bridge_drift"))
def test_drift_value(student, compare, draw):
    """The drift is σ² times the gradient of log h_t, at one time for all rows and at a time for each."""
    for sigma in (0.7, round(float(draw.uniform(1, low=1.0, high=2.0)), 2)):
        rows, m, d = draw.integer(4, 6), draw.integer(7, 9), draw.integer(2, 3)
        y, b, g = draw_targets(draw, m, d)
        x = draw.normal(rows, d)
        for t in (round(float(draw.uniform(1, low=0.3, high=0.8)), 2), 0.0, draw.uniform(rows, low=0.1, high=0.9)):
            times = t if isinstance(t, torch.Tensor) else torch.full((rows,), t, dtype=torch.float64)
            what = f"bridge_drift(x, {'t (B,)' if isinstance(t, torch.Tensor) else t}, y, b, g, {sigma})"
            compare(student.bridge_drift(x, t, y, b, g, sigma), doob_drift(x, times, y, b, g, sigma), what, rtol=1e-5)


@check(points=0.25, covers=("drift_start", "drift_far", "bridge_drift"))
def test_drift_edges(student, reference, compare, draw):
    """At t = 0 it leads to the coupling's mean end; far away and near t = 1 it stays right."""
    n, m, d, sigma = draw.integer(5, 7), draw.integer(8, 10), 2, 0.8
    x, y = draw.normal(n, d), draw.normal(m, d) + 0.5
    a, b = (v / v.sum() for v in (draw.uniform(k, low=0.3, high=1.7) for k in (n, m)))
    plan, _f, g = reference.schrodinger_coupling(x, y, sigma, a=a, b=b, n_iterations=20000, tolerance=1e-12)
    what = _("bridge_drift at t = 0 in the points of the source")
    compare(student.bridge_drift(x, 0.0, y, b, g, sigma), plan @ y / plan.sum(1, keepdim=True) - x, what, rtol=1e-5)
    y, b, g = draw_targets(draw, m, d)
    late = 1 - 2**-10  # the same number in single precision
    times = torch.full((n,), late, dtype=torch.float64)
    far = x + 30 * torch.tensor([1.0, -1.0]).double()
    for points, sigma in ((far, 0.1), (x, 0.05)):
        right = doob_drift(points, times, y, b, g, sigma)
        hint = _("Every exponential is 0 there: use softmax or logsumexp of the exponents.")
        compare(student.bridge_drift(points, late, y, b, g, sigma), right, rtol=1e-5, atol=1e-5, hint=hint)


def euler(matrix, slope, x0, sigma, noise):
    """Euler-Maruyama steps with the drift x A + t c."""
    h, x, frames = 1 / len(noise), x0, [x0]
    for k, xi in enumerate(noise):
        x = x + h * (x @ matrix + k * h * slope) + sigma * math.sqrt(h) * xi
        frames.append(x)
    return torch.stack(frames)


@check(points=0.75, covers=("euler", "simulate_bridge"))
def test_euler_value(student, probe, expect, compare, draw):
    """Each step uses the drift at its own start and sigma sqrt(h) times its noise; x0 comes first, no gradients."""
    for n_steps in (draw.integer(4, 6), draw.integer(9, 12), 1):
        rows, d, sigma = draw.integer(3, 5), draw.integer(2, 3), round(float(draw.uniform(1, low=0.4, high=2.5)), 2)
        matrix, slope, x0 = 0.5 * draw.normal(d, d), 3 * draw.normal(d), draw.normal(rows, d)
        noise = draw.normal(n_steps, rows, d)
        drift = probe.sloped_drift(matrix, slope)
        what = f"simulate_bridge(drift_fn, x0 ({rows}, {d}), {sigma}, noise ({n_steps}, {rows}, {d}))"
        answer = student.simulate_bridge(drift, x0, sigma, noise)
        compare(answer, euler(matrix, slope, x0, sigma, noise), what)
    expect.true(
        not expect.flag(probe.requires_grad(student.simulate_bridge, drift, x0, sigma, noise)),
        _("simulate_bridge: the trajectory drags the gradients of the drift along."),
        _("Put the loop under torch.no_grad()."),
        mistake="simulation_with_gradients",
    )


@check(
    points=0.25,
    kind="statistical",
    requires=("drift_value", "euler_value", "coupling_weights"),
    covers=("ends", "schrodinger_coupling", "bridge_drift", "simulate_bridge"),
)
def test_ends_hit(student, probe, expect, draw):
    """Simulated with your own drift, bridges end on the targets, each as often as its mass says."""
    # So few that a loop over rows and steps, which is as right, comes to its end.
    m, sigma, n_steps, rows = draw.integer(3, 4), 0.8, 40, 600
    x, angle = 0.6 * draw.normal(8, 2), float(draw.uniform(1, high=2 * math.pi))
    angles = angle + 2 * math.pi * torch.arange(m) / m
    y = 2 * torch.stack([angles.cos(), angles.sin()], 1).double()
    b = draw.uniform(m, low=0.3, high=1.7)
    b = b / b.sum()
    a = draw.uniform(8, low=0.3, high=1.7)
    a = a / a.sum()
    answer = expect.sequence(student.schrodinger_coupling(x, y, sigma, a=a, b=b), 3, "schrodinger_coupling(...)")
    g = expect.tensor(answer[2], (m,), _("g of {what}").format(what="schrodinger_coupling(...)"))
    start = x[torch.multinomial(a, rows, replacement=True, generator=draw.generator())]
    noise = draw.normal(n_steps, rows, 2)
    noise[-1] = 0
    what = f"simulate_bridge(drift_fn, x0, {sigma}, noise ({n_steps}, ...))"
    drift = probe.drift_towards(student.bridge_drift, y, b, g, sigma)
    way = expect.tensor(student.simulate_bridge(drift, start, sigma, noise), (n_steps + 1, rows, 2), what)
    distance, nearest = torch.cdist(way[-1], y).min(1)
    expect.true(
        float(distance.median()) < 0.05,
        _("{what}: with your bridge_drift the paths do not end on the targets.").format(what=what),
    )
    # The steps are not infinitely small: shares are held to within 0.04 of the masses, beyond what chance does.
    shares = torch.bincount(nearest, minlength=m).double() / rows
    off = ((shares - b).abs() - 0.04).clamp(min=0)
    z = float((off / (b * (1 - b) / rows).sqrt()).max())
    expect.p_value(
        min(1.0, m * math.erfc(z / math.sqrt(2))),
        _("ends of {what}").format(what=what),
        alpha=ALPHA,
    )


def shared(x, mapped, k):
    """Share of the k nearest others that both clouds have in common, point by point."""
    found = []
    for i in range(len(x)):
        others = [j for j in range(len(x)) if j != i]
        near = [
            set(sorted(others, key=lambda j, cloud=cloud: float((cloud[i] - cloud[j]).norm()))[:k])
            for cloud in (x, mapped)
        ]
        found.append(len(near[0] & near[1]) / k)
    return sum(found) / len(found)


@check(points=0.5, covers=("neighbours", "neighbours_kept"))
def test_neighbours(student, expect, compare, draw):
    """The share of the k nearest others that the images keep, for several k."""
    for k in (1, draw.integer(3, 5), "all"):
        n, d = draw.integer(14, 18), draw.integer(2, 3)
        k = n - 1 if k == "all" else k
        x = draw.normal(n, d)
        mapped = x @ draw.normal(d, d + 1) + 0.8 * draw.normal(n, d + 1)
        value = expect.number(student.neighbours_kept(x, mapped, k), f"neighbours_kept(x, mapped, {k})")
        compare(value, torch.tensor(shared(x, mapped, k)).double(), f"neighbours_kept(x, mapped, {k})")
