# ruff: noqa: E501 - a table of attackers: a line each, where it can be
"""Library functions that a check forbids: refused while it runs, put back after it, and what gets round the fence."""

from __future__ import annotations

import shutil

import pytest
import torch

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge
from autograder.worker.forbidden import Fence, ForbiddenCall, find, mentions

CHECKS = '''
import torch

from autograder.judge import check


@check(points=1, forbids=("torch.mean", "torch.Tensor.mean", "torch.pca_lowrank", "torch.nn.functional.gelu", "torch.distributions.Normal"))
def test_by_hand(student, compare, draw):
    """The mean is taken by hand."""
    x = draw.normal(3, 4)
    compare(student.mean(x), x.sum(1) / 4, what="mean(x)")


@check(points=1)
def test_anyhow(student, compare, draw):
    """The mean is taken."""
    x = draw.normal(3, 4)
    compare(student.mean(x), x.sum(1) / 4, what="mean(x)")
'''

HONEST = "import torch\n\n\ndef mean(x):\n    return x.sum(1) / x.shape[1]\n"
LIBRARY = {
    "by its module": "import torch\n\n\ndef mean(x):\n    return torch.mean(x, 1)\n",
    "by another name": "import torch as t\n\n\ndef mean(x):\n    return t.mean(x, 1)\n",
    "imported at the top": "from torch import mean as m\n\n\ndef mean(x):\n    return m(x, 1)\n",
    "as a method": "def mean(x):\n    return x.mean(1)\n",
    "by getattr": "import torch\n\n\ndef mean(x):\n    return getattr(torch, 'me' + 'an')(x, 1)\n",
    "caught": "import torch\n\n\ndef mean(x):\n    try:\n        return torch.mean(x, 1)\n    except Exception:\n"
              "        return torch.mean(x, 1)\n",
    "a class": "from torch.distributions import Normal\n\n\ndef mean(x):\n    Normal(0., 1.)\n    return x.sum(1) / 4\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def judge(toy, tmp_path_factory):
    course = tmp_path_factory.mktemp("forbidden") / "toy"
    shutil.copytree(toy, course, ignore=shutil.ignore_patterns("quiz.py"))
    (course / "tests/hidden/toy/test_toy.py").write_text(CHECKS)
    with Judge(
        Order(course / "grading_config.yaml", (course / "tests/hidden/toy",), b"a secret of the tests")
    ) as judge:
        yield judge


def graded(judge, source):
    cells = [{"source": source, "where": "toy.py", "filename": "toy.py", "first_line": 1}]
    result = judge.grade(Job("toy", "ada", cells, 120)).to_json()
    return {check["id"]: check for check in result["checks"]}, result["incidents"]


def test_work_by_hand_passes(judge):
    checks, incidents = graded(judge, HONEST)
    assert [check["outcome"] for check in checks.values()] == ["passed", "passed"]
    assert incidents == []


@pytest.mark.parametrize("way", LIBRARY)
def test_the_library_is_refused_in_this_check_alone(judge, way):
    checks, _incidents = graded(judge, LIBRARY[way])
    assert checks["by_hand"]["outcome"] == "failed"
    assert "may not be used here" in checks["by_hand"]["message"]
    assert checks["anyhow"]["outcome"] == "passed", "put back after the check"


WAYS_ROUND = {
    "kept in a list": "KEPT = [torch.mean]\n\n\ndef mean(x):\n    return KEPT[0](x, 1)\n",
    "kept by a name made up": "KEPT = [getattr(torch, 'me' + 'an')]\n\n\ndef mean(x):\n    return KEPT[0](x, 1)\n",
    "kept as a method": "KEPT = [torch.Tensor.mean]\n\n\ndef mean(x):\n    return KEPT[0](x, 1)\n",
    "kept by a default": "def mean(x, take=torch.mean):\n    return take(x, 1)\n",
    "beneath it": "def mean(x):\n    return torch._C._VariableFunctions.mean(x, 1)\n",
    "its operator": "def mean(x):\n    return torch.ops.aten.mean(x, [1])\n",
    "its operator's overload": "def mean(x):\n    return torch.ops.aten.mean.dim(x, [1])\n",
    "a function of Python's": "from torch._lowrank import pca_lowrank as KEPT\nHELD = [KEPT]\n\n\ndef mean(x):\n"
                              "    HELD[0](x, 1)\n    return x.sum(1) / 4\n",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS_ROUND)
def test_a_way_round_is_refused_and_flagged(judge, way):
    """Kept in a list, under a name made up, as a method, as a default; what lies beneath it, its operator, its code."""
    checks, incidents = graded(judge, "import torch\n\n" + WAYS_ROUND[way])
    assert checks["by_hand"]["outcome"] == "failed"
    assert "under no other name" in checks["by_hand"]["message"]
    assert checks["anyhow"]["outcome"] == "passed", "put back after the check"
    assert [(i["kind"], i["check"]) for i in incidents] == [("forbidden", "by_hand")]


CANNOT_BE_STOPPED = {
    "the mode taken off": "def mean(x):\n    with torch._C.DisableTorchFunction():\n        return KEPT[0](x, 1)\n",
    "the mode popped": "def mean(x):\n    from torch.overrides import _pop_mode\n    _pop_mode()\n    return KEPT[0](x, 1)\n",
}


@pytest.mark.parametrize("way", CANNOT_BE_STOPPED)
def test_what_cannot_be_stopped_is_flagged_where_the_text_shows_it(judge, way):
    checks, incidents = graded(judge, "import torch\n\nKEPT = [torch.mean]\n\n\n" + CANNOT_BE_STOPPED[way])
    assert checks["by_hand"]["outcome"] == "passed", "a fence, not a wall"
    assert {(i["kind"], i["check"]) for i in incidents} == {("forbidden", "by_hand")}
    details = [i["detail"] for i in incidents]
    assert "toy.py, line 3 names torch.mean, which is forbidden here" in details
    assert any("a way to torch.mean, which is forbidden here" in detail for detail in details)


def test_a_submission_that_breaks_the_fence_passes_nothing_behind_it(judge):
    source = (
        HONEST + "\n\nclass Meta(type(torch)):\n    def __setattr__(self, name, value):\n        raise OSError\n\n\n"
    )
    source += "torch.__class__ = Meta\n"
    checks, incidents = graded(judge, source)
    assert checks["by_hand"]["outcome"] == "failed"
    assert checks["anyhow"]["outcome"] == "passed"
    assert incidents[0]["kind"] == "forbidden"


def test_a_text_that_breaks_the_search_is_still_graded(judge):
    deep = "x = " + "(" * 5000 + ")" * 5000 + "\n"
    checks, _incidents = graded(judge, HONEST + deep)
    assert [check["outcome"] for check in checks.values()] == ["passed", "passed"]


def test_a_name_that_does_not_exist_is_the_authors_fault(judge):
    for name in ("torch.no_such_function", "no_such_module.f", "torch"):
        with pytest.raises(LookupError, match=name):
            find(name)


def test_the_fence_restores_every_kind_of_thing():
    names = ["torch.cov", "torch.Tensor.cov", "torch.linalg.svd", "torch.nn.GRU", "numpy.cov"]
    owners = [find(name) for name in names]
    before = [vars(owner).get(attribute) for owner, attribute in owners]
    initial = torch.nn.GRU.__init__
    namespace = {"svd": torch.linalg.svd, "other": 1}
    fence = Fence()
    try:
        fence.forbid(names, namespace)
        x = torch.ones(2, 2)
        for call in (lambda: torch.cov(x), lambda: x.cov(), lambda: namespace["svd"](x), lambda: torch.nn.GRU(1, 1)):
            with pytest.raises(ForbiddenCall):
                call()
        assert issubclass(torch.nn.GRU, torch.nn.Module)
    finally:
        fence.lift()
    assert [vars(owner).get(attribute) for owner, attribute in owners] == before
    assert torch.nn.GRU.__init__ is initial
    assert namespace["svd"] is torch.linalg.svd
    assert torch.ones(2, 2).cov().shape == (2, 2)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("import torch\ntorch.cov(x)", [2]),
        ("import torch as t\nt.cov(x)", [2]),
        ("from torch import cov\ncov(x)", [1]),
        ("import torch.linalg\ntorch.linalg.svd(x)", [2]),
        ("from torch import linalg as la\nla.svd(x)", [2]),
        ("def f(x):\n    return x.cov()", [2]),
        ("import torch\ngetattr(torch, 'cov')", [2]),
        ("import torch\ntorch.mean(x)\ncovariance = 1\n'torch.cov'", []),
        ("import numpy as torch\ntorch.cov(x)", []),
        ("import torch\nprint(torch.__version__)", []),
        ("def f(:\n", []),
    ],
)
def test_mentions(text, lines):
    cell = {"source": text, "where": "cell 2", "first_line": 1}
    found = mentions([cell], ["torch.cov", "torch.Tensor.cov", "torch.linalg.svd"])
    assert [mention.line for mention in found] == lines


