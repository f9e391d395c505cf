"""The mask, attention, its heads, and positions: against torch's own softmax, in float64."""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.judge.verdicts import StudentError
from autograder.language import _


def by_hand(probe, expect, function, name, *given, **options):
    """The answer of a function that may not call torch's own attention; elsewhere that is welcome."""
    answer, library = expect.sequence(probe.by_hand(function, *given, **options), 2, name)
    expect.true(
        library == [],
        _("{name} calls {library}, which may not be used here: write it yourself.").format(
            name=name, library=", ".join(expect.strings(library, name))
        ),
    )
    return answer


def right_attention(q, k, v, mask=None):
    """Output and weights."""
    scores = torch.einsum("...td,...sd->...ts", q, k) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(-1)
    return torch.einsum("...ts,...sd->...td", weights, v), weights


def random_mask(draw, *shape):
    """A mask of which every row has a True and, mostly, a False; hardly ever the causal one."""
    mask = draw.uniform(*shape) < 0.6
    kept = draw.integers(0, shape[-1], *shape[:-1])
    return mask | torch.nn.functional.one_hot(kept, shape[-1]).bool()


@check(points=0.5, covers=("mask", "causal_mask"))
def test_causal_mask(student, compare, draw):
    """The causal mask is True where query i may look: at the keys 0..past + i."""
    for n, past in ((draw.integer(3, 6), 0), (draw.integer(2, 5), draw.integer(2, 6)), (1, draw.integer(1, 6)), (1, 0)):
        right = torch.arange(past + n) <= past + torch.arange(n)[:, None]
        compare(student.causal_mask(n, past=past) if past else student.causal_mask(n), right)


def arguments(draw, batch, size=1.5):
    """q, k, v with T != S and d_v != d_k."""
    T, S = draw.shuffle(range(3, 8))[:2]
    d_k, d_v = draw.shuffle([2, 3, 5, 6, 7])[:2]
    return size * draw.normal(*batch, T, d_k), draw.normal(*batch, S, d_k), draw.normal(*batch, S, d_v)


def judge(expect, compare, answer, right, what):
    """Both parts of an answer."""
    output, weights = expect.sequence(answer, 2, what)
    compare(weights, right[1], _("the weights of {what}").format(what=what))
    compare(output, right[0], _("the output of {what}").format(what=what))


@check(points=1, covers=("scores", "attention"))
def test_attention_value(student, probe, expect, compare, draw):
    """Attention is the softmax over the keys of the scores divided by √d_k, times the values."""
    for batch in ((), (draw.integer(2, 3),), (2, draw.integer(2, 3))):
        q, k, v = arguments(draw, batch)
        answer = by_hand(probe, expect, student.attention, "attention", q, k, v)
        judge(expect, compare, answer, right_attention(q, k, v), "attention(q, k, v)")


def follows(own, right):
    """Whether an answer goes with the right one: of about its size, and correlated with it."""
    if own.shape != right.shape or not own.isfinite().all():
        return False
    a, b = own.double().flatten(), right.double().flatten()
    ratio = float(a.norm() / b.norm())
    return 0.2 < ratio < 5 and float(torch.corrcoef(torch.stack([a, b]))[0, 1]) > 0.5


def shown(weights, mask, v):
    """Output and weights where a mask shows only some of them: those, normalised again."""
    left = weights * mask
    left = left / left.sum(-1, keepdim=True)
    return left @ v, left


def right_or_own(student, answer, q, k, v, mask):
    """What is right with a mask; where the student's own weights without one are wrong, what is left of those.

    Wrong scores have a check of their own.
    """
    weights = right_attention(q, k, v)[1]
    right = shown(weights, mask, v)
    whole = student.attention(q, k, v)
    if all(isinstance(x, list | tuple) and len(x) == 2 and isinstance(x[1], torch.Tensor) for x in (answer, whole)):
        got, own = answer[1].double(), whole[1].double()
        if got.shape == right[1].shape and follows(own, weights):
            left = shown(own, mask, v)
            return left if torch.allclose(got, left[1], rtol=1e-5) else right
    return right


@check(points=0.75, covers=("hidden", "attention"))
def test_attention_masked(student, probe, expect, compare, draw):
    """Weights that the mask hides are exactly 0, and those that are left sum to 1."""
    B, H = 2, draw.integer(2, 3)
    q, k, v = arguments(draw, (B, H))
    T, S = q.shape[-2], k.shape[-2]
    for shape in ((T, S), (B, 1, T, S), (B, H, T, S), (1, S)):
        mask = random_mask(draw, *shape)
        what = _("attention(q, k, v, mask) with a mask of shape {shape}").format(shape=shape)
        answer = by_hand(probe, expect, student.attention, "attention", q, k, v, mask=mask)
        judge(expect, compare, answer, right_or_own(student, answer, q, k, v, mask), what)
        weights = expect.tensor(expect.sequence(answer, 2, what)[1], (B, H, T, S), what)
        expect.true(
            (weights[~mask.expand(weights.shape)] == 0).all(),
            _("{what}: weights that the mask hides are small, but not exactly 0.").format(what=what),
            hint=_("Put -inf in the place of hidden scores, before the softmax."),
        )


