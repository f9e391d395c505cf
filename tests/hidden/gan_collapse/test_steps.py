"""Both steps on small networks of the judge's, in float64, with plain gradient descent: every new weight is known.

Where the student's own losses are wrong, a step that descends these is right: their faults are other checks' business.
"""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

from .losses import right_discriminator, right_generator

OF_G = ("matrix", "point")


def by_batch(x):
    """Each column by the statistics of its batch."""
    return (x - x.mean(0)) / (x.var(0, unbiased=False) + 0.1).sqrt()


class Networks:
    """A generator and a discriminator beside the student's code, and the same here.

    Args:
        normalise: whether both look at whole batches: the discriminator always, the generator in training mode.
        training: the generator's mode.
    """

    def __init__(self, probe, draw, normalise, training=True):
        latent_dim, self.dim = draw.integer(2, 4), draw.integer(3, 5)
        dim = self.dim
        signs = torch.tensor([draw.choice((-1.0, 1.0)) for _i in range(dim)], dtype=torch.float64)
        # The fakes lie off the data, and logits are neither all large nor all small.
        self.values = {
            "matrix": draw.normal(latent_dim, dim), "point": 1 + draw.normal(dim),
            "slope": signs * draw.uniform(dim, low=0.3, high=0.9),
            "weight": 0.5 * draw.normal(dim), "bias": draw.normal(1)[0],
        }  # fmt: skip
        v = self.values
        self.normalise, self.training = normalise, training
        self.of_d = ("slope", "weight", "bias") if normalise else ("slope", "bias")
        self.generator = probe.affine_generator(v["matrix"], v["point"], normalise)
        self.discriminator = probe.scores(v["slope"], v["weight"], v["bias"], normalise)
        probe.set_modes(self.generator, [training, training])
        self.z = [draw.normal(draw.integer(4, 7), latent_dim) for _round in range(2)]
        self.real = [draw.normal(len(z) + draw.integer(2, 4), dim) - 1 for z in self.z]

    def fake(self, v, z):
        """G(z)."""
        return (by_batch(z) if self.normalise and self.training else z) @ v["matrix"] + v["point"]

    def score(self, v, x):
        """D(x)."""
        logits = x @ v["slope"] + v["bias"]
        return logits + by_batch(x) @ v["weight"] if self.normalise else logits

    def descend(self, names, logits_of, loss_of, lr, clip=None, rounds=2):
        """Losses and the parameters of these names after descending: `loss_of(logits)` gives a loss and its slopes."""
        v, losses = dict(self.values), []
        for k in range(rounds):
            leaves = {name: v[name].clone().requires_grad_() for name in names}
            logits = logits_of({**v, **leaves}, k)
            value, slopes = loss_of([x.detach() for x in logits])
            losses.append(value)
            total = sum((x * slope).sum() for x, slope in zip(logits, slopes, strict=True))
            found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
            for (name, leaf), slope in zip(leaves.items(), found, strict=True):
                new = leaf.detach() - lr * (0 if slope is None else slope)
                v[name] = new if clip is None else new.clamp(-clip, clip)
        return torch.tensor(losses, dtype=torch.float64), torch.cat([v[name].reshape(-1) for name in names])

    def after_discriminator(self, loss_of, lr, clip=None, rounds=2):
        """What descends the discriminator's loss."""

        def logits(v, k):
            return [self.score(v, self.real[k]), self.score(v, self.fake(v, self.z[k]))]

        return self.descend(self.of_d, logits, loss_of, lr, clip, rounds)

    def after_generator(self, loss_of, lr, rounds=2):
        """What descends the generator's loss."""
        return self.descend(OF_G, lambda v, k: [self.score(v, self.fake(v, self.z[k]))], loss_of, lr, None, rounds)


def by_right(right, **options):
    """The right loss and its slopes."""

    def loss_of(logits):
        given = [x.clone().requires_grad_() for x in logits]
        value = right(*given, **options)
        return value.item(), torch.autograd.grad(value, given)

    return loss_of


