"""The smallest call that shows what is wrong: found, small, right, and made of nothing that graded."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from msgspec import msgpack

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge
from autograder.book.grades import grade as grade_of
from autograder.course.config import load_config
from autograder.judge import examples, own_run
from autograder.judge.arguments import Arguments
from autograder.judge.concluding import about
from autograder.judge.example_text import example_text, numbers_in
from autograder.judge.excerpt import excerpts
from autograder.judge.ladder import MOST, STAND_INS, plainer, rungs
from autograder.judge.loading import Code
from autograder.judge.local import LocalTransport
from autograder.judge.outcomes import Ended, Right, departs, outcome, settled, text_of_outcome
from autograder.judge.recording import Made, Recorder, Seeded
from autograder.judge.reference import load_module
from autograder.judge.relations import Compared, relation
from autograder.judge.remembered import call_of, plain
from autograder.judge.session import Answer, Session
from autograder.judge.shown import example_value
from autograder.judge.shrink import SMALL, shrink
from autograder.judge.verdicts import CheckFailed
from autograder.reports.pages import student_page
from autograder.reports.visible import student_view
from autograder.results.model import CheckResult, Example, Result
from autograder.submissions import Cell, Submission, code_of
from autograder.worker.probes import GENERIC

WRONG_MEAN = "\ndef mean(x): return x.sum(1)\n"


def test_a_wrong_function_is_shown_on_the_smallest_numbers(grade, toy_solution):
    check = grade(toy_solution + WRONG_MEAN)["by_id"]["mean_value"]
    example = check["example"]
    assert re.fullmatch(r"mean\(tensor\(\[\[-?\d\., -?\d\.\]\]\)\)", example["call"]), example
    values = {}
    exec(f"x = {example['call'].removeprefix('mean')}", {"tensor": torch.tensor}, values)
    assert example["right"] == f"tensor([{values['x'].mean():.4g}{'' if values['x'].mean() % 1 else '.'}])"
    assert example["got"] != example["right"]


def test_what_all_wrong_answers_are_to_the_right_ones_is_said(grade, toy_solution):
    check = grade(toy_solution + "\ndef mean(x): return -x.sum(1) / x.shape[1]\n")["by_id"]["mean_value"]
    assert check["relation"] == "Every value has the opposite sign of the right one."
    assert check["relation"] in check["hint"]


def test_a_known_mistake_needs_no_relation(grade, toy_solution):
    check = grade(toy_solution + "\ndef spread(x): return x.var(1)\n")["by_id"]["spread_value"]
    assert check["diagnosis"] == "unbiased_spread"
    assert check["relation"] == ""
    assert check["example"]["call"].startswith("spread(tensor([[")


def test_a_refusal_that_is_missing_is_shown(grade, toy_solution):
    check = grade(toy_solution + "\ndef mean(x): return x.sum(-1) / x.shape[-1]\n")["by_id"]["mean_refuses"]
    assert check["example"]["right"] == "ValueError"


@pytest.mark.parametrize("source", ["", "\ndef mean(x): raise NotImplementedError\n"])
def test_what_is_right_or_not_written_has_no_example(grade, toy_solution, source):
    checks = grade(toy_solution + source)["checks"]
    if not source:
        assert all(check["example"] is None for check in checks)
    else:
        assert next(c for c in checks if c["id"] == "mean_value")["example"] is None


# It keeps every input that it was given and answers with them, in the hope that they are shown.
LEAKS = """
_kept = []
_mean, _spread = mean, spread
def mean(x):
    _kept.append(x)
    return _kept[0][:, 0] if _kept[0].shape[0] == x.shape[0] else _kept[0].reshape(-1)[: x.shape[0]]
def spread(x):
    _kept.append(x)
    return _kept[0].reshape(-1)[: x.shape[0]]
