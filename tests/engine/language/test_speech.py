"""The language in force: it belongs to a thread, ends with its block, and no library code changes it for good."""

from __future__ import annotations

import ast
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import autograder
from autograder.course import load_config
from autograder.language import _, in_same_language, language, ngettext, number, said, speaking

PACKAGE = Path(autograder.__file__).parent
COURSE = load_config(PACKAGE.parent / "grading_config.yaml")


def test_messages_of_the_framework_and_of_the_course():
    with speaking("fr", COURSE.translations):
        assert _("not passed") == "non réussi"
        assert _("The first index wins a tie.") == "En cas d'égalité, le premier indice l'emporte."
        assert _("nobody has translated this") == "nobody has translated this"


def test_a_language_lasts_as_long_as_its_block():
    with speaking("fr"):
        with speaking("en"):
            assert language() == "en"
        assert language() == "fr"
        with pytest.raises(ZeroDivisionError), speaking("en"):
            raise ZeroDivisionError
        assert language() == "fr"
    assert language() == "en"
    assert _("not passed") == "not passed"


def test_numbers_are_written_as_the_language_writes_them():
    with speaking("fr"):
        assert number(0.5, "g") == "0,5"
        assert number(12, "g") == "12"
        assert number(1234567.5, ",.1f") == "1\u00a0234\u00a0567,5"
    assert number(0.5, "g") == "0.5"
    assert number(1234567.5, ",.1f") == "1,234,567.5"


def test_a_message_writes_its_numbers_as_the_language_does(tmp_path):
    """Where it says how: what has no form is code, a name or a value of the student's."""
    file = tmp_path / "fr/LC_MESSAGES/a.po"
    file.parent.mkdir(parents=True)
    file.write_text(
        'msgid ""\nmsgstr "Language: fr\\nContent-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "{n:,} frogs of {size:.1f} cm in {pond}"\nmsgstr "{n:,} grenouilles de {size:.1f} cm dans {pond}"\n'
    )
    frogs = "{n:,} frogs of {size:.1f} cm in {pond}"
    french = "1\u00a0000\u00a0000 grenouilles de 2,5 cm dans [0.5, 1]"
    english = "1,000,000 frogs of 2.5 cm in [0.5, 1]"
    with speaking("fr", tmp_path):
        assert _(frogs).format(n=10**6, size=2.5, pond=[0.5, 1]) == french
        assert said(english) == french
    assert _(frogs).format(n=10**6, size=2.5, pond=[0.5, 1]) == english
    with speaking("en", tmp_path):
        assert said(french) == english


def test_a_message_without_translation_has_the_plurals_of_english():
    assert [ngettext("{n} x", "{n} xes", n) for n in (0, 1, 2)] == ["{n} xes", "{n} x", "{n} xes"]


@pytest.mark.parametrize(("n", "english", "french"), [(0, 2, 1), (0.5, 2, 1), (1, 1, 1), (1.5, 2, 1), (2, 2, 2)])
def test_fractions_have_the_form_of_each_language(n, english, french, tmp_path):
    file = tmp_path / "fr/LC_MESSAGES/a.po"
    file.parent.mkdir(parents=True)
    file.write_text(
        'msgid ""\nmsgstr "Language: fr\\nContent-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "{n} frog"\nmsgid_plural "{n} frogs"\nmsgstr[0] "1"\nmsgstr[1] "2"\n'
    )
    assert ngettext("{n} frog", "{n} frogs", n) == {1: "{n} frog", 2: "{n} frogs"}[english]
    with speaking("fr", tmp_path):
        assert ngettext("{n} frog", "{n} frogs", n) == str(french)


def test_threads_speak_at_once_what_each_of_them_speaks():
    """Neither waits for the other: each says its words while the other is in its block."""
    both = threading.Barrier(2, timeout=20)

    def words(spoken: str) -> list[str]:
        with speaking(spoken, COURSE.translations):
            found = []
            for _round in range(50):
                both.wait()
                found += [_("not passed"), said("The first index wins a tie."), number(0.5, "g")]
            return found

    with ThreadPoolExecutor(2) as pool:
        english, french = pool.map(words, ("en", "fr"))
    assert set(english) == {"not passed", "The first index wins a tie.", "0.5"}
    assert set(french) == {"non réussi", "En cas d'égalité, le premier indice l'emporte.", "0,5"}


def test_a_thread_speaks_the_language_of_who_starts_it_where_that_is_asked_for():
    found = []

    def speak() -> None:
        found.append(language())

    with speaking("fr"):
        for target in (speak, in_same_language(speak)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert found == ["en", "fr"]


@pytest.mark.parametrize("word", ["use_language", "LANGUAGE"])
def test_only_the_command_line_sets_the_language_for_good(word):
    """Everywhere else a language is that of a block; `LANGUAGE` is what gettext asks the environment."""
    allowed = {"commands", "language"} if word == "use_language" else {"commands"}
    found = [
        f"{file.relative_to(PACKAGE)}:{node.lineno}"
        for file in PACKAGE.rglob("*.py")
        if file.relative_to(PACKAGE).parts[0] not in allowed
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Name) and node.id == word) or (isinstance(node, ast.Constant) and node.value == word)
    ]
    assert not found


def test_to_speak_leaves_the_environment_alone():
    before = dict(os.environ)
    with speaking("fr", COURSE.translations):
        assert dict(os.environ) == before
