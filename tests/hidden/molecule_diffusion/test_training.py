"""Training: what the model is shown, what the history says, and the molecules that an EGNN makes of it."""

from __future__ import annotations

import math

import torch

from autograder.judge import CheckFailed, check
from autograder.judge.verdicts import StudentError
from autograder.language import N_, _
from autograder.statistics.tests import chi_square, covariance_test, mean_test, standard_normal_test

from .positions import centred, subspace

ALPHA = 1e-6  # a correct training loop fails a check less than once in 100,000 times
T_SHOWN = 8
CALL = "train_diffusion(model, x, types, alpha_bars, steps, batch_size=...)"


def attempt(call):
    """An answer of the student's that a check can do without: None where the call fails or its function is missing."""
    try:
        return call()
    except (StudentError, CheckFailed):
        return None


class Shown:
    """A training on molecules that can be told apart through their noise, and what the model was shown in it."""

    N = 4

    def __init__(self, student, probe, expect, draw):
        self.steps, self.batch = draw.integer(70, 80), 8 * draw.integer(3, 4)
        self.n = 2 * self.batch
        # Little noise: each noisy molecule is nearest to its own clean one.
        self.alpha_bars = (1 - draw.uniform(T_SHOWN, low=0.0005, high=0.002)).cumprod(0)
        self.molecules = 2 * draw.normal(self.n, self.N, 3) + 2 * draw.normal(self.n, 1, 3)
        self.types = torch.tensor(draw.shuffle([0, 0, 1, 2]))
        self.model = probe.scaled_model(0.3 * draw.normal(T_SHOWN), 0.3 * draw.normal(3, 3))
        self.history = student.train_diffusion(
            self.model, self.molecules, self.types, self.alpha_bars, self.steps, batch_size=self.batch, lr=1e-2,
            generator=draw.generator(),
        )  # fmt: skip
        record = probe.training_record(self.model)
        expect.true(isinstance(record, dict), _("{what}: no record of the training.").format(what=CALL))
        self.rows = [k for k in expect.integers(record.get("rows"), CALL, low=0) if k]
        expect.true(
            len(self.rows) == self.steps,
            _("{what}: expected one call of the model with gradients per step ({n}), got {got}.").format(
                what=CALL, n=self.steps, got=len(self.rows)
            ),
        )
        expect.true(
            set(self.rows) == {self.batch},
            _("{what}: expected batch_size molecules at each step.").format(what=CALL),
        )
        total = sum(self.rows)
        shape = (total, self.N, 3)
        x = expect.tensor(record.get("x"), shape, CALL).double()
        # Of a wrong q_sample the part of zero mean is looked at: the rest has its own check.
        self.x = (subspace(self.N).T @ x).flatten(1)
        self.t = torch.tensor(expect.integers(record.get("t"), CALL, length=total))
        expect.true(
            bool(((self.t >= 0) & (self.t < T_SHOWN)).all()),
            _("{what}: there are times outside 0..T-1.").format(what=CALL),
        )
        types = expect.integers(record.get("types"), CALL, length=self.N)
        expect.true(types == self.types.tolist(), _("{what}: the model was given other types.").format(what=CALL))
        self.answer = expect.tensor(record.get("answer"), shape, CALL).double()
        bars = self.alpha_bars[self.t]
        self.coefficients = [(bars.sqrt(), (1 - bars).sqrt())]
        self.add_own_coefficients(student, probe, draw)

    def add_own_coefficients(self, student, probe, draw):
        """What the student's q_sample multiplies molecules and noise with: a wrong one has its own check."""
        one = centred(draw.normal(self.N, 3))
        own = attempt(lambda: probe.mixing(student.q_sample, self.alpha_bars, one))
        parts = [own.get(k) for k in ("molecule", "noise")] if isinstance(own, dict) else [None]
        if all(isinstance(v, torch.Tensor) and v.shape == (T_SHOWN, self.N, 3) and v.isfinite().all() for v in parts):
            pair = [(v.double() * one).sum((1, 2)) / (one * one).sum() for v in parts]
            self.coefficients.append((pair[0][self.t], pair[1][self.t]))

    def unmix(self, coefficients):
        """Which molecule each row shows, and the noise in it, (rows, 3(N-1))."""
        signal, spread = (c[:, None] for c in coefficients)
        molecules = (subspace(self.N).T @ self.molecules).flatten(1)
        which = torch.cdist(self.x / signal.where(signal.abs() > 1e-3, torch.ones(1).double()), molecules).argmin(1)
        noise = (self.x - signal * molecules[which]) / spread.where(spread.abs() > 1e-6, torch.ones(1).double())
        return which, noise

    def errors(self, noise):
        """Mean squared error of the answers in each step."""
        whole = subspace(self.N) @ noise.reshape(len(noise), self.N - 1, 3)
        return (self.answer - whole).square().mean((1, 2)).reshape(self.steps, self.batch).mean(1)


