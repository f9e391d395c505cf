"""A class of submissions in `FOLDER/<student>/<exercise>.py|.ipynb`, with everything in the folder accounted
for.

What is named as it should be is taken. What nearly is (`Markov-Quiz (1).py`, a folder inside the student's)
is taken with a note. Everything else is listed with the reason why it could not be placed. Links are never
followed.
"""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.regions import NOT_WRITTEN
from autograder.course.errors import ConfigurationError
from autograder.language import _
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.reader import read_submission

SUFFIXES = (".py", ".ipynb")
MAX_DEPTH = 3  # folders below a student's own: `exercises/markov_quiz/` comes with the bundle
MAX_FILES = 2_000  # per student
MAX_CANDIDATES = 10  # files for one exercise that are read to choose among them
MAX_NAME_BYTES = 200  # of a student: results lie in a folder of that name

# What systems and tools leave behind, and the course's own files that travel with a student's.
_LEFTOVERS = frozenset({"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"})
_COURSE_FILES = frozenset({"test_public.py", "quiz.py", "course.yaml", "README.md"})
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DOUBLE_SUFFIX = re.compile(r"\.(py|ipynb)\.(txt|json|py|ipynb)$")
_COPY = re.compile(r"(_*\(\d+\)|_?-?_copy(_?\d+)?|_copie|_\d{1,2})$")


@dataclass(frozen=True)
class Entry:
    """One file to grade."""

    student: str
    exercise: str
    path: Path
    notes: tuple[str, ...] = ()  # for student and instructor: how it was found, what was not taken for it


@dataclass(frozen=True)
class Unplaced:
    """Something in the folder that is not graded, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class FolderScan:
    """A folder of submissions, read through once."""

    folder: Path
    students: tuple[str, ...]  # all with a folder, also those who handed in nothing
    entries: tuple[Entry, ...]  # by student, then in the order of the course
    unplaced: tuple[Unplaced, ...]
    ignored: tuple[Path, ...]  # leftovers of systems and tools, and the course's own files


@dataclass(frozen=True)
class _Candidate:
    path: Path
    exercise: str
    exact: bool
    depth: int


def scan_folder(folder: Path, exercises: Sequence[str]) -> FolderScan:
    """Find the submissions of a class.

    Args:
        folder: holds one folder per student.
        exercises: the ids of the course, in its order.

    Raises:
        ConfigurationError: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigurationError("there is no such folder of submissions", file=folder)
    unplaced: list[Unplaced] = []
    ignored: list[Path] = []
    entries: list[Entry] = []
    students: dict[str, Path] = {}
    for item in _listed(folder, unplaced):
        path = folder / item.name
        if _is_leftover(item.name):
            ignored.append(path)
            continue
        student = unicodedata.normalize("NFC", item.name)
        reason = _bad_name(item.name) or _long_name(student) or _no_student(item)
        if not reason and student in students:
            reason = _("the same name as {other}, written in another Unicode form").format(
                other=ascii(students[student].name)
            )
        if reason:
            unplaced.append(Unplaced(path, reason))
            continue
        students[student] = path
        entries += _student_entries(student, path, folder, exercises, unplaced, ignored)
    return FolderScan(folder, tuple(students), tuple(entries), tuple(unplaced), tuple(ignored))


