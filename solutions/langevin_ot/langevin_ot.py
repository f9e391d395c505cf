# %% [markdown]
# # Langevin dynamics and optimal transport
#
# Two ways to move points from one cloud to another. *Langevin dynamics* follows the score $\nabla \log p$ and adds
# noise: wherever it starts, it ends in $p$ in the limit of small steps and long times, but it does not care which
# point goes where. *Optimal transport* decides exactly that: it pairs the points of two clouds at least cost. In
# this exercise you write both from nothing, and at the end let one guide the other: a cloud that *morphs* into
# another.
#
# **Sources.** Course slides of module 5 on score, diffusion and optimal transport (S3) and the lecture
# notes on denoising (S2). A. Hyvärinen, *Estimation of non-normalized statistical models by score matching* (2005).
# G. O. Roberts and R. L. Tweedie, *Exponential convergence of
# Langevin distributions and their discrete approximations* (1996). P. Vincent, *A connection between score
# matching and denoising autoencoders* (2011). Y. Song and S. Ermon, *Generative modeling by estimating
# gradients of the data distribution* (2019). M. Cuturi, *Sinkhorn distances: lightspeed computation of
# optimal transport* (2013). G. Peyré and M. Cuturi, *Computational optimal transport* (2019), chapters 2
# and 4. R. J. McCann, *A convexity principle for interacting gases* (1997).
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments.
# Tensors in, tensors out, with the dtype and the device of the input; leave what a function is given as it is. Nothing
# is trained here: every function is a few lines of mathematics. The file must import without computing anything.
#
# **How it is judged** ({points} points). Each function is checked by itself, in float64, on numbers drawn afresh
# for you: scores ({points:scores} points), Langevin dynamics ({points:langevin_*}), transport
# ({points:cost_matrix,sinkhorn_*,transport_cost,wasserstein_*}), maps and morphing
# ({points:barycentric_projection,displacement,morph_*}), the conventions, scores that are no modules and the refusal of
# bad arguments ({points:conventions}; of a function only where its values are right), the quiz ({points:quiz}). Chains
# are judged by their law, never draw by draw, with tests that a correct sampler fails less than once in 100,000 times
# (where a morph arrives: once in 2,000). Do not seed anything.

# %%
from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

# %% [markdown]
# ## 1. A density whose score is known
#
# The *score* of a density $p$ is the gradient of its logarithm in $x$, $s(x) = \nabla_x \log p(x)$. It
# points to where $p$ grows, and it does not need the normalising constant. Our test bed is a mixture of $K$
# isotropic Gaussians of one spread $\sigma$,
#
# $$p(x) = \sum_{k=1}^K w_k\, \mathcal N(x; m_k, \sigma^2 I), \qquad
# \mathcal N(x; m, \sigma^2 I) = (2\pi\sigma^2)^{-d/2} \exp\Big(-\frac{\|x - m\|^2}{2\sigma^2}\Big).$$
#
# Differentiating $\log p$ gives a mean of the components' scores,
#
# $$\nabla \log p(x) = \sum_k r_k(x)\, \frac{m_k - x}{\sigma^2}, \qquad
# r_k(x) = \frac{w_k\, \mathcal N(x; m_k, \sigma^2 I)}{\sum_l w_l\, \mathcal N(x; m_l, \sigma^2 I)},$$
#
# weighted by the *responsibilities* $r_k$: the probability that $x$ came from component $k$.
#
# Far from all modes every $\mathcal N(x; m_k, \sigma^2 I)$ is 0 in floating point, and the quotient 0/0.
# Work with logarithms: `torch.logsumexp` and `softmax` subtract the largest term first.


# %%
def gaussian_mixture_log_prob(x: Tensor, means: Tensor, std: float, weights: Tensor) -> Tensor:
    r"""Log-density of a mixture of isotropic Gaussians, normalised, in nats.

    $\log p(x) = \log \sum_k w_k (2\pi\sigma^2)^{-d/2} \exp(-\|x - m_k\|^2 / 2\sigma^2)$

    Arguments:
        x: points, (B, d).
        means: centres of the components, (K, d).
        std: the spread $\sigma > 0$ that all components share.
        weights: probabilities of the components, (K,), positive, sum 1.

    Returns:
        (B,); finite also where every component's density underflows to 0.

    Raises:
        ValueError: if the last dimensions of x and means differ, or there is not one weight per mean.

    Source: course slides (S3), score.
    """
    ### BEGIN SOLUTION
    if x.dim() != 2 or means.dim() != 2 or x.shape[1] != means.shape[1]:
        raise ValueError(f"x and means must be (B, d) and (K, d), got {tuple(x.shape)} and {tuple(means.shape)}")
    if weights.shape != means.shape[:1]:
        raise ValueError(f"weights must be ({len(means)},), one per mean, got {tuple(weights.shape)}")
    squared = (x[:, None, :] - means).square().sum(dim=-1)  # (B, K)
    log_normaliser = 0.5 * x.shape[1] * math.log(2 * math.pi * std**2)
    return torch.logsumexp(weights.log() - squared / (2 * std**2) - log_normaliser, dim=1)  # (B,)
    ### END SOLUTION


