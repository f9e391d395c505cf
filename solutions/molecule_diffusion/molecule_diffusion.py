# %% [markdown]
# # Diffusion of molecules
#
# A diffusion model does not mind what its data are: images, sounds, or the positions of atoms. Add noise to the
# atoms and a molecule dissolves into a cloud; run the process backwards and molecules condense out of noise. What is
# new is not the noise but the *symmetry*. A molecule that is shifted or turned is the same molecule, and so is one
# whose two hydrogens have changed places. In this exercise you build a diffusion model that knows this from the start:
# noise without a centre of mass, a network that turns with its input, distances between molecules that see the shape
# alone. At the end optimal transport pulls the molecules that the model makes onto the ones that you want.
#
# **Sources.** Course slides of module 5 (S3): noise on atomic positions, the reverse process, Langevin dynamics,
# transport towards a target. J. Ho, A. Jain and P. Abbeel, *Denoising Diffusion Probabilistic Models* (2020) [DDPM]. V.
# G. Satorras, E. Hoogeboom and M. Welling, *E(n) Equivariant Graph Neural Networks* (2021) [EGNN]. E. Hoogeboom et al.,
# *Equivariant Diffusion for Molecule Generation in 3D* (2022) [EDM], for noise of zero mean. W. Kabsch, *A solution for
# the best rotation to relate two sets of vectors* (1976). M. Cuturi, *Sinkhorn Distances* (2013).
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments. Loops or
# vectorised code, both are fine. The file must import without computing anything. What is marked *given* stands there
# complete: use it, it earns nothing.
#
# **Conventions.** A molecule of N atoms is a tensor (N, 3) of positions in ångström (Å), a batch (B, N, 3); any N of
# at least 2. Angles are in radians. All atoms have the weight 1: the *centre* of a molecule is the plain mean of its
# positions. `types` (N,) are integers (int64), the same for the whole batch: 0 hydrogen and 1 oxygen in our examples.
# Times `t` count from 0 to T-1; `t` of a batch is (B,) int64, one time per molecule. A schedule is given by its
# $\bar\alpha$ (T,), which falls; before the first step it is 1. Results keep the dtype of the input, which stays
# unchanged. A function that takes `noise` uses it as it is, after taking its mean away; one that draws takes a
# `generator`, and nobody seeds the global one.
#
# **How it is judged** ({points} points). Nearly everything is checked by itself, in float64, on molecules drawn
# afresh: centring, densities, alignment ({points:geometry}), the network and its symmetries ({points:network}), noise,
# loss, steps back and Langevin steps ({points:steps}), a whole sampling with a network that knows the right answer
# ({points:sampling}), training ({points:training}: what your loop shows the network, and the molecules that your EGNN
# makes after a short training), transport ({points:transport}), conventions and errors ({points:conventions}), the quiz
# with your own numbers ({points:quiz}). Conventions and errors count for a function only where its values are right.
#
# **The training that is judged.** Your `EGNN(n_types=2, n_times={judged:training.T_LEARNT}, hidden=32, n_layers=2)` on
# molecules H-O-H whose bond length, bond angle and order of the atoms are drawn for you, with
# `cosine_alpha_bars({judged:training.T_LEARNT})` and `{judged:training.FIT}` (the other arguments at their defaults).
# What counts is the share of generated molecules that are valid, and how much their angles vary; the steps back are the
# checks' own. Use Adam or AdamW: the limits were measured with them.

# %%
from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

# What a sampler or a loss is given as `model`: (x (B, N, 3), types (N,), t (B,)) -> predicted noise (B, N, 3).
NoisePredictor = Callable[[Tensor, Tensor, Tensor], Tensor]

# %% [markdown]
# ## 1. Noise without a centre
#
# Where a molecule is in space says nothing about it. If the forward process moved it as a whole, the network would
# have to guess a shift that nobody can know, so we take it away everywhere: molecules are *centred*, $\sum_i x_i = 0$,
# and so is the noise. The positions then live in a subspace of dimension $3(N-1)$ of $\mathbb R^{3N}$: of $3N$ numbers,
# three are determined by the others.
#
# Take $\xi \sim \mathcal N(0, I)$ in $\mathbb R^{3N}$ and subtract its mean: the result is Gaussian noise *inside the
# subspace*, of variance 1 in each of its $3(N-1)$ directions, and with standard deviation $\sigma$ its density there is
#
# $$\log p(x) = -\frac{\|x\|^2}{2\sigma^2} - \frac{3(N-1)}{2} \log(2\pi\sigma^2), \qquad \sum_i x_i = 0.$$
#
# Seen in $\mathbb R^{3N}$ this law has no density at all: its covariance $\sigma^2 (I - \tfrac1N \mathbb 1 \mathbb
# 1^\top) \otimes I_3$ is singular. And each single coordinate has the variance $\sigma^2 (1 - \tfrac1N)$, not
# $\sigma^2$.


# %%
def centre(x: Tensor) -> Tensor:
    """Positions minus their mean over the atoms.

    Arguments:
        x: (..., N, 3), Å; any number of leading dimensions. All atoms have the weight 1.

    Returns:
        (..., N, 3), of zero mean over the atoms.

    Source: course slides (S3); EDM, section 3.1.
    """
    ### BEGIN SOLUTION
    return x - x.mean(dim=-2, keepdim=True)
    ### END SOLUTION


