"""Training made deterministic: constant data a, a generator that answers its one parameter c, a critic D(x) = w·x.

Then nothing depends on the random draws. The critic's loss is w·(c - a) + λ(‖w‖ - 1)², the generator's -w·c, and every
Adam update can be computed here. Where the student's own losses or penalty are wrong, a training that uses them as it
should is right: their faults are other checks' business.
"""

import math

import torch

from autograder.judge import check
from autograder.language import _

TOLERANCE = 0.02  # of the distance that Adam can cover
DECAYS = (0.0, 0.01)  # Adam, and AdamW as it comes


class Adam:
    """Adam of Kingma and Ba on one vector, with the decoupled weight decay of AdamW."""

    def __init__(self, value, lr, betas, decay):
        self.value, self.lr, self.betas, self.decay = value.clone(), lr, betas, decay
        self.mean, self.square, self.count = torch.zeros_like(value), torch.zeros_like(value), 0

    def update(self, gradient):
        b1, b2 = self.betas
        self.count += 1
        self.mean = b1 * self.mean + (1 - b1) * gradient
        self.square = b2 * self.square + (1 - b2) * gradient**2
        step = self.mean / (1 - b1**self.count)
        self.value = (1 - self.lr * self.decay) * self.value
        self.value = self.value - self.lr * step / ((self.square / (1 - b2**self.count)).sqrt() + 1e-8)


def simulate(start, of_critic, of_generator, *, steps, n_critic, lr, betas, gp_weight, decay=0.0, fault=""):
    """Final c and w. `of_critic(c, w, gp_weight)` and `of_generator(c, w)` give the gradients.

    `fault`: "critic piles up" keeps the critic's gradients, the generator's backward included; "generator piles up"
    keeps the generator's; "generator first" updates the generator before the critic; "generator moves critic" has one
    optimiser for both.
    """
    c, w = Adam(start["c"], lr, betas, decay), Adam(start["w"], lr, betas, decay)
    pile_c, pile_w = torch.zeros_like(c.value), torch.zeros_like(w.value)

    def update_generator():
        nonlocal pile_c, pile_w
        pile_w = pile_w - c.value  # what the generator's loss leaves in the critic
        gradient = of_generator(c.value, w.value)
        pile_c = pile_c + gradient
        if fault == "generator moves critic":
            w.update(-c.value)
        c.update(pile_c if fault == "generator piles up" else gradient)

    for _step in range(steps):
        if fault == "generator first":
            update_generator()
        for _update in range(n_critic):
            gradient = of_critic(c.value, w.value, gp_weight)
            pile_w = pile_w + gradient
            w.update(pile_w if fault == "critic piles up" else gradient)
        if fault != "generator first":
            update_generator()
    return c.value, w.value


WRONG = {
    "n_critic_ignored": {"n_critic": 1},
    "betas_ignored": {"betas": (0.9, 0.999)},
    "gp_weight_ignored": {"gp_weight": 10.0},
    "gradients_not_cleared": {"fault": "critic piles up"},
    "generator_gradients_not_cleared": {"fault": "generator piles up"},
    "one_optimiser": {"fault": "generator moves critic"},
}


def known_end(end, start, a, settings):
    """The mistake of a training that ends there, whatever its draws and its history; None where none does."""
    return next(
        (
            name
            for name, fault in WRONG.items()
            for decay in DECAYS
            if distance(end, simulate(start, *right_gradients(a), **(settings | fault), decay=decay), settings)
            <= TOLERANCE
        ),
        None,
    )


def right_gradients(a):
    """The gradients on paper."""

    def of_critic(c, w, gp_weight):
        return c - a + 2 * gp_weight * (w.norm() - 1) * w / w.norm()

    return of_critic, lambda c, w: -w