def gaussian_mixture_score(x: Tensor, means: Tensor, std: float, weights: Tensor) -> Tensor:
    r"""Score of the mixture, $\nabla_x \log p(x) = \sum_k r_k(x) (m_k - x) / \sigma^2$.

    Arguments:
        x: points, (B, d).
        means: centres of the components, (K, d).
        std: the spread $\sigma > 0$ that all components share.
        weights: probabilities of the components, (K,), positive, sum 1.

    Returns:
        (B, d); finite also far from all modes.

    Raises:
        ValueError: if the last dimensions of x and means differ, or there is not one weight per mean.

    Source: course slides (S3), score.
    """
    ### BEGIN SOLUTION
    if x.dim() != 2 or means.dim() != 2 or x.shape[1] != means.shape[1]:
        raise ValueError(f"x and means must be (B, d) and (K, d), got {tuple(x.shape)} and {tuple(means.shape)}")
    if weights.shape != means.shape[:1]:
        raise ValueError(f"weights must be ({len(means)},), one per mean, got {tuple(weights.shape)}")
    squared = (x[:, None, :] - means).square().sum(dim=-1)  # (B, K)
    responsibilities = torch.softmax(weights.log() - squared / (2 * std**2), dim=1)  # (B, K), rows sum to 1
    return (responsibilities @ means - x) / std**2  # (B, d)
    ### END SOLUTION


# %% [markdown]
# ## 2. Langevin dynamics
#
# The Langevin equation $dX = \nabla \log p(X)\,dt + \sqrt 2\, dW$ has $p$ as its stationary law.
# Discretised with a step $h$ (Euler-Maruyama),
#
# $$x_{k+1} = x_k + h\, s(x_k) + \sqrt{2h}\, \xi_k, \qquad \xi_k \sim \mathcal N(0, I).$$
#
# The drift grows as $h$ and the noise as $\sqrt h$, since the *variance* of the noise grows as $h$.
#
# **Two conventions.** The course writes this step in two ways: $x + \eta\, s + \sqrt{2\eta}\,\xi$, which is
# the one here (`step` is $\eta$), and $x + \frac{\eta}{2} s + \sqrt{\eta}\,\xi$, which is the same chain
# with $\eta$ twice as large. Mixing them (the drift of one with the noise of the other) samples $p^2$ or
# $\sqrt p$, normalised.
#
# **A bias to know.** For $\mathcal N(0, 1)$ the step reads $x_{k+1} = (1 - h) x_k + \sqrt{2h}\,\xi_k$: the
# variance settles where $v = (1-h)^2 v + 2h$, at $1 / (1 - h/2)$ and not at 1. It goes with $h \to 0$ (or
# with a Metropolis test, which we leave out). Where the score grows faster than $x$, a step that is too long even
# explodes: for $p \propto \exp(-x^4/4)$, $h = 0.1$ and $x_0 = 10$ in six steps.
#
# `langevin_sample` runs many chains at once, with fresh noise for every chain, coordinate and step, and
# keeps the whole trajectory. The score function may be anything that can be called: a formula, a network, a
# probe.


# %%
def langevin_step(x: Tensor, score: Tensor, step: float, noise: Tensor) -> Tensor:
    r"""One step of the unadjusted Langevin algorithm, $x + h s + \sqrt{2h}\,\xi$.

    Arguments:
        x: current points, (B, d).
        score: the score at these points (a tensor, not a function), (B, d).
        step: $h > 0$.
        noise: standard normal numbers, (B, d), used as given.

    Returns:
        Next points, (B, d).

    Raises:
        ValueError: if the three shapes differ.

    Source: course slides (S3), Langevin; Roberts and Tweedie (1996).
    """
    ### BEGIN SOLUTION
    if x.shape != score.shape or x.shape != noise.shape:
        raise ValueError(
            f"x, score and noise must have one shape, got {tuple(x.shape)}, {tuple(score.shape)}, {tuple(noise.shape)}"
        )
    return x + step * score + math.sqrt(2 * step) * noise
    ### END SOLUTION


