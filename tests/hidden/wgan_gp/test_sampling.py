"""Samples of any generator, and the measure of mode coverage."""

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics import covariance_test, mean_test, standard_normal_test

ALPHA = 1e-6


@check(points=0.5, kind="statistical", covers=("sample", "any_module"))
def test_sample_law(student, probe, expect, draw):
    """Samples are G(z) with z ~ N(0, I), detached, with any generator."""
    dim, n = draw.integer(3, 5), draw.integer(2000, 2500)  # not the usual 2
    rotation, _upper = torch.linalg.qr(draw.normal(dim, dim))
    matrix, point = 2 * rotation, 3 + draw.normal(dim)
    generator = probe.affine_generator(matrix.float(), point.float())
    samples = expect.tensor(student.sample(generator, n), (n, dim))
    expect.true(
        probe.widths_fed(generator) == [dim],
        _("sample(generator, n): the generator's latent_dim is {dim}, and its z had another size.").format(dim=dim),
        hint=_("Read the size of z from generator.latent_dim."),
        mistake="latent_size_hard_coded",
    )
    z = (samples - point) @ torch.linalg.inv(matrix)  # (n, dim)
    ones = torch.eye(dim, dtype=torch.float64)
    hint = _("z ~ N(0, I) has generator.latent_dim coordinates: torch.randn.")
    expect.p_value(standard_normal_test(z.flatten()), _("law of the samples"), ALPHA, hint)
    expect.p_value(mean_test(z, torch.zeros(dim), ones), _("mean of the samples"), ALPHA, hint)
    expect.p_value(covariance_test(z, ones), _("covariance of the samples"), ALPHA, hint)
    expect.true(
        not expect.flag(probe.requires_grad(student.sample, generator, 3), "sample(generator, n).requires_grad"),
        _("sample(generator, n): the samples still carry the generator's graph."),
        hint=_("Generate under torch.no_grad(), or detach the result."),
        mistake="sample_not_detached",
    )


@check(points=1, kind="exact", covers=("coverage", "mode_coverage"))
def test_mode_coverage_counts(student, expect, draw):
    """Mode coverage counts the centres with a sample within the radius, and the samples within any of them."""
    for dim in (2, draw.integer(1, 4)):
        n_modes, radius = draw.integer(5, 9), float(draw.uniform(1, low=0.2, high=0.6))
        centres = torch.zeros(n_modes, dim, dtype=torch.float64)
        centres[:, 0] = 5 * radius * torch.tensor(draw.shuffle(range(n_modes)))  # the balls are far apart
        centres = centres + draw.normal(dim)
        covered = draw.integer(2, n_modes - 2)
        groups = []
        for mode in range(n_modes - 1):  # the last mode gets no sample at all, not even a near one
            inside = draw.integer(2, 5) if mode < covered else 0
            reach = torch.cat([draw.uniform(inside, low=0.0, high=0.9), draw.uniform(2, low=1.1, high=1.3)])
            direction = draw.normal(len(reach), dim)
            direction = direction / direction.norm(dim=1, keepdim=True)
            groups.append(centres[mode] + radius * reach[:, None] * direction)
        samples = torch.cat(groups)
        samples = samples[torch.tensor(draw.shuffle(range(len(samples))))]
        within = sum(len(group) - 2 for group in groups)
        answer = student.mode_coverage(samples, centres, radius)
        judge_coverage(expect, answer, covered, within / len(samples))
    # The surface of the ball belongs to it: 3² + 4² = 5², exactly.
    scale = 2.0 ** draw.integer(-2, 3)
    first = float(draw.integer(-8, 8))
    centres = scale * torch.tensor([[first, 0.0], [first + 40.0, 0.0]], dtype=torch.float64)
    samples = scale * torch.tensor([[first + 3.0, -4.0], [first + 20.0, 0.0]], dtype=torch.float64)
    judge_coverage(expect, student.mode_coverage(samples, centres, 5 * scale), 1, 0.5)


def judge_coverage(expect, answer, covered, high_quality):
    """Compare both values of mode_coverage."""
    what = "mode_coverage(samples, centres, radius)"
    pair = expect.sequence(answer, 2, what)
    got_covered = expect.number(pair[0], f"{what}: covered")
    got_quality = expect.number(pair[1], f"{what}: high_quality")
    expect.true(
        got_covered == covered,
        _("{what}: the number of covered modes is not right.").format(what=what),
        hint=_("A mode is covered when at least one sample lies at distance ≤ radius of its centre."),
    )
    expect.true(
        abs(got_quality - high_quality) < 1e-6,
        _("{what}: the fraction of samples of high quality is not right.").format(what=what),
        hint=_("The samples within the radius of any centre, divided by the number of samples: between 0 and 1."),
    )
