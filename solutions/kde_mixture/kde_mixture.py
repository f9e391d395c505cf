# %% [markdown]
# # Kernel densities and Gaussian mixtures
#
# What is the simplest generative model? Take the data that you have, put a small bump on each point, and add the bumps
# up: that is a density, and you can draw from it. It is called a *kernel density estimate*, it needs no training, and
# it shows in ten lines what every model of this course has to fight with: how to choose what is not learnt, memorising
# the data instead of understanding it, and the curse of dimension. A *Gaussian mixture* says the same with few bumps
# that are fitted to the data, and with it you write the first training loop of the course, EM, and the first
# classifier by Bayes' rule.
#
# **Sources.** Course slides on density estimation (S1: kernel method, Gaussian mixture) and the lecture notes on
# transport and denoising (S2: Gaussian shell, curse of dimension). E. Parzen, *On estimation of a probability density
# function and mode* (1962). B. W. Silverman, *Density estimation for statistics and data analysis* (1986). A. P.
# Dempster, N. M. Laird and D. B. Rubin, *Maximum likelihood from incomplete data via the EM algorithm* (1977). C. M.
# Bishop, *Pattern recognition and machine learning* (2006), chapters 2 and 9.
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments.
# Tensors in, tensors out, with the dtype and the device of the input. The file must import without computing anything.
# How you write a function is free: loops, matrices, `torch.distributions`, NumPy inside.
#
# **How it is judged** ({points} points). Each function is checked by itself, in float64, on numbers drawn afresh for
# you: kernels ({points:kernels} points), mixtures and Bayes' rule ({points:mixtures}), draws from a mixture
# ({points:draws}), fits ({points:fits}), high dimensions ({points:dimension}), conventions, randomness and the
# refusal of bad arguments ({points:conventions}), the quiz ({points:quiz}). Draws are judged by their law, never one
# by one, with tests that a correct sampler fails less than once in 100,000 times. Do not seed anything.
#
# **Words.** Logarithms are natural. $x$ is a batch of $B$ points, (B, d); the data are $n$ points, (n, d).
# $\mathcal N(x; \mu, \Sigma)$ is the Gaussian density
#
# $$\mathcal N(x; \mu, \Sigma) = (2\pi)^{-d/2} (\det \Sigma)^{-1/2}
# \exp\Big(-\tfrac12 (x - \mu)^\top \Sigma^{-1} (x - \mu)\Big).$$

# %%
from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

# %% [markdown]
# ## 1. A bump on every point
#
# With data $x_1, \dots, x_n$ and a *bandwidth* $h > 0$, the kernel density estimate is
#
# $$\hat f(x) = \frac1n \sum_{i=1}^n \Phi(x, x_i), \qquad \Phi(x, x_i) = \mathcal N(x; x_i, h^2 I).$$
#
# The bandwidth is a *standard deviation*: each bump has the covariance $h^2 I$. It is a mean of densities, so it
# integrates to 1; in $d$ dimensions each bump carries the constant $(2\pi h^2)^{-d/2}$.
#
# **Stay in the log domain.** A point 40 bandwidths away from all data has the density $e^{-800}$, which is 0 in
# floating point, and its logarithm $-\infty$, although the right answer is about $-800$. `torch.logsumexp` subtracts
# the largest term first and stays right:
#
# $$\log \hat f(x) = -\log n + \operatorname{logsumexp}_i \log \Phi(x, x_i).$$


# %%
def kde_log_prob(x: Tensor, data: Tensor, bandwidth: float) -> Tensor:
    r"""Log-density of the kernel estimate, $\log \frac1n \sum_i \mathcal N(x; x_i, h^2 I)$, in nats.

    Arguments:
        x: where to evaluate it, (B, d).
        data: the points that carry the bumps, (n, d).
        bandwidth: $h > 0$, a standard deviation.

    Returns:
        (B,); finite also where every bump underflows to 0.

    Raises:
        ValueError: if the last dimensions differ, or bandwidth is not positive.

    Source: course slides (S1), kernel method; Parzen (1962).
    """
    ### BEGIN SOLUTION
    check_bandwidth(bandwidth)
    if x.dim() != 2 or data.dim() != 2 or x.shape[1] != data.shape[1]:
        raise ValueError(f"x and data must be (B, d) and (n, d), got {tuple(x.shape)} and {tuple(data.shape)}")
    return torch.logsumexp(log_kernels(x, data, bandwidth), dim=1) - math.log(len(data))
    ### END SOLUTION


### BEGIN SOLUTION
def check_bandwidth(bandwidth: float) -> None:
    """Refuse a bandwidth that is not positive."""
    if not bandwidth > 0:
        raise ValueError(f"bandwidth must be positive, got {bandwidth}")


