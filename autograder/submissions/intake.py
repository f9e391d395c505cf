"""What a platform gives, read into a class: which layout it is, who everybody is, when each handed in, what counts.

Given is a folder or an archive: one download, or several side by side (one per exercise). Nothing is dropped: what
cannot be placed, and what was placed with a doubt, is in the scan's `unplaced`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Literal

from autograder.course.errors import ConfigurationError
from autograder.course.roster import Roster
from autograder.language import _
from autograder.submissions.archives import ArchiveRefused, is_archive
from autograder.submissions.gathering import Candidate, Gathering, choose, gather
from autograder.submissions.hand_in import Entry, HandIn
from autograder.submissions.identities import Times, by_student
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading, Unplaced, is_file, listed
from autograder.submissions.layouts import layouts
from autograder.submissions.names import normal
from autograder.submissions.unpacking import Unpacker

TIMES = "submissions.csv"  # beside the submissions: who handed in when
MAX_WRAPPERS = 3  # folders around the download: archives often have one

Policy = Literal["best", "last", "first"]


@dataclass(frozen=True)
class Wanted:
    """How to read.

    Attributes:
        exercises: the ids of the course, in its order.
        layout: `auto`, or the name of a layout.
        roster: who is in the course.
        zone: the course's, for times that name none.
        submitted_from: `mtime` takes a file's own time where nothing better is known.
        handed_in_for: the exercise that files with names of their own are for.
        attempts: which of several attempts counts; `best` has all of them graded.
    """

    exercises: Sequence[str]
    layout: str = "auto"
    roster: Roster | None = None
    zone: tzinfo = UTC
    submitted_from: Literal["", "mtime"] = ""
    handed_in_for: str = ""
    attempts: Policy = "last"


def read_class(source: Path, wanted: Wanted, work: Path | None = None) -> HandIn:
    """Read what was handed in.

    Args:
        source: a folder or an archive.
        wanted: how.
        work: an empty private folder for what is unpacked, which lives as long as the hand-in is used; without it one
            is made where anything has to be unpacked, and `HandIn.close` removes it.

    Raises:
        ConfigurationError: there is nothing like that, or the archive of the class cannot be unpacked.
    """
    unpacker = Unpacker(work)
    try:
        return _read(source, wanted, unpacker)
    except BaseException:
        unpacker.close()
        raise


def read_student(folder: Path, student: str, exercises: Sequence[str]) -> HandIn:
    """Find the submissions of one student, whose folder this is; archives in it are left alone.

    Args:
        folder: holds the student's files: a repository, or what a platform has unpacked.
        student: whose it is.
        exercises: the ids of the course, in its order.

    Raises:
        ConfigurationError: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigurationError(_("there is no such folder of submissions"), file=folder)
    gathering = Gathering(exercises, folder)
    delivery = Delivery(Identity(student), (Part(folder),))
    entries, _earlier = _entries(student, [delivery], Wanted(exercises), gathering, None)
    return HandIn(folder, (student,), tuple(entries), tuple(gathering.unplaced), tuple(gathering.ignored))


def _read(source: Path, wanted: Wanted, unpacker: Unpacker) -> HandIn:
    base, refused = _opened(source, unpacker)
    gathering = Gathering(wanted.exercises, base, unpacker, unplaced=refused)
    downloads: list[Sequence[Delivery]] = []
    detected: list[str] = []
    for name, why, reading in _readings(base, source, wanted, unpacker, gathering):
        detected.append(f"{name} ({why})" if why else name)
        downloads.append(reading.deliveries)
        gathering.unplaced += reading.unplaced
        gathering.ignored += reading.ignored
    times = Times(base / TIMES, wanted.zone) if (base / TIMES).is_file() else None
    students = by_student(downloads, wanted.roster, wanted.zone, gathering)
    entries: list[Entry] = []
    earlier: list[Entry] = []
    for student in sorted(students):
        counting, before = _entries(student, students[student], wanted, gathering, times)
        entries += counting
        earlier += before
    known = [] if wanted.roster is None else [person.id for person in wanted.roster.people]
    return HandIn(
        base,
        tuple(sorted({*students, *known})),
        tuple(entries),
        tuple(Unplaced(unpacker.origin(item.path), item.reason) for item in gathering.unplaced),
        tuple(unpacker.origin(path) for path in gathering.ignored),
        tuple(earlier),
        tuple(detected),
        tuple(student for student in known if student not in students),
        unpacker.close,
    )


# --- which layout


def _opened(source: Path, unpacker: Unpacker) -> tuple[Path, list[Unplaced]]:
    if source.is_dir():
        return source, []
    if not source.is_file():
        raise ConfigurationError(_("there is no such folder of submissions"), file=source)
    try:
        return unpacker.class_archive(source)
    except ArchiveRefused as refusal:
        raise ConfigurationError(refusal.message, file=source) from refusal


def _readings(
    base: Path, source: Path, wanted: Wanted, unpacker: Unpacker, gathering: Gathering
) -> Iterator[tuple[str, str, Reading]]:
    """Each download there is, with the name of its layout and what shows it."""
    for place, name in _downloads(base, source, wanted, unpacker, gathering):
        layout, why = _detect(place, wanted)
        context = Context(wanted.exercises, wanted.zone)
        reading = layouts()[layout].read(place, context)
        per_exercise = layout not in ("folder", "flat")
        reading.deliveries = [
            _for_exercise(delivery, name if per_exercise else "", wanted) for delivery in reading.deliveries
        ]
        reading.unplaced = [item for item in reading.unplaced if item.path != base / TIMES]
        yield layout, why, reading


