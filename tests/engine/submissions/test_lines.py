"""From a message to the line of the file that it is about."""

from __future__ import annotations

import json

import pytest

from autograder.authoring.notebook import to_notebook
from autograder.language import speaking
from autograder.submissions import read_submission
from autograder.submissions.lines import LineFinder, excerpt

SCRIPT = '# %%\nimport torch\n\n\n# %%\ndef mean(x):\n    return x\n\n\n# %%\nclass Line:\n    "é"\n    a = 1\n'


def finder(tmp_path, name: str, text: str) -> LineFinder:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return LineFinder(read_submission(path, student="ada", exercise="toy"), tmp_path)


def test_a_script_counts_its_own_lines(tmp_path):
    lines = finder(tmp_path, "toy.py", SCRIPT)
    assert lines.of_place("toy.py", 7) == 7
    assert lines.of_place("toy.py", 700) is None
    assert lines.of_place("another.py", 7) is None
    assert lines.of_message("mean raised ValueError: x (your line 7 of toy.py, in mean)") == 7
    assert lines.of_message("mean a levé ValueError : x (votre ligne 7 de toy.py, dans mean)") == 7
    assert lines.of_message("Line is not written yet") == 11
    assert lines.of_message("expected 1, got 2", "The function `mean` is right.") == 6
    assert lines.of_message("expected 1, got 2", "Nothing of the kind.") is None


@pytest.mark.parametrize(
    ("name", "text", "line", "shown"),
    [
        ("toy.py", SCRIPT, "7", ((6, "def mean(x):"), (7, "    return x"), (8, ""))),
        ("toy.py", SCRIPT, "700", ()),
        ("toy.ipynb", to_notebook(SCRIPT, "toy"), "2:1", ((1, "def mean(x):"), (2, "    return x"))),
        ("toy.ipynb", to_notebook(SCRIPT, "toy"), "9:1", ()),
    ],
)
def test_a_line_that_a_comment_is_about_is_shown_with_its_neighbours(tmp_path, name, text, line, shown):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    for language in ("en", "fr"):
        with speaking(language):
            assert excerpt(read_submission(path, student="ada", exercise="toy"), line) == shown


def test_a_cell_that_was_run_out_of_order_is_found_by_its_number(tmp_path):
    notebook = json.loads(to_notebook(SCRIPT, "toy"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 40
    path = tmp_path / "toy.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert excerpt(read_submission(path, student="ada", exercise="toy"), "2:1")[0] == (1, "def mean(x):")


def test_a_notebook_counts_the_lines_of_its_file(tmp_path):
    text = to_notebook(SCRIPT, "toy")
    lines = finder(tmp_path, "toy.ipynb", text)
    raw = text.splitlines()
    for where, number, content in (("cell 2", 2, "return x"), ("toy.ipynb, cell 3", 2, "é"), ("cell 3", 3, "a = 1")):
        line = lines.of_place(where, number)
        assert line is not None
        assert content in raw[line - 1]
    found = lines.of_message("mean raised ValueError: x (your line 2 of toy.ipynb, cell 2, in mean)")
    assert "return x" in raw[found - 1]
    assert "class Line" in raw[lines.of_definition("Line") - 1]


@pytest.mark.parametrize("indent", [None, 1])
def test_a_strange_notebook_gives_no_wrong_line(tmp_path, indent):
    data = json.loads(to_notebook(SCRIPT, "toy"))
    data["cells"][1]["source"] = "def mean(x):\n    return x\n" * 2000
    lines = finder(tmp_path, "toy.ipynb", json.dumps(data, indent=indent))
    found = lines.of_place("cell 2", 2)
    assert found is None or found >= 1
    assert lines.of_message("mean: wrong") in (None, 1) or indent
