"""Continuations of a start: the most likely one, and drawn ones judged by their transitions."""

from __future__ import annotations

from itertools import pairwise

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics.tests import chi_square_transitions

ALPHA = 1e-6  # a correct sampler fails a check less than once in 100,000 times


def chain(draw, n, order=1):
    """Positive transition probabilities, far from uniform."""
    weights = draw.uniform(*(n,) * (order + 1)) ** 2 + 0.04
    return weights / weights.sum(-1, keepdim=True)


@check(points=0.5, covers=("most_likely", "most_likely_sequence"))
def test_most_likely_order_1(student, reference, compare, draw, expect):
    """At order 1 the most probable transitions are followed; `length` items, start included."""
    n = draw.integer(5, 9)
    P = chain(draw, n)
    for length in (1, draw.integer(3, 5), draw.integer(8, 12)):
        start = draw.integer(0, n - 1)
        what = f"most_likely_sequence({start}, P, {length})"
        path = expect.integers(student.most_likely_sequence(start, P, length), what, length=length)
        compare(path, reference.most_likely_sequence(start, P, length), what)


@check(points=0.5, covers=("most_likely", "most_likely_sequence"))
def test_most_likely_order_2(student, reference, compare, draw, expect):
    """At order 2 the context is the last two states, oldest first."""
    n = draw.integer(4, 6)
    P = chain(draw, n, order=2)
    for _k in range(3):
        start, length = [draw.integer(0, n - 1), draw.integer(0, n - 1)], draw.integer(6, 12)
        what = f"most_likely_sequence({start}, P, {length})"
        path = expect.integers(student.most_likely_sequence(start, P, length), what, length=length)
        compare(path, reference.most_likely_sequence(start, P, length), what)


@check(points=0.5, covers=("ties", "most_likely_sequence"))
def test_most_likely_tie(student, reference, compare, draw, expect):
    """The first index wins a tie."""
    n = draw.integer(5, 8)
    P = torch.full((n, n), 1.0 / 64, dtype=torch.float64)
    for i in range(n):
        first, second, *_rest = draw.shuffle(range(n))
        P[i, first] = P[i, second] = (1 - (n - 2) / 64) / 2
    for start in draw.shuffle(range(n))[:4]:
        what = f"most_likely_sequence({start}, P with ties, 4)"
        path = expect.integers(student.most_likely_sequence(start, P, 4), what, length=4)
        compare(path, reference.most_likely_sequence(start, P, 4), what)


@check(
    points=0.5,
    covers=("dead_ends", "most_likely_sequence", "sample_sequence"),
    substance={"most_likely_sequence": ("most_likely_order_1",), "sample_sequence": ("sampled_frequencies",)},
)
def test_dead_ends(student, reference, each, compare, draw, expect):
    """A sequence, most likely or drawn, ends at a context without successor."""
    n = draw.integer(5, 7)
    P = chain(draw, n).triu(1)  # only upwards, so that every path ends at the last state
    P[:-1] /= P[:-1].sum(-1, keepdim=True)
    order = torch.tensor(draw.shuffle(range(n)))
    P = P[order][:, order]
    last = int((order == n - 1).nonzero())
    with each("most_likely_sequence"):
        for start in draw.shuffle(range(n))[:3]:
            what = f"most_likely_sequence({start}, P with a dead end, 20)"
            path = expect.integers(student.most_likely_sequence(start, P, 20), what)
            compare(path, reference.most_likely_sequence(start, P, 20), what)
    with each("sample_sequence"):
        for start in (draw.integer(0, n - 1) for _k in range(5)):
            what = f"sample_sequence({start}, P with a dead end, 20)"
            answer = student.sample_sequence(start, P, 20, generator=draw.generator())
            path = expect.integers(answer, what, low=0, high=n - 1)
            allowed = all(P[a, b] > 0 for a, b in pairwise(path))
            expect.true(
                path[:1] == [start] and path[-1] == last and allowed,
                _("{what}: expected a path from the start to the dead end and no further, got {n} items.").format(
                    what=what, n=len(path)
                ),
            )


