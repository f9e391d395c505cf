"""What of a student's files is graded: every file is matched with an exercise, one is chosen for each, the rest is
listed with the reason. Archives inside are looked into. Links are never followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from autograder.authoring.regions import NOT_WRITTEN
from autograder.language import _
from autograder.submissions.archives import is_archive
from autograder.submissions.hand_in import Entry
from autograder.submissions.layout import Delivery, Part, Unplaced, listed_within
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.names import COURSE_FILES, SUFFIXES, is_leftover, match_exercise, shown
from autograder.submissions.reader import read_submission
from autograder.submissions.unpacking import Unpacker

MAX_DEPTH = 3  # folders below a student's own: `exercises/markov_quiz/` comes with the bundle
MAX_FILES = 2_000  # per student
MAX_CANDIDATES = 10  # files for one exercise that are read to choose among them
MAX_NESTED = 2  # archives within archives
MAX_ARCHIVES = 20  # per student


@dataclass
class Gathering:
    """What is found while a class is read."""

    exercises: Sequence[str]
    base: Path  # the folder of all submissions
    unpacker: Unpacker | None = None
    unplaced: list[Unplaced] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)

    def origin(self, path: Path) -> Path:
        """A path as the instructor knows it."""
        return path if self.unpacker is None else self.unpacker.origin(path)


@dataclass(frozen=True)
class Candidate:
    """A file that may be graded for an exercise."""

    path: Path
    base: Path
    name: str
    exercise: str
    exact: bool
    depth: int
    delivery: Delivery
    attempt: int
    note: str = ""

    @property
    def when(self) -> tuple[datetime, int]:
        """Sorts attempts: by time where it is known, then by number."""
        return self.delivery.submitted or datetime.min.replace(tzinfo=UTC), self.attempt


def gather(delivery: Delivery, gathering: Gathering) -> list[Candidate]:
    """The candidates in what was handed in; everything else is listed."""
    candidates: list[Candidate] = []
    strays: list[tuple[Candidate, Unplaced]] = []
    seen = 0
    exercises = gathering.exercises
    for part in delivery.parts:
        for found in _of_part(part, gathering):
            seen += 1
            if isinstance(found, Unplaced):
                gathering.unplaced.append(found)
                continue
            name = part.name if part.name and found.path == part.path else found.path.name
            match = match_exercise(name, exercises)
            exercise, exact = ("", False) if isinstance(match, str) else match
            candidate = Candidate(found.path, found.base, name, exercise, exact, found.depth, delivery, part.attempt)
            if isinstance(match, str):
                strays.append((candidate, Unplaced(found.path, match)))
            else:
                candidates.append(candidate)
    if seen == 0:
        gathering.unplaced += [
            Unplaced(part.path, _("the folder is empty"))
            for part in delivery.parts
            if not any(item.path == part.path for item in gathering.unplaced)
        ]
    candidates += _by_what_it_was_handed_in_for(delivery, candidates, strays, exercises)
    gathering.unplaced += [unplaced for _candidate, unplaced in strays]
    return candidates


def _by_what_it_was_handed_in_for(
    delivery: Delivery, candidates: list[Candidate], strays: list[tuple[Candidate, Unplaced]], exercises: Sequence[str]
) -> list[Candidate]:
    """`submission.ipynb`, handed in for one exercise, is that exercise's, where it is the only file of code."""
    wanted = delivery.exercise
    code = [pair for pair in strays if pair[0].name.lower().endswith(SUFFIXES)]
    if wanted not in exercises or any(c.exercise == wanted for c in candidates) or len(code) != 1:
        return []
    (stray,) = code
    strays.remove(stray)
    found = stray[0]
    note = _("The file is called {name}; it was handed in for {exercise} and was taken for it.").format(
        name=shown(found.name), exercise=wanted
    )
    return [Candidate(found.path, found.base, found.name, wanted, True, found.depth, delivery, found.attempt, note)]


def choose(student: str, group: list[Candidate], gathering: Gathering) -> Entry:
    """One of several files for an exercise: the one with the fewest unwritten functions, then the best-named one.

    The bundle holds each exercise as a script and as a notebook. Whoever works in one and hands in both must not be
    graded on the other.
    """
    unread: list[Candidate] = []
    if len(group) > 1:
        group = sorted(group, key=_by_name)
        group, unread = group[:MAX_CANDIDATES], group[MAX_CANDIDATES:]
        unwritten = {candidate.path: _unwritten(candidate) for candidate in group}
        group = sorted(group, key=lambda c: (unwritten[c.path], *_by_name(c)))
    chosen, *others = group
    if unread:
        reason = _("one of more than {limit} files for this exercise; it was not looked at").format(
            limit=MAX_CANDIDATES
        )
        gathering.unplaced += [Unplaced(candidate.path, reason) for candidate in unread]
    notes = [*chosen.delivery.notes, *([chosen.note] if chosen.note else [])]
    if not chosen.exact:
        note = _("The file is called {name}; it was taken for {exercise}.")
        notes.append(note.format(name=shown(chosen.name), exercise=chosen.exercise))
    if chosen.depth:
        origin = gathering.origin(chosen.path)
        inner = origin.relative_to(gathering.base) if origin.is_relative_to(gathering.base) else Path(origin.name)
        note = _("The file was found in the folder {folder}.")
        notes.append(note.format(folder=shown(inner.parent.as_posix())))
    for other in others:
        note = _(
            "There is another file for this exercise, {other}; {name} is graded: it has fewer parts left to write."
        )
        if unwritten[other.path] == unwritten[chosen.path]:
            note = _("There is another file for this exercise, {other}; {name} is graded.")
        notes.append(note.format(other=shown(other.name), name=shown(chosen.name)))
        reason = _("{name} is graded for this exercise").format(name=shown(chosen.name))
        gathering.unplaced.append(Unplaced(other.path, reason))
    base = None if chosen.base == gathering.base else chosen.base
    delivery = chosen.delivery
    return Entry(
        student, chosen.exercise, chosen.path, tuple(notes), delivery.submitted, delivery.late, base, delivery.who
    )


