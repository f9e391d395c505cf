# %% [markdown]
# # Is it any good? Judging generative models
#
# A classifier has an accuracy. A generative model has no single number like it: it should put its mass where the data
# are (*quality*), everywhere where they are (*diversity*), and it should have *learnt* them and not *stored* them
# (*generalisation*). Each measure of this exercise sees one of these and is blind to another, and each has a trap that
# has fooled published comparisons. You write the measures, and at the end the table in which models are compared.
#
# **Sources.** Course slides of module 5 on evaluation and the comparison of models (S3), the lecture notes on memory
# and generalisation (S2, figure 13), the slides on the projection of codes by t-SNE (S1). L. Theis, A. van den Oord
# and M. Bethge, *A note on the evaluation of generative models* (2016). M. Heusel and others, *GANs trained by a two
# time-scale update rule converge to a local Nash equilibrium* (2017: FID). M. J. Chong and D. Forsyth, *Effectively
# unbiased FID and inception score* (2020). M. Bińkowski and others, *Demystifying MMD GANs* (2018: KID). T. Salimans
# and others, *Improved techniques for training GANs* (2016: inception score). T. Kynkäänniemi and others, *Improved
# precision and recall metric* (2019). M. F. Naeem and others, *Reliable fidelity and diversity metrics* (2020:
# density and coverage). T. Yoon and others, *Diffusion probabilistic models generalize when they fail to memorize*
# (2023). Z. Kadkhodaie and others, *Generalization in diffusion models arises from geometry-adaptive harmonic
# representations* (2024). L. van der Maaten and G. Hinton, *Visualizing data using t-SNE* (2008). J. Venna and S.
# Kaski, *Neighborhood preservation in nonlinear projection methods* (2001).
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments. Tensors
# in, tensors out, with the dtype and the device of the input. Nothing is trained, nothing is random: every function
# is a few lines of mathematics, and no gradient has to flow through any of them. The file must import without
# computing anything.
#
# **How it is judged** ({points} points). Each function is checked by itself, in float64, on numbers drawn afresh for
# you: likelihoods ({points:likelihood} points), Fréchet distances ({points:frechet}), measures of samples
# ({points:samples}), memory and generalisation ({points:memory}), maps in the plane ({points:maps}), the table
# ({points:table}), conventions and the refusal of bad arguments ({points:convention*,bad_arguments}), the
# quiz ({points:quiz}). How you write a function is free: loops, matrices, NumPy inside.
#
# **Words.** Logarithms are natural unless they carry another base. *Real* points are held-out data, *fake* ones a
# model's samples; *features* are what a network, or principal components, make of an image: vectors in which distances
# mean something.

# %%
from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

# %% [markdown]
# ## 1. Likelihood, and bits per dimension
#
# The oldest measure: how probable does the model find images that it has not seen? For a Gaussian,
#
# $$\log p(x) = -\tfrac12 (x - \mu)^\top \Sigma^{-1} (x - \mu) - \tfrac12 \log\det\Sigma - \tfrac D2 \log 2\pi .$$
#
# With $D = 200$ coordinates of variance $10^{-4}$ the determinant is $10^{-800}$, which is 0 in floating point: take
# the logarithm of the diagonal of a Cholesky factor, never the logarithm of a determinant.
#
# **From densities to bits.** Grey levels are whole numbers $0, \dots, L - 1$, and a density on points can be made as
# high as one likes (put needles on the levels). *Uniform dequantisation* adds noise from $[0, 1]$ and divides by
# $L$: the model is then asked for the probability of the whole box of a level, and the mean over the noise is a
# lower bound of its logarithm. Per dimension and in bits,
#
# $$b(x) = -\frac{\log_2 p\big((x + u) / L\big)}{D} + \log_2 L, \qquad u \in [0, 1]^D ,$$
#
# where $\log_2 L$ undoes the division: a box of $[0, 1]^D$ has the volume $L^{-D}$. A model that knows nothing (the
# uniform density, $\log p = 0$) pays $\log_2 L$, 8 bits for 256 levels. Lower is better.


# %%
def gaussian_log_likelihood(x: Tensor, mean: Tensor, cov: Tensor) -> Tensor:
    r"""Log-density of a Gaussian, $\log \mathcal N(x; \mu, \Sigma)$, in nats.

    Arguments:
        x: points, (B, D).
        mean: (D,).
        cov: covariance, (D, D), symmetric and positive definite.

    Returns:
        (B,); right also where the determinant underflows.

    Raises:
        ValueError: if the shapes do not fit.

    Source: course slides (S3), evaluation by likelihood.
    """
    ### BEGIN SOLUTION
    if x.dim() != 2 or mean.shape != x.shape[1:] or cov.shape != (x.shape[1], x.shape[1]):
        got = f"{tuple(x.shape)}, {tuple(mean.shape)} and {tuple(cov.shape)}"
        raise ValueError(f"x, mean and cov must be (B, D), (D,) and (D, D), got {got}")
    root = torch.linalg.cholesky(cov)
    whitened = torch.linalg.solve_triangular(root, (x - mean).T, upper=False)  # (D, B)
    log_det = 2 * root.diagonal().log().sum()
    return -0.5 * (whitened.square().sum(dim=0) + log_det + x.shape[1] * math.log(2 * math.pi))
    ### END SOLUTION


