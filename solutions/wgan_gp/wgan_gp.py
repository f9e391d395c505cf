# %% [markdown]
# # Wasserstein GAN with gradient penalty: two networks, one distance
#
# A **generative adversarial network** (GAN) learns to draw samples without ever writing down a density. A
# *generator* $G$ turns noise into samples; a second network looks at real and at generated samples and
# tells the generator, through its gradient, in which direction to move them. In the **Wasserstein GAN**
# (WGAN) the second network is a *critic*: it does not answer "real or fake?" but estimates how far the law
# of the fakes is from the law of the data.
#
# You will write both networks, their losses, the gradient penalty that keeps the critic honest, the
# training loop, and a measure of **mode collapse**, and try it all on a ring of eight Gaussians, in seconds
# on a CPU.
#
# ## From the adversarial game to mode collapse
#
# The first GAN (Goodfellow et al. 2014) trains a discriminator $D$ with values in $(0, 1)$:
#
# $$ \min_G \max_D\ \mathbb E_{x \sim p_{\text{data}}}[\log D(x)]
#    + \mathbb E_{z \sim \mathcal N(0, I)}[\log(1 - D(G(z)))]. $$
#
# For the best $D$ this is, up to constants, the Jensen-Shannon divergence between the law of the data and the law
# $p_G$ of $G(z)$. When the two laws have disjoint supports, which is the rule early in training, that divergence is
# $\log 2$ whatever the distance, and its gradient is zero: with this loss a perfect discriminator teaches nothing.
# (Maximising $\log D(G(z))$ instead has a gradient there, an unstable one.) And a generator that answers only one
# convincing kind of sample may fool $D$ for a while: the **modes** of the data that it leaves out are missing from
# its samples. That is *mode collapse*.
#
# ## The Wasserstein distance and its critic
#
# The Wasserstein-1 distance is the least mean distance over which mass has to be carried to turn one law
# into the other. It shrinks steadily as the two laws approach, also when their supports are disjoint. The
# Kantorovich-Rubinstein duality writes it as
#
# $$ W_1(p_{\text{data}}, p_G) = \max_{\|D\|_{\text{Lip}} \le 1}\ \mathbb E_{x \sim p_{\text{data}}}[D(x)]
#    - \mathbb E_{\tilde x \sim p_G}[D(\tilde x)]. $$
#
# The critic $D$ is any real function whose slope is nowhere greater than 1: its scores are **not**
# probabilities, so it ends without a sigmoid. It *maximises* the difference, that is, it minimises
#
# $$ L_{\text{critic}} = \mathbb E[D(\tilde x)] - \mathbb E[D(x)], \qquad
#    L_{\text{generator}} = -\,\mathbb E[D(\tilde x)]. $$
#
# ## The gradient penalty
#
# How to keep the slope below 1? The best critic has a gradient of norm 1 almost everywhere on the straight lines
# between real samples and the fakes they are transported to. Gulrajani et al. (2017) do not know that transport:
# they draw points on the lines between *independently* drawn real and fake samples,
#
# $$ \hat x = \varepsilon\, x + (1 - \varepsilon)\, \tilde x, \qquad \varepsilon \sim \mathcal U[0, 1], $$
#
# with one $\varepsilon$ drawn for each sample, and add to the critic's loss, with weight $\lambda$ (`gp_weight`), the
# penalty
#
# $$ P = \mathbb E_{\hat x}\left[\left(\|\nabla_{\hat x} D(\hat x)\|_2 - 1\right)^2\right]. $$
#
# The penalty is two-sided: it pushes slopes below 1 up as well. The norm is that of **one sample's** gradient, over
# its coordinates; the mean over the batch comes last. For this the score of a sample must depend on that sample
# alone: **no batch normalisation in the critic**. (The slides list it among the remedies: for a generator, or for a
# discriminator without this penalty.)
#
# ## The training loop (algorithm 1 of Gulrajani et al. 2017)
#
# For each step: `n_critic` times, draw a fresh batch of data, fresh $z$ and fresh $\varepsilon$, and update
# the critic with the gradient of $L_{\text{critic}} + \lambda P$; then draw fresh $z$ and update the
# generator once with the gradient of $L_{\text{generator}}$. Both use Adam with the same `lr` and `betas`.
# In the critic's updates the fakes are data: they are detached, so that no gradient flows back into the
# generator.
#
# ## Sources
#
# - Course slides S3 (module 5: adversarial loss, mode collapse, Wasserstein GAN, gradient penalty).
# - I. Goodfellow et al., *Generative Adversarial Nets*, NeurIPS 2014, arXiv:1406.2661.
# - M. Arjovsky, S. Chintala, L. Bottou, *Wasserstein GAN*, ICML 2017, arXiv:1701.07875.
# - I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville, *Improved Training of Wasserstein GANs*,
#   NeurIPS 2017, arXiv:1704.00028.
#
# ## What you do, and how it is judged
#
# Write what stands after `# YOUR CODE HERE`; keep names, arguments and shapes. Most points come from exact
# checks of one function on fresh numbers: losses, interpolates, the penalty on critics whose gradient is
# known on paper, and the penalty's own gradient with respect to the critic's weights. The training loop is
# judged by running it where its result can be worked out by hand (constant data, a generator that answers a
# constant, a linear critic), by looking at what it feeds to both networks, and by two short trainings on
# the ring with `{judged:convergence.SETTINGS}`: one with small networks of the grader's and one with yours. These two
# need a right loop, and yours right networks: both with an activation between their layers, and a generator whose
# samples are a continuous function of z. The ring is turned, scaled and moved by far, and what the training leaves in
# the weights is judged: weights that come with the file, and data kept beside the network, earn nothing. Adam is asked
# for, and the limits were measured with it.
#
# Points ({points}): losses and interpolates ({points:losses}), penalty ({points:penalty}), networks
# ({points:networks}), training loop ({points:feeding,updates}), trainings on the ring ({points:convergence}),
# sampling and modes ({points:sampling}), conventions and refusals ({points:conventions}), quiz ({points:quiz}).
# Conventions and refusals count for a function only where its values are right.
#
# - Tensors in, tensors out; the dtype (float32 or float64) and the device of the input are kept. Batch
#   first. No function changes the tensors that it is given.
# - Randomness is explicit: it comes from `generator_rng` (`None`: torch's global generator, which nothing
#   here seeds). The name avoids a mix-up with the `generator`, which is a network here.
# - Bad arguments (shapes that do not match, a count below 1, eps outside [0, 1], a radius that is not
#   positive) raise `ValueError` with a message that names the argument and what was got.

