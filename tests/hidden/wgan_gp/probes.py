"""Networks made beside the student's code, some of which keep what they are fed; gradients of its penalty.

Their numbers come from the judge. Everything is made on the device and in the dtype of the tensors passed in.
"""

import itertools

import torch
from torch import nn


class _Linear(nn.Module):
    """D(x) = w·x."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())

    def forward(self, x):
        return x @ self.weight  # (B, dim) -> (B,)


class _Quadratic(nn.Module):
    """D(x) = ½ x·Ax + b·x."""

    def __init__(self, matrix, vector):
        super().__init__()
        self.matrix = nn.Parameter(matrix.detach().clone())
        self.vector = nn.Parameter(vector.detach().clone())

    def forward(self, x):
        return 0.5 * ((x @ self.matrix) * x).sum(-1) + x @ self.vector


class _Tanh(nn.Module):
    """D(x) = v·tanh(Wx + c) + offset."""

    def __init__(self, weight, bias, out, offset):
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())
        self.bias = nn.Parameter(bias.detach().clone())
        self.out = nn.Parameter(out.detach().clone())
        self.offset = offset

    def forward(self, x):
        return torch.tanh(x @ self.weight.T + self.bias) @ self.out + self.offset


class _Cut(nn.Module):
    """D(x) = max(0, w·x) + offset."""

    def __init__(self, weight, offset):
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())
        self.offset = offset

    def forward(self, x):
        return torch.relu(x @ self.weight) + self.offset


class _Affine(nn.Module):
    """G(z) = z M + c; with M = 0 it answers the constant c. Keeps how wide z was, and takes any."""

    def __init__(self, matrix, point):
        super().__init__()
        self.latent_dim, self.widths = matrix.shape[0], set()
        self.register_buffer("matrix", matrix.detach().clone())
        self.point = nn.Parameter(point.detach().clone())

    def forward(self, z):
        self.widths.add(z.shape[-1])
        width = min(z.shape[-1], self.latent_dim)
        return z[..., :width].to(self.matrix) @ self.matrix[:width] + self.point  # (B, latent_dim) -> (B, dim)


def _plain(x):
    """The rows of a tensor, also of one that a functional transform (vmap, grad) has wrapped."""
    functorch = getattr(torch._C, "_functorch", None)
    while functorch is not None and functorch.is_functorch_wrapped_tensor(x):
        x = functorch.get_unwrapped(x)
    return x.detach().reshape(-1, x.shape[-1]).clone()


class _RecordingCritic(_Linear):
    """Keeps the rows that it scores, and with which of its successive weights."""

    def __init__(self, weight):
        super().__init__(weight)
        self.rows, self.versions, self.seen = [], [], [self.weight.detach().clone()]

    def forward(self, x):
        if not torch.equal(self.seen[-1], self.weight.detach()):
            self.seen.append(self.weight.detach().clone())
        rows = _plain(x)
        self.rows.append(rows)
        self.versions.append(torch.full((len(rows),), len(self.seen) - 1))
        return super().forward(x)


class _RecordingGenerator(_Affine):
    """Keeps the noise that it is fed, and counts the answers to which a gradient comes back."""

    def __init__(self, matrix, point):
        super().__init__(matrix, point)
        self.noise, self.reached = [], set()

    def forward(self, z):
        self.noise.append(_plain(z))
        x = super().forward(z)
        call = len(self.noise)
        if x.requires_grad:
            x.register_hook(lambda gradient: self.reached.add(call))
        return x


def linear_critic(weight):
    """D(x) = w·x, with the parameter w (dim,)."""
    return _Linear(weight)


def quadratic_critic(matrix, vector):
    """D(x) = ½ x·Ax + b·x, with the parameters A (dim, dim) and b (dim,)."""
    return _Quadratic(matrix, vector)


def tanh_critic(weight, bias, out, offset=0.0):
    """D(x) = v·tanh(Wx + c) + offset, with the parameters W (h, dim), c (h,) and v (h,)."""
    return _Tanh(weight, bias, out, offset)


def cut_critic(weight, offset=0.0):
    """D(x) = max(0, w·x) + offset."""
    return _Cut(weight, offset)


def affine_generator(matrix, point):
    """G(z) = z M + c, with the parameter c (dim,); M (latent_dim, dim) is fixed."""
    return _Affine(matrix, point)


def widths_fed(generator):
    """How many coordinates the z had that an affine generator was fed."""
    return sorted(generator.widths)


class _Layers(nn.Module):
    """Affine layers of these widths with ReLU between them; one output is squeezed away for a critic."""

    def __init__(self, widths, squeeze):
        super().__init__()
        layers = [layer for n, m in itertools.pairwise(widths) for layer in (nn.Linear(n, m), nn.ReLU())]
        self.layers = nn.Sequential(*layers[:-1])
        self.latent_dim, self.squeeze = widths[0], squeeze

    def forward(self, x):
        y = self.layers(x)
        return y.squeeze(-1) if self.squeeze else y


def small_networks(generator_widths, critic_widths, seed, like):
    """A generator and a critic with torch's usual initial weights, drawn from this seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = [_Layers(generator_widths, False), _Layers(critic_widths, True)]
    return [network.to(like) for network in networks]


