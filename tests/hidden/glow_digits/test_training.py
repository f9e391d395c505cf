"""Training: what the model is given, what the history says, how weights move; what a flow learns of real digits."""

import math

import torch

from autograder.judge import check
from autograder.language import _

# The statement says these settings: it reads them here.
DIGITS = {"steps": 200, "batch_size": 64, "lr": 5e-3}
SIZES = {"n_scales": 2, "n_steps": 4}
LEVELS = 17
ALPHA = 0.05
FAR = 8.0  # bits and grey levels beyond this are no worse: diverged trainings would blur the calibration
WHAT = "train_glow(model, pixels, steps, levels)"
ABOUT = ("train_glow", "bits_per_dimension", "logit_transform")
LEARNT = (
    "train_glow",
    "bits_per_dimension",
    "logit_transform",
    "Glow",
    "ActNorm",
    "InvertibleConv1x1",
    "AffineCoupling",
)
F32 = torch.float32


def record(student, probe, expect, draw, mean, log_scale, pixels, settings):
    """A training of a flow of ours, validated: history, what log_prob was given, weights, gradients, law."""
    law = draw.choice(["normal", "logistic"])
    answer = probe.trained(student.train_glow, mean, log_scale, law, pixels, settings, draw.generator())
    expect.true(isinstance(answer, dict), _("{what}: no record of the training.").format(what=WHAT))
    sizes = expect.integers(answer["sizes"], _("the sizes of the batches"))
    steps = settings["steps"]
    expect.true(
        len(sizes) == steps,
        _("{what}: model.log_prob was called {n} times in {steps} steps.").format(what=WHAT, n=len(sizes), steps=steps),
        hint=_("Once per step, and neither before nor after."),
        mistake="log_prob_twice" if len(sizes) >= 2 * steps else None,
    )
    expect.true(
        all(size == settings["batch_size"] for size in sizes),
        _("{what}: the batches have not batch_size images.").format(what=WHAT),
        hint=_("Draw batch_size rows of pixels at each step."),
        mistake="batch_size_ignored",
    )
    x = expect.tensor(answer["calls"], (sum(sizes), *pixels.shape[1:]), _("what log_prob was given")).double()
    shape = (steps + 1, *pixels.shape[1:])
    means, scales = (
        expect.tensor(answer[k], shape, _("the weights of the model")).double() for k in ("means", "scales")
    )
    return answer["history"], x.reshape(steps, -1, *pixels.shape[1:]), means, scales, answer["gradients"], law


def bits(x, mean, log_scale, law, levels, alpha):
    """Bits per dimension (B,) of x under a flow of ours."""
    z = (x - mean) * (-log_scale).exp()
    values = (z.sigmoid() * (-z).sigmoid()).log() if law == "logistic" else -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    p = x.sigmoid()
    total = (values - log_scale + ((1 - 2 * alpha) / (p * (1 - p))).log() - math.log(levels)).flatten(1).sum(1)
    return -total / (x[0].numel() * math.log(2))


def own_bits(student, probe, expect, x, means, scales, law, levels, alpha):
    """The mean bits of each step's batch by the student's own function, None where it cannot be asked."""
    y = (x.sigmoid() - alpha) / (1 - 2 * alpha) * levels
    values = []
    for k in range(len(x)):
        model = expect.handle(probe.known_flow(means[k], scales[k], law), _("a model of ours"))
        pixels = y[k].floor().clamp(0, levels - 1)
        noise = (y[k] - pixels).clamp(0, 1 - 1e-9)
        answer = student.bits_per_dimension(model, pixels.long(), noise, levels, alpha=alpha)
        if not isinstance(answer, torch.Tensor) or not answer.is_floating_point():
            return None
        values.append(float(answer.double().mean()))
    return torch.tensor(values, dtype=torch.float64)


def start(draw, shape):
    """Means away from the data and scales of a flow of ours, float32."""
    return draw.normal(*shape, dtype=F32), 0.3 * draw.normal(*shape, dtype=F32)


