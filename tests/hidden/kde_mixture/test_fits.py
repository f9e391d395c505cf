"""Fits: with labels in closed form, one EM step, EM from a given start and from one of the student's own.

What builds on another function of the student's may also agree with that one, as long as it does something like the
right thing: its fault has cost its points already.
"""

from __future__ import annotations

import torch
from torch.distributions import MultivariateNormal

from autograder.judge import CheckFailed, check
from autograder.judge.verdicts import StudentError
from autograder.language import _

PARTS = ("weights", "means", "covariances")


def right_fit(x, members, ridge):
    """Weights, means and covariances of points that belong to components by shares (n, m), one component at a time."""
    n, d = x.shape
    sizes = members.sum(0)
    means, covariances = [], []
    for share, size in zip(members.T, sizes, strict=True):
        mean = (share[:, None] * x).sum(0) / size
        offsets = x - mean
        covariances.append((share[:, None, None] * offsets[:, :, None] * offsets[:, None, :]).sum(0) / size)
        means.append(mean)
    return sizes / n, torch.stack(means), torch.stack(covariances) + ridge * torch.eye(d, dtype=x.dtype)


def right_joint(x, weights, means, covariances):
    """log of weight times density, (n, m)."""
    return weights.log() + MultivariateNormal(means, covariances, validate_args=False).log_prob(x[:, None, :])


def right_step(x, parameters, ridge):
    """One EM step."""
    return right_fit(x, torch.softmax(right_joint(x, *parameters), 1), ridge)


def log_likelihood(x, parameters):
    """Mean log-density per point."""
    return float(torch.logsumexp(right_joint(x, *parameters), 1).mean())


def draw_cloud(draw, n, m, d):
    """Points of m Gaussians that overlap: (x, their labels, parameters near them)."""
    turned = torch.linalg.qr(draw.normal(m, d, d)).Q
    roots = turned @ torch.diag_embed(draw.uniform(m, d, low=0.4, high=1.5))
    means = 2 * draw.normal(m, d)
    labels = torch.cat([torch.arange(m).repeat(3), draw.integers(0, m, n - 3 * m)])
    labels = labels[torch.randperm(n, generator=draw.generator())]
    x = means[labels] + (roots[labels] @ draw.normal(n, d, 1))[:, :, 0]
    weights = draw.uniform(m, low=0.3, high=1.0)
    covariances = roots @ roots.mT + 0.2 * torch.eye(d, dtype=torch.float64)
    return x, labels, (weights / weights.sum(), means + 0.5 * draw.normal(m, d), covariances)


def own_responsibilities(student, expect, x, parameters):
    """The student's own responsibilities, or None where they do not follow the right ones."""
    right = torch.softmax(right_joint(x, *parameters), 1)
    try:
        own = expect.tensor(student.responsibilities(x, *parameters), tuple(right.shape), "responsibilities(...)")
    except (CheckFailed, StudentError):
        return None
    apart = torch.stack([own, right]) - 1 / right.shape[1]
    follows = float(apart.prod(0).sum()) > 0.5 * float(apart[0].norm() * apart[1].norm())
    return own if follows and bool((own.sum(0) > 0).all()) else None


def own_steps(student, expect, x, start, steps, ridge):
    """The student's own em_step from this start, again and again; None where it does not go the right way."""
    along = [start]
    try:
        for _step in range(steps):
            answer = expect.sequence(student.em_step(x, *along[-1], ridge=ridge), 3, "em_step(...)")
            pairs = zip(answer, start, strict=True)
            along.append(tuple(expect.tensor(value, tuple(part.shape), "em_step(...)") for value, part in pairs))
    except (CheckFailed, StudentError):
        return None
    wanted = right_step(x, start, ridge)
    left, way = ((means[1] - wanted[1]).norm() for means in (along[1], start))
    return along if float(left) < 0.5 * float(way) else None


def own_likelihoods(student, expect, x, along):
    """The student's own mean log-likelihoods at these parameters; None where they do not follow the right ones."""
    try:
        values = [expect.tensor(student.mixture_log_prob(x, *p), (len(x),), "mixture_log_prob(...)") for p in along]
    except (CheckFailed, StudentError):
        return None
    columns = torch.stack([values[0], torch.logsumexp(right_joint(x, *along[0]), 1)])
    columns = columns - columns.mean(1, keepdim=True)
    follows = float(columns.prod(0).sum()) > 0.5 * float(columns.norm(dim=1).prod())
    return [float(value.mean()) for value in values] if follows else None


