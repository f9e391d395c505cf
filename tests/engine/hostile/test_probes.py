# ruff: noqa: E501 - a table of attackers: a line each, where it can be
"""Attacks on the checks' own code that runs beside a submission: what it says is proved, and it cannot be read."""

from __future__ import annotations

import shutil

import pytest

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge

PROBES = '''"""Words of the hidden probes."""
import torch


def slope(function, x):
    """More words of the hidden probes."""
    x = x.clone().requires_grad_()  # and other words of the hidden probes
    return torch.autograd.grad(function(x).sum(), x)[0]
'''

CHECKS = '''
from autograder.judge import check


@check(points=1)
def test_own(student, probe, compare, draw):
    """The slope is right."""
    x = draw.normal(4)
    compare(probe.slope(student.mean, x), 2 * x, what="slope(mean)")


@check(points=1)
def test_generic(student, probe, compare, draw, expect):
    """The gradient is right."""
    x = draw.normal(4)
    compare(expect.sequence(probe.gradient(student.mean, [x], [0]), 1)[0], 2 * x, what="gradient(mean)")


@check(points=1)
def test_value(student, compare, draw):
    """The value is right."""
    x = draw.normal(4)
    compare(student.mean(x), x * x, what="mean")
'''

HONEST = "import torch\n\n\ndef mean(x):\n    return x * x\n"
# The slope is wrong, and what it says of the slope is forged.
WRONG = "import gc, sys, types\nimport torch\n\n\ndef mean(x):\n    return x * x.detach()\n\n\n"
RIGHT = "2 * {x}.detach()"

FORGERIES = {
    "the table of handlers": """
from autograder.worker.dispatcher import _HANDLERS
_HANDLERS["probe"] = lambda d, name, args, kwargs: ("value", 2 * args[1] if name == "slope" else [2 * args[1][0]])
""",
    "the handler, found by gc": """
for _thing in gc.get_objects():
    if isinstance(_thing, type) and _thing.__name__ == "Dispatcher":
        _thing._probe = lambda d, name, args, kwargs: ("value", 2 * args[1] if name == "slope" else [2 * args[1][0]])
        _thing.answer = lambda d, kind, request: d._probe(**request) if kind == "probe" else ("done", None)
""",
    "the generic probes": """
from autograder.worker import probes
probes.GENERIC["gradient"] = probes.gradient = lambda f, inputs, wrt, **k: [2 * inputs[0]]
torch.autograd.grad = lambda out, x, **k: [2 * x.detach()] if isinstance(x, torch.Tensor) else [2 * x[0].detach()]
""",
    "a function of torch's": """
torch.autograd.grad = lambda out, x, **k: [2 * x.detach()] if isinstance(x, torch.Tensor) else [2 * x[0].detach()]
""",
    "the code of a function of torch's": """
def _grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True, allow_unused=None, is_grads_batched=False, materialize_grads=False):
    return [2 * inputs.detach()] if isinstance(inputs, torch.Tensor) else [2 * inputs[0].detach()]
torch.autograd.grad.__code__ = _grad.__code__
""",
    "a method of tensors": """
_sum = torch.Tensor.sum
torch.Tensor.sum = lambda self, *a, **k: _sum(self + (self.detach() * 0 if not self.requires_grad else 0), *a, **k)
torch.Tensor.backward = None
torch.autograd.grad = lambda out, x, **k: [2 * x.detach()] if isinstance(x, torch.Tensor) else [2 * x[0].detach()]
""",
    "what is said on the wire": """
from autograder.wire.channel import Channel
_send = Channel.send
def _forged(self, number, kind, value, *rest, **more):
    if isinstance(value, torch.Tensor) and kind == "value": value = 2 * value
    if isinstance(value, list) and kind == "value": value = [2 * one for one in value]
    return _send(self, number, kind, value, *rest, **more)
Channel.send = _forged
Channel.send.__code__ = _forged.__code__
""",
    "how values are written": """
import autograder.wire.channel as _channel
_encode = _channel.encode
def _doubled(value, *rest):
    if isinstance(value, torch.Tensor): value = 2 * value
    if isinstance(value, list): value = [2 * one for one in value]
    return _encode(value, *rest)
_channel.encode = _doubled
""",
    "in the middle of a probe": """
def mean(x):
    def grad(out, x, **k): return [2 * x.detach()] if isinstance(x, torch.Tensor) else [2 * x[0].detach()]
    if x.requires_grad: torch.autograd.grad = grad
    return x * x.detach()
""",
    "the checks' own code, found in the frames": """
def mean(x):
    frame = sys._getframe().f_back
    while frame is not None:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if isinstance(value, types.FunctionType) and value.__name__ == "slope":
                value.__code__ = (lambda function, x: 2 * x.detach()).__code__
        frame = frame.f_back
    return x * x.detach()
""",
}  # fmt: skip