@check(points=0.5, kind="training", covers=("history", *ABOUT), time_limit=60)
def test_train_history(student, probe, expect, compare, draw):
    """The history holds the mean bits per dimension of each step's batch before its update."""
    shape, levels, alpha = (draw.integer(1, 2), 4, 4), draw.integer(5, 30), float(draw.uniform(1, low=0.08, high=0.2))
    batch_size = draw.integer(8, 16)
    pixels = draw.integers(0, levels, 4 * batch_size, *shape)  # a multiple: no batch is incomplete
    settings = {"steps": draw.integer(7, 12), "levels": levels, "batch_size": batch_size, "lr": 0.05}
    settings["alpha"] = alpha
    mean, log_scale = start(draw, shape)
    history, x, means, scales, _g, law = record(student, probe, expect, draw, mean, log_scale, pixels, settings)
    values = torch.tensor(expect.history(history, "bpd", settings["steps"], WHAT), dtype=torch.float64)
    n = settings["steps"]
    right = torch.stack([bits(x[k], means[k], scales[k], law, levels, alpha).mean() for k in range(n)])
    if not torch.allclose(values, right, rtol=1e-3, atol=1e-3):
        own = own_bits(student, probe, expect, x, means[:n], scales[:n], law, levels, alpha)
        if own is not None and own.isfinite().all() and float(torch.corrcoef(torch.stack([own, right]))[0, 1]) > 0.9:
            right = own if torch.allclose(values, own, rtol=1e-3, atol=1e-3) else right
    dimensions = math.prod(shape)
    compare(
        values,
        right,
        what=f'{WHAT}["bpd"]',
        rtol=1e-3,
        atol=1e-3,
        mistakes={
            "history_summed": right * settings["batch_size"],
            "history_in_nats": right * math.log(2),
            "history_per_image": right * dimensions,
        },
        hint=_("Each value is bits_per_dimension(model, batch, noise, levels, alpha).mean() before the update."),
    )


@check(
    points=0.75,
    kind="training",
    covers=("batches", "train_glow", "bits_per_dimension", "logit_transform"),
    time_limit=60,
)
def test_train_batches(student, probe, expect, draw):
    """Each step draws its own rows of pixels, and uniform noise for every pixel, and gives log_prob their logit."""
    shape, levels = (draw.integer(1, 2), 4, 4), draw.integer(8, 40)
    alpha, batch_size = float(draw.uniform(1, low=0.1, high=0.2)), draw.integer(12, 16)
    n = 2 * batch_size  # few rows, so that they come again, with other noise
    pixels = draw.integers(0, levels, n, *shape)
    settings = {"steps": 14, "levels": levels, "batch_size": batch_size, "lr": 1e-3, "alpha": alpha}
    mean, log_scale = start(draw, shape)
    x = record(student, probe, expect, draw, mean, log_scale, pixels, settings)[1]
    noise, fits = rows_of(x, pixels, levels, alpha)  # (steps, batch, n, D) and (steps, batch, n)
    other = {"train_256_levels": (256, alpha), "train_default_alpha": (levels, 0.05)}
    known = [key for key, given in other.items() if rows_of(x, pixels, *given)[1].any(2).all()]
    expect.true(
        fits.any(2).all(),
        _("{what}: what model.log_prob is given is not the logit of (rows of pixels + noise) / levels.").format(
            what=WHAT
        ),
        hint=_(
            "logit_transform(dequantize(batch, noise, levels), alpha), with the levels and the alpha that are given."
        ),
        mistake=known[0] if known else None,
    )
    rows = fits.int().argmax(2)  # (steps, batch)
    steps, size = rows.shape
    counts = torch.bincount(rows.flatten(), minlength=n)
    expect.true(
        not (rows == rows[0]).all() and int((counts > 0).sum()) > 0.8 * n,
        _("{what}: the steps do not draw their own rows of pixels.").format(what=WHAT),
        hint=_("Draw batch_size rows inside the loop, at every step anew."),
        mistake="first_batch_only",
    )
    noise = noise.gather(2, rows[:, :, None, None].expand(-1, -1, 1, noise.shape[3]))[:, :, 0].reshape(steps * size, -1)
    expect.true(
        float(noise.std()) > 1e-3, _("{what}: no noise is added to the pixels.").format(what=WHAT),
        hint=_("noise = torch.rand(batch.shape): one number in [0, 1) for every pixel."), mistake="noise_absent",
    )  # fmt: skip
    expect.true(
        (noise.std(1) > 1e-2).all(),
        _("{what}: all pixels of an image get the same noise.").format(what=WHAT),
        hint=_("noise = torch.rand(batch.shape): one number in [0, 1) for every pixel."),
        mistake="noise_per_image",
    )
    own = noise.reshape(steps, size, -1).std(1).amax(1)  # (steps,): how the noise of a pixel varies in the batch
    expect.true(
        (own > 1e-2).all(),
        _("{what}: all images of a batch get the same noise.").format(what=WHAT),
        hint=_("noise = torch.rand(batch.shape): one number in [0, 1) for every pixel."),
        mistake="noise_per_batch",
    )
    different = len((noise * 500).round().unique(dim=0))
    expect.true(
        different > 0.9 * len(noise),
        _("{what}: the same noise comes again.").format(what=WHAT),
        hint=_("Draw the noise inside the loop, at every step anew, one number for every pixel."),
        mistake="noise_once",
    )
    expect.p_value(uniform_law(noise, draw), _("law of the noise in {what}").format(what=WHAT), 1e-6)


