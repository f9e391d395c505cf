"""What a platform gives, read into a class: which layout it is, who everybody is, when each handed in, what counts.

Given is a folder or an archive: one download, or several side by side (one per exercise). Nothing is dropped: every
file is an entry, evidence, or a leftover of systems.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from os.path import isfile
from pathlib import Path

from autograder.course.errors import ConfigurationError
from autograder.course.roster import Person
from autograder.language import _
from autograder.submissions.budget import Budget
from autograder.submissions.choosing import Chooser, Moment, when
from autograder.submissions.drawn import Draws
from autograder.submissions.evidence import Evidence
from autograder.submissions.gathering import Gathering
from autograder.submissions.hand_in import Entry, HandIn
from autograder.submissions.layout import Delivery, Identity, Part
from autograder.submissions.layouts import FALLBACK
from autograder.submissions.names import as_folder, normal, readable
from autograder.submissions.people import owned
from autograder.submissions.recognition import Download, Recognition
from autograder.submissions.shelf import Shelf
from autograder.submissions.shown import shown
from autograder.submissions.tables import TIMES, Rosters, Times
from autograder.submissions.times import parse_time
from autograder.submissions.unpacking import Unpacker
from autograder.submissions.walking import File, Walk
from autograder.submissions.wanted import Wanted


def read_class(source: Path, wanted: Wanted, work: Path | None = None) -> HandIn:
    """Read what was handed in.

    Args:
        source: a folder or an archive.
        wanted: how.
        work: an empty private folder for what is unpacked, which lives as long as the hand-in is used; without it one
            is made where anything has to be unpacked, and `HandIn.close` removes it.

    Raises:
        ConfigurationError: there is nothing like that, no layout explains it, or the archive of the class is damaged.
    """
    unpacker = Unpacker(work)
    try:
        return _Class(source, wanted, unpacker).read()
    except BaseException:
        unpacker.close()
        raise


def read_student(folder: Path, student: str, exercises: Sequence[str], handed_in_for: str = "") -> HandIn:
    """Find the submissions of one student, whose folder this is; archives in it are left alone.

    Args:
        folder: holds the student's files: a repository, or what a platform has unpacked.
        student: whose it is.
        exercises: the ids of the course, in its order.
        handed_in_for: the exercise that a single file with a name of its own is for.

    Raises:
        ConfigurationError: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigurationError(_("there is no such folder of submissions"), file=folder)
    own = _Class(folder, Wanted(exercises), Unpacker(opens=False))
    own.add(Delivery(Identity(student), (Part(folder),), exercise=handed_in_for, students=(student,)))
    return own.hand_in(())


