# %% [markdown]
# # Learning to remove noise: a diffusion model with a U-Net
#
# Adding noise to an image is easy, and after enough small steps nothing of the image is left. A diffusion
# model learns to go back: a network looks at a noisy image and says which noise was added. Starting from
# pure noise and removing a little of it at a time then *generates* images. In this exercise you build the
# whole chain: the noise schedule, the forward process, the U-Net, its loss, and two samplers (DDPM and
# DDIM).
#
# **Sources.** Course slides of module 5 on diffusion and score (S3); course notes on denoising (S2). J. Ho,
# A. Jain and P. Abbeel, *Denoising Diffusion Probabilistic Models* (2020) [DDPM]. A. Nichol and P.
# Dhariwal, *Improved Denoising Diffusion Probabilistic Models* (2021), for the cosine schedule. J. Song, C.
# Meng and S. Ermon, *Denoising Diffusion Implicit Models* (2021) [DDIM]. P. Vincent, *A Connection Between
# Score Matching and Denoising Autoencoders* (2011) and B. Efron, *Tweedie's Formula and Selection Bias*
# (2011), for the score. O. Ronneberger, P. Fischer and T. Brox, *U-Net* (2015). A. Vaswani et al.,
# *Attention Is All You Need* (2017), for the sinusoids.
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments.
# Loops or vectorised code, both are fine. The file must import without computing anything.
#
# **Conventions.** Images are `(B, C, H, W)`, batch first, scaled to [-1, 1] *by the caller*: none of your
# functions rescales them. Time `t` counts from 0 to T-1; `t` of a batch is a tensor `(B,)` of integers, one
# time per image. Results keep the dtype and the device of the input, which stays unchanged. A function that
# takes `noise` uses it as it is; one that draws takes a `generator`, and nobody seeds the global one.
#
# **How it is judged** ({points} points). Nearly everything is checked by itself and exactly, on schedules and
# images drawn afresh: schedules and tables ({points:schedules}), the forward process ({points:q_*}), time embedding
# and U-Net ({points:network}), loss ({points:loss_*}), denoising and score ({points:predict_x0,score_*}), one step
# back, by DDPM and DDIM ({points:p_sample_*,ddim_*}), whole samplings ({points:sample_*}; with a network that knows
# the right answer, so that the law of your samples is known exactly), training ({points:training}: what your loop
# shows the network; the loss on unseen digits and the images after a short training), conventions and errors
# ({points:conventions,any_callable,errors}), the quiz with your own numbers ({points:quiz}). Conventions and errors
# count for a function only where its values are right.
#
# **The training that is judged.** Your `UNet(channels=1, base={judged:training.BASE})` on digits of 16 × 16 pixels
# that lie on a pattern of waves drawn for you (their direction, their length, light or dark ink are nobody's to know
# beforehand), with T = {judged:training.T_DIGITS}, β evenly spaced from {judged:training.BETA_FIRST} to
# {judged:training.BETA_LAST}, and `{judged:training.FIT}`; the loss on unseen digits is taken over the times from
# {judged:training.EARLIEST} on. What the training leaves in the weights is judged, in a new network that is given
# them: weights that come with the file, and images kept beside the network, earn nothing. Use Adam: the limits were
# measured with it.

# %%
from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# %% [markdown]
# ## 1. The noise schedule
#
# The forward process is a Markov chain that shrinks the image a little and adds a little Gaussian noise,
#
# $$q(x_t \mid x_{t-1}) = \mathcal N\big(\sqrt{1 - \beta_t}\; x_{t-1},\ \beta_t I\big),
# \qquad t = 0, \dots, T-1,$$
#
# where for $t = 0$ the image $x_{t-1}$ is the clean one. Here $t$ is an *index* into the schedule, and $x_t$ is the
# image that step $t$ produces; the clean image is written $x_0$, as in the literature, which never means here what
# step 0 produces. With $\alpha_t = 1 - \beta_t$ and $\bar\alpha_t = \prod_{s \le t} \alpha_s$, the steps compose
# into one (section 2). Before the first step nothing has happened: $\bar\alpha_{-1} = 1$.
#
# Two usual schedules:
#
# - **linear** (DDPM): $\beta_0, \dots, \beta_{T-1}$ evenly spaced from $\beta_1 = 10^{-4}$ to $\beta_T =
#   0.02$, ends included (the names of the arguments count from 1, as the paper does);
# - **cosine** (Nichol and Dhariwal): choose $\bar\alpha$ first, $f(u) = \cos^2\!\left(\frac{u/T + s}{1 +
#   s}\cdot\frac{\pi}{2}\right)$, $u = 0, \dots, T$, and take $\beta_t = 1 - f(t + 1) / f(t)$, capped at
#   0.999 (the last one would be 1 and leave nothing to divide by).
#
# Bayes' rule gives the step back when the clean image is known: $q(x_{t-1} \mid x_t, x_0)$ is Gaussian with
# variance
#
# $$\tilde\beta_t = \beta_t\,\frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}, \qquad \tilde\beta_0 = 0.$$
#
# This is the `posterior_variance` that the exercise uses for sampling. The course's slides add noise of
# variance $\beta_t$ instead: the other usual choice, right for $x_0 \sim \mathcal N(0, I)$, while $\tilde\beta_t$ is
# right for a single image. Both give good samples when T is large; the checks expect $\tilde\beta_t$.


