"""Help in the language in force: commands are written in English, and a copy speaks the other language."""

from __future__ import annotations

import copy
import gettext
import os
import re
from pathlib import Path

import click

from autograder.language import LANGUAGES, _, language
from autograder.language.registry import LOCALE

_IN_CONFIGURATION = re.compile(r"^\s+language:\s*[\"']?(\w+)", re.MULTILINE)


def speak_click(language: str) -> None:
    """Make a language that of click's own texts, which come from gettext itself and what the environment says to it.

    Nothing else is to decide: a terminal in German must not give half of an English help in German.
    """
    os.environ["LANGUAGE"] = language
    gettext.bindtextdomain("click", str(LOCALE))
    gettext.textdomain("click")


def translated(command: click.Command) -> click.Command:
    """The command itself in English; else a copy of it, its options and its subcommands with their help translated."""
    if language() == "en":
        return command
    own = copy.copy(command)
    own.help = translated_help(command.help or "")
    own.params = [_parameter(parameter) for parameter in command.params]
    if isinstance(own, click.Group):
        own.commands = {name: translated(sub) for name, sub in own.commands.items()}
    return own


def translated_help(text: str) -> str:
    """A help text paragraph by paragraph: breaks of lines are the source's, and no matter of translation."""
    return "\n\n".join(_(" ".join(paragraph.split())) for paragraph in text.split("\n\n"))


def language_of(arguments: list[str], start: Path) -> str:
    """The language of the command line itself: `--lang`, else the nearest configuration's, else English.

    The configuration is not read as YAML here: a broken one must not keep `--help` from working, and the reader would
    take longer to load than everything else of `--help`.
    """
    for position, argument in enumerate(arguments):
        name, _equals, value = argument.partition("=")
        following = value or (arguments[position + 1] if position + 1 < len(arguments) else "")
        if name == "--lang" and following in LANGUAGES:
            return following
        if name == "--course" and following:
            start = Path(following)
    start = start.absolute()
    for folder in (start, *start.parents):
        for file in (folder / "grading_config.yaml", folder / "course.yaml", folder / "exercises" / "course.yaml"):
            try:
                found = _IN_CONFIGURATION.search(file.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError):
                continue
            return found[1] if found and found[1] in LANGUAGES else "en"
    return "en"


def _parameter(parameter: click.Parameter) -> click.Parameter:
    text = getattr(parameter, "help", None)
    if not text:
        return parameter
    own = copy.copy(parameter)
    own.help = _(text)
    return own
