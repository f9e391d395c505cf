"""Small examples to try your Glow on; they give no points."""

import math

import torch

from autograder.judge import check
from autograder.language import _


@check()
def test_logit_example(student, expect, compare):
    """The logit of one image, there and back."""
    y = torch.tensor([[[[0.25, 0.5], [0.75, 0.9]]]], dtype=torch.float64)
    x, log_det = expect.sequence(student.logit_transform(y, alpha=0.1), 2, "logit_transform(y, alpha=0.1)")
    compare(x[0, 0, 0, 1], torch.tensor(0.0, dtype=torch.float64), what="logit_transform(y, alpha=0.1)[0][0, 0, 0, 1]")
    p = 0.1 + 0.8 * y
    compare(log_det, (0.8 / (p * (1 - p))).log().sum().reshape(1), what="logit_transform(y, alpha=0.1)[1]")
    back, minus = expect.sequence(
        student.inverse_logit_transform(x, alpha=0.1), 2, "inverse_logit_transform(x, alpha=0.1)"
    )
    compare(back, y, what="inverse_logit_transform(x, alpha=0.1)[0]")
    compare(minus, -expect.tensor(log_det), what="inverse_logit_transform(x, alpha=0.1)[1]")


@check()
def test_layers_example(student, expect, compare, draw):
    """Each layer comes back, and its two log-determinants are opposite."""
    for name in ("ActNorm", "InvertibleConv1x1", "AffineCoupling"):
        layer = expect.handle({"ActNorm": student.ActNorm, "InvertibleConv1x1": student.InvertibleConv1x1,
                               "AffineCoupling": student.AffineCoupling}[name](4), name)  # fmt: skip
        layer.double()
        x = 3 + 2 * draw.normal(16, 4, 2, 3)
        z, log_det = expect.sequence(layer(x), 2, f"{name}.forward(x)")
        z = expect.tensor(z, x.shape, f"{name}.forward(x)").double()
        back, minus = expect.sequence(layer.inverse(z), 2, f"{name}.inverse(z)")
        compare(back, x, what=f"{name}.inverse({name}.forward(x)[0])[0]", rtol=1e-6, atol=1e-7)
        log_det = expect.tensor(log_det, (16,), f"{name}.forward(x)[1]").double()
        compare(minus, -log_det, what=f"{name}.inverse(z)[1]", atol=1e-7)
        if name == "ActNorm":
            expect.true(
                (z.mean(dim=(0, 2, 3)).abs() < 1e-3).all(),
                _("ActNorm.forward(x): the first batch leaves channels whose mean is not 0."),
            )
            compare(
                log_det[0], torch.tensor(-6 * 4 * math.log(2), dtype=torch.float64), what="ActNorm: about", atol=3.0
            )


@check()
def test_glow_example(student, expect, compare, draw):
    """The latents of an 8×8 image, its way back, its log-density, and samples."""
    flow = expect.handle(student.Glow(n_steps=1), "Glow(n_steps=1)")
    flow.double()
    x = draw.normal(8, 1, 8, 8)
    zs, log_det = expect.sequence(flow(x), 2, "Glow.forward(x)")
    shapes = [(8, 2, 4, 4), (8, 8, 2, 2)]
    zs = [
        expect.tensor(z, s, "Glow.forward(x)[0]").double() for z, s in zip(expect.sequence(zs, 2), shapes, strict=True)
    ]
    log_det = expect.tensor(log_det, (8,), "Glow.forward(x)[1]").double()
    back, _minus = expect.sequence(flow.inverse(zs), 2, "Glow.inverse(zs)")
    compare(back, x, what="Glow.inverse(Glow.forward(x)[0])[0]", rtol=1e-5, atol=1e-6)
    prior = sum((-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).flatten(1).sum(1) for z in zs)
    compare(flow.log_prob(x), prior + log_det, what="Glow.log_prob(x)", atol=1e-6)
    expect.tensor(flow.sample(3, temperature=0.5), (3, 1, 8, 8), "Glow.sample(3)")


@check(kind="training")
def test_training_example(student, expect, draw):
    """A short training lowers the bits per dimension of dark images, and samples are whole grey levels."""
    flow = expect.handle(student.Glow(size=4, n_scales=1, n_steps=1), "Glow(size=4, n_scales=1, n_steps=1)")
    pixels = draw.integers(0, 4, 200, 1, 4, 4)
    history = student.train_glow(flow, pixels, 40, 17, batch_size=32, lr=1e-2, generator=draw.generator())
    values = expect.history(history, "bpd", 40, "train_glow(flow, pixels, 40, 17)")
    expect.true(
        sum(values[-5:]) < sum(values[:5]),
        _("train_glow(flow, pixels, 40, 17): the bits per dimension do not fall."),
    )
    noise = draw.uniform(5, 1, 4, 4, dtype=torch.float32)
    expect.tensor(student.bits_per_dimension(flow, pixels[:5], noise, 17), (5,), "bits_per_dimension(flow, ...)")
    images = expect.tensor(student.sample_images(flow, 5, 17), (5, 1, 4, 4), "sample_images(flow, 5, 17)")
    expect.true(bool(((images >= 0) & (images <= 16)).all()), _("sample_images(flow, 5, 17): grey levels are 0..16."))
