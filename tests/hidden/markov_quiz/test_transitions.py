"""Counts and probabilities of transitions at orders 1 to 3."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _


def corpus(draw, n, length, order=1, alphabet="abcdefghijklmnopqrstuvwxyz"):
    """States in a secret order, and one long sequence over all but the last of them.

    Its first and its last transition of the order differ: whether one or the other is left out can be told.
    """
    states = draw.shuffle([f"{draw.choice(alphabet)}{i}" for i in range(n)])
    used = draw.shuffle(states)[: n - 1]
    sequence = [draw.choice(used) for _ in range(length - 1)]
    return states, [*sequence, draw.choice([state for state in used if state != sequence[order]])]


@check(points=0.5, covers=("counts", "transition_counts"))
def test_counts_order_1(student, reference, compare, draw):
    """At order 1, counts[i, j] is how often state j follows state i."""
    for _k in range(2):
        states, sequence = corpus(draw, draw.integer(4, 6), draw.integer(40, 70))
        right = reference.transition_counts([sequence], states)
        compare(student.transition_counts([sequence], states), right)


@check(points=1, covers=("counts", "transition_counts"))
def test_counts_higher_orders(student, reference, compare, draw):
    """At orders 2 and 3 the context stands oldest first, the next state last."""
    for order in (2, 3):
        states, sequence = corpus(draw, draw.integer(3, 4), draw.integer(60, 90), order)
        right = reference.transition_counts([sequence], states, order=order)
        answer = student.transition_counts([sequence], states, order=order)
        compare(answer, right, f"transition_counts(sequences, states, order={order})")


@check(points=0.5, covers=("borders", "transition_counts"))
def test_counts_borders(student, draw, expect):
    """No transition is counted across two sequences; sequences too short count nothing."""
    # Every transition is another one, so that a count is 0 or 1 and the total tells all.
    n = draw.integer(12, 14)
    states = [f"s{i}" for i in draw.shuffle(range(n))]
    path = draw.shuffle(states)
    cuts = [1, 3, draw.integer(7, n - 4)]
    sequences = [path[a:b] for a, b in zip([0, *cuts], [*cuts, n], strict=True)]
    # Who refuses this one, too, does not refuse the short ones.
    expect.tensor(student.transition_counts([path], states), (n, n), "transition_counts(sequences, states)")
    for order in draw.shuffle((1, 2)):
        what = f"transition_counts(sequences, states, order={order})"
        counts = expect.tensor(student.transition_counts(sequences, states, order=order), (n,) * (order + 1), what)
        right = sum(max(0, len(sequence) - order) for sequence in sequences)
        # One transition missed in each sequence is paid for above: here the sequences only must not mix.
        least = sum(max(0, len(sequence) - order - 1) for sequence in sequences)
        cells = [{states[i] for i in cell} for cell in counts.nonzero().tolist()]
        apart = all(len(cell) == order + 1 and any(cell <= set(s) for s in sequences) for cell in cells)
        expect.true(
            apart and least <= len(cells) <= right and float(counts.sum()) == len(cells),
            _("{what}: {n} sequences hold {right} transitions in all, your counts sum to {got:g}.").format(
                what=what, n=len(sequences), right=right, got=float(counts.sum())
            ),
        )


@check(points=0.5, covers=("matrix", "transition_matrix"))
def test_matrix_order_1(student, reference, compare, draw):
    """At order 1 each row of the transition matrix sums to 1, for integer and floating counts."""
    n = draw.integer(3, 6)
    counts = draw.integers(1, 30, n, n)
    for kind in (torch.float64, torch.int64):
        right = reference.transition_matrix(counts.double())
        compare(student.transition_matrix(counts.to(kind)), right, rtol=1e-5)


@check(points=0.5, covers=("matrix", "transition_matrix"))
def test_matrix_higher_orders(student, reference, compare, draw):
    """At orders 2 and 3 the last axis sums to 1."""
    for order in (2, 3):
        n = draw.integer(2, 4)
        counts = draw.integers(1, 30, *(n,) * (order + 1)).double()
        what = f"transition_matrix(counts of shape {tuple(counts.shape)})"
        compare(student.transition_matrix(counts), reference.transition_matrix(counts), what)


@check(points=0.5, covers=("unseen", "transition_matrix"))
def test_matrix_unseen_zero(student, compare, draw, expect):
    """Without smoothing, a context never seen gets a row of zeros."""
    for order in (1, 2):
        n = draw.integer(3, 5)
        counts = draw.integers(1, 9, *(n,) * (order + 1)).double()
        unseen = torch.zeros((n,) * order, dtype=torch.bool)
        for _k in range(2):
            unseen[tuple(draw.integer(0, n - 1) for _ in range(order))] = True
        unseen[(0,) * order] = False
        unseen[(n - 1,) * order] = True
        counts[unseen] = 0
        what = _("transition_matrix(counts with rows of zeros)")
        P = expect.tensor(student.transition_matrix(counts), tuple(counts.shape), what)
        expect.true(
            (P[unseen] == 0).all(),
            _("{what}: a context never seen has a row that is not zero.").format(what=what),
        )
        compare(P[~unseen], counts[~unseen] / counts[~unseen].sum(-1, keepdim=True), _("the other rows"))


@check(points=0.5, covers=("smoothing", "unseen", "transition_matrix"))
def test_matrix_smoothing(student, reference, compare, draw):
    """Smoothing is added to every cell; a context never seen then gets the uniform law."""
    for order in (1, 2):
        n = draw.integer(3, 5)
        counts = draw.integers(0, 4, *(n,) * (order + 1)).double()
        counts[(draw.integer(0, n - 1),) * order] = 0
        # A row of small numbers may sum to less than 1: order 1 has such rows.
        smoothing = (0.02 if order == 1 else 0.25) * draw.integer(1, 7)
        right = reference.transition_matrix(counts, smoothing=smoothing)
        compare(
            student.transition_matrix(counts, smoothing=smoothing),
            right,
            "transition_matrix(counts, smoothing=s)",
        )
    integer = draw.integers(0, 4, 3, 3)
    right = reference.transition_matrix(integer.double(), smoothing=0.5)
    answer = student.transition_matrix(integer, smoothing=0.5)
    compare(answer, right, "transition_matrix(integer counts, smoothing=s)", rtol=1e-5)
