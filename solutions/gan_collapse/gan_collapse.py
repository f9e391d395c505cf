# %% [markdown]
# # The first GAN and mode collapse: a game of two networks
#
# A **generative adversarial network** (GAN; Goodfellow et al. 2014) draws samples without ever writing down a
# density. A *generator* $G$ turns noise $z$ into a sample; a *discriminator* $D$ looks at real and at generated
# samples and says with which probability each is real. $D$ learns to tell them apart, $G$ learns to fool $D$.
#
# You will work out the game on paper and in code, write its losses so that they survive any logit, batch
# normalisation, both networks, the two steps of the training and the training itself. Then comes what GANs are
# feared for, **mode collapse**: a measure of how many modes of the data a generator has kept. Everything runs
# in seconds on a CPU.
#
# ## The game
#
# With $D(x) \in (0, 1)$ the probability that $x$ is real, both play for the value
#
# $$ V(D, G) = \mathbb E_{x \sim p_{\text{data}}}[\log D(x)]
#    + \mathbb E_{z \sim \mathcal N(0, I)}[\log(1 - D(G(z)))], $$
#
# which $D$ makes large and $G$ small. Let $p_G$ be the law of $G(z)$. For each $x$ the discriminator maximises
# $p_{\text{data}}(x) \log d + p_G(x) \log(1 - d)$, and the derivative by $d$ vanishes at
#
# $$ D^*(x) = \frac{p_{\text{data}}(x)}{p_{\text{data}}(x) + p_G(x)}. $$
#
# Put back into the game, this gives the **Jensen-Shannon divergence** of the two laws,
#
# $$ V(D^*, G) = -\log 4 + 2\,\mathrm{JSD}(p_{\text{data}}, p_G), \qquad
#    \mathrm{JSD}(p, q) = \tfrac12 \mathrm{KL}(p \,\|\, m) + \tfrac12 \mathrm{KL}(q \,\|\, m),
#    \quad m = \tfrac{p + q}2. $$
#
# It is 0 where the laws are equal, and $\log 2$ where they have nothing in common, however near they may be.
#
# ## Losses
#
# A network answers a **logit** $\ell$, any real number, and $D = \sigma(\ell)$. One-sided **label smoothing**
# (Salimans et al. 2016) tells $D$ that a real sample is real with probability $1 - s$ only, so that it never
# grows too sure; fakes keep the label 0. With that, $D$ minimises the sum of two means,
#
# $$ L_D = -\,\mathbb E_{x \sim p_{\text{data}}}[(1 - s) \log D(x) + s \log(1 - D(x))]
#    - \mathbb E_{z \sim \mathcal N(0, I)}[\log(1 - D(G(z)))]. $$
#
# For $G$ there are two losses with the same best answer. The game itself says: minimise
# $\mathbb E[\log(1 - D(G(z)))]$. By the logit of a fake its derivative is $-D$: where $D$ sees through a fake,
# $D \approx 0$, there is hardly any gradient. The loss **saturates**. The usual way out is to minimise
# $-\mathbb E[\log D(G(z))]$ instead, whose derivative $D - 1$ is largest in size just there: the
# **non-saturating** loss.
#
# The **Wasserstein GAN** (Arjovsky et al. 2017) changes the game: the logits are read as scores $f$ without a
# sigmoid, $D$ minimises $\mathbb E f(\text{fake}) - \mathbb E f(\text{real})$ and $G$ minimises
# $-\mathbb E f(\text{fake})$. So that the scores cannot grow without end, every weight of $D$ is **clipped** to
# $[-c, c]$ after each update. (The exercise `wgan_gp` has the better remedy.)
#
# ## Mode collapse
#
# Nothing in the generator's loss asks for variety. A generator that answers one convincing digit may fool $D$
# for a while; when $D$ has learnt to refuse that digit, $G$ moves to the next. Modes of the data are then
# missing from the samples, or each has shrunk to a point. Remedies of the course: **batch normalisation** in
# the generator (Ioffe and Szegedy 2015; Radford et al. 2016), little momentum ($\beta_1 = 0.5$), label
# smoothing, and the Wasserstein loss.
#
# Batch normalisation ties the rows of a batch together. Therefore the real and the fake rows go through $D$
# **apart**, in two calls: if $D$ normalises too, each batch gets statistics of its own.
#
# ## Sources
#
# - Course slides S3 (module 5: adversarial training step by step, non-saturating loss, mode collapse, batch
#   normalisation, label smoothing) and lecture notes S2.
# - I. Goodfellow et al., *Generative Adversarial Nets*, NeurIPS 2014, arXiv:1406.2661.
# - S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, arXiv:1502.03167.
# - A. Radford, L. Metz, S. Chintala, *Unsupervised Representation Learning with DCGAN*, ICLR 2016,
#   arXiv:1511.06434.
# - T. Salimans et al., *Improved Techniques for Training GANs*, NeurIPS 2016, arXiv:1606.03498.
# - M. Arjovsky, S. Chintala, L. Bottou, *Wasserstein GAN*, ICML 2017, arXiv:1701.07875.
#
# ## What you do, and how it is judged
#
# Write what stands after `# YOUR CODE HERE`; keep names, arguments and shapes. Most points come from exact
# checks of one function on fresh numbers. The steps are judged on small networks of the grader's with plain
# gradient descent, where each new weight can be worked out; the training on constant data with a generator that
# answers its parameter, and by what it feeds to both networks. Two short trainings on digits with
# `{judged:quality.SETTINGS}` follow: one of networks of the grader's, one of yours. Their pixels are in a
# secret order and some are inverted, and what the training leaves in the weights is judged: weights that come
# with the file, and images kept beside the network, earn nothing.
#
# Points ({points}): the game ({points:game}), losses ({points:losses}), batch normalisation
# ({points:batch_norm}), networks ({points:networks}), steps ({points:steps}), training
# ({points:updates,feeding}), trainings on digits ({points:quality}), samples and report
# ({points:sampling,report}), conventions and refusals ({points:conventions}), quiz ({points:quiz}). Conventions
# and refusals count for a function only where its values are right.
#
# - Tensors in, tensors out; the dtype (float32 or float64) and the device of the input are kept. Batch first.
#   No function changes the tensors that it is given.
# - Images are rows, scaled to $[-1, 1]$ by whoever calls. Logarithms are natural.
# - Networks passed to a function may be any modules. Randomness comes from `generator_rng` (`None`: torch's
#   global generator, which nothing here seeds); the `generator` is a network.
# - `ValueError`, with a message that names the argument and what was got, only where a docstring says so.

