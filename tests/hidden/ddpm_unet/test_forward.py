"""The forward process, the loss, and what the noise says about image and score."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.judge.verdicts import StudentError
from autograder.language import _

from .tables import make_diffusion

# Tables kept in float32 cost the points of the conventions alone.
CLOSE = {"rtol": 1e-5, "atol": 2e-6}


def schedule(draw, T):
    """Variances that leave something of the image at the last step, in no particular order."""
    return draw.uniform(T, low=0.03, high=0.25)


def images(draw, *shape):
    """Images inside [-1, 1], so that a solution that clips its guess of the clean image changes nothing."""
    return draw.uniform(*shape, low=-0.9, high=0.9)


def times(draw, T, B):
    """B distinct times in random order, the first and the last among them."""
    return torch.tensor(draw.shuffle([0, T - 1, *draw.shuffle(range(1, T - 1))[: B - 2]]))


@check(points=1.5, covers=("q_sample", "times"))
def test_q_sample(student, reference, probe, expect, compare, draw):
    """`q_sample` jumps to time t in one go, each image to its own time."""
    for C in (1, draw.integer(2, 3)):
        T, B = draw.integer(8, 14), draw.integer(4, 7)
        diffusion, right = make_diffusion(student, reference, probe, expect, schedule(draw, T))
        shape = (B, C, draw.integer(2, 5), draw.integer(6, 8))
        x0, t, noise = images(draw, *shape), times(draw, T, B), draw.normal(*shape)
        compare(
            student.q_sample(diffusion, x0, t, noise),
            reference.q_sample(right, x0, t, noise),
            **CLOSE,
        )


@check(points=1, covers=("q_step", "chain"))
def test_q_step(student, reference, probe, expect, compare, draw):
    """`q_step` takes one step, and a chain of steps has the mean and the variance of the jump."""
    T, B = draw.integer(5, 8), draw.integer(3, 5)
    diffusion, right = make_diffusion(student, reference, probe, expect, schedule(draw, T))
    shape = (B, draw.integer(1, 3), 3, draw.integer(4, 6))
    x, t, noise = images(draw, *shape), times(draw, T, B), draw.normal(*shape)
    what = "q_step(diffusion, x_prev, t, noise)"
    compare(student.q_step(diffusion, x, t, noise), reference.q_step(right, x, t, noise), what=what, **CLOSE)
    # Row k starts from 0 and gets noise 1 at step k only; the last row starts from 1 without noise.
    x = torch.zeros(T + 1, 1, 1, 1, dtype=torch.float64)
    x[T] = 1.0
    for k in range(T):
        noise = torch.zeros_like(x)
        noise[k] = 1.0
        x = expect.tensor(student.q_step(diffusion, x, torch.full((T + 1,), k), noise), (T + 1, 1, 1, 1), what).double()
    last = right.alpha_bars[-1]
    compare(x[T, 0, 0, 0], last.sqrt(), what="mean after T steps of q_step from x0 = 1", **CLOSE)
    compare((x[:T] ** 2).sum(), 1 - last, what="variance after T steps of q_step", **CLOSE)


@check(points=1, covers=("loss", "ddpm_loss"))
def test_loss_value(student, reference, probe, expect, compare, draw):
    """The loss is the mean squared error between the noise and the model's answer on the noisy images."""
    for _k in range(2):
        T, B = draw.integer(8, 14), draw.integer(4, 7)
        diffusion, right = make_diffusion(student, reference, probe, expect, schedule(draw, T))
        shape = (B, draw.integer(1, 3), draw.integer(3, 5), draw.integer(4, 6))
        x0, t, noise = images(draw, *shape), times(draw, T, B), draw.normal(*shape)
        scale, offset = draw.normal(T), draw.normal(*shape)
        model = probe.scaled_model(scale, offset)
        answer = student.ddpm_loss(model, diffusion, x0, t, noise)

        def loss(x_t, scale=scale, offset=offset, t=t, noise=noise):
            return ((scale[t].reshape(-1, 1, 1, 1) * x_t + offset - noise) ** 2).mean()

        expected = loss(reference.q_sample(right, x0, t, noise))
        what = "ddpm_loss(model, diffusion, x0, t, noise)"
        value = expect.tensor(answer, (), what).double()
        if not torch.allclose(value, expected, **CLOSE):
            # A wrong q_sample has its own check: the loss on what it gives is right here.
            own = own_noisy(student, diffusion, x0, t, noise)
            if own is not None:
                follows = loss(own.double())
                expected = follows if torch.allclose(value, follows, rtol=1e-4) else expected
        compare(answer, expected, what=what, **CLOSE)


def own_noisy(student, diffusion, x0, t, noise):
    """What the student's q_sample answers; None where it is missing or does not mix image and noise."""
    try:
        answers = [student.q_sample(diffusion, x, t, z) for x, z in ((x0, noise), (x0 + 1, noise), (x0, noise + 1))]
    except StudentError:
        return None
    if not all(isinstance(x, torch.Tensor) and x.shape == x0.shape and x.isfinite().all() for x in answers):
        return None
    return answers[0] if min(float((x - answers[0]).abs().max()) for x in answers[1:]) > 1e-3 else None


