"""Networks made beside the student's code, some of which keep what they are fed, and what a module holds.

Their numbers come from the judge. Everything is made on the device and in the dtype of the tensors passed in.
"""

import torch
from torch import nn


def _by_batch(x):
    """Each column by the statistics of its batch."""
    return (x - x.mean(0)) / (x.var(0, unbiased=False) + 0.1).sqrt()


def _plain(x):
    """The rows of a tensor, also of one that a functional transform (vmap, grad) has wrapped."""
    functorch = getattr(torch._C, "_functorch", None)
    while functorch is not None and functorch.is_functorch_wrapped_tensor(x):
        x = functorch.get_unwrapped(x)
    return x.detach().reshape(-1, x.shape[-1]).clone()


class _Affine(nn.Module):
    """G(z) = z M + c; in training mode z is brought to the statistics of its batch first where `normalise` says so."""

    def __init__(self, matrix, point, normalise=False):
        super().__init__()
        self.latent_dim, self.normalise = matrix.shape[0], normalise
        self.matrix = nn.Parameter(matrix.detach().clone())
        self.point = nn.Parameter(point.detach().clone())
        self.inside = nn.Identity()  # a submodule with a mode of its own

    def forward(self, z):
        if self.normalise and self.training:
            z = _by_batch(z)
        return self.inside(z) @ self.matrix + self.point  # (B, latent_dim) -> (B, dim)


class _Scores(nn.Module):
    """D(x) = x·v + b, and w·(x by the statistics of its batch) where `normalise`. Keeps the sizes of its batches."""

    def __init__(self, slope, weight, bias, normalise=False):
        super().__init__()
        self.slope, self.bias = nn.Parameter(slope.detach().clone()), nn.Parameter(bias.detach().clone())
        if normalise:  # no parameter without a use
            self.weight = nn.Parameter(weight.detach().clone())
        self.normalise, self.sizes = normalise, []
        self.inside = nn.Identity()

    def forward(self, x):
        self.sizes.append(len(x))
        logits = self.inside(x) @ self.slope + self.bias  # (B, dim) -> (B,)
        return logits + _by_batch(x) @ self.weight if self.normalise else logits


def affine_generator(matrix, point, normalise=False):
    """G(z) = z M + c, with the parameters M (latent_dim, dim) and c (dim,)."""
    return _Affine(matrix, point, normalise)


def scores(slope, weight, bias, normalise=False):
    """D(x) = x·v + b with the parameters v (dim,) and b (); w (dim,) too where `normalise`."""
    return _Scores(slope, weight, bias, normalise)


def sizes_fed(discriminator):
    """The sizes of the batches that it has scored."""
    return list(discriminator.sizes)


class _Parameter(nn.Module):
    """G(z) = its parameter c, whatever z is. Keeps z, and whether it was in training mode."""

    def __init__(self, latent_dim, point):
        super().__init__()
        self.latent_dim = latent_dim
        self.point = nn.Parameter(point.detach().clone())
        self.noise, self.trained = [], []

    def forward(self, z):
        self.noise.append(_plain(z))
        self.trained.append(self.training)
        return self.point.expand(len(z), -1) + 0 * z.sum()


class _RecordingScores(_Scores):
    """Keeps the rows that it scores, and with which of its successive weights."""

    def __init__(self, slope, bias):
        super().__init__(slope, torch.zeros_like(slope), bias)
        self.calls, self.versions, self.trained = [], [], []
        self.seen = [self.slope.detach().clone()]

    def forward(self, x):
        if not torch.equal(self.seen[-1], self.slope.detach()):
            self.seen.append(self.slope.detach().clone())
        self.calls.append(_plain(x))
        self.versions.append(len(self.seen) - 1)
        self.trained.append(self.training)
        return super().forward(x)


def parameter_generator(latent_dim, point):
    """G(z) = its parameter c (dim,)."""
    return _Parameter(latent_dim, point)


def recorded_training(train, latent_dim, point, slope, bias, data, settings):
    """Train a generator that answers its parameter and a linear discriminator, both of which keep what they are fed.

    Returns the batches that the discriminator scored (list of (n, dim)), the number of its weights' changes before
    each, z in batches, whether all calls came in training mode, and how often the weights changed.
    """
    generator, discriminator = _Parameter(latent_dim, point), _RecordingScores(slope, bias)
    train(generator, discriminator, data, **settings)
    return {
        "calls": discriminator.calls,
        "versions": discriminator.versions,
        "noise": generator.noise,
        "trained": all(generator.trained) and all(discriminator.trained),
        "moved": generator.point.detach() - point.to(generator.point),
        "updates": len(discriminator.seen)
        - 1
        + (not torch.equal(discriminator.seen[-1], discriminator.slope.detach())),
    }


