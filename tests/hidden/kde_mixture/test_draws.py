"""Draws from a mixture, judged by their law.

A pooled mean and covariance hide a transposed root: the draws of each component are whitened by its own covariance.
Fixed counts fit too well: the chi-square statistic of the counts is judged from both sides, over many small samples.
"""

from __future__ import annotations

import math

import torch
from scipy import stats

from autograder.judge import check
from autograder.language import _
from autograder.statistics import tests

ALPHA = 1e-6


def draw_mixture(draw, m, d):
    """Weights far from equal, means that lie apart, covariances far from diagonal: as of the densities' checks."""
    off = ~torch.eye(d, dtype=torch.bool)
    while True:
        turned = torch.linalg.qr(draw.normal(m, d, d)).Q
        covariances = turned @ torch.diag_embed(draw.uniform(m, d, low=0.2, high=4.0)) @ turned.mT
        widths = covariances.diagonal(dim1=1, dim2=2).sqrt()
        if bool(((covariances / (widths[:, :, None] * widths[:, None, :]))[:, off].abs().amax(1) > 0.3).all()):
            break
    weights = draw.uniform(m, low=0.25, high=1.0) ** 2
    return weights / weights.sum(), 5 * draw.normal(m, d), (covariances + covariances.mT) / 2


def whitened(x, mean, covariance):
    """L^-1 (x - mean) for the Cholesky factor L."""
    root = torch.linalg.cholesky(covariance)
    return torch.linalg.solve_triangular(root, (x - mean).T, upper=False).T


def noise_p_value(noise):
    """p-value of (n, d) numbers being independent and standard normal."""
    d = noise.shape[1]
    p = min(
        tests.mean_test(noise, torch.zeros(d), torch.eye(d)),
        tests.covariance_test(noise, torch.eye(d)),
        tests.standard_normal_test(noise.reshape(-1)),
    )
    return min(1.0, 3 * p)


def sampled(student, expect, mixture, n, what, **options):
    """x and labels, checked for form."""
    answer = expect.sequence(student.mixture_sample(*mixture, n, **options), 2, what)
    x = expect.tensor(answer[0], (n, mixture[1].shape[1]), f"{what}[0]")
    labels = torch.tensor(expect.integers(answer[1], f"{what}[1]", length=n, low=0, high=len(mixture[0]) - 1))
    return x, labels


@check(points=1, kind="statistical", covers=("draws", "mixture_sample"))
def test_mixture_draws(student, expect, draw):
    """Labels follow the weights, each draw its component's law, and the rows are independent."""
    m, d, n = 3, draw.integer(2, 3), 4000
    mixture = weights, means, covariances = draw_mixture(draw, m, d)
    what = f"mixture_sample(weights, means, covariances, {n})"
    x, labels = sampled(student, expect, mixture, n, what, generator=draw.generator())
    counts = torch.bincount(labels, minlength=m).double()
    expect.p_value(
        float(stats.chi2.sf(float(((counts - n * weights) ** 2 / (n * weights)).sum()), m - 1)),
        _("the labels of {what}").format(what=what),
        alpha=ALPHA,
    )
    hint = _("A draw is μ + L ξ with Σ = L Lᵀ: neither Σ ξ nor Lᵀ ξ.")
    noise = torch.empty_like(x)
    for i in range(m):
        noise[labels == i] = whitened(x[labels == i], means[i], covariances[i])
        if int(counts[i]) > 20:
            p = noise_p_value(noise[labels == i])
            expect.p_value(p, _("the draws of component {i}").format(i=i), alpha=ALPHA, hint=hint)
    # Rows are in no order: neighbours' labels are as often equal as the weights say, and their noise is independent.
    equal, chance = float((labels[1:] == labels[:-1]).double().mean()), float((weights**2).sum())
    spread = math.sqrt((chance - chance**2 + 2 * (float((weights**3).sum()) - chance**2)) / n)
    expect.true(
        abs(equal - chance) < 6 * spread,
        _("{what}: the rows are ordered by component.").format(what=what),
        hint=_("Draw the component of each row by itself."),
        mistake="sample_sorted" if equal > 0.9 else None,
    )
    p = tests.mean_test((noise[1:] * noise[:-1]).mean(1) * math.sqrt(d), 0.0, 1.0)
    expect.p_value(p, _("the independence of the rows of {what}").format(what=what), alpha=ALPHA)
    # Counts of many small samples: the right ones vary as the multinomial law says.
    small, repeats, statistic = 60, 40, 0.0
    for _repeat in range(repeats):
        _x, few = sampled(student, expect, mixture, small, "mixture_sample(..., 60)", generator=draw.generator())
        counts = torch.bincount(few, minlength=m).double()
        statistic += float(((counts - small * weights) ** 2 / (small * weights)).sum())
    expect.true(
        stats.chi2.cdf(statistic, repeats * (m - 1)) > ALPHA,
        _("mixture_sample(..., 60): the counts of the components hardly vary from sample to sample."),
        hint=_("The counts are random themselves: draw each label, do not round n times the weights."),
        mistake="sample_fixed_counts",
    )
    expect.true(
        stats.chi2.sf(statistic, repeats * (m - 1)) > ALPHA,
        _("mixture_sample(..., 60): the counts of the components do not follow the weights."),
    )
    left_out = weights.clone()
    left_out[0] = 0.0
    mixture = (left_out / left_out.sum(), means, covariances)
    _x, labels = sampled(student, expect, mixture, 500, "mixture_sample with a weight of 0", generator=draw.generator())
    expect.true(bool((labels != 0).all()), _("mixture_sample draws a component of weight 0."))


@check(points=0.5, kind="statistical", covers=("component_draws", "mixture_sample"))
def test_component_draws(student, expect, draw):
    """With `component`, every draw is of that component, whatever its weight."""
    m, d, n = 3, draw.integer(2, 3), 1500
    weights, means, covariances = draw_mixture(draw, m, d)
    which = draw.integer(0, m - 1)
    weights[(which + 1) % m] = 0.0
    weights = weights / weights.sum()
    for component in (which, (which + 1) % m):  # the second one has the weight 0
        what = f"mixture_sample(weights, means, covariances, {n}, component={component})"
        mixture = (weights, means, covariances)
        x, labels = sampled(student, expect, mixture, n, what, component=component, generator=draw.generator())
        expect.true(
            bool((labels == component).all()),
            _("{what}: some labels are of other components.").format(what=what),
            mistake="component_ignored",
        )
        noise = whitened(x, means[component], covariances[component])
        expect.true(
            float(noise.square().mean()) < 100,
            _("{what}: the draws are not those of the component.").format(what=what),
            mistake=None,
        )
        # A faulty root costs its points in the other check: the mean tells the components apart.
        p = tests.mean_test(x, x.mean(0) * 0 + means[component], torch.cov(x.T) + 1e-12 * torch.eye(d))
        expect.p_value(p, _("the mean of {what}").format(what=what), alpha=ALPHA)
        expect.true(float(noise.var(0).min()) > 1e-3, _("{what}: the draws do not vary.").format(what=what))
