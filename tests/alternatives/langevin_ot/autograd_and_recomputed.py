# Differs: score by autograd of torch.distributions, transport found again at every step, potentials warm-started from the last ones, cdist.
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal


def _law(x, means, std, weights):
    if x.shape[-1] != means.shape[-1]:
        raise ValueError("x and means must have the same last dimension")
    if weights.shape[0] != means.shape[0]:
        raise ValueError("weights must have one entry per mean")
    return MixtureSameFamily(Categorical(probs=weights), Independent(Normal(means, std * torch.ones_like(means)), 1))


def gaussian_mixture_log_prob(x, means, std, weights):
    return _law(x, means, std, weights).log_prob(x)


def gaussian_mixture_score(x, means, std, weights):
    with torch.enable_grad():
        z = x.detach().clone().requires_grad_(True)
        log_prob = _law(z, means.detach(), std, weights.detach()).log_prob(z)
        return torch.autograd.grad(log_prob.sum(), z)[0]


def langevin_step(x, score, step, noise):
    if score.shape != x.shape or noise.shape != x.shape:
        raise ValueError("x, score and noise must have the same shape")
    return torch.add(x + step * score, noise, alpha=(2.0 * step) ** 0.5)


@torch.no_grad()
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    out = [x0.clone()]
    for _ in range(n_steps):
        x = out[-1]
        out.append(langevin_step(x, score_fn(x), step, torch.randn(x.shape, dtype=x.dtype, generator=generator).to(x)))
    return torch.stack(out, dim=0)


def denoising_score_matching_loss(model, x, sigma, noise):
    if noise.shape != x.shape:
        raise ValueError("noise must have the shape of x")
    difference = sigma * model(x + sigma * noise) + noise
    return difference.pow(2).mean() / sigma**2


def cost_matrix(x, y, p=2):
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("x and y must have the same last dimension")
    return torch.cdist(x, y) ** p


def _potentials(log_a, log_b, C, epsilon, n_iterations, tolerance, g):
    for _ in range(n_iterations):
        f = epsilon * (log_a - torch.logsumexp((g - C) / epsilon, dim=1))
        new = epsilon * (log_b - torch.logsumexp((f.unsqueeze(1) - C) / epsilon, dim=0))
        # columns of the plan before this update: b exp((g - new) / epsilon)
        error = (log_b.exp() * ((g - new) / epsilon).exp() - log_b.exp()).abs().sum()
        g = new
        if error <= tolerance:
            break
    return f, g


def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.dim() != 2 or C.shape[0] != a.shape[0] or C.shape[1] != b.shape[0]:
        raise ValueError("C must be (n, m)")
    if n_iterations < 1:
        raise ValueError("n_iterations must be at least 1")
    f, g = _potentials(a.log(), b.log(), C, epsilon, n_iterations, tolerance, torch.zeros_like(b))
    return torch.exp((f[:, None] + g - C) / epsilon)


def transport_cost(plan, C):
    if plan.shape != C.shape:
        raise ValueError("plan and C must have the same shape")
    return torch.einsum("ij,ij->", plan, C)


def wasserstein_1d(x, y, p=1):
    n, m = x.numel(), y.numel()
    grid = torch.cat([torch.arange(n + 1).double() / n, torch.arange(m + 1).double() / m]).sort().values.to(x.device)
    middle, width = (grid[1:] + grid[:-1]) / 2, grid[1:] - grid[:-1]
    xq = x.sort().values[(middle * n).long().clamp(max=n - 1)]
    yq = y.sort().values[(middle * m).long().clamp(max=m - 1)]
    return ((xq - yq).abs() ** p * width.to(x)).sum() ** (1.0 / p)


def barycentric_projection(plan, y):
    if plan.shape[-1] != y.shape[0]:
        raise ValueError("plan must have one column per row of y")
    return torch.einsum("nm,md->nd", plan, y) / torch.einsum("nm->n", plan)[:, None]


def displacement_interpolation(x, x_mapped, t):
    if x.shape != x_mapped.shape:
        raise ValueError("x and x_mapped must have the same shape")
    if t < 0 or t > 1:
        raise ValueError("t must be in [0, 1]")
    return (1 - t) * x + t * x_mapped


@torch.no_grad()
def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    if x_source.shape[1] != x_target.shape[1]:
        raise ValueError("x_source and x_target must have the same dimension")
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    n, m = x_source.shape[0], x_target.shape[0]
    log_a = torch.full((n,), 1 / n, dtype=x_source.dtype, device=x_source.device).log()
    log_b = torch.full((m,), 1 / m, dtype=x_source.dtype, device=x_source.device).log()
    g = torch.zeros(m, dtype=x_source.dtype, device=x_source.device)
    x, out = x_source, [x_source]
    for _ in range(n_steps):
        drift = score_fn(x)
        if ot_weight > 0:
            C = cost_matrix(x, x_target)
            f, g = _potentials(log_a, log_b, C, epsilon, 1000, 1e-7, g)
            plan = torch.exp((f[:, None] + g - C) / epsilon)
            drift = drift + ot_weight * (barycentric_projection(plan, x_target) - x)
        noise = torch.randn(x.shape, dtype=x.dtype, generator=generator).to(x)
        x = langevin_step(x, drift, step, noise)
        out.append(x)
    return torch.stack(out)
