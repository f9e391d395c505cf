"""The language of messages: gettext catalogues, English where a message has no translation."""

from __future__ import annotations

import gettext
from pathlib import Path

_CATALOGUES = Path(__file__).parent / "locale"
_active: gettext.NullTranslations = gettext.NullTranslations()


def use_language(language: str) -> None:
    """Make `language` (`en`, `fr`) the language of every later message of this process."""
    global _active
    _active = gettext.translation("autograder", _CATALOGUES, [language], fallback=True)


def _(message: str) -> str:
    """Translate one literal message; fill it with `.format(...)` afterwards."""
    return _active.gettext(message) if message else ""