def judge_sampler(student, reference, draw, expect, P, start, length, wrong):
    """Compare the transitions of one long drawn sequence with P."""
    n = P.shape[-1]
    what = f"sample_sequence({start}, P, {length})"
    answer = student.sample_sequence(start, P, length, generator=draw.generator())
    path = expect.integers(answer, what, length=length, low=0, high=n - 1)
    context = [start] if isinstance(start, int) else start
    expect.true(
        path[: len(context)] == context,
        _("{what}: the sequence does not begin with its start.").format(what=what),
    )
    p = chi_square_transitions(path, P)
    mistake = None
    if p < ALPHA:
        if path == reference.most_likely_sequence(start, P, length):
            mistake = "argmax_for_sampling"
        else:
            fits = {name: chi_square_transitions(path, law) for name, law in wrong.items()}
            best = max(fits, key=fits.get)
            mistake = best if fits[best] > 1e-4 else None
    expect.p_value(p, _("the transitions of {what}").format(what=what), alpha=ALPHA, mistake=mistake)


@check(points=1, kind="statistical", covers=("sampling", "sample_sequence"))
def test_sampled_frequencies(student, reference, draw, expect):
    """At order 1 a drawn sequence takes each transition as often as P says."""
    n = draw.integer(4, 6)
    P = chain(draw, n)
    for i in range(n):  # some impossible transitions
        P[i, draw.integer(0, n - 1)] = 0
    P /= P.sum(-1, keepdim=True)
    start = draw.integer(0, n - 1)
    possible = (P > 0).double()
    wrong = {
        "uniform_sampling": possible / possible.sum(-1, keepdim=True),
        "softmax_of_probabilities": P.softmax(-1),
        "sampled_from_start_only": P[start].expand(n, n),
    }
    judge_sampler(student, reference, draw, expect, P, start, draw.integer(3000, 3500), wrong)


@check(points=0.5, kind="statistical", covers=("sampling", "sample_sequence"))
def test_sampled_order_2(student, reference, draw, expect):
    """At order 2 a drawn sequence takes each transition as often as P says after its two last states."""
    n = 3
    P = chain(draw, n, order=2)
    start = [draw.integer(0, n - 1), draw.integer(0, n - 1)]
    wrong = {
        "sampled_context_reversed": P.transpose(0, 1),
        "uniform_sampling": torch.full_like(P, 1 / n),
        "softmax_of_probabilities": P.softmax(-1),
        "sampled_from_start_only": P[tuple(start)].expand(n, n, n),
    }
    judge_sampler(student, reference, draw, expect, P, start, draw.integer(3000, 3500), wrong)


@check(points=0.5, requires=("sampled_frequencies",), covers=("generator", "sample_sequence"))
def test_sampled_fresh(student, draw, expect):
    """The draws come from the generator given, or from the global one; nothing is seeded inside."""
    n, length = draw.integer(5, 8), draw.integer(60, 80)
    P = chain(draw, n)
    start, seed, other = 0, draw.seed(), draw.seed()
    what = "sample_sequence(start, P, length, generator=generator)"
    same = [
        expect.integers(
            student.sample_sequence(start, P, length, generator=torch.Generator().manual_seed(s)),
            what,
            length=length,
        )
        for s in (seed, seed, other)
    ]
    expect.true(same[0] == same[1], _("{what}: two generators of one seed give two sequences.").format(what=what))
    expect.true(same[0] != same[2], _("{what}: generators of two seeds give one sequence.").format(what=what))
    what = "sample_sequence(start, P, length)"
    two = [expect.integers(student.sample_sequence(start, P, length), what, length=length) for _k in range(2)]
    expect.true(two[0] != two[1], _("{what}: two calls give one sequence.").format(what=what))