def bits_per_dim(log_prob: Callable[[Tensor], Tensor], x: Tensor, noise: Tensor, levels: int = 256) -> Tensor:
    r"""Bits per dimension of images of whole grey levels, $-\log_2 p((x + u)/L) / D + \log_2 L$.

    Arguments:
        log_prob: log-density of the model in nats, from points (B, D) of $[0, 1]^D$ to (B,).
        x: images of whole numbers 0..levels-1, (B, D), of any dtype.
        noise: $u$, (B, D), in [0, 1]; used as given.
        levels: number of grey levels $L$, at least 2.

    Returns:
        (B,), in the dtype of the noise.

    Raises:
        ValueError: if the shapes differ, x or noise is out of range, or levels is below 2.

    Source: course slides (S3), evaluation by likelihood; Theis and others (2016), section 3.1.
    """
    ### BEGIN SOLUTION
    if x.dim() != 2 or x.shape != noise.shape:
        raise ValueError(f"x and noise must have one shape (B, D), got {tuple(x.shape)} and {tuple(noise.shape)}")
    if levels < 2:
        raise ValueError(f"levels must be at least 2, got {levels}")
    if bool((x < 0).any()) or bool((x > levels - 1).any()):
        raise ValueError(f"x must lie in 0..{levels - 1}")
    if bool((noise < 0).any()) or bool((noise > 1).any()):
        raise ValueError("noise must lie in [0, 1]")
    log_density = log_prob((x.to(noise.dtype) + noise) / levels)  # (B,)
    return -log_density / (math.log(2) * x.shape[1]) + math.log2(levels)
    ### END SOLUTION


# %% [markdown]
# ## 2. Fréchet distance
#
# Models without a likelihood (a GAN) are judged by their samples. The *Fréchet inception distance* fits a Gaussian
# to the features of real images and another one to those of the samples, and takes the squared 2-Wasserstein
# distance of the two,
#
# $$d^2 = \|\mu_1 - \mu_2\|^2 + \operatorname{tr}\Big(\Sigma_1 + \Sigma_2 - 2\, \big(\Sigma_1^{1/2}\, \Sigma_2\,
# \Sigma_1^{1/2}\big)^{1/2}\Big) .$$
#
# The root of a matrix is not the matrix of the roots: for a symmetric $\Sigma = Q \Lambda Q^\top$ it is $Q
# \Lambda^{1/2} Q^\top$. With fewer samples than features a covariance is singular, and rounding makes some
# eigenvalues slightly negative: set them to 0, and add nothing to the diagonal. (The trace of the root is also the
# sum of the singular values of $\Sigma_1^{1/2} \Sigma_2^{1/2}$.) The distance is squared already; 0 for equal
# arguments.
#
# **A biased number.** The FID of two samples of the *same* law is not 0: few samples give a covariance that is off,
# and the distance is never negative. The bias falls as $1/n$, so FIDs of different sample sizes cannot be compared.
# `fid_infinity` computes the FID of the first $n$ samples for several $n$, fits a straight line in $1/n$ by least
# squares, and reads it off at $1/n = 0$.


