# %% [markdown]
# # Schrödinger bridges and style transfer
#
# A particle is seen at time 0 and again at time 1. What did it do in between? If nothing is known but that it
# diffuses, the answer is a *Brownian bridge*. Schrödinger (1931) asked the same of a whole cloud: at time 0 it has one
# law, at time 1 another one that diffusion alone would hardly give. Which particle ended where, and on which way? The
# most likely answer is entropic optimal transport for the pairs, and a Brownian bridge for each pair. With it a
# cloud of digits becomes a cloud of garments, each digit the garment that suits it: *style transfer* between two sets
# of images of which nobody ever saw a pair.
#
# **Sources.** Course slides of module 5 (S3): Schrödinger bridge, Sinkhorn, reverse dynamics with a Wasserstein
# penalty, style transfer from MNIST to Fashion-MNIST. E. Schrödinger, *Über die Umkehrung der Naturgesetze* (1931). C.
# Léonard, *A survey of the Schrödinger problem and some of its connections with optimal transport* (2014). G. Peyré
# and M. Cuturi, *Computational optimal transport* (2019). J. Feydy et al., *Interpolating between optimal transport
# and MMD using Sinkhorn divergences* (2019). C. Bunne, Y.-P. Hsieh, M. Cuturi and A. Krause, *The Schrödinger bridge
# between Gaussian measures has a closed form* (2023). V. De Bortoli et al., *Diffusion Schrödinger bridge* (2021). Y.
# Shi et al., *Diffusion Schrödinger bridge matching* (2023).
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments. Tensors in,
# tensors out, with the dtype and the device of the input, which stays unchanged. A function that takes `noise` uses it
# as it is; one that draws takes a `generator`, and nobody seeds the global one. The file must import without computing
# anything.
#
# **How it is judged** ({points} points). Nearly everything is checked by itself, in float64, on clouds drawn afresh
# for you: the coupling ({points:coupling_*}), the divergence and the penalty ({points:divergence_value,penalised_*}),
# the Gaussian bridge ({points:gaussian_bridge}), bridges between two points ({points:bridge_interpolate,path_*}),
# pairs ({points:pairs_law}), the drift and its simulation ({points:drift_*,euler_*,ends_hit}), the network and its
# loss ({points:network,loss_*,endpoint_drift}), its training ({points:training}), neighbours ({points:neighbours}),
# form and refusals ({points:conventions}; of a function only where its values are right), the quiz ({points:quiz}).
# What is random is judged by its law, with tests that a correct solution fails less than once in 100,000 times (where
# the trained bridge ends: once in 1,000).
#
# **The training that is judged.** Your `EndpointNet(dim={judged:training.DIM}, hidden={judged:training.HIDDEN})` on
# {judged:training.POINTS} digits and as many garments of 14 × 14 pixels in a common space of
# {judged:training.DIM} dimensions, turned by a rotation drawn for you, with σ = {judged:training.SIGMA} and
# `{judged:training.FIT}`. What the training leaves in the weights is judged, in a new network that is given them. Use
# Adam: the limits were measured with it.

# %%
from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

# %% [markdown]
# ## 1. Pairs: Schrödinger's static problem
#
# There is one reference everywhere in this exercise: Brownian motion with the noise $\sigma$,
#
# $$dX = \sigma\, dW, \qquad t \in [0, 1],$$
#
# started from the source's law. Let $x_1, \dots, x_n$ be the source with masses $a$, and $y_1, \dots, y_m$ the target
# with masses $b$. A particle that diffuses from $x_i$ comes near $y_j$ with a density proportional to
# $e^{-\|x_i - y_j\|^2 / 2\sigma^2}$; so the law of the two ends under the reference is
# $R_{ij} \propto a_i\, e^{-C_{ij} / 2\sigma^2}$ with $C_{ij} = \|x_i - y_j\|^2$, squared and unscaled. Its column sums
# are not $b$. Schrödinger's answer is the coupling nearest to it whose ends are right,
#
# $$\min_{P :\ P 1 = a,\ P^\top 1 = b}\ \mathrm{KL}(P \,\|\, R) .$$
#
# Write the logarithm out: up to a constant, this is $\frac{1}{\varepsilon} \langle P, C\rangle + \mathrm{KL}(P \,\|\, a
# \otimes b)$ with
#
# $$\varepsilon = 2 \sigma^2 ,$$
#
# which is entropic optimal transport, and Sinkhorn's algorithm solves it. The solution has the form
#
# $$P_{ij} = a_i\, b_j \exp\Big(\frac{f_i + g_j - C_{ij}}{\varepsilon}\Big),$$
#
# with *potentials* $f$, $g$ in the units of $C$, **relative to $a \otimes b$**: the masses stand in front of the
# exponential, not in the potentials. Both sums of $P$ are right when
#
# $$f_i = -\varepsilon \log \sum_j b_j\, e^{(g_j - C_{ij}) / \varepsilon}, \qquad
# g_j = -\varepsilon \log \sum_i a_i\, e^{(f_i - C_{ij}) / \varepsilon},$$
#
# and Sinkhorn's algorithm alternates between the two lines. Adding $k$ to $f$ and taking it from $g$ changes nothing:
# only $f_i + g_j$ means something. Large $\sigma$: particles forget where they came from, $P \to a \otimes b$. Small
# $\sigma$: they go no farther than they must, and $P$ is exact transport. There every $e^{-C/\varepsilon}$ is 0 in
# floating point; work with logarithms (`torch.logsumexp`) throughout.
#
# The algorithm stops when the marginals are right, $\sum_i |(P 1)_i - a_i| + \sum_j |(P^\top 1)_j - b_j| \le$
# `tolerance`, or after `n_iterations` pairs of updates. Small $\sigma$ need many: the checks pass 20,000 there.


