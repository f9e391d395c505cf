"""Training: its history, batches and steps on a flow of ours; the fit on turned moons against what was calibrated."""

import math

import torch

from autograder.judge import CheckFailed, check
from autograder.judge.verdicts import StudentError
from autograder.language import _

NOISE = 0.1
# The statement says these settings: it reads them here.
QUICK = {"steps": 500, "batch_size": 256, "lr": 3e-3}
SLOW = {"steps": 1400, "batch_size": 256, "lr": 1e-3}
SIZE = 5000
FAR = 1.0  # the moons are 3 wide; farther is no worse, and diverged trainings would blur the calibration


class Place:
    """Where the moons of one student lie: turned far from where one draws them, of another size, somewhere else."""

    def __init__(self, draw):
        angle = math.radians(float(draw.uniform(1, low=40, high=140)) + draw.choice([0, 180]))
        self.size = float(draw.uniform(1, low=0.8, high=1.25))
        cosine, sine = math.cos(angle), math.sin(angle)
        self.turn = torch.tensor([[cosine, -sine], [sine, cosine]], dtype=torch.float64)
        self.shift = draw.uniform(2, low=-1, high=1)

    def to(self, x):
        """Usual moons to those of the student."""
        return self.size * (x - torch.tensor([0.5, 0.25])) @ self.turn.T + self.shift

    def back(self, x):
        """The moons of the student to usual ones."""
        return (x - self.shift) @ self.turn / self.size + torch.tensor([0.5, 0.25])


def two_moons(draw, n, balanced=False):
    """Points (n, 2) float64 of two moons; `balanced` ones are spread evenly over the moons and the angles."""
    if balanced:
        u = (torch.arange(n, dtype=torch.float64) + draw.uniform(n)) / n
        lower, angle = u < 0.5, math.pi * (2 * u % 1)
    else:
        lower, angle = draw.uniform(n) < 0.5, math.pi * draw.uniform(n)
    upper_moon = torch.stack([angle.cos(), angle.sin()], 1)
    lower_moon = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)
    return torch.where(lower[:, None], lower_moon, upper_moon) + NOISE * draw.normal(n, 2)


def moons_log_density(x):
    """log p(x) (n,) of the two moons' law: the noise's Gaussian averaged along the half circles."""
    angle = math.pi * (torch.arange(400, dtype=torch.float64) + 0.5) / 400
    centres = torch.cat(
        [torch.stack([angle.cos(), angle.sin()], 1), torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)]
    )
    exponent = -0.5 * torch.cdist(x, centres) ** 2 / NOISE**2
    return exponent.logsumexp(1) - math.log(len(centres)) - math.log(2 * math.pi * NOISE**2)


def gaussian(draw):
    """A mean and the weights of a flow of ours."""
    weight = torch.eye(2, dtype=torch.float64) + 0.3 * draw.normal(2, 2).clamp(-1, 1)
    return draw.normal(2), weight + 0.4 * torch.eye(2, dtype=torch.float64)


def gaussian_nll(x, mean, weight):
    """Minus log-density (n,) of such a flow."""
    z = (x - mean) @ weight.T
    return 0.5 * (z**2).sum(1) + math.log(2 * math.pi) - torch.linalg.slogdet(weight)[1]


def on_flow(student, probe, draw, judge):
    """Judge a training on a flow of ours, whose NLL is known: `judge(model, mean, weight)`.

    One that uses parts of the student's own class gets an object of that class, with the methods of ours.
    """
    mean, weight = gaussian(draw)
    try:
        judge(probe.gaussian_flow(mean, weight), mean, weight)
    except StudentError as error:
        if "AttributeError" not in error.bases:
            raise
        own = student.RealNVP(n_layers=2, hidden=32).double()
        judge(probe.gaussian_flow(mean, weight, own), mean, weight)


