# %% [markdown]
# # Text to image in a latent space
#
# Stable Diffusion does not remove noise from images. It removes noise from *latents*, codes that an auto-encoder has
# made forty-eight times smaller, and a sentence says where to go. This exercise builds the whole way, small enough
# for one processor core: a latent space, a text encoder, a diffusion model that is told the text, guidance that makes
# it listen, a deterministic sampler, and *inpainting*, where a part of the image is known.
#
# **Sources.** Course slides of module 5 (S3): Stable Diffusion, text to image, inpainting. Course notes on transport
# and denoising (S2), equation 21: $p(x \mid c) \propto p(c \mid x)\, p(x)$. R. Rombach and others, *High-resolution
# image synthesis with latent diffusion models* (2022). J. Ho and T. Salimans, *Classifier-free diffusion guidance*
# (2022). P. Dhariwal and A. Nichol, *Diffusion models beat GANs on image synthesis* (2021: classifier guidance). J.
# Song, C. Meng and S. Ermon, *Denoising diffusion implicit models* (2021: DDIM). Y. Wang, J. Yu and J. Zhang,
# *Zero-shot image restoration using denoising diffusion null-space model* (2023: DDNM). A. Lugmayr and others,
# *RePaint* (2022).
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments. Loops or
# vectorised code, both are fine. The file must import without computing anything.
#
# **Conventions.** Images are rows (B, D) of pixels in [0, 1], latents rows (B, d). Times count from 0 to T-1, and `t`
# is a tensor (B,) of integers, one time per row. `alpha_bars` (T,) decrease within (0, 1); they are converted to the
# dtype of the latents. Results keep the dtype and the device of the input, which stays unchanged. In every condition
# `c` (B, k) a row of zeros means *no prompt*. What is called `model`, `noise_fn` or `classifier` may be a module or a
# plain function; a model may be called twice with B rows or once with 2B. A function that draws takes a `generator`,
# and nobody seeds the global one. The slides' arrow $z_0 \to z_T$ counts the steps of the way back; here, as in the
# papers, $z_T$ is noise and $z_0$ is what gets decoded.
#
# **How it is judged** ({points} points). Nearly everything is checked by itself and exactly, in float64, on numbers
# drawn afresh: the latent space ({points:latents} points), words ({points:words}), the network ({points:network}),
# loss and guidance ({points:guidance}), sampling and inpainting ({points:sampling}), training
# ({points:training,learned}: what your loop shows to a network of ours, then what your networks have learnt),
# conventions and the refusal of bad arguments ({points:conventions}), the quiz ({points:quiz}).
#
# **The training that is judged.** Your `Denoiser` and your `TextEncoder` on {judged:learned.IMAGES} digits of 16 × 16
# pixels, in a latent space of {judged:learned.LATENTS} dimensions whose axes are turned for you, with words that are
# made up for you; `noise_schedule()` as given below, and `{judged:learned.FIT}`. What the training leaves in the
# weights is judged, in new networks that are given them: weights that come with the file, and images kept beside the
# networks, earn nothing.

# %%
from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# %% [markdown]
# ## 1. A latent space
#
# An image of $D$ pixels is far from using all of $\mathbb R^D$. Stable Diffusion codes it with a variational
# auto-encoder; here principal components stand for that, the best *linear* code (see `ae_vs_pca`). With the mean
# $\mu$ of the data and the $d$ directions of largest variance as rows of $C$ $(d, D)$, orthonormal,
#
# $$z = s\,(x - \mu)\, C^\top, \qquad \hat x = \mu + (z / s)\, C .$$
#
# A diffusion model ends in noise of variance 1, so its data should be of about that size. That is what the *one
# number* $s$ is for: $1/s$ is the root of the mean of the squares of all $n \cdot d$ codes before scaling. Stable
# Diffusion has such a number, 0.18215. One number for the whole space keeps distances in proportion: it is no
# whitening, and the first coordinate stays larger than the last one.


# %%
def fit_latent_space(x: Tensor, d: int) -> tuple[Tensor, Tensor, Tensor]:
    r"""The latent space of some data: principal components, and one number.

    Arguments:
        x: images, (n, D).
        d: dimension of the latents, 1..min(n, D).

    Returns:
        (mean, components, scale): (D,); (d, D), orthonormal rows by decreasing variance, signs free; a scalar, with
        which the mean of the squares of all n·d latents of `x` is 1.

    Raises:
        ValueError: if d is outside 1..min(n, D).

    Source: course slides (S3), Stable Diffusion; Rombach and others (2022), appendix G.
    """
    ### BEGIN SOLUTION
    if not 1 <= d <= min(x.shape):
        raise ValueError(f"d must lie in 1..{min(x.shape)}, got {d}")
    mean = x.mean(dim=0)
    components = torch.linalg.svd(x - mean, full_matrices=False).Vh[:d]  # (d, D)
    codes = (x - mean) @ components.T  # (n, d)
    return mean, components, codes.square().mean().rsqrt()
    ### END SOLUTION


Space = tuple[Tensor, Tensor, Tensor | float]


