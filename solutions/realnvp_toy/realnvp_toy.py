# %% [markdown]
# # RealNVP on a toy data set: a density you can write down
#
# A variational auto-encoder bounds the likelihood of the data, a GAN does without it. A **normalising
# flow** computes it exactly. In this exercise you write the flow RealNVP for points in the plane, train
# it by maximum likelihood on two interleaved half circles ("two moons") and draw both its samples and its
# density.
#
# Sources: course slides, module 5 (change of variables, affine coupling, RealNVP); Dinh, Sohl-Dickstein
# and Bengio, *Density estimation using Real NVP*, ICLR 2017 (arXiv 1605.08803); Dinh, Krueger and Bengio,
# *NICE: Non-linear independent components estimation*, 2014 (arXiv 1410.8516); Papamakarios et al.,
# *Normalizing flows for probabilistic modeling and inference*, JMLR 2021 (arXiv 1912.02762).
#
# Write every function whose body is missing. Names and signatures are fixed: the checks call them.

# %% [markdown]
# ## 1. Change of variables
#
# Let $f$ be an invertible, differentiable map from data $x \in \mathbb{R}^d$ to latents $z = f(x)$, and let the
# latents follow the prior $\mathcal{N}(0, I)$ with density $p_Z$. (The slides' $f$ goes the other way, from latent
# to data: it is our $f^{-1}$, hence their minus sign before the log-determinant. The sign here is the one that is
# graded.) A small volume around $x$ is stretched by $|\det J_f(x)|$ with $J_f(x) = \partial f / \partial x$, and
# probability is conserved, so
#
# $$\log p_X(x) = \log p_Z(f(x)) + \log |\det J_f(x)|, \qquad
# \log p_Z(z) = -\tfrac{1}{2} \sum_{i=1}^{d} z_i^2 - \tfrac{d}{2} \log 2\pi.$$
#
# For a composition $f = f_L \circ \dots \circ f_1$ the determinants multiply, so their logarithms
# **add**, each taken at the input of its own layer. The inverse $x = f_1^{-1}(\dots f_L^{-1}(z))$ runs
# the layers **backwards**; since $J_{f^{-1}}(z) = J_f(x)^{-1}$, its log-determinant is minus that of $f$
# at $x = f^{-1}(z)$.
#
# In general a determinant costs $O(d^3)$. Flows are built from layers for which it is cheap.

# %% [markdown]
# ## 2. Affine coupling
#
# A binary mask splits the coordinates in two groups. One group, $x_a$, passes unchanged; the other,
# $x_b$, is scaled and shifted by functions of the first:
#
# $$z_a = x_a, \qquad z_b = \sigma(x_a) \odot x_b + t(x_a).$$
#
# The networks $\sigma$ and $t$ need not be invertible: given $z$, $x_a = z_a$ is known, hence so are
# $\sigma(x_a)$ and $t(x_a)$, and $x_b = (z_b - t(x_a)) / \sigma(x_a)$. The Jacobian is triangular,
#
# $$J = \begin{pmatrix} I & 0 \\ \partial z_b / \partial x_a & \mathrm{diag}(\sigma(x_a)) \end{pmatrix},
# \qquad
# \log|\det J| = \sum_{i \in b} \log |\sigma_i(x_a)|,$$
#
# where the sum runs over the **moved** coordinates only. To keep $\sigma$ away from 0 the paper takes
# $\sigma = \exp(s)$ with a bounded $s$. The slides write $y = s(x) \odot x + t(x)$: read $s$ and $t$ there as
# functions of the unchanged half, for with the whole $x$ this is no coupling layer, and cannot be inverted in
# general. Others write it as $z_b = (x_b - t) / \sigma$; any of these is accepted here (the checks test round trips
# and Jacobians, not one formula), as long as $\sigma$ and $t$ depend on the unchanged coordinates and the
# log-determinant has its sign.
#
# One coupling layer leaves half of the coordinates alone, so a RealNVP alternates the roles of the two
# groups from layer to layer.

