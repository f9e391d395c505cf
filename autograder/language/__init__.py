"""The language of messages: gettext catalogues, English where a message has no translation.

The language in force is a context variable: `speaking` sets it for a block, and two threads may speak two languages.
The framework's catalogues are in `autograder/locale/`, a course's in the `translations/` of its folder (and of the
folder that students get). What has been said already, such as a message in a result, is said again in another language
by `said`, which finds the catalogue's message by its pattern.
"""

from __future__ import annotations

from autograder.language.again import said
from autograder.language.registry import LANGUAGES
from autograder.language.speech import N_, _, in_same_language, language, mark, ngettext, number, speaking, use_language

TRANSLATIONS = "translations"  # in a course's folder

__all__ = [
    "LANGUAGES", "N_", "TRANSLATIONS", "_", "in_same_language", "language", "mark", "ngettext", "number", "said",
    "speaking", "use_language",
]  # fmt: skip
