"""Every file of one delivery, those in archives included, within the limits of what a student may hand in.

Links are never followed. What cannot be looked at is evidence: it was handed in all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from os.path import isdir, isfile, islink
from pathlib import Path

from autograder.language import _
from autograder.submissions.budget import Budget, OverBudget
from autograder.submissions.evidence import Evidence, EvidenceKind
from autograder.submissions.layout import Delivery, Part, listed
from autograder.submissions.names import SUFFIXES, first_name, is_code, is_leftover, looks_packed
from autograder.submissions.packed import ArchiveRefused, is_archive
from autograder.submissions.unpacking import Unpacker

_LOOK = 1000  # things in a tool's folder that are looked at
_NOBODYS = frozenset({"__MACOSX", ".git", ".github", ".hg", ".svn", ".Trashes", ".Spotlight-V100", ".fseventsd"})
MAX_FOLDERS = 10  # folders below a student's own: `exercises/markov_quiz/` comes with the bundle


@dataclass(frozen=True)
class File:
    """A file of a delivery, and the exercise that it may be graded for.

    Attributes:
        base: folder above it that holds no link between.
        name: what it is called there.
        depth: folders and archives around it.
        typed: text typed into the platform.
        aside: why it is not graded, whatever it is called.
        exercise: "" until something tells.
        tier: 4 told by the teacher, 3 its exact name, 2 nearly, 1 among other words, 0 by what it defines or was
            handed in for.
        notes: for student and teacher: why it was taken for this exercise.
    """

    delivery: Delivery
    path: Path
    base: Path
    name: str
    depth: int = 0
    typed: bool = False
    aside: str = ""
    exercise: str = ""
    tier: int = 0
    notes: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """What the student called it, without the number that the platform wrote behind a name it had already."""
        return first_name(self.name)[0] if self.delivery.renames else self.name

    @property
    def version(self) -> int:
        """That number."""
        return first_name(self.name)[1] if self.delivery.renames else 0

    def evidence(self, reason: str, kind: EvidenceKind = "aside", exercises: tuple[str, ...] = ()) -> Evidence:
        """The same as something that is not graded."""
        return Evidence(self.path, reason, kind, exercises=exercises)


@dataclass
class Walk:
    """Goes through a delivery in `base`, the folder of all submissions.

    Args:
        exercises: ids, whose files are found whatever lies around them.
        budget: of this student.
    """

    delivery: Delivery
    base: Path
    exercises: Sequence[str]
    budget: Budget
    unpacker: Unpacker
    ignored: list[Path] = field(default_factory=list)
    _over: bool = False

    def files(self) -> Iterator[File | Evidence]:
        """Everything in it."""
        for part in self.delivery.parts:
            yield from self._part(part)

    def _part(self, part: Part) -> Iterator[File | Evidence]:
        base = self.base if part.path.is_relative_to(self.base) else part.path.parent
        name = part.name or self.unpacker.contents.names.get(part.path, part.path.name)
        if part.lost:
            yield Evidence(part.path, part.lost, "unreadable")
        elif is_leftover(name):
            yield from self._leftover(part.path, base, name, 0)
        elif islink(part.path):
            yield Evidence(part.path, _("a link: links are not followed"), "unreadable")
        elif isdir(part.path):
            for found in self._folder(part.path, base, 0, 0):
                yield replace(found, typed=True) if part.typed and isinstance(found, File) else found
        elif is_archive(name) and self._can_open(part.path) and not part.typed:
            yield from self._archive(part.path, base, 0, 0)
        else:
            yield from self._file(part.path, base, name, 0, part.typed)

    def _can_open(self, path: Path) -> bool:
        return self.unpacker.opens and path not in self.unpacker.contents.lost

    def _file(self, path: Path, base: Path, name: str, depth: int, typed: bool = False) -> Iterator[File | Evidence]:
        if lost := self.unpacker.contents.lost.get(path):
            code = is_code(name) or looks_packed(name)
            yield (
                Evidence(path, lost, "unreadable") if code else File(self.delivery, path, base, name, depth, aside=lost)
            )
        elif not isfile(path):
            yield Evidence(path, _why_no_file(path), "unreadable")
        elif looks_packed(name) and not typed:
            yield Evidence(path, _("an archive of a kind that is not unpacked here"), "unreadable")
        else:
            yield File(self.delivery, path, base, name, depth, typed)

    def _leftover(self, path: Path, base: Path, name: str, depth: int) -> Iterator[File | Evidence]:
        """What a system or a tool left behind. Notebooks in a folder of copies may be all that was handed in."""
        self.ignored.append(path)
        if name in _NOBODYS or islink(path) or not isdir(path):
            return
        reason = _("in a folder that a tool keeps for itself")
        for item in listed(path, self.unpacker.contents.names, _LOOK):
            yield File(self.delivery, item.path, base, item.name, depth + 1, aside=reason)

    def _folder(self, folder: Path, base: Path, depth: int, nested: int) -> Iterator[File | Evidence]:
        """Files first, then what is in folders: thousands of pictures in one must not hide the work beside it."""
        exact = {f"{exercise}{suffix}" for exercise in self.exercises for suffix in SUFFIXES}
        folders: list[Path] = []
        archives: list[Path] = []
        faults: list[Evidence] = []
        for item in listed(folder, self.unpacker.contents.names, self.budget.intake.entries + 1, exact, faults):
            path = item.path
            if is_leftover(item.name):
                yield from self._leftover(path, base, item.name, depth)
                continue
            try:
                self.budget.enter()
            except OverBudget as over:
                if not self._over:
                    self._over = True
                    reason = _("{limit}; the rest was not looked at").format(limit=over.message)
                    yield Evidence(folder, reason, "limit")
                if item.name not in exact:
                    continue
            if item.kind == "link":
                yield Evidence(path, _("a link: links are not followed"), "unreadable")
            elif item.is_folder:
                if depth >= MAX_FOLDERS:
                    yield Evidence(path, _("folders too deep inside the student's folder"), "limit")
                else:
                    folders.append(path)
            elif item.is_file and is_archive(item.name) and self._can_open(path):
                archives.append(path)
            else:
                yield from self._file(path, base, item.name, depth)
        yield from faults
        for path in archives:
            yield from self._archive(path, base, depth, nested)
        for path in folders:
            if self._over:
                return
            yield from self._folder(path, base, depth + 1, nested)

    def _archive(self, path: Path, base: Path, depth: int, nested: int) -> Iterator[File | Evidence]:
        try:
            self.budget.nest(nested + 1)
            folder = self.unpacker.student_archive(path, base, self.budget)
        except ArchiveRefused as refusal:
            yield Evidence(path, refusal.message, "limit" if isinstance(refusal, OverBudget) else "unreadable")
            return
        found = False
        # What is in an archive of its own is where the student put it; folders around it are said.
        for inner in self._folder(folder, folder, depth, nested + 1):
            found = True
            yield inner
        if not found:
            yield Evidence(path, _("the archive is empty"))


def _why_no_file(path: Path) -> str:
    try:
        path.stat()
    except OSError as error:  # in a folder that may be listed and not entered
        return _("cannot be read: {reason}").format(reason=error.strerror or str(error))
    return _("not an ordinary file (a pipe, a socket or a device)")
