"""Tensors in, tensors out; randomness from generator_rng; bad arguments refused."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

F32 = torch.float32
NUMBERS = ("jensen_shannon", "game_value", "diversity")  # in any coat: nothing is differentiated through them

# Which values must be right for the form of a function to count.
VALUES = {
    "optimal_discriminator": ("optimum_value",),
    "jensen_shannon": ("divergence_value",),
    "game_value": ("value_of_the_game",),
    "discriminator_loss": ("discriminator_loss_value",),
    "generator_loss": ("generator_loss_value",),
    "BatchNorm": ("batch_norm_training",),
    "Generator": ("generator_answers", "generator_norm"),
    "Discriminator": ("discriminator_logits",),
    "discriminator_step": ("discriminator_step",),
    "train_gan": ("training_updates",),
    "sample": ("sample_law",),
    "diversity": ("diversity_value",),
    "collapse_report": ("report_covered_callable",),
}


def substance(*names):
    """Of these functions."""
    return {name: VALUES[name] for name in names}


IN_FORM = tuple(name for name in VALUES if name not in ("discriminator_step",))


@check(points=0.25, covers=("dtypes", *IN_FORM), substance=substance(*IN_FORM))
def test_conventions(student, probe, each, expect, draw):
    """Tensors come back as tensors with the dtype of the input, in float32 and in float64; arguments stay unchanged."""
    n = draw.integer(4, 9)

    def changes_nothing(name, *arguments, **options):
        expect.true(
            probe.changed(getattr(student, name), *arguments, **options) == [],
            _("{name} changes the tensors that it is given.").format(name=name),
            hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
            mistake="arguments_changed",
        )

    for dtype in (torch.float64, torch.float32):
        keep = {"container": "tensor", "dtype": dtype, "mistakes": {"float32_answers": F32}}
        x, logits = draw.normal(n, 3, dtype=dtype), draw.normal(n, dtype=dtype)
        d, law = draw.uniform(n, low=0.1, high=0.9, dtype=dtype), torch.full((n,), 1 / n, dtype=dtype)
        calls = {
            "optimal_discriminator": ((logits, 2 * logits), (n,)),
            "jensen_shannon": ((law, law.flip(0)), ()),
            "game_value": ((d, law, law.flip(0)), ()),
            "discriminator_loss": ((logits, 2 * logits), ()),
            "generator_loss": ((logits,), ()),
            "diversity": ((x,), ()),
        }
        for name, (given, shape) in calls.items():
            with each(name):
                coat = {"container": "any"} if name in NUMBERS else {}
                expect.tensor(getattr(student, name)(*given), shape, name, **keep | coat)
                changes_nothing(name, *given)
        generator, discriminator = probe.small_networks(3, 8, 3, draw.seed(), x)
        with each("train_gan"):  # z has the dtype of the generator, or the layers refuse it
            changes_nothing("train_gan", generator, discriminator, x, 1, batch_size=n)
        with each("sample"):
            expect.tensor(student.sample(generator, n), (n, 3), "sample", **keep)
        with each("collapse_report"):
            changes_nothing("collapse_report", x, 2 * x, probe.constant(torch.zeros(n, dtype=torch.long)), 1)
        for name, sizes, shape in (
            ("Generator", {"latent_dim": 3, "dim": 2, "hidden": 32}, (n, 2)), ("BatchNorm", {"features": 3}, (n, 3)),
            ("Discriminator", {"dim": 3, "hidden": 32}, (n,)),
        ):  # fmt: skip
            with each(name):
                module = expect.handle(getattr(student, name)(**sizes), name)
                probe.place_on(module, x)
                expect.tensor(module(x), shape, f"{name}(x)", **keep)


@check(points=0.25, covers=("randomness", "sample", "train_gan"), substance=substance("sample", "train_gan"))
def test_generators(student, probe, each, expect, draw):
    """Random numbers come from generator_rng, and from torch's global generator where there is none."""
    like, first, second, start = torch.zeros(1), draw.seed(), draw.seed(), draw.seed()

    def rng(seed):
        return None if seed is None else torch.Generator().manual_seed(seed)

    generator, _discriminator = probe.small_networks(3, 8, 3, start, like)
    data = draw.normal(200, 3, dtype=torch.float32)

    def drawn(seed):
        return expect.tensor(student.sample(generator, 20, generator_rng=rng(seed)), (20, 3), "sample(generator, 20)")

    def trained(seed):
        networks = probe.small_networks(3, 8, 3, start, like)
        settings = {"steps": 2, "n_discriminator": 2, "batch_size": 8, "lr": 0.05}
        answer = probe.trained_weights(student.train_gan, networks, data, settings, rng(seed))
        return expect.tensor(answer, (None,), _("weights after training"))

    for name, run in (("sample", drawn), ("train_gan", trained)):
        with each(name):
            before = probe.global_seed()
            one, again, other, free, freely = run(first), run(first), run(second), run(None), run(None)
            expect.true(
                torch.allclose(one, again, rtol=1e-5, atol=1e-6),
                _("{name}: two calls with a generator_rng of one seed give different answers.").format(name=name),
                hint=_("Pass generator=generator_rng to every function of torch that draws."),
            )
            expect.true(
                not torch.allclose(one, other, rtol=1e-5, atol=1e-6),
                _("{name}: generator_rng with another seed gives the same answer.").format(name=name),
            )
            expect.true(
                not torch.allclose(free, freely, rtol=1e-5, atol=1e-6) and probe.global_seed() == before,
                _("{name} seeds torch's global generator.").format(name=name),
                hint=_("No torch.manual_seed inside a function."),
                mistake="global_seed",
            )


