"""Shapes, dtypes, refusals and calls are right; no value is."""

import torch
from torch import nn


def refuse(wrong):
    if wrong:
        raise ValueError("refused")


def out_of(t, last):
    t = torch.as_tensor(t, dtype=torch.float64)
    refuse(bool((t < 0).any()) or bool((t > 1).any()) or (not last and bool((t == 1).any())))


def schrodinger_coupling(x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    masses = (a is None or len(a) == len(x)) and (b is None or len(b) == len(y))
    refuse(not sigma > 0 or x.shape[1] != y.shape[1] or not masses)
    return x.new_full((len(x), len(y)), 1 / len(x) / len(y)), x.new_zeros(len(x)), x.new_zeros(len(y))


def sinkhorn_divergence(x, y, epsilon, n_iterations=1000, tolerance=1e-9):
    refuse(not epsilon > 0 or x.shape[1] != y.shape[1])
    return x.new_ones(())


def penalised_step(x, score, y, step, weight, epsilon, noise):
    refuse(not epsilon > 0 or x.shape[1] != y.shape[1])
    return x + noise


def gaussian_bridge(mean0, cov0, mean1, cov1, sigma, t):
    refuse(not sigma > 0)
    return mean1.clone(), cov1.clone()


def bridge_interpolate(x0, x1, t, sigma, noise):
    out_of(t, True)
    return x1 + noise


def bridge_path(x0, x1, times, sigma, noise):
    refuse(noise.shape != (len(times), *x0.shape) or bool((times.diff() <= 0).any()))
    out_of(times, True)
    return noise + x1


def sample_coupling(plan, n, generator=None):
    return torch.randint(len(plan), (n,), generator=generator), torch.randint(plan.shape[1], (n,), generator=generator)


def bridge_drift(x, t, y, b, g, sigma):
    out_of(t, False)
    return torch.randn_like(x)


def simulate_bridge(drift_fn, x0, sigma, noise):
    return torch.cat([x0[None], noise])


class EndpointNet(nn.Module):
    def __init__(self, dim, hidden=128):
        super().__init__()
        self.first, self.last = nn.Linear(dim + 1, hidden), nn.Linear(hidden, dim)

    def forward(self, x, t):
        return torch.zeros_like(x)


def endpoint_loss(model, x0, x1, t, sigma, noise):
    return model(x0, t).mean() * 0 + 1


def endpoint_drift(model, x, t):
    out_of(t, False)
    return model(x, torch.as_tensor(t).to(x).expand(len(x)))


def train_bridge(model, x, y, plan, sigma, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    refuse(plan.shape != (len(x), len(y)))
    for k in range(steps):
        model(
            torch.randn(batch_size, x.shape[1], generator=generator).to(x),
            torch.rand(batch_size, generator=generator).to(x),
        )
    return {"loss": [1.0] * steps}


def neighbours_kept(x, mapped, k):
    refuse(len(x) != len(mapped) or not 1 <= k <= len(x) - 1)
    return 0.2
