"""Which of several files for an exercise is graded: the one with the most written, then the best-named one.

The bundle holds each exercise as a script and as a notebook. Whoever works in one and hands in both must not be
graded on the other. Where two files are as good as each other and differ, a person has to say which counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from autograder.language import _
from autograder.submissions.contracts import Content, Contracts, content_of
from autograder.submissions.drawn import Drawn, Draws
from autograder.submissions.evidence import Evidence
from autograder.submissions.gathering import Candidate
from autograder.submissions.hand_in import Entry
from autograder.submissions.model import Submission, SubmissionUnreadable
from autograder.submissions.shelf import Shelf
from autograder.submissions.shown import shown

MAX_CANDIDATES = 10  # files for one exercise that are read to choose among them
Moment = tuple[datetime, int, int]


@dataclass
class _Read:
    """A candidate, and what is in it."""

    candidate: Candidate
    submission: Submission | None
    fault: SubmissionUnreadable | None = None

    @cached_property
    def content(self) -> Content:
        """What it defines, looked at only where there is something to choose."""
        return content_of(self.submission) if self.submission is not None else Content()

    @property
    def can_be_graded(self) -> bool:
        """Whether there is code; what could not be opened here is our fault, and is said by whoever grades."""
        return self.submission is not None or (self.fault is not None and self.fault.fault == "access")

    @property
    def sha256(self) -> str:
        """Of its bytes; "" where none could be read."""
        if self.submission is not None:
            return self.submission.sha256
        return self.fault.sha256 if self.fault is not None else ""


def when(candidate: Candidate) -> Moment:
    """Sorts attempts: by time where it is known, then by the platform's numbers."""
    delivery = candidate.delivery
    return delivery.submitted or datetime.min.replace(tzinfo=UTC), delivery.attempt, candidate.version


@dataclass
class Chooser:
    """Chooses one file for a student and an exercise.

    Args:
        contracts: public names of each exercise.
        shelf: reads files.
        base: folder of all submissions.
        origin: a path as the teacher knows it.
        draws: whose personal questions a file answers.
        accepted: whether the teacher takes the name in a file's questions for the student's.
    """

    contracts: Contracts
    shelf: Shelf
    base: Path
    origin: Callable[[Path], Path]
    draws: Draws
    accepted: Callable[[Path], bool]

    def choose(self, student: str, group: Sequence[Candidate], evidence: list[Evidence]) -> Entry | None:
        """The entry of one attempt; None where evidence says why there is none."""
        group = sorted(group, key=_by_name)
        if len(group) > MAX_CANDIDATES:
            reason = _("one of more than {limit} files for this exercise; it was not looked at").format(
                limit=MAX_CANDIDATES
            )
            evidence += [Evidence(candidate.path, reason) for candidate in group[MAX_CANDIDATES:]]
        read = [self._read(candidate) for candidate in group[:MAX_CANDIDATES]]
        readable = [one for one in read if one.can_be_graded]
        exercise = group[0].exercise
        if not readable:
            evidence += [
                Evidence(
                    one.candidate.path,
                    one.fault.message if one.fault else "",
                    "unreadable",
                    (),
                    (exercise,),
                    sha256=one.sha256,
                )
                for one in read
            ]
            return None
        ranked = self._ranked(readable, exercise) if len(readable) > 1 else readable
        chosen = ranked[0]
        rivals = [one for one in ranked[1:] if self._rank(one, exercise)[:-1] == self._rank(chosen, exercise)[:-1]]
        if chosen.candidate.tier < 4 and any(one.sha256 != chosen.sha256 for one in rivals):
            reason = _("one of several files that may be {exercise}, and nothing tells which counts")
            evidence += [
                Evidence(one.candidate.path, reason.format(exercise=exercise), "candidates", (), (exercise,))
                for one in (chosen, *rivals)
            ]
            return None
        others = [one for one in read if one is not chosen]
        return self._entry(student, chosen, others, evidence)

    def _entry(self, student: str, chosen: _Read, others: Sequence[_Read], evidence: list[Evidence]) -> Entry:
        candidate = chosen.candidate
        name = shown(candidate.found.name)
        notes = [*candidate.delivery.notes, *candidate.notes]
        if candidate.found.depth:
            origin = self.origin(candidate.path)
            whole = self.origin(self.base)
            inner = origin.relative_to(whole) if origin.is_relative_to(whole) else Path(origin.name)
            note = _("The file was found in the folder {folder}.")
            notes.append(note.format(folder=shown(inner.parent.as_posix())))
        contract = self.contracts.get(candidate.exercise, frozenset())
        for other in others:
            note = _("There is another file for this exercise, {other}; {name} is graded.")
            if other.submission is None or _done(other, contract) < _done(chosen, contract):
                note = _(
                    "There is another file for this exercise, {other}; {name} is graded: "
                    "it has fewer parts left to write."
                )
            notes.append(note.format(other=shown(other.candidate.found.name), name=name))
            reason = _("{name} is graded for this exercise").format(name=name)
            evidence.append(Evidence(other.candidate.path, reason, exercises=(candidate.exercise,)))
        base = None if candidate.found.base == self.base else candidate.found.base
        delivery = candidate.delivery
        if delivery.unread:
            note = _("The time of handing in, {text}, could not be read: what it was is not known yet.")
            notes.append(note.format(text=shown(delivery.unread)))
        drawn = Drawn()
        if chosen.submission is not None:
            group = (delivery.shared or (student,)) if delivery.who.group else (student,)
            drawn = self.draws.of(chosen.submission, candidate.exercise, group, lambda: self.accepted(candidate.path))
            notes += [drawn.note] if drawn.note else []
        if drawn.doubt:
            evidence.append(Evidence(candidate.path, drawn.doubt, "aside", (), (candidate.exercise,)))
        return Entry(
            student, candidate.exercise, candidate.path, tuple(notes), delivery.submitted, delivery.late, base,
            delivery.who, chosen.sha256, delivery.unread, drawn.student, drawn.doubt,
        )  # fmt: skip

    def _read(self, candidate: Candidate) -> _Read:
        try:
            submission = self.shelf.look(candidate.path, candidate.found.base)
        except SubmissionUnreadable as fault:
            return _Read(candidate, None, fault)
        return _Read(candidate, submission)

    def _ranked(self, read: Sequence[_Read], exercise: str) -> list[_Read]:
        contract = self.contracts.get(exercise, frozenset())
        best = max(one.candidate.tier for one in read)
        told = [one for one in read if one.candidate.tier == 4]
        # A name that is the exercise's own goes before one that only holds it, unless nothing of it is written.
        named = [one for one in read if one.candidate.tier >= 2 and (not contract or one.content.written(contract))]
        pool = told or named or [one for one in read if one.candidate.tier == best or one.content.written(contract)]
        return sorted(pool, key=lambda one: self._rank(one, exercise))

    def _rank(self, one: _Read, exercise: str) -> tuple[int, int, int, int, bool, str]:
        """The better a file is, the earlier it comes; the last part is its name alone."""
        contract = self.contracts.get(exercise, frozenset())
        left = len(one.content.unwritten)
        return (-one.content.written(contract), left, *_by_name(one.candidate))


def _done(one: _Read, contract: frozenset[str]) -> tuple[int, int]:
    """The more of an exercise is written, the larger."""
    return one.content.written(contract), -len(one.content.unwritten)


def _by_name(candidate: Candidate) -> tuple[int, int, bool, str]:
    """The better a file is named, the earlier it comes."""
    return (
        -candidate.tier,
        candidate.found.depth,
        not candidate.found.name.lower().endswith(".py"),
        candidate.found.name,
    )
