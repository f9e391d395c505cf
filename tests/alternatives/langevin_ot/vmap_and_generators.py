# Differs: vmap of functions of one point, soft c-transforms that stop when the potentials do, a generator of frames, optional arguments of its own.
import math
from functools import partial
import torch
from torch.func import grad, vmap
def check_same(**kw):
    shapes = {k: tuple(v.shape) for k, v in kw.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError("shapes differ: " + str(shapes))

class MixtureLaw:
    """p(x) as an object"""
    def __init__(self, means, std, weights):
        if weights.ndim != 1 or weights.shape[0] != means.shape[0]:
            raise ValueError(f"weights {tuple(weights.shape)} for means {tuple(means.shape)}")
        self.m, self.s = means, float(std)
        self.logw = torch.log_softmax(torch.log(weights), 0)
        self.d = means.shape[1]
    def logp_one(self, x):
        q = ((x - self.m) / self.s).pow(2).sum(-1)
        return torch.logsumexp(self.logw - 0.5 * q, 0) - self.d * math.log(self.s * math.sqrt(2 * math.pi))
    def __call__(self, x):
        if x.shape[-1] != self.d:
            raise ValueError(f"x has dimension {x.shape[-1]}, means {self.d}")
        return vmap(self.logp_one)(x)
    def score(self, x):
        if x.shape[-1] != self.d:
            raise ValueError(f"x has dimension {x.shape[-1]}, means {self.d}")
        return vmap(grad(self.logp_one))(x)

def gaussian_mixture_log_prob(x, means, std, weights, verbose=False):
    if verbose: print("log prob of", x.shape)
    return MixtureLaw(means, std, weights)(x)

def gaussian_mixture_score(x, means, std, weights, verbose=False):
    return MixtureLaw(means, std, weights).score(x)
def langevin_step(x, score, step, noise):
    check_same(x=x, score=score, noise=noise)
    return torch.addcmul(x + step * score, noise, torch.full_like(noise, math.sqrt(2 * step)))

def langevin_sample(score_fn, x0, step, n_steps, generator=None, keep_every=1):
    if int(n_steps) < 1:
        raise ValueError("n_steps = %r" % n_steps)
    gen = generator if generator is not None else torch.default_generator
    def chain():
        x = x0.detach()
        yield x
        for _ in range(n_steps):
            with torch.no_grad():
                s = torch.as_tensor(score_fn(x))
            noise = torch.normal(0.0, 1.0, size=tuple(x.shape), generator=gen, dtype=x.dtype).to(x)
            x = langevin_step(x, s, step, noise)
            yield x
    return torch.stack(list(chain()))

def denoising_score_matching_loss(model, x, sigma, noise):
    check_same(x=x, noise=noise)
    x_noisy = x + sigma * noise
    target = -noise / sigma
    return torch.nn.MSELoss()(model(x_noisy), target)
def cost_matrix(x, y, p=2.0):
    if x.shape[1] != y.shape[1]:
        raise ValueError("dims")
    return vmap(lambda u: vmap(lambda v: (u - v).square().sum())(y))(x) ** (p / 2)

def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9, warm=None):
    n, m = a.shape[0], b.shape[0]
    if tuple(C.shape) != (n, m):
        raise ValueError("C must be of shape %s" % ((n, m),))
    if n_iterations < 1:
        raise ValueError("n_iterations")
    f = torch.zeros(n, dtype=C.dtype, device=C.device)
    g = torch.zeros(m, dtype=C.dtype, device=C.device)
    it = 0
    while it < n_iterations:
        old = f
        # soft c-transforms
        f = -epsilon * torch.logsumexp(b.log()[None] + (g[None] - C) / epsilon, 1)
        g = -epsilon * torch.logsumexp(a.log()[:, None] + (f[:, None] - C) / epsilon, 0)
        it += 1
        if torch.max(torch.abs(f - old)) <= tolerance * epsilon:
            break
    return a[:, None] * b[None] * torch.exp((f[:, None] + g[None] - C) / epsilon)

def transport_cost(plan, C):
    check_same(plan=plan, C=C)
    return torch.mul(plan, C).sum(dim=(0, 1))

def wasserstein_1d(x, y, p=1):
    if x.dim() != 1 or y.dim() != 1:
        raise ValueError("x and y must be 1-D")
    n, m = len(x), len(y)
    x, _ = x.sort(); y, _ = y.sort()
    k = math.lcm(n, m)
    d = (x.repeat_interleave(k // n) - y.repeat_interleave(k // m)).abs()
    return torch.linalg.vector_norm(d, ord=p) / k ** (1 / p)

def barycentric_projection(plan, y):
    if plan.shape[1] != y.shape[0]:
        raise ValueError("plan.shape[1] != len(y)")
    return vmap(lambda row: (row[:, None] * y).sum(0) / row.sum())(plan)

def displacement_interpolation(x, x_mapped, t):
    check_same(x=x, x_mapped=x_mapped)
    assert_t = float(t)
    if not (0 <= assert_t <= 1):
        raise ValueError(f"t={t}")
    return x - t * (x - x_mapped)

def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None, verbose=False):
    if x_source.shape[1] != x_target.shape[1]:
        raise ValueError("dims")
    if n_steps < 1:
        raise ValueError("n_steps")
    n, m = len(x_source), len(x_target)
    ones = partial(torch.ones, dtype=x_source.dtype)
    P = sinkhorn(ones(n).to(x_source) / n, ones(m).to(x_source) / m, cost_matrix(x_source, x_target), epsilon)
    dest = barycentric_projection(P, x_target)
    def drift(x):
        return score_fn(x) + ot_weight * (dest - x)
    return langevin_sample(drift, x_source, step, n_steps, generator)