def noise_p_values(noise, batch):
    """p-values of the noise being standard normal, each number by itself."""
    if not (noise.abs() < 1e6).all():
        return {"values": 0.0}
    d = noise.shape[1]
    means = noise.reshape(-1, batch, d).mean(1) * math.sqrt(batch)
    return {
        "values": standard_normal_test(noise[::3].reshape(-1)),
        "mean": mean_test(noise, torch.zeros(d), torch.eye(d)),
        "atoms": covariance_test(noise, torch.eye(d)),
        "molecules": standard_normal_test(means.reshape(-1)),
    }


@check(points=0.5, kind="statistical", covers=("train_draws", "train_diffusion"))
def test_train_draws(student, probe, expect, draw):
    """Each molecule of a batch gets its own uniform time and fresh normal noise; all molecules are used alike."""
    shown = Shown(student, probe, expect, draw)
    same = (shown.t.reshape(-1, shown.batch) == shown.t.reshape(-1, shown.batch)[:, :1]).all(1)
    expect.true(
        not bool(same.all()),
        _("{what}: all molecules of a batch get the same time.").format(what=CALL),
        mistake="one_time_per_batch",
    )
    counts = torch.bincount(shown.t, minlength=T_SHOWN)
    unseen = torch.nonzero(counts == 0).flatten().tolist()
    expect.p_value(
        chi_square(counts, torch.full((T_SHOWN,), 1 / T_SHOWN)),
        _("the times in {what}").format(what=CALL),
        alpha=ALPHA,
        mistake={(T_SHOWN - 1,): "last_time_never_trained", (0,): "first_time_never_trained"}.get(tuple(unseen)),
    )
    found = [shown.unmix(c) for c in shown.coefficients]
    p_values = [noise_p_values(noise, shown.batch) for _which, noise in found]
    best = max(range(len(found)), key=lambda i: min(p_values[i].values()))
    names = {
        "values": _("the values of the noise in {what}"),
        "mean": _("the mean of the noise in {what}"),
        "atoms": _("the noise from atom to atom in {what}"),
        "molecules": _("the noise from molecule to molecule in {what}"),
    }
    for name, value in p_values[best].items():
        expect.p_value(value, names[name].format(what=CALL), alpha=ALPHA)
    which, noise = found[best]
    repeated = len(noise) - len(torch.unique((noise[:, 0] * 1e6).round()))
    expect.true(repeated < 0.25 * len(noise), _("{what}: the same noise comes again and again.").format(what=CALL))
    # Each molecule is expected 35 times: that one of them never comes happens less than once in a million times.
    counts = torch.bincount(which, minlength=shown.n)
    expect.true(
        bool((counts > 0).all()),
        _("{what}: there are molecules that no batch has.").format(what=CALL),
        mistake="last_molecule_never_drawn" if bool((counts[:-1] > 0).all()) else None,
    )
    expect.p_value(
        chi_square(counts, torch.full((shown.n,), 1 / shown.n)),
        _("the molecules used by {what}").format(what=CALL),
        alpha=ALPHA,
    )