# %% [markdown]
# ## 3. What to write, and how it is judged
#
# | name | what it is |
# |---|---|
# | `AffineCoupling(dim, mask, hidden)` | one layer: `forward`, `inverse`, both with the log-determinant |
# | `RealNVP(dim, n_layers, hidden)` | the stack: `forward`, `inverse`, `log_prob`, `sample` |
# | `nll(model, x)` | mean negative log-likelihood, in nats per sample |
# | `train_flow(model, x, steps, ...)` | maximum likelihood on random mini-batches |
# | `density_grid(model, low, high, n)` | the model's density on a square grid, for the figure |
#
# `forward` always goes from data to latent, `inverse` from latent to data. Most points are given by exact checks in
# float64 (`model.double()`) with freshly perturbed weights: round trips, log-determinants against the Jacobian
# found by automatic differentiation, in both directions, the density against its definition and its integral. They
# look at the plane; two checks of their own try three and five dimensions. A map is only judged
# where its volume changes from point to point and with the weights: the identity, a shift or a fixed map earns
# nothing. `nll`, `density_grid` and `train_flow` are also given a flow of ours. Samples are judged statistically, and
# a short training must bring the held-out *negative* log-likelihood close to the entropy of the data and not *below*
# it: on average no model beats the entropy, so a score that clearly does betrays a wrong log-determinant. Wrong
# arguments raise `ValueError` with a message that names the argument and what was got: a mask or a last dimension
# that does not fit, `n`, `steps` or `batch_size` below 1. No function changes the tensors that it is given.
#
# Batch normalisation between the layers is allowed, with its own log-determinant, which `forward` and `inverse`
# include. Every model is judged after `model.eval()`: from then on it uses running statistics, so that each point
# is transformed by itself, whatever else is in its batch.
#
# The short training takes {judged:training.SIZE} points of two moons with noise 0.1, turned, moved and made larger or
# smaller for each student, and `{judged:training.QUICK}`; a flow that is not close by then gets
# `{judged:training.SLOW}` on top, and is judged by its held-out likelihood, by its samples and by its latents. Use
# Adam: the limits were measured with it.
#
# Points ({points}): couplings ({points:coupling_*}), flow ({points:flow_*,every_coordinate,row_by_row}), density, its
# grid and samples ({points:density}), training ({points:training}), conventions and refusals ({points:conventions}),
# quiz ({points:quiz}).

# %%
from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn


def check_last_dimension(x: Tensor, dim: int, name: str = "x") -> None:
    """Raises ValueError unless `x` has the shape (B, dim). (Given.)"""
    if x.dim() != 2 or x.shape[-1] != dim:
        raise ValueError(f"{name} must have the shape (B, {dim}), got {tuple(x.shape)}")


def two_moons(n: int, noise: float = 0.1, generator: torch.Generator | None = None) -> Tensor:
    """Draws `n` points (n, 2) from two interleaved half circles of radius 1 with Gaussian noise. (Given.)

    Both moons have the same weight and the angle is uniform in [0, π]. At noise 0.1 the entropy of this law
    is about 1.009 nats.
    """
    angle = math.pi * torch.rand(n, generator=generator)  # (n,)
    lower = torch.rand(n, generator=generator) < 0.5  # (n,)
    upper_moon = torch.stack([angle.cos(), angle.sin()], dim=1)  # (n, 2)
    lower_moon = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], dim=1)  # (n, 2)
    points = torch.where(lower[:, None], lower_moon, upper_moon)
    return points + noise * torch.randn(n, 2, generator=generator)


# %% [markdown]
# ## 4. One coupling layer
#
# Store the mask as a buffer (`self.register_buffer`), so that it follows the module to another dtype or
# device without being trained. Mask the log-scale before you sum it: the coordinates that pass unchanged
# have $\sigma = 1$.