# %%
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LOSSES = ("non_saturating", "saturating", "wasserstein")

# %% [markdown]
# Three functions are given: draws that respect the random generator and the device, a progress bar, and a
# classifier that names the class whose mean image is nearest.


# %%
def standard_normal(shape: Sequence[int], like: Tensor, rng: torch.Generator | None) -> Tensor:
    """Draw from N(0, 1) with the dtype and device of `like`; a torch generator draws on its own device."""
    device = like.device if rng is None else rng.device
    return torch.randn(*shape, dtype=like.dtype, device=device, generator=rng).to(like.device)


def with_progress(steps: Iterable[int], title: str, show: bool) -> Iterable[int]:
    """Pass the steps through, with a progress bar where `show` is true."""
    if not show:
        return steps
    from rich.progress import track

    return track(steps, description=title)


def nearest_centroid(data: Tensor, labels: Tensor) -> Callable[[Tensor], Tensor]:
    """A classifier for `collapse_report`: x (n, dim) -> the class (n,) whose mean image is nearest."""
    centroids = torch.stack([data[labels == k].mean(dim=0) for k in range(int(labels.max()) + 1)])  # (K, dim)
    return lambda x: torch.cdist(x, centroids).argmin(dim=1)


# %% [markdown]
# ## 1. The game on paper
#
# The best discriminator takes log-densities: densities of images underflow. With label smoothing the best
# answer is $(1 - s)\,p_{\text{data}} / (p_{\text{data}} + p_G)$: the smoothed label stands in the numerator
# alone. (If fakes were smoothed too, $s\,p_G$ would be added there, and fakes far from all data would get the
# probability $s$: that is why smoothing is one-sided.)
#
# The other two functions take laws on finitely many points, as vectors of probabilities, with $0 \log 0 = 0$.


# %%
def optimal_discriminator(log_p_data: Tensor, log_p_g: Tensor, smoothing: float = 0.0) -> Tensor:
    """The best discriminator D* = (1 - s) p_data / (p_data + p_g) (Goodfellow et al. 2014, proposition 1).

    Args:
        log_p_data: log-densities of the data in nats, (n,).
        log_p_g: log-densities of the generator's law at the same points, (n,).
        smoothing: s in [0, 1], of the label of real samples.

    Returns:
        (n,), in [0, 1]; right too where both densities underflow, or where one of them is 0 (log -inf).

    Raises:
        ValueError: the shapes differ.
    """
    ### BEGIN SOLUTION
    if log_p_data.shape != log_p_g.shape:
        raise ValueError(f"log_p_g: expected shape {tuple(log_p_data.shape)}, got {tuple(log_p_g.shape)}")
    # p / (p + q) = 1 / (1 + exp(log q - log p)): only the difference counts.
    return (1.0 - smoothing) * torch.sigmoid(log_p_data - log_p_g)
    ### END SOLUTION


