"""Images for a Glow of given arguments, and the shapes of its latents."""

from __future__ import annotations


def images(draw, arguments, n):
    return draw.normal(n, arguments["channels"], arguments["size"], arguments["size"])


def latent_shapes(channels, size, n_scales):
    """Shapes of the latents of an image, first to leave first."""
    shapes = [(2**s * channels, size // 2**s, size // 2**s) for s in range(1, n_scales)]
    return [*shapes, (2 ** (n_scales + 1) * channels, size // 2**n_scales, size // 2**n_scales)]
