"""Conventions of the course: tensors come back as tensors with the dtype of the input, wrong arguments are refused."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _


@check(
    points=0.5,
    covers=(
        *("dtype", "unchanged", "joint_probability", "transition_matrix", "stationary_distribution"),
        *("most_likely_sequence", "sample_sequence"),
    ),
    substance={
        "joint_probability": ("joint_values",),
        "transition_matrix": ("matrix_order_1",),
        "stationary_distribution": ("stationary_values",),
        "most_likely_sequence": ("most_likely_order_2",),
        "sample_sequence": ("sampled_order_2",),
    },
)
def test_conventions(student, probe, each, draw, expect):
    """Answers are tensors and keep the dtype of the input, float32 and float64; arguments stay as they are."""
    n = draw.integer(3, 5)  # shapes have checks of their own
    table, start = draw.uniform(n, n, low=1.0, high=9.0), [0, draw.integer(1, n - 1)]
    hint = _("In place: `+=`, `/=` and .append change what the caller still has. Make new tensors and lists.")

    def unchanged(name, changed, mistake=None):
        message = _("{name} changes its arguments.").format(name=name)
        expect.true(not changed, message, hint=hint, mistake=mistake)

    with each("transition_matrix"):
        changed = probe.changed(student.transition_matrix, table, smoothing=0.5)
        unchanged("transition_matrix", changed, "counts_changed")
    with each("stationary_distribution"):
        rows = table / table.sum(-1, keepdim=True)
        unchanged("stationary_distribution", probe.changed(student.stationary_distribution, rows))
    P = draw.uniform(n, n, n) + 0.1
    P /= P.sum(-1, keepdim=True)
    for name in ("most_likely_sequence", "sample_sequence"):
        with each(name):
            after = probe.start_after(getattr(student, name), start, P, 5)
            unchanged(name, after != start, "start_changed")
            unchanged(name, probe.changed(getattr(student, name), 0, rows, 5))
    for dtype in (torch.float64, torch.float32):
        counts = draw.uniform(n, n, low=1.0, high=9.0).to(dtype)
        with each("transition_matrix"):
            P = student.transition_matrix(counts)
            expect.tensor(P, None, f"transition_matrix({dtype} counts)", dtype=dtype, container="tensor")
        rows = (counts / counts.sum(-1, keepdim=True)).to(dtype)
        with each("stationary_distribution"):
            pi = student.stationary_distribution(rows)
            expect.tensor(pi, None, f"stationary_distribution({dtype} P)", dtype=dtype, container="tensor")
    for dtype in (torch.int64, torch.float64):
        x, y = draw.integers(0, 4, 30).to(dtype), draw.integers(0, 3, 30).to(dtype)
        with each("joint_probability"):
            values_x, values_y, P = expect.sequence(student.joint_probability(x, y), 3)
            expect.tensor(values_x, None, f"values of a {dtype} x", dtype=dtype, container="tensor")
            expect.tensor(values_y, None, f"values of a {dtype} y", dtype=dtype, container="tensor")
            P = expect.tensor(P, None, "the table from joint_probability(x, y)", container="tensor")
            expect.true(P.is_floating_point(), "joint_probability(x, y): the table is not floating point.")


def chain(draw, n):
    """An irreducible chain with some zeros."""
    P = draw.uniform(n, n) + 0.05
    for i in range(n):
        P[i, (i + draw.integer(2, n - 1)) % n] = 0
    return P / P.sum(-1, keepdim=True)


def not_irreducible(draw):
    """Chains that have no stationary distribution, or more than one, by what is wrong with them."""
    n = draw.integer(3, 4)
    P, other = chain(draw, n), chain(draw, 3)
    left_for_ever = torch.block_diag(P, other)
    left_for_ever[0, n:] = 0.2
    left_for_ever[0] /= left_for_ever[0].sum()
    zero_row, absorbing, k = P.clone(), P.clone(), draw.integer(0, n - 1)
    zero_row[draw.integer(0, n - 1)] = 0
    absorbing[k] = 0
    absorbing[k, k] = 1
    order = torch.tensor(draw.shuffle(range(n + 3)))
    return {
        _("two classes that never meet"): torch.block_diag(P, other)[order][:, order],
        _("states that are left for ever"): left_for_ever[order][:, order],
        _("an absorbing state"): absorbing,
        _("a row of zeros"): zero_row,
    }


@check(
    points=1,
    covers=(
        *("pairs", "unknown", "indices", "reducible", "joint_probability", "conditional_probability"),
        *("transition_counts", "log_likelihood", "can_generate", "stationary_distribution"),
    ),
    substance={
        "joint_probability": ("joint_values",),
        "conditional_probability": ("conditional_values",),
        "transition_counts": ("counts_order_1",),
        "log_likelihood": ("likelihood_order_1",),
        "can_generate": ("generate_answers",),
        "stationary_distribution": ("stationary_values",),
    },
)
def test_refusals(student, each, draw, expect):
    """Pairs that do not match, unknown states, indices out of range and reducible chains raise ValueError."""
    x, y = draw.integers(0, 4, draw.integer(20, 30)), draw.integers(0, 3, 30)
    y = y[: len(x)]
    for name in ("joint_probability", "conditional_probability"):
        with each(name):
            function = getattr(student, name)
            expect.sequence(function(x, y), 3)
            expect.raises(ValueError, function, x, y[:-2], what=f"{name}(x of {len(x)}, y of {len(y) - 2} values)")
            expect.raises(ValueError, function, x[:1], y, what=f"{name}(x of 1, y of {len(y)} values)")
    n = draw.integer(4, 6)
    states = draw.shuffle([f"{draw.choice('abcdefgh')}{i}" for i in range(n)])
    sequence = draw.integers(0, n, draw.integer(6, 9)).tolist()
    words = [states[i] for i in sequence]
    with each("transition_counts"):
        expect.tensor(student.transition_counts([words], states), (n, n))
        for where in (0, len(words) // 2, len(words) - 1):
            strange = [*words[:where], "unknown", *words[where + 1 :]]
            what = _("transition_counts with an unknown state")
            expect.raises(ValueError, student.transition_counts, [words, strange], states, what=what)
    P = draw.uniform(n, n) + 0.1
    P = P / P.sum(-1, keepdim=True)
    cut = P.clone()
    cut[sequence[0], sequence[1]] = 0  # the first step is impossible
    for name, expected in (("log_likelihood", expect.number), ("can_generate", expect.flag)):
        with each(name):
            expected(getattr(student, name)(sequence, P))
            what = _("{name} with an index out of range").format(name=name)
            for index in (-1, n, -draw.integer(2, n)):
                for where in (0, draw.integer(1, len(sequence) - 2), len(sequence) - 1):
                    strange = [*sequence[:where], index, *sequence[where + 1 :]]
                    expect.raises(ValueError, getattr(student, name), strange, P, what=what)
                what = _("{name} of one state, with an index out of range").format(name=name)
                expect.raises(ValueError, getattr(student, name), [index], P, what=what)
            what = _("{name} with an index out of range after an impossible transition").format(name=name)
            expect.raises(ValueError, getattr(student, name), [*sequence[:-1], n], cut, what=what)
    refused = not_irreducible(draw)
    with each("stationary_distribution"):
        expect.tensor(student.stationary_distribution(P), (n,))
        for name, reducible in refused.items():
            what = _("stationary_distribution(chain with {name})").format(name=name)
            expect.raises(ValueError, student.stationary_distribution, reducible, what=what)