"""


@pytest.mark.parametrize("attempts", [4, pytest.param(200, marks=pytest.mark.slow)])  # minutes of gradings
def test_nothing_that_graded_can_be_seen_in_many_attempts(grade, toy_solution, attempts):
    """The same student with changing answers: what is shown comes from public numbers alone, always the same ones."""
    shown = set()
    for attempt in range(attempts):
        result = grade(toy_solution + LEAKS + f"\n_attempt = {attempt}\n_mean(torch.zeros(2, 2))\n")
        shown |= {(c["id"], str(c["example"])) for c in result["checks"]}
        if attempt == 0:
            other = grade(toy_solution + LEAKS, student="bilal")
            assert {(c["id"], str(c["example"])) for c in other["checks"]} == shown  # no student's numbers
    assert len(shown) == len(result["checks"])  # nor do they depend on how often it is tried


def test_a_student_s_worker_that_dies_at_an_example_loses_nothing(grade, toy_solution):
    source = toy_solution + WRONG_MEAN
    plain = grade(source)
    dies = (
        source
        + "\nimport os\n_calls = 0\ndef mean(x):\n    if tuple(x.shape) == (1, 2): os._exit(1)\n    return x.sum(1)\n"
    )
    died = grade(dies)
    assert died["points"] == plain["points"]
    assert died["outcome"] == "graded"
    assert not died["incidents"]
    assert died["by_id"]["mean_refuses"]["example"]["right"] == "ValueError", "what comes after it is looked for"


def test_a_search_ends_where_it_is_late_and_goes_on_before(monkeypatch):
    monkeypatch.setattr(examples, "monotonic", iter([1.0, 2.0, 3.5]).__next__)
    assert list(examples.until(3.0, "abcdef")) == ["a", "b"]


# --- shrinking ---


def test_two_sizes_that_are_the_same_by_chance_shrink_each_by_itself():
    """Two rows are needed, and not two columns."""
    call = Arguments((torch.randn(2, 2, dtype=torch.float64), torch.tensor([1, 0])))
    small = shrink(call, lambda one: one.args[0].shape[0] == len(one.args[1]) == 2, 200)
    assert small.args[0].shape == (2, 1)


def test_sizes_shrink_together_and_values_become_round():
    x, y = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    small = shrink(
        Arguments((x, y, 5)), lambda call: call.args[0].shape[0] == call.args[1].shape[0] == call.args[2], 300
    )
    assert small.args[0].shape == (1, 1)
    assert small.args[2] == 1
    assert all(torch.equal(value, value.round()) for value in small.args[:2])


def test_a_zero_has_no_sign():
    small = shrink(Arguments((torch.tensor([-0.3, -0.4]),)), lambda call: True, 50)
    assert not small.args[0].signbit().any()


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (torch.tensor([[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]]), lambda x: torch.allclose(x.sum(-1), torch.ones(len(x)))),
        (torch.tensor([[2.31, 0.4], [0.4, 1.77]]), lambda x: bool((torch.linalg.eigvalsh(x) > 0).all())),
        (torch.tensor([0.13, 0.44, 0.91, 1.7]), lambda x: bool((x.diff() > 0).all())),
        (torch.tensor([1.0, -1.0, -1.0, 1.0]), lambda x: bool((x.abs() == 1).all())),
        (torch.rand(4, 3) * 0.9 + 0.05, lambda x: bool(((x > 0) & (x < 1)).all())),
    ],
)
def test_what_holds_before_holds_after(value, holds):
    seen = []

    def fails(call):
        seen.append(call.args[0])
        return True

    shrink(Arguments((value,)), fails, 300)
    assert all(holds(x) for x in seen)
    assert seen


def test_rows_go_once_a_number_that_kept_them_is_smaller():
    """As many rows as neighbours ask for: at first k keeps them, then nothing does."""
    call = Arguments((torch.arange(24.0)[:, None],), {"k": 5})
    small = shrink(call, lambda c: 1 <= c.kwargs["k"] < len(c.args[0]) / 2, 200)
    assert (small.kwargs["k"], len(small.args[0])) == (1, 3)


def test_answers_under_keys_are_compared_and_written():
    right = Right(Ended({"precision": 1.0, "recall": torch.tensor(0.5)}))
    assert not departs(Ended({"recall": 0.5, "precision": 1, "more": 3}), right)
    assert departs(Ended({"recall": 0.25, "precision": 1.0}), right)
    assert departs(Ended({"precision": 1.0}), right)
    assert departs(Ended((1.0, 0.5)), right)
    assert example_value(right.ended.value) == "{'precision': 1., 'recall': tensor(0.5)}"


def test_lists_and_texts_lose_what_is_not_needed():
    call = Arguments((["a", "b", "c", "d"], "one two three four"))
    small = shrink(call, lambda call: "c" in call.args[0] and "three" in call.args[1], 300)
    assert small.args == (["c"], "three")


def test_what_made_the_arguments_shrinks_too_and_what_is_shared_stays_one():
    x = torch.randn(5, 3, dtype=torch.float64)
    made = Made("call", of=Made("name", "Model"), args=(7, x))
    whole = Made("call", of=Made("get", "encode", made), args=(x,), kwargs={"scale": 2.0})
    small = shrink(Arguments((whole,)), lambda call: len(call.args[0].of.of.args) == 2, 300).args[0]
    assert small.args[0].shape == (1, 1)
    assert small.of.of.args[0] == 1
    assert "scale" not in small.kwargs
    assert small.args[0] is small.of.of.args[1]  # one tensor in two places


def test_a_call_that_is_made_twice_is_read_once():
    assert numbers_in("f(1, [2.])\nf(1, [2.])[0]") == 4
    assert numbers_in("f(1, [2.])\nf(1, [2.])") == 2


# --- small versions by rule, and what is kept for the next judge ---


def test_small_versions_are_few_small_and_keep_what_holds():
    weights = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    call = Arguments((3 * torch.randn(6, 2, dtype=torch.float64), weights, 3))
    versions = list(rungs([call], lambda version: True))
    first = [version.numbers for version in versions[:6]]
    assert first == sorted(first)
    assert all(version.numbers <= MOST for version in versions)
    assert len(versions) < 60
    assert all(torch.isclose(version.args[1].sum(), weights.sum()) for version in versions)
    whole = versions[0].args[0]
    assert torch.equal(whole, whole.round())
    assert (whole != 0).all()  # nothing is seen of what is multiplied by 0


def test_a_simple_network_stands_for_objects_that_are_passed():
    """Where right code takes it; else for one of them; never for what is called."""
    x = torch.randn(2, 3)
    model, space = Made("probe", "network", args=(x,)), Made("call", of=Made("name", "Space"), args=(3,))
    fitted = Made("call", of=Made("get", "fit", Made("call", of=Made("name", "Model"))), args=(model, space, x))

    def is_network(made):
        return made in (model, space)

    def stood_for(call):
        return [one in STAND_INS for one in call.args[0].args]

    half, bowl, *_shorter = plainer(Arguments((fitted,)), lambda call: True, is_network)
    assert stood_for(half) == stood_for(bowl) == [True, True, False]
    assert half.args[0].args[0] is half.args[0].args[1] is STAND_INS[0]
    assert bowl.args[0].args[0] is STAND_INS[1]
    assert half.args[0].of not in STAND_INS
    assert half.args[0].args[2] is x
    one, *_others = plainer(Arguments((fitted,)), lambda call: stood_for(call) == [True, False, False], is_network)
    assert stood_for(one) == [True, False, False]
    _half, _bowl, mixed, *_others = plainer(Arguments((fitted,)), lambda call: True, is_network)
    assert mixed.args[0].args[:2] == STAND_INS
    assert not list(plainer(Arguments((fitted,)), lambda call: False, is_network))


def test_numbers_that_right_code_can_do_without_are_left_out():
    x = torch.randn(2, 3)
    layer = Made("probe", "perturbed", args=(Made("call", of=Made("name", "Layer"), args=(3,)), x, 0.8, 0.7))
    called = Arguments((Made("call", of=layer, args=(x,), kwargs={"lr": 0.1, "scale": 2.0}),))

    def answered(call):
        return len(call.args[0].of.args) > 2 and call.args[0].of.args[0].args and "scale" in call.args[0].kwargs

    (shorter,) = plainer(called, answered, lambda made: False)
    assert shorter.args[0].of.args == (*layer.args[:2], 0.8)
    assert shorter.args[0].kwargs == {"scale": 2.0}
    assert not list(plainer(called, lambda call: False, lambda made: False))
    assert shorter.args[0].args[0] is x is shorter.args[0].of.args[1]


def test_what_right_code_has_defaults_for_in_the_smallest_size_is_left_out_there():
    """A model of ours without its weights has one dimension: so has the point that it is asked about."""
    x, slopes = torch.randn(4, dtype=torch.float64), torch.randn(3, 5, 4, dtype=torch.float64)
    model = Made("probe", "model", args=(slopes, torch.randn(3, 5, dtype=torch.float64)))
    call = Arguments((Made("call", of=Made("name", "interpolate"), args=(model, x)),))

    def answered(version):
        args = version.args[0].args
        return len(args) == 2 and args[1].ndim == 1 and (len(args[0].args) == 2 or len(args[1]) == 1)

    found = list(rungs([call], answered))
    texts = [example_text("value", version, {}, {}) for version in found]
    assert "interpolate(model(), tensor([1.]))" in texts or "interpolate(model(), tensor([-1.]))" in texts
    assert all(len(version.args[0].args[0].args) == 2 or version.numbers == 1 for version in found)


def test_one_tensor_stands_for_all_of_its_form_where_a_call_is_small_only_so():
    """Where what holds of the one holds of the other; the numbers of each are tried before."""
    x, noise = torch.rand(4, 2, 3, dtype=torch.float64) + 1, torch.randn(4, 2, 3, dtype=torch.float64)
    few, rising = torch.randn(5, dtype=torch.float64), torch.linspace(0.1, 0.5, 5, dtype=torch.float64)
    call = Arguments((Made("call", of=Made("name", "step"), args=(x, noise, few, rising)),))

    def answered(version):
        points, other, numbers, levels = (*version.args[0].args, None, None, None, None)[:4]
        return levels is not None and points.shape == other.shape == (1, 2, 1) and len(levels) == len(numbers) == 2

    versions = [version for version in rungs([call], answered) if version.numbers <= SMALL]
    shared = [version.args[0].args for version in versions if version.args[0].args[0] is version.args[0].args[1]]
    assert shared
    assert all(bool(args[3].diff() > 0) for args in shared)
    texts = [example_text("value", version, {}, {}) for version in versions]
    assert any(text.startswith("x = tensor([[[1.], [3.]]])\n") and "step(x, x, " in text for text in texts)
    few_numbers = Arguments((Made("call", of=Made("name", "step"), args=(x[:1, :2, :1], noise[:1, :2, :1])),))
    assert all(a is not b for a, b in (version.args[0].args for version in rungs([few_numbers], lambda call: True)))


def test_numbers_that_count_up_by_one_amount_are_written_by_their_ends():
    times = torch.linspace(1.0, 0.01, 61, dtype=torch.float64)
    call = Arguments((Made("call", of=Made("name", "sample"), args=(times,)),))
    assert example_text("value", call, {}, {}) == "sample(linspace(1., 0.01, 61))"
    assert call.numbers == 3
    for leaf in (times**2, times[:4], times.float() + torch.eye(61)[5] * 1e-3, torch.arange(9), times[None]):
        assert "linspace" not in example_text("value", Arguments((replace(call.args[0], args=(leaf,)),)), {}, {})


def test_small_versions_have_rows_of_several_directions_and_few_different_integers():
    def small(leaf):
        call = Arguments((Made("call", of=Made("name", "fit"), args=(leaf,)),))
        return [
            one.args[0].args[0] for one in rungs([call], lambda one: True) if one.args[0].args and one.numbers <= SMALL
        ]

    points = small(torch.rand(6, 3, dtype=torch.float64) + 1)
    assert any(rows.shape == (2, 2) and (rows[1] - rows[0]).unique().numel() == 2 for rows in points)
    tokens = small(torch.tensor([[4, 7], [5, 7], [9, 8], [2, 2], [1, 0]]))
    assert any(rows.shape == (2, 2) and rows.max() == 1 and rows[0, 0] == rows[0, 1] for rows in tokens)


def test_an_order_of_places_stays_one():
    orders = torch.tensor([[2, 0, 3, 1], [1, 3, 2, 0], [0, 1, 2, 3]])
    call = Arguments((Made("call", of=Made("name", "align"), args=(torch.randn(3, 4), orders)),))
    small = shrink(call, lambda one: True, 200).args[0].args
    tried = [one.args[0].args for one in rungs([call], lambda one: True)]
    found = [args[1] for args in (*tried, small) if len(args) == 2]
    assert len(found) > 5
    assert all(torch.equal(rows.sort().values[-1], torch.arange(rows.shape[-1])) for rows in found)


def test_an_identity_matrix_that_stands_there_three_times_is_named():
    eye = torch.eye(2)
    call = Made("call", of=Made("name", "heads"), args=(eye[None].clone(), eye.clone(), eye.clone(), eye.roll(1, 0)))
    few = replace(call, args=call.args[1:])
    assert example_text("value", Arguments((few,)), {}, {}) == "heads(eye(2), eye(2), eye(2).roll(1, 0))"
    text = example_text("value", Arguments((call,)), {}, {})
    assert text == "x = eye(2)\nheads(x[None], x, x, eye(2).roll(1, 0))"
    assert numbers_in(text) == Arguments((call,)).numbers == 4


def test_a_place_in_what_is_cut_becomes_one_that_is_there():
    levels, t = torch.linspace(0.9, 0.1, 9, dtype=torch.float64), torch.tensor([8, 5, 8])
    call = Arguments((Made("call", of=Made("name", "loss"), args=(levels, t)),))

    def answered(version):
        args = version.args[0].args
        return len(args) == 2 and int(args[1].max()) < len(args[0])

    texts = [example_text("value", version, {}, {}) for version in rungs([call], answered)]
    assert "loss(tensor([0.9]), tensor([0]))" in texts
    assert "loss(tensor([0.9, 0.8]), tensor([1, 0, 1]))" in texts
    assert any("tensor([8, 5])" in text for text in texts), "as they are where all is there"


def test_a_long_answer_is_shown_by_how_its_rows_begin():
    rows = torch.tensor([[0.25], [0.5], [0.75]], dtype=torch.float64).expand(3, 784)
    shown = text_of_outcome(Ended(rows), "values")
    assert shown == "a tensor of shape (3, 784), float64 [[0.25, 0.25, ...], [0.5, 0.5, ...], ...]"
    shown = text_of_outcome(Ended(rows.reshape(3, 1, 28, 28)), "values")
    assert shown == "a tensor of shape (3, 1, 28, 28), float64 [[[[0.25, 0.25, ...], [0.25, 0.25, ...], ...]], ...]"


def test_counts_are_low_where_right_code_takes_them_and_sizes_stay():
    x = torch.randn(6, 3)
    called = Arguments((Made("call", of=Made("name", "train"), args=(x, 3), kwargs={"steps": 75, "k": 5, "lr": 0.1}),))

    def answered(call):
        made = call.args[0]
        return len(made.args) == 2 and set(made.kwargs) == {"steps", "k", "lr"} and made.kwargs["k"] > 4

    two, one = plainer(called, answered, lambda made: False)
    assert two.args[0].kwargs == {"steps": 2, "k": 5, "lr": 0.1}
    assert one.args[0].kwargs == {"steps": 1, "k": 5, "lr": 0.1}
    assert two.args[0].args == one.args[0].args == (x, 3)


def test_square_matrices_are_tried_as_the_identity_with_its_rows_moved_on():
    """Two that are passed are two different ones; nothing is to be read in them but their size."""
    x, y = torch.randn(4, 3, dtype=torch.float64), torch.randn(1, 4, 3, dtype=torch.float64)
    call = Arguments((Made("call", of=Made("name", "align"), args=(x, y)),))

    def answered(version):
        args = version.args[0].args
        return len(args) == 2 and args[0].shape == (3, 3)

    versions = rungs([call], answered)
    texts = [example_text("value", version, {}, {}) for version in versions]
    assert "align(eye(3), eye(3).roll(1, 0)[None])" in texts
    assert numbers_in(texts[0]) <= 4
    shown = eval(texts[0], {"align": lambda *found: found, "eye": torch.eye})
    assert torch.equal(shown[1][0], shown[0].roll(1, 0))


def test_a_matrix_of_any_form_is_tried_as_an_identity():
    points, others = torch.randn(7, 5, dtype=torch.float64), torch.randn(1, 6, 5, dtype=torch.float64)
    call = Arguments((Made("call", of=Made("name", "shares"), args=(points, others)),))

    def wanted(version):
        args = version.args[0].args
        return len(args) == 2 and args[0].shape == args[1].shape[1:] == (3, 2)

    texts = [example_text("value", one, {}, {}) for one in rungs([call], wanted)]
    text = "shares(eye(3, 2), eye(3, 2).roll(1, 0)[None])"
    assert text in texts
    assert numbers_in(text) == 6
    first, second = eval(text, {"shares": lambda *found: found, "eye": torch.eye})
    assert torch.equal(second[0], torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    call = Arguments((Made("call", of=Made("name", "shares"), args=(first.double(),)),))
    assert call.numbers == 2
    assert example_text("value", call, {}, {}) == "shares(eye(3, 2))"


def test_a_matrix_is_shrunk_to_an_identity():
    def fails(one):
        return one.args[0].shape == (3, 2) and torch.linalg.matrix_rank(one.args[0]) == 2

    points = torch.randn(3, 2, dtype=torch.float64)
    assert shrink(Arguments((points,)), fails, 200).numbers <= 4


def test_the_shape_of_several_that_are_one_number_everywhere_is_read_once():
    ones, half, zeros = torch.ones(1, 4, 4), torch.full((1, 4, 4), 0.5), torch.zeros(1, 4, 4)
    call = Arguments((Made("call", of=Made("name", "sweep"), args=(ones, 0.2, half, [zeros, ones])),))
    text = example_text("value", call, {}, {})
    assert text == "x = ones(1, 4, 4)\nsweep(x, 0.2, full_like(x, 0.5), [zeros_like(x), x])"
    assert numbers_in(text) == call.numbers == 5
    other = Arguments((Made("call", of=Made("name", "sweep"), args=(ones, torch.full((1, 4, 4), 2))),))
    assert example_text("value", other, {}, {}) == "sweep(ones(1, 4, 4), full((1, 4, 4), 2, dtype=torch.int64))"
    assert other.numbers == 7


@pytest.mark.parametrize("seed", range(8))
def test_pairs_that_cancel_each_other_are_tried(seed):
    """What takes a mean over too much finds nothing in them."""
    numbers = torch.randn(2, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found = rungs([Arguments((numbers,))], lambda version: True)
    assert any(one.args[0].shape == (1, 2) and one.args[0].sum() == 0 for one in found)


def test_an_answer_with_more_under_other_keys_is_of_the_same_kind():
    one, more = Ended({"loss": [1.0, 2.0]}), Ended({"loss": [0.5, 0.7], "rate": [0.1]})
    right = settled([one, more])
    assert right is not None
    assert right.settled == "kind"
    assert departs(Ended({"rate": [0.1]}), right)
    assert settled([more, one]) is None


def test_an_order_that_right_answers_differ_in_is_free():
    up, down = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([3.0, 2.0, 1.0])
    right = settled([Ended(up), Ended(down), Ended(up[[1, 0, 2]])])
    assert right is not None
    assert right.settled == "order"
    assert not departs(Ended(up[[2, 0, 1]]), right)
    assert departs(Ended(torch.tensor([1.0, 2.0, 2.0])), right)
    assert departs(Ended(up[:2]), right)
    matrices = settled([Ended(torch.stack([up, down])), Ended(torch.stack([down, up]))])
    assert matrices is not None
    assert matrices.settled == "kind"


def test_rounding_is_not_shown_inside_of_answers():
    shown = text_of_outcome(Ended((torch.tensor([1.0, 3e-16], dtype=torch.float64), {"rmsd": 1e-17})), "values")
    assert shown == "(tensor([1., 0.]), {'rmsd': 0.})"


def test_leaves_stand_in_the_order_in_which_they_are_changed():
    """A leaf is changed by its place."""
    x, y = torch.ones(2), torch.zeros(3)
    model = Made("call", of=Made("name", "Model"), args=([1, y], "a"), kwargs={"like": x, "n": 2})
    whole = Made("call", of=Made("get", "fit", model), args=(x, {"b": 3, "c": [x, None]}), kwargs={"seed": Seeded(4)})
    call = Arguments((Made("part", 0, whole), model, (5, 6)), {"last": y, "k": 7})
    leaves: list[object] = []
    lengths: list[int] = []
    call.map(lambda leaf: leaves.append(leaf) or leaf, lambda items: lengths.append(len(items)) or items)
    assert list(map(id, call.leaves)) == list(map(id, leaves))
    assert call.lengths == lengths


def test_stand_ins_are_networks_of_one_weight():
    half, bowl = GENERIC["half"](), GENERIC["bowl"]()
    assert torch.equal(half(torch.ones(2), 3, t=4), torch.full((2,), 0.5))
    assert torch.equal(bowl(torch.ones(2, 3, 4), 3, t=4), torch.full((2,), -6.0))
    assert [p.numel() for module in (half, bowl) for p in module.parameters()] == [1, 1]


def test_versions_that_right_code_does_not_answer_are_left_out():
    call = Arguments((torch.randn(6, 2, dtype=torch.float64),))
    assert all(version.args[0].shape[1] == 2 for version in rungs([call], lambda one: one.args[0].shape[1] == 2))
    assert not list(rungs([call], lambda one: False))


def test_a_call_is_written_and_read_with_what_stands_in_two_places():
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    model = Made("call", of=Made("name", "Model"), args=(3, x), kwargs={"dtype": torch.float32})
    whole = Made("call", of=Made("get", "encode", model), args=(x, [Seeded(2), "a"], (None, True)))
    part, again = call_of(msgpack.decode(msgpack.encode(plain(Arguments((Made("part", 0, whole), model)))))).args
    assert part.of.of.of is again
    assert part.of.args[0] is again.args[1]
    assert torch.equal(again.args[1], x)
    assert (part.of.args[1][0].seed, part.of.args[2], again.kwargs["dtype"]) == (2, (None, True), torch.float32)


def test_what_is_kept_changes_no_example(toy, toy_solution, tmp_path, monkeypatch):
    """The first judge looks for it, the second reads it; a file that is broken is looked for anew."""
    monkeypatch.setenv("AUTOGRADER_CACHE", str(tmp_path))
    cell = Cell(1, "toy.py", toy_solution + "\ndef spread(x): return x.var(1)\n", 1)
    job = Job("toy", "ada", code_of(Submission("ada", "toy", Path("toy.py"), "", "py", (cell,))).cells, 120)

    def example():
        with Judge(Order(toy / "grading_config.yaml", (), b"a secret of the tests")) as judge:
            (check,) = (check for check in judge.grade(job).checks if check.id == "spread_value")
        assert check.diagnosis == "unbiased_spread"
        return check.example

    first = example()
    (kept,) = tmp_path.glob("examples/toy-*")
    assert "unbiased_spread" in kept.read_text()
    second = example()
    kept.write_bytes(b"broken")
    assert first is not None
    assert second == first
    assert example() == first


# --- objects, generators, shapes ---

OBJECTS = """
class Line:
    def __init__(self, slope): self.slope = slope
    def at(self, x): return self.slope * x
