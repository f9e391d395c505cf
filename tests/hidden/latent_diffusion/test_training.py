"""Training: what the networks are shown, and how they move."""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics.tests import chi_square, covariance_test, kolmogorov_smirnov, mean_test, standard_normal_test

from .trainings import WHAT, attempt, draw_words

ALPHA = 1e-6  # a correct training loop fails a check less than once in 100,000 times
T_SHOWN = 10


class Shown:
    """A training on latents that can be told apart through their noise, and what the model was shown in it."""

    def __init__(self, student, probe, expect, draw, drop=0.3, steps=60, lr=1e-4):
        self.steps, self.batch, self.n, self.d, self.k = steps, draw.integer(28, 36), draw.integer(40, 50), 24, 8
        # Latents so large that each noisy one is nearest to its own clean one.
        self.bars = draw.uniform(T_SHOWN, low=0.5, high=0.95).sort(descending=True).values.float()
        self.z = 4 * draw.normal(self.n, self.d, dtype=torch.float32)
        self.prompts = [f"a {word}" for word in draw_words(draw, self.n)]
        self.table = 2 * draw.normal(self.n, self.k, dtype=torch.float32)
        self.start = {
            "A": 0.3 * draw.normal(self.d, self.d, dtype=torch.float32),
            "M": 0.3 * draw.normal(self.k, self.d, dtype=torch.float32),
            "b": 0.3 * draw.normal(self.d, dtype=torch.float32),
        }
        self.model, self.encoder = probe.recorder(**self.start), probe.phrases(self.prompts, self.table)
        options = {} if drop is None else {"drop_probability": drop}
        self.history = student.train_text_to_image(
            self.model, self.encoder, self.bars, self.z, self.prompts, steps, batch_size=self.batch, lr=lr,
            generator=draw.generator(), **options,
        )  # fmt: skip
        self.read(probe, expect)
        self.unmix(student, probe)

    def read(self, probe, expect):
        record = probe.record(self.model)
        expect.true(isinstance(record, dict), _("{what}: no record of the training.").format(what=WHAT))
        calls = expect.number(record.get("calls"), WHAT)
        expect.true(calls > 0, _("{what}: the model is never called with gradients.").format(what=WHAT))
        self.z_t = expect.tensor(record.get("z"), (None, self.d), WHAT)
        total = len(self.z_t)
        expect.true(
            total == self.steps * self.batch,
            _("{what}: expected batch_size rows in every step, {n} in all; the model got {got}.").format(
                what=WHAT, n=self.steps * self.batch, got=total
            ),
        )
        self.t = torch.tensor(expect.integers(record.get("t"), WHAT, length=total))
        expect.true(
            bool(((self.t >= 0) & (self.t < T_SHOWN)).all()),
            _("{what}: there are times outside 0..T-1.").format(what=WHAT),
        )
        self.c = expect.tensor(record.get("c"), (total, self.k), WHAT)
        self.answer = expect.tensor(record.get("answer"), (total, self.d), WHAT)

    def unmix(self, student, probe):
        """Which latent each row shows, the noise in it, and which prompt came with it (-1: none).

        A wrong mixture of latents and noise has checks of its own: where the right one does not fit, the one of the
        student's own diffusion_loss is tried.
        """
        self.prompt = torch.cdist(self.c, self.table.double()).argmin(1)
        self.prompt[(self.c == 0).all(1)] = -1
        bars = self.bars.double()
        self.separate(bars.sqrt(), (1 - bars).sqrt())
        if min(self.law_of_noise().values()) < ALPHA:
            kept, own = (self.which, self.noise), own_mixture(student, probe, self)
            if own is not None:
                self.separate(*own)
                if min(self.law_of_noise().values()) < ALPHA:
                    self.which, self.noise = kept

    def separate(self, signal, spread):
        """Latents and noise, where each time has these two weights."""
        signal, spread = signal[self.t][:, None], spread[self.t][:, None]
        self.which = torch.cdist(self.z_t / signal, self.z.double()).argmin(1)
        self.noise = (self.z_t - signal * self.z.double()[self.which]) / spread

    def law_of_noise(self):
        """p-values of the noise being standard normal, each number by itself."""
        if not bool((self.noise.abs() < 1e6).all()):
            return {"values": 0.0}
        means = torch.stack([part.mean(0) for part in self.noise.split(self.batch)]) * math.sqrt(self.batch)
        law = torch.zeros(self.d, dtype=torch.float64), torch.eye(self.d, dtype=torch.float64)
        return {
            "values": standard_normal_test(self.noise[:, ::6].reshape(-1)),
            "mean": mean_test(self.noise, *law),
            "covariance": covariance_test(self.noise, law[1]),
            "rows": standard_normal_test(means[:, ::2].flatten()),
        }