# %%
def linear_beta_schedule(T: int, beta_1: float = 1e-4, beta_T: float = 0.02) -> Tensor:
    """Evenly spaced noise variances, from `beta_1` to `beta_T` inclusive.

    Arguments:
        T: number of steps, at least 1.
        beta_1: variance of the first step, in (0, 1).
        beta_T: variance of the last step, in (0, 1).

    Returns:
        (T,), floating.

    Raises:
        ValueError: if T < 1.

    Source: DDPM, section 4; course slides (S3).
    """
    ### BEGIN SOLUTION
    if T < 1:
        raise ValueError(f"T must be at least 1, got {T}")
    return torch.linspace(beta_1, beta_T, T)
    ### END SOLUTION


def cosine_beta_schedule(T: int, s: float = 0.008) -> Tensor:
    """The cosine schedule: β_t = min(1 - f(t+1)/f(t), 0.999) with f(u) = cos²((u/T + s)/(1 + s) · π/2).

    Arguments:
        T: number of steps, at least 1.
        s: small offset, so that the first steps are not too small.

    Returns:
        (T,), floating, each at most 0.999.

    Raises:
        ValueError: if T < 1.

    Source: Nichol and Dhariwal (2021), equation 17.
    """
    ### BEGIN SOLUTION
    if T < 1:
        raise ValueError(f"T must be at least 1, got {T}")
    u = torch.arange(T + 1, dtype=torch.float64)  # float64: 1 - ratio loses digits where β is small
    f = torch.cos((u / T + s) / (1 + s) * math.pi / 2) ** 2  # (T + 1,)
    betas = 1 - f[1:] / f[:-1]
    return betas.clamp(max=0.999).to(torch.get_default_dtype())
    ### END SOLUTION


class Diffusion:
    """The numbers of a noise schedule, computed once.

    Arguments:
        betas: variances of the forward steps, (T,), each in (0, 1).

    Attributes (tensors of shape (T,), dtype and device of `betas`):
        alphas: 1 - β_t.
        alpha_bars: ᾱ_t, the product of alphas[0], ..., alphas[t].
        posterior_variance: β_t (1 - ᾱ_{t-1}) / (1 - ᾱ_t), where ᾱ before the first step is 1; [0] is 0.

    Source: DDPM, equations 4 and 7; course slides (S3).
    """

    def __init__(self, betas: Tensor) -> None:
        ### BEGIN SOLUTION
        if betas.dim() != 1 or len(betas) == 0:
            raise ValueError(f"betas must be (T,) with T at least 1, got {tuple(betas.shape)}")
        self.alphas = 1 - betas
        self.alpha_bars = torch.cumprod(self.alphas, dim=0)
        alpha_bars_before = torch.cat([torch.ones_like(betas[:1]), self.alpha_bars[:-1]])  # ᾱ_{t-1}, (T,)
        self.posterior_variance = betas * (1 - alpha_bars_before) / (1 - self.alpha_bars)
        ### END SOLUTION


# %% [markdown]
# ## 2. The forward process
#
# One step is $x_t = \sqrt{\alpha_t}\,x_{t-1} + \sqrt{1 - \alpha_t}\,\varepsilon$. A sum of independent
# Gaussians is Gaussian, so $t + 1$ steps can be taken at once:
#
# $$x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1 - \bar\alpha_t}\,\varepsilon,
# \qquad \varepsilon \sim \mathcal N(0, I).$$
#
# Mind the square roots: $\beta$, $1 - \bar\alpha$ are variances. Their sum with $\bar\alpha$ is 1: data of variance
# 1 keeps variance 1, the chain is *variance preserving*. It is Euler-Maruyama for $dx = -x\,ds + \sqrt 2\,dW$ with
# $ds = \beta/2$, as $\sqrt{1-\beta} \approx 1 - \beta/2$. The notes' additive $x + \sigma\varepsilon$ (S2) is
# $x_t/\sqrt{\bar\alpha_t}$ with $\sigma^2 = (1-\bar\alpha_t)/\bar\alpha_t$.
#
# In a batch every image has its own time. `t` picks one number per image, which must be shaped `(B, 1, 1,
# 1)` to multiply images `(B, C, H, W)`.


# %%
### BEGIN SOLUTION
def check_times(t: Tensor, x: Tensor, T: int) -> None:
    """Refuse times that are not (B,) integers in 0..T-1: a negative index would count from the end."""
    if t.shape != x.shape[:1] or t.is_floating_point():
        raise ValueError(f"t must be (B,) integers with B = {len(x)}, got {tuple(t.shape)}, {t.dtype}")
    if len(t) and (t.min() < 0 or t.max() >= T):
        raise ValueError(f"t must lie in 0..{T - 1}, got {int(t.min())}..{int(t.max())}")