def compare_parts(compare, expect, answer, right, what, *, otherwise=None):
    """Weights, means and covariances, each by its name; they may be the other ones, too."""
    answer = expect.sequence(answer, 3, what)
    if otherwise is not None:
        got = [expect.tensor(v, tuple(w.shape), what) for v, w in zip(answer, right, strict=True)]
        if all(torch.allclose(a, b, rtol=1e-5, atol=1e-7) for a, b in zip(got, otherwise, strict=True)):
            return
    for part, got, wanted in zip(PARTS, answer, right, strict=True):
        compare(got, wanted, _("{part} of {what}").format(part=part, what=what), atol=1e-7)


@check(points=1, kind="exact", covers=("known_labels", "fit_classes"))
def test_classes_value(student, expect, compare, draw):
    """With known labels: shares, class means and covariances over n_i, ridge on the diagonal."""
    for m, d, n in ((3, 2, 30), (2, 4, 40), (1, 3, 9), (3, 1, 20)):
        x, labels, _near = draw_cloud(draw, n, m, d)
        members = torch.nn.functional.one_hot(labels, m).double()
        for ridge in (0.0, round(float(draw.uniform(1, low=0.1, high=0.9)), 2)):
            options = {"ridge": ridge} if ridge else {}
            what = f"fit_classes(x ({n}, {d}), labels of {m} classes{', ridge=' + str(ridge) if ridge else ''})"
            compare_parts(
                compare, expect, student.fit_classes(x, labels, **options), right_fit(x, members, ridge), what
            )


@check(
    points=0.5,
    kind="exact",
    covers=("digits", "fit_classes", "classify"),
    requires=("component_value", "classes_value", "classify"),
)
def test_digits(student, expect, draw, labelled_digits):
    """Gaussians fitted to the classes of digits find the classes of unseen digits that Bayes' rule gives them."""
    x, labels = labelled_digits("train", 8000, size=7)
    rows, ridge = torch.randperm(len(x), generator=draw.generator())[:1000], 0.02
    seen, unseen = x[rows].double(), labelled_digits("held_out", 300, size=7)[0].double()
    fitted = expect.sequence(student.fit_classes(seen, labels[rows], ridge=ridge), 3, "fit_classes(...)")
    parts = tuple(
        expect.tensor(value, shape, f"fit_classes(...): {part}")
        for part, value, shape in zip(PARTS, fitted, ((10,), (10, 49), (10, 49, 49)), strict=True)
    )
    got = torch.tensor(expect.integers(student.classify(unseen, *parts), "classify(...)", length=len(unseen)))
    members = torch.nn.functional.one_hot(labels[rows], 10).double()
    joint = right_joint(unseen, *right_fit(seen, members, ridge))
    top = joint.topk(2, dim=1).values
    sure = top[:, 0] - top[:, 1] > 1e-4
    expect.true(
        bool((got == joint.argmax(1))[sure].all()),
        _("Some unseen digits get another class than the most probable one."),
        hint=_("Fit each class on its own points, and classify by log Φ_i(x) + log α_i."),
    )


@check(points=1.5, kind="exact", covers=("em", "em_step"))
def test_em_value(student, expect, compare, draw):
    """One step of EM: responsibilities of the given parameters, covariances around the new means."""
    for m, d, n in ((3, 2, 30), (2, 3, 25), (3, 1, 20), (1, 2, 8)):
        x, _labels, near = draw_cloud(draw, n, m, d)
        for ridge in (0.0, round(float(draw.uniform(1, low=0.1, high=0.9)), 2)):
            options = {"ridge": ridge} if ridge else {}
            what = f"em_step(x ({n}, {d}), {m} components{', ridge=' + str(ridge) if ridge else ''})"
            own = own_responsibilities(student, expect, x, near)
            otherwise = None if own is None else right_fit(x, own, ridge)
            answer = student.em_step(x, *near, **options)
            compare_parts(compare, expect, answer, right_step(x, near, ridge), what, otherwise=otherwise)


def fitted(student, expect, x, m, steps, what, **options):
    """weights, means, covariances and history["log_likelihood"], checked for form."""
    answer = expect.sequence(student.fit_mixture(x, m, steps, **options), 4, what)
    d = x.shape[1]
    parts = tuple(
        expect.tensor(value, shape, f"{what}: {part}")
        for part, value, shape in zip(PARTS, answer[:3], ((m,), (m, d), (m, d, d)), strict=True)
    )
    return parts, expect.history(answer[3], "log_likelihood", steps, f"{what}[3]")


