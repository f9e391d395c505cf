"""Solution regions: stubs hold nothing of them, and a wrong mark is an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.authoring.errors import AuthoringError
from autograder.authoring.regions import find_regions, make_stub, solution_texts, strip_solutions

FILE = Path("demo.py")
SOLUTION = '''\
"""A demo."""
import torch


def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    secret = 2
    return secret * x
    ### END SOLUTION


class Net(torch.nn.Module):
    """A network."""

    def __init__(self, width):
        super().__init__()
        ### BEGIN SOLUTION
        self.width = width
        ### END SOLUTION

    @property
    def depth(self):
        ### BEGIN SOLUTION

        # a comment first
        def inner():
            return 1

        return inner()
        ### END SOLUTION

    ### BEGIN SOLUTION
    def extra(self):
        return 3
    ### END SOLUTION


ANSWERS = {"a": None}
### BEGIN SOLUTION
ANSWERS = {"a": 1}
### END SOLUTION
'''
STUB = '''\
"""A demo."""
import torch


def double(x):
    """Twice x."""
    # YOUR CODE HERE
    raise NotImplementedError("double is not written yet")


class Net(torch.nn.Module):
    """A network."""

    def __init__(self, width):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError("Net.__init__ is not written yet")

    @property
    def depth(self):
        # YOUR CODE HERE
        raise NotImplementedError("Net.depth is not written yet")

    # YOUR CODE HERE
    pass


ANSWERS = {"a": None}
# YOUR CODE HERE
'''


def test_a_stub_keeps_all_but_the_regions() -> None:
    assert make_stub(SOLUTION, FILE) == STUB


def test_stripping_leaves_no_trace() -> None:
    quiz = (
        "def personal(rng):\n    return {}\n\n\n"
        "### BEGIN SOLUTION\ndef answers(personal):\n    return {}\n\n\n### END SOLUTION\n"
    )
    assert strip_solutions(quiz, FILE) == "def personal(rng):\n    return {}\n"


def test_the_texts_of_the_regions() -> None:
    texts = solution_texts(SOLUTION, FILE)
    assert len(texts) == 5
    assert texts[0] == "    secret = 2\n    return secret * x"
    assert texts[-1] == 'ANSWERS = {"a": 1}'


def test_a_region_inside_a_statement_names_the_function() -> None:
    source = (
        "def f(x):\n    if x:\n        ### BEGIN SOLUTION\n        return 1\n        ### END SOLUTION\n    return 2\n"
    )
    stub = make_stub(source, FILE)
    assert '        raise NotImplementedError("f is not written yet")\n    return 2' in stub


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("### BEGIN SOLUTION\nx = 1\n", 1, "has no END"),
        ("x = 1\n### END SOLUTION\n", 2, "without its BEGIN"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\nx\n### END SOLUTION\n", 2, "do not nest"),
        ("### BEGIN SOLUTION\n### BEGIN PERSONAL\nx\n### END PERSONAL\n", 2, "do not nest"),
        ("### BEGIN SOLUTION\nx\n### END PERSONAL\n", 3, "'### END PERSONAL' without its BEGIN"),
        ("def f():\n    ### BEGIN SOLUTION\n    x\n### END SOLUTION\n", 4, "indented otherwise"),
        ("## BEGIN SOLUTION\nx\n", 1, "looks like a region's mark"),
        ("x = 1  ### BEGIN SOLUTION\n", 1, "looks like a region's mark"),
        ("###BEGIN SOLUTION\n", 1, "looks like a region's mark"),
        ("### begin solution\n", 1, "looks like a region's mark"),
        ("### BEGIN SOLUTION (part 2)\n", 1, "looks like a region's mark"),
    ],
)
def test_a_wrong_mark_is_an_error_with_its_line(source: str, line: int, words: str) -> None:
    with pytest.raises(AuthoringError, match=words) as caught:
        find_regions(source, FILE)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"demo.py:{line}: ")


def test_a_region_without_code_is_an_error() -> None:
    with pytest.raises(AuthoringError, match="holds no code"):
        make_stub("def f():\n    ### BEGIN SOLUTION\n    # later\n    ### END SOLUTION\n    pass\n", FILE)


def test_a_region_that_leaves_a_broken_stub_is_an_error() -> None:
    source = "def f(x):\n    if x:\n    ### BEGIN SOLUTION\n        return 1\n    ### END SOLUTION\n"
    with pytest.raises(AuthoringError, match=r"the stub .* is not valid Python"):
        make_stub(source, FILE)


@given(st.lists(st.sampled_from(["### BEGIN SOLUTION", "### END SOLUTION", "### BEGIN PERSONAL", "x = 1"]), max_size=8))
def test_whatever_the_marks_nothing_between_them_survives(lines: list[str]) -> None:
    source = "\n".join(lines)
    inside = False
    for number, line in enumerate(lines):
        inside = line == "### BEGIN SOLUTION" or (inside and line != "### END SOLUTION")
        if inside and line == "x = 1":
            lines[number] = "secret = 1"
    source = "\n".join(lines)
    try:
        stub = make_stub(source, FILE)
    except AuthoringError:
        return
    assert "secret" not in stub
    assert "SOLUTION" not in stub