def own_unit(student, expect, flow, x, rows, batch_size):
    """[a, b] where the student's own nll of a batch is a times the right one plus b, for all batches; else None.

    A history of such numbers says as much of the batches as one of the right ones; what nll gives has its own check.
    """
    batches = [torch.arange(k, k + batch_size) % len(x) for k in range(0, 8 * batch_size, batch_size)]
    batches += [batch[:1].expand(batch_size) for batch in batches]  # their NLLs differ by more
    right = torch.stack([rows[batch].mean() for batch in batches])
    try:
        own = [expect.tensor(student.nll(flow, x[batch]), (), "nll(model, x)").double() for batch in batches]
    except CheckFailed:
        return None
    own, terms = torch.stack(own), torch.stack([right, torch.ones_like(right)], 1)
    a, b = torch.linalg.lstsq(terms, own[:, None]).solution[:, 0]
    if abs(a) < 1e-3 or (own - a * right - b).abs().max() > 1e-6 * (own.abs().max() + 1e-9):
        return None
    return float(a), float(b)


def not_rows(probe, expect, flow, x, what):
    """Whoever trains on something else than rows of x, as far as our flow was asked for the densities, is told so."""
    seen = probe.points_noted(flow)
    if not isinstance(seen, torch.Tensor) or seen.dim() != 2 or not len(seen):
        return
    far = [
        float(torch.cdist(seen[:2000].double(), rows).amin(1).nan_to_num(nan=math.inf).max())
        for rows in (x, *((x - x.mean(0)) / x.std(0, unbiased=unbiased) for unbiased in (True, False)))
    ]
    expect.true(
        far[0] < 1e-3,
        _("{what}: the points that the model is trained on are not rows of x.").format(what=what),
        hint=_("Train on the data as it is."),
        mistake="data_standardised" if min(far[1:]) < 1e-3 else None,
    )


def density_of(probe, expect, flow, x):
    """Latents at x, log|det| of the Jacobian there, and what `forward` says it is."""
    what = "RealNVP.forward(x)"
    result, jacobian = probe.transform(flow, "forward", x)
    z, log_det = expect.sequence(result, 2, what)
    z = expect.tensor(z, x.shape, what).double()
    log_det = expect.tensor(log_det, (len(x),), _("the log-determinant of {what}").format(what=what)).double()
    jacobian = expect.tensor(jacobian, (*x.shape, 2), _("the Jacobian of {what}").format(what=what)).double()
    return z, torch.linalg.slogdet(jacobian)[1], log_det


@check(points=0.5, covers=("training", "train_flow"), time_limit=60)
def test_train_history(student, probe, expect, compare, draw):
    """The history holds the NLL of each step's mini-batch, in nats per sample."""
    batch_size, steps = draw.integer(8, 16), draw.integer(11, 25)
    circle = torch.nn.functional.normalize(draw.normal(4 * batch_size, 2)) * float(draw.uniform(1, low=1, high=2))
    what = "train_flow(model, x, steps)"

    def judge(flow, mean, weight):
        x = mean + torch.linalg.solve(weight, circle.T).T  # all rows and so every mini-batch have the same NLL
        right = gaussian_nll(x[:1], mean, weight).expand(steps)
        before = expect.tensor(probe.gaussian_weights(flow)[0], (2,), _("the weights of the model"))
        history = student.train_flow(flow, x, steps, batch_size=batch_size, lr=1e-12, generator=draw.generator())
        values = expect.history(history, "nll", steps, what)
        moved = expect.tensor(probe.gaussian_weights(flow)[0], (2,), _("the weights of the model")) - before
        expect.true(
            moved.abs().max() < 1e-6,
            _("{what}: at the learning rate {lr:g} the weights of the model must stay as they are.").format(
                what=what, lr=1e-12
            ),
            hint=_("Pass `lr` to the optimiser."),
            mistake="learning_rate_ignored",
        )
        unit = 1.0, 0.0
        if not torch.allclose(torch.tensor(values).to(right), right, rtol=1e-4, atol=1e-6):
            not_rows(probe, expect, flow, x, what)
            wide = draw.normal(4 * batch_size, 2)
            unit = own_unit(student, expect, flow, wide, gaussian_nll(wide, mean, weight), batch_size) or unit
        own = unit[0] * right + unit[1]
        if not torch.allclose(torch.tensor(values).to(own), own, rtol=1e-4, atol=1e-6):
            unit = 1.0, 0.0
            compare(
                values,
                right,
                what=f'{what}["nll"]',
                rtol=1e-4,
                atol=1e-6,
                mistakes={"history_summed": right * batch_size, "history_in_bits": right / math.log(2)},
                hint=_("With a tiny learning rate and rows of the same NLL, each value is nll(model, batch)."),
            )
        start = [mean, weight]
        for _turn in range(3):
            row = draw.normal(1, 2) + 1e-5 * draw.normal(2 * batch_size, 2)  # as good as equal, but with a spread
            noted = probe.notes(flow)
            history = student.train_flow(flow, row, 3, batch_size=batch_size, lr=1e-2, generator=draw.generator())
            times = probe.notes(flow) - noted
            values = expect.history(history, "nll", 3, what)
            expect_before(probe, expect, flow, row, values, unit, start, times)
            now = expect.sequence(probe.gaussian_weights(flow), 2, _("the weights of the model"))
            now = [
                expect.tensor(v, old.shape, _("the weights of the model")) for v, old in zip(now, start, strict=True)
            ]
            expect_downhill(expect, row[:1], start, now)
            start = now

    on_flow(student, probe, draw, judge)


