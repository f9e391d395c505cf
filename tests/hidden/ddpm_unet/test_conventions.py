"""Conventions of the course: tensors come back as tensors with the dtype of the input; integer times."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _


@check(points=0.5, covers=("dtype", "model_times"))
def test_conventions(student, probe, expect, draw):
    """Answers keep the dtype of the input, which stays unchanged; the network is given (B,) integer times."""
    T, B = draw.integer(6, 10), draw.integer(3, 5)
    shape = (B, 1, 8, 8)
    for dtype in (torch.float32, torch.float64):
        betas = draw.uniform(T, low=0.05, high=0.2, dtype=dtype)
        diffusion = expect.handle(student.Diffusion(betas))
        for name in ("alphas", "alpha_bars", "posterior_variance"):
            table = getattr(diffusion, name)
            expect.tensor(table, (T,), f"Diffusion(betas).{name}", dtype=dtype, container="tensor")
        x, noise = draw.normal(*shape, dtype=dtype), draw.normal(*shape, dtype=dtype)
        t = draw.integers(0, T, B)
        model = probe.scaled_model(draw.normal(T, dtype=dtype), draw.normal(*shape, dtype=dtype))
        last = draw.integer(2, T - 1)
        answers = {
            "q_sample": student.q_sample(diffusion, x, t, noise),
            "q_step": student.q_step(diffusion, x, t, noise),
            "predict_x0": student.predict_x0(diffusion, x, t, noise),
            "score_from_noise": student.score_from_noise(diffusion, noise, t),
            "p_sample_step": student.p_sample_step(model, diffusion, x, last, noise),
            "ddim_step": student.ddim_step(model, diffusion, x, last, 0),
        }
        for name, answer in answers.items():
            expect.tensor(
                answer, shape, _("{name} on {dtype}").format(name=name, dtype=dtype), dtype=dtype,
                container="tensor", finite=False,
            )  # fmt: skip
        loss = student.ddpm_loss(model, diffusion, x, t, noise)
        expect.tensor(loss, (), f"ddpm_loss on {dtype}", dtype=dtype, container="tensor")
        sample = student.sample(model, diffusion, shape, generator=draw.generator())
        expect.tensor(sample, shape, "sample(model, diffusion, shape)", container="tensor", finite=False)
        expect.true(
            probe.times_well_formed(model) is True,
            _("the model is to be given times as a (B,) tensor of integers, one per image."),
        )
    given = {
        "q_sample": (student.q_sample, diffusion, x, t, noise),
        "q_step": (student.q_step, diffusion, x, t, noise),
        "predict_x0": (student.predict_x0, diffusion, x, t, noise),
        "p_sample_step": (student.p_sample_step, model, diffusion, x, last, noise),
        "ddim_step": (student.ddim_step, model, diffusion, x, last, 0),
    }
    for name, (function, *arguments) in given.items():
        expect.true(
            probe.changed(function, *arguments) == [],
            _("{name} changes the tensors that it is given.").format(name=name),
            hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
            mistake="arguments_changed",
        )
    network = expect.handle(student.UNet(channels=1, base=32))
    for dtype, move in ((torch.float32, "float"), (torch.float64, "double")):
        moved = expect.handle(getattr(network, move)(), f"UNet(...).{move}()")
        answer = moved(draw.normal(*shape, dtype=dtype), draw.integers(0, 100, B))
        expect.tensor(answer, shape, f"UNet(x, t) on {dtype}", dtype=dtype, container="tensor")