class _Layers(nn.Module):
    """Two hidden layers; a generator has batch normalisation and tanh, a discriminator one answer for a row."""

    def __init__(self, n_in, hidden, n_out, generator):
        super().__init__()
        self.latent_dim, self.generator = n_in, generator
        self.first, self.second, self.last = (
            nn.Linear(n_in, hidden),
            nn.Linear(hidden, hidden),
            nn.Linear(hidden, n_out),
        )
        if generator:
            self.norm1, self.norm2 = nn.BatchNorm1d(hidden), nn.BatchNorm1d(hidden)

    def forward(self, x):
        if self.generator:
            x = self.norm2(self.second(self.norm1(self.first(x)).relu())).relu()
            return self.last(x).tanh()
        leaky = nn.functional.leaky_relu
        return self.last(leaky(self.second(leaky(self.first(x), 0.2)), 0.2)).squeeze(-1)


def small_networks(latent_dim, hidden, dim, seed, like):
    """A generator and a discriminator with torch's usual initial weights, drawn from this seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = [_Layers(latent_dim, hidden, dim, True), _Layers(dim, hidden, 1, False)]
    return [network.to(like) for network in networks]


class _Kept(list):
    """What a module has noted: a copy of the module (whose modes may be changed freely) goes on in the same list."""

    def __deepcopy__(self, memo):
        return self


class _Moody(nn.Module):
    """G(z) = z M + c behind layers with modes, which it keeps at each call."""

    def __init__(self, matrix, point):
        super().__init__()
        self.latent_dim = matrix.shape[0]
        self.norm, self.drop = nn.BatchNorm1d(self.latent_dim, affine=False), nn.Dropout(0.5)
        self.inside = nn.Sequential(nn.Identity(), nn.Identity())
        self.matrix, self.point = nn.Parameter(matrix.detach().clone()), nn.Parameter(point.detach().clone())
        self.seen = _Kept()

    def forward(self, z):
        self.seen.append(any(module.training for module in self.modules()))
        return self.inside(self.drop(self.norm(z))) @ self.matrix + self.point


def moody_generator(matrix, point):
    """A generator of submodules that have modes."""
    return _Moody(matrix, point).to(matrix)


def seen_in_training(generator):
    """Whether some submodule was in training mode, call by call."""
    return list(generator.seen)


def modes(module):
    """Whether each submodule is in training mode."""
    return [part.training for part in module.modules()]


def set_modes(module, flags):
    """Put each submodule into a mode of its own; returns how many there are."""
    parts = list(module.modules())
    for part, flag in zip(parts, flags, strict=False):
        part.training = bool(flag)
    return len(parts)


def attributes(module, names):
    """Some attributes of a module."""
    return [getattr(module, name) for name in names]


def state(module):
    """Parameters and buffers by name."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def gradients(module):
    """What each parameter's .grad holds; nothing for those without."""
    return {name: p.grad.detach().clone() for name, p in module.named_parameters() if p.grad is not None}


def fill_gradients(module, value):
    """Leave a gradient in every parameter, as an earlier backward would."""
    for p in module.parameters():
        p.grad = torch.full_like(p, value)
    return module


def all_require_grad(module):
    """Whether every parameter asks for a gradient."""
    return all(p.requires_grad for p in module.parameters())


def optimiser(module, name, settings):
    """One of torch's optimisers for a module's parameters."""
    return getattr(torch.optim, name)(module.parameters(), **settings)


def pulled_back(function, x, by):
    """Gradient of the sum of function(x) * by with respect to x; None where no graph reaches it."""
    x = x.detach().clone().requires_grad_()
    value = function(x)
    if not (isinstance(value, torch.Tensor) and value.requires_grad):
        return None
    return torch.autograd.grad((value * by).sum(), x, allow_unused=True)[0]


def trained_weights(train, networks, data, settings, generator_rng):
    """Train these two networks; the parameters of both afterwards, in one row."""
    train(*networks, data, generator_rng=generator_rng, **settings)
    return torch.cat([p.detach().reshape(-1) for network in networks for p in network.parameters()])


def first_coordinate():
    """A classifier, a plain function: the class stands in the first coordinate."""
    return lambda x: x[:, 0].round().long()


def renewed(fresh, trained):
    """A fresh network with the parameters and the buffers of a trained one; None where they do not fit."""
    try:
        fresh.load_state_dict({name: value.detach().clone() for name, value in trained.state_dict().items()})
    except RuntimeError:
        return None
    return fresh


def evaluated(module, x):
    """module(x) in evaluation mode, without gradients; the mode is put back."""
    was = [(part, part.training) for part in module.modules()]
    module.eval()
    with torch.no_grad():
        answer = module(x)
    for part, training in was:
        part.training = training
    return answer


def place_on(module, like):
    """Move a module to the device and the dtype of a tensor; returns the module."""
    return module.to(like)
