"""The loss, and the two ways to follow a prompt."""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.language import _


def draw_bars(draw, T):
    """ᾱ that decrease within (0, 1), neither near 1 nor near 0."""
    return draw.uniform(T, low=0.05, high=0.97).sort(descending=True).values


class Scene:
    """A network that is known here, latents, times and conditions."""

    def __init__(self, draw, B, blind=False):
        self.d, self.k, self.T, self.B = draw.integer(2, 4), draw.integer(3, 5), draw.integer(7, 12), B
        h = draw.integer(5, 8)
        self.weights = [draw.normal(*s) for s in ((self.d, h), (self.k, h), (self.T, h), (h, self.d))]
        if blind:
            self.weights[1] = 0 * self.weights[1]
        self.bars = draw_bars(draw, self.T)
        self.z, self.noise, self.c = draw.normal(B, self.d), draw.normal(B, self.d), draw.normal(B, self.k)
        self.t = draw.integers(0, self.T, B)
        self.t[:2] = torch.tensor([self.T - 1, 0])[:B]

    def answer(self, z, t, c):
        W, M, U, V = self.weights
        return torch.tanh(z @ W + c @ M + U[t]) @ V

    def noisy(self):
        bars = self.bars[self.t][:, None]
        return bars.sqrt() * self.z + (1 - bars).sqrt() * self.noise

    def drops(self, draw):
        """Some rows dropped and some not."""
        drop = torch.tensor(draw.shuffle([i % 2 == 0 for i in range(self.B)]))
        return drop, torch.where(drop[:, None], 0.0, self.c)

    def loss(self, c):
        return (self.noise - self.answer(self.noisy(), self.t, c)).square().mean()


LOSS = "diffusion_loss(model, alpha_bars, z0, c, t, noise, drop)"


@check(points=1, covers=("loss", "diffusion_loss"))
def test_loss_value(student, probe, compare, draw):
    """The loss is the mean squared error of the guessed noise in z_t, over all entries."""
    for B in (1, draw.integer(5, 9), draw.integer(5, 9)):
        scene = Scene(draw, B, blind=True)  # whom the prompt is dropped for makes no difference
        drop, _given = scene.drops(draw)
        model = probe.network(*scene.weights)
        answer = student.diffusion_loss(model, scene.bars, scene.z, scene.c, scene.t, scene.noise, drop)
        compare(answer, scene.loss(scene.c), LOSS)


@check(points=0.5, covers=("drop", "diffusion_loss"))
def test_loss_drop(student, probe, expect, draw):
    """The model is given zeros as the condition where `drop` is true, and the row's own condition elsewhere."""
    for case in range(3):
        scene = Scene(draw, draw.integer(6, 9))
        drop, _given = scene.drops(draw)
        if case:
            drop = torch.full((scene.B,), case == 1)
        given = torch.where(drop[:, None], 0.0, scene.c)
        model = probe.network(*scene.weights)
        arguments = (scene.bars, scene.z), (scene.t, scene.noise, drop)
        value = expect.number(student.diffusion_loss(model, *arguments[0], scene.c, *arguments[1]), LOSS)
        rows = expect.tensor(probe.conditions_given(model), (scene.B, scene.k), _("the conditions that the model got"))
        # The rows may be handed over in parts, those without a prompt first: then the loss says which is whose.
        same = torch.allclose(rows, given, atol=1e-6)
        if not same and abs(value - float(scene.loss(given))) < 1e-6 * (1 + value):
            nearest = torch.cdist(given, rows).min(1).values
            same = bool((nearest < 1e-6).all())
        expect.true(
            same,
            _("{what}: the model must get zeros in the rows that are dropped, and c in the others.").format(what=LOSS),
            mistake=told_drop(rows, drop, scene.c),
        )
        if bool((~drop).any()):
            other = student.diffusion_loss(model, *arguments[0], -scene.c, *arguments[1])
            expect.true(
                abs(expect.number(other, LOSS) - value) > 1e-6,
                _("{what}: it is the same for other conditions.").format(what=LOSS),
            )


