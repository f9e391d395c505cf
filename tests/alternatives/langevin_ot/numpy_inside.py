# Differs: NumPy does the work, tensors only at the door; noise for all steps drawn at once.
import numpy as np
import torch


def _np(t):
    return t.detach().cpu().numpy()


def cdist(X, Y):
    return np.sqrt(squared(X, Y))


def squared(X, Y):
    return ((X[:, None] - Y[None]) ** 2).sum(-1)


def logsumexp(a, axis):
    top = a.max(axis, keepdims=True)
    return (top + np.log(np.exp(a - top).sum(axis, keepdims=True))).squeeze(axis)


def softmax(a, axis):
    return np.exp(a - np.expand_dims(logsumexp(a, axis), axis))


def _back(array, like):
    return torch.from_numpy(np.ascontiguousarray(array)).to(like)


def _log_joint(x, means, std, weights):
    if x.ndim != 2 or means.ndim != 2 or x.shape[1] != means.shape[1]:
        raise ValueError(f"x {tuple(x.shape)} and means {tuple(means.shape)} do not fit")
    if tuple(weights.shape) != (means.shape[0],):
        raise ValueError(f"weights: got {tuple(weights.shape)}")
    X, M = _np(x).astype(np.float64), _np(means).astype(np.float64)
    d = X.shape[1]
    return X, M, np.log(_np(weights))[None] - squared(X, M) / (2 * std * std) - d * np.log(
        np.sqrt(2 * np.pi) * std
    )


def gaussian_mixture_log_prob(x, means, std, weights):
    return _back(logsumexp(_log_joint(x, means, std, weights)[2], axis=1), x)


def gaussian_mixture_score(x, means, std, weights):
    X, M, joint = _log_joint(x, means, std, weights)
    r = softmax(joint, axis=1)
    return _back(np.einsum("bk,bkd->bd", r, M[None] - X[:, None]) / std**2, x)


def langevin_step(x, score, step, noise):
    for name, other in (("score", score), ("noise", noise)):
        if other.shape != x.shape:
            raise ValueError(f"{name}: expected {tuple(x.shape)}, got {tuple(other.shape)}")
    return _back(_np(x) + step * _np(score) + np.sqrt(2 * step) * _np(noise), x)


def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    if n_steps < 1:
        raise ValueError(f"n_steps: got {n_steps}")
    noise = torch.randn((n_steps, *x0.shape), generator=generator, dtype=x0.dtype).to(x0)
    path = [x0]
    with torch.no_grad():
        for k in range(n_steps):
            path.append(langevin_step(path[-1], score_fn(path[-1]), step, noise[k]))
    return torch.stack(path)


def denoising_score_matching_loss(model, x, sigma, noise):
    if x.shape != noise.shape:
        raise ValueError("noise: wrong shape")
    return torch.nn.functional.mse_loss(model(x + sigma * noise), -noise / sigma)


def cost_matrix(x, y, p=2):
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("x and y: dimensions differ")
    return _back(cdist(_np(x), _np(y)) ** p, x)


def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.shape != (a.shape[0], b.shape[0]):
        raise ValueError("C: wrong shape")
    if n_iterations < 1:
        raise ValueError("n_iterations: below 1")
    A, B, K = _np(a).astype(np.float64), _np(b).astype(np.float64), -_np(C).astype(np.float64) / epsilon
    u, v = np.zeros_like(A), np.zeros_like(B)
    for _ in range(n_iterations):
        z = K + v
        top = z.max(1)
        rows = top + np.log(np.exp(z - top[:, None]).sum(1))  # log-sum-exp of each row
        if np.abs(np.exp(u + rows) - A).sum() < tolerance:
            break
        u = np.log(A) - rows
        z = K + u[:, None]
        top = z.max(0)
        v = np.log(B) - top - np.log(np.exp(z - top).sum(0))
    return _back(np.exp(u[:, None] + K + v), C)


def transport_cost(plan, C):
    if plan.shape != C.shape:
        raise ValueError("plan and C: shapes differ")
    return torch.as_tensor(np.vdot(_np(plan), _np(C)), dtype=plan.dtype, device=plan.device)


def wasserstein_1d(x, y, p=1):
    X, Y = np.sort(_np(x).astype(np.float64)), np.sort(_np(y).astype(np.float64))
    n, m = len(X), len(Y)
    # repeat to a common multiple
    k = np.lcm(n, m)
    return torch.tensor(np.mean(np.abs(np.repeat(X, k // n) - np.repeat(Y, k // m)) ** p) ** (1 / p), dtype=x.dtype, device=x.device)


def barycentric_projection(plan, y):
    P, Y = _np(plan), _np(y)
    if P.shape[1] != Y.shape[0]:
        raise ValueError("plan and y do not fit")
    return _back((P / P.sum(1, keepdims=True)) @ Y, y)


def displacement_interpolation(x, x_mapped, t):
    if x.shape != x_mapped.shape:
        raise ValueError("shapes differ")
    if not 0.0 <= float(t) <= 1.0:
        raise ValueError("t outside [0, 1]")
    return torch.lerp(x, x_mapped, float(t))


def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    n, m = x_source.shape[0], x_target.shape[0]
    C = cost_matrix(x_source, x_target, 2)
    P = sinkhorn(torch.ones(n, dtype=C.dtype, device=C.device) / n, torch.ones(m, dtype=C.dtype, device=C.device) / m, C, epsilon)
    T = barycentric_projection(P, x_target)
    return langevin_sample(lambda x: score_fn(x) + ot_weight * (T - x), x_source, step, n_steps, generator=generator)
