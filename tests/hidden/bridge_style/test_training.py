"""Training: what the model is shown, what the history says, and what a network learns of two sets of images.

What the training builds on (pairs, bridges, the loss) may be wrong in a check of its own: a training that uses it as it
should is right. False-fail rate: each p-value fails a correct loop with probability ALPHA.
"""

from __future__ import annotations

import math

import torch
from scipy.optimize import linear_sum_assignment

from autograder.judge import check
from autograder.judge.verdicts import StudentError
from autograder.language import N_, _
from autograder.statistics.tests import chi_square, covariance_test, kolmogorov_smirnov, mean_test, standard_normal_test

ALPHA = 1e-6
SPAN = (0.02, 0.98)  # times at which a place shows both of its ends


def attempt(call, shape):
    """A finite tensor of the student's that a check can do without; None where there is none."""
    try:
        value = call()
    except StudentError:
        return None
    if not isinstance(value, torch.Tensor) or value.shape != shape or not value.isfinite().all():
        return None
    return value.double()


class Shown:
    """A training on points far apart, so that each place shows its pair and its noise."""

    def __init__(self, student, probe, expect, draw, batch):
        self.n, self.m, self.d = draw.integer(4, 5), draw.integer(6, 7), 3
        self.steps, self.batch = draw.integer(60, 70), batch
        self.sigma = round(float(draw.uniform(1, low=0.3, high=0.6)), 2)
        self.points, self.targets = 1e4 * draw.normal(self.n, self.d), 1e4 * draw.normal(self.m, self.d)
        plan = draw.uniform(self.n, self.m, low=0.1, high=1.0) ** 2 * draw.uniform(self.n, 1, low=0.4, high=2.0)
        self.plan = plan / plan.sum()
        model = probe.affine_model(0.3 * draw.normal(self.d, self.d), draw.normal(self.d), draw.normal(self.d))
        self.what = "train_bridge(model, x, y, plan, sigma, steps, batch_size=...)"
        self.history = student.train_bridge(
            model, self.points, self.targets, self.plan, self.sigma, self.steps,
            batch_size=batch, lr=1e-2, generator=draw.generator(),
        )  # fmt: skip
        found = probe.record(model)
        expect.true(isinstance(found, dict), _("{what}: no record of the training.").format(what=self.what))
        self.rows = expect.integers(found.get("rows"), self.what, low=1)
        expect.true(
            self.rows == [batch] * self.steps,
            _("{what}: expected one call of the model with batch_size rows for each step.").format(what=self.what),
        )
        total = sum(self.rows)
        self.x = expect.tensor(found.get("x"), (total, self.d), self.what)
        self.t = expect.tensor(found.get("t"), (total,), self.what)
        self.answer = expect.tensor(found.get("answer"), (total, self.d), self.what)
        expect.true(
            ((self.t >= 0) & (self.t <= 1)).all(), _("{what}: there are times outside [0, 1].").format(what=self.what)
        )
        self.readings = self._read(student, probe)

    def _read(self, student, probe):
        """How x0, x1 and the noise enter a place: rightly, or as the student's own functions have it. Each (B, 3)."""
        t = self.t
        right = torch.stack([1 - t, t, self.sigma * (t * (1 - t)).sqrt()], 1)
        own = [
            attempt(lambda: probe.parts_of_bridge(student.bridge_interpolate, t, self.sigma), right.shape),
            attempt(lambda: probe.parts_of_loss(student.endpoint_loss, t, self.sigma), right.shape),
        ]
        # What is taken for a bridge leads from one end to the other, be it backwards.
        both = right[:, :2], right[:, [1, 0]]
        near = [p for p in own if p is not None and min(float((p[:, :2] - q).abs().mean()) for q in both) < 0.2]
        return [right, *near]

    def unmix(self, parts):
        """Numbers i and j of each row's pair, and its noise; whether there is any noise to see."""
        ends = parts[:, 0, None, None, None] * self.points[:, None] + parts[:, 1, None, None, None] * self.targets
        off = self.x[:, None, None] - ends  # (rows, n, m, d)
        best = off.norm(dim=-1).flatten(1).argmin(1)
        i, j = best // self.m, best % self.m
        seen = parts[:, 2].abs() > 1e-6
        scale = parts[:, 2].where(seen, torch.ones(()).double())
        return i, j, off[torch.arange(len(i)), i, j] / scale[:, None], seen


