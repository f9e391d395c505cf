"""What has been said in one language, said again in another: messages in results, titles, what checks compare."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from string import Formatter

from autograder.language.catalogues import Message
from autograder.language.registry import LANGUAGES, Language, settings
from autograder.language.speech import Speech, speech

_NUMBER = re.compile(r"[-+]?\d[\d.,\u00a0]*(?:e[-+]?\d+)?%?")
_COUNTED = r"[\d.,\u00a0]*\d"  # "cell 5", and no "cell of mine"
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-ZÀ-Ý`])")


def said(text: str) -> str:
    """A finished text in the language in force: as a whole where a catalogue has it, else by its pattern.

    Messages with placeholders are recognised by what stands between those; what was filled in is said again by the same
    rule. A text that no catalogue knows is given back as it is, and so is one that is said in this language already.
    """
    return _kept(speech(), text)


@lru_cache(maxsize=50_000)
def _kept(spoken: Speech, text: str) -> str:
    return _said(spoken, text, 0)


def _said(spoken: Speech, text: str, depth: int) -> str:
    known = spoken.sources.get(text)
    if known is not None:
        return _form(spoken, *known[:2], {})
    if depth > 3 or len(text) > 4000:
        return text
    for telling, pattern, message, form, source in _patterns(spoken):
        # Few texts hold the piece, so that few of the patterns are ever made.
        found = _compiled(pattern).fullmatch(text) if telling in text else None
        if found is not None:
            values = {name: _said(spoken, value, depth + 1) for name, value in found.groupdict().items()}
            return _fill(_form(spoken, message, form, values), values, settings(source), settings(spoken.language))
    # Titles in quotation marks, and sentences that were put one after the other.
    if _quoted().search(text):
        marks = settings(spoken.language).quotation_marks
        return _quoted().sub(lambda found: marks.format(_said(spoken, found[found.lastindex or 0], depth + 1)), text)
    sentences = _BETWEEN_SENTENCES.split(text)
    return " ".join(_said(spoken, sentence, depth + 1) for sentence in sentences) if len(sentences) > 1 else text


def _form(spoken: Speech, message: Message, form: int, values: dict[str, str]) -> str:
    """The message in the language; one with forms for several is counted by its placeholder `n`."""
    if not message.many:
        return spoken.translations.gettext(message.one)
    count = values.get("n", "")
    n = int(count) if count.isdecimal() else 1 if form == 0 else 2
    return spoken.translations.ngettext(*message, n)


def _fill(template: str, values: dict[str, str], before: Language, now: Language) -> str:
    """The template with texts for its placeholders, which have been formed before.

    A number of which the template says how it is written is written in this language instead of the one before.
    """
    parts = []
    for literal, name, form, _conversion in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            value = values.get(name, "")
            parts.append(now.written(before.read(value)) if form and _NUMBER.fullmatch(value) else value)
    return "".join(parts)


@cache
def _patterns(spoken: Speech) -> tuple[tuple[str, str, Message, int, str], ...]:
    """Texts with placeholders: the longest piece between them, the pattern, the message. The most telling first."""
    found: list[tuple[int, str, str, Message, int, str]] = []
    for text, (message, number, source) in spoken.sources.items():
        try:
            pieces = list(Formatter().parse(text))
        except ValueError:
            continue  # braces of a formula, no placeholders
        names: dict[str, None] = {}
        pattern = ""
        for literal, name, _form, _conversion in pieces:
            pattern += re.escape(literal)
            if name is not None and name.isidentifier():
                filled = _COUNTED if name == "number" else ".*?"
                pattern += f"(?P={name})" if name in names else f"(?P<{name}>{filled})"
                names[name] = None
        weight = sum(c.isalpha() for literal, *_rest in pieces for c in literal)
        # What is nearly all placeholders, such as "{where}, line {line}", would be found in texts of other kinds.
        if names and (weight >= 6 or names.keys() == {"number"}):
            found.append((weight, max((p[0] for p in pieces), key=len), pattern, message, number, source))
    found.sort(key=lambda one: -one[0])
    return tuple(entry[1:] for entry in found)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


@cache
def _quoted() -> re.Pattern[str]:
    """A text in the quotation marks of any of the languages."""
    halves = {tuple(settings(language).quotation_marks.split("{}")) for language in LANGUAGES}
    return re.compile(
        "|".join(f"{start}([^{start.strip()}{end.strip()}]*){end}" for start, end in sorted(halves, reverse=True))
    )
