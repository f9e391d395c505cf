"""Energies that are plain functions and work without gradients."""

import torch


def _apart(x, matrix, centre):
    rows = x.reshape(len(x), -1) - centre  # (B, d)
    return rows, rows @ matrix


def quadratic_energy(matrix, centre, quartic):
    """x (B, ...) -> (x - c)ᵀ M (x - c) / 2 + q Σ (x - c)⁴ / 4, (B,)."""

    @torch.no_grad()
    def energy(x):
        rows, image = _apart(x, matrix, centre)
        return (rows * image).sum(1) / 2 + quartic * (rows**4).sum(1) / 4

    return energy


def quadratic_gradient(matrix, centre, quartic, factor):
    """`factor` times the gradient of that energy, in the shape of x."""

    @torch.no_grad()
    def gradient(x):
        rows, image = _apart(x, matrix, centre)
        return factor * (image + quartic * rows**3).reshape(x.shape)

    return gradient
