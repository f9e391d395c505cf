"""Noise, loss, steps back and Langevin steps, with models whose answer is known.

What builds on `centre` or `q_sample` may also agree with the student's own one where that follows the right one: its
fault has cost its points already.
"""

from __future__ import annotations

import torch

from autograder.judge import CheckFailed, check
from autograder.judge.verdicts import StudentError
from autograder.language import _

from .positions import centred, nearest

# Numbers kept in float32 cost the points of the conventions alone.
CLOSE = {"rtol": 1e-5, "atol": 2e-6}


def own_answer(expect, call, right):
    """What a function of the student's gives, where it follows the right answer; else None."""
    try:
        own = expect.tensor(call(), tuple(right.shape)).double()
    except (CheckFailed, StudentError):
        return None
    sizes = float(own.norm()), float(right.norm())
    alike = float((own * right).sum()) > 0.8 * sizes[0] * sizes[1] and 0.3 < sizes[0] / max(sizes[1], 1e-12) < 3
    return own if alike else None


class Scene:
    """A falling schedule, molecules that lie off the centre, raw noise, and a model with known answers."""

    def __init__(self, student, probe, expect, draw, B=None, N=None):
        self.student, self.expect = student, expect
        self.T, self.B, self.N = draw.integer(6, 10), B or draw.integer(3, 5), N or draw.integer(3, 6)
        self.alpha_bars = draw.uniform(self.T, low=0.7, high=0.93).cumprod(0)
        self.before = torch.cat([torch.ones(1, dtype=torch.float64), self.alpha_bars[:-1]])
        self.alphas = self.alpha_bars / self.before
        self.x0 = 1.5 * draw.normal(self.B, self.N, 3) + 2 * draw.normal(self.B, 1, 3)
        self.noise = draw.normal(self.B, self.N, 3) + 0.5 * draw.normal(self.B, 1, 3)
        self.x = centred(draw.normal(self.B, self.N, 3))
        self.types = torch.tensor([0, 1, *draw.integers(0, 3, self.N - 2).tolist()])
        self.scale, self.arrows = draw.normal(self.T), draw.normal(3, 3)
        self.model = probe.scaled_model(self.scale, self.arrows)

    def predicted(self, x, t):
        """The model, here; t an int or (B,)."""
        times = torch.as_tensor(t).expand(len(x))
        return self.scale[times][:, None, None] * x + centred(self.arrows[self.types])

    def centres(self):
        """The noise centred, and centred by the student's own function."""
        right = centred(self.noise)
        own = own_answer(self.expect, lambda: self.student.centre(self.noise), right)
        return [right] if own is None else [right, own]

    def molecules(self):
        """The same for the molecules."""
        right = centred(self.x0)
        own = own_answer(self.expect, lambda: self.student.centre(self.x0), right)
        return [right] if own is None else [right, own]


@check(points=1, covers=("forward", "q_sample"))
def test_q_sample_value(student, probe, expect, compare, draw):
    """Molecules jump to their own times: centred molecules and centred noise, mixed with the roots of ᾱ and 1 - ᾱ."""
    for N in (2, draw.integer(3, 6)):
        scene = Scene(student, probe, expect, draw, B=4, N=N)
        t = torch.tensor(draw.shuffle([0, scene.T - 1, *draw.integers(0, scene.T, 2).tolist()]))
        bars = scene.alpha_bars[t][:, None, None]
        rights = [
            bars.sqrt() * molecules + (1 - bars).sqrt() * noise
            for molecules, noise in zip(scene.molecules(), scene.centres(), strict=False)
        ]
        got = student.q_sample(scene.x0, scene.alpha_bars, t, scene.noise)
        compare(got, nearest(got, rights), "q_sample(x0, alpha_bars, t, noise)", **CLOSE)


LOSS = "denoising_loss(model, x0, types, alpha_bars, t, noise)"


@check(points=1, covers=("loss", "denoising_loss"))
def test_loss_value(student, probe, expect, compare, draw):
    """The loss is the mean over all entries of the squared error on the centred noise."""
    for _k in range(2):
        scene = Scene(student, probe, expect, draw)
        t = draw.integers(0, scene.T, scene.B)
        bars = scene.alpha_bars[t][:, None, None]
        right = bars.sqrt() * centred(scene.x0) + (1 - bars).sqrt() * centred(scene.noise)
        own = own_answer(expect, lambda s=scene, t=t: student.q_sample(s.x0, s.alpha_bars, t, s.noise), right)
        inputs = [right] if own is None else [right, own]
        rights = [(scene.predicted(x_t, t) - noise).square().mean() for x_t in inputs for noise in scene.centres()]
        got = student.denoising_loss(scene.model, scene.x0, scene.types, scene.alpha_bars, t, scene.noise)
        compare(got, nearest(got, rights), LOSS, **CLOSE)