def expect_before(probe, expect, flow, x, values, unit, start, times):
    """Each value of a history on nearly equal rows is the NLL at the weights from which its step starts, or ends at.

    These are known where each step has one gradient; otherwise only those of the first step are.
    """
    states = [start]
    if times == len(values):
        states = [*probe.weights_noted(flow, times), probe.gaussian_weights(flow)]
    states = [[expect.tensor(v, None, _("the weights of the model")).double() for v in state] for state in states]
    nll = torch.stack([gaussian_nll(x, *state).mean() for state in states]) * unit[0] + unit[1]
    given = torch.tensor(values, dtype=torch.float64)

    def near(right):
        return torch.allclose(given[: len(right)], right[: len(given)], rtol=1e-4, atol=1e-3 * abs(unit[0]))

    expect.true(
        near(nll) or (len(nll) > len(given) and near(nll[1:])),
        _('{what}["nll"]: a value is not the NLL of its mini-batch at the weights of its step.').format(
            what="train_flow(model, x, steps)"
        ),
        hint=_("Append the loss that the step minimises."),
    )


def expect_downhill(expect, x, before, after):
    """Few steps move every weight that matters against the gradient of the NLL at x, whatever the optimiser."""
    what = "train_flow(model, x, steps)"
    before = [value.clone().requires_grad_() for value in before]
    gradients = torch.autograd.grad(gaussian_nll(x, *before).mean(), before)
    gradient = torch.cat([g.flatten() for g in gradients])
    moved = torch.cat([(b - a).detach().flatten() for b, a in zip(after, before, strict=True)])
    expect.true(
        moved.abs().max() > 1e-5,
        _("{what}: the weights of the model are the same after training as before.").format(what=what),
        hint=_("Each step updates the weights: loss.backward(), then optimizer.step()."),
        mistake="no_update",
    )
    large = gradient.abs() > 0.2 * gradient.abs().max()
    expect.true(
        (moved * gradient < 0)[large].all(),
        _("{what}: steps do not move the weights against the gradient of the mini-batch's NLL.").format(what=what),
        hint=_("The loss is nll(model, batch): zero_grad, backward, and a step of the optimiser."),
    )


class Batches:
    """What the NLLs of many steps say of their mini-batches."""

    def __init__(self, values, average, spread):
        self.ratio = float(values.std()) / spread  # 1 for independent rows, up to chance
        self.off = (float(values.mean()) - average) / spread
        self.steps = len(values)

    def right(self):
        """Whether they are as those of independent rows of x."""
        return 0.4 < self.ratio < 2.5 and abs(self.off) < 8 / math.sqrt(self.steps)


