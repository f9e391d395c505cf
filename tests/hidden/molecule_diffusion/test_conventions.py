"""Conventions of the course: dtypes, arguments left alone, explicit randomness, any callable as a model, refusals."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

from .positions import centred

# The checks of each function's values: its form earns nothing before one of them has passed.
VALUES = {
    "centre": ("centre_value",),
    "zero_mean_log_prob": ("log_prob_value",),
    "align": ("align_turn",),
    "coordinate_update": ("coordinate_update",),
    "EGNN": ("egnn_told",),
    "q_sample": ("q_sample_value",),
    "denoising_loss": ("loss_value",),
    "reverse_step": ("reverse_mean",),
    "langevin_step": ("langevin_value",),
    "sample": ("sample_law",),
    "train_diffusion": ("train_draws",),
    "transport_pull": ("pull_plan",),
}
STEPS = ("denoising_loss", "reverse_step", "langevin_step", "sample")


class Arguments:
    """Arguments of all functions in one dtype."""

    def __init__(self, draw, dtype=torch.float64):
        self.B, self.N, self.T = draw.integer(3, 4), 4, draw.integer(6, 9)
        B, N, T = self.B, self.N, self.T
        self.alpha_bars = draw.uniform(T, low=0.7, high=0.9, dtype=dtype).cumprod(0)
        self.x, self.noise = (draw.normal(B, N, 3, dtype=dtype) for _k in range(2))
        self.types, self.t = torch.tensor([0, 1, 1, 0]), draw.integers(0, T, B)
        self.numbers = draw.uniform(T, low=0.2, high=0.6, dtype=dtype), draw.normal(2, 3, dtype=dtype)
        self.last = draw.integer(2, T - 1)
        self.weights = draw.normal(B, N, N, dtype=dtype)

    def plain(self):
        """Functions without a model: name -> (arguments, shapes of the answers)."""
        shape, flat = (self.B, self.N, 3), centred(self.x)
        return {
            "centre": ((self.x,), (shape,)),
            "zero_mean_log_prob": ((flat,), ((self.B,),)),
            "align": ((self.x, self.noise), (shape, (self.B,))),
            "coordinate_update": ((self.x, self.weights), (shape,)),
            "q_sample": ((self.x, self.alpha_bars, self.t, self.noise), (shape,)),
            "transport_pull": ((self.x, self.x + 0.2 * self.noise, 0.5), (shape, (self.B, self.B))),
        }

    def stepwise(self):
        """Functions of a model: name -> (arguments after it, shape)."""
        shape, flat = (self.B, self.N, 3), centred(self.x)
        return {
            "denoising_loss": ((self.x, self.types, self.alpha_bars, self.t, self.noise), ()),
            "reverse_step": ((flat, self.types, self.alpha_bars, self.last, self.noise), shape),
            "langevin_step": ((flat, self.types, self.alpha_bars, self.last, 0.1, self.noise), shape),
            "sample": ((self.types, self.alpha_bars, 5), (5, self.N, 3)),
        }


@check(points=0.25, covers=("conventions", *VALUES), substance=VALUES)
def test_conventions(student, probe, each, expect, draw):
    """Answers are tensors of the input's dtype, arguments stay as they are, and models are given (B,) int64 times."""

    def changes_nothing(name, *arguments):
        expect.true(
            probe.changed(getattr(student, name), *arguments) == [],
            _("{name} changes the tensors that it is given.").format(name=name),
            hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
            mistake="arguments_changed",
        )

    for dtype in (torch.float32, torch.float64):
        given = Arguments(draw, dtype)

        def judge(name, answer, shape, dtype=dtype):
            what = _("{name} on {dtype}").format(name=name, dtype=dtype)
            expect.tensor(answer, shape, what, dtype=dtype, container="tensor", finite=False)

        for name, (arguments, shapes) in given.plain().items():
            with each(name):
                answer = getattr(student, name)(*arguments)
                parts = [answer] if len(shapes) == 1 else expect.sequence(answer, len(shapes), name)
                for part, shape in zip(parts, shapes, strict=True):
                    judge(name, part, shape)
                changes_nothing(name, *arguments)
        for name, (arguments, shape) in given.stepwise().items():
            with each(name):
                model = probe.scaled_model(*given.numbers)
                judge(name, getattr(student, name)(model, *arguments), shape)
                expect.true(
                    probe.times_well_formed(model) is True,
                    _("the model is to be given times as a (B,) int64 tensor, one per molecule."),
                )
                changes_nothing(name, model, *arguments)
        with each("train_diffusion"):
            x, before = given.x.repeat(3, 1, 1), given.x.repeat(3, 1, 1)
            model = probe.scaled_model(*given.numbers)
            student.train_diffusion(model, x, given.types, given.alpha_bars, 2, batch_size=4)
            expect.true(
                probe.times_well_formed(model) is True and torch.equal(x, before),
                _("the model is to be given times as a (B,) int64 tensor, one per molecule."),
            )
        with each("EGNN"):
            network = expect.handle(student.EGNN(n_types=2, n_times=given.T, hidden=32, n_layers=1), "EGNN(...)")
            move = "float" if dtype == torch.float32 else "double"
            moved = expect.handle(getattr(network, move)(), f"EGNN(...).{move}()")
            judge("EGNN(x, types, t)", moved(given.x, given.types, given.t), tuple(given.x.shape))


