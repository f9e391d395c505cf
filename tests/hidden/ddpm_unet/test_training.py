"""Training: what the model is shown, what the history says, and what a U-Net learns of real digits."""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.language import N_, _
from autograder.statistics.tests import chi_square, covariance_test, mean_test, standard_normal_test

from .tables import attempt, make_diffusion

ALPHA = 1e-6  # a correct training loop fails a check less than once in 100,000 times
T_SHOWN = 10


IMAGE_CHANGES = {
    None: lambda images: images,
    "train_rescales_data": lambda images: 2 * images - 1,
    "train_halves_data": lambda images: (images + 1) / 2,
}


class Shown:
    """A training on images that can be told apart through their noise, and what the model was shown in it."""

    def __init__(self, student, reference, probe, expect, draw, batch):
        self.steps, self.batch, self.n = draw.integer(60, 70), batch, draw.integer(40, 50)
        # Little noise: each noisy image is nearest to its own clean one.
        betas = draw.uniform(T_SHOWN, low=0.0005, high=0.002, dtype=torch.float32)
        self.diffusion, right = make_diffusion(student, reference, probe, expect, betas)
        signs = draw.integers(0, 2, self.n, 1, 4, 4) * 2 - 1
        self.images = (signs * draw.uniform(self.n, 1, 4, 4, low=0.5, high=0.9)).float()
        model = probe.pixel_model(*(0.3 * draw.normal(1, 4, 4, dtype=torch.float32) for _k in range(2)))
        self.what = "train_ddpm(model, diffusion, x, steps, batch_size=...)"
        self.history = student.train_ddpm(
            model,
            self.diffusion,
            self.images,
            self.steps,
            batch_size=self.batch,
            lr=1e-2,
            generator=draw.generator(),
        )
        record = probe.training_record(model)
        expect.true(isinstance(record, dict), _("{what}: no record of the training.").format(what=self.what))
        self.rows = expect.integers(record.get("rows"), self.what, low=1)
        expect.true(
            len(self.rows) == self.steps,
            _("{what}: expected one call of the model with gradients per step ({n}), got {got}.").format(
                what=self.what, n=self.steps, got=len(self.rows)
            ),
        )
        total = sum(self.rows)
        self.x = expect.tensor(record.get("x"), (total, 1, 4, 4), self.what).double().reshape(total, 16)
        self.t = torch.tensor(expect.integers(record.get("t"), self.what, length=total))
        expect.true(
            ((self.t >= 0) & (self.t < T_SHOWN)).all(),
            _("{what}: there are times outside 0..T-1.").format(what=self.what),
        )
        self.answer = expect.tensor(record.get("answer"), (total, 1, 4, 4), self.what).double().reshape(total, 16)
        bars = right.alpha_bars.double()[self.t]
        self.coefficients = [(bars.sqrt(), (1 - bars).sqrt())]
        self.add_own_coefficients(student, probe)

    def add_own_coefficients(self, student, probe):
        """What the student's q_sample multiplies image and noise with: a wrong one has its own check."""
        own = attempt(lambda: probe.mixing(student.q_sample, self.diffusion, self.t, self.rows))
        if not isinstance(own, dict):
            return
        pair = [own.get("image"), own.get("noise")]
        if all(isinstance(v, torch.Tensor) and v.shape == self.t.shape and v.isfinite().all() for v in pair):
            self.coefficients.append((pair[0].double(), pair[1].double()))

    def unmix(self, coefficients, change=IMAGE_CHANGES[None]):
        """Which image each row shows, the noise in it, and whether there is any to see."""
        signal, spread = (c[:, None] for c in coefficients)
        images = change(self.images.double().reshape(self.n, 16))
        which = torch.cdist(self.x / signal.where(signal.abs() > 1e-3, torch.ones(1)), images).argmin(1)
        visible = spread.abs() > 1e-3
        noise = (self.x - signal * images[which]) / spread.where(visible, torch.ones(1).double())
        return which, noise, visible[:, 0]


def noise_p_values(noise, visible, rows):
    """p-values of the noise being standard normal, each number by itself; zeros where there is none to see."""
    names = ("values", "mean", "pixels", "images")
    if visible.double().mean() < 0.5 or not (noise.abs() < 1e6).all():
        return dict.fromkeys(names, 0.0)
    means = [
        n[v].mean(0) * math.sqrt(int(v.sum()))
        for n, v in zip(noise.split(rows), visible.split(rows), strict=True)
        if v.any()
    ]
    noise = noise[visible]
    return {
        "values": standard_normal_test(noise[::4].reshape(-1)),
        "mean": mean_test(noise, torch.zeros(16), torch.eye(16)),
        "pixels": covariance_test(noise, torch.eye(16)),
        "images": standard_normal_test(torch.cat(means)),
    }


