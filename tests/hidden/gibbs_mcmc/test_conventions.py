"""Conventions of the course: dtypes, containers, and the refusal of bad arguments."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

# The checks of the functions' values: form counts only beside them.
VALUES = {
    "ising_energy": ("ising_energy",),
    "flip_energy_change": ("flip_change",),
    "metropolis_sweep": ("metropolis_sweep",),
    "heat_bath_sweep": ("heat_bath_sweep",),
    "metropolis_matrix": ("metropolis_matrix",),
    "log_likelihood_gradient": ("likelihood_gradient",),
    "phi4_energy": ("phi4_energy",),
    "phi4_gradient": ("phi4_gradient",),
    "sample_phi4": ("phi4_trajectory",),
}
REFUSING = {**VALUES, "exact_ising": ("exact_sums",), "mala_step": ("mala_step",), "fit_ising": ("fit",)}


@check(points=0.5, covers=("conventions", *VALUES), substance=VALUES)
def test_conventions(student, each, expect, draw):
    """Answers are tensors and keep the dtype of the input, float32 and float64."""
    for dtype in (torch.float64, torch.float32):
        s = (2.0 * draw.integers(0, 2, 3, 4, 6) - 1).to(dtype)
        u, phi, energy = draw.uniform(3, 4, 6).to(dtype), draw.normal(3, 4, 6).to(dtype), draw.normal(4).to(dtype)
        q = torch.full((4, 4), 0.25, dtype=dtype)
        calls = {
            "ising_energy": ((s, 0.3, 0.1), (3,)),
            "flip_energy_change": ((s, 0.3, 0.1), (3, 4, 6)),
            "metropolis_sweep": ((s, 0.3, 0.1, u), (3, 4, 6)),
            "heat_bath_sweep": ((s, 0.3, 0.1, u), (3, 4, 6)),
            "metropolis_matrix": ((energy, q), (4, 4)),
            "log_likelihood_gradient": ((s, -s), (2,)),
            "phi4_energy": ((phi, 1.0, 0.5, 0.2), (3,)),
            "phi4_gradient": ((phi, 1.0, 0.5, 0.2), (3, 4, 6)),
        }
        for name, (arguments, shape) in calls.items():
            with each(name):
                answer = getattr(student, name)(*arguments)
                expect.tensor(answer, shape, f"{name}(...) of {dtype}", dtype=dtype, container="tensor")
        with each("sample_phi4"):
            way, _acceptance = expect.sequence(student.sample_phi4(phi, 1.0, 0.5, 0.2, 0.05, 3), 2)
            what = f"the trajectory of sample_phi4(...) of {dtype}"
            expect.tensor(way, (4, 3, 4, 6), what, dtype=dtype, container="tensor")


@check(points=0.5, covers=("errors", *REFUSING), substance=REFUSING)
def test_refusals(student, probe, each, expect, draw):
    """Lattices that are too small, odd or of other shapes, counts below 1 and values out of range raise ValueError."""
    s = 2.0 * draw.integers(0, 2, 3, 4, 6).double() - 1
    small, flat, odd = s[:, :2], s[0], s[:, :3]
    u, phi = draw.uniform(3, 4, 6), draw.normal(3, 4, 6)
    target = torch.eye(24).double(), torch.zeros(24).double(), 0.0
    calls = (probe.quadratic_energy(*target), probe.quadratic_gradient(*target, 1.0))
    axes, sides, other = _("two axes"), _("a side of 2"), _("another shape")
    cases = [
        *((name, (x, 0.3, 0.1), what) for name in ("ising_energy", "flip_energy_change") for x, what in
          ((flat, axes), (small, sides))),
        *((name, (x, 0.3, 0.1, v), what) for name in ("metropolis_sweep", "heat_bath_sweep") for x, v, what in
          ((flat, u[0], axes), (odd, u[:, :3], _("an odd side")), (s, u[1:], other))),
        ("exact_ising", (2, 5, 0.3, 0.1), sides),
        ("exact_ising", (3, 6, 0.3, 0.1), _("18 sites")),
        ("metropolis_matrix", (draw.normal(4), torch.full((3, 3), 1 / 3).double()), other),
        ("log_likelihood_gradient", (s, small), sides),
        ("log_likelihood_gradient", (s, s[:, :3]), other),
        ("fit_ising", (odd, 2), _("an odd side")),
        ("fit_ising", (s, 0), "steps = 0"),
        ("fit_ising", (s, 2, 0.05, 0), "n_chains = 0"),
        ("fit_ising", (s, 2, 0.05, 5, 0), "n_sweeps = 0"),
        *((name, (x, 1.0, 0.5, 0.2), what) for name in ("phi4_energy", "phi4_gradient") for x, what in
          ((phi[0], axes), (phi[:, :2], sides))),
        ("mala_step", (phi, *calls, 0.0, u, u[:, 0, 0]), "step = 0"),
        ("mala_step", (phi, *calls, 0.1, u[1:], u[:, 0, 0]), other),
        ("mala_step", (phi, *calls, 0.1, u, u[1:, 0, 0]), other),
        ("sample_phi4", (phi[0], 1.0, 0.5, 0.2, 0.05, 3), axes),
        ("sample_phi4", (phi, 1.0, 0.5, 0.2, 0.0, 3), "step = 0"),
        ("sample_phi4", (phi, 1.0, 0.5, 0.2, 0.05, 0), "n_steps = 0"),
        ("sample_phi4", (phi, 1.0, 0.5, 0.2, 0.05, 3, 1.5), "flip_probability = 1.5"),
    ]  # fmt: skip
    for name, arguments, what in cases:
        with each(name):
            expect.raises(ValueError, getattr(student, name), *arguments, what=f"{name}: {what}")
