"""Densities of mixtures and Bayes' rule, against torch.distributions.

What builds on `component_log_prob` may also agree with the student's own one, as long as that is a density gone a
little wrong (it follows the right one): its fault has cost its points already.

With equal weights, the identity or diagonal covariances many mistakes are right: none is used here alone.
"""

from __future__ import annotations

import torch
from torch.distributions import MultivariateNormal

from autograder.judge import CheckFailed, check
from autograder.judge.answers import as_tensor
from autograder.judge.verdicts import StudentError
from autograder.language import _

SIZES = ((3, 2, 6), (2, 3, 5), (4, 1, 7), (1, 3, 4), (3, 5, 1))  # m, d, B


def draw_covariances(draw, m, d):
    """Full covariances, axes and widths of each their own, their condition below 100."""
    turned = torch.linalg.qr(draw.normal(m, d, d)).Q
    widths = draw.uniform(m, d, low=0.25, high=3.0)
    covariances = turned @ torch.diag_embed(widths) @ turned.mT
    return (covariances + covariances.mT) / 2


def draw_mixture(draw, m, d):
    """Weights far from equal, means some widths apart, full covariances."""
    weights = draw.uniform(m, low=0.2, high=1.0) ** 2
    return weights / weights.sum(), 2 * draw.normal(m, d), draw_covariances(draw, m, d)


def one_without_weight(draw, mixture, n):
    """Weights and means of this mixture with a weight of 0, and n points, the last one at that component's mean.

    There the density of the others is e^-60 of its own: a weight of 1e-10, as in log(weight + 1e-10), would count.
    """
    weights, means, covariances = mixture
    out, way = draw.integer(0, len(means) - 1), draw.normal(means.shape[1])
    others = [i for i in range(len(means)) if i != out]
    weights, means = weights.index_fill(0, torch.tensor(out), 0.0), means.clone()
    weights = weights / weights.sum()
    near, far = 0.0, 1000.0
    for _halving in range(50):
        middle = (near + far) / 2
        means[out] = means[others].mean(0) + middle * way / way.norm()
        there = right_components(means[out : out + 1], means, covariances)[0]
        apart = there[out] - torch.logsumexp(weights.log() + there, 0) > 60
        near, far = (near, middle) if apart else (middle, far)
    return weights, means, torch.cat([draw_points(draw, n - 1, means[others]), means[out : out + 1]])


def draw_points(draw, n, means):
    """Points near the means and between them."""
    return means[draw.integers(0, len(means), n)] + 1.5 * draw.normal(n, means.shape[1])


def right_components(x, means, covariances):
    """log N(x; means_i, covariances_i), (B, m)."""
    return MultivariateNormal(means, covariances, validate_args=False).log_prob(x[:, None, :])


def right_joint(x, weights, means, covariances):
    """log of weight times density, (B, m)."""
    return weights.log() + right_components(x, means, covariances)


def accepted(student, expect, x, weights, means, covariances):
    """The joints to judge by: the right one, and the student's own where it follows the right one."""
    right = right_joint(x, weights, means, covariances)
    more = torch.cat([means + 0.7, means - 0.4, 0.5 * means])
    try:
        answer = student.component_log_prob(torch.cat([x, more]), means, covariances)
        own = expect.tensor(answer, (len(x) + len(more), len(means)), "component_log_prob(...)")
    except (CheckFailed, StudentError):
        return [right]
    wanted = right_components(torch.cat([x, more]), means, covariances)
    columns = torch.stack([own - own.mean(0), wanted - wanted.mean(0)])
    sizes = columns.norm(dim=1)  # (2, m)
    alike = (columns.prod(0).sum(0) > 0.8 * sizes.prod(0)) & (sizes[0] > 0.2 * sizes[1]) & (sizes[0] < 5 * sizes[1])
    return [right, weights.log() + own[: len(x)]] if bool(alike.all()) else [right]


def nearest(got, answers):
    """The one of several right answers that this one is nearest to, for a comparison that says what differs."""
    got = as_tensor(got)
    if got is None or got.shape != answers[0].shape or not got.is_floating_point():
        return answers[0]
    return min(answers, key=lambda right: float((got.double() - right).abs().nan_to_num(torch.inf).max()))


def far_points(draw, n, means):
    """Points hundreds of widths away from every mean."""
    way = draw.normal(n, means.shape[1])
    return means.mean(0) + (300 + 200 * draw.uniform(n, 1)) * way / way.norm(dim=1, keepdim=True)


@check(points=1.5, kind="exact", covers=("components", "component_log_prob"))
def test_component_value(student, compare, draw):
    """The log-densities of all components, with full covariances, normalised."""
    for m, d, batch in SIZES:
        _weights, means, covariances = draw_mixture(draw, m, d)
        x = draw_points(draw, batch, means)
        what = f"component_log_prob(x ({batch}, {d}), means ({m}, {d}), covariances)"
        compare(student.component_log_prob(x, means, covariances), right_components(x, means, covariances), what)


