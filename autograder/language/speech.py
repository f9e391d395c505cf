"""What is said in the language in force, which is a context variable: each thread and each task has its own."""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import cache, cached_property, partial
from numbers import Real
from pathlib import Path
from string import Formatter
from typing import ParamSpec, TypeVar

from autograder.language.catalogues import Message, content, entries, files
from autograder.language.registry import LANGUAGES, LOCALE, SOURCE, Language, settings

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class Speech:
    """A language with the catalogues of the framework and of a course."""

    language: str
    folders: tuple[Path, ...]

    @cached_property
    def translations(self) -> gettext.NullTranslations:
        """The catalogues, the framework's before the course's."""
        every = gettext.NullTranslations()
        for data in self.catalogues(self.language):
            every.add_fallback(gettext.GNUTranslations(io.BytesIO(data)))
        return every

    @cached_property
    def sources(self) -> dict[str, tuple[Message, int, str]]:
        """What a text may have been in each language, with the message it is a form of, which form, and the language.

        The language's own texts are not among them: they are said already.
        """
        found: dict[str, tuple[Message, int, str]] = {}
        for other in LANGUAGES:
            for data in self.catalogues(other) if other != self.language else ():
                for message, texts in entries(data):
                    for form, text in enumerate(texts):
                        found.setdefault(text, (message, form, other))
        if self.language != SOURCE:
            for data in self.catalogues(self.language):
                for message, _texts in entries(data):
                    found |= {text: (message, form, SOURCE) for form, text in enumerate(message) if text}
        return found

    def catalogues(self, language: str) -> list[bytes]:
        """The content of every catalogue of a language."""
        return [data for folder in self.folders for file in files(folder, language) if (data := content(file))]


@cache
def _speech_of(language: str, translations: Path | None) -> Speech:
    return Speech(language, (LOCALE,) if translations is None else (LOCALE, translations))


_ENGLISH = _speech_of(SOURCE, None)
_speech: ContextVar[Speech] = ContextVar("speech")


def speech() -> Speech:
    """What is spoken here."""
    return _speech.get(_ENGLISH)


@contextmanager
def speaking(language: str, translations: Path | None = None) -> Iterator[None]:
    """Make a language that of the messages of a block, in this thread or task.

    Args:
        language: its id, such as `fr`; English where there are no catalogues of it.
        translations: folder of the course's own catalogues, `<language>/LC_MESSAGES/*.po`; it need not be there.
    """
    before = _speech.set(_speech_of(language, translations))
    try:
        yield
    finally:
        _speech.reset(before)


def use_language(language: str, translations: Path | None = None) -> None:
    """Make a language that of every later message here: for a program's own start; arguments as of `speaking`."""
    _speech.set(_speech_of(language, translations))


def in_same_language(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """The function as it would run here, for a thread: a new one speaks English otherwise. Each call makes another."""
    return partial(copy_context().run, function)


def mark(sign: str) -> str:
    """A mark of punctuation as the language in force sets it: French has a space before some."""
    return f"\u00a0{sign}" if sign in settings(language()).spaced_marks else sign


def language() -> str:
    """The id of the language in force."""
    return speech().language


class _Filling(Formatter):
    """Fills a message; numbers of which it says how they are written are written as its language does."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def format_field(self, value: object, format_spec: str) -> str:
        text: str = super().format_field(value, format_spec)
        return self.language.written(text) if format_spec and isinstance(value, Real) else text


class _Message(str):
    """A message of a language whose numbers are not written as in English."""

    __slots__ = ()

    def format(self, *args: object, **kwargs: object) -> str:
        return _Filling(settings(language())).vformat(self, args, kwargs)


def _spoken(text: str) -> str:
    return _Message(text) if "{" in text and settings(language()).decimal_mark != "." else text


def _(message: str) -> str:
    """Translate one literal message; fill it with `.format(...)` afterwards: `{share:g}` is 0,5 in French."""
    return _spoken(speech().translations.gettext(message)) if message else ""


def N_(message: str) -> str:  # gettext's own name for it
    """Mark a message to be translated when it is shown, not where it stands."""
    return message


def ngettext(one: str, many: str, n: float) -> str:
    """Translate a literal message in its form for `n`; fill it with `.format(n=n, ...)` afterwards.

    A fraction goes with the whole number below it, but in English: 1.5 points, 1,5 point.
    """
    if n != int(n) and language() == SOURCE:
        return many
    return _spoken(speech().translations.ngettext(one, many, int(n)))


def number(value: float, form: str) -> str:
    """A number in the language's own writing: 0.5 is 0,5 in French."""
    return settings(language()).written(format(value, form))