# %%
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

# %% [markdown]
# Three functions are given: draws that respect the generator and the device, and a progress bar.


# %%
def standard_normal(shape: Sequence[int], like: Tensor, rng: torch.Generator | None) -> Tensor:
    """Draw from N(0, 1) with the dtype and device of `like`; a torch generator draws on its own device."""
    device = like.device if rng is None else rng.device
    return torch.randn(*shape, dtype=like.dtype, device=device, generator=rng).to(like.device)


def uniform(shape: Sequence[int], like: Tensor, rng: torch.Generator | None) -> Tensor:
    """Draw from U[0, 1) with the dtype and device of `like`; a torch generator draws on its own device."""
    device = like.device if rng is None else rng.device
    return torch.rand(*shape, dtype=like.dtype, device=device, generator=rng).to(like.device)


def with_progress(steps: Iterable[int], title: str, show: bool) -> Iterable[int]:
    """Pass the steps through, with a progress bar where `show` is true."""
    if not show:
        return steps
    from rich.progress import track

    return track(steps, description=title)


# %% [markdown]
# ## 1. Generator and critic
#
# Two or three hidden layers of 64 to 128 units with a ReLU are plenty for points of the plane; depth, width
# and activation are yours. The generator ends without activation (the ring has points beyond [-1, 1]), and
# so does the critic (a score is any real number). The critic answers one number per sample, of shape
# `(B,)`, not `(B, 1)`.