def handed_over(student, probe, shown):
    """What the student's diffusion_loss hands to the model for latents, noise of ones, every second row dropped."""
    drop = torch.arange(len(shown.z)) % 2 == 0
    t, noise = torch.arange(len(shown.z)) % T_SHOWN, torch.ones_like(shown.z)
    model = probe.recorder(**shown.start)
    given = shown.bars, shown.z, shown.table, t, noise, drop
    found = attempt(lambda: probe.loss_gradients(student.diffusion_loss, model, *given))
    record = attempt(lambda: probe.record(model))
    if not isinstance(found, dict) or not isinstance(record, dict):
        return None
    z_t, c = record.get("z"), record.get("c")
    if not all(isinstance(v, torch.Tensor) and len(v) == len(shown.z) for v in (z_t, c)):
        return None
    return z_t.double(), (c == 0).all(1), t, drop


def own_mixture(student, probe, shown):
    """The weights (T,) of latents and noise in the student's own diffusion_loss; None where it is no such mixture."""
    own = handed_over(student, probe, shown)
    if own is None:
        return None
    z_t, _zero, t, _drop = own
    signal, spread = (torch.ones(T_SHOWN, dtype=torch.float64) for _i in range(2))
    for time in range(T_SHOWN):
        z = shown.z[t == time].double().flatten()
        columns, seen = torch.stack([z, torch.ones_like(z)], 1), z_t[t == time].reshape(-1, 1)
        weights = torch.linalg.lstsq(columns, seen).solution
        if float((columns @ weights - seen).abs().max()) > 1e-3:
            return None
        signal[time], spread[time] = weights[:, 0]
    return (signal, spread) if min(float(signal.abs().min()), float(spread.abs().min())) > 1e-3 else None


def share_of_zeros(student, probe, shown, p):
    """The share of rows without a prompt that p leads to: p itself, or by the student's own diffusion_loss."""
    own = handed_over(student, probe, shown)
    if own is None:
        return [p]
    _z_t, zero, _t, drop = own
    lost, kept = float(zero[drop].double().mean()), float(zero[~drop].double().mean())
    # One that looks at drop, wrongly as it may be: of one that does not, a training cannot drop.
    return [p, p * lost + (1 - p) * kept] if abs(lost - kept) > 0.5 else [p]


@check(points=0.5, kind="statistical", covers=("draws", "train_text_to_image"))
def test_train_draws(student, probe, expect, draw):
    """Rows are drawn at random, each with its own uniform time and fresh normal noise, batch_size in every step."""
    shown = Shown(student, probe, expect, draw)
    same = [bool((t == t[0]).all()) for t in shown.t.split(shown.batch)]
    expect.true(
        not all(same), _("{what}: all rows of a batch get the same time.").format(what=WHAT),
        mistake="one_time_per_batch",
    )  # fmt: skip
    p = chi_square(torch.bincount(shown.t, minlength=T_SHOWN), torch.full((T_SHOWN,), 1 / T_SHOWN))
    expect.p_value(p, _("times in {what}").format(what=WHAT), ALPHA, mistake=unseen(shown.t))
    p = chi_square(torch.bincount(shown.which, minlength=shown.n), torch.full((shown.n,), 1 / shown.n))
    first = shown.which.unique().tolist() == list(range(shown.batch))
    expect.p_value(p, _("rows used by {what}").format(what=WHAT), ALPHA, mistake="first_rows_only" if first else None)
    noise = shown.noise
    repeated = len(noise) - len(torch.unique((noise[:, 0] * 1e4).round()))
    shared = all(bool((part - part[0]).abs().max() < 1e-3) for part in noise.split(shown.batch))
    expect.true(
        repeated < 0.25 * len(noise), _("{what}: the same noise comes again and again.").format(what=WHAT),
        mistake="noise_shared" if shared else None,
    )  # fmt: skip
    names = {
        "values": _("values of the noise in {what}"),
        "mean": _("mean of the noise in {what}"),
        "covariance": _("noise from coordinate to coordinate in {what}"),
        "rows": _("noise from row to row in {what}"),
    }
    wrong = "noise_uniform" if looks_uniform(noise) else None
    for name, p in shown.law_of_noise().items():
        expect.p_value(p, names[name].format(what=WHAT), ALPHA, mistake=wrong)


