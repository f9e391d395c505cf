"""Random numbers of the right shapes."""

import torch
from torch import nn


def refuse(wrong):
    if wrong:
        raise ValueError("arguments that do not fit each other")


def centre(x):
    return torch.randn_like(x)


def zero_mean_log_prob(x, std=1.0):
    refuse(not std > 0 or bool((x.mean(1).abs() > 1e-3).any()))
    return torch.randn(len(x)).to(x)


def align(x, y, permutations=None):
    refuse(x.shape[-2] != y.shape[-2])
    shape = torch.broadcast_shapes(x.shape, y.shape)
    return torch.randn(shape).to(x), torch.rand(shape[:-2]).to(x)


def coordinate_update(x, weights):
    return x + torch.randn_like(x)


class EGNN(nn.Module):
    def __init__(self, n_types, n_times, hidden=32, n_layers=3):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x, types, t):
        return self.weight + torch.randn_like(x)


def fits(x, alpha_bars, t, noise):
    times = torch.as_tensor(t)
    refuse(noise.shape != x.shape or bool((times < 0).any()) or bool((times >= len(alpha_bars)).any()))


def q_sample(x0, alpha_bars, t, noise):
    fits(x0, alpha_bars, t, noise)
    return x0 + noise


def denoising_loss(model, x0, types, alpha_bars, t, noise):
    fits(x0, alpha_bars, t, noise)
    return (model(x0, types, t) * 0 + torch.randn_like(x0)).square().mean()


def reverse_step(model, x_t, types, alpha_bars, t, noise):
    fits(x_t, alpha_bars, t, noise)
    return x_t + noise


def langevin_step(model, x, types, alpha_bars, t, step, noise):
    fits(x, alpha_bars, t, noise)
    refuse(step <= 0)
    return x + noise


def sample(model, types, alpha_bars, n, generator=None):
    x = torch.randn(n, len(types), 3, generator=generator, dtype=alpha_bars.dtype)
    return x - x.mean(1, keepdim=True)


def train_diffusion(model, x, types, alpha_bars, steps, batch_size=64, lr=5e-3, generator=None, progress=False):
    for parameter in model.parameters():
        parameter.data += lr * torch.randn(parameter.shape, generator=generator).to(parameter)
    return {"loss": [1 / (k + 1) for k in range(steps)]}


def transport_pull(x, y, epsilon, strength=1.0, permutations=None, n_iterations=500):
    refuse(epsilon <= 0 or not 0 <= strength <= 1)
    return x + 0.1 * torch.randn_like(x), torch.rand(len(x), len(y)).softmax(1).to(x) / len(x)