def encode(x: Tensor, space: Space) -> Tensor:
    r"""Latents of images, $s\,(x - \mu)\, C^\top$.

    Arguments:
        x: images, (B, D).
        space: mean (D,), components (d, D), scale (a scalar tensor or a float).

    Returns:
        (B, d).

    Raises:
        ValueError: if the last dimension of `x` is not D.

    Source: course slides (S3), Stable Diffusion.
    """
    ### BEGIN SOLUTION
    mean, components, scale = space
    if x.shape[-1] != len(mean):
        raise ValueError(f"x must have {len(mean)} pixels in its last dimension, got {tuple(x.shape)}")
    return scale * (x - mean) @ components.T
    ### END SOLUTION


def decode(z: Tensor, space: Space) -> Tensor:
    r"""Images of latents, $\mu + (z / s)\, C$; nothing is clipped.

    Arguments:
        z: latents, (B, d).
        space: mean (D,), components (d, D), scale (a scalar tensor or a float).

    Returns:
        (B, D).

    Raises:
        ValueError: if the last dimension of `z` is not d.

    Source: course slides (S3), Stable Diffusion.
    """
    ### BEGIN SOLUTION
    mean, components, scale = space
    if z.shape[-1] != len(components):
        raise ValueError(f"z must have {len(components)} numbers in its last dimension, got {tuple(z.shape)}")
    return mean + (z / scale) @ components
    ### END SOLUTION


# %% [markdown]
# ## 2. Words
#
# A prompt is a text. Its *words* are its longest runs of letters (`str.isalpha`: "é" is a letter; digits, "_" and "-"
# are not), in lower case; a *token* is the position of a word in the vocabulary. "A thin, THIN seven!" has four words.
# Words that the vocabulary does not have are left out.
#
# The text encoder keeps a table with one learnt vector per word; a prompt's vector $c$ is the mean over its tokens.
# (Stable Diffusion has a Transformer there, CLIP; with prompts of three words a mean will do.) A prompt without any
# known word has no mean: its vector is *zero*, which stands for "no prompt" all through this exercise.


# %%
def tokenize(prompt: str, vocabulary: Sequence[str]) -> list[int]:
    """Positions in the vocabulary of a prompt's words.

    Arguments:
        prompt: any text; its words are the longest runs of letters (`str.isalpha`) of the text in lower case.
        vocabulary: distinct words in lower case.

    Returns:
        One position per known word, in the prompt's order, repetitions included; words that are not known are left
        out. It may be empty.

    Source: course slides (S3), text to image.
    """
    ### BEGIN SOLUTION
    position = {word: i for i, word in enumerate(vocabulary)}
    words = ("".join(run) for letters, run in itertools.groupby(prompt.lower(), str.isalpha) if letters)
    return [position[word] for word in words if word in position]
    ### END SOLUTION


class TextEncoder(nn.Module):
    """A vector for each prompt: the mean of its words' rows in a table that is learnt.

    Arguments:
        vocabulary: V distinct words in lower case.
        dim: size k of the vectors.

    Attributes:
        table: `nn.Parameter`, (V, k), one row per word; its initial values are free.

    Source: course slides (S3), text to image; Rombach and others (2022), section 3.3.
    """

    def __init__(self, vocabulary: Sequence[str], dim: int = 16) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.vocabulary = list(vocabulary)
        self.table = nn.Parameter(torch.randn(len(self.vocabulary), dim))
        ### END SOLUTION

    def forward(self, prompts: Sequence[str]) -> Tensor:
        """Vectors of prompts.

        Arguments:
            prompts: B texts.

        Returns:
            c, (B, dim), in the dtype of the table: the mean of the table's rows over `tokenize(prompt)`, exactly
            zeros where a prompt has no known word.
        """
        ### BEGIN SOLUTION
        shares = []  # B rows of V: each word's share of the prompt's tokens
        for prompt in prompts:
            tokens = tokenize(prompt, self.vocabulary)
            row = [0.0] * len(self.vocabulary)
            for token in tokens:
                row[token] += 1 / len(tokens)
            shares.append(row)
        return self.table.new_tensor(shares).reshape(len(prompts), -1) @ self.table
        ### END SOLUTION


# %% [markdown]
# ## 3. A network that is told the text, and its loss
#
# The forward process is that of `ddpm_unet`, on latents: $z_t = \sqrt{\bar\alpha_t}\, z_0 + \sqrt{1 - \bar\alpha_t}\,
# \varepsilon$ with $\varepsilon \sim \mathcal N(0, I)$. A network guesses $\varepsilon$ from $z_t$, $t$ and the
# prompt's vector $c$. Latents are no images, so that it needs no convolutions: a few linear layers that hear of $t$ and
# of $c$ in each block. Rows go through it one by one: no batch normalisation, and no dropout.
#
# **One network, two models.** Guidance (section 4) needs the noise *with* the prompt and the noise *without*. Ho and
# Salimans train one network for both: for a tenth of the rows, say, the prompt is *dropped* ($c = 0$), each row by its
# own chance. The loss is otherwise as ever,
#
# $$L = \frac{1}{B d} \sum_{i, j} \big(\varepsilon_{ij} - \varepsilon_\theta(z_t, t, \tilde c)_{ij}\big)^2, \qquad
# \tilde c_i = \begin{cases} 0 & \text{drop}_i \\ c_i & \neg\,\text{drop}_i \end{cases}$$
#
# The schedule is given: $T = 100$ and $\bar\alpha_{T-1} = 0.005$ (Stable Diffusion ends at 0.0047). Do not replace it
# by the cosine schedule here: that one ends near $10^{-7}$, and the first step back divides by the root of it.


