"""What of a class is graded: asked for by name, and held against what there is."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from autograder.batch.plan import Choice
from autograder.errors import AutograderError
from autograder.language import _

__all__ = ["Choice", "ChoiceFault", "require"]


class ChoiceFault(AutograderError):
    """What was asked for is not there; says what is."""


def require(choice: Choice, exercises: Sequence[str], students: Sequence[str]) -> None:
    """Refuse patterns that match no exercise, and students that nobody knows: a slip would leave out a whole class.

    Args:
        choice: what was asked for.
        exercises: of the course.
        students: who handed in anything, or is on the roster.

    Raises:
        ChoiceFault: says which there are.
    """
    for pattern in choice.only:
        if not any(fnmatchcase(exercise, pattern.partition("/")[0]) for exercise in exercises):
            raise ChoiceFault(
                _("--only {pattern}: no exercise matches; there are: {listing}").format(
                    pattern=pattern, listing=", ".join(exercises)
                )
            )
    for student in set(choice.students) - set(students):
        near = get_close_matches(student.casefold(), {name.casefold(): name for name in students}, 5, 0.5)
        similar = [name for name in sorted(students) if name.casefold() in near] or sorted(students)[:10]
        raise ChoiceFault(
            _("--student {name}: nobody of this name handed in anything here; there are: {listing}").format(
                name=student, listing=", ".join(similar) + (", ..." if len(similar) < len(students) else "")
            )
        )
