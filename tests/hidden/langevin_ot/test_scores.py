"""Densities and scores in closed form, and the loss that learns a score from samples."""

from __future__ import annotations

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from autograder.judge import check
from autograder.language import _


def mixture(means, std, weights):
    """The same law from torch.distributions."""
    return MixtureSameFamily(
        Categorical(weights), Independent(Normal(means, torch.full_like(means, std)), 1), validate_args=False
    )


def draw_mixture(draw, k, d):
    """Centres about two spreads apart, and weights far from equal."""
    std = float(draw.uniform(1, low=0.4, high=1.6))
    weights = draw.uniform(k, low=0.2, high=1.0) ** 2
    return 2 * std * draw.normal(k, d), std, weights / weights.sum()


def draw_points(draw, n, means, std):
    """Points near the centres and between them."""
    return means[draw.integers(0, len(means), n)] + 1.5 * std * draw.normal(n, means.shape[1])


def draw_sizes(draw):
    """Numbers of components, dimensions and points: one component, one dimension, and last a batch of one point."""
    return (
        (1, draw.integer(1, 3), draw.integer(5, 9)),
        (draw.integer(3, 6), 2, draw.integer(5, 9)),
        (draw.integer(2, 5), draw.integer(3, 5), draw.integer(5, 9)),
        (draw.integer(2, 5), 1, 1),
    )


@check(points=1, covers=("log_prob", "gaussian_mixture_log_prob"))
def test_mixture_log_prob(student, compare, draw):
    """The log-density of a mixture of Gaussians, normalised, in any dimension."""
    for k, d, n in draw_sizes(draw):
        means, std, weights = draw_mixture(draw, k, d)
        x = draw_points(draw, n, means, std)
        compare(
            student.gaussian_mixture_log_prob(x, means, std, weights),
            mixture(means, std, weights).log_prob(x),
            f"gaussian_mixture_log_prob(x, means, std, weights), {k} components in {d} dimensions",
        )


@check(points=1.5, covers=("score", "gaussian_mixture_score"))
def test_mixture_score(student, compare, draw):
    """The score is the gradient of the log-density."""
    for k, d, n in draw_sizes(draw):
        means, std, weights = draw_mixture(draw, k, d)
        x = draw_points(draw, n, means, std).requires_grad_()
        (score,) = torch.autograd.grad(mixture(means, std, weights).log_prob(x).sum(), x)
        compare(
            student.gaussian_mixture_score(x.detach(), means, std, weights),
            score,
            f"gaussian_mixture_score(x, means, std, weights), {k} components in {d} dimensions",
        )


@check(
    points=0.5,
    covers=("far", "gaussian_mixture_log_prob", "gaussian_mixture_score"),
    substance={"gaussian_mixture_log_prob": ("mixture_log_prob",), "gaussian_mixture_score": ("mixture_score",)},
)
def test_mixture_far_away(student, each, expect, compare, draw):
    """Far from all modes the log-density is still finite and of the right size, and the score is right."""
    d, n = draw.integer(2, 3), draw.integer(4, 7)
    means, std, weights = draw_mixture(draw, draw.integer(2, 4), d)
    way = draw.normal(n, d)
    far = 10 ** draw.uniform(n, 1, low=1.8, high=3.0)  # from 60 to 1,000 standard deviations, the first one farthest
    far[0] = 1000
    x = means.mean(0) + std * far * way / way.norm(dim=1, keepdim=True)
    x.requires_grad_()
    right = mixture(means, std, weights).log_prob(x)
    (right_score,) = torch.autograd.grad(right.sum(), x)
    x = x.detach()
    # What is wrong near the modes is judged there: here the size of the log-density tells enough.
    with each("gaussian_mixture_log_prob"):
        what, hint = "gaussian_mixture_log_prob(x far away, ...)", _("Work with logarithms: torch.logsumexp.")
        log_prob = expect.tensor(student.gaussian_mixture_log_prob(x, means, std, weights), (n,), what, hint=hint)
        expect.true(
            bool(((log_prob - right.detach()).abs() < 0.02 * right.detach().abs()).all()),
            _("{what}: the values are finite, but far from the right ones.").format(what=what),
            _("Far away the log-density is close to -|x - m|² / (2 std²), m the nearest mean: nothing clamps it."),
        )
    with each("gaussian_mixture_score"):
        what, hint = "gaussian_mixture_score(x far away, ...)", _("The weights of the components are a softmax.")
        score = expect.tensor(student.gaussian_mixture_score(x, means, std, weights), (n, d), what, hint=hint)
        hint = _("The formula holds everywhere: far away the score grows with the distance, and nothing cuts it off.")
        compare(score, right_score, what, rtol=1e-5, hint=hint)


def draw_regression(draw, probe):
    """A linear model, data and noise: (weight, bias, x, sigma, noise)."""
    d, n = draw.integer(2, 4), draw.integer(5, 9)
    sigma = draw.choice((0.15, 0.3, 0.45, 1.6))
    return draw.normal(d, d), draw.normal(d), draw.normal(n, d), sigma, draw.normal(n, d)


LOSS = "denoising_score_matching_loss(model, x, sigma, noise)"


@check(points=1, covers=("matching", "denoising_score_matching_loss"))
def test_matching_loss(student, probe, compare, draw):
    """The loss compares model(x + sigma·noise) with -noise/sigma, as the mean over all entries."""
    for _k in range(3):
        weight, bias, x, sigma, noise = draw_regression(draw, probe)
        loss = student.denoising_score_matching_loss(probe.linear(weight, bias), x, sigma, noise)
        right = ((x + sigma * noise) @ weight.T + bias + noise / sigma).square().mean()
        compare(loss, right, LOSS)


@check(points=0.5, requires=("matching_loss",), covers=("matching_gradient", "denoising_score_matching_loss"))
def test_matching_gradient(student, probe, expect, compare, draw):
    """The loss can be differentiated in the model's parameters."""
    weight, bias, x, sigma, noise = draw_regression(draw, probe)
    answer = probe.weight_gradients(student.denoising_score_matching_loss, probe.linear(weight, bias), x, sigma, noise)
    gradients = expect.sequence(answer, 2, _("gradients of {what}").format(what=LOSS))
    what = _("gradient of {what} with respect to the model's weight").format(what=LOSS)
    hint = _("Nothing on the way from the model to the loss may detach: no `.item()`, `.detach()`, `no_grad`.")
    gradient = expect.tensor(gradients[0], weight.shape, what, hint=hint)
    noisy = x + sigma * noise
    gap = noisy @ weight.T + bias + noise / sigma  # (n, d)
    compare(gradient, 2 * gap.T @ noisy / gap.numel(), what, rtol=1e-4, hint=hint)
