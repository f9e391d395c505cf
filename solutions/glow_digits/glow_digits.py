# %% [markdown]
# # Glow: a flow on images of digits
#
# In `realnvp_toy` a normalising flow learnt a density of the plane. Images are no harder in principle: a picture of
# $8 \times 8$ pixels is a point in 64 dimensions. In practice three things are missing, and Glow has them: a way from
# whole grey levels to real numbers, layers that know what a neighbouring pixel is, and layers between the couplings
# that mix the channels and keep the numbers in a range in which networks learn. What comes out is rare among
# generative models: the *exact* likelihood of an image, in a unit that every other model of images can be compared in,
# bits per dimension.
#
# **Sources.** Course slides, module 5 (S3: change of variables, affine coupling, Glow), and the lecture notes on
# transport and denoising (S2: flows as compositions, equations 11 and 12). D. P. Kingma and P. Dhariwal, *Glow:
# generative flow with invertible 1×1 convolutions*, NeurIPS 2018 (arXiv 1807.03039). L. Dinh, J. Sohl-Dickstein and
# S. Bengio, *Density estimation using Real NVP*, ICLR 2017 (arXiv 1605.08803). L. Theis, A. van den Oord and M.
# Bethge, *A note on the evaluation of generative models*, ICLR 2016 (arXiv 1511.01844).
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments. Tensors in,
# tensors out, with the dtype and the device of the input. The file must import without computing anything.
#
# **How it is judged** ({points} points): the way to real numbers ({points:logit} points), ActNorm ({points:actnorm}),
# the invertible convolution ({points:conv}), the coupling ({points:coupling}), the flow ({points:flow,density}), bits
# per dimension ({points:bits}), training and images ({points:training,images}), conventions, randomness and the refusal
# of bad arguments ({points:conventions}), the quiz ({points:quiz}). Layers and flows are first set by one batch, then
# their weights are perturbed, and they are judged in float64 by what holds for every right one: round trips, and the
# log-determinant of the Jacobian that automatic differentiation finds. A flow or a coupling whose volume changes by the
# same factor everywhere, such as the identity, earns nothing. Draws are judged by their law. Do not seed anything.
#
# **Words.** Images are (B, C, H, W): batch, channels, height, width. $D = C \cdot H \cdot W$ is the number of
# dimensions. Logarithms are natural unless "bits" is said. `forward` always goes from data to latent, `inverse` from
# latent to data, and both return the log-determinant $\log|\det \partial\,\text{out} / \partial\,\text{in}|$ *of that
# very call*, one number per image, (B,), also where it does not depend on the image.

# %%
from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

# %% [markdown]
# ## 1. From grey levels to real numbers
#
# A pixel is one of `levels` whole numbers $0, \dots, L - 1$. A density may put a needle on each of them and reach any
# likelihood it likes; that says nothing of the images. The cure is *dequantisation*: add uniform noise $u \in [0, 1)$
# to every pixel,
#
# $$y = \frac{\text{pixel} + u}{L} \in [0, 1), \qquad
# P(\text{pixels}) = \int_{[0,1)^D} p_Y\Big(\frac{\text{pixels} + u}{L}\Big) \frac{du}{L^D} .$$
#
# The flow is to live on all of $\mathbb R^D$ and $y$ lies in a box, so a *logit* stretches the box. A margin $\alpha$
# keeps it away from infinity:
#
# $$x = \log \frac{p}{1 - p}, \quad p = \alpha + (1 - 2\alpha)\, y, \qquad
# \log\Big|\det \frac{\partial x}{\partial y}\Big| = \sum_{d=1}^{D} \log \frac{1 - 2\alpha}{p_d (1 - p_d)} ,$$
#
# $$y = \frac{\operatorname{sigmoid}(x) - \alpha}{1 - 2\alpha} .$$
#
# A flow has some mass beyond the box, so this $y$ may lie a little outside $[0, 1]$; it is not clamped here (`quantize`
# does that). `dequantize` and `quantize` are given.


# %%
def dequantize(pixels: Tensor, noise: Tensor, levels: int) -> Tensor:
    """Whole grey levels to real numbers, (pixels + noise) / levels. (Given.)

    Arguments:
        pixels: integers 0..levels-1, any shape and integer dtype.
        noise: in [0, 1), of the same shape.
        levels: number of grey levels, at least 2.

    Returns:
        y in [0, 1), shape of pixels, dtype of noise.

    Raises:
        ValueError: for levels below 2, shapes that differ, pixels outside 0..levels-1, noise outside [0, 1].

    Source: Theis et al. (2016), section 3.1.
    """
    if levels < 2:
        raise ValueError(f"levels must be at least 2, got {levels}")
    if pixels.shape != noise.shape:
        raise ValueError(f"pixels and noise must have one shape, got {tuple(pixels.shape)} and {tuple(noise.shape)}")
    if pixels.numel() and not (int(pixels.min()) >= 0 and int(pixels.max()) < levels):
        raise ValueError(f"pixels must lie in 0..{levels - 1}, got {int(pixels.min())}..{int(pixels.max())}")
    if not bool(((noise >= 0) & (noise <= 1)).all()):
        raise ValueError("noise must lie in [0, 1)")
    return (pixels.to(noise.dtype) + noise) / levels