# %%
def schrodinger_coupling(
    x: Tensor,
    y: Tensor,
    sigma: float,
    a: Tensor | None = None,
    b: Tensor | None = None,
    n_iterations: int = 1000,
    tolerance: float = 1e-9,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Schrödinger's coupling of two clouds, and its potentials.

    $P_{ij} = a_i b_j \exp((f_i + g_j - C_{ij}) / 2\sigma^2)$, $C_{ij} = \|x_i - y_j\|^2$, with the marginals a and b.

    Arguments:
        x: source, (n, d).
        y: target, (m, d).
        sigma: noise of the reference, > 0.
        a: masses of the source, (n,), positive, sum 1; uniform where None.
        b: masses of the target, (m,), positive, sum 1; uniform where None.
        n_iterations: at most so many pairs of updates.
        tolerance: stop once the L1 error of the marginals is below it.

    Returns:
        Plan (n, m), f (n,), g (m,); the potentials in the units of C, up to a constant (f + k, g - k).

    Raises:
        ValueError: if sigma is not positive, the dimensions of x and y differ, or a or b has another length.

    Source: course slides (S3), Schrödinger bridge; Léonard (2014); Peyré and Cuturi (2019), sections 4.2 to 4.4.
    """
    ### BEGIN SOLUTION
    if not sigma > 0:
        raise ValueError(f"sigma must be positive, got {sigma}")
    if x.dim() != 2 or y.dim() != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"x and y must be (n, d) and (m, d), got {tuple(x.shape)} and {tuple(y.shape)}")
    n, m = len(x), len(y)
    a = x.new_full((n,), 1 / n) if a is None else a
    b = x.new_full((m,), 1 / m) if b is None else b
    if a.shape != (n,) or b.shape != (m,):
        raise ValueError(f"a and b must be ({n},) and ({m},), got {tuple(a.shape)} and {tuple(b.shape)}")
    epsilon = 2 * sigma**2
    scaled = -(x[:, None] - y).square().sum(dim=-1) / epsilon  # (n, m): -C / ε; f and g are kept over ε, too
    log_a, log_b = a.log(), b.log()
    rows = torch.logsumexp(log_b + scaled, dim=1)  # (n,), of g = 0
    for _ in range(n_iterations):
        f = -rows
        g = -torch.logsumexp((log_a + f)[:, None] + scaled, dim=0)  # (m,): the columns are right now
        rows = torch.logsumexp(log_b + g + scaled, dim=1)
        error = (a * ((f + rows).exp() - 1)).abs().sum()  # of the rows: their sums are a exp(f + rows)
        if error <= tolerance:
            break
    plan = torch.exp((log_a + f)[:, None] + (log_b + g) + scaled)
    return plan, epsilon * f, epsilon * g
    ### END SOLUTION


# %% [markdown]
# ## 2. A distance to follow: the Sinkhorn divergence
#
# The least value of the entropic problem, entropy included, is
#
# $$\mathrm{OT}_\varepsilon(x, y) = \min_P \langle P, C \rangle + \varepsilon\, \mathrm{KL}(P \,\|\, a \otimes b)
# = \langle a, f\rangle + \langle b, g \rangle .$$
#
# As a distance it has a fault: $\mathrm{OT}_\varepsilon(x, x) > 0$, and the cloud nearest to $y$ is not $y$ but a
# shrunken one. Feydy et al. (2019) take the fault off,
#
# $$S_\varepsilon(x, y) = \mathrm{OT}_\varepsilon(x, y) - \tfrac12 \mathrm{OT}_\varepsilon(x, x) - \tfrac12
# \mathrm{OT}_\varepsilon(y, y),$$
#
# which is 0 at $y = x$ and positive elsewhere. Here all masses are uniform, the cost is squared, and there is no root.
#
# **Its gradient.** By the envelope theorem $\mathrm{OT}_\varepsilon$ is differentiated with the plan held fixed. With
# the barycentric projections $T_{xy}(x_i) = n \sum_j P^{xy}_{ij} y_j$ of the plan from $x$ to $y$, and $T_{xx}$ of the
# plan from $x$ to itself,
#
# $$-\frac n2\, \nabla_{x_i} S_\varepsilon(x, y) = T_{xy}(x_i) - T_{xx}(x_i).$$
#
# Each point is pulled to where the target wants it, and pushed away from where its own cloud is dense.
#
# **Langevin dynamics with a Wasserstein penalty.** Reverse dynamics follow a score $s$ and add noise. To guide the
# cloud to a target, $\frac n2\, \lambda\, S_\varepsilon(x, y)$ is added to its energy: with the step $h$ and
# $\lambda$ = `weight`,
#
# $$x \leftarrow x + h \Big( s(x) + \lambda\, \big(T_{xy}(x) - T_{xx}(x)\big) \Big) + \sqrt{2h}\; \xi .$$
#
# This is the pull of `langevin_ot`'s `morph`, debiased. $\mathrm{OT}_\varepsilon(x, x)$ converges slowly for small
# $\varepsilon$; give it at least 1,000 iterations.


# %%
def sinkhorn_divergence(
    x: Tensor, y: Tensor, epsilon: float, n_iterations: int = 1000, tolerance: float = 1e-9
) -> Tensor:
    r"""Debiased entropic transport cost $S_\varepsilon(x, y)$.

    $\mathrm{OT}_\varepsilon(x, y) - \frac12 \mathrm{OT}_\varepsilon(x, x) - \frac12 \mathrm{OT}_\varepsilon(y, y)$.

    Uniform masses, squared distances, entropy included, no root.

    Arguments:
        x: (n, d).
        y: (m, d).
        epsilon: weight of the entropy, > 0, in the units of the squared distance.
        n_iterations: at most so many pairs of updates for each of the three plans.
        tolerance: L1 error of the marginals of each plan.

    Returns:
        Scalar; 0 at y = x.

    Raises:
        ValueError: if epsilon is not positive, or the dimensions of x and y differ.

    Source: Feydy et al. (2019), equation 3; course slides (S3), Sinkhorn.
    """
    ### BEGIN SOLUTION
    if not epsilon > 0:
        raise ValueError(f"epsilon must be positive, got {epsilon}")

    def cost(u: Tensor, v: Tensor) -> Tensor:
        _, f, g = schrodinger_coupling(u, v, math.sqrt(epsilon / 2), None, None, n_iterations, tolerance)
        return f.mean() + g.mean()

    return cost(x, y) - 0.5 * cost(x, x) - 0.5 * cost(y, y)
    ### END SOLUTION


def penalised_step(
    x: Tensor, score: Tensor, y: Tensor, step: float, weight: float, epsilon: float, noise: Tensor
) -> Tensor:
    r"""One step of Langevin dynamics whose energy is penalised by the Sinkhorn divergence to a target.

    $x + h\,(s + \lambda\,(T_{xy}(x) - T_{xx}(x))) + \sqrt{2h}\,\xi$; uniform masses.

    Arguments:
        x: cloud, (n, d).
        score: score at these points, (n, d).
        y: target, (m, d).
        step: h > 0.
        weight: λ ≥ 0; 0 is plain Langevin dynamics.
        epsilon: weight of the entropy in both plans, > 0; give them at least 1,000 iterations.
        noise: standard normal, (n, d).

    Returns:
        The new cloud, (n, d).

    Raises:
        ValueError: if epsilon is not positive, or dimensions or lengths differ.

    Source: course slides (S3), reverse dynamics with a Wasserstein penalty; Feydy et al. (2019).
    """
    ### BEGIN SOLUTION
    if not epsilon > 0:
        raise ValueError(f"epsilon must be positive, got {epsilon}")
    if x.shape != score.shape or x.shape != noise.shape:
        got = f"{tuple(x.shape)}, {tuple(score.shape)} and {tuple(noise.shape)}"
        raise ValueError(f"x, score and noise must have one shape, got {got}")
    sigma = math.sqrt(epsilon / 2)
    to_target = schrodinger_coupling(x, y, sigma)[0]  # (n, m)
    to_itself = schrodinger_coupling(x, x, sigma)[0]  # (n, n)
    pull = len(x) * (to_target @ y - to_itself @ x)  # (n, d)
    return x + step * (score + weight * pull) + math.sqrt(2 * step) * noise
    ### END SOLUTION


# %% [markdown]
# ## 3. The bridge of two Gaussians
#
# Between $\mathcal N(m_0, \Sigma_0)$ and $\mathcal N(m_1, \Sigma_1)$ everything is Gaussian. The coupling of the ends
# has a cross-covariance $K = \mathrm{Cov}(X_0, X_1)$, and because its density is that of $R$ times a function of $x_0$
# times a function of $x_1$, the off-diagonal block of the joint *precision* is the reference's, $-I / \sigma^2$. The
# solution is
#
# $$K = \tfrac12 \Big( (4\, \Sigma_0 \Sigma_1 + \sigma^4 I)^{1/2} - \sigma^2 I \Big),$$
#
# with the root that has positive eigenvalues. $\Sigma_0 \Sigma_1$ is symmetric only where the two commute; in general
# neither it nor $K$ is. It has real positive eigenvalues all the same: $\Sigma_0 \Sigma_1 = \Sigma_0^{1/2}\,
# (\Sigma_0^{1/2} \Sigma_1 \Sigma_0^{1/2})\, \Sigma_0^{-1/2}$, and what stands in the middle is symmetric.
#
# In between, $X_t = (1-t) X_0 + t X_1 + \sigma \sqrt{t(1-t)}\, \xi$. Its mean is $(1-t)\, m_0 + t\, m_1$, its
# covariance
#
# $$\Sigma_t = (1-t)^2\, \Sigma_0 + t^2\, \Sigma_1 + t (1-t) \big( K + K^\top + \sigma^2 I \big).$$
#
# As $\sigma \to 0$ this is McCann's interpolation, a geodesic of the Bures distance between covariances.


# %%
def gaussian_bridge(
    mean0: Tensor, cov0: Tensor, mean1: Tensor, cov1: Tensor, sigma: float, t: float
) -> tuple[Tensor, Tensor]:
    r"""Mean and covariance at time t of the Schrödinger bridge between two Gaussians.

    Arguments:
        mean0, mean1: (d,).
        cov0, cov1: (d, d), positive definite.
        sigma: noise of the reference, > 0.
        t: time in [0, 1].

    Returns:
        Mean (d,) and covariance (d, d).

    Raises:
        ValueError: if sigma is not positive, or the dimensions differ.

    Source: Bunne et al. (2023), theorem 3.
    """
    ### BEGIN SOLUTION
    if not sigma > 0:
        raise ValueError(f"sigma must be positive, got {sigma}")
    d = len(mean0)
    if mean1.shape != (d,) or cov0.shape != (d, d) or cov1.shape != (d, d):
        got = f"{tuple(mean1.shape)}, {tuple(cov0.shape)} and {tuple(cov1.shape)}"
        raise ValueError(f"mean1, cov0 and cov1 must be ({d},), ({d}, {d}) and ({d}, {d}), got {got}")
    eye = torch.eye(d, dtype=cov0.dtype, device=cov0.device)
    values, vectors = torch.linalg.eigh(cov0)
    root = vectors * values.sqrt() @ vectors.mT  # Σ0^{1/2}
    inverse = vectors / values.sqrt() @ vectors.mT
    values, vectors = torch.linalg.eigh(4 * root @ cov1 @ root + sigma**4 * eye)
    cross = 0.5 * (root @ (vectors * values.sqrt() @ vectors.mT) @ inverse - sigma**2 * eye)
    covariance = (1 - t) ** 2 * cov0 + t**2 * cov1 + t * (1 - t) * (cross + cross.mT + sigma**2 * eye)
    return (1 - t) * mean0 + t * mean1, covariance
    ### END SOLUTION


# %% [markdown]
# ## 4. Bridges between two points
#
# Given the ends, the reference is a Brownian bridge. At one time it is Gaussian,
#
# $$X_t = (1 - t)\, x_0 + t\, x_1 + \sigma \sqrt{t (1 - t)}\; \xi ,$$
#
# and at two times $s \le t$ its coordinates have the covariance $\sigma^2 s (1 - t)$: a *path* is more than independent
# draws at each time. From the point $x$ at time $s$ the rest of the way is a bridge again, from $x$ to $x_1$ on $[s,
# 1]$. So a path is drawn step by step,
#
# $$x \leftarrow x + \frac{t - s}{1 - s}\, (x_1 - x) + \sigma \sqrt{\frac{(t - s)(1 - t)}{1 - s}}\; \xi ,$$
#
# from $x_0$ at time 0, with $s$ the time before and $t$ the next one. At $t = 1$ it is at $x_1$ exactly.
#
# In the functions below `t` is a float, or a tensor `(B,)` with one time per row.


# %%
def bridge_interpolate(x0: Tensor, x1: Tensor, t: float | Tensor, sigma: float, noise: Tensor) -> Tensor:
    r"""Brownian bridges at one time, $(1 - t)\, x_0 + t\, x_1 + \sigma \sqrt{t (1 - t)}\, \xi$.

    Arguments:
        x0, x1: the ends of each bridge, (B, d).
        t: time in [0, 1], a float or (B,).
        sigma: noise of the reference.
        noise: standard normal, (B, d).

    Returns:
        (B, d).

    Raises:
        ValueError: if a time is outside [0, 1], or the shapes differ.

    Source: course slides (S3), Schrödinger bridge.
    """
    ### BEGIN SOLUTION
    if x0.shape != x1.shape or x0.shape != noise.shape:
        got = f"{tuple(x0.shape)}, {tuple(x1.shape)} and {tuple(noise.shape)}"
        raise ValueError(f"x0, x1 and noise must have one shape, got {got}")
    t = torch.as_tensor(t, dtype=x0.dtype, device=x0.device)
    if bool((t < 0).any()) or bool((t > 1).any()):
        raise ValueError(f"t must lie in [0, 1], got {t}")
    t = t.reshape(-1, 1)  # (B, 1) or (1, 1)
    return (1 - t) * x0 + t * x1 + sigma * (t * (1 - t)).sqrt() * noise
    ### END SOLUTION


def bridge_path(x0: Tensor, x1: Tensor, times: Tensor, sigma: float, noise: Tensor) -> Tensor:
    r"""One Brownian bridge per row, at several times.

    Arguments:
        x0, x1: the ends of each bridge, (B, d).
        times: (K,), strictly increasing, in [0, 1]; neither 0 nor 1 need be among them.
        sigma: noise of the reference.
        noise: standard normal, (K, B, d); `noise[k]` is that of the step to `times[k]`.

    Returns:
        (K, B, d); at time 1 it is x1 exactly.

    Raises:
        ValueError: if times do not increase or leave [0, 1], or noise has another shape.

    Source: course slides (S3), Schrödinger bridge.
    """
    ### BEGIN SOLUTION
    if noise.shape != (len(times), *x0.shape):
        raise ValueError(f"noise must be {(len(times), *x0.shape)}, got {tuple(noise.shape)}")
    at = times.tolist()
    if any(t <= s for s, t in pairwise(at)) or (at and (at[0] < 0 or at[-1] > 1)):
        raise ValueError(f"times must increase within [0, 1], got {at}")
    x, s, frames = x0, 0.0, []
    for t, xi in zip(at, noise, strict=True):
        spread = math.sqrt((t - s) * (1 - t) / (1 - s))
        # Both ends of this step weighted by how near they are: at t = 1 nothing but x1 is left.
        x = (1 - t) / (1 - s) * x + (t - s) / (1 - s) * x1 + sigma * spread * xi
        frames.append(x)
        s = t
    return torch.stack(frames)
    ### END SOLUTION


def sample_coupling(plan: Tensor, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Independent pairs of indices, (i, j) with probability plan[i, j].

    Arguments:
        plan: (n_source, n_target), entries at least 0, of sum about 1 (it is normalised).
        n: number of pairs.
        generator: source of randomness; the global one where None.

    Returns:
        i (n,) and j (n,), int64.
    """
    ### BEGIN SOLUTION
    # Not torch.multinomial, which refuses more than 2^24 entries: the inverse of the cumulative sum.
    total = plan.reshape(-1).double().cumsum(dim=0)
    device = plan.device if generator is None else generator.device  # draw where the generator lives
    level = torch.rand(n, generator=generator, dtype=torch.float64, device=device).to(plan.device) * total[-1]
    flat = torch.searchsorted(total, level, right=True).clamp(max=len(total) - 1)
    return flat // plan.shape[1], flat % plan.shape[1]
    ### END SOLUTION


# %% [markdown]
# ## 5. The bridge as one diffusion
#
# Pairs first, then a bridge for each: that needs to know the end at the start. The same law of paths is a *diffusion*
# that only knows where it is. A particle at $x$ at time $t$ weighs its possible ends,
#
# $$h_t(x) = \sum_j b_j\, e^{g_j / 2\sigma^2}\, \mathcal N\big(y_j;\, x, \sigma^2 (1 - t) I\big),$$
#
# and the drift that steers the reference to the target is Doob's $h$-transform, $\sigma^2\, \nabla \log h_t(x)$:
#
# $$u(x, t) = \frac{\sum_j w_j(x, t)\, y_j - x}{1 - t}, \qquad
# w_j = \operatorname{softmax}_j \Big( \log b_j + \frac{g_j}{2 \sigma^2} - \frac{\|x - y_j\|^2}{2\sigma^2 (1 - t)}
# \Big).$$
#
# The distance is divided by the time that is left; the potential is **not**: it is the weight of the end itself. At
# $t = 0$ in $x = x_i$ the drift is $T(x_i) - x_i$ with the barycentric projection $T$ of the plan. Far from every
# $y_j$, and near $t = 1$, all the exponentials are 0: `softmax` of the exponents works.
#
# **Euler and Maruyama.** With $h = 1/N$ and $N$ steps, $x_{k+1} = x_k + h\, u(x_k, k h) + \sigma \sqrt h\; \xi_k$. The
# noise is $\sigma \sqrt h$, as $dX = u\, dt + \sigma\, dW$ says; Langevin's $\sqrt{2h}$ belongs to another equation.


# %%
def bridge_drift(x: Tensor, t: float | Tensor, y: Tensor, b: Tensor, g: Tensor, sigma: float) -> Tensor:
    r"""Drift of the Schrödinger bridge, $(\sum_j w_j(x, t)\, y_j - x) / (1 - t)$.

    Arguments:
        x: (B, d).
        t: time in [0, 1), a float or (B,).
        y: target, (m, d).
        b: its masses, (m,).
        g: potential of the target, (m,), as `schrodinger_coupling` returns it.
        sigma: noise of the reference, > 0.

    Returns:
        (B, d).

    Raises:
        ValueError: if a time is outside [0, 1), or dimensions or lengths differ.

    Source: Léonard (2014), section 4; course slides (S3), Schrödinger bridge.
    """
    ### BEGIN SOLUTION
    if x.shape[1:] != y.shape[1:] or b.shape != y.shape[:1] or g.shape != y.shape[:1]:
        got = f"{tuple(x.shape)}, {tuple(y.shape)}, {tuple(b.shape)} and {tuple(g.shape)}"
        raise ValueError(f"x, y, b and g must be (B, d), (m, d), (m,) and (m,), got {got}")
    t = torch.as_tensor(t, dtype=x.dtype, device=x.device)
    if bool((t < 0).any()) or bool((t >= 1).any()):
        raise ValueError(f"t must lie in [0, 1), got {t}")
    left = 1 - t.reshape(-1, 1)  # (B, 1) or (1, 1)
    squared = (x[:, None] - y).square().sum(dim=-1)  # (B, m)
    weights = torch.softmax(b.log() + g / (2 * sigma**2) - squared / (2 * sigma**2 * left), dim=1)
    return (weights @ y - x) / left
    ### END SOLUTION


def simulate_bridge(drift_fn: Callable[[Tensor, float], Tensor], x0: Tensor, sigma: float, noise: Tensor) -> Tensor:
    r"""Euler-Maruyama on [0, 1]: $x_{k+1} = x_k + h\, u(x_k, k h) + \sigma \sqrt h\, \xi_k$, $h = 1 / N$.

    Arguments:
        drift_fn: u(x (B, d), t: float) -> (B, d).
        x0: start, (B, d).
        sigma: noise of the reference.
        noise: standard normal, (N, B, d), all of it used; for a sharp end set noise[-1] to 0.

    Returns:
        The trajectory (N + 1, B, d), x0 first, without gradients.

    Source: course slides (S3), Euler-Maruyama.
    """
    ### BEGIN SOLUTION
    h = 1 / len(noise)
    x, frames = x0, [x0]
    with torch.no_grad():
        for k, xi in enumerate(noise):
            x = x + h * drift_fn(x, k * h) + sigma * math.sqrt(h) * xi
            frames.append(x)
        return torch.stack(frames)
    ### END SOLUTION


# %% [markdown]
# ## 6. The bridge learned
#
# `bridge_drift` sums over all targets, and for points that are none of the training points it interpolates as the sum
# wants. A network learns the same drift from pairs. Draw $(x_0, x_1)$ from the plan, a time $t$ and the bridge's $x_t$:
# the best guess of $x_1$ from $x_t$ in the mean square is $\mathbb E[x_1 \mid x_t]$, which is exactly $\sum_j w_j(x_t,
# t)\, y_j$. So the network is trained on
#
# $$\mathcal L = \mathbb E\, \tfrac1d \big\| D(x_t, t) - x_1 \big\|^2, \qquad x_t = (1 - t)\, x_0 + t\, x_1 + \sigma
# \sqrt{t(1-t)}\; \xi,$$
#
# the mean over all $B \cdot d$ entries, and its drift is $(D(x, t) - x) / (1 - t)$. This is *bridge matching*. A
# network that guesses the end has an easy target everywhere; one that guesses the drift itself would have to grow like
# $1/(1-t)$.
#
# **The network** acts on each row by itself and uses the time: an MLP of the `hidden` width you are given, on $x$ and
# some features of $t$, is enough. It always gets its times as `(B,)`.
#
# **The training** takes in each step fresh pairs from the plan, a time uniform on (0, 1) per row, and fresh normal
# noise. Adam; `history["loss"]` holds the loss of each step.


# %%
class EndpointNet(nn.Module):
    """Guess of the end x_1 of a bridge from where it is: forward(x (B, d), t (B,)) -> (B, d).

    Arguments:
        dim: d.
        hidden: width of the hidden layers.
    """

    def __init__(self, dim: int, hidden: int = 128) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.net = nn.Sequential(
            nn.Linear(dim + 3, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, dim),
        )
        ### END SOLUTION

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Guesses (B, d) of the ends; x (B, d), t (B,) in [0, 1)."""
        ### BEGIN SOLUTION
        t = t.to(x.dtype)
        features = torch.stack([t, torch.cos(math.pi * t), torch.sin(math.pi * t)], dim=1)  # (B, 3)
        return x + self.net(torch.cat([x, features], dim=1))
        ### END SOLUTION


def endpoint_loss(model: nn.Module, x0: Tensor, x1: Tensor, t: Tensor, sigma: float, noise: Tensor) -> Tensor:
    r"""Loss of bridge matching: the mean of $(D(x_t, t) - x_1)^2$ over all entries, $x_t$ on the bridge.

    Arguments:
        model: D, from (B, d) and (B,) to (B, d).
        x0, x1: pairs, (B, d).
        t: times, (B,).
        sigma: noise of the reference.
        noise: standard normal, (B, d).

    Returns:
        Scalar, differentiable in the model's parameters.

    Source: Shi et al. (2023); course slides (S3), Schrödinger bridge.
    """
    ### BEGIN SOLUTION
    x_t = bridge_interpolate(x0, x1, t, sigma, noise)
    return (model(x_t, t) - x1).square().mean()
    ### END SOLUTION


def endpoint_drift(model: nn.Module, x: Tensor, t: float | Tensor) -> Tensor:
    r"""Drift of a network that guesses the end, $(D(x, t) - x) / (1 - t)$.

    Arguments:
        model: D, from (B, d) and (B,) to (B, d); it gets its times as (B,).
        x: (B, d).
        t: time in [0, 1), a float or (B,).

    Returns:
        (B, d).

    Raises:
        ValueError: if a time is outside [0, 1).

    Source: Shi et al. (2023).
    """
    ### BEGIN SOLUTION
    t = torch.as_tensor(t, dtype=x.dtype, device=x.device)
    if bool((t < 0).any()) or bool((t >= 1).any()):
        raise ValueError(f"t must lie in [0, 1), got {t}")
    t = t.expand(len(x))  # (B,)
    return (model(x, t) - x) / (1 - t)[:, None]
    ### END SOLUTION


def train_bridge(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    plan: Tensor,
    sigma: float,
    steps: int,
    batch_size: int = 256,
    lr: float = 1e-3,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train a network on bridges between pairs of a plan.

    Arguments:
        model: a module with forward(x (B, d), t (B,)), trained in place.
        x: source, (n, d).
        y: target, (m, d).
        plan: (n, m), as `schrodinger_coupling` returns it.
        sigma: noise of the reference.
        steps: number of gradient steps.
        batch_size: pairs per step.
        lr: learning rate.
        generator: source of the pairs, the times and the noise.
        progress: whether to show a progress bar.

    Returns:
        {"loss": the loss of each step, `steps` floats}.

    Raises:
        ValueError: if plan is not (n, m).

    Source: Shi et al. (2023); course slides (S3), style transfer.
    """
    ### BEGIN SOLUTION
    if plan.shape != (len(x), len(y)):
        raise ValueError(f"plan must be ({len(x)}, {len(y)}), got {tuple(plan.shape)}")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history: dict[str, list[float]] = {"loss": []}
    device = x.device if generator is None else generator.device
    model.train()
    for step in range(steps):
        i, j = sample_coupling(plan, batch_size, generator)
        t = torch.rand(batch_size, generator=generator, dtype=x.dtype, device=device).to(x.device)
        noise = torch.randn((batch_size, x.shape[1]), generator=generator, dtype=x.dtype, device=device).to(x.device)
        loss = endpoint_loss(model, x[i], y[j], t, sigma, noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
        if progress and (step + 1) % 100 == 0:
            print(f"step {step + 1} of {steps}: loss {loss.item():.4f}")
    return history
    ### END SOLUTION


# %% [markdown]
# ## 7. Style transfer: what is kept?
#
# Images of two sets become clouds in one space: given below is the reduction of both to the first $d = 8$ principal
# components of all of them together, on one scale. A digit that is moved by the bridge ends as a garment, and
# `from_common_space` draws it.
#
# That it ends *among* the garments is one half: the Wasserstein distance to them tells. The other half is that the
# transfer keeps something of the digit. Digits that were alike should become garments that are alike. For each point
# take its $k$ nearest others (Euclidean; never the point itself) among the sources, and the $k$ nearest others of its
# image among the images: the share that is common to both, averaged over the points. A map that ignores where a point
# came from keeps about $k / (n - 1)$, an isometry all. The more noise the reference has, the less is kept.


# %%
def neighbours_kept(x: Tensor, mapped: Tensor, k: int) -> float:
    """Share of each point's k nearest others that are among the k nearest others of its image, averaged.

    Arguments:
        x: points, (n, d).
        mapped: their images, (n, e).
        k: number of neighbours, in 1..n-1.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: if k is outside 1..n-1, or the lengths differ.

    Source: course slides (S3), style transfer.
    """
    ### BEGIN SOLUTION
    n = len(x)
    if len(mapped) != n:
        raise ValueError(f"x and mapped must have one length, got {n} and {len(mapped)}")
    if not 1 <= k <= n - 1:
        raise ValueError(f"k must lie in 1..{n - 1}, got {k}")

    def nearest(points: Tensor) -> Tensor:
        distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
        distances.fill_diagonal_(torch.inf)
        among = torch.zeros(n, n, dtype=torch.bool, device=points.device)
        return among.scatter_(1, distances.topk(k, largest=False).indices, True)  # (n, n)

    return float((nearest(x) & nearest(mapped)).sum() / (n * k))
    ### END SOLUTION


# %% [markdown]
# The reduction to a common space is given.


# %%
def common_space(source: Tensor, target: Tensor, d: int = 8) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Two sets of flattened images (n, D) and (m, D) as clouds (n, d) and (m, d) of mean square 1, and the way back."""
    both = torch.cat([source, target])
    mean = both.mean(dim=0)
    components = torch.linalg.svd(both - mean, full_matrices=False).Vh[:d]  # (d, D)
    reduced = (both - mean) @ components.T
    scale = reduced.square().mean().sqrt()
    reduced = reduced / scale
    return reduced[: len(source)], reduced[len(source) :], (mean, components, scale)


def from_common_space(points: Tensor, back: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Images (B, D) of points (B, d) of the common space."""
    mean, components, scale = back
    return mean + scale * points @ components


# %% [markdown]
# ## 8. Figures
#
# Given. The first figure shows pairs and paths for three $\sigma$: look at who goes where, and how straight. The
# second one is a cloud that follows the score of a Gaussian and is pulled to a ring. The third one is a transfer of
# style: without data from discs to rings; with images of your own, `make_figures("figures", digits, garments)`, from
# digits (n, 14, 14) to garments.


# %%
def _clouds(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A blob and a ring of n points each, in the plane."""
    source = 0.35 * torch.randn(n, 2, generator=generator, dtype=torch.float64) - torch.tensor([2.2, 0.0]).double()
    angles = 2 * math.pi * torch.rand(n, generator=generator, dtype=torch.float64)
    return source, torch.stack([angles.cos(), angles.sin()], dim=1)


def _draw_paths(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    x, y = _clouds(40, generator)
    times = torch.linspace(0, 1, 81, dtype=torch.float64)
    figure, panels = plt.subplots(2, 3, figsize=(12.5, 7.2), layout="constrained", sharex=True, sharey=True)
    for above, below, sigma in zip(*panels, (0.1, 0.5, 1.5), strict=True):
        plan = schrodinger_coupling(x, y, sigma, n_iterations=3000, tolerance=1e-6)[0]
        for i, j in (plan * len(x) > 0.01).nonzero().tolist():
            alpha = min(1.0, 2 * float(plan[i, j] * len(x)))
            above.plot([x[i, 0], y[j, 0]], [x[i, 1], y[j, 1]], color="0.4", linewidth=0.7, alpha=alpha)
        i, j = sample_coupling(plan, 40, generator)
        noise = torch.randn(len(times), 40, 2, generator=generator, dtype=torch.float64)
        for path in bridge_path(x[i], y[j], times, sigma, noise).unbind(1):
            below.plot(*path.T.numpy(), linewidth=0.5)
        for panel in (above, below):
            panel.scatter(*x.T.numpy(), s=10, color="tab:blue", zorder=3)
            panel.scatter(*y.T.numpy(), s=10, color="tab:red", zorder=3)
            panel.set_aspect("equal")
        above.set(title=f"Pairs, sigma = {sigma:g}")
        below.set(title=f"Paths, sigma = {sigma:g}")
    path = folder / "bridge_paths.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_penalised(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    start, ring = torch.randn(100, 2, generator=generator, dtype=torch.float64), 1.5 * _clouds(100, generator)[1]
    figure, panels = plt.subplots(1, 4, figsize=(13, 3.6), layout="constrained", sharex=True, sharey=True)
    panels[0].scatter(*start.T.numpy(), s=8, color="tab:blue")
    panels[0].set(title="start", aspect="equal")
    for panel, weight in zip(panels[1:], (0.0, 5.0, 20.0), strict=True):
        x = start
        for _ in range(60):
            noise = torch.randn(100, 2, generator=generator, dtype=torch.float64)
            x = penalised_step(x, -x, ring, 0.02, weight, 2.0, noise)
        left = float(sinkhorn_divergence(x, ring, 2.0))
        panel.scatter(*ring.T.numpy(), s=6, color="0.75")
        panel.scatter(*x.T.numpy(), s=8, color="tab:blue")
        panel.set(title=f"weight {weight:g}: divergence {left:.2f}", aspect="equal")
    path = folder / "bridge_penalised.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _round_images(n: int, hollow: bool, generator: torch.Generator) -> Tensor:
    """Discs or rings of random places and radii, (n, 14, 14) in [0, 1]."""
    rows, columns = torch.meshgrid(torch.arange(14.0), torch.arange(14.0), indexing="ij")
    centre = 6.5 + 1.5 * (2 * torch.rand(n, 2, generator=generator) - 1)
    radius = 2.5 + 2 * torch.rand(n, 1, 1, generator=generator)
    distance = ((rows - centre[:, :1, None]) ** 2 + (columns - centre[:, 1:, None]) ** 2).sqrt()  # (n, 14, 14)
    edge = (distance - radius).abs() - 1 if hollow else distance - radius
    return (0.5 - edge).clamp(0, 1)


def _draw_style(folder: Path, generator: torch.Generator, source: Tensor, target: Tensor) -> Path:
    import matplotlib.pyplot as plt

    sigma, shown = 0.3, 8
    shape = source.shape[1:]
    x, y, back = common_space(source.flatten(1), target.flatten(1))
    plan = schrodinger_coupling(x, y, sigma, n_iterations=2000, tolerance=1e-5)[0]
    model = EndpointNet(x.shape[1])
    history = train_bridge(model, x, y, plan, sigma, 600, generator=generator)
    noise = torch.randn(50, len(x), x.shape[1], generator=generator)
    noise[-1] = 0
    trajectory = simulate_bridge(lambda u, t: endpoint_drift(model, u, t), x, sigma, noise)  # (51, n, 8)
    kept = float(neighbours_kept(x, trajectory[-1], 10))
    frames = [0, 12, 25, 37, 50]
    figure, panels = plt.subplots(shown, len(frames) + 1, figsize=(8, 10), layout="constrained")
    for i, row in enumerate(panels):
        images = [from_common_space(trajectory[k, i : i + 1], back)[0].reshape(shape) for k in frames]
        for panel, image in zip(row, [source[i], *images], strict=True):
            panel.imshow(image.numpy(), cmap="gray", vmin=0, vmax=1)
            panel.set_axis_off()
    for panel, title in zip(panels[0], ["image", *(f"t = {k / 50:g}" for k in frames)], strict=True):
        panel.set_title(title)
    mean_loss = sum(history["loss"][-50:]) / 50
    figure.suptitle(f"Loss {mean_loss:.3f}, neighbours kept {kept:.2f} (chance {10 / (len(x) - 1):.3f})")
    path = folder / "bridge_style.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def make_figures(folder: str | Path, source: Tensor | None = None, target: Tensor | None = None) -> list[Path]:
    """Draw pairs and paths, a penalised run, and a transfer of style. Returns the files written.

    `source` and `target` are images (n, H, W) in [0, 1], a few hundred of each; discs and rings where None.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    if source is None or target is None:
        source, target = (_round_images(300, hollow, generator) for hollow in (False, True))
    first = [_draw_paths(folder, generator), _draw_penalised(folder, generator)]
    return [*first, _draw_style(folder, generator, source, target)]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 9. Quiz
#
# The questions below carry your own numbers. Work them out on paper or with your functions; then put the answers into
# `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "sigma": 0.25,
    "horizon": 3,
    "std0": 1.2,
    "std1": 0.8,
    "noise": 1.1,
    "a": [0.2, 0.1, 0.7],
    "b": [0.3, 0.2, 0.5],
    "entry": [2, 1],
    "spread": 2.0,
    "early": 0.1,
    "late": 0.8,
}
QUIZ = {
    "epsilon": "The reference dX = σ dW with σ = 0.25 runs on [0, T] with T = 3 instead of [0, 1]. With which "
    "epsilon is the entropic plan (cost: the squared distance) Schrödinger's coupling? Answer: a "
    "number, to 0.0001.",
    "variance": "The Schrödinger bridge on the line from N(0, 1.2²) to N(3, 0.8²) has the reference's noise σ = "
    "1.1. What is the variance of X_t at t = 1/2? Answer: a number, to 0.001.",
    "large_sigma": "schrodinger_coupling with a = [0.2, 0.1, 0.7] and b = [0.3, 0.2, 0.5], any two clouds: "
    "towards which value does the entry [2, 1] of the plan go (indices from 0) as sigma goes to "
    "infinity? Answer: a number, to 0.001.",
    "covariance": "A Brownian bridge on the line with σ = 2.0, pinned at both ends. What is the covariance of "
    "its values at the times 0.1 and 0.8? Answer: a number, to 0.001.",
}
### END PERSONAL
ANSWERS = {"epsilon": None, "variance": None, "large_sigma": None, "covariance": None}
### BEGIN SOLUTION
_v0, _v1, _s2 = PERSONAL["std0"] ** 2, PERSONAL["std1"] ** 2, PERSONAL["noise"] ** 2
_row, _column = PERSONAL["entry"]
ANSWERS = {
    "epsilon": 2 * PERSONAL["sigma"] ** 2 * PERSONAL["horizon"],
    "variance": (_v0 + _v1 + math.sqrt(4 * _v0 * _v1 + _s2**2)) / 4,
    "large_sigma": PERSONAL["a"][_row] * PERSONAL["b"][_column],
    "covariance": PERSONAL["spread"] ** 2 * PERSONAL["early"] * (1 - PERSONAL["late"]),
}
### END SOLUTION
