"""What was handed in and is not graded: whose it may be, for what, why, and what student and teacher can do.

Everything found in a folder or archive is an entry to grade, evidence, or a leftover of systems. Evidence that is no
aside keeps the exercises that it may be for from being missing: nobody gets a zero for work that could not be read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from autograder.language import N_, _
from autograder.submissions.shown import shown

EvidenceKind = Literal[
    "aside",  # beside what is graded; nothing to be done
    "name_unknown",  # a file of code, and nobody knows for which exercise
    "candidates",  # several files for one exercise, and nothing tells which
    "no_code",  # another kind of file, or text typed into the platform
    "unreadable",  # damaged, or not ordinary
    "limit",  # more than may be unpacked or looked at
    "person_unknown",  # nobody knows whose it is
    "contradiction",  # it names two people, or two things name one person
]

_TO_STUDENT = {
    "name_unknown": N_("Call the file {exercise}.py or {exercise}.ipynb and hand it in again, or tell your teacher."),
    "candidates": N_("Tell your teacher which file counts, or hand in only that one, as {exercise}.py."),
    "no_code": N_("Hand in your code as {exercise}.py or {exercise}.ipynb."),
    "unreadable": N_("Hand the file in again, as {exercise}.py or {exercise}.ipynb, and not packed."),
    "limit": N_("Hand in {exercise}.py or {exercise}.ipynb alone, without data and not packed."),
    "person_unknown": N_("Tell your teacher under which name you handed it in."),
    "contradiction": N_("Tell your teacher under which name and number you handed it in."),
}
_TO_TEACHER = {
    "name_unknown": N_("write the exercise beside it in the file for --resolve"),
    "candidates": N_("write the exercise beside the file that counts in the file for --resolve"),
    "no_code": N_("look at it by hand; excuse or mark the student in the grade book"),
    "unreadable": N_("ask the student for it again, or leave it out with --resolve"),
    "limit": N_("unpack it by hand, or allow more under `intake` in grading_config.yaml"),
    "person_unknown": N_("enter the person in the roster, or write the student beside it in the file for --resolve"),
    "contradiction": N_("write the student beside it in the file for --resolve, or mend the roster"),
}


@dataclass(frozen=True)
class Evidence:
    """Something that was found, and why it is not graded.

    Attributes:
        path: as the teacher knows it.
        reason: in words.
        kind: of the reason; `aside` needs nobody.
        students: whose it may be, as results call them.
        exercises: which it may be for.
        claimed: who handed it in, as the platform says it.
        submitted: with its time zone; None where nobody knows.
        late: the platform marks it as late.
        sha256: of its bytes, where they were read.
    """

    path: Path
    reason: str
    kind: EvidenceKind = "aside"
    students: tuple[str, ...] = ()
    exercises: tuple[str, ...] = ()
    claimed: str = ""
    submitted: datetime | None = None
    late: bool = False
    sha256: str = ""

    @property
    def counts(self) -> bool:
        """Whether it keeps what it may be for from being missing."""
        return self.kind != "aside"

    @property
    def to_student(self) -> str:
        """What the student can do, in the language in force; "" where there is nothing to do."""
        exercise = self.exercises[0] if len(self.exercises) == 1 else _("EXERCISE")
        return _(_TO_STUDENT[self.kind]).format(exercise=exercise) if self.counts else ""

    @property
    def to_teacher(self) -> str:
        """What the teacher can do."""
        return _(_TO_TEACHER[self.kind]) if self.counts else ""


@dataclass(frozen=True)
class NotGradable:
    """One student and exercise for which something was handed in, and nothing can be graded.

    Attributes:
        evidence: all of it, what weighs most first.
    """

    student: str
    exercise: str
    evidence: tuple[Evidence, ...]

    @property
    def kind(self) -> EvidenceKind:
        """Of the reason that weighs most."""
        return self.evidence[0].kind

    @property
    def message(self) -> str:
        """For the student: what was found, and what to do."""
        first = self.evidence[0]
        names = ", ".join(dict.fromkeys(shown(item.path.name) for item in self.evidence[:5]))
        todo = replace(first, exercises=(self.exercise,)).to_student
        return " ".join(filter(None, (f"{names}: {first.reason.rstrip('.')}.", todo)))

    @property
    def advice(self) -> str:
        """For the teacher: what to do."""
        return self.evidence[0].to_teacher