@check(points=0.5, kind="statistical", covers=("training", "train_flow"), time_limit=60)
def test_fresh_batches(student, probe, expect, draw):
    """Each step draws its own mini-batch of batch_size rows.

    Of a history in another unit, or of the student's own nll, the batches can be told as well.
    """
    batch_size, steps = draw.integer(12, 20), 80
    x = draw.uniform(40 * batch_size, 2, low=-2, high=2)  # bounded: the mean over a batch is close to normal
    what = "train_flow(model, x, steps)"

    def judge(flow, mean, weight):
        rows = gaussian_nll(x, mean, weight)
        average, spread = float(rows.mean()), float(rows.std()) / math.sqrt(batch_size)
        # At this learning rate the flow stays as it is, so that only the mini-batches differ from step to step.
        history = student.train_flow(flow, x, steps, batch_size=batch_size, lr=1e-12, generator=draw.generator())
        values = torch.tensor(expect.history(history, "nll", None, what), dtype=torch.float64)
        expect.true(len(values) > 5, _("{what}: the history is too short to be judged.").format(what=what))
        seen = Batches(values, average, spread)
        if not seen.right():
            own = own_unit(student, expect, flow, x, rows, batch_size) or (1.0, 0.0)
            units = [own, (float(batch_size), 0.0), (1 / math.log(2), 0.0)]
            others = [Batches((values - b) / a, average, spread) for a, b in units]
            seen = next((batches for batches in others if batches.right()), seen)
            seen = seen if seen.right() else min([seen, *others], key=lambda batches: abs(batches.off))
        expect.true(
            seen.ratio > 1e-3 or abs(seen.off) > 1e-5,
            _("{what}: the history holds the NLL of all rows of x, not of the step's mini-batch.").format(what=what),
            hint=_("Append the loss of the mini-batch of each step."),
            mistake="history_of_all_rows",
        )
        expect.true(
            seen.ratio > 1e-3,
            _("{what}: the NLL is the same at every step, as if every step used the same rows.").format(what=what),
            hint=_("Draw batch_size rows of x inside the loop, at every step anew."),
            mistake="same_batch_every_step",
        )
        expect.true(
            0.4 < seen.ratio < 2.5,
            _("{what}: the NLL varies from step to step as if the mini-batches did not have batch_size rows.").format(
                what=what
            ),
            hint=_("Draw batch_size rows of x inside the loop, and average over them."),
        )
        expect.true(
            seen.right(),
            _("{what}: the NLLs of the steps are not those of rows of x.").format(what=what),
        )

    on_flow(student, probe, draw, judge)


@check(points=0.5, kind="statistical", covers=("training", "train_flow"), time_limit=60)
def test_training_moves(student, probe, expect, draw):
    """Each step follows the gradient of its own mini-batch, and many of them bring a flow to the data."""
    what = "train_flow(model, x, steps)"
    x = draw.normal(800, 2) @ (gaussian(draw)[1] * float(draw.uniform(1, low=0.5, high=1.5))) + 2 * draw.normal(2)

    def judge(flow, mean, weight):
        near = x[:1] + 1e-5 * draw.normal(64, 2)  # as good as equal rows, but with a spread
        settings = {"batch_size": 16, "lr": 1e-9}
        made = probe.updates(student.train_flow, flow, near, 6, settings, draw.generator())
        taken, updates = expect.integers(made, _("the updates"), length=2)
        expect_no_sums(expect, probe.noted(flow), what)
        expect.true(
            6 in (taken, updates),
            _("{what}: 6 steps make {updates} updates of the weights.").format(what=what, updates=updates),
            hint=_("Each step: the NLL of a mini-batch, zero_grad, backward, and one step of the optimiser."),
            mistake={0: "no_update", 5: "last_update_missing"}.get(updates),
        )
        student.train_flow(flow, x, 400, batch_size=64, lr=3e-2, generator=draw.generator())
        now = expect.sequence(probe.gaussian_weights(flow), 2, _("the weights of the model"))
        now = [expect.tensor(value, None, _("the weights of the model")) for value in now]
        expect_fall(expect, gaussian_nll(x, mean, weight), gaussian_nll(x, *now), x)

    on_flow(student, probe, draw, judge)