def by_own(student, probe, expect, name, right, **options):
    """The student's loss and its slopes, where they are those of a loss: as large as the right ones, and along them."""

    def loss_of(logits):
        function = getattr(student, name)
        value = expect.number(function(*logits, **options), name)
        answer = probe.gradient(function, logits, list(range(len(logits))), **options)
        slopes = [
            expect.tensor(slope, tuple(x.shape), name)
            for slope, x in zip(expect.sequence(answer, len(logits), name), logits, strict=True)
        ]
        due = torch.cat(by_right(right, **options)(logits)[1])
        got = torch.cat(slopes)
        along = abs(float(due @ got)) / max(float(due.norm() * got.norm()), 1e-12)
        expect.true(along > 0.2 and 0.02 < float(got.norm() / due.norm()) < 50, name)
        return value, slopes

    return loss_of


def judge_step(compare, wanted, own, got, what, hint):
    """Losses and parameters are the wanted ones, or those of the student's own loss."""
    names = _("losses returned by {what}"), _("the network's parameters after two calls of {what}")
    if not all(torch.allclose(a, b, rtol=1e-6, atol=1e-8) for a, b in zip(got, wanted, strict=True)):
        try:
            by = own()
        except AssertionError:
            by = wanted
        if all(torch.allclose(a, b, rtol=1e-6, atol=1e-8) for a, b in zip(got, by, strict=True)):
            return
    for one, right, name in zip(got[::-1], wanted[::-1], names[::-1], strict=True):
        compare(one, right, what=name.format(what=what), hint=hint)


def parameters(probe, expect, module, names):
    """The parameters of these names in one row."""
    values = probe.parameters(module)
    expect.true(isinstance(values, dict) and set(names) <= set(values), _("the network has lost its parameters"))
    return torch.cat([expect.tensor(values[name], what=_("parameters")).double().reshape(-1) for name in names])


def run_discriminator(student, probe, expect, networks, lr, rounds=2, stale=True, **options):
    """The student's discriminator steps, after a backward of somebody else (`stale`): losses and parameters."""
    optimiser = probe.optimiser(networks.discriminator, "SGD", {"lr": lr})
    if stale:
        probe.fill_gradients(networks.discriminator, 0.7)
    losses = [
        expect.number(
            student.discriminator_step(
                networks.generator, networks.discriminator, optimiser, networks.real[k], networks.z[k], **options
            ),
            "discriminator_step",
        )
        for k in range(rounds)
    ]
    return torch.tensor(losses, dtype=torch.float64), parameters(probe, expect, networks.discriminator, networks.of_d)


STEP_HINT = _("zero_grad(), backward() of the loss, one optimizer.step(); the loss before the update is returned.")


@check(points=0.75, covers=("discriminator_step",))
def test_discriminator_step(student, probe, compare, expect, draw):
    """The discriminator's step makes one update by the gradient of its loss, and returns the loss before it."""
    s, lr = float(draw.uniform(1, low=0.1, high=0.4)), float(draw.uniform(1, low=0.3, high=0.8))
    for options in ({}, {"smoothing": s}, {"smoothing": s, "loss": "saturating"}, {"loss": "wasserstein"}):
        networks = Networks(probe, draw, normalise=False)
        got = run_discriminator(student, probe, expect, networks, lr, **options)

        def own(networks=networks, options=options):
            loss_of = by_own(student, probe, expect, "discriminator_loss", right_discriminator, **options)
            return networks.after_discriminator(loss_of, lr)

        wanted = networks.after_discriminator(by_right(right_discriminator, **options), lr)
        judge_step(compare, wanted, own, got, "discriminator_step", STEP_HINT)