def noise_p_values(noise, batch):
    """p-values of (rows, d) numbers being standard normal, each by itself."""
    if not bool((noise.abs() < 1e6).all()):
        return [0.0]
    d = noise.shape[1]
    means = torch.stack([part.mean(0) for part in noise.split(batch)])  # noise that a batch shares does not average out
    return [
        standard_normal_test(noise.reshape(-1)),
        mean_test(noise, torch.zeros(d), torch.eye(d)),
        covariance_test(noise, torch.eye(d)),
        standard_normal_test((means[:-1] * math.sqrt(batch)).reshape(-1)),
    ]


def looks_uniform(noise):
    """Whether numbers fill a range evenly, whichever it is."""
    values = noise.flatten()
    share = (values - values.min()) / (values.max() - values.min()).clamp_min(1e-12)
    return kolmogorov_smirnov(share, lambda v: torch.as_tensor(v).clamp(0, 1)) > 1e-4


def own_law(student, plan):
    """Shares of pairs that the student's own sample_coupling draws, where they follow the plan by about."""
    try:
        answer = student.sample_coupling(plan, 20000, generator=torch.Generator().manual_seed(1))
    except StudentError:
        return None
    if not isinstance(answer, list | tuple) or len(answer) != 2:
        return None
    if not all(isinstance(v, torch.Tensor) and v.shape == (20000,) and not v.is_complex() for v in answer):
        return None
    i, j = (v.double() for v in answer)
    if not bool(((i >= 0) & (i < len(plan)) & (j >= 0) & (j < plan.shape[1])).all()):
        return None
    law = torch.bincount((i.long() * plan.shape[1] + j.long()), minlength=plan.numel()).double() / 20000
    near = float(torch.corrcoef(torch.stack([law, plan.flatten()]))[0, 1]) > 0.4
    return law if near else None


def named(shown, counts):
    """The known mistake that these pairs look like."""
    flat = torch.full((shown.n * shown.m,), 1 / (shown.n * shown.m), dtype=torch.float64)
    product = (shown.plan.sum(1)[:, None] * shown.plan.sum(0)).flatten()
    return "plan_ignored" if any(chi_square(counts, law) > 1e-4 for law in (flat, product)) else None


@check(points=0.75, kind="statistical", covers=("training_draws", "train_bridge"))
def test_train_draws(student, probe, expect, draw):
    """Each step shows the model fresh pairs of the plan on their bridges, each at its own time with its own noise."""
    shown = Shown(student, probe, expect, draw, draw.integer(36, 44))
    what, batch = shown.what, shown.batch
    times = [len(t.unique()) for t in shown.t.split(batch)]
    expect.true(
        max(times) > 1,
        _("{what}: all rows of a batch get the same time.").format(what=what),
        mistake="one_time_per_batch",
    )
    expect.true(
        min(times) > 0.9 * batch,
        _("{what}: several rows of a batch share one time, where each has its own.").format(what=what),
        mistake="times_shared",
    )
    again = [bool(torch.equal(x, shown.x[:batch])) for x in shown.x.split(batch)[1:]]
    expect.true(
        not any(again),
        _("{what}: the same batch comes again.").format(what=what),
        _("Pairs, times and noise are drawn in each step, inside the loop."),
        mistake="one_batch_for_ever",
    )
    half = float(shown.t.max()) < 0.51
    expect.p_value(
        kolmogorov_smirnov(shown.t, lambda v: torch.as_tensor(v).clamp(0, 1)),
        _("times in {what}").format(what=what),
        alpha=ALPHA,
        mistake="half_of_the_times" if half else None,
    )
    sound = (shown.t > SPAN[0]) & (shown.t < SPAN[1])
    found = [shown.unmix(parts) for parts in shown.readings]

    def verdict(reading):
        _i, _j, noise, seen = reading
        return min(noise_p_values(noise[sound], batch)) if bool(seen[sound].all()) else 0.0

    values = [verdict(reading) for reading in found]
    best = max(range(len(found)), key=lambda k: values[k])
    invisible = (
        any(not bool(reading[3][sound].any()) for reading in found[1:])
        and float(min((reading[2][sound].abs().max() for reading in found[1:]), default=torch.tensor(1.0))) < 1e-3
    )
    if not invisible:  # the student's own bridge has no noise: its check says so
        noise = found[0][2][sound]
        rescaled = noise / noise.std().clamp_min(1e-12)
        constant = float(noise.std()) < 1e-3 or min(noise_p_values(rescaled, batch)) > 1e-4
        expect.p_value(
            values[best],
            _("noise of the bridges in {what}").format(what=what),
            alpha=ALPHA,
            hint=_("Standard normal, fresh in each step and for each row, times sigma sqrt(t (1 - t))."),
            mistake="sigma_ignored_in_training" if constant else "uniform_noise" if looks_uniform(noise) else None,
        )
    i, j, _noise, _seen = found[best]
    counts = torch.bincount((i * shown.m + j)[sound], minlength=shown.n * shown.m)
    laws = [shown.plan.flatten(), own_law(student, shown.plan)]
    expect.p_value(
        max(chi_square(counts, law) for law in laws if law is not None),
        _("pairs in {what}").format(what=what),
        alpha=ALPHA,
        hint=_("The pair (i, j) comes with the probability plan[i, j]."),
        mistake=named(shown, counts),
    )