def log_kernels(x: Tensor, data: Tensor, bandwidth: float) -> Tensor:
    """log N(x_j; data_i, h² I), (B, n)."""
    squared = (x[:, None, :] - data).square().sum(dim=-1)  # (B, n)
    constant = 0.5 * x.shape[1] * math.log(2 * math.pi * bandwidth**2)
    return -squared / (2 * bandwidth**2) - constant


### END SOLUTION

# %% [markdown]
# ## 2. How wide?
#
# A small $h$ gives needles on the data, a large one a single hill. Maximum likelihood cannot decide: the likelihood
# of the data themselves grows without bound as $h \to 0$, since every point sits on its own needle. That is
# memorising, in its purest form. The cure is to ask each point how likely it is for the *other* ones,
#
# $$L(h) = \frac1n \sum_{j=1}^n \log \frac1{n-1} \sum_{i \neq j} \mathcal N(x_j; x_i, h^2 I),$$
#
# the *leave-one-out log-likelihood*: a held-out score that wastes no data. The best bandwidth among some candidates
# is the one for which it is largest.


# %%
def leave_one_out_log_likelihood(data: Tensor, bandwidth: float) -> Tensor:
    r"""Mean log-density of each point under the kernel estimate of all others.

    $\frac1n \sum_j \log \frac1{n-1} \sum_{i \neq j} \mathcal N(x_j; x_i, h^2 I)$

    Arguments:
        data: (n, d), at least two points.
        bandwidth: $h > 0$.

    Returns:
        Scalar, in nats.

    Raises:
        ValueError: for fewer than 2 points, or a bandwidth that is not positive.

    Source: course slides (S1), kernel method; Silverman (1986), section 3.4.4.
    """
    ### BEGIN SOLUTION
    check_bandwidth(bandwidth)
    if data.dim() != 2 or len(data) < 2:
        raise ValueError(f"data must be (n, d) with at least 2 points, got {tuple(data.shape)}")
    own = torch.eye(len(data), dtype=torch.bool, device=data.device)
    others = log_kernels(data, data, bandwidth).masked_fill(own, -math.inf)  # (n, n)
    return (torch.logsumexp(others, dim=1) - math.log(len(data) - 1)).mean()
    ### END SOLUTION


def select_bandwidth(data: Tensor, bandwidths: Sequence[float] | Tensor) -> float:
    """The candidate with the largest leave-one-out log-likelihood; the first one on a tie.

    Arguments:
        data: (n, d), at least two points.
        bandwidths: candidates, a list or a 1-D tensor of positive numbers.

    Returns:
        One of the candidates.

    Raises:
        ValueError: if there is no candidate, for fewer than 2 points, or a bandwidth that is not positive.

    Source: course slides (S1), kernel method; Silverman (1986), section 3.4.4.
    """
    ### BEGIN SOLUTION
    candidates = [float(h) for h in bandwidths]
    if not candidates:
        raise ValueError("bandwidths must hold at least one candidate, got none")
    scores = [float(leave_one_out_log_likelihood(data, h)) for h in candidates]
    return candidates[scores.index(max(scores))]
    ### END SOLUTION


# %% [markdown]
# ## 3. Draw from it
#
# A draw from a mean of densities takes two steps: choose one of the bumps, each with probability $1/n$, then draw
# from it,
#
# $$x = x_I + h\, \xi, \qquad I \sim \mathcal U(\{1, \dots, n\}), \quad \xi \sim \mathcal N(0, I).$$
#
# Points are chosen *with replacement*: $n$ draws are independent, and a point may come twice. Without the noise this
# would only hand the data back. With it, the samples are new, and yet each one is a data point in disguise; keep
# that picture for the larger models to come.


# %%
def kde_sample(data: Tensor, bandwidth: float, n: int, generator: torch.Generator | None = None) -> Tensor:
    r"""Independent draws from the kernel estimate: a data point drawn with replacement, plus $h\,\xi$.

    Arguments:
        data: (k, d).
        bandwidth: $h > 0$.
        n: how many draws, at least 1; it may be larger than k.
        generator: source of all randomness; the global one where None. Nothing is seeded here.

    Returns:
        (n, d), the draws in no particular order.

    Raises:
        ValueError: if n is below 1, or bandwidth is not positive.

    Source: course slides (S1), kernel method.
    """
    ### BEGIN SOLUTION
    check_bandwidth(bandwidth)
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    device = data.device if generator is None else generator.device  # draw where the generator lives
    rows = torch.randint(len(data), (n,), generator=generator, device=device).to(data.device)
    noise = torch.randn(n, data.shape[1], generator=generator, dtype=data.dtype, device=device).to(data.device)
    return data[rows] + bandwidth * noise
    ### END SOLUTION


