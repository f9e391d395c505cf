"""Langevin chains and morphing, judged by their law.

A chain follows its own score, so with a known score every increment shows the drift and the noise behind it.
Where a check builds on `langevin_step`, it accepts two laws: the right one, and the one that the student's own
`langevin_step` has, if that one is of about the right size. A wrong step costs its own points and no others.

False-fail rate: each p-value below fails a correct solution with probability ALPHA; all checks together about 6e-6.
Smallest differences: noise of 400 chains and 50 steps with a standard deviation off by 3 %, or correlated by 0.05; a
mean off by 0.15 standard deviations or a variance off by 20 % at the end of 1,500 chains.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import stats
from scipy.special import logsumexp

from autograder.judge import CheckFailed, check
from autograder.language import _
from autograder.statistics import tests

from .steps import runs_of

ALPHA = 1e-6
FARTHEST = 1e9


@check(points=1, covers=("step", "langevin_step"))
def test_langevin_step(student, probe, expect, compare, draw):
    """One step moves by step times score and by sqrt(2 step) times noise, and leaves its arguments as they are."""
    for step in (0.02, 0.3, round(float(draw.uniform(1, low=0.6, high=1.4)), 2)):
        n, d = draw.integer(3, 6), draw.integer(1, 4)
        x, score, noise = draw.normal(n, d), draw.normal(n, d), draw.normal(n, d)
        right = x + step * score + math.sqrt(2 * step) * noise
        compare(student.langevin_step(x, score, step, noise), right, f"langevin_step(x, score, {step}, noise)")
    expect.true(
        probe.changed(student.langevin_step, x, score, step, noise) == [],
        _("{name} changes its arguments.").format(name="langevin_step"),
        _("`x += ...` changes the x of the caller, and with it a frame that a trajectory keeps: write x + ..."),
        mistake="step_in_place",
    )


def points(expect, answer, shape, what):
    """A trajectory, safe to compute with: of this shape, finite, and not exploded."""
    way = expect.tensor(answer, shape, what)
    expect.true(
        bool((way.abs() < FARTHEST).all()),
        _("{what}: the points run away, farther than {bound:g}.").format(what=what, bound=FARTHEST),
        _("Which sign has the drift, and is the step part of it?"),
    )
    return way


def steps_to_accept(student, expect, draw, h):
    """(drift, noise) factors of one step: the right ones, then the student's own where they make a chain."""
    right = (h, math.sqrt(2 * h))
    x, score, noise = draw.normal(5, 2), draw.normal(5, 2), draw.normal(5, 2)
    try:
        answer = points(expect, student.langevin_step(x, score, h, noise), (5, 2), "langevin_step")
    except CheckFailed:
        return [right]
    columns = torch.stack([score.reshape(-1), noise.reshape(-1)], 1)
    target = (answer - x).reshape(-1)
    own = torch.linalg.lstsq(columns, target[:, None]).solution[:, 0]
    drift, spread = (float(value) for value in own)
    exact = (columns @ own - target).abs().max() < 1e-6 * (1 + target.abs().max())
    # Without noise or without drift, or with hardly any, there is no chain to judge by.
    sound = 0.25 < abs(spread) / right[1] < 4 and 0.25 < abs(drift) / h < 4
    return [right, (drift, spread)] if exact and sound else [right]


def starts_well(way, score, accepted):
    """Whether the first step goes along the score and is noisy, both by about as much as an accepted step.

    The points start far out, where the score outweighs the noise. What else is wrong with a chain is not judged here.
    """
    moved = way[1] - way[0]
    slope = float((moved * score).sum() / score.square().sum())
    noise = float((moved - slope * score).square().mean().sqrt())
    return any(0.3 < slope / drift < 3 and 0.03 < noise / abs(spread) < 5 for drift, spread in accepted)