def quantize(y: Tensor, levels: int) -> Tensor:
    """Real numbers to whole grey levels, floor(levels · y) clamped to 0..levels-1, int64. (Given.)

    Raises ValueError for levels below 2. A y that `dequantize` made with noise 0 may be rounded to the pixel below.
    """
    if levels < 2:
        raise ValueError(f"levels must be at least 2, got {levels}")
    return (levels * y).floor().clamp(0, levels - 1).long()


def logit_transform(y: Tensor, alpha: float = 0.05) -> tuple[Tensor, Tensor]:
    r"""Stretch the box: x = logit(p), p = α + (1 - 2α) y.

    Arguments:
        y: in [0, 1], (B, ...), any number of further axes.
        alpha: margin, 0 ≤ α < 1/2; at α = 0 only y inside (0, 1) have a finite x.

    Returns:
        x, shape of y, and log|det ∂x/∂y| = Σ log((1 - 2α) / (p (1 - p))) over all axes but the first, (B,).

    Raises:
        ValueError: if y lies outside [0, 1], or alpha outside [0, 1/2).

    Source: Dinh et al. (2017), section 4.1.
    """
    ### BEGIN SOLUTION
    check_alpha(alpha)
    if not bool(((y >= 0) & (y <= 1)).all()):
        raise ValueError("y must lie in [0, 1]")
    p = alpha + (1 - 2 * alpha) * y
    log_det = math.log(1 - 2 * alpha) - p.log() - (-p).log1p()
    return torch.logit(p), per_image(log_det)
    ### END SOLUTION


def inverse_logit_transform(x: Tensor, alpha: float = 0.05) -> tuple[Tensor, Tensor]:
    r"""Back to the box: y = (sigmoid(x) - α) / (1 - 2α), not clamped.

    Arguments:
        x: (B, ...), any real numbers.
        alpha: margin, 0 ≤ α < 1/2.

    Returns:
        y, shape of x, in [-α/(1-2α), (1-α)/(1-2α)], and log|det ∂y/∂x| (B,).

    Raises:
        ValueError: if alpha lies outside [0, 1/2).

    Source: Dinh et al. (2017), section 4.1.
    """
    ### BEGIN SOLUTION
    check_alpha(alpha)
    log_slope = nn.functional.logsigmoid(x) + nn.functional.logsigmoid(-x)  # log of sigmoid'(x)
    return (x.sigmoid() - alpha) / (1 - 2 * alpha), per_image(log_slope - math.log(1 - 2 * alpha))
    ### END SOLUTION


### BEGIN SOLUTION
def check_alpha(alpha: float) -> None:
    """Refuse a margin outside [0, 1/2)."""
    if not 0 <= alpha < 0.5:
        raise ValueError(f"alpha must lie in [0, 1/2), got {alpha}")


def per_image(values: Tensor) -> Tensor:
    """Sum over all axes but the first, (B, ...) -> (B,)."""
    return values.flatten(1).sum(dim=1)


### END SOLUTION

# %% [markdown]
# ## 2. A flow of images
#
# With an invertible $f$ from data $x$ to latent $z = f(x)$ and the prior $\mathcal N(0, I)$,
#
# $$\log p_X(x) = \log \mathcal N(f(x); 0, I) + \log\Big|\det \frac{\partial f}{\partial x}\Big| ,$$
#
# and for a composition the log-determinants add, each at the input of its own layer. **Signs and orders differ in the
# sources.** The slides write $x = f_K(\dots f_1(z))$: their $f$ goes from latent to data, it is our inverse, hence
# their minus sign. The lecture notes' equation (11) and their $z_i = T_i(z_{i-1})$ number the layers in opposite
# orders, and the sum of their equation (12) is to run over all layers, $i = 1..n$. What is graded is the formula above.
#
# **Squeezing.** A coupling splits channels, and a grey image has one. So `squeeze` makes each $2 \times 2$ block of
# pixels the channels of one position: (B, C, H, W) becomes (B, 4C, H/2, W/2). Nothing is lost, no volume changes (it
# is a permutation, log-determinant 0), and neighbours stay neighbours. Both directions are given.


