# Differs: objects for the process, scores by autograd of a log-density, Fourier features, trajectories in place, Adams-Bashforth 2.
import math

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal


class OU:
    """dx = -x dt + sqrt(2) dW"""

    @staticmethod
    def mean_coeff(t):
        return torch.exp(-t)

    @staticmethod
    def variance(t):
        return -torch.expm1(-2 * t)

    @classmethod
    def marginal(cls, t, x):
        if not isinstance(t, Tensor):
            t = torch.full((x.shape[0],), float(t), dtype=x.dtype, device=x.device)
        if t.ndim == 0:
            t = t.expand(x.shape[0])
        if t.shape != (x.shape[0],):
            raise ValueError("one time per row")
        t = t.to(x)
        return cls.mean_coeff(t).view(-1, 1), cls.variance(t).sqrt().view(-1, 1)


def require(ok, what):
    if not ok:
        raise ValueError(what)


def ou_moments(t):
    number = not isinstance(t, Tensor)
    t = torch.tensor(t, dtype=torch.float64) if number else t
    require(not bool((t < 0).any()), "t must be >= 0")
    return OU.mean_coeff(t), OU.variance(t).sqrt()


def ou_sample(x0, t, noise):
    require(x0.shape == noise.shape, "noise")
    alpha, sigma = OU.marginal(t, x0)
    return torch.addcmul(alpha * x0, sigma.expand_as(noise), noise)


def ou_step(x, dt, noise):
    require(x.shape == noise.shape, "noise")
    require(dt > 0, "dt")
    return x + (-x) * dt + math.sqrt(2.0) * math.sqrt(dt) * noise


def noised_score(x, t, means, std, weights):
    require(x.ndim == 2 and means.ndim == 2 and x.shape[1] == means.shape[1], "means")
    require(weights.ndim == 1 and len(weights) == len(means), "weights")
    alpha, sigma = OU.marginal(t, x)
    scale = torch.sqrt(alpha**2 * std**2 + sigma**2)  # (B, 1)
    with torch.enable_grad():
        y = x.detach().clone().requires_grad_(True)
        law = MixtureSameFamily(
            Categorical(logits=weights.log().expand(len(x), -1)),
            Independent(Normal(alpha[:, :, None] * means, scale[:, :, None].expand(-1, *means.shape)), 1),
            validate_args=False,
        )
        return torch.autograd.grad(law.log_prob(y).sum(), y)[0].detach()


def divergence(field, x):
    with torch.enable_grad():
        y = x.detach().clone().requires_grad_(True)
        out = field(y) + 0 * y  # depends on y at any rate
        rows = [
            torch.autograd.grad(out, y, torch.eye(x.shape[1], dtype=x.dtype, device=x.device)[i].expand_as(out), retain_graph=True)[0][:, i]
            for i in range(x.shape[1])
        ]
    return sum(rows)


def fokker_planck_residual(log_prob, x, t):
    require(t.ndim == 1 and len(t) == len(x), "t")
    with torch.enable_grad():
        y = torch.cat([x.detach(), t.detach()[:, None].to(x)], 1).requires_grad_(True)  # (B, d + 1)
        lp = log_prob(y[:, :-1], y[:, -1])
        (g,) = torch.autograd.grad(lp.sum(), y, create_graph=True)
        lap = 0
        for i in range(x.shape[1]):
            if g.requires_grad:
                lap = lap + torch.autograd.grad(g[:, i].sum(), y, retain_graph=True)[0][:, i]
    score = g[:, :-1]
    return (g[:, -1] - x.shape[1] - torch.einsum("bi,bi->b", x + score, score) - lap).detach()


def reverse_step(x, score, dt, noise, eta=1.0):
    require(x.shape == score.shape and x.shape == noise.shape, "shapes")
    require(dt > 0 and 0 <= eta <= 1, "dt, eta")
    flow = x + score  # minus the velocity of the probability flow
    langevin = eta**2 * score * dt + math.sqrt(2 * eta**2 * dt) * noise  # keeps p_t
    return x + flow * dt + langevin


def _grid(times, increasing):
    times = torch.as_tensor(times).double()
    require(times.ndim == 1 and times.numel() >= 2, "times")
    steps = times[1:] - times[:-1]
    require(bool((steps > 0).all()) if increasing else bool((steps < 0).all()), "order of times")
    require(bool((times >= 0).all()), "negative times")
    return times