def own_losses(student, probe, shown):
    """The student's own loss on what the model was shown, with what it answered: a wrong one has its check."""
    which, noise = shown.unmix(shown.coefficients[-1])
    whole = subspace(shown.N) @ noise.reshape(len(noise), shown.N - 1, 3)
    losses = attempt(
        lambda: probe.losses_on(
            student.denoising_loss, shown.answer, shown.molecules[which], shown.types, shown.alpha_bars, shown.t,
            whole, shown.batch,
        )
    )  # fmt: skip
    if isinstance(losses, torch.Tensor) and losses.shape == (shown.steps,) and losses.isfinite().all():
        return losses.double()
    return None


def loss_goes_wrong(student, probe, expect, draw, shown):
    """Whether the student's own loss is another one on raw noise."""
    x0, noise, t = shown.molecules[:6], draw.normal(6, shown.N, 3) + 1, draw.integers(0, T_SHOWN, 6)
    arrows = draw.normal(3, 3)
    model = probe.scaled_model(torch.zeros(T_SHOWN).double(), arrows)
    given = (model, x0, shown.types, shown.alpha_bars, t, noise)
    own = attempt(lambda: expect.number(student.denoising_loss(*given)))
    right = float((centred(arrows[shown.types]) - centred(noise)).square().mean())
    return own is not None and abs(own - right) > 1e-3 * right


@check(points=0.5, covers=("history", "train_diffusion"))
def test_train_history(student, probe, expect, compare, draw):
    """The history holds the loss of each step, the model is trained in place, and `lr` sets how fast."""
    shown = Shown(student, probe, expect, draw)
    losses = torch.tensor(expect.history(shown.history, "loss", shown.steps, CALL), dtype=torch.float64)
    near = {"rtol": 5e-3, "atol": 1e-3}
    expected = [shown.errors(shown.unmix(c)[1]) for c in shown.coefficients]
    if not any(torch.allclose(losses, right, **near) for right in expected):
        own = own_losses(student, probe, shown)
        if own is None or not torch.allclose(losses, own, **near):
            pair = torch.stack([losses, expected[0]])
            alike = float(torch.corrcoef(pair)[0, 1].nan_to_num(0.0)) > 0.5
            if not (alike and loss_goes_wrong(student, probe, expect, draw, shown)):
                compare(losses, expected[0], what=_("the losses in the history"), **near)
    start, seed, moves = 0.3 * draw.normal(T_SHOWN), draw.seed(), []
    for lr in (1e-2, 1e-5):
        model = probe.scaled_model(start, torch.zeros(3, 3, dtype=torch.float64))
        generator = torch.Generator().manual_seed(seed)
        settings = {"batch_size": 16, "lr": lr, "generator": generator}
        student.train_diffusion(model, shown.molecules, shown.types, shown.alpha_bars, 8, **settings)
        after = expect.tensor(probe.learnt_scale(model), (T_SHOWN,), _("a weight of the model after training"))
        moves.append(float((after - start).abs().max()))
    expect.true(
        moves[0] > 1e-6,
        _("train_diffusion: the model's weights are the same after training as before."),
        hint=_("Is there an optimiser, and does it take its step?"),
        mistake="weights_never_updated",
    )
    expect.true(
        moves[1] < 0.1 * moves[0],
        _("train_diffusion: with a thousandth of the learning rate the weights move as far."),
        mistake="learning_rate_ignored",
    )


