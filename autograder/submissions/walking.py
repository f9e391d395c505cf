"""Every file of one delivery, those in archives included, within the limits of what a student may hand in.

Links are never followed. What cannot be looked at is evidence: it was handed in all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.language import _
from autograder.submissions.budget import Budget, OverBudget
from autograder.submissions.evidence import Evidence
from autograder.submissions.layout import Part, listed_within
from autograder.submissions.names import SUFFIXES, first_name, is_code, is_leftover, looks_packed
from autograder.submissions.packed import ArchiveRefused, is_archive
from autograder.submissions.unpacking import Unpacker, below

MAX_FOLDERS = 10  # folders below a student's own: `exercises/markov_quiz/` comes with the bundle


@dataclass(frozen=True)
class Found:
    """A file.

    Attributes:
        base: folder above it that holds no link between.
        name: what the student called it.
        depth: folders and archives around it.
        typed: text typed into the platform.
    """

    path: Path
    base: Path
    name: str
    depth: int = 0
    typed: bool = False


@dataclass
class Walk:
    """Goes through what one student handed in.

    Args:
        base: folder of all submissions.
        exercises: ids, whose files are found whatever lies around them.
        budget: of this student.
        unpacker: None leaves archives alone.
    """

    base: Path
    exercises: tuple[str, ...]
    budget: Budget
    unpacker: Unpacker | None = None
    ignored: list[Path] = field(default_factory=list)
    _over: bool = False

    def part(self, part: Part) -> Iterator[Found | Evidence]:
        """Everything in a part of a delivery."""
        base = self.base if part.path.is_relative_to(self.base) else part.path.parent
        name = part.name or part.path.name
        if part.path.is_symlink():
            yield Evidence(part.path, _("a link: links are not followed"), "unreadable")
        elif part.path.is_dir():
            for found in self._folder(part.path, base, 0, 0):
                typed = part.typed and isinstance(found, Found)
                yield Found(found.path, found.base, found.name, found.depth, True) if typed else found  # type: ignore[union-attr]
        elif is_archive(name) and self.unpacker is not None and not part.typed:
            yield from self._archive(part.path, base, 0, 0)
        else:
            yield from self._file(part.path, base, name, 0, part.typed)

    def _file(self, path: Path, base: Path, name: str, depth: int, typed: bool = False) -> Iterator[Found | Evidence]:
        if self.unpacker is not None and path in self.unpacker.lost:
            yield Evidence(path, self.unpacker.lost[path], "unreadable")
        elif not path.is_file():
            yield Evidence(path, _("not an ordinary file (a pipe, a socket or a device)"), "unreadable")
        elif looks_packed(name) and not typed:
            yield Evidence(path, _("an archive of a kind that is not unpacked here"), "unreadable")
        else:
            yield Found(path, base, name, depth, typed)

    def _folder(self, folder: Path, base: Path, depth: int, nested: int) -> Iterator[Found | Evidence]:
        """Files first, then what is in folders: thousands of pictures in one must not hide the work beside it."""
        exact = {f"{exercise}{suffix}" for exercise in self.exercises for suffix in SUFFIXES}
        folders: list[Path] = []
        archives: list[Path] = []
        faults: list[Evidence] = []
        for item in listed_within(folder, faults, self.budget.intake.entries + 1, exact):
            path = folder / item.name
            if is_leftover(item.name):
                self.ignored.append(path)
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
            if self.unpacker is not None and path in self.unpacker.lost:
                yield Evidence(path, self.unpacker.lost[path], "unreadable")
            elif item.is_symlink():
                yield Evidence(path, _("a link: links are not followed"), "unreadable")
            elif item.is_dir(follow_symlinks=False):
                if depth >= MAX_FOLDERS:
                    yield Evidence(path, _("folders too deep inside the student's folder"), "limit")
                else:
                    folders.append(path)
            elif item.is_file(follow_symlinks=False) and is_archive(item.name) and self.unpacker is not None:
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

    def _archive(self, path: Path, base: Path, depth: int, nested: int) -> Iterator[Found | Evidence]:
        assert self.unpacker is not None
        try:
            self.budget.nest(nested + 1)
            folder, refused = self.unpacker.student_archive(path, base, self.budget)
        except OverBudget as over:
            yield Evidence(path, over.message, "limit")
            return
        except ArchiveRefused as refusal:
            yield Evidence(path, refusal.message, "limit" if refusal.over else "unreadable")
            return
        for item in refused:
            lost = is_code(item.name) or looks_packed(item.name)
            yield Evidence(below(folder, item.name), item.reason, "unreadable" if lost else "aside")
        found = False
        # What is in an archive of its own is where the student put it; folders around it are said.
        for inner in self._folder(folder, folder, depth, nested + 1):
            found = True
            yield inner
        if not found and not refused:
            yield Evidence(path, _("the archive is empty"))


def was_called(found: Found, renames: bool) -> str:
    """What the student called a file, without the number that the platform wrote behind a name it had already."""
    return first_name(found.name)[0] if renames else found.name
