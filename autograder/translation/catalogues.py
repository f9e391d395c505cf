"""Catalogues for translators: `<folder>/<language>/LC_MESSAGES/<name>.po`. Programs build what they read from these."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

from autograder.language.registry import Language, settings
from autograder.translation.extract import SHARED, Text

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

Forms = tuple[str, ...]
Translations = Mapping[str, Forms]

_CODE = re.compile(r"`[^`\n]+`")
_BETWEEN_THOUSANDS = re.compile(r"(?<=\d) (?=\d{3}(?!\d))")  # English has commas there
_APART = re.compile(r"(`[^`\n]+`|\$[^$]+\$|\{[^{}]*\})")
# No date in a catalogue is read by anybody, and one that changes would be a change of the file.
_DATE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Untranslated:
    """A message that has no translation, or one that is not right."""

    catalogue: str
    message: str
    reason: str = ""


def po_file(folder: Path, language: str, name: str) -> Path:
    """Where a catalogue is."""
    return folder / language / "LC_MESSAGES" / f"{name}.po"


def make(name: str, language: str, texts: Iterable[Text], known: Translations) -> Catalog:
    """A catalogue of these texts with the translations that are known."""
    from babel.messages.catalog import Catalog

    catalogue = Catalog(
        locale=language, project=f"autograder {name}", version="1", fuzzy=False,
        creation_date=_DATE, revision_date=_DATE, copyright_holder="the autograder's authors", charset="utf-8",
        header_comment=f"# {name}: translations.", language_team=language, last_translator="",
    )  # fmt: skip
    for place, message, many in texts:
        forms = tuple(spaced(form, settings(language)) for form in known.get(message, ()))
        translation = forms if many else forms[0] if forms else ""
        there = [(place.rpartition(":")[0] or place, 0)]
        catalogue.add((message, many) if many else message, translation, locations=there)
        # Braces belong to formulas in statements: only `problems` knows which messages have placeholders.
        catalogue[message].flags.difference_update(("python-brace-format", "python-format"))
    return catalogue


def spaced(text: str, language: Language) -> str:
    """A text with spaces at which no line breaks: before the language's marks, behind « and between thousands.

    Code and formulas stay as they are.
    """
    if not language.spaced_marks:
        return text
    before = re.compile(rf" (?=[{re.escape(language.spaced_marks)}](?:[\s)»*_,.]|$))")
    parts = _APART.split(text)
    # What stands apart is at the odd places.
    parts[::2] = [
        _BETWEEN_THOUSANDS.sub("\u00a0", before.sub("\u00a0", part)).replace("« ", "«\u00a0") for part in parts[::2]
    ]
    return "".join(parts)


def content(catalogue: Catalog) -> bytes:
    """The `.po` of a catalogue; the same catalogue gives the same bytes."""
    from babel.messages.pofile import write_po

    text = io.BytesIO()
    write_po(text, catalogue, width=100, include_lineno=False, sort_output=False)
    return text.getvalue()


def read(file: Path) -> dict[str, Forms]:
    """The translations in a `.po` file by message, each with its forms of the plural; none where there is no file."""
    from babel.messages.pofile import read_po

    if not file.is_file():
        return {}
    with file.open("rb") as stream:
        catalogue = read_po(stream)
    found = {}
    for message in catalogue:
        forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        if message.id and all(forms):
            found[message.id if isinstance(message.id, str) else message.id[0]] = forms
    return found


def problems(name: str, texts: Iterable[Text], known: Translations) -> Iterator[Untranslated]:
    """What of these texts has no translation, or one with other placeholders or other code."""
    for message, many in dict.fromkeys((text.message, text.many) for text in texts):
        forms = known.get(message, ())
        code = [sorted(_CODE.findall(text)) for text in (message, *forms[:1])]
        # As many forms as the language has: `make` gives a new message as many empty ones.
        if not forms or (len(forms) > 1) != bool(many):
            yield Untranslated(name, message)
        elif name.endswith((".statement", SHARED)) and code[0] != code[1]:
            yield Untranslated(name, message, "other code than in the original")
        elif not name.endswith(".statement") and any(
            placeholders(form) not in (placeholders(message), placeholders(many or message)) for form in forms
        ):
            yield Untranslated(name, message, "other placeholders than in the original")
        elif many and name != "click" and ("n", "") not in (placeholders(many) or ()):
            yield Untranslated(name, message, "a text with a form for several counts with {n}")


def placeholders(text: str) -> set[tuple[str, str]] | None:
    """Names and conversions of a message's placeholders; None for a text with other braces.

    What forms a number may differ: a language can want another one.
    """
    try:
        return {(name, conversion or "") for _l, name, _f, conversion in Formatter().parse(text) if name is not None}
    except ValueError:
        return None