def noisy(x, generator=None): return x + torch.randn(x.shape, generator=generator, dtype=x.dtype)
def head(x, k): return x[:k]
"""


@pytest.mark.parametrize(
    ("wrong", "label", "asked", "text"),
    [
        (
            "Line.at = lambda self, x: self.slope + x",
            "Line(...).at", "value", "Line(tensor([[0.]])).at(tensor([[1.]]))",
        ),
        (
            "def noisy(x, generator=None): return x + torch.randn(x.shape, dtype=x.dtype)",
            "noisy", "twice", "noisy(tensor([0.]), torch.Generator().manual_seed(0))",
        ),
        ("def head(x, k): return x", "head", "value", "head(tensor([[0.], [0.]]), 1)"),
    ],
)  # fmt: skip
def test_calls_on_objects_with_generators_and_shapes_have_examples(wrong, label, asked, text):
    """What is right is what two right solutions agree on; what is shown is short and can be typed."""
    source = "import torch\n" + OBJECTS
    right = [session_on(source, f"right_{label}_{k}") for k in range(2)]
    student = session_on(source + wrong, f"wrong_{label}")
    recorder = right[0].recorder = Recorder()
    line = right[0].get_public("Line")(torch.rand(3, 1, dtype=torch.float64))
    line.at(torch.randn(3, 2, dtype=torch.float64))
    right[0].get_public("noisy")(torch.randn(4, dtype=torch.float64), torch.Generator().manual_seed(91))
    right[0].get_public("head")(torch.randn(5, 3, dtype=torch.float64), 2)
    right[0].recorder = None
    (kept,) = (one for one in recorder.kept if one.label == label)

    def says(call):
        return settled([outcome(one, asked, call) for one in right])

    def fails(call):
        due = says(call)
        return due is not None and departs(outcome(student, asked, call), due)

    call = Arguments((kept.made,))
    assert fails(call)
    small = shrink(call, fails, 300)
    assert example_text(asked, small, {}, {}).splitlines()[0] == text
    assert numbers_in(text) <= 6


def session_on(source, name):
    session = Session(LocalTransport(load_module(name, source, f"{name}.py")), Code("toy", (), ""), 60.0)
    session.begin_check("examples", 60.0, 0)
    return session


# --- where nothing was compared ---


@pytest.mark.parametrize(("f", "shown"), [("3 * x", "f(tensor([2.]))"), ("2 * x", None)])
def test_a_call_that_right_code_answers_so_too_shows_nothing(f, shown):
    """Something does not hold between calls: the last one may be right, and says nothing of what is wrong."""
    source = "def f(x): return 2 * x\ndef g(x): return x + 1\n"
    student, right = session_on(source.replace("2 * x", f), f"own {f}"), session_on(source, "right")
    recorder = student.recorder = Recorder()
    for name in ("f", "g"):
        student.get_public(name)(torch.tensor([2.0]))
    student.recorder = None
    failure, title = CheckFailed("they do not agree"), "f and g agree."
    found = own_run.shown_of(student, recorder, failure, title, lambda *one: own_run.answered_by(right, *one))
    assert (found and example_text("value", found.call, {}, {})) == shown
    assert found is None or found.right == title


# --- what a check finds wrong in weights of its own ---


def test_large_tensors_of_the_first_public_numbers_are_one_number_each():
    draw = own_run.LevelDraw(3)
    images, uniform = draw.normal(2, 5), draw.uniform(4, 4, low=-1, high=2, dtype=torch.float32)
    assert images.unique().numel() == uniform.unique().numel() == 1
    assert not torch.equal(images, draw.normal(2, 5))
    assert (uniform.dtype, float(uniform[0, 0])) == (torch.float32, 0.5)
    assert draw.normal(2, 2).unique().numel() > 1


def test_rows_of_the_second_ones_are_one_number_each_and_differ():
    draw = own_run.RowsDraw(3)
    for images in (draw.normal(4, 2, 3), draw.uniform(3, 9, low=-1, high=2, dtype=torch.float32)):
        assert all(row.unique().numel() == 1 for row in images)
        assert images.unique().numel() > 1
    points = draw.normal(5, 2)
    assert (points[:, 0] != points[:, 1]).any()


@pytest.mark.parametrize("plain", own_run.DRAWS[:-1])
def test_a_check_that_draws_until_something_holds_ends_on_plain_numbers_too(plain):
    def far_apart(draw):
        while True:
            rows = draw.normal(3, 7)
            if (rows[0] - rows[1]).norm() > 1e6 and draw.integer(0, 9) > 5:
                return rows

    with pytest.raises(own_run.DrawnTooOften):
        far_apart(plain(1))
    seeds = plain(1)
    with pytest.raises(own_run.DrawnTooOften):
        list(iter(seeds.seed, 0))


def test_plain_draws_take_every_choice_in_its_turn_and_the_middle_of_integers():
    """A check that draws which networks train sees both modes; tokens that are all the same are not read one by one."""
    draw = own_run.LevelDraw(0)
    assert {draw.choice((True, False)) for _ in range(2)} == {True, False}
    assert {draw.choice(["a", "b", "c"]) for _ in range(3)} == {"a", "b", "c"}
    assert draw.integers(0, 5, 2, 4).tolist() == [[2, 2, 2, 2], [2, 2, 2, 2]]
    few = draw.integers(0, 100, 4)
    assert len(set(few.tolist())) > 1


class _OwnRuns(own_run.OwnRuns):
    """Its checks are said to pass on some draws, and to fail on others."""

    def __init__(self, failing, right=own_run.DRAWS):
        code = SimpleNamespace(remembered={}, sessions=(None,))
        super().__init__(SimpleNamespace(right_code=code), lambda *one: None)
        self.failing, self.right, self.asked = failing, right, []

    def _failure(self, session, item, info, case, draw, recorder):
        if session is None:
            return None if draw in self.right else CheckFailed("right code fails")
        self.asked.append(draw)
        if draw not in self.failing:
            return None
        failed = CheckFailed("wrong")
        failed.compared = torch.zeros(1), torch.ones(1), draw.__name__
        return failed


LEVEL, ROWS, ROUND, ANY = own_run.DRAWS


@pytest.mark.parametrize(
    ("failing", "right", "asked", "shown"),
    [
        ({LEVEL, ROUND}, {LEVEL, ROWS, ROUND, ANY}, [LEVEL], "LevelDraw"),
        ({ROWS, ANY}, {LEVEL, ROWS, ROUND, ANY}, [LEVEL, ROWS], "RowsDraw"),
        ({ROUND, ANY}, {LEVEL, ROWS, ROUND, ANY}, [LEVEL, ROWS, ROUND], "RoundDraw"),
        ({ANY}, {LEVEL, ANY}, [LEVEL, ANY], "Draw"),
        ({LEVEL, ROUND}, {ROWS, ROUND}, [ROWS, ROUND], "RoundDraw"),
        ({LEVEL}, {ANY}, [ANY], None),
        (set(), {LEVEL, ROUND, ANY}, [LEVEL, ROUND], None),
        ({LEVEL}, set(), [], None),
    ],
)
def test_a_check_is_run_on_the_plainest_numbers_that_show_what_is_wrong(failing, right, asked, shown):
    """On those alone on which right code passes; which those are is found out once."""
    runs = _OwnRuns(failing, right)
    found = runs.shown("student", None, SimpleNamespace(id="check", title="it holds"), None)
    assert runs.asked == asked
    assert (found and found.what) == shown


def test_a_long_list_of_texts_is_written_in_short():
    call = Arguments((Made("call", of=Made("name", "train"), args=(["a b", "c", "d e"] * 5, ["f"])),))
    assert example_text("value", call, {}, {}) == "train(['a b', 'c', ...], ['f'])"


# --- relations ---

RIGHT = [torch.tensor([[0.5, 2.0, -3.0], [1.0, 7.0, 0.25]]), torch.tensor([[4.0, 0.1, 1.0], [3.0, -2.0, 5.0]])]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda x: -x, "opposite sign"),
        (lambda x: 2 * x, "twice"),
        (lambda x: x / 2, "half"),
        (lambda x: x / torch.tensor(2.0).log(), "ln 2"),
        (lambda x: x.mT, "transposed"),
        (lambda x: x.flip(-1), "reverse"),
        (lambda x: x**2, "square"),
        (lambda x: x.exp(), "exponential"),
        (lambda x: x.cumsum(-1), "added up"),
        (lambda x: x[:1].expand_as(x), "first one"),
        (lambda x: x.sum(0), "sum of the right"),
        (lambda x: x.mean(1), "mean of the right"),
        (lambda x: 3.7 * x, "same number"),
        (lambda x: x + 3.7, "added"),
        (lambda x: 7 * x, "length of a dimension"),
        (lambda x: 7 / 6 * x, "n/(n-1)"),
    ],
)
def test_a_relation_is_named_by_a_word(wrong, word):
    pairs = [Compared(wrong(x.double()), x.double(), frozenset({7})) for x in RIGHT]
    text = relation(pairs)
    assert text is not None
    assert word in text
    # One that holds on one input only is none.
    assert relation([pairs[0], Compared(RIGHT[1].double() + torch.rand(2, 3), RIGHT[1].double())]) is None


def test_one_input_is_too_few_and_what_is_right_says_nothing():
    assert relation([Compared(-RIGHT[0], RIGHT[0])]) is None
    assert relation([Compared(x, x) for x in RIGHT]) is None


# --- who sees it ---


@pytest.mark.parametrize(
    ("rule", "published", "late", "seen"),
    [
        ("hidden", True, True, False),
        ("after_due_date", True, False, False),
        ("after_due_date", True, True, True),
        ("after_due_date", False, True, False),  # of a check that is not visible nothing is
        ("visible", True, False, True),
    ],
)
def test_students_see_examples_when_the_course_says(tmp_path, rule, published, late, seen):
    file = tmp_path / "grading_config.yaml"
    file.write_text(
        f"schema_version: 1\ncourse: {{id: toy, title: Toy}}\nexamples: {rule}\npublished: {str(published).lower()}\n"
        "exercises: [{id: toy, title: Toy, points: 1, due: 2027-02-01}]\n"
    )
    course = load_config(file)
    check = CheckResult("a", "A.", 0.0, 1.0, "failed", "wrong", example=Example("f(1)", "2", "3"))
    result = Result("ada", "toy", 0.0, 1.0, "graded", [check])
    now = datetime(2027, 3 if late else 1, 1, tzinfo=UTC)
    for teacher in (False, True):
        view = student_view(course, [result], [grade_of(result, course, ())], now, teacher=teacher)
        assert ("f(1)" in student_page(view, course, "en")) == (seen or teacher)


# --- the student's lines ---


def test_a_failed_check_shows_the_function_that_it_called(grade, toy_solution):
    checks = grade(toy_solution + "\n\ndef mean(x):\n    return x.sum(1)\n")["by_id"]
    first = toy_solution.count("\n") + 3
    assert checks["mean_value"]["lines"] == {
        "where": "toy.py", "line": first, "text": "def mean(x):\n    return x.sum(1)",
    }  # fmt: skip
    assert checks["line"]["lines"] is None  # it has passed


def test_the_lines_are_of_what_is_judged_and_not_of_what_was_asked_beside_it():
    trace = [Answer(label, "tensor", None) for label in ("pull(x, 0.1)", "align(x, y)")]
    assert about(("moved", "pull"), trace, {}) == "pull"
    assert about(("moved",), trace, {}) == "align"  # nothing else is known
    assert about(("pull", "align"), trace, {"pull": "failed", "align": "passed"}) == "pull"


def test_lines_are_of_the_definition_that_counts_and_not_endless():
    def cell(source, line=1):
        return {"source": source, "where": "cell 2", "filename": "x.py", "first_line": line}

    long = "def f():\n" + "    x = 1\n" * 500
    cells = [cell("def f(): return 1"), cell("def f(): return 2", 7), cell("def broken(:"), cell(f"\n{long}", 9)]
    found = excerpts(cells)
    assert (found["f"].line, len(found["f"].text.splitlines())) == (10, 40)
    assert list(found) == ["f"]