# %%
class Generator(nn.Module):
    """The generator G: latent noise to a sample (S3).

    Args:
        latent_dim: number of latent coordinates, at least 1.
        dim: number of coordinates of a sample, at least 1.

    Attributes:
        latent_dim: as given; `train_wgan_gp` and `sample` read it.
    """

    def __init__(self, latent_dim: int = 2, dim: int = 2):
        super().__init__()
        self.latent_dim = latent_dim
        ### BEGIN SOLUTION
        self.net = nn.Sequential(
            nn.Linear(latent_dim, 128),
            nn.ReLU(),
            nn.Linear(128, 128),
            nn.ReLU(),
            nn.Linear(128, dim),
        )
        ### END SOLUTION

    def forward(self, z: Tensor) -> Tensor:
        """Turn noise into samples.

        Args:
            z: latent points, shape (B, latent_dim).

        Returns:
            x: samples, shape (B, dim), any real numbers.

        Raises:
            ValueError: z is not of shape (B, latent_dim).
        """
        ### BEGIN SOLUTION
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(f"z: expected shape (B, {self.latent_dim}), got {tuple(z.shape)}")
        return self.net(z)  # (B, latent_dim) -> (B, dim)
        ### END SOLUTION


# %%
class Critic(nn.Module):
    """The critic D: a sample to its score, any real number (Arjovsky et al. 2017); no batch normalisation.

    Args:
        dim: number of coordinates of a sample, at least 1.
    """

    def __init__(self, dim: int = 2):
        super().__init__()
        ### BEGIN SOLUTION
        self.dim = dim
        self.net = nn.Sequential(
            nn.Linear(dim, 128),
            nn.ReLU(),
            nn.Linear(128, 128),
            nn.ReLU(),
            nn.Linear(128, 1),
        )
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Score samples.

        Args:
            x: samples, shape (B, dim).

        Returns:
            Scores, shape (B,), each depending on its own sample only.

        Raises:
            ValueError: x is not of shape (B, dim).
        """
        ### BEGIN SOLUTION
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(f"x: expected shape (B, {self.dim}), got {tuple(x.shape)}")
        return self.net(x).squeeze(-1)  # (B, dim) -> (B, 1) -> (B,)
        ### END SOLUTION


# %% [markdown]
# ## 2. The two losses


# %%
def critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """What the critic minimises, without the penalty: E[D(fake)] - E[D(real)] (Gulrajani et al. 2017, eq. 3).

    Args:
        real_scores: the critic's scores of real samples, (B,).
        fake_scores: its scores of generated samples, (B,).

    Returns:
        Scalar. Minus this estimates the Wasserstein-1 distance W of a critic whose slope is 1; with the penalty the
            best slope is 1 + W/(2λ), so that minus the loss tends to W + W²/(2λ).
    """
    ### BEGIN SOLUTION
    return fake_scores.mean() - real_scores.mean()
    ### END SOLUTION


def generator_loss(fake_scores: Tensor) -> Tensor:
    """What the generator minimises: -E[D(fake)] (Arjovsky et al. 2017).

    Args:
        fake_scores: the critic's scores of generated samples, (B,).

    Returns:
        Scalar.
    """
    ### BEGIN SOLUTION
    return -fake_scores.mean()
    ### END SOLUTION


# %% [markdown]
# ## 3. The gradient penalty
#
# `torch.autograd.grad(scores, x_hat, ...)` gives the gradient of the scores at the interpolates. Two things
# to think of:
#
# - `autograd.grad` wants a scalar, or weights for the scores. The *sum* of the scores will do: as each
#   score depends on its own row of $\hat x$ only, row $i$ of the gradient of the sum is $\nabla D(\hat
#   x_i)$.
# - The penalty is itself going to be differentiated, with respect to the critic's weights. For that, the
#   gradient must be computed with a graph of its own (`create_graph=True`).
#
# Where the critic is flat, $\nabla D = 0$, the derivative of the plain formula $\sqrt{\sum_j g_j^2}$ is
# $0/0$ = NaN, and one NaN ruins every weight. `Tensor.norm` answers 0 there; a tiny constant under the root
# is the other usual remedy.


# %%
def interpolates(real: Tensor, fake: Tensor, eps: Tensor) -> Tensor:
    """Points on the lines between real and fake samples: ε·real + (1 - ε)·fake (Gulrajani et al. 2017).

    Args:
        real: real samples, (B, dim).
        fake: generated samples, (B, dim).
        eps: one number per sample, (B, 1), in [0, 1]; 1 gives the real sample.

    Returns:
        Points, (B, dim).

    Raises:
        ValueError: the shapes of real and fake differ; eps is not of shape (B, 1) or leaves [0, 1].
    """
    ### BEGIN SOLUTION
    if real.shape != fake.shape:
        raise ValueError(f"real and fake: expected one shape, got {tuple(real.shape)} and {tuple(fake.shape)}")
    if eps.shape != (len(real), 1):
        raise ValueError(f"eps: expected shape ({len(real)}, 1), got {tuple(eps.shape)}")
    if not bool(((eps >= 0) & (eps <= 1)).all()):
        raise ValueError(f"eps: expected values in [0, 1], got {eps.min().item():g} to {eps.max().item():g}")
    return eps * real + (1.0 - eps) * fake  # (B, 1) * (B, dim) -> (B, dim)
    ### END SOLUTION


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor, eps: Tensor) -> Tensor:
    """Penalty on slopes other than 1, without its weight: E[(‖∇D(x̂)‖₂ - 1)²] (Gulrajani et al. 2017, eq. 3).

    Args:
        critic: maps (B, dim) to scores (B,).
        real, fake, eps: as in `interpolates`, which gives the points x̂.

    Returns:
        Scalar, never negative, differentiable in the critic's weights; finite, with a finite gradient,
        where ∇D = 0.

    Raises:
        ValueError: as in `interpolates`.
    """
    ### BEGIN SOLUTION
    x_hat = interpolates(real.detach(), fake.detach(), eps).requires_grad_(True)  # (B, dim)
    scores = critic(x_hat)  # (B,)
    (gradient,) = torch.autograd.grad(scores.sum(), x_hat, create_graph=True)  # (B, dim)
    norms = gradient.norm(2, dim=1)  # (B,); its derivative at 0 is 0, not NaN
    return ((norms - 1.0) ** 2).mean()
    ### END SOLUTION


# %% [markdown]
# ## 4. Training
#
# The loop of algorithm 1. The generator and the critic may be any modules: use `generator.latent_dim` and
# nothing else of their insides. Mind who owns a gradient: the generator's `backward` also leaves gradients
# in the critic, which must be gone before the critic's next update.
#
# The defaults are those of the paper. They are slow to converge; on the ring, `gp_weight=1`, `lr=1e-3`,
# `batch_size=64` and 300 to 1,000 steps show more in less time.


# %%
def train_wgan_gp(
    generator: nn.Module,
    critic: nn.Module,
    data: Tensor,
    steps: int,
    n_critic: int = 5,
    lr: float = 1e-4,
    betas: tuple[float, float] = (0.0, 0.9),
    gp_weight: float = 10.0,
    batch_size: int = 256,
    generator_rng: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train both networks in place with Adam (Gulrajani et al. 2017, algorithm 1).

    Args:
        generator: maps z (B, latent_dim) to samples (B, dim); has `latent_dim`.
        critic: maps samples (B, dim) to scores (B,).
        data: real samples, (n, dim), of the networks' dtype.
        steps: number of generator updates, at least 1.
        n_critic: critic updates before each generator update, at least 1, each on a fresh batch and fresh z.
        lr, betas: Adam's learning rate and decay rates, for both networks.
        gp_weight: λ, the weight of the gradient penalty.
        batch_size: samples per update, at least 1.
        generator_rng: source of batches, z and eps; None is torch's global generator.
        progress: show a progress bar.

    Returns:
        history: `history["critic_loss"]` (at the last critic update of the step, without the penalty; with
        it, or averaged over the n_critic updates, is as good) and `history["generator_loss"]`, one float per
        step each.

    Raises:
        ValueError: steps, n_critic or batch_size below 1.
    """
    ### BEGIN SOLUTION
    for name, count in (("steps", steps), ("n_critic", n_critic), ("batch_size", batch_size)):
        if count < 1:
            raise ValueError(f"{name}: expected at least 1, got {count}")
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=lr, betas=betas)
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)
    index_device = "cpu" if generator_rng is None else generator_rng.device
    history: dict[str, list[float]] = {"critic_loss": [], "generator_loss": []}
    for _ in with_progress(range(steps), "training the WGAN", progress):
        for _ in range(n_critic):
            rows = torch.randint(len(data), (batch_size,), generator=generator_rng, device=index_device)
            real = data[rows.to(data.device)]  # (B, dim)
            z = standard_normal((batch_size, generator.latent_dim), like=data, rng=generator_rng)
            fake = generator(z).detach()  # (B, dim): the critic's update leaves the generator alone
            eps = uniform((batch_size, 1), like=data, rng=generator_rng)  # (B, 1)
            loss = critic_loss(critic(real), critic(fake))
            critic_optimizer.zero_grad()
            (loss + gp_weight * gradient_penalty(critic, real, fake, eps)).backward()
            critic_optimizer.step()
        z = standard_normal((batch_size, generator.latent_dim), like=data, rng=generator_rng)
        loss_of_generator = generator_loss(critic(generator(z)))
        generator_optimizer.zero_grad()
        loss_of_generator.backward()
        generator_optimizer.step()
        history["critic_loss"].append(loss.item())
        history["generator_loss"].append(loss_of_generator.item())
    return history
    ### END SOLUTION


