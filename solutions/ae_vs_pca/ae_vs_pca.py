# %% [markdown]
# # Auto-encoders and principal component analysis
#
# An auto-encoder squeezes data through a narrow code and tries to rebuild it. If both halves are affine, the
# best it
# can do is known in closed form: principal component analysis (PCA). With hidden layers it can follow curved
# data,
# and its code becomes a small space in which images can be compared and mixed: the latent space that the
# later exercises sample from.
#
# **Sources.** Course slides on generative modelling, Markov chains and auto-encoders (S1). C. Eckart and G.
# Young, *The approximation of one matrix by another of lower rank* (1936). P. Baldi and K. Hornik, *Neural
# networks and
# principal component analysis: learning from examples without local minima* (1989). G. E. Hinton and R. R.
# Salakhutdinov, *Reducing the dimensionality of data with neural networks* (2006). Å. Björck and G. H. Golub,
# *Numerical methods for computing angles between linear subspaces* (1973).
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments.
# Rows are samples: data has the shape `(n, D)`. No function changes the tensors that it is given.
#
# **How it is judged** ({points} points). PCA ({points:pca_*,explained_*}), angles ({points:angles_*}),
# loss ({points:loss_*}) and interpolation ({points:interpolation}) are compared with independent computations on
# data drawn afresh, in float64. The networks ({points:networks}) are judged by what they do: which parts of them
# are linear, and whether every weight counts. Training ({points:training_*}) must see every sample once per epoch and
# move the weights as the data say. Two short trainings ({points:learned}) show how near the affine network comes to
# the optimum of Eckart and Young and whether the other one beats PCA on digits it has not seen, whose pixels stand in
# an order of your own. Then the conventions and refusals ({points:conventions}) and the quiz with your own numbers
# ({points:quiz}). Form (dtypes, refusals) counts only where a function's values are right.
#
# **The trainings that are judged.** Use Adam, or an optimiser that is as fast: the limits were measured with it, and
# plain gradient descent does not get there. The affine network is trained with `{judged:learned.LINEAR}` on 1,000
# centred points in 16 to 20 dimensions with a code of 3 to 5; its error must end within 5 % of PCA's. The other
# network is trained with `{judged:learned.DIGITS}` for as many epochs as make {judged:learned.SEEN} images seen, on
# digits of 8 × 8 pixels with a code of 5; its error on unseen digits must be at least 17 % below PCA's (9 % where
# MNIST is not there and the small digits of scikit-learn serve).

# %%
from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

# %% [markdown]
# ## 1. Principal component analysis
#
# Let $\mu$ be the mean of the rows of $X \in \mathbb{R}^{n \times D}$, and
# $C = \frac{1}{n} \sum_i (x_i - \mu)(x_i - \mu)^\top$ their covariance, with eigenvalues
# $\lambda_1 \ge \dots \ge \lambda_D \ge 0$ and orthonormal eigenvectors $v_1, \dots, v_D$. PCA keeps the $d$
# first as the rows of $V_d$ $(d, D)$:
#
# $$z = V_d (x - \mu), \qquad \hat x = V_d^\top z + \mu.$$
#
# Among all affine maps through $d$ numbers this one has the least squared error (Eckart and Young). Per entry
# it is
#
# $$\frac{1}{nD} \sum_i \lVert x_i - \hat x_i \rVert^2 = \frac{1}{D} \sum_{i > d} \lambda_i,$$
#
# and the share of the variance that component $i$ explains is $\lambda_i / \sum_{j=1}^{D} \lambda_j$.
#
# The singular value decomposition of the centred data, $X - \mu = U S V^\top$, gives the same without forming
# $C$: the rows of $V^\top$ are the components, and $\lambda_i = S_i^2 / n$.
#
# `pca_fit` is your own work: `torch.pca_lowrank` is refused in it.


# %%
def pca_fit(x: Tensor, d: int) -> tuple[Tensor, Tensor]:
    """Mean and first d principal components of the rows of x.

    Arguments:
        x: data, (n, D).
        d: number of components, 1 <= d <= min(n, D).

    Returns:
        mean: (D,), in the dtype of x.
        components: (d, D), orthonormal rows by decreasing variance (signs are free), in the dtype of x.

    Raises:
        ValueError: if d is below 1 or above min(n, D).

    Source: course slides (S1); Eckart and Young (1936).
    """
    ### BEGIN SOLUTION
    if not 1 <= d <= min(x.shape):
        raise ValueError(f"d must lie between 1 and min(n, D) = {min(x.shape)}, got {d}")
    mean = x.mean(dim=0)  # (D,)
    _, _, Vh = torch.linalg.svd(x - mean, full_matrices=False)  # (min(n, D), D), by decreasing singular value
    return mean, Vh[:d]
    ### END SOLUTION