def expect_no_sums(expect, gradients, what):
    """On equal rows, at weights that stay, the gradients do not grow as sums of them all would."""
    if not isinstance(gradients, list) or len(gradients) < 6:
        return
    gradients = torch.stack([expect.tensor(g, (2,), _("a gradient"), finite=False).double() for g in gradients[-6:]])
    sums = gradients[:1] * torch.arange(1, 7)[:, None]
    expect.true(
        not torch.allclose(gradients, sums, rtol=0.05, atol=0.05 * float(gradients[0].norm())),
        _("{what}: the gradients grow from step to step on equal rows, as if each were added to the last.").format(
            what=what
        ),
        hint=_("backward adds to the gradients that are there: call optimizer.zero_grad() before it."),
        mistake="gradients_accumulate",
    )


def expect_fall(expect, before, after, x):
    """The NLL comes most of the way from where it was to that of the best Gaussian."""
    centred = x - x.mean(0)
    best = 1 + math.log(2 * math.pi) + 0.5 * float(torch.linalg.slogdet(centred.T @ centred / len(x))[1])
    expect.true(
        float(after.mean()) - best < 0.3 * (float(before.mean()) - best),
        _("train_flow(model, x, steps): 400 steps do not bring the model close to a Gaussian cloud."),
        hint=_("Each step: the NLL of a mini-batch, zero_grad, backward, and a step of Adam with the given lr."),
        mistake="no_update" if torch.equal(before, after) else None,
    )


def train(student, probe, expect, draw):
    """A flow with the default sizes after a short training on moons, its history, whether it changed, their place, x.

    A flow that is not yet close to the data is trained on more slowly, or anew where it went astray: some valid
    parametrisations of the scale learn late, or diverge now and then at the quick learning rate.
    """
    place = Place(draw)
    x, fresh = place.to(two_moons(draw, SIZE)), place.to(two_moons(draw, 1000))
    excess = math.inf
    for settings in (QUICK, SLOW):
        if not abs(excess) < 2:
            flow = expect.handle(student.RealNVP())
        before = expect.tensor(probe.weights(flow), (None,), _("the weights of RealNVP()")).double()
        history = student.train_flow(flow, x.float(), **settings, generator=draw.generator())
        flow.eval()
        after = expect.tensor(probe.weights(flow), (None,), _("the weights of RealNVP()"), finite=False).double()
        excess = excess_nll(place, fresh, flow(fresh.float()))
        if abs(excess) < 0.25:
            break
    return flow, history, not torch.equal(before, after), place, x.float()


def expect_changed(expect, changed):
    """What a training leaves anywhere else than in the weights is no training."""
    expect.true(
        changed,
        _("train_flow(model, x, steps): the weights of the model are the same after training as before."),
        hint=_("Each step updates the weights: loss.backward(), then optimizer.step()."),
        mistake="no_update",
    )


def expect_own_samples(expect, flow, samples, rows):
    """The samples (n, 2) of a trained flow are images of normal latents under its own map, and no stored points."""
    from scipy.stats import chi2, norm

    from autograder.statistics.tests import kolmogorov_smirnov

    flow.double()  # where the map is steep, float32 would move the latents
    z = expect.sequence(flow(samples.double()), 2, "RealNVP.forward(x)")[0]
    z = expect.tensor(z, samples.shape, "RealNVP.forward(RealNVP.sample(n))", finite=False).double()
    flow.float()
    z = z.nan_to_num(nan=100.0).clamp(-100, 100)
    # By ranks alone: a lone sample at a scale near 0, which rounding has moved, does not matter.
    p_values = [kolmogorov_smirnov(z[:, i].contiguous(), norm.cdf) for i in range(2)]
    p_values.append(kolmogorov_smirnov((z**2).sum(1), lambda r: chi2.cdf(r, 2)))
    near = torch.cdist(samples.double(), rows.double()).amin(1)
    expect.p_value(
        min(1.0, 3 * min(p_values)),
        _("the latents of RealNVP.sample(n) after a training"),
        alpha=1e-9,
        hint=_("Draw z ~ N(0, I) with torch.randn, as it is, and return inverse(z), after a training as before it."),
        mistake="data_memorised" if bool((near < 1e-6).all()) else None,
    )