# %%
def squeeze(x: Tensor) -> Tensor:
    """Make each 2×2 block the channels of one position: (B, C, H, W) -> (B, 4C, H/2, W/2). (Given.)

    Raises ValueError unless H and W are even.
    """
    if x.dim() != 4 or x.shape[2] % 2 or x.shape[3] % 2:
        raise ValueError(f"x must be (B, C, H, W) with even H and W, got {tuple(x.shape)}")
    return nn.functional.pixel_unshuffle(x, 2)


def unsqueeze(x: Tensor) -> Tensor:
    """The inverse of `squeeze`: (B, 4C, H, W) -> (B, C, 2H, 2W). (Given.)

    Raises ValueError unless the number of channels is a multiple of 4.
    """
    if x.dim() != 4 or x.shape[1] % 4:
        raise ValueError(f"x must be (B, C, H, W) with C a multiple of 4, got {tuple(x.shape)}")
    return nn.functional.pixel_shuffle(x, 2)


# %% [markdown]
# ## 3. ActNorm
#
# Batch normalisation makes each image depend on the others of its batch: that is no map of one image, and has no
# Jacobian of its own. *ActNorm* has one scale and one shift per channel, which are trained like any weight,
#
# $$z_{c,i,j} = s_c\, (x_{c,i,j} + b_c), \qquad \log|\det| = H\, W \sum_{c} \log |s_c| ,$$
#
# ($s x + b$ or $(x - m)/s$ are as good). Each channel has $H \cdot W$ pixels, and every one of them is scaled: hence
# the factor. Only the *start* comes from data: the first `forward` in training mode sets scale and shift so that on
# its batch each channel of $z$ has mean 0 and variance 1 over batch and positions. Later batches change nothing, and
# neither do evaluation mode (before the first batch it is the identity) and `inverse`.
#
# "Has been set" is part of the state: keep it in a buffer (`register_buffer`), so that a layer restored by
# `load_state_dict` is not set anew by its next batch. A channel that is constant has deviation 0: add a tiny
# $\varepsilon$ (up to $10^{-6}$).


# %%
### BEGIN SOLUTION
def check_channels(x: Tensor, channels: int, name: str = "x") -> None:
    """Refuse what is no batch of images with so many channels."""
    if x.dim() != 4 or x.shape[1] != channels:
        raise ValueError(f"{name} must be (B, {channels}, H, W), got {tuple(x.shape)}")


def check_count(value: int, name: str) -> None:
    """Refuse a count below 1."""
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")


### END SOLUTION