def zero_mean_log_prob(x: Tensor, std: float = 1.0) -> Tensor:
    r"""Log-density of std · centre(noise), noise standard normal, in the 3(N-1) dimensions where it lives.

    Arguments:
        x: (B, N, 3), of zero mean over the atoms.
        std: $\sigma > 0$.

    Returns:
        (B,), in nats.

    Raises:
        ValueError: if std is not positive, or the mean of a coordinate over the atoms exceeds 1e-3 in absolute value.

    Source: EDM, section 3.1.
    """
    ### BEGIN SOLUTION
    if not std > 0:
        raise ValueError(f"std must be positive, got {std}")
    if len(x) and float(x.mean(dim=1).abs().max()) > 1e-3:
        raise ValueError(f"x must have zero mean over the atoms, got a mean of {float(x.mean(dim=1).abs().max()):.3g}")
    dimension = 3 * (x.shape[1] - 1)
    return -0.5 * x.square().sum(dim=(1, 2)) / std**2 - 0.5 * dimension * math.log(2 * math.pi * std**2)
    ### END SOLUTION


# %% [markdown]
# ## 2. What makes a molecule valid (given)
#
# A chain of atoms 0-1-...-N-1 is described up to shifts and turns by its *internal coordinates*: the N-1 bond lengths,
# the N-2 angles between neighbouring bonds, and the N-3 *torsions*, which say how far the last of four atoms is turned
# about the middle bond. A torsion of 0 is *cis* (both ends on the same side), $\pi$ is *trans*; it is positive where,
# seen along the middle bond, the far bond is turned clockwise from the near one. A mirror turns the sign of every
# torsion and leaves bonds and angles as they are.
#
# Two hydrogens cannot be told apart: which of them is "atom 0" is a matter of bookkeeping. A list of `permutations`
# (P, N) holds the orders that mean the same molecule: in order p, the atom `permutations[p, i]` stands in place i,
# which is `x[:, permutations[p]]`. A generated molecule is valid if in *at least one* of these orders all its bonds and
# angles are near the ideal ones. Both functions are given.