@check(points=0.5, kind="statistical", covers=("train_draws", "train_ddpm"))
def test_train_draws(student, reference, probe, expect, draw):
    """Each image of a batch gets its own uniform time and fresh normal noise; all images are used."""
    shown = Shown(student, reference, probe, expect, draw, draw.integer(28, 36))
    what = shown.what
    expect.true(
        max(shown.rows) == shown.batch,
        _("{what}: expected batches of batch_size images, the largest has {got}.").format(
            what=what, got=max(shown.rows)
        ),
    )
    same = [bool((t == t[0]).all()) for t in shown.t.split(shown.rows)]
    expect.true(
        not all(same),
        _("{what}: all images of a batch get the same time.").format(what=what),
        mistake="one_time_per_batch",
    )
    counts = torch.bincount(shown.t, minlength=T_SHOWN)
    unseen = torch.nonzero(counts == 0).flatten().tolist()
    missing = {(0,): "times_from_one", (T_SHOWN - 1,): "times_without_last"}.get(tuple(unseen))
    expect.p_value(
        chi_square(counts, torch.full((T_SHOWN,), 1 / T_SHOWN)),
        _("times in {what}").format(what=what),
        alpha=ALPHA,
        mistake=missing,
    )
    found = [shown.unmix(c) for c in shown.coefficients]
    p_values = [noise_p_values(noise, visible, shown.rows) for _which, noise, visible in found]
    best = max(range(len(found)), key=lambda i: min(p_values[i].values()))
    mistake = None
    if min(p_values[best].values()) < ALPHA:
        for name, change in IMAGE_CHANGES.items():
            _which, noise, visible = shown.unmix(shown.coefficients[0], change)
            if min(noise_p_values(noise, visible, shown.rows).values()) > 1e-4:
                mistake = name
    names = {
        "values": _("values of the noise in {what}"),
        "mean": _("mean of the noise in {what}"),
        "pixels": _("noise from pixel to pixel in {what}"),
        "images": _("noise from image to image in {what}"),
    }
    for name, value in p_values[best].items():
        expect.p_value(value, names[name].format(what=what), alpha=ALPHA, mistake=mistake)
    which, noise, visible = found[best]
    noise = noise[visible]
    repeated = len(noise) - len(torch.unique((noise[:, 0] * 1e4).round()))
    expect.true(repeated < 0.25 * len(noise), _("{what}: the same noise comes again and again.").format(what=what))
    expect.p_value(
        chi_square(torch.bincount(which, minlength=shown.n), torch.full((shown.n,), 1 / shown.n)),
        _("images used by {what}").format(what=what),
        alpha=ALPHA,
    )


def losses_of(shown, coefficients, change):
    """The loss of each step whose noise can be seen: step numbers and losses."""
    _which, noise, visible = shown.unmix(coefficients, change)
    errors = ((shown.answer - noise) ** 2).mean(1).split(shown.rows)
    steps = [k for k, v in enumerate(visible.split(shown.rows)) if v.all()]
    return torch.tensor(steps), torch.stack([errors[k].mean() for k in steps] or [torch.zeros(())])


def own_losses(student, probe, shown):
    """The student's own ddpm_loss on what the model was shown, with what it answered: a wrong one has its check."""
    which, noise, _visible = shown.unmix(shown.coefficients[-1])
    parts = (
        shown.images[which],
        shown.t,
        noise.reshape(-1, 1, 4, 4).float(),
        shown.answer.reshape(-1, 1, 4, 4).float(),
    )
    losses = attempt(lambda: probe.losses_on(student.ddpm_loss, shown.diffusion, *parts, shown.rows))
    if isinstance(losses, torch.Tensor) and losses.shape == (shown.steps,) and losses.isfinite().all():
        return losses.double()
    return None