@check(points=0.5, covers=("loss_gradient", "ddpm_loss"))
def test_loss_gradient(student, reference, probe, expect, compare, draw):
    """The gradient of the loss reaches the model's weights."""
    T, B = draw.integer(8, 14), draw.integer(4, 7)
    diffusion, _right = make_diffusion(student, reference, probe, expect, schedule(draw, T))
    shape = (B, 1, draw.integer(3, 5), draw.integer(4, 6))
    x0, t, noise = images(draw, *shape), times(draw, T, B), draw.normal(*shape)
    model = probe.scaled_model(draw.uniform(T, low=0.5, high=1.5), draw.normal(*shape))
    answer = probe.gradient_of_scale(student.ddpm_loss, model, [diffusion, x0, t, noise])
    what = _("the gradient of ddpm_loss by a weight of the model")
    expect.true(answer is not None, _("{what}: there is none.").format(what=what))
    gradient = expect.tensor(answer, (T,), what).double()
    # Times that are not in the batch get none; the value itself is the business of loss_value.
    used = torch.zeros(T, dtype=torch.bool)
    used[t] = True
    expect.true(
        (gradient[used] != 0).all() and (gradient[~used] == 0).all(),
        _("{what}: it must be there for every time of the batch, and for no other.").format(what=what),
    )
    # A mean of the model's answers has a gradient, too: what is learnt from must see image, times and noise.
    what = "ddpm_loss(model, diffusion, x0, t, noise)"
    given = [(x0, t, noise), (-x0, t, noise), (x0, t.flip(0), noise), (x0, t, -noise)]
    value, *others = (expect.number(student.ddpm_loss(model, diffusion, *arguments), what) for arguments in given)
    expect.true(
        min(abs(other - value) for other in others) > 1e-6 * (1 + abs(value)),
        _("{what}: it is the same for other images, times or noise.").format(what=what),
    )


@check(points=0.5, covers=("predict_x0",))
def test_predict_x0(student, reference, probe, expect, compare, draw):
    """`predict_x0` finds the clean image from a noisy one and its noise."""
    for C in (1, draw.integer(2, 3)):
        T, B = draw.integer(8, 14), draw.integer(4, 7)
        diffusion, right = make_diffusion(student, reference, probe, expect, schedule(draw, T))
        shape = (B, C, draw.integer(2, 5), draw.integer(6, 8))
        # Beyond [-1, 1] as well: samplers may clip, this formula does not.
        x0, t, noise = 1.8 * images(draw, *shape), times(draw, T, B), draw.normal(*shape)
        x_t = reference.q_sample(right, x0, t, noise)
        compare(student.predict_x0(diffusion, x_t, t, noise), x0, **CLOSE)


@check(points=0.5, covers=("score", "score_from_noise"))
def test_score_from_noise(student, reference, probe, expect, compare, draw):
    """The score points against the noise; Tweedie's formula with it gives the clean image."""
    T, B = draw.integer(8, 14), draw.integer(4, 7)
    diffusion, right = make_diffusion(student, reference, probe, expect, schedule(draw, T))
    shape = (B, draw.integer(1, 3), draw.integer(2, 5), draw.integer(6, 8))
    x0, t, noise = images(draw, *shape), times(draw, T, B), draw.normal(*shape)
    what = "score_from_noise(diffusion, noise, t)"
    answer = student.score_from_noise(diffusion, noise, t)
    compare(answer, reference.score_from_noise(right, noise, t), what=what, **CLOSE)
    variance = (1 - right.alpha_bars[t]).reshape(-1, 1, 1, 1)
    x_t = reference.q_sample(right, x0, t, noise)
    denoised = x_t + variance * expect.tensor(answer, shape, what).double()
    compare(denoised, (1 - variance).sqrt() * x0, what="x_t + variance * score", **CLOSE)


@check(
    points=0.5, covers=("errors",),
    substance={
        "q_sample": ("q_sample",), "q_step": ("q_step",), "predict_x0": ("predict_x0",),
        "score_from_noise": ("score_from_noise",), "train_ddpm": ("train_draws",), "sample": ("sample_ancestral",),
    },
)  # fmt: skip
def test_errors(student, reference, probe, each, expect, draw):
    """Negative times, shapes that do not match and counts below 1 are refused with ValueError."""
    T, B = draw.integer(6, 10), draw.integer(4, 6)
    diffusion, _right = make_diffusion(student, reference, probe, expect, schedule(draw, T))
    shape = (B, 1, 4, 4)
    x, noise, t = images(draw, *shape), draw.normal(*shape), times(draw, T, B)
    negative = t.clone()
    negative[draw.integer(0, B - 1)] = -draw.integer(1, T)
    more = draw.normal(B + 1, 1, 4, 4)

    def refused(what, function, *arguments, **options):
        expect.raises(ValueError, function, *arguments, what=what, **options)

    with each("q_sample"):
        refused(_("q_sample, a negative t"), student.q_sample, diffusion, x, negative, noise)
        refused(_("q_sample, noise of another shape than x0"), student.q_sample, diffusion, x, t, more)
        refused(_("q_sample, fewer times than images"), student.q_sample, diffusion, x, t[:-1], noise)
    with each("q_step"):
        refused(_("q_step, a negative t"), student.q_step, diffusion, x, negative, noise)
    with each("predict_x0"):
        refused(_("predict_x0, a negative t"), student.predict_x0, diffusion, x, negative, noise)
    with each("score_from_noise"):
        refused(_("score_from_noise, a negative t"), student.score_from_noise, diffusion, noise, negative)
    model = probe.pixel_model(torch.zeros(1, 4, 4), torch.zeros(1, 4, 4))
    data = x.float()
    with each("train_ddpm"):
        refused("train_ddpm, steps=0", student.train_ddpm, model, diffusion, data, 0)
        refused("train_ddpm, batch_size=0", student.train_ddpm, model, diffusion, data, 2, batch_size=0)
    with each("sample"):
        refused("sample, steps=0", student.sample, model, diffusion, shape, steps=0)
