"""Samples of any generator: their law, and the modes of its submodules."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics import covariance_test, mean_test, standard_normal_test

ALPHA = 1e-6


@check(points=0.5, kind="statistical", covers=("sample",))
def test_sample_law(student, probe, expect, draw):
    """Samples are G(z) with z ~ N(0, I), detached, with any generator."""
    dim, n = draw.integer(3, 5), draw.integer(2000, 2500)
    rotation, _upper = torch.linalg.qr(draw.normal(dim, dim))
    matrix, point = 2 * rotation, 3 + draw.normal(dim)
    generator = probe.affine_generator(matrix.float(), point.float())
    samples = expect.tensor(student.sample(generator, n), (n, dim), "sample(generator, n)")
    z = (samples - point) @ torch.linalg.inv(matrix)  # (n, dim)
    ones = torch.eye(dim, dtype=torch.float64)
    hint = _("z ~ N(0, I) has generator.latent_dim coordinates: torch.randn.")
    uniform = "sample_uniform" if z.abs().max() < 2 else None
    p = standard_normal_test(z.flatten())
    expect.p_value(p, _("law of the samples"), ALPHA, hint, uniform)
    expect.p_value(mean_test(z, torch.zeros(dim), ones), _("mean of the samples"), ALPHA, hint)
    expect.p_value(covariance_test(z, ones), _("covariance of the samples"), ALPHA, hint)
    expect.true(
        not expect.flag(probe.requires_grad(student.sample, generator, 3), "sample(generator, n).requires_grad"),
        _("sample(generator, n): the samples still carry the generator's graph."),
        hint=_("Generate under torch.no_grad(), or detach the result."),
        mistake="sample_not_detached",
    )


@check(points=0.5, kind="statistical", covers=("sample",))
def test_sample_modes(student, probe, expect, draw):
    """Samples are drawn in evaluation mode; every submodule's mode is put back, and running statistics stay."""
    for k in range(3):
        latent_dim, dim, n = draw.integer(2, 4), draw.integer(3, 5), draw.integer(5, 9)
        matrix, point = draw.normal(latent_dim, dim), draw.normal(dim)
        generator = probe.moody_generator(matrix, point)
        flags = [True, False, *(draw.choice((True, False)) for _part in range(4))]
        if k and draw.choice((True, False)):
            flags[:2] = flags[1::-1]
        probe.set_modes(generator, flags)
        before = probe.state(generator)
        samples = expect.tensor(student.sample(generator, n), (n, dim), "sample(generator, n)")
        expect.true(samples.std(0).min() > 1e-9, _("sample(generator, n): all samples are the same."))
        seen = probe.seen_in_training(generator)
        expect.true(
            isinstance(seen, list) and seen and not any(seen),
            _("sample: the generator is called while some of it is in training mode."),
            hint=_("generator.eval() before the call, and every submodule's own mode back afterwards."),
            mistake="sample_in_training_mode",
        )
        after = probe.state(generator)
        expect.true(
            all(torch.equal(torch.as_tensor(after[name]), torch.as_tensor(value)) for name, value in before.items()),
            _("sample changes weights or running statistics of the generator."),
        )
        now = [bool(flag) for flag in probe.modes(generator)]
        all_alike = "sample_leaves_eval" if not any(now) else "sample_sets_all_modes"
        expect.true(
            now == flags,
            _("sample: afterwards some submodule is in another mode than before."),
            hint=_("Keep module.training of every module in generator.modules(), and set it again."),
            mistake=all_alike,
        )
