"""Notebooks: valid, the same every time, with the rights that nbgrader reads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.authoring.errors import AuthoringError
from autograder.authoring.notebook import questions_apart, replace_personal, to_notebook, with_checks

SCRIPT = """\
# %% [markdown]
# # A title, with $x^2$ and Ünïcode
#
# Text.

# %%
import torch

# %% [markdown]
# ## A title, with $x^2$ and Ünïcode

# %%
def f(x):
    # YOUR CODE HERE
    raise NotImplementedError("f is not written yet")


# %%
def make_figures(folder):
    print("%% not a cell")

# %%
### BEGIN PERSONAL
PERSONAL = {}
### END PERSONAL
ANSWERS = {}
# YOUR CODE HERE
"""


def cells(text: str) -> list[nbformat.NotebookNode]:
    return list(nbformat.reads(text, as_version=4).cells)


def test_the_notebook_is_valid_and_the_same_every_time() -> None:
    text = to_notebook(SCRIPT, "demo")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert to_notebook(SCRIPT, "demo") == text
    assert notebook.metadata.kernelspec.name == "python3"
    assert [cell.cell_type for cell in notebook.cells] == [
        "markdown",
        "code",
        "markdown",
        "code",
        "code",
        "code",
    ]
    assert notebook.cells[0].source.startswith("# A title, with $x^2$ and Ünïcode")
    assert text.endswith("}\n")


def test_ids_come_from_the_content_and_are_unique() -> None:
    assert [cell.id for cell in cells(to_notebook(SCRIPT, "demo"))] == [
        "a-title-with-x-2-and-n-code",
        "code",
        "a-title-with-x-2-and-n-code-2",
        "f",
        "make-figures",
        "quiz",
    ]


def test_another_cell_does_not_rename_the_others() -> None:
    longer = SCRIPT.replace("# %%\ndef f", "# %%\ndef g(x):\n    return x\n\n\n# %%\ndef f")
    before = {cell.id for cell in cells(to_notebook(SCRIPT, "demo"))}
    after = {cell.id for cell in cells(to_notebook(longer, "demo"))}
    assert after - before == {"g"}


def test_rights_are_nbgraders() -> None:
    rights = {cell.id: cell.metadata.get("nbgrader") for cell in cells(to_notebook(SCRIPT, "demo"))}
    locked = rights["a-title-with-x-2-and-n-code"]
    assert (locked["locked"], locked["solution"], locked["grade"], locked["schema_version"]) == (
        True,
        False,
        False,
        3,
    )
    for name in ("f", "quiz"):
        assert (rights[name]["locked"], rights[name]["solution"], rights[name]["grade"]) == (
            False,
            True,
            False,
        )
    assert rights["code"] is None
    assert rights["make-figures"] is None
    assert len({right["grade_id"] for right in rights.values() if right}) == 4


def test_a_line_that_checks_stands_behind_each_section_that_is_checked() -> None:
    text = with_checks(to_notebook(SCRIPT, "demo"), "demo", {"f", "make_figures"})
    nbformat.validate(nbformat.reads(text, as_version=4))
    sources = [cell.source for cell in cells(text)]
    (section,) = [n for n, source in enumerate(sources) if 'autograder.check("demo", "f")' in source]
    assert sources[section - 1].startswith("def f(x)")
    assert sources[-1].endswith('autograder.check("demo")')
    assert not any("make_figures" in source and "autograder" in source for source in sources), "it is given"
    assert len(sources) == len(cells(to_notebook(SCRIPT, "demo"))) + 2


def test_a_notebook_gets_other_numbers_without_jupytext() -> None:
    """A student's install has none."""
    text = to_notebook(SCRIPT, "demo")
    program = (
        "import sys; from pathlib import Path; from autograder.authoring.notebook import replace_personal; "
        "print(replace_personal(sys.stdin.read(), lambda cell: cell.replace('{}', '{1: 2}', 1), Path('x')), end=''); "
        "assert not {'jupytext', 'nbformat'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, text=True, check=True)
    assert ran.stdout == text.replace("PERSONAL = {}", "PERSONAL = {1: 2}")
    with pytest.raises(AuthoringError, match="no cell with a PERSONAL block"):
        replace_personal(text.replace("PERSONAL", "OTHER"), str, Path("x"))


ASKED = SCRIPT.replace(
    "PERSONAL = {}",
    'DRAWN_FOR = "ada 0123ab"\nPERSONAL = {"n": [1, 2]}\n'
    'QUIZ = {"kl": "How large is *x_1* of [1, 2](0), in `n_ats`? $5", "b": "And <b>?"}',
)


def test_questions_are_text_before_the_cell_that_takes_the_answers() -> None:
    cells = json.loads(to_notebook(ASKED, "demo"))["cells"]
    place = next(n for n, cell in enumerate(cells) if cell["id"] == "quiz-questions")
    text, code = ("".join(cells[n]["source"]) for n in (place, place + 1))
    assert cells[place]["cell_type"] == "markdown"
    assert "1. **`kl`** – How large is \\*x\\_1\\* of \\[1, 2](0), in `n_ats`? \\$5" in text
    assert "2. **`b`** – And \\<b>?" in text
    assert cells[place]["metadata"]["nbgrader"]["locked"]
    assert "How large" not in code
    for line in (
        'DRAWN_FOR = "ada 0123ab"',
        'PERSONAL = {"n": [1, 2]}',
        'QUIZ = {"kl": "question 1", "b": "question 2"}',
    ):
        assert line in code


def test_other_questions_take_the_place_of_those_that_stand_there() -> None:
    given = to_notebook(ASKED, "demo")

    def change(cell: str) -> str:
        return cell.replace('"question 1"', '"How far?"').replace('"question 2"', '"How near?"')

    changed = replace_personal(given, change, Path("x"))
    cells = json.loads(changed)["cells"]
    assert [cell["id"] for cell in cells] == [cell["id"] for cell in json.loads(given)["cells"]]
    text = "".join("".join(cell["source"]) for cell in cells if cell["id"] == "quiz-questions")
    assert "How far?" in text
    assert "How large" not in changed
    assert '\\"kl\\": \\"question 1\\"' in changed
    nbformat.validate(nbformat.reads(changed, 4))


def test_a_page_has_the_questions_as_notebooks_have_them() -> None:
    script = questions_apart(ASKED)
    cells = json.loads(to_notebook(ASKED, "demo"))["cells"]
    text = next("".join(cell["source"]) for cell in cells if cell["id"] == "quiz-questions")
    assert "\n".join(f"# {line}".rstrip() for line in text.split("\n")) in script
    assert "# %%\n### BEGIN PERSONAL" in script
    assert "How large" in script
    assert '"How large' not in script
    assert questions_apart(SCRIPT) == SCRIPT