def two_sided(statistic, freedom):
    """p-value of a chi-square statistic that may be too large or too small."""
    return 2 * min(stats.chi2.sf(statistic, freedom), stats.chi2.cdf(statistic, freedom))


def noise_p_value(noise):
    """p-value of (T, B, d) numbers being independent and standard normal, by six tests together."""
    n_steps, chains, d = noise.shape
    rows = noise.reshape(-1, d)
    p_values = [
        tests.mean_test(rows, torch.zeros(d), torch.eye(d)),
        tests.covariance_test(rows, torch.eye(d)),
        tests.standard_normal_test(rows.reshape(-1)),
        # Noise shared by the chains, or by the steps, does not average out over them.
        two_sided(float(chains * noise.mean(1).square().sum()), n_steps * d),
        two_sided(float(n_steps * noise.mean(0).square().sum()), chains * d),
        # Neighbours in time, each product of mean 0 and variance 1.
        tests.mean_test((noise[1:] * noise[:-1]).mean((1, 2)) * math.sqrt(chains * d), 0.0, 1.0),
    ]
    return min(1.0, len(p_values) * min(p_values))


def draw_gaussian(draw, d):
    """A linear score -A (x - mean): (A, mean), the eigenvalues of A between 0.5 and 2."""
    basis = torch.linalg.qr(draw.normal(d, d)).Q
    return basis @ torch.diag(draw.uniform(d, low=0.5, high=2.0)) @ basis.T, 2 * draw.normal(d)


def linear_score(probe, A, mean):
    return probe.linear(-A, A @ mean)


@check(points=0.5, covers=("trajectory", "langevin_sample"))
def test_langevin_trajectory(student, probe, expect, compare, draw):
    """The trajectory starts with x0, has n_steps more frames, no gradients, and its noise comes from the generator."""
    n, d, n_steps = draw.integer(12, 16), draw.integer(2, 3), draw.integer(4, 8)
    A, mean = draw_gaussian(draw, d)
    score, x0 = linear_score(probe, A, mean), mean + 20 * draw.normal(n, d)
    accepted = steps_to_accept(student, expect, draw, 0.1)
    what = f"langevin_sample(score_fn, x0, 0.1, {n_steps}, generator=generator)"

    sample = runs_of(student, probe, draw, "langevin_sample")

    def way_of(answer):
        return points(expect, answer, (n_steps + 1, n, d), what)

    def run(generator):
        return way_of(sample(score, x0, 0.1, n_steps, generator=generator))

    first, second = draw.seed(), draw.seed()
    same, again, other = (run(torch.Generator().manual_seed(seed)) for seed in (first, first, second))
    compare(same[0], x0, _("the first frame of {what}").format(what=what))
    expect.true(
        bool((same[1:] != same[:-1]).any(-1).all()),
        _("{what}: some points stand still between two frames.").format(what=what),
        _("If all frames are equal: each one needs a tensor of its own, not one that is changed in place."),
    )
    expect.true(
        starts_well(same, (mean - x0) @ A, accepted),
        _("{what}: the first step does not follow the score, or its noise is not of the right size.").format(what=what),
    )
    expect.true(torch.equal(same, again), _("{what}: two generators of one seed give two chains.").format(what=what))
    expect.true(not torch.equal(same, other), _("{what}: generators of two seeds give one chain.").format(what=what))
    expect.true(not torch.equal(run(None), run(None)), _("Without a generator, two calls give one chain."))
    arguments = (score, x0, 0.1, n_steps)
    answers = probe.twice(student.langevin_sample, *arguments, generator=draw.generator())
    expect.true(
        not torch.equal(*(way_of(answer) for answer in expect.sequence(answers, 2, what))),
        _("{what}: two calls with one generator give one chain.").format(what=what),
        _("Draw from the generator itself, which goes on: a new one of its seed begins again."),
        mistake="generator_begun_again",
    )
    seeded = [way_of(probe.from_seed(seed, student.langevin_sample, *arguments)) for seed in (first, first, second)]
    expect.true(
        torch.equal(seeded[0], seeded[1]),
        _("Without a generator, the noise is not from torch's global one: torch.manual_seed does not decide it."),
        _("Hand generator=None on to torch.randn: that is the global generator."),
        mistake="other_random_numbers",
    )
    expect.true(not torch.equal(seeded[0], seeded[2]), _("Two seeds of torch.manual_seed give one chain."))
    expect.true(
        not probe.requires_grad(student.langevin_sample, *arguments),
        _("{what}: the trajectory carries gradients, where score_fn is a network.").format(what=what),
        _("A score function may carry gradients: detach its answer, or call it under torch.no_grad()."),
        mistake="trajectory_with_gradients",
    )