### BEGIN SOLUTION
def check_laws(**laws: Tensor) -> None:
    """Refuse vectors of different shapes, and entries outside [0, 1]."""
    shapes = {name: tuple(law.shape) for name, law in laws.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"expected one shape, got {shapes}")
    for name, law in laws.items():
        if not bool(((law >= 0) & (law <= 1)).all()):
            raise ValueError(f"{name}: expected entries in [0, 1], got {law.min().item():g} to {law.max().item():g}")


### END SOLUTION


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """Jensen-Shannon divergence of two laws on n points, in nats: KL(p‖m)/2 + KL(q‖m)/2, m = (p + q)/2.

    Args:
        p, q: probabilities, (n,); 0 log 0 = 0.

    Returns:
        Scalar, 0 to log 2.

    Raises:
        ValueError: the shapes differ; an entry outside [0, 1].
    """
    ### BEGIN SOLUTION
    check_laws(p=p, q=q)
    m = (p + q) / 2  # 0 only where both are
    return 0.5 * ((torch.xlogy(p, p) - torch.xlogy(p, m)).sum() + (torch.xlogy(q, q) - torch.xlogy(q, m)).sum())
    ### END SOLUTION


def game_value(d: Tensor, p: Tensor, q: Tensor) -> Tensor:
    """Value of the game on n points: Σ p log d + Σ q log(1 - d) (Goodfellow et al. 2014, eq. 1).

    Args:
        d: the discriminator's answers, (n,), in [0, 1].
        p, q: probabilities of the data and of the generator, (n,); 0 log 0 = 0.

    Returns:
        Scalar, at most 0; -inf where d excludes what happens. At d = D*: -log 4 + 2 JSD(p, q).

    Raises:
        ValueError: the shapes differ; an entry outside [0, 1].
    """
    ### BEGIN SOLUTION
    check_laws(d=d, p=p, q=q)
    return torch.xlogy(p, d).sum() + torch.xlogy(q, 1.0 - d).sum()
    ### END SOLUTION


# %% [markdown]
# ## 2. The losses
#
# $\log \sigma(\ell)$ computed in two steps is $-\infty$ at $\ell = -1000$, and its gradient NaN; a small
# constant under the logarithm cures the infinity and leaves a wrong value and no gradient. Written as one
# function, $\log \sigma(\ell) = -\log(1 + e^{-\ell})$, it is right everywhere (`F.logsigmoid`, `F.softplus`).
# Note that $1 - \sigma(\ell) = \sigma(-\ell)$.
#
# The batches of real and of fake samples may differ in size: each has a mean of its own.


# %%
### BEGIN SOLUTION
def check_choice(loss: str, smoothing: float = 0.0) -> None:
    """Refuse an unknown loss and a smoothing outside [0, 1]."""
    if loss not in LOSSES:
        raise ValueError(f"loss: expected one of {LOSSES}, got {loss!r}")
    if not 0.0 <= smoothing <= 1.0:
        raise ValueError(f"smoothing: expected a number in [0, 1], got {smoothing}")


### END SOLUTION


def discriminator_loss(
    real_logits: Tensor, fake_logits: Tensor, smoothing: float = 0.0, loss: str = "non_saturating"
) -> Tensor:
    """What the discriminator minimises (Goodfellow et al. 2014; Salimans et al. 2016; Arjovsky et al. 2017).

    Args:
        real_logits: logits of real samples, (B,).
        fake_logits: logits of generated samples, (B',).
        smoothing: s in [0, 1]; the label of real samples is 1 - s, that of fakes 0. Not used by "wasserstein".
        loss: "non_saturating" and "saturating" (for D the same): L_D above; "wasserstein": E f(fake) - E f(real).

    Returns:
        Scalar; value and gradient are right at any logits.

    Raises:
        ValueError: another loss; smoothing outside [0, 1].
    """
    ### BEGIN SOLUTION
    check_choice(loss, smoothing)
    if loss == "wasserstein":
        return fake_logits.mean() - real_logits.mean()
    real = (1.0 - smoothing) * F.logsigmoid(real_logits) + smoothing * F.logsigmoid(-real_logits)  # (B,)
    return -real.mean() - F.logsigmoid(-fake_logits).mean()
    ### END SOLUTION


