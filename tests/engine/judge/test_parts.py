"""A check over several functions: a part lost costs its share, form without substance nothing earns, both ways."""

from __future__ import annotations

import shutil

import pytest

from autograder.batch.job import Job, Kept, Order
from autograder.batch.judges import Judge
from autograder.judge.parts import Parts
from autograder.judge.verdicts import CheckFailed

CHECKS = '''
import torch

from autograder.judge import check
from autograder.judge.verdicts import FrameworkFault


@check(points=3, covers="mean")
def test_mean_value(student, reference, compare, draw):
    """The mean is right."""
    x = draw.normal(4, 5)
    compare(student.mean(x), reference.mean(x))


@check(points=3, covers="spread")
def test_spread_value(student, reference, compare, draw):
    """The spread is right."""
    x = draw.normal(4, 5)
    compare(student.spread(x), reference.spread(x))


@check(points=4, covers=("law", "mean", "spread", "sample"),
       substance={"mean": ("mean_value",), "spread": ("spread_value",)})
def test_conventions(student, each, expect, compare, draw):
    """Tensors keep their dtype."""
    for dtype in (torch.float32, torch.float64):
        x = draw.normal(4, 5, dtype=dtype)
        with each("mean"):
            expect.tensor(student.mean(x), (4,), dtype=dtype, container="tensor")
        with each("spread"):
            expect.tensor(student.spread(x), (4,), dtype=dtype, container="tensor")
    with each("sample"):
        drawn = student.sample(3)
        if drawn == "ours":
            raise FrameworkFault("no limit")
        assert len(drawn) == 3, "not three"
        for n in (1, 2):  # where one is wrong, two are not asked for
            compare(torch.ones_like(student.sample(n)), torch.ones(n))
    with each("Line"):
        student.Line()(torch.ones(3)).sum()
'''


@pytest.fixture(scope="module")
def judge(toy, tmp_path_factory):
    course = tmp_path_factory.mktemp("parts") / "toy"
    shutil.copytree(toy, course, ignore=shutil.ignore_patterns("quiz.py"))
    (course / "tests/hidden/toy/test_toy.py").write_text(CHECKS)
    bank = (course / "solutions/toy/mistakes.py").read_text()
    bank += """
mistake("mean_in_double", "the mean always in float64", check="conventions", hint="Keep the dtype.",
    function="mean", old="x.sum(1)", new="x.double().sum(1)")
mistake("two_at_least", "two draws where one is asked for", check="conventions", hint="Draw n.",
    function="sample", old="torch.randn(n", new="torch.randn(max(n, 2)")
"""
    (course / "solutions/toy/mistakes.py").write_text(bank)
    with Judge(
        Order(course / "grading_config.yaml", (course / "tests/hidden/toy",), b"a secret of the tests")
    ) as judge:
        yield judge


@pytest.fixture
def graded(judge, toy_solution):
    def run(more: str, **job):
        source = f"{toy_solution}\n\n{more}\n"
        cells = ({"source": source, "where": "toy.py", "filename": "toy.py", "first_line": 1},)
        result = judge.grade(Job("toy", "ada", cells, 120, **job))
        return result, {check.id: check for check in result.checks}

    return run


WHOLE = {"mean": "passed", "spread": "passed", "sample": "passed", "Line": "passed"}


def test_the_solution_has_everything_and_no_list_of_parts(graded):
    result, found = graded("")
    assert result.points == 10
    assert found["conventions"].parts == {}
    assert found["conventions"].share == 1


