"""Statements in another language: cut into texts, code and formulas as they are, the same code for everybody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import autograder
from autograder.authoring import bundle
from autograder.authoring.statement import texts, translate
from autograder.course import find_exercise, load_config
from autograder.language import speaking

ROOT = Path(autograder.__file__).parents[1]
COURSE = load_config(ROOT / "grading_config.yaml")

SCRIPT = '''# %% [markdown]
# # 1. A heading
#
# A paragraph that is broken
# into lines, with $x = 1 - y$ and `code - here`.
#
# - an item
#   of two lines
# - another
#
# $$a = b$$
#
#     a drawing, kept


# %%
def f(x):
    """What it does.

    Arguments:
        x: a number, said
            in two lines.

    Returns:
        Another.
    """
    # a comment, then
    # its second line
    axes.set(title="two words", xlabel="μ and σ")
    y = x.mean()  # (B, N), and why
    z = y[0]  # (B, 1, N) each
    axes.plot(x, label=f"step {x + 1}: kept", color="tab:blue")
    return "a string"
'''


def test_a_statement_is_cut_into_texts():
    assert texts(SCRIPT) == [
        "What it does.",
        "Arguments:",
        "x: a number, said in two lines.",
        "Returns:",
        "Another.",
        "1. A heading",
        "A paragraph that is broken into lines, with $x = 1 - y$ and `code - here`.",
        "an item of two lines",
        "another",
        "(B, N), and why",
        "a comment, then its second line",
        "step {x + 1}: kept",
        "μ and σ",
        "two words",
    ]


def test_code_and_formulas_of_a_statement_stay():
    shouted = translate(SCRIPT, str.upper)
    assert "# # 1. A HEADING" in shouted
    assert "# $$a = b$$" in shouted
    assert "#     a drawing, kept" in shouted
    assert "    y = x.mean()  # (B, N), AND WHY\n    z = y[0]  # (B, 1, N) each\n" in shouted
    assert '    # A COMMENT, THEN ITS SECOND LINE\n    axes.set(title="TWO WORDS", xlabel="Μ AND Σ")\n' in shouted
    assert 'color="tab:blue")\n    return "a string"\n' in shouted
    assert "        X: A NUMBER, SAID IN TWO LINES." in shouted


def test_what_a_figure_will_show_is_translated_where_it_is_assigned():
    script = (
        'labels = "one", f"two {x}\\n{y:.2f}"\ntitle = "good" if ok else "bad"\nnames = ["kept"]\nlabels = f("kept")\n'
    )
    assert sorted(texts(script)) == ["bad", "good", "one", "two {x}"]
    assert 'labels = "ONE", f"TWO {X}\\n{y:.2f}"\n' in translate(script, str.upper)


@pytest.mark.parametrize("exercise", [e.id for e in COURSE.exercises])
def test_an_exercise_in_french_has_the_same_code(exercise):
    files = find_exercise(COURSE, exercise)
    english = bundle.generate_exercise(files)[f"{exercise}/{exercise}.py"].decode()
    with speaking("fr", COURSE.translations):
        french = bundle.generate_exercise(files)[f"{exercise}/{exercise}.py"].decode()

    def code(source: str) -> list[str]:
        import ast

        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                node.body = node.body[1:] or [ast.Pass()]
            if isinstance(node, ast.Call):
                for keyword in node.keywords:
                    if keyword.arg in ("title", "xlabel", "ylabel", "label", "labels"):
                        keyword.value = ast.Constant("shown")
                if getattr(node.func, "attr", "") in ("suptitle", "set_title", "set_xlabel", "set_ylabel"):
                    node.args = [ast.Constant("shown")]
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("title", "titles", "label", "labels"):
                for text in ast.walk(node.value):  # a number of strings stays the same
                    if isinstance(text, ast.Tuple | ast.List):
                        text.elts = [ast.Constant("shown") for _ in text.elts]
                    elif isinstance(text, ast.IfExp):
                        text.body = text.orelse = ast.Constant("shown")
                if isinstance(node.value, ast.Constant | ast.JoinedStr):
                    node.value = ast.Constant("shown")
        body = [n for n in tree.body if not (isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "QUIZ")]
        return [ast.unparse(n) for n in body]

    assert code(french) == code(english)
    assert french != english
    answers = re.sub(r"\n# |\s+", " ", french[: french.index("### BEGIN PERSONAL")].rpartition("# %% [markdown]")[2])
    assert "avec un point décimal : 0.5" in answers.replace("\u00a0", " "), "à 0,001 près invites 0,5"


def test_the_french_handout_tells_nothing_hidden():
    files = bundle.generate(COURSE, "fr")
    assert files["course.yaml"].decode().count("language: fr") == 1
    assert not [path for path in files if path.endswith((".hidden.mo", ".statement.mo"))]
    assert [path for path in files if path.endswith(".public.mo")]