@check(points=0.5, covers=("apart", "discriminator_step"))
def test_discriminator_step_apart(student, probe, compare, expect, draw):
    """Real and generated rows go through the discriminator in two calls, each with statistics of its own."""
    for training in (True, False):
        networks = Networks(probe, draw, normalise=True, training=training)
        got = run_discriminator(student, probe, expect, networks, 0.2)
        sizes = expect.integers(probe.sizes_fed(networks.discriminator), _("sizes of the discriminator's batches"))
        pairs = [sorted(sizes[k : k + 2]) for k in range(0, len(sizes), 2)]
        due = [sorted((len(real), len(z))) for real, z in zip(networks.real, networks.z, strict=True)]
        expect.true(
            sizes[:1] != [sum(due[0])],
            _("discriminator_step: the discriminator was given real and generated rows in one batch."),
            hint=_("discriminator(real) and discriminator(fake): where it normalises, each by its own rows."),
            mistake="one_joined_batch",
        )
        expect.true(
            pairs == due,
            _("discriminator_step: the discriminator is not called once on real and once on generated rows."),
        )

        def own(networks=networks):
            loss_of = by_own(student, probe, expect, "discriminator_loss", right_discriminator)
            return networks.after_discriminator(loss_of, 0.2)

        wanted = networks.after_discriminator(by_right(right_discriminator), 0.2)
        judge_step(compare, wanted, own, got, "discriminator_step", STEP_HINT)


@check(points=0.5, covers=("clip", "discriminator_step"))
def test_discriminator_step_clip(student, probe, compare, expect, draw):
    """Where clip is given, every parameter of the discriminator is clamped after the update, whatever the loss."""
    for options in ({"loss": "wasserstein"}, {"loss": draw.choice(("saturating", "non_saturating")), "smoothing": 0.1}):
        while True:
            networks, clip = Networks(probe, draw, normalise=True), float(draw.uniform(1, low=0.2, high=0.5))
            wanted = networks.after_discriminator(by_right(right_discriminator, **options), 0.5, clip)
            at = wanted[1].abs() > clip - 1e-9
            if at.any() and (~at).any():
                break
        got = run_discriminator(student, probe, expect, networks, 0.5, clip=clip, **options)

        def own(networks=networks, options=options, clip=clip):
            loss_of = by_own(student, probe, expect, "discriminator_loss", right_discriminator, **options)
            return networks.after_discriminator(loss_of, 0.5, clip)

        hint = _("After optimizer.step(), under torch.no_grad(): parameter.clamp_(-clip, clip) for every parameter.")
        judge_step(compare, wanted, own, got, "discriminator_step", hint)


def judge_modes(expect, probe, networks, flags, what):
    """Both networks are in the modes in which they came."""
    for module, due in zip((networks.generator, networks.discriminator), flags, strict=True):
        now = probe.modes(module)
        expect.true(
            isinstance(now, list) and [bool(flag) for flag in now] == due,
            _("{what}: a network is in another mode than before.").format(what=what),
            hint=_("No train() and no eval() in a step: modes are the business of whoever calls."),
            mistake="step_sets_modes",
        )


def judge_way(expect, descend, ways, before, after, what):
    """The network has moved as a loss descends, by and large: what does nothing leaves everything as it is."""
    moved = after - before
    along = []
    for loss_of in ways:
        try:
            due = descend(loss_of, 0.3, rounds=1)[1] - before
        except AssertionError:  # the student's own loss is none
            continue
        along.append(abs(float(moved @ due)) / max(float(moved.norm() * due.norm()), 1e-12))
    expect.true(
        moved.abs().max() > 1e-10 and max(along) > 0.9,  # a loss that saturates moves little, none moves nothing
        _("{what}: the network does not follow its loss.").format(what=what),
        hint=STEP_HINT,
    )


def draw_modes(probe, draw, networks):
    """Modes at random, one for each submodule."""
    flags = [[draw.choice((True, False)) for _part in range(2)] for _network in range(2)]
    for module, own in zip((networks.generator, networks.discriminator), flags, strict=True):
        probe.set_modes(module, own)
    networks.training = flags[0][0]
    return flags


