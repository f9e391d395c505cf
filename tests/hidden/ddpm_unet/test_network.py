"""The time embedding and the U-Net: shapes, time, skip connections."""

from __future__ import annotations

import torch

from autograder.judge import CheckFailed, check
from autograder.language import _

T = 1000


@check(points=0.5, covers=("embedding", "time_embedding"))
def test_time_embedding(student, expect, draw):
    """The time embedding is made of sinusoids in [-1, 1] and tells all times apart."""
    dim = 2 * draw.integer(4, 16)
    what = f"time_embedding(t, {dim})"
    answer = student.time_embedding(torch.arange(T), dim)
    rows = expect.tensor(answer, (T, dim), what).double()
    expect.true(rows.abs().max() <= 1 + 1e-5, _("{what}: there are values outside [-1, 1].").format(what=what))
    # A few times in another order get the rows that they got in order.
    some = draw.integers(0, T, draw.integer(3, 6))
    again = expect.tensor(student.time_embedding(some, dim), (len(some), dim), what).double()
    expect.true(
        torch.allclose(again, rows[some], atol=1e-3),
        _("{what}: the row of a time depends on the other times of the batch.").format(what=what),
    )
    nearest = torch.cdist(rows, rows).fill_diagonal_(1.0).min()
    expect.true(nearest > 1e-5, _("{what}: two distinct times in 0..999 get the same row.").format(what=what))
    # f(t+1) + f(t-1) = 2 cos(w) f(t) for every sinusoid of frequency w, whatever its phase, and only for one.
    middle, sides = rows[1:-1], rows[2:] + rows[:-2]
    ratio = (middle * sides).sum(0) / (middle**2).sum(0).clamp_min(1e-12)
    rest = (sides - ratio * middle).abs().max(0).values
    expect.true(
        (rest < 2e-3).all() and (ratio.abs() < 2 + 1e-3).all(),
        _("{what}: {n} of {dim} columns are no sinusoids of the time.").format(
            what=what, n=int(((rest >= 2e-3) | (ratio.abs() >= 2 + 1e-3)).sum()), dim=dim
        ),
    )
    steps = rows.diff(dim=0)
    turns = (steps[1:] * steps[:-1] < -1e-12).any(0)
    expect.true(turns.any(), _("{what}: no column goes up and down between times 0 and 999.").format(what=what))


def make_network(student, expect, probe, draw, **sizes):
    """A U-Net in evaluation mode whose weights are away from their start (which may be zero)."""
    network = expect.handle(student.UNet(**sizes), "UNet(...)")
    probe.perturb(network, 0.05, draw.seed())
    probe.evaluation(network)
    return network


@check(points=0.5, covers=("unet_shapes", "UNet"))
def test_unet_shapes(student, probe, expect, draw):
    """The U-Net answers images of the input's shape, for any channels and sides that are multiples of 4."""
    sides = draw.shuffle([8, 12, 16, 20, 24])
    for channels, base, height, width in ((1, 32, 16, 16), (draw.integer(2, 4), 64, sides[0], sides[1])):
        network = make_network(student, expect, probe, draw, channels=channels, base=base)
        B = draw.integer(2, 4)
        x, t = draw.normal(B, channels, height, width, dtype=torch.float32), draw.integers(0, 100, B)
        what = f"UNet(channels={channels}, base={base}) on {tuple(x.shape)}"
        try:
            answer, again = (expect.tensor(network(x, t), (B, channels, height, width), what) for _k in range(2))
        except CheckFailed as failed:
            one = channels > 1 and getattr(network(x, t), "shape", ()) == (B, 1, height, width)
            failed.mistake = "unet_fixed_channels" if one else failed.mistake
            raise
        expect.true(
            (again - answer).abs().max() <= 1e-3 * float(answer.std()),
            _("{what}: in evaluation mode, the same images get another answer.").format(what=what),
        )
        # A map that leaves each pixel by itself is of the right shape, too.
        moved = x.clone()
        moved[:, :, : height // 2] += draw.normal(B, channels, height // 2, width, dtype=torch.float32)
        beside = (expect.tensor(network(moved, t), tuple(x.shape), what) - answer)[:, :, height // 2 :]
        expect.true(
            beside.abs().max() > 1e-4 * float(answer.std()) > 0,
            _("{what}: a pixel's answer does not depend on the pixels around it.").format(what=what),
        )


@check(points=0.5, covers=("unet_time", "UNet"))
def test_unet_time(student, probe, expect, draw):
    """The U-Net's answer depends on the time, and each image's on its own time alone."""
    network = make_network(student, expect, probe, draw, channels=1, base=32)
    B = 3
    x = draw.normal(1, 1, 16, 16, dtype=torch.float32).expand(B, 1, 16, 16).contiguous()
    first, second, third = draw.integer(0, 15), draw.integer(30, 60), draw.integer(80, 99)
    t = torch.tensor(draw.shuffle([first, second, third]))
    what = "UNet(x, t)"
    alone = torch.cat([expect.tensor(network(x[:1], t[i : i + 1]), (1, 1, 16, 16), what).double() for i in range(B)])
    size = float(alone.std()) + 1e-12
    expect.true(
        min(float((alone[i] - alone[i - 1]).abs().max()) for i in range(B)) / size > 1e-4,
        _("{what}: the same image gets the same answer at two times.").format(what=what),
        hint=_("Is the time used in `forward`?"),
        mistake="unet_ignores_time",
    )
    together = expect.tensor(network(x, t), (B, 1, 16, 16), what).double()
    expect.true(
        float((together - alone).abs().max()) / size < 1e-2,
        _("{what}: an image's answer depends on the other images or times of the batch.").format(what=what),
        mistake="unet_first_time_only" if float((together - alone[:1]).abs().max()) / size < 1e-2 else None,
    )


@check(points=0.5, covers=("unet_skips", "UNet"))
def test_unet_skips(student, probe, expect, draw):
    """The U-Net works at several resolutions, with skip connections past the lowest one."""
    network = make_network(student, expect, probe, draw, channels=1, base=32)
    B, side = 5, 16
    x = draw.normal(B, 1, side, side, dtype=torch.float32)
    t = draw.integers(0, 100, B)

    def look(cut):
        answer = probe.pixel_gradient(network, x, t, cut)
        expect.true(isinstance(answer, dict), _("UNet(x, t): its gradient cannot be read."))
        sizes = expect.integers(answer.get("sizes"), "UNet(x, t)")
        return sizes, expect.tensor(answer.get("gradient"), (side, side), "UNet(x, t)").double()

    sizes, whole = look(0)
    lowest = min([n for n in sizes if n > 1], default=side)
    expect.true(
        lowest < side,
        _("UNet(x, t): every map inside has the resolution of the image; a U-Net halves it on the way."),
    )
    _sizes, past = look(lowest)
    # The pixel itself does not count: adding the input to the output is no skip connection of a U-Net.
    for gradient in (whole, past):
        gradient[side // 2, side // 2] = 0
    expect.true(
        past.sum() > 1e-6 * whole.sum(),
        _("UNet(x, t): everything passes through the lowest resolution; no skip connection goes past it."),
        hint=_("Concatenate (or add) the encoder's map of each resolution to the decoder's."),
        mistake="unet_no_skips",
    )