def generator_loss(fake_logits: Tensor, loss: str = "non_saturating") -> Tensor:
    """What the generator minimises (Goodfellow et al. 2014; Arjovsky et al. 2017).

    Args:
        fake_logits: logits of generated samples, (B,).
        loss: "non_saturating": -E log D; "saturating": E log(1 - D); "wasserstein": -E f(fake).

    Returns:
        Scalar; value and gradient are right at any logits.

    Raises:
        ValueError: another loss.
    """
    ### BEGIN SOLUTION
    check_choice(loss)
    if loss == "wasserstein":
        return -fake_logits.mean()
    if loss == "saturating":
        return F.logsigmoid(-fake_logits).mean()
    return -F.logsigmoid(fake_logits).mean()
    ### END SOLUTION


# %% [markdown]
# ## 3. Batch normalisation
#
# In training mode each feature of a batch is brought to mean 0 and variance 1, then scaled and moved by two
# learnt numbers,
#
# $$ y = \gamma\, \frac{x - \mu_B}{\sqrt{\sigma_B^2 + \epsilon}} + \beta, \qquad
#    \mu_B = \frac1B \sum_i x_i, \quad \sigma_B^2 = \frac1B \sum_i (x_i - \mu_B)^2 . $$
#
# Mean and variance are functions of the batch: the gradient flows through them as well. Beside that the layer
# keeps running averages, $r \leftarrow (1 - \text{momentum})\, r + \text{momentum} \cdot \text{batch}$, of the
# mean and of the **unbiased** variance (over $B - 1$). Evaluation mode uses those instead of the batch's and
# changes nothing, so that a row's answer is its own. A state that is no parameter is a *buffer*
# (`register_buffer`): it is saved and moved with the module. Layers of torch that normalise batches may not be
# used in this one; elsewhere they may.


# %%
class BatchNorm(nn.Module):
    """Batch normalisation of (B, features), as `torch.nn.BatchNorm1d` (Ioffe and Szegedy 2015).

    Args:
        features: number of features, at least 1.
        momentum: weight of a new batch in the running statistics.
        eps: added to the variance, under the root.

    Attributes:
        weight, bias: learnt, (features,), 1 and 0 at the start.
        running_mean, running_var: (features,), 0 and 1 at the start; no parameters.
    """

    def __init__(self, features: int, momentum: float = 0.1, eps: float = 1e-5):
        super().__init__()
        ### BEGIN SOLUTION
        self.features, self.momentum, self.eps = features, momentum, eps
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Normalise a batch.

        Args:
            x: (B, features).

        Returns:
            (B, features).

        Raises:
            ValueError: x has another width; a single row in training mode.
        """
        ### BEGIN SOLUTION
        if x.ndim != 2 or x.shape[1] != self.features:
            raise ValueError(f"x: expected shape (B, {self.features}), got {tuple(x.shape)}")
        mean, variance = self.running_mean, self.running_var  # (features,)
        if self.training:
            if len(x) < 2:
                raise ValueError(f"x: expected at least 2 rows in training mode, got {len(x)}")
            mean, variance = x.mean(dim=0), x.var(dim=0, unbiased=False)
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(x.var(dim=0, unbiased=True), self.momentum)
        return self.weight * (x - mean) / (variance + self.eps).sqrt() + self.bias
        ### END SOLUTION


# %% [markdown]
# ## 4. The networks
#
# Both have two hidden layers of `hidden` units with an activation each (ReLU, LeakyReLU, ...), no dropout and
# no spectral normalisation. The generator ends with tanh, as the pixels are in $[-1, 1]$, and has batch
# normalisation (yours or torch's) after both hidden layers where `batch_norm` says so. The discriminator ends
# with a plain number, the logit, of shape `(B,)`, and has no batch normalisation: a logit depends on its own
# row only.


# %%
class Generator(nn.Module):
    """The generator G: noise to an image.

    Args:
        latent_dim: number of latent coordinates, at least 1.
        dim: number of pixels, at least 1.
        hidden: units of each of the two hidden layers.
        batch_norm: whether batch normalisation follows each hidden layer.

    Attributes:
        latent_dim: as given; `train_gan` and `sample` read it.
    """

    def __init__(self, latent_dim: int = 16, dim: int = 196, hidden: int = 128, batch_norm: bool = True):
        super().__init__()
        self.latent_dim = latent_dim
        ### BEGIN SOLUTION
        layers: list[nn.Module] = []
        for n_in in (latent_dim, hidden):
            layers.append(nn.Linear(n_in, hidden))
            if batch_norm:
                layers.append(BatchNorm(hidden))
            layers.append(nn.ReLU())
        self.net = nn.Sequential(*layers, nn.Linear(hidden, dim), nn.Tanh())
        ### END SOLUTION

    def forward(self, z: Tensor) -> Tensor:
        """Turn noise into images.

        Args:
            z: latent points, (B, latent_dim).

        Returns:
            (B, dim), in [-1, 1].

        Raises:
            ValueError: z is not of shape (B, latent_dim).
        """
        ### BEGIN SOLUTION
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(f"z: expected shape (B, {self.latent_dim}), got {tuple(z.shape)}")
        return self.net(z)  # (B, latent_dim) -> (B, dim)
        ### END SOLUTION


class Discriminator(nn.Module):
    """The discriminator: an image to its logit; D(x) is the sigmoid of that.

    Args:
        dim: number of pixels, at least 1.
        hidden: units of each of the two hidden layers.
    """

    def __init__(self, dim: int = 196, hidden: int = 128):
        super().__init__()
        ### BEGIN SOLUTION
        self.dim = dim
        self.net = nn.Sequential(
            nn.Linear(dim, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, 1),
        )
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Judge images.

        Args:
            x: images, (B, dim).

        Returns:
            Logits, (B,), each of its own row.

        Raises:
            ValueError: x is not of shape (B, dim).
        """
        ### BEGIN SOLUTION
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(f"x: expected shape (B, {self.dim}), got {tuple(x.shape)}")
        return self.net(x).squeeze(-1)  # (B, dim) -> (B, 1) -> (B,)
        ### END SOLUTION


