"""Training made deterministic: constant data a, a generator that answers its parameter c, and D(x) = x·v + b.

Then nothing depends on the random draws, and every Adam update can be computed here. Where the student's own losses or
steps are wrong, a training that uses them as it should is right: their faults are other checks' business.
"""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.language import _

TOLERANCE = 0.02  # of the distance that Adam can cover
OPTIMISERS = {"Adam": 0.0, "AdamW": 0.01}  # with their decay of weights


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


def slopes_of_discriminator(real, fake, smoothing, loss):
    """Derivatives of its loss by the logit of the data and that of the fakes."""
    if loss == "wasserstein":
        return -1.0, 1.0
    real, fake = 1 / (1 + math.exp(-real)), 1 / (1 + math.exp(-fake))
    return smoothing * real - (1 - smoothing) * (1 - real), fake


def slope_of_generator(fake, loss):
    """Derivative of its loss by the logit of the fakes."""
    d = 1 / (1 + math.exp(-fake))
    return {"non_saturating": d - 1, "saturating": -d, "wasserstein": -1.0}[loss]


RIGHT = slopes_of_discriminator, slope_of_generator
USUAL = {"n_discriminator": 1, "smoothing": 0.0, "loss": "non_saturating", "clip": None}


def simulate(start, a, settings, decay=0.0, slopes=RIGHT, fault=""):
    """Parameters at the end: c, and (v, b) in one row. `fault`: as it says."""
    own = {**USUAL, **settings}
    c = Adam(start["c"], own["lr"], own["betas"], decay)
    w = Adam(torch.cat([start["slope"], start["bias"].reshape(1)]), own["lr"], own["betas"], decay)
    one = torch.ones(1, dtype=torch.float64)
    piled = torch.zeros_like(w.value)

    def of_generator():
        nonlocal piled
        slope = slopes[1](float(c.value @ w.value[:-1] + w.value[-1]), own["loss"])
        piled = piled + slope * torch.cat([c.value, one])
        c.update(slope * w.value[:-1])

    for _step in range(own["steps"]):
        if fault == "generator first":
            of_generator()
        for _update in range(own["n_discriminator"]):
            logits = [float(x @ w.value[:-1] + w.value[-1]) for x in (a, c.value)]
            real, fake = slopes[0](*logits, own["smoothing"], own["loss"])
            gradient = real * torch.cat([a, one]) + fake * torch.cat([c.value, one])
            piled = piled + gradient
            w.update(piled if fault == "gradients pile up" else gradient)
            if own["clip"] is not None:
                w.value = w.value.clamp(-own["clip"], own["clip"])
        if fault != "generator first":
            of_generator()
    return c.value, w.value


def usual_slope_of_generator(fake, _loss):
    """Of a step that is not told which loss."""
    return slope_of_generator(fake, USUAL["loss"])


WRONG = {
    "n_discriminator_ignored": {"n_discriminator": 1},
    "betas_ignored": {"betas": (0.9, 0.999)},
    "smoothing_not_passed": {"smoothing": 0.0},
    "clip_not_passed": {"clip": None},
    **{f"lr_ignored {lr}": {"lr": lr} for lr in (1e-2, 1e-3, 2e-4, 1e-4)},
}


def known_end(end, start, a, settings):
    """The mistake of a training that ends there, whatever its draws; None where no known one does."""
    for decay in OPTIMISERS.values():
        ends = {name: (simulate(start, a, settings | fault, decay), settings | fault) for name, fault in WRONG.items()}
        ends["generator_first"] = simulate(start, a, settings, decay, fault="generator first"), settings
        blind = slopes_of_discriminator, usual_slope_of_generator
        ends["loss_not_passed"] = simulate(start, a, settings, decay, blind), settings
        for name, (wrong, as_if) in ends.items():
            if distance(end, wrong, as_if) <= TOLERANCE:
                return name.split()[0]
    return None


def distance(one, other, settings):
    """Largest difference of the parameters, in units of how far Adam can move them."""
    reach = settings["lr"] * settings["steps"]
    far = settings.get("n_discriminator", 1) * reach
    return max(float((one[0] - other[0]).abs().max()) / reach, float((one[1] - other[1]).abs().max()) / far)