@pytest.mark.parametrize(
    ("source", "part", "says"),
    [
        ("def spread(x):\n    return mean((x - mean(x)[:, None]) ** 2).double()", "spread", "expected dtype float32"),
        ("def sample(n, generator=None):\n    return torch.zeros(2)", "sample", "not three"),
        ("del sample", "sample", "is not defined"),
        ("def sample(n, generator=None):\n    raise NotImplementedError", "sample", "is not written yet"),
        ("def sample(n, generator=None):\n    return 7", "sample", "could not work with what was answered"),
        ("class Line:\n    def __call__(self, x):\n        return None", "Line", "expected an object with `sum`"),
    ],
)
def test_a_part_lost_costs_its_share_and_nothing_else(graded, source, part, says):
    result, found = graded(source)
    lost = found["conventions"]
    assert lost.parts == WHOLE | {part: "failed"}
    assert (lost.outcome, lost.share, lost.points) == ("failed", 0.75, 3)
    assert says in lost.message
    assert lost.message.startswith("3 of 4 parts earn")
    assert result.points == 9


def test_form_without_substance_earns_nothing(graded):
    result, found = graded("def mean(x):\n    return x[:, 0]\n\ndef sample(n, generator=None):\n    return None")
    lost = found["conventions"]
    assert lost.parts == WHOLE | {"mean": "blocked", "spread": "blocked", "sample": "failed"}
    assert "`mean`: form counts only where the values are right, and they are not." in lost.message
    assert lost.points == 1
    assert result.points == 1


def test_what_is_judged_alone_brings_the_checks_of_its_values_with_it(graded):
    _result, found = graded("def mean(x):\n    return x[:, 0]", checks=("conventions",))
    assert list(found) == ["mean_value", "spread_value", "conventions"]
    assert found["conventions"].parts["mean"] == "blocked"


def test_a_kept_check_keeps_its_share_and_is_judged_anew_where_its_substance_is(graded):
    source = "def sample(n, generator=None):\n    return None"
    before, found = graded(source)
    kept = [check for check in before.checks if check.id != "mean_value"]
    _result, again = graded(source, kept=Kept(tuple(kept)))
    assert again["conventions"].parts == found["conventions"].parts
    kept = [check for check in before.checks if check.id != "mean_value"]
    wrong, found = graded("def mean(x):\n    return x[:, 0]", kept=Kept(tuple(kept)))
    assert found["spread_value"].outcome == "passed"  # kept, and of another file
    assert found["conventions"].parts == WHOLE | {"mean": "blocked"}
    assert wrong.points == 6


def test_what_cannot_be_answered_any_more_ends_the_check(graded):
    _result, found = graded("def spread(x):\n    import os\n    os._exit(0)")
    assert (found["conventions"].points, found["conventions"].parts) == (0, {})
    assert found["mean_value"].outcome == "passed"


def test_a_fault_of_ours_in_a_part_is_no_loss(graded):
    result, found = graded("def sample(n, generator=None):\n    return 'ours'")
    assert found["conventions"].outcome == "error"
    assert result.outcome == "error"


def test_a_part_names_the_mistake_that_it_is(graded):
    _result, found = graded("def mean(x):\n    return x.double().sum(1) / x.shape[1]")
    assert found["conventions"].diagnosis == "mean_in_double"
    assert found["conventions"].parts == WHOLE | {"mean": "failed", "spread": "failed"}


def test_a_part_that_stops_at_what_is_wrong_names_the_mistake_too(graded):
    """The next part's answers come after: those that were given are no beginning of all."""
    _result, found = graded("def sample(n, generator=None):\n    return torch.randn(n + (n == 1), generator=generator)")
    assert found["conventions"].diagnosis == "two_at_least"
    assert found["conventions"].parts == WHOLE | {"sample": "failed"}


@pytest.mark.parametrize(
    ("proven", "wrong", "says"), [(False, False, "counts only where its values"), (True, True, "off")]
)
def test_a_check_of_one_part_counts_none(proven, wrong, says):
    parts = Parts(lambda name: proven)
    with parts.part("mean"):
        if wrong:
            raise CheckFailed("the mean is off")
    lost = parts.verdict({name: error for name, error in parts.errors.items() if isinstance(error, CheckFailed)})
    assert lost is not None
    assert says in lost.message
    assert "of 1" not in lost.message