@check(points=1, kind="exact", covers=("mixture", "mixture_log_prob"))
def test_mixture_value(student, expect, compare, draw):
    """The log-density of the mixture: the logarithm of the weighted sum. A weight of 0 takes a component away."""
    for m, d, batch in SIZES:
        weights, means, covariances = draw_mixture(draw, m, d)
        x = draw_points(draw, batch, means)
        joints = accepted(student, expect, x, weights, means, covariances)
        what = f"mixture_log_prob(x ({batch}, {d}), weights ({m},), means, covariances)"
        got = student.mixture_log_prob(x, weights, means, covariances)
        compare(got, nearest(got, [torch.logsumexp(joint, 1) for joint in joints]), what)
    _weights, _means, covariances = mixture = draw_mixture(draw, 3, 2)
    weights, means, x = one_without_weight(draw, mixture, 6)
    joints = accepted(student, expect, x, weights, means, covariances)
    got = student.mixture_log_prob(x, weights, means, covariances)
    right = nearest(got, [torch.logsumexp(joint, 1) for joint in joints])
    compare(got, right, "mixture_log_prob with a weight of 0")


@check(points=0.5, kind="exact", covers=("mixture_far", "mixture_log_prob"))
def test_mixture_far(student, compare, expect, draw):
    """Far from all components the log-density is finite, and of the right size."""
    weights, means, covariances = draw_mixture(draw, draw.integer(2, 4), draw.integer(2, 3))
    x = far_points(draw, 5, means)
    what = "mixture_log_prob(x, ...) hundreds of widths away"
    got = expect.tensor(
        student.mixture_log_prob(x, weights, means, covariances), (5,), what,
        hint=_("There every density is 0 in floating point, and log(0) is -inf: use torch.logsumexp."),
    )  # fmt: skip
    joints = accepted(student, expect, x, weights, means, covariances)
    right = nearest(got, [torch.logsumexp(joint, 1) for joint in joints])
    if not torch.allclose(got, right, rtol=2e-3):
        compare(got, right, what)


@check(points=1, kind="exact", covers=("responsibilities",))
def test_responsibilities_value(student, expect, compare, draw):
    """The posterior of the component, weights included; a component of weight 0 has none."""
    for m, d, batch in SIZES:
        weights, means, covariances = mixture = draw_mixture(draw, m, d)
        x = draw_points(draw, batch, means)
        if m == 4:
            weights, means, x = one_without_weight(draw, mixture, batch)
        joints = accepted(student, expect, x, weights, means, covariances)
        what = f"responsibilities(x ({batch}, {d}), weights ({m},), means, covariances)"
        got = student.responsibilities(x, weights, means, covariances)
        compare(got, nearest(got, [torch.softmax(joint, 1) for joint in joints]), what)


@check(points=0.5, kind="exact", covers=("responsibilities_far", "responsibilities"))
def test_responsibilities_far(student, compare, expect, draw):
    """Where every density underflows the responsibilities are still numbers, and right."""
    m = draw.integer(2, 4)
    weights, means, covariances = draw_mixture(draw, m, draw.integer(2, 3))
    x = far_points(draw, 6, means)
    got = expect.tensor(
        student.responsibilities(x, weights, means, covariances), (6, m), "responsibilities far away",
        hint=_("The quotient is 0/0 there: a softmax of log-weights plus log-densities is the same number."),
    )  # fmt: skip
    # The weights, which another check sees, hardly matter out there: only the size of the densities does.
    joints = accepted(student, expect, x, weights, means, covariances)
    bare = [joint - weights.log() for joint in joints]
    right = nearest(got, [torch.softmax(joint, 1) for joint in (*joints, *bare)])
    compare(got, right, "responsibilities(x, ...) hundreds of widths away", atol=1e-6)


@check(points=1, kind="exact", covers=("classes", "classify"))
def test_classify(student, expect, draw):
    """The class of the largest posterior: where likelihood and posterior disagree, too, and far from everything."""
    disagreed = 0
    for m, d in ((2, 1), (3, 2), (4, 3), (3, 2)):
        weights, means, covariances = draw_mixture(draw, m, d)
        weights = weights**3 / (weights**3).sum()
        near = draw_points(draw, 200, means)
        if m == 4:
            weights, means, near = one_without_weight(draw, (weights, means, covariances), 200)
        x = torch.cat([near, far_points(draw, 20, means)])
        likelihood = right_components(x, means, covariances)
        by_likelihood = likelihood.argmax(1)
        got = expect.tensor(
            student.classify(x, weights, means, covariances), (220,), f"classify(x, weights ({m},), means, covariances)"
        )
        expect.true(
            not got.is_floating_point() or bool((got == got.round()).all()), _("classify: expected whole numbers.")
        )
        got = got.long()
        agrees, by_likelihood_alone = [], True
        for joint in accepted(student, expect, x, weights, means, covariances):
            top = joint.topk(2, dim=1).values
            sure = top[:, 0] - top[:, 1] > 1e-6
            agrees.append(bool((got == joint.argmax(1))[sure].all()))
            by_likelihood_alone &= bool((got == by_likelihood)[sure].all())
            disagreed += int(((by_likelihood != joint.argmax(1)) & sure).sum())
        expect.true(
            any(agrees),
            _("classify(x, weights, means, covariances): some points get another class than the most probable one."),
            hint=_("The score of class i is log Φ_i(x) + log α_i."),
            mistake="classified_by_likelihood" if by_likelihood_alone else None,
        )
    same = torch.zeros(2, 1, dtype=torch.float64)
    tie = student.classify(same[:1], torch.full((2,), 0.5).double(), same, torch.ones(2, 1, 1).double())
    expect.true(int(expect.number(tie, "classify on a tie")) == 0, _("classify: on a tie the first component wins."))
    assert disagreed > 0, "the draws tell Bayes' rule from the likelihood"
