"""The gradient penalty on critics whose gradient is known on paper.

Where the penalty depends on the interpolates, it is judged at the student's own, so that a fault in `interpolates`
does not cost the penalty's points as well. Where its value is another check's business, it must still be a function of
the critic's slopes: the same for critics that differ by a constant, or only in how they are written.
"""

import math

import torch

from autograder.judge import check
from autograder.language import _

CALL = "gradient_penalty(critic, real, fake, eps)"


def points_between(student, expect, real, fake, eps):
    """The student's interpolates where they are usable, the right ones elsewhere."""
    try:
        return expect.tensor(student.interpolates(real, fake, eps), tuple(real.shape), "interpolates")
    except AssertionError:
        return eps * real + (1 - eps) * fake


@check(points=1, kind="exact", covers=("penalty", "gradient_penalty"))
def test_penalty_linear(student, probe, compare, expect, draw):
    """For D(x) = w·x the penalty is (‖w‖ - 1)², whatever the batch."""
    for size in (0.2 + 0.6 * draw.uniform(1), 1.5 + 2 * draw.uniform(1)):
        n, dim = draw.integer(3, 12), draw.integer(2, 6)
        direction = draw.normal(dim)
        weight = size * direction / direction.norm()
        real, fake, eps = draw.normal(n, dim), draw.normal(n, dim), draw.uniform(n, 1)
        answer = student.gradient_penalty(probe.linear_critic(weight), real, fake, eps)
        value, norm = expect.number(answer, CALL), float(size)
        hint = ""
        if abs(value - (norm / n - 1) ** 2) < 1e-5:
            hint = _("Differentiate the sum of the scores: their mean divides every gradient by the batch size.")
        elif abs(value - 10 * (norm - 1) ** 2) < 1e-5:
            hint = _("The weight belongs to the training loop: gradient_penalty answers the penalty alone.")
        compare(answer, torch.tensor((norm - 1) ** 2), what=CALL, rtol=1e-5, atol=1e-5, hint=hint)


@check(points=1.5, kind="exact", covers=("penalty", "gradient_penalty"))
def test_penalty_quadratic(student, probe, compare, expect, draw):
    """For D(x) = ½ x·Ax + b·x the penalty is the mean of (‖∇D(x̂)‖ - 1)² over the interpolates x̂."""
    for _round in range(3):
        n, dim = draw.integer(4, 12), draw.integer(2, 5)
        matrix, vector = draw.normal(dim, dim), draw.normal(dim)
        real, fake, eps = draw.normal(n, dim), 1 + draw.normal(n, dim), draw.uniform(n, 1)
        points = eps * real + (1 - eps) * fake

        def norms(points, matrix, vector):
            return (points @ (0.5 * (matrix + matrix.T)) + vector).square().sum(1).sqrt()  # (n,)

        # Half of the norms below 1 and half above: a penalty that forgets one side shows.
        middle = norms(points, matrix, vector).quantile(0.5)
        matrix, vector = matrix / middle, vector / middle
        own_points = points_between(student, expect, real, fake, eps)
        own = ((norms(own_points, matrix, vector) - 1) ** 2).mean()
        right = ((norms(points, matrix, vector) - 1) ** 2).mean()
        answer = student.gradient_penalty(probe.quadratic_critic(matrix, vector), real, fake, eps)
        value = expect.number(answer, CALL)
        near_own = abs(value - float(own)) <= 1e-4 * (1 + float(own))
        compare(answer, own if near_own else right, what=CALL, rtol=1e-5, atol=1e-5)


def rewritten(draw, weight, bias, out):
    """The weights of v·tanh(Wx + c) with a unit split in two halves and one of no consequence, in another order."""
    order = torch.tensor(draw.shuffle(range(len(out) + 2)))
    return [
        torch.cat([weight, weight[:1], draw.normal(1, weight.shape[1])])[order],
        torch.cat([bias, bias[:1], draw.normal(1)])[order],
        torch.cat([0.5 * out[:1], out[1:], 0.5 * out[:1], torch.zeros(1, dtype=torch.float64)])[order],
    ]