@check(points=0.25, covers=("errors", *VALUES), substance=VALUES)
def test_arguments_refused(student, probe, each, expect, draw):
    """What the contract names is refused with ValueError."""
    n = draw.integer(4, 7)
    log_p, law, d = draw.normal(n), torch.full((n,), 1 / n, dtype=torch.float64), draw.uniform(n, low=0.1, high=0.9)
    high, low = law.clone(), law.clone()
    high[draw.integer(0, n - 1)], low[draw.integer(0, n - 1)] = 1.25, -0.25
    logits, bad = draw.normal(n), draw.choice((-0.25, 1.25))
    x, wide = draw.normal(n, 3), draw.normal(n, 4)
    zero, classify = draw.choice((0, -1)), probe.constant(torch.zeros(n, dtype=torch.long))
    cases = (
        ("optimal_discriminator", (log_p, log_p[1:]), _("log-densities of different shapes")),
        ("jensen_shannon", (law, law[1:]), _("laws of different shapes")),
        ("jensen_shannon", (law, high), _("an entry above 1")),
        ("jensen_shannon", (low, law), _("a negative entry")),
        ("game_value", (d, law, law[1:]), _("laws of different shapes")),
        ("game_value", (d + 1, law, law), _("an entry above 1")),
        ("game_value", (d, low, law), _("a negative entry")),
        ("diversity", (x[:1],), _("one row only")),
        ("collapse_report", (wide, x, classify, 1), _("samples and data of different widths")),
        ("collapse_report", (x, x, classify, zero), f"n_modes={zero}"),
    )
    for name, given, what in cases:
        with each(name):
            expect.raises(ValueError, getattr(student, name), *given, what=f"{name}: {what}")
    options = (
        ("discriminator_loss", (logits, logits), {"loss": "hinge"}),
        ("discriminator_loss", (logits, logits), {"smoothing": bad}),
        ("generator_loss", (logits,), {"loss": "hinge"}),
        ("collapse_report", (x, x, classify, 1), {"threshold": bad}),
    )
    for name, given, named in options:
        with each(name):
            what = f"{name}: {', '.join(f'{key}={value}' for key, value in named.items())}"
            expect.raises(ValueError, getattr(student, name), *given, what=what, **named)
    generator, discriminator = probe.small_networks(3, 8, 3, draw.seed(), x)
    optimiser = probe.optimiser(discriminator, "SGD", {"lr": 0.1})
    for clip in (0.0, -0.5):
        with each("discriminator_step"):
            expect.raises(
                ValueError, student.discriminator_step, generator, discriminator, optimiser, x, x, clip=clip,
                what=f"discriminator_step: clip={clip}",
            )  # fmt: skip
    for name in ("steps", "n_discriminator", "batch_size"):
        with each("train_gan"):
            settings = {"steps": 1, "n_discriminator": 1, "batch_size": 4, name: zero}
            what = f"train_gan: {name}={zero}"
            expect.raises(ValueError, student.train_gan, generator, discriminator, x, what=what, **settings)
    with each("BatchNorm"):
        layer = expect.handle(student.BatchNorm(3), "BatchNorm(3)")
        probe.place_on(layer, x)
        expect.raises(ValueError, layer, wide, what=_("BatchNorm(3): x of four columns"))
        expect.raises(ValueError, layer, x[:1], what=_("BatchNorm(3): one row in training mode"))
    for name, sizes in (("Generator", {"latent_dim": 3, "dim": 2}), ("Discriminator", {"dim": 3})):
        with each(name):
            module = expect.handle(getattr(student, name)(**sizes, hidden=32), name)
            probe.place_on(module, x)
            expect.raises(ValueError, module, wide, what=_("{name}: x of another width").format(name=name))
