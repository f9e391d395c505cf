"""A text that students were given is known again, in any language, with anybody's numbers, as script or notebook."""

from __future__ import annotations

import pytest

from autograder.authoring.notebook import to_notebook, with_checks
from autograder.course.tokens import fingerprint, tokens
from autograder.submissions import read_submission

GIVEN = '''# %% [markdown]
# # A toy

# %%
import torch


def mean(x):
    """The mean of each row."""
    # YOUR CODE HERE
    raise NotImplementedError("mean is not written yet")


def figure(axes, x):
    axes.set_title("The "
                   "mean", fontsize=9)
    axes.set_xlabel(f"{x} of {x:.2f} steps")


# %%
### BEGIN PERSONAL
PERSONAL = {"rate": 0.25}
QUIZ = {"q": "What is 0.25?"}
### END PERSONAL
ANSWERS = {"q": None}
'''
FRENCH = (
    GIVEN.replace("The mean of each row.", "La moyenne de chaque ligne,\n    la voici.")
    .replace('"The "\n                   "mean"', '"La moyenne"')
    .replace("{x} of {x:.2f} steps", "{x} pas")
    .replace("mean is not written yet", "mean n'est pas écrite")
)


def test_a_translation_and_other_numbers_are_the_same():
    assert fingerprint(FRENCH) == fingerprint(GIVEN)
    assert fingerprint(GIVEN.replace("0.25", "0.75").replace("What is", "How much is")) == fingerprint(GIVEN)
    assert fingerprint(GIVEN.replace("\n\n\n", "\n\n# a comment\n")) == fingerprint(GIVEN)


def test_a_notebook_is_the_same(tmp_path):
    file = tmp_path / "toy.ipynb"
    file.write_text(with_checks(to_notebook(GIVEN, "toy"), "toy", {"mean"}), encoding="utf-8")
    read = read_submission(file, student="ada", exercise="toy")
    assert "autograder.check" in file.read_text()
    assert fingerprint("\n".join(cell.source for cell in read.cells)) == fingerprint(GIVEN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('raise NotImplementedError("mean is not written yet")', "return x.mean(1)"),
        ('raise NotImplementedError("mean is not written yet")', "return ("),
        ('{"q": None}', '{"q": 0.25}'),
        ("import torch\n", "import torch\n\n\ndef other():\n    pass\n"),
        ("# YOUR CODE HERE\n", "y = 1\n"),
    ],
)
def test_whatever_is_written_makes_another(old, new):
    assert GIVEN.replace(old, new) != GIVEN
    assert fingerprint(GIVEN.replace(old, new)) != fingerprint(GIVEN)


def test_strings_are_one_token_and_broken_code_goes_on():
    assert [token.text for token in tokens('x = f"{a + 1!r:>{width}}" + rb"y"\n')] == ["x", "=", '""', "+", '""']
    assert [token.line for token in tokens('x = """no end\ny = 1\nz = (\nw = 2')][-3:] == [4, 4, 4]
    assert [token.text for token in tokens('"""A docstring."""\n"another"\nx = 1')] == ["x", "=", "1"]