# %%
def internal_coordinates(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Bonds, angles and torsions of chains 0-1-...-N-1 (given).

    Arguments:
        x: (B, N, 3), Å, N at least 3.

    Returns:
        bonds (B, N-1) in Å; angles (B, N-2) in (0, π), at the middle atom between the directions to its neighbours;
        torsions (B, N-3) in (-π, π], 0 cis and π trans.

    Raises:
        ValueError: if N is below 3.
    """
    if x.dim() != 3 or x.shape[1] < 3 or x.shape[2] != 3:
        raise ValueError(f"x must be (B, N, 3) with N at least 3, got {tuple(x.shape)}")
    steps = x[:, 1:] - x[:, :-1]  # (B, N-1, 3)
    bonds = steps.norm(dim=-1)
    back, ahead = -steps[:, :-1], steps[:, 1:]  # from the middle atom to its neighbours
    normals = torch.linalg.cross(steps[:, :-1], steps[:, 1:])  # (B, N-2, 3)
    angles = torch.atan2(normals.norm(dim=-1), (back * ahead).sum(dim=-1))
    near, far = normals[:, :-1], normals[:, 1:]  # (B, N-3, 3)
    sine = bonds[:, 1:-1] * (steps[:, :-2] * far).sum(dim=-1)
    torsions = torch.atan2(sine, (near * far).sum(dim=-1))
    return bonds, angles, torch.where(torsions <= -math.pi, torsions + 2 * math.pi, torsions)


def validity(
    x: Tensor,
    bonds: Tensor,
    angles: Tensor,
    bond_tolerance: float = 0.15,
    angle_tolerance: float = 0.35,
    min_distance: float = 0.8,
    permutations: Tensor | None = None,
) -> Tensor:
    """Which molecules have the ideal bonds and angles in at least one order, and no atoms on top of each other (given).

    Arguments:
        x: (B, N, 3), Å.
        bonds: ideal lengths, (N-1,); angles: ideal angles, (N-2,).
        bond_tolerance, angle_tolerance: largest deviations, Å and radians.
        min_distance: every pair of atoms is at least so far apart, Å.
        permutations: (P, N), orders that mean the same molecule; None is the order as it is.

    Returns:
        (B,) of bools.

    Raises:
        ValueError: if the numbers of bonds or angles do not fit.
    """
    N = x.shape[1]
    if bonds.shape != (N - 1,) or angles.shape != (N - 2,):
        raise ValueError(
            f"{N} atoms have {N - 1} bonds and {N - 2} angles, got {tuple(bonds.shape)}, {tuple(angles.shape)}"
        )
    orders = torch.arange(N)[None] if permutations is None else permutations
    shaped = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    for order in orders:
        lengths, bends, _torsions = internal_coordinates(x[:, order])
        good = ((lengths - bonds).abs() <= bond_tolerance).all(dim=1)
        shaped |= good & ((bends - angles).abs() <= angle_tolerance).all(dim=1)
    pairs = torch.triu_indices(N, N, offset=1)
    distances = (x[:, pairs[0]] - x[:, pairs[1]]).norm(dim=-1)  # (B, N (N-1) / 2)
    return shaped & (distances >= min_distance).all(dim=1)


# %% [markdown]
# ## 3. How alike are two molecules?
#
# To compare two molecules, move one onto the other as well as it goes and see what is left: the *root mean square
# deviation* (RMSD),
#
# $$\mathrm{rmsd}(x, y) = \min_{p, R, s} \sqrt{\frac1N \sum_{i=1}^N \big\| x_i - (R\, y_{p(i)} + s) \big\|^2},$$
#
# over shifts $s$, *proper* rotations $R$ ($\det R = 1$) and the allowed orders $p$. The mean is over the N atoms, not
# over the 3N coordinates. The best shift puts the mean of y onto the mean of x. For the rotation, take centred clouds
# and the 3×3 matrix $H = \sum_i y_i x_i^\top$ with its singular value decomposition $H = U S V^\top$. Then
#
# $$R = V \operatorname{diag}(1, 1, d)\, U^\top, \qquad d = \det(V U^\top) = \pm 1.$$
#
# Without the $d$ the answer may be a reflection: a molecule and its mirror image would count as equal, and a left hand
# would fit a right glove. (For three atoms, which lie in a plane, a rotation does what a reflection does. Chirality
# begins with four.) For few orders, try them all and keep the best.
#
# Mind the direction of a permutation. Row p is the order `y[..., perm[p], :]`: the atom perm[p, i] of y lies on the
# atom i of x. A swap of two atoms is its own inverse, so that an example with two hydrogens does not tell the two
# directions apart; a cycle of three atoms does.


# %%
def align(x: Tensor, y: Tensor, permutations: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Move y onto x by the best translation, proper rotation and order of the atoms.

    Arguments:
        x: (..., N, 3), Å, stays where it is.
        y: (..., N, 3), Å; leading dimensions are broadcast against those of x.
        permutations: (P, N) int64, the orders allowed: in order p, atom permutations[p, i] of y lies on atom i of x.
            None is the order as it is.

    Returns:
        aligned: (..., N, 3), with the mean of x; aligned[..., i, :] is the atom of y that lies on x_i.
        rmsd: (...,), Å, the root of the mean over the atoms of the squared distance.

    Raises:
        ValueError: if x and y have different numbers of atoms.

    Source: Kabsch (1976); course slides (S3).
    """
    ### BEGIN SOLUTION
    if x.shape[-2:] != y.shape[-2:] or x.shape[-1] != 3:
        raise ValueError(f"x and y must be (..., N, 3) with one N, got {tuple(x.shape)} and {tuple(y.shape)}")
    orders = torch.arange(x.shape[-2])[None] if permutations is None else permutations
    still = centre(x)[..., None, :, :]  # (..., 1, N, 3)
    moved = centre(y)[..., orders.to(y.device), :]  # (..., P, N, 3)
    U, _S, Vh = torch.linalg.svd(moved.mT @ still)  # H = Σ_i y_i x_iᵀ, (..., P, 3, 3)
    signs = torch.ones_like(U[..., 0])  # (..., P, 3)
    signs[..., 2] = torch.linalg.det(U @ Vh).sign()
    moved = moved @ (U * signs[..., None, :] @ Vh)  # rows, so y Rᵀ with Rᵀ = U diag(1, 1, d) Vᵀ
    deviations = (still - moved).square().sum(dim=(-2, -1)) / x.shape[-2]  # (..., P)
    least, best = deviations.min(dim=-1)
    best = best[..., None, None, None].expand(*best.shape, 1, *x.shape[-2:])
    aligned = moved.gather(-3, best).squeeze(-3)  # (..., N, 3)
    return aligned + x.mean(dim=-2, keepdim=True), least.sqrt()
    ### END SOLUTION


# %% [markdown]
# ## 4. A network that turns with the molecule
#
# The network sees noisy positions and answers the noise, one arrow per atom. If the input is turned by R, the arrows
# must turn with it; the same for reflections: $f(Rx) = R f(x)$ for all orthogonal R (*equivariance*). A shift of the
# input changes nothing, and numbering the atoms otherwise (with their types) numbers the arrows likewise. One could
# hope that a network learns this from millions of turned examples. It is better to build it so that it cannot do
# anything else.
#
# The recipe of EGNN: distances do not change when a molecule is turned, so any network may use them. Directions are
# made from *differences of positions* alone, with weights that are made from distances:
#
# $$m_{ij} = \phi_e\big(h_i, h_j, \|x_i - x_j\|^2\big), \qquad
# x_i \leftarrow x_i + \frac1{N-1} \sum_{j \ne i} (x_i - x_j)\, \phi_x(m_{ij}), \qquad
# h_i \leftarrow \phi_h\Big(h_i, \sum_{j \ne i} m_{ij}\Big).$$
#
# Here $h_i$ holds what is known of the atom i and does not turn: at the start its type and the time, then what its
# neighbours tell. After some layers the answer is how far the atoms have moved, made to have zero mean, as the noise
# has. The weights $\phi_x$ need not be symmetric: $w_{ij}$ moves atom i, $w_{ji}$ moves atom j.
#
# Everything inside your EGNN is free (layers, features, activations; the coordinates may move in every layer or once).
# It must be equivariant under rotations *and* reflections, unchanged by shifts, follow the atoms when they are
# numbered anew, answer arrows of zero mean, use the types, each molecule's own time and the other atoms, and not be
# linear in x. Each molecule of a batch is answered by itself, and twice the same: no batch normalisation, no dropout.


# %%
def coordinate_update(x: Tensor, weights: Tensor) -> Tensor:
    r"""Move each atom along the lines to the others: $x_i + \frac1{N-1} \sum_{j \ne i} (x_i - x_j)\, w_{ij}$.

    Arguments:
        x: (B, N, 3), Å, N at least 2.
        weights: $w_{ij}$, (B, N, N), not necessarily symmetric; the diagonal counts for nothing.

    Returns:
        (B, N, 3).

    Source: EGNN, equation 4.
    """
    ### BEGIN SOLUTION
    differences = x[:, :, None, :] - x[:, None, :, :]  # (B, N, N, 3): x_i - x_j, 0 where i = j
    return x + (differences * weights[..., None]).sum(dim=2) / (x.shape[1] - 1)
    ### END SOLUTION


class EGNN(nn.Module):
    """Predicts the noise in noisy molecules, equivariantly.

    Arguments:
        n_types: how many types of atoms there are; types are 0..n_types-1.
        n_times: how many times there are; times are 0..n_times-1.
        hidden: width of the features.
        n_layers: number of rounds of messages, at least 1.

    Source: EGNN, equations 3 to 6; EDM, section 3.2.
    """

    def __init__(self, n_types: int, n_times: int, hidden: int = 32, n_layers: int = 3) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.types, self.times = nn.Embedding(n_types, hidden), nn.Embedding(n_times, hidden)
        self.messages, self.weights, self.features = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for _ in range(n_layers):
            self.messages.append(
                nn.Sequential(nn.Linear(2 * hidden + 2, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
            )
            self.weights.append(nn.Linear(hidden, 1))
            self.features.append(nn.Sequential(nn.Linear(2 * hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden)))
        ### END SOLUTION

    def forward(self, x: Tensor, types: Tensor, t: Tensor) -> Tensor:
        """The noise in x.

        Arguments:
            x: noisy molecules, (B, N, 3).
            types: (N,) int64, the types of the atoms, the same for all molecules.
            t: (B,) int64, each molecule's time.

        Returns:
            (B, N, 3), of zero mean over the atoms.
        """
        ### BEGIN SOLUTION
        B, N, _three = x.shape
        h = self.types(types)[None] + self.times(t)[:, None]  # (B, N, hidden)
        others = (1 - torch.eye(N, dtype=x.dtype, device=x.device))[..., None]  # (N, N, 1)
        y = x
        for message, weight, feature in zip(self.messages, self.weights, self.features, strict=True):
            squared = (y[:, :, None] - y[:, None]).square().sum(dim=-1, keepdim=True)  # (B, N, N, 1)
            ends = [h[:, :, None].expand(B, N, N, -1), h[:, None].expand(B, N, N, -1)]
            m = message(torch.cat([*ends, squared, 1 / (1 + squared)], dim=-1)) * others  # (B, N, N, hidden)
            y = coordinate_update(y, weight(m).squeeze(-1))
            h = h + feature(torch.cat([h, m.sum(dim=2)], dim=-1))
        return centre(y - x)
        ### END SOLUTION


# %% [markdown]
# ## 5. Forward: noise on the atoms
#
# As for images, many small steps of noise compose into one jump to the time t,
#
# $$x_t = \sqrt{\bar\alpha_t}\; \mathrm{centre}(x_0) + \sqrt{1 - \bar\alpha_t}\;\, \mathrm{centre}(\varepsilon), \qquad
# \varepsilon \sim \mathcal N(0, I),$$
#
# with everything in the subspace of zero mean. The network learns to answer the *centred* noise, the only part of it
# that $x_t$ contains:
#
# $$L = \mathbb E\, \frac1{3N} \big\| f(x_t, \mathrm{types}, t) - \mathrm{centre}(\varepsilon) \big\|^2,$$
#
# the mean over all B·N·3 entries. Since the network answers arrows of zero mean, a loss against the raw noise would be
# larger by the variance of the mean, which nobody can predict.


# %%
### BEGIN SOLUTION
def check_times(t: Tensor, x: Tensor, alpha_bars: Tensor) -> None:
    """Refuse times that are not (B,) integers in 0..T-1: a negative index would count from the end."""
    T = len(alpha_bars)
    if t.shape != x.shape[:1] or t.is_floating_point():
        raise ValueError(f"t must be (B,) integers with B = {len(x)}, got {tuple(t.shape)}, {t.dtype}")
    if len(t) and (int(t.min()) < 0 or int(t.max()) >= T):
        raise ValueError(f"t must lie in 0..{T - 1}, got {int(t.min())}..{int(t.max())}")


def check_noise(noise: Tensor, x: Tensor) -> None:
    """Refuse noise of another shape: broadcasting would reuse the same draw."""
    if x.dim() != 3 or noise.shape != x.shape:
        raise ValueError(f"noise must have the shape of the molecules {tuple(x.shape)}, got {tuple(noise.shape)}")


### END SOLUTION


def q_sample(x0: Tensor, alpha_bars: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """Jump from molecules to their noisy versions: x_t = √ᾱ_t centre(x0) + √(1-ᾱ_t) centre(noise).

    Arguments:
        x0: molecules, (B, N, 3), anywhere in space.
        alpha_bars: the schedule, (T,), falling.
        t: (B,) int64 in 0..T-1, each molecule's time.
        noise: standard normal, the shape of x0; its mean is taken away here.

    Returns:
        x_t, (B, N, 3), of zero mean over the atoms.

    Raises:
        ValueError: if shapes do not fit, or a time lies outside 0..T-1.

    Source: DDPM, equation 4; EDM, section 3.1; course slides (S3).
    """
    ### BEGIN SOLUTION
    check_noise(noise, x0)
    check_times(t, x0, alpha_bars)
    bars = alpha_bars.to(x0)[t][:, None, None]  # (B, 1, 1)
    return bars.sqrt() * centre(x0) + (1 - bars).sqrt() * centre(noise)
    ### END SOLUTION


def denoising_loss(
    model: NoisePredictor, x0: Tensor, types: Tensor, alpha_bars: Tensor, t: Tensor, noise: Tensor
) -> Tensor:
    """Mean squared error of the predicted noise: mean of (model(x_t, types, t) - centre(noise))².

    Arguments:
        model: any callable (x_t, types, t) -> predicted noise.
        x0: molecules, (B, N, 3).
        types: (N,) int64.
        alpha_bars: the schedule, (T,).
        t: (B,) int64 in 0..T-1.
        noise: standard normal, the shape of x0.

    Returns:
        Scalar, the mean over all B·N·3 entries, differentiable in the model's parameters.

    Raises:
        ValueError: if shapes do not fit, or a time lies outside 0..T-1.

    Source: DDPM, equation 14; EDM, section 3.2.
    """
    ### BEGIN SOLUTION
    x_t = q_sample(x0, alpha_bars, t, noise)
    return (model(x_t, types, t) - centre(noise)).square().mean()
    ### END SOLUTION


# %% [markdown]
# ## 6. Back: steps and scores
#
# With $\alpha_t = \bar\alpha_t / \bar\alpha_{t-1}$ ($\bar\alpha_{-1} = 1$) and the predicted noise
# $\hat\varepsilon = f(x_t, \mathrm{types}, t)$, one step back draws from a Gaussian of mean $m$ and variance $v$,
#
# $$m = \frac1{\sqrt{\alpha_t}} \Big( x_t - \frac{1 - \alpha_t}{\sqrt{1 - \bar\alpha_t}}\, \hat\varepsilon
# \Big), \qquad v = (1 - \alpha_t)\, \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t},$$
#
# with noise in the subspace again. At t = 0, $v = 0$: the mean alone. The course's slides add noise of variance
# $\beta_t = 1 - \alpha_t$ instead, the other usual choice; the checks expect the variance above.
#
# The predicted noise is also the *score*, up to its scale and sign: $\nabla \log p_t(x) \approx s(x) = -\hat\varepsilon
# / \sqrt{1 - \bar\alpha_t}$. With it, *Langevin dynamics* explores the law of the molecules at one level of noise,
#
# $$x \leftarrow x + h\, s(x) + \sqrt{2h}\; \mathrm{centre}(\varepsilon),$$
#
# with a step h in Å²: at small noise it is molecular dynamics of sorts, with a force that was learnt from examples.


# %%
def reverse_step(
    model: NoisePredictor, x_t: Tensor, types: Tensor, alpha_bars: Tensor, t: int, noise: Tensor
) -> Tensor:
    """One step back, from x_t to x_{t-1}.

    Arguments:
        model: any callable (x, types, times) -> predicted noise; it is given times as a (B,) int64 tensor.
        x_t: noisy molecules, (B, N, 3), of zero mean over the atoms.
        types: (N,) int64.
        alpha_bars: the schedule, (T,).
        t: the time of all molecules, 0..T-1.
        noise: standard normal, the shape of x_t; its mean is taken away here; not used at t = 0.

    Returns:
        x_{t-1}, (B, N, 3): mean and variance as above; at t = 0 the mean alone.

    Raises:
        ValueError: if shapes do not fit, or t lies outside 0..T-1, negative numbers included.

    Source: DDPM, algorithm 2; EDM, section 3; course slides (S3).
    """
    ### BEGIN SOLUTION
    check_noise(noise, x_t)
    times = torch.full((len(x_t),), t, device=x_t.device)  # (B,) int64
    check_times(times, x_t, alpha_bars)
    bars = alpha_bars.to(x_t)
    bar, before = bars[t], bars[t - 1] if t > 0 else torch.ones_like(bars[0])
    alpha = bar / before
    mean = (x_t - (1 - alpha) / (1 - bar).sqrt() * model(x_t, types, times)) / alpha.sqrt()
    variance = (1 - alpha) * (1 - before) / (1 - bar)  # 0 at t = 0
    return mean + variance.sqrt() * centre(noise)
    ### END SOLUTION


def langevin_step(
    model: NoisePredictor, x: Tensor, types: Tensor, alpha_bars: Tensor, t: int, step: float, noise: Tensor
) -> Tensor:
    """One Langevin step at the noise level t: x + step · s(x) + √(2 step) centre(noise), s = -ε/√(1-ᾱ_t).

    Arguments:
        model: any callable (x, types, times) -> predicted noise; it is given times as a (B,) int64 tensor.
        x: molecules, (B, N, 3), of zero mean over the atoms.
        types: (N,) int64.
        alpha_bars: the schedule, (T,).
        t: the level of noise, 0..T-1.
        step: h > 0, Å².
        noise: standard normal, the shape of x; its mean is taken away here.

    Returns:
        (B, N, 3).

    Raises:
        ValueError: if shapes do not fit, t lies outside 0..T-1, or step is not positive.

    Source: course slides (S3), score and Langevin dynamics.
    """
    ### BEGIN SOLUTION
    check_noise(noise, x)
    if not step > 0:
        raise ValueError(f"step must be positive, got {step}")
    times = torch.full((len(x),), t, device=x.device)  # (B,) int64
    check_times(times, x, alpha_bars)
    score = -model(x, types, times) / (1 - alpha_bars.to(x)[t]).sqrt()
    return x + step * score + math.sqrt(2 * step) * centre(noise)
    ### END SOLUTION


# %% [markdown]
# ## 7. Sampling and training
#
# A molecule is made from centred noise by the steps t = T-1, ..., 0. The number of its atoms and their types are chosen
# beforehand: they say what is to be made.
#
# Training is that of every diffusion model: each step draws a batch of molecules, *one time per molecule* uniformly
# from 0..T-1, fresh noise, and takes a gradient step on the loss. The network needs no turned copies of the data: for
# an equivariant network a turned molecule is nothing new.


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


def cosine_alpha_bars(T: int, s: float = 0.008) -> Tensor:
    """ᾱ of the cosine schedule of T steps, each β at most 0.999 (given): (T,), falling."""
    u = torch.arange(T + 1, dtype=torch.float64)
    f = torch.cos((u / T + s) / (1 + s) * math.pi / 2) ** 2
    return (1 - (1 - f[1:] / f[:-1]).clamp(max=0.999)).cumprod(dim=0).to(torch.get_default_dtype())


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


@torch.no_grad()
def sample(
    model: NoisePredictor, types: Tensor, alpha_bars: Tensor, n: int, generator: torch.Generator | None = None
) -> Tensor:
    """Make molecules from noise.

    Arguments:
        model: any callable (x, types, times) -> predicted noise.
        types: (N,) int64, the atoms to place.
        alpha_bars: the schedule, (T,).
        n: how many molecules.
        generator: source of all the noise; the order of the draws is up to you.

    Returns:
        (n, N, 3), of zero mean over the atoms, without a gradient, in the dtype of alpha_bars.

    Source: DDPM, algorithm 2; EDM, algorithm 2.
    """
    ### BEGIN SOLUTION
    shape = (n, len(types), 3)
    x = centre(draw_noise(shape, alpha_bars, generator))
    for t in range(len(alpha_bars) - 1, -1, -1):
        x = reverse_step(model, x, types, alpha_bars, t, draw_noise(shape, alpha_bars, generator))
    return x
    ### END SOLUTION


def train_diffusion(
    model: nn.Module,
    x: Tensor,
    types: Tensor,
    alpha_bars: Tensor,
    steps: int,
    batch_size: int = 64,
    lr: float = 5e-3,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train a noise predictor with Adam (or AdamW).

    Arguments:
        model: a module with forward(x_t, types, t), trained in place; called once per step.
        x: molecules to learn from, (n, N, 3).
        types: (N,) int64.
        alpha_bars: the schedule, (T,).
        steps: number of gradient steps.
        batch_size: molecules per step.
        lr: learning rate; warm-up, decay and clipping are up to you.
        generator: source of the batches, the times and the noise.
        progress: whether to show a progress bar.

    Returns:
        {"loss": the loss of each step, `steps` floats}.

    Source: DDPM, algorithm 1; EDM, algorithm 1; course slides (S3).
    """
    ### BEGIN SOLUTION
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=steps, eta_min=0.02 * lr)
    history: dict[str, list[float]] = {"loss": []}
    model.train()
    for _ in track(range(steps), "training", progress):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]  # (batch_size, N, 3)
        t = draw_integers(len(alpha_bars), batch_size, x, generator)  # (batch_size,)
        loss = denoising_loss(model, x0, types, alpha_bars, t, draw_noise(x0.shape, x0, generator))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        history["loss"].append(loss.item())
    return history
    ### END SOLUTION


# %% [markdown]
# ## 8. Transport: pull generated molecules onto the target
#
# A small network makes molecules that are nearly right. Suppose that we have a second set of molecules, the target:
# how are the generated ones to be moved so that they look like it, each by as little as possible? Optimal transport
# answers. The cost of sending $x_i$ to $y_j$ is what has to be changed of its *shape*, $C_{ij} = \mathrm{rmsd}(x_i,
# y_j)^2$, with $y_j$ aligned on $x_i$: turning costs nothing. With uniform weights, the entropic plan is
#
# $$P = \arg\min_P \sum_{ij} P_{ij} C_{ij} + \varepsilon \sum_{ij} P_{ij} (\log P_{ij} - 1), \qquad
# \sum_j P_{ij} = \frac1n, \quad \sum_i P_{ij} = \frac1m,$$
#
# found by Sinkhorn's iteration on $f$ and $g$ with $P_{ij} = e^{(f_i + g_j - C_{ij})/\varepsilon}$: choose f so that
# the rows are right, then g so that the columns are, and again. $\varepsilon$ is in Å² and absolute: compared with C as
# it is. Typical costs are hundredths of Å² and $\varepsilon$ some thousandths, where $e^{-C/\varepsilon}$ underflows
# for molecules far apart: work with logarithms (`torch.logsumexp`).
#
# Each molecule is then pulled towards the mean of its destinations, *as they lie aligned on it*,
#
# $$T(x_i) = \frac{\sum_j P_{ij}\, y_{j \to i}}{\sum_j P_{ij}}, \qquad
# x_i \leftarrow x_i + \lambda\, \big(T(x_i) - x_i\big), \qquad \lambda \in [0, 1].$$
#
# Why aligned? The mean of two copies of one molecule that are turned differently is not a molecule.


# %%
def transport_pull(
    x: Tensor,
    y: Tensor,
    epsilon: float,
    strength: float = 1.0,
    permutations: Tensor | None = None,
    n_iterations: int = 500,
) -> tuple[Tensor, Tensor]:
    """Pull molecules x towards molecules y along the entropic plan for the cost rmsd².

    Arguments:
        x: (n, N, 3), Å.
        y: (m, N, 3), Å.
        epsilon: weight of the entropy, Å², absolute, > 0.
        strength: λ in [0, 1]; 0 leaves x as it is, 1 moves it onto T(x).
        permutations: (P, N), the orders that mean the same molecule, as in `align`.
        n_iterations: pairs of Sinkhorn updates, in the log domain.

    Returns:
        moved: (n, N, 3), x + strength (T(x) - x).
        plan: (n, m), of uniform weights: rows sum to 1/n, columns to 1/m.

    Raises:
        ValueError: if epsilon is not positive, or strength lies outside [0, 1].

    Source: Cuturi (2013); course slides (S3), optimal transport.
    """
    ### BEGIN SOLUTION
    if not epsilon > 0:
        raise ValueError(f"epsilon must be positive, got {epsilon}")
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must lie in [0, 1], got {strength}")
    aligned, rmsd = align(x[:, None], y[None], permutations)  # (n, m, N, 3), (n, m)
    scaled = rmsd.square() / epsilon
    log_a, log_b = -math.log(len(x)), -math.log(len(y))
    f, g = torch.zeros_like(scaled[:, :1]), torch.zeros_like(scaled[:1])  # over epsilon; (n, 1), (1, m)
    for _ in range(n_iterations):
        f = log_a - torch.logsumexp(g - scaled, dim=1, keepdim=True)
        g = log_b - torch.logsumexp(f - scaled, dim=0, keepdim=True)
    plan = (f + g - scaled).exp()
    shares = plan / plan.sum(dim=1, keepdim=True)
    target = (shares[..., None, None] * aligned).sum(dim=1)  # T(x), (n, N, 3)
    return x + strength * (target - x), plan
    ### END SOLUTION


# %% [markdown]
# ## 9. Hydrogen peroxide (given)
#
# H-O-O-H is the smallest molecule with a torsion. In units of $kT$ its energy is that of springs for bonds (0.97, 1.47,
# 0.97 Å, standard deviation 0.03 Å) and angles (1.75 rad, 0.08 rad), and $3 \cos\varphi + 2 \cos 2\varphi$ for the
# torsion $\varphi$, with two wells at $\cos\varphi = -3/8$, mirror images of each other. The Boltzmann law $e^{-U/kT}$
# in the positions is a law of the internal coordinates with the volume $r_1^2 r_2^2 r_3^2 \sin\theta_1 \sin\theta_2$;
# `boltzmann_molecules` draws from it exactly. Four orders of the atoms mean the same molecule.

# %%
PEROXIDE_TYPES = torch.tensor([0, 1, 1, 0])  # H-O-O-H
PEROXIDE_BONDS, PEROXIDE_ANGLES = torch.tensor([0.97, 1.47, 0.97]), torch.tensor([1.75, 1.75])
PEROXIDE_ORDERS = torch.tensor([[0, 1, 2, 3], [3, 1, 2, 0], [0, 2, 1, 3], [3, 2, 1, 0]])  # within types
BOND_STD, ANGLE_STD = 0.03, 0.08


def peroxide_energy(x: Tensor) -> Tensor:
    """U/kT of H-O-O-H in the order of its chain (given): (B, 4, 3) -> (B,)."""
    bonds, angles, torsions = internal_coordinates(x)
    springs = ((bonds - PEROXIDE_BONDS.to(x)) / BOND_STD).square().sum(dim=1)
    springs = springs + ((angles - PEROXIDE_ANGLES.to(x)) / ANGLE_STD).square().sum(dim=1)
    return 0.5 * springs + 3 * torsions[:, 0].cos() + 2 * (2 * torsions[:, 0]).cos()


def place_atoms(bonds: Tensor, angles: Tensor, torsions: Tensor) -> Tensor:
    """A chain of four atoms from its internal coordinates (given): (B, 3), (B, 2), (B, 1) -> (B, 4, 3)."""
    zero, (a, b), turn = torch.zeros_like(bonds[:, 0]), angles.T, torsions[:, 0]
    first = torch.stack([bonds[:, 0] * a.sin(), zero, bonds[:, 0] * a.cos()], dim=1)
    third = torch.stack([zero, zero, bonds[:, 1]], dim=1)
    last = torch.stack([b.sin() * turn.cos(), b.sin() * turn.sin(), -b.cos()], dim=1) * bonds[:, 2:]
    return torch.stack([first, torch.zeros_like(first), third, third + last], dim=1)


def boltzmann_molecules(n: int, generator: torch.Generator | None = None) -> Tensor:
    """n molecules H-O-O-H of the law exp(-U/kT) (given): (n, 4, 3), centred, by rejection of internal coordinates."""

    def accepted(propose: Callable[[int], Tensor], chance: Callable[[Tensor], Tensor]) -> Tensor:
        kept = torch.zeros(0)
        while len(kept) < n:
            values = propose(2 * n + 64)
            kept = torch.cat([kept, values[torch.rand(len(values), generator=generator) < chance(values)]])
        return kept[:n]

    def spring(mean: float, std: float) -> Callable[[int], Tensor]:
        return lambda k: mean + std * torch.randn(k, generator=generator)

    bonds = [accepted(spring(r, BOND_STD), lambda v, r=r: (v / (r + 0.2)) ** 2) for r in PEROXIDE_BONDS.tolist()]
    angles = [accepted(spring(a, ANGLE_STD), torch.sin) for a in PEROXIDE_ANGLES.tolist()]
    torsions = accepted(
        lambda k: math.pi * (2 * torch.rand(k, generator=generator) - 1),
        lambda v: (-3 * v.cos() - 2 * (2 * v).cos() - 41 / 16).exp(),  # the energy's least value is -41/16
    )
    return centre(place_atoms(torch.stack(bonds, dim=1), torch.stack(angles, dim=1), torsions[:, None]))


def best_order(x: Tensor, bonds: Tensor, angles: Tensor, permutations: Tensor) -> Tensor:
    """The molecules with their atoms in the order whose bonds and angles are nearest to the ideal ones (given).

    The network cannot know which of two hydrogens belongs to which oxygen: torsions are read off in this order.
    """
    misfits = []
    for order in permutations:
        lengths, bends, _torsions = internal_coordinates(x[:, order])
        misfits.append((lengths - bonds.to(x)).square().sum(dim=1) + (bends - angles.to(x)).square().sum(dim=1))
    best = permutations[torch.stack(misfits, dim=1).argmin(dim=1)]  # (B, N)
    return x.gather(1, best[..., None].expand(-1, -1, 3))


# %% [markdown]
# ## 10. Figures
#
# Given: it trains your network on hydrogen peroxide for about ten seconds, then draws a molecule on its way to noise,
# another one on its way back, the loss, and distances and torsions of target, generated and transported molecules. Do
# you see both wells of the torsion, left-handed and right-handed molecules? What has transport changed?


# %%
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

    def show(axis: Any, molecule: Tensor, title: str) -> None:
        x, y = molecule[:, 0].tolist(), molecule[:, 1].tolist()
        axis.plot(x, y, color="0.6", lw=2, zorder=1)
        axis.scatter(x, y, s=[60, 160, 160, 60], c=["#dddddd", "#d55e00", "#d55e00", "#dddddd"], ec="0.2", zorder=2)
        axis.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
        axis.set_title(title, fontsize=8)
        axis.set_axis_off()

    generator = torch.Generator().manual_seed(0)
    T = 20
    alpha_bars, molecules = cosine_alpha_bars(T), boltzmann_molecules(4000, generator)

    # 1. A molecule on its way to noise.
    times = [0, 2, 4, 7, 10, 13, 16, 19]
    noise = torch.randn(1, 4, 3, generator=generator)
    figure, axes = plt.subplots(2, 8, figsize=(12, 3.2))
    for axis, t in zip(axes[0], times, strict=True):
        show(axis, q_sample(molecules[:1, :, [2, 0, 1]], alpha_bars, torch.tensor([t]), noise)[0], f"t = {t}")

    # 2. And another one on its way back.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = EGNN(n_types=2, n_times=T, hidden=32, n_layers=2)
    history = train_diffusion(model, molecules, PEROXIDE_TYPES, alpha_bars, 800, generator=generator)
    x, frames = centre(torch.randn(1, 4, 3, generator=generator)), {}
    with torch.no_grad():
        for t in range(T - 1, -1, -1):
            frames[t] = x[0]
            x = reverse_step(model, x, PEROXIDE_TYPES, alpha_bars, t, torch.randn(1, 4, 3, generator=generator))
    for axis, t in zip(axes[1], [19, 16, 13, 10, 7, 4, 2], strict=False):
        show(axis, frames[t], title=f"back: t = {t}")
    x = best_order(x, PEROXIDE_BONDS, PEROXIDE_ANGLES, PEROXIDE_ORDERS)
    show(axes[1, -1], x[0], title="made")
    save(figure, "trajectories")

    figure, axis = plt.subplots(figsize=(5, 2.8))
    axis.plot(history["loss"], lw=0.7)
    axis.set(xlabel="step", ylabel="loss", yscale="log")
    save(figure, "loss")

    # 3. What the network makes, and what transport makes of it.
    generated = sample(model, PEROXIDE_TYPES, alpha_bars, 200, generator=generator)
    pulled, _plan = transport_pull(generated, molecules[:200], 0.002, permutations=PEROXIDE_ORDERS)
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3), layout="constrained")
    labels = "target", "sampled", "transported"
    for name, cloud in zip(labels, (molecules, generated, pulled), strict=True):
        ordered = best_order(cloud, PEROXIDE_BONDS, PEROXIDE_ANGLES, PEROXIDE_ORDERS)
        share = validity(ordered, PEROXIDE_BONDS, PEROXIDE_ANGLES).double().mean()
        bonds, _angles, torsions = internal_coordinates(ordered)
        label = f"{name}: {100 * float(share):.0f} % valid"
        for axis, values, low, high in (
            (left, bonds[:, [0, 2]].flatten(), 0.7, 1.3),
            (middle, bonds[:, 1], 1.1, 1.9),
            (right, torsions[:, 0], -math.pi, math.pi),
        ):
            axis.hist(values.numpy(), bins=36, range=(low, high), density=True, histtype="step", label=label)
    left.set(xlabel="O-H distance in Å", ylabel="density")
    middle.set(xlabel="O-O distance in Å")
    right.set(xlabel="torsion in radians")
    right.legend(fontsize=7)
    save(figure, "molecules")
    return files


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 11. Quiz
#
# The numbers below are yours alone. Replace each `None` by your answer.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "n_atoms": 26,
    "atoms": [[1, 2, -1], [-1, 1, -2], [0, -1, -1], [-1, 1, 1]],
    "share": 0.75,
    "costs": [[0.35, 0.37, 0.08], [0.29, 0.43, 0.28], [0.06, 0.28, 0.44]],
}
QUIZ = {
    "dimension": ("A molecule has 26 atoms. In how many dimensions does its centred noise live? Answer: an integer."),
    "torsion": (
        "Four atoms of a chain, in this order, are at [[1, 2, -1], [-1, 1, -2], [0, -1, -1], [-1, 1, 1]]. "
        "What is their torsion, in radians between -π and π, with the sign of section 2? Answer: a number, to"
        " 0.001."
    ),
    "handed": (
        "Of your training molecules a share of 0.75 is right-handed, the others are their mirror images. You "
        "train an EGNN as in section 4 and sample as in section 7. Which share of a great many generated "
        "molecules is right-handed? Answer: a number, to 0.001."
    ),
    "reason": (
        "And why? Answer: one of the strings 'mirror' (network and noise are symmetric under reflections), "
        "'data' (the network learns the share of its data), 'centre' (all molecules are centred), 'order' "
        "(equal atoms cannot be told apart)."
    ),
    "transport": (
        "Three molecules x are sent onto three molecules y, all of weight 1/3. The squared rmsd in Å² are "
        "[[0.35, 0.37, 0.08], [0.29, 0.43, 0.28], [0.06, 0.28, 0.44]], one row for each x. What is the least "
        "transport cost, without entropy? Answer: a number, to 0.001."
    ),
}
### END PERSONAL
ANSWERS = {"dimension": None, "torsion": None, "handed": None, "reason": None, "transport": None}
### BEGIN SOLUTION
_chain = torch.tensor(PERSONAL["atoms"], dtype=torch.float64)[None]  # (1, 4, 3)
_costs = PERSONAL["costs"]
_orders = [(i, j, 3 - i - j) for i in range(3) for j in range(3) if i != j]
ANSWERS = {
    "dimension": 3 * (PERSONAL["n_atoms"] - 1),
    "torsion": float(internal_coordinates(_chain)[2]),
    "handed": 0.5,
    "reason": "mirror",
    "transport": min(sum(_costs[i][j] for i, j in enumerate(order)) / 3 for order in _orders),
}
### END SOLUTION