# %%
def frechet_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    r"""Squared Fréchet (2-Wasserstein) distance of two Gaussians.

    $\|\mu_1 - \mu_2\|^2 + \operatorname{tr}(\Sigma_1 + \Sigma_2 - 2 (\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2})$

    Arguments:
        mean1: (F,).
        cov1: (F, F), symmetric, eigenvalues not negative; it may be singular.
        mean2: (F,).
        cov2: (F, F), likewise.

    Returns:
        Scalar, at least 0.

    Raises:
        ValueError: if the shapes do not fit.

    Source: course slides (S3), FID; Heusel and others (2017).
    """
    ### BEGIN SOLUTION
    square = mean1.shape * 2
    if mean1.dim() != 1 or mean2.shape != mean1.shape or cov1.shape != square or cov2.shape != square:
        got = ", ".join(str(tuple(t.shape)) for t in (mean1, cov1, mean2, cov2))
        raise ValueError(f"mean1, cov1, mean2, cov2 must be (F,), (F, F), (F,), (F, F), got {got}")
    trace_of_root = torch.linalg.svdvals(symmetric_root(cov1) @ symmetric_root(cov2)).sum()
    distance = (mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * trace_of_root
    return distance.clamp_min(0)
    ### END SOLUTION


### BEGIN SOLUTION
def symmetric_root(cov: Tensor) -> Tensor:
    """The symmetric root of a covariance, which may be singular."""
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.clamp_min(0).sqrt() @ vectors.T


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance (over n - 1) of rows (n, F)."""
    mean = features.mean(dim=0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)


### END SOLUTION


def fid(real: Tensor, fake: Tensor) -> Tensor:
    """Fréchet distance of the means and covariances of two sets of features.

    Arguments:
        real: (n, F), n at least 2.
        fake: (m, F), m at least 2.

    Returns:
        Scalar; covariances are those over n - 1.

    Raises:
        ValueError: if the numbers of features differ, or a set has fewer than 2 rows.

    Source: course slides (S3), FID; Heusel and others (2017).
    """
    ### BEGIN SOLUTION
    check_clouds(real, fake, least=2)
    return frechet_distance(*moments(real), *moments(fake))
    ### END SOLUTION


### BEGIN SOLUTION
def check_clouds(real: Tensor, fake: Tensor, least: int) -> None:
    """Refuse two sets of rows of different lengths, or with fewer rows than `least`."""
    if real.dim() != 2 or fake.dim() != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(f"both sets must be (n, F) and (m, F), got {tuple(real.shape)} and {tuple(fake.shape)}")
    if min(len(real), len(fake)) < least:
        raise ValueError(f"both sets need at least {least} rows, got {len(real)} and {len(fake)}")


### END SOLUTION


def fid_infinity(real: Tensor, fake: Tensor, sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
    r"""FID without its bias: the line of FID in $1/n$, by least squares over all sizes, read off at 0.

    Arguments:
        real: (N, F), all of it is used.
        fake: (m, F).
        sizes: numbers n of the first rows of `fake`, each 2..m, at least two different ones.

    Returns:
        (limit, values): the intercept, a scalar, and the FIDs, (len(sizes),).

    Raises:
        ValueError: if the shapes do not fit, a size is outside 2..m, or there are no two different ones.

    Source: course slides (S3), FID; Chong and Forsyth (2020).
    """
    ### BEGIN SOLUTION
    check_clouds(real, fake, least=2)
    sizes = [int(n) for n in sizes]
    if len(set(sizes)) < 2 or min(sizes) < 2 or max(sizes) > len(fake):
        raise ValueError(f"sizes must hold two different numbers at least, all in 2..{len(fake)}, got {sizes}")
    values = torch.stack([fid(real, fake[:n]) for n in sizes])
    inverse = torch.tensor([1 / n for n in sizes]).to(values)
    centred = inverse - inverse.mean()
    slope = (centred * values).sum() / centred.square().sum()
    return values.mean() - slope * inverse.mean(), values
    ### END SOLUTION


# %% [markdown]
# ## 3. Other looks at samples
#
# **KID.** The *kernel inception distance* asks for no Gaussian: it is the squared maximum mean discrepancy with the
# kernel $k(x, y) = (x^\top y / F + 1)^3$, which sees the first three moments,
#
# $$\widehat{\mathrm{MMD}}{}^2 = \frac1{n(n-1)} \sum_{i \neq j} k(x_i, x_j) + \frac1{m(m-1)} \sum_{i \neq j} k(y_i, y_j)
# - \frac2{nm} \sum_{i, j} k(x_i, y_j) .$$
#
# Pairs of a sample with itself are left out; that makes it unbiased, so it is negative about half of the time for
# equal laws.
#
# **Inception score.** A classifier gives each sample probabilities $p(y \mid x)$. They should be sharp for each
# sample (quality), and all classes should come (diversity):
#
# $$\mathrm{IS} = \exp\; \mathbb E_x\, \mathrm{KL}\big(p(y \mid x) \,\|\, p(y)\big), \qquad
# p(y) = \mathbb E_x\, p(y \mid x) ,$$
#
# between 1 and the number of classes, with $0 \log 0 = 0$. It is often given as mean and standard deviation over
# several equal parts, each with its own $p(y)$. It never looks at real images: a model that gives one perfect image
# per class has the best score.
#
# **Precision and recall** take quality and diversity apart. Draw a ball around each point, whose radius is the
# distance to its $k$-th nearest *other* point of the same cloud; the union of the balls is the cloud's *manifold*.
#
# - precision: the share of fakes that lie in some ball of the reals;
# - recall: the share of reals that lie in some ball of the fakes;
# - density: the mean over fakes of the number of real balls they lie in, divided by $k$; it may exceed 1, and one
#   outlier among the reals, with its huge ball, does not fool it;
# - coverage: the share of real balls that hold a fake.


# %%
def kernel_inception_distance(real: Tensor, fake: Tensor) -> Tensor:
    r"""Unbiased squared maximum mean discrepancy with the kernel $(x^\top y / F + 1)^3$.

    Arguments:
        real: features, (n, F), n at least 2.
        fake: features, (m, F), m at least 2.

    Returns:
        Scalar; it may be negative.

    Raises:
        ValueError: if the numbers of features differ, or a set has fewer than 2 rows.

    Source: course slides (S3), evaluation; Bińkowski and others (2018).
    """
    ### BEGIN SOLUTION
    check_clouds(real, fake, least=2)

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x: Tensor) -> Tensor:
        values = kernel(x, x)
        return (values.sum() - values.trace()) / (len(x) * (len(x) - 1))

    return within(real) + within(fake) - 2 * kernel(real, fake).mean()
    ### END SOLUTION


def inception_score(probabilities: Tensor, splits: int = 1) -> tuple[Tensor, Tensor]:
    r"""Inception score $\exp \mathbb E_x \mathrm{KL}(p(y | x) \| p(y))$, over consecutive equal parts.

    Arguments:
        probabilities: $p(y | x)$, (n, K), rows sum to 1.
        splits: number of parts, a divisor of n; each part has its own p(y).

    Returns:
        (mean, std): scalars, over the parts; std is that of the population, 0 for one part.

    Raises:
        ValueError: if splits is below 1 or no divisor of n, or an entry lies outside [0, 1].

    Source: course slides (S3), inception score; Salimans and others (2016).
    """
    ### BEGIN SOLUTION
    if probabilities.dim() != 2 or splits < 1 or len(probabilities) % splits:
        raise ValueError(f"splits must divide the {len(probabilities)} rows of (n, K), got {splits}")
    if bool((probabilities < 0).any()) or bool((probabilities > 1).any()):
        raise ValueError("probabilities must lie in [0, 1]")
    parts = probabilities.reshape(splits, -1, probabilities.shape[1])  # (splits, n / splits, K)
    marginal = parts.mean(dim=1, keepdim=True)
    divergence = (torch.xlogy(parts, parts) - torch.xlogy(parts, marginal)).sum(dim=2)
    scores = divergence.mean(dim=1).exp()  # (splits,)
    return scores.mean(), scores.std(correction=0)
    ### END SOLUTION


def precision_recall(real: Tensor, fake: Tensor, k: int = 5) -> dict[str, float]:
    """Precision, recall, density and coverage by balls to the k-th nearest neighbour.

    Arguments:
        real: features, (n, F).
        fake: features, (m, F).
        k: which neighbour a ball reaches to, 1..min(n, m) - 1; the point itself is none, surfaces belong to balls.

    Returns:
        {"precision": ..., "recall": ..., "density": ..., "coverage": ...}, floats.

    Raises:
        ValueError: if the numbers of features differ, or k is out of range.

    Source: course slides (S3), quality and diversity; Kynkäänniemi and others (2019), Naeem and others (2020).
    """
    ### BEGIN SOLUTION
    check_clouds(real, fake, least=1)
    if not 1 <= k < min(len(real), len(fake)):
        raise ValueError(f"k must lie in 1..{min(len(real), len(fake)) - 1}, got {k}")
    between = distances(real, fake)  # (n, m)
    in_real = between <= ball_radii(real, k)[:, None]
    in_fake = between <= ball_radii(fake, k)
    return {
        "precision": float(in_real.any(dim=0).double().mean()),
        "recall": float(in_fake.any(dim=1).double().mean()),
        "density": float(in_real.double().sum(dim=0).mean() / k),
        "coverage": float(in_real.any(dim=1).double().mean()),
    }
    ### END SOLUTION


### BEGIN SOLUTION
def distances(x: Tensor, y: Tensor) -> Tensor:
    """Euclidean distances (n, m), exactly 0 between equal rows: no matrix product."""
    return torch.stack([(row - y).square().sum(dim=1).sqrt() for row in x])


def ball_radii(x: Tensor, k: int) -> Tensor:
    """Distance of each row to its k-th nearest other row, (n,)."""
    within = distances(x, x).fill_diagonal_(math.inf)
    return within.kthvalue(k, dim=1).values


### END SOLUTION

# %% [markdown]
# ## 4. Memory or generalisation?
#
# A model that hands back its training images has a perfect FID. Two ways to find it out:
#
# **The ratio.** For each sample, the distance to the nearest training image over the distance to the second nearest.
# A new image is about equally far from both: its ratio is near 1; a copy has the ratio 0. Below 1/3 a sample counts
# as *memorised*. A copy of an image that the training set holds twice is 0/0: it is a copy, so the ratio is 0. Beware
# of `torch.cdist`: beyond 25 rows it uses $\|x\|^2 + \|y\|^2 - 2 x^\top y$, which leaves $10^{-8}$ where 0 is right.
#
# **Two models.** Train the same model on two disjoint halves of the data and let both draw from the *same noise*. If
# they have learnt the law, they give the same images; if they have stored, each gives its own. After subtracting the
# mean of all rows of both training sets (otherwise all images point in one direction),
#
# $$\text{agreement} = \frac1n \sum_i \cos(a_i, b_i), \qquad
# \text{memory} = \frac12 \sum_{M \in \{A, B\}} \frac1n \sum_i
# \max_{j} \cos\big(\text{sample}_i^M, \text{train}_j^M\big) ,$$
#
# each model against its *own* training set. Few images: memory near 1, agreement low. Many: the two cross.


# %%
def memorisation_ratio(samples: Tensor, train: Tensor) -> Tensor:
    """Distance to the nearest training image over the distance to the second nearest.

    Arguments:
        samples: (n, D).
        train: (N, D), N at least 2.

    Returns:
        (n,), in [0, 1]; exactly 0 for a copy, also of an image that stands in train twice.

    Raises:
        ValueError: if the dimensions differ, or train has fewer than 2 images.

    Source: lecture notes (S2), memorisation; Yoon and others (2023).
    """
    ### BEGIN SOLUTION
    check_clouds(samples, train, least=1)
    if len(train) < 2:
        raise ValueError(f"train must hold at least 2 images, got {len(train)}")
    nearest = distances(samples, train).topk(2, dim=1, largest=False).values  # (n, 2), nearest first
    return torch.where(nearest[:, 0] == 0, 0.0, nearest[:, 0] / nearest[:, 1])
    ### END SOLUTION


def model_agreement(samples_a: Tensor, samples_b: Tensor, train_a: Tensor, train_b: Tensor) -> tuple[float, float]:
    """How alike two models of disjoint data draw from one noise, and how alike each is to its own data.

    Arguments:
        samples_a: of model A, (n, D).
        samples_b: of model B from the same noise, row by row, (n, D).
        train_a: data of model A, (N, D).
        train_b: data of model B, (M, D).

    Returns:
        (agreement, memory): means of cosines, after the mean of all rows of both training sets is subtracted.

    Raises:
        ValueError: if the samples are no pairs, or the dimensions differ.

    Source: lecture notes (S2), figure 13; Kadkhodaie and others (2024).
    """
    ### BEGIN SOLUTION
    if samples_a.dim() != 2 or samples_a.shape != samples_b.shape:
        raise ValueError(f"samples must be pairs (n, D), got {tuple(samples_a.shape)} and {tuple(samples_b.shape)}")
    check_clouds(samples_a, train_a, least=1)
    check_clouds(samples_b, train_b, least=1)
    centre = torch.cat([train_a, train_b]).mean(dim=0)
    a, b, data_a, data_b = (
        torch.nn.functional.normalize(rows - centre, dim=1) for rows in (samples_a, samples_b, train_a, train_b)
    )
    agreement = (a * b).sum(dim=1).mean()
    memory = ((a @ data_a.T).max(dim=1).values.mean() + (b @ data_b.T).max(dim=1).values.mean()) / 2
    return float(agreement), float(memory)
    ### END SOLUTION


# %% [markdown]
# ## 5. A map in the plane: t-SNE, and whether to trust it
#
# t-SNE places points $y_i$ in the plane so that neighbours stay neighbours. In the original space point $i$ gives
# point $j$ the weight
#
# $$p_{j|i} = \frac{\exp(-\beta_i \|x_i - x_j\|^2)}{\sum_{l \neq i} \exp(-\beta_i \|x_i - x_l\|^2)}, \qquad
# p_{i|i} = 0 ,$$
#
# with a $\beta_i$ of its own, such that the entropy $-\sum_j p_{j|i} \log p_{j|i}$ (nats) is the logarithm of the
# *perplexity*: every point has about that many neighbours, in dense regions and in sparse ones. The entropy falls as
# $\beta$ grows, so bisection finds it; look for $\log\beta$, from bounds that grow until they hold it, and nothing
# depends on the unit of $x$. Then $P = (p + p^\top) / 2n$.
#
# In the plane the weights are those of a Student law, $q_{ij} \propto 1 / (1 + \|y_i - y_j\|^2)$ over all pairs $i
# \neq j$ together, and
#
# $$\mathrm{KL}(P \,\|\, Q) = \sum_{i \neq j} p_{ij} \log \frac{p_{ij}}{q_{ij}}, \qquad
# \frac{\partial\, \mathrm{KL}}{\partial y_i} = 4 \sum_j \frac{(p_{ij} - q_{ij}) (y_i - y_j)}{1 + \|y_i - y_j\|^2} .$$
#
# **Trust it?** A map may show neighbours that are none. *Trustworthiness* looks at the $k$ nearest neighbours of
# each point *in the map* and charges those that are far down in the ranking *of the data*: with $r(i, j)$ the rank
# of $j$ among the others by the distance from $x_i$ (1 is the nearest),
#
# $$T = 1 - \frac{2}{n k (2n - 3k - 1)} \sum_i \sum_{j \in \mathrm{kNN}_y(i)} \max\big(0,\, r(i, j) - k\big) .$$


# %%
def tsne_affinities(x: Tensor, perplexity: float = 30.0) -> Tensor:
    r"""Joint affinities of t-SNE, $P = (p + p^\top) / 2n$, each row's $\beta_i$ set by the perplexity.

    Arguments:
        x: (n, D).
        perplexity: exp of the entropy (nats) of each $p_{\cdot | i}$, met to 1e-8; 1 < perplexity < n - 1.

    Returns:
        (n, n), symmetric, diagonal 0, sum 1; the same in any unit of x.

    Raises:
        ValueError: if perplexity is out of range.

    Source: course slides (S1), t-SNE; van der Maaten and Hinton (2008), equations 1 and 12.
    """
    ### BEGIN SOLUTION
    n = len(x)
    if x.dim() != 2 or not 1 < perplexity < n - 1:
        raise ValueError(f"perplexity must lie in (1, {n - 1}), got {perplexity}")
    squared = distances(x, x).square()
    conditional = x.new_zeros(n, n)
    for i in range(n):
        others = torch.arange(n, device=x.device) != i
        conditional[i, others] = row_affinities(squared[i, others], math.log(perplexity))
    return (conditional + conditional.T) / (2 * n)
    ### END SOLUTION


### BEGIN SOLUTION
def row_affinities(squared: Tensor, entropy: float) -> Tensor:
    """Weights exp(-β d) of squared distances, normalised, with β such that their entropy is the one given."""
    gaps = (squared - squared.min()).double()
    gaps = gaps / gaps[gaps > 0].min()  # no unit is left: the smallest gap is 1

    def weights(log_beta: float) -> tuple[Tensor, float]:
        p = torch.softmax(-math.exp(log_beta) * gaps, dim=0)
        return p, float(-torch.xlogy(p, p).sum())

    low, high = -1.0, 1.0
    while weights(low)[1] < entropy:
        low -= 8.0
    while weights(high)[1] > entropy and high < 600.0:
        high += 8.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if weights(middle)[1] > entropy else (low, middle)
    return weights((low + high) / 2)[0].to(squared)


### END SOLUTION


def tsne_loss(affinities: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    r"""Loss of a t-SNE map, $\mathrm{KL}(P \| Q)$ in nats, and its gradient in y.

    Arguments:
        affinities: $P$, (n, n), symmetric, diagonal 0, sum 1.
        y: the map, (n, d), any d.

    Returns:
        (kl, gradient): a scalar and (n, d).

    Raises:
        ValueError: if the shapes do not fit.

    Source: course slides (S1), t-SNE; van der Maaten and Hinton (2008), equations 4 and 5.
    """
    ### BEGIN SOLUTION
    if y.dim() != 2 or affinities.shape != (len(y), len(y)):
        raise ValueError(f"affinities and y must be (n, n) and (n, d), got {tuple(affinities.shape)}, {tuple(y.shape)}")
    offsets = y[:, None, :] - y  # (n, n, d)
    student = 1 / (1 + offsets.square().sum(dim=2))  # (n, n)
    student = student.clone().fill_diagonal_(0)
    q = student / student.sum()
    off = ~torch.eye(len(y), dtype=torch.bool, device=y.device)
    kl = (torch.xlogy(affinities, affinities)[off] - torch.xlogy(affinities[off], q[off])).sum()
    gradient = 4 * (((affinities - q) * student)[:, :, None] * offsets).sum(dim=1)
    return kl, gradient
    ### END SOLUTION


def trustworthiness(x: Tensor, y: Tensor, k: int = 5) -> float:
    """Whether the neighbours in a map are neighbours in the data.

    Arguments:
        x: data, (n, D).
        y: map, (n, d).
        k: number of neighbours, 1 <= k < n / 2.

    Returns:
        A number in [0, 1]; 1 where all k nearest neighbours in the map are among those of the data.

    Raises:
        ValueError: if the numbers of points differ, or k is out of range.

    Source: course slides (S1), projections; Venna and Kaski (2001).
    """
    ### BEGIN SOLUTION
    n = len(x)
    if x.dim() != 2 or y.dim() != 2 or len(y) != n:
        raise ValueError(f"x and y must be (n, D) and (n, d), got {tuple(x.shape)} and {tuple(y.shape)}")
    if not 1 <= k < n / 2:
        raise ValueError(f"k must be at least 1 and below {n / 2}, got {k}")
    in_data = distances(x, x).fill_diagonal_(-1)  # the point itself first: its rank is 0
    in_map = distances(y, y).fill_diagonal_(math.inf)
    ranks = in_data.argsort(dim=1).argsort(dim=1)  # (n, n), ranks of the others from 1
    neighbours = in_map.topk(k, dim=1, largest=False).indices  # (n, k)
    charged = (ranks.gather(1, neighbours) - k).clamp_min(0).sum()
    return 1 - 2 * float(charged) / (n * k * (2 * n - 3 * k - 1))
    ### END SOLUTION


# %% [markdown]
# ## 6. The table
#
# "Model A is better than model B" needs three things: several measures, held-out images to measure against (against
# the *training* images a copying model is the best there is), and several trainings, since one lucky seed proves
# nothing. The spread over the trainings is itself a result: *stability*, the third word of the slides' comparison
# beside quality and diversity.
#
# For every run of every model: "fid" and "kid" of the features, "inception_score" of the probabilities (one part),
# "precision", "recall", "density", "coverage" of the features, and "memorised", the share of samples whose ratio to
# the *training* images (the images themselves, not their features) is below 1/3. The table has mean and population
# standard deviation over a model's runs.


# %%
def compare_models(
    runs: Mapping[str, Sequence[Tensor]],
    real: Tensor,
    train: Tensor,
    features: Callable[[Tensor], Tensor],
    probabilities: Callable[[Tensor], Tensor],
    k: int = 5,
) -> dict[str, dict[str, tuple[float, float]]]:
    """Compare models by all measures, over the runs of each.

    Arguments:
        runs: a model's name -> its samples (n, D), one tensor for each training.
        real: held-out images, (N, D).
        train: training images, (M, D).
        features: from images (n, D) to features (n, F).
        probabilities: from images (n, D) to probabilities of classes (n, K).
        k: as of `precision_recall`.

    Returns:
        [model][metric] -> (mean, std), floats; std is that of the population, 0 for one run. Metrics: "fid", "kid",
        "inception_score", "precision", "recall", "density", "coverage", "memorised".

    Raises:
        ValueError: if there is no model, or a model has no run.

    Source: course slides (S3), comparison of VAE, GAN, flow and diffusion.
    """
    ### BEGIN SOLUTION
    if not runs or not all(len(samples) for samples in runs.values()):
        raise ValueError("every model needs a run, and there must be a model")
    real_features = features(real)
    table: dict[str, dict[str, tuple[float, float]]] = {}
    for model, samples_of_runs in runs.items():
        rows = []
        for samples in samples_of_runs:
            fake_features = features(samples)
            rows.append(
                {
                    "fid": float(fid(real_features, fake_features)),
                    "kid": float(kernel_inception_distance(real_features, fake_features)),
                    "inception_score": float(inception_score(probabilities(samples))[0]),
                    **precision_recall(real_features, fake_features, k),
                    "memorised": float((memorisation_ratio(samples, train) < 1 / 3).double().mean()),
                }
            )
        table[model] = {}
        for metric in rows[0]:
            values = torch.tensor([row[metric] for row in rows], dtype=torch.float64)
            table[model][metric] = float(values.mean()), float(values.std(correction=0))
    return table
    ### END SOLUTION


# %% [markdown]
# ## 7. Figures
#
# Given. The data are small pictures (bars, rings and crosses of 8 × 8 pixels), the features their principal
# coordinates, and a logistic regression gives the probabilities: nothing is downloaded. The first figure shows how
# the FID of a perfect model depends on the number of samples; the second one compares a Gaussian fit, a blurred copy
# and an exact copy by all measures: which one would you have chosen by FID alone? The third one shows PCA and t-SNE
# with their trustworthiness; the fourth one when two Gaussian fits stop storing and start to agree.

# %%
SIDE = 8


def _pictures(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Bars, rings and crosses, each moved, turned in brightness and noisy: (n, 64) and (n,)."""
    labels = torch.randint(3, (n,), generator=generator)
    axis = torch.arange(float(SIDE)) - (SIDE - 1) / 2
    centre = torch.randn(n, 2, generator=generator)
    row, column = axis[None, :, None] - centre[:, :1, None], axis[None, None, :] - centre[:, 1:, None]
    shapes = torch.stack([
        (-column.square()).exp().expand(n, SIDE, SIDE),
        (-((row.square() + column.square()).sqrt() - 2.2).square() * 2).exp(),
        torch.maximum((-(row - column).square()).exp(), (-(row + column).square()).exp()),
    ])  # fmt: skip
    bright = 0.7 + 0.3 * torch.rand(n, 1, 1, generator=generator)
    pictures = bright * shapes[labels, torch.arange(n)] + 0.05 * torch.randn(n, SIDE, SIDE, generator=generator)
    return pictures.reshape(n, SIDE * SIDE).double(), labels


def _principal(train: Tensor, n: int) -> Callable[[Tensor], Tensor]:
    mean = train.mean(dim=0)
    directions = torch.linalg.svd(train - mean, full_matrices=False).Vh[:n]

    def features(x: Tensor) -> Tensor:
        return (x - mean) @ directions.T

    return features


def _classifier(x: Tensor, labels: Tensor) -> Callable[[Tensor], Tensor]:
    layer = torch.nn.Linear(x.shape[1], 3).double()
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.05)
    for _ in range(200):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(layer(x), labels).backward()
        optimiser.step()

    def probabilities(images: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.softmax(layer(images), dim=1)

    return probabilities


def _gaussian_fit(train: Tensor, noise: Tensor) -> Tensor:
    """Samples of the Gaussian with the data's mean and covariance, made of this noise (n, D)."""
    values, vectors = torch.linalg.eigh(torch.cov(train.T))
    # The symmetric root hardly moves with the data, whatever the signs and the order of the directions: two fits of
    # one law then make like samples of like noise.
    root = vectors * values.clamp_min(0).sqrt() @ vectors.T
    return train.mean(dim=0) + noise @ root


def _draw_bias(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    real, fake = (torch.randn(1500, 16, generator=generator, dtype=torch.float64) for _ in range(2))
    sizes = [60, 80, 120, 200, 400, 800, 1500]
    limit, values = fid_infinity(real, fake, sizes)
    figure, panel = plt.subplots(figsize=(6.5, 4), layout="constrained")
    inverse = [1 / n for n in sizes]
    panel.plot(inverse, values, "o", label="FID of the first n samples")
    slope = (values[0] - limit) / inverse[0]
    panel.plot([0, inverse[0]], [limit, limit + slope * inverse[0]], "--", color="0.5", label="line in 1/n")
    panel.set(title="A perfect model, 16 features", xlabel="1/n", ylabel="FID")
    panel.legend()
    path = folder / "fid_bias.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_table(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    train, labels = _pictures(300, generator)
    real, _labels = _pictures(300, generator)
    features, probabilities = _principal(train, 12), _classifier(train, labels)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    titles = "Gaussian fit", "mean of two", "copy", "truth"
    draws = (
        lambda: _gaussian_fit(train, noise(300, 64)),
        lambda: (train[torch.randperm(300, generator=generator)] + train) / 2,
        lambda: train[torch.randint(300, (300,), generator=generator)] + 0.01 * noise(300, 64),
        lambda: _pictures(300, generator)[0],
    )
    models = dict(zip(titles, draws, strict=True))
    table = compare_models({name: [draw() for _ in range(3)] for name, draw in models.items()}, real, train, features,
                           probabilities)  # fmt: skip
    metrics = list(next(iter(table.values())))
    figure, panels = plt.subplots(2, 4, figsize=(12, 5.2), layout="constrained")
    for panel, metric in zip(panels.flat, metrics, strict=True):
        means, spreads = zip(*(table[name][metric] for name in models), strict=True)
        panel.barh(list(models), means, xerr=spreads, color=["tab:blue", "tab:orange", "tab:red", "tab:green"])
        panel.invert_yaxis()
        panel.set(title=metric)
    path = folder / "comparison.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _tsne(x: Tensor, generator: torch.Generator, steps: int = 250) -> Tensor:
    """A map by gradient descent with momentum; the first steps with exaggerated affinities."""
    affinities = tsne_affinities(x, 15.0)
    y = 1e-2 * torch.randn(len(x), 2, generator=generator, dtype=x.dtype)
    speed = torch.zeros_like(y)
    for step in range(steps):
        _kl, gradient = tsne_loss(affinities * (4 if step < 60 else 1), y)
        speed = (0.5 if step < 60 else 0.8) * speed - 40 * gradient
        y = y + speed
        y = y - y.mean(dim=0)
    return y


def _draw_maps(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    x, labels = _pictures(150, generator)
    figure, panels = plt.subplots(1, 2, figsize=(9.5, 4.2), layout="constrained")
    for panel, title, y in zip(panels, ("PCA", "t-SNE"), (_principal(x, 2)(x), _tsne(x, generator)), strict=True):
        panel.scatter(*y.T, c=labels, cmap="tab10", s=12)
        panel.set(title=f"{title}: trustworthiness {trustworthiness(x, y, 10):.2f}", xticks=[], yticks=[])
    path = folder / "maps.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_memory(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    sizes = [4, 8, 16, 32, 64, 128, 256, 512]
    noise = torch.randn(100, 64, generator=generator, dtype=torch.float64)
    curves = []
    for n in sizes:
        train_a, train_b = _pictures(n, generator)[0], _pictures(n, generator)[0]
        samples = _gaussian_fit(train_a, noise), _gaussian_fit(train_b, noise)
        curves.append(model_agreement(*samples, train_a, train_b))
    agreement, memory = zip(*curves, strict=True)
    figure, panel = plt.subplots(figsize=(6.5, 4), layout="constrained")
    panel.semilogx(sizes, agreement, marker="o", label="agreement of the two models")
    panel.semilogx(sizes, memory, marker="s", label="memory")
    panel.set(title="Gaussian fits on disjoint data", xlabel="training pictures", ylabel="mean cosine")
    panel.legend()
    path = folder / "memory.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def make_figures(folder: str | Path) -> list[Path]:
    """Draw the bias of FID, a table of models, maps, and memory against generalisation. Returns the files written."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    return [draw(folder, generator) for draw in (_draw_bias, _draw_table, _draw_maps, _draw_memory)]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 8. Quiz
#
# The questions below carry your own numbers. Work them out on paper or with your functions; then put the
# answers into `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "means": [[3, -1], [-2, 3]],
    "stds": [[1.0, 0.5], [3.0, 1.5]],
    "nats": -1000,
    "pixels": 49,
    "levels": 256,
}
QUIZ = {
    "frechet": (
        "Two Gaussians in the plane with independent coordinates: means [3, -1] and [-2, 3], "
        "standard deviations [1.0, 0.5] and [3.0, 1.5]. What is their Fréchet distance, "
        "squared as in FID? Answer: a number, to 0.001."
    ),
    "bits": (
        "An image of 49 pixels with 256 grey levels, dequantised and divided by 256, has the "
        "log-density -1000 nats. How many bits per dimension? Answer: a number, to 0.001."
    ),
    "copying": (
        "A model returns training images with a little noise. Which of these measures sees it? "
        "(a) the FID to held-out images; (b) the inception score; (c) the recall on held-out "
        "images; (d) the share of memorisation ratios below 1/3. Answer: a letter, such as 'a'."
    ),
    "map": (
        "A map has a low trustworthiness. What does that say? (a) Some neighbours in the data "
        "are far from each other in the map; (b) some neighbours in the map are far from each "
        "other in the data; (c) the classes overlap in the data; (d) the perplexity exceeds "
        "the number of points. Answer: a letter, such as 'a'."
    ),
}
### END PERSONAL
ANSWERS = {"frechet": None, "bits": None, "copying": None, "map": None}
### BEGIN SOLUTION
_squares = [(u - v) ** 2 for u, v in zip(PERSONAL["means"][0], PERSONAL["means"][1], strict=True)]
_roots = [(u - v) ** 2 for u, v in zip(PERSONAL["stds"][0], PERSONAL["stds"][1], strict=True)]
ANSWERS = {
    "frechet": float(sum(_squares) + sum(_roots)),
    "bits": -PERSONAL["nats"] / (math.log(2) * PERSONAL["pixels"]) + math.log2(PERSONAL["levels"]),
    "copying": "d",
    "map": "b",
}
### END SOLUTION