@check(points=0.5, kind="statistical", covers=("noise", "langevin_sample"))
def test_langevin_noise(student, probe, expect, draw):
    """Every step follows the score where the chain is, with independent noise for each chain and coordinate."""
    n, d, n_steps, h = 400, 2, 50, round(float(draw.uniform(1, low=0.05, high=0.2)), 3)
    A, mean = draw_gaussian(draw, d)
    x0 = mean + 3 * draw.normal(n, d)
    accepted = steps_to_accept(student, expect, draw, h)
    what = f"langevin_sample(score_fn, x0, {h}, {n_steps})"
    sample = runs_of(student, probe, draw, "langevin_sample")
    answer = sample(linear_score(probe, A, mean), x0, h, n_steps, generator=draw.generator())
    chain = points(expect, answer, (n_steps + 1, n, d), what)
    p = max(
        noise_p_value((chain[1:] - chain[:-1] + drift * (chain[:-1] - mean) @ A) / spread) for drift, spread in accepted
    )
    expect.p_value(p, _("the noise of {what}").format(what=what), alpha=ALPHA)


def gaussian_law(A, mean, start, drift, spread, n_steps):
    """Mean and covariance after n_steps of x + drift·score + spread·noise, from one point."""
    M = torch.eye(len(A)).double() - drift * A
    centre, cov = start - mean, torch.zeros_like(A)
    for _k in range(n_steps):
        centre, cov = M @ centre, M @ cov @ M.T + spread**2 * torch.eye(len(A)).double()
    return mean + centre, cov


@check(points=0.5, kind="statistical", covers=("stationary", "langevin_sample"))
def test_langevin_stationary(student, probe, expect, draw):
    """Long chains end with the mean and the covariance of the discretised chain.

    With a step this large they are not the target's: for N(0, 1) the variance is 1 / (1 - step/2).
    """
    n, d, n_steps, h = 1500, 2, draw.integer(40, 50), round(float(draw.uniform(1, low=0.2, high=0.4)), 3)
    A, mean = draw_gaussian(draw, d)
    start = mean + 4 * draw.normal(d)
    accepted = steps_to_accept(student, expect, draw, h)
    what = f"langevin_sample(score_fn, x0, {h}, {n_steps})"
    sample = runs_of(student, probe, draw, "langevin_sample")
    answer = sample(linear_score(probe, A, mean), start.repeat(n, 1), h, n_steps, generator=draw.generator())
    last = points(expect, answer, (n_steps + 1, n, d), what)[-1]
    best, eye = 0.0, torch.eye(d).double()
    for drift, spread in accepted:
        centre, cov = gaussian_law(A, mean, start, drift, spread, n_steps)
        if cov.isfinite().all() and centre.isfinite().all():
            # In the coordinates where the law is standard.
            root = torch.linalg.cholesky(cov)
            rows = torch.linalg.solve_triangular(root, (last - centre).T, upper=False).T
            p_values = tests.mean_test(rows, torch.zeros(d), eye), tests.covariance_test(rows, eye)
            best = max(best, min(1.0, 2 * min(p_values)))
    expect.p_value(best, _("the last frame of {what}").format(what=what), alpha=ALPHA)


