# %% [markdown]
# # Variational auto-encoder: a density you can sample
#
# An auto-encoder compresses, but its latent space has holes: decode a point that no image was sent to, and nothing
# guarantees that it looks like an image. The **variational auto-encoder** (VAE) repairs this. It is a probabilistic
# model, trained to maximise a lower bound on the likelihood, and its latent space is pressed towards a law that we
# can draw from.
#
# You will write a VAE 784-64-2-64-784 for the digits of MNIST, train it in less than a minute on a CPU,
# draw new digits, walk from one digit to another and measure how tight the bound is.
#
# ## The model
#
# An image $x \in [0, 1]^{784}$ (28 × 28 grey levels, one row each) is explained by a latent point
# $z \in \mathbb R^d$:
#
# $$ z \sim p(z) = \mathcal N(0, I_d), \qquad
#    p_\theta(x \mid z) = \prod_{i=1}^{784} \pi_i^{x_i} (1 - \pi_i)^{1 - x_i},
#    \qquad \pi = \operatorname{sigmoid}(\ell), \quad \ell = \mathrm{decoder}_\theta(z). $$
#
# The decoder answers **logits** $\ell$, any real numbers; $\pi_i$ is the mean of pixel $i$. For black and white
# pixels this is a law. With grey ones it is no normalised density (it is off by 540 nats and more over 784 pixels)
# but minus a cross-entropy: its values compare only models that are trained with it. A law for grey pixels is the
# continuous Bernoulli (Loaiza-Ganem and Cunningham 2019). The likelihood
# $p_\theta(x) = \int p_\theta(x \mid z)\, p(z)\, dz$ has no closed form: for nearly every $z$ the integrand is next
# to nothing. So a second network, the **encoder**, proposes for each image the region of $z$ that matters:
#
# $$ q_\phi(z \mid x) = \mathcal N\!\left(\mu(x),\ \operatorname{diag}(\sigma^2(x))\right),
#    \qquad \log \sigma^2(x) = \texttt{logvar}(x). $$
#
# The encoder answers the logarithm of the *variance*, so that any real number is allowed. Hence
# $\sigma = \exp(\texttt{logvar} / 2)$.
#
# ## The evidence lower bound (ELBO)
#
# Jensen's inequality, applied to the logarithm of an expectation under $q$:
#
# $$ \log p_\theta(x) = \log \mathbb E_{q(z|x)}\!\left[\frac{p_\theta(x \mid z)\, p(z)}{q(z \mid x)}\right]
#    \ \ge\ \mathbb E_{q(z|x)}[\log p_\theta(x \mid z)]
#    - \mathrm{KL}(q(z \mid x)\,\|\,p(z)) = \mathrm{ELBO}(x). $$
#
# The first term is the *reconstruction*, the second the *price of the code*. The gap is
# $\mathrm{KL}(q(z \mid x) \,\|\, p(z \mid x)) \ge 0$: the bound is tight where the encoder finds the true posterior.
# With weight $\beta$ on the second term one speaks of a β-VAE; β = 1 is the bound itself. All logarithms are natural:
# values are in **nats per image**.
#
# Both terms are easy:
#
# - the KL divergence from $q$ to the prior $\mathcal N(0, I)$ has a closed form,
#   $\displaystyle \mathrm{KL} = \tfrac12 \sum_{j=1}^d \left(\mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2\right)$;
# - the reconstruction term is estimated with a single draw of $z$ per image.
#
# ## The reparameterisation trick
#
# A draw $z \sim q_\phi(z \mid x)$ hides how $z$ depends on $\phi$. Written $z = \mu + \sigma \odot
# \varepsilon$ with $\varepsilon \sim \mathcal N(0, I)$, the randomness is an input and the gradient flows
# through $\mu$ and $\sigma$.
#
# ## A tighter bound
#
# With $k$ independent draws $z_1, \dots, z_k \sim q(z \mid x)$,
#
# $$ \mathcal L_k(x) = \mathbb E\left[\log \frac1k \sum_{j=1}^k
#    \frac{p_\theta(x \mid z_j)\, p(z_j)}{q(z_j \mid x)}\right],
#    \qquad \mathrm{ELBO} = \mathcal L_1 \le \mathcal L_2 \le \dots \le \log p_\theta(x). $$
#
# The logarithm is *outside* the mean; the mean of the log-weights would be the ELBO again, however large
# $k$ is.
#
# ## Sources
#
# - Course slides S3 (module 5: ELBO, reparameterisation, the network 784-64-2-64-784).
# - D. P. Kingma, M. Welling, *Auto-Encoding Variational Bayes*, ICLR 2014, arXiv:1312.6114: ELBO, trick,
#   closed form of the KL divergence (appendix B).
# - D. J. Rezende, S. Mohamed, D. Wierstra, *Stochastic Backpropagation*, ICML 2014, arXiv:1401.4082.
# - Y. Burda, R. Grosse, R. Salakhutdinov, *Importance Weighted Autoencoders*, ICLR 2016, arXiv:1509.00519.
# - I. Higgins et al., *β-VAE*, ICLR 2017.
#
# ## What you do, and how it is judged
#
# Write what stands after `# YOUR CODE HERE`; keep names, arguments and shapes. Most points come from exact checks in
# float64 of one function on fresh numbers, each on its own: a fault in one function should cost its own points only.
# `train_vae`, `sample`, `interpolate` and the bound are tried on models other than yours, with other numbers of
# latent coordinates: one update of such a model has to move its weights up the mean ELBO of the batch. Then one short
# training of your model shows that the parts work together: ELBO of digits that the model has not seen, a posterior
# that carries information, samples that look like digits and are not copies. The pixels of these digits are in an
# order that nobody knows; layers that join all pixels do not notice. Form (dtypes, refusals) counts only where the
# values of the same function are right.
#
# The training that is judged: `VAE(latent_dim=2, hidden=64)`, the default `batch_size` and `lr`,
# {judged:training.EPOCHS} epochs on 8,000 digits ({judged:training.EPOCHS_ON_FEW} on the 1,400 small digits of
# scikit-learn where MNIST is not there). Of your samples the 60 % nearest to digits are looked at. Use Adam: the
# limits were measured with it.
#
# Points ({points}): encoder, decoder and model ({points:networks}), the terms of the bound ({points:terms}),
# sampling, interpolation and the tighter bound ({points:generation}), training ({points:training}), conventions and
# refusals ({points:conventions}), quiz ({points:quiz}).
#
# - Tensors in, tensors out; the dtype (float32 or float64) and the device of the input are kept. Batch first.
#   No function changes the tensors that it is given.
# - Randomness is explicit: `eps` is used as given, other draws come from `generator` (`None`: torch's global
#   generator, which nothing here seeds).
# - Bad arguments (shapes that do not match, a count below 1) raise `ValueError` with a message that names the
#   argument and what was got.

