"""What all exercises share: tensors, dtypes, explicit randomness, errors."""

import torch

from autograder.judge import check
from autograder.language import _


@check(points=0.5, covers=("conventions",))
def test_conventions(student, probe, expect, draw):
    """Models are modules, and tensors keep their dtype in float32 and float64."""
    for dtype in (torch.float32, torch.float64):
        flow = expect.handle(student.RealNVP(dim=3, n_layers=6, hidden=8), "RealNVP(...)")
        expect.true(probe.is_instance(flow, "torch.nn.Module"), _("RealNVP is not a torch.nn.Module."))
        mask = torch.tensor([1.0, 0.0, 1.0])
        layer = expect.handle(student.AffineCoupling(3, mask, hidden=8), "AffineCoupling(dim, mask)")
        expect.true(probe.is_instance(layer, "torch.nn.Module"), _("AffineCoupling is not a torch.nn.Module."))
        if dtype is torch.float64:
            flow.double()
            layer.double()
        x = draw.normal(5, 3, dtype=dtype)
        for name, module in (("AffineCoupling", layer), ("RealNVP", flow)):
            for method in ("forward", "inverse"):
                what = f"{name}.{method}(x)"
                y, log_det = expect.sequence(getattr(module, method)(x), 2, what)
                expect.tensor(y, None, what, dtype=dtype, container="tensor")
                expect.tensor(log_det, None, what, dtype=dtype, container="tensor")
        expect.tensor(flow.log_prob(x), None, "RealNVP.log_prob(x)", dtype=dtype, container="tensor")
        expect.tensor(student.nll(flow, x), None, "nll(model, x)", dtype=dtype, container="tensor")
        seed = draw.seed()
        first, again, other = (
            expect.tensor(
                flow.sample(4, generator=torch.Generator().manual_seed(s)),
                (4, 3),
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
        free, free_again = (expect.tensor(flow.sample(4), (4, 3), "RealNVP.sample(4)") for _i in range(2))
        expect.true(
            not torch.allclose(free, free_again),
            _("RealNVP.sample(n) without a generator returns the same at each call: seed nothing inside."),
        )


@check(points=0.5, covers=("errors",))
def test_errors(student, expect, draw):
    """Masks and last dimensions that do not fit, and counts below 1, raise ValueError."""
    flow = expect.handle(student.RealNVP(n_layers=2, hidden=8), "RealNVP(...)")
    mask = torch.tensor([1.0, 0.0, 1.0])
    layer = expect.handle(student.AffineCoupling(3, mask, hidden=8), "AffineCoupling(dim, mask)")
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
