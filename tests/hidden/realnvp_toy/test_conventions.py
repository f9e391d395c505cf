"""What all exercises share: tensors, dtypes, explicit randomness, errors."""

import torch

from autograder.judge import CheckFailed, check
from autograder.judge.verdicts import StudentError
from autograder.language import _


@check(points=0.5, covers=("conventions",))
def test_conventions(student, probe, expect, draw):
    """Models are modules, and tensors keep their dtype in float32 and float64."""
    for dtype in (torch.float32, torch.float64):
        flow = expect.handle(student.RealNVP(n_layers=3, hidden=8), "RealNVP(...)")
        expect.true(probe.is_instance(flow, "torch.nn.Module"), _("RealNVP is not a torch.nn.Module."))
        mask = torch.tensor([1.0, 0.0])
        layer = expect.handle(student.AffineCoupling(2, mask, hidden=8), "AffineCoupling(dim, mask)")
        expect.true(probe.is_instance(layer, "torch.nn.Module"), _("AffineCoupling is not a torch.nn.Module."))
        if dtype is torch.float64:
            flow.double()
            layer.double()
        x = draw.normal(5, 2, dtype=dtype)
        for name, module in (("AffineCoupling", layer), ("RealNVP", flow)):
            for method in ("forward", "inverse"):
                what = f"{name}.{method}(x)"
                y, log_det = expect.sequence(getattr(module, method)(x), 2, what)
                expect.tensor(y, None, what, dtype=dtype, container="tensor")
                expect.tensor(log_det, None, what, dtype=dtype, container="tensor")
        expect.tensor(flow.log_prob(x), None, "RealNVP.log_prob(x)", dtype=dtype, container="tensor")
        expect.tensor(student.nll(flow, x), None, dtype=dtype, container="tensor")
        seed = draw.seed()
        first, again, other = (
            expect.tensor(
                flow.sample(4, generator=torch.Generator().manual_seed(s)),
                (4, 2),
                "RealNVP.sample(4)",
                dtype=dtype,
                container="tensor",
            )
            for s in (seed, seed, seed + 1)
        )
        expect.true(
            torch.equal(first, again) and not torch.allclose(first, other),
            _("RealNVP.sample(n, generator): the generator decides the draws: same seed, same samples."),
        )
        free, free_again = (expect.tensor(flow.sample(4), (4, 2), "RealNVP.sample(4)") for _i in range(2))
        expect.true(
            not torch.allclose(free, free_again),
            _("RealNVP.sample(n) without a generator returns the same at each call: seed nothing inside."),
        )
    expect_sizes(student, probe, expect)
    expect_generator_trains(student, probe, expect, draw)


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
    """The generator decides the mini-batches; a training that fails is paid for elsewhere."""
    flow = expect.handle(student.RealNVP(n_layers=2, hidden=8), "RealNVP(...)")
    x, seed = draw.normal(60, 2, dtype=torch.float32), draw.seed()
    what = "train_flow(model, x, steps, generator=generator)"
    try:
        answers = expect.sequence(probe.histories(student.train_flow, flow, x, 6, [seed, seed, seed + 1]), 3, what)
        first, again, other = (expect.tensor(answer, (None,), what) for answer in answers)
    except (StudentError, CheckFailed):
        return
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


@check(points=0.5, covers=("errors",))
def test_errors(student, expect, draw):
    """Masks and last dimensions that do not fit, and counts below 1, raise ValueError."""
    flow = expect.handle(student.RealNVP(n_layers=2, hidden=8), "RealNVP(...)")
    layer = expect.handle(student.AffineCoupling(2, torch.tensor([1.0, 0.0]), hidden=8), "AffineCoupling(dim, mask)")
    x = draw.normal(16, 2, dtype=torch.float32)
    wide = draw.normal(16, 4, dtype=torch.float32)
    short_mask = torch.tensor([1.0, 0.0])
    expect.raises(ValueError, student.AffineCoupling, 3, short_mask, what="AffineCoupling(3, mask of shape (2,))")
    for name, module in (("AffineCoupling", layer), ("RealNVP", flow)):
        for method in ("forward", "inverse"):
            expect.raises(ValueError, getattr(module, method), wide, what=f"{name}.{method}(x of shape (16, 4))")
    expect.raises(ValueError, flow.log_prob, wide, what="RealNVP.log_prob(x of shape (16, 4))")
    expect.raises(ValueError, flow.sample, 0, what="RealNVP.sample(0)")
    expect.raises(ValueError, student.train_flow, flow, x, 0, what="train_flow(model, x, steps=0)")
    expect.raises(ValueError, student.train_flow, flow, x, 2, batch_size=0, what="train_flow(..., batch_size=0)")
    expect.raises(ValueError, student.train_flow, flow, wide, 2, what="train_flow(model, x of shape (16, 4), 2)")
    expect.raises(ValueError, student.density_grid, flow, -1.0, 1.0, 0, what="density_grid(..., n=0)")