# %%
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PIXELS = 784  # 28 × 28, row by row


# %% [markdown]
# Two functions are given: a standard normal draw that respects `generator` and the device, and a progress
# bar.


# %%
def standard_normal(shape: Sequence[int], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw from N(0, 1) with the dtype and the device of `like`; a generator draws on its own device."""
    device = like.device if generator is None else generator.device
    return torch.randn(*shape, dtype=like.dtype, device=device, generator=generator).to(like.device)


def with_progress(steps: Iterable[int], title: str, show: bool) -> Iterable[int]:
    """Pass the steps through, with a progress bar where `show` is true."""
    if not show:
        return steps
    from rich.progress import track

    return track(steps, description=title)


# %% [markdown]
# ## 1. Encoder and decoder
#
# Each has one hidden layer of `hidden` units with a ReLU (other activations, or more layers, are welcome;
# the shapes are not negotiable). The encoder ends in **two** affine heads on the same hidden units: $\mu$
# and $\log\sigma^2$ are two different functions of the image. The decoder ends without activation.


# %%
class Encoder(nn.Module):
    """The approximate posterior q(z | x): an image to the mean and log-variance of a Gaussian (S3).

    Args:
        latent_dim: d, the number of latent coordinates, at least 1.
        hidden: the number of hidden units.
    """

    def __init__(self, latent_dim: int = 2, hidden: int = 64):
        super().__init__()
        ### BEGIN SOLUTION
        self.hidden = nn.Linear(PIXELS, hidden)
        self.mu = nn.Linear(hidden, latent_dim)
        self.logvar = nn.Linear(hidden, latent_dim)
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode images.

        Args:
            x: images, shape (B, 784), values in [0, 1].

        Returns:
            mu: (B, latent_dim); logvar = log σ²: (B, latent_dim), any real numbers.

        Raises:
            ValueError: x is not of shape (B, 784).
        """
        ### BEGIN SOLUTION
        if x.ndim != 2 or x.shape[1] != PIXELS:
            raise ValueError(f"x: expected shape (B, {PIXELS}), got {tuple(x.shape)}")
        h = F.relu(self.hidden(x))  # (B, hidden)
        return self.mu(h), self.logvar(h)  # (B, d), (B, d)
        ### END SOLUTION


# %%
class Decoder(nn.Module):
    """The likelihood p(x | z): a latent point to the logits of 784 independent Bernoulli pixels (S3).

    Args:
        latent_dim: d, the number of latent coordinates, at least 1.
        hidden: the number of hidden units.
    """

    def __init__(self, latent_dim: int = 2, hidden: int = 64):
        super().__init__()
        ### BEGIN SOLUTION
        self.latent_dim = latent_dim
        self.hidden = nn.Linear(latent_dim, hidden)
        self.logits = nn.Linear(hidden, PIXELS)
        ### END SOLUTION

    def forward(self, z: Tensor) -> Tensor:
        """Decode latent points.

        Args:
            z: latent points, shape (B, latent_dim).

        Returns:
            logits: (B, 784), any real numbers; sigmoid(logits) are the pixel means.

        Raises:
            ValueError: z is not of shape (B, latent_dim).
        """
        ### BEGIN SOLUTION
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(f"z: expected shape (B, {self.latent_dim}), got {tuple(z.shape)}")
        h = F.relu(self.hidden(z))  # (B, hidden)
        return self.logits(h)  # (B, 784)
        ### END SOLUTION


# %% [markdown]
# ## 2. The reparameterisation


# %%
def reparameterize(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """Turn noise into a draw from q: z = μ + exp(logvar / 2) ⊙ ε (Kingma & Welling 2014, § 2.4).

    Args:
        mu: means, (B, d).
        logvar: log-variances log σ², (B, d).
        eps: noise, (B, d), used as given.

    Returns:
        z: (B, d), differentiable in mu and logvar.

    Raises:
        ValueError: the three shapes differ.
    """
    ### BEGIN SOLUTION
    if not mu.shape == logvar.shape == eps.shape:
        raise ValueError(
            "mu, logvar and eps: expected one shape, got "
            f"{tuple(mu.shape)}, {tuple(logvar.shape)} and {tuple(eps.shape)}"
        )
    return mu + torch.exp(0.5 * logvar) * eps
    ### END SOLUTION


# %% [markdown]
# ## 3. The two terms of the ELBO
#
# With logits, $\log \pi = -\operatorname{softplus}(-\ell)$ and $\log(1 - \pi) =
# -\operatorname{softplus}(\ell)$, so
#
# $$ \log p(x \mid z) = \sum_{i=1}^{784} x_i \log \pi_i + (1 - x_i) \log (1 - \pi_i)
#    = \sum_{i=1}^{784} x_i \ell_i - \operatorname{softplus}(\ell_i). $$
#
# The last form is finite for any logit, where `log(sigmoid(l))` becomes $-\infty$. The same formula serves
# grey pixels $0 < x_i < 1$, as minus a cross-entropy. It is a **sum** over the pixels: with their
# mean, the KL term would weigh 784 times too much and the latent code would die out.


# %%
def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, I)) = ½ Σ_j (μ_j² + σ_j² - 1 - log σ_j²) (Kingma & Welling 2014, appendix B).

    Args:
        mu: means, (B, d).
        logvar: log-variances log σ², (B, d).

    Returns:
        Divergences in nats, (B,), never negative, zero where mu = 0 and logvar = 0.

    Raises:
        ValueError: the shapes of mu and logvar differ.
    """
    ### BEGIN SOLUTION
    if mu.shape != logvar.shape:
        raise ValueError(f"mu and logvar: expected one shape, got {tuple(mu.shape)} and {tuple(logvar.shape)}")
    return 0.5 * (mu**2 + logvar.exp() - 1.0 - logvar).sum(dim=-1)  # (B, d) -> (B,)
    ### END SOLUTION


def reconstruction_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    """Bernoulli log-likelihood log p(x | z) = Σ_i x_i ℓ_i - softplus(ℓ_i), summed over the pixels (S3).

    Args:
        logits: logits ℓ of the pixel means, (B, 784), any real numbers.
        x: images, (B, 784), grey levels in [0, 1].

    Returns:
        Log-likelihoods in nats, (B,), never positive and finite for any finite logits.

    Raises:
        ValueError: the shapes of logits and x differ.
    """
    ### BEGIN SOLUTION
    if logits.shape != x.shape:
        raise ValueError(f"logits and x: expected one shape, got {tuple(logits.shape)} and {tuple(x.shape)}")
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1)  # (B, 784) -> (B,)
    ### END SOLUTION


def elbo(x: Tensor, logits: Tensor, mu: Tensor, logvar: Tensor, beta: float = 1.0) -> Tensor:
    """Evidence lower bound, one draw per image: log p(x | z) - β KL(q(z | x) ‖ p(z)) (S3).

    Args:
        x: images, (B, 784), grey levels in [0, 1].
        logits: decoder's answer for one draw of z per image, (B, 784).
        mu, logvar: encoder's answer, (B, d) each.
        beta: weight of the KL divergence (Higgins et al. 2017); 1 is the bound itself.

    Returns:
        ELBO in nats, (B,): to be *maximised*.

    Raises:
        ValueError: shapes that do not match.
    """
    ### BEGIN SOLUTION
    return reconstruction_log_likelihood(logits, x) - beta * kl_divergence(mu, logvar)  # (B,)
    ### END SOLUTION


# %% [markdown]
# ## 4. The model


# %%
class VAE(nn.Module):
    """Encoder, reparameterisation and decoder in one module.

    Attributes:
        encoder: an `Encoder`. decoder: a `Decoder`. latent_dim: d.
    """

    def __init__(self, latent_dim: int = 2, hidden: int = 64):
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = Encoder(latent_dim=latent_dim, hidden=hidden)
        self.decoder = Decoder(latent_dim=latent_dim, hidden=hidden)

    def forward(self, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode, draw with the given noise, decode.

        Args:
            x: images, (B, 784), values in [0, 1].
            eps: noise, (B, latent_dim), used as given.

        Returns:
            logits: (B, 784); mu: (B, latent_dim); logvar: (B, latent_dim).

        Raises:
            ValueError: shapes that do not match.
        """
        ### BEGIN SOLUTION
        mu, logvar = self.encoder(x)  # (B, d), (B, d)
        z = reparameterize(mu, logvar, eps)  # (B, d)
        return self.decoder(z), mu, logvar  # (B, 784), (B, d), (B, d)
        ### END SOLUTION


