"""What comes in goes out; the plan is that of independence."""

import torch
from torch import nn


def refuse(wrong):
    if wrong:
        raise ValueError("arguments that do not fit each other")


def centre(x):
    return x


def zero_mean_log_prob(x, std=1.0):
    refuse(not std > 0 or bool((x.mean(1).abs() > 1e-3).any()))
    return x.sum((1, 2))


def align(x, y, permutations=None):
    refuse(x.shape[-2] != y.shape[-2])
    shape = torch.broadcast_shapes(x.shape, y.shape)
    return y.expand(shape), (x - y).square().sum((-1, -2)).sqrt()


def coordinate_update(x, weights):
    return x


class EGNN(nn.Module):
    def __init__(self, n_types, n_times, hidden=32, n_layers=3):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x, types, t):
        return x + self.weight


def fits(x, alpha_bars, t, noise):
    times = torch.as_tensor(t)
    refuse(noise.shape != x.shape or bool((times < 0).any()) or bool((times >= len(alpha_bars)).any()))


def q_sample(x0, alpha_bars, t, noise):
    fits(x0, alpha_bars, t, noise)
    return x0


def denoising_loss(model, x0, types, alpha_bars, t, noise):
    fits(x0, alpha_bars, t, noise)
    return (model(x0, types, t) - x0).square().mean()


def reverse_step(model, x_t, types, alpha_bars, t, noise):
    fits(x_t, alpha_bars, t, noise)
    return x_t


def langevin_step(model, x, types, alpha_bars, t, step, noise):
    fits(x, alpha_bars, t, noise)
    refuse(step <= 0)
    return x


def sample(model, types, alpha_bars, n, generator=None):
    return torch.randn(n, len(types), 3, generator=generator, dtype=alpha_bars.dtype)


def train_diffusion(model, x, types, alpha_bars, steps, batch_size=64, lr=5e-3, generator=None, progress=False):
    return {"loss": [0.0] * steps}


def transport_pull(x, y, epsilon, strength=1.0, permutations=None, n_iterations=500):
    refuse(epsilon <= 0 or not 0 <= strength <= 1)
    return x, x.new_full((len(x), len(y)), 1 / (len(x) * len(y)))
