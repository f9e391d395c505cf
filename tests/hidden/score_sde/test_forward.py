"""The Ornstein-Uhlenbeck process forward: moments, jumps, Euler's step; and the score of a noised mixture.

Where a check builds on `ou_moments`, it accepts what follows from the student's own one too, if that follows the right
one: wrong moments cost their own points and no others.
"""

from __future__ import annotations

import math

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from autograder.judge import check
from autograder.language import _

from .moments import agree, batches, draw_times, moments, moments_to_accept

WIDE = 0.02, 2.5  # early and late times
# Where t is a number, a solution may have turned it into float32 first.
OF_A_NUMBER = {"rtol": 1e-5, "atol": 1e-5}


@check(points=0.75, covers=("moments", "ou_moments"))
def test_ou_moments(student, expect, compare, draw):
    """What is left of the data is e^-t, and the noise has the standard deviation sqrt(1 - e^-2t)."""
    n, m = draw.integer(2, 4), draw.integer(5, 6)
    for shape in ((n + m,), (n, m), (n, 1), (1, m, 2)):
        count = math.prod(shape)
        t = draw_times(draw, count, *WIDE).reshape(shape)
        t.reshape(-1)[draw.integer(0, count - 1)] = 0.0
        what = _("ou_moments(t), t of shape {shape}").format(shape=tuple(shape))
        pair = expect.sequence(student.ou_moments(t), 2, what)
        for got, right, name in zip(pair, moments(t), ("decay", "std"), strict=True):
            compare(got, right, f"{name}, {what}")
    for number in (0.0, round(float(draw.uniform(1, low=0.1, high=0.6)), 3), draw.integer(8, 24) / 8):
        pair = expect.sequence(student.ou_moments(number), 2, f"ou_moments({number:g})")
        for got, right, name in zip(pair, moments(torch.tensor(number).double()), ("decay", "std"), strict=True):
            value = expect.number(got, f"{name}, ou_moments({number:g})")
            compare(torch.tensor(value), right.float(), f"{name}, ou_moments({number:g})", **OF_A_NUMBER)


@check(points=0.75, covers=("sample", "ou_sample"))
def test_ou_sample(student, expect, compare, draw):
    """`ou_sample` jumps to time t in one go, each row to its own time."""
    accepted = moments_to_accept(student, expect, draw)

    def judge(x0, t, noise, given, what, **near):
        pairs = [law(t) for law in accepted]
        values = [decay[:, None] * x0 + std[:, None] * noise for decay, std in pairs]
        agree(expect, compare, student.ou_sample(x0, given, noise), values, what, **near)

    for B, d in batches(draw):
        x0, noise, t = 2 * draw.normal(B, d), draw.normal(B, d), draw_times(draw, B, *WIDE)
        t[0] = 0.0 if B > 1 else t[0]
        judge(x0, t, noise, t, _("ou_sample(x0, t, noise), x0 of shape {shape}").format(shape=(B, d)))
    number = round(float(draw.uniform(1, low=0.2, high=0.9)), 3)
    t = torch.full((B,), number, dtype=torch.float64)
    judge(x0, t, noise, number, f"ou_sample(x0, {number}, noise)", **OF_A_NUMBER)


@check(points=0.5, covers=("euler", "ou_step"))
def test_ou_step(student, compare, draw):
    """A step forward shrinks by dt and adds sqrt(2 dt) times the noise."""
    for dt in (0.02, 0.3, round(float(draw.uniform(1, low=0.6, high=1.4)), 2)):
        B, d = draw.integer(3, 6), draw.integer(1, 4)
        x, noise = draw.normal(B, d), draw.normal(B, d)
        compare(student.ou_step(x, dt, noise), x - dt * x + math.sqrt(2 * dt) * noise, f"ou_step(x, {dt}, noise)")


def noised(law, t, means, std, weights):
    """The law at times t (B,), one for each row, from torch.distributions."""
    decay, spread = (v[:, None, None] for v in law(t))
    scale = torch.sqrt((decay * std) ** 2 + spread**2).expand(len(t), *means.shape)
    logits = weights.log().expand(len(t), -1)
    return MixtureSameFamily(
        Categorical(logits=logits), Independent(Normal(decay * means, scale), 1), validate_args=False
    )


def right_score(x, t, means, std, weights, law=moments):
    """The gradient of its log-density."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(noised(law, t, means, std, weights).log_prob(x).sum(), x)[0]


def draw_mixture(draw, K, d):
    """Centres about two spreads apart, and weights far from equal."""
    std = float(draw.uniform(1, low=0.3, high=0.8))
    weights = draw.uniform(K, low=0.2, high=1.0) ** 2
    return 3 * std * draw.normal(K, d), std, weights / weights.sum()


def draw_points(draw, t, means, std):
    """Points where the noised mixture is, and between its components."""
    decay, spread = (v[:, None] for v in moments(t))
    x0 = means[draw.integers(0, len(means), len(t))] + std * draw.normal(len(t), means.shape[1])
    return decay * x0 + spread * draw.normal(len(t), means.shape[1])


@check(points=1, covers=("score", "noised_score"))
def test_noised_score(student, expect, compare, draw):
    """The score of a noised mixture is the gradient of its log-density, each row at its own time."""
    accepted = moments_to_accept(student, expect, draw)
    square = draw.integer(3, 4)

    def judge(x, t, mixture, given, what, **near):
        values = [right_score(x, t, *mixture, law=law) for law in accepted]
        agree(expect, compare, student.noised_score(x, given, *mixture), values, what, **near)

    for K, (B, d) in zip((draw.integer(3, 6), square, 1, draw.integer(2, 4)), batches(draw), strict=True):
        mixture = draw_mixture(draw, K, d)
        t = draw_times(draw, B, *WIDE)
        what = _("noised_score(x, t, means, std, weights), {K} components in {d} dimensions").format(K=K, d=d)
        judge(draw_points(draw, t, *mixture[:2]), t, mixture, t, what)
    mixture = draw_mixture(draw, square, square)
    for number in (0.0, round(float(draw.uniform(1, low=0.2, high=0.9)), 3)):
        t = torch.full((square,), number, dtype=torch.float64)
        what = f"noised_score(x, {number}, means, std, weights)"
        judge(draw_points(draw, t, *mixture[:2]), t, mixture, number, what, rtol=1e-4, atol=1e-5)


@check(points=0.5, covers=("far", "noised_score"), substance={"noised_score": ("noised_score",)})
def test_noised_score_far(student, each, expect, draw):
    """Far from all centres the score is finite and points back to them."""
    B, d = draw.integer(4, 7), draw.integer(2, 3)
    means, std, weights = draw_mixture(draw, draw.integer(2, 4), d)
    t = draw_times(draw, B, WIDE[0], 0.2)
    way = draw.normal(B, d)
    x = means.mean(0) + (60 + 30 * draw.uniform(B, 1)) * way / way.norm(dim=1, keepdim=True)
    what, hint = "noised_score(x far away, ...)", _("The probabilities of the components are a softmax of logarithms.")
    with each("noised_score"):
        score = expect.tensor(student.noised_score(x, t, means, std, weights), (B, d), what, hint=hint)
        right = right_score(x, t, means, std, weights)
        aligned = torch.nn.functional.cosine_similarity(score, right, dim=1).abs()
        expect.true(
            bool((aligned > 0.99).all()),
            _("{what}: far away the score lies along the line to the nearest centres; yours does not.").format(
                what=what
            ),
            hint,
        )
