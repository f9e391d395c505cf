"""Other people's libraries: POT for plans, SciPy for densities, distances and assignments, nothing written by hand."""

import numpy as np
import ot
import torch
from scipy import stats
from scipy.spatial.distance import cdist
from scipy.special import logsumexp


def gaussian_mixture_log_prob(x, means, std, weights):
    laws = [stats.multivariate_normal(m.numpy(), std**2) for m in means]
    logs = np.stack([law.logpdf(x.numpy()).reshape(-1) for law in laws], 1)
    return torch.from_numpy(logsumexp(logs + np.log(weights.numpy()), axis=1))


def gaussian_mixture_score(x, means, std, weights):
    shifted = [x + 1e-5 * e for e in torch.eye(x.shape[1], dtype=x.dtype)]
    base = gaussian_mixture_log_prob(x, means, std, weights)
    return torch.stack([(gaussian_mixture_log_prob(y, means, std, weights) - base) / 1e-5 for y in shifted], 1)


def cost_matrix(x, y, p=2):
    return torch.from_numpy(cdist(x.numpy(), y.numpy()) ** p)


def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    return ot.sinkhorn(a, b, C, epsilon, method="sinkhorn_log", numItermax=n_iterations, stopThr=tolerance)


def transport_cost(plan, C):
    return torch.from_numpy(np.asarray(ot.emd2(plan.sum(1).numpy(), plan.sum(0).numpy(), C.numpy())))


def wasserstein_1d(x, y, p=1):
    return torch.as_tensor(ot.wasserstein_1d(x.numpy(), y.numpy(), p=p)) ** (1 / p)


def barycentric_projection(plan, y):
    transport = ot.da.SinkhornTransport()
    transport.coupling_, transport.xt_ = plan, y
    transport.xs_ = y.new_zeros(len(plan), y.shape[1])
    return transport.transform(transport.xs_)


def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    plan = ot.sinkhorn(ot.unif(len(x_source)), ot.unif(len(x_target)), ot.dist(x_source, x_target), epsilon)
    return torch.from_numpy(plan) @ x_target