def _by_name(candidate: Candidate) -> tuple[bool, int, bool, str]:
    """The better a file is named, the earlier it comes."""
    return not candidate.exact, candidate.depth, candidate.path.suffix != ".py", candidate.name


def _unwritten(candidate: Candidate) -> float:
    try:
        cells = read_submission(candidate.path, base=candidate.base).cells
    except SubmissionUnreadable:
        return float("inf")
    return sum(cell.source.count(NOT_WRITTEN) for cell in cells)


# --- walking


@dataclass(frozen=True)
class _Found:
    path: Path
    base: Path
    depth: int


@dataclass
class _Budget:
    """How much of one student's files is still looked at."""

    files: int
    archives: int = MAX_ARCHIVES
    said: bool = False


def _of_part(part: Part, gathering: Gathering) -> Iterator[_Found | Unplaced]:
    budget = _Budget(MAX_FILES)
    base = gathering.base
    if gathering.unpacker is not None and not part.path.is_relative_to(base):
        base = part.path.parent
    if part.path.is_symlink():
        yield Unplaced(part.path, _("a link: links are not followed"))
    elif part.path.is_dir():
        yield from _files(part.path, base, gathering, budget)
    elif gathering.unpacker is not None and is_archive(part.name or part.path.name):
        yield from _inside(part.path, base, gathering, budget, 0, 0)
    else:
        yield _Found(part.path, base, 0)


def _files(
    folder: Path, base: Path, gathering: Gathering, budget: _Budget, depth: int = 0, nested: int = 0
) -> Iterator[_Found | Unplaced]:
    """Files first, then what is in folders: thousands of pictures in one must not hide the work beside it."""
    exact = {f"{exercise}{suffix}" for exercise in gathering.exercises for suffix in SUFFIXES}
    folders: list[Path] = []
    archives: list[Path] = []
    for item in listed_within(folder, gathering.unplaced, MAX_FILES + 1, exact):
        path = folder / item.name
        budget.files -= 1
        if budget.files < 0 and item.name not in exact:
            if not budget.said:
                budget.said = True
                yield Unplaced(folder, _too_many())
            continue
        if is_leftover(item.name) or item.name in COURSE_FILES:
            gathering.ignored.append(path)
        elif item.is_symlink():
            yield Unplaced(path, _("a link: links are not followed"))
        elif item.is_dir(follow_symlinks=False):
            if depth >= MAX_DEPTH:
                yield Unplaced(path, _("folders too deep inside the student's folder"))
            else:
                folders.append(path)
        elif not item.is_file(follow_symlinks=False):
            yield Unplaced(path, _("not an ordinary file (a pipe, a socket or a device)"))
        elif gathering.unpacker is not None and is_archive(item.name):
            archives.append(path)
        else:
            yield _Found(path, base, depth)
    for path in archives:
        yield from _inside(path, base, gathering, budget, depth, nested)
    for path in folders:
        if budget.files < 0:
            return
        yield from _files(path, base, gathering, budget, depth + 1, nested)


def _inside(
    path: Path, base: Path, gathering: Gathering, budget: _Budget, depth: int, nested: int
) -> Iterator[_Found | Unplaced]:
    assert gathering.unpacker is not None
    if nested >= MAX_NESTED:
        yield Unplaced(path, _("an archive within an archive within an archive: unpack it"))
        return
    budget.archives -= 1
    if budget.archives < 0:
        yield Unplaced(path, _("more than {limit} archives; it was not looked into").format(limit=MAX_ARCHIVES))
        return
    folder, refused = gathering.unpacker.student_archive(path, base)
    yield from refused
    if folder is None:
        return
    found = False
    for item in _files(folder, folder, gathering, budget, max(depth, 1) if depth else 0, nested + 1):
        found = True
        yield item
    if not found and not refused:
        yield Unplaced(path, _("the archive is empty"))


def _too_many() -> str:
    return _("more than {limit} files; the rest was not looked at").format(limit=MAX_FILES)