# %%
class AffineCoupling(nn.Module):
    """An affine coupling layer (Dinh et al. 2017, section 3.2).

    z = x where the coordinate passes unchanged, z = σ x + t where it is moved; σ and t are functions of the
    unchanged coordinates alone. Any invertible scale is fine, and so is z = (x - t) / σ.

    Args:
        dim: number of coordinates d.
        mask: float tensor (dim,) of zeros and ones. One value marks the coordinates that pass unchanged, the
            other those that are moved; which is which is your choice.
        hidden: width of the hidden layers of the network that computes σ and t.

    Raises:
        ValueError: if `mask` does not have the shape (dim,), or an input the shape (B, dim).
    """

    def __init__(self, dim: int, mask: Tensor, hidden: int = 64) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        if tuple(mask.shape) != (dim,):
            raise ValueError(f"mask must have the shape ({dim},), got {tuple(mask.shape)}")
        self.dim = dim
        self.register_buffer("mask", mask.clone())  # (d,), 1 where a coordinate passes unchanged
        self.register_buffer("moved", 1 - mask)  # (d,)
        self.network = nn.Sequential(
            nn.Linear(dim, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 2 * dim),
        )
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Goes from data to latent.

        Args:
            x: (B, dim).

        Returns:
            z (B, dim), and log|det ∂z/∂x| = Σ log|σ| over the moved coordinates, (B,).

        Raises:
            ValueError: if the last dimension of `x` is not `dim`.
        """
        ### BEGIN SOLUTION
        check_last_dimension(x, self.dim)
        s, t = self.network(self.mask * x).chunk(2, dim=-1)  # (B, d) each
        s, t = self.moved * s.tanh(), self.moved * t  # σ = exp(s) stays between 1/e and e
        return x * s.exp() + t, s.sum(dim=-1)  # where nothing moves: exp(0) x + 0
        ### END SOLUTION

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Goes from latent to data: the exact inverse of `forward`.

        Args:
            z: (B, dim).

        Returns:
            x (B, dim), and log|det ∂x/∂z| (B,): minus the log-determinant of `forward` at x.

        Raises:
            ValueError: if the last dimension of `z` is not `dim`.
        """
        ### BEGIN SOLUTION
        check_last_dimension(z, self.dim, "z")
        s, t = self.network(self.mask * z).chunk(2, dim=-1)  # the unchanged coordinates are those of x
        s, t = self.moved * s.tanh(), self.moved * t
        return (z - t) * (-s).exp(), -s.sum(dim=-1)
        ### END SOLUTION


# %% [markdown]
# ## 5. The flow
#
# `RealNVP` stacks `n_layers` coupling layers (at least 2) whose masks alternate, so that every coordinate
# is transformed. Its `forward` adds up the log-determinants, its `inverse` undoes the last layer first.
# The density is the change of variables, and a sample is the inverse of a draw of the prior: $z \sim
# \mathcal{N}(0, I)$, $x = f^{-1}(z)$.


# %%
class RealNVP(nn.Module):
    """A normalising flow of affine coupling layers with alternating masks (Dinh et al. 2017).

    Args:
        dim: number of coordinates d.
        n_layers: number of coupling layers, at least 2 for every coordinate to be transformed.
        hidden: width of the hidden layers of each coupling layer.
    """

    def __init__(self, dim: int = 2, n_layers: int = 6, hidden: int = 64) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.dim = dim
        even = (torch.arange(dim) % 2 == 0).float()  # (d,): 1, 0, 1, ...
        self.layers = nn.ModuleList(
            AffineCoupling(dim, even if i % 2 == 0 else 1 - even, hidden) for i in range(n_layers)
        )
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Goes from data to latent through all layers.

        Args:
            x: (B, dim).

        Returns:
            z (B, dim), and log|det ∂z/∂x| (B,), the sum over the layers.

        Raises:
            ValueError: if the last dimension of `x` is not `dim`.
        """
        ### BEGIN SOLUTION
        check_last_dimension(x, self.dim)
        log_det = x.new_zeros(len(x))  # (B,)
        for layer in self.layers:
            x, layer_log_det = layer(x)
            log_det = log_det + layer_log_det
        return x, log_det
        ### END SOLUTION

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Goes from latent to data: the exact inverse of `forward`.

        Args:
            z: (B, dim).

        Returns:
            x (B, dim), and log|det ∂x/∂z| (B,).

        Raises:
            ValueError: if the last dimension of `z` is not `dim`.
        """
        ### BEGIN SOLUTION
        check_last_dimension(z, self.dim, "z")
        log_det = z.new_zeros(len(z))  # (B,)
        for layer in reversed(self.layers):
            z, layer_log_det = layer.inverse(z)
            log_det = log_det + layer_log_det
        return z, log_det
        ### END SOLUTION

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density of the model, log N(f(x); 0, I) + log|det ∂f/∂x|, in nats.

        Args:
            x: (B, dim).

        Returns:
            (B,).

        Raises:
            ValueError: if the last dimension of `x` is not `dim`.
        """
        ### BEGIN SOLUTION
        z, log_det = self(x)
        log_prior = -0.5 * (z**2).sum(dim=-1) - 0.5 * self.dim * math.log(2 * math.pi)  # (B,)
        return log_prior + log_det
        ### END SOLUTION

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draws `n` independent points of the model: z ~ N(0, I), x = f⁻¹(z).

        Args:
            n: number of points, at least 1.
            generator: source of randomness; None is torch's global one.

        Returns:
            (n, dim), in the dtype and on the device of the parameters.

        Raises:
            ValueError: if `n` is below 1.
        """
        ### BEGIN SOLUTION
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        parameter = next(self.parameters())
        device = parameter.device if generator is None else generator.device  # draw where the generator lives
        with torch.no_grad():
            z = torch.randn(n, self.dim, generator=generator, dtype=parameter.dtype, device=device)
            z = z.to(parameter.device)
            return self.inverse(z)[0]
        ### END SOLUTION


