"""Mistakes laid over a solution: texts changed, definitions with the solution's guards, wrappers."""

from __future__ import annotations

import types
from pathlib import Path

import pytest

from autograder.authoring.errors import AuthoringError
from autograder.authoring.mistakes import read_mistakes
from autograder.authoring.overlay import apply_mistake, changed_functions
from autograder.course.discovery import Exercise

SOLUTION = '''\
"""Solution."""
import functools

FACTOR = 2


def check_number(x):
    if not isinstance(x, (int, float)):
        raise ValueError("a number, please")


def double(x):
    """Twice x: FACTOR * x."""
    ### BEGIN SOLUTION
    check_number(x)
    limit = 1000
    if x > limit:
        message = f"too large: {x}"
        raise ValueError(message)
    elif x < -limit:
        raise ValueError("too small")
    for name, value in (("x", x),):
        if value != value:
            raise ValueError(f"{name} is NaN")
    result = 0
    result += FACTOR * x
    if result == 13:
        raise ValueError("no guard: it stands behind what is computed")
    return result
    ### END SOLUTION


def quadruple(x):
    ### BEGIN SOLUTION
    return double(double(x))
    ### END SOLUTION


class Box:
    def __init__(self, x):
        self.x = x

    def get(self, times=1):
        ### BEGIN SOLUTION
        if times < 1:
            raise ValueError("times")
        return times * double(self.x)
        ### END SOLUTION


ANSWERS = {"q": None}
### BEGIN SOLUTION
ANSWERS = {"q": quadruple(5)}
### END SOLUTION
'''


def laid(folder: Path, text: str) -> types.SimpleNamespace:
    """The solution with the last mistake of a catalogue, run."""
    file, solution = folder / "mistakes.py", folder / "demo.py"
    file.write_text(text, encoding="utf-8")
    solution.write_text(SOLUTION, encoding="utf-8")
    names: dict[str, object] = {}
    exec(apply_mistake(SOLUTION, read_mistakes(file, solution=solution)[-1]), names)
    return types.SimpleNamespace(**names)


def test_a_change_reaches_everything_that_calls_the_function_and_no_answer(tmp_path: Path) -> None:
    wrong = laid(tmp_path, 'mistake("m", "t", hint="?", check="c", old="FACTOR * x", new="FACTOR + x")')
    assert wrong.quadruple(5) == 9
    assert wrong.Box(5).get() == 7
    assert wrong.ANSWERS == {"q": 20}, "the quiz is answered before"
    with pytest.raises(ValueError, match="too large"):
        wrong.double(1001)


def test_a_function_may_be_named_and_changed_twice(tmp_path: Path) -> None:
    wrong = laid(
        tmp_path,
        'mistake("m", "t", hint="?", check="c", function="Box.get", old="times * ", new="2 * times * ")\n'
        'mistake("m", function="Box.__init__", old="= x", new="= x + 1")\n'
        'mistake("m", function="check_number", old="not isinstance(x, (int, float))", new="False")\n',
    )
    assert wrong.Box(5).get(3) == 72
    assert wrong.check_number("no number") is None


def test_a_definition_gets_the_guards_of_the_solution(tmp_path: Path) -> None:
    wrong = laid(tmp_path, '@mistake("m", "t", hint="?", check="c")\ndef double(x):\n    return 3 * x\n')
    assert wrong.quadruple(2) == 18
    assert wrong.double(13 / 2) == 19.5, "what stands behind a computation is no guard"
    for refused in ("2", 1001, -1001, float("nan")):
        with pytest.raises(ValueError):
            wrong.double(refused)
    free = laid(tmp_path, '@mistake("m", "t", hint="?", check="c", guards=False)\ndef double(x):\n    return 3 * x\n')
    assert (free.double(1001), free.double("2")) == (3003, "222")


