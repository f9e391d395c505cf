"""The catalogues of translations, brought up to date with what they translate. Needs babel (extra `development`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autograder.language import TRANSLATIONS
from autograder.language.registry import LOCALE
from autograder.service.course import Course
from autograder.translation.catalogues import Untranslated, content, make, po_file, problems, read
from autograder.translation.extract import Text, click_texts, course_texts, framework, once


@dataclass
class Brought:
    """What came of bringing catalogues up to date.

    Attributes:
        stale: files that were not up to date; they are now, where they were to be written.
        problems: what has no translation, or a wrong one.
    """

    stale: list[Path] = field(default_factory=list)
    problems: list[Untranslated] = field(default_factory=list)
    total: int = 0


def up_to_date(language: str, course: Course | None = None, *, write: bool = True) -> Brought:
    """Collect every text there is to translate into the catalogues of a language.

    Translations that are there stay; those of texts that are gone are dropped.

    Args:
        course: whose catalogues; the framework's own without it.
        write: write what is not up to date.

    Raises:
        AuthoringError: a source of the course cannot be read.
    """
    if course is None:
        texts = {"autograder": list(framework(LOCALE.parent)), "click": list(click_texts())}
        # click reads its own catalogue alone.
        return _bring(LOCALE, language, once(texts, ["click"]), write)
    return _bring(course.config.root / TRANSLATIONS, language, course_texts(course.config), write)


def _bring(folder: Path, language: str, catalogues: Mapping[str, list[Text]], write: bool) -> Brought:
    brought = Brought(total=sum(len({text.message for text in texts}) for texts in catalogues.values()))
    before = {name: read(po_file(folder, language, name)) for name in catalogues}
    # A text may move from one exercise or one room to another: its translation goes along.
    everywhere = {message: text for known in before.values() for message, text in known.items()}
    for name, texts in catalogues.items():
        known = everywhere | before[name]
        file = po_file(folder, language, name)
        new = content(make(name, language, texts, known))
        if not file.is_file() or file.read_bytes() != new:
            brought.stale.append(file)
            if write:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(new)
        brought.problems += problems(name, texts, known)
    return brought
