# Differs: everything as short as it gets; masses in the kernel, divergences as differences of means, a slow network of sigmoids.
import math
import torch
from torch import nn


def bad(x):
    raise ValueError(f"bad argument: {x}")


def schrodinger_coupling(x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    sigma > 0 or bad(sigma)
    x.shape[1] == y.shape[1] or bad("dimensions")
    a = x.new_ones(len(x)) / len(x) if a is None else a
    b = y.new_ones(len(y)) / len(y) if b is None else b
    (len(a), len(b)) == (len(x), len(y)) or bad("lengths")
    e = 2 * sigma**2
    L = a.log()[:, None] + b.log() - torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist") ** 2 / e
    f, g = 0 * a, 0 * b
    for _ in range(max(1, n_iterations)):
        g = g + b.log() - (L + f[:, None] + g).logsumexp(0)
        f = f + a.log() - (L + f[:, None] + g).logsumexp(1)
        P = (L + f[:, None] + g).exp()
        if (P.sum(0) - b).abs().sum() < tolerance:
            break
    return P, e * f, e * g


def sinkhorn_divergence(x, y, epsilon, n_iterations=1000, tolerance=1e-9):
    epsilon > 0 or bad(epsilon)
    OT = lambda *c: sum(
        v.mean() for v in schrodinger_coupling(*c, (epsilon / 2) ** 0.5, None, None, n_iterations, tolerance)[1:]
    )
    return OT(x, y) - (OT(x, x) + OT(y, y)) / 2


def penalised_step(x, score, y, step, weight, epsilon, noise):
    epsilon > 0 or bad(epsilon)
    T = lambda z: (P := schrodinger_coupling(x, z, (epsilon / 2) ** 0.5, n_iterations=3000)[0]) @ z / P.sum(1)[:, None]
    return x + step * (score + weight * (T(y) - T(x))) + math.sqrt(2 * step) * noise


def gaussian_bridge(mean0, cov0, mean1, cov1, sigma, t):
    sigma > 0 or bad(sigma)
    I = torch.eye(len(cov0)).to(cov0)
    w, V = torch.linalg.eig(cov0 @ cov1)
    K = ((V * ((4 * w.real + sigma**4).sqrt() - sigma**2) / 2) @ torch.linalg.inv(V)).real.to(cov0)
    return (1 - t) * mean0 + t * mean1, (1 - t) ** 2 * cov0 + t * t * cov1 + t * (1 - t) * (K + K.T + sigma**2 * I)


def col(t, x, top):
    t = torch.as_tensor(t).to(x).reshape(-1, 1)
    return t if (0 <= t).all() and (t <= top).all() else bad(t)


def bridge_interpolate(x0, x1, t, sigma, noise):
    t = col(t, x0, 1)
    return x0 * (1 - t) + x1 * t + sigma * (t - t**2).clamp_min(0) ** 0.5 * noise


def bridge_path(x0, x1, times, sigma, noise):
    noise.shape == (len(times), *x0.shape) or bad("noise")
    (times.diff() > 0).all() and times[0] >= 0 and times[-1] <= 1 or bad(times)
    x, s, out = x0, 0, []
    for t, z in zip(times, noise):
        q = (t - s) / (1 - s)
        out += [x := x * (1 - q) + q * x1 + sigma * (q * (1 - t)).sqrt() * z]
        s = t
    return torch.stack(out)


def sample_coupling(plan, n, generator=None):
    k = torch.multinomial(plan.reshape(-1) / plan.sum(), n, True, generator=generator)
    return k // plan.shape[1], k % plan.shape[1]


NEARLY_ONE = 1 - 1e-7


def bridge_drift(x, t, y, b, g, sigma):
    r = 1 - col(t, x, NEARLY_ONE)
    w = (b.log() + g / 2 / sigma**2 - ((x[:, None] - y) ** 2).sum(2) / (2 * sigma**2 * r)).softmax(1)
    return (w @ y - x) / r


def simulate_bridge(drift_fn, x0, sigma, noise):
    n, way = len(noise), [x0]
    with torch.no_grad():
        for k in range(n):
            way += [way[-1] + drift_fn(way[-1], k / n) / n + sigma * noise[k] / math.sqrt(n)]
    return torch.stack(way)


class EndpointNet(nn.Module):
    def __init__(self, dim, hidden=128):
        super().__init__()
        self.f = nn.Sequential(
            nn.Linear(dim + 1, hidden), nn.Sigmoid(), nn.Linear(hidden, hidden), nn.Sigmoid(), nn.Linear(hidden, dim)
        )

    def forward(self, x, t):
        return self.f(torch.cat([x, t.to(x)[:, None] - 0.5], 1))


def endpoint_loss(model, x0, x1, t, sigma, noise):
    return (model(bridge_interpolate(x0, x1, t, sigma, noise), t) - x1).pow(2).mean()


def endpoint_drift(model, x, t):
    t = col(t, x, NEARLY_ONE).expand(len(x), 1)
    return (model(x, t.flatten()) - x) / (1 - t)


def train_bridge(model, x, y, plan, sigma, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    plan.shape == (len(x), len(y)) or bad("plan")
    opt, h = torch.optim.Adam(model.parameters(), lr=lr), []
    for _ in range(steps):
        i, j = sample_coupling(plan, batch_size, generator)
        t, z = torch.rand(batch_size, generator=generator).to(x), torch.randn(x[i].shape, generator=generator).to(x)
        opt.zero_grad()
        (loss := endpoint_loss(model, x[i], y[j], t, sigma, z)).backward()
        opt.step()
        h.append(float(loss))
    return {"loss": h}


def neighbours_kept(x, mapped, k):
    len(x) == len(mapped) and 1 <= k < len(x) or bad(k)
    A, B = (torch.cdist(c, c).fill_diagonal_(torch.inf).topk(k, largest=False).indices for c in (x, mapped))
    return sum(len({*p} & {*q}) for p, q in zip(A.tolist(), B.tolist())) / k / len(x)
