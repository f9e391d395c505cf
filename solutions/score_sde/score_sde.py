# %% [markdown]
# # Scores and stochastic differential equations
#
# Diffusion without a table of steps: data become noise along a *stochastic differential equation* in continuous
# time, and come back along another one, which needs nothing but the *score* $\nabla \log p_t$. The same score gives
# a deterministic way back, the *probability flow*, and with it the likelihood of a point. And since the score of
# noisy data is the best denoiser in disguise, it is compared at the end with the best *linear* one, the Wiener
# filter.
#
# **Sources.** Lecture notes on transport and denoising (S2), whose equations (13) to (20) are numbered as there;
# course slides of module 5 on score, diffusion and optimal transport (S3). B. D. O. Anderson, *Reverse-time
# diffusion equation models* (1982). P. Vincent, *A connection between score matching and denoising autoencoders*
# (2011). R. T. Q. Chen et al., *Neural ordinary differential equations* (2018). Y. Song et al., *Score-based
# generative modeling through stochastic differential equations* (2021). N. Wiener, *Extrapolation, interpolation,
# and smoothing of stationary time series* (1949). H. Robbins, *An empirical Bayes approach to statistics* (1956),
# for Tweedie's formula.
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments. Tensors
# in, tensors out, with the dtype and the device of the input, which stays unchanged; points are rows, (B, d). The
# file must import without computing anything.
#
# **How it is judged** ({points} points). Each function is checked by itself, in float64, on numbers drawn afresh
# for you: the forward process and noised scores ({points:forward} points), divergence and Fokker-Planck
# ({points:fields}), the way back ({points:reverse}), the likelihood ({points:flow}), loss, network and training
# ({points:learning,training}), denoisers ({points:estimation}), conventions and the refusal of bad arguments
# ({points:conventions}; of a function only where its values are right), the quiz ({points:quiz}). Chains are
# judged by their law, never draw by draw, with tests that a correct sampler fails less than once in 100,000 times.
# Do not seed anything.

# %%
from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

# %% [markdown]
# ## 1. From data to noise: the Ornstein-Uhlenbeck process
#
# $$dx = -x\,dt + \sqrt 2\, dW.$$
#
# The drift pulls to 0, the noise pushes away, and whatever the law at $t = 0$ was, $\mathcal N(0, I)$ is the law at
# $t = \infty$. Time $t$ runs *forward*: 0 is data. The equation is linear, so the law of $x_t$ given $x_0$ is
# known,
#
# $$x_t = e^{-t}\, x_0 + \sqrt{1 - e^{-2t}}\; z, \qquad z \sim \mathcal N(0, I),$$
#
# and $x_t$ can be drawn in one go. `decay` is $e^{-t}$ and `std` $\sqrt{1 - e^{-2t}}$, a standard deviation. Beware
# of a second convention: Song et al. write $dx = -\frac12 \beta x\,dt + \sqrt\beta\, dW$; with $\beta = 1$ that is
# the same process at half the speed.
#
# *Euler-Maruyama* replaces the equation by steps, $x_{k+1} = x_k - x_k\,dt + \sqrt{2\,dt}\,\xi_k$. That is not the
# exact transition: repeated for ever, the variance does not settle at 1 (where then? The quiz asks).
#
# Where a function takes `t`, it is a number, or a tensor with one time per row, (B,): each row is then at its own
# time.


# %%
### BEGIN SOLUTION
def check_same(**tensors: Tensor) -> None:
    """ValueError unless all tensors have one shape."""
    if len({tuple(value.shape) for value in tensors.values()}) > 1:
        got = ", ".join(f"{name} {tuple(value.shape)}" for name, value in tensors.items())
        raise ValueError(f"expected one shape for all, got {got}")


def row_moments(t: Tensor | float, x: Tensor) -> tuple[Tensor, Tensor]:
    """Decay and std in x's dtype, as columns (B, 1), or 0-d where t is a number."""
    t = torch.as_tensor(t, dtype=x.dtype, device=x.device)
    if t.dim() > 0:
        if t.shape != x.shape[:1]:
            raise ValueError(f"t must be a number or ({len(x)},), one time per row, got {tuple(t.shape)}")
        t = t[:, None]  # (B, 1)
    return ou_moments(t)


### END SOLUTION


