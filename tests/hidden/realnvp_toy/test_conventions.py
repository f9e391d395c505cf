"""What all exercises share: tensors, dtypes, explicit randomness, errors; judged name by name."""

import torch

from autograder.judge import check
from autograder.language import _

from .pairs import say_changed

VALUES = {
    "AffineCoupling": ("coupling_mask", "coupling_log_det"),
    "RealNVP": ("flow_log_det", "log_prob_value"),
    "RealNVP.sample": ("sampling",),
    "nll": ("nll_value",),
    "train_flow": ("training_moves",),
    "density_grid": ("density_grid",),
}
NAMES = ("AffineCoupling", "RealNVP", "nll", "train_flow", "density_grid")
MASK = torch.tensor([1.0, 0.0])


@check(points=0.5, covers=("conventions", *NAMES), substance=VALUES)
def test_conventions(student, each, probe, expect, draw):
    """Models are modules of the sizes asked for, tensors keep their dtype, arguments are left alone."""
    for dtype in (torch.float32, torch.float64):
        kept = {"dtype": dtype, "container": "tensor"}
        x = draw.normal(5, 2, dtype=dtype)
        with each("AffineCoupling"):
            layer = expect.handle(student.AffineCoupling(2, MASK, hidden=8), "AffineCoupling(dim, mask)")
            expect_pairs(probe, expect, "AffineCoupling", layer.double() if dtype is torch.float64 else layer, x, kept)
        with each("RealNVP"):
            flow = expect.handle(student.RealNVP(n_layers=3, hidden=8), "RealNVP(...)")
            expect_pairs(probe, expect, "RealNVP", flow.double() if dtype is torch.float64 else flow, x, kept)
            expect.tensor(flow.log_prob(x), None, "RealNVP.log_prob(x)", **kept)
            say_changed(expect, not probe.keeps(flow, "log_prob", x), "RealNVP.log_prob(x)")
        with each("RealNVP.sample"):
            expect_generator(expect, flow, draw.seed(), kept)
        with each("nll"):
            model = probe.gaussian_flow(draw.normal(2, dtype=dtype), torch.eye(2, dtype=dtype) + 0.1)
            expect.tensor(student.nll(model, x), None, **kept)
            say_changed(expect, probe.changed(student.nll, model, x) != [], "nll(model, x)")
    with each("RealNVP"):
        expect_sizes(student, probe, expect)
    with each("train_flow"):
        expect_generator_trains(student, probe, expect, draw)


def expect_pairs(probe, expect, name, module, x, kept):
    """A module whose two directions return two tensors each, in the dtype of its weights."""
    expect.true(probe.is_instance(module, "torch.nn.Module"), _("{name} is not a torch.nn.Module.").format(name=name))
    for method in ("forward", "inverse"):
        what = f"{name}.{method}(x)"
        y, log_det = expect.sequence(getattr(module, method)(x), 2, what)
        expect.tensor(y, None, what, **kept)
        expect.tensor(log_det, None, what, **kept)
        say_changed(expect, not probe.keeps(module, method, x), what)


def expect_generator(expect, flow, seed, kept):
    """The generator decides the draws of `sample`, which seeds nothing."""
    first, again, other = (
        expect.tensor(flow.sample(4, generator=torch.Generator().manual_seed(s)), (4, 2), "RealNVP.sample(4)", **kept)
        for s in (seed, seed, seed + 1)
    )
    expect.true(
        torch.equal(first, again) and not torch.allclose(first, other),
        _("RealNVP.sample(n, generator): the generator decides the draws: same seed, same samples."),
        mistake=None if torch.equal(first, again) else "generator_ignored",
    )
    free, free_again = (expect.tensor(flow.sample(4), (4, 2), "RealNVP.sample(4)") for _i in range(2))
    expect.true(
        not torch.allclose(free, free_again),
        _("RealNVP.sample(n) without a generator returns the same at each call: seed nothing inside."),
    )


