"""A language is a folder: nothing else has to be changed for the command line to speak it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import autograder
from autograder.language import LANGUAGES
from autograder.language.registry import settings

PACKAGE = Path(autograder.__file__).parent

CATALOGUE = """
msgid ""
msgstr ""
"Language: eo\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"Content-Type: text/plain; charset=utf-8\\n"

msgid "Run the public checks on your file."
msgstr "Kontroli vian dosieron."

msgid "no {config_name} in {start} or any folder above it; name the course's folder"
msgstr "{config_name} mankas en {start}"
"""


def test_the_languages_there_are():
    assert LANGUAGES == ("en", "fr")
    assert settings("fr").quotation_marks == "«\u00a0{}\u00a0»"
    assert settings("xx") == settings("en")


def test_a_language_is_added_by_its_folder_alone(tmp_path):
    copy = tmp_path / "autograder"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    place = copy / "locale" / "eo"
    (place / "LC_MESSAGES").mkdir(parents=True)
    (place / "language.toml").write_text('name = "Esperanto"\ndecimal_mark = ","\n', encoding="utf-8")
    (place / "LC_MESSAGES" / "autograder.po").write_text(CATALOGUE, encoding="utf-8")

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "autograder.commands.main", *arguments]
        environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": ""}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        return done.stdout + done.stderr

    assert "Kontroli vian dosieron." in run("--lang", "eo", "--help")
    assert "grading_config.yaml mankas" in run("--lang", "eo", "data", "which")
    (tmp_path / "course.yaml").write_text(
        "schema_version: 1\ncourse:\n  id: a\n  title: A\n  language: eo\n", encoding="utf-8"
    )
    assert "Kontroli vian dosieron." in run("--help")