@check(points=0.5, covers=("history", "learning_rate", "train_ddpm"))
def test_train_history(student, reference, probe, expect, compare, draw):
    """The history holds the loss of each step, the model is trained in place, and `lr` sets how fast."""
    shown = Shown(student, reference, probe, expect, draw, draw.integer(5, 7))
    losses = torch.tensor(expect.history(shown.history, "loss", shown.steps, shown.what), dtype=torch.float64)
    near = {"rtol": 5e-3, "atol": 1e-3}
    found = [losses_of(shown, c, f) for c in shown.coefficients for f in IMAGE_CHANGES.values()]
    fits = [len(k) >= 10 and torch.allclose(losses[k], v, **near) for k, v in found]
    if not any(fits):
        own = own_losses(student, probe, shown)
        if own is None or not torch.allclose(losses, own, **near):
            steps, expected = found[0]
            compare(losses[steps], expected, what=_("the losses in the history"), **near)
    diffusion, _right = make_diffusion(
        student, reference, probe, expect, draw.uniform(T_SHOWN, low=0.05, high=0.2, dtype=torch.float32)
    )
    start = [0.3 * draw.normal(1, 4, 4, dtype=torch.float32) for _k in range(2)]
    moves, seed = [], draw.seed()
    for lr in (1e-4, 1e-3):
        model = probe.pixel_model(*start)
        generator = torch.Generator().manual_seed(seed)
        student.train_ddpm(model, diffusion, shown.images, 5, batch_size=16, lr=lr, generator=generator)
        values = probe.parameters(model)
        expect.true(isinstance(values, dict), _("the model has no parameters any more"))
        bias = expect.tensor(values.get("bias"), (1, 4, 4), _("a weight of the model after training")).double()
        moves.append(float((bias - start[1]).abs().mean()))
    expect.true(
        moves[0] > 0,
        _("train_ddpm: the model's weights are the same after training as before."),
        hint=_("Is there an optimiser, and does it take its step?"),
        mistake="weights_never_updated",
    )
    expect.true(
        3 < moves[1] / moves[0] < 30,
        _("train_ddpm: a learning rate ten times as large does not move the weights about ten times as far."),
        mistake="learning_rate_ignored",
    )


# The statement says these settings: it reads them here.
FIT = {"steps": 160, "batch_size": 16, "lr": 1e-3}
STEPS = FIT["steps"]
T_DIGITS = 40
BETA_FIRST = 2e-3
BETA_LAST = 0.15
BASE = 32
EARLIEST = 8


class Woven:
    """Digits as no file knows them: one shade on cloth, whose waves have a secret direction and length."""

    def __init__(self, draw):
        self.ink = 0.9 * draw.choice((-1.0, 1.0))
        self.angle, self.length = math.pi * float(draw.uniform(1)), float(draw.uniform(1, low=4.0, high=6.0))

    def __call__(self, draw, digits, others=False):
        """Digits (n, 256) in [0, 1] as images (n, 1, 16, 16) in [-1, 1]; `others`: waves across, ink reversed."""
        images = digits.reshape(-1, 1, 16, 16)
        angle = self.angle + (math.pi / 2 if others else 0.0)
        y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
        way = math.cos(angle) * x + math.sin(angle) * y  # (16, 16)
        cloth = (2 * math.pi * (way / self.length + draw.uniform(len(images), 1, 1, 1).float())).cos()
        return (1 - images) * 0.7 * cloth + images * (-self.ink if others else self.ink)


def train_on_digits(student, reference, probe, expect, digits):
    """The function for `once`: the student's U-Net, trained on woven digits by the student's loop.

    What comes out: a new U-Net with the trained weights, an untrained one, both diffusions, the history, the cloth and
    the images.
    """

    def newborn():
        return expect.handle(student.UNet(channels=1, base=BASE))

    def train(draw):
        betas = torch.linspace(BETA_FIRST, BETA_LAST, T_DIGITS)
        diffusion, right = make_diffusion(student, reference, probe, expect, betas)
        cloth = Woven(draw)
        network = newborn()
        data = cloth(draw, digits("train", 2000, size=16))
        history = student.train_ddpm(network, diffusion, data, **FIT, generator=draw.generator())
        trained = probe.renewed(newborn(), network)
        expect.true(
            trained is not None,
            _("train_ddpm: after training the network has other parameters or buffers than a new one."),
            mistake="training_stores_data",
        )
        return expect.handle(trained), newborn(), diffusion, right, history, cloth, data

    return train


def diverges(history):
    """Whether the student's own losses grow: steps too long, which sums of all earlier gradients make.

    Such a training is chaotic: the known mistake, run beside it, does not give the same numbers.
    """
    losses = history.get("loss") if isinstance(history, dict) else None
    try:
        values = torch.as_tensor(losses, dtype=torch.float64).flatten()
    except (TypeError, ValueError, RuntimeError):
        return False
    return len(values) == STEPS and 1.1 * float(values[:5].mean()) < float(values[-40:].mean()) < 100