def langevin_sample(
    score_fn: Callable[[Tensor], Tensor],
    x0: Tensor,
    step: float,
    n_steps: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Run independent Langevin chains, one per row of x0.

    Arguments:
        score_fn: from points (B, d) to their scores (B, d); it may or may not carry gradients.
        x0: starting points, (B, d).
        step: h > 0.
        n_steps: number of steps, at least 1.
        generator: source of the noise; the global one where None. Nothing is seeded here.

    Returns:
        The trajectory (n_steps + 1, B, d), x0 first, without gradients.

    Raises:
        ValueError: if n_steps is below 1.

    Source: course slides (S3), Langevin.
    """
    ### BEGIN SOLUTION
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, got {n_steps}")
    device = x0.device if generator is None else generator.device
    x = x0.detach()
    trajectory = [x]
    for _ in range(n_steps):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)
        x = langevin_step(x, score_fn(x).detach(), step, noise)
        trajectory.append(x)
    return torch.stack(trajectory)  # (n_steps + 1, B, d)
    ### END SOLUTION


# %% [markdown]
# ## 3. Learning a score from samples
#
# Where no formula of $p$ is at hand, a network can learn the score from data alone. Blur the data with
# noise, $\tilde x = x + \sigma \xi$. Given $x$, the law of $\tilde x$ is Gaussian and its score is known:
#
# $$\nabla_{\tilde x} \log \mathcal N(\tilde x; x, \sigma^2 I)
# = -\frac{\tilde x - x}{\sigma^2} = -\frac{\xi}{\sigma}.$$
#
# Vincent (2011): the regression of this target on $\tilde x$,
#
# $$L(\theta) = \mathbb E\, \Big\| s_\theta(x + \sigma\xi) + \frac{\xi}{\sigma} \Big\|^2,$$
#
# is solved by the score of the *blurred* density. (*Explicit* score matching, the regression on $\nabla \log p$
# itself, cannot be computed: that is what is not known. Hyvärinen (2005) gets rid of it by integrating by parts, at
# the price of second derivatives.) The minus sign says what it learns: to point back from the noise to the data.
# This is also Tweedie's formula,
#
# $$\mathbb E[x \mid \tilde x] = \tilde x + \sigma^2\, \nabla \log p_\sigma(\tilde x).$$
#
# Here the loss is the mean of the squared differences over all $B \cdot d$ entries, without other weights.


# %%
def denoising_score_matching_loss(model: Callable[[Tensor], Tensor], x: Tensor, sigma: float, noise: Tensor) -> Tensor:
    r"""Denoising score matching: mean over all entries of $(s_\theta(x + \sigma\xi) + \xi/\sigma)^2$.

    Arguments:
        model: from points (B, d) to scores (B, d).
        x: clean data, (B, d).
        sigma: spread of the blur, > 0.
        noise: standard normal numbers $\xi$, (B, d), used as given.

    Returns:
        Scalar, differentiable in the model's parameters.

    Raises:
        ValueError: if the shapes of x and noise differ.

    Source: course notes (S2), denoising; Vincent (2011).
    """
    ### BEGIN SOLUTION
    if x.shape != noise.shape:
        raise ValueError(f"x and noise must have one shape, got {tuple(x.shape)} and {tuple(noise.shape)}")
    target = -noise / sigma
    return (model(x + sigma * noise) - target).square().mean()
    ### END SOLUTION


# %% [markdown]
# ## 4. Optimal transport with entropy
#
# Two clouds $x_1..x_n$ and $y_1..y_m$ carry weights $a$ and $b$ that sum to 1. A *plan*
# $P \in \mathbb R_+^{n \times m}$ says how much of $x_i$ goes to $y_j$; its rows sum to $a$ and its columns
# to $b$. With the cost $C_{ij} = \|x_i - y_j\|_2^p$, Kantorovich's problem and the Wasserstein distance are
#
# $$W_p^p = \min_P \sum_{ij} P_{ij} C_{ij}.$$
#
# This is a linear programme. Cuturi (2013) adds entropy,
#
# $$\min_P\; \sum_{ij} P_{ij} C_{ij} + \varepsilon \sum_{ij} P_{ij} (\log P_{ij} - 1),$$
#
# which makes the solution unique and of the form $P_{ij} = u_i\, e^{-C_{ij}/\varepsilon}\, v_j$. (The slides add
# $\varepsilon\, \mathrm{KL}(P \,\|\, a \otimes b)$ instead: for given marginals the two differ by a constant, and
# have the same solution.)
#
# **Sinkhorn's algorithm** alternates: choose $u$ so that the rows are right, then $v$ so that the columns
# are,
#
# $$u_i \leftarrow \frac{a_i}{\sum_j e^{-C_{ij}/\varepsilon} v_j}, \qquad
# v_j \leftarrow \frac{b_j}{\sum_i e^{-C_{ij}/\varepsilon} u_i}.$$
#
# For small $\varepsilon$ this fails: $e^{-C/\varepsilon}$ is 0 in floating point as soon as $C > 745\,\varepsilon$
# (float64; $104\,\varepsilon$ in float32), and a row of zeros divides by zero. With $\log u$ and $\log v$ the same
# two lines are
#
# $$\log u_i \leftarrow \log a_i - \operatorname{logsumexp}_j (\log v_j - C_{ij}/\varepsilon), \qquad
# \log v_j \leftarrow \log b_j - \operatorname{logsumexp}_i (\log u_i - C_{ij}/\varepsilon),$$
#
# and work at any $\varepsilon$. Mind the axis: $u$ has one entry per row.
#
# $\varepsilon$ is *absolute*: it is compared with $C$ as it is, in the units of the cost, not divided by
# its maximum. The algorithm stops when the marginals of $P$ are right,
# $\sum_i |(P 1)_i - a_i| + \sum_j |(P^\top 1)_j - b_j| \le$ `tolerance`, or after `n_iterations` pairs of
# updates. Small $\varepsilon$ converge slowly: on the unit square at $\varepsilon = 10^{-3}$, 1,000
# iterations leave a row error near $10^{-2}$; take 20,000 there.
#
# The value to compare with $W_p^p$ is the transport cost $\sum P_{ij} C_{ij}$ alone, without the entropy.
# Since $P$ obeys the marginals, it is never below $W_p^p$, and comes down to it as $\varepsilon \to 0$. As
# $\varepsilon \to \infty$ the plan forgets the cost, and only the entropy is left: what is the plan then?


# %%
def cost_matrix(x: Tensor, y: Tensor, p: float = 2) -> Tensor:
    r"""Costs $C_{ij} = \|x_i - y_j\|_2^p$: the Euclidean distance, raised to p.

    Arguments:
        x: (n, d).
        y: (m, d).
        p: power, at least 1; at p = 2 the squared distance.

    Returns:
        (n, m).

    Raises:
        ValueError: if the last dimensions of x and y differ.

    Source: course slides (S3), optimal transport.
    """
    ### BEGIN SOLUTION
    if x.dim() != 2 or y.dim() != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"x and y must be (n, d) and (m, d), got {tuple(x.shape)} and {tuple(y.shape)}")
    squared = (x[:, None, :] - y[None, :, :]).square().sum(dim=-1)  # (n, m)
    return squared ** (p / 2)
    ### END SOLUTION


def sinkhorn(
    a: Tensor,
    b: Tensor,
    C: Tensor,
    epsilon: float,
    n_iterations: int = 1000,
    tolerance: float = 1e-9,
) -> Tensor:
    r"""Plan of least cost and entropy, by Sinkhorn's algorithm on logarithms.

    $\arg\min_P \sum_{ij} P_{ij} C_{ij} + \varepsilon \sum_{ij} P_{ij} (\log P_{ij} - 1)$
    under $P 1 = a$, $P^\top 1 = b$.

    Arguments:
        a: weights of the rows, (n,), positive, sum 1.
        b: weights of the columns, (m,), positive, sum 1.
        C: costs, (n, m).
        epsilon: weight of the entropy, > 0, in the units of C.
        n_iterations: at most so many pairs of updates, at least 1.
        tolerance: stop once the L1 error of the marginals is below it.

    Returns:
        Plan (n, m), positive; its rows sum to a and its columns to b, up to the tolerance.

    Raises:
        ValueError: if C is not (n, m), or n_iterations is below 1.

    Source: course slides (S3), transport; Cuturi (2013); Peyré and Cuturi (2019), section 4.4.
    """
    ### BEGIN SOLUTION
    if a.dim() != 1 or b.dim() != 1 or C.shape != (len(a), len(b)):
        got = f"{tuple(a.shape)}, {tuple(b.shape)} and {tuple(C.shape)}"
        raise ValueError(f"a, b and C must be (n,), (m,) and (n, m), got {got}")
    if n_iterations < 1:
        raise ValueError(f"n_iterations must be at least 1, got {n_iterations}")
    log_kernel = -C / epsilon  # (n, m)
    log_a, log_b = a.log(), b.log()
    log_v = torch.zeros_like(b)  # (m,)
    for iteration in range(n_iterations):
        log_u = log_a - torch.logsumexp(log_kernel + log_v, dim=1)  # (n,)
        log_v = log_b - torch.logsumexp(log_kernel + log_u[:, None], dim=0)  # (m,)
        if iteration % 10 == 9:  # looking costs as much as an update
            plan = (log_u[:, None] + log_kernel + log_v).exp()
            error = (plan.sum(dim=1) - a).abs().sum() + (plan.sum(dim=0) - b).abs().sum()
            if error <= tolerance:
                break
    return (log_u[:, None] + log_kernel + log_v).exp()
    ### END SOLUTION


def transport_cost(plan: Tensor, C: Tensor) -> Tensor:
    r"""Cost of a plan, $\sum_{ij} P_{ij} C_{ij}$: no entropy, no root.

    Arguments:
        plan: (n, m).
        C: costs, (n, m).

    Returns:
        Scalar.

    Raises:
        ValueError: if the shapes differ.

    Source: course slides (S3), optimal transport.
    """
    ### BEGIN SOLUTION
    if plan.shape != C.shape:
        raise ValueError(f"plan and C must have one shape, got {tuple(plan.shape)} and {tuple(C.shape)}")
    return (plan * C).sum()
    ### END SOLUTION


# %% [markdown]
# ## 5. On the line
#
# In one dimension nothing has to be solved: the optimal plan keeps the order. With the quantile functions
# $F^{-1}$ of the two samples,
#
# $$W_p = \Big( \int_0^1 |F_x^{-1}(q) - F_y^{-1}(q)|^p\, dq \Big)^{1/p}.$$
#
# With $n$ points each this pairs the sorted values. With $n \neq m$ the quantile functions are still steps,
# with jumps at $i/n$ and at $j/m$: between two neighbouring jumps both are constant, and the integral is a
# finite sum. Neither cutting the longer sample nor interpolating gives it.


# %%
def wasserstein_1d(x: Tensor, y: Tensor, p: float = 1) -> Tensor:
    r"""Wasserstein distance of two samples on the line, with the root.

    $W_p = (\int_0^1 |F_x^{-1}(q) - F_y^{-1}(q)|^p dq)^{1/p}$, every point of a sample with the same weight.

    Arguments:
        x: (n,), in any order.
        y: (m,), in any order; m may differ from n.
        p: order, at least 1.

    Returns:
        Scalar, at least 0.

    Raises:
        ValueError: if x or y is not 1-D.

    Source: course slides (S3), optimal transport; Peyré and Cuturi (2019), section 2.6.
    """
    ### BEGIN SOLUTION
    if x.dim() != 1 or y.dim() != 1:
        raise ValueError(f"x and y must be (n,) and (m,), got {tuple(x.shape)} and {tuple(y.shape)}")
    n, m = len(x), len(y)
    # The jumps i/n and j/m in units of 1/(n m): whole numbers, so that equal ones are equal.
    jumps = torch.cat([torch.arange(1, n + 1) * m, torch.arange(1, m + 1) * n]).unique().to(x.device)
    widths = jumps.diff(prepend=jumps.new_zeros(1)).to(x.dtype) / (n * m)
    x_quantiles = x.sort().values[(jumps - 1) // m]
    y_quantiles = y.sort().values[(jumps - 1) // n]
    return (widths * (x_quantiles - y_quantiles).abs() ** p).sum() ** (1 / p)
    ### END SOLUTION


# %% [markdown]
# ## 6. From a plan to a map, from a map to a movie
#
# A plan splits a point's mass. The *barycentric projection* sends the point to the mean of its
# destinations,
#
# $$T(x_i) = \frac{\sum_j P_{ij}\, y_j}{\sum_j P_{ij}},$$
#
# where the denominator is $a_i$: without it the image would shrink to 0 as the cloud grows. McCann's
# *displacement interpolation* then moves every point along its straight line,
# $x_t = (1 - t)\, x + t\, T(x)$.
#
# **Morphing.** Langevin dynamics with the score of the target brings any cloud to the target, but in its
# own time and not to where it should: chains that fall into one mode hardly leave it. Add a pull towards
# where transport sends each point,
#
# $$x_{k+1} = x_k + h \big( s(x_k) + \lambda\, (T(x_k) - x_k) \big) + \sqrt{2h}\, \xi_k ,$$
#
# with $\lambda$ the argument `ot_weight`, uniform weights and $p = 2$. Whether you find $T$ once, between the first
# cloud and the target (each point then keeps its destination), or again from the current cloud, is up to you.
# $\lambda = 0$ is plain Langevin. With $\lambda > 0$ the chain no longer samples $p$: for a fixed $T$ the law of
# each point is proportional to $p(x) \exp(-\lambda \|x - T\|^2 / 2)$, narrower than $p$. Keep
# $h (\lambda + 1/\sigma^2) < 1$, or the chain overshoots.


# %%
def barycentric_projection(plan: Tensor, y: Tensor) -> Tensor:
    r"""Mean destination of each point, $T(x_i) = \sum_j P_{ij} y_j / \sum_j P_{ij}$.

    Arguments:
        plan: (n, m), every row with positive mass.
        y: target points, (m, d).

    Returns:
        (n, d).

    Raises:
        ValueError: if plan has not one column per point of y.

    Source: course slides (S3), transport; Peyré and Cuturi (2019), remark 4.11.
    """
    ### BEGIN SOLUTION
    if plan.dim() != 2 or y.dim() != 2 or plan.shape[1] != len(y):
        got = f"{tuple(plan.shape)} and {tuple(y.shape)}"
        raise ValueError(f"plan and y must be (n, m) and (m, d), got {got}")
    return plan @ y / plan.sum(dim=1, keepdim=True)  # (n, d) / (n, 1)
    ### END SOLUTION


def displacement_interpolation(x: Tensor, x_mapped: Tensor, t: float) -> Tensor:
    """Points on their straight way, (1 - t) x + t T(x).

    Arguments:
        x: (n, d).
        x_mapped: destinations of the same points, (n, d).
        t: time in [0, 1]; 0 gives x, 1 gives x_mapped.

    Returns:
        (n, d).

    Raises:
        ValueError: if the shapes differ, or t is outside [0, 1].

    Source: course slides (S3), optimal transport; McCann (1997).
    """
    ### BEGIN SOLUTION
    if x.shape != x_mapped.shape:
        raise ValueError(f"x and x_mapped must have one shape, got {tuple(x.shape)}, {tuple(x_mapped.shape)}")
    if not 0 <= t <= 1:
        raise ValueError(f"t must lie in [0, 1], got {t}")
    return (1 - t) * x + t * x_mapped
    ### END SOLUTION


def morph(
    x_source: Tensor,
    x_target: Tensor,
    score_fn: Callable[[Tensor], Tensor],
    n_steps: int,
    step: float,
    ot_weight: float,
    epsilon: float,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Langevin dynamics with a pull along optimal transport, from one cloud to another.

    Drift $s(x) + \lambda (T(x) - x)$, noise $\sqrt{2h}\,\xi$; T is the barycentric projection of the entropic
    plan (uniform weights, p = 2) from the first or the current cloud to x_target.

    Arguments:
        x_source: first cloud, (n, d).
        x_target: target cloud, (m, d).
        score_fn: score of the target's law, from (n, d) to (n, d).
        n_steps: number of steps, at least 1.
        step: h > 0.
        ot_weight: $\lambda \geq 0$, with h λ < 1; 0 is plain Langevin.
        epsilon: weight of the entropy in the plan, > 0, in the units of the squared distance.
        generator: source of the noise; the global one where None. Nothing is seeded here.

    Returns:
        The trajectory (n_steps + 1, n, d), x_source first, without gradients.

    Raises:
        ValueError: if the last dimensions of the clouds differ, or n_steps is below 1.

    Source: course slides (S3), transport and Langevin.
    """
    ### BEGIN SOLUTION
    n, m = len(x_source), len(x_target)
    a, b = x_source.new_full((n,), 1 / n), x_target.new_full((m,), 1 / m)
    plan = sinkhorn(a, b, cost_matrix(x_source, x_target), epsilon)
    mapped = barycentric_projection(plan, x_target)  # (n, d): each point keeps its destination

    def drift(x: Tensor) -> Tensor:
        return score_fn(x) + ot_weight * (mapped - x)

    return langevin_sample(drift, x_source, step, n_steps, generator)
    ### END SOLUTION


# %% [markdown]
# ## 7. Figures
#
# Given. The first figure shows the mixture's score, the same field learned by denoising score matching, and
# Langevin chains that find the ring; the second one plans and interpolations for falling $\varepsilon$; the
# third one a square that morphs into the ring, with transport and without: look at the ways that the points
# take.

# %%
RING_ANGLES = torch.arange(8) * math.pi / 4
RING = 2 * torch.stack([RING_ANGLES.cos(), RING_ANGLES.sin()], dim=1)  # (8, 2)
RING_STD = 0.2
RING_WEIGHTS = torch.full((8,), 1 / 8)


def ring_score(x: Tensor) -> Tensor:
    """Score of eight Gaussians on a circle of radius 2."""
    return gaussian_mixture_score(x, RING.to(x), RING_STD, RING_WEIGHTS.to(x))


def _learned_score(data: Tensor, sigma: float, generator: torch.Generator) -> torch.nn.Module:
    layers = torch.nn.Linear(2, 64), torch.nn.SiLU(), torch.nn.Linear(64, 64), torch.nn.SiLU()
    model = torch.nn.Sequential(*layers, torch.nn.Linear(64, 2))
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(500):
        x = data[torch.randint(len(data), (256,), generator=generator)]
        noise = torch.randn(x.shape, generator=generator)
        optimiser.zero_grad()
        denoising_score_matching_loss(model, x, sigma, noise).backward()
        optimiser.step()
    return model


def _draw_scores(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    axis = torch.linspace(-3.2, 3.2, 17)
    grid = torch.cartesian_prod(axis, axis)  # (289, 2)
    data = RING[torch.randint(8, (2000,), generator=generator)]
    data = data + RING_STD * torch.randn(2000, 2, generator=generator)
    sigma = 0.3  # the learned score is that of the density blurred by sigma
    model = _learned_score(data, sigma, generator)
    with torch.no_grad():
        learned = model(grid)
    exact = gaussian_mixture_score(grid, RING, math.hypot(RING_STD, sigma), RING_WEIGHTS)
    start = 0.5 * torch.randn(400, 2, generator=generator)
    trajectory = langevin_sample(ring_score, start, 0.01, 300, generator)  # (301, 400, 2)

    figure, panels = plt.subplots(1, 3, figsize=(12.5, 4.3), layout="constrained")
    titles = f"Score, blurred by {sigma}", "Learned from samples"
    for panel, field, title in zip(panels, (exact, learned), titles, strict=False):
        panel.quiver(*grid.T.numpy(), *field.T.numpy(), color="tab:blue", width=0.004)
        panel.scatter(*data[:400].T.numpy(), s=3, color="0.7", zorder=0)
        panel.set(title=title, aspect="equal")
    for chain in range(6):
        panels[2].plot(*trajectory[:, chain].T.numpy(), linewidth=0.6, alpha=0.8)
    panels[2].scatter(*trajectory[-1].T.numpy(), s=3, color="black")
    panels[2].set(title="Langevin: 400 chains after 300 steps, 6 ways", aspect="equal")
    path = folder / "langevin_scores.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_plans(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    x = torch.rand(24, 2, generator=generator, dtype=torch.float64) * torch.tensor([0.6, 1.0]).double()
    angle = torch.rand(30, generator=generator, dtype=torch.float64) * 2 * math.pi
    y = torch.stack([1.6 + 0.5 * angle.cos(), 0.5 + 0.5 * angle.sin()], dim=1)
    a, b = torch.full((24,), 1 / 24).double(), torch.full((30,), 1 / 30).double()
    C = cost_matrix(x, y)
    figure, panels = plt.subplots(1, 3, figsize=(12.5, 2.8), layout="constrained")
    for panel, epsilon in zip(panels, (1.0, 0.05, 0.002), strict=True):
        plan = sinkhorn(a, b, C, epsilon, n_iterations=5000, tolerance=1e-7)
        for i, j in (plan > 0.001).nonzero().tolist():
            alpha = float(plan[i, j] * len(y))  # 1 where all that y_j gets comes from x_i
            panel.plot([x[i, 0], y[j, 0]], [x[i, 1], y[j, 1]], color="0.5", linewidth=0.8, alpha=min(alpha, 1.0))
        mapped = barycentric_projection(plan, y)
        for t, colour in zip((0.25, 0.5, 0.75), ("#6b9fd4", "#8f7fb8", "#c46a8a"), strict=True):
            panel.scatter(*displacement_interpolation(x, mapped, t).T.numpy(), s=8, color=colour)
        panel.scatter(*x.T.numpy(), s=18, color="tab:blue")
        panel.scatter(*y.T.numpy(), s=18, color="tab:red")
        cost = float(transport_cost(plan, C))
        panel.set(title=f"epsilon = {epsilon:g}: cost {cost:.3f}", aspect="equal")
    path = folder / "transport_plans.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_morph(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    n = 160
    source = torch.rand(n, 2, generator=generator) * 1.6 - torch.tensor([4.8, 0.8])
    target = RING.repeat(n // 8, 1) + RING_STD * torch.randn(n, 2, generator=generator)
    frames = [0, 5, 15, 80]
    figure, panels = plt.subplots(2, 5, figsize=(13, 4.4), layout="constrained", sharex=True, sharey=True)
    for row, ot_weight in zip(panels, (0.0, 40.0), strict=True):
        trajectory = morph(source, target, ring_score, 80, 0.01, ot_weight, 0.05, generator)  # (81, n, 2)
        for panel, k in zip(row, frames, strict=False):
            panel.scatter(*target.T.numpy(), s=4, color="0.8")
            panel.scatter(*trajectory[k].T.numpy(), s=6, color="tab:blue")
            panel.set(title=f"ot_weight {ot_weight:g}, step {k}", aspect="equal")
        for i in range(0, n, 6):
            row[4].plot(*trajectory[:, i].T.numpy(), linewidth=0.6)
        row[4].set(title="the ways", aspect="equal")
    path = folder / "morphing.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def make_figures(folder: str | Path) -> list[Path]:
    """Draw scores and chains, plans at three epsilons, and a morph. Returns the files written."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    return [draw(folder, generator) for draw in (_draw_scores, _draw_plans, _draw_morph)]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 8. Quiz
#
# The questions below carry your own numbers. Work them out on paper or with your functions; then put the
# answers into `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "sigma": 1.5,
    "step": 0.35,
    "eta": 0.012,
    "x": [3, 10, 2, 1],
    "y": [2, 9, 4, 12],
    "a": [0.2, 0.4, 0.4],
    "b": [0.1, 0.7, 0.2],
    "entry": [2, 1],
}
QUIZ = {
    "variance": (
        "Your langevin_sample runs for a very long time with the exact score of N(0, 1.5²) and "
        "step = 0.35. Which variance does the chain end with? It is not 1.5². Answer: a "
        "number, to 0.001."
    ),
    "step": (
        "A paper writes its sampler as x + (η/2)·score + sqrt(η)·noise and uses η = 0.012. "
        "Which `step` of your langevin_step gives the same chain? Answer: a number, to six "
        "decimals."
    ),
    "distance": (
        "Two samples on a line: x = [3, 10, 2, 1] and y = [2, 9, 4, 12], all weights 1/4. What "
        "is their Wasserstein distance of order 2, W_2, with the root? Answer: a number, to "
        "0.001."
    ),
    "large_epsilon": (
        "Sinkhorn with a = [0.2, 0.4, 0.4] and b = [0.1, 0.7, 0.2], any cost: towards which "
        "value does the entry P[2, 1] of the plan go (indices from 0) as epsilon goes to "
        "infinity? Answer: a number, to 0.001."
    ),
}
### END PERSONAL
ANSWERS = {"variance": None, "step": None, "distance": None, "large_epsilon": None}
### BEGIN SOLUTION
_variance = PERSONAL["sigma"] ** 2
_squares = [(u - v) ** 2 for u, v in zip(sorted(PERSONAL["x"]), sorted(PERSONAL["y"]), strict=True)]
_row, _column = PERSONAL["entry"]
ANSWERS = {
    "variance": _variance / (1 - PERSONAL["step"] / (2 * _variance)),
    "step": PERSONAL["eta"] / 2,
    "distance": math.sqrt(sum(_squares) / len(_squares)),
    "large_epsilon": PERSONAL["a"][_row] * PERSONAL["b"][_column],
}
### END SOLUTION
