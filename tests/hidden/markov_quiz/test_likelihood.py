"""Log-likelihood of sequences, and whether a chain can generate them."""

from __future__ import annotations

import math

from autograder.judge import check
from autograder.language import _


def chain(draw, n, order=1, zeros=False, rare=True):
    """Transition probabilities; with `zeros`, some transitions of every context are impossible.

    With `rare`, one of every context is possible, and no more: rare is not impossible.
    """
    weights = draw.uniform(*(n,) * (order + 1)) + 0.1
    for row in weights.reshape(-1, n):
        places = draw.shuffle(range(n))
        if zeros:
            row[places[: n // 2]] = 0
        if rare:
            row[places[-1]] *= 10 ** -float(draw.uniform(1, low=2.5, high=6.0))
    return weights / weights.sum(-1, keepdim=True)


def rarely(draw, P, length):
    """A possible sequence in which every other transition is the least probable of the possible ones."""
    n, order = P.shape[-1], P.dim() - 1
    path = [draw.integer(0, n - 1) for _ in range(order)]
    while len(path) < length:
        row = P[tuple(path[-order:])]
        least = int(row.where(row > 0, 2.0).argmin())
        path.append(least if len(path) % 2 == order % 2 else draw.choice(row.nonzero().flatten().tolist()))
    return path


def walk(draw, P, length):
    """A possible sequence, each next state drawn uniformly among the possible ones."""
    n, order = P.shape[-1], P.dim() - 1
    path = [draw.integer(0, n - 1) for _ in range(order)]
    while len(path) < length:
        path.append(draw.choice(P[tuple(path[-order:])].nonzero().flatten().tolist()))
    return path


def broken(draw, P, length, where):
    """A sequence with exactly one impossible transition, the one that ends at position `where`."""
    order = P.dim() - 1
    path = walk(draw, P, where)
    path.append(draw.choice((P[tuple(path[-order:])] == 0).nonzero().flatten().tolist()))
    while len(path) < length:
        path.append(draw.choice(P[tuple(path[-order:])].nonzero().flatten().tolist()))
    return path


@check(points=0.5, covers=("likelihood", "log_likelihood"))
def test_likelihood_order_1(student, reference, compare, draw, expect):
    """At order 1 the log-likelihood is the sum of log P over the transitions, in nats."""
    n = draw.integer(4, 7)
    P = chain(draw, n)
    for length in (2, draw.integer(5, 12)):
        sequence = rarely(draw, P, length)
        what = f"log_likelihood(sequence of {length} states, P)"
        value = expect.number(student.log_likelihood(sequence, P), what)
        compare(value, reference.log_likelihood(sequence, P), what, rtol=1e-5)
    value = expect.number(student.log_likelihood(sequence[:1], P), "log_likelihood(one state, P)")
    compare(value, 0.0, "log_likelihood(one state, P)")


@check(points=0.5, covers=("likelihood", "log_likelihood"))
def test_likelihood_order_2(student, reference, compare, draw, expect):
    """At orders 2 and 3 it conditions on the first states; a sequence no longer than that gives 0."""
    for order in (2, 3):
        P = chain(draw, draw.integer(3, 5), order)
        for length in (order + 1, draw.integer(6, 12)):
            sequence = rarely(draw, P, length)
            what = f"log_likelihood(sequence of {length} states, P of order {order})"
            value = expect.number(student.log_likelihood(sequence, P), what)
            compare(value, reference.log_likelihood(sequence, P), what, rtol=1e-5)
        for length in (1, order):
            what = f"log_likelihood(sequence of {length} states, P of order {order})"
            compare(expect.number(student.log_likelihood(sequence[:length], P), what), 0.0, what)


@check(points=0.5, covers=("impossible", "log_likelihood"))
def test_likelihood_impossible(student, draw, expect):
    """An impossible transition gives minus infinity, zeros of P elsewhere do not matter."""
    for order in (1, 2):
        P = chain(draw, draw.integer(4, 6), order, zeros=True)
        length = draw.integer(7, 10)
        value = expect.number(student.log_likelihood(walk(draw, P, length), P), "log_likelihood(possible sequence, P)")
        expect.true(math.isfinite(value), _("log_likelihood of a possible sequence is infinite."))
        for where in (order, draw.integer(order + 1, length - 2), length - 1):
            sequence = broken(draw, P, length, where)
            value = expect.number(
                student.log_likelihood(sequence, P),
                "log_likelihood(impossible sequence, P)",
                hint=_("The logarithm of 0 is -inf; 0 times -inf, 0/0 and inf - inf are NaN."),
            )
            expect.true(
                value == -math.inf,
                _("log_likelihood of an impossible sequence: expected -inf, got {value:g}.").format(value=value),
            )


@check(points=0.5, covers=("long", "log_likelihood"))
def test_likelihood_long(student, reference, compare, draw, expect):
    """A sequence of a thousand states has a finite log-likelihood."""
    n, length = draw.integer(4, 7), draw.integer(900, 1200)
    P = chain(draw, n, rare=False)  # what small probabilities give is judged on short sequences
    sequence = draw.integers(0, n, length).tolist()
    # The unit (sign, base) and a term for the start are judged on short sequences: they are taken from two here.
    some = [sequence[:n] for n in (draw.integer(2, 3), draw.integer(8, 12))]
    values = [expect.number(student.log_likelihood(s, P), "log_likelihood(short sequence, P)") for s in some]
    right = [reference.log_likelihood(s, P) for s in some]
    unit = (values[1] - values[0]) / (right[1] - right[0])
    expect.true(
        math.isfinite(unit) and unit != 0,
        _("log_likelihood(short sequence, P): expected a finite number that depends on the sequence."),
    )
    what = f"log_likelihood(sequence of {length} states, P)"
    value = expect.number(student.log_likelihood(sequence, P), what)
    # In the reference's unit: times a tiny one of the student's own, everything would be zero.
    compare((value - values[0]) / unit, reference.log_likelihood(sequence, P) - right[0], what, rtol=1e-4)


@check(points=0.5, covers=("generate", "can_generate"))
def test_generate_answers(student, draw, expect):
    """can_generate tells possible sequences from impossible ones, however improbable, long ones too."""
    cases = []
    for order in (1, 3, 2):
        P = chain(draw, draw.integer(4, 6), order, zeros=True)
        length = draw.integer(7, 10)
        cases += [(walk(draw, P, n), P, True) for n in (order, order + 1, length)]
        cases.append((rarely(draw, P, length), P, True))
        cases += [
            (broken(draw, P, length, k), P, False) for k in (order, draw.integer(order + 1, length - 2), length - 1)
        ]
    cases.append((walk(draw, P, 1100), P, True))
    cases.append(([0], P, True))  # shorter than the context of order 2
    cases = draw.shuffle(cases)
    # All answers first: one alone does not tell which mistake was made.
    whats = [f"can_generate(sequence of {len(sequence)} states, P of order {P.dim() - 1})" for sequence, P, _r in cases]
    answers = [
        expect.flag(student.can_generate(sequence, P), what)
        for (sequence, P, _r), what in zip(cases, whats, strict=True)
    ]
    for (_sequence, _P, right), answer, what in zip(cases, answers, whats, strict=True):
        message = (
            _("{what}: every transition is possible, got False.")
            if right
            else _("{what}: one transition is impossible, got True.")
        )
        expect.true(answer == right, message.format(what=what))