# %% [markdown]
# ## 6. Maximum likelihood
#
# Training minimises the mean negative log-likelihood over mini-batches,
#
# $$\mathrm{NLL} = -\frac{1}{B} \sum_{b=1}^{B} \log p_X(x_b),$$
#
# in nats per sample. Its expectation is the entropy of the data plus the divergence
# $\mathrm{KL}(p_{\mathrm{data}} \,\|\, p_X) \ge 0$: for two moons with noise 0.1 it cannot fall below
# 1.009 on average (on a few points it can, by chance); the best Gaussian gets 1.908.


# %%
def nll(model: RealNVP, x: Tensor) -> Tensor:
    """Mean negative log-likelihood of `x` (B, dim).

    Returns a scalar tensor, in nats per sample, differentiable in the weights of `model`. Raises ValueError
    if the last dimension of `x` is not the model's.
    """
    ### BEGIN SOLUTION
    return -model.log_prob(x).mean()
    ### END SOLUTION


def train_flow(
    model: RealNVP,
    x: Tensor,
    steps: int,
    batch_size: int = 256,
    lr: float = 1e-3,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Trains `model` in place by maximum likelihood, one update of its weights per step.

    Args:
        model: a `RealNVP`.
        x: data (N, dim), as it is (nothing is standardised).
        steps: number of updates, at least 1.
        batch_size: rows of `x` drawn at random for each update, at least 1.
        lr: learning rate (the reference uses Adam).
        generator: source of randomness of the mini-batches; None is torch's global one.
        progress: show a progress bar.

    Returns:
        {"nll": [...]}, one float per step: the NLL of the step's mini-batch before the update.

    Raises:
        ValueError: if `steps` or `batch_size` is below 1, or the last dimension of `x` is not the model's.
    """
    ### BEGIN SOLUTION
    for name, count in (("steps", steps), ("batch_size", batch_size)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    check_last_dimension(x, model.dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    device = x.device if generator is None else generator.device
    history: dict[str, list[float]] = {"nll": []}
    iterations = range(steps)
    if progress:
        from rich.progress import track

        iterations = track(iterations, description="training the flow")
    for _ in iterations:
        rows = torch.randint(len(x), (batch_size,), generator=generator, device=device).to(x.device)
        loss = nll(model, x[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history["nll"].append(loss.item())
    return history
    ### END SOLUTION


# %% [markdown]
# ## 7. The density on a grid
#
# A flow gives the value of its density at any point: evaluate it on $n \times n$ points and draw it.


# %%
def density_grid(model: RealNVP, low: float, high: float, n: int) -> tuple[Tensor, Tensor]:
    """The model's density p(x) on a regular grid of the square [low, high]², for a flow of dimension 2.

    Args:
        model: a `RealNVP` with dim = 2.
        low, high: ends of the grid, the same for both coordinates.
        n: points per side, at least 1: nodes from `low` to `high`, or centres of n × n cells.

    Returns:
        points (n², 2), and the density (not its logarithm) at each of them, (n²,), in the same order.

    Raises:
        ValueError: if `n` is below 1.
    """
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    parameter = next(model.parameters())
    side = torch.linspace(low, high, n, dtype=parameter.dtype, device=parameter.device)  # (n,)
    points = torch.cartesian_prod(side, side)  # (n², 2)
    with torch.no_grad():
        return points, model.log_prob(points).exp()
    ### END SOLUTION


# %% [markdown]
# ## 8. Figures (given)
#
# `make_figures` trains a flow on two moons and draws the training curve, the samples beside the data, the
# density, and the data seen from the latent space, which should look like a standard normal cloud. It
# takes some seconds.


# %%
def make_figures(folder: str | Path, steps: int = 600) -> list[Path]:
    """Trains a flow on two moons and saves its figures in `folder`; returns their paths."""
    import matplotlib.pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    x = two_moons(4000, generator=generator)
    flow = RealNVP()
    history = train_flow(flow, x, steps=steps, lr=3e-3, generator=generator)
    with torch.no_grad():
        z, _ = flow(x)
    samples = flow.sample(2000, generator=generator)
    points, density = density_grid(flow, -2.5, 3.5, 150)

    curve, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
    axis.plot(history["nll"], color="tab:blue", linewidth=0.8, label="mini-batch")
    axis.axhline(1.009, color="black", linestyle="--", linewidth=1, label="entropy of the data")
    axis.set(xlabel="step", ylabel="negative log-likelihood [nats]", title="Training")
    axis.legend()

    panels, axes = plt.subplots(2, 2, figsize=(9, 8), layout="constrained")
    axes[0, 0].scatter(*x[:2000].T.cpu(), s=3, color="tab:gray")
    axes[0, 0].set_title("data")
    axes[0, 1].scatter(*samples.detach().T.cpu(), s=3, color="tab:blue")
    axes[0, 1].set_title("samples of the flow")
    first, second = points.detach().T.cpu()
    image = axes[1, 0].scatter(first, second, c=density.detach().cpu(), s=9, marker="s", linewidths=0, cmap="magma")
    axes[1, 0].set_title("density of the flow")
    panels.colorbar(image, ax=axes[1, 0])
    axes[1, 1].scatter(*z[:2000].T.cpu(), s=3, color="tab:orange")
    axes[1, 1].set_title("data in the latent space")
    for axis in axes.flat[:3]:
        axis.set(xlim=(-2.5, 3.5), ylim=(-2.5, 3.5), aspect="equal")
    axes[1, 1].set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal")

    paths = [folder / "realnvp_training.png", folder / "realnvp_two_moons.png"]
    for figure, path in zip((curve, panels), paths, strict=True):
        figure.savefig(path, dpi=110)
        plt.close(figure)
    return paths


# %% [markdown]
# ## 9. Questions
#
# Fill in `ANSWERS` with the keys of `QUIZ`. Numbers may be computed here.

# %%
### BEGIN PERSONAL
PERSONAL = {"x1": 0.46, "x2": -1.05, "s": -0.62, "t": -0.82}
QUIZ = {
    "log_density": (
        "A flow has one coupling layer, z1 = x1 and z2 = exp(s) x2 + t, and the prior N(0, I). At x = "
        "(0.46, -1.05) its network gives s = -0.62 and t = -0.82. What is log p(x), in nats? (number, to"
        " 0.001)"
    ),
    "determinant": (
        "Why does the log-determinant of a coupling layer cost only O(d), however large its networks "
        "are? (a) the networks for the scale and the shift are invertible; (b) the Jacobian is "
        "triangular, since the scale and the shift depend on the unchanged coordinates alone; (c) the "
        "Jacobian is orthogonal; (d) the mask makes the Jacobian the identity. (choice: one letter)"
    ),
    "below_entropy": (
        "A friend's flow reaches a held-out NLL of 0.4 nats on the two moons of this exercise, whose "
        "entropy is 1.009 nats. What do you conclude? (a) the flow is better than the true density; (b) "
        "it has memorised the training points; (c) its log-density is computed wrongly, for instance the"
        " log-determinant; (d) it was trained for too few steps. (choice: one letter)"
    ),
}
### END PERSONAL
ANSWERS = {"log_density": None, "determinant": None, "below_entropy": None}
### BEGIN SOLUTION
_p = PERSONAL
_z2 = math.exp(_p["s"]) * _p["x2"] + _p["t"]  # x1 passes unchanged
ANSWERS = {
    "log_density": -0.5 * (_p["x1"] ** 2 + _z2**2) - math.log(2 * math.pi) + _p["s"],
    "determinant": "b",
    "below_entropy": "c",
}
### END SOLUTION

# %% [markdown]
# ## 10. Run it
#
# Run the file as a script to draw the figures in the folder `figures`.

# %%
if __name__ == "__main__":
    for path in make_figures("figures"):
        print(path)