@check(points=0.25, covers=("large", "attention"))
def test_attention_large(student, probe, expect, compare, draw):
    """Scores of any size overflow nothing, and what the mask hides stays hidden beside the lowest of them."""
    for masked in (False, True):
        # So large that each row has one weight of 1, whatever the scores are divided by: that has its own check.
        q, k, v = arguments(draw, (2,), size=1e12)
        # All scores of the last query are very low: a number in the place of -inf would be the largest of them.
        q[:, -1], k[..., 0] = 0.0, 1 + k[..., 0].abs()
        q[:, -1, 0] = -1e12
        mask = None
        if masked:
            mask = random_mask(draw, q.shape[-2], k.shape[-2])
            best = int(k[0, :, 0].argmin())
            mask[-1] |= torch.arange(len(mask[-1])) != best
            mask[-1, best] = False
        options = {"mask": mask} if masked else {}
        answer = by_hand(probe, expect, student.attention, "attention", q, k, v, **options)
        call = "attention(q, k, v, mask)" if masked else "attention(q, k, v)"
        what = _("{call} with scores of about 10^12").format(call=call)
        judge(expect, compare, answer, right_attention(q, k, v, mask), what)


def heads(x, weights, H, mask=None, one=right_attention):
    """Output and weights of several heads, each of them by `one`."""
    B, T, D = x.shape
    d = D // H
    w_q, w_k, w_v, w_o = weights
    found = []
    for h in range(H):
        columns = slice(h * d, (h + 1) * d)
        q, k, v = (x @ w[:, columns] for w in (w_q, w_k, w_v))
        found.append(one(q, k, v, None if mask is None else mask.expand(B, H, T, T)[:, h]))
    return torch.cat([output for output, _weights in found], -1) @ w_o, torch.stack([w for _output, w in found], 1)


def own_attention(student):
    """The student's own attention, where it has an answer: a wrong one has checks of its own."""

    def one(q, k, v, mask):
        answer = student.attention(q, k, v) if mask is None else student.attention(q, k, v, mask=mask)
        right = right_attention(q, k, v, mask)
        if not isinstance(answer, list | tuple) or len(answer) != 2:
            raise ValueError("no pair")
        for got, wanted in zip(answer, right, strict=True):
            if not isinstance(got, torch.Tensor) or not follows(got, wanted):
                raise ValueError("not near the right one")
        return answer[0].double(), answer[1].double()

    return one


def judge_heads(student, expect, compare, answer, x, weights, H, mask, what):
    """Right, or what follows from an attention of the student's own that is nearly right."""
    right = heads(x, weights, H, mask)
    output, shares = expect.sequence(answer, 2, what)
    output = expect.tensor(output, right[0].shape, _("the output of {what}").format(what=what), finite=False)
    shares = expect.tensor(shares, right[1].shape, _("the weights of {what}").format(what=what), finite=False)
    if not torch.allclose(output, right[0], rtol=1e-5, atol=1e-7):
        try:
            own = heads(x, weights, H, mask, own_attention(student))
        except (StudentError, ValueError):
            own = right
        if torch.allclose(output, own[0], rtol=1e-4) and torch.allclose(shares, own[1], rtol=1e-4):
            return
    compare(shares, right[1], _("the weights of {what}").format(what=what))
    compare(output, right[0], _("the output of {what}").format(what=what))


def draw_heads(draw, H, D):
    """x and four matrices."""
    B, T = draw.shuffle([2, 3, 5, 6])[:2]
    return draw.normal(B, T, D), tuple(draw.normal(D, D) / math.sqrt(D) * 1.5 for _k in range(4))


@check(points=1, covers=("heads", "multi_head_attention"))
def test_heads_value(student, probe, expect, compare, draw):
    """Each head attends in its own columns of x W; heads stand side by side, times W_o."""
    for H, D in ((1, 8), (draw.choice((2, 4)), 8), (4, 16)):
        x, weights = draw_heads(draw, H, D)
        what = f"multi_head_attention(x, w_q, w_k, w_v, w_o, n_heads={H})"
        answer = by_hand(probe, expect, student.multi_head_attention, "multi_head_attention", x, *weights, n_heads=H)
        judge_heads(student, expect, compare, answer, x, weights, H, None, what)


@check(points=0.25, covers=("heads_mask", "multi_head_attention"), requires=("heads_value",))
def test_heads_masked(student, probe, expect, compare, draw):
    """A mask broadcasts over batch and heads."""
    H = 2
    x, weights = draw_heads(draw, H, 8)
    B, T, _D = x.shape
    for shape in ((T, T), (B, 1, T, T), (1, H, T, T)):
        mask = random_mask(draw, *shape)
        what = _("multi_head_attention with a mask of shape {shape}").format(shape=shape)
        answer = by_hand(
            probe, expect, student.multi_head_attention, "multi_head_attention", x, *weights, n_heads=H, mask=mask
        )
        judge_heads(student, expect, compare, answer, x, weights, H, mask, what)


@check(points=0.5, covers=("positions", "sinusoidal_positions"))
def test_positions(student, compare, draw):
    """Columns 2i and 2i + 1 are sine and cosine of t / 10000^(2i/D), t from 0."""
    for n, D in ((draw.integer(5, 12), 8), (draw.integer(30, 60), 8 * draw.integer(2, 8)), (1, 16)):
        angles = torch.arange(n, dtype=torch.float64)[:, None] / 10000 ** (torch.arange(0, D, 2).double() / D)
        right = torch.stack([angles.sin(), angles.cos()], 2).flatten(1)
        compare(student.sinusoidal_positions(n, D), right, rtol=1e-4, atol=1e-4)