def draw_case(draw):
    """A case in which the usual faults end clearly elsewhere than a right training."""
    while True:
        dim = draw.integer(2, 4)
        start = {"c": draw.normal(dim), "w": draw.normal(dim)}
        a = 2 * draw.normal(dim)
        settings = {
            "steps": draw.integer(3, 4),
            "n_critic": draw.integer(2, 4),
            "lr": float(draw.uniform(1, low=0.1, high=0.3)),
            "betas": (draw.choice((0.0, 0.3, 0.5)), draw.choice((0.6, 0.7, 0.8))),
            "gp_weight": float(draw.uniform(1, low=0.5, high=3.0)),
        }
        gradients = right_gradients(a)
        right = simulate(start, *gradients, **settings)
        faults = (
            {"n_critic": 1},
            {"n_critic": settings["n_critic"] + 1},
            {"betas": (0.9, 0.999)},
            {"betas": (0.0, 0.9)},
            {"gp_weight": 10.0},
            {"gp_weight": 0.0},
            {"fault": "critic piles up"},
            {"fault": "generator piles up"},
            {"fault": "generator first"},
        )
        wrong = [simulate(start, *gradients, **(settings | fault)) for fault in faults]
        if min(distance(w, right, settings) for w in wrong) > 5 * TOLERANCE:
            return start, a, settings


def distance(one, other, settings):
    """Largest difference of c and of w, in units of how far Adam can move them."""
    reach_c = settings["lr"] * settings["steps"]
    reach_w = reach_c * settings["n_critic"]
    return max(float((one[0] - other[0]).abs().max()) / reach_c, float((one[1] - other[1]).abs().max()) / reach_w)


@check(points=2, kind="exact", covers=("updates", "any_module", "train_wgan_gp"))
def test_training_updates(student, probe, compare, expect, draw):
    """Each step makes n_critic Adam updates of the critic with the weighted penalty, then one of the generator."""
    start, a, settings = draw_case(draw)
    dim, n, batch_size = len(a), draw.integer(40, 60), draw.integer(6, 12)
    data = a.expand(n, dim).clone()
    no_noise = torch.zeros(draw.choice((1, 3, 4)), dim, dtype=torch.float64)  # not the usual 2
    answer = probe.constant_training(
        student.train_wgan_gp, no_noise, start["c"], start["w"], data, settings | {"batch_size": batch_size}
    )
    c, w, _history = expect.sequence(answer, 3, "train_wgan_gp")
    what = _("train_wgan_gp on constant data: the {network}'s parameters at the end")
    c = expect.tensor(c, (dim,), what.format(network="generator"))
    w = expect.tensor(w, (dim,), what.format(network="critic"))

    right, *others = (simulate(start, *right_gradients(a), **settings, decay=decay) for decay in DECAYS)
    if all(distance((c, w), end, settings) > TOLERANCE for end in (right, *others)):
        others = own_ends(student, probe, expect, start, a, batch_size, settings)
    if any(distance((c, w), end, settings) <= TOLERANCE for end in others):
        return
    reach = TOLERANCE * settings["lr"] * settings["steps"]
    hint = _("Adam with lr and betas for both; n_critic updates with loss + gp_weight * penalty before each of the "
             "generator's; gradients cleared before each backward.")  # fmt: skip
    known = known_end((c, w), start, a, settings)
    w_is, c_is = ({known: end} if known else {} for end in (w, c))
    compare(w, right[1], rtol=0, atol=reach * settings["n_critic"], hint=hint, mistakes=w_is)
    compare(c, right[0], rtol=0, atol=reach, hint=hint, mistakes=c_is)