# %% [markdown]
# ## 5. Sampling, and counting the modes
#
# A generator has collapsed when whole modes of the data are missing from its samples. Where the modes are
# known, as on the ring, this can be counted: around each centre lies a ball; a mode is *covered* when at
# least one sample falls into its ball, and a sample is of *high quality* when it falls into any ball. The
# two pull in different directions: a generator stuck in one mode can have a quality of 1, one that spreads
# its samples everywhere covers all modes.


# %%
def sample(generator: nn.Module, n: int, generator_rng: torch.Generator | None = None) -> Tensor:
    """Draw samples G(z), z ~ N(0, I) (S3).

    Args:
        generator: maps z (B, latent_dim) to samples (B, dim); has `latent_dim`.
        n: number of samples, at least 1.
        generator_rng: source of z; None is torch's global generator.

    Returns:
        Samples, (n, dim), detached, of the generator's dtype.

    Raises:
        ValueError: n below 1.
    """
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    weight = next(generator.parameters(), torch.empty(0))  # tells the dtype and the device
    z = standard_normal((n, generator.latent_dim), like=weight, rng=generator_rng)  # (n, latent_dim)
    with torch.no_grad():
        return generator(z)  # (n, dim)
    ### END SOLUTION


def mode_coverage(samples: Tensor, centres: Tensor, radius: float) -> tuple[int, float]:
    """Count the modes that the samples reach, and the samples that reach a mode.

    Args:
        samples: (n, dim).
        centres: the modes, (K, dim).
        radius: of the ball around each centre (Euclidean, its surface included), positive. The balls are
            taken to be disjoint.

    Returns:
        covered: number of centres with at least one sample within the radius, 0 to K.
        high_quality: fraction of the samples within the radius of any centre, in [0, 1].

    Raises:
        ValueError: radius not positive; samples and centres differ in their last dimension.
    """
    ### BEGIN SOLUTION
    if radius <= 0:
        raise ValueError(f"radius: expected a positive number, got {radius}")
    if samples.ndim != 2 or centres.ndim != 2 or samples.shape[1] != centres.shape[1]:
        raise ValueError(
            "samples and centres: expected shapes (n, dim) and (K, dim), got "
            f"{tuple(samples.shape)} and {tuple(centres.shape)}"
        )
    distances = (samples[:, None, :] - centres[None, :, :]).norm(dim=2)  # (n, 1, dim) - (1, K, dim) -> (n, K)
    inside = distances <= radius  # (n, K)
    return int(inside.any(dim=0).sum()), inside.any(dim=1).double().mean().item()
    ### END SOLUTION


