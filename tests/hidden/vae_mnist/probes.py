"""Models made beside the student's code, with numbers from the judge.

One is affine, so that latent points can be read off its pixels; of the other the true posterior is known.
"""

import torch
from torch import nn

MEAN = torch.full((1, 784), 1 / 784, dtype=torch.float64)  # of an image's pixels
ZERO = torch.zeros(1, dtype=torch.float64)


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


def affine_model(
    mu_weight=MEAN, mu_bias=ZERO, logvar_weight=0 * MEAN, logvar_bias=ZERO, weight=784 * MEAN.T, bias=0 * MEAN[0]
):
    """Encoder heads and decoder affine, with these weights. Else mu is an image's mean, logvar 0, and a logit z."""
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


def line_from(interpolate):
    """`line` of this function alone."""
    return lambda *arguments: line(interpolate, *arguments)


def recorded_training(train, model, x, settings):
    """Train, and note what goes through the model while a graph is kept.

    Returns the history; for each call of the encoder the numbers of the images in it; the latent points that were
    decoded, one below the other; for each parameter its gradient when it was last added to, and the sum of all that was
    ever added; and whether the images are what they were.
    """
    calls, points, added, last, given = [], [], {}, {}, x.clone()

    def encoded(module, inputs):
        if torch.is_grad_enabled() and inputs:
            rows = inputs[0].detach().reshape(-1, x.shape[1]).to(x)
            calls.append(torch.cdist(rows, given).argmin(1).tolist())

    def decoded(module, inputs):
        if torch.is_grad_enabled() and inputs:
            points.append(inputs[0].detach().reshape(-1, inputs[0].shape[-1]).clone())

    def adding(name):
        def hook(gradient):
            added[name] = added.get(name, 0) + gradient.detach().clone()

        return hook

    def after(name):
        def hook(parameter):
            last[name] = parameter.grad.detach().clone()

        return hook

    hooks = [model.encoder.register_forward_pre_hook(encoded), model.decoder.register_forward_pre_hook(decoded)]
    for name, parameter in model.named_parameters():
        hooks += [parameter.register_hook(adding(name)), parameter.register_post_accumulate_grad_hook(after(name))]
    try:
        history = train(model, x, **settings)
    finally:
        for hook in hooks:
            hook.remove()
    return {
        "history": history,
        "calls": calls,
        "points": torch.cat(points) if points else None,
        "last": last,
        "added": added,
        "kept": torch.equal(x, given),
    }
