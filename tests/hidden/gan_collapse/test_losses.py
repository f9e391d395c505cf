"""The losses with their gradients by the logits, in float64; at large logits in float32 too."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

from .losses import right_discriminator, right_generator


def cut_off(fake, loss):
    """The generator's loss with a constant under the logarithm."""
    sign = 1 if loss == "non_saturating" else -1
    return -sign * (torch.sigmoid(sign * fake) + 1e-8).log().mean()


def judge(compare, expect, probe, function, right, logits, what, hint=None, mistakes=None, rtol=1e-4, **options):
    """Value and gradients of a loss at these logits; `mistakes`: known wrong losses by their ids."""
    given = [x.clone().requires_grad_() for x in logits]
    value = right(*given, **options)
    known = {name: wrong(*logits, **options) for name, wrong in (mistakes or {}).items()}
    compare(function(*logits, **options), value, what=what, hint=hint, mistakes=known, rtol=rtol)
    slopes = torch.autograd.grad(value, given)
    got = expect.sequence(probe.gradient(function, logits, list(range(len(logits))), **options), len(logits), what)
    for one, slope in zip(got, slopes, strict=True):
        expect.true(
            one is not None,
            _("{what}: no gradient by the logits.").format(what=what),
            hint=_("Nothing detached, no .item(), no numbers out of tensors."),
        )
        compare(one, slope, what=_("gradient of {what} by the logits").format(what=what), hint=hint, rtol=rtol)


@check(points=0.75, covers=("losses", "discriminator_loss"))
def test_discriminator_loss_value(student, probe, compare, expect, draw):
    """The discriminator's loss is the sum of two means, with labels 1 - s for real samples and 0 for fakes."""
    for loss in ("non_saturating", "saturating"):
        for smoothing in (0.0, float(draw.uniform(1, low=0.05, high=0.4))):
            n = draw.integer(4, 9)
            logits = [1 + 2 * draw.normal(n), 2 * draw.normal(n + draw.integer(2, 5)) - 1]
            what = f"discriminator_loss(real_logits, fake_logits, smoothing={smoothing:.2f}, loss={loss!r})"
            judge(
                compare, expect, probe, student.discriminator_loss, right_discriminator, logits, what,
                smoothing=smoothing, loss=loss,
            )  # fmt: skip
    compare(student.discriminator_loss(*logits), right_discriminator(*logits))


@check(points=0.5, covers=("losses", "generator_loss"))
def test_generator_loss_value(student, probe, compare, expect, draw):
    """The generator minimises -E log D, or E log(1 - D) where the loss saturates."""
    for loss in ("non_saturating", "saturating"):
        logits = [2 * draw.normal(draw.integer(5, 12)) - 1]
        what = f"generator_loss(fake_logits, loss={loss!r})"
        judge(compare, expect, probe, student.generator_loss, right_generator, logits, what, loss=loss)
    compare(student.generator_loss(*logits), right_generator(*logits))


@check(points=0.25, covers=("wasserstein", "discriminator_loss", "generator_loss"))
def test_wasserstein_losses(student, probe, each, compare, expect, draw):
    """The losses of the Wasserstein GAN are means of scores, without logarithms and without smoothing."""
    n, smoothing = draw.integer(4, 9), float(draw.uniform(1, low=0.1, high=0.4))
    real, fake = 1 + 2 * draw.normal(n), 2 * draw.normal(n + draw.integer(2, 5)) - 1
    with each("discriminator_loss"):
        judge(
            compare, expect, probe, student.discriminator_loss, right_discriminator, [real, fake],
            "discriminator_loss(real_logits, fake_logits, loss='wasserstein')", smoothing=smoothing, loss="wasserstein",
            mistakes={
                "wasserstein_sign": lambda real, fake, **_options: real.mean() - fake.mean(),
                "wasserstein_sigmoid": lambda real, fake, **_options: fake.sigmoid().mean() - real.sigmoid().mean(),
            },
        )  # fmt: skip
    with each("generator_loss"):
        judge(
            compare, expect, probe, student.generator_loss, right_generator, [fake],
            "generator_loss(fake_logits, loss='wasserstein')", loss="wasserstein",
        )  # fmt: skip


@check(points=0.75, covers=("losses_far", "discriminator_loss", "generator_loss"))
def test_losses_large_logits(student, probe, each, compare, expect, draw):
    """Values and gradients are right at logits of -1000 and 1000, in float32 too."""
    hint = _("log σ(l) as one function: F.logsigmoid(l), or -F.softplus(-l). And 1 - σ(l) = σ(-l).")
    for dtype in (torch.float64, torch.float32):
        large = [sign * (900 + 200 * draw.uniform(3, dtype=dtype)) for sign in (-1, 1)]
        logits = torch.cat([*large, draw.normal(3, dtype=dtype)])
        for loss in ("non_saturating", "saturating"):
            with each("discriminator_loss"):
                judge(
                    compare, expect, probe, student.discriminator_loss, right_discriminator, [logits, -0.9 * logits],
                    f"discriminator_loss(real_logits, fake_logits, loss={loss!r})", hint,
                    smoothing=draw.choice((0.1, 0.2, 0.3)), loss=loss,
                    mistakes={"log_of_sigmoid": lambda *_logits, **_options: torch.tensor(float("inf"))},
                )  # fmt: skip
            with each("generator_loss"):
                judge(
                    compare, expect, probe, student.generator_loss, right_generator, [logits],
                    f"generator_loss(fake_logits, loss={loss!r})", hint, loss=loss,
                    mistakes={"log_with_epsilon": cut_off},
                )  # fmt: skip