def pca_encode(x: Tensor, mean: Tensor, components: Tensor) -> Tensor:
    """Codes of x: coordinates of x - mean along the components.

    Arguments:
        x: data, (n, D).
        mean: (D,).
        components: orthonormal rows, (d, D).

    Returns:
        Codes z, (n, d).

    Source: course slides (S1).
    """
    ### BEGIN SOLUTION
    return (x - mean) @ components.T  # (n, D) @ (D, d)
    ### END SOLUTION


def pca_decode(z: Tensor, mean: Tensor, components: Tensor) -> Tensor:
    """Points of the affine subspace that have the codes z.

    Arguments:
        z: codes, (n, d).
        mean: (D,).
        components: orthonormal rows, (d, D).

    Returns:
        Reconstructions, (n, D).

    Source: course slides (S1).
    """
    ### BEGIN SOLUTION
    return z @ components + mean  # (n, d) @ (d, D)
    ### END SOLUTION


def explained_variance_ratio(x: Tensor, d: int) -> Tensor:
    """Share of the total variance along each of the first d principal components.

    Arguments:
        x: data, (n, D).
        d: number of components, 1 <= d <= min(n, D).

    Returns:
        Shares by decreasing size, each over the total variance of all D directions, (d,); their sum is at
        most 1.

    Raises:
        ValueError: if d is below 1 or above min(n, D).

    Source: course slides (S1).
    """
    ### BEGIN SOLUTION
    if not 1 <= d <= min(x.shape):
        raise ValueError(f"d must lie between 1 and min(n, D) = {min(x.shape)}, got {d}")
    variances = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2  # (min(n, D),), up to the factor 1/n
    return variances[:d] / variances.sum()
    ### END SOLUTION


# %% [markdown]
# ## 2. Auto-encoders
#
# An auto-encoder is a pair of networks, $z = E(x)$ and $\hat x = D(z)$, trained together to minimise
#
# $$L = \frac{1}{nD} \sum_{i=1}^{n} \sum_{k=1}^{D} (\hat x_{ik} - x_{ik})^2.$$
#
# - **Affine.** $E$ and $D$ are affine. The loss has no local minima besides the global one (Baldi and Hornik,
#   1989): in practice training reaches the error of PCA, and if $\lambda_d > \lambda_{d+1}$ the rows that the decoder
#   spans are those that PCA finds. The code itself is free up to an invertible matrix, so that single components need
#   not be.
# - **With hidden layers.** The course's network is a multi-layer perceptron: 784 → 1024 → 256 → 128 → 256 → 1024 →
#   784, a ReLU after each hidden layer, none after the code and none after the output. A ReLU on the code would cut
#   off half of every axis. One on the output would leave a pixel that should be bright without any gradient as soon
#   as its unit is negative.
#
# With hidden layers the encoder maps the data into features of its own before it projects them: such an
# auto-encoder can be read as a kernel PCA whose kernel is learned.