def draw_case(draw, **options):
    """A case in which the usual faults end clearly elsewhere than a right training."""
    while True:
        dim = draw.integer(2, 4)
        start = {"c": draw.normal(dim), "slope": draw.normal(dim), "bias": draw.normal(1)[0]}
        a = 1.5 * draw.normal(dim)
        settings = {
            "steps": draw.integer(3, 5),
            "lr": float(draw.uniform(1, low=0.1, high=0.3)),
            "betas": (draw.choice((0.0, 0.3, 0.7)), draw.choice((0.6, 0.7, 0.8))),
            **options,
        }
        right = simulate(start, a, settings)
        faults = [{"betas": (0.9, 0.999)}, {"betas": (0.5, 0.999)}]
        faults += [{"n_discriminator": n} for n in (1, 2, 3) if n != settings.get("n_discriminator", 1)]
        faults += [{name: USUAL[name]} for name in ("smoothing", "loss", "clip") if name in options]
        wrong = [simulate(start, a, {**settings, **fault}) for fault in faults]
        wrong.append(simulate(start, a, settings, fault="generator first"))
        if settings.get("n_discriminator", 1) > 1 or options.get("loss") != "wasserstein":
            wrong.append(simulate(start, a, settings, fault="gradients pile up"))
        if min(distance(end, right, settings) for end in wrong) > 3 * TOLERANCE:
            return start, a, settings


def networks_at(probe, start, latent_dim):
    """Both networks, made anew."""
    generator = probe.parameter_generator(latent_dim, start["c"])
    return generator, probe.scores(start["slope"], torch.zeros_like(start["slope"]), start["bias"])


def ends(probe, expect, generator, discriminator, dim):
    """Their parameters."""
    of_g, of_d = probe.parameters(generator), probe.parameters(discriminator)
    expect.true(
        isinstance(of_g, dict) and isinstance(of_d, dict) and "point" in of_g and {"slope", "bias"} <= set(of_d),
        _("train_gan: the networks have lost their parameters."),
    )
    what = _("parameters after training")
    c, slope = (expect.tensor(x, (dim,), what) for x in (of_g["point"], of_d["slope"]))
    return c, torch.cat([slope, expect.tensor(of_d["bias"], (), what).reshape(1)])


@check(points=1.25, covers=("updates", "train_gan"))
def test_training_updates(student, probe, compare, expect, draw):
    """Each step makes n_discriminator Adam updates of the discriminator, then one of the generator."""
    cases = (
        {"n_discriminator": draw.integer(2, 3), "smoothing": draw.choice((0.2, 0.3)), "loss": "saturating"},
        {"loss": "wasserstein", "clip": draw.choice((0.3, 0.4, 0.5)), "n_discriminator": 2},
        {},
    )
    for options in cases:
        start, a, settings = draw_case(draw, **options)
        dim, batch_size, latent_dim = len(a), draw.integer(4, 8), draw.integer(2, 4)
        generator, discriminator = networks_at(probe, start, latent_dim)
        data = a.expand(draw.integer(20, 30), dim).clone()
        student.train_gan(generator, discriminator, data, **settings, batch_size=batch_size)
        got = ends(probe, expect, generator, discriminator, dim)
        wanted = [simulate(start, a, settings, decay) for decay in OPTIMISERS.values()]
        if not any(distance(got, end, settings) <= TOLERANCE for end in wanted):
            others = own_ends(student, probe, expect, start, a, settings, batch_size, latent_dim)
            if any(distance(got, end, settings) <= TOLERANCE for end in others):
                continue
        elif distance(got, wanted[0], settings) > TOLERANCE:
            continue
        reach = TOLERANCE * settings["lr"] * settings["steps"]
        far = reach * settings.get("n_discriminator", 1)
        hint = _("Adam(lr, betas) for both; n_discriminator updates of the discriminator, then one of the generator; "
                 "smoothing, loss and clip handed on.")  # fmt: skip
        what = _("train_gan on constant data: the {network}'s parameters at the end")
        known = known_end(got, start, a, settings)
        for end, right, near, network in (
            (got[1], wanted[0][1], far, "discriminator"),
            (got[0], wanted[0][0], reach, "generator"),
        ):
            wrong = {known: end} if known else {}
            compare(end, right, rtol=0, atol=near, what=what.format(network=network), hint=hint, mistakes=wrong)