@check(points=0.5, covers=("leaves", "discriminator_step"))
def test_discriminator_step_leaves(student, probe, expect, draw):
    """The discriminator's step leaves the generator's weights and gradients and all modes as they are."""
    for _round in range(2):
        networks = Networks(probe, draw, normalise=False)
        flags = draw_modes(probe, draw, networks)
        probe.fill_gradients(networks.generator, 0.3)
        before = parameters(probe, expect, networks.discriminator, networks.of_d)
        _losses, after = run_discriminator(student, probe, expect, networks, 0.3, rounds=1, stale=False)
        name, right = "discriminator_loss", right_discriminator
        ways = by_right(right), by_own(student, probe, expect, name, right)
        judge_way(expect, networks.after_discriminator, ways, before, after, "discriminator_step")
        weights = parameters(probe, expect, networks.generator, OF_G)
        kept = torch.cat([networks.values[name].reshape(-1) for name in OF_G])
        expect.true(torch.equal(weights, kept), _("discriminator_step changes the generator's weights."))
        left = probe.gradients(networks.generator)
        same = isinstance(left, dict) and all(
            name in left and bool((expect.tensor(left[name], what=_("gradients")) - 0.3).abs().max() < 1e-12)
            for name in OF_G
        )
        expect.true(
            same,
            _("discriminator_step changes the gradients that the generator holds."),
            hint=_("For the discriminator the fakes are data: generator(z).detach(), or torch.no_grad()."),
            mistake="fakes_not_detached",
        )
        judge_modes(expect, probe, networks, flags, "discriminator_step")


def run_generator(student, probe, expect, networks, lr, rounds=2, stale=True, **options):
    """The student's generator steps, after a backward of somebody else (`stale`): losses and parameters."""
    optimiser = probe.optimiser(networks.generator, "SGD", {"lr": lr})
    if stale:
        probe.fill_gradients(networks.generator, 0.7)
    losses = [
        expect.number(
            student.generator_step(networks.generator, networks.discriminator, optimiser, networks.z[k], **options),
            "generator_step",
        )
        for k in range(rounds)
    ]
    return torch.tensor(losses, dtype=torch.float64), parameters(probe, expect, networks.generator, OF_G)


@check(points=0.75, covers=("generator_step",))
def test_generator_step(student, probe, compare, expect, draw):
    """The generator's step makes one update by the gradient through the discriminator; the loss before is returned."""
    lr = float(draw.uniform(1, low=0.3, high=0.8))
    for options in ({}, {"loss": "saturating"}, {"loss": "wasserstein"}):
        networks = Networks(probe, draw, normalise=bool(options), training=draw.choice((True, False)))
        got = run_generator(student, probe, expect, networks, lr, **options)

        def own(networks=networks, options=options):
            loss_of = by_own(student, probe, expect, "generator_loss", right_generator, **options)
            return networks.after_generator(loss_of, lr)

        wanted = networks.after_generator(by_right(right_generator, **options), lr)
        judge_step(compare, wanted, own, got, "generator_step", STEP_HINT)


@check(points=0.25, covers=("leaves", "generator_step"))
def test_generator_step_leaves(student, probe, expect, draw):
    """The generator's step leaves the discriminator's weights, which still require gradients, and all modes."""
    for _round in range(2):
        networks = Networks(probe, draw, normalise=False)
        flags = draw_modes(probe, draw, networks)
        before = parameters(probe, expect, networks.generator, OF_G)
        _losses, after = run_generator(student, probe, expect, networks, 0.3, rounds=1, stale=False)
        ways = by_right(right_generator), by_own(student, probe, expect, "generator_loss", right_generator)
        judge_way(expect, networks.after_generator, ways, before, after, "generator_step")
        weights = parameters(probe, expect, networks.discriminator, networks.of_d)
        kept = torch.cat([networks.values[name].reshape(-1) for name in networks.of_d])
        expect.true(torch.equal(weights, kept), _("generator_step changes the discriminator's weights."))
        expect.true(
            expect.flag(probe.all_require_grad(networks.discriminator), "requires_grad"),
            _("generator_step: afterwards the discriminator's weights require no gradient any more."),
            hint=_("Who freezes them has to thaw them again."),
            mistake="discriminator_frozen",
        )
        judge_modes(expect, probe, networks, flags, "generator_step")
