# Differs: as short as can be, scalars made tensors, no early stop in Sinkhorn, target-to-source plan transposed, chains drawn coordinate by coordinate.
import torch


def err(bad, msg="bad arguments"):
    if bad:
        raise ValueError(msg)


def gaussian_mixture_log_prob(x, means, std, weights):
    err(x.shape[1] != means.shape[1] or len(weights) != len(means))
    s = torch.as_tensor(std, dtype=x.dtype, device=x.device)
    comp = torch.distributions.Normal(means[None], s).log_prob(x[:, None]).sum(-1)
    return (comp + weights.log()).logsumexp(1)


def gaussian_mixture_score(x, means, std, weights):
    err(x.shape[1] != means.shape[1] or len(weights) != len(means))
    d = (means - x[:, None]) / std  # B K d
    r = (weights.log() - d.pow(2).sum(-1) / 2).log_softmax(1).exp()
    return (r[..., None] * d).sum(1) / std


def langevin_step(x, score, step, noise):
    err(x.shape != score.shape or x.shape != noise.shape)
    h = torch.as_tensor(step, dtype=x.dtype, device=x.device)
    return x + h * score + (2 * h).sqrt() * noise


def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    err(n_steps < 1)
    xs = [x0]
    for _ in range(n_steps):
        z = torch.stack([torch.randn(len(x0), generator=generator, dtype=x0.dtype).to(x0) for _ in range(x0.shape[1])], 1)
        xs.append(langevin_step(xs[-1], score_fn(xs[-1]), step, z).detach())
    return torch.stack(xs)


def denoising_score_matching_loss(model, x, sigma, noise):
    err(x.shape != noise.shape)
    return ((model(x + sigma * noise) + noise / sigma) ** 2).sum() / x.numel()


def cost_matrix(x, y, p=2):
    err(x.shape[1] != y.shape[1])
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").pow(p)


def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    err(C.shape != (len(a), len(b)) or n_iterations < 1)
    K, v = -C / epsilon, b * 0
    for _ in range(n_iterations):
        u = a.log() - (K + v).logsumexp(1)
        v = b.log() - (K.T + u).logsumexp(1)
    P = (u[:, None] + K + v).exp()
    return P * (a / P.sum(1))[:, None]


def transport_cost(plan, C):
    err(plan.shape != C.shape)
    return (plan.T @ C).trace()


def wasserstein_1d(x, y, p=1):
    n, m = len(x), len(y)
    # the north-west corner rule on the sorted points is the optimal plan of the line
    cx, cy = torch.arange(n + 1, device=x.device) * m, torch.arange(m + 1, device=x.device) * n
    P = (torch.minimum(cx[1:, None], cy[1:]) - torch.maximum(cx[:-1, None], cy[:-1])).clamp(min=0).to(x) / (n * m)
    return (P * (x.sort()[0][:, None] - y.sort()[0]).abs() ** p).sum() ** (1 / p)


def barycentric_projection(plan, y):
    err(plan.shape[1] != len(y))
    return (plan @ y) / plan.sum(1)[:, None]


def displacement_interpolation(x, x_mapped, t):
    err(x.shape != x_mapped.shape or not 0 <= t <= 1)
    return x.lerp(x_mapped, t)


def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    n, m = len(x_source), len(x_target)
    u = lambda k: torch.full((k,), 1 / k, dtype=x_source.dtype, device=x_source.device)
    plan = sinkhorn(u(m), u(n), cost_matrix(x_target, x_source), epsilon).T
    T = barycentric_projection(plan, x_target)
    return langevin_sample(lambda x: score_fn(x) + ot_weight * (T - x), x_source, step, n_steps, generator)