class ActNorm(nn.Module):
    """One trained scale and shift per channel, set by the first batch (Kingma and Dhariwal 2018, section 3.1).

    Arguments:
        channels: C, at least 1.

    Raises:
        ValueError: for channels below 1, or an input of other channels.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        check_count(channels, "channels")
        self.channels = channels
        self.shift = nn.Parameter(torch.zeros(channels))
        self.log_scale = nn.Parameter(torch.zeros(channels))
        self.register_buffer("is_set", torch.tensor(False))
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """From data to latent; in training mode the first call sets scale and shift.

        Arguments:
            x: (B, C, H, W).

        Returns:
            z (B, C, H, W), and log|det ∂z/∂x| = H W Σ log|s| (B,).
        """
        ### BEGIN SOLUTION
        check_channels(x, self.channels)
        if self.training and not self.is_set:
            with torch.no_grad():
                self.shift.copy_(-x.mean(dim=(0, 2, 3)))
                self.log_scale.copy_(-(x.std(dim=(0, 2, 3), unbiased=False) + 1e-6).log())
                self.is_set.fill_(True)
        z = (x + self.shift[:, None, None]) * self.log_scale.exp()[:, None, None]
        return z, self.log_det(x)
        ### END SOLUTION

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """From latent to data: the exact inverse of `forward` once that has been set.

        Arguments:
            z: (B, C, H, W).

        Returns:
            x (B, C, H, W), and log|det ∂x/∂z| (B,): minus that of `forward`.
        """
        ### BEGIN SOLUTION
        check_channels(z, self.channels, "z")
        x = z * (-self.log_scale).exp()[:, None, None] - self.shift[:, None, None]
        return x, -self.log_det(z)
        ### END SOLUTION

    ### BEGIN SOLUTION
    def log_det(self, x: Tensor) -> Tensor:
        """H W Σ log s, for each image."""
        return (x.shape[2] * x.shape[3] * self.log_scale.sum()).expand(len(x))

    ### END SOLUTION


# %% [markdown]
# ## 4. The invertible 1×1 convolution
#
# A coupling leaves half of the channels alone, so something has to exchange the halves. RealNVP swaps them; Glow
# *learns* how to mix them, with one $C \times C$ matrix $W$ for all positions,
#
# $$z_{:,i,j} = W\, x_{:,i,j}, \qquad \log|\det| = H\, W_{\text{width}}\, \log|\det W| .$$
#
# $W$ starts as a random orthogonal matrix (from torch's global generator; `torch.linalg.qr` of a matrix of standard
# normal numbers gives one), so the log-determinant starts at 0. Its determinant is $+1$ or $-1$: take $\log|\det W|$
# with `torch.linalg.slogdet`, for the logarithm of a negative determinant is not a number. The paper also writes
# $W = P L (U + \operatorname{diag}(s))$ with a fixed permutation $P$, for which the determinant is a product of $C$
# numbers; both ways are fine. $W$ is trained without remaining orthogonal: the inverse needs $W^{-1}$, not $W^\top$.


# %%
class InvertibleConv1x1(nn.Module):
    """z = W x at each position, with a trained C × C matrix W (Kingma and Dhariwal 2018, section 3.2).

    Arguments:
        channels: C, at least 1.

    Raises:
        ValueError: for channels below 1, or an input of other channels.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        check_count(channels, "channels")
        self.channels = channels
        q, r = torch.linalg.qr(torch.randn(channels, channels))
        self.weight = nn.Parameter(q * r.diagonal().sign())  # with these signs q is uniform on the orthogonal group
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """From data to latent.

        Arguments:
            x: (B, C, H, W).

        Returns:
            z (B, C, H, W), and log|det ∂z/∂x| = H W log|det W| (B,).
        """
        ### BEGIN SOLUTION
        check_channels(x, self.channels)
        return torch.einsum("dc,bchw->bdhw", self.weight, x), self.log_det(x)
        ### END SOLUTION

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """From latent to data: the exact inverse of `forward`.

        Arguments:
            z: (B, C, H, W).

        Returns:
            x (B, C, H, W), and log|det ∂x/∂z| (B,).
        """
        ### BEGIN SOLUTION
        check_channels(z, self.channels, "z")
        back = torch.linalg.inv(self.weight)
        return torch.einsum("dc,bchw->bdhw", back, z), -self.log_det(z)
        ### END SOLUTION

    ### BEGIN SOLUTION
    def log_det(self, x: Tensor) -> Tensor:
        """H W log|det W|, for each image."""
        log_abs_det = torch.linalg.slogdet(self.weight).logabsdet
        return (x.shape[2] * x.shape[3] * log_abs_det).expand(len(x))

    ### END SOLUTION


# %% [markdown]
# ## 5. Affine coupling of images
#
# As in `realnvp_toy`, now with channels for coordinates: half of the channels, $x_a$, passes unchanged, the other
# half is scaled and shifted, each channel at each pixel by a number of its own,
#
# $$z_a = x_a, \qquad z_b = \sigma(x_a) \odot x_b + t(x_a), \qquad
# \log|\det| = \sum_{c \in b} \sum_{i,j} \log|\sigma_{c,i,j}(x_a)| .$$
#
# $\sigma$ and $t$ are computed from $x_a$ by a small network of *convolutions*, so that a pixel is changed by what
# its neighbours look like: they see at least the $3 \times 3$ neighbourhood (two such convolutions in a row see more
# and, by the padding, where in the image they are: samples profit from it). Which half passes is free, and so is the
# form of $\sigma \neq 0$ ($e^s$ with a bounded $s$, the paper's $\operatorname{sigmoid}(s + 2)$, division instead of
# multiplication), as long as it varies with $x_a$. A last convolution that starts at 0 makes each coupling start as
# the identity; that helps and is valid. Batch normalisation is not: every image is transformed by itself, in both
# modes.