def wells_law(half, std, log_odds, start, drift, spread, n_steps):
    """Law of the chain along the line through the two wells: (nodes, probabilities), or None off the grid.

    The chain's transition density is Gaussian, so its law after n steps is a product of matrices on a grid that is
    much finer than the noise. No limit of small steps is taken: this is the law of the discretised chain.
    """
    reach = half + 9 * std
    nodes = np.linspace(-reach, reach, 701)
    width = nodes[1] - nodes[0]

    def density(z):
        """Of the next position, from z: (nodes, len(z))."""
        score = (half * np.tanh(half * z / std**2 + log_odds) - z) / std**2
        return stats.norm.pdf((nodes[:, None] - z - drift * score) / spread) / spread

    law = density(np.array([start]))[:, 0]
    kernel = density(nodes) * width
    for _k in range(n_steps - 1):
        law = kernel @ law
    law *= width
    return (nodes, law / law.sum()) if np.isfinite(law).all() and abs(law.sum() - 1) < 1e-5 else None


@check(points=0.5, kind="statistical", covers=("modes", "no_grad", "langevin_sample"))
def test_langevin_modes(student, probe, expect, draw):
    """Chains that start in one of two wells end with the right share of points in each.

    The score function has no gradients.
    """
    n, d, n_steps = 2000, 2, draw.integer(70, 90)
    std = float(draw.uniform(1, low=0.6, high=0.9))
    half, h = 1.4 * std, 0.15 * std**2
    log_odds = draw.choice((-1, 1)) * float(draw.uniform(1, low=0.2, high=0.5))
    centre, way = draw.normal(d), draw.normal(d)
    way = way / way.norm()
    start = -math.copysign(half, log_odds)  # in the lighter well
    accepted = steps_to_accept(student, expect, draw, h)
    what = _("langevin_sample(score_fn of two modes, x0, {h:.3g}, {n})").format(h=h, n=n_steps)
    answer = runs_of(student, probe, draw, "langevin_sample")(
        probe.wells(centre, half * way, std, log_odds),
        (centre + start * way).repeat(n, 1),
        h,
        n_steps,
        generator=draw.generator(),
    )
    last = (points(expect, answer, (n_steps + 1, n, d), what)[-1] - centre) @ way
    p = 0.0
    for drift, spread in accepted:
        law = wells_law(half, std, log_odds, start, drift, abs(spread), n_steps)
        if law is not None:
            nodes, weights = law
            cumulative = weights.cumsum()
            # Eight cells of like weight, one of the borders between the wells.
            cuts = np.unique([*np.searchsorted(cumulative, np.arange(1, 8) / 8), len(nodes) // 2])
            borders = (nodes[cuts] + nodes[cuts + 1]) / 2
            expected = np.diff(np.concatenate([[0.0], cumulative[cuts], [1.0]]))
            counts = np.bincount(np.searchsorted(borders, last.numpy()), minlength=len(expected))
            p = max(p, tests.chi_square(counts, expected))
    expect.p_value(p, _("the share of points around each mode, in {what}").format(what=what), alpha=ALPHA)


@check(points=0.5, kind="statistical", covers=("morph_langevin", "morph"))
def test_morph_without_transport(student, probe, expect, compare, draw):
    """With ot_weight = 0, morph is plain Langevin dynamics, x_source first.

    A morph that is, number by number, the student's own langevin_sample passes too, if that one starts as Langevin
    dynamics does: its other faults cost points elsewhere.
    """
    n, d, n_steps, h = draw.integer(120, 150), 2, 30, 0.1
    A, mean = draw_gaussian(draw, d)
    score, source, target = linear_score(probe, A, mean), mean + 4 * draw.normal(n, d), mean + draw.normal(n, d)
    accepted = steps_to_accept(student, expect, draw, h)
    what = f"morph(x_source, x_target, score_fn, {n_steps}, {h}, ot_weight=0, epsilon=1)"
    seed = draw.seed()

    def generator():
        return torch.Generator().manual_seed(seed)

    morph, sample = (runs_of(student, probe, draw, name) for name in ("morph", "langevin_sample"))
    answer = morph(source, target, score, n_steps, h, 0.0, 1.0, generator=generator())
    way = points(expect, answer, (None, n, d), what)
    try:
        own = expect.tensor(sample(score, source, h, n_steps, generator=generator()), finite=False)
    except CheckFailed:
        own = None
    noises = [(way[1:] - way[:-1] + drift * (way[:-1] - mean) @ A) / spread for drift, spread in accepted]
    if own is not None and len(way) >= n_steps and torch.equal(way, own):
        # Without its start, such a way begins with the first step.
        begun = way if len(way) > n_steps else torch.cat([source[None], way])
        moving = bool((begun[1:] != begun[:-1]).any(-1).all())
        if moving and starts_well(begun, (mean - source) @ A, accepted):
            return
    points(expect, answer, (n_steps + 1, n, d), what)
    compare(way[0], source, _("the first frame of {what}").format(what=what))
    p = max(noise_p_value(noise) for noise in noises)
    expect.p_value(p, _("the steps of {what}").format(what=what), alpha=ALPHA)

    def same_twice(function, *arguments):
        """Whether two calls with generators of one seed give one answer, and two calls with one generator."""
        apart = [function(*arguments, generator=generator()) for _k in range(2)]
        on = expect.sequence(probe.twice(function, *arguments, generator=generator()), 2)
        return [torch.equal(*(expect.tensor(answer, finite=False) for answer in pair)) for pair in (apart, on)]

    what = "morph(..., generator=generator)"
    repeated, begun_again = same_twice(student.morph, source, target, score, 3, h, 0.0, 1.0)
    if not repeated or begun_again:
        # What langevin_sample does with its generator, a morph that calls it does, too: that costs points there.
        try:
            own_repeated, own_begun_again = same_twice(student.langevin_sample, score, source, h, 3)
        except CheckFailed:
            return
        expect.true(
            repeated or not own_repeated,
            _("{what}: two generators of one seed give two chains.").format(what=what),
            _("Hand the generator on to everything in morph that draws."),
        )
        expect.true(
            not begun_again or own_begun_again,
            _("{what}: two calls with one generator give one chain.").format(what=what),
            _("Draw from the generator itself, which goes on: a new one of its seed begins again."),
        )


def destinations(x, y, epsilon):
    """Barycentric images of x in y, uniform weights, by Sinkhorn's algorithm on logarithms."""
    C, (n, m) = (x[:, None] - y).square().sum(-1).numpy() / epsilon, (len(x), len(y))
    v = np.zeros(m)
    for _k in range(1000):
        u = -np.log(n) - logsumexp(v - C, axis=1)
        v = -np.log(m) - logsumexp(u[:, None] - C, axis=0)
    plan = np.exp(u[:, None] + v - C)
    return torch.from_numpy(plan / plan.sum(1, keepdims=True)) @ y


def own_destinations(student, expect, x, y, epsilon):
    """The same by the student's own functions, or None."""
    n, m = len(x), len(y)
    try:
        C = expect.tensor(student.cost_matrix(x, y), (n, m))
        a, b = (torch.full((k,), 1 / k, dtype=torch.float64) for k in (n, m))
        plan = expect.tensor(student.sinkhorn(a, b, C, epsilon), (n, m))
        return expect.tensor(student.barycentric_projection(plan, y), tuple(x.shape))
    except CheckFailed:
        return None


def pull_p_value(pulled, image, spread):
    """p-value of points being pulled apart as their images lie apart: `pulled` is images and noise, in one unit."""
    image = image - image.mean(0)
    share = (pulled * image).sum() / image.square().sum()
    return 2 * float(stats.norm.sf(abs(float(share) - 1) * float(image.norm()) / spread))


@check(points=1, kind="statistical", covers=("morph_drift", "morph"))
def test_morph_drift(student, probe, expect, compare, draw):
    """Each point is drawn by the score and, ot_weight times, by what is left of its way to where transport sends it.

    The first step starts from the first cloud, whichever cloud later plans start from: its images are known, and also
    those by the student's own plan, which are accepted where they lie much as the right ones do. Afterwards the cloud's
    mean is judged. Both marginals of a plan are right, so the mean of the images is the mean of the target, however
    often they are found again. A second run with the same noise and the target moved shows the drift without any noise:
    it is accepted where there is noise, but not as it should be: other checks judge that.
    """
    n, m, d, n_steps, h = draw.integer(60, 80), draw.integer(40, 55), 2, 25, 0.01
    # Clouds so wide that the noise hides nothing of the images, and so much entropy that it draws them together: those
    # of another epsilon are not these.
    weight, size = float(draw.integer(15, 40)), draw.integer(3, 5)
    epsilon = float(draw.integer(2, 3) * size**2)
    A, mean = draw_gaussian(draw, d)
    offset, move = draw.normal(d), draw.normal(d)
    source = size * draw.normal(n, d) + mean
    target = size * (draw.normal(m, d) + 4 * offset / offset.norm()) + mean
    accepted = steps_to_accept(student, expect, draw, h)
    score, seed, morph = linear_score(probe, A, mean), draw.seed(), runs_of(student, probe, draw, "morph")
    what = f"morph(x_source, x_target, score_fn, {n_steps}, {h}, ot_weight={weight:g}, epsilon={epsilon:g})"

    def centres(towards):
        generator = torch.Generator().manual_seed(seed)
        answer = morph(source, towards, score, n_steps, h, weight, epsilon, generator=generator)
        frames = points(expect, answer, (n_steps + 1, n, d), what)
        compare(frames[0], source, _("the first frame of {what}").format(what=what))
        return frames.mean(1), frames[1] - frames[0]  # (n_steps + 1, d), (n, d)

    (way, first), (moved, _first) = centres(target), centres(target + move)
    images = [destinations(source, target, epsilon)]

    def pulls():
        """For each accepted step, the p-value of the first step going to the images, the best of them."""
        return max(
            pull_p_value(
                (first + drift * (source - mean) @ A) / (drift * weight) + source, T, abs(spread / drift) / weight
            )
            for drift, spread in accepted
            for T in images
        )

    p = pulls()
    if p < ALPHA and (own := own_destinations(student, expect, source, target, epsilon)) is not None:
        right, ours = (T - T.mean(0) for T in (images[0], own))
        if (right * ours).sum() > 0.7 * right.norm() * ours.norm():
            images.append(own)
            p = pulls()
    expect.p_value(p, _("where the first step of {what} sends each point").format(what=what), alpha=ALPHA)
    pull = -(way[:-1] - mean) @ A + weight * (target.mean(0) - way[:-1])
    apart = moved - way
    pull_apart = -apart[:-1] @ A + weight * (move - apart[:-1])
    best = 0.0
    for drift, spread in accepted:
        noise = (way[1:] - way[:-1] - drift * pull) * math.sqrt(n) / spread  # (n_steps, d)
        off = (apart[1:] - apart[:-1] - drift * pull_apart).abs().max()
        if off < 1e-3 * abs(drift) * weight * move.norm() and noise.square().mean() > 1e-3:
            return
        p_values = (
            two_sided(float(noise.square().sum()), n_steps * d),
            tests.mean_test(noise, torch.zeros(d), torch.eye(d)),
        )
        best = max(best, min(1.0, 2 * min(p_values)))
    expect.p_value(best, _("the way of the cloud's mean in {what}").format(what=what), alpha=ALPHA)
