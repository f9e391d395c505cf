"""Models made beside the student's code, with numbers from the judge.

One is affine, so that latent points can be read off its pixels; of the other the true posterior is known.
"""

import torch
from torch import nn


class _Heads(nn.Module):
    """An encoder whose two answers are affine in the image."""

    def __init__(self, mu, logvar):
        super().__init__()
        self.mu, self.logvar = mu, logvar

    def forward(self, x):
        return self.mu(x), self.logvar(x)


class _Bowls(nn.Module):
    """A decoder whose first pixels are off with probability exp(-curvature (z - centre)²)."""

    def __init__(self, curvature, centre, background):
        super().__init__()
        self.curvature, self.centre = nn.Parameter(curvature), nn.Parameter(centre)
        self.background = nn.Parameter(background)

    def forward(self, z):
        bowls = torch.log(torch.expm1(self.curvature * (z - self.centre) ** 2))  # (..., d)
        return torch.cat([bowls, self.background.expand(*z.shape[:-1], -1)], dim=-1)


class _Model(nn.Module):
    """A whole VAE: attributes, `forward`, and all that a module has."""

    def __init__(self, encoder, decoder, latent_dim):
        super().__init__()
        self.encoder, self.decoder, self.latent_dim = encoder, decoder, latent_dim

    def forward(self, x, eps):
        mu, logvar = self.encoder(x)
        return self.decoder(mu + torch.exp(logvar / 2) * eps), mu, logvar


def _affine(weight, bias):
    layer = nn.Linear(weight.shape[1], weight.shape[0]).to(weight)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def affine_model(mu_weight, mu_bias, logvar_weight, logvar_bias, weight, bias):
    """Encoder heads and decoder affine, with these weights; latent_dim is the number of rows of mu_weight."""
    encoder = _Heads(_affine(mu_weight, mu_bias), _affine(logvar_weight, logvar_bias))
    return _Model(encoder, _affine(weight, bias), mu_weight.shape[0])


def bowl_model(mu_weight, mu, logvar, curvature, centre, background):
    """The encoder answers mu and logvar for every image where mu_weight is zero; `_Bowls` decodes."""
    encoder = _Heads(_affine(mu_weight, mu), _affine(mu_weight, logvar))
    return _Model(encoder, _Bowls(curvature, centre, background), len(mu))


def exact_mode(module):
    """Float64 and evaluation mode."""
    module.double()
    module.eval()


def evaluation_mode(module):
    """No dropout, no batch statistics."""
    module.eval()


def encode(model, x):
    """What the model's encoder answers."""
    return model.encoder(x)


def decode(model, z):
    """What the model's decoder answers."""
    return model.decoder(z)


def line(interpolate, model, z1, z2, steps):
    """Interpolate between points given as (d,), or as (1, d) where that is not accepted."""
    try:
        return interpolate(model, z1, z2, steps=steps)
    except (RuntimeError, IndexError, ValueError, TypeError):
        return interpolate(model, z1[None], z2[None], steps=steps)


def global_seed():
    """The seed of torch's global generator."""
    return torch.initial_seed()


def rows_per_call(train, model, x, settings):
    """Train, and count the images in each call of the encoder that keeps a graph."""
    rows = []

    def keep(module, inputs):
        if torch.is_grad_enabled() and inputs:
            rows.append(inputs[0].numel() // inputs[0].shape[-1])

    hook = model.encoder.register_forward_pre_hook(keep)
    try:
        train(model, x, **settings)
    finally:
        hook.remove()
    return rows