@check(points=0.25, requires=("loss_value",), covers=("loss_gradient", "denoising_loss"))
def test_loss_gradient(student, probe, expect, compare, draw):
    """The loss can be differentiated in the model's parameters."""
    scene = Scene(student, probe, expect, draw)
    t = draw.integers(0, scene.T, scene.B)
    arguments = [scene.x0, scene.types, scene.alpha_bars, t, scene.noise]
    what = _("the gradient of {what} by the model's weights").format(what=LOSS)
    hint = _("Nothing on the way from the model to the loss may detach: no `.item()`, `.detach()`, `no_grad`.")
    answer = probe.gradient_of_scale(student.denoising_loss, scene.model, arguments)
    got = expect.tensor(answer, (scene.T,), what, hint=hint).double()
    rights = []
    for molecules, noise in zip(scene.molecules(), scene.centres(), strict=False):
        bars = scene.alpha_bars[t][:, None, None]
        x_t = bars.sqrt() * molecules + (1 - bars).sqrt() * noise
        right = torch.zeros(scene.T, dtype=torch.float64)
        right.index_add_(0, t, (2 * (scene.predicted(x_t, t) - noise) * x_t).sum((1, 2)) / x_t.numel())
        rights.append(right)
    right = nearest(got, rights)
    gap = float((got - right).norm()) / float(right.norm())
    # The value has its own check: here it is enough that the gradient is one.
    expect.true(gap < 0.5 and float(got.norm()) > 0, _("{what} is far off.").format(what=what), hint=hint)


def reverse(scene, t, noise):
    """The right step back."""
    bar, alpha, before = scene.alpha_bars[t], scene.alphas[t], scene.before[t]
    mean = (scene.x - (1 - alpha) / (1 - bar).sqrt() * scene.predicted(scene.x, t)) / alpha.sqrt()
    return mean + ((1 - alpha) * (1 - before) / (1 - bar)).sqrt() * noise


@check(points=1, covers=("reverse_mean", "reverse_step"))
def test_reverse_mean(student, probe, expect, compare, draw):
    """Without noise a step back gives its mean, at early and late times."""
    scene = Scene(student, probe, expect, draw)
    zero = torch.zeros_like(scene.x)
    for t in (scene.T - 1, draw.integer(2, scene.T - 2), 1):
        got = student.reverse_step(scene.model, scene.x, scene.types, scene.alpha_bars, t, zero)
        compare(got, reverse(scene, t, zero), f"reverse_step(model, x_t, types, alpha_bars, {t}, 0)", **CLOSE)


@check(points=0.5, covers=("reverse_noise", "reverse_step"))
def test_reverse_noise(student, probe, expect, compare, draw):
    """The noise of a step back is centred and has the variance (1 - α)(1 - ᾱ before) / (1 - ᾱ)."""
    scene = Scene(student, probe, expect, draw)
    zero = torch.zeros_like(scene.x)
    for t in (scene.T - 1, draw.integer(2, scene.T - 2), 1):
        what = f"reverse_step(model, x_t, types, alpha_bars, {t}, noise)"
        loud, quiet = (
            expect.tensor(
                student.reverse_step(scene.model, scene.x, scene.types, scene.alpha_bars, t, noise),
                tuple(scene.x.shape),
                what,
            ).double()
            for noise in (scene.noise, zero)
        )
        # By difference: the mean has its own check.
        rights = [reverse(scene, t, noise) - reverse(scene, t, zero) for noise in scene.centres()]
        added = loud - quiet
        compare(added, nearest(added, rights), _("{what}: what the noise adds").format(what=what), **CLOSE)


@check(points=0.25, covers=("reverse_last", "reverse_step"))
def test_reverse_last(student, probe, expect, compare, draw):
    """The last step, at t = 0, gives the mean alone: no noise, and ᾱ = 1 before it."""
    scene = Scene(student, probe, expect, draw)
    got = student.reverse_step(scene.model, scene.x, scene.types, scene.alpha_bars, 0, scene.noise)
    right = reverse(scene, 0, torch.zeros_like(scene.x))
    compare(got, right, "reverse_step(model, x_t, types, alpha_bars, 0, noise)", **CLOSE)


@check(points=0.75, covers=("langevin", "langevin_step"))
def test_langevin_value(student, probe, expect, compare, draw):
    """A Langevin step follows the score for `step` and adds centred noise of variance 2 step, at any level of noise."""
    scene = Scene(student, probe, expect, draw)
    zero = torch.zeros_like(scene.x)
    for t in (0, draw.integer(2, scene.T - 2), scene.T - 1):
        step = round(float(draw.uniform(1, low=0.02, high=0.4)), 3)
        score = -scene.predicted(scene.x, t) / (1 - scene.alpha_bars[t]).sqrt()
        drift = scene.x + step * score
        what = f"langevin_step(model, x, types, alpha_bars, {t}, {step}, noise)"
        arguments = (scene.model, scene.x, scene.types, scene.alpha_bars, t, step)
        compare(student.langevin_step(*arguments, zero), drift, _("{what} without noise").format(what=what), **CLOSE)
        got = student.langevin_step(*arguments, scene.noise)
        rights = [drift + (2 * step) ** 0.5 * noise for noise in scene.centres()]
        compare(got, nearest(got, rights), what, **CLOSE)