# %%
class LinearAutoencoder(nn.Module):
    """Affine encoder and decoder, any parametrisation.

    Arguments:
        D: size of the data.
        d: size of the code.

    Source: course slides (S1); Baldi and Hornik (1989).
    """

    def __init__(self, D: int, d: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.encoder = nn.Linear(D, d)
        self.decoder = nn.Linear(d, D)
        ### END SOLUTION

    def encode(self, x: Tensor) -> Tensor:
        """Data (B, D) to codes (B, d)."""
        ### BEGIN SOLUTION
        return self.encoder(x)
        ### END SOLUTION

    def decode(self, z: Tensor) -> Tensor:
        """Codes (B, d) to reconstructions (B, D)."""
        ### BEGIN SOLUTION
        return self.decoder(z)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions of x, (B, D)."""
        ### BEGIN SOLUTION
        return self.decode(self.encode(x))
        ### END SOLUTION


class Autoencoder(nn.Module):
    """Multi-layer perceptron D -> hidden -> d -> hidden reversed -> D.

    A ReLU follows each hidden layer; the code and the output are linear. Every layer has weights and biases.

    Arguments:
        D: size of the data.
        hidden: sizes of the encoder's hidden layers, at least one; the decoder mirrors them.
        d: size of the code.

    Source: course slides (S1); Hinton and Salakhutdinov (2006).
    """

    def __init__(self, D: int = 784, hidden: Sequence[int] = (1024, 256), d: int = 128) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        sizes = [D, *hidden, d]
        self.encoder = self._layers(sizes)
        self.decoder = self._layers(sizes[::-1])

    @staticmethod
    def _layers(sizes: Sequence[int]) -> nn.Sequential:
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        return nn.Sequential(*layers[:-1])  # no ReLU after the last layer
        ### END SOLUTION

    def encode(self, x: Tensor) -> Tensor:
        """Data (B, D) to codes (B, d)."""
        ### BEGIN SOLUTION
        return self.encoder(x)
        ### END SOLUTION

    def decode(self, z: Tensor) -> Tensor:
        """Codes (B, d) to reconstructions (B, D)."""
        ### BEGIN SOLUTION
        return self.decoder(z)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions of x, (B, D)."""
        ### BEGIN SOLUTION
        return self.decode(self.encode(x))
        ### END SOLUTION


# %% [markdown]
# ## 3. Training
#
# One epoch visits every sample once, in mini-batches in random order. `len(x)` need not be a multiple of the
# batch
# size: the last batch of an epoch is then smaller, and is used all the same. The history keeps one number per
# epoch, the mean training loss of its batches.


# %%
def progress_bar(steps: Iterable[int], show: bool) -> Iterable[int]:
    """The same steps, with a progress bar on the terminal where `show` is true. Given."""
    if not show:
        return steps
    from rich.progress import track

    return track(steps, description="training")


def reconstruction_loss(x: Tensor, x_hat: Tensor) -> Tensor:
    """Mean squared error over all entries.

    Arguments:
        x: data, (B, D).
        x_hat: reconstructions, (B, D).

    Returns:
        A scalar, shape (), differentiable with respect to x_hat.

    Raises:
        ValueError: if the shapes differ (broadcasting would give a number without meaning).

    Source: course slides (S1).
    """
    ### BEGIN SOLUTION
    if x.shape != x_hat.shape:
        raise ValueError(f"x and x_hat must have one shape, got {tuple(x.shape)} and {tuple(x_hat.shape)}")
    return ((x_hat - x) ** 2).mean()
    ### END SOLUTION


def train_autoencoder(
    model: nn.Module,
    x: Tensor,
    epochs: int,
    batch_size: int = 128,
    lr: float = 1e-3,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train a model to reconstruct x, in place.

    Arguments:
        model: `LinearAutoencoder`, `Autoencoder` or any module with `encode`, `decode` and `forward`.
        x: training data, (n, D).
        epochs: passes over the data, at least 1.
        batch_size: samples per update, at least 1; the last batch of an epoch may be smaller.
        lr: learning rate (the course uses Adam).
        generator: source of the order of the samples; torch's global one where it is None.
        progress: show a progress bar.

    Returns:
        {"loss": [mean training loss of each epoch]}

    Raises:
        ValueError: if epochs or batch_size is below 1.

    Source: course slides (S1).
    """
    ### BEGIN SOLUTION
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history: dict[str, list[float]] = {"loss": []}
    device = x.device if generator is None else generator.device  # a generator draws where it lives
    for _ in progress_bar(range(epochs), progress):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator, device=device).to(x.device).split(batch_size):
            batch = x[rows]  # (batch_size, D), the last one smaller
            loss = reconstruction_loss(batch, model(batch))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        history["loss"].append(total / len(x))
    return history
    ### END SOLUTION


# %% [markdown]
# ## 4. Comparing subspaces
#
# Has the affine auto-encoder found the subspace of PCA? Its rows are another basis, so one compares the
# spaces themselves, by their principal angles. With orthonormal bases $Q_A$ and $Q_B$ (as columns) of the two
# row spaces, the cosines of the angles are the singular values of $Q_A^\top Q_B$:
#
# $$\cos \theta_i = \sigma_i(Q_A^\top Q_B), \qquad i = 1, \dots, \min(d_A, d_B).$$
#
# All angles are 0 if one space contains the other. Rounding can bring a cosine above 1.


# %%
def principal_angles(A: Tensor, B: Tensor) -> Tensor:
    """Principal angles between the row spaces of A and B.

    Arguments:
        A, B: independent rows, not necessarily orthonormal, (d_A, D) and (d_B, D).

    Returns:
        Angles in radians, from 0 to pi/2, in any order, (min(d_A, d_B),).

    Raises:
        ValueError: if the rows of A and B have different lengths.

    Source: Björck and Golub (1973).
    """
    ### BEGIN SOLUTION
    if A.shape[1] != B.shape[1]:
        raise ValueError(f"A and B must have rows of one length, got {A.shape[1]} and {B.shape[1]}")
    Q_A, _ = torch.linalg.qr(A.T)  # (D, d_A), orthonormal columns
    Q_B, _ = torch.linalg.qr(B.T)  # (D, d_B)
    return torch.linalg.svdvals(Q_A.T @ Q_B).clamp(max=1).acos()
    ### END SOLUTION


# %% [markdown]
# ## 5. Interpolation in latent space
#
# The mean of two images shows both, half transparent. The decoded mean of two *codes* can be an image between
# the two:
#
# $$x(\alpha) = D(\alpha z_1 + (1 - \alpha) z_2), \qquad z_1 = E(x_1), \quad z_2 = E(x_2).$$
#
# At $\alpha = 1$ it is the reconstruction of $x_1$, at $\alpha = 0$ that of $x_2$.


# %%
def interpolate(model: nn.Module, x1: Tensor, x2: Tensor, alphas: Sequence[float] | Tensor) -> Tensor:
    """Decode the points of the segment between two codes.

    Arguments:
        model: a module with `encode` and `decode`.
        x1, x2: two samples, each (D,) or (1, D).
        alphas: weights of the code of x1, a list or a 1-D tensor.

    Returns:
        D(alpha z1 + (1 - alpha) z2) for each alpha, (len(alphas), D).

    Source: course slides (S1), latent space.
    """
    ### BEGIN SOLUTION
    z1, z2 = model.encode(x1.reshape(1, -1)), model.encode(x2.reshape(1, -1))  # (1, d)
    weights = torch.as_tensor(alphas, dtype=z1.dtype, device=z1.device)[:, None]  # (len(alphas), 1)
    return model.decode(weights * z1 + (1 - weights) * z2)
    ### END SOLUTION


# %% [markdown]
# ## 6. Figures
#
# Given. The data are small images of a bright spot that can stand anywhere in a square: 144 pixels, but two degrees
# of freedom. The first figure compares reconstructions through two numbers, the second the mean of two images with
# the decoded mean of their codes.


# %%
def spots(centres: Tensor, side: int = 12) -> Tensor:
    """Images of a spot at the given places of [-1, 1]², (n, 2) to (n, side * side). Given."""
    grid = torch.linspace(-1, 1, side)
    columns = torch.exp(-((grid - centres[:, :1]) ** 2) / 0.08)  # (n, side)
    rows = torch.exp(-((grid - centres[:, 1:]) ** 2) / 0.08)  # (n, side)
    return (rows[:, :, None] * columns[:, None, :]).flatten(1)


def make_figures(folder: str | Path) -> list[Path]:
    """Draw reconstructions and an interpolation of toy images. Returns the files written."""
    import matplotlib.pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    x = spots(1.4 * torch.rand(1500, 2, generator=generator) - 0.7)  # (1500, 144)
    mean, components = pca_fit(x, 2)
    with torch.random.fork_rng():  # the networks' first weights come from the global generator
        torch.manual_seed(0)
        linear, model = LinearAutoencoder(144, 2), Autoencoder(144, (64, 32), 2)
    train_autoencoder(linear, x - mean, epochs=100, batch_size=100, lr=1e-2, generator=generator)
    history = train_autoencoder(model, x, epochs=100, batch_size=50, lr=2e-3, generator=generator)

    def show(rows: dict[str, Tensor], title: str, name: str, curve: Sequence[float] | None = None) -> Path:
        n = len(next(iter(rows.values())))
        figure, axes = plt.subplots(
            len(rows), n, figsize=(1.1 * n + 1.6, 1.25 * len(rows) + 0.5), layout="constrained", squeeze=False
        )
        for line, (label, images) in zip(axes, rows.items(), strict=True):
            line[0].set_ylabel(label, rotation=0, ha="right", va="center")
            for axis, image in zip(line, images, strict=True):
                axis.imshow(image.detach().reshape(12, 12).numpy(), cmap="gray", vmin=0, vmax=1)
                axis.set(xticks=[], yticks=[])
        figure.suptitle(title)
        figure.savefig(folder / name, dpi=120)
        return folder / name

    test = spots(1.4 * torch.rand(8, 2, generator=generator) - 0.7)
    errors = [reconstruction_loss(x, pca_decode(pca_encode(x, mean, components), mean, components)).item()]
    errors += [reconstruction_loss(x, linear(x - mean) + mean).item(), reconstruction_loss(x, model(x)).item()]
    labels = ["data", f"PCA\n{errors[0]:.4f}", f"affine\n{errors[1]:.4f}", f"MLP\n{errors[2]:.4f}"]
    images = [test, pca_decode(pca_encode(test, mean, components), mean, components)]
    images += [linear(test - mean) + mean, model(test)]
    title = "Through two numbers, with the mean squared error"
    files = [show(dict(zip(labels, images, strict=True)), title, "reconstructions.png")]
    alphas = torch.linspace(1, 0, 7)
    x1, x2 = spots(torch.tensor([[-0.6, -0.4]])), spots(torch.tensor([[0.6, 0.3]]))
    labels = ["pixels", "codes"]
    images = [alphas[:, None] * x1 + (1 - alphas[:, None]) * x2, interpolate(model, x1, x2, alphas)]
    title = "Between two images"
    files.append(show(dict(zip(labels, images, strict=True)), title, "interpolation.png"))

    figure, axis = plt.subplots(figsize=(5.5, 3.4), layout="constrained")
    axis.semilogy(range(1, len(history["loss"]) + 1), history["loss"], label="MLP, d = 2")
    axis.axhline(errors[0], color="tab:orange", linestyle="--", label="PCA, d = 2")
    axis.set(xlabel="epoch", ylabel="mean squared error", title="Training loss")
    axis.legend()
    figure.savefig(folder / "training_loss.png", dpi=120)
    return [*files, folder / "training_loss.png"]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 7. Quiz
#
# The questions below carry your own numbers. Put the answers into `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "variances": [7.2, 6.0, 5.3, 4.3, 2.8, 2.0, 1.3],
    "kept": 3,
    "share": 0.9,
    "D": 232,
    "hidden": [80, 22],
    "d": 8,
}
QUIZ = {
    "advantage": "What is the main advantage of an auto-encoder with hidden layers over PCA with a code of "
    "the same size? Answer: one of the strings 'speed' (it is found faster), 'capacity' (it can "
    "follow curved data), 'orthogonality' (its codes are uncorrelated), 'uniqueness' (its "
    "solution is unique).",
    "optimum": "The covariance (1/n) of centred data has the eigenvalues 7.2, 6.0, 5.3, 4.3, 2.8, 2.0, 1.3. "
    "What is the smallest mean squared error over all entries that a LinearAutoencoder with d = 3 "
    "can reach on these data? Answer: a number, to 0.001.",
    "components": "Same data: how many principal components explain together at least 90 % of the variance? "
    "Answer: a whole number, the smallest.",
    "parameters": "How many parameters (weights and biases) has Autoencoder(D=232, hidden=(80, 22), d=8)? "
    "Answer: a whole number.",
}
### END PERSONAL
ANSWERS = {"advantage": None, "optimum": None, "components": None, "parameters": None}
### BEGIN SOLUTION
_variances = torch.tensor(PERSONAL["variances"], dtype=torch.float64)
_sizes = [PERSONAL["D"], *PERSONAL["hidden"], PERSONAL["d"]]
ANSWERS = {
    "advantage": "capacity",
    "optimum": float(_variances[PERSONAL["kept"] :].sum() / len(_variances)),
    "components": int((_variances.cumsum(0) / _variances.sum() < PERSONAL["share"]).sum()) + 1,
    "parameters": sum(2 * a * b + a + b for a, b in pairwise(_sizes)),
}
### END SOLUTION