# %% [markdown]
# ## 6. Quiz
#
# Answer in `ANSWERS`, with numbers or letters; the numbers in the questions are your own.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "real_scores": [2.4, -0.2, 2.5, 1.5],
    "fake_scores": [-1.4, -1.0, -2.4, -3.0],
    "gradient_norms": [0.9, 1.2, 1.7, 1.0],
    "gp_weight": 6,
    "real_points": [-3, 3, -2],
    "fake_points": [-1, 3, -6],
}
QUIZ = {
    "critic_objective": (
        "A critic gives a batch of four real samples the scores [2.4, -0.2, 2.5, 1.5] and four fake ones "
        "the scores [-1.4, -1.0, -2.4, -3.0]; at the four interpolates its gradient has the norms [0.9, "
        "1.2, 1.7, 1.0]. With gp_weight = 6, what does the critic's optimiser minimise for this batch: "
        "critic loss plus weighted penalty? [number, right to 0.001]"
    ),
    "wasserstein": (
        "The data are three points of the line, [-3, 3, -2], with probability 1/3 each; the generator "
        "answers [-1, 3, -6] with probability 1/3 each. What is the Wasserstein-1 distance between the two "
        "laws? [number, right to 0.001]"
    ),
    "saturation": (
        "The data sit at 0, a generator at θ ≠ 0 (point masses on the line). As θ moves towards 0 without "
        "reaching it, which is true? (a) both the Jensen-Shannon divergence and the Wasserstein-1 distance "
        "shrink with |θ|; (b) the Jensen-Shannon divergence shrinks, the Wasserstein-1 distance stays; (c) "
        "the Jensen-Shannon divergence stays at log 2, the Wasserstein-1 distance shrinks; (d) both stay. "
        "[one letter]"
    ),
    "normalisation": (
        "Which layer must not stand in a critic trained with the gradient penalty? (a) layer normalisation;"
        " (b) batch normalisation; (c) LeakyReLU; (d) a linear layer without bias. [one letter]"
    ),
}
### END PERSONAL
ANSWERS = {"critic_objective": None, "wasserstein": None, "saturation": None, "normalisation": None}
### BEGIN SOLUTION
_p = PERSONAL
ANSWERS = {
    "critic_objective": critic_loss(torch.tensor(_p["real_scores"]), torch.tensor(_p["fake_scores"])).item()
    + _p["gp_weight"] * sum((norm - 1) ** 2 for norm in _p["gradient_norms"]) / 4,
    "wasserstein": sum(abs(a - b) for a, b in zip(sorted(_p["real_points"]), sorted(_p["fake_points"]), strict=True))
    / 3,
    "saturation": "c",
    "normalisation": "b",
}
### END SOLUTION

