"""What has been said in one language is said again in another: wholes, patterns, plurals; and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

import autograder
from autograder.course import load_config
from autograder.language import said, speaking

COURSE = load_config(Path(autograder.__file__).parents[1] / "grading_config.yaml")

SAID = [
    "The first index wins a tie.",
    "this statement did not end within 10 s and was left out",  # the worker's words, which knows no languages
    "ANSWERS['model'] is still None: not answered.",
    "cell 5",
    "the mean from pca_fit(x of shape (3, 4), d=2): expected shape (3,), got a tensor of shape (2,), float64.",
    "Not judged, because this did not pass: “The first index wins a tie.”.",
    "It looks like this: capital letters kept. A word at the start of a sentence is the same state as elsewhere: "
    "tokens are in lower case.",
]


@pytest.mark.parametrize("english", SAID)
def test_what_was_said_in_one_language_is_said_in_the_other(english):
    with speaking("fr", COURSE.translations):
        translated = said(english)
        assert translated != english
        assert said(translated) == translated
    with speaking("en", COURSE.translations):
        assert said(translated) == english
        assert said(english) == english


def test_what_a_student_wrote_stays():
    with speaking("fr", COURSE.translations):
        assert said("passed") == "réussi"
        assert said("cell of mine") == "cell of mine"
        assert said("my own text, passed over") == "my own text, passed over"
        assert said("<b>the mean</b>") == "<b>the mean</b>"


CATALOGUE = """
msgid ""
msgstr ""
"Language: fr\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"
"Content-Type: text/plain; charset=utf-8\\n"

msgid "{n} frog sits in {pond}"
msgid_plural "{n} frogs sit in {pond}"
msgstr[0] "{n} grenouille est dans {pond}"
msgstr[1] "{n} grenouilles sont dans {pond}"
"""


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("0 frogs sit in the pond", "0 grenouille est dans the pond"),
        ("1 frog sits in the pond", "1 grenouille est dans the pond"),
        ("3 frogs sit in the pond", "3 grenouilles sont dans the pond"),
    ],
)
def test_a_plural_is_said_again_in_the_form_that_the_language_wants(english, french, tmp_path):
    file = tmp_path / "fr/LC_MESSAGES/frogs.po"
    file.parent.mkdir(parents=True)
    file.write_text(CATALOGUE, encoding="utf-8")
    with speaking("fr", tmp_path):
        assert said(english) == french
        assert said(french) == french
    with speaking("en", tmp_path):
        assert said(french) == english
