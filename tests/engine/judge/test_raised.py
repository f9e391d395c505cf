"""Where an exception came from: the student's line, what stood in it; and no object of a student's is asked for it."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch

from autograder.judge.excerpt import raised_line
from autograder.judge.raised import raised_error
from autograder.judge.verdicts import RaisedIn
from autograder.language import said, speaking
from autograder.worker.raised import describe_exception

SHAPES = {"x": "a tensor of shape (2, 3), float32", "n": "a number of type int"}


def of_mean(grade, source):
    return grade(source, checks=["mean_value"])["by_id"]["mean_value"]


def test_an_exception_shows_its_line_and_what_stood_there_but_no_value(grade):
    source = (
        "import torch\nimport numpy as np\n\n\ndef mean(x):\n    n, other, b = 987654321, 'text', np.ones((2, 5))\n"
        "    w = torch.nn.Parameter(torch.ones(7, 9))\n    return (\n        x @ w @ b  # here\n        + n + other\n"
        "    )\n"
    )
    found = of_mean(grade, source)
    assert "your line 9 of toy.py, in mean" in found["message"]
    raised = found["raised"]
    assert (raised["where"], raised["line"]) == ("toy.py", 9)
    assert raised["text"] == "return (\n    x @ w @ b  # here\n    + n + other\n)"
    assert list(raised["values"]) == ["x", "w", "b", "n"]
    assert raised["values"]["w"] == "a tensor of shape (7, 9), float32"
    assert raised["values"]["b"] == "a NumPy array of shape (2, 5), float64"
    assert raised["values"]["n"] == "a number of type int"
    assert "987654321" not in str(found["raised"]["values"])


@pytest.mark.parametrize(
    "nasty",
    [
        "class Nasty:\n    __class__ = torch.Tensor\n    @property\n    def shape(self):\n        while True: pass\n"
        "y = Nasty()",
        "class Nasty(torch.Tensor):\n    @property\n    def shape(self):\n        raise SystemExit\n"
        "y = torch.zeros(2).as_subclass(Nasty)",
        "torch.Tensor.shape = property(lambda self: (_ for _ in ()).throw(SystemExit))\ny = torch.zeros(2)",
        "class Nasty(int):\n    def __index__(self):\n        while True: pass\ny = Nasty(3)",
        "class Mode(torch.overrides.TorchFunctionMode):\n    def __torch_function__(self, *a, **k):\n"
        "        raise SystemExit\ny = Mode(); y.__enter__()",
        "class Text(str):\n    def __eq__(self, other): raise SystemExit\n    __hash__ = str.__hash__\ny = Text('y')",
    ],
)  # fmt: skip
def test_an_object_that_resists_is_not_asked(grade, nasty):
    body = "".join(f"    {line}\n" for line in nasty.split("\n"))
    found = of_mean(grade, f"import torch\ndef mean(x):\n{body}    raise ValueError('wrong')\n")
    assert "mean raised ValueError: wrong" in found["message"]
    assert found["raised"]["text"] == "raise ValueError('wrong')"
    assert found["raised"]["values"] == {}


def test_thousands_of_variables_are_cut(grade):
    many = "; ".join(f"v{n} = {n}" for n in range(3000))
    listed = ", ".join(f"v{n}" for n in range(3000))
    found = of_mean(grade, f"def mean(x):\n    {many}\n    return x.no({listed})\n")
    assert "has no attribute 'no'" in found["message"]
    assert 0 < len(found["raised"]["values"]) <= 8


def test_a_class_body_of_any_mapping_is_not_read(grade):
    source = """
class Names(dict):
    def __getitem__(self, name): raise SystemExit if name == "x" else KeyError(name)
    def __contains__(self, name): raise SystemExit
class Meta(type):
    @classmethod
    def __prepare__(cls, *more): return Names()
def mean(x):
    class A(metaclass=Meta):
        1 / 0
"""
    found = of_mean(grade, source)
    assert "mean raised ZeroDivisionError" in found["message"]
    assert found["raised"]["values"] == {}


def test_what_no_worker_of_ours_has_written_is_left_out():
    def error(values):
        given = {"type_name": "E", "bases": (), "message": "m", "where": "toy.py", "line": 3, "function": "f",
                 "own": True, "values": values}  # fmt: skip
        return raised_error(given, "f", None, "")

    good = {"x": ("tensor", "float32", (2, 3)), "n": ("number", "int", ())}
    assert error(good).raised_in == RaisedIn("toy.py", 3, SHAPES)
    bad = {
        "a": ("tensor", "secret", (2,)), "b": ("tensor", "float32", (-1,)), "c": ("tensor", "float32", (2.5,)),
        "d": ("number", "4711", ()), "not a name": ("number", "int", ()), "e": ["number", "int", ()], 3: (),
        "f": ("tensor", "float32", (1,) * 17), "g" * 101: ("number", "int", ()), "h": ("tensor", "float32", (2**60,)),
    }  # fmt: skip
    assert error(good | bad).raised_in == RaisedIn("toy.py", 3, SHAPES)
    assert error({}).raised_in.values == {}
    assert error(()).kind == "protocol"


@pytest.mark.parametrize(
    ("source", "line", "text", "names"),
    [
        ("def f(x):\n    for row in x:\n        y = row\n", 2, "for row in x:", ["x"]),
        ("def f(x, n): return x[n]\n", 1, "def f(x, n): return x[n]", ["x", "n"]),
        ("x = (\n" + "\n".join(f"    a{n}," for n in range(20)) + "\n    n,\n)\n", 20, "a18,\na19,\nn,\n)", ["n"]),
        ("def f(:\n    return g(x, n)\n", 2, "return g(x, n)", ["x", "n"]),
    ],
)  # fmt: skip
def test_the_statement_around_the_line_is_shown(source, line, text, names):
    cell = {"source": source, "where": "cell 2", "filename": "toy.ipynb, cell 2", "first_line": 1}
    found = raised_line([cell], RaisedIn("toy.ipynb, cell 2", line, SHAPES))
    assert (found.where, found.line, list(found.values)) == ("cell 2", line, names)
    assert found.text.split() == text.split()
    assert raised_line([cell], RaisedIn("torch.py", line, SHAPES)) is None
    assert raised_line([cell], RaisedIn("toy.ipynb, cell 2", 99, SHAPES)) is None


def test_the_words_are_said_again_in_another_language():
    with speaking("fr"):
        assert said(SHAPES["x"]) == "un tenseur de forme (2, 3), float32"
        assert said(SHAPES["n"]) == "un nombre de type int"


STUDENT = """
def apply(model, x):
    return model(x)
def decode(model, x):
    return model.decode(x)
def late(model, x):
    raise NotImplementedError("late is not written yet")
"""


@pytest.mark.parametrize(
    ("called", "says"),
    [
        ("apply", 'apply raised NotImplementedError: Module [StandIn] is missing the required "forward" function'),
        ("decode", "decode raised AttributeError: 'StandIn' object has no attribute 'decode' (your line 5 of toy.py"),
        ("late", "late is not written yet (it raises NotImplementedError)."),
    ],
)
def test_not_written_yet_is_said_of_the_stub_s_own_line_and_not_of_a_stand_in(called, says):
    class StandIn(torch.nn.Module):
        """A model of the checks' that has neither."""

    names = {}
    exec(compile(STUDENT, "toy.py", "exec"), names)
    with pytest.raises((NotImplementedError, AttributeError)) as raised:
        names[called](StandIn(), torch.ones(2))
    error = raised_error(asdict(describe_exception(raised.value, frozenset({"toy.py"}))), called, None, "")
    assert says in error.message
