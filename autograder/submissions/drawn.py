"""Whose personal questions a file answers: the student's own, nobody's, or another's.

A student who made the file for another name of their own, or who took a friend's, answers other questions than the
judge asks. It is said to both of them. The block's word is the student's: it counts where the roster knows the name
as theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from autograder.authoring.errors import AuthoringError
from autograder.authoring.personal import drawn_numbers, read_drawn_for, squeezed
from autograder.course.discovery import Exercise
from autograder.course.roster import Roster, fold
from autograder.language import _
from autograder.submissions.model import Submission
from autograder.submissions.shown import shown

EXAMPLE = "example"  # whose numbers the general stub carries


@dataclass(frozen=True)
class Drawn:
    """Whose questions a file answers.

    Attributes:
        student: whose they are, where they are not the student's own and count all the same.
        note: for the student, where they do not count.
        doubt: for the teacher.
    """

    student: str = ""
    note: str = ""
    doubt: str = ""


@dataclass
class Draws:
    """Tells whose questions files answer.

    Args:
        exercises: those with questions of everybody's own.
        roster: under which names it knows each student.
    """

    exercises: Sequence[Exercise]
    roster: Roster | None = None
    _numbers: dict[tuple[str, str | None], str] = field(default_factory=dict)

    def of(
        self, submission: Submission, exercise: str, students: Collection[str], accepted: Callable[[], bool]
    ) -> Drawn:
        """Whose questions a file answers.

        Args:
            submission: what was read.
            exercise: which it is for.
            students: whose file it is; several of a group.
            accepted: whether the teacher takes the name in the file for the student's.
        """
        place = next((one for one in self.exercises if one.id == exercise), None)
        text = "\n".join(cell.source for cell in submission.cells)
        if place is None or "PERSONAL" not in text:
            return Drawn()
        named = read_drawn_for(text)
        if named is None:
            return self._by_numbers(text, place, students)
        own = {fold(student) for student in students}
        for student in students:
            person = self.roster.by_id(student) if self.roster is not None else None
            own |= person.identities if person is not None else set()
        if named.fits(place) and fold(named.student) in {fold(student) for student in students}:
            return Drawn(named.student if len(students) > 1 else "")
        if named.fits(place) and (fold(named.student) in own or accepted()):
            return Drawn(named.student)
        return self._another(shown(named.student), students)

    def _by_numbers(self, text: str, place: Exercise, students: Collection[str]) -> Drawn:
        """Of a file that does not say it: the numbers themselves."""
        try:
            own = [self._drawn(place, student) for student in students]
            example = self._drawn(place, None)
        except (AuthoringError, OSError):
            return Drawn()
        given = squeezed(text)
        if any(numbers in given for numbers in own):
            return Drawn()
        return self._another(EXAMPLE if example in given else "", students)

    def _drawn(self, place: Exercise, student: str | None) -> str:
        key = place.id, student
        if key not in self._numbers:
            self._numbers[key] = drawn_numbers(place, student)
        return self._numbers[key]

    def _another(self, name: str, students: Collection[str]) -> Drawn:
        listing = ", ".join(students)
        if name == EXAMPLE:
            note = _(
                "The questions in the file are nobody's own; {student}'s own were asked. `autograder new` makes them."
            )
            doubt = _("its questions are the general ones, not {student}'s own")
        elif name:
            note = _("The questions in the file were drawn for {name}, not for {student}; {student}'s own were asked.")
            doubt = _("its questions were drawn for {name}: another name of {student}'s, or a copy")
        else:
            note = _(
                "The questions in the file are not {student}'s own, which were asked. `autograder new` makes them."
            )
            doubt = _("its questions are not {student}'s own: drawn for another name, or a copy")
        return Drawn("", note.format(name=name, student=listing), doubt.format(name=name, student=listing))
