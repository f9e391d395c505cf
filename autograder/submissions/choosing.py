"""Which of several files for an exercise is graded: the one with the most written, then the best-named one.

The bundle holds each exercise as a script and as a notebook. Whoever works in one and hands in both must not be
graded on the other. Where two files are as good as each other and differ, a person has to say which counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autograder.language import _
from autograder.submissions.contracts import Contracts
from autograder.submissions.drawn import Drawn, Draws
from autograder.submissions.evidence import Evidence
from autograder.submissions.hand_in import Entry
from autograder.submissions.shelf import Looked, Shelf
from autograder.submissions.shown import shown
from autograder.submissions.walking import File

MAX_CANDIDATES = 10  # files for one exercise that are read to choose among them
Moment = tuple[datetime, int, int]
_Read = tuple[File, Looked]


def when(candidate: File) -> Moment:
    """Sorts attempts: by time where it is known, then by the platform's numbers."""
    delivery = candidate.delivery
    return delivery.submitted or datetime.min.replace(tzinfo=UTC), delivery.attempt, candidate.version


@dataclass
class Chooser:
    """Chooses one file for a student and an exercise.

    Args:
        base: folder of all submissions.
        origin: a path as the teacher knows it.
        accepted: whether the teacher takes the name in a file's questions for the student's.
    """

    contracts: Contracts
    shelf: Shelf
    base: Path
    origin: Callable[[Path], Path]
    draws: Draws
    accepted: Callable[[Path], bool]

    def choose(self, student: str, group: Sequence[File], evidence: list[Evidence]) -> Entry | None:
        """The entry of one attempt; None where evidence says why there is none."""
        group = sorted(group, key=_by_name)
        own = (group[0].exercise,)
        over = _("one of more than {limit} files for this exercise; it was not looked at").format(limit=MAX_CANDIDATES)
        evidence += [file.evidence(over) for file in group[MAX_CANDIDATES:]]
        read = [(file, self.shelf.look(file.path, file.base)) for file in group[:MAX_CANDIDATES]]
        readable = [one for one in read if one[1].can_be_graded]
        if not readable:
            for file, looked in read:
                message = looked.fault.message if looked.fault is not None else ""
                evidence.append(Evidence(file.path, message, "unreadable", exercises=own, sha256=looked.sha256))
            return None
        ranked = self._ranked(readable) if len(readable) > 1 else readable
        chosen = ranked[0]
        rivals = [one for one in ranked[1:] if self._rank(one)[:-1] == self._rank(chosen)[:-1]]
        if chosen[0].tier < 4 and any(looked.sha256 != chosen[1].sha256 for _file, looked in rivals):
            reason = _("one of several files that may be {exercise}, and nothing tells which counts")
            reason = reason.format(exercise=own[0])
            evidence += [file.evidence(reason, "candidates", own) for file, _looked in (chosen, *rivals)]
            return None
        return self._entry(student, chosen, [one for one in read if one is not chosen], evidence)

    def _entry(self, student: str, chosen: _Read, others: Sequence[_Read], evidence: list[Evidence]) -> Entry:
        file, looked = chosen
        delivery, own = file.delivery, (file.exercise,)
        notes = [*delivery.notes, *file.notes]
        if file.depth:
            note = _("The file was found in the folder {folder}.")
            notes.append(note.format(folder=shown(self._inside(file).parent.as_posix())))
        passed_over: list[tuple[Path, str]] = []
        for other, read in others:
            note = _("There is another file for this exercise, {other}; {name} is graded.")
            if read.submission is None or self._written((other, read)) > self._written(chosen):
                note = _(
                    "There is another file for this exercise, {other}; {name} is graded: "
                    "it has fewer parts left to write."
                )
            passed_over.append((other.path, note.format(other=self._named(other), name=self._named(file))))
            reason = _("{name} is graded for this exercise").format(name=shown(file.name))
            evidence.append(other.evidence(reason, exercises=own))
        notes += [note for _path, note in passed_over]
        if delivery.unread:
            note = _("The time of handing in, {text}, could not be read: what it was is not known yet.")
            notes.append(note.format(text=shown(delivery.unread)))
        drawn = Drawn()
        if looked.submission is not None:
            group = delivery.students if delivery.who.group and delivery.students else (student,)
            drawn = self.draws.of(looked.submission, file.exercise, group, lambda: self.accepted(file.path))
            notes += [drawn.note] if drawn.note else []
        if drawn.doubt:
            evidence.append(file.evidence(drawn.doubt, exercises=own))
        return Entry(
            student, file.exercise, file.path, tuple(notes), delivery.submitted, delivery.late,
            None if file.base == self.base else file.base, delivery.who, looked.sha256, delivery.unread,
            drawn.student, drawn.doubt, tuple(passed_over),
        )  # fmt: skip

    def _inside(self, file: File) -> Path:
        """A file's path below the folder of all submissions, as the teacher knows it."""
        origin, whole = self.origin(file.path), self.origin(self.base)
        return origin.relative_to(whole) if origin.is_relative_to(whole) else Path(origin.name)

    def _named(self, file: File) -> str:
        """What a note calls a file: several in different folders may have one name."""
        return shown(self._inside(file).as_posix() if file.depth else file.name)

    def _ranked(self, read: Sequence[_Read]) -> list[_Read]:
        contract = self.contracts.get(read[0][0].exercise)
        best = max(file.tier for file, _looked in read)
        written = [one for one in read if self._written(one)[0]]
        told = [one for one in read if one[0].tier == 4]
        # A name that is the exercise's own goes before one that only holds it, unless nothing of it is written.
        named = [one for one in read if one[0].tier >= 2 and (not contract or one in written)]
        pool = told or named or [one for one in read if one[0].tier == best or one in written]
        return sorted(pool, key=self._rank)

    def _written(self, one: _Read) -> tuple[int, int]:
        """The more of an exercise is written, the smaller."""
        file, looked = one
        contract = self.contracts.get(file.exercise, frozenset())
        return -looked.content.written(contract), len(looked.content.unwritten)

    def _rank(self, one: _Read) -> tuple[int, int, int, int, bool, str]:
        """The better a file is, the earlier it comes; the last part is its name alone."""
        return (*self._written(one), *_by_name(one[0]))


def _by_name(file: File) -> tuple[int, int, bool, str]:
    """The better a file is named, the earlier it comes."""
    return -file.tier, file.depth, not file.name.lower().endswith(".py"), file.name