def own_ends(student, probe, expect, start, a, settings, batch_size, latent_dim):
    """Where right trainings end with the student's own losses or steps; nowhere where those do nothing."""
    own = {**USUAL, **settings}
    found = []

    def slopes(function, logits, **options):
        rows = [torch.full((batch_size,), x, dtype=torch.float64) for x in logits]
        answer = expect.sequence(probe.gradient(function, rows, list(range(len(rows))), **options), len(rows), "loss")
        return [float(expect.tensor(slope, (batch_size,), "loss").sum()) for slope in answer]

    def of_discriminator(real, fake, smoothing, loss):
        return slopes(student.discriminator_loss, [real, fake], smoothing=smoothing, loss=loss)

    def of_generator(fake, loss):
        return slopes(student.generator_loss, [fake], loss=loss)[0]

    def by_steps(name):
        generator, discriminator = networks_at(probe, start, latent_dim)
        both = {"lr": own["lr"], "betas": list(own["betas"])}
        optimisers = [probe.optimiser(module, name, both) for module in (generator, discriminator)]
        real, z = a.expand(batch_size, len(a)).clone(), torch.zeros(batch_size, latent_dim, dtype=torch.float64)
        for _step in range(own["steps"]):
            for _update in range(own["n_discriminator"]):
                student.discriminator_step(
                    generator, discriminator, optimisers[1], real, z,
                    smoothing=own["smoothing"], loss=own["loss"], clip=own["clip"],
                )  # fmt: skip
            student.generator_step(generator, discriminator, optimisers[0], z, loss=own["loss"])
        return ends(probe, expect, generator, discriminator, len(a))

    begin = start["c"], torch.cat([start["slope"], start["bias"].reshape(1)])
    for name, decay in OPTIMISERS.items():
        for way in (
            lambda decay=decay: simulate(start, a, settings, decay, (of_discriminator, of_generator)),
            lambda name=name: by_steps(name),
        ):
            try:
                end = way()
            except (AssertionError, OverflowError):
                continue
            moved = min(float((x - y).abs().max()) for x, y in zip(end, begin, strict=True))
            if math.isfinite(moved) and moved > settings["lr"]:
                found.append(end)
    return found


@check(points=0.25, covers=("history", "train_gan"))
def test_history(student, probe, expect, draw):
    """The history holds both losses, one value per step."""
    dim, steps, latent_dim = draw.integer(2, 4), draw.integer(3, 6), draw.integer(2, 4)
    start = {"c": draw.normal(dim), "slope": draw.normal(dim), "bias": draw.normal(1)[0]}
    a = 1.5 * draw.normal(dim)
    generator, discriminator = networks_at(probe, start, latent_dim)
    # With this learning rate the losses stay where they are: as they should be, or as the student's functions are.
    settings = {"steps": steps, "n_discriminator": 2, "lr": 1e-7, "batch_size": draw.integer(4, 8)}
    history = student.train_gan(generator, discriminator, a.expand(30, dim).clone(), **settings)
    real, fake = (torch.full((5,), float(x @ start["slope"] + start["bias"])).double() for x in (a, start["c"]))
    log = torch.nn.functional.logsigmoid
    right = {
        "discriminator_loss": float(-log(real)[0] - log(-fake)[0]),
        "generator_loss": float(-log(fake)[0]),
    }
    given = {"discriminator_loss": [(real, fake), (real + 1, fake - 1)], "generator_loss": [(fake,), (fake - 1,)]}
    for key, value in right.items():
        got = torch.tensor(expect.history(history, key, steps, "train_gan(...)"))
        accepted = [value]
        try:
            own = [expect.number(getattr(student, key)(*logits), key) for logits in given[key]]
            accepted += own[:1] if abs(own[0] - own[1]) > 1e-6 else []
        except AssertionError:
            pass
        expect.true(
            any((got - x).abs().max() < 1e-3 * (0.1 + abs(x)) for x in accepted),
            _('train_gan(...)["{key}"]: these are not the values of this loss.').format(key=key),
        )
    # The values of a loop that trains nothing say nothing.
    c, w = ends(probe, expect, generator, discriminator, dim)
    begin = torch.cat([start["slope"], start["bias"].reshape(1)])
    expect.true(
        (c - start["c"]).abs().max() > 0 and (w - begin).abs().max() > 0,
        _("train_gan: there is a history, and the networks' weights never change."),
    )
