"""The catalogue of mistakes: parsed by its text alone, with errors for its author."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.authoring.errors import AuthoringError
from autograder.authoring.mistakes import read_mistakes

CATALOGUE = '''\
"""Mistakes."""
import math

from autograder.authoring import mistake

mistake("added", "two is added", check="double_value",
    hint="What is " "twice 5?",
    also={"quadruple_value": "four is added", ("box_value", "box_type"): "a box doubles"},
    old="FACTOR * x", new="FACTOR + x")

@mistake("floored", "floored", hint="?", check="double_value")
@functools.lru_cache
def double(x):
    return math.floor(x)

@mistake("box", "box empty", hint="?", check="box_value", guards=False)
class Box(Box):
    def get(self):
        return 0

mistake("box", function="double", old="x", new="3")
'''
IDS = {"double_value", "quadruple_value", "box_value", "box_type"}


def write(folder: Path, text: str) -> Path:
    file = folder / "mistakes.py"
    file.write_text(text, encoding="utf-8")
    return file


def test_mistakes_are_read_in_their_order(tmp_path: Path) -> None:
    found = read_mistakes(write(tmp_path, CATALOGUE), check_ids=IDS)
    assert [mistake.id for mistake in found] == ["added", "floored", "box"]
    added, floored, box = found
    assert (added.title, added.hint) == ("two is added", "What is twice 5?")
    assert (added.check, added.line) == ("double_value", 6)
    assert added.also == {
        "quadruple_value": "four is added", "box_value": "a box doubles", "box_type": "a box doubles"
    }  # fmt: skip
    assert [(c.old, c.new, c.function) for c in added.changes] == [("FACTOR * x", "FACTOR + x", None)]
    assert (floored.also, floored.changes) == ({}, ())
    assert [(d.name, d.guards) for d in floored.definitions] == [("double", True)]
    assert [(d.name, d.guards) for d in box.definitions] == [("Box", False)]
    assert [(c.function, c.line) for c in box.changes] == [("double", 21)]
    assert all(mistake.imports == ("import math",) for mistake in found)
    assert added.loses == ("double_value",), "nothing was measured"


def test_the_file_is_never_run(tmp_path: Path) -> None:
    text = CATALOGUE.replace("import math\n", "import a_module_that_is_not_there\n")
    assert len(read_mistakes(write(tmp_path, text))) == 3


@pytest.mark.parametrize(
    ("old", "new", "words", "line"),
    [
        ('"floored", "floored"', '"added", "floored"', r"'added' is taken \(line 6\)", 11),
        ('mistake("box", function', 'mistake("bx", function', "did you mean 'box'", 21),
        ('check="double_value",\n', 'chek="double_value",\n', "did you mean 'check'", 6),
        ('"two is added"', '"two" + str(2)', "title must be a literal", 6),
        ('"two is added"', "2", "title must be text", 6),
        ('    hint="What is " "twice 5?",\n', "", "lacks hint", 6),
        ('"floored", hint="?", check="double_value"', '"floored", hint="?"', "lacks check", 11),
        ('check="double_value",\n', 'check="double_vale",\n', "did you mean 'double_value'", 6),
        ('{"quadruple_value": "four', '{"quadruple_vale": "four', "did you mean 'quadruple_value'", 6),
        ('"four is added"', '""', "also must say why", 6),
        ('also={"quadruple_value": "four is added",', "also=(", "is not valid Python", None),
        ('{"quadruple_value": "four', '{"double_value": "four', "the check meant for it", 6),
        ('"added", "two is added"', 'title="x"', "two arguments without a name", 6),
        ('mistake("added", "two is added"', 'mistake("added", "a", "b"', "two arguments without a name", 6),
        ('"added", "two', '"not a word", "two', "must be a word", 6),
        ('@mistake("floored", "floored", hint="?", check="double_value")\n', "", "double has no @mistake", 12),
        ("@functools.lru_cache", '@mistake("box")', "more than one", 13),
        (', new="FACTOR + x"', "", "a change is old= and new=", 6),
        ('old="FACTOR * x", new="FACTOR + x"', 'guards=True', "guards=False stands over a definition", 6),
        ('hint="?", check="double_value")', 'hint="?", check="double_value", old="x", new="y")', "not over a def", 11),
        ('mistake("box", function="double"', 'mistake("box", guards=False, function="double"', "over a definition", 21),
        ('mistake("box", function="double", old="x", new="3")', '@mistake("box")\nclass Box: pass', "Box twice", 21),
        ("import math\n", "import math\nprint(1)\n", r"only mistake\(...\), and functions", 3),
        ("import math\n", "import math\n(\n", "is not valid Python", None),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, words: str, line: int | None
) -> None:
    assert CATALOGUE.count(old) == 1
    with pytest.raises(AuthoringError, match=words) as caught:
        read_mistakes(write(tmp_path, CATALOGUE.replace(old, new)), check_ids=IDS)
    assert caught.value.file.name == "mistakes.py"
    assert caught.value.line is not None
    assert line is None or caught.value.line == line


def test_a_mistake_without_a_change_is_an_error(tmp_path: Path) -> None:
    file = write(tmp_path, 'mistake("none", "nothing", check="double_value", hint="?")\n')
    with pytest.raises(AuthoringError, match="none changes nothing"):
        read_mistakes(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AuthoringError, match="cannot be read"):
        read_mistakes(tmp_path / "mistakes.py")