# %%
def noise_schedule(T: int = 100, last: float = 0.005) -> Tensor:
    """Given: ᾱ_t, (T,), whose logarithm falls faster and faster, down to `last`."""
    rates = torch.linspace(0.01, 1.0, T).cumsum(dim=0)
    return torch.exp(math.log(last) * rates / rates[-1])


class Denoiser(nn.Module):
    """A network that guesses the noise in latents, told the time and a condition.

    Arguments:
        latent_dim: d.
        condition_dim: k.
        T: number of times.
        hidden: width of the layers.

    Source: Rombach and others (2022), section 3.3.
    """

    def __init__(self, latent_dim: int, condition_dim: int, T: int, hidden: int = 128) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.time = nn.Embedding(T, hidden)
        self.condition = nn.Linear(condition_dim, hidden)
        self.enter = nn.Linear(latent_dim, hidden)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden)) for _ in range(3)
        )
        self.leave = nn.Linear(hidden, latent_dim)
        angles = torch.arange(T)[:, None] * 0.5 ** torch.arange(hidden // 2)  # (T, hidden / 2)
        with torch.no_grad():  # neighbouring times start alike, and learn on
            self.time.weight.copy_(torch.cat([angles.sin(), angles.cos()], dim=1))
        ### END SOLUTION

    def forward(self, z_t: Tensor, t: Tensor, c: Tensor) -> Tensor:
        """The noise in each row.

        Arguments:
            z_t: noisy latents, (B, d).
            t: times, (B,) integers in 0..T-1.
            c: conditions, (B, k); zeros for no prompt.

        Returns:
            (B, d).
        """
        ### BEGIN SOLUTION
        told = self.time(t) + self.condition(c)  # (B, hidden)
        h = self.enter(z_t)
        for block in self.blocks:
            h = h + block(h + told)
        return self.leave(F.silu(h + told))
        ### END SOLUTION


### BEGIN SOLUTION
def at_times(alpha_bars: Tensor, t: Tensor, z: Tensor) -> Tensor:
    """ᾱ_t as a column (B, 1) in the dtype of the latents."""
    return alpha_bars.to(z)[t][:, None]


def check_rows(B: int, **tensors: Tensor) -> None:
    """Refuse tensors of another number of rows: broadcasting would use one row for all."""
    for name, value in tensors.items():
        if value.dim() == 0 or len(value) != B:
            raise ValueError(f"{name} must have {B} rows, got {tuple(value.shape)}")


### END SOLUTION


def diffusion_loss(
    model: Callable[[Tensor, Tensor, Tensor], Tensor],
    alpha_bars: Tensor,
    z0: Tensor,
    c: Tensor,
    t: Tensor,
    noise: Tensor,
    drop: Tensor,
) -> Tensor:
    r"""Mean squared error of the guessed noise, the prompt dropped from some rows.

    Arguments:
        model: a noise predictor, model(z_t, t, c) -> (B, d).
        alpha_bars: ᾱ_t, (T,).
        z0: latents, (B, d).
        c: conditions, (B, k).
        t: times, (B,) integers in 0..T-1.
        noise: standard normal, (B, d).
        drop: (B,) booleans; where it is true the model is given zeros for `c`.

    Returns:
        Scalar, the mean over all B·d entries. Gradients flow to the model and to `c`.

    Raises:
        ValueError: if rows or shapes differ, or a time is outside 0..T-1.

    Source: Ho and Salimans (2022), algorithm 1.
    """
    ### BEGIN SOLUTION
    if noise.shape != z0.shape:
        raise ValueError(f"noise must have the shape of z0 {tuple(z0.shape)}, got {tuple(noise.shape)}")
    check_rows(len(z0), c=c, t=t, drop=drop)
    if len(t) and (t.min() < 0 or t.max() >= len(alpha_bars)):
        raise ValueError(f"t must lie in 0..{len(alpha_bars) - 1}, got {int(t.min())}..{int(t.max())}")
    bars = at_times(alpha_bars, t, z0)  # (B, 1)
    z_t = bars.sqrt() * z0 + (1 - bars).sqrt() * noise
    given = torch.where(drop[:, None], torch.zeros_like(c), c)  # (B, k)
    return (noise - model(z_t, t, given)).square().mean()
    ### END SOLUTION


# %% [markdown]
# ## 4. Guidance
#
# **Without a classifier.** A model that was told the prompt may still not follow it closely. Let $\varepsilon_1$ be the
# noise guessed with the prompt and $\varepsilon_0$ the one without, and go *further* from the second to the first,
#
# $$\hat\varepsilon = \varepsilon_0 + w\, (\varepsilon_1 - \varepsilon_0).$$
#
# $w = 0$ forgets the prompt, $w = 1$ is the plain conditional model, $w > 1$ exaggerates what the prompt changes:
# images that fit better and vary less. This $w$ is Stable Diffusion's `guidance_scale`. The paper of Ho and Salimans
# counts from the conditional model instead, $(1 + w')\, \varepsilon_1 - w'\, \varepsilon_0$: the same with $w = 1 +
# w'$. A *negative prompt* takes the place of "no prompt" in $\varepsilon_0$: away from it.
#
# **With a classifier.** Bayes' rule, $p(z \mid c) \propto p(c \mid z)\, p(z)$, says what an *unconditional* model
# needs to follow a label: the gradients of the logarithms add up, with a weight if one likes,
#
# $$\nabla \log p(z_t \mid c) = \nabla \log p(z_t) + \nabla_{z_t} \log p(c \mid z_t).$$
#
# The noise is the score in other units, $\nabla \log p(z_t) = -\varepsilon / \sqrt{1 - \bar\alpha_t}$, so that
#
# $$\hat\varepsilon = \varepsilon - \text{weight} \cdot \sqrt{1 - \bar\alpha_t}\; \nabla_{z_t} \log p(c \mid z_t).$$
#
# $\log p(c \mid z_t)$ is the *logarithm of the softmax* of the classifier's logits, at the row's own label, and each
# row has a gradient of its own: sum over rows before you differentiate, do not average.


# %%
def guided_noise(
    model: Callable[[Tensor, Tensor, Tensor], Tensor],
    z_t: Tensor,
    t: Tensor,
    c: Tensor,
    guidance_scale: float,
    negative: Tensor | None = None,
) -> Tensor:
    r"""Classifier-free guidance, $\varepsilon_0 + w\,(\varepsilon_1 - \varepsilon_0)$.

    Arguments:
        model: a noise predictor, model(z_t, t, c) -> (B, d).
        z_t: noisy latents, (B, d).
        t: times, (B,) integers.
        c: conditions, (B, k), for $\varepsilon_1$.
        guidance_scale: $w$.
        negative: conditions (B, k) for $\varepsilon_0$; zeros where None.

    Returns:
        (B, d).

    Raises:
        ValueError: if `c` has another number of rows than `z_t`, or `negative` another shape than `c`.

    Source: course slides (S3), Stable Diffusion; Ho and Salimans (2022), equation 6.
    """
    ### BEGIN SOLUTION
    check_rows(len(z_t), c=c)
    if negative is not None and negative.shape != c.shape:
        raise ValueError(f"negative must have the shape of c {tuple(c.shape)}, got {tuple(negative.shape)}")
    without = model(z_t, t, torch.zeros_like(c) if negative is None else negative)
    return without + guidance_scale * (model(z_t, t, c) - without)
    ### END SOLUTION


def classifier_guided_noise(
    noise: Tensor,
    z_t: Tensor,
    t: Tensor,
    labels: Tensor,
    classifier: Callable[[Tensor, Tensor], Tensor],
    alpha_bars: Tensor,
    weight: float = 1.0,
) -> Tensor:
    r"""Guidance by a classifier, $\varepsilon - \text{weight} \sqrt{1 - \bar\alpha_t}\, \nabla_z \log p(y \mid z_t)$.

    Arguments:
        noise: $\varepsilon$, what an unconditional model guesses, (B, d).
        z_t: noisy latents, (B, d).
        t: times, (B,) integers in 0..T-1.
        labels: $y$, (B,) integers in 0..K-1.
        classifier: classifier(z, t) -> logits (B, K), not normalised, row by row.
        alpha_bars: ᾱ_t, (T,).
        weight: of the classifier's gradient.

    Returns:
        (B, d), without a graph; it works under `torch.no_grad()` too.

    Raises:
        ValueError: if `noise`, `t` or `labels` do not fit `z_t`.

    Source: course notes (S2), equation 21; Dhariwal and Nichol (2021), algorithm 2.
    """
    ### BEGIN SOLUTION
    if noise.shape != z_t.shape:
        raise ValueError(f"noise must have the shape of z_t {tuple(z_t.shape)}, got {tuple(noise.shape)}")
    check_rows(len(z_t), t=t, labels=labels)
    with torch.enable_grad():
        z = z_t.detach().requires_grad_()
        log_p = torch.log_softmax(classifier(z, t), dim=1)  # (B, K)
        own = log_p[torch.arange(len(z)), labels]
        (slope,) = torch.autograd.grad(own.sum(), z)  # (B, d): rows do not mix
    return noise - weight * (1 - at_times(alpha_bars, t, z_t)).sqrt() * slope
    ### END SOLUTION


# %% [markdown]
# ## 5. Sampling, and inpainting
#
# **DDIM** without noise goes from one time to the next along any decreasing list of times. At each, guess the clean
# latent; then put as much of the *same* noise back as the next time has,
#
# $$\hat z_0 = \frac{z - \sqrt{1 - \bar\alpha_t}\; \varepsilon}{\sqrt{\bar\alpha_t}}, \qquad
# z \leftarrow \sqrt{\bar\alpha'}\; \hat z_0 + \sqrt{1 - \bar\alpha'}\; \varepsilon .$$
#
# $\bar\alpha'$ belongs to the next time of the list. After the last one, *whatever it is*, $\bar\alpha' = 1$: what
# comes out is clean. For images one often clips $\hat z_0$ to their range; latents have no range, and nothing is
# clipped.
#
# **Inpainting.** Some pixels are known, the others are to be invented so that they fit. Nothing has to be trained for
# it: at each time, decode the guess $\hat z_0$, write the known pixels into the image $x$, and go on from there,
#
# $$x = \text{mask} \odot \text{known} + (1 - \text{mask}) \odot \operatorname{decode}(\hat z_0), \qquad
# z \leftarrow \sqrt{\bar\alpha'}\, \operatorname{encode}(x) + \sqrt{1 - \bar\alpha'}\; \varepsilon',$$
#
# with *fresh* noise $\varepsilon'$ at each time: the old one belongs to the old guess, and would pull back to it. The
# answer is the last $x$, known pixels included. (This is DDNM's way: the guess is corrected. RePaint pastes noised
# pixels instead.)


# %%
### BEGIN SOLUTION
def check_times(times: Sequence[int], T: int) -> list[int]:
    """Refuse times that do not fall strictly within 0..T-1: a negative index would count from the end."""
    times = [int(t) for t in times]
    if not times or times[0] >= T or times[-1] < 0 or any(b >= a for a, b in itertools.pairwise(times)):
        raise ValueError(f"times must fall strictly within 0..{T - 1}, at least one, got {times}")
    return times


def guess_clean(
    noise_fn: Callable[[Tensor, Tensor], Tensor], alpha_bars: Tensor, z: Tensor, t: int
) -> tuple[Tensor, Tensor]:
    """The clean latents that the noise at time t stands for, and that noise."""
    noise = noise_fn(z, torch.full((len(z),), t, dtype=torch.int64, device=z.device))
    bar = alpha_bars[t].to(z)
    return (z - (1 - bar).sqrt() * noise) / bar.sqrt(), noise


### END SOLUTION


def ddim_sample(
    noise_fn: Callable[[Tensor, Tensor], Tensor], alpha_bars: Tensor, z_T: Tensor, times: Sequence[int]
) -> Tensor:
    """Deterministic sampling (η = 0) along a list of times, down to clean latents.

    Arguments:
        noise_fn: the noise at a time, noise_fn(z, t) -> (B, d), with t (B,) integers.
        alpha_bars: ᾱ_t, (T,).
        z_T: latents at times[0], (B, d).
        times: at least one, strictly decreasing within 0..T-1: a list, a tuple or a range.

    Returns:
        z_0, (B, d); not clipped.

    Raises:
        ValueError: if there are no times, or they are not strictly decreasing within 0..T-1.

    Source: Song, Meng and Ermon (2021), equation 12.
    """
    ### BEGIN SOLUTION
    times = check_times(times, len(alpha_bars))
    z = z_T
    for t, following in itertools.pairwise([*times, None]):
        z, noise = guess_clean(noise_fn, alpha_bars, z, t)
        if following is not None:
            bar = alpha_bars[following].to(z)
            z = bar.sqrt() * z + (1 - bar).sqrt() * noise
    return z
    ### END SOLUTION


def inpaint(
    noise_fn: Callable[[Tensor, Tensor], Tensor],
    alpha_bars: Tensor,
    noise: Tensor,
    times: Sequence[int],
    known: Tensor,
    mask: Tensor,
    space: Space,
) -> Tensor:
    """Invent the unknown pixels of images: the known ones replaced in each guess.

    Arguments:
        noise_fn: the noise at a time, noise_fn(z, t) -> (B, d), with t (B,) integers.
        alpha_bars: ᾱ_t, (T,).
        noise: standard normal, (K, B, d): noise[0] is where to start, noise[k] is what is added at times[k].
        times: K times, strictly decreasing within 0..T-1.
        known: images, (B, D); only the pixels where the mask is 1 are looked at.
        mask: 1 (or True) where a pixel is known, (D,).
        space: the latent space.

    Returns:
        The last images, (B, D), the known pixels in their places; not clipped.

    Raises:
        ValueError: if the shapes do not fit, or times are not strictly decreasing within 0..T-1.

    Source: course slides (S3), inpainting; Wang, Yu and Zhang (2023), algorithm 1.
    """
    ### BEGIN SOLUTION
    times = check_times(times, len(alpha_bars))
    mean, components, _scale = space
    expected = (len(times), len(known), len(components))
    if tuple(noise.shape) != expected:
        raise ValueError(f"noise must be (times, images, latents) = {expected}, got {tuple(noise.shape)}")
    if mask.shape != mean.shape or known.shape[1:] != mean.shape:
        raise ValueError(f"known and mask must have {len(mean)} pixels, got {tuple(known.shape)}, {tuple(mask.shape)}")
    z = noise[0]
    for k, t in enumerate(times):
        clean, _noise = guess_clean(noise_fn, alpha_bars, z, t)
        x = torch.where(mask.bool(), known, decode(clean, space))  # (B, D)
        if k + 1 < len(times):
            bar = alpha_bars[times[k + 1]].to(z)
            z = bar.sqrt() * encode(x, space) + (1 - bar).sqrt() * noise[k + 1]
    return x
    ### END SOLUTION


# %% [markdown]
# ## 6. Training
#
# Both networks learn together, from one loss: the table of the text encoder is trained *through* the denoiser. Each
# step draws rows, and for each of them a time, noise, and whether its prompt is dropped. The prompts of the rows are
# those of their latents. Use Adam, over the parameters of both.


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


def train_text_to_image(
    model: nn.Module,
    text_encoder: nn.Module,
    alpha_bars: Tensor,
    z: Tensor,
    prompts: Sequence[str],
    steps: int,
    batch_size: int = 128,
    lr: float = 1e-3,
    drop_probability: float = 0.1,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train a denoiser and a text encoder together, in place.

    Arguments:
        model: a module with forward(z_t, t, c).
        text_encoder: a module with forward(prompts) -> c.
        alpha_bars: ᾱ_t, (T,).
        z: latents, (n, d).
        prompts: n texts, prompts[i] for z[i].
        steps: number of gradient steps.
        batch_size: rows per step, drawn with or without replacement; each batch has exactly so many.
        lr: Adam's learning rate, for both networks.
        drop_probability: chance of each row to lose its prompt, within [0, 1].
        generator: source of the rows, the times (uniform on 0..T-1), the noise and the drops.
        progress: whether to show a progress bar.

    Returns:
        {"loss": the loss of each step, `steps` floats}.

    Raises:
        ValueError: if there are not as many prompts as latents, or drop_probability is outside [0, 1].

    Source: Ho and Salimans (2022), algorithm 1; Rombach and others (2022), equation 3.
    """
    ### BEGIN SOLUTION
    if len(prompts) != len(z):
        raise ValueError(f"there must be one prompt for each of the {len(z)} latents, got {len(prompts)}")
    if not 0 <= drop_probability <= 1:
        raise ValueError(f"drop_probability must lie in [0, 1], got {drop_probability}")
    device = z.device if generator is None else generator.device

    def draw(function: Callable[..., Tensor], *arguments: Any, dtype: torch.dtype | None = None) -> Tensor:
        # Drawn where the generator lives.
        return function(*arguments, generator=generator, dtype=dtype, device=device).to(z.device)

    optimiser = torch.optim.Adam([*model.parameters(), *text_encoder.parameters()], lr=lr)
    history: dict[str, list[float]] = {"loss": []}
    B = batch_size
    for _ in track(range(steps), "training", progress):
        rows = draw(torch.randint, len(z), (B,))
        t = draw(torch.randint, len(alpha_bars), (B,))
        noise = draw(torch.randn, (B, z.shape[1]), dtype=z.dtype)
        drop = draw(torch.rand, (B,)) < drop_probability
        c = text_encoder([prompts[i] for i in rows.tolist()])  # (B, k)
        loss = diffusion_loss(model, alpha_bars, z[rows], c, t, noise, drop)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history
    ### END SOLUTION


# %% [markdown]
# ## 7. Text to image
#
# Everything together: embed the prompts, start from noise, go back by guided DDIM, decode, and clip, at the very end,
# to the range of pixels.


# %%
def text_to_image(
    model: Callable[[Tensor, Tensor, Tensor], Tensor],
    text_encoder: Callable[[Sequence[str]], Tensor],
    space: Space,
    alpha_bars: Tensor,
    prompts: Sequence[str],
    times: Sequence[int],
    guidance_scale: float = 3.0,
    z_T: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """An image for each prompt.

    Arguments:
        model: a noise predictor, model(z_t, t, c) -> (B, d).
        text_encoder: text_encoder(prompts) -> c (B, k).
        space: the latent space.
        alpha_bars: ᾱ_t, (T,).
        prompts: B texts.
        times: strictly decreasing within 0..T-1.
        guidance_scale: w of classifier-free guidance.
        z_T: where to start, (B, d); where None, standard normal, drawn from `generator`.
        generator: source of z_T.

    Returns:
        Images, (B, D), in [0, 1], without a graph.

    Raises:
        ValueError: if z_T is not (B, d).

    Source: course slides (S3), Stable Diffusion.
    """
    ### BEGIN SOLUTION
    components = space[1]
    shape = (len(prompts), len(components))
    if z_T is None:
        device = components.device if generator is None else generator.device
        z_T = torch.randn(shape, generator=generator, dtype=components.dtype, device=device).to(components.device)
    if tuple(z_T.shape) != shape:
        raise ValueError(f"z_T must be (prompts, latents) = {shape}, got {tuple(z_T.shape)}")
    with torch.no_grad():
        c = text_encoder(prompts)  # (B, k)
        z = ddim_sample(lambda z, t: guided_noise(model, z, t, c, guidance_scale), alpha_bars, z_T, times)
        return decode(z, space).clamp(0, 1)
    ### END SOLUTION


# %% [markdown]
# ## 8. Does it listen? Does it still vary?
#
# Given, and not judged: *adherence* is the share of images that a classifier takes for what the prompt said,
# *diversity* the mean distance of two images of one prompt. Guidance raises the first and lowers the second, up to a
# point: far beyond $w = 3$ images leave the range of pixels, and both go astray.


# %%
def evaluate_samples(images: Tensor, labels: Tensor, classifier: Callable[[Tensor], Tensor]) -> tuple[float, float]:
    """Given: adherence and diversity of images.

    Arguments:
        images: (B, D).
        labels: what each image should show, (B,) integers.
        classifier: classifier(images) -> scores (B, K).

    Returns:
        (adherence, diversity): the share of rows whose largest score is the label's; the mean Euclidean distance of
        two different images of one label, averaged over the labels that have two, 0.0 if none has.

    Raises:
        ValueError: if there are not as many labels as images.
    """
    if len(labels) != len(images):
        raise ValueError(f"there must be one label for each of the {len(images)} images, got {len(labels)}")
    adherence = float((classifier(images).argmax(dim=1) == labels).double().mean()) if len(images) else 0.0
    groups = [images[labels == label] for label in labels.unique()]
    spreads = [float(torch.pdist(group).mean()) for group in groups if len(group) > 1]
    return adherence, sum(spreads) / len(spreads) if spreads else 0.0


def fit_classifier(images: Tensor, labels: Tensor, features: int = 400) -> Callable[[Tensor], Tensor]:
    """Given: a classifier in closed form, ridge regression of the labels on random features of the images."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(images.shape[1], features, generator=generator) / math.sqrt(images.shape[1])
    bias = torch.randn(features, generator=generator)
    middle, spread = images.mean(dim=0), images.std() + 1e-6

    def hidden(x: Tensor) -> Tensor:
        return torch.relu((x - middle) / spread @ weight + bias)

    h = hidden(images)  # (n, features)
    targets = F.one_hot(labels).to(h)
    solution = torch.linalg.solve(h.T @ h + 0.1 * len(h) * torch.eye(features) / features, h.T @ targets)
    return lambda x: hidden(x) @ solution


# %% [markdown]
# ## 9. Figures
#
# Given: digits drawn with seven strokes, thin or bold, each with its prompt ("a thin seven"), and what your functions
# make of them. Run it, keep the figures in your notebook, and look: at which guidance do the digits get clear, and
# at which do they all look the same?

# %%
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
VOCABULARY = ("a", "thin", "bold", *NUMBERS)
_STROKES = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgecd", "abc", "abcdefg", "abcdfg")
_ENDS = {  # of each stroke: x, y, x, y
    "a": (-1, -2, 1, -2), "b": (1, -2, 1, 0), "c": (1, 0, 1, 2), "d": (-1, 2, 1, 2), "e": (-1, 0, -1, 2),
    "f": (-1, -2, -1, 0), "g": (-1, 0, 1, 0),
}  # fmt: skip


def drawn_digits(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Given: n digits of seven strokes, slanted, shifted, thin or bold: images (n, 256) in [0, 1], labels (n,)."""
    labels = torch.arange(n) % 10
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    pixels = torch.stack([x, y], dim=-1).reshape(256, 2)
    size, slant, moved = (torch.rand(n, k, generator=generator) for k in (2, 1, 2))
    width = torch.where(torch.rand(n, generator=generator) < 0.5, 0.4, 1.2)
    images = []
    for i in range(n):
        ends = torch.tensor([_ENDS[stroke] for stroke in _STROKES[labels[i]]], dtype=torch.float32).reshape(-1, 2, 2)
        ends = ends * (2.2 + 0.8 * size[i])  # (strokes, 2 ends, xy)
        ends[..., 0] -= (0.4 * slant[i] - 0.1) * ends[..., 1]
        ends = ends + 6.5 + 2 * moved[i]
        start, way = ends[:, None, 0], (ends[:, 1] - ends[:, 0])[:, None]  # (strokes, 1, 2)
        share = (((pixels - start) * way).sum(-1) / way.square().sum(-1)).clamp(0, 1)  # (strokes, 256)
        distance = (pixels - start - share[..., None] * way).norm(dim=-1).amin(dim=0)
        images.append((width[i] + 0.5 - distance).clamp(0, 1))
    return torch.stack(images), labels


def describe(images: Tensor, labels: Tensor) -> list[str]:
    """Given: a prompt for each image, from its label and its ink: "a thin seven", "a bold four"."""
    ink = images.mean(dim=1)
    middle = torch.stack([ink[labels == label].median() if (labels == label).any() else ink[0] for label in range(10)])
    words = ("bold" if heavy else "thin" for heavy in (ink > middle[labels]).tolist())
    return [f"a {word} {NUMBERS[label]}" for word, label in zip(words, labels.tolist(), strict=True)]


def _show(rows: Tensor, names: Sequence[str], title: str, file: Path) -> Path:
    """Rows (R, columns, 256) of images, each row with its name."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(*rows.shape[:2], figsize=(8, 0.85 * len(rows) + 0.4), squeeze=False)
    for row, images, name in zip(axes, rows, names, strict=True):
        for axis, image in zip(row, images, strict=True):
            axis.imshow(image.reshape(16, 16).numpy(), cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, fontsize=7)
    figure.suptitle(title, fontsize=10)
    figure.savefig(file, dpi=120, bbox_inches="tight")
    plt.close(figure)
    return file


def make_figures(folder: str | Path) -> list[Path]:
    """Draw the figures of the exercise from your functions (about half a minute) and return the files."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    images, labels = drawn_digits(3000, generator)
    space = fit_latent_space(images, 24)
    alpha_bars, times = noise_schedule(), range(99, -1, -5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, text_encoder = Denoiser(24, 16, 100), TextEncoder(VOCABULARY, dim=16)
    z, prompts = encode(images, space), describe(images, labels)
    history = train_text_to_image(model, text_encoder, alpha_bars, z, prompts, 2000, lr=2e-3, generator=generator)
    files = []

    # 1. One start under four guidances, and what guidance costs.
    z_T = torch.randn(10, 24, generator=generator)
    asked = [f"a bold {name}" for name in NUMBERS]
    scales = (0.0, 1.0, 2.0, 6.0)
    drawn = [text_to_image(model, text_encoder, space, alpha_bars, asked, times, w, z_T=z_T) for w in scales]
    title = "a bold zero, ..., a bold nine: one start under four guidances"
    files.append(_show(torch.stack(drawn), [f"w = {w:g}" for w in scales], title, folder / "guidance.png"))
    classifier, many = fit_classifier(images, labels), torch.arange(200) % 10
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    left.plot(history["loss"], lw=0.6)
    left.set(xlabel="step", ylabel="loss", yscale="log")
    scales = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
    found = []
    for w in scales:
        words = [f"a bold {NUMBERS[label]}" for label in many.tolist()]
        answer = text_to_image(model, text_encoder, space, alpha_bars, words, times, w, generator=generator)
        found.append(evaluate_samples(answer, many, classifier))
    right.plot(scales, [adherence for adherence, _diversity in found], marker="o", label="adherence")
    right.plot(scales, [diversity / 10 for _adherence, diversity in found], marker="s", label="diversity / 10")
    right.set(xlabel="guidance scale w")
    right.legend()
    files.append(folder / "measures.png")
    figure.savefig(files[-1], dpi=120)
    plt.close(figure)

    # 2. One word more.
    drawn = [
        text_to_image(model, text_encoder, space, alpha_bars, [f"a {word} {n}" for n in NUMBERS], times, z_T=z_T)
        for word in ("thin", "bold")
    ]
    title = "one word changed, the same start"
    files.append(_show(torch.stack(drawn), ("thin", "bold"), title, folder / "words.png"))

    # 3. The upper half is known.
    whole, _labels = drawn_digits(10, generator)
    mask = (torch.arange(256) < 128).float()
    noise = torch.randn(len(times), 10, 24, generator=generator)
    zeros, c = torch.zeros(10, 16), text_encoder([f"a {name}" for name in NUMBERS]).detach()
    filled = []
    with torch.no_grad():
        for condition in (zeros, c):
            guess = inpaint(lambda z, t, c=condition: model(z, t, c), alpha_bars, noise, times, whole, mask, space)
            filled.append(guess.clamp(0, 1))
    rows = torch.stack([whole, whole * mask, *filled])
    labels = ("image", "known", "no prompt", "prompt")
    files.append(_show(rows, labels, title="the lower half invented", file=folder / "inpainting.png"))
    return files


# %% [markdown]
# ## 10. Quiz
#
# The questions below carry your own numbers. Work them out on paper; then put the answers into `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "paper": 1.5,
    "mean": -2,
    "mean_c": -6,
    "guidance": 2.0,
    "means": [0.0, 1.5],
    "stds": [0.5, 1.2],
    "prior": 0.6,
    "x": 0.2,
    "side": 1024,
    "factor": 8,
    "channels": 8,
}
QUIZ = {
    "scale": (
        "A paper guides by (1 + w') e1 - w' e0, where e1 is the noise guessed with the prompt "
        "and e0 the one without, and reports w' = 1.5. Which guidance_scale of this exercise "
        "is that? Answer: a number."
    ),
    "mean": (
        "Without a prompt the latents follow N(-2, s²), with it N(-6, s²), with one s. Guided "
        "scores are ∇log p(z) + w (∇log p(z|c) - ∇log p(z)). What is the mean of the law that "
        "has this score, for w = 2.0? Answer: a number, to 0.001."
    ),
    "posterior": (
        "Two classes on the line: p(x|0) = N(0.0, 0.5²), p(x|1) = N(1.5, 1.2²), and p(c = 1) = "
        "0.6. What is p(c = 1|x) at x = 0.2? Answer: a number, to 0.001."
    ),
    "compression": (
        "An auto-encoder turns colour images of 1024 × 1024 pixels (3 channels) into latents "
        "of 128 × 128 with 8 channels. How many times fewer numbers is that? Answer: a number, "
        "to 0.01."
    ),
}
### END PERSONAL
ANSWERS = {"scale": None, "mean": None, "posterior": None, "compression": None}
### BEGIN SOLUTION
_density = [
    math.exp(-0.5 * ((PERSONAL["x"] - m) / s) ** 2) / s
    for m, s in zip(PERSONAL["means"], PERSONAL["stds"], strict=True)
]
_one, _zero = PERSONAL["prior"] * _density[1], (1 - PERSONAL["prior"]) * _density[0]
ANSWERS = {
    "scale": 1 + PERSONAL["paper"],
    "mean": PERSONAL["mean"] + PERSONAL["guidance"] * (PERSONAL["mean_c"] - PERSONAL["mean"]),
    "posterior": _one / (_one + _zero),
    "compression": 3 * PERSONAL["factor"] ** 2 / PERSONAL["channels"],
}
### END SOLUTION
