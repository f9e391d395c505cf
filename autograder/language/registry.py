"""The languages there are: one folder each under `autograder/locale/`, with a `language.toml` and catalogues.

`language.toml` has what is no message: the language's own name, its decimal mark, what stands between thousands, its
quotation marks, and signs that a space stands before at which no line breaks. The forms of its plurals stand in its
catalogues, as everywhere with gettext. A new language is such a folder, and nothing else.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parents[1] / "locale"
SOURCE = "en"  # the language that messages are written in
_SETTINGS = "language.toml"


@dataclass(frozen=True)
class Language:
    """How a language writes what is no message."""

    name: str
    decimal_mark: str = "."
    thousands_mark: str = ","
    quotation_marks: str = "“{}”"
    spaced_marks: str = ""

    def written(self, number: str) -> str:
        """A number that English has written, as this language writes it."""
        return number.translate({ord("."): self.decimal_mark, ord(","): self.thousands_mark})

    def read(self, number: str) -> str:
        """A number that this language has written, as English writes it."""
        return number.translate({ord(self.decimal_mark): ".", ord(self.thousands_mark): ","})


LANGUAGES = (SOURCE, *sorted(file.parent.name for file in LOCALE.glob(f"*/{_SETTINGS}") if file.parent.name != SOURCE))


@cache
def settings(language: str) -> Language:
    """The settings of a language; those of English for one that is not there."""
    folder = language if language in LANGUAGES else SOURCE
    return Language(**tomllib.loads((LOCALE / folder / _SETTINGS).read_text(encoding="utf-8")))