def told_drop(rows, drop, c):
    """The known mistake that these conditions show."""
    if torch.allclose(rows, torch.where(drop[:, None], c, 0.0)):
        return "drop_inverted"
    return "drop_ignored" if torch.allclose(rows, c) else None


@check(points=0.25, covers=("loss_gradient", "diffusion_loss"))
def test_loss_gradient(student, probe, expect, draw):
    """Gradients of the loss reach the model's weights, and the conditions where they are kept."""
    scene = Scene(draw, draw.integer(6, 9))
    drop, _given = scene.drops(draw)
    model = probe.network(*scene.weights)
    answer = probe.loss_gradients(
        student.diffusion_loss, model, scene.bars, scene.z, scene.c, scene.t, scene.noise, drop
    )
    hint = _("Nothing on the way from the model to the loss may detach: no `.item()`, `.detach()`, `no_grad`.")
    expect.true(isinstance(answer, dict), _("the gradient of {what}: there is none.").format(what=LOSS), hint=hint)
    for name, shape in zip("WMUV", (tuple(w.shape) for w in scene.weights), strict=True):
        what = _("the gradient of {what} by a weight of the model").format(what=LOSS)
        gradient = expect.tensor(answer.get(name), shape, what, hint=hint)
        used = gradient[scene.t.unique()] if name == "U" else gradient
        expect.true(bool((used != 0).any(-1).all()), _("{what}: it is zero.").format(what=what), hint=hint)
    what = _("the gradient of {what} by c").format(what=LOSS)
    gradient = expect.tensor(answer.get("c"), tuple(scene.c.shape), what, hint=hint)
    expect.true(
        bool((gradient[~drop] != 0).any(1).all()),
        _("{what}: it is zero where the condition is kept: the text encoder could not learn.").format(what=what),
        hint=hint,
    )


@check(points=1, covers=("guided", "guided_noise"))
def test_guided_noise(student, probe, compare, draw):
    """Guidance goes from the noise without a prompt towards the one with it, and beyond: e0 + w (e1 - e0)."""
    for w in (0.0, 1.0, float(draw.uniform(1, low=1.5, high=7.0)), float(draw.uniform(1, low=0.2, high=0.8))):
        scene = Scene(draw, draw.integer(3, 6))
        model = probe.network(*scene.weights)
        without, told = (scene.answer(scene.z, scene.t, c) for c in (0 * scene.c, scene.c))
        answer = student.guided_noise(model, scene.z, scene.t, scene.c, w)
        compare(answer, without + w * (told - without), f"guided_noise(model, z_t, t, c, {w:.3g})")


@check(points=0.25, covers=("guided", "guided_noise"))
def test_guided_negative(student, probe, expect, draw):
    """A negative prompt takes the place of no prompt."""
    scene = Scene(draw, draw.integer(3, 6))
    negative = draw.normal(scene.B, scene.k)
    what = "guided_noise(model, z_t, t, c, w, negative=negative)"
    away, told = (scene.answer(scene.z, scene.t, c) for c in (negative, scene.c))
    model = probe.network(*scene.weights)

    # Which convention counts w has a check of its own: here the way goes along the difference, farther with more w.
    way, shares = told - away, []
    for w in (float(draw.uniform(1, low=1.5, high=2.5)), float(draw.uniform(1, low=3.0, high=5.0))):
        given = student.guided_noise(model, scene.z, scene.t, scene.c, w, negative=negative)
        moved = expect.tensor(given, (scene.B, scene.d), what) - away
        share = float((moved * way).sum() / way.square().sum())
        shares.append(share if torch.allclose(moved, share * way, rtol=1e-5, atol=1e-6) else 0.0)
    expect.true(
        0 < shares[0] < shares[1],
        _("{what}: it must lead from the noise of the negative prompt to that of the prompt.").format(what=what),
    )