@check(points=0.25, covers=("training_history", "train_bridge"))
def test_train_history(student, probe, expect, compare, draw):
    """The history holds the loss of each step, the model is trained in place, and `lr` sets how fast."""
    shown = Shown(student, probe, expect, draw, draw.integer(6, 8))
    losses = torch.tensor(expect.history(shown.history, "loss", shown.steps, shown.what), dtype=torch.float64)
    near = {"rtol": 2e-2, "atol": 1e-6}
    fits = []
    for parts in shown.readings:
        i, j, noise, _seen = shown.unmix(parts)
        ends, starts = shown.targets[j], shown.points[i]
        # Where a place does not show its pair its loss is not known: such steps are left out.
        sound = [bool(((t > 0.002) & (t < 0.998)).all()) for t in shown.t.split(shown.batch)]
        keep = torch.tensor([k for k, is_sound in enumerate(sound) if is_sound])
        right = (shown.answer - ends).square().mean(1).reshape(shown.steps, shown.batch).mean(1)
        own = attempt(
            lambda s=starts, e=ends, z=noise: probe.losses_on(
                student.endpoint_loss, s, e, shown.t, shown.sigma, z, shown.answer, shown.batch
            ),
            (shown.steps,),
        )
        fits += [(keep, v) for v in (right, own) if v is not None and len(keep) > 0.5 * shown.steps]
    if not any(torch.allclose(losses[keep], v[keep], **near) for keep, v in fits):
        keep, right = fits[0]
        compare(losses[keep], right[keep], _("the losses in the history"), **near)
    start = [0.3 * draw.normal(shown.d, shown.d), draw.normal(shown.d), draw.normal(shown.d)]
    moves, seed = [], draw.seed()
    for lr in (1e-5, 1e-2):
        model = probe.affine_model(*start)
        student.train_bridge(
            model, shown.points, shown.targets, shown.plan, shown.sigma, 5, batch_size=8, lr=lr,
            generator=torch.Generator().manual_seed(seed),
        )  # fmt: skip
        values = probe.parameters(model)
        expect.true(isinstance(values, dict), _("the model has no parameters any more"))
        weight = expect.tensor(values.get("weight"), start[0].shape, _("a weight of the model after training"))
        moves.append(float((weight.double() - start[0]).abs().mean()))
    expect.true(
        moves[1] > 0,
        _("train_bridge: the model's weights are the same after training as before."),
        hint=_("Is there an optimiser, and does it take its step?"),
        mistake="weights_never_updated",
    )
    expect.true(
        moves[0] < 0.1 * moves[1],
        _("train_bridge: with a thousandth of the learning rate the weights move nearly as far."),
        mistake="learning_rate_ignored",
    )


# The statement says these settings: it reads them here.
DIM = 8
HIDDEN = 64
POINTS = 300
SIGMA = 0.3
FIT = {"steps": 800, "batch_size": 256, "lr": 3e-3}
STORED = N_("What is learnt is in the network's weights: a new network with these weights is judged.")