def scan_student(folder: Path, student: str, exercises: Sequence[str]) -> FolderScan:
    """Find the submissions of one student, whose folder this is.

    Args:
        folder: holds the student's files: a repository, or what a platform has unpacked.
        student: whose it is.
        exercises: the ids of the course, in its order.

    Raises:
        ConfigurationError: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigurationError("there is no such folder of submissions", file=folder)
    unplaced: list[Unplaced] = []
    ignored: list[Path] = []
    entries = _student_entries(student, folder, folder, exercises, unplaced, ignored)
    return FolderScan(folder, (student,), tuple(entries), tuple(unplaced), tuple(ignored))


def _student_entries(
    student: str,
    path: Path,
    base: Path,
    exercises: Sequence[str],
    unplaced: list[Unplaced],
    ignored: list[Path],
) -> list[Entry]:
    candidates: dict[str, list[_Candidate]] = {exercise: [] for exercise in exercises}
    seen = 0
    for found, depth in _files(path, exercises, unplaced, ignored):
        seen += 1
        if isinstance(found, Unplaced):
            unplaced.append(found)
            continue
        match = _match(found.name, exercises)
        if isinstance(match, str):
            unplaced.append(Unplaced(found, match))
        else:
            exercise, exact = match
            candidates[exercise].append(_Candidate(found, exercise, exact, depth))
    if seen == 0 and not any(item.path == path for item in unplaced):
        unplaced.append(Unplaced(path, _("the folder is empty")))
    entries = []
    for group in candidates.values():
        if group:
            entries.append(_choose(student, group, base, unplaced))
    return entries


def _choose(student: str, group: list[_Candidate], base: Path, unplaced: list[Unplaced]) -> Entry:
    """One of several files for an exercise: the one with the fewest unwritten functions, then the best-named
    one.

    The bundle holds each exercise as a script and as a notebook. Whoever works in one and hands in both must
    not be graded on the other.
    """
    unread: list[_Candidate] = []
    if len(group) > 1:
        group = sorted(group, key=_by_name)
        group, unread = group[:MAX_CANDIDATES], group[MAX_CANDIDATES:]
        unwritten = {candidate.path: _unwritten(candidate.path, base) for candidate in group}
        group = sorted(group, key=lambda c: (unwritten[c.path], *_by_name(c)))
    chosen, *others = group
    if unread:
        reason = _("one of more than {limit} files for this exercise; it was not looked at").format(
            limit=MAX_CANDIDATES
        )
        unplaced += [Unplaced(candidate.path, reason) for candidate in unread]
    notes = []
    if not chosen.exact:
        note = _("The file is called {name}; it was taken for {exercise}.")
        notes.append(note.format(name=shown(chosen.path.name), exercise=chosen.exercise))
    if chosen.depth:
        inner = chosen.path.relative_to(base).parent.as_posix()
        notes.append(_("The file was found in the folder {folder}.").format(folder=shown(inner)))
    for other in others:
        note = _(
            "There is another file for this exercise, {other}; {name} is graded: it has fewer parts left to write."
        )
        if unwritten[other.path] == unwritten[chosen.path]:
            note = _("There is another file for this exercise, {other}; {name} is graded.")
        notes.append(note.format(other=shown(other.path.name), name=shown(chosen.path.name)))
        reason = _("{name} is graded for this exercise").format(name=shown(chosen.path.name))
        unplaced.append(Unplaced(other.path, reason))
    return Entry(student, chosen.exercise, chosen.path, tuple(notes))


def _by_name(candidate: _Candidate) -> tuple[bool, int, bool, str]:
    """The better a file is named, the earlier it comes."""
    return not candidate.exact, candidate.depth, candidate.path.suffix != ".py", candidate.path.name


def _unwritten(path: Path, base: Path) -> float:
    try:
        cells = read_submission(path, base=base).cells
    except SubmissionUnreadable:
        return float("inf")
    return sum(cell.source.count(NOT_WRITTEN) for cell in cells)


def _files(
    folder: Path,
    exercises: Sequence[str],
    unplaced: list[Unplaced],
    ignored: list[Path],
    depth: int = 0,
    budget: list[int] | None = None,
) -> Iterator[tuple[Path | Unplaced, int]]:
    """Files first, then what is in folders: thousands of pictures in one must not hide the work beside it.

    `budget` holds how many entries may still be looked at, and whether it has been said that there are more.
    """
    budget = [MAX_FILES, 0] if budget is None else budget
    exact = {f"{exercise}{suffix}" for exercise in exercises for suffix in SUFFIXES}
    folders: list[Path] = []
    for item in _listed(folder, unplaced, MAX_FILES + 1, exact):
        path = folder / item.name
        budget[0] -= 1
        if budget[0] < 0 and item.name not in exact:
            if not budget[1]:
                budget[1] = 1
                yield Unplaced(folder, _too_many()), depth
            continue
        if _is_leftover(item.name) or item.name in _COURSE_FILES:
            ignored.append(path)
        elif item.is_symlink():
            yield Unplaced(path, _("a link: links are not followed")), depth
        elif item.is_dir(follow_symlinks=False):
            if depth >= MAX_DEPTH:
                yield Unplaced(path, _("folders too deep inside the student's folder")), depth
            else:
                folders.append(path)
        elif not item.is_file(follow_symlinks=False):
            yield Unplaced(path, _("not an ordinary file (a pipe, a socket or a device)")), depth
        else:
            yield path, depth
    for path in folders:
        if budget[0] < 0:
            return
        yield from _files(path, exercises, unplaced, ignored, depth + 1, budget)


def _too_many() -> str:
    return _("more than {limit} files; the rest was not looked at").format(limit=MAX_FILES)


def _listed(
    folder: Path, unplaced: list[Unplaced], limit: int | None = None, always: Set[str] = frozenset()
) -> list[os.DirEntry[str]]:
    """What is in a folder, by name: at most `limit` entries, and those called as in `always`."""
    kept: list[os.DirEntry[str]] = []
    try:
        with os.scandir(folder) as items:
            for item in items:
                if limit is None or len(kept) < limit or item.name in always:
                    kept.append(item)
    except OSError as error:
        unplaced.append(Unplaced(folder, _("cannot be read: {reason}").format(reason=error.strerror or str(error))))
        return []
    return sorted(kept, key=lambda item: item.name)


def _is_leftover(name: str) -> bool:
    return name.startswith(".") or name in _LEFTOVERS


def _bad_name(name: str) -> str:
    """Why a folder cannot be a student's name: it appears in tables, paths and terminals."""
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Cn", "Co") or sign in _BIDI for sign in name):
        return _("the name holds control characters; rename the folder")
    if not name.strip():
        return _("the name is blank; rename the folder")
    return ""


def _long_name(student: str) -> str:
    # Composing some letters makes a name longer: a folder that exists here need not be possible where results go.
    if len(student.encode()) <= MAX_NAME_BYTES:
        return ""
    return _("the name is longer than {limit} bytes; rename the folder").format(limit=MAX_NAME_BYTES)


def _no_student(item: os.DirEntry[str]) -> str:
    if item.is_symlink():
        return _("a link: links are not followed")
    if item.is_dir(follow_symlinks=False):
        return ""
    if item.name.lower().endswith(_ARCHIVES):
        return _("an archive: unpack it into a folder per student")
    return _("belongs into a student's folder: FOLDER/<student>/<exercise>.py")


def _match(name: str, exercises: Sequence[str]) -> tuple[str, bool] | str:
    """The exercise that a file is for and whether its name is exact, or why it is for none."""
    for exercise in exercises:
        if name in (f"{exercise}.py", f"{exercise}.ipynb"):
            return exercise, True
    if _bad_name(name):
        return _("the name holds control characters")
    plain = _DOUBLE_SUFFIX.sub(r".\1", unicodedata.normalize("NFKC", name).casefold())
    stem, suffix = os.path.splitext(plain)
    if suffix not in SUFFIXES:
        if suffix in _ARCHIVES:
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
    """A name for a message: control characters and broken encodings are escaped."""
    return "".join(
        sign if sign.isprintable() and sign not in _BIDI else sign.encode("unicode_escape", "surrogatepass").decode()
        for sign in name
    )