def pick(values: Tensor, t: Tensor, x: Tensor) -> Tensor:
    """values[t], one per image, shaped (B, 1, ..., 1) and in the dtype of x so that it multiplies x."""
    check_times(t, x, len(values))
    return values.to(x)[t].reshape(-1, *[1] * (x.dim() - 1))


def check_noise(noise: Tensor, x: Tensor) -> None:
    """Refuse noise of another shape: broadcasting would reuse the same draw."""
    if noise.shape != x.shape:
        raise ValueError(f"noise must have the shape of the images {tuple(x.shape)}, got {tuple(noise.shape)}")


### END SOLUTION


def q_sample(diffusion: Diffusion, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """Jump from clean images to time t: x_t = sqrt(ᾱ_t) x0 + sqrt(1 - ᾱ_t) noise.

    Arguments:
        diffusion: the schedule.
        x0: clean images, (B, C, H, W).
        t: times, (B,) integers in 0..T-1, one per image.
        noise: standard normal, the shape of x0.

    Returns:
        x_t, the shape and dtype of x0.

    Raises:
        ValueError: if the shapes do not match or a time is negative.

    Source: DDPM, equation 4; course slides (S3).
    """
    ### BEGIN SOLUTION
    check_noise(noise, x0)
    alpha_bar = pick(diffusion.alpha_bars, t, x0)  # (B, 1, 1, 1)
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise
    ### END SOLUTION


def q_step(diffusion: Diffusion, x_prev: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """One step of the forward chain: x_t = sqrt(α_t) x_{t-1} + sqrt(1 - α_t) noise.

    Arguments:
        diffusion: the schedule.
        x_prev: images before step t, (B, C, H, W); the clean images for t = 0.
        t: times, (B,) integers in 0..T-1, one per image.
        noise: standard normal, the shape of x_prev.

    Returns:
        x_t, the shape and dtype of x_prev.

    Raises:
        ValueError: if the shapes do not match or a time is negative.

    Source: DDPM, equation 2; course slides (S3).
    """
    ### BEGIN SOLUTION
    check_noise(noise, x_prev)
    alpha = pick(diffusion.alphas, t, x_prev)  # (B, 1, 1, 1)
    return alpha.sqrt() * x_prev + (1 - alpha).sqrt() * noise
    ### END SOLUTION


# %% [markdown]
# ## 3. The network: a U-Net that knows the time
#
# The same network serves all times, so it must be told which one: how noisy the image is decides what noise
# looks like. A bare number is a poor input; as in the Transformer, time is spread over sines and cosines,
#
# $$\big(\sin(\omega_k t),\ \cos(\omega_k t)\big)_k, \qquad \omega_k = 10000^{-k/(d/2)},
# \quad k = 0, \dots, d/2 - 1,$$
#
# fast ones to tell neighbours apart, slow ones to tell early from late. (Their order and the exact
# frequencies are up to you.)
#
# The **U-Net** predicts an image (the noise) from an image. An encoder halves the resolution twice, so that
# the deepest layers see the whole digit; a decoder doubles it twice. What is lost on the way down (where
# exactly is the edge, which pixel was noisy) is handed over at each resolution by a *skip connection*: the
# encoder's map is concatenated to the decoder's (or added).
#
#     x ──► [base, H] ──────────── skip ──────────► [base, H] ──► noise
#              │ halve                                  ▲ double
#           [2 base, H/2] ──────── skip ────────► [2 base, H/2]
#              │ halve                                  ▲ double
#              └─────────► [4 base, H/4] ───────────────┘
#                        (each block is told t)
#
# Inner layers are up to you: residual blocks, plain convolutions, pooling or strides, attention... Any
# sides that are multiples of 4 must work, and non-square images too.


# %%
def time_embedding(t: Tensor, dim: int) -> Tensor:
    """Sinusoidal embedding of times.

    Arguments:
        t: times, (B,) integers, not negative.
        dim: size of the embedding, even.

    Returns:
        (B, dim), floating, values in [-1, 1]; distinct times get distinct rows.

    Raises:
        ValueError: if dim is odd or below 2.

    Source: Vaswani et al. (2017), section 3.5.
    """
    ### BEGIN SOLUTION
    if dim < 2 or dim % 2:
        raise ValueError(f"dim must be even and at least 2, got {dim}")
    half = dim // 2
    frequencies = 10000.0 ** (-torch.arange(half, device=t.device) / half)  # (half,), from 1 down
    angles = t[:, None] * frequencies  # (B, half)
    return torch.cat([angles.sin(), angles.cos()], dim=1)  # (B, dim)
    ### END SOLUTION


### BEGIN SOLUTION
def normalisation(channels: int) -> nn.GroupNorm:
    """Group normalisation in at most 8 groups: unlike batch normalisation, it works one image at a time."""
    return nn.GroupNorm(math.gcd(8, channels), channels)


class Block(nn.Module):
    """A residual block that is told the time: two convolutions, the time added in between.

    Arguments:
        inside, outside: numbers of channels.
        time: size of the time features.
    """

    def __init__(self, inside: int, outside: int, time: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = normalisation(inside), nn.Conv2d(inside, outside, 3, padding=1)
        self.norm2, self.conv2 = normalisation(outside), nn.Conv2d(outside, outside, 3, padding=1)
        self.time = nn.Linear(time, outside)
        self.shortcut = nn.Identity() if inside == outside else nn.Conv2d(inside, outside, 1)

    def forward(self, h: Tensor, e: Tensor) -> Tensor:
        """(B, inside, H, W) and time features (B, time) -> (B, outside, H, W)."""
        r = self.conv1(F.silu(self.norm1(h)))
        r = r + self.time(e)[:, :, None, None]  # the same shift at every pixel
        r = self.conv2(F.silu(self.norm2(r)))
        return self.shortcut(h) + r


### END SOLUTION


class UNet(nn.Module):
    """Noise predictor ε(x_t, t): an encoder, a decoder and skip connections between them, told the time.

    Arguments:
        channels: channels of the images.
        base: channels at full resolution, a multiple of 32 in all checks (so that `GroupNorm(32, base)` works).

    Source: Ronneberger et al. (2015); DDPM, appendix B.
    """

    def __init__(self, channels: int = 1, base: int = 32) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.channels, self.base = channels, base
        time = 4 * base
        self.time = nn.Sequential(nn.Linear(base, time), nn.SiLU(), nn.Linear(time, time), nn.SiLU())
        self.stem = nn.Conv2d(channels, base, 3, padding=1)
        self.down1 = Block(base, base, time)
        self.halve1 = nn.Conv2d(base, base, 3, stride=2, padding=1)
        self.down2 = Block(base, 2 * base, time)
        self.halve2 = nn.Conv2d(2 * base, 2 * base, 3, stride=2, padding=1)
        self.middle = Block(2 * base, 4 * base, time)
        self.up2 = Block(4 * base + 2 * base, 2 * base, time)
        self.up1 = Block(2 * base + base, base, time)
        self.head = nn.Sequential(normalisation(base), nn.SiLU(), nn.Conv2d(base, channels, 3, padding=1))
        ### END SOLUTION

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Predict the noise in x.

        Arguments:
            x: noisy images, (B, C, H, W), H and W multiples of 4.
            t: times, (B,) integers, not negative, one per image.

        Returns:
            the predicted noise, the shape and dtype of x.

        Raises:
            ValueError: if the shapes do not fit or a time is negative.
        """
        ### BEGIN SOLUTION
        if x.dim() != 4 or x.shape[1] != self.channels or x.shape[2] % 4 or x.shape[3] % 4:
            raise ValueError(f"x must be (B, {self.channels}, H, W), sides multiples of 4, got {tuple(x.shape)}")
        if t.shape != x.shape[:1] or (t < 0).any():
            raise ValueError(f"t must be ({len(x)},) integers, none negative, got {tuple(t.shape)}")
        e = self.time(time_embedding(t, self.base).to(x))  # (B, 4 base)
        h1 = self.down1(self.stem(x), e)  # (B, base, H, W)
        h2 = self.down2(self.halve1(h1), e)  # (B, 2 base, H/2, W/2)
        h = self.middle(self.halve2(h2), e)  # (B, 4 base, H/4, W/4)
        h = F.interpolate(h, scale_factor=2.0)  # (B, 4 base, H/2, W/2)
        h = self.up2(torch.cat([h, h2], dim=1), e)  # (B, 2 base, H/2, W/2)
        h = F.interpolate(h, scale_factor=2.0)  # (B, 2 base, H, W)
        h = self.up1(torch.cat([h, h1], dim=1), e)  # (B, base, H, W)
        return self.head(h)  # (B, C, H, W)
        ### END SOLUTION


# %% [markdown]
# ## 4. The loss
#
# The variational bound of the chain reduces, with its weights dropped, to a regression: show the network a
# noisy image and ask for the noise,
#
# $$L = \mathbb E_{x_0,\,t,\,\varepsilon}
# \tfrac{1}{CHW}\,\big\| \varepsilon - \varepsilon_\theta(x_t, t) \big\|^2,
# \qquad x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1 - \bar\alpha_t}\,\varepsilon.$$
#
# A network that answers 0 has loss 1. That is not much of a bar: answering $x_t$ itself already has 0.36 to 0.39 on
# digits, and the best $c_t x_t$ with one number per time 0.27. Whatever is well below that has learnt something.
#
# `model` is any callable `model(x, t)` here and in everything that follows, not only your U-Net.


# %%
def ddpm_loss(
    model: Callable[[Tensor, Tensor], Tensor], diffusion: Diffusion, x0: Tensor, t: Tensor, noise: Tensor
) -> Tensor:
    """Mean squared error on the noise, over all entries of the batch.

    Arguments:
        model: any callable (x_t, t) -> predicted noise, the shape of x_t.
        diffusion: the schedule.
        x0: clean images, (B, C, H, W).
        t: times, (B,) integers in 0..T-1.
        noise: standard normal, the shape of x0.

    Returns:
        a scalar (0-d) that can be differentiated in the model's weights.

    Raises:
        ValueError: if the shapes do not match or a time is negative.

    Source: DDPM, equation 14; course slides (S3).
    """
    ### BEGIN SOLUTION
    return F.mse_loss(model(q_sample(diffusion, x0, t, noise), t), noise)
    ### END SOLUTION


# %% [markdown]
# ## 5. Noise, denoised image and score are one thing
#
# Whoever knows the noise knows the clean image: solve the formula of section 2 for $x_0$,
#
# $$\hat x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\,\varepsilon}{\sqrt{\bar\alpha_t}}.$$
#
# And whoever knows the best guess of the noise knows the **score** of the noisy data,
#
# $$\nabla_{x_t} \log p(x_t) = -\frac{\mathbb E[\varepsilon \mid x_t]}{\sqrt{1 - \bar\alpha_t}},$$
#
# because $p(x_t \mid x_0)$ is Gaussian around $\sqrt{\bar\alpha_t}\,x_0$ with variance $\sigma^2 = 1 -
# \bar\alpha_t$. Put into each other, the two formulas are **Tweedie's** of the course, $\mathbb
# E[\sqrt{\bar\alpha_t}\,x_0 \mid x_t] = x_t + \sigma^2\,\nabla \log p(x_t)$: denoising is one step along
# the score.


# %%
def predict_x0(diffusion: Diffusion, x_t: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """The clean image that goes with a noisy image and its noise: (x_t - sqrt(1 - ᾱ_t) noise) / sqrt(ᾱ_t).

    Arguments:
        diffusion: the schedule.
        x_t: noisy images, (B, C, H, W).
        t: times, (B,) integers in 0..T-1.
        noise: the noise in them, known or predicted, the shape of x_t.

    Returns:
        x0, the shape and dtype of x_t; not clipped to [-1, 1].

    Raises:
        ValueError: if the shapes do not match or a time is negative.

    Source: DDPM, equation 15.
    """
    ### BEGIN SOLUTION
    check_noise(noise, x_t)
    alpha_bar = pick(diffusion.alpha_bars, t, x_t)  # (B, 1, 1, 1)
    return (x_t - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    ### END SOLUTION


def score_from_noise(diffusion: Diffusion, noise: Tensor, t: Tensor) -> Tensor:
    """The score ∇ log p(x_t) that goes with a predicted noise: -noise / sqrt(1 - ᾱ_t).

    Arguments:
        diffusion: the schedule.
        noise: predicted noise, (B, C, H, W).
        t: times, (B,) integers in 0..T-1.

    Returns:
        the score, the shape and dtype of noise.

    Raises:
        ValueError: if the shapes do not match or a time is negative.

    Source: Vincent (2011); course notes on denoising (S2): x̂ = x_t + σ² ∇log p, σ² = 1 - ᾱ_t.
    """
    ### BEGIN SOLUTION
    return -noise / (1 - pick(diffusion.alpha_bars, t, noise)).sqrt()
    ### END SOLUTION


# %% [markdown]
# ## 6. Going back
#
# **DDPM** (ancestral sampling). Replace the unknown $x_0$ in $q(x_{t-1} \mid x_t, x_0)$ by the network's
# guess; what remains is
#
# $$x_{t-1} = \frac{1}{\sqrt{\alpha_t}} \Big( x_t - \frac{1 - \alpha_t}{\sqrt{1 - \bar\alpha_t}}\,
# \varepsilon_\theta(x_t, t) \Big) + \sqrt{\tilde\beta_t}\, z, \qquad z \sim \mathcal N(0, I).$$
#
# The last step, $t = 0$, gives the image itself: the mean, no noise.
#
# **DDIM**. Noise with less randomness, or none, and larger strides: from $t$ to any earlier $t'$,
#
# $$x_{t'} = \sqrt{\bar\alpha_{t'}}\,\hat x_0
# + \sqrt{1 - \bar\alpha_{t'} - \sigma^2}\;\varepsilon_\theta(x_t, t) + \sigma z, \qquad
# \sigma = \eta\,\sqrt{\frac{1 - \bar\alpha_{t'}}{1 - \bar\alpha_t}}\,
# \sqrt{1 - \frac{\bar\alpha_t}{\bar\alpha_{t'}}}.$$
#
# $t' = -1$ stands for the clean image, where $\bar\alpha = 1$ (beware: in Python `alpha_bars[-1]` is the
# *last* one). With $\eta = 0$ the path is deterministic; with $\eta = 1$ and $t' = t - 1$ it is DDPM's
# step.
#
# A whole sampling starts from $x \sim \mathcal N(0, I)$ and either takes the T ancestral steps T-1, ..., 0,
# or `steps` < T DDIM steps with $\eta = 0$ on times spread from the noisy end of the schedule down; the
# last step goes to $t' = -1$.


# %%
def track(items: Sequence[int], label: str, progress: bool) -> Iterable[int]:
    """The items of a loop, with a progress bar where one is asked for (given, for `progress=True`)."""
    if not progress:
        return items
    try:
        from rich.progress import track as bar
    except ImportError:
        print(f"{label}: {len(items)} steps", file=sys.stderr)
        return items
    return bar(items, description=label)


### BEGIN SOLUTION
def draw_noise(shape: Sequence[int], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normal numbers, drawn where the generator lives, in the dtype and on the device of `like`."""
    device = like.device if generator is None else generator.device
    return torch.randn(tuple(shape), generator=generator, dtype=like.dtype, device=device).to(like.device)


def draw_integers(high: int, n: int, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """n uniform integers in 0..high-1, on the device of `like`."""
    device = like.device if generator is None else generator.device
    return torch.randint(high, (n,), generator=generator, device=device).to(like.device)


### END SOLUTION


def p_sample_step(
    model: Callable[[Tensor, Tensor], Tensor], diffusion: Diffusion, x_t: Tensor, t: int, noise: Tensor
) -> Tensor:
    """One ancestral step back, from x_t to x_{t-1}.

    Arguments:
        model: any callable (x_t, times) -> predicted noise; it is given times as a (B,) tensor of integers.
        diffusion: the schedule.
        x_t: noisy images, (B, C, H, W).
        t: the time of all images, 0..T-1.
        noise: standard normal, the shape of x_t; not used at t = 0.

    Returns:
        x_{t-1}, the shape and dtype of x_t: mean as above, variance posterior_variance[t]; at t = 0 the mean
        alone.

    Raises:
        ValueError: if the shapes do not match or t is not in 0..T-1.

    Source: DDPM, algorithm 2; course slides (S3).
    """
    ### BEGIN SOLUTION
    check_noise(noise, x_t)
    times = torch.full((len(x_t),), t, device=x_t.device)  # (B,) long
    alpha = pick(diffusion.alphas, times, x_t)  # (B, 1, 1, 1)
    alpha_bar = pick(diffusion.alpha_bars, times, x_t)
    mean = (x_t - (1 - alpha) / (1 - alpha_bar).sqrt() * model(x_t, times)) / alpha.sqrt()
    if t == 0:
        return mean
    return mean + pick(diffusion.posterior_variance, times, x_t).sqrt() * noise
    ### END SOLUTION


def ddim_step(
    model: Callable[[Tensor, Tensor], Tensor],
    diffusion: Diffusion,
    x_t: Tensor,
    t: int,
    t_prev: int,
    eta: float = 0.0,
    noise: Tensor | None = None,
) -> Tensor:
    """One DDIM step back, from time t to an earlier time t_prev.

    Arguments:
        model: any callable (x_t, times) -> predicted noise; it is given times as a (B,) tensor of integers.
        diffusion: the schedule.
        x_t: noisy images, (B, C, H, W).
        t: the time of all images, 0..T-1.
        t_prev: where to go, -1 <= t_prev < t; -1 is the clean image, where ᾱ is 1.
        eta: 0 is deterministic (noise is not used), 1 as random as DDPM.
        noise: standard normal, the shape of x_t; needed where eta > 0.

    Returns:
        x at time t_prev, the shape and dtype of x_t.

    Raises:
        ValueError: if t or t_prev is out of range, or eta > 0 comes without noise.

    Source: DDIM, equations 12 and 16.
    """
    ### BEGIN SOLUTION
    if not -1 <= t_prev < t:
        raise ValueError(f"t_prev must lie in -1..{t - 1}, got {t_prev}")
    times = torch.full((len(x_t),), t, device=x_t.device)  # (B,) long
    alpha_bar = pick(diffusion.alpha_bars, times, x_t)  # (B, 1, 1, 1)
    alpha_bar_prev = torch.ones_like(alpha_bar)
    if t_prev >= 0:
        alpha_bar_prev = pick(diffusion.alpha_bars, torch.full_like(times, t_prev), x_t)
    predicted = model(x_t, times)  # (B, C, H, W)
    sigma = eta * ((1 - alpha_bar_prev) / (1 - alpha_bar) * (1 - alpha_bar / alpha_bar_prev)).sqrt()
    x = alpha_bar_prev.sqrt() * predict_x0(diffusion, x_t, times, predicted)
    x = x + (1 - alpha_bar_prev - sigma**2).clamp(min=0).sqrt() * predicted  # rounding may give -1e-17
    if eta > 0:
        if noise is None:
            raise ValueError(f"eta = {eta} needs noise, got None")
        check_noise(noise, x_t)
        x = x + sigma * noise
    return x
    ### END SOLUTION


@torch.no_grad()
def sample(
    model: Callable[[Tensor, Tensor], Tensor],
    diffusion: Diffusion,
    shape: Sequence[int],
    steps: int | None = None,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> Tensor:
    """Generate images from noise.

    Arguments:
        model: any callable (x_t, times) -> predicted noise.
        diffusion: the schedule, T steps.
        shape: shape of the images to make, (B, C, H, W).
        steps: None (or T) for T ancestral steps; fewer for that many deterministic DDIM steps on times spread
            over the schedule.
        generator: source of all the noise; the order of the draws is up to you.
        progress: whether to show a progress bar.

    Returns:
        x0 of this shape, detached; not rescaled.

    Raises:
        ValueError: if steps is not in 1..T.

    Source: DDPM, algorithm 2; DDIM, section 4.2.
    """
    ### BEGIN SOLUTION
    T = len(diffusion.alphas)
    if steps is not None and not 1 <= steps <= T:
        raise ValueError(f"steps must lie in 1..{T}, got {steps}")
    shape = tuple(shape)
    x = draw_noise(shape, diffusion.alphas, generator)
    if steps is None or steps == T:
        for t in track(range(T - 1, -1, -1), "sampling", progress):
            x = p_sample_step(model, diffusion, x, t, draw_noise(shape, x, generator))
        return x
    times = [T * i // steps - 1 for i in range(steps, -1, -1)]  # T-1 first, equal strides, -1 (x0) last
    for i in track(range(steps), "sampling", progress):
        x = ddim_step(model, diffusion, x, times[i], times[i + 1])
    return x
    ### END SOLUTION


# %% [markdown]
# ## 7. Training
#
# Each step draws a batch of images, *one time per image* uniformly from 0..T-1, fresh noise, and takes a
# gradient step on the loss. Adam with a small learning rate is the usual choice.
#
# The loss is judged on digits that the network has not seen: a network that *memorises* its training images leads
# every noisy image back to one of them, one that *generalises* finds the noise in new ones, too.


# %%
def train_ddpm(
    model: nn.Module,
    diffusion: Diffusion,
    x: Tensor,
    steps: int,
    batch_size: int = 64,
    lr: float = 2e-4,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train a noise predictor.

    Arguments:
        model: a module with forward(x_t, t), trained in place.
        diffusion: the schedule, T steps.
        x: training images, (N, C, H, W), in [-1, 1].
        steps: number of gradient steps, at least 1.
        batch_size: images per step, at least 1.
        lr: learning rate.
        generator: source of the batches, the times and the noise.
        progress: whether to show a progress bar.

    Returns:
        {"loss": the loss of each step, `steps` floats}.

    Raises:
        ValueError: if steps or batch_size is below 1.

    Source: DDPM, algorithm 1; course slides (S3).
    """
    ### BEGIN SOLUTION
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history: dict[str, list[float]] = {"loss": []}
    model.train()
    for _ in track(range(steps), "training", progress):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]  # (batch_size, C, H, W)
        t = draw_integers(len(diffusion.alphas), batch_size, x, generator)  # (batch_size,)
        loss = ddpm_loss(model, diffusion, x0, t, draw_noise(x0.shape, x0, generator))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history
    ### END SOLUTION


# %% [markdown]
# ## 8. Figures
#
# Given: it draws the two schedules, the forward process, the loss of a small U-Net trained on drawn shapes,
# what it makes of noisy images, and new shapes from both samplers. Run it, keep the figures in your
# notebook, and look: do the samples look like discs, bars and crosses?


# %%
def toy_images(n: int, generator: torch.Generator) -> Tensor:
    """Discs, bars and crosses at random places: (n, 1, 16, 16) in [-1, 1]."""
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    centres = 5.0 + 5.0 * torch.rand(n, 2, generator=generator)
    dy, dx = y - centres[:, 0, None, None], x - centres[:, 1, None, None]  # (n, 16, 16)
    disc = ((dy**2 + dx**2).sqrt() - 3.5).clamp(-1, 1)
    bar = torch.maximum(dy.abs() - 1.5, dx.abs() - 4.5).clamp(-1, 1)
    cross = torch.minimum(bar, torch.maximum(dx.abs() - 1.5, dy.abs() - 4.5)).clamp(-1, 1)
    kind = torch.randint(3, (n, 1, 1), generator=generator)
    return -torch.where(kind == 0, disc, torch.where(kind == 1, bar, cross))[:, None]


def make_figures(folder: str | Path) -> list[Path]:
    """Draw the figures of the exercise from your functions (about half a minute) and return the files."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []

    def save(figure: Any, name: str) -> None:
        files.append(folder / f"{name}.png")
        figure.savefig(files[-1], dpi=120, bbox_inches="tight")
        plt.close(figure)

    def show(axes: Sequence[Any], images: Tensor, titles: Sequence[str] | None = None) -> None:
        for i, (axis, image) in enumerate(zip(axes, images, strict=True)):
            axis.imshow(image[0].numpy(), cmap="gray", vmin=-1, vmax=1)
            axis.set_axis_off()
            if titles is not None:
                axis.set_title(titles[i], fontsize=8)

    # 1. How fast the two schedules destroy the signal.
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
    labels = ("linear", "cosine")
    for name, betas in zip(labels, (linear_beta_schedule(1000), cosine_beta_schedule(1000)), strict=True):
        schedule = Diffusion(betas)
        left.plot(schedule.alpha_bars.sqrt().numpy(), label=name)
        right.semilogy(betas.numpy(), label=f"{name}: β")
        right.semilogy(schedule.posterior_variance[1:].numpy(), "--", lw=1, label=f"{name}: posterior variance")
    left.set(xlabel="t", ylabel="√ᾱ: what is left of the image")
    right.set(xlabel="t", ylabel="variance of a step")
    left.legend()
    right.legend(fontsize=7)
    save(figure, "schedules")

    # 2. One image on its way to noise.
    generator = torch.Generator().manual_seed(0)
    T = 100
    # Few steps need larger betas. Not the cosine here: its last ᾱ of 1e-7 blows up a small network's errors.
    diffusion = Diffusion(linear_beta_schedule(T, beta_1=1e-3, beta_T=0.1))
    images = toy_images(512, generator)
    times = torch.tensor([0, 20, 40, 60, 80, 99])
    noise = torch.randn(6, 1, 16, 16, generator=generator)
    noisy = q_sample(diffusion, images[:1].expand(6, -1, -1, -1), times, noise)
    figure, axes = plt.subplots(1, 6, figsize=(8, 1.6))
    show(axes, noisy, [f"t = {t}" for t in times.tolist()])
    save(figure, "forward")

    # 3. Training, and what the network makes of noisy images.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = UNet(channels=1, base=16)
    history = train_ddpm(model, diffusion, images, steps=400, batch_size=32, lr=2e-3, generator=generator)
    model.eval()
    figure, axis = plt.subplots(figsize=(5, 2.8))
    axis.plot(history["loss"], lw=0.7)
    axis.set(xlabel="step", ylabel="loss", yscale="log", title="error on the noise (an answer of 0 gives 1)")
    save(figure, "loss")
    with torch.no_grad():
        denoised = predict_x0(diffusion, noisy, times, model(noisy, times))
    figure, axes = plt.subplots(2, 6, figsize=(8, 2.8))
    show(axes[0], noisy, [f"t = {t}" for t in times.tolist()])
    show(axes[1], denoised)
    figure.suptitle("noisy images and the network's guess of the clean one", fontsize=9)
    save(figure, "denoised")

    # 4. New images.
    figure, axes = plt.subplots(2, 8, figsize=(8, 2.2))
    show(axes[0], sample(model, diffusion, (8, 1, 16, 16), generator=generator))
    show(axes[1], sample(model, diffusion, (8, 1, 16, 16), steps=20, generator=generator))
    figure.suptitle(f"samples: {T} ancestral steps (top), 20 DDIM steps (bottom)", fontsize=9)
    save(figure, "samples")
    return files


# %% [markdown]
# ## 9. Quiz
#
# The numbers below are yours alone. Replace each `None` by your answer.

# %%
### BEGIN PERSONAL
PERSONAL = {"betas": [0.06, 0.13, 0.32, 0.39], "t": 2, "x_t": 1.6, "noise": -0.9, "width": 16}
QUIZ = {
    "variance": (
        "A chain has T = 4 steps (t = 0, 1, 2, 3) with betas = [0.06, 0.13, 0.32, 0.39]. What is "
        "posterior_variance[2], the variance of q(x_{t-1} | x_t, x_0)? [number, right to 0.0001]"
    ),
    "denoised": (
        "In the same chain, a pixel is x_t = 1.6 at t = 2 and the network answers the noise -0.9. What is "
        "the pixel of x̂_0, the denoised image? [number, right to 0.001]"
    ),
    "score": (
        "In the same chain, what is ∇ log p(x_t) at this pixel and t = 2, according to the network? "
        "[number, right to 0.001]"
    ),
    "skips": (
        "The decoder of a U-Net upsamples a map of 32 channels to the size of an encoder map of 16 channels"
        " and concatenates the two. A 3×3 convolution with bias then gives 16 channels. How many parameters"
        " has this convolution? [integer]"
    ),
}
### END PERSONAL
ANSWERS = {"variance": None, "denoised": None, "score": None, "skips": None}
### BEGIN SOLUTION
_schedule = Diffusion(torch.tensor(PERSONAL["betas"], dtype=torch.float64))
_t = torch.tensor([PERSONAL["t"]])
_noise = torch.tensor([[[[PERSONAL["noise"]]]]], dtype=torch.float64)
_x_t = torch.tensor([[[[PERSONAL["x_t"]]]]], dtype=torch.float64)
ANSWERS = {
    "variance": float(_schedule.posterior_variance[PERSONAL["t"]]),
    "denoised": float(predict_x0(_schedule, _x_t, _t, _noise)),
    "score": float(score_from_noise(_schedule, _noise, _t)),
    "skips": 9 * (2 * PERSONAL["width"] + PERSONAL["width"]) * PERSONAL["width"] + PERSONAL["width"],
}
### END SOLUTION
