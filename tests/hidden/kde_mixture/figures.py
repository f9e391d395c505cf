"""Figures of kde_mixture: draws of a kernel estimate, of a mixture, and a mixture that EM has fitted."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Points
from autograder.language import _


def _moons(draw, n):
    angle = draw.uniform(n, high=3.14159)
    upper = draw.uniform(n) < 0.5
    x = torch.where(upper, angle.cos(), 1 - angle.cos())
    y = torch.where(upper, angle.sin(), 0.5 - angle.sin())
    return torch.stack([x, y], 1) + 0.1 * draw.normal(n, 2)


def kernel_draws(student, expect, draw):
    """Draws from a kernel estimate of two moons, and the moons."""
    data = _moons(draw, 300)
    x = expect.tensor(student.kde_sample(data, 0.1, 300, generator=draw.generator()), (300, 2), "kde_sample")
    return Points({_("data"): data, _("draws"): x.clamp(-4, 4)}, half_width=2.5)


def component_draws(student, expect, draw):
    """Draws of each component of a mixture of three Gaussians."""
    angles = torch.tensor([0.0, 2.0944, 4.1888], dtype=torch.float64)
    means = 3 * torch.stack([angles.cos(), angles.sin()], 1)
    turned = torch.stack(
        [torch.stack([angles.cos(), -angles.sin()], 1), torch.stack([angles.sin(), angles.cos()], 1)], 1
    )
    covariances = turned @ torch.diag(torch.tensor([1.0, 0.05], dtype=torch.float64)) @ turned.mT
    weights = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    clouds = {}
    for i in range(3):
        answer = student.mixture_sample(weights, means, covariances, 150, component=i, generator=draw.generator())
        x = expect.tensor(expect.sequence(answer, 2, "mixture_sample")[0], (150, 2), "mixture_sample")
        clouds[_("component {i}").format(i=i)] = x.clamp(-8, 8)
    return Points(clouds, half_width=6.0)


def fitted_moons(student, expect, draw):
    """Two moons, and draws from eight Gaussians that EM has fitted to them."""
    data = _moons(draw, 400)
    answer = expect.sequence(student.fit_mixture(data, 8, 40, ridge=1e-4, generator=draw.generator()), 4, "fit_mixture")
    drawn = student.mixture_sample(*answer[:3], 400, generator=draw.generator())
    x = expect.tensor(expect.sequence(drawn, 2, "mixture_sample")[0], (400, 2), "mixture_sample")
    return Points({_("data"): data, _("draws"): x.clamp(-4, 4)}, half_width=2.5)