STORED = N_(
    "What is learnt is in the network's weights, and of these images: a new network with these weights is judged, on "
    "other digits on the same ground."
)


@check(points=0.5, kind="training", covers=("training_loss", "train_ddpm", "UNet"), time_limit=180)
def test_training_loss(student, reference, probe, expect, once, draw, digits, calibrated):
    """After a short training on digits on a pattern the U-Net finds the noise in digits that it has not seen."""
    train = train_on_digits(student, reference, probe, expect, digits)
    network, untrained, _diffusion, right, history, cloth, _data = once("digits", train)
    held_out = digits("held_out", 192, size=16)
    # The noisier times: there every sound network learns fast, whatever its layers.
    t = EARLIEST + torch.arange(len(held_out)) % (T_DIGITS - EARLIEST)
    noise = draw.normal(len(held_out), 1, 16, 16, dtype=torch.float32)

    def loss(network, images, n=192):
        noisy = reference.q_sample(right, images, t, noise)[:n]
        guess = expect.tensor(probe.predict(network, noisy, t[:n]), (n, 1, 16, 16), "UNet(x, t)").double()
        return float(((guess - noise[:n].double()) ** 2).mean())

    images = cloth(draw, held_out)
    value = loss(network, images)
    calibrated(
        "held_out_loss",
        value,
        better="lower",
        what=_("the loss on unseen digits after {n} steps").format(n=STEPS),
        mistake="gradients_accumulate" if diverges(history) else None,
    )
    # A network from elsewhere finds noise in other images as well, or finds it untrained. One that is no better than
    # the best c_t x has learnt nothing: the limit says so.
    if value < best_multiple(right, images, t):
        others = loss(untrained, images, 64), loss(network, cloth(draw, held_out, others=True), 64)
        expect.true(
            min(others) > 1.5 * value,
            _("train_ddpm: the network finds the noise in these digits without having learnt it from them."),
            hint=_(STORED),
            mistake="training_stores_data",
        )


def best_multiple(right, images, t):
    """The loss of the best answer c_t x_t, with one number for each time."""
    bars, power = right.alpha_bars.double()[t], float((images.double() ** 2).mean())
    return float((bars * power / (bars * power + 1 - bars)).mean())


@check(
    points=0.5, kind="training", requires=("training_loss",), covers=("digits", "train_ddpm", "UNet", "sample"),
    time_limit=180,
)  # fmt: skip
def test_sampled_digits(student, reference, probe, expect, once, draw, digits, calibrated):
    """Images sampled with the U-Net after a short training look like the digits, statistically, and are new."""
    train = train_on_digits(student, reference, probe, expect, digits)
    network, untrained, diffusion, _right, _history, cloth, data = once("digits", train)
    fresh = cloth(draw, digits("held_out", 397, size=16)).double().flatten(1)
    what = "sample(unet, diffusion, shape)"

    def sampled(network, n, **options):
        answer = student.sample(network, diffusion, (n, 1, 16, 16), generator=draw.generator(), **options)
        return expect.tensor(answer, (n, 1, 16, 16), what).double().reshape(n, 256)

    def likeness(samples):
        # The mean image of noise looks like nothing; that of a sampling that blows up may look like anything.
        correlation = float(torch.corrcoef(torch.stack([samples.mean(0), fresh.mean(0)]))[0, 1].nan_to_num(0.0))
        return correlation / max(1.0, float((samples.var(0).sum() / fresh.var(0).sum()).sqrt()))

    samples = sampled(network, 48)
    value = likeness(samples)
    calibrated(
        "digit_likeness",
        value,
        better="higher",
        what=_("the likeness of sampled images to digits (their mean image, over how far they spread)"),
    )
    expect.true(
        value < 0.2 or likeness(sampled(untrained, 32, steps=8)) < 0.5 * value,
        _("{what}: with an untrained network the samples look like the digits, too.").format(what=what),
        hint=_(STORED),
        mistake="training_stores_data",
    )
    apart = torch.cdist(samples, samples).fill_diagonal_(1e9).min(1).values
    expect.true(apart.median() > 1e-3, _("{what}: the images are all alike.").format(what=what))
    nearest = torch.cdist(samples, data.double().flatten(1)).min(1).values
    expect.true(nearest.median() > 0.1, _("{what}: these are the training images.").format(what=what))