@check(points=0.25, kind="statistical", covers=("train_fit", "train_diffusion"))
def test_train_fit(student, probe, expect, draw):
    """A model with one number per time learns the numbers that are known for Gaussian data, at every time."""
    T, N, s = 5, 3, round(float(draw.uniform(1, low=0.5, high=2.0)), 2)
    alpha_bars = torch.linspace(0.85, 0.15, T, dtype=torch.float64) + 0.05 * draw.uniform(T)
    spread = 1 - alpha_bars
    right = spread.sqrt() / (alpha_bars * s**2 + spread)
    data, types = s * draw.normal(2000, N, 3), torch.tensor([0, 1, 0])
    arrows = torch.zeros(2, 3, dtype=torch.float64)
    model = probe.scaled_model(torch.full((T,), -0.5, dtype=torch.float64), arrows)
    settings = {"batch_size": 128, "lr": 0.03, "generator": draw.generator()}
    student.train_diffusion(model, data, types, alpha_bars, 300, **settings)
    gradients = probe.gradients_of(model)
    fresh, whole = (gradients.get(k) for k in ("fresh", "whole")) if isinstance(gradients, dict) else (None, None)
    if isinstance(fresh, list) and isinstance(whole, list) and len(fresh) == len(whole):
        pairs = zip(fresh, whole, strict=True)
        expect.true(
            all(torch.allclose(expect.tensor(a), expect.tensor(b), rtol=1e-3, atol=1e-6) for a, b in pairs),
            _("train_diffusion: the gradient of a step holds those of earlier steps."),
            hint=_("Call optimiser.zero_grad() before loss.backward(), in every step."),
            mistake="gradients_accumulate",
        )
    got = expect.tensor(probe.learnt_scale(model), (T,), _("the model's weights after training")).double()
    targets = [right]
    # A loss has its own check: what it is least for is a parabola's lowest point.
    few = data[:512], types, alpha_bars, draw.normal(512, N, 3)
    losses = attempt(lambda: probe.losses_at_scales(student.denoising_loss, [0.0, 0.5, 1.0], arrows, *few))
    if isinstance(losses, torch.Tensor) and losses.shape == (3, T) and losses.isfinite().all():
        low, middle, high = losses.double()
        own = 0.25 * (3 * low - 4 * middle + high) / (low - 2 * middle + high).clamp_min(1e-9)
        if bool((own > 0.2 * right).all() and (own < 5 * right).all()):
            targets.append(own)
    gaps = [(got - target).abs() / target.abs().max() for target in targets]
    gap = min(gaps, key=lambda g: float(g.max()))
    far = torch.nonzero(gap >= 0.2).flatten().tolist()
    expect.true(
        not far,
        _("train_diffusion: after 300 steps the model's weights are far from the best ones at some times."),
        hint=_("Times from 0 to T-1, each as often; one optimiser step per step, on the gradient of that step alone."),
        mistake={(T - 1,): "last_time_never_trained", (0,): "first_time_never_trained"}.get(tuple(far)),
    )


# The statement says these settings: it reads them here.
FIT = {"steps": 1600, "lr": 3e-3}
T_LEARNT = 20
MOLECULES = 4000
SAMPLES = 600
BOND_STD, ANGLE_STD = 0.03, 0.08


class Bent:
    """Molecules H-O-H as no file knows them: their bond, their angle and the order of their atoms are secret."""

    def __init__(self, draw):
        self.bond, self.angle = (float(draw.uniform(1, low=low, high=high)) for low, high in ((0.9, 1.3), (1.45, 2.15)))
        self.order = torch.tensor(draw.shuffle(range(3)))
        self.types = torch.tensor([0, 1, 0])[self.order]

    def draw(self, draw, n):
        """n of them, each turned and shifted at random: (n, 3, 3)."""
        bonds, angles = self.bond + BOND_STD * draw.normal(n, 2), self.angle + ANGLE_STD * draw.normal(n)
        zero = torch.zeros(n, dtype=torch.float64)
        first = torch.stack([bonds[:, 0], zero, zero], 1)
        last = torch.stack([angles.cos(), angles.sin(), zero], 1) * bonds[:, 1:]
        chain = torch.stack([first, torch.zeros_like(first), last], 1)
        turns = torch.linalg.qr(draw.normal(n, 3, 3)).Q
        return (chain[:, self.order] @ turns + draw.normal(n, 1, 3)).float()

    def judge(self, reference, x):
        """Share of valid molecules, and the standard deviation of their angles in that of the data."""
        chain = x[:, self.order.argsort()]
        ideal = torch.full((2,), self.bond, dtype=torch.float64), torch.tensor([self.angle], dtype=torch.float64)
        valid = reference.validity(chain, *ideal, min_distance=0.6)
        share = float(valid.double().mean())
        if int(valid.sum()) < 20:
            return share, 0.0
        return share, float(reference.internal_coordinates(chain[valid])[1].std()) / ANGLE_STD


