"""Names as students and their systems write them: whose exercise a file is, and what may stand in a table or a path."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Sequence

from autograder.language import _
from autograder.submissions.archives import is_archive

SUFFIXES = (".py", ".ipynb")
MAX_NAME_BYTES = 200  # of a student: results lie in a folder of that name

# What systems and tools leave behind, and the course's own files that travel with a student's.
_LEFTOVERS = frozenset({"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"})
COURSE_FILES = frozenset({"test_public.py", "quiz.py", "course.yaml", "README.md"})
_FOREIGN_ARCHIVES = (".gz", ".7z", ".rar")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DOUBLE_SUFFIX = re.compile(r"\.(py|ipynb)\.(txt|json|py|ipynb)$")
_COPY = re.compile(r"(_*\(\d+\)|_?-?_copy(_?\d+)?|_copie|_\d{1,2})$")


def is_leftover(name: str) -> bool:
    return name.startswith(".") or name in _LEFTOVERS


def bad_name(name: str) -> str:
    """Why a folder cannot be a student's name: it appears in tables, paths and terminals."""
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Cn", "Co") or sign in _BIDI for sign in name):
        return _("the name holds control characters; rename the folder")
    if not name.strip():
        return _("the name is blank; rename the folder")
    return ""


def bad_folder(student: str) -> str:
    """Why results cannot lie in a folder of this name: a platform lets people write their own names."""
    if not student or student.startswith(".") or "/" in student:
        return _("{name} cannot name a student's folder").format(name=shown(student))
    return bad_name(student) or long_name(student)


def long_name(student: str) -> str:
    # Composing some letters makes a name longer: a folder that exists here need not be possible where results go.
    if len(student.encode()) <= MAX_NAME_BYTES:
        return ""
    return _("the name is longer than {limit} bytes; rename the folder").format(limit=MAX_NAME_BYTES)


def looks_packed(name: str) -> bool:
    """Whether a file is called as an archive of any kind."""
    return is_archive(name) or name.lower().endswith(_FOREIGN_ARCHIVES)


def normal(stem: str) -> str:
    """A file's stem for comparing: lower case, words joined by underscores."""
    return re.sub(r"[\s\-.]+", "_", unicodedata.normalize("NFKC", stem).casefold()).strip("_")


def without_copy_mark(stem: str) -> str:
    """A normal stem without " (1)", "_copy" and the like."""
    return _COPY.sub("", stem)


def match_exercise(name: str, exercises: Sequence[str]) -> tuple[str, bool] | str:
    """The exercise that a file is for and whether its name is exact, or why it is for none."""
    for exercise in exercises:
        if name in (f"{exercise}.py", f"{exercise}.ipynb"):
            return exercise, True
    if bad_name(name):
        return _("the name holds control characters")
    plain = _DOUBLE_SUFFIX.sub(r".\1", unicodedata.normalize("NFKC", name).casefold())
    stem, suffix = os.path.splitext(plain)
    if suffix not in SUFFIXES:
        if looks_packed(plain):
            return _("an archive: unpack it")
        return _("neither .py nor .ipynb")
    stem = re.sub(r"[\s\-.]+", "_", stem).strip("_")
    for form in (stem, _COPY.sub("", stem)):
        if form in exercises:
            return form, False
    inside = [exercise for exercise in exercises if exercise in stem]
    if len(inside) == 1:
        return inside[0], False
    close = difflib.get_close_matches(stem, exercises, n=1, cutoff=0.6)
    if close:
        return _("no exercise has this name; did they mean {exercise}?").format(exercise=close[0])
    return _("no exercise has this name")


def shown(name: str) -> str:
    """A name for a message: control characters and broken encodings are escaped.

    No-break spaces stay: French messages have them before their colons.
    """
    return "".join(
        sign
        if sign == "\u00a0" or (sign.isprintable() and sign not in _BIDI)
        else sign.encode("unicode_escape", "surrogatepass").decode()
        for sign in name
    )