# %%
class AffineCoupling(nn.Module):
    """Half of the channels passes, the other is scaled and shifted (Dinh et al. 2017; Kingma and Dhariwal 2018).

    Arguments:
        channels: C, even, at least 2.
        hidden: width of the hidden layers of the network.

    Raises:
        ValueError: for channels that are odd or below 1, or an input of other channels.
    """

    def __init__(self, channels: int, hidden: int = 32) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        check_count(channels, "channels")
        if channels % 2:
            raise ValueError(f"channels must be even, got {channels}")
        self.channels = channels
        last = nn.Conv2d(hidden, channels, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.network = nn.Sequential(
            nn.Conv2d(channels // 2, hidden, 3, padding=1), nn.ReLU(), nn.Conv2d(hidden, hidden, 1), nn.ReLU(), last
        )
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """From data to latent.

        Arguments:
            x: (B, C, H, W).

        Returns:
            z (B, C, H, W), and log|det ∂z/∂x| = Σ log|σ| over moved channels and pixels (B,).
        """
        ### BEGIN SOLUTION
        check_channels(x, self.channels)
        passing, moved = x.chunk(2, dim=1)  # (B, C/2, H, W) each
        s, t = self.scale_and_shift(passing)
        return torch.cat([passing, s.exp() * moved + t], dim=1), per_image(s)
        ### END SOLUTION

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """From latent to data: the exact inverse of `forward`.

        Arguments:
            z: (B, C, H, W).

        Returns:
            x (B, C, H, W), and log|det ∂x/∂z| (B,).
        """
        ### BEGIN SOLUTION
        check_channels(z, self.channels, "z")
        passing, moved = z.chunk(2, dim=1)  # what passes is the same in z and in x
        s, t = self.scale_and_shift(passing)
        return torch.cat([passing, (moved - t) * (-s).exp()], dim=1), -per_image(s)
        ### END SOLUTION

    ### BEGIN SOLUTION
    def scale_and_shift(self, passing: Tensor) -> tuple[Tensor, Tensor]:
        """log σ, between -2 and 2, and t, from the channels that pass."""
        s, t = self.network(passing).chunk(2, dim=1)
        return 2 * torch.tanh(s / 2), t

    ### END SOLUTION


# %% [markdown]
# ## 6. Glow
#
# At each of `n_scales` scales: `squeeze`, then `n_steps` steps, each of them an ActNorm, an invertible convolution and
# a coupling in this order with weights of their own. Then, except at the last scale, **half of the channels leaves**:
# they are latents already, and only the other half goes on to the next scale. What is fine detail is thus finished
# early, and the coarse picture gets more layers. For images (C, S, S) and $L$ scales `forward` returns the list
#
# $$z_s : \big(2^{s} C,\; S/2^s,\; S/2^s\big) \text{ for } s = 1, \dots, L - 1, \qquad
# z_L : \big(2^{L+1} C,\; S/2^L,\; S/2^L\big),$$
#
# first to leave first. Together they have as many numbers as the image: **a flow cannot compress**. All latents are
# standard normal, and $\log p(x)$ sums over all of them. (A learned law for those that leave is allowed, as one more
# affine layer that is counted in the log-determinant.)
#
# To sample, draw all latents and run everything backwards. At *temperature* $T$ they are drawn with the standard
# deviation $T$ (not the variance), at every scale: $T < 1$ gives safer images, $T = 0$ the one image $f^{-1}(0)$.


# %%
class Glow(nn.Module):
    """A multi-scale flow of images (Kingma and Dhariwal 2018, figure 2).

    Arguments:
        channels: C of the images, at least 1.
        size: S, height and width of the images, a multiple of 2^n_scales.
        n_scales: number of scales L, at least 1.
        n_steps: steps per scale, at least 1.
        hidden: width of the couplings' networks.

    Raises:
        ValueError: for channels, n_scales or n_steps below 1, a size that is no multiple of 2^n_scales, or images of
            other channels or sides.
    """

    def __init__(self, channels: int = 1, size: int = 8, n_scales: int = 2, n_steps: int = 4, hidden: int = 32) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        for name, count in (("channels", channels), ("n_scales", n_scales), ("n_steps", n_steps), ("size", size)):
            check_count(count, name)
        if size % 2**n_scales:
            raise ValueError(f"size must be a multiple of 2^n_scales = {2**n_scales}, got {size}")
        self.channels, self.size, self.n_scales = channels, size, n_scales
        self.scales = nn.ModuleList()
        for scale in range(n_scales):
            width = 4 * channels * 2**scale  # half of the channels leaves, and the next squeeze makes four of each
            steps = ((ActNorm(width), InvertibleConv1x1(width), AffineCoupling(width, hidden)) for _ in range(n_steps))
            self.scales.append(nn.ModuleList(layer for step in steps for layer in step))
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """From data to latent.

        Arguments:
            x: (B, C, S, S).

        Returns:
            zs, the list of latents, first to leave first, and log|det ∂z/∂x| (B,), the sum over all layers.
        """
        ### BEGIN SOLUTION
        if x.dim() != 4 or x.shape[1:] != (self.channels, self.size, self.size):
            raise ValueError(f"x must be (B, {self.channels}, {self.size}, {self.size}), got {tuple(x.shape)}")
        log_det, zs = x.new_zeros(len(x)), []
        for scale, layers in enumerate(self.scales):
            x = squeeze(x)
            for layer in layers:
                x, layer_log_det = layer(x)
                log_det = log_det + layer_log_det
            if scale < self.n_scales - 1:
                z, x = x.chunk(2, dim=1)
                zs.append(z)
        return [*zs, x], log_det
        ### END SOLUTION

    def inverse(self, zs: list[Tensor]) -> tuple[Tensor, Tensor]:
        """From latent to data: the exact inverse of `forward`.

        Arguments:
            zs: latents as `forward` returns them.

        Returns:
            x (B, C, S, S), and log|det ∂x/∂z| (B,).
        """
        ### BEGIN SOLUTION
        x, log_det = zs[-1], zs[-1].new_zeros(len(zs[-1]))
        for scale in reversed(range(self.n_scales)):
            if scale < self.n_scales - 1:
                x = torch.cat([zs[scale], x], dim=1)
            for layer in reversed(self.scales[scale]):
                x, layer_log_det = layer.inverse(x)
                log_det = log_det + layer_log_det
            x = unsqueeze(x)
        return x, log_det
        ### END SOLUTION

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density of images, log N(f(x); 0, I) + log|det ∂f/∂x|, in nats.

        Arguments:
            x: (B, C, S, S).

        Returns:
            (B,).
        """
        ### BEGIN SOLUTION
        zs, log_det = self(x)
        log_prior = sum(per_image(-0.5 * z**2 - 0.5 * math.log(2 * math.pi)) for z in zs)  # (B,)
        return log_prior + log_det
        ### END SOLUTION

    def sample(self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
        """Draw images x = f⁻¹(z) with z ~ temperature · N(0, I) at every scale, without gradients.

        Arguments:
            n: number of images, at least 1.
            temperature: standard deviation of all latents, at least 0.
            generator: source of randomness; None is torch's global one. Nothing is seeded here.

        Returns:
            x (n, C, S, S), in the dtype and on the device of the parameters.

        Raises:
            ValueError: for n below 1 or a negative temperature.
        """
        ### BEGIN SOLUTION
        check_count(n, "n")
        if not temperature >= 0:
            raise ValueError(f"temperature must not be negative, got {temperature}")
        weight = next(self.parameters())
        device = weight.device if generator is None else generator.device  # draw where the generator lives
        zs, width, side = [], self.channels, self.size
        for scale in range(self.n_scales):
            last = scale == self.n_scales - 1
            width, side = width * 4 if last else width * 2, side // 2
            z = torch.randn(n, width, side, side, generator=generator, dtype=weight.dtype, device=device)
            zs.append(temperature * z.to(weight.device))
        with torch.no_grad():
            return self.inverse(zs)[0]
        ### END SOLUTION


# %% [markdown]
# ## 7. Bits per dimension
#
# The chain is pixels → $y$ → $x$ → $z$. With $x$ the logit of the dequantised image, the bits per dimension (bpd) are
#
# $$\mathrm{bpd} = - \frac{\log p_X(x) + \log|\det \partial x / \partial y| - D \log L}{D \log 2} .$$
#
# The term $D \log L$ accounts for the size of a box of noise, $L^{-D}$. It makes the number an estimate (an upper
# bound, on average over the noise, by Jensen's inequality) of how many bits per pixel a code for images would need
# that is optimal where the model is right. A model that knows nothing gives each of $L$ levels the same probability
# and needs exactly $\log_2 L$ bits, 4.09 for 17 levels; whoever forgets $L$, $D$ or $\log 2$ gets another number.


# %%
def bits_per_dimension(model: nn.Module, pixels: Tensor, noise: Tensor, levels: int, alpha: float = 0.05) -> Tensor:
    """Negative log-likelihood of images of whole grey levels, in bits per dimension.

    Arguments:
        model: any nn.Module with `log_prob(x)` -> (B,), in nats, for x the logits of dequantised images.
        pixels: integers 0..levels-1, (B, C, H, W).
        noise: in [0, 1), of the same shape; x has its dtype.
        levels: number of grey levels, at least 2.
        alpha: margin of the logit.

    Returns:
        (B,), one number per image.

    Raises:
        ValueError: as of `dequantize` and `logit_transform`.

    Source: Theis et al. (2016), section 3.1; Dinh et al. (2017), section 4.1.
    """
    ### BEGIN SOLUTION
    x, log_det = logit_transform(dequantize(pixels, noise, levels), alpha)
    dimensions = pixels[0].numel()
    log_prob = model.log_prob(x) + log_det - dimensions * math.log(levels)  # (B,), log P of the whole image
    return -log_prob / (dimensions * math.log(2))
    ### END SOLUTION


# %% [markdown]
# ## 8. Maximum likelihood
#
# Training minimises the mean bits per dimension of mini-batches: rows of the data, drawn at random at each step, with
# *fresh* uniform noise for every pixel of every step. With noise that is drawn once, or not at all, the flow learns
# where exactly the points are and puts needles on them.


# %%
def train_glow(
    model: nn.Module,
    pixels: Tensor,
    steps: int,
    levels: int,
    batch_size: int = 64,
    lr: float = 1e-3,
    alpha: float = 0.05,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train `model` in place by maximum likelihood, one update of its weights per step.

    Arguments:
        model: any nn.Module with `log_prob`, which is called once per step and at no other time.
        pixels: integers 0..levels-1, (N, C, H, W).
        steps: number of updates, at least 1.
        levels: number of grey levels, at least 2.
        batch_size: images per step, at least 1, with or without replacement.
        lr: learning rate (the reference uses Adam).
        alpha: margin of the logit.
        generator: source of rows and noise; None is torch's global one. Nothing is seeded here.
        progress: whether to show a progress bar.

    Returns:
        {"bpd": [...]}, one float per step: mean bits per dimension of the step's batch before its update.

    Raises:
        ValueError: for steps or batch_size below 1.

    Source: Kingma and Dhariwal (2018), section 2.
    """
    ### BEGIN SOLUTION
    check_count(steps, "steps")
    check_count(batch_size, "batch_size")
    weight = next(model.parameters())
    device = weight.device if generator is None else generator.device
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history: dict[str, list[float]] = {"bpd": []}
    rounds = range(steps)
    if progress:
        from tqdm.auto import tqdm

        rounds = tqdm(rounds)
    for _ in rounds:
        rows = torch.randint(len(pixels), (batch_size,), generator=generator, device=device)
        batch = pixels[rows.to(pixels.device)]  # (batch_size, C, H, W)
        noise = torch.rand(batch.shape, generator=generator, dtype=weight.dtype, device=device).to(weight.device)
        loss = bits_per_dimension(model, batch.to(weight.device), noise, levels, alpha).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history["bpd"].append(loss.item())
    return history
    ### END SOLUTION


# %% [markdown]
# ## 9. Images from the flow
#
# The chain backwards: a draw $x$ of the model, $y$ by the inverse of the logit, whole grey levels by `quantize`.


# %%
def sample_images(
    model: nn.Module,
    n: int,
    levels: int,
    temperature: float = 1.0,
    alpha: float = 0.05,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw images of whole grey levels: `model.sample`, called once, then back through logit and levels.

    Arguments:
        model: any nn.Module with `sample(n, temperature=..., generator=...)` -> x (n, C, H, W).
        n: number of images, at least 1.
        levels: number of grey levels, at least 2.
        temperature: of `model.sample`, at least 0.
        alpha: margin of the logit.
        generator: source of randomness; None is torch's global one.

    Returns:
        pixels 0..levels-1, (n, C, H, W), int64.

    Raises:
        ValueError: for n below 1, a negative temperature, levels below 2, or alpha outside [0, 1/2).
    """
    ### BEGIN SOLUTION
    check_count(n, "n")
    if not temperature >= 0:
        raise ValueError(f"temperature must not be negative, got {temperature}")
    x = model.sample(n, temperature=temperature, generator=generator)
    return quantize(inverse_logit_transform(x, alpha)[0], levels)
    ### END SOLUTION


# %% [markdown]
# ## 10. Figures (given)
#
# `make_figures` trains a flow on small drawings of rings and strokes, with 17 grey levels as in the digits that your
# flow is judged on. It shows the training, the drawings beside images of the flow at several temperatures, and a way
# between two drawings in the latent space. It takes about ten seconds. The short training that is judged has the
# settings `{judged:training.DIGITS}` with a flow of `{judged:training.SIZES}`, on real digits turned and shifted
# otherwise for each student; use Adam, with which the limits were measured.


# %%
def drawings(n: int, generator: torch.Generator) -> Tensor:
    """Rings and strokes of random size and slope: pixels 0..16, (n, 1, 8, 8), int64."""
    axis = torch.arange(8.0) - 3.5
    down, right = torch.meshgrid(axis, axis, indexing="ij")
    u = torch.rand(n, 5, 1, 1, generator=generator)
    centre_x, centre_y, size, slope = u[:, 0] - 0.5, u[:, 1] - 0.5, 1.5 + 1.2 * u[:, 2], u[:, 3] - 0.5
    x, y = right - centre_x, down - centre_y  # (n, 8, 8)
    ring = ((x**2 + 0.5 * y**2).sqrt() - size).abs()
    stroke = (x - slope * y).abs() + (y.abs() - 3).clamp(min=0)
    distance = torch.where(u[:, 4] < 0.5, ring, stroke)
    return (16.99 * (1.4 - distance).clamp(0, 1)).long()[:, None]


def make_figures(folder: str | Path, steps: int = 400) -> list[Path]:
    """Train a flow on drawings and save the figures in `folder`; returns their paths."""
    import matplotlib.pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    pixels = drawings(2000, generator)
    flow = Glow(n_steps=3)
    history = train_glow(flow, pixels, steps, levels=17, lr=4e-3, generator=generator)
    flow.eval()

    curve, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
    axis.plot(history["bpd"], linewidth=0.8, label="mini-batch")
    axis.axhline(math.log2(17), color="black", linestyle="--", linewidth=1, label="every level as probable")
    axis.set(xlabel="step", ylabel="bits per dimension", title="Training", ylim=(0, 8))
    axis.legend()

    def show(row, images: Tensor, title: str) -> None:
        for axis, image in zip(row, images, strict=True):
            axis.imshow(image[0], cmap="gray", vmin=0, vmax=16)
            axis.set_axis_off()
        row[0].set_title(title, loc="left", fontsize=9)

    sheet, axes = plt.subplots(4, 10, figsize=(9, 4.4), layout="constrained")
    show(axes[0], pixels[:10], title="drawings")
    for row, temperature in zip(axes[1:], (1.0, 0.7, 0.3), strict=True):
        images = sample_images(flow, 10, 17, temperature=temperature, generator=generator)
        show(row, images, f"T = {temperature}")

    ends = pixels[:2]
    y = dequantize(ends, torch.full(ends.shape, 0.5), 17)
    with torch.no_grad():
        zs, _ = flow(logit_transform(y)[0])
        way = torch.linspace(0, 1, 10)[:, None, None, None]
        x, _ = flow.inverse([(1 - way) * z[:1] + way * z[1:] for z in zs])
    path, row = plt.subplots(1, 10, figsize=(9, 1.4), layout="constrained")
    show(row, quantize(inverse_logit_transform(x)[0], 17), title="a way between two drawings")

    paths = [folder / name for name in ("glow_training.png", "glow_images.png", "glow_way.png")]
    for figure, file in zip((curve, sheet, path), paths, strict=True):
        figure.savefig(file, dpi=110)
        plt.close(figure)
    return paths


# %% [markdown]
# ## 11. Questions
#
# Fill in `ANSWERS` with the keys of `QUIZ`. Numbers may be computed here.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "matrix": [[0.7, -1.7], [-1.6, -1.6]],
    "height": 4,
    "width": 12,
    "side": 16,
    "log2_levels": 6,
    "log_density": 456.2,
}
QUIZ = {
    "log_det": "An invertible 1×1 convolution with W = [[0.7, -1.7], [-1.6, -1.6]] (a list of rows) is applied "
    "to images of 2 channels with 4 rows and 12 columns. What log-determinant does it return for "
    "each image, in nats? (number, to 0.001)",
    "bits": "Grey images of 16×16 pixels have 64 levels, y = (pixels + noise) / 64 needs no logit, and a model "
    "gives an image the log-density log p(y) = 456.2 nats. How many bits per dimension is that? "
    "(number, to 0.001)",
    "fewer_latents": "What can a variational auto-encoder do that no normalising flow can? (a) draw new images; "
    "(b) use fewer latent numbers than the image has pixels; (c) be trained by gradients; (d) "
    "give the exact likelihood of an image. (choice: one letter)",
    "noise": "Pixels are whole numbers. A flow is trained on them without adding noise. What is the lowest loss "
    "that it can reach, in bits per dimension? (a) 0; (b) log₂ of the number of levels; (c) the "
    "entropy of the images; (d) there is none: the density on the whole numbers can grow without "
    "bound. (choice: one letter)",
}
### END PERSONAL
ANSWERS = {"log_det": None, "bits": None, "fewer_latents": None, "noise": None}
### BEGIN SOLUTION
_p = PERSONAL
ANSWERS = {
    "log_det": _p["height"] * _p["width"] * float(torch.linalg.slogdet(torch.tensor(_p["matrix"])).logabsdet),
    "bits": _p["log2_levels"] - _p["log_density"] / (_p["side"] ** 2 * math.log(2)),
    "fewer_latents": "b",
    "noise": "d",
}
### END SOLUTION

# %% [markdown]
# ## 12. Run it
#
# Run the file as a script to draw the figures in the folder `figures`.

# %%
if __name__ == "__main__":
    for path in make_figures("figures"):
        print(path)
