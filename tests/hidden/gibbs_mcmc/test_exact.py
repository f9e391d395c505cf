"""Exact sums of small lattices and transition matrices."""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.language import _


def kaufman(height, width, coupling):
    """log Z without a field on a torus: Kaufman's product formula (1949)."""
    n, m, k = height, width, coupling
    gammas = [2 * k + math.log(math.tanh(k))]
    for q in range(1, 2 * n):
        c = math.cosh(2 * k) ** 2 / math.sinh(2 * k) - math.cos(math.pi * q / n)
        gammas.append(math.acosh(c))
    odd, even = gammas[1::2], gammas[0::2]
    products = [
        sum(math.log(2 * math.cosh(m * x / 2)) for x in odd),
        sum(math.log(2 * math.sinh(m * x / 2)) for x in odd),
        sum(math.log(2 * math.cosh(m * x / 2)) for x in even),
    ]
    last = math.prod(2 * math.sinh(m * x / 2) for x in even)
    total = sum(math.exp(p) for p in products) + last
    return n * m / 2 * math.log(2 * math.sinh(2 * k)) + math.log(total / 2)


def energies(s, coupling, field):
    bonds = s * (s.roll(-1, 1) + s.roll(-1, 2))
    return -coupling * bonds.sum((1, 2)) - field * s.sum((1, 2))


def states_of(expect, answer, height, width, what):
    """(states, log_prob, log_partition), each state once."""
    states, log_prob, log_partition = expect.sequence(answer, 3, what)
    total = 2 ** (height * width)
    states = expect.tensor(states, (total, height, width), _("the states from {what}").format(what=what)).double()
    log_prob = expect.tensor(log_prob, (total,), _("log_prob from {what}").format(what=what))
    codes = ((states.reshape(total, -1) + 1) / 2) @ (2.0 ** torch.arange(height * width)).double()
    expect.true(
        bool((states.abs() == 1).all()) and len(codes.unique()) == total,
        _("{what}: the states are not all lattices of +1 and -1, each once.").format(what=what),
    )
    return states, log_prob, expect.number(log_partition, _("log_partition from {what}").format(what=what))


@check(points=1, covers=("exact", "exact_ising"))
def test_exact_sums(student, compare, expect, draw):
    """All states of 3 × 3 and 3 × 4 lattices with their probabilities, and log Z."""
    for height, width, field in ((3, 3, draw.choice((-1, 1)) * 0.3), (3, 4, 0.2), (4, 3, 0.0)):
        coupling = float(draw.uniform(1, low=0.15, high=0.6))
        what = f"exact_ising({height}, {width}, {coupling:.3g}, {field})"
        answer = student.exact_ising(height, width, coupling, field)
        states, log_prob, log_partition = states_of(expect, answer, height, width, what)
        energy = energies(states, coupling, field)
        right = torch.logsumexp(-energy, 0)
        if field == 0:
            right = torch.tensor(kaufman(height, width, coupling)).double()
        # The order of the states is anybody's, so that the diagnosis cannot hold their answers against the bank's.
        log_z = {
            "partition_averaged": right - height * width * math.log(2),
            "partition_sign": torch.logsumexp(energy, 0),
        }
        compare(log_partition, right, _("log_partition from {what}").format(what=what), mistakes=log_z)
        log_p = {"probabilities_not_normalised": -energy}
        compare(log_prob, -energy - right, _("log_prob from {what}").format(what=what), mistakes=log_p)


@check(points=0.5, requires=("exact_sums",), covers=("large_coupling", "exact_ising"))
def test_exact_large(student, compare, expect, draw):
    """At a coupling of 40, where exp(-U) overflows, the logarithms are still right."""
    coupling, field = float(draw.uniform(1, low=35, high=45)), 0.5
    what = f"exact_ising(3, 3, {coupling:.3g}, {field})"
    states, log_prob, log_partition = states_of(expect, student.exact_ising(3, 3, coupling, field), 3, 3, what)
    energy = energies(states, coupling, field)
    compare(log_partition, torch.logsumexp(-energy, 0), _("log_partition from {what}").format(what=what))
    compare(log_prob, -energy - torch.logsumexp(-energy, 0), _("log_prob from {what}").format(what=what))


def transitions(energies, proposal):
    """By loops, in plain numbers."""
    n = len(energies)
    P = torch.zeros(n, n, dtype=torch.float64)
    for i in range(n):
        for j in range(n):
            q, back = float(proposal[i, j]), float(proposal[j, i])
            if i != j and q > 0 and back > 0:
                ratio = float(energies[i] - energies[j]) + math.log(back) - math.log(q)
                P[i, j] = q * math.exp(min(0.0, ratio))
        P[i, i] = 1 - P[i].sum()
    return P


def draw_proposal(draw, n):
    """Rows that sum to 1, far from symmetric, with something on the diagonal."""
    q = draw.uniform(n, n, low=0.05, high=1.0) ** 2
    return q / q.sum(1, keepdim=True)


@check(points=1, covers=("matrix", "metropolis_matrix"))
def test_metropolis_matrix(student, compare, draw):
    """The transition matrix of Metropolis and Hastings; the flow p_i P_ij is symmetric."""
    for n in (draw.integer(3, 4), draw.integer(5, 7)):
        energy, q = 2 * draw.normal(n), draw_proposal(draw, n)
        compare(student.metropolis_matrix(energy, q), transitions(energy, q))


@check(points=0.5, requires=("metropolis_matrix",), covers=("matrix_edges", "metropolis_matrix"))
def test_matrix_edges(student, compare, draw):
    """Proposals of zero and energies that are 10,000 apart give zeros and ones, and no NaN."""
    n = draw.integer(4, 6)
    for far in (1.0, 1e4):
        q = draw_proposal(draw, n)
        for i, j in ((0, 1), (1, 0), (2, 3), (n - 1, 0)):  # zero both ways, and one way only
            q[i, j] = 0
        q = q / q.sum(1, keepdim=True)
        energy = far * draw.normal(n)
        compare(student.metropolis_matrix(energy, q), transitions(energy, q))
