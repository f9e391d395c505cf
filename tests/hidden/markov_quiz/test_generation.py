"""Continuations of a start: the most likely one, and drawn ones judged by their transitions."""

from __future__ import annotations

from itertools import pairwise

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics.tests import chi_square, chi_square_transitions

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
    """At orders 2 and 3 the context is the last states, oldest first."""
    n = draw.integer(4, 6)
    tables = {order: chain(draw, n, order) for order in (2, 3)}
    for order in (2, 2, 3):
        P, length = tables[order], draw.integer(6, 12)
        start = [draw.integer(0, n - 1) for _i in range(order)]
        what = f"most_likely_sequence({start}, P, {length})"
        path = expect.integers(student.most_likely_sequence(start, P, length), what, length=length)
        compare(path, reference.most_likely_sequence(start, P, length), what)


@check(points=0.5, covers=("ties", "most_likely_sequence"))
def test_most_likely_tie(student, reference, compare, draw, expect):
    """The first index wins a tie."""
    n = draw.integer(5, 8)
    tied = [draw.shuffle(range(n))[:2] for _i in range(n)]
    while max(sum(min(pair) == j for pair in tied) for j in range(n)) > 3:  # one state guessed for all four starts
        tied = [draw.shuffle(range(n))[:2] for _i in range(n)]
    P = torch.full((n, n), 1.0 / 64, dtype=torch.float64)
    for i, pair in enumerate(tied):
        P[i, pair] = (1 - (n - 2) / 64) / 2
    for start in draw.shuffle(range(n))[:4]:
        what = f"most_likely_sequence({start}, P with ties, 4)"
        path = expect.integers(student.most_likely_sequence(start, P, 4), what, length=4)
        compare(path, reference.most_likely_sequence(start, P, 4), what)
    # At order 2 the same two states are tied after every context: which one is read is judged elsewhere.
    P = (1 + draw.uniform(n, n, n)) / 64
    first, second, *_rest = draw.shuffle(range(n))
    P[..., first] = P[..., second] = 0
    P[..., first] = P[..., second] = (1 - P.sum(-1)) / 2
    start = [draw.integer(0, n - 1), draw.integer(0, n - 1)]
    what = f"most_likely_sequence({start}, P of order 2 with ties, 5)"
    path = expect.integers(student.most_likely_sequence(start, P, 5), what, length=5)
    compare(path, reference.most_likely_sequence(start, P, 5), what)


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
    # The same at order 2. The larger of the two states decides: which one comes first is judged elsewhere.
    level = torch.arange(n)
    of_order_2 = P[torch.maximum(level[:, None], level)]
    order = torch.tensor(draw.shuffle(range(n)))
    P, of_order_2 = P[order][:, order], of_order_2[order][:, order][:, :, order]
    rank = order.argsort().tolist()  # where the states of each level are now
    last = rank[n - 1]

    def ends_there(answer, start, table, what):
        """The path begins with its start, takes possible steps, and goes on to the dead end and no further."""
        path, m = expect.integers(answer, what, low=0, high=n - 1), len(start)
        allowed = all(table[tuple(path[k - m : k + 1])] > 0 for k in range(m, len(path)))
        expect.true(
            path[:m] == start and path[-1:] == [last] and allowed,
            _("{what}: expected a path from the start to the dead end and no further, got {n} items.").format(
                what=what, n=len(path)
            ),
        )

    def upwards():
        """Two states to start with at order 2, the lower one first."""
        low = draw.integer(0, n - 3)
        return [rank[low], rank[draw.integer(low + 1, n - 2)]]

    with each("most_likely_sequence"):
        for start in draw.shuffle(range(n))[:3]:
            what = f"most_likely_sequence({start}, P with a dead end, 20)"
            path = expect.integers(student.most_likely_sequence(start, P, 20), what)
            compare(path, reference.most_likely_sequence(start, P, 20), what)
        start = upwards()
        what = f"most_likely_sequence({start}, P of order 2 with a dead end, 20)"
        ends_there(student.most_likely_sequence(start, of_order_2, 20), start, of_order_2, what)
    with each("sample_sequence"):
        for start in (draw.integer(0, n - 1) for _k in range(5)):
            what = f"sample_sequence({start}, P with a dead end, 20)"
            ends_there(student.sample_sequence(start, P, 20, generator=draw.generator()), [start], P, what)
        start = upwards()
        what = f"sample_sequence({start}, P of order 2 with a dead end, 20)"
        answer = student.sample_sequence(start, of_order_2, 20, generator=draw.generator())
        ends_there(answer, start, of_order_2, what)


