"""The bank of mistakes: parsed by its text alone, laid over the solution, with errors for their author."""

from __future__ import annotations

import types
from pathlib import Path

import pytest

from autograder.authoring.errors import AuthoringError
from autograder.authoring.overlay import apply_mistake, read_mistakes

SOLUTION = '''\
"""Solution."""
import functools

FACTOR = 2


def double(x):
    return FACTOR * x


def quadruple(x):
    return double(double(x))


class Box:
    def __init__(self, x):
        self.x = x

    def get(self):
        return double(self.x)
'''
MISTAKES = '''\
"""Mistakes."""
import math

from autograder.authoring import mistake


@mistake(
    "added",
    title="two is added",
    hint="What is " "twice 5?",
    loses=("double_value", "quadruple_value"),
    may_lose=("box_value",),
    read_on="section 1",
)
def double(x):
    """Add."""
    return FACTOR + x


@mistake("floored", title="floored", hint="?", loses=["double_value"])
@functools.lru_cache
def double(x):
    return math.floor(x)


@mistake("box", title="box empty", hint="?", loses=("box_value",))
class Box(Box):
    def get(self):
        return super().get() - self.x


@mistake("box")
def double(x):
    return 3 * x
'''


def write(folder: Path, text: str, solution: str = SOLUTION) -> tuple[Path, Path]:
    mistakes, source = folder / "mistakes.py", folder / "demo.py"
    mistakes.write_text(text)
    source.write_text(solution)
    return mistakes, source


def run(source: str) -> types.SimpleNamespace:
    names: dict[str, object] = {}
    exec(source, names)
    return types.SimpleNamespace(**names)


def test_mistakes_are_read_in_their_order(tmp_path: Path) -> None:
    file, solution = write(tmp_path, MISTAKES)
    found = read_mistakes(file, check_ids={"double_value", "quadruple_value", "box_value"}, solution=solution)
    assert [mistake.id for mistake in found] == ["added", "floored", "box"]
    added, floored, box = found
    assert (added.title, added.hint, added.read_on) == ("two is added", "What is twice 5?", "section 1")
    assert added.loses == ("double_value", "quadruple_value")
    assert added.may_lose == ("box_value",)
    assert floored.loses == ("double_value",)
    assert floored.may_lose == ()
    assert floored.read_on is None
    assert box.names == ("Box", "double")


def test_a_mistake_reaches_everything_that_calls_it(tmp_path: Path) -> None:
    file, _ = write(tmp_path, MISTAKES)
    added, floored, box = (run(apply_mistake(SOLUTION, mistake)) for mistake in read_mistakes(file))
    assert run(SOLUTION).quadruple(5) == 20
    assert added.quadruple(5) == 9
    assert added.Box(5).get() == 7
    assert floored.double(2.5) == 2
    assert floored.double.cache_info().hits == 0  # its own decorators stay
    assert box.Box(5).get() == 10
    assert "mistake" not in vars(added)


def test_the_file_is_never_run(tmp_path: Path) -> None:
    text = MISTAKES.replace("import math\n", "import a_module_that_is_not_there\n")
    file, _ = write(tmp_path, text)
    assert len(read_mistakes(file)) == 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"floored", title', '"added", title', r"'added' is taken \(line 7\)"),
        ('@mistake("box")', '@mistake("bx")', "did you mean 'box'"),
        ('title="two is added"', 'titel="two"', "did you mean 'title'"),
        ('title="two is added"', 'title="two" + str(2)', "title must be a literal"),
        ('title="two is added"', "title=2", "title must be text"),
        ('    hint="What is " "twice 5?",\n', "", "lacks hint"),
        ('loses=["double_value"]', "loses=()", "lacks loses"),
        ('loses=["double_value"]', 'loses="double_value"', "tuple of check ids"),
        ('loses=["double_value"]', 'loses=("a", "a")', "names a check twice"),
        ('loses=["double_value"]', 'loses=("double_vale",)', "did you mean 'double_value'"),
        ('"floored", title', 'title="x", titel', "takes one argument without a name"),
        ('"floored", title', '"not a word", title', "must be a word"),
        ('@mistake("box")\n', "", "double has no @mistake"),
        ('@mistake("box")\n', '@mistake("box")\n@mistake("added")\n', "more than one"),
        (
            '@mistake("box")\ndef double',
            '@mistake("box")\nclass Box',
            "is not valid Python|defines Box twice",
        ),
        ("class Box(Box)", "class Bx(Box)", None),
        ("import math\n", "import math\nprint(1)\n", "only functions and classes"),
        ("import math\n", "import math\n(\n", "is not valid Python"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, words: str | None) -> None:
    assert old in MISTAKES
    file, solution = write(tmp_path, MISTAKES.replace(old, new, 1))
    ids = {"double_value", "quadruple_value", "box_value"}
    if words is None:  # `Bx` is new, but the same mistake replaces `double` too
        assert read_mistakes(file, check_ids=ids, solution=solution)
        return
    with pytest.raises(AuthoringError, match=words) as caught:
        read_mistakes(file, check_ids=ids, solution=solution)
    assert caught.value.line is not None


def test_a_mistake_that_changes_nothing_is_an_error(tmp_path: Path) -> None:
    file, solution = write(tmp_path, MISTAKES, SOLUTION.replace("def double", "def twice"))
    with pytest.raises(AuthoringError, match=r"added defines double.*defines nothing of that name"):
        read_mistakes(file, solution=solution)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AuthoringError, match="cannot be read"):
        read_mistakes(tmp_path / "mistakes.py")