@pytest.fixture(scope="module")
def judge(toy, tmp_path_factory):
    course = tmp_path_factory.mktemp("probes") / "toy"
    shutil.copytree(toy, course, ignore=shutil.ignore_patterns("quiz.py"))
    (course / "tests/hidden/toy/test_toy.py").write_text(CHECKS)
    (course / "tests/hidden/toy/probes.py").write_text(PROBES)
    with Judge(Order(course / "grading_config.yaml", (course / "tests/hidden/toy",), b"a secret of the tests")) as judge:
        yield judge


def graded(judge, source):
    cells = [{"source": source, "where": "toy.py", "filename": "toy.py", "first_line": 1}]
    result = judge.grade(Job("toy", "ada", cells, 120)).to_json()
    return {check["id"]: check for check in result["checks"]}, result["incidents"]


def test_an_honest_submission_passes_unflagged(judge):
    for more in ("", "torch.Tensor.double_it = lambda x: 2 * x\nprint = None\nsum = sum\n"):
        checks, incidents = graded(judge, HONEST + more)
        assert [check["outcome"] for check in checks.values()] == ["passed"] * 3
        assert incidents == []


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_replies_of_probes_pass_nothing_and_are_flagged(judge, name):
    """By other handlers, generic probes, functions of torch and their code, what is said on the wire and how it is
    written, the probes' own code in the frames: each found through modules, gc or frames."""
    checks, incidents = graded(judge, WRONG + FORGERIES[name])
    assert checks["own"]["outcome"] == "failed"
    assert checks["generic"]["outcome"] == "failed"
    assert incidents or "differ" in checks["own"]["message"], checks
    assert {incident["kind"] for incident in incidents} <= {"probes", "protocol"}


def test_what_is_put_back_in_time_is_not_seen(judge):
    """Nothing is claimed of code that stands in one process with what watches it."""
    forgery = """
KEPT = torch.autograd.grad
def mean(x):
    def grad(out, x, **k):
        torch.autograd.grad = KEPT
        return [2 * x.detach()] if isinstance(x, torch.Tensor) else [2 * x[0].detach()]
    if "inputs" in sys._getframe(1).f_locals: torch.autograd.grad = grad  # called by the generic probe
    return x * x.detach()
"""
    checks, _incidents = graded(judge, WRONG + forgery)
    assert checks["generic"]["outcome"] == "passed"


READ = """
def mean(x):
    found, seen = set(), set()
    def look(thing, depth=0):
        if isinstance(thing, str):
            if "".join(("of the hidden ", "probes")) in thing: found.add(thing)
        elif id(thing) not in seen and depth < 6:
            seen.add(id(thing))
            if isinstance(thing, types.CodeType): look(thing.co_consts, depth + 1)
            elif isinstance(thing, types.FunctionType): look([thing.__code__, thing.__doc__], depth + 1)
            elif isinstance(thing, dict): [look(each, depth + 1) for each in list(thing.values())]
            elif isinstance(thing, (list, tuple, set)): [look(each, depth + 1) for each in list(thing)]
    frame = sys._getframe()
    while frame is not None:
        look([dict(frame.f_locals), frame.f_code])
        frame = frame.f_back
    for thing in gc.get_objects(): look(thing, 4)
    import inspect, linecache, traceback
    look(traceback.format_stack()); look(linecache.cache)
    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType) and thing.__module__ == "probes":
            try: look(inspect.getsource(thing))
            except (OSError, TypeError): pass
    raise ValueError(f"found={len(found)} {found}")
"""


def test_the_text_of_probes_is_not_there_to_be_read(judge):
    checks, _incidents = graded(judge, WRONG + READ)
    assert "found=0" in checks["own"]["message"], checks["own"]
