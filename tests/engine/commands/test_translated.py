"""Help and errors in the language in force, whatever the terminal speaks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.commands.translated import language_of


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
    from autograder.submissions.shown import shown

    assert shown("disposition\u00a0: a\u202eb") == "disposition\u00a0: a\\u202eb"
