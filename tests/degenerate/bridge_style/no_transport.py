"""Right in form, and nobody is paired: product plans, means for drifts, straight lines without noise."""

import torch
from torch import nn


def schrodinger_coupling(x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    a = x.new_full((len(x),), 1 / len(x)) if a is None else a
    b = x.new_full((len(y),), 1 / len(y)) if b is None else b
    return a[:, None] * b, x.square().sum(1), y.square().sum(1)


def sinkhorn_divergence(x, y, epsilon, n_iterations=1000, tolerance=1e-9):
    return (
        (x[:, None] - y).square().sum(-1).mean()
        - (x[:, None] - x).square().sum(-1).mean() / 2
        - (y[:, None] - y).square().sum(-1).mean() / 2
    )


def penalised_step(x, score, y, step, weight, epsilon, noise):
    return x + step * score + step * weight * (y.mean(0) - x.mean(0))


def gaussian_bridge(mean0, cov0, mean1, cov1, sigma, t):
    return (1 - t) * mean0 + t * mean1, (1 - t) * cov0 + t * cov1


def bridge_interpolate(x0, x1, t, sigma, noise):
    t = torch.as_tensor(t).to(x0).reshape(-1, 1)
    return (1 - t) * x0 + t * x1


def bridge_path(x0, x1, times, sigma, noise):
    t = times.to(x0)[:, None, None]
    return (1 - t) * x0 + t * x1


def sample_coupling(plan, n, generator=None):
    return torch.randint(len(plan), (n,), generator=generator), torch.randint(plan.shape[1], (n,), generator=generator)


def bridge_drift(x, t, y, b, g, sigma):
    return y.mean(0) - x


def simulate_bridge(drift_fn, x0, sigma, noise):
    h, way = 1 / len(noise), [x0]
    for z in noise:
        way.append(way[-1] + h * z)
    return torch.stack(way)


class EndpointNet(nn.Module):
    def __init__(self, dim, hidden=128):
        super().__init__()
        self.first, self.last = nn.Linear(dim + 1, hidden), nn.Linear(hidden, dim)

    def forward(self, x, t):
        return self.last(self.first(torch.cat([x, t[:, None]], 1)))


def endpoint_loss(model, x0, x1, t, sigma, noise):
    return (model(x0, t) - x1).square().mean()


def endpoint_drift(model, x, t):
    return model(x, torch.as_tensor(t).to(x).expand(len(x))) - x


def train_bridge(model, x, y, plan, sigma, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        i = torch.randint(len(x), (batch_size,), generator=generator)
        j = torch.randint(len(y), (batch_size,), generator=generator)
        t = torch.rand(batch_size, generator=generator, dtype=x.dtype)
        loss = (model(x[i], t) - y[j]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(float(loss))
    return {"loss": history}


def neighbours_kept(x, mapped, k):
    return k / (len(x) - 1)