def ou_moments(t: Tensor | float) -> tuple[Tensor | float, Tensor | float]:
    r"""What is left of the data and how much noise there is at time t: $e^{-t}$ and $\sqrt{1 - e^{-2t}}$.

    Arguments:
        t: a number, or a tensor of any shape; at least 0.

    Returns:
        (decay, std): numbers (or 0-d tensors) where t is one, else tensors of the shape of t.

    Raises:
        ValueError: if a time is negative.

    Source: course notes (S2), Ornstein-Uhlenbeck.
    """
    ### BEGIN SOLUTION
    if isinstance(t, Tensor):
        if (t < 0).any():
            raise ValueError("t must not be negative")
        return torch.exp(-t), torch.sqrt(-torch.expm1(-2 * t))
    if t < 0:
        raise ValueError(f"t must not be negative, got {t}")
    return math.exp(-t), math.sqrt(-math.expm1(-2 * t))
    ### END SOLUTION


def ou_sample(x0: Tensor, t: Tensor | float, noise: Tensor) -> Tensor:
    r"""Jump to time t: $x_t = e^{-t} x_0 + \sqrt{1 - e^{-2t}}\, z$, the exact law.

    Arguments:
        x0: data, (B, d).
        t: a number, or one time per row, (B,).
        noise: standard normal numbers z, (B, d), used as given.

    Returns:
        x_t, (B, d).

    Raises:
        ValueError: if noise has not the shape of x0, or t is neither a number nor (B,).

    Source: course notes (S2), Ornstein-Uhlenbeck.
    """
    ### BEGIN SOLUTION
    check_same(x0=x0, noise=noise)
    decay, std = row_moments(t, x0)
    return decay * x0 + std * noise
    ### END SOLUTION


def ou_step(x: Tensor, dt: float, noise: Tensor) -> Tensor:
    r"""One step of Euler-Maruyama forward in time, $x - x\,dt + \sqrt{2\,dt}\, z$.

    Arguments:
        x: points, (B, d).
        dt: length of the step, > 0.
        noise: standard normal numbers z, (B, d), used as given.

    Returns:
        Next points, (B, d).

    Raises:
        ValueError: if noise has not the shape of x, or dt is not positive.

    Source: course slides (S3), stochastic differential equations.
    """
    ### BEGIN SOLUTION
    check_same(x=x, noise=noise)
    if dt <= 0:
        raise ValueError(f"dt must be positive, got {dt}")
    return x - dt * x + math.sqrt(2 * dt) * noise
    ### END SOLUTION


# %% [markdown]
# ## 2. A score that is known at every time
#
# Where the data are a mixture of Gaussians, $p_0 = \sum_k w_k\, \mathcal N(m_k, s^2 I)$ (`std` is $s$), so is
# $p_t$: every component is shrunk by $e^{-t}$ and widened by the noise. Variances add, standard deviations do not,
#
# $$p_t = \sum_k w_k\, \mathcal N\big(e^{-t} m_k,\; v_t I\big), \qquad v_t = e^{-2t} s^2 + 1 - e^{-2t},$$
#
# and its score is the mean of the components' scores, weighted by the probabilities $r_k(x)$ that $x$ came from
# component $k$: $\nabla \log p_t(x) = \sum_k r_k(x)\, (e^{-t} m_k - x) / v_t$. Far from all centres every density
# is 0 in floating point: work with logarithms (`softmax`).


# %%
def noised_score(x: Tensor, t: Tensor | float, means: Tensor, std: float, weights: Tensor) -> Tensor:
    r"""Score of a noised mixture of Gaussians, $\nabla \log p_t(x)$.

    Arguments:
        x: points, (B, d).
        t: a number, or one time per row, (B,); at least 0.
        means: centres at time 0, (K, d).
        std: standard deviation of every component at time 0, > 0.
        weights: probabilities of the components, (K,), positive, sum 1.

    Returns:
        (B, d); finite also far from all centres.

    Raises:
        ValueError: if the last dimensions of x and means differ, there is not one weight per mean, or t is neither a
            number nor (B,).

    Source: course slides (S3), score.
    """
    ### BEGIN SOLUTION
    if x.dim() != 2 or means.dim() != 2 or x.shape[1] != means.shape[1]:
        raise ValueError(f"x and means must be (B, d) and (K, d), got {tuple(x.shape)} and {tuple(means.shape)}")
    if weights.shape != means.shape[:1]:
        raise ValueError(f"weights must be ({len(means)},), one per mean, got {tuple(weights.shape)}")
    decay, spread = row_moments(t, x)  # (B, 1) or 0-d
    variance = (decay * std) ** 2 + spread**2
    gaps = decay[..., None] * means - x[:, None]  # (B, K, d)
    shares = torch.softmax(weights.log() - gaps.square().sum(dim=-1) / (2 * variance), dim=1)  # (B, K), rows sum to 1
    return (shares[..., None] * gaps).sum(dim=1) / variance  # (B, d)
    ### END SOLUTION