def looks_uniform(noise):
    """Whether numbers fill a range evenly, whichever it is."""
    values = noise.flatten()
    share = (values - values.min()) / (values.max() - values.min()).clamp_min(1e-12)
    return kolmogorov_smirnov(share, lambda v: torch.as_tensor(v).clamp(0, 1)) > 1e-4


def unseen(t):
    """The known mistake of a time that never comes."""
    missing = torch.nonzero(torch.bincount(t, minlength=T_SHOWN) == 0).flatten().tolist()
    return {(0,): "times_from_one", (T_SHOWN - 1,): "times_without_last"}.get(tuple(missing))


@check(points=0.5, covers=("pairs", "train_text_to_image"))
def test_train_pairs(student, probe, expect, draw):
    """Every latent comes with its own prompt, and not with another one's."""
    shown = Shown(student, probe, expect, draw, drop=0.1, steps=20)
    told = shown.prompt >= 0
    expect.true(bool(told.any()), _("{what}: no row ever has a prompt.").format(what=WHAT))
    distance = (shown.c - shown.table.double()[shown.prompt.clamp_min(0)]).abs().amax(1)
    expect.true(
        bool((distance[told] < 0.1).all()),
        _("{what}: there are conditions that are not what the text encoder answers to a prompt.").format(what=WHAT),
    )
    expect.true(
        bool((shown.prompt[told] == shown.which[told]).all()),
        _("{what}: latents come with the prompts of other latents.").format(what=WHAT),
        hint=_("The rows of the batch index the prompts as well: prompts[i] for z[i]."),
        mistake="prompts_not_matched",
    )


@check(points=0.5, kind="statistical", covers=("dropped", "train_text_to_image"))
def test_train_drop(student, probe, expect, draw):
    """Each row loses its prompt by its own chance, drop_probability."""
    p = round(float(draw.uniform(1, low=0.2, high=0.4)), 2)
    shown = Shown(student, probe, expect, draw, drop=p)
    zero = shown.prompt < 0
    options = share_of_zeros(student, probe, shown, p)
    counts = torch.tensor([int((~zero).sum()), int(zero.sum())])
    found = [binomial(counts, q) for q in options]
    q = options[max(range(len(found)), key=found.__getitem__)]
    mistake = None
    if not zero.any():
        mistake = "never_dropped"
    elif binomial(counts, 1 - p) > 1e-3:
        mistake = "drop_probability_inverted"
    per_batch = torch.stack([part.double().mean() for part in zero.split(shown.batch)])
    if bool(((per_batch == 0) | (per_batch == 1)).all()) and bool(zero.any()) and not bool(zero.all()):
        expect.true(
            False, _("{what}: a batch loses all of its prompts or none.").format(what=WHAT),
            hint=_("drop = torch.rand(batch_size) < drop_probability: a chance for each row."),
            mistake="one_drop_per_batch",
        )  # fmt: skip
    expect.p_value(max(found), _("rows without a prompt in {what}").format(what=WHAT), ALPHA, mistake=mistake)
    if 0 < q < 1:
        # The number of drops in a batch is binomial: neither always the same nor spread too far.
        spread = float((per_batch - q).square().sum() * shown.batch / (q * (1 - q)))
        degrees = len(per_batch)
        low, high = degrees - 8 * math.sqrt(2 * degrees), degrees + 8 * math.sqrt(2 * degrees)
        expect.true(
            spread < high + 20 and (spread > max(low, 0.5)),
            _("{what}: the rows of a batch lose their prompts together, or always as many.").format(what=WHAT),
            hint=_("drop = torch.rand(batch_size) < drop_probability: a chance for each row."),
        )
    usual = Shown(student, probe, expect, draw, drop=None, steps=40)
    counts = torch.tensor([int((usual.prompt >= 0).sum()), int((usual.prompt < 0).sum())])
    expect.p_value(
        max(binomial(counts, q) for q in share_of_zeros(student, probe, usual, 0.1)),
        _("rows without a prompt where drop_probability is left out"),
        ALPHA,
        hint=_("drop_probability is 0.1 where it is not given."),
        mistake="drop_default" if not counts[1] else None,
    )
    for certain in (0.0, 1.0):
        some = Shown(student, probe, expect, draw, drop=certain, steps=4)
        shares = share_of_zeros(student, probe, some, certain)
        got = float((some.prompt < 0).double().mean())
        expect.true(
            any(abs(got - share) < 1e-9 for share in shares),
            _("{what}: with drop_probability = {p} there are rows with a prompt and others without.").format(
                what=WHAT, p=certain
            ),
            mistake=mistake,
        )


