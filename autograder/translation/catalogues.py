"""Catalogues for translators: `<folder>/<language>/LC_MESSAGES/<name>.po`. Programs build what they read from these."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Any

from autograder.translation.extract import Text

_CODE = re.compile(r"`[^`\n]+`")
# No date in a catalogue is read by anybody, and one that changes would be a change of the file.
_DATE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Problem:
    """A message that has no translation, or one that is not right."""

    catalogue: str
    message: str
    reason: str = ""


def po_file(folder: Path, language: str, name: str) -> Path:
    """Where a catalogue is."""
    return folder / language / "LC_MESSAGES" / f"{name}.po"


def make(name: str, language: str, texts: Iterable[Text], known: Mapping[str, str]) -> Any:
    """A catalogue of these texts with the translations that are known."""
    from babel.messages.catalog import Catalog

    catalogue = Catalog(
        locale=language, project=f"autograder {name}", version="1", fuzzy=False,
        creation_date=_DATE, revision_date=_DATE, copyright_holder="the autograder's authors", charset="utf-8",
        header_comment=f"# {name}: translations.", language_team=language, last_translator="",
    )  # fmt: skip
    for place, message in texts:
        catalogue.add(message, known.get(message, ""), locations=[(place.rpartition(":")[0] or place, 0)])
        # Braces belong to formulas in statements: only `problems` knows which messages have placeholders.
        catalogue[message].flags.discard("python-brace-format")
        catalogue[message].flags.discard("python-format")
    return catalogue


def content(catalogue: Any) -> bytes:
    """The `.po` of a catalogue; the same catalogue gives the same bytes."""
    from babel.messages.pofile import write_po

    text = io.BytesIO()
    write_po(text, catalogue, width=100, include_lineno=False, sort_output=False)
    return text.getvalue()


def read(file: Path) -> dict[str, str]:
    """The translations in a `.po` file; none where there is no file."""
    from babel.messages.pofile import read_po

    if not file.is_file():
        return {}
    with file.open("rb") as stream:
        catalogue = read_po(stream)
    return {str(m.id): str(m.string) for m in catalogue if m.id and isinstance(m.id, str) and m.string}


def problems(name: str, texts: Iterable[Text], known: Mapping[str, str]) -> Iterator[Problem]:
    """What of these texts has no translation, or one with other placeholders or other code."""
    for message in dict.fromkeys(text.message for text in texts):
        translation = known.get(message, "")
        if not translation:
            yield Problem(name, message)
        elif name.endswith(".statement"):
            if sorted(_CODE.findall(message)) != sorted(_CODE.findall(translation)):
                yield Problem(name, message, "other code than in the original")
        elif placeholders(message) != placeholders(translation):
            yield Problem(name, message, "other placeholders than in the original")


def placeholders(text: str) -> set[tuple[str, str]] | None:
    """Names and conversions of a message's placeholders; None for a text with other braces.

    What forms a number may differ: a language can want another one.
    """
    try:
        return {(name, conversion or "") for _l, name, _f, conversion in Formatter().parse(text) if name is not None}
    except ValueError:
        return None