# %% [markdown]
# ## 4. Few bumps, fitted: Gaussian mixtures
#
# A Gaussian mixture has $m$ bumps, each with its own weight $\alpha_i$, mean $\mu_i$ and full covariance $\Sigma_i$,
#
# $$p(x) = \sum_{i=1}^m \alpha_i\, \Phi_i(x), \qquad \Phi_i(x) = \mathcal N(x; \mu_i, \Sigma_i), \qquad
# \alpha_i \geq 0, \quad \sum_i \alpha_i = 1.$$
#
# For $\log \Phi_i$ neither the inverse nor the determinant of $\Sigma_i$ is needed: with the Cholesky factor
# $\Sigma = L L^\top$ the squared distance is $\|L^{-1}(x - \mu)\|^2$ (`torch.linalg.solve_triangular`), and
# $\log\det\Sigma = 2 \sum_k \log L_{kk}$.
#
# A weight may be 0: that component then counts nowhere, as if it were not there. In the log domain this works by
# itself, since $\log 0 = -\infty$ and $e^{-\infty} = 0$.


# %%
def component_log_prob(x: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    r"""Log-densities of all components at all points, $\log \mathcal N(x; \mu_i, \Sigma_i)$, in nats.

    Arguments:
        x: (B, d).
        means: (m, d).
        covariances: (m, d, d), symmetric and positive definite.

    Returns:
        (B, m).

    Raises:
        ValueError: if the last dimensions differ, or the shapes of means and covariances do not fit.

    Source: course slides (S1), Gaussian mixture.
    """
    ### BEGIN SOLUTION
    check_components(x, means, covariances)
    roots = torch.linalg.cholesky(covariances)  # (m, d, d)
    offsets = (x[None, :, :] - means[:, None, :]).mT  # (m, d, B)
    whitened = torch.linalg.solve_triangular(roots, offsets, upper=False)  # (m, d, B)
    log_det = 2 * roots.diagonal(dim1=1, dim2=2).log().sum(dim=1)  # (m,)
    exponents = -0.5 * whitened.square().sum(dim=1)  # (m, B)
    return exponents.T - 0.5 * log_det - 0.5 * x.shape[1] * math.log(2 * math.pi)
    ### END SOLUTION


### BEGIN SOLUTION
def check_components(x: Tensor, means: Tensor, covariances: Tensor) -> None:
    """Refuse points, means and covariances that do not fit."""
    if x.dim() != 2 or means.dim() != 2 or x.shape[1] != means.shape[1]:
        raise ValueError(f"x and means must be (B, d) and (m, d), got {tuple(x.shape)} and {tuple(means.shape)}")
    m, d = means.shape
    if covariances.shape != (m, d, d):
        raise ValueError(f"covariances must be ({m}, {d}, {d}), got {tuple(covariances.shape)}")


def check_weights(weights: Tensor, means: Tensor) -> None:
    """Refuse weights that are not one per mean."""
    if weights.shape != means.shape[:1]:
        raise ValueError(f"weights must be ({len(means)},), one per mean, got {tuple(weights.shape)}")


### END SOLUTION


def mixture_log_prob(x: Tensor, weights: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    r"""Log-density of the mixture, $\log \sum_i \alpha_i \Phi_i(x)$, in nats.

    Arguments:
        x: (B, d).
        weights: (m,), not negative, sum 1; zeros are allowed.
        means: (m, d).
        covariances: (m, d, d).

    Returns:
        (B,); finite also where every component underflows.

    Raises:
        ValueError: if the shapes do not fit.

    Source: course slides (S1), Gaussian mixture.
    """
    ### BEGIN SOLUTION
    check_components(x, means, covariances)
    check_weights(weights, means)
    return torch.logsumexp(weights.log() + component_log_prob(x, means, covariances), dim=1)
    ### END SOLUTION


# %% [markdown]
# ## 5. Bayes' rule: which bump?
#
# Draw first a class $Y$ with $P(Y = i) = \alpha_i$, then $X$ from $\Phi_Y$. Bayes' rule turns this around,
#
# $$P(Y = i \mid X = x) = \frac{\alpha_i\, \Phi_i(x)}{\sum_j \alpha_j\, \Phi_j(x)},$$
#
# the *responsibility* of component $i$ for $x$. The best guess of the class is the one with the largest
# responsibility,
#
# $$\hat y(x) = \operatorname{argmax}_i\; \log \Phi_i(x) + \log \alpha_i .$$
#
# The term $\log \alpha_i$ matters: a point that looks a little more like a rare class is still more probably of the
# frequent one. (The slides' closing sentence speaks of the largest likelihood; their formula, and this exercise,
# have the weight in it.)
#
# The quotient is 0/0 where all densities underflow. A softmax of $\log \alpha_i + \log \Phi_i(x)$ over $i$ is the
# same number, without it.


# %%
def responsibilities(x: Tensor, weights: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    r"""Posterior of the component, $P(Y = i \mid x) = \alpha_i \Phi_i(x) / \sum_j \alpha_j \Phi_j(x)$.

    Arguments:
        x: (B, d).
        weights: (m,), zeros allowed: such a component has the responsibility 0.
        means: (m, d).
        covariances: (m, d, d).

    Returns:
        (B, m), rows sum to 1; right also where every density underflows.

    Raises:
        ValueError: if the shapes do not fit.

    Source: course slides (S1), Bayes' theorem and Gaussian mixture.
    """
    ### BEGIN SOLUTION
    check_components(x, means, covariances)
    check_weights(weights, means)
    return torch.softmax(weights.log() + component_log_prob(x, means, covariances), dim=1)
    ### END SOLUTION


def classify(x: Tensor, weights: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    r"""The most probable component of each point, $\operatorname{argmax}_i \log \Phi_i(x) + \log \alpha_i$.

    Arguments:
        x: (B, d).
        weights: (m,), zeros allowed: such a component never wins.
        means: (m, d).
        covariances: (m, d, d).

    Returns:
        (B,), int64, in 0..m-1; the first index on a tie.

    Raises:
        ValueError: if the shapes do not fit.

    Source: course slides (S1), classification by a Gaussian mixture.
    """
    ### BEGIN SOLUTION
    check_components(x, means, covariances)
    check_weights(weights, means)
    return (weights.log() + component_log_prob(x, means, covariances)).argmax(dim=1)
    ### END SOLUTION


# %% [markdown]
# ## 6. Draw from a mixture, or from one class
#
# The definition is the recipe: for every draw on its own, first the class $Y$ with the probabilities $\alpha$, then
# a point of $\mathcal N(\mu_Y, \Sigma_Y)$. With $\xi \sim \mathcal N(0, I)$ and $\Sigma = L L^\top$ the point is
# $\mu + L\,\xi$: its covariance is $L\, \mathbb E[\xi\xi^\top] L^\top = \Sigma$. Neither $\Sigma\,\xi$ nor $L^\top
# \xi$ has it.
#
# The number of draws of each class is itself random (multinomial), and the rows come in no order. Given `component`,
# all draws are of that class: that is *conditional generation*, the smallest example of it.


# %%
def mixture_sample(
    weights: Tensor,
    means: Tensor,
    covariances: Tensor,
    n: int,
    component: int | None = None,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Independent draws from the mixture, with the component of each.

    Arguments:
        weights: (m,), zeros allowed: such a component is never drawn, unless `component` asks for it.
        means: (m, d).
        covariances: (m, d, d).
        n: how many draws, at least 1.
        component: draw from this component alone, 0..m-1; None draws from the mixture.
        generator: source of all randomness; the global one where None. Nothing is seeded here.

    Returns:
        (x, labels): (n, d) and (n,), int64; in no particular order.

    Raises:
        ValueError: if the shapes do not fit, n is below 1, or component is outside 0..m-1.

    Source: course slides (S1), sampling of a Gaussian mixture and of one component.
    """
    ### BEGIN SOLUTION
    check_components(means, means, covariances)
    check_weights(weights, means)
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if component is not None and not 0 <= component < len(means):
        raise ValueError(f"component must lie in 0..{len(means) - 1}, got {component}")
    device = means.device if generator is None else generator.device
    if component is None:
        labels = torch.multinomial(weights.to(device), n, replacement=True, generator=generator).to(means.device)
    else:
        labels = torch.full((n,), component, device=means.device)
    noise = torch.randn(n, means.shape[1], generator=generator, dtype=means.dtype, device=device).to(means.device)
    roots = torch.linalg.cholesky(covariances)  # (m, d, d)
    return means[labels] + (roots[labels] @ noise[:, :, None])[:, :, 0], labels
    ### END SOLUTION


# %% [markdown]
# ## 7. Fit: with labels, and without
#
# **With labels** $y_j \in \{0, \dots, m-1\}$ maximum likelihood has a closed form. Class $i$ has $n_i$ points, and
#
# $$\alpha_i = \frac{n_i}{n}, \qquad \mu_i = \frac1{n_i} \sum_{j:\, y_j = i} x_j, \qquad
# \Sigma_i = \frac1{n_i} \sum_{j:\, y_j = i} (x_j - \mu_i)(x_j - \mu_i)^\top + \rho\, I .$$
#
# The divisor is $n_i$, not $n_i - 1$. The *ridge* $\rho \geq 0$ keeps a covariance invertible that few points, or
# pixels that are always black, would leave singular.
#
# **Without labels** each point belongs to every component a little. One step of *EM* (expectation-maximisation)
# first computes the responsibilities $r_{ji} = P(Y = i \mid x_j)$ with the parameters that it was given (E), and
# then fits as above, with $r_{ji}$ in place of "0 or 1" (M):
#
# $$N_i = \sum_j r_{ji}, \qquad \alpha_i = \frac{N_i}{n}, \qquad \mu_i = \frac1{N_i} \sum_j r_{ji}\, x_j, \qquad
# \Sigma_i = \frac1{N_i} \sum_j r_{ji} (x_j - \mu_i)(x_j - \mu_i)^\top + \rho\, I ,$$
#
# with the *new* means in the covariances. Without a ridge no step lowers the likelihood; that is the theorem that
# makes EM popular. It does not say that the top is reached: with all components equal, every $r_{ji}$ is $1/m$ for
# ever, and the mixture stays one Gaussian. So start with components that differ, for instance with means at points
# of the data.


# %%
def fit_classes(x: Tensor, labels: Tensor, ridge: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    r"""Maximum likelihood of a mixture whose labels are known: component i is class i.

    Arguments:
        x: (n, d).
        labels: (n,), integers 0..m-1, every class with at least one point; m is the largest label + 1.
        ridge: $\rho \geq 0$, added to the diagonal of every covariance.

    Returns:
        (weights, means, covariances): (m,), (m, d), (m, d, d).

    Raises:
        ValueError: if there is not one label per point, a label is negative, a class has no point, or ridge < 0.

    Source: course slides (S1), Gaussian mixture; Bishop (2006), section 4.2.2.
    """
    ### BEGIN SOLUTION
    if x.dim() != 2 or labels.shape != x.shape[:1]:
        raise ValueError(f"x and labels must be (n, d) and (n,), got {tuple(x.shape)} and {tuple(labels.shape)}")
    check_ridge(ridge)
    if int(labels.min()) < 0:
        raise ValueError(f"labels must not be negative, got {int(labels.min())}")
    members = torch.nn.functional.one_hot(labels.long()).to(x)  # (n, m)
    empty = (members.sum(dim=0) == 0).nonzero().flatten().tolist()
    if empty:
        raise ValueError(f"every class of 0..{members.shape[1] - 1} needs a point, none has {empty}")
    return fit_weighted(x, members, ridge)
    ### END SOLUTION


### BEGIN SOLUTION
def check_ridge(ridge: float) -> None:
    """Refuse a negative ridge."""
    if not ridge >= 0:
        raise ValueError(f"ridge must not be negative, got {ridge}")


def fit_weighted(x: Tensor, members: Tensor, ridge: float) -> tuple[Tensor, Tensor, Tensor]:
    """Weights, means and covariances of points (n, d) that belong to components by shares (n, m)."""
    sizes = members.sum(dim=0)  # (m,)
    means = members.T @ x / sizes[:, None]  # (m, d)
    offsets = x - means[:, None, :]  # (m, n, d)
    covariances = (members.T[:, :, None] * offsets).mT @ offsets / sizes[:, None, None]  # (m, d, d)
    return sizes / len(x), means, covariances + ridge * torch.eye(x.shape[1]).to(x)


### END SOLUTION


def em_step(
    x: Tensor, weights: Tensor, means: Tensor, covariances: Tensor, ridge: float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    r"""One step of EM: responsibilities of the given parameters, then the parameters that fit them best.

    Arguments:
        x: (n, d).
        weights: (m,).
        means: (m, d).
        covariances: (m, d, d).
        ridge: $\rho \geq 0$, added to the diagonal of every covariance.

    Returns:
        (weights, means, covariances) after the step, in the shapes of the arguments.

    Raises:
        ValueError: if the shapes do not fit, or ridge is negative.

    Source: course slides (S1), Gaussian mixture; Dempster, Laird and Rubin (1977).
    """
    ### BEGIN SOLUTION
    check_ridge(ridge)
    return fit_weighted(x, responsibilities(x, weights, means, covariances), ridge)
    ### END SOLUTION


def fit_mixture(
    x: Tensor,
    m: int,
    steps: int,
    ridge: float = 1e-6,
    start: tuple[Tensor, Tensor, Tensor] | None = None,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> tuple[Tensor, Tensor, Tensor, dict[str, list[float]]]:
    """Fit a mixture of m Gaussians by EM.

    Arguments:
        x: (n, d).
        m: number of components, 1..n.
        steps: number of EM steps, at least 1.
        ridge: as of `em_step`.
        start: (weights, means, covariances) to start from: then exactly `steps` times `em_step`. None: you choose a
            start that depends on x and the generator alone; several starts, of which the best is kept, are fine.
        generator: source of all randomness; the global one where None. Nothing is seeded here.
        progress: whether to show a progress bar.

    Returns:
        (weights, means, covariances, history): the parameters after the last step, components in any order;
        `history["log_likelihood"]` has `steps` numbers, the mean of log p per point, all before or all after each step.

    Raises:
        ValueError: if m is outside 1..n, steps is below 1, or ridge is negative.

    Source: course slides (S1), Gaussian mixture; Bishop (2006), section 9.2.2.
    """
    ### BEGIN SOLUTION
    if not 1 <= m <= len(x):
        raise ValueError(f"m must lie in 1..{len(x)}, got {m}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    check_ridge(ridge)
    weights, means, covariances = start if start is not None else spread_start(x, m, ridge, generator)
    history: dict[str, list[float]] = {"log_likelihood": []}
    rounds = range(steps)
    if progress:
        from tqdm.auto import tqdm

        rounds = tqdm(rounds)
    for _ in rounds:
        history["log_likelihood"].append(float(mixture_log_prob(x, weights, means, covariances).mean()))
        weights, means, covariances = em_step(x, weights, means, covariances, ridge)
    return weights, means, covariances, history
    ### END SOLUTION


### BEGIN SOLUTION
def spread_start(x: Tensor, m: int, ridge: float, generator: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
    """Equal weights, means at points of the data far from each other (k-means++), and the data's covariance."""
    device = x.device if generator is None else generator.device
    rows = [int(torch.randint(len(x), (1,), generator=generator, device=device))]
    for _ in range(m - 1):
        nearest = (x[:, None, :] - x[rows]).square().sum(dim=-1).min(dim=1).values  # (n,)
        chances = nearest.to(device).double() + 1e-12
        rows.append(int(torch.multinomial(chances, 1, generator=generator)))
    _, _, covariances = fit_weighted(x, x.new_ones(len(x), 1), ridge + 1e-6 * float(x.var()))
    return x.new_full((m,), 1 / m), x[rows], covariances.repeat(m, 1, 1)


### END SOLUTION

# %% [markdown]
# ## 8. What changes in high dimension
#
# **The shell.** Let $x \sim \mathcal N(0, \frac{\sigma^2}{d} I_d)$: white noise, scaled so that $\mathbb E\|x\|^2 =
# \sigma^2$ in every dimension. Then $\|x\|^2 d/\sigma^2$ is a sum of $d$ squares of standard normal numbers, a
# $\chi^2(d)$ variable, and
#
# $$\operatorname{Var} \|x\|^2 = \frac{2\sigma^4}{d} .$$
#
# In high dimension all points have nearly the same norm: they lie in a thin shell, and the centre, where the density
# is largest, is empty. If $s = \|x\|^2$ then $s\, d/\sigma^2 = t$ with the density of $\chi^2(d)$ in $t$, so by the
# change of variables (the derivative $dt/ds = d/\sigma^2$ is part of it!)
#
# $$\log q(s) = \log \frac{d}{\sigma^2} + \Big(\frac d2 - 1\Big) \log t - \frac t2 - \frac d2 \log 2
# - \log\Gamma\Big(\frac d2\Big), \qquad t = \frac{s\,d}{\sigma^2} .$$
#
# $\Gamma(2500)$ is no floating-point number; its logarithm, `torch.lgamma` or `math.lgamma`, is.
#
# **The boxes.** To know a density on $[0, 1]^d$ to within $\varepsilon$ by filling boxes of side $\varepsilon$, at
# least one point is needed in each of $\varepsilon^{-d}$ boxes: the *curse of dimension*. `covered_fraction` counts
# how many of the boxes a sample reaches. No array with one entry per box fits into a computer at $d = 25$; a set of
# those that have been seen does.


# %%
def squared_norm_log_density(s: Tensor, d: int, sigma: float) -> Tensor:
    r"""Log-density of $\|x\|^2$ at s, for $x \sim \mathcal N(0, \frac{\sigma^2}{d} I_d)$, in nats.

    Arguments:
        s: squared norms, positive, any shape.
        d: dimension, at least 1; thousands work.
        sigma: $\sigma > 0$.

    Returns:
        Shape of s.

    Raises:
        ValueError: if d is below 1, or sigma is not positive.

    Source: lecture notes (S2), Gaussian shell, equations 1 to 3.
    """
    ### BEGIN SOLUTION
    if d < 1:
        raise ValueError(f"d must be at least 1, got {d}")
    if not sigma > 0:
        raise ValueError(f"sigma must be positive, got {sigma}")
    rate = d / sigma**2
    t = s * rate
    return math.log(rate) + (d / 2 - 1) * t.log() - t / 2 - d / 2 * math.log(2) - math.lgamma(d / 2)
    ### END SOLUTION


def covered_fraction(x: Tensor, bins: int) -> float:
    """Share of the bins^d equal boxes of [0, 1]^d that hold at least one point.

    Arguments:
        x: points in [0, 1]^d, (n, d); a coordinate 1 belongs to the last box.
        bins: boxes per axis, at least 1.

    Returns:
        A number in (0, 1]. Nothing of size bins^d is stored.

    Raises:
        ValueError: if a coordinate lies outside [0, 1], or bins is below 1.

    Source: lecture notes (S2), curse of dimension.
    """
    ### BEGIN SOLUTION
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    if not bool(((x >= 0) & (x <= 1)).all()):
        raise ValueError("x must lie in [0, 1]")
    boxes = (x * bins).long().clamp(max=bins - 1)  # (n, d)
    return len(boxes.unique(dim=0)) / bins ** x.shape[1]
    ### END SOLUTION


# %% [markdown]
# ## 9. Figures
#
# Given. The first figure shows what a bandwidth does, and which one the points themselves would choose; the second
# one EM on two moons; the third one Bayes' rule on small pictures: three classes, draws of each, and how often the
# classes of new pictures are found; the fourth one the shell and the boxes.


# %%
def _moons(n: int, generator: torch.Generator) -> Tensor:
    angle = math.pi * torch.rand(n, generator=generator)
    upper = torch.rand(n, generator=generator) < 0.5
    x = torch.stack(
        [torch.where(upper, angle.cos(), 1 - angle.cos()), torch.where(upper, angle.sin(), 0.5 - angle.sin())], 1
    )
    return x + 0.1 * torch.randn(n, 2, generator=generator)


def _draw_bandwidths(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    data = torch.cat([torch.randn(40, 1, generator=generator) - 2, 0.4 * torch.randn(20, 1, generator=generator) + 1.5])
    grid = torch.linspace(-6, 4, 400)[:, None]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
    for h in (0.05, 0.3, 1.5):
        left.plot(grid[:, 0], kde_log_prob(grid, data, h).exp(), label=f"h = {h}")
    left.plot(data[:, 0], torch.full((60,), -0.02), "|", color="0.4")
    left.set(title="Kernel estimates of 60 points", xlabel="x", ylabel="density")
    left.legend()
    widths = torch.logspace(-2, 0.7, 40).tolist()
    right.semilogx(widths, [float(leave_one_out_log_likelihood(data, h)) for h in widths], label="each point left out")
    right.semilogx(
        widths, [float(kde_log_prob(data, data, h).mean()) for h in widths], label="of the points themselves"
    )
    right.axvline(select_bandwidth(data, widths), color="0.6", linestyle="--")
    right.set(title="Which bandwidth?", xlabel="h", ylabel="log-likelihood per point", ylim=(-4, 1))
    right.legend()
    path = folder / "bandwidths.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_moons(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    x = _moons(600, generator)
    weights, means, covariances, history = fit_mixture(x, 8, 60, ridge=1e-4, generator=generator)
    axis = torch.linspace(-1.6, 2.6, 120)
    grid = torch.cartesian_prod(axis, axis)
    density = mixture_log_prob(grid, weights, means, covariances).exp().reshape(120, 120).T
    drawn, labels = mixture_sample(weights, means, covariances, 600, generator=generator)
    figure, panels = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    panels[0].plot(history["log_likelihood"])
    panels[0].set(title="EM climbs", xlabel="step", ylabel="log-likelihood per point")
    panels[1].contourf(axis, axis, density, levels=20, cmap="Blues")
    panels[1].scatter(*x.T, s=2, color="0.3")
    panels[1].set(title="Eight Gaussians on two moons", xlim=(-1.6, 2.6), ylim=(-1.2, 1.7))
    panels[2].scatter(*drawn.T, s=4, c=labels, cmap="tab10")
    panels[2].set(title="Draws, coloured by component", xlim=(-1.6, 2.6), ylim=(-1.2, 1.7))
    path = folder / "moons.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _small_pictures(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Bars, rings and crosses of 7 x 7 pixels, each moved a little and noisy: (n, 49) and (n,)."""
    labels = torch.randint(3, (n,), generator=generator)
    axis = torch.arange(7.0) - 3
    centre = 0.8 * torch.randn(n, 2, generator=generator)
    row, column = axis[None, :, None] - centre[:, :1, None], axis[None, None, :] - centre[:, 1:, None]
    shapes = torch.stack([
        (-column.square()).exp().expand(n, 7, 7),
        (-((row.square() + column.square()).sqrt() - 2).square() * 2).exp(),
        torch.maximum((-(row - column).square()).exp(), (-(row + column).square()).exp()),
    ])  # fmt: skip
    pictures = shapes[labels, torch.arange(n)] + 0.1 * torch.randn(n, 7, 7, generator=generator)
    return pictures.reshape(n, 49), labels


def _draw_classes(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    fitted = fit_classes(*_small_pictures(2000, generator), ridge=1e-3)
    unseen, labels = _small_pictures(1000, generator)
    accuracy = float((classify(unseen, *fitted) == labels).double().mean())
    figure, panels = plt.subplots(3, 8, figsize=(9, 3.6), layout="constrained")
    for i, row in enumerate(panels):
        drawn, _labels = mixture_sample(*fitted, 8, component=i, generator=generator)
        for panel, picture in zip(row, drawn, strict=True):
            panel.imshow(picture.reshape(7, 7), cmap="gray_r", vmin=0, vmax=1)
            panel.axis("off")
    figure.suptitle(f"Draws of each class; {accuracy:.1%} of new pictures are classified rightly")
    path = folder / "classes.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_dimensions(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
    s = torch.linspace(0.01, 2.5, 500, dtype=torch.float64)
    for d in (2, 10, 100, 1000):
        left.plot(s, squared_norm_log_density(s, d, 1.0).exp(), label=f"d = {d}")
    left.set(title="The Gaussian shell, σ = 1", xlabel="‖x‖²", ylabel="density")
    left.legend()
    dimensions = range(1, 9)
    for n in (100, 1000, 10000):
        shares = [covered_fraction(torch.rand(n, d, generator=generator), 10) for d in dimensions]
        right.semilogy(dimensions, shares, marker="o", label=f"{n} points")
    right.set(title="Boxes of side 1/10 that hold a point", xlabel="dimension", ylabel="share")
    right.legend()
    path = folder / "dimensions.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def make_figures(folder: str | Path) -> list[Path]:
    """Draw bandwidths, moons, classes and high dimensions. Returns the files written."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    return [draw(folder, generator) for draw in (_draw_bandwidths, _draw_moons, _draw_classes, _draw_dimensions)]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 10. Quiz
#
# The questions below carry your own numbers. Work them out on paper or with your functions; then put the
# answers into `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "weights": [0.9, 0.1],
    "means": [0, 3],
    "stds": [2.0, 1.5],
    "point": 3.0,
    "sigma": 1.5,
    "shell_d": 784,
    "epsilon": 0.02,
    "boxes_d": 24,
    "points": [2, 0, 6],
    "at": 0.7,
    "bandwidth": 1.2,
}
QUIZ = {
    "class": (
        "Class 0 has the weight 0.9 and the law N(0, 2.0²), class 1 the weight 0.1 and the law "
        "N(3, 1.5²). To which class does Bayes' rule assign the point 3.0? Answer: an integer, "
        "0 or 1."
    ),
    "shell": (
        "White noise x ~ N(0, σ²/d I) with σ = 1.5 in dimension d = 784: what is the variance "
        "of ‖x‖²? Answer: a number, to 1 %."
    ),
    "boxes": (
        "[0, 1]^d is cut into boxes of side ε = 0.02, and d = 24. What is the logarithm to "
        "base 10 of the number of samples that is needed at least, so that every box can hold "
        "one? Answer: a number, to 0.01."
    ),
    "kernel": (
        "Data [2, 0, 6] on a line, bandwidth h = 1.2: what is the kernel density estimate (not "
        "its logarithm) at x = 0.7? Answer: a number, to 0.0005."
    ),
}
### END PERSONAL
ANSWERS = {"class": None, "shell": None, "boxes": None, "kernel": None}
### BEGIN SOLUTION
_densities = [
    weight * math.exp(-((PERSONAL["point"] - mean) ** 2) / (2 * std**2)) / std
    for weight, mean, std in zip(PERSONAL["weights"], PERSONAL["means"], PERSONAL["stds"], strict=True)
]
_h = PERSONAL["bandwidth"]
_bumps = [
    math.exp(-((PERSONAL["at"] - x) ** 2) / (2 * _h**2)) / (_h * math.sqrt(2 * math.pi)) for x in PERSONAL["points"]
]
ANSWERS = {
    "class": _densities.index(max(_densities)),
    "shell": 2 * PERSONAL["sigma"] ** 4 / PERSONAL["shell_d"],
    "boxes": -PERSONAL["boxes_d"] * math.log10(PERSONAL["epsilon"]),
    "kernel": sum(_bumps) / 3,
}
### END SOLUTION