def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    grid = _grid(times, False)
    require(0 <= eta <= 1, "eta")
    out = x_T.new_empty(len(grid), *x_T.shape)
    out[0].copy_(x_T.detach())
    with torch.no_grad():
        for k, (t, s) in enumerate(zip(grid.tolist(), grid.tolist()[1:])):
            noise = torch.normal(0.0, 1.0, x_T.shape, generator=generator, dtype=x_T.dtype).to(x_T)
            score = score_fn(out[k], torch.tensor(t, dtype=x_T.dtype, device=x_T.device).repeat(len(x_T)))
            out[k + 1] = reverse_step(out[k], score, t - s, noise, eta=eta)
    return out


def flow_log_likelihood(score_fn, x, times):
    grid = _grid(times, True).tolist()
    d = x.shape[1]
    state = torch.cat([x.detach(), x.new_zeros(len(x), 1)], 1)  # position and integral

    def slope(state, t):
        now = state.new_full((len(state),), t)
        y = state[:, :d]
        v = (-y - score_fn(y, now)).detach()
        return torch.cat([v, divergence(lambda p: -p - score_fn(p, now), y).detach()[:, None]], 1)

    before = None
    for a, b in zip(grid, grid[1:]):
        h, f = b - a, slope(state, a)
        if before is None:
            state = state + h * (f + slope(state + h * f, b)) / 2
        else:
            g, previous = before
            r = h / previous
            state = state + h * ((1 + r / 2) * f - r / 2 * g)
        before = f, h
    prior = MultivariateNormal(state.new_zeros(d), torch.eye(d, dtype=state.dtype, device=state.device), validate_args=False)
    return prior.log_prob(state[:, :d]) + state[:, d], state[:, :d]


class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64, scale=1.0):
        super().__init__()
        self.W = nn.Parameter(torch.linspace(0.3, 2.0, hidden // 4) * scale, requires_grad=False)
        self.embed = nn.Linear(2 * (hidden // 4), hidden)
        self.inp = nn.Linear(dim, hidden)
        self.blocks = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(2))
        self.out = nn.Linear(hidden, dim)
        self.act = nn.SiLU()

    def forward(self, x, t):
        phase = torch.log(t)[:, None] * self.W
        e = self.act(self.embed(torch.cat([torch.sin(phase), torch.cos(phase)], -1)))
        h = self.inp(x)
        for block in self.blocks:
            h = h + block(self.act(h + e))
        return self.out(self.act(h)) / OU.variance(t).sqrt()[:, None]


def score_matching_loss(model, x0, t, noise):
    require(noise.shape == x0.shape, "noise")
    require(t.shape == x0.shape[:1], "t")
    alpha, sigma = OU.marginal(t, x0)
    perturbed = alpha * x0 + sigma * noise
    target = -noise / sigma
    return (sigma**2 * (model(perturbed, t) - target) ** 2).mean(dim=-1).mean()


def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    require(steps >= 1 and batch_size >= 1, "steps, batch_size")
    require(0 < t_min < t_max, "t_min, t_max")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    model.train()
    record = torch.zeros(steps)
    for step in range(steps):
        index = torch.multinomial(torch.ones(len(x)), batch_size, replacement=True, generator=generator)
        # one time in each of batch_size slices of the logarithm
        u = (torch.randperm(batch_size, generator=generator) + torch.rand(batch_size, generator=generator)) / batch_size
        t = (t_min * (t_max / t_min) ** u).to(x).clamp(t_min, t_max)
        optimizer.zero_grad()
        loss = score_matching_loss(model, x[index], t, torch.randn(batch_size, x.shape[1], generator=generator, dtype=x.dtype).to(x))
        loss.backward()
        optimizer.step()
        record[step] = loss.detach()
    return {"loss": record.tolist()}


def denoise(x_t, t, score):
    require(x_t.shape == score.shape, "score")
    alpha, sigma = OU.marginal(t, x_t)
    return x_t / alpha + sigma**2 / alpha * score


def wiener_filter(y, mean, covariance, sigma):
    d = y.shape[-1]
    require(mean.shape == (d,), "mean")
    require(covariance.shape == (d, d), "covariance")
    require(sigma > 0, "sigma")
    factor = torch.linalg.cholesky(covariance + sigma**2 * torch.eye(d, dtype=y.dtype, device=y.device))
    return mean + torch.cholesky_solve((y - mean).T, factor).T @ covariance
