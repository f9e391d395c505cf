"""Figures of latent_diffusion: digits in a latent space, guided clouds, and digits whose lower half is invented."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Images, Points
from autograder.language import _

SIZE, D = 16, 24


def reconstructions(student, expect, digits):
    """Digits, and what is left of them in 24 dimensions."""
    images = digits("train", 600, SIZE).float()
    parts = expect.sequence(student.fit_latent_space(images, D), 3, "fit_latent_space")
    mean = expect.tensor(parts[0], (SIZE * SIZE,), "fit_latent_space").float()
    components = expect.tensor(parts[1], (D, SIZE * SIZE), "fit_latent_space").float()
    space = mean, components, expect.number(parts[2], "fit_latent_space")
    z = expect.tensor(student.encode(images[:8], space), (8, D), "encode").float()
    back = expect.tensor(student.decode(z, space), (8, SIZE * SIZE), "decode").float()
    return Images(torch.cat([images[:8], back]).reshape(-1, SIZE, SIZE), columns=8, low=0.0, high=1.0)


def guided_clouds(student, expect, draw, probe):
    """One start led to a cloud on the right, under three guidances; without a prompt the cloud is wider."""
    T, n = 60, 200
    rates = torch.linspace(0.01, 1, T, dtype=torch.float64).cumsum(0)
    bars = torch.exp(-6 * rates / rates[-1])
    z_T, clouds = draw.normal(n, 2), {}
    for w in (0.0, 1.0, 3.0):
        # Between N(0, 1) and N((1, 0), 0.25): the noise of each, and the guided one, is affine.
        slopes = [(1 - bars).sqrt() / (bars * v + 1 - bars) for v in (1.0, 0.25)]
        slope = (1 - w) * slopes[0] + w * slopes[1]
        shift = -w * slopes[1] * bars.sqrt()
        noise_fn = probe.affine_noise(slope, torch.stack([shift, 0 * shift], 1))
        z = expect.tensor(student.ddim_sample(noise_fn, bars, z_T, list(range(T - 1, -1, -1))), (n, 2), "ddim_sample")
        clouds[_("w = {w:g}").format(w=w)] = z.clamp(-6, 6)
    return Points(clouds, half_width=3.5)


def invented_halves(student, expect, digits, draw, probe):
    """Digits whose upper half is known, and what inpainting makes of the rest with the noise of one Gaussian."""
    images = digits("train", 600, SIZE).double()
    mean = images.mean(0)
    components = torch.linalg.svd(images - mean, full_matrices=False)[2][:D].contiguous()
    codes = (images - mean) @ components.T
    scale = float(codes.square().mean().rsqrt())
    variances = (scale * codes).var(0)  # the best noise of a Gaussian with these variances, coordinate by coordinate
    T = 40
    rates = torch.linspace(0.01, 1, T, dtype=torch.float64).cumsum(0)
    bars = torch.exp(-5.3 * rates / rates[-1])
    slopes = (1 - bars).sqrt()[:, None] / (bars[:, None] * variances + 1 - bars[:, None])
    noise_fn = probe.scaled_noise(slopes)
    mask = (torch.arange(SIZE * SIZE) < SIZE * SIZE // 2).double()
    noise = draw.normal(T, 8, D)
    given = noise_fn, bars, noise, list(range(T - 1, -1, -1)), images[:8], mask, (mean, components, scale)
    filled = expect.tensor(student.inpaint(*given), (8, SIZE * SIZE), "inpaint")
    shown = torch.cat([images[:8] * mask, filled.clamp(0, 1)])
    return Images(shown.float().reshape(-1, SIZE, SIZE), columns=8, low=0.0, high=1.0)
