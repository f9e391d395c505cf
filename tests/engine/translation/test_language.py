"""The language in force: messages, what has been said already, numbers, help, statements."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import autograder
from autograder.authoring import bundle
from autograder.authoring.statement import texts, translate
from autograder.commands.translated import language_of
from autograder.course import load_config
from autograder.language import _, language, number, said, speaking

ROOT = Path(autograder.__file__).parents[1]
COURSE = load_config(ROOT / "grading_config.yaml")


@pytest.fixture
def french():
    with speaking("fr", COURSE.translations):
        yield


def test_messages_of_the_framework_and_of_the_course(french):
    assert _("not passed") == "non réussi"
    assert _("The first index wins a tie.") == "En cas d'égalité, le premier indice l'emporte."
    assert _("nobody has translated this") == "nobody has translated this"


def test_a_language_lasts_as_long_as_its_block():
    with speaking("fr", COURSE.translations):
        assert language() == "fr"
    assert language() == "en"
    assert _("not passed") == "not passed"


SAID = [
    "The first index wins a tie.",
    "ANSWERS['model'] is still None: not answered.",
    "the mean from pca_fit(x of shape (3, 4), d=2): expected shape (3,), got a tensor of shape (2,), float64.",
    "Not judged, because this did not pass: “The first index wins a tie.”.",
    "It looks like this: capital letters kept. A word at the start of a sentence is the same state as elsewhere: "
    "tokens are in lower case.",
]


@pytest.mark.parametrize("english", SAID)
def test_what_was_said_in_one_language_is_said_in_the_other(english, french):
    translated = said(english)
    assert translated != english
    assert said(translated) == translated
    with speaking("en", COURSE.translations):
        assert said(translated) == english
        assert said(english) == english


def test_what_a_student_wrote_stays(french):
    assert said("passed") == "réussi"
    assert said("my own text, passed over") == "my own text, passed over"
    assert said("<b>the mean</b>") == "<b>the mean</b>"


def test_numbers_are_written_as_the_language_writes_them(french):
    assert number(0.5, "g") == "0,5"
    assert number(12, "g") == "12"
    with speaking("en"):
        assert number(0.5, "g") == "0.5"


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
    # a comment
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
    ]


def test_code_and_formulas_of_a_statement_stay():
    shouted = translate(SCRIPT, str.upper)
    assert "# # 1. A HEADING" in shouted
    assert "# $$a = b$$" in shouted
    assert "#     a drawing, kept" in shouted
    assert '    # a comment\n    return "a string"\n' in shouted
    assert "        X: A NUMBER, SAID IN TWO LINES." in shouted


@pytest.mark.parametrize("exercise", [e.id for e in COURSE.exercises])
def test_an_exercise_in_french_has_the_same_code(exercise):
    english = (ROOT / f"exercises/{exercise}/{exercise}.py").read_text(encoding="utf-8")
    french = (ROOT / f"exercises/fr/{exercise}/{exercise}.py").read_text(encoding="utf-8")

    def code(source: str) -> list[str]:
        import ast

        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                node.body = node.body[1:] or [ast.Pass()]
        body = [n for n in tree.body if not (isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "QUIZ")]
        return [ast.unparse(n) for n in body]

    assert code(french) == code(english)
    assert french != english


def test_the_french_handout_tells_nothing_hidden():
    files = bundle.generate(COURSE, "fr")
    assert files["exercises/fr/course.yaml"].decode().count("language: fr") == 1
    assert not [path for path in files if path.endswith((".hidden.mo", ".statement.mo"))]
    assert [path for path in files if path.endswith(".public.mo")]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [([], "fr"), (["--lang", "en"], "en"), (["grade", "--lang=en"], "en"), (["--lang", "de"], "fr")],
)
def test_the_command_line_speaks_the_configured_language(arguments, expected, tmp_path):
    (tmp_path / "grading_config.yaml").write_text("course:\n  language: fr\n", encoding="utf-8")
    assert language_of(arguments, tmp_path) == expected


def run(*arguments: str, cwd: Path) -> str:
    command = [sys.executable, "-m", "autograder.commands.main", *arguments]
    environment = os.environ | {"LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120).stdout


def test_help_is_translated_and_the_terminal_does_not_decide(tmp_path):
    english, french = run("report", "--help", cwd=tmp_path), run("--lang", "fr", "report", "--help", cwd=tmp_path)
    assert "Usage:" in english
    assert "Write CSV to the terminal." in english
    assert "Utilisation" in french
    assert "Écrire du CSV dans le terminal." in french
    assert "Afficher ce message et terminer." in french


def test_no_break_spaces_of_french_are_shown_as_they_are():
    from autograder.submissions.names import shown

    assert shown("disposition\u00a0: a\u202eb") == "disposition\u00a0: a\\u202eb"