@check(
    points=0.25, covers=("randomness", "sample", "train_diffusion"),
    substance={name: VALUES[name] for name in ("sample", "train_diffusion")},
)  # fmt: skip
def test_generators(student, probe, each, expect, draw):
    """All draws of a sampling and of a training come from the generator given; nothing seeds the global one."""
    given, seed, other = Arguments(draw), draw.seed(), draw.seed()
    before = probe.global_seed()
    data = draw.normal(24, given.N, 3)

    def sampled(seed):
        options = {} if seed is None else {"generator": torch.Generator().manual_seed(seed)}
        model = probe.scaled_model(*given.numbers)
        return expect.tensor(
            student.sample(model, given.types, given.alpha_bars, 4, **options), (4, given.N, 3)
        ).double()

    def trained(seed):
        options = {} if seed is None else {"generator": torch.Generator().manual_seed(seed)}
        model = probe.scaled_model(*given.numbers)
        student.train_diffusion(model, data, given.types, given.alpha_bars, 4, batch_size=6, **options)
        return expect.tensor(probe.learnt_scale(model), (given.T,), _("a weight of the model after training")).double()

    for name, run in (("sample", sampled), ("train_diffusion", trained)):
        with each(name):
            first, again, second = run(seed), run(seed), run(other)
            expect.true(
                torch.allclose(first, again, rtol=1e-9),
                _("{name}: two calls with generators of one seed give different answers.").format(name=name),
                hint=_("Does every draw take `generator=generator`? `randn_like` does not."),
                mistake="generator_ignored",
            )
            expect.true(
                not torch.allclose(first, second, rtol=1e-9),
                _("{name}: generators of two seeds give the same answer.").format(name=name),
            )
            expect.true(
                not torch.allclose(run(None), run(None), rtol=1e-9),
                _("{name}: without a generator two calls give the same answer.").format(name=name),
                mistake="global_seed",
            )
            expect.true(
                probe.global_seed() == before,
                _("{name} seeds torch's global generator.").format(name=name),
                hint=_("No torch.manual_seed inside a function."),
                mistake="global_seed",
            )


@check(points=0.25, covers=("any_callable", *STEPS), substance={name: VALUES[name] for name in STEPS})
def test_any_callable(student, probe, each, expect, compare, draw):
    """The model may be any callable: with a plain function, the answers are what they are with a network."""
    given, seed = Arguments(draw), draw.seed()
    for name, (arguments, shape) in given.stepwise().items():
        with each(name):
            answers = []
            for model in (probe.scaled_model(*given.numbers), probe.scaled_function(*given.numbers)):
                options = {"generator": torch.Generator().manual_seed(seed)} if name == "sample" else {}
                answers.append(
                    expect.tensor(getattr(student, name)(model, *arguments, **options), shape, name).double()
                )
            compare(answers[1], answers[0], _("{name} with a plain function").format(name=name), rtol=1e-5, atol=1e-6)


REFUSING = (
    "zero_mean_log_prob", "align", "q_sample", "denoising_loss", "reverse_step", "langevin_step", "transport_pull",
)  # fmt: skip


@check(points=0.25, covers=("errors", *REFUSING), substance={name: VALUES[name] for name in REFUSING})
def test_bad_arguments(student, probe, each, expect, draw):
    """Molecules off the centre, other numbers of atoms, times outside 0..T-1 and numbers out of range are refused."""
    given = Arguments(draw)
    x, noise, types, bars, T = centred(given.x), given.noise, given.types, given.alpha_bars, given.T
    model, few, bad = probe.scaled_model(*given.numbers), given.x[:, :-1], -float(draw.uniform(1, low=0.1, high=1.0))
    late, early = (given.t.index_fill(0, torch.tensor([1]), t) for t in (T, -1))
    for options, what in (({"std": 0.0}, "std = 0"), ({"std": bad}, "std < 0")):
        with each("zero_mean_log_prob"):
            expect.raises(ValueError, student.zero_mean_log_prob, x, what=f"zero_mean_log_prob: {what}", **options)
    for strength, what in ((bad, "strength < 0"), (1 - bad, "strength > 1")):
        with each("transport_pull"):
            expect.raises(
                ValueError, student.transport_pull, x, x, 0.5, strength=strength, what=f"transport_pull: {what}"
            )
    cases = [
        ("zero_mean_log_prob", (x + 1.0,), _("a mean of 1")),
        ("zero_mean_log_prob", (x - 1.0,), _("a mean of {mean}").format(mean=-1)),
        # Of each coordinate: these means have a mean of 0.
        ("zero_mean_log_prob", (x + torch.tensor([1.0, -1.0, 0.0]),), _("a mean of {mean}").format(mean=(1, -1, 0))),
        ("align", (x, few), _("other numbers of atoms")),
        ("transport_pull", (x, x, 0.0), "epsilon = 0"),
        ("transport_pull", (x, x, bad), "epsilon < 0"),
        ("langevin_step", (model, x, types, bars, 1, 0.0, noise), "step = 0"),
        ("langevin_step", (model, x, types, bars, 1, bad, noise), "step < 0"),
    ]
    for t, times, what in ((T, late, "t = T"), (-1, early, "t = -1")):
        cases += [
            ("q_sample", (x, bars, times, noise), what),
            ("denoising_loss", (model, x, types, bars, times, noise), what),
            ("reverse_step", (model, x, types, bars, t, noise), what),
            ("langevin_step", (model, x, types, bars, t, 0.1, noise), what),
        ]
    short = noise[:1]
    cases += [
        ("q_sample", (x, bars, given.t, short), _("noise of another shape")),
        ("denoising_loss", (model, x, types, bars, given.t, short), _("noise of another shape")),
        ("reverse_step", (model, x, types, bars, 1, short), _("noise of another shape")),
        ("langevin_step", (model, x, types, bars, 1, 0.1, short), _("noise of another shape")),
    ]
    for name, arguments, what in cases:
        with each(name):
            expect.raises(ValueError, getattr(student, name), *arguments, what=f"{name}: {what}")