def binomial(counts, q):
    """p-value of how many rows have a prompt and how many have none."""
    if q in (0.0, 1.0):
        return float(counts[1 - int(q)] == 0)
    return chi_square(counts, torch.tensor([1 - q, q]))


@check(points=0.5, covers=("updates", "train_text_to_image"))
def test_train_updates(student, probe, expect, compare, draw):
    """Both networks are trained in place, as fast as `lr` says; the history holds the loss of each step."""
    shown = Shown(student, probe, expect, draw, steps=12, lr=1e-3)
    losses = torch.tensor(expect.history(shown.history, "loss", shown.steps, WHAT), dtype=torch.float64)
    near = {"rtol": 5e-3, "atol": 1e-3}
    right = (shown.noise - shown.answer).square().mean(1).reshape(shown.steps, -1).mean(1)
    if not torch.allclose(losses, right, **near):
        own = own_losses(student, probe, shown)
        if own is None or not torch.allclose(losses, own, **near):
            summed = {"history_sums_up": right.cumsum(0)}
            compare(losses, right, what=_("the losses in the history"), mistakes=summed, **near)
    moved = []
    for lr in (1e-3, 1e-6):
        some = shown if lr == 1e-3 else Shown(student, probe, expect, draw, steps=12, lr=lr)
        ways = {}
        for name, network, start in (("model", some.model, some.start), ("table", some.encoder, {"table": some.table})):
            values = probe.parameters(network)
            expect.true(isinstance(values, dict), _("a network has no parameters any more"))
            what = _("a weight after training")
            found = [expect.tensor(values.get(key), tuple(was.shape), what) - was for key, was in start.items()]
            ways[name] = sum(float(way.abs().mean()) for way in found)
        moved.append(ways)
    hint = _("One optimiser over the parameters of both networks, or one for each.")
    for name, mistake, message in (
        ("model", "weights_never_updated", _("{what}: the model's weights are the same after training as before.")),
        ("table", "text_encoder_not_trained", _("{what}: the text encoder's table is the same as before.")),
    ):
        expect.true(moved[0][name] > 0, message.format(what=WHAT), hint=hint, mistake=mistake)
    for name in ("model", "table"):
        expect.true(
            moved[1][name] < 0.1 * moved[0][name],
            _("{what}: a thousandth of the learning rate moves the weights almost as far.").format(what=WHAT),
            mistake="learning_rate_ignored",
        )


def own_losses(student, probe, shown):
    """The student's own diffusion_loss on what the model was shown: a wrong one has its check."""
    parts = shown.z[shown.which], shown.c.float(), shown.t, shown.noise.float(), shown.prompt < 0, shown.answer.float()
    losses = attempt(lambda: probe.losses_on(student.diffusion_loss, shown.bars, *parts, shown.batch))
    if isinstance(losses, torch.Tensor) and losses.shape == (shown.steps,) and losses.isfinite().all():
        return losses.double()
    return None
