"""Sampling, interpolation and the importance-weighted bound, on models whose answers are known.

The models are made by probes: an affine decoder, so that latent points can be read off the pixels, and a
model whose posterior is exactly Gaussian, so that every importance weight equals p(x).
"""

import math

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics.tests import covariance_test, kolmogorov_smirnov, mean_test, standard_normal_test

PIXELS = 784


def affine(probe, draw, latent_dim, mu=1.0, logvar=0.0, scale=1.0):
    """An affine model: its handle, and (weight, bias) of the mu head, the logvar head and the decoder."""
    heads = [0.03 * draw.normal(latent_dim, PIXELS) for _unused in range(2)]
    biases = mu * draw.normal(latent_dim), logvar + 0.3 * draw.normal(latent_dim)
    weight, bias = scale * draw.normal(PIXELS, latent_dim), draw.normal(PIXELS)
    model = probe.affine_model(heads[0], biases[0], heads[1], biases[1], weight, bias)
    return model, (heads[0], biases[0]), (heads[1], biases[1]), (weight, bias)


@check(points=1, kind="statistical", covers=("sample",))
def test_sample_prior(student, probe, expect, draw):
    """sample draws z from N(0, I) and returns the pixel means sigmoid(decoder(z))."""
    latent_dim, n = draw.integer(2, 4), draw.integer(2000, 2300)
    # Small weights: no pixel is so near 0 or 1 that its logit is lost to rounding, in float32 neither.
    model, _mu, _logvar, (weight, bias) = affine(probe, draw, latent_dim, scale=0.3)
    what = "sample(model, n)"
    images = expect.tensor(student.sample(model, n, generator=draw.generator()), (n, PIXELS), what)
    expect.tensor(student.sample(model, 1, generator=draw.generator()), (1, PIXELS), "sample(model, 1)")
    expect.true(
        images.min() >= 0 and images.max() <= 1,
        _("{what}: pixel means lie in [0, 1].").format(what=what),
        hint=_("The decoder answers logits; sigmoid(logits) are the pixel means."),
        mistake="sample_logits",
    )
    expect.true(
        ((images > 0) & (images < 1)).float().mean() > 0.5,
        _("{what}: pixels are 0 or 1; asked for are the pixel means.").format(what=what),
        mistake="sample_binarised",
    )
    # Logits are affine in z: solve for z and see that all 784 agree.
    logits = torch.logit(images.clamp(1e-15, 1 - 1e-15))
    z = torch.linalg.lstsq(weight, (logits - bias).T).solution.T  # (n, d)
    again = torch.sigmoid(z @ weight.T + bias)
    expect.true(
        torch.allclose(again, images, rtol=1e-4, atol=1e-5),
        _("{what}: the rows are not sigmoid(decoder(z)) for any z.").format(what=what),
        mistake="sample_sigmoid_twice" if images.min() > 0.49 and images.max() < 0.74 else None,
    )
    p_values = [standard_normal_test(z[:, j]) for j in range(latent_dim)]
    if all(p > 0 for p in p_values):
        p_values += [
            mean_test(z, [0.0] * latent_dim, torch.eye(latent_dim)),
            covariance_test(z, torch.eye(latent_dim)),
        ]
        # Draws in a row are independent: products of neighbours average to zero, with variance 1.
        p_values += [mean_test(z[1:] * z[:-1], [0.0] * latent_dim, torch.eye(latent_dim))]
    expect.p_value(
        min(1.0, min(p_values) * (latent_dim + 3)),
        what=_("{what}: the latent points against N(0, I)").format(what=what),
        alpha=1e-6,
        hint=_("z ~ N(0, I): torch.randn with the generator, one row per image."),
    )


@check(points=1, kind="exact", covers=("interpolate",))
def test_interpolate_line(student, probe, compare, draw):
    """interpolate decodes evenly spaced points of the line from z1 to z2, ends included."""
    for steps in (draw.integer(5, 9), 2, 1):
        latent_dim = draw.integer(2, 4)
        model, _mu, _logvar, (weight, bias) = affine(probe, draw, latent_dim)
        z1, z2 = draw.normal(latent_dim), draw.normal(latent_dim)
        t = torch.arange(steps, dtype=torch.float64)[:, None] / max(steps - 1, 1)
        z = (1 - t) * z1 + t * z2  # (steps, d)
        compare(
            probe.line(student.interpolate, model, z1, z2, steps),
            torch.sigmoid(z @ weight.T + bias),
            what=f"interpolate(model, z1, z2, steps={steps})",
        )


def right_points(mu, logvar, eps):
    return mu + torch.exp(0.5 * logvar) * eps


def bounds(draw, model, image, k, trials, points, likelihood):
    """Draws of the bound of one image from the judge's own noise, as the definition has it: tensors (trials,).

    Two of them where the points are not z = mu + sigma eps: log q may be computed from eps or from z.
    """
    _handle, mu_head, logvar_head, (weight, bias) = model
    mu, logvar = (image @ head[0].T + head[1] for head in (mu_head, logvar_head))
    eps = draw.normal(trials * k, len(mu))
    mu, logvar = mu.expand_as(eps), logvar.expand_as(eps)
    z = points(mu, logvar, eps)
    logits = z @ weight.T + bias
    log_p = likelihood(logits, image.expand_as(logits))
    ratios = [0.5 * (eps**2 + logvar - z**2).sum(1)]
    if points is not right_points:
        ratios += [0.5 * ((z - mu) ** 2 / logvar.exp() + logvar - z**2).sum(1)]
    return [(log_p + ratio).reshape(trials, k) for ratio in ratios]