# %% [markdown]
# ## 3. Transport, Liouville and Fokker-Planck
#
# A law that follows a velocity field changes by what flows in and out, $\partial_t p = -\nabla \cdot (p\, v)$
# (equation 13 says $dx/dt = v$). The *divergence* $\nabla \cdot f = \sum_i \partial f_i / \partial x_i$ is the
# trace of the Jacobian, not the sum of all its entries. In $d$ dimensions it takes $d$ backward passes
# (Hutchinson's estimate with random vectors takes one, and is noisy: not here).
#
# Noise adds a Laplacian. The law of the Ornstein-Uhlenbeck process obeys the *Fokker-Planck equation* (16),
#
# $$\partial_t p = \nabla \cdot (x\, p) + \Delta p .$$
#
# Divide by $p$ and write everything with $\log p$ (try it: $\Delta p / p = \Delta \log p + \|\nabla \log p\|^2$):
#
# $$\partial_t \log p = d + x \cdot \nabla \log p + \|\nabla \log p\|^2 + \Delta \log p .$$
#
# `fokker_planck_residual` is the left side minus the right one: 0 for $\mathcal N(0, I)$ and for every noised
# mixture, and not for a density that goes another way.
#
# Both functions work under `torch.no_grad()` too (`torch.enable_grad()` inside), and where the field or the density
# ignores one of its arguments: what does not depend on $x$ has derivative 0 (`allow_unused=True`, and look at
# `requires_grad`). The rows of a batch do not talk to each other, so the sum over the rows can be differentiated.


# %%
### BEGIN SOLUTION
def derivative(value: Tensor, inputs: Tensor, again: bool = False) -> Tensor:
    """Gradient of the summed value; zeros where the value does not depend on the inputs."""
    if not value.requires_grad:
        return torch.zeros_like(inputs)
    (found,) = torch.autograd.grad(value.sum(), inputs, create_graph=again, retain_graph=True, allow_unused=True)
    return torch.zeros_like(inputs) if found is None else found


def trace_of_jacobian(values: Tensor, x: Tensor) -> Tensor:
    """Sum over i of d values_i / d x_i, row by row: (B,)."""
    return torch.stack([derivative(values[:, i], x)[:, i] for i in range(x.shape[1])]).sum(dim=0)


### END SOLUTION