class Judged:
    """A classifier that is known here: logits, their gradients, labels."""

    def __init__(self, draw, B):
        self.d, self.K, self.T, self.B = draw.integer(2, 4), draw.integer(3, 5), draw.integer(7, 12), B
        h = draw.integer(4, 6)
        shapes = (self.d, h), (self.T, h), (h, self.K), (self.d, self.K)
        self.weights = [draw.normal(*s) for s in shapes]
        self.bars = draw_bars(draw, self.T)
        self.z, self.noise = draw.normal(B, self.d), draw.normal(B, self.d)
        self.t, self.labels = draw.integers(0, self.T, B), draw.integers(0, self.K, B)

    def right(self, weight):
        W, U, V, A = self.weights
        z = self.z.clone().requires_grad_()
        logits = torch.tanh(z @ W + U[self.t]) @ V + z @ A
        own = torch.nn.functional.cross_entropy(logits, self.labels, reduction="sum")
        (slope,) = torch.autograd.grad(-own, z)
        return self.noise - weight * (1 - self.bars[self.t]).sqrt()[:, None] * slope


CLASSIFIER = "classifier_guided_noise(noise, z_t, t, labels, classifier, alpha_bars, weight=...)"


@check(points=1, covers=("classifier", "classifier_guided_noise"))
def test_classifier_guided(student, probe, compare, draw):
    """A classifier moves the noise by the gradient of the log-probability of each row's label."""
    for B, weight in ((1, 1.0), (draw.integer(4, 7), float(draw.uniform(1, low=1.5, high=5.0)))):
        scene = Judged(draw, B)
        classifier = probe.classifier(*scene.weights)
        given = scene.noise, scene.z, scene.t, scene.labels, classifier, scene.bars
        options = {} if weight == 1.0 else {"weight": weight}
        compare(student.classifier_guided_noise(*given, **options), scene.right(weight), CLASSIFIER)
        answer = probe.call_without_grad(student.classifier_guided_noise, *given, **options)
        compare(
            answer, scene.right(weight), _("{what} under torch.no_grad()").format(what=CLASSIFIER),
            hint=_("torch.enable_grad() switches gradients on where they are needed."),
        )  # fmt: skip


@check(points=0.25, covers=("bayes", "classifier_guided_noise"))
def test_classifier_bayes(student, probe, compare, draw):
    """Bayes' rule: the noise of a mixture, guided by its exact responsibilities, is the noise of one component."""
    d, K, T, B = draw.integer(2, 4), draw.integer(3, 4), draw.integer(6, 9), draw.integer(5, 8)
    bars = draw_bars(draw, T)
    means, stds = 1.5 * draw.normal(K, d), draw.uniform(K, low=0.4, high=1.2)
    prior = draw.uniform(K, low=0.2, high=1.0).log_softmax(0)
    spread = bars[:, None] * stds**2 + 1 - bars[:, None]  # (T, K)
    centres = bars.sqrt()[:, None, None] * means  # (T, K, d)
    offsets = prior - centres.square().sum(2) / (2 * spread) - 0.5 * d * spread.log()
    model = probe.quadratic_classifier(-0.5 / spread, centres / spread[..., None], offsets)
    z, t, labels = draw.normal(B, d), draw.integers(0, T, B), draw.integers(0, K, B)
    away = z[:, None] - centres[t]  # (B, K, d)
    log_p = prior - away.square().sum(2) / (2 * spread[t]) - 0.5 * d * (2 * math.pi * spread[t]).log()
    scores = -away / spread[t][..., None]  # (B, K, d), of each component
    root = (1 - bars[t]).sqrt()[:, None]
    noise = -root * (log_p.softmax(1)[..., None] * scores).sum(1)
    right = -root * scores[torch.arange(B), labels]
    answer = student.classifier_guided_noise(noise, z, t, labels, model, bars)
    compare(answer, right, _("{what} with exact responsibilities").format(what=CLASSIFIER), rtol=1e-5, atol=1e-7)
