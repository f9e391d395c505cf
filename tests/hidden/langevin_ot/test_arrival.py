"""Where morph's clouds arrive, and on which ways: a limit that is measured, and Langevin dynamics alone to beat."""

from __future__ import annotations

import math

import torch
from scipy.optimize import linear_sum_assignment

from autograder.judge import check
from autograder.language import _
from autograder.statistics import distances

from .steps import runs_of


def straightness(way):
    """Length of the straight line over length of the way, all points together; way (T + 1, n, d)."""
    steps = (way[1:] - way[:-1]).norm(dim=-1).sum()
    return float((way[-1] - way[0]).norm(dim=-1).sum() / steps.clamp_min(1e-12))


def langevin_alone(draw, source, centre, half, std, h, n_steps):
    """Langevin dynamics with the score of two wells, from the same cloud: what transport has to beat."""
    frames = [source]
    for _k in range(n_steps):
        z = (frames[-1] - centre) / std**2
        score = torch.tanh(z @ half)[:, None] * half / std**2 - z
        frames.append(frames[-1] + h * score + math.sqrt(2 * h) * draw.normal(*source.shape))
    return torch.stack(frames)


@check(points=0.5, kind="statistical", covers=("morph_arrival", "morph"))
def test_morph_arrives(student, probe, expect, compare, calibrated, draw):
    """Transport brings the cloud to both modes of the target, on straighter ways than Langevin dynamics alone."""
    n, d, n_steps, h, weight, epsilon = 32, 2, 15, 0.01, 40.0, 0.3
    std, centre = 0.4, draw.normal(d)
    angle = float(draw.uniform(1, high=2 * math.pi))
    way = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    half, aside = 2 * way, torch.stack([-way[1], way[0]])
    # Balanced: as many points in each mode and in each clump, and as many in each clump for each mode.
    order = torch.tensor(draw.shuffle(range(n)))
    side = torch.tensor([1.0, -1.0, 1.0, -1.0]).double().repeat(n // 4)[order, None]
    clump = torch.tensor([1.0, 1.0, -1.0, -1.0]).double().repeat(n // 4)[order, None]
    target = centre + side * half + std * draw.normal(n, d)
    # Two clumps near the first mode: alone, Langevin dynamics stays there; transport sends the nearer clump on to the
    # second mode. The gap between the clumps keeps every point's destination clear.
    source = centre + 1.6 * half + aside + clump * way + 0.3 * draw.normal(n, d)
    what = f"morph(x_source, x_target, score_fn, {n_steps}, {h}, {weight:g}, {epsilon})"
    answer = runs_of(student, probe, draw, "morph")(
        source,
        target,
        probe.wells(centre, half, std, 0.0),
        n_steps,
        h,
        weight,
        epsilon,
        generator=draw.generator(),
    )
    guided = expect.tensor(answer, (n_steps + 1, n, d), what)
    compare(guided[0], source, _("the first frame of {what}").format(what=what))
    # Of pairs (start, end): the cloud has to arrive, and each of its points where exact transport sends it.
    _rows, sent_to = linear_sum_assignment((source[:, None] - target).square().sum(-1).numpy())
    calibrated(
        "morph_distance",
        distances.wasserstein_exact(torch.cat([source, guided[-1]], 1), torch.cat([source, target[sent_to]], 1)),
        better="lower",
        what=_("The Wasserstein distance between the starts and ends of morph's ways and those of exact transport"),
        hint=_("Where does each point's pull lead? Draw x_source, T(x_source) and the target."),
    )
    alone = langevin_alone(draw, source, centre, half, std, h, n_steps)
    distance, distance_alone = (distances.wasserstein_exact(cloud[-1], target) for cloud in (guided, alone))
    expect.true(
        distance < 0.5 * distance_alone,
        _("morph: with transport the cloud ends no nearer to the target than Langevin dynamics alone."),
    )
    expect.true(
        straightness(guided) > straightness(alone),
        _("morph: with transport the ways are no straighter than those of Langevin dynamics alone."),
    )