def images_of(digits, fashion, split, n):
    """Digits and garments (n, 196); where there are no garments, digits turned over and inverted."""
    source, target = digits(split, n, size=14), fashion(split, n, size=14)[0]
    if source.shape == target.shape and torch.equal(source, target):
        both = digits(split, 2 * n, size=14)
        source, target = both[: len(both) // 2], 1 - both[len(both) // 2 :]
        target = target.reshape(-1, 14, 14).transpose(1, 2).reshape(-1, 196)
    return source, target


def train_on_images(student, reference, probe, expect, digits, fashion):
    """The function for `once`: the network, an untrained one, both clouds and the plan with its potential.

    The common space is turned by a rotation that is drawn here, so that no file knows it.
    """

    def train(draw):
        source, target = images_of(digits, fashion, "train", POINTS)
        x, y, (mean, components, scale) = reference.common_space(source.double(), target.double(), DIM)
        turn = torch.linalg.qr(draw.normal(DIM, DIM)).Q
        late = [
            ((images.double() - mean) @ components.T / scale) @ turn
            for images in images_of(digits, fashion, "held_out", 250)
        ]
        x, y = x @ turn, y @ turn
        plan, _f, g = reference.schrodinger_coupling(x, y, SIGMA, n_iterations=1000, tolerance=1e-4)
        network = expect.handle(student.EndpointNet(DIM, hidden=HIDDEN))
        history = student.train_bridge(
            network, x.float(), y.float(), plan.float(), SIGMA, **FIT, generator=draw.generator()
        )
        fresh, untrained = (expect.handle(student.EndpointNet(DIM, hidden=HIDDEN)) for _k in range(2))
        trained = probe.renewed(fresh, network)
        expect.true(
            trained is not None,
            _("train_bridge: after training the network has other parameters or buffers than a new one."),
            hint=_(STORED),
        )
        return expect.handle(trained), untrained, history, (x, y, plan, g), late

    return train


def swings(history):
    """Whether the losses fall and rise again, as where every step repeats all earlier gradients."""
    losses = history.get("loss") if isinstance(history, dict) else None
    try:
        values = torch.as_tensor(losses, dtype=torch.float64).flatten()
    except (TypeError, ValueError, RuntimeError):
        return False
    if len(values) != FIT["steps"]:
        return False
    means = values.reshape(-1, 20).mean(1)
    return bool((means / means.cummin(0).values > 2).any())


def guesses(probe, expect, network, x, t):
    """The network's guesses of the ends, float64."""
    answer = probe.predict(network, x.float(), torch.full((len(x),), t))
    return expect.tensor(answer, (len(x), DIM), "EndpointNet(x, t)")


@check(points=0.5, kind="training", covers=("training", "train_bridge", "EndpointNet"), time_limit=120)
def test_train_learns(student, reference, probe, expect, once, draw, digits, fashion, calibrated):
    """After a short training on digits and garments the network guesses the exact mean end points."""
    train = train_on_images(student, reference, probe, expect, digits, fashion)
    network, untrained, history, (x, y, plan, g), _late = once("images", train)
    i, j = reference.sample_coupling(plan, 600, generator=draw.generator())
    masses = torch.full((len(y),), 1 / len(y), dtype=torch.float64)
    gaps = {"trained": 0.0, "untrained": 0.0}
    for t in (0.3, 0.5, 0.7):
        place = reference.bridge_interpolate(x[i], y[j], t, SIGMA, draw.normal(600, DIM))
        exact = place + (1 - t) * reference.bridge_drift(place, t, y, masses, g, SIGMA)
        for name, of in (("trained", network), ("untrained", untrained)):
            gaps[name] += float((guesses(probe, expect, of, place, t) - exact).square().mean()) / 3
    value = gaps["trained"] / float(y.var(0).mean())
    calibrated(
        "endpoint_gap",
        value,
        better="lower",
        what=_("the mean square between the network's guesses and the exact mean ends, over the targets' variance"),
        mistake="gradients_accumulate" if swings(history) else None,
    )
    expect.true(
        gaps["untrained"] > 1.5 * gaps["trained"],
        _("train_bridge: the network guesses the ends without having learnt them."),
        hint=_(STORED),
    )


def matched_distance(x, y):
    """The median distance of exact transport's pairs: a few points that run away do not count."""
    costs = torch.cdist(x, y)
    return float(costs[linear_sum_assignment(costs.square().numpy())].median())


@check(
    points=0.25, kind="training", requires=("train_learns",), covers=("style", "train_bridge", "EndpointNet"),
    time_limit=120,
)  # fmt: skip
def test_style_transfer(student, reference, probe, expect, once, draw, digits, fashion, calibrated):
    """Digits that training has not shown end among the garments, and digits that were alike end alike."""
    train = train_on_images(student, reference, probe, expect, digits, fashion)
    network, _untrained, _history, _given, (late_digits, garments) = once("images", train)
    n_steps = 30
    place = late_digits
    for k in range(n_steps):
        t = k / n_steps
        drift = (guesses(probe, expect, network, place, t) - place) / (1 - t)
        noise = draw.normal(*place.shape) if k < n_steps - 1 else torch.zeros_like(place)
        place = (place + drift / n_steps + SIGMA * noise / math.sqrt(n_steps)).clamp(-1e3, 1e3)
    shifted = late_digits - late_digits.mean(0) + garments.mean(0)
    after, without = (matched_distance(cloud, garments) for cloud in (place, shifted))
    calibrated(
        "style_distance",
        after / without,
        better="lower",
        what=_(
            "how far transferred digits are from garments, pair by pair of exact transport, over digits shifted there"
        ),
    )
    calibrated(
        "style_neighbours",
        reference.neighbours_kept(late_digits, place, 10),
        better="higher",
        what=_("the share of each digit's ten nearest that are kept"),
    )