# %% [markdown]
# ## 5. The two steps
#
# Each step clears the gradients, makes **one** update with the optimiser that it is given (any of
# `torch.optim`) and returns the loss *before* the update. Modes (`train()`, `eval()`) stay as they are.
#
# - In the discriminator's step the fakes are data: nothing flows back into $G$. $D$ is called once on the real
#   rows and once on the fakes, never on both joined. With `clip` every parameter of $D$ is brought into
#   $[-c, c]$ after the update, whatever the loss.
# - In the generator's step the gradient flows through $D$ into $G$; $D$'s weights stay, and still require
#   gradients afterwards. What is left in their `.grad` does not matter, as the next step of $D$ clears it.


# %%
def discriminator_step(
    generator: nn.Module,
    discriminator: nn.Module,
    optimizer: torch.optim.Optimizer,
    real: Tensor,
    z: Tensor,
    smoothing: float = 0.0,
    loss: str = "non_saturating",
    clip: float | None = None,
) -> float:
    """Update the discriminator once (S3; Goodfellow et al. 2014, algorithm 1).

    Args:
        generator: z -> samples (B', dim); its weights and gradients stay as they are.
        discriminator: samples -> logits.
        optimizer: of the discriminator's parameters.
        real: real samples, (B, dim).
        z: noise, (B', latent_dim).
        smoothing, loss: as in `discriminator_loss`.
        clip: c > 0; after the update every parameter of the discriminator is clamped to [-c, c]. None: no clamping.

    Returns:
        The loss before the update.

    Raises:
        ValueError: as in `discriminator_loss`; clip ≤ 0.
    """
    ### BEGIN SOLUTION
    check_choice(loss, smoothing)
    if clip is not None and clip <= 0:
        raise ValueError(f"clip: expected a positive number or None, got {clip}")
    with torch.no_grad():
        fake = generator(z)  # (B', dim): data, for this step
    value = discriminator_loss(discriminator(real), discriminator(fake), smoothing=smoothing, loss=loss)
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    if clip is not None:
        with torch.no_grad():
            for parameter in discriminator.parameters():
                parameter.clamp_(-clip, clip)
    return value.item()
    ### END SOLUTION


def generator_step(
    generator: nn.Module,
    discriminator: nn.Module,
    optimizer: torch.optim.Optimizer,
    z: Tensor,
    loss: str = "non_saturating",
) -> float:
    """Update the generator once, through the discriminator (S3; Goodfellow et al. 2014, algorithm 1).

    Args:
        generator: z -> samples (B, dim).
        discriminator: samples -> logits; its weights stay as they are, and still require gradients.
        optimizer: of the generator's parameters.
        z: noise, (B, latent_dim).
        loss: as in `generator_loss`.

    Returns:
        The loss before the update.

    Raises:
        ValueError: as in `generator_loss`.
    """
    ### BEGIN SOLUTION
    value = generator_loss(discriminator(generator(z)), loss=loss)
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.item()
    ### END SOLUTION


# %% [markdown]
# ## 6. Training
#
# Each step makes `n_discriminator` updates of $D$, each on a fresh batch of exactly `batch_size` rows (drawn
# with or without replacement) and fresh $z \sim \mathcal N(0, I)$, and then one update of $G$ on another fresh
# $z$. Both have an Adam of their own with the same `lr` and `betas`: no schedule, no clipping of gradients.
# Both networks come in training mode. The generator has at least one parameter, which tells the dtype and the
# device of $z$.


