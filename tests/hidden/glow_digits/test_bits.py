"""Bits per dimension, of models whose density is known."""

import math

import torch

from autograder.judge import check
from autograder.language import _

KINDS = (torch.int64, torch.uint8, torch.int32)


def data(draw, levels, rows=None):
    """Pixels and noise (B, C, H, W), and the y that they make."""
    shape = (rows or draw.integer(3, 7), draw.integer(1, 3), *draw.shuffle([2, 3, 4])[:2])
    pixels = draw.integers(0, levels, *shape)
    noise = draw.uniform(*shape, low=0.01, high=0.99)
    return pixels, noise, (pixels + noise) / levels


def logit(y, alpha):
    """x and Σ log dx/dy for each image."""
    p = alpha + (1 - 2 * alpha) * y
    return (p / (1 - p)).log(), ((1 - 2 * alpha) / (p * (1 - p))).log().flatten(1).sum(1)


def log_density(x, mean, log_scale, law):
    """log p(x) (B,) of a flow of ours."""
    z = (x - mean) * (-log_scale).exp()
    values = (z.sigmoid() * (-z).sigmoid()).log() if law == "logistic" else -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return (values - log_scale).flatten(1).sum(1)


def bits(log_prob, log_det, dimensions, levels):
    return -(log_prob + log_det - dimensions * math.log(levels)) / (dimensions * math.log(2))


@check(points=0.75, kind="exact", covers=("bits", "bits_per_dimension", "logit_transform"))
def test_bits_value(student, probe, expect, compare, draw):
    """Bits per dimension are those of the image's probability: density, logit, levels and dimensions."""
    for levels, kind in zip((draw.integer(3, 20), draw.integer(30, 255), 2), draw.shuffle(KINDS), strict=True):
        pixels, noise, y = data(draw, levels)
        alpha = float(draw.uniform(1, low=0.08, high=0.3))
        mean, log_scale = draw.normal(*pixels.shape[1:]), 0.3 * draw.normal(*pixels.shape[1:])
        law = draw.choice(["normal", "logistic"])
        model = expect.handle(probe.known_flow(mean, log_scale, law), _("a model of ours"))
        what = f"bits_per_dimension(model, pixels, noise, {levels}, alpha={alpha:.3g})"
        answer = student.bits_per_dimension(model, pixels.to(kind), noise, levels, alpha=alpha)
        value = expect.tensor(
            answer, (len(pixels),), what, hint=_("One number per image: sum over its pixels.")
        ).double()
        dimensions = pixels[0].numel()
        x, log_det = logit(y, alpha)
        right = bits(log_density(x, mean, log_scale, law), log_det, dimensions, levels)
        if not torch.allclose(value, right, rtol=1e-6, atol=1e-8):
            own = own_logit(student, expect, y, alpha, x, log_det)
            if own is not None:
                again = bits(log_density(own[0], mean, log_scale, law), own[1], dimensions, levels)
                right = again if torch.allclose(value, again, rtol=1e-6, atol=1e-8) else right
        compare(
            value,
            right,
            what=what,
            hint=_("-(log p(x) + log|det ∂x/∂y| - D log levels) / (D log 2), with D = C·H·W."),
        )


def own_logit(student, expect, y, alpha, x, log_det):
    """What the student's own logit_transform gives, where it follows the right one; None otherwise."""
    answer = student.logit_transform(y, alpha=alpha)
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return None
    if not all(isinstance(v, torch.Tensor) and v.is_floating_point() and v.isfinite().all() for v in answer):
        return None
    if answer[0].shape != x.shape or answer[1].shape != log_det.shape:
        return None
    pairs = ((answer[0].double().flatten(), x.flatten()), (answer[1].double(), log_det))
    return answer if all(float(torch.corrcoef(torch.stack(pair))[0, 1]) > 0.9 for pair in pairs) else None


@check(points=0.25, kind="exact", covers=("uniform", "bits_per_dimension", "logit_transform"))
def test_bits_uniform(student, probe, expect, compare, draw):
    """A model that knows nothing needs log₂ levels bits per dimension, and another one needs more or less."""
    for levels in (2, 17, draw.integer(20, 200)):
        pixels, noise, _y = data(draw, levels)
        zero = torch.zeros(*pixels.shape[1:], dtype=torch.float64)
        model = expect.handle(probe.known_flow(zero, zero, "logistic"), _("a model of ours"))
        answer = student.bits_per_dimension(model, pixels, noise, levels, alpha=0.0)
        right = torch.full((len(pixels),), math.log2(levels), dtype=torch.float64)
        what = _("the bits per dimension of the uniform law of {levels} levels").format(levels=levels)
        compare(answer, right, what=what)
        other = expect.handle(probe.known_flow(zero + 1, zero - 0.5, "logistic"), _("a model of ours"))
        value = student.bits_per_dimension(other, pixels, noise, levels, alpha=0.0)
        value = expect.tensor(value, (len(pixels),), "bits_per_dimension(...)").double()
        expect.true(
            float((value - right).abs().min()) > 1e-6,
            _("bits_per_dimension(...): every model needs as many bits."),
        )


@check(points=0.25, kind="exact", covers=("normalised", "bits_per_dimension", "logit_transform"))
def test_bits_sum_to_one(student, probe, expect, draw):
    """The probabilities 2^(-D · bits) of all 16 black and white images of 2×2 pixels sum to 1."""
    n, alpha = 512, 1e-4
    images = torch.cartesian_prod(*[torch.tensor([0, 1])] * 4).reshape(16, 1, 1, 2, 2)
    engine = torch.quasirandom.SobolEngine(4, scramble=True, seed=draw.seed() % 2**31)
    noise = engine.draw(n, dtype=torch.float64).clamp(1e-9, 1 - 1e-9).reshape(1, n, 1, 2, 2)
    pixels, noise = (v.expand(16, n, 1, 2, 2).reshape(-1, 1, 2, 2).contiguous() for v in (images, noise))
    mean, log_scale = 0.6 * draw.normal(1, 2, 2), 0.2 * draw.normal(1, 2, 2)
    model = expect.handle(probe.known_flow(mean, log_scale, "normal"), _("a model of ours"))
    value = student.bits_per_dimension(model, pixels, noise, 2, alpha=alpha)
    value = expect.tensor(value, (len(pixels),), "bits_per_dimension(...)").double()
    expect.true(
        float(value.std()) > 1e-3,
        _("bits_per_dimension(...): every image needs as many bits."),
        hint=_("-(log p(x) + log|det ∂x/∂y| - D log levels) / (D log 2), with D = C·H·W."),
    )
    total = float((2.0 ** (-4 * value)).reshape(16, n).mean(1).sum())
    expect.true(
        abs(total - 1) < 0.03,
        _("bits_per_dimension: the probabilities of all black and white images of 2×2 pixels do not sum to 1."),
        hint=_("Averaged over the noise, 2^(-D · bits) is the probability of an image."),
    )