# %% [markdown]
# ## 5. Training
#
# Maximise the mean ELBO (β = 1) by stochastic gradient ascent: in every epoch visit all images once in a
# fresh random order, in batches of `batch_size`, **the last, smaller batch included**. For each batch draw
# fresh noise, compute the mean ELBO of the batch and let Adam minimise its negative with learning rate
# `lr`.
#
# On 8,000 digits, with the defaults, 20 epochs bring the ELBO of unseen digits to about -170 nats (a
# decoder that ignores its code stays at -205, an untrained model starts at about -545).
#
# Why unseen digits? A model that only *memorises* its training images draws perfect samples and has learnt nothing
# about other digits. One that *generalises* gives digits that it has not seen nearly the likelihood of those that
# it has, and draws samples that are no copies. Both are looked at.


# %%
def train_vae(
    model: nn.Module,
    x: Tensor,
    epochs: int,
    batch_size: int = 128,
    lr: float = 1e-3,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Maximise the mean ELBO of the images with Adam; the model is changed in place.

    Args:
        model: a `VAE`.
        x: training images, (n, 784), values in [0, 1], of the model's dtype.
        epochs: passes over the data, at least 1.
        batch_size: images per update, at least 1; the last batch of an epoch may be smaller and is used.
        lr: learning rate.
        generator: source of the orders and of the noise; None is torch's global generator.
        progress: show a progress bar.

    Returns:
        history: `history["elbo"]` holds one float per epoch, the mean ELBO per image in nats (β = 1).

    Raises:
        ValueError: epochs or batch_size below 1; x not of shape (n, 784) with n ≥ 1.
    """
    ### BEGIN SOLUTION
    if epochs < 1:
        raise ValueError(f"epochs: expected at least 1, got {epochs}")
    if batch_size < 1:
        raise ValueError(f"batch_size: expected at least 1, got {batch_size}")
    if x.ndim != 2 or x.shape[1] != PIXELS or len(x) < 1:
        raise ValueError(f"x: expected shape (n, {PIXELS}) with n ≥ 1, got {tuple(x.shape)}")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history: dict[str, list[float]] = {"elbo": []}
    order_device = "cpu" if generator is None else generator.device
    for _ in with_progress(range(epochs), "training the VAE", progress):
        total = 0.0
        order = torch.randperm(len(x), generator=generator, device=order_device).to(x.device)  # (n,)
        for rows in order.split(batch_size):
            batch = x[rows]  # (b, 784)
            eps = standard_normal((len(batch), model.latent_dim), like=batch, generator=generator)  # (b, d)
            logits, mu, logvar = model(batch, eps)
            bounds = elbo(batch, logits, mu, logvar)  # (b,)
            optimizer.zero_grad()
            (-bounds.mean()).backward()
            optimizer.step()
            total += bounds.sum().item()  # a sum, so that a smaller last batch weighs by its images
        history["elbo"].append(total / len(x))
    return history
    ### END SOLUTION


# %% [markdown]
# ## 6. Sampling, interpolating, measuring the bound
#
# These three use only `model.encoder`, `model.decoder` and `model.latent_dim`, so they work with any model
# that has them. Images are answered as **pixel means** $\operatorname{sigmoid}(\ell)$, not as logits and
# not as coin tosses.
#
# For the importance-weighted bound with $z_j = \mu + \sigma \odot \varepsilon_j$ the constants $\log 2\pi$
# cancel:
#
# $$ \log w_j = \log p(x \mid z_j) + \log p(z_j) - \log q(z_j \mid x)
#    = \log p(x \mid z_j) + \tfrac12 \sum_i \left(\varepsilon_{ji}^2 + \log\sigma_i^2 - z_{ji}^2\right). $$
#
# Use log-sum-exp: the weights themselves are as small as $e^{-500}$, too small for a float32.


# %%
def sample(model: nn.Module, n: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw new images: z ~ N(0, I), then the pixel means sigmoid(decoder(z)) (S3).

    Args:
        model: has `decoder` and `latent_dim`.
        n: number of images, at least 1.
        generator: source of z.

    Returns:
        Pixel means, (n, 784), in [0, 1], detached, of the model's dtype.

    Raises:
        ValueError: n below 1.
    """
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    weight = next(model.parameters())  # tells the model's dtype and device
    z = standard_normal((n, model.latent_dim), like=weight, generator=generator)  # (n, d)
    with torch.no_grad():
        return torch.sigmoid(model.decoder(z))  # (n, 784)
    ### END SOLUTION


def interpolate(model: nn.Module, z1: Tensor, z2: Tensor, steps: int) -> Tensor:
    """Decode evenly spaced points of the straight line from z1 to z2.

    Args:
        model: has `decoder`.
        z1, z2: the two ends, (latent_dim,) each.
        steps: number of images, both ends included, at least 1 (1: z1 alone).

    Returns:
        Pixel means, (steps, 784), in [0, 1]: row 0 decodes z1, the last row decodes z2.

    Raises:
        ValueError: steps below 1; the shapes of z1 and z2 differ.
    """
    ### BEGIN SOLUTION
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    if z1.shape != z2.shape:
        raise ValueError(f"z1 and z2: expected one shape, got {tuple(z1.shape)} and {tuple(z2.shape)}")
    t = torch.linspace(0.0, 1.0, steps, dtype=z1.dtype, device=z1.device)[:, None]  # (steps, 1)
    z = (1.0 - t) * z1 + t * z2  # (steps, d)
    return torch.sigmoid(model.decoder(z))  # (steps, 784)
    ### END SOLUTION


def importance_weighted_bound(model: nn.Module, x: Tensor, k: int, generator: torch.Generator | None = None) -> Tensor:
    """Estimate log p(x) from below: log (1/k) Σ_j p(x | z_j) p(z_j) / q(z_j | x) with z_j ~ q(z | x).

    This is the bound of importance-weighted auto-encoders (Burda et al. 2016, eq. 8). Its mean grows
    with k from the ELBO (k = 1) to log p(x).

    Args:
        model: has `encoder`, `decoder` and `latent_dim`.
        x: images, (B, 784), values in [0, 1].
        k: draws per image, at least 1; the draws of two images are independent.
        generator: source of the draws.

    Returns:
        Bounds in nats, (B,).

    Raises:
        ValueError: k below 1.
    """
    ### BEGIN SOLUTION
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    mu, logvar = model.encoder(x)  # (B, d), (B, d)
    log_weights = []
    for _ in range(k):  # one draw of the whole batch at a time: memory does not grow with k under no_grad
        eps = standard_normal(mu.shape, like=mu, generator=generator)  # (B, d)
        z = reparameterize(mu, logvar, eps)  # (B, d)
        log_prior_ratio = 0.5 * (eps**2 + logvar - z**2).sum(dim=-1)  # log p(z) - log q(z | x), (B,)
        log_weights.append(reconstruction_log_likelihood(model.decoder(z), x) + log_prior_ratio)
    return torch.logsumexp(torch.stack(log_weights), dim=0) - math.log(k)  # (k, B) -> (B,)
    ### END SOLUTION


# %% [markdown]
# ## 7. Quiz
#
# Answer in `ANSWERS`, with numbers or letters; the numbers in the questions are your own.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "mu": [-0.7, -1.2],
    "logvar": [-0.7, 0.1],
    "log_weights": [-95.4, -97.2, -98.1],
    "hidden": 200,
    "latent_dim": 8,
}
QUIZ = {
    "kl": (
        "An encoder answers mu = [-0.7, -1.2] and logvar = [-0.7, 0.1] for one image. How large is "
        "KL(q(z|x) ‖ N(0, I)), in nats? [number, right to 0.001]"
    ),
    "bound": (
        "Three draws from q(z|x) have log p(x, z) - log q(z|x) = [-95.4, -97.2, -98.1]. What is the "
        "importance-weighted bound on log p(x) with these k = 3 draws, in nats? [number, right to "
        "0.001]"
    ),
    "parameters": (
        "How many trainable numbers has a VAE 784-200-8-200-784 whose layers are all affine with a "
        "bias, mu and logvar being two separate layers on the same 200 hidden units? [integer]"
    ),
    "gap": (
        "How far is the ELBO of an image below its log p(x)? (a) by KL(q(z|x) ‖ p(z)); (b) by "
        "KL(q(z|x) ‖ p(z|x)); (c) by KL(p(z|x) ‖ q(z|x)); (d) by the reconstruction error. [one "
        "letter]"
    ),
}
### END PERSONAL
ANSWERS = {"kl": None, "bound": None, "parameters": None, "gap": None}
### BEGIN SOLUTION
_posterior = PERSONAL["mu"], PERSONAL["logvar"]
ANSWERS = {
    "kl": 0.5 * sum(m * m + math.exp(v) - 1.0 - v for m, v in zip(*_posterior, strict=True)),
    "bound": math.log(sum(math.exp(w + 95.0) for w in PERSONAL["log_weights"]) / 3) - 95.0,
    "parameters": 2 * PIXELS * PERSONAL["hidden"]
    + 3 * PERSONAL["hidden"] * PERSONAL["latent_dim"]
    + 2 * PERSONAL["hidden"]
    + 2 * PERSONAL["latent_dim"]
    + PIXELS,
    "gap": "b",
}
### END SOLUTION

