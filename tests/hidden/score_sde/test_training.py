"""Training: what the model is shown, what the history says, and what a network learns of a secret mixture."""

from __future__ import annotations

import math

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from autograder.judge import check
from autograder.judge.verdicts import StudentError
from autograder.language import N_, _
from autograder.statistics.tests import chi_square, covariance_test, mean_test, standard_normal_test

from .moments import moments, moments_to_accept

ALPHA = 1e-6  # a correct training loop fails a check less than once in 100,000 times
DIM = 6


def attempt(call):
    """An answer of the student's that a check can do without: None where the call fails or its function is missing."""
    try:
        return call()
    except StudentError:
        return None


def apart(draw, n, d):
    """n points (n, d), no two of them near each other."""
    found = [6 * draw.normal(d)]
    while len(found) < n:
        point = 6 * draw.normal(d)
        if min(float((point - other).norm()) for other in found) > 3:
            found.append(point)
    return torch.stack(found).float()


class Shown:
    """A training on points far apart with little noise, so that each noisy one tells its clean one."""

    def __init__(self, student, probe, expect, draw, batch):
        self.steps, self.batch, self.n = draw.integer(60, 70), batch, 3 * batch
        self.low = round(float(draw.uniform(1, low=0.002, high=0.004)), 4)
        self.high = 4 * self.low
        self.points = apart(draw, self.n, DIM)
        model = probe.affine_model(*(0.3 * draw.normal(DIM, dtype=torch.float32) for _k in range(2)))
        times = f"t_min={self.low:g}, t_max={self.high:g}"
        self.what = f"train_score(model, x, {self.steps}, batch_size={batch}, lr=0.01, {times})"
        self.history = student.train_score(
            model,
            self.points,
            self.steps,
            batch_size=batch,
            lr=1e-2,
            t_min=self.low,
            t_max=self.high,
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
        self.x = expect.tensor(record.get("x"), (total, DIM), self.what).double()
        self.t = expect.tensor(record.get("t"), (total,), self.what).double()
        self.answer = expect.tensor(record.get("answer"), (total, DIM), self.what).double()
        self.fresh, self.whole = record.get("fresh"), record.get("whole")
        margin = 1e-4 * self.low
        expect.true(
            bool(((self.t > self.low - margin) & (self.t < self.high + margin)).all()),
            _("{what}: there are times outside t_min..t_max.").format(what=self.what),
            mistake="train_times_ignored" if not (self.t < 2 * self.high).all() else "train_times_shifted",
        )
        self.coefficients = [moments(self.t)]
        self.add_own_coefficients(student, probe)

    def add_own_coefficients(self, student, probe):
        """What the student's ou_sample multiplies data and noise with: a wrong one has its own check."""
        own = attempt(lambda: probe.mixing(student.ou_sample, self.t))
        if not isinstance(own, dict):
            return
        pair = [own.get("data"), own.get("noise")]
        if all(isinstance(v, torch.Tensor) and v.shape == self.t.shape and v.isfinite().all() for v in pair):
            self.coefficients.append((pair[0].double(), pair[1].double()))

    def unmix(self, coefficients):
        """Which point each row shows, the noise in it, and whether there is any to see."""
        signal, spread = (c[:, None] for c in coefficients)
        points = self.points.double()
        which = torch.cdist(self.x / signal.where(signal.abs() > 1e-3, torch.ones(1).double()), points).argmin(1)
        visible = spread.abs() > 1e-5
        noise = (self.x - signal * points[which]) / spread.where(visible, torch.ones(1).double())
        return which, noise, visible[:, 0]


def noise_p_values(noise, visible, rows):
    """p-values of the noise being standard normal, each number by itself; zeros where there is none to see."""
    names = ("values", "mean", "coordinates", "rows")
    if visible.double().mean() < 0.5 or not (noise.abs() < 1e6).all():
        return dict.fromkeys(names, 0.0)
    means = [
        n[v].mean(0) * math.sqrt(int(v.sum()))
        for n, v in zip(noise.split(rows), visible.split(rows), strict=True)
        if v.any()
    ]
    noise = noise[visible]
    return {
        "values": standard_normal_test(noise.reshape(-1)),
        "mean": mean_test(noise, torch.zeros(DIM), torch.eye(DIM)),
        "coordinates": covariance_test(noise, torch.eye(DIM)),
        "rows": standard_normal_test(torch.cat(means)),
    }


@check(points=1, kind="statistical", covers=("draws", "train_score"))
def test_train_draws(student, probe, expect, draw):
    """Each row of a batch gets its own time between t_min and t_max and fresh normal noise; all rows are used."""
    shown = Shown(student, probe, expect, draw, draw.integer(28, 36))
    what = shown.what
    expect.true(
        max(shown.rows) == shown.batch,
        _("{what}: expected batches of batch_size rows, the largest has {got}.").format(what=what, got=max(shown.rows)),
    )
    batches = shown.t.split(shown.rows)
    expect.true(
        not all(len(t.unique()) < 0.5 * len(t) for t in batches),
        _("{what}: many rows of a batch get the same time.").format(what=what),
        mistake="train_one_time",
    )
    first = batches[0].sort().values
    expect.true(
        not all(len(t) == len(first) and torch.equal(t.sort().values, first) for t in batches[1:]),
        _("{what}: every step has the same times.").format(what=what),
        hint=_("Draw batch_size times inside the loop, at every step anew."),
        mistake="train_times_once",
    )
    eighths = ((shown.t - shown.low) / (shown.high - shown.low) * 8).long().clamp(0, 7)
    expect.true(
        bool((torch.bincount(eighths, minlength=8) > 0).all()),
        _("{what}: there is a part of t_min..t_max from which no time is drawn.").format(what=what),
    )
    found = [shown.unmix(c) for c in shown.coefficients]
    p_values = [noise_p_values(noise, visible, shown.rows) for _which, noise, visible in found]
    best = max(range(len(found)), key=lambda i: min(p_values[i].values()))
    which, noise, _visible = found[best]
    repeated = len(noise) - len(torch.unique((noise[:, 0] * 1e3).round()))
    again = (noise[: shown.batch] - noise[shown.batch : 2 * shown.batch]).abs().max() < 0.05
    alike = (noise[: shown.batch] - noise[:1]).abs().max() < 0.05
    expect.true(
        not again and repeated < 0.9 * len(noise),
        _("{what}: the same noise comes again and again.").format(what=what),
        mistake="train_one_noise" if alike else "train_same_noise",
    )
    names = {
        "values": _("values of the noise in {what}"),
        "mean": _("mean of the noise in {what}"),
        "coordinates": _("noise from coordinate to coordinate in {what}"),
        "rows": _("noise from row to row in {what}"),
    }
    for name, value in p_values[best].items():
        expect.p_value(value, names[name].format(what=what), alpha=ALPHA)
    counts = torch.bincount(which, minlength=shown.n)
    expect.p_value(
        chi_square(counts, torch.full((shown.n,), 1 / shown.n)),
        _("rows used by {what}").format(what=what),
        alpha=ALPHA,
        mistake="train_first_batch" if int((counts > 0).sum()) <= shown.batch else None,
    )
    # Each row is expected 20 times or more: that one of them never comes happens less than once in a million times.
    expect.true(
        bool((counts > 0).all()),
        _("{what}: there are rows of x that no batch has.").format(what=what),
        mistake="train_last_row_left_out" if bool((counts[:-1] > 0).all()) else None,
    )
    judge_generator(student, probe, expect, draw)


def judge_generator(student, probe, expect, draw):
    """Rows, times and noise all come from the generator: two of one seed show the model the same."""
    points, seed = 3 * draw.normal(24, DIM, dtype=torch.float32), draw.seed()
    start = [0.3 * draw.normal(DIM, dtype=torch.float32) for _k in range(2)]
    what = "train_score(..., generator=generator)"

    def asked(seed):
        model = probe.affine_model(*start)
        student.train_score(model, points, 4, batch_size=8, generator=torch.Generator().manual_seed(seed))
        record = probe.training_record(model)
        expect.true(isinstance(record, dict), _("{what}: no record of the training.").format(what=what))
        pair = expect.tensor(record.get("x"), (None, DIM), what), expect.tensor(record.get("t"), (None,), what)
        return torch.cat([v.double().flatten() for v in pair])

    first, again, other = asked(seed), asked(seed), asked(draw.seed())
    expect.true(
        first.shape == again.shape and torch.allclose(first, again, rtol=1e-5, atol=1e-6),
        _("{what}: two generators of one seed give two trainings.").format(what=what),
        hint=_("Rows, times and noise are all drawn with generator=generator."),
        mistake="train_ignores_generator",
    )
    expect.true(
        first.shape != other.shape or not torch.allclose(first, other, rtol=1e-5, atol=1e-6),
        _("{what}: generators of two seeds give one training.").format(what=what),
    )


def losses_of(shown, coefficients, spread):
    """The loss of each step, from what the model was shown and answered."""
    noise = shown.unmix(coefficients)[1]
    errors = (spread[:, None] * shown.answer + noise).square().mean(1).split(shown.rows)
    return torch.stack([e.mean() for e in errors])


def own_losses(student, probe, shown):
    """The student's own loss on what the model was shown, with what it answered: a wrong one has its check."""
    which, noise, _visible = shown.unmix(shown.coefficients[-1])
    parts = (shown.points[which], shown.t.float(), noise.float(), shown.answer.float())
    losses = attempt(lambda: probe.losses_on(student.score_matching_loss, *parts, shown.rows))
    if isinstance(losses, torch.Tensor) and losses.shape == (shown.steps,) and losses.isfinite().all():
        return losses.double()
    return None


@check(points=0.5, covers=("history", "train_score"))
def test_train_history(student, probe, expect, compare, draw):
    """The history holds the loss of each step, gradients are fresh, the model is trained, and `lr` sets how fast."""
    shown = Shown(student, probe, expect, draw, draw.integer(5, 7))
    losses = torch.tensor(expect.history(shown.history, "loss", shown.steps, shown.what), dtype=torch.float64)
    near = {"rtol": 1e-2, "atol": 1e-3}
    spread = moments(shown.t)[1]
    found = [losses_of(shown, c, s) for c in shown.coefficients for s in {id(v): v for v in (spread, c[1])}.values()]
    if not any(torch.allclose(losses, v, **near) for v in found):
        own = own_losses(student, probe, shown)
        if own is None or not torch.allclose(losses, own, **near):
            compare(losses, found[0], what=_("the losses in the history"), **near)
    if isinstance(shown.fresh, list) and isinstance(shown.whole, list) and len(shown.fresh) == len(shown.whole):
        pairs = zip(shown.fresh, shown.whole, strict=True)
        expect.true(
            all(torch.allclose(expect.tensor(a), expect.tensor(b), rtol=1e-3, atol=1e-6) for a, b in pairs),
            _("train_score: the gradient of a step holds those of earlier steps."),
            hint=_("Call optimiser.zero_grad() before loss.backward(), in every step."),
            mistake="gradients_accumulate",
        )
    start = [0.3 * draw.normal(DIM, dtype=torch.float32) for _k in range(2)]
    moves, seed = [], draw.seed()
    for lr in (1e-5, 1e-2):
        model = probe.affine_model(*start)
        generator = torch.Generator().manual_seed(seed)
        student.train_score(
            model, shown.points, 4, batch_size=shown.batch, lr=lr, t_min=0.05, t_max=1.0, generator=generator
        )
        values = probe.parameters(model)
        expect.true(isinstance(values, dict), _("the model has no parameters any more"))
        bias = expect.tensor(values.get("bias"), (DIM,), _("a weight of the model after training")).double()
        moves.append(float((bias - start[1]).abs().mean()))
    expect.true(
        moves[1] > 0,
        _("train_score: the model's weights are the same after training as before."),
        hint=_("Is there an optimiser, and does it take its step?"),
        mistake="weights_never_updated",
    )
    expect.true(
        10 * moves[0] < moves[1],
        _("train_score: a learning rate a thousand times as small hardly changes how far the weights move."),
        mistake="learning_rate_ignored",
    )


# The statement says these settings: it reads them here.
FIT = {"steps": 800, "batch_size": 256, "lr": 5e-3}
TIMES = (0.1, 0.3, 1.0, 2.0)


class Secret:
    """Three Gaussians at angles, and with shares, that are drawn for each student."""

    def __init__(self, draw):
        angles = 2 * math.pi * draw.uniform(1) + torch.tensor([0.3, 2.4, 4.4]).double() * draw.choice((-1.0, 1.0))
        self.means = 1.5 * torch.stack([angles.cos(), angles.sin()], 1)
        self.weights, self.std = torch.tensor(draw.shuffle([0.5, 0.3, 0.2])).double(), 0.3

    def sample(self, draw, n):
        labels = torch.searchsorted(self.weights.cumsum(0), draw.uniform(n)).clamp(max=2)
        return self.means[labels] + self.std * draw.normal(n, 2)

    def score(self, x, decay, spread):
        law = MixtureSameFamily(
            Categorical(self.weights),
            Independent(Normal(decay * self.means, torch.sqrt((decay * self.std) ** 2 + spread**2)), 1),
            validate_args=False,
        )
        x = x.clone().requires_grad_()
        return torch.autograd.grad(law.log_prob(x).sum(), x)[0]


def train_on_secret(student, expect):
    """The function for `once`: the student's network, trained on the secret mixture by the student's loop.

    What comes out: the trained network, another one, trained for a few steps only, the mixture, and the history.
    """

    def train(draw):
        mixture = Secret(draw)
        data = mixture.sample(draw, 4000).float()
        networks, histories = [], []
        for settings in (FIT, {**FIT, "steps": 3}):
            network = expect.handle(student.ScoreNetwork(), "ScoreNetwork()")
            histories.append(student.train_score(network, data, **settings, generator=draw.generator()))
            networks.append(network)
        return *networks, mixture, histories[0]

    return train


STORED = N_("What is learnt is in the network's weights, and takes its steps: data that are kept are no training.")


def diverges(history):
    """Whether the student's own losses grow: steps too long, which sums of all earlier gradients make."""
    losses = history.get("loss") if isinstance(history, dict) else None
    try:
        values = torch.as_tensor(losses, dtype=torch.float64).flatten()
    except (TypeError, ValueError, RuntimeError):
        return False
    return len(values) == FIT["steps"] and float(values[-400:].mean()) > float(values[:5].mean())


@check(points=1, kind="training", covers=("training", "train_score", "ScoreNetwork"), time_limit=120)
def test_training_score(student, probe, expect, once, draw, calibrated):
    """After a short training on three Gaussians the network knows their score at all times."""
    # Trained by the student's own process, the network is right where it knows the scores of that.
    laws = moments_to_accept(student, expect, draw)
    network, brief, mixture, history = once("secret", train_on_secret(student, expect))

    def error(network):
        return min(error_in(network, law) for law in laws)

    def error_in(network, law):
        errors = []
        for time in TIMES:
            decay, std = (value[0] for value in law(torch.tensor([time]).double()))
            x = decay * mixture.sample(draw, 1000) + std * draw.normal(1000, 2)
            answer = probe.predict(network, x.float(), torch.full((1000,), time))
            score = expect.tensor(answer, (1000, 2), "ScoreNetwork(x, t)").double()
            errors.append(float(std**2 * (score - mixture.score(x, decay, std)).square().mean()))
        return sum(errors) / len(errors)

    value = error(network)
    calibrated(
        "score_error",
        value,
        better="lower",
        what=_("the error of the learned score after {n} steps").format(n=FIT["steps"]),
        mistake="gradients_accumulate" if diverges(history) else None,
    )
    expect.true(
        error(brief) > 1.5 * value,
        _("train_score: after three steps the network knows the score as well as after {n}.").format(n=FIT["steps"]),
        hint=_(STORED),
    )
    probe.perturb(network, 0.5, draw.seed())
    expect.true(
        error(network) > 1.5 * value,
        _("train_score: with other weights the network knows the score just as well."),
        hint=_(STORED),
    )
