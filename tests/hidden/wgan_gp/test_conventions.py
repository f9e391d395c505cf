"""Tensors in, tensors out; randomness from generator_rng; bad arguments refused."""

import torch

from autograder.judge import check
from autograder.language import _

NETWORKS = ([2, 8, 2], [2, 8, 1])


# Which values must be right for the form of a function to count.
SUBSTANCE = {
    "critic_loss": ("critic_loss_value",),
    "generator_loss": ("generator_loss_value",),
    "interpolates": ("interpolates_value",),
    "gradient_penalty": ("penalty_linear",),
    "train_wgan_gp": ("training_updates",),
    "sample": ("sample_law",),
    "mode_coverage": ("mode_coverage_counts",),
    "Generator": ("generator_answers",),
    "Critic": ("critic_scores",),
}


def substance(*names):
    """Of these functions."""
    return {name: SUBSTANCE[name] for name in names}


@check(points=0.5, kind="exact", covers=("dtypes",), substance=SUBSTANCE)
def test_conventions(student, probe, each, expect, draw):
    """Tensors come back as tensors with the dtype of the input, in float32 and in float64; arguments stay unchanged."""
    n = draw.integer(3, 9)

    def changes_nothing(name, *arguments, **options):
        expect.true(
            probe.changed(getattr(student, name), *arguments, **options) == [],
            _("{name} changes the tensors that it is given.").format(name=name),
            hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
            mistake="arguments_changed",
        )

    for dtype in (torch.float64, torch.float32):
        keep = {"container": "tensor", "dtype": dtype}
        scores, x, eps = draw.normal(n, dtype=dtype), draw.normal(n, 2, dtype=dtype), draw.uniform(n, 1, dtype=dtype)
        generator, critic = probe.small_networks(*NETWORKS, draw.seed(), x)
        with each("critic_loss"):
            expect.tensor(student.critic_loss(scores, 2 * scores), (), "critic_loss", **keep)
            changes_nothing("critic_loss", scores, 2 * scores)
        with each("generator_loss"):
            expect.tensor(student.generator_loss(scores), (), "generator_loss", **keep)
        with each("interpolates"):
            expect.tensor(student.interpolates(x, -x, eps), (n, 2), "interpolates", **keep)
            changes_nothing("interpolates", x, -x, eps)
        with each("gradient_penalty"):
            expect.tensor(student.gradient_penalty(critic, x, -x, eps), (), "gradient_penalty", **keep)
            changes_nothing("gradient_penalty", critic, x, -x, eps)
        with each("train_wgan_gp"):
            data = draw.normal(50, 2, dtype=dtype)
            changes_nothing("train_wgan_gp", generator, critic, data, 1, n_critic=1, batch_size=n)
        with each("sample"):
            single = {"single_precision": torch.float32}
            expect.tensor(student.sample(generator, n), (n, 2), "sample", mistakes=single, **keep)
        with each("mode_coverage"):
            answer = expect.sequence(student.mode_coverage(x, x[:2], 0.5), 2, "mode_coverage")
            expect.number(answer[0], "mode_coverage: covered")
            changes_nothing("mode_coverage", x, x[:2], 0.5)
        for name, sizes in (("Generator", {"latent_dim": 2, "dim": 2}), ("Critic", {"dim": 2})):
            with each(name):
                module = expect.handle(getattr(student, name)(**sizes), name)
                probe.place_on(module, x)
                expect.tensor(module(x), what=name, **keep)