@pytest.mark.parametrize(
    ("text", "matters"),
    [
        ("def other(x):\n    return torch.cov(x)\n\n\ndef mean(x):\n    return x.sum(1)", False),
        ("class Other:\n    take = torch.cov\n\n\nclass mean:\n    pass", False),
        ("from torch import cov\n\n\ndef other(x):\n    return cov(x)\n\n\ndef mean(x):\n    return x", False),
        ("def mean(x):\n    return torch.cov(x)", True),
        ("def other(x):\n    return torch.cov(x)\n\n\ndef mean(x):\n    return between(x)\n\n\n"
         "def between(x):\n    return other(x)", True),
        ("KEPT = [torch.cov]\n\n\ndef mean(x):\n    return KEPT[0](x)", True),
        ("from torch import cov\n\n\ndef mean(x):\n    return cov(x)", True),
        ("print(torch.cov)\n\n\ndef mean(x):\n    return x", True),
        ("def other(x):\n    return torch._C._VariableFunctions.cov(x)\n\n\ndef mean(x):\n    return x", True),
    ],
)  # fmt: skip
def test_a_mention_matters_to_what_uses_it(text, matters):
    cell = {"source": "import torch\n" + text, "where": "toy.py", "first_line": 1}
    found = mentions([cell], ["torch.cov"])
    assert found
    assert any(mention.matters_to(("key", "mean")) for mention in found) is matters
    assert all(mention.matters_to(()) for mention in found)