@dataclass
class _Class:
    """A class while it is read."""

    source: Path
    wanted: Wanted
    unpacker: Unpacker
    base: Path = Path()
    times: Times | None = None
    shelf: Shelf = field(default_factory=Shelf)
    evidence: list[Evidence] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)
    groups: dict[str, dict[str, list[File]]] = field(default_factory=dict)  # by student and exercise
    labels: set[str] = field(default_factory=set)  # people whom nobody knows
    budgets: dict[str, Budget] = field(default_factory=dict)
    known: Sequence[Person] = ()
    draws: Draws = field(init=False)

    def __post_init__(self) -> None:
        self.base = self.source
        self.draws = Draws(self.wanted.quizzes, self.wanted.roster)

    def read(self) -> HandIn:
        """Everything, in order."""
        recognition = Recognition(self.base, self.source, self.wanted, self.unpacker)
        if not self.source.is_dir():
            if not self.source.is_file():
                raise ConfigurationError(_("there is no such folder of submissions"), file=self.source)
            self.base = recognition.base = recognition.open_class(self.source)
        try:
            os.scandir(self.base).close()
        except OSError as error:
            reason = _("cannot be read: {reason}").format(reason=error.strerror or str(error))
            raise ConfigurationError(reason, file=self.source) from error
        recognition.rosters = rosters = Rosters.beside(self.base, self.wanted.roster)
        if rosters.everybody is None and (inner := recognition.inside(self.base)) != self.base:
            rosters = Rosters.beside(inner, None)
            recognition = replace(recognition, rosters=rosters, _seen={})
        said = list(rosters.said)
        self.draws.roster = roster = rosters.everybody
        self.known = roster.people if roster is not None else ()
        self.times = Times(self.base / TIMES, self.wanted.zone) if isfile(self.base / TIMES) else None
        downloads = recognition.downloads()
        self.evidence += recognition.evidence
        for download in downloads:
            said.append(f"{download.layout} ({download.why})" if download.why else download.layout)
            self.evidence += download.reading.evidence
            self.ignored += download.reading.ignored
            own = rosters.of(download.name)
            deliveries = [self._for_exercise(delivery, download) for delivery in download.reading.deliveries]
            for delivery in owned(deliveries, own.everybody, own.grouped):
                self.add(self._dated(self._decided(delivery), own, len(downloads)))
        for number, text in self.times.unknown(roster) if self.times else ():
            reason = _("line {number}: {name} is nobody in the class").format(number=number, name=shown(text))
            self.evidence.append(Evidence(self.base / TIMES, reason))
        known = tuple(person.id for person in self.known)
        for one in recognition.damage:
            # Whoever is not in a damaged archive may be in what is lost of it.
            named = tuple(exercise for exercise in self.wanted.exercises if exercise in normal(one.path.name))
            self.evidence.append(replace(one, students=known, exercises=named[:1] or tuple(self.wanted.exercises)))
        return self.hand_in(known, tuple(said))

    # --- deliveries

    def _for_exercise(self, delivery: Delivery, download: Download) -> Delivery:
        """With the exercise's id: from the layout's words, from the download's name, or from what was asked for.

        A folder of our own has a student's files for the whole course: there, only a file's name can tell.
        """
        per_exercise = download.layout not in (FALLBACK, "flat") or not download.alone
        for words in (delivery.exercise, download.name if per_exercise else ""):
            stem = normal(words)
            if inside := [exercise for exercise in self.wanted.exercises if exercise in stem]:
                return replace(delivery, exercise=max(inside, key=len))
        return replace(delivery, exercise=self.wanted.handed_in_for if per_exercise else "")

    def _decided(self, delivery: Delivery) -> Delivery:
        """With what the teacher said of it."""
        resolutions = self.wanted.resolutions
        paths = [self.unpacker.origin(part.path) for part in delivery.parts]
        # Evidence names files; whose they are is decided for all that was handed in together.
        students = {d.student for path in paths for d in resolutions.within(path, self.base) if d.student}
        moments = [m for path in paths if (m := resolutions.of(path, self.base).submitted) is not None]
        if moments:
            delivery = replace(delivery, submitted=max(moments), unread="")
        if len(students) == 1:
            delivery = replace(delivery, students=tuple(students), kind="aside", reason="", doubt="")
        return delivery

    def _dated(self, delivery: Delivery, rosters: Rosters, downloads: int) -> Delivery:
        """With the time that the roster says, where it is the worksheet of this one download."""
        if delivery.submitted is not None or rosters.everybody is None or not delivery.students:
            return delivery
        person = rosters.everybody.by_id(delivery.students[0])
        text = person.submitted if person is not None else ""
        if not any(sign.isdigit() for sign in text):
            return delivery
        moment = parse_time(text, self.wanted.zone) if downloads == 1 or rosters.sheets else None
        return replace(delivery, submitted=moment, unread="" if moment is not None else text)

    def add(self, delivery: Delivery) -> None:
        """Take what is in a delivery to its students, or into evidence."""
        new = Budget(self.wanted.intake)
        budget = self.budgets.setdefault(delivery.students[0], new) if delivery.students else new
        walk = Walk(delivery, self.base, self.wanted.exercises, budget, self.unpacker)
        found = Gathering(walk, self.wanted.exercises, self.wanted.contracts, self.shelf, self._settlement)
        self.ignored += walk.ignored
        evidence = found.evidence
        if not found.candidates and not evidence:
            evidence += [Evidence(part.path, _("the folder is empty")) for part in delivery.parts]
        if delivery.doubt and delivery.parts:
            students = ", ".join(delivery.students)
            reason = _("{doubt} Graded as {student}.").format(doubt=delivery.doubt, student=students)
            evidence.append(Evidence(delivery.parts[0].path, reason))
        for student in delivery.students:
            own = self.groups.setdefault(student, {exercise: [] for exercise in self.wanted.exercises})
            for candidate in found.candidates:
                own[candidate.exercise].append(self._timed(candidate, student))
        if delivery.students:
            self.evidence += [self._told(item, delivery, delivery.students) for item in evidence]
        else:
            self._keep_nobodys(delivery, found)

    def _settlement(self, path: Path) -> tuple[str, bool]:
        """The exercise that a teacher said a file is for, and whether it is to be left out."""
        resolutions, origin = self.wanted.resolutions, self.unpacker.origin(path)
        return resolutions.exactly(origin, self.base).exercise, resolutions.of(origin, self.base).word == "ignore"

    def _told(self, item: Evidence, delivery: Delivery, students: tuple[str, ...]) -> Evidence:
        who = delivery.who
        claimed = " ".join(filter(None, (who.name or who.student, who.number and f"({who.number})")))
        return replace(
            item, students=students, claimed=claimed, submitted=delivery.submitted, late=delivery.late,
            exercises=item.exercises or tuple(self.wanted.exercises),
        )  # fmt: skip

    def _keep_nobodys(self, delivery: Delivery, found: Gathering) -> None:
        """Evidence for everything in a delivery of which nobody knows whose it is."""
        label, number = as_folder(readable(delivery.who.student)), delivery.who.number
        students = delivery.possible
        if delivery.kind == "person_unknown" and label:
            label = f"{label}_{number}" if number and (label in self.groups or label in students) else label
            if label not in self.groups and label not in students:
                students = (label, *students)
                self.labels.add(label)
        # Work that nobody's name is on may be of anybody of whom there is none.
        of_code = students or tuple(person.id for person in self.known)
        for one in found.candidates:
            item = one.evidence(delivery.reason, delivery.kind, (one.exercise,))
            self.evidence.append(self._told(item, delivery, of_code))
        for item in found.evidence:
            whose = students if item.kind in ("aside", "no_code") else of_code
            if item.counts:
                reason = "; ".join(dict.fromkeys((delivery.reason, item.reason)))
                item = replace(item, reason=reason, kind=delivery.kind)
            self.evidence.append(self._told(item, delivery, whose))

    def _timed(self, candidate: File, student: str) -> File:
        """With the time of submission from beside the submissions, where it stands there."""
        delivery = candidate.delivery
        decided = self.wanted.resolutions.exactly(self.unpacker.origin(candidate.path), self.base).submitted
        moment = self.times.of(student, delivery.who, candidate.exercise) if self.times else None
        moment = decided or moment
        if moment is None and delivery.submitted is None and self.wanted.submitted_from == "mtime":
            changed = datetime.fromtimestamp(candidate.path.lstat().st_mtime, UTC).replace(microsecond=0)
            moment = changed.astimezone(self.wanted.zone)
        if moment is None:
            return candidate
        return replace(candidate, delivery=replace(delivery, submitted=moment, unread=""))

    # --- what counts

    def hand_in(self, known: Sequence[str], said: tuple[str, ...] = ()) -> HandIn:
        """What counts of each student for each exercise, and everything else."""
        entries: list[Entry] = []
        earlier: list[Entry] = []
        for student in sorted(self.groups):
            for group in self.groups[student].values():
                attempts = self._attempts(student, group)
                entries += attempts[:1]
                earlier += attempts[1:] if self.wanted.attempts == "best" else []
        evidence = tuple(replace(item, path=self.unpacker.origin(item.path)) for item in self.evidence)
        handed_in = self.groups.keys() | {student for item in evidence if item.counts for student in item.students}
        return HandIn(
            self.base,
            tuple(sorted({*self.groups, *known, *self.labels})),
            tuple(map(self._called, entries)),
            evidence,
            tuple(self.unpacker.origin(path) for path in self.ignored),
            tuple(map(self._called, earlier)),
            said,
            tuple(student for student in known if student not in handed_in),
            tuple(self.wanted.exercises),
            self.wanted.resolutions,
            {person.id: person.called for person in (self.draws.roster.people if self.draws.roster else ())},
            self.shelf,
            self.unpacker.origin,
            self.unpacker.close,
        )

    def _called(self, entry: Entry) -> Entry:
        """With the name that the roster gives the student."""
        person = self.draws.roster.by_id(entry.student) if self.draws.roster is not None else None
        if person is None or entry.who is None:
            return entry
        return replace(entry, who=replace(entry.who, name=person.called)) if person.called else entry

    def _attempts(self, student: str, group: Sequence[File]) -> list[Entry]:
        """The entries of a student for an exercise: first the one that counts, then the others, oldest first."""
        attempts: dict[Moment, list[File]] = {}
        for candidate in group:
            attempts.setdefault(when(candidate), []).append(candidate)
        resolutions = self.wanted.resolutions
        chooser = Chooser(
            self.wanted.contracts, self.shelf, self.base, self.unpacker.origin, self.draws,
            lambda path: resolutions.of(self.unpacker.origin(path), self.base).word == "accept",
        )  # fmt: skip
        entries: dict[str, Entry] = {}
        for moment in sorted(attempts):
            evidence: list[Evidence] = []
            entry = chooser.choose(student, attempts[moment], evidence)
            self.evidence += [self._told(item, attempts[moment][0].delivery, (student,)) for item in evidence]
            if entry is not None and self.wanted.attempts == "best" and entry.sha256 in entries:
                # The same bytes handed in again are no new attempt: they count as of the first time.
                self._leave(entry, _("the same as an earlier attempt, which counts with its time"))
            elif entry is not None:
                entries[entry.sha256 if self.wanted.attempts == "best" else f"{moment}"] = entry
        if not entries:
            return []
        *others, chosen = entries.values()
        if self.wanted.attempts == "first":
            chosen, *others = entries.values()
        reason = {
            "best": _("another attempt at {exercise}; it is graded too, and the better one counts"),
            "first": _("a later attempt at {exercise}; {name}, the first, is graded"),
            "last": _("an earlier attempt at {exercise}; {name}, the last, is graded"),
        }[self.wanted.attempts]
        for other in others:
            self._leave(other, reason.format(exercise=other.exercise, name=self.unpacker.origin(chosen.path).name))
        return [chosen, *others]

    def _leave(self, entry: Entry, reason: str) -> None:
        self.evidence.append(Evidence(entry.path, reason, "aside", (entry.student,), (entry.exercise,)))