def excess_nll(place, x, result):
    """Mean of log p(x) - log p_model(x) in nats, given the flow's `z, log_det`; inf where that is no such pair.

    The true density takes out the sampling noise of the entropy. A lone point far from what was learned counts 10
    nats at most: scales near 0 make such outliers, and one would decide the mean.
    """
    pair = result if isinstance(result, tuple | list) and len(result) == 2 else (None, None)
    for value, shape in zip(pair, (x.shape, x.shape[:1]), strict=True):
        if not isinstance(value, torch.Tensor) or value.shape != shape or not value.is_floating_point():
            return math.inf
    z, log_det = (value.double() for value in pair)
    true = moons_log_density(place.back(x)) - 2 * math.log(place.size)
    excess = true + 0.5 * (z**2).sum(1) + math.log(2 * math.pi) - log_det
    mean = float(excess.clamp(max=10.0).mean())
    return mean if math.isfinite(mean) else math.inf


@check(
    points=1.5,
    kind="training",
    requires=("flow_log_det", "coupling_log_det"),
    covers=("training", "train_flow", "RealNVP", "AffineCoupling"),
    time_limit=180,
)
def test_held_out_nll(student, probe, expect, calibrated, draw, once):
    """After a short training the held-out NLL is close to the data's entropy, and not below it."""
    flow, history, changed, place, _rows = once("trained", lambda d: train(student, probe, expect, d))
    expect.history(history, "nll", None, "train_flow(model, x, steps)")
    expect_changed(expect, changed)
    x = place.to(two_moons(draw, 4000))
    z, log_det, own = density_of(probe, expect, flow, x.float())
    expect.true(
        (own - log_det).abs().median() < 0.02,
        _("RealNVP.forward(x): after the training the log-determinant is not that of the Jacobian."),
        hint=_("What forward returns as log_det is log|det| of its own Jacobian, whatever was learned."),
    )
    calibrated(
        "excess_nll",
        excess_nll(place, x, (z, log_det)),
        better="between",
        what=_("the held-out NLL above the data's entropy"),
        hint=_(
            "A short training reaches a few tenths of a nat above the entropy. Below it, the log-determinant "
            "is wrong; far above, the weights hardly learn."
        ),
    )


@check(
    points=1,
    kind="training",
    requires=("coupling_log_det", "flow_round_trip", "sampling"),
    covers=("fit", "train_flow", "RealNVP", "AffineCoupling"),
    time_limit=180,
)
def test_samples_fit(student, probe, expect, calibrated, draw, once):
    """Samples of the trained flow are close to the two moons."""
    from autograder.statistics.distances import wasserstein_exact

    flow, _history, changed, place, rows = once("trained", lambda d: train(student, probe, expect, d))
    samples = expect.tensor(flow.sample(1000, generator=draw.generator()), (1000, 2), "RealNVP.sample(1000)").double()
    expect_changed(expect, changed)
    expect_own_samples(expect, flow, samples, rows)
    # The moons lie within 3 of the origin; a lone sample far out counts as one at the border of this square.
    distance = wasserstein_exact(place.back(samples).clamp(-5, 5), two_moons(draw, 1000, balanced=True))
    calibrated(
        "samples_w2",
        min(distance, FAR),
        better="lower",
        what=_("the Wasserstein-2 distance of samples to two moons"),
        hint=_("Draw the samples beside the data: is a moon missing, too narrow or bent the wrong way?"),
    )


@check(
    points=0.5,
    kind="training",
    requires=("coupling_log_det",),
    covers=("fit", "train_flow", "RealNVP", "AffineCoupling"),
    time_limit=180,
)
def test_latents_fit(student, probe, expect, calibrated, draw, once):
    """The trained flow spreads the data like a standard normal law in the latent space."""
    flow, _history, changed, place, _rows = once("trained", lambda d: train(student, probe, expect, d))
    expect_changed(expect, changed)
    x = place.to(two_moons(draw, 4000))
    z = density_of(probe, expect, flow, x.float())[0]
    # The median of the squared radius of a standard normal point of the plane is 2 log 2.
    calibrated(
        "latent_spread",
        float((z**2).sum(1).median() / (2 * math.log(2))),
        better="between",
        what=_("the median radius of the latents"),
        hint=_("Look at the data in the latent space: it should be a round cloud with standard deviation 1."),
    )