def log_mean_exp(log_w):
    return torch.logsumexp(log_w, 1) - math.log(log_w.shape[1])


def built_on_faulty_parts(student, probe, reference, expect, draw):
    """Whether the bound is right but for a fault in reparameterize or in the likelihood, which cost their points.

    Only where one of the two is wrong, the other right, and a faulty likelihood one of its arguments: then the bound
    has to have the law that the student's own parts give it.
    """
    latent_dim, k, copies, trials = 2, draw.integer(4, 7), 300, 400
    mu, logvar, eps = (draw.normal(5, latent_dim) for _unused in range(3))
    x, logits = draw.uniform(5, PIXELS), draw.normal(5, PIXELS)

    def points(*a):
        return expect.tensor(student.reparameterize(*a), a[0].shape, "reparameterize(mu, logvar, eps)")

    def likelihood(*a):
        answer = student.reconstruction_log_likelihood(*a)
        return expect.tensor(answer, (len(a[0]),), "reconstruction_log_likelihood(logits, x)")

    own, elsewhere = likelihood(logits, x), likelihood(-logits, x.flip(0))
    right = (
        torch.allclose(points(mu, logvar, eps), right_points(mu, logvar, eps), rtol=1e-6),
        torch.allclose(own, reference.reconstruction_log_likelihood(logits, x), rtol=1e-6),
    )
    if sum(right) != 1 or not (own - elsewhere).abs().max() > 1e-4 * own.abs().max():
        return False
    model = affine(probe, draw, latent_dim, logvar=0.5, scale=0.12)
    image = draw.uniform(PIXELS)
    answer = student.importance_weighted_bound(model[0], image.expand(copies, -1), k=k, generator=draw.generator())
    got = expect.tensor(answer, (copies,), f"importance_weighted_bound(model, x, k={k})")
    for log_w in bounds(draw, model, image, k, trials, points, likelihood):
        own = log_mean_exp(log_w)
        if not own.isfinite().all():
            continue
        if own.std() < 1e-9:
            if torch.allclose(got, own[:1].expand_as(got)):
                return True
        elif kolmogorov_smirnov(got, own) > 1e-6:
            return True
    return False


@check(points=1, kind="exact", covers=("bound", "importance_weighted_bound"))
def test_bound_exact(student, probe, reference, compare, expect, draw):
    """Where q(z|x) is the true posterior, the importance-weighted bound equals log p(x) for every k."""
    for k, batch in ((1, draw.integer(3, 7)), (draw.integer(3, 9), draw.integer(3, 7)), (2, 1)):
        latent_dim = draw.integer(1, 3)
        curvature = draw.uniform(latent_dim, low=0.1, high=0.5)
        centre = draw.normal(latent_dim)
        background = draw.normal(PIXELS - latent_dim)
        # exp(-c (z - m)²) N(z; 0, 1): a Gaussian of precision 1 + 2c.
        precision = 1 + 2 * curvature
        model = probe.bowl_model(
            torch.zeros(latent_dim, PIXELS, dtype=torch.float64),
            2 * curvature * centre / precision,
            -torch.log(precision),
            curvature,
            centre,
            background,
        )
        x = draw.uniform(batch, PIXELS)
        x[:, :latent_dim] = 0.0
        log_bowls = (-0.5 * torch.log(precision) - curvature * centre**2 / precision).sum()
        log_background = (x[:, latent_dim:] * background - torch.nn.functional.softplus(background)).sum(-1)
        what = f"importance_weighted_bound(model, x, k={k}) of a model whose posterior is known"
        answer = student.importance_weighted_bound(model, x, k=k, generator=draw.generator())
        right = log_bowls + log_background
        got = expect.tensor(answer, (batch,), what)
        if not torch.allclose(got, right, rtol=1e-6) and built_on_faulty_parts(student, probe, reference, expect, draw):
            continue
        compare(answer, right, what=what)


@check(points=0.5, kind="statistical", covers=("bound", "importance_weighted_bound"))
def test_bound_draws(student, probe, reference, expect, draw):
    """The bound averages k weights inside the logarithm, with independent draws for every image."""
    k, copies = draw.integer(4, 7), 500
    model = affine(probe, draw, 2, logvar=0.5, scale=0.12)
    images = draw.uniform(2, PIXELS)
    what = f"importance_weighted_bound(model, x, k={k})"
    answer = student.importance_weighted_bound(
        model[0], images.repeat_interleave(copies, 0), k=k, generator=draw.generator()
    )
    got = expect.tensor(answer, (2 * copies,), what).reshape(2, copies)

    p_values, of_means = [], []
    for image, sample in zip(images, got, strict=True):
        likelihood = reference.reconstruction_log_likelihood
        (log_w,) = bounds(draw, model, image, k, 2000, right_points, likelihood)
        p_values.append(kolmogorov_smirnov(sample, log_mean_exp(log_w)))
        of_means.append(kolmogorov_smirnov(sample, log_w.mean(1)))
    p = min(1.0, 2 * min(p_values))
    if p < 1e-6 and built_on_faulty_parts(student, probe, reference, expect, draw):
        return
    shared = bool((got.std(1) < 1e-9).all())
    expect.p_value(
        p,
        what=_("{what} for many copies of an image").format(what=what),
        alpha=1e-6,
        hint=_("log of the mean weight: logsumexp over the k draws, minus log k; new draws for every row."),
        mistake="bound_shared_draws" if shared else "bound_mean_of_logs" if min(of_means) > 1e-4 else None,
    )
