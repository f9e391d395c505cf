"""Energies of spins and fields against loops, their changes and gradients; H and W differ, or axes could be swapped."""

from __future__ import annotations

import torch

from autograder.judge import check


def draw_spins(draw, b, h, w):
    return 2.0 * draw.integers(0, 2, b, h, w).double() - 1


def draw_sizes(draw):
    """Two lattices of different sides, the second one with an odd side, then a batch of one."""
    h = draw.integer(3, 5)
    return ((draw.integer(3, 5), h, h + draw.integer(1, 2)), (2, draw.integer(6, 7), 3), (1, 3, draw.integer(4, 5)))


def draw_constants(draw):
    """A coupling and a field, both of either sign and neither near 0."""
    return tuple(draw.choice((-1, 1)) * float(draw.uniform(1, low=0.3, high=1.2)) for _k in range(2))


def pairs(x):
    """Each pair of neighbours once, by loops: (B, 2 H W, 2)."""
    _b, height, width = x.shape
    found = []
    for i in range(height):
        for j in range(width):
            found += [(x[:, i, j], x[:, (i + 1) % height, j]), (x[:, i, j], x[:, i, (j + 1) % width])]
    return torch.stack([torch.stack(pair, 1) for pair in found], 1)


def energy_of_spins(s, coupling, field):
    return -coupling * pairs(s).prod(2).sum(1) - field * s.sum((1, 2))


def energy_of_field(phi, kappa, r, g):
    bonds = (pairs(phi)[..., 0] - pairs(phi)[..., 1]).square().sum(1)
    return kappa / 2 * bonds + (r / 2 * phi**2 + g / 4 * phi**4).sum((1, 2))


@check(points=1, covers=("ising", "ising_energy"))
def test_ising_energy(student, compare, draw):
    """The energy of spins: each pair of neighbours once, periodic borders, coupling and field."""
    for b, h, w in draw_sizes(draw):
        s, (coupling, field) = draw_spins(draw, b, h, w), draw_constants(draw)
        what = f"ising_energy(spins ({b}, {h}, {w}), coupling, field)"
        compare(student.ising_energy(s, coupling, field), energy_of_spins(s, coupling, field), what)


@check(points=1, covers=("change", "flip_energy_change"))
def test_flip_change(student, compare, draw):
    """The change of the energy where one spin alone is turned, for each spin."""
    for b, h, w in draw_sizes(draw):
        s, (coupling, field) = draw_spins(draw, b, h, w), draw_constants(draw)
        right = torch.zeros_like(s)
        before = energy_of_spins(s, coupling, field)
        for i in range(h):
            for j in range(w):
                turned = s.clone()
                turned[:, i, j] *= -1
                right[:, i, j] = energy_of_spins(turned, coupling, field) - before
        what = f"flip_energy_change(spins ({b}, {h}, {w}), coupling, field)"
        compare(student.flip_energy_change(s, coupling, field), right, what)


def draw_field(draw, b, h, w):
    """Values of all sizes up to about 2, and the constants kappa, r and g."""
    constants = (float(draw.uniform(1, low=0.5, high=2.0)), draw.choice((-1, 1)) * 1.3, 0.7)
    return draw.normal(b, h, w) + 0.5, constants


@check(points=1, covers=("phi4", "phi4_energy"))
def test_phi4_energy(student, compare, draw):
    """The energy of a field: squared differences of neighbours, each pair once, and the potential of each site."""
    for b, h, w in draw_sizes(draw):
        phi, constants = draw_field(draw, b, h, w)
        what = f"phi4_energy(phi ({b}, {h}, {w}), kappa, r, g)"
        compare(student.phi4_energy(phi, *constants), energy_of_field(phi, *constants), what)


@check(points=1, covers=("gradient", "phi4_gradient"))
def test_phi4_gradient(student, compare, draw):
    """The gradient of the field's energy, and not the score."""
    for b, h, w in draw_sizes(draw):
        phi, constants = draw_field(draw, b, h, w)
        phi.requires_grad_()
        (right,) = torch.autograd.grad(energy_of_field(phi, *constants).sum(), phi)
        what = f"phi4_gradient(phi ({b}, {h}, {w}), kappa, r, g)"
        compare(student.phi4_gradient(phi.detach(), *constants), right, what)