def rows_of(x, pixels, levels, alpha):
    """What is left of x (steps, batch, C, H, W) as noise with each row of pixels, and whether that lies in [0, 1)."""
    y = ((x.sigmoid() - alpha) / (1 - 2 * alpha)).flatten(2) * levels  # (steps, batch, D): pixel + noise
    noise = y[:, :, None] - pixels.flatten(1)
    return noise, ((noise > -2e-3) & (noise < 1 + 2e-3)).all(3)


def uniform_law(noise, draw):
    """p-value of the numbers being independent and uniform on [0, 1]: all of them, and sums within an image."""
    from autograder.statistics.tests import kolmogorov_smirnov, mean_test

    clipped = noise.clamp(0, 1)
    one = kolmogorov_smirnov(clipped.flatten(), lambda v: torch.as_tensor(v).clamp(0, 1).numpy())
    d = noise.shape[1]
    signs = torch.tensor(draw.shuffle([1.0, -1.0] * (d // 2)), dtype=torch.float64)
    sums = (clipped - 0.5) @ torch.stack([torch.ones(d, dtype=torch.float64), signs], 1) * math.sqrt(12 / d)
    two = mean_test(sums**2, torch.ones(2, dtype=torch.float64), 2 * torch.eye(2, dtype=torch.float64))
    return min(1.0, 2 * min(one, two))


@check(points=0.5, kind="training", covers=("updates", *ABOUT), time_limit=60)
def test_train_updates(student, probe, expect, draw):
    """Each step moves the weights once, down the gradient of its own batch's bits, as far as lr says."""
    shape, levels = (1, 4, 4), 16
    pixels = draw.integers(6, 10, 1, *shape).repeat(48, 1, 1, 1)  # equal rows: x is near its middle in every pixel
    signs = torch.tensor([draw.choice([-1.0, 1.0]) for _k in range(16)]).reshape(shape)
    mean, log_scale = signs * draw.uniform(*shape, low=2.5, high=4.0, dtype=F32), torch.zeros(shape)
    settings = {"steps": 4, "levels": levels, "batch_size": 16, "lr": 1e-2}
    _h, _x, means, scales, _g, _law = record(student, probe, expect, draw, mean, log_scale, pixels, settings)
    modes = probe.modes(student.train_glow, mean, log_scale, pixels, settings, draw.generator())
    expect.true(
        not isinstance(modes, list) or not modes or bool(modes[0]),
        _("{what}: a model in training mode is put into evaluation mode before the first step.").format(what=WHAT),
        hint=_("Call model.train(), not model.eval(), before the loop: only in training mode a batch sets ActNorm."),
        mistake="train_in_evaluation",
    )
    moved = torch.cat([v[1:] - v[:-1] for v in (means.flatten(1), scales.flatten(1))], 1)  # (steps, 2 D)
    expect.true(
        (moved.abs().amax(1) > 1e-9).all(),
        _("{what}: after some step the weights are what they were before it.").format(what=WHAT),
        hint=_("Each step: zero_grad, backward, and a step of the optimiser."),
        mistake="no_update",
    )
    way = means[-1] - means[0]
    expect.true(
        (way * signs < 0).all() and (scales[-1] > scales[0]).all(),
        _("{what}: the steps do not move the weights down the gradient of the bits per dimension.").format(what=WHAT),
        hint=_("The loss is the mean of bits_per_dimension over the batch: it is to become smaller."),
    )
    tiny = settings | {"lr": 1e-5}
    _h, _x, slow, _s, _g, _law = record(student, probe, expect, draw, mean, log_scale, pixels, tiny)
    expect.true(
        float((slow[-1] - slow[0]).abs().max()) < 0.1 * float(way.abs().max()),
        _("{what}: at a thousandth of the learning rate the weights move as far.").format(what=WHAT),
        hint=_("Pass `lr` to the optimiser."),
        mistake="learning_rate_ignored",
    )
    still = settings | {"lr": 1e-12, "steps": 9}
    gradients = record(student, probe, expect, draw, mean, log_scale, pixels, still)[4]
    if isinstance(gradients, list) and len(gradients) > 5:
        first, last = (expect.tensor(gradients[k], shape, _("a gradient")).double().norm() for k in (0, -1))
        expect.true(
            last < 3 * first,
            _("{what}: the gradients grow from step to step on equal rows, as if each were added to the last.").format(
                what=WHAT
            ),
            hint=_("backward adds to the gradients that are there: call optimizer.zero_grad() before it."),
            mistake="gradients_accumulate",
        )


class Place:
    """How the digits of one student lie: turned or mirrored, shifted around the edges, perhaps dark on light."""

    def __init__(self, draw):
        from sklearn.datasets import load_digits  # the contract's own: 1,797 images of 8×8 pixels, 17 levels

        turns, mirrored, inverted = draw.integer(0, 3), draw.choice([True, False]), draw.choice([True, False])
        shifts = (draw.integer(0, 7), draw.integer(0, 7))
        pixels = torch.from_numpy(load_digits().images).round().long()[:, None]  # (1797, 1, 8, 8)
        pixels = torch.rot90(pixels, turns, dims=(2, 3)).roll(shifts, dims=(2, 3))
        pixels = pixels.flip(3) if mirrored else pixels
        pixels = (LEVELS - 1 - pixels if inverted else pixels)[torch.randperm(len(pixels), generator=draw.generator())]
        self.seen, self.unseen = pixels[:1400].contiguous(), pixels[1400:].contiguous()


def train(student, probe, expect):
    """The function for `once`: a flow after a short training on digits, whether it changed, and the digits."""

    def run(draw):
        place, what = Place(draw), _("the weights of {what}").format(what="Glow(...)")
        flow = expect.handle(student.Glow(**SIZES), "Glow(...)")
        before = expect.tensor(probe.weights(flow), (None,), what)
        settings = {"levels": LEVELS, "alpha": ALPHA, "generator": draw.generator(), **DIGITS}
        history = student.train_glow(flow, place.seen, **settings)
        after = expect.tensor(probe.weights(flow), (None,), what, finite=False)
        return flow, history, not torch.equal(before, after), place

    return run


@check(
    points=1,
    kind="training",
    requires=("log_prob_value",),
    covers=("held_out", *LEARNT),
    time_limit=180,
)
def test_held_out_bits(student, probe, expect, calibrated, draw, once):
    """After a short training, unseen digits need few bits per dimension, and not too few."""
    flow, history, changed, place = once("trained", train(student, probe, expect))
    expect.history(history, "bpd", DIGITS["steps"], WHAT)
    expect.true(
        changed,
        _("{what}: the weights of the model are the same after training as before.").format(what=WHAT),
        mistake="no_update",
    )
    pixels = place.unseen
    y = (pixels + draw.uniform(*pixels.shape, low=1e-6, high=1 - 1e-6)) / LEVELS
    p = ALPHA + (1 - 2 * ALPHA) * y
    x, log_det = (p / (1 - p)).log().float(), ((1 - 2 * ALPHA) / (p * (1 - p))).log().flatten(1).sum(1)
    value = expect.tensor(probe.log_prob_of(flow, x), (len(x),), "Glow.log_prob(x)", finite=False).double()
    expect_density(probe, expect, flow, x[:3], value[:3])
    found = -float((value + log_det).nan_to_num(nan=-1e4, neginf=-1e4).mean()) / 64
    calibrated(
        "held_out_bits",
        max(-FAR, min((found + math.log(LEVELS)) / math.log(2), FAR)),
        better="between",
        what=_("the bits per dimension of unseen digits"),
        hint=_(
            "Far above: the weights hardly learn. Far below what others reach: a log-determinant or noise is wrong."
        ),
    )


def expect_density(probe, expect, flow, x, value):
    """The density of the trained flow is that of its own map, whose volume changes from image to image."""
    probe.in_training(flow, False)
    _result, z, jacobian = expect.sequence(probe.transform(flow, "forward", x), 3, "Glow.forward(x)")
    z = expect.tensor(z, (len(x), 64), _("the latents of {what}").format(what="Glow.forward(x)")).double()
    name = _("the Jacobian of {what}").format(what="Glow.forward(x)")
    log_det = torch.linalg.slogdet(expect.tensor(jacobian, (len(x), 64, 64), name).double())[1]
    right = log_det - 0.5 * (z**2).sum(1) - 32 * math.log(2 * math.pi)
    expect.true(
        float(log_det.std()) > 1e-3 and (value - right).abs().max() < 0.1 + 1e-3 * right.abs().max(),
        _("Glow.log_prob(x): after the training it is not the density of the flow's own map."),
        hint=_("What forward returns as log_det is log|det| of its own Jacobian, whatever was learnt."),
    )


@check(
    points=0.25,
    kind="training",
    requires=("sampling", "flow_round_trip"),
    covers=("mean_image", "inverse_logit_transform", *LEARNT),
    time_limit=180,
)
def test_mean_image(student, probe, expect, calibrated, draw, once):
    """Samples of the trained flow look like the digits on average."""
    flow, _history, changed, place = once("trained", train(student, probe, expect))
    expect.true(
        changed,
        _("{what}: the weights of the model are the same after training as before.").format(what=WHAT),
        mistake="no_update",
    )
    probe.in_training(flow, False)
    x = expect.tensor(flow.sample(600, generator=draw.generator()), (600, 1, 8, 8), "Glow.sample(600)", finite=False)
    y = (x.double().nan_to_num().sigmoid() - ALPHA) / (1 - 2 * ALPHA)
    images = (LEVELS * y).floor().clamp(0, LEVELS - 1)
    calibrated(
        "mean_image",
        float((images.mean(0) - place.seen.double().mean(0)).abs().mean()),
        better="lower",
        what=_("the mean image of samples against that of the digits, in grey levels"),
        hint=_("Look at some samples: does `inverse` undo `forward`, layer by layer?"),
    )