def expect_sizes(student, probe, expect):
    """A flow with more or wider layers has more weights."""

    def count(**sizes):
        what = "RealNVP({})".format(", ".join(f"{name}={value}" for name, value in sizes.items()))
        flow = expect.handle(student.RealNVP(**sizes), what)
        return expect.tensor(probe.weights(flow), (None,), _("the weights of {what}").format(what=what)).numel()

    small = count(n_layers=2, hidden=8)
    for name, larger, mistake in (
        ("n_layers", count(n_layers=4, hidden=8), "n_layers_ignored"),
        ("hidden", count(n_layers=2, hidden=16), "hidden_ignored"),
    ):
        expect.true(
            larger > small,
            _("RealNVP(dim, n_layers, hidden): with {name} doubled, the flow has no more weights.").format(name=name),
            hint=_("Use the argument where the layers are made, not a number of your own."),
            mistake=mistake,
        )


def expect_generator_trains(student, probe, expect, draw):
    """The generator decides the mini-batches."""
    flow = expect.handle(student.RealNVP(n_layers=2, hidden=8), "RealNVP(...)")
    x, seed = draw.normal(60, 2, dtype=torch.float32), draw.seed()
    changed = probe.changed(student.train_flow, flow, x, 2, batch_size=8)
    say_changed(expect, changed != [], "train_flow(model, x, steps)")
    what = "train_flow(model, x, steps, generator=generator)"
    answers = expect.sequence(probe.histories(student.train_flow, flow, x, 6, [seed, seed, seed + 1]), 3, what)
    first, again, other = (expect.tensor(answer, (None,), what) for answer in answers)
    expect.true(
        first.shape == again.shape and torch.allclose(first, again, rtol=1e-4, atol=1e-5),
        _("{what}: two trainings from the same weights with generators of one seed differ.").format(what=what),
        hint=_("Draw the rows of each mini-batch with generator=generator."),
        mistake="train_ignores_generator",
    )
    same_rows = len(first) < 2 or float(first.std()) < 1e-6  # at every step: that has a check of its own
    expect.true(
        same_rows or not torch.equal(first, other),
        _("{what}: generators of two seeds give the same mini-batches.").format(what=what),
        hint=_("Nothing seeds the global generator: no torch.manual_seed inside a function."),
        mistake="seed_inside",
    )


@check(points=0.5, covers=("errors", *NAMES), substance=VALUES)
def test_errors(student, each, expect, draw):
    """Masks and last dimensions that do not fit, and counts below 1, raise ValueError."""
    x = draw.normal(16, 2, dtype=torch.float32)
    wide = draw.normal(16, 4, dtype=torch.float32)
    with each("AffineCoupling"):
        what = "AffineCoupling(3, mask of shape (2,))"
        expect.raises(ValueError, student.AffineCoupling, 3, MASK, what=what)
        layer = expect.handle(student.AffineCoupling(2, MASK, hidden=8), "AffineCoupling(dim, mask)")
        expect_width(expect, "AffineCoupling", layer, ("forward", "inverse"), wide)
    with each("RealNVP"):
        flow = expect.handle(student.RealNVP(n_layers=2, hidden=8), "RealNVP(...)")
        expect_width(expect, "RealNVP", flow, ("forward", "inverse", "log_prob"), wide)
    with each("RealNVP.sample"):
        expect.raises(ValueError, flow.sample, 0, what="RealNVP.sample(0)")
    with each("train_flow"):
        expect.raises(ValueError, student.train_flow, flow, x, 0, what="train_flow(model, x, steps=0)")
        expect.raises(ValueError, student.train_flow, flow, x, 2, batch_size=0, what="train_flow(..., batch_size=0)")
        expect.raises(ValueError, student.train_flow, flow, wide, 2, what="train_flow(model, x of shape (16, 4), 2)")
    with each("density_grid"):
        expect.raises(ValueError, student.density_grid, flow, -1.0, 1.0, 0, what="density_grid(..., n=0)")


def expect_width(expect, name, module, methods, wide):
    """Points of another last dimension are refused."""
    for method in methods:
        expect.raises(ValueError, getattr(module, method), wide, what=f"{name}.{method}(x of shape (16, 4))")