# %%
def train_gan(
    generator: nn.Module,
    discriminator: nn.Module,
    data: Tensor,
    steps: int,
    n_discriminator: int = 1,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.5, 0.999),
    batch_size: int = 64,
    smoothing: float = 0.0,
    loss: str = "non_saturating",
    clip: float | None = None,
    generator_rng: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train both networks in place (S3; Goodfellow et al. 2014, algorithm 1; Radford et al. 2016 for Adam's settings).

    Args:
        generator: z (B, latent_dim) -> samples (B, dim), in training mode; has `latent_dim`.
        discriminator: samples (B, dim) -> logits (B,), in training mode.
        data: real samples, (n, dim), of the networks' dtype, n ≥ batch_size.
        steps: number of generator updates, at least 1.
        n_discriminator: discriminator updates before each generator update, at least 1.
        lr, betas: Adam's, for both networks.
        batch_size: rows of each update, at least 1.
        smoothing, loss, clip: as in `discriminator_step` and `generator_step`.
        generator_rng: source of batches and z; None is torch's global generator.
        progress: show a progress bar.

    Returns:
        history: `history["discriminator_loss"]` (of the step's last discriminator update, or the mean of them) and
        `history["generator_loss"]`, one float per step each.

    Raises:
        ValueError: steps, n_discriminator or batch_size below 1.
    """
    ### BEGIN SOLUTION
    for name, count in (("steps", steps), ("n_discriminator", n_discriminator), ("batch_size", batch_size)):
        if count < 1:
            raise ValueError(f"{name}: expected at least 1, got {count}")
    of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=betas)
    of_generator = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)
    like = next(generator.parameters())
    index_device = "cpu" if generator_rng is None else generator_rng.device
    history: dict[str, list[float]] = {"discriminator_loss": [], "generator_loss": []}

    def noise() -> Tensor:
        return standard_normal((batch_size, generator.latent_dim), like=like, rng=generator_rng)

    for _ in with_progress(range(steps), "training the GAN", progress):
        for _ in range(n_discriminator):
            rows = torch.randint(len(data), (batch_size,), generator=generator_rng, device=index_device)
            value = discriminator_step(
                generator, discriminator, of_discriminator, data[rows.to(data.device)], noise(),
                smoothing=smoothing, loss=loss, clip=clip,
            )  # fmt: skip
        history["discriminator_loss"].append(value)
        history["generator_loss"].append(generator_step(generator, discriminator, of_generator, noise(), loss=loss))
    return history
    ### END SOLUTION


# %% [markdown]
# ## 7. Samples, and has it collapsed?
#
# Samples are drawn in **evaluation mode**: with batch statistics, an image would depend on the others that are
# drawn with it, and drawing would move the running averages. Afterwards every submodule gets its own mode back;
# somebody may have frozen one of them.
#
# Is a whole mode missing, or has each shrunk to a point? Two numbers tell. With a classifier of the data's
# modes, let $s_k$ be the share of samples in mode $k$ and $r_k$ that of data. A mode with $r_k > 0$ is
# **covered** when $s_k > 0$ and $s_k \ge \text{threshold} \cdot r_k$: a stray sample does not count.
# $\mathrm{KL}(s \,\|\, r) = \sum_k s_k \log(s_k / r_k)$ is finite where modes are missing ($\log 10$ for one of
# ten), and infinite where samples fall into a mode without data. The **diversity** is the mean distance of two
# samples, over that of two data points. The generator has *collapsed* where fewer than half of the modes are
# covered, or the diversity is below 0.5.


# %%
def sample(generator: nn.Module, n: int, generator_rng: torch.Generator | None = None) -> Tensor:
    """Draw samples G(z), z ~ N(0, I), in evaluation mode.

    Args:
        generator: z (B, latent_dim) -> samples (B, dim); has `latent_dim`. Every submodule's mode is put back, and
            running statistics stay as they are.
        n: number of samples, at least 1.
        generator_rng: source of z; None is torch's global generator.

    Returns:
        (n, dim), detached, of the generator's dtype.
    """
    ### BEGIN SOLUTION
    like = next(generator.parameters())
    z = standard_normal((n, generator.latent_dim), like=like, rng=generator_rng)
    modes = [(module, module.training) for module in generator.modules()]
    generator.eval()
    try:
        with torch.no_grad():
            return generator(z)  # (n, dim)
    finally:
        for module, training in modes:
            module.training = training
    ### END SOLUTION


def diversity(x: Tensor) -> Tensor:
    """Mean Euclidean distance of the n(n-1)/2 pairs of rows.

    Args:
        x: (n, dim), n ≥ 2.

    Returns:
        Scalar.

    Raises:
        ValueError: fewer than two rows.
    """
    ### BEGIN SOLUTION
    if len(x) < 2:
        raise ValueError(f"x: expected at least 2 rows, got {len(x)}")
    return F.pdist(x).mean()
    ### END SOLUTION


def collapse_report(
    samples: Tensor, data: Tensor, classify: Callable[[Tensor], Tensor], n_modes: int, threshold: float = 0.1
) -> dict[str, int | float | bool]:
    """Say which modes of the data the samples have kept, and how varied they are.

    Args:
        samples: (n, dim), n ≥ 2.
        data: (m, dim), m ≥ 2.
        classify: x (n, dim) -> modes (n,), integers in 0..n_modes-1; any callable.
        n_modes: number of modes, at least 1.
        threshold: in [0, 1]; the part of a mode's share in the data that its share in the samples must reach.

    Returns:
        "covered": int, the number of modes with r_k > 0, s_k > 0 and s_k ≥ threshold · r_k.
        "kl": float, Σ s_k log(s_k / r_k) in nats; inf where r_k = 0 < s_k.
        "diversity": float, that of samples over that of data.
        "collapsed": bool, covered is less than half the number of modes with r_k > 0, or diversity < 0.5.
        Other keys are free.

    Raises:
        ValueError: samples and data differ in width; n_modes below 1; threshold outside [0, 1].
    """
    ### BEGIN SOLUTION
    if samples.ndim != 2 or data.ndim != 2 or samples.shape[1] != data.shape[1]:
        raise ValueError(f"samples: expected shape (n, {data.shape[-1]}), got {tuple(samples.shape)}")
    if n_modes < 1:
        raise ValueError(f"n_modes: expected at least 1, got {n_modes}")
    if not 0.0 <= threshold <= 1.0:
        raise ValueError(f"threshold: expected a number in [0, 1], got {threshold}")
    s, r = (torch.bincount(classify(x), minlength=n_modes).double() / len(x) for x in (samples, data))  # (K,)
    present = r > 0
    covered = int((present & (s > 0) & (s >= threshold * r)).sum())
    kl = (torch.xlogy(s, s) - torch.xlogy(s, r)).sum().item()
    ratio = (diversity(samples) / diversity(data)).item()
    collapsed = covered < int(present.sum()) / 2 or ratio < 0.5
    return {"covered": covered, "kl": kl, "diversity": ratio, "collapsed": collapsed}
    ### END SOLUTION


# %% [markdown]
# ## 8. Quiz
#
# Answer in `ANSWERS`, with numbers or letters; the numbers in the questions are your own.

# %%
### BEGIN PERSONAL
PERSONAL = {"p": [0.4, 0.5, 0.1], "q": [0.6, 0.2, 0.2], "smoothing": 0.25, "p_data": 0.6, "p_g": 0.9, "fooled": 0.02}
QUIZ = {
    "value": "On three points the data have the probabilities [0.4, 0.5, 0.1] and the generator [0.6, 0.2, "
    "0.2]. What is the value of the game, in nats, against the best discriminator? [number, right to "
    "0.001]",
    "smoothed": "At some x the density of the data is 0.6 and that of the generator 0.9. What does the best "
    "discriminator answer there when the labels of real samples are smoothed by s = 0.25 "
    "(one-sided)? [number, right to 0.001]",
    "saturating": "The discriminator gives a fake the probability D = 0.02 of being real. What is the "
    "derivative of the saturating loss log(1 - D) of the generator by the logit of this fake? "
    "[number, right to 0.001]",
    "non_saturating": "For the same fake, D = 0.02: what is the derivative of the non-saturating loss -log D by "
    "its logit? [number, right to 0.001]",
    "apart": "Why do real and generated samples go through a discriminator with batch normalisation in two "
    "batches? (a) joined they would need twice the memory; (b) joined, mean and variance would mix "
    "both kinds, and a logit would depend on the fakes that stand beside it; (c) a joined batch has no "
    "gradient by the fakes; (d) a joined batch would need two optimisers. [one letter]",
}
### END PERSONAL
ANSWERS = {"value": None, "smoothed": None, "saturating": None, "non_saturating": None, "apart": None}
### BEGIN SOLUTION
_p, _q = (torch.tensor(PERSONAL[name], dtype=torch.float64) for name in ("p", "q"))
_d = PERSONAL["fooled"]
ANSWERS = {
    "value": game_value(_p / (_p + _q), _p, _q).item(),
    "smoothed": (1 - PERSONAL["smoothing"]) * PERSONAL["p_data"] / (PERSONAL["p_data"] + PERSONAL["p_g"]),
    "saturating": -_d,
    "non_saturating": _d - 1,
    "apart": "b",
}
### END SOLUTION

# %% [markdown]
# ## 9. Figures
#
# `make_figures` is given. It needs no data files: it draws the ten digits by itself, with 5 × 3 pixels in a
# frame of 8 × 8, moved, blurred and noisy. It shows the gradients of the losses of $G$, and three generators
# (with batch normalisation, without it and with much momentum, and as a Wasserstein GAN) with their reports.


# %%
# Rows of 3 pixels, from above.
FIGURES = (
    "111101101101111", "010110010010111", "111001111100111", "111001111001111", "101101111001001",
    "111100111001111", "111100111101111", "111001010010010", "111101111101111", "111101111001111",
)  # fmt: skip


def small_figures(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw n images of 8 × 8 pixels in [-1, 1], (n, 64), and the digits 0 to 9 that they show, (n,)."""
    shapes = torch.tensor([[float(bit) for bit in bits] for bits in FIGURES]).reshape(10, 5, 3)
    labels = torch.randint(10, (n,), generator=rng)
    images = torch.zeros(n, 8, 8)
    down, right = torch.randint(1, 3, (n,), generator=rng), torch.randint(2, 4, (n,), generator=rng)
    for i in range(n):
        images[i, down[i] : down[i] + 5, right[i] : right[i] + 3] = shapes[labels[i]]
    soft = F.avg_pool2d(F.pad(images[:, None], (1, 1, 1, 1)), 3, stride=1)[:, 0]
    images = 0.7 * images + 0.3 * soft + 0.1 * torch.randn(n, 8, 8, generator=rng)
    return (2 * images - 1).clamp(-1, 1).reshape(n, 64), labels


def make_figures(folder: str | Path) -> list[Path]:
    """Draw the losses' gradients and three trained generators in `folder`; returns the paths. Takes ten seconds."""
    from matplotlib.figure import Figure

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = torch.Generator().manual_seed(0)
    saved = []

    def save(figure: Figure, name: str) -> None:
        figure.savefig(folder / name, dpi=110, bbox_inches="tight")
        saved.append(folder / name)
        if "ipykernel" in sys.modules:  # in a notebook the figure is shown as well
            from IPython.display import display

            display(figure)

    figure = Figure(figsize=(10, 3.4))
    left, right = figure.subplots(1, 2)
    logits = torch.linspace(-6.0, 6.0, 200)
    labels = "non-saturating", "saturating", "Wasserstein"
    for loss, label in zip(LOSSES, labels, strict=True):
        x = logits.clone().requires_grad_()
        (slope,) = torch.autograd.grad(len(x) * generator_loss(x, loss=loss), x)
        left.plot(logits, slope, label=label)
    left.set(title="Gradient of the generator's loss", xlabel="logit of a fake")
    left.legend()
    axis = torch.linspace(-4.0, 6.0, 300)
    log_p, log_q = (-0.5 * (axis - mean) ** 2 - 0.5 * math.log(2 * math.pi) for mean in (0.0, 2.0))
    right.plot(axis, log_p.exp(), label="data")
    right.plot(axis, log_q.exp(), label="generator")
    right.plot(axis, optimal_discriminator(log_p, log_q), label="D*")
    right.plot(axis, optimal_discriminator(log_p, log_q, smoothing=0.2), label="D*, smoothing 0.2", linestyle="--")
    right.set(title="The best discriminator")
    right.legend(fontsize="small")
    figure.tight_layout()
    save(figure, "game.png")

    data, labels = small_figures(2000, rng)
    classify = nearest_centroid(data, labels)
    labels = "batch normalisation", "none, much momentum", "Wasserstein"
    runs = (
        (True, {}),
        (False, {"betas": (0.9, 0.999)}),
        (False, {"loss": "wasserstein", "clip": 0.05, "betas": (0.0, 0.9), "n_discriminator": 3}),
    )
    figure = Figure(figsize=(11, 4.4))
    for axes, name, (batch_norm, settings) in zip(figure.subplots(1, 3), labels, runs, strict=True):
        generator = Generator(dim=64, hidden=64, batch_norm=batch_norm)
        train_gan(generator, Discriminator(dim=64, hidden=64), data, 600, generator_rng=rng, **settings)
        x = sample(generator, 1000, generator_rng=rng)
        report = collapse_report(x, data, classify, 10)
        sheet = x[:64].reshape(8, 8, 8, 8).transpose(1, 2).reshape(64, 64)
        axes.imshow(sheet, cmap="gray", vmin=-1, vmax=1)
        label = "collapsed" if report["collapsed"] else "not collapsed"
        title = f"{name}: {label}\n{report['covered']} of 10 modes, diversity {report['diversity']:.2f}"
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    figure.tight_layout()
    save(figure, "collapse.png")
    return saved


# %%
if __name__ == "__main__":
    make_figures("figures")