def _downloads(
    base: Path, source: Path, wanted: Wanted, unpacker: Unpacker, gathering: Gathering
) -> Iterator[tuple[Path, str]]:
    """The folder itself, or each archive in it where it holds nothing else and they are downloads of classes."""
    items = [item for item in listed(base) if item.name != TIMES]
    packed = [item for item in items if is_file(item) and is_archive(item.name)]
    if not packed or len(packed) < len(items) or _detect(base, wanted)[0] != "folder":
        # A folder of the instructor's is what it is; an archive often has one folder around everything.
        yield (_unwrapped(base, wanted) if base != source else base), source.name
        return
    # Only their names are looked at: a student's archive must not be trusted as a platform's before it is known as one.
    looked_at = [place for item in packed if (place := unpacker.names_in(base / item.name)) is not None]
    layouts = {_detect(_unwrapped(place, wanted), wanted)[0] for place in looked_at}
    if not layouts or layouts & {"folder", "flat"}:
        yield base, source.name  # an archive per student
        return
    for item in packed:
        try:
            place, refused = unpacker.class_archive(base / item.name)
        except ArchiveRefused as refusal:
            gathering.unplaced.append(Unplaced(base / item.name, refusal.message))
            continue
        gathering.unplaced += refused
        yield _unwrapped(place, wanted), item.name


def _unwrapped(place: Path, wanted: Wanted) -> Path:
    """Inside the folder that an archive often has around everything."""
    for _wrapper in range(MAX_WRAPPERS):
        if _detect(place, wanted)[0] != "folder":
            return place
        items = listed(place, 3)
        if len(items) != 1 or not items[0].is_dir(follow_symlinks=False):
            return place
        inner = place / items[0].name
        inside = listed(inner, 1000)
        if _detect(inner, wanted)[0] == "folder" and not any(item.is_dir(follow_symlinks=False) for item in inside):
            return place  # the one folder is a student's
        place = inner
    return place


def _detect(place: Path, wanted: Wanted) -> tuple[str, str]:
    if wanted.layout != "auto":
        return wanted.layout, ""
    context = Context(wanted.exercises, wanted.zone)
    for name, layout in layouts().items():
        try:
            why = layout.detect(place, context)
        except OSError:
            why = ""
        if why:
            return name, why
    return "folder", ""


def _for_exercise(delivery: Delivery, download: str, wanted: Wanted) -> Delivery:
    """With the exercise's id: from the layout's words, from the download's name, or from what was asked for.

    A folder of our own has a student's files for the whole course: there, only a file's name can tell.
    """
    for words in (delivery.exercise, download):
        stem = normal(words)
        if inside := [exercise for exercise in wanted.exercises if exercise in stem]:
            return replace(delivery, exercise=max(inside, key=len))
    return replace(delivery, exercise=wanted.handed_in_for if download else "")


# --- what counts


def _entries(
    student: str, deliveries: Sequence[Delivery], wanted: Wanted, gathering: Gathering, times: Times | None
) -> tuple[list[Entry], list[Entry]]:
    """What is graded of a student: the entry that counts for each exercise, and earlier ones where all are graded."""
    groups: dict[str, list[Candidate]] = {exercise: [] for exercise in wanted.exercises}
    for delivery in deliveries:
        for candidate in gather(delivery, gathering):
            groups[candidate.exercise].append(_timed(candidate, student, times))
    counting: list[Entry] = []
    earlier: list[Entry] = []
    for group in groups.values():
        attempts: dict[tuple[datetime, int], list[Candidate]] = {}
        for candidate in group:
            attempts.setdefault(candidate.when, []).append(candidate)
        if not attempts:
            continue
        entries = [_from_file(choose(student, attempts[when], gathering), wanted) for when in sorted(attempts)]
        chosen = entries[0] if wanted.attempts == "first" else entries[-1]
        others = [entry for entry in entries if entry is not chosen]
        if wanted.attempts == "best":
            earlier += others
        for other in others:
            gathering.unplaced.append(Unplaced(other.path, _another(other, chosen, wanted.attempts, gathering)))
        counting.append(chosen)
    return counting, earlier


def _another(other: Entry, chosen: Entry, policy: Policy, gathering: Gathering) -> str:
    name = gathering.origin(chosen.path).name
    if policy == "best":
        return _("another attempt at {exercise}; it is graded too, and the better one counts").format(
            exercise=other.exercise
        )
    if policy == "first":
        return _("a later attempt at {exercise}; {name}, the first, is graded").format(
            exercise=other.exercise, name=name
        )
    return _("an earlier attempt at {exercise}; {name}, the last, is graded").format(exercise=other.exercise, name=name)


def _timed(candidate: Candidate, student: str, times: Times | None) -> Candidate:
    """With the time of submission from beside the submissions, where it stands there."""
    known = times.of(student, candidate.delivery.who, candidate.exercise) if times else None
    return candidate if known is None else replace(candidate, delivery=replace(candidate.delivery, submitted=known))


def _from_file(entry: Entry, wanted: Wanted) -> Entry:
    """With the file's own time, where that was asked for and nothing better is known."""
    if entry.submitted is not None or wanted.submitted_from != "mtime":
        return entry
    changed = datetime.fromtimestamp(entry.path.lstat().st_mtime, UTC).replace(microsecond=0)
    return replace(entry, submitted=changed.astimezone(wanted.zone))