@check(
    points=0.5, kind="exact", covers=("randomness", "sample", "train_wgan_gp"),
    substance=substance("sample", "train_wgan_gp"),
)  # fmt: skip
def test_rng_used(student, probe, each, expect, draw):
    """Random numbers come from generator_rng, and from torch's global generator where there is none."""
    like = draw.normal(1, dtype=torch.float32)
    first, second = draw.seed(), draw.seed()

    def rng(seed):
        return torch.Generator().manual_seed(seed)

    generator, _critic = probe.small_networks(*NETWORKS, draw.seed(), like)
    with each("sample"):
        what = "sample(generator, n, generator_rng=...)"
        clouds = [
            expect.tensor(student.sample(generator, 20, generator_rng=rng(seed)), (20, 2), what)
            for seed in (first, first, second)
        ]
        expect.true(
            torch.equal(clouds[0], clouds[1]), _("{what}: the same seed gave other samples.").format(what=what),
            hint=_("Pass generator=generator_rng to torch.randn."),
        )  # fmt: skip
        expect.true(
            not torch.equal(clouds[0], clouds[2]), _("{what}: another seed gave the same samples.").format(what=what)
        )
        free = [expect.tensor(student.sample(generator, 20), (20, 2), "sample(generator, n)") for _round in range(2)]
        expect.true(
            not torch.equal(free[0], free[1]), _("sample(generator, n): two calls gave the same samples."),
            hint=_("Nothing seeds the global generator: no torch.manual_seed inside a function."),
        )  # fmt: skip

    data, settings = draw.normal(200, 2, dtype=torch.float32), {"steps": 2, "n_critic": 2, "batch_size": 8, "lr": 0.05}
    start = draw.seed()

    def train(generator_rng):
        networks = probe.small_networks(*NETWORKS, start, like)
        answer = probe.trained_weights(student.train_wgan_gp, *networks, data, settings, generator_rng)
        return expect.tensor(answer, (None,), _("weights after training"))

    with each("train_wgan_gp"):
        what = "train_wgan_gp(..., generator_rng=...)"
        once, again, other = train(rng(first)), train(rng(first)), train(rng(second))
        same = torch.allclose(once, again, rtol=1e-5, atol=1e-6)
        expect.true(
            same, _("{what}: two trainings with the same seed went different ways.").format(what=what),
            hint=_("Batches, z and eps are all drawn with generator=generator_rng."),
        )  # fmt: skip
        for one, two in ((once, other), (train(None), train(None))):
            expect.true(
                not torch.allclose(one, two, rtol=1e-5, atol=1e-6),
                _("{what}: trainings with other random numbers went the same way.").format(what=what),
                hint=_("Nothing seeds the global generator: no torch.manual_seed inside a function."),
            )


@check(
    points=0.5, kind="exact", covers=("errors",),
    substance=substance("interpolates", "mode_coverage", "sample", "train_wgan_gp"),
)  # fmt: skip
def test_arguments_refused(student, probe, each, expect, draw):
    """Shapes that do not match, eps outside [0, 1], counts below 1 and a radius that is not positive are refused."""
    n, dim = draw.integer(4, 9), draw.integer(2, 4)
    real, fake, eps = draw.normal(n, dim), draw.normal(n, dim), draw.uniform(n, 1, low=0.1, high=0.9)
    high, low = eps.clone(), eps.clone()
    high[draw.integer(0, n - 1)], low[draw.integer(0, n - 1)] = 1.25, -0.25
    with each("interpolates"):
        for arguments, what in (
            ((real, fake[: n - 2], eps), _("interpolates, real and fake of different lengths")),
            ((real, fake, draw.uniform(n - 2, 1)), _("interpolates, one eps for each of other samples")),
            ((real, fake, high), _("interpolates, an eps above 1")),
            ((real, fake, low), _("interpolates, a negative eps")),
        ):
            expect.raises(ValueError, student.interpolates, *arguments, what=what)

    centres = draw.normal(3, dim)
    with each("mode_coverage"):
        for radius in (0.0, -1.0):
            what = f"mode_coverage, radius={radius}"
            expect.raises(ValueError, student.mode_coverage, real, centres, radius, what=what)
        expect.raises(
            ValueError, student.mode_coverage, real, draw.normal(3, dim + 1), 0.5,
            what=_("mode_coverage, samples and centres of different dimensions"),
        )  # fmt: skip

    data = draw.normal(20, 2, dtype=torch.float32)
    generator, critic = probe.small_networks(*NETWORKS, draw.seed(), data)
    bad = draw.choice((0, -1))
    with each("sample"):
        expect.raises(ValueError, student.sample, generator, bad, what=f"sample, n={bad}")
    with each("train_wgan_gp"):
        for name in ("steps", "n_critic", "batch_size"):
            settings = {"steps": 1, "n_critic": 1, "batch_size": 4} | {name: bad}
            what = f"train_wgan_gp, {name}={bad}"
            expect.raises(ValueError, student.train_wgan_gp, generator, critic, data, what=what, **settings)