def divergence(field: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    r"""Divergence of a vector field, $\sum_i \partial f_i / \partial x_i$, exact.

    Arguments:
        field: from points (B, d) to vectors (B, d), each row by itself; it may ignore x.
        x: points, (B, d).

    Returns:
        (B,). Works under no_grad too.

    Source: course notes (S2), Liouville.
    """
    ### BEGIN SOLUTION
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return trace_of_jacobian(field(x), x).detach()
    ### END SOLUTION


def fokker_planck_residual(log_prob: Callable[[Tensor, Tensor], Tensor], x: Tensor, t: Tensor) -> Tensor:
    r"""How far a density is from following the process:
    $\partial_t \log p - (d + x \cdot \nabla \log p + \|\nabla \log p\|^2 + \Delta \log p)$.

    Arguments:
        log_prob: from points (B, d) and times (B,) to log-densities (B,), differentiable twice, each row by itself; it
            may ignore x or t.
        x: points, (B, d).
        t: one time per row, (B,).

    Returns:
        (B,), 0 where the density is a solution. Works under no_grad too.

    Raises:
        ValueError: if t is not (B,).

    Source: course notes (S2), equation 16.
    """
    ### BEGIN SOLUTION
    if t.shape != x.shape[:1]:
        raise ValueError(f"t must be ({len(x)},), one time per row, got {tuple(t.shape)}")
    with torch.enable_grad():
        x, t = x.detach().requires_grad_(), t.detach().requires_grad_()
        value = log_prob(x, t)  # (B,)
        change, slope = derivative(value, t), derivative(value, x, again=True)  # (B,), (B, d)
        laplacian = trace_of_jacobian(slope, x)
        flow = x.shape[1] + (x * slope).sum(dim=1) + slope.square().sum(dim=1) + laplacian
        return (change - flow).detach()
    ### END SOLUTION


# %% [markdown]
# ## 4. The way back
#
# Fokker-Planck can be written as a transport equation: $\partial_t p = -\nabla \cdot (p\, v_t)$ with
#
# $$v_t(x) = -x - \nabla \log p_t(x).$$
#
# So the deterministic $dx/dt = v_t$, the *probability flow*, has the same $p_t$ as the process, and can be run in
# either direction. (Equation 15 of the notes, $\nabla \log p$, is the drift of Langevin's equation for a fixed $p$,
# not a $v$ for (13): that is $\nabla \log p_\infty - \nabla \log p_t$, which for $p_\infty = \mathcal N(0, I)$ is
# the $v_t$ above, and 0 once $p_t = p_\infty$.)
#
# **Backward, with noise.** Let $t' = T - t$ be a clock that grows from noise to data. Then
#
# $$dx = \big(x + 2\, \nabla \log p_t(x)\big)\, dt' + \sqrt 2\, dW .$$
#
# **Signs.** The notes' equation (17) reads $dx = -(x + 2 \nabla \log p)\, dt + \sqrt 2\, dW$. It is the same
# equation, but only if $dt < 0$: in Song's form, time runs from $T$ down to 0. Read with $dt > 0$ it runs away: for
# $p = \mathcal N(0, I)$ its drift is $+x$. Here `dt` is always positive and the drift is $+(x + 2 \nabla \log
# p_t)$.
#
# **In between.** Every $\eta \in [0, 1]$ gives an equation with the same marginals,
#
# $$dx = \big(x + (1 + \eta^2)\, \nabla \log p_t(x)\big)\, dt' + \eta \sqrt 2\, dW :$$
#
# $\eta = 1$ is the reverse SDE, $\eta = 0$ the flow run backward, which takes one score, not two.
#
# `reverse_sample` takes Euler steps on given times that decrease from $T$ to 0. They need not be even, and should
# not: near the data everything happens faster, so geometric times serve well. Step $k$ goes from `times[k]` to
# `times[k+1]` with the score at `times[k]`, where the point is. The score is never asked at the last time, which
# may therefore be 0.


# %%
def reverse_step(x: Tensor, score: Tensor, dt: float, noise: Tensor, eta: float = 1.0) -> Tensor:
    r"""One Euler step backward in time, $x + dt\,(x + (1 + \eta^2)\, s) + \eta \sqrt{2\,dt}\, z$.

    Arguments:
        x: points, (B, d).
        score: the score at these points (a tensor, not a function), (B, d).
        dt: length of the step, > 0.
        noise: standard normal numbers z, (B, d), used as given.
        eta: amount of noise, in [0, 1]; 1 is the reverse SDE, 0 the probability flow.

    Returns:
        Next points, nearer to the data, (B, d).

    Raises:
        ValueError: if the shapes differ, dt is not positive, or eta is outside [0, 1].

    Source: course notes (S2), equation 17 with its clock reversed; Anderson (1982); Song et al. (2021).
    """
    ### BEGIN SOLUTION
    check_same(x=x, score=score, noise=noise)
    if dt <= 0:
        raise ValueError(f"dt must be positive, got {dt}")
    if not 0 <= eta <= 1:
        raise ValueError(f"eta must lie in [0, 1], got {eta}")
    return x + dt * (x + (1 + eta**2) * score) + eta * math.sqrt(2 * dt) * noise
    ### END SOLUTION


### BEGIN SOLUTION
def check_times(times: Tensor, sign: int) -> None:
    """ValueError unless there are at least two times, none negative, strictly monotone: sign 1 is increasing."""
    if times.dim() != 1 or len(times) < 2:
        raise ValueError(f"times must be 1-D with at least two entries, got {tuple(times.shape)}")
    if (sign * times.diff() <= 0).any() or (times < 0).any():
        way = "increasing" if sign > 0 else "decreasing"
        raise ValueError(f"times must be strictly {way} and not negative, got {times.tolist()}")


### END SOLUTION


def reverse_sample(
    score_fn: Callable[[Tensor, Tensor], Tensor],
    x_T: Tensor,
    times: Tensor,
    eta: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Go back from noise to data, by `reverse_step` on given times.

    Arguments:
        score_fn: from points (B, d) and times (B,) in their dtype to scores (B, d).
        x_T: points at times[0], (B, d); it stays as it is.
        times: (n + 1,), strictly decreasing, the last at least 0.
        eta: amount of noise, in [0, 1].
        generator: source of the noise, fresh for each step, row and coordinate; the global one where None. Nothing is
            seeded here.

    Returns:
        The trajectory (n + 1, B, d), x_T first, without gradients. No denoising at the end.

    Raises:
        ValueError: if times has fewer than 2 entries, does not decrease strictly, or has a negative one; if eta is
            outside [0, 1].

    Source: course notes (S2), equation 17; Song et al. (2021).
    """
    ### BEGIN SOLUTION
    check_times(times, -1)
    if not 0 <= eta <= 1:
        raise ValueError(f"eta must lie in [0, 1], got {eta}")
    device = x_T.device if generator is None else generator.device
    x = x_T.detach()
    trajectory = [x]
    for now, after in zip(times.tolist(), times.tolist()[1:], strict=False):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)
        score = score_fn(x, torch.full_like(x[:, 0], now)).detach()
        x = reverse_step(x, score, now - after, noise, eta)
        trajectory.append(x)
    return torch.stack(trajectory)  # (n + 1, B, d)
    ### END SOLUTION


# %% [markdown]
# ## 5. The likelihood of a point
#
# Along the flow $dx/dt = v_t(x)$ the density changes by the divergence alone (Liouville), $\frac{d}{dt} \log
# p_t(x(t)) =
# -\nabla \cdot v_t$. Follow a point from the data to the noise, where the density is known:
#
# $$\log p(x) = \log \mathcal N(x_T; 0, I) + \int_0^T \nabla \cdot v_t(x(t))\, dt, \qquad
# \nabla \cdot v_t = -d - \nabla \cdot s_t .$$
#
# $p_T$ is not quite $\mathcal N(0, I)$; the error goes as $e^{-T}$. The integral of the positions and that of the
# divergence are taken by the same method on the times given. Euler's method (order 1) is too coarse by far; take
# one of order 2 or more: Heun (the mean of the slopes at both ends of a step), the midpoint rule, or Runge-Kutta 4.
# Ask for the score at times between the first and the last only.


# %%
def flow_log_likelihood(
    score_fn: Callable[[Tensor, Tensor], Tensor], x: Tensor, times: Tensor
) -> tuple[Tensor, Tensor]:
    r"""Log-density by the probability flow, $\log \mathcal N(x_T; 0, I) + \int \nabla \cdot v_t\, dt$.

    Arguments:
        score_fn: from points (B, d) and times (B,) in their dtype to scores (B, d).
        x: points at times[0], (B, d).
        times: (n + 1,), strictly increasing, the first at least 0; the last is T.

    Returns:
        (log_prob (B,), in nats; x_T (B, d), where the points are at T). Works under no_grad too.

    Raises:
        ValueError: if times has fewer than 2 entries, does not increase strictly, or has a negative one.

    Source: course notes (S2), equation 13 and Liouville; Chen et al. (2018); Song et al. (2021), section 4.3.
    """
    ### BEGIN SOLUTION
    check_times(times, 1)
    d = x.shape[1]

    def slopes(x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        """Velocity (B, d) and its divergence (B,)."""
        now = torch.full_like(x[:, 0], t)
        velocity = -x - score_fn(x, now).detach()
        return velocity, -d - divergence(lambda points: score_fn(points, now), x)

    x, total = x.detach(), x.new_zeros(len(x))
    for now, after in zip(times.tolist(), times.tolist()[1:], strict=False):
        dt = after - now
        velocity, rate = slopes(x, now)
        velocity_after, rate_after = slopes(x + dt * velocity, after)  # Heun: the mean of both ends
        x = x + dt * (velocity + velocity_after) / 2
        total = total + dt * (rate + rate_after) / 2
    prior = -0.5 * x.square().sum(dim=1) - 0.5 * d * math.log(2 * math.pi)  # (B,)
    return prior + total, x
    ### END SOLUTION


# %% [markdown]
# ## 6. Learning the score
#
# Given $x_0$, the law of $x_t$ is Gaussian with score $-z / \sigma_t$ ($\sigma_t$ is `std`). Regression on it gives
# the score of $p_t$ (Vincent, 2011). The target grows without bound as $t \to 0$; the weight $\sigma_t^2$ makes all
# times count alike:
#
# $$L = \mathbb E\; \tfrac1d \big\| \sigma_t\, s_\theta(x_t, t) + z \big\|^2 .$$
#
# **The network** returns the score, not the noise. A network that computes something of size 1 and divides it by
# $\sigma_t$ learns much better than one that has to learn this growth. It has to be told the time, row by row; what
# it is told ($t$, $\log t$, $\sigma_t$, sines...) and the layers are up to you. No batch normalisation: the rows of
# a batch are at different times.
#
# **The training** draws, in each step, a batch of rows, one time for *each row* in $[t_{min}, t_{max}]$ (uniform,
# log-uniform... any density that is positive there), and fresh noise. Use `torch.optim.Adam` (or AdamW).
#
# What is judged, after {judged:training.FIT} on three Gaussians whose places are drawn for you, is the score of your
# network against the true one.


# %%
def track(steps: int, label: str, progress: bool) -> Iterable[int]:
    """The steps of a loop, with a progress bar where one is asked for (given, for `progress=True`)."""
    if not progress:
        return range(steps)
    try:
        from rich.progress import track as bar
    except ImportError:
        print(f"{label}: {steps} steps", file=sys.stderr)
        return range(steps)
    return bar(range(steps), description=label)


class ScoreNetwork(nn.Module):
    """Score s(x, t) of noised data: a small network that is told the time of each row.

    Arguments:
        dim: dimension of the points.
        hidden: width of the hidden layers, a multiple of 32 in all checks.

    Source: Song et al. (2021).
    """

    def __init__(self, dim: int = 2, hidden: int = 64) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.layers = nn.Sequential(
            nn.Linear(dim + 3, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, dim)
        )
        ### END SOLUTION

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """The score at each row's own time.

        Arguments:
            x: points, (B, dim).
            t: times, (B,), positive.

        Returns:
            Scores, (B, dim).
        """
        ### BEGIN SOLUTION
        decay, std = row_moments(t, x)  # (B, 1) each
        told = torch.cat([x, decay, std, t[:, None].log()], dim=1)  # (B, dim + 3)
        return self.layers(told) / std
        ### END SOLUTION


def score_matching_loss(model: Callable[[Tensor, Tensor], Tensor], x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    r"""Denoising score matching, weighted: the mean over all entries of $(\sigma_t\, s_\theta(x_t, t) + z)^2$.

    Arguments:
        model: from points (B, d) and times (B,) to scores (B, d).
        x0: data, (B, d).
        t: one time per row, (B,).
        noise: standard normal numbers z, (B, d), used as given.

    Returns:
        Scalar, differentiable in the model's parameters.

    Raises:
        ValueError: if noise has not the shape of x0, or t is not (B,).

    Source: Vincent (2011); course notes (S2), denoising.
    """
    ### BEGIN SOLUTION
    if t.shape != x0.shape[:1]:
        raise ValueError(f"t must be ({len(x0)},), one time per row, got {tuple(t.shape)}")
    std = row_moments(t, x0)[1]  # (B, 1)
    return (std * model(ou_sample(x0, t, noise), t) + noise).square().mean()
    ### END SOLUTION


def train_score(
    model: nn.Module,
    x: Tensor,
    steps: int,
    batch_size: int = 256,
    lr: float = 5e-3,
    t_min: float = 0.01,
    t_max: float = 3.0,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train a score model in place, with Adam on `score_matching_loss`.

    Arguments:
        model: any module of (x, t).
        x: data, (n, d).
        steps: number of updates, at least 1.
        batch_size: rows of each batch, at least 1.
        lr: learning rate.
        t_min, t_max: times are drawn between them, 0 < t_min < t_max.
        generator: source of rows, times and noise; the global one where None. Nothing is seeded here.
        progress: show a progress bar.

    Returns:
        {"loss": one float per step, the batch's loss before the update}.

    Raises:
        ValueError: if steps or batch_size is below 1, or unless 0 < t_min < t_max.

    Source: Song et al. (2021).
    """
    ### BEGIN SOLUTION
    if steps < 1 or batch_size < 1:
        raise ValueError(f"steps and batch_size must be at least 1, got {steps} and {batch_size}")
    if not 0 < t_min < t_max:
        raise ValueError(f"expected 0 < t_min < t_max, got {t_min} and {t_max}")
    device = x.device if generator is None else generator.device
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for _step in track(steps, "train_score", progress):
        rows = torch.randint(len(x), (batch_size,), generator=generator, device=device).to(x.device)
        u = torch.rand(batch_size, generator=generator, dtype=x.dtype, device=device).to(x.device)
        noise = torch.randn(batch_size, x.shape[1], generator=generator, dtype=x.dtype, device=device).to(x.device)
        t = t_min * (t_max / t_min) ** u  # log-uniform: small times need as much care as large ones
        loss = score_matching_loss(model, x[rows], t, noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return {"loss": losses}
    ### END SOLUTION


# %% [markdown]
# ## 7. Two denoisers
#
# **The best of all.** The mean of $x_0$ given $x_t$ has the least mean squared error, and the score knows it
# (Tweedie):
#
# $$\mathbb E[x_0 \mid x_t] = \frac{x_t + \sigma_t^2\, \nabla \log p_t(x_t)}{e^{-t}} .$$
#
# The notes write (18) as $y = x + \sigma z$ and (20) as $\mathbb E[x \mid y] = y + \sigma^2 \nabla \log p_y(y)$.
# That is the same: $y = e^t x_t$, $\sigma^2 = e^{2t} - 1$, and $\nabla \log p_y(y) = e^{-t}\, \nabla \log
# p_t(x_t)$. The score of $y$ is not the score of $x_t$: mixing the two is a popular mistake.
#
# **The best affine one** is the *Wiener filter*. For $y = x + \sigma z$ and data of mean $\mu$ and covariance
# $\Sigma$,
#
# $$\hat x = \mu + \Sigma\, (\Sigma + \sigma^2 I)^{-1} (y - \mu) .$$
#
# (For stationary signals $\Sigma$ is diagonal in Fourier space: a gain per frequency.) $\Sigma$ may be singular, as
# it is for data in a subspace, so do not invert it; $\Sigma + \sigma^2 I$ can always be solved with. For one kind of
# data the two denoisers agree (which?); for all others the first one is better.


# %%
def denoise(x_t: Tensor, t: Tensor | float, score: Tensor) -> Tensor:
    r"""The best guess of the data, $\mathbb E[x_0 | x_t] = (x_t + \sigma_t^2\, s) / e^{-t}$.

    Arguments:
        x_t: noisy points, (B, d).
        t: a number, or one time per row, (B,).
        score: the score of $p_t$ at these points, (B, d).

    Returns:
        (B, d).

    Raises:
        ValueError: if score has not the shape of x_t, or t is neither a number nor (B,).

    Source: course notes (S2), equations 18 to 20; Robbins (1956).
    """
    ### BEGIN SOLUTION
    check_same(x_t=x_t, score=score)
    decay, std = row_moments(t, x_t)
    return (x_t + std**2 * score) / decay
    ### END SOLUTION


def wiener_filter(y: Tensor, mean: Tensor, covariance: Tensor, sigma: float) -> Tensor:
    r"""The best affine guess of x from $y = x + \sigma z$: $\mu + \Sigma (\Sigma + \sigma^2 I)^{-1} (y - \mu)$.

    Arguments:
        y: noisy points, (B, d).
        mean: of the data, (d,).
        covariance: of the data, (d, d), symmetric, possibly singular.
        sigma: standard deviation of the noise, > 0.

    Returns:
        (B, d).

    Raises:
        ValueError: if mean or covariance does not fit y, or sigma is not positive.

    Source: course notes (S2), Wiener filter; Wiener (1949).
    """
    ### BEGIN SOLUTION
    d = y.shape[-1]
    if mean.shape != (d,) or covariance.shape != (d, d):
        got = f"{tuple(mean.shape)} and {tuple(covariance.shape)}"
        raise ValueError(f"mean and covariance must be ({d},) and ({d}, {d}), got {got}")
    if sigma <= 0:
        raise ValueError(f"sigma must be positive, got {sigma}")
    noisy = covariance + sigma**2 * torch.eye(d, dtype=y.dtype, device=y.device)
    # Both matrices are symmetric and commute: rows times (noisy^-1 covariance).
    return mean + (y - mean) @ torch.linalg.solve(noisy, covariance)
    ### END SOLUTION


# %% [markdown]
# ## 8. Figures
#
# Given. The first figure follows three Gaussians forward into noise, and back from one and the same $x_T$ along the
# SDE and along the flow: look at where each point ends, and at where all of them do. The second one learns the
# score of the same data from samples, and compares three denoisers: the Wiener filter, the learned score and the
# true one.

# %%
ANGLES = torch.tensor([0.3, 2.4, 4.4])
MEANS = 1.5 * torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)  # (3, 2)
STD = 0.3
WEIGHTS = torch.tensor([0.5, 0.3, 0.2])


def draw_data(n: int, generator: torch.Generator) -> Tensor:
    """Points of the three Gaussians, (n, 2)."""
    labels = torch.multinomial(WEIGHTS, n, replacement=True, generator=generator)
    return MEANS[labels] + STD * torch.randn(n, 2, generator=generator)


def true_score(x: Tensor, t: Tensor) -> Tensor:
    """Their score at the times t (B,)."""
    return noised_score(x, t, MEANS.to(x), STD, WEIGHTS.to(x))


def _draw_trajectories(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    x = draw_data(500, generator)
    forward = [x]
    for _k in range(150):
        forward.append(ou_step(forward[-1], 0.02, torch.randn(x.shape, generator=generator)))
    times = torch.cat([torch.logspace(math.log10(3.0), -2, 150), torch.zeros(1)])
    back = [reverse_sample(true_score, forward[-1], times, eta, generator) for eta in (1.0, 0.0)]
    titles = "Forward: to noise at T = 3", "Back along the reverse SDE", "Back along the flow, from the same points"

    figure, panels = plt.subplots(1, 3, figsize=(12.5, 4.4), layout="constrained", sharex=True, sharey=True)
    for panel, frames, title in zip(panels, (torch.stack(forward), *back), titles, strict=True):
        panel.scatter(*frames[0].T.numpy(), s=4, color="0.8")
        panel.scatter(*frames[-1].T.numpy(), s=4, color="tab:blue")
        for i in range(4):
            panel.plot(*frames[:, i].T.numpy(), linewidth=0.6, alpha=0.8)
            panel.scatter(*frames[-1, i].numpy(), s=18, color=f"C{i}", edgecolor="black", linewidth=0.5, zorder=3)
        panel.set(title=title, aspect="equal", xlim=(-3.4, 3.4), ylim=(-3.4, 3.4))
    path = folder / "score_sde_trajectories.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_denoisers(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    data = draw_data(4000, generator)
    model = ScoreNetwork()
    train_score(model, data, 800, generator=generator)
    x = draw_data(4000, generator)
    mean, covariance = data.mean(0), data.T.cov()
    sigmas = torch.linspace(0.2, 2.6, 13)
    labels = "Wiener filter", "learned score", "true score"
    errors: dict[str, list[float]] = {label: [] for label in labels}
    for sigma in sigmas.tolist():
        t = torch.full((len(x),), 0.5 * math.log1p(sigma**2))  # e^{2t} - 1 = sigma^2
        noise = torch.randn(x.shape, generator=generator)
        x_t = ou_sample(x, t, noise)
        with torch.no_grad():
            guesses = (
                wiener_filter(x + sigma * noise, mean, covariance, sigma),
                denoise(x_t, t, model(x_t, t)),
                denoise(x_t, t, true_score(x_t, t)),
            )
        for label, guess in zip(errors, guesses, strict=True):
            errors[label].append(float((guess - x).square().mean()))

    figure, panels = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    for label, style in zip(errors, ("-", "-", "--"), strict=True):
        panels[0].plot(sigmas, errors[label], style, label=label)
    panels[0].set(xlabel="sigma", ylabel="mean squared error", title="Three denoisers of y = x + sigma z")
    panels[0].legend()
    axis = torch.linspace(-2.6, 2.6, 17)
    grid = torch.cartesian_prod(axis, axis)  # (289, 2)
    t = torch.full((len(grid),), 0.3)
    with torch.no_grad():
        panels[1].quiver(*grid.T.numpy(), *true_score(grid, t).T.numpy(), color="0.7", width=0.006)
        panels[1].quiver(*grid.T.numpy(), *model(grid, t).T.numpy(), color="tab:blue", width=0.003)
    panels[1].set(title="Score at t = 0.3: true (grey) and learned (blue)", aspect="equal")
    path = folder / "score_sde_denoisers.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def make_figures(folder: str | Path) -> list[Path]:
    """Draw the ways to noise and back, and three denoisers. Returns the files written."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    return [draw(folder, generator) for draw in (_draw_trajectories, _draw_denoisers)]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 9. Quiz
#
# The questions below carry your own numbers. Work them out on paper or with your functions; then put the
# answers into `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {"time": 0.75, "dt": 0.4, "clouds": ["mixture", "ring", "gaussian", "square"]}
QUIZ = {
    "runaway": "The data are N(0, 1), so that ∇log p_t(x) = -x at all times. You read the notes' equation (17), "
    "dx = -(x + 2∇log p) dt + √2 dW, with dt > 0, start from x ~ N(0, 1) and go on for a time of "
    "0.75 (exactly, without steps). Which variance has x then? Answer: a number, to 0.001.",
    "settles": "ou_step is repeated for ever with dt = 0.4 and fresh noise. Which variance does x settle at? It "
    "is not 1. Answer: a number, to 0.001.",
    "wiener": "y = x + σz with x from one of four clouds in the plane, all of mean 0 and covariance I: mixture, "
    "ring, gaussian, square. For which one is the Wiener filter the best of all denoisers? Answer: "
    "one of these words.",
    "same_point": "The reverse SDE (η = 1) and the flow (η = 0) start from the same x_T, with the exact score "
    "and steps as small as you like. Do they end at the same point? Answer: True or False.",
    "same_law": "Many such x_T are drawn from p_T. Do SDE and flow end in the same law? Answer: True or False.",
}
### END PERSONAL
ANSWERS = {"runaway": None, "settles": None, "wiener": None, "same_point": None, "same_law": None}
### BEGIN SOLUTION
ANSWERS = {
    "runaway": 2 * math.exp(2 * PERSONAL["time"]) - 1,
    "settles": 1 / (1 - PERSONAL["dt"] / 2),
    "wiener": "gaussian",
    "same_point": False,
    "same_law": True,
}
### END SOLUTION
