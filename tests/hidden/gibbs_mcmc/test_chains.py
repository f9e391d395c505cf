"""MALA step by step, and chains of fields by their law.

The chains start in their exact law and must stay in it, at a step where 0.4 to 0.7 of the proposals are accepted: there
the unadjusted chain, one decision for all chains and drawing until accepted are far off.

False-fail rate: each p-value below fails a correct solution with probability ALPHA; all checks together about 8e-6.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import stats

from autograder.judge import check
from autograder.language import _
from autograder.statistics import tests

ALPHA = 1e-6


def draw_target(draw, d):
    """An energy that is not symmetric: matrix, centre, quartic coefficient."""
    basis = torch.linalg.qr(draw.normal(d, d)).Q
    return basis @ torch.diag(draw.uniform(d, low=0.5, high=2.0)) @ basis.T, draw.normal(d), 0.2


def mala_proposal(x, target, step, noise, factor):
    """MALA's proposal, and the logarithms of the quotients of the energies and of the proposals.

    The gradient is `factor` times the right one.
    """
    matrix, centre, quartic = target

    def energy(rows):
        rows = rows - centre
        return (rows @ matrix * rows).sum(1) / 2 + quartic * (rows**4).sum(1) / 4

    def gradient(rows):
        rows = rows - centre
        return factor * (rows @ matrix + quartic * rows**3)

    y = x - step * gradient(x) + math.sqrt(2 * step) * noise
    there = (y - x + step * gradient(x)).square().sum(1)
    back = (x - y + step * gradient(y)).square().sum(1)
    return y, energy(x) - energy(y), (there - back) / (4 * step)


def draw_decisions(draw, n, d, factor):
    """(target, step, x, noise, u, the proposals, what the logarithm of u is compared with).

    Each u is near a border between yes and no, but not on it: of the right ratio, or of one without the quotient of
    the proposals, with twice that, or with it upside down. Drawn again until all four decide differently.
    """
    while True:
        target, step = draw_target(draw, d), float(draw.uniform(1, low=0.3, high=0.6))
        x, noise = target[1] + 1.5 * draw.normal(n, d), draw.normal(n, d)
        y, log_energies, log_proposals = mala_proposal(x, target, step, noise, factor)
        borders = torch.stack([log_energies + k * log_proposals for k in (1, 0, -1, 2)], 1)  # (n, 4)
        within = (borders > -20) & (borders < -0.3)  # where u is neither 0 nor 1
        usable = torch.where(within, draw.uniform(n, 4, low=0.1), 0.0)
        border = borders.gather(1, usable.argmax(1, keepdim=True))[:, 0]
        u = torch.exp(border + draw.normal(n).sign() * draw.uniform(n, low=0.05, high=0.25))
        u = torch.where(within.any(1), u, draw.uniform(n, low=1e-6))
        decisions = u.log()[:, None] < borders
        if all(bool((decisions[:, a] != decisions[:, b]).any()) for a in range(4) for b in range(a)):
            return target, step, x, noise, u, y, borders[:, 0]


@check(points=1.5, covers=("mala", "mala_callables", "mala_step"))
def test_mala_step(student, probe, compare, expect, draw):
    """A MALA step: proposal, acceptance with the quotient of the proposals, each row by itself.

    In one case the gradient is not that of the energy: it is to be used as it is given.
    """
    for shape, factor in (((3,), 1.0), ((2, 3), 1.0), ((2, 2), 0.6)):
        n, d = draw.integer(24, 30), math.prod(shape)
        target, step, x, noise, u, y, log_ratio = draw_decisions(draw, n, d, factor)
        clear = (log_ratio - u.log()).abs() > 1e-6
        right = u.log() < log_ratio
        what = f"mala_step(x {(n, *shape)}, energy, gradient, step, noise, uniform)"
        energy = probe.quadratic_energy(*target)
        gradient = probe.quadratic_gradient(*target, factor)
        answer = student.mala_step(x.reshape(n, *shape), energy, gradient, step, noise.reshape(n, *shape), u)
        new, accepted = expect.sequence(answer, 2, what)
        accepted = expect.tensor(accepted, (n,), _("accepted from {what}").format(what=what), dtype=torch.bool)
        compare(accepted[clear].double(), right[clear].double(), _("accepted from {what}").format(what=what))
        moved = torch.where(accepted[:, None], y, x).reshape(n, *shape)
        compare(new, moved, _("x_new from {what}").format(what=what))


def free_field_root(height, width, kappa, r):
    """Cholesky factor of the precision of g = 0: U = φᵀ A φ / 2."""
    n = height * width
    A = torch.zeros(n, n, dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            a = i * width + j
            A[a, a] += r
            for k, m in (((i + 1) % height, j), (i, (j + 1) % width)):
                b = k * width + m
                A[a, a] += kappa
                A[b, b] += kappa
                A[a, b] -= kappa
                A[b, a] -= kappa
    return torch.linalg.cholesky(A)


def run(student, expect, phi, constants, step, n_steps, generator, **more):
    """(trajectory, acceptance) of sample_phi4, safe to compute with; the start is the first frame."""
    what = f"sample_phi4(phi {tuple(phi.shape)}, {', '.join(f'{c:g}' for c in constants)}, {step:.3g}, {n_steps})"
    answer = student.sample_phi4(phi, *constants, step, n_steps, generator=generator, **more)
    way, acceptance = expect.sequence(answer, 2, what)
    way = expect.tensor(way, (n_steps + 1, *phi.shape), _("the trajectory from {what}").format(what=what))
    expect.true(bool((way.abs() < 1e6).all()), _("{what}: the fields run away.").format(what=what))
    return way, expect.number(acceptance, _("the acceptance from {what}").format(what=what), low=0, high=1), what


@check(points=0.5, covers=("trajectory", "sample_phi4"))
def test_phi4_trajectory(student, expect, compare, draw):
    """The start is the first frame, refused steps repeat the state, acceptance is the share of moves."""
    phi, constants, step = draw.normal(30, 3, 4), (1.0, 0.6, 0.3), 0.12
    n_steps, (first, second) = draw.integer(12, 18), (draw.seed(), draw.seed())
    runs = [
        run(student, expect, phi, constants, step, n_steps, torch.Generator().manual_seed(s))
        for s in (first, first, second)
    ]
    way, acceptance, what = runs[0]
    compare(way[0], phi, _("the first frame of {what}").format(what=what))
    moved = (way[1:] != way[:-1]).flatten(2).any(2).double().mean()
    expect.true(
        0.2 < float(moved) < 0.97,
        _("{what}: expected that some steps are refused and most are not.").format(what=what),
        _("A proposal that is refused repeats the state: it is not drawn again until one is accepted."),
    )
    compare(acceptance, moved, _("the acceptance from {what}").format(what=what), rtol=1e-5)
    size = (way[1:] - way[:-1]).square().mean() / moved
    expect.true(
        0.2 * 2 * step < float(size) < 5 * 2 * step,
        _("{what}: the moves are far from the size sqrt(2 step).").format(what=what),
    )
    expect.true(
        torch.equal(way, runs[1][0]), _("{what}: two generators of one seed give two chains.").format(what=what)
    )
    expect.true(
        not torch.equal(way, runs[2][0]), _("{what}: generators of two seeds give one chain.").format(what=what)
    )


@check(points=1, kind="statistical", requires=("phi4_trajectory",), covers=("free_field", "sample_phi4"))
def test_free_field(student, expect, draw):
    """Chains that start in the law of the free field (g = 0) are in it after 20 steps, at a large step."""
    n, height, width, kappa, r = 1200, 4, 6, 1.0, 0.6
    root = free_field_root(height, width, kappa, r)
    start = torch.linalg.solve_triangular(root.T, draw.normal(height * width, n), upper=True).T
    way, acceptance, what = run(
        student, expect, start.reshape(n, height, width), (kappa, r, 0.0), 0.09, 20, draw.generator()
    )
    white = way[-1].reshape(n, -1) @ root  # standard normal, independent
    moving = (way[-1] != way[0]).flatten(1).any(1).double().mean()
    expect.true(
        0.4 < acceptance < 0.75 and float(moving) > 0.99,
        _("{what}: about 0.57 of the proposals should be accepted, got {got:.2f}.").format(what=what, got=acceptance),
        _("Is the gradient that of the energy? A wrong one leaves the law right and the acceptance wrong."),
    )
    eye = torch.eye(height * width).double()
    squares = float(white.square().sum())
    p = [
        tests.mean_test(white, torch.zeros(height * width), eye),
        tests.covariance_test(white, eye),
        2 * min(stats.chi2.sf(squares, white.numel()), stats.chi2.cdf(squares, white.numel())),
    ]
    expect.p_value(min(1.0, 3 * min(p)), _("the last frame of {what}").format(what=what), alpha=ALPHA)


@check(points=0.5, kind="statistical", requires=("phi4_trajectory",), covers=("wells", "sample_phi4"))
def test_double_wells(student, expect, draw):
    """Without coupling every site is a double well of its own: chains that start in its law stay in it."""
    n, r, g = 1500, -1.0, 1.0
    nodes = np.linspace(-4, 4, 8001)
    density = np.exp(-(r / 2 * nodes**2 + g / 4 * nodes**4))
    cdf = np.cumsum(density) / density.sum()
    start = torch.from_numpy(np.interp(draw.numpy().random((n, 3, 3)), cdf, nodes))
    way, acceptance, what = run(student, expect, start, (0.0, r, g), 0.15, 15, draw.generator())
    moving = (way[-1] != way[0]).flatten(1).any(1).double().mean()
    expect.true(
        0.45 < acceptance < 0.78 and float(moving) > 0.99,
        _("{what}: about 0.62 of the proposals should be accepted, got {got:.2f}.").format(what=what, got=acceptance),
        _("Is the gradient that of the energy? A wrong one leaves the law right and the acceptance wrong."),
    )
    values = way[-1].flatten().numpy()
    cells = np.searchsorted(np.interp(np.arange(1, 12) / 12, cdf, nodes), values)
    p = tests.chi_square(np.bincount(cells, minlength=12), np.full(12, 1 / 12))
    expect.p_value(p, _("the sites of the last frame of {what}").format(what=what), alpha=ALPHA)


@check(points=0.5, kind="statistical", requires=("phi4_trajectory",), covers=("mirror", "sample_phi4"))
def test_mirror(student, expect, compare, draw):
    """Whole chains are mirrored, each chain by itself and at each step anew, with the probability given."""
    n, n_steps, flip = 60, 60, float(draw.uniform(1, low=0.2, high=0.4))
    start = 1 + 0.1 * draw.normal(n, 3, 4)
    # With a step this small nothing but the mirror moves.
    seed = draw.seed()
    (way, _acceptance, what), (again, *_rest) = (
        run(
            student, expect, start, (1.0, -1.0, 1.0), 1e-12, n_steps, torch.Generator().manual_seed(seed),
            flip_probability=flip,
        )
        for _k in range(2)
    )  # fmt: skip
    expect.true(
        torch.equal(way, again),
        _("{what}: two generators of one seed give two chains.").format(what=what),
        mistake="mirror_without_generator",
    )
    compare(way[0], start, _("the first frame of {what}").format(what=what))
    signs = way.flatten(2).mean(2).sign()  # (n_steps + 1, n)
    whole = (way - signs[..., None, None] * start).abs().max() < 1e-3
    expect.true(bool(whole), _("{what}: single sites are mirrored, and not the whole field.").format(what=what))
    turned = (signs[1:] != signs[:-1]).double()  # (n_steps, n)
    variance = flip * (1 - flip)
    total = float((turned - flip).sum()) / math.sqrt(variance * turned.numel())
    rows = float((turned.sum(1) - n * flip).square().sum()) / (n * variance)
    columns = float((turned.sum(0) - n_steps * flip).square().sum()) / (n_steps * variance)
    p = [
        2 * stats.norm.sf(abs(total)),
        *(2 * min(stats.chi2.sf(s, k), stats.chi2.cdf(s, k)) for s, k in ((rows, n_steps), (columns, n))),
    ]
    expect.p_value(min(1.0, 3 * min(p)), _("the mirrored chains of {what}").format(what=what), alpha=ALPHA / 10)
