"""The language of messages: gettext catalogues, English where a message has no translation.

The framework's catalogues are in `locale/` beside this file, a course's in the `translations/` of its folder (and of
the folder that students get). What has been said already, such as a message in a result, is said again in another
language by `said`, which finds the catalogue's message by its pattern.
"""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from string import Formatter

LANGUAGES = ("en", "fr")
TRANSLATIONS = "translations"  # in a course's folder
_CATALOGUES = Path(__file__).parent / "locale"
_DECIMAL_MARKS = {"fr": ","}
_QUOTATION_MARKS = {"fr": "«\u00a0{}\u00a0»"}
_QUOTED = re.compile(r"“([^“”]*)”|«\u00a0([^«»]*)\u00a0»")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-ZÀ-Ý`])")

_language = "en"
_active: gettext.NullTranslations = gettext.NullTranslations()
_folders: tuple[Path, ...] = ()


def use_language(language: str, translations: Path | None = None) -> None:
    """Make `language` (`en`, `fr`) the language of every later message of this process.

    Args:
        language: English where there are no catalogues of it.
        translations: folder of the course's own catalogues, `<language>/LC_MESSAGES/*.mo`; it need not be there.
    """
    global _language, _active, _folders
    _language = language
    _folders = (_CATALOGUES, *((translations,) if translations is not None else ()))
    _active = gettext.NullTranslations()
    for file in _files(language):
        with file.open("rb") as stream:
            _active.add_fallback(gettext.GNUTranslations(stream))
    # The texts of click and argparse come from gettext itself, which asks the environment. Nothing else is to decide:
    # a terminal in German must not give half of an English help in German.
    os.environ["LANGUAGE"] = language
    gettext.bindtextdomain("click", str(_CATALOGUES))
    gettext.textdomain("click")
    for cached in (_sources, _patterns, said):
        cached.cache_clear()


@contextmanager
def speaking(language: str, translations: Path | None = None) -> Iterator[None]:
    """Make a language that of messages for a while; arguments as of `use_language`."""
    before = _language, _folders[1] if len(_folders) > 1 else None
    use_language(language, translations)
    try:
        yield
    finally:
        use_language(*before)


def language() -> str:
    """The language in force."""
    return _language


def _(message: str) -> str:
    """Translate one literal message; fill it with `.format(...)` afterwards."""
    return _active.gettext(message) if message else ""


def N_(message: str) -> str:  # gettext's own name for it
    """Mark a message to be translated when it is shown, not where it stands."""
    return message


def number(value: float, form: str) -> str:
    """A number in the language's own writing: 0.5 is 0,5 in French."""
    text = format(value, form)
    return text.replace(".", _DECIMAL_MARKS[_language]) if _language in _DECIMAL_MARKS else text


@cache
def said(text: str) -> str:
    """A finished text in the language in force: as a whole where a catalogue has it, else by its pattern.

    Messages with placeholders are recognised by what stands between those; what was filled in is said again by the same
    rule. A text that no catalogue knows is given back as it is, and so is one that is said in this language already.
    """
    return _said(text, 0)


def _said(text: str, depth: int) -> str:
    message = _sources().get(text)
    if message is not None:
        return _(message)
    if depth > 3 or len(text) > 4000:
        return text
    for telling, form, message in _patterns():
        # Few texts hold the piece, so that few of the patterns are ever made.
        found = _compiled(form).fullmatch(text) if telling in text else None
        if found is not None:
            return _fill(_(message), {name: _said(value, depth + 1) for name, value in found.groupdict().items()})
    # Titles in quotation marks, and sentences that were put one after the other.
    if _QUOTED.search(text):
        marks = _QUOTATION_MARKS.get(_language, "“{}”")
        return _QUOTED.sub(lambda found: marks.format(_said(found[1] or found[2], depth + 1)), text)
    sentences = _BETWEEN_SENTENCES.split(text)
    return " ".join(_said(sentence, depth + 1) for sentence in sentences) if len(sentences) > 1 else text


def _fill(template: str, values: dict[str, str]) -> str:
    """The template with texts for its placeholders, whatever forms it asks for: the texts have been formed before."""
    parts = []
    for literal, name, _form, _conversion in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(values.get(name, ""))
    return "".join(parts)


@cache
def _patterns() -> tuple[tuple[str, str, str], ...]:
    """Texts with placeholders: the longest piece between them, the pattern, the message. The most telling first."""
    found: list[tuple[int, str, str, str]] = []
    for text, message in _sources().items():
        try:
            pieces = list(Formatter().parse(text))
        except ValueError:
            continue  # braces of a formula, no placeholders
        names: dict[str, None] = {}
        form = ""
        for literal, name, _form, _conversion in pieces:
            form += re.escape(literal)
            if name is not None and name.isidentifier():
                form += f"(?P={name})" if name in names else f"(?P<{name}>.*?)"
                names[name] = None
        weight = sum(c.isalpha() for literal, *_rest in pieces for c in literal)
        # What is nearly all placeholders, such as "{where}, line {line}", would be found in texts of other kinds.
        if names and weight >= 6:
            found.append((weight, max((p[0] for p in pieces), key=len), form, message))
    found.sort(key=lambda one: -one[0])
    return tuple((telling, form, message) for _weight, telling, form, message in found)


@cache
def _compiled(form: str) -> re.Pattern[str]:
    return re.compile(form, re.DOTALL)


@cache
def _sources() -> dict[str, str]:
    """What a text may have been in the other languages, with the message that it is a form of."""
    sources: dict[str, str] = {}
    for other in LANGUAGES:
        for file in _files(other) if other != _language else ():
            for message, text in _entries(file):
                sources.setdefault(text, message)
    if _language != "en":
        for file in _files(_language):
            for message, _text in _entries(file):
                sources[message] = message
    return sources


def _files(language: str) -> list[Path]:
    return [file for folder in _folders for file in sorted(folder.glob(f"{language}/LC_MESSAGES/*.mo"))]


def _entries(file: Path) -> list[tuple[str, str]]:
    with file.open("rb") as stream:
        catalogue: dict[object, str] = gettext.GNUTranslations(stream)._catalog  # type: ignore[attr-defined]
    return [(key, text) for key, text in catalogue.items() if isinstance(key, str) and key]