def own_ends(student, probe, expect, start, a, batch_size, settings):
    """Where right trainings end with the student's own losses and penalty; nowhere where those cannot be used."""
    n, dim = batch_size, len(a)
    eps = torch.full((n, 1), 0.5, dtype=torch.float64)

    def slopes(function, *scores):
        """Derivatives of a loss by each kind of scores, summed over a batch of equal scores."""
        columns = [torch.full((n,), float(score), dtype=torch.float64) for score in scores]
        answer = expect.sequence(probe.gradient(function, columns, list(range(len(scores)))), len(scores), "loss")
        return [float(expect.tensor(gradient, (n,), "loss").sum()) for gradient in answer]

    def of_critic(c, w, gp_weight):
        real, fake = slopes(student.critic_loss, a @ w, c @ w)
        answer = probe.penalty_and_gradients(
            student.gradient_penalty, probe.linear_critic(w), a.expand(n, dim), c.expand(n, dim), eps
        )
        gradients = expect.sequence(expect.sequence(answer, 2, "penalty")[1], 1, "penalty")
        penalty = 0.0 if gradients[0] is None else expect.tensor(gradients[0], (dim,), "penalty")
        return real * a + fake * c + gp_weight * penalty

    def of_generator(c, w):
        return slopes(student.generator_loss, c @ w)[0] * w

    try:
        ends = [simulate(start, of_critic, of_generator, **settings, decay=decay) for decay in DECAYS]
    except AssertionError:
        return []
    moved = min(float((end - start[name]).abs().max()) for name, end in zip("cw", ends[0], strict=True))
    return ends if math.isfinite(moved) and moved > settings["lr"] else []


@check(points=0.5, kind="exact", covers=("history", "train_wgan_gp"))
def test_history(student, probe, expect, draw):
    """The history holds the critic's and the generator's loss, one value per step."""
    dim, steps, n_critic = draw.integer(2, 4), draw.integer(3, 6), draw.integer(2, 3)
    a, c, w = 2 * draw.normal(dim), draw.normal(dim), draw.normal(dim)
    settings = {"steps": steps, "n_critic": n_critic, "lr": 1e-7, "gp_weight": 2.0, "batch_size": draw.integer(4, 8)}
    no_noise = torch.zeros(2, dim, dtype=torch.float64)
    answer = probe.constant_training(student.train_wgan_gp, no_noise, c, w, a.expand(30, dim).clone(), settings)
    parts = expect.sequence(answer, 3, "train_wgan_gp")
    history = parts[2]
    what = "train_wgan_gp(...)"
    of_critic = torch.tensor(expect.history(history, "critic_loss", steps, what))
    of_generator = torch.tensor(expect.history(history, "generator_loss", steps, what))

    # With this learning rate the losses stay where they are: as they should be, or as the student's functions are.
    n = settings["batch_size"]
    real, fake = (torch.full((n,), float(point @ w), dtype=torch.float64) for point in (a, c))
    eps = torch.full((n, 1), 0.5, dtype=torch.float64)

    def own(name, *given):
        """What the student's function answers to the first; nothing where it is a constant, which is no loss."""
        try:
            values = [expect.number(getattr(student, name)(*arguments), "loss") for arguments in given]
        except AssertionError:
            return []
        return values[:1] if max(values) - min(values) > 1e-6 else []

    ends = a.expand(n, dim), c.expand(n, dim), eps
    own_penalties = [(probe.linear_critic(v), *ends) for v in (w, 3 * w)]
    penalties = [(float(w.norm()) - 1) ** 2, *own("gradient_penalty", *own_penalties)]
    critics = [float((c - a) @ w), *own("critic_loss", (real, fake), (2 * real + 1, 2 * fake))]
    accepted = [loss + 2.0 * penalty for loss in critics for penalty in [0.0, *penalties]]
    expect.true(
        any((of_critic - value).abs().max() < 1e-3 * (0.1 + abs(value)) for value in accepted),
        _('{what}["critic_loss"]: these are not the values of the critic\'s loss.').format(what=what),
    )
    accepted = [float(-c @ w), *own("generator_loss", (fake,), (2 * fake,))]
    expect.true(
        any((of_generator - value).abs().max() < 1e-3 * (0.1 + abs(value)) for value in accepted),
        _('{what}["generator_loss"]: these are not the values of the generator\'s loss.').format(what=what),
    )
    # The values of a loop that trains nothing say nothing.
    moved = [expect.tensor(end, (dim,), what) - begin for end, begin in zip(parts[:2], (c, w), strict=True)]
    expect.true(
        all(way.abs().max() > 0 for way in moved),
        _("{what}: there is a history, and the networks' weights never change.").format(what=what),
    )
