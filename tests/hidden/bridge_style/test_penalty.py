"""The Sinkhorn divergence and Langevin steps that it penalises.

What builds on `schrodinger_coupling` is compared with the right couplings, and with the student's own where these come
near: a wrong coupling costs its own points.
"""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.judge.verdicts import StudentError
from autograder.language import _

ENOUGH = {"n_iterations": 20000, "tolerance": 1e-11}


def draw_clouds(draw, reference, epsilon):
    """Two clouds of different sizes, about as wide as 1, whose plans 700 iterations find."""
    for _k in range(500):
        n, m, d = draw.integer(6, 9), draw.integer(10, 13), draw.integer(2, 3)
        x, y = draw.normal(n, d), 0.8 * draw.normal(m, d) + 0.7
        plans = [
            reference.schrodinger_coupling(u, v, math.sqrt(epsilon / 2), n_iterations=700)[0]
            for u, v in ((x, x), (y, y), (x, y))
        ]
        if max(float((p.sum(1) - 1 / len(p)).abs().sum()) for p in plans) < 1e-8:
            return x, y
    raise RuntimeError(f"no clouds whose plans are found at epsilon {epsilon}")


def right_coupling(reference):
    def coupling(x, y, epsilon):
        return reference.schrodinger_coupling(x, y, math.sqrt(epsilon / 2), **ENOUGH)

    return coupling


def own_coupling(student):
    """The student's coupling; None where it gives no plan and potentials of the right shapes."""

    def coupling(x, y, epsilon):
        try:
            answer = student.schrodinger_coupling(x, y, math.sqrt(epsilon / 2), n_iterations=5000)
        except StudentError:
            return None
        shapes = ((len(x), len(y)), (len(x),), (len(y),))
        if not isinstance(answer, list | tuple) or len(answer) != 3:
            return None
        for value, shape in zip(answer, shapes, strict=True):
            if not isinstance(value, torch.Tensor) or value.shape != shape or not value.isfinite().all():
                return None
        return tuple(value.double() for value in answer)

    return coupling


def divergence(coupling, x, y, epsilon, bias=0.5):
    """OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2, of the potentials."""
    total = 0.0
    for u, v, factor in ((x, y, 1.0), (x, x, -bias), (y, y, -bias)):
        found = coupling(u, v, epsilon)
        if found is None:
            return None
        total = total + factor * (found[1].mean() + found[2].mean())
    return total


def pull(coupling, x, y, epsilon, divided=True):
    """T_xy(x) - T_xx(x); a plan whose rows are not right yet is divided by their sums, or by the masses."""
    to_target, to_itself = coupling(x, y, epsilon), coupling(x, x, epsilon)
    if to_target is None or to_itself is None:
        return None
    images = []
    for plan, z in ((to_target[0], y), (to_itself[0], x)):
        rows = plan.sum(1, keepdim=True).clamp_min(1e-12) if divided else 1 / len(x)
        images.append(plan @ z / rows)
    return images[0] - images[1]


def near(own, right):
    """Whether a value of the student's own coupling follows the right one: of about its direction and its size."""
    if own is None or not bool(own.isfinite().all()):
        return False
    if right.dim() == 0:
        return 0.2 < float(own / right) < 5
    cosine = float((own * right).sum() / (own.norm() * right.norm()).clamp_min(1e-12))
    return cosine > 0.8 and 0.5 < float(own.norm() / right.norm()) < 2


def varies(own, right):
    """Whether a pull follows the right one from point to point: one way for all of them transports nothing."""
    own, right = own - own.mean(0), right - right.mean(0)
    return float((own * right).sum()) > 0.3 * float(own.norm() * right.norm()) > 0.03 * float(right.norm()) ** 2


def fits(answer, value):
    return value is not None and torch.allclose(answer, value, rtol=1e-5, atol=1e-6)


@check(points=1, covers=("divergence", "sinkhorn_divergence"))
def test_divergence_value(student, reference, expect, compare, draw):
    """The divergence is made of entropic costs with their entropy, debiased on both sides, and 0 at y = x."""
    for epsilon in (1.0, 4.0, round(float(draw.uniform(1, low=1.3, high=3.0)), 2)):
        x, y = draw_clouds(draw, reference, epsilon)
        what = f"sinkhorn_divergence(x, y, {epsilon}, n_iterations=5000)"
        answer = expect.number(student.sinkhorn_divergence(x, y, epsilon, n_iterations=5000), what)
        right = divergence(right_coupling(reference), x, y, epsilon)
        if not fits(torch.tensor(answer).double(), right):
            own = divergence(own_coupling(student), x, y, epsilon)
            if not near(own, right) or not fits(torch.tensor(answer).double(), own):
                compare(answer, right, what, rtol=1e-5, atol=1e-6)
    same = student.sinkhorn_divergence(x, x[torch.tensor(draw.shuffle(range(len(x))))], epsilon, n_iterations=5000)
    compare(same, torch.zeros(()).double(), _("divergence of a cloud from itself, in another order"), atol=1e-6)


@check(points=0.25, covers=("langevin", "penalised_step"))
def test_penalised_langevin(student, reference, compare, draw):
    """Without weight, a step is Langevin's: step times the score, and sqrt(2 step) times the noise."""
    for _k in range(2):
        x, y = draw_clouds(draw, reference, 2.0)
        score, noise, step = draw.normal(*x.shape), draw.normal(*x.shape), round(float(draw.uniform(1, high=0.2)), 3)
        answer = student.penalised_step(x, score, y, step, 0.0, 2.0, noise)
        compare(answer, x + step * score + math.sqrt(2 * step) * noise)


@check(points=1.25, covers=("pull", "penalised_step"))
def test_penalised_pull(student, reference, expect, compare, draw):
    """The penalty pulls each point to its image in the target, and away from its image in its own cloud."""
    for epsilon in (1.0, round(float(draw.uniform(1, low=1.5, high=4.0)), 2)):
        x, y = draw_clouds(draw, reference, epsilon)
        score, noise = draw.normal(*x.shape), draw.normal(*x.shape)
        step, weight = 0.05, round(float(draw.uniform(1, low=2.0, high=9.0)), 2)
        what = f"penalised_step(x, score, y, {step}, {weight}, {epsilon}, noise)"
        answer = expect.tensor(student.penalised_step(x, score, y, step, weight, epsilon, noise), x.shape, what)
        plain = x + step * score + math.sqrt(2 * step) * noise
        right = pull(right_coupling(reference), x, y, epsilon)
        if fits(answer, plain + step * weight * right):
            continue
        own = [pull(own_coupling(student), x, y, epsilon, divided) for divided in (True, False)]
        accepted = [right, *(p for p in own if near(p, right) and varies(p, right))]
        if any(fits(answer, plain + step * weight * p) for p in accepted):
            continue
        # Where the noise or the step itself is wrong, another check says so: here counts what the weight adds.
        without = expect.tensor(student.penalised_step(x, score, y, step, 0.0, epsilon, noise), x.shape, what)
        if not any(fits(answer - without, step * weight * p) for p in accepted):
            compare(answer, plain + step * weight * right, what, rtol=1e-5, atol=1e-6)