def test_methods_get_them_too_unless_they_call_the_solution(tmp_path: Path) -> None:
    head = '@mistake("m", "t", hint="?", check="c")\nclass Box(Box):\n    def get(self, times=1):\n'
    wrong = laid(tmp_path, head + "        return 0\n")
    assert wrong.Box(5).get() == 0
    with pytest.raises(ValueError, match="times"):
        wrong.Box(5).get(0)
    assert laid(tmp_path, head + "        return super().get(max(times, 1))\n").Box(5).get(0) == 10


def test_a_wrapper_gets_the_solution_handed_in(tmp_path: Path) -> None:
    wrong = laid(
        tmp_path,
        '@mistake("m", "t", hint="?", check="c")\n@functools.lru_cache\ndef double(solution, *args, **named):\n'
        "    return solution(*args, **named) + 1\n",
    )
    assert wrong.double(5) == 11
    assert wrong.double(x=5) == 11
    assert wrong.quadruple(5) == 23
    assert wrong.double.cache_info().hits == 1, "decorators of its own stay"
    with pytest.raises(ValueError, match="too large"):
        wrong.double(1001)


def test_a_definition_may_bring_a_function_of_its_own(tmp_path: Path) -> None:
    wrong = laid(
        tmp_path,
        'import math\n@mistake("m", "t", hint="?", check="c")\ndef double(x):\n    return third(x)\n'
        '@mistake("m")\ndef third(x):\n    return math.floor(x / 3)\n',
    )
    assert wrong.quadruple(27) == 3


def test_what_a_mistake_changes_is_known_by_name(tmp_path: Path) -> None:
    exercise = Exercise("demo", "", tmp_path)
    assert changed_functions(exercise) == {}
    exercise.folder.mkdir(parents=True)
    exercise.solution.write_text(SOLUTION, encoding="utf-8")
    exercise.mistakes.write_text(
        'mistake("text", "t", hint="?", check="c", old="FACTOR * x", new="x")\n'
        'mistake("method", "t", hint="?", check="c", old="times < 1", new="False")\n'
        '@mistake("defined", "t", hint="?", check="c")\ndef quadruple(x):\n    return x\n',
        encoding="utf-8",
    )
    assert changed_functions(exercise) == {"text": "double", "method": "Box", "defined": "quadruple"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('old="FACTOR * y", new=""', "'FACTOR \\* y' does not stand in the solution regions"),
        ('function="quadruple", old="FACTOR", new=""', "'FACTOR' does not stand in quadruple"),
        ('function="double", old="Twice", new=""', "'Twice' does not stand in double"),
        ('old="ANSWERS", new=""', "'ANSWERS' does not stand in the solution regions"),
        ('old="raise ValueError", new="pass"', r"stands in the solution regions 5 times \(lines 19, 21, 24, 28, 46\)"),
        ('function="quadruple", old="double(", new="("', r"stands in quadruple 2 times \(lines 35, 35\)"),
        ('function="dubble", old="x", new="y"', "defines no 'dubble'; did you mean 'double'"),
        ('old="FACTOR * x", new="FACTOR *"', "with the new text the solution is not valid Python"),
        ('old="FACTOR * x", new="FACTOR * x"', "old and new are the same"),
    ],
)
def test_a_change_that_does_not_fit_is_told_with_its_line(tmp_path: Path, change: str, words: str) -> None:
    with pytest.raises(AuthoringError, match=words) as caught:
        laid(tmp_path, f'\nmistake("m", "t", hint="?", check="c",\n    {change})\n')
    assert (caught.value.file.name, caught.value.line) == ("mistakes.py", 2)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("def dubble(x):\n    return x", "m defines dubble, and the solution defines nothing of that name"),
        ("class double:\n    pass", "m defines double, and the solution defines nothing of that name"),
        ("def double(y):\n    return y", r"guards use x, for which double has no parameter.*guards=False"),
    ],
)
def test_a_definition_that_does_not_fit_is_told_with_its_line(tmp_path: Path, definition: str, words: str) -> None:
    with pytest.raises(AuthoringError, match=words) as caught:
        laid(tmp_path, f'\n@mistake("m", "t", hint="?", check="c")\n{definition}\n')
    assert (caught.value.file.name, caught.value.line) == ("mistakes.py", 2)
