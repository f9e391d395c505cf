"""Names as students and their systems write them: whose exercise a file is, and what may stand in a table or a path."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.language import _
from autograder.submissions.packed import is_archive
from autograder.submissions.shown import BIDI, shown

SUFFIXES = (".py", ".ipynb")
MAX_NAME_BYTES = 200  # of a student: results lie in a folder of that name

# What systems and tools leave behind, and the course's own files that travel with a student's.
_LEFTOVERS = frozenset((
    "__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini", ".DS_Store", ".localized", ".directory", ".Trashes",
    ".Spotlight-V100", ".fseventsd", ".git", ".github", ".gitignore", ".gitattributes", ".gitkeep", ".gitmodules",
    ".hg", ".svn", ".ipynb_checkpoints", ".idea", ".vscode", ".vs", ".venv", ".env", ".cache", ".config",
    ".pytest_cache", ".mypy_cache", ".ruff_cache", ".ipython", ".jupyter", ".python-version", ".editorconfig",
    ".Rhistory",
))  # fmt: skip
COURSE_FILES = frozenset({"test_public.py", "quiz.py", "course.yaml", "README.md", "install.py", "course-map.svg"})
_FOREIGN_ARCHIVES = (".gz", ".7z", ".rar", ".zst", ".bz2", ".xz")
_DOUBLE_SUFFIX = re.compile(r"\.(py|ipynb)\.(txt|json|py|ipynb)$")
# What systems and people write when a name is taken already, in the languages of the course's platforms.
_COPY = re.compile(
    r"""(?: [\s_\-]* \( \s* (?P<bracket>\d{1,3}) \s* \) | [\s_\-]+ (?P<number>\d{1,2})
        | [\s_\-]+ (?:copy|copie|kopie|copia) (?: [\s_\-]* \d{1,2} )? )$""",
    re.VERBOSE,
)
_COPY_OF = re.compile(r"^(?:copy\s+of|copie\s+de|kopie\s+von|copia\s+de|copia\s+di)[\s_\-]+")
_AGAIN = re.compile(r"^(?P<stem>.*\D|)-(?P<number>\d{1,2})$", re.DOTALL)


@dataclass(frozen=True)
class Match:
    """The exercise that a file's name names.

    Attributes:
        tier: 3 its very name, 2 its name but for case, separators and marks of copies, 1 its name among other words.
    """

    exercise: str
    tier: int


def is_leftover(name: str) -> bool:
    """Whether a system or a tool left this behind."""
    return name in _LEFTOVERS or name.startswith("._")


def bad_name(name: str) -> str:
    """Why a folder cannot be a student's name: it appears in tables, paths and terminals."""
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Cn", "Co") or sign in BIDI for sign in name):
        return _("the name holds control characters; rename the folder")
    if not readable(name).strip():
        return _("the name is blank; rename the folder")
    return ""


def bad_folder(student: str) -> str:
    """Why results cannot lie in a folder of this name: a platform lets people write their own names."""
    if not student or student.startswith(".") or "/" in student:
        return _("{name} cannot name a student's folder").format(name=shown(student))
    # Composing some letters makes a name longer: a folder that exists here need not be possible where results go.
    if not bad_name(student) and len(student.encode("utf-8", "surrogateescape")) > MAX_NAME_BYTES:
        return _("the name is longer than {limit} bytes; rename the folder").format(limit=MAX_NAME_BYTES)
    return bad_name(student)


def as_folder(name: str) -> str:
    """A name for somebody whose own cannot name a folder; "" for nobody."""
    if not bad_folder(name):
        return name
    plain = "".join("_" if bad_name(sign) or sign == "/" else sign for sign in readable(name)).strip(". ")
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{plain.encode()[:80].decode(errors='ignore')}_{digest}" if name else ""


def readable(name: str) -> str:
    """A name in one Unicode form and without signs that nobody sees, such as soft hyphens and word joiners."""
    name = unicodedata.normalize("NFC", name)
    seen = [sign in BIDI or unicodedata.category(sign) != "Cf" for sign in name]
    for at in range(1, len(name) - 1):
        # Joiners belong to scripts that join letters and to pictures; between Latin letters nobody sees them.
        seen[at] |= name[at] in "\u200c\u200d" and min(name[at - 1], name[at + 1]) >= "\u0590"
    return "".join(sign for sign, visible in zip(name, seen, strict=True) if visible)


def looks_packed(name: str) -> bool:
    """Whether a file is called as an archive of any kind."""
    return is_archive(name) or name.lower().endswith(_FOREIGN_ARCHIVES)


def normal(stem: str) -> str:
    """A file's stem for comparing: lower case without accents, words joined by underscores."""
    parted = re.sub(r"(?<=[a-z\d])(?=[A-Z][a-z])", "_", stem)
    plain = unicodedata.normalize("NFKD", readable(parted)).casefold()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"[^\w]+|_+", "_", plain).strip("_")


def first_name(name: str) -> tuple[str, int]:
    """The name that a platform had a file called by before it wrote `-1` behind it, and that number."""
    stem, dot, suffix = name.partition(".") if not name.startswith(".") else (name, "", "")
    again = _AGAIN.match(stem)
    return (f"{again['stem']}{dot}{suffix}", int(again["number"])) if again else (name, 0)


def match_exercise(name: str, exercises: Sequence[str]) -> Match | None:
    """The exercise that a file is for by its name, whatever its suffix; None where it names none, or several."""
    if bad_name(name):
        return None
    stem = os.path.splitext(name)[0]
    if name in (f"{exercise}{suffix}" for exercise in exercises for suffix in SUFFIXES):
        return Match(stem, 3)
    plain = unicodedata.normalize("NFKC", readable(name))
    plain = _DOUBLE_SUFFIX.sub(r".\1", plain) if _DOUBLE_SUFFIX.search(plain.casefold()) else plain
    stem = os.path.splitext(plain)[0]
    squeezed = {exercise.replace("_", ""): exercise for exercise in exercises}
    for form in _without_marks(stem):
        if (found := squeezed.get(normal(form).replace("_", ""))) is not None:
            return Match(found, 2)
    words = normal(stem)
    inside = [e for e in exercises if re.search(rf"(?<![a-z]){re.escape(e)}(?![a-z])", words)]
    # The longest: `vae` must not be found in `vae_mnist`.
    longest = [e for e in inside if not any(e != other and e in other for other in inside)]
    return Match(longest[0], 1) if len(longest) == 1 else None


def _without_marks(stem: str) -> list[str]:
    """A stem, and what is left of it without one and without two marks of copies."""
    forms = [stem, _COPY_OF.sub("", stem.casefold())]
    for _mark in range(2):
        forms.append(_COPY.sub("", forms[-1].casefold()))
    return forms


def is_code(name: str) -> bool:
    """Whether a file is called as a script or a notebook, or as one that a browser gave another suffix."""
    plain = unicodedata.normalize("NFKC", readable(name)).casefold()
    return _DOUBLE_SUFFIX.sub(r".\1", plain).endswith(SUFFIXES)
