"""What is said of code that does not compile."""

from __future__ import annotations

import pytest

from autograder.worker.cells import describe_syntax_error


def described(source: str) -> str:
    with pytest.raises(SyntaxError) as caught:
        compile(source, "x.py", "exec")
    return describe_syntax_error(caught.value)


@pytest.mark.parametrize(
    "source",
    ['ANSWERS = {"a": 0,5}', 'ANSWERS = {\n    "a": -12,25,\n    "b": 3,\n}', 'A = {"a": 1, "b": 0,5}  # half'],
)
def test_a_decimal_comma_is_recognised(source):
    assert described(source).startswith("a number with a decimal comma; write it with a point, such as 0.5, in: ")


@pytest.mark.parametrize("source", ["x = {1: 2, 3}", "def f(:\n    pass", 'A = {"a": (0, 5}', "for i in 1,2 print(i)"])
def test_other_errors_are_pythons(source):
    assert described(source).startswith("SyntaxError: ")
