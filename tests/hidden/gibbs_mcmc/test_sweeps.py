"""Sweeps against loops over sites, with the random numbers given."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _


def draw_lattice(draw):
    """Spins with even and different sides, a coupling and a field at which about half of the spins move."""
    h = draw.choice((4, 6))
    w = 10 - h
    s = 2.0 * draw.integers(0, 2, draw.integer(3, 5), h, w).double() - 1
    coupling, field = (draw.choice((-1, 1)) * float(draw.uniform(1, low=0.15, high=0.45)) for _k in range(2))
    return s, coupling, field


def sweep(s, decide):
    """Site by site, the even ones first: `decide(spin, sum of its neighbours, its place)` gives the new spin."""
    s = s.clone()
    _b, height, width = s.shape
    places = [(i, j) for parity in (0, 1) for i in range(height) for j in range(width) if (i + j) % 2 == parity]
    for i, j in places:
        near = s[:, i - 1, j] + s[:, (i + 1) % height, j] + s[:, i, j - 1] + s[:, i, (j + 1) % width]
        s[:, i, j] = decide(s[:, i, j], near, (i, j))
    return s


def metropolis(s, coupling, field, u):
    def decide(spin, near, place):
        ratio = torch.exp(-2 * spin * (coupling * near + field))
        return torch.where(u[:, place[0], place[1]] < ratio, -spin, spin)

    return sweep(s, decide)


def heat_bath(s, coupling, field, u):
    def decide(spin, near, place):
        up = 1 / (1 + torch.exp(-2 * (coupling * near + field)))
        return torch.where(u[:, place[0], place[1]] < up, torch.ones_like(spin), -torch.ones_like(spin))

    return sweep(s, decide)


def judge_sweep(student, compare, draw, name, right):
    for _k in range(3):
        s, coupling, field = draw_lattice(draw)
        u = draw.uniform(*s.shape)
        compare(getattr(student, name)(s, coupling, field, u), right(s, coupling, field, u))


@check(points=1.5, covers=("metropolis", "metropolis_sweep"))
def test_metropolis_sweep(student, compare, draw):
    """A Metropolis sweep: even sites first, then odd ones, which see the new even ones; u < exp(-change)."""
    judge_sweep(student, compare, draw, "metropolis_sweep", metropolis)


@check(points=1.5, covers=("heat_bath", "heat_bath_sweep"))
def test_heat_bath_sweep(student, compare, draw):
    """A heat-bath sweep: each spin is set to +1 where u < P(+1 | others), even sites first."""
    judge_sweep(student, compare, draw, "heat_bath_sweep", heat_bath)


@check(
    points=0.5,
    covers=("untouched", "metropolis_sweep", "heat_bath_sweep", "sample_phi4"),
    substance={
        "metropolis_sweep": ("metropolis_sweep",),
        "heat_bath_sweep": ("heat_bath_sweep",),
        "sample_phi4": ("phi4_trajectory", "mirror"),
    },
)
def test_spins_untouched(student, probe, each, expect, draw):
    """Sweeps and chains return new spins and fields and leave those that they were given as they are."""
    s, coupling, field = draw_lattice(draw)
    u = draw.uniform(*s.shape)
    for name in ("metropolis_sweep", "heat_bath_sweep"):
        with each(name):
            changed = expect.integers(probe.changed(getattr(student, name), s, coupling, field, u), name)
            message = _("{name} changes the spins or the numbers that it is given.").format(name=name)
            expect.true(not changed, message, _("Work on a copy: `spins.clone()`, or torch.where."))
    with each("sample_phi4"):
        for flip in (0.0, 1.0):
            changed = probe.changed(student.sample_phi4, draw.normal(3, 3, 4), 1.0, 0.6, 0.3, 0.05, 3, flip)
            message = _("sample_phi4(..., flip_probability={flip:g}) changes the fields that it is given.")
            hint = _("Work on a copy: `phi.clone()`, or torch.where.")
            expect.true(not expect.integers(changed, "sample_phi4"), message.format(flip=flip), hint)