def judge_sampler(student, reference, draw, expect, P, start, length, wrong, rare=None):
    """Compare the transitions of one long drawn sequence with P.

    `rare`: (their places, their probability) where every context has one transition of the same small probability. They
    are counted together, as no context alone is there often enough.
    """
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
    if rare is not None:
        places, share = rare
        taken, steps = sum(places[a] == b for a, b in pairwise(path)), len(path) - 1
        p = min(1.0, 2 * min(p, chi_square([taken, steps - taken], [share, 1 - share])))
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
    places, share = [], float(draw.uniform(1, low=0.008, high=0.018))
    for i in range(n):  # one transition of each state is impossible, and another one rare
        impossible, rare = draw.shuffle(range(n))[:2]
        P[i, [impossible, rare]] = 0
        P[i] *= (1 - share) / P[i].sum()
        P[i, rare] = share
        places.append(rare)
    start = draw.integer(0, n - 1)
    dropped = P.clone()
    dropped[range(n), places] = 0
    possible = (P > 0).double()
    wrong = {
        "uniform_sampling": possible / possible.sum(-1, keepdim=True),
        "softmax_of_probabilities": P.softmax(-1),
        "sampled_from_start_only": P[start].expand(n, n),
        "rare_states_dropped": dropped / dropped.sum(-1, keepdim=True),
    }
    judge_sampler(student, reference, draw, expect, P, start, draw.integer(3000, 3500), wrong, (places, share))


@check(points=0.5, kind="statistical", covers=("sampling", "sample_sequence"))
def test_sampled_order_2(student, reference, draw, expect):
    """At orders 2 and 3 a drawn sequence takes each transition as often as P says after its last states."""
    n = 3
    for order in (2, 3):
        P = chain(draw, n, order)
        start = [draw.integer(0, n - 1) for _i in range(order)]
        wrong = {
            "sampled_context_reversed": P.permute(*reversed(range(order)), order),
            "uniform_sampling": torch.full_like(P, 1 / n),
            "softmax_of_probabilities": P.softmax(-1),
            "sampled_from_start_only": P[tuple(start)].expand_as(P),
        }
        judge_sampler(student, reference, draw, expect, P, start, draw.integer(1800, 2100), wrong)


@check(points=0.5, requires=("sampled_frequencies",), covers=("generator", "sample_sequence"))
def test_sampled_fresh(student, probe, draw, expect):
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
    answers = probe.twice(student.sample_sequence, start, P, length, generator=draw.generator())
    first, second = (expect.integers(path, what, length=length) for path in expect.sequence(answers, 2, what))
    expect.true(
        first != second,
        _("{what}: two calls with one generator give one sequence.").format(what=what),
        hint=_("Draw from the generator itself, which goes on: a new one of its seed begins again."),
        mistake="generator_begun_again",
    )
    what = "sample_sequence(start, P, length)"
    two = [expect.integers(student.sample_sequence(start, P, length), what, length=length) for _k in range(2)]
    expect.true(two[0] != two[1], _("{what}: two calls give one sequence.").format(what=what))
    one, again = (
        expect.integers(probe.from_seed(seed, student.sample_sequence, start, P, length), what, length=length)
        for _k in range(2)
    )
    expect.true(
        one == again,
        _("{what}: torch.manual_seed just before each of two calls, and they give two sequences.").format(what=what),
        hint=_("Without a generator, the draws come from torch's global one, which torch.manual_seed seeds."),
        mistake="other_random_numbers",
    )
    unlike = expect.integers(probe.from_seed(other, student.sample_sequence, start, P, length), what, length=length)
    expect.true(one != unlike, _("{what}: two seeds of torch.manual_seed give one sequence.").format(what=what))