def train_on_molecules(student, reference, probe, expect):
    """The function for `once`: the student's EGNN, trained on secret molecules by the student's loop.

    What comes out: a new network with the trained weights, an untrained one, the schedule and the molecules' shape.
    """

    def newborn():
        return expect.handle(student.EGNN(n_types=2, n_times=T_LEARNT, hidden=32, n_layers=2), "EGNN(...)")

    def train(draw):
        shape, alpha_bars, network = Bent(draw), reference.cosine_alpha_bars(T_LEARNT), newborn()
        data = shape.draw(draw, MOLECULES)
        student.train_diffusion(network, data, shape.types, alpha_bars, **FIT, generator=draw.generator())
        trained = probe.renewed(newborn(), network)
        expect.true(
            trained is not None,
            _("train_diffusion: after training the network has other parameters or buffers than a new one."),
            hint=_(STORED),
        )
        return expect.handle(trained), newborn(), alpha_bars, shape

    return train


def made_by(network, reference, probe, expect, draw, alpha_bars, types, n):
    """Molecules made by a network of the student's and steps of ours, (n, 3, 3)."""

    def model(x, types, t):
        return expect.tensor(probe.predict(network, x, types, t), tuple(x.shape), "EGNN(x, types, t)").float()

    x = centred(draw.normal(n, 3, 3, dtype=torch.float32))
    for t in range(len(alpha_bars) - 1, -1, -1):
        noise = draw.normal(n, 3, 3, dtype=torch.float32)
        x = centred(reference.reverse_step(model, x, types, alpha_bars, t, noise)).clamp(-100, 100)
    return x.double()


STORED = N_("What is learnt is in the network's weights, and of these molecules: a new network with them is judged.")


@check(points=0.75, kind="training", covers=("learnt", "train_diffusion", "EGNN"), time_limit=120)
def test_learnt_molecules(student, reference, probe, expect, once, draw, calibrated):
    """After a short training on molecules of a secret shape, most of those that the EGNN makes are valid."""
    train = train_on_molecules(student, reference, probe, expect)
    network, untrained, alpha_bars, shape = once("molecules", train)
    made = made_by(network, reference, probe, expect, draw, alpha_bars, shape.types, SAMPLES)
    share, _spread = shape.judge(reference, made)
    calibrated(
        "valid_share", share, better="higher",
        what=_("the share of valid molecules after {n} steps").format(n=FIT["steps"]),
    )  # fmt: skip
    made = made_by(untrained, reference, probe, expect, draw, alpha_bars, shape.types, 100)
    expect.true(
        shape.judge(reference, made)[0] < 0.5 * share,
        _("train_diffusion: the network makes these molecules without having learnt it from them."),
        hint=_(STORED),
    )


@check(
    points=0.25, kind="training", requires=("learnt_molecules",), covers=("spread", "train_diffusion", "EGNN"),
    time_limit=120,
)  # fmt: skip
def test_learnt_spread(student, reference, probe, expect, once, draw, calibrated):
    """The valid molecules are not all alike: their angles vary as those of the data do."""
    train = train_on_molecules(student, reference, probe, expect)
    network, _untrained, alpha_bars, shape = once("molecules", train)
    made = made_by(network, reference, probe, expect, draw, alpha_bars, shape.types, SAMPLES)
    _share, spread = shape.judge(reference, made)
    # Its logarithm: a limit below a spread of 0 would be none.
    calibrated(
        "angle_spread", math.log(max(spread, 1e-3)), better="higher",
        what=_("the spread of the angles of valid molecules, over that of the data"),
    )  # fmt: skip