@check(points=1, kind="exact", covers=("penalty_gradient", "gradient_penalty"))
def test_penalty_weight_gradient(student, probe, expect, draw):
    """The penalty can be differentiated with respect to the critic's weights."""
    n, dim, hidden = draw.integer(4, 10), draw.integer(2, 4), 5
    weights = [draw.normal(hidden, dim), draw.normal(hidden), draw.normal(hidden)]
    # Every interpolate is this one point: where they lie is the business of other checks, and scores that differ from
    # sample to sample cannot stand for slopes.
    real, eps = draw.normal(1, dim).expand(n, dim).clone(), draw.uniform(n, 1)
    fake = real.clone()
    answer = probe.penalty_and_gradients(student.gradient_penalty, probe.tanh_critic(*weights), real, fake, eps)
    _value, gradients = expect.sequence(answer, 2, CALL)
    gradients = expect.sequence(gradients, len(weights), CALL)
    for gradient, weight in zip(gradients, weights, strict=True):
        expect.true(
            gradient is not None,
            _("{what}: no gradient reaches the critic's weights.").format(what=CALL),
            hint=_("torch.autograd.grad needs create_graph=True, and nothing may be detached afterwards."),
        )
        expect.tensor(gradient, tuple(weight.shape), _("gradient of the penalty"))

    def value(weights, offset=0.0):
        critic = probe.tanh_critic(*weights, offset)
        return expect.number(student.gradient_penalty(critic, real, fake, eps), CALL)

    # Against central differences of the student's own penalty: its value is the business of other checks.
    step = 1e-3
    slopes = []
    for _round in range(2):
        directions = [draw.normal(*weight.shape) for weight in weights]
        ends = [value([w + sign * step * d for w, d in zip(weights, directions, strict=True)]) for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * step)
        along = [float((g.double() * d).sum()) for g, d in zip(gradients, directions, strict=True)]
        scale = sum(abs(a) for a in along) + abs(slope)
        slopes.append(scale)
        expect.true(
            abs(sum(along) - slope) <= 1e-3 * scale + 1e-6,
            _("{what}: its gradient with respect to the critic's weights does not fit its values.").format(what=CALL),
            hint=_("Something on the way from the weights to the penalty is detached or computed without a graph."),
        )
    same = [value(weights), value(weights, float(3 * draw.normal(1))), value(rewritten(draw, *weights))]
    expect.true(
        max(slopes) > 1e-3 and max(same) - min(same) <= 1e-6 * (1 + abs(same[0])),
        _("{what}: it is not made of the critic's gradients at the points.").format(what=CALL),
        hint=_("It changes with the slopes of the critic, and with nothing else: not with the scores themselves."),
    )


@check(points=0.5, kind="exact", covers=("flat", "gradient_penalty"))
def test_penalty_flat(student, probe, compare, expect, draw):
    """Where the critic is flat, the penalty and its gradient are finite."""
    n, dim = 2 * draw.integer(2, 5), draw.integer(2, 4)
    weight = draw.normal(dim)
    weight = 3 * weight / weight.norm()
    eps = draw.uniform(n, 1)
    low = 0.1 * draw.normal(n, dim) - 3 * weight  # D = max(0, w·x) is flat at all of them
    half, far = low.clone(), low.clone()
    half[n // 2 :] += 6 * weight  # the second half lies on the slope, of norm 3
    far[n // 2 :] += 9 * weight  # and here farther up, on the same slope
    offset = float(2 + draw.normal(1).abs())
    cases = (
        (probe.cut_critic(weight), low), (probe.cut_critic(weight), half), (probe.cut_critic(weight, offset), half),
        (probe.cut_critic(weight), far), (probe.linear_critic(0 * weight), low),
    )  # fmt: skip
    values = []
    for critic, points in cases:
        answer = probe.penalty_and_gradients(student.gradient_penalty, critic, points, points.clone(), eps)
        got, gradients = expect.sequence(answer, 2, CALL)
        values.append(expect.number(got, CALL))
        expect.true(
            math.isfinite(values[-1]),
            _("{what}: not a finite number where the critic is flat at some samples.").format(what=CALL),
        )
        for gradient in gradients if isinstance(gradients, list | tuple) else [gradients]:
            if gradient is not None:
                expect.tensor(
                    gradient,
                    what=_("gradient of the penalty where the critic is flat"),
                    hint=_("The derivative of a square root at 0 is infinite: use Tensor.norm, or add 1e-12 inside."),
                )
    # The value is the business of other checks; that it sees the slope of half of the samples, and no score, is not.
    expect.true(
        abs(values[0] - values[1]) > 1e-3 and max(values[1:4]) - min(values[1:4]) <= 1e-6 * (1 + abs(values[1])),
        _("{what}: it is not made of the critic's gradients at the points.").format(what=CALL),
    )