@check(
    points=1,
    kind="exact",
    covers=("start", "fit_mixture"),
)
def test_fit_from_start(student, expect, compare, draw):
    """From a given start: exactly `steps` steps of EM, and the mean log-likelihood per point before or after each."""
    for m, d, n in ((2, 2, 40), (3, 1, 30)):
        steps, ridge = draw.integer(3, 6), round(float(draw.uniform(1, low=0.01, high=0.2)), 3)
        x, _labels, near = draw_cloud(draw, n, m, d)
        what = f"fit_mixture(x ({n}, {d}), {m}, {steps}, ridge={ridge}, start=start)"
        parts, history = fitted(student, expect, x, m, steps, what, ridge=ridge, start=near)
        along = [near]
        for _step in range(steps):
            along.append(right_step(x, along[-1], ridge))
        own = own_steps(student, expect, x, near, steps, ridge)
        compare_parts(compare, expect, parts, along[-1], what, otherwise=None if own is None else own[-1])
        got = torch.tensor(history, dtype=torch.float64)
        curves = []
        for way in (along, own):
            if way is not None:
                curves.append(None if way is own else [log_likelihood(x, parameters) for parameters in way])
                curves.append(own_likelihoods(student, expect, x, way))
        series = [
            torch.tensor(part, dtype=torch.float64) for curve in curves if curve for part in (curve[:-1], curve[1:])
        ]
        right = min(series, key=lambda values: float((got - values).abs().max()))
        compare(
            got, right, f'{what}: history["log_likelihood"]', rtol=1e-5, mistakes={"history_summed": n * series[0]},
        )  # fmt: skip


@check(
    points=1,
    kind="statistical",
    covers=("free_start", "fit_mixture"),
)
def test_fit_free(student, expect, compare, draw, calibrated):
    """From a start of your own: one Gaussian exactly, and two as likely on unseen points as the true ones."""
    d = draw.integer(2, 3)
    x, _labels, _near = draw_cloud(draw, 30, 1, d)
    parts, _history = fitted(student, expect, x, 1, 2, "fit_mixture(x, 1, 2)", ridge=0.0, generator=draw.generator())
    compare_parts(compare, expect, parts, right_fit(x, torch.ones(30, 1).double(), 0.0), "fit_mixture(x, 1, 2)")
    # Two long Gaussians side by side, with weights that differ: k-means cuts them elsewhere.
    angle = draw.uniform(1, low=0.5, high=1.07)  # far from both axes, where a diagonal covariance would do
    turned = torch.stack([torch.cat([angle.cos(), -angle.sin()]), torch.cat([angle.sin(), angle.cos()])])
    widths = torch.diag(torch.tensor([2.0, 0.5], dtype=torch.float64))
    roots = turned @ widths
    apart = 3 * turned[:, 1]
    centre, share = 5 * draw.normal(2), float(draw.uniform(1, low=0.25, high=0.4))
    truth = (
        torch.tensor([share, 1 - share], dtype=torch.float64),
        torch.stack([centre - apart / 2, centre + apart / 2]),
        torch.stack([roots @ roots.T] * 2),
    )

    def points(n):
        labels = (draw.uniform(n) > share).long()
        return truth[1][labels] + draw.normal(n, 2) @ roots.T

    seen, unseen = points(400), points(4000)
    best, what = -float("inf"), "fit_mixture(x (400, 2), 2, 80)"
    # EM may end in another top of the likelihood, from an honest start too: the better of three runs counts.
    for _run in range(3):
        parts, _history = fitted(student, expect, seen, 2, 80, what, generator=draw.generator())
        weights, _means, covariances = parts
        expect.true(
            bool((weights >= -1e-9).all()) and abs(float(weights.sum()) - 1) < 1e-4,
            _("{what}: the weights are no probabilities.").format(what=what),
        )
        symmetric = (covariances + covariances.mT) / 2
        expect.true(
            bool((torch.linalg.eigvalsh(symmetric) > 0).all()),
            _("{what}: a covariance is not positive definite.").format(what=what),
        )
        weights = weights.clamp_min(1e-300) / weights.clamp_min(1e-300).sum()
        best = max(best, log_likelihood(unseen, (weights, parts[1], symmetric)))
    calibrated(
        "likelihood_lost",
        log_likelihood(unseen, truth) - best,
        what=_("What the fitted mixture loses of the true one's log-likelihood on unseen points"),
        hint=_("Do the components start apart? With equal means every step leaves them equal."),
    )