def penalty_and_gradients(penalty, critic, real, fake, eps):
    """The penalty and its gradients by the critic's parameters; None where no graph reaches them."""
    value = penalty(critic, real, fake, eps)
    parameters = list(critic.parameters())
    if not (isinstance(value, torch.Tensor) and value.requires_grad):
        return [value, [None] * len(parameters)]
    return [value.detach(), list(torch.autograd.grad(value.sum(), parameters, allow_unused=True))]


def constant_training(train, matrix, point, weight, data, settings):
    """Train an affine generator and a linear critic: [final point, final weight, history]."""
    generator, critic = _Affine(matrix, point), _Linear(weight)
    history = train(generator, critic, data, **settings)
    return [generator.point.detach(), critic.weight.detach(), history]


def recorded_training(train, matrix, point, weight, data, settings):
    """Train an affine generator and a linear critic that keep what they are fed.

    Returns the rows that the critic scored (N, dim), the number of its weights' changes before each (N,), the
    rows of noise (M, latent_dim), how many of the generator's answers a gradient came back to, and how far the
    generator's parameter has moved.
    """
    generator, critic = _RecordingGenerator(matrix, point), _RecordingCritic(weight)
    train(generator, critic, data, **settings)
    nothing = [data[:0]]
    return {
        "rows": torch.cat(critic.rows or nothing),
        "versions": torch.cat(critic.versions or [torch.zeros(0, dtype=torch.long)]),
        "updates": len(critic.seen) - 1 + (not torch.equal(critic.seen[-1], critic.weight.detach())),
        "noise": torch.cat(generator.noise or [matrix[:0, :1].reshape(0, 1)]),
        "reached": len(generator.reached),
        "moved": generator.point.detach() - point.to(generator.point),
    }


def trained_weights(train, generator, critic, data, settings, generator_rng):
    """Train these networks; the parameters of both afterwards, in one row."""
    train(generator, critic, data, generator_rng=generator_rng, **settings)
    return torch.cat([p.detach().reshape(-1) for network in (generator, critic) for p in network.parameters()])


def renewed(fresh, trained):
    """A fresh network with the parameters and the buffers of a trained one, in its mode; None where they do not fit."""
    try:
        fresh.load_state_dict({name: value.detach().clone() for name, value in trained.state_dict().items()})
    except RuntimeError:
        return None
    return fresh.train(trained.training)


def evaluated(module, x):
    """module(x) in evaluation mode, without gradients; the mode is put back."""
    training = module.training
    module.eval()
    with torch.no_grad():
        answer = module(x)
    module.train(training)
    return answer


def place_on(module, like):
    """Move a module to the device and the dtype of a tensor; returns the module."""
    return module.to(like)