# %% [markdown]
# ## 7. Figures
#
# `make_figures` is given. It trains your networks on the ring and shows the samples at three moments, the
# critic's landscape with the two losses, and what mode coverage says of your generator and of a collapsed
# one.


# %%
def ring(n: int, radius: float = 2.0, std: float = 0.05, rng: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Draw from eight Gaussians on a circle: points (n, 2) and the centres (8, 2)."""
    angles = torch.arange(8) * (2 * math.pi / 8)
    centres = radius * torch.stack([angles.cos(), angles.sin()], dim=1)  # (8, 2)
    modes = torch.randint(8, (n,), generator=rng)
    return centres[modes] + std * torch.randn(n, 2, generator=rng), centres


def make_figures(folder: str | Path) -> list[Path]:
    """Train on the ring and save three figures in `folder`; returns their paths. Takes about ten seconds."""
    from matplotlib.figure import Figure

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = torch.Generator().manual_seed(0)
    data, centres = ring(4000, rng=rng)
    generator, critic = Generator(latent_dim=2, dim=2), Critic(dim=2)
    saved = []

    def save(figure: Figure, name: str) -> None:
        figure.savefig(folder / name, dpi=110, bbox_inches="tight")
        saved.append(folder / name)
        if "ipykernel" in sys.modules:  # in a notebook the figure is shown as well
            from IPython.display import display

            display(figure)

    def show(axes, points: Tensor, title: str) -> None:
        axes.scatter(*data[:1000].T, s=3, c="0.8", label="data")
        axes.scatter(*points.T, s=3, c="tab:red", label="generated")
        axes.set(title=title, xlim=(-3, 3), ylim=(-3, 3), aspect="equal")

    moments, history = [(0, sample(generator, 1000, rng))], {"critic_loss": [], "generator_loss": []}
    for steps in (60, 540):
        part = train_wgan_gp(generator, critic, data, steps, lr=1e-3, gp_weight=1.0, batch_size=64, generator_rng=rng)
        for key in history:
            history[key] += part[key]
        moments.append((len(history["critic_loss"]), sample(generator, 1000, rng)))

    figure = Figure(figsize=(10, 3.6))
    panels = figure.subplots(1, 3)
    for axes, (step, points) in zip(panels, moments, strict=True):
        show(axes, points, title=f"after {step} steps")
    panels[0].legend(loc="upper right", fontsize="small", markerscale=2)
    figure.tight_layout()
    save(figure, "samples.png")

    figure = Figure(figsize=(10, 3.8))
    left, right = figure.subplots(1, 2)
    axis = torch.linspace(-3.0, 3.0, 80)
    grid = torch.cartesian_prod(axis, axis)  # (6400, 2): x varies slowest
    with torch.no_grad():
        scores = critic(grid).reshape(80, 80).T
    landscape = left.contourf(axis, axis, scores, levels=20, cmap="viridis")
    figure.colorbar(landscape, label="score D(x)")
    left.scatter(*centres.T, marker="x", c="white")
    left.set(title="Critic after training", aspect="equal")
    right.plot([-loss for loss in history["critic_loss"]], label="- critic loss: W₁ + W₁²/(2λ) at best")
    right.plot(history["generator_loss"], label="generator loss", alpha=0.7)
    right.set(xlabel="step", title="Losses")
    right.legend()
    figure.tight_layout()
    save(figure, "critic.png")

    collapsed = centres[0] + 0.1 * torch.randn(1000, 2, generator=rng)
    figure = Figure(figsize=(7, 3.8))
    labels = "yours", "collapsed"
    for axes, name, points in zip(figure.subplots(1, 2), labels, (moments[-1][1], collapsed), strict=True):
        covered, high_quality = mode_coverage(points, centres, radius=0.25)
        show(axes, points, title=f"{name}: {covered} of 8 modes,\nhigh quality {high_quality:.2f}")
    figure.tight_layout()
    save(figure, "modes.png")
    return saved


# %%
if __name__ == "__main__":
    make_figures("figures")
