"""Conventions of the course: tensors come back as tensors with the dtype of the input; integer times."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

from .tables import TABLES

# Which values must be right for the form of a function to count.
SUBSTANCE = {
    "Diffusion": ("alpha_bars",),
    "q_sample": ("q_sample",),
    "q_step": ("q_step",),
    "predict_x0": ("predict_x0",),
    "score_from_noise": ("score_from_noise",),
    "ddpm_loss": ("loss_value",),
    "p_sample_step": ("p_sample_mean",),
    "ddim_step": ("ddim_deterministic",),
    "sample": ("sample_ancestral",),
    "UNet": ("unet_shapes", "unet_time"),
}


@check(points=0.25, covers=("dtype", "model_times"), substance=SUBSTANCE)
def test_conventions(student, reference, probe, each, expect, draw):
    """Answers keep the dtype of the input, which stays unchanged; the network is given (B,) integer times."""
    T, B = draw.integer(6, 10), draw.integer(3, 5)
    shape = (B, 1, 8, 8)

    def judge(name, answer, shape, dtype, finite=True):
        what = _("{name} on {dtype}").format(name=name, dtype=dtype)
        expect.tensor(answer, shape, what, dtype=dtype, container="tensor", finite=finite)

    def judge_times(model):
        expect.true(
            probe.times_well_formed(model) is True,
            _("the model is to be given times as a (B,) tensor of integers, one per image."),
        )

    def changes_nothing(name, *arguments):
        expect.true(
            probe.changed(getattr(student, name), *arguments) == [],
            _("{name} changes the tensors that it is given.").format(name=name),
            hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
            mistake="arguments_changed",
        )

    for dtype in (torch.float32, torch.float64):
        betas = draw.uniform(T, low=0.05, high=0.2, dtype=dtype)
        right = reference.Diffusion(betas)
        diffusion = probe.tables(*(getattr(right, name) for name in TABLES))
        with each("Diffusion"):
            diffusion = expect.handle(student.Diffusion(betas))
            for name in TABLES:
                table = getattr(diffusion, name)
                expect.tensor(table, (T,), f"Diffusion(betas).{name}", dtype=dtype, container="tensor")
        x, noise = draw.normal(*shape, dtype=dtype), draw.normal(*shape, dtype=dtype)
        t, last = draw.integers(0, T, B), draw.integer(2, T - 1)

        def model(dtype=dtype):
            return probe.scaled_model(draw.normal(T, dtype=dtype), draw.normal(*shape, dtype=dtype))

        calls = {
            "q_sample": (diffusion, x, t, noise),
            "q_step": (diffusion, x, t, noise),
            "predict_x0": (diffusion, x, t, noise),
            "score_from_noise": (diffusion, noise, t),
        }
        for name, arguments in calls.items():
            with each(name):
                judge(name, getattr(student, name)(*arguments), shape, dtype, finite=False)
                changes_nothing(name, *arguments)
        steps = {
            "p_sample_step": (diffusion, x, last, noise),
            "ddim_step": (diffusion, x, last, 0),
            "ddpm_loss": (diffusion, x, t, noise),
        }
        for name, arguments in steps.items():
            with each(name):
                network = model()
                is_loss = name == "ddpm_loss"
                judge(name, getattr(student, name)(network, *arguments), () if is_loss else shape, dtype, is_loss)
                judge_times(network)
                changes_nothing(name, network, *arguments)
        with each("sample"):
            network = model()
            sample = student.sample(network, diffusion, shape, generator=draw.generator())
            expect.tensor(sample, shape, "sample(model, diffusion, shape)", container="tensor", finite=False)
            judge_times(network)
        with each("UNet"):
            unet = expect.handle(student.UNet(channels=1, base=32))
            move = "float" if dtype == torch.float32 else "double"
            moved = expect.handle(getattr(unet, move)(), f"UNet(...).{move}()")
            judge("UNet(x, t)", moved(x, draw.integers(0, 100, B)), shape, dtype)