# %% [markdown]
# ## 8. Figures
#
# `make_figures` is given. It trains your model on toy images (ellipses that lean to the left or to the
# right) and shows the training curve with the bound at several $k$, the posterior means of both kinds of
# images, the decoded plane of latent points, samples and an interpolation. Try it with the real digits,
# too.


# %%
def toy_images(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw leaning ellipses: images (n, 784) in [0, 1] and their angles (n,) in radians."""
    axis = torch.linspace(-1.0, 1.0, 28)
    v, u = torch.meshgrid(axis, axis, indexing="ij")  # (28, 28) each, v downwards
    angle = (0.35 + 0.6 * torch.rand(n, generator=generator)) * (2 * torch.randint(2, (n,), generator=generator) - 1)
    width = 0.15 + 0.35 * torch.rand(n, generator=generator)
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    across = (u * cos + v * sin) / width[:, None, None]  # (n, 28, 28)
    along = (v * cos - u * sin) / 0.75
    radius = (across**2 + along**2).sqrt()
    return torch.sigmoid(12 * (1 - radius)).reshape(n, PIXELS), angle


def make_figures(folder: str | Path) -> list[Path]:
    """Train on toy images and save four figures in `folder`; returns their paths. Takes about ten seconds."""
    from matplotlib.figure import Figure

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    x, angle = toy_images(3000, generator)
    model = VAE(latent_dim=2, hidden=64)
    history = train_vae(model, x, epochs=30, generator=generator)
    saved = []

    def save(figure: Figure, name: str) -> None:
        figure.savefig(folder / name, dpi=110, bbox_inches="tight")
        saved.append(folder / name)
        if "ipykernel" in sys.modules:  # in a notebook the figure is shown as well
            from IPython.display import display

            display(figure)

    def show(axes, image: Tensor, title: str) -> None:
        axes.imshow(image.detach(), cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(title)
        axes.set_axis_off()

    figure = Figure(figsize=(9, 3.2))
    left, right = figure.subplots(1, 2)
    left.plot(range(1, len(history["elbo"]) + 1), history["elbo"])
    left.set(xlabel="epoch", ylabel="ELBO (nats per image)", title="Training")
    counts = [1, 2, 5, 10, 20, 50]
    with torch.no_grad():
        bounds = [importance_weighted_bound(model, x[:500], k, generator).mean().item() for k in counts]
    right.semilogx(counts, bounds, "o-")
    right.set(xlabel="draws per image k", ylabel="bound (nats per image)", title="Importance-weighted bound")
    figure.tight_layout()
    save(figure, "elbo.png")

    figure = Figure(figsize=(5, 4))
    axes = figure.subplots()
    with torch.no_grad():
        mu, _ = model.encoder(x)  # (n, 2)
    points = axes.scatter(mu[:, 0], mu[:, 1], c=angle, cmap="coolwarm", s=4)
    figure.colorbar(points, label="angle of the ellipse (radians)")
    axes.set(xlabel="$z_1$", ylabel="$z_2$", title="Posterior means", aspect="equal")
    save(figure, "latent_space.png")

    # A grid of quantiles of N(0, 1): every cell has the same prior probability.
    side = 15
    quantiles = torch.special.ndtri((torch.arange(side) + 0.5) / side)
    grid = torch.cartesian_prod(quantiles.flip(0), quantiles).flip(1)  # (side², 2): z_2 falls along rows
    with torch.no_grad():
        images = torch.sigmoid(model.decoder(grid)).reshape(side, side, 28, 28)
    figure = Figure(figsize=(5, 5))
    show(figure.subplots(), images.permute(0, 2, 1, 3).reshape(side * 28, side * 28), title="Decoded latent plane")
    save(figure, "latent_plane.png")

    figure = Figure(figsize=(9, 2.6))
    top, bottom = figure.subplots(2, 1)
    drawn = sample(model, 10, generator=generator)  # (10, 784)
    show(top, drawn.reshape(10, 28, 28).permute(1, 0, 2).reshape(28, 280), title="Samples")
    line = interpolate(model, mu[angle.argmin()], mu[angle.argmax()], steps=10)
    show(bottom, line.reshape(10, 28, 28).permute(1, 0, 2).reshape(28, 280), title="Interpolation")
    save(figure, "samples.png")
    return saved


# %%
if __name__ == "__main__":
    make_figures("figures")
