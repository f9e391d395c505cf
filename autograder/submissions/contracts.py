"""What tells an exercise's file from others, whatever its name: the public names that its contract asks for.

The file of a student is text here as everywhere in this room: names are found by how they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autograder.authoring.regions import NOT_WRITTEN
from autograder.course.config import CourseConfig
from autograder.course.discovery import list_exercises
from autograder.submissions.model import Submission

Contracts = Mapping[str, frozenset[str]]  # public names by exercise

_DEFINED = re.compile(
    r"^(?:async[ \t]+)?(?:def|class)[ \t]+([A-Za-z]\w*)|^([A-Za-z]\w*)[ \t]*=[ \t]*lambda\b", re.MULTILINE
)
_IMPORTED = re.compile(r"^[ \t]*(?:from[ \t]+\.?(\w+)[\w.]*[ \t]+import|import[ \t]+(\w+))", re.MULTILINE)
_UNWRITTEN = re.compile(rf"(\w+) {re.escape(NOT_WRITTEN)}")


def contracts(course: CourseConfig) -> Contracts:
    """The public names that the solution of each exercise defines; none where it is not there."""
    return {
        exercise.id: frozenset(
            defined(exercise.solution.read_text(encoding="utf-8")) if exercise.solution.is_file() else ()
        )
        for exercise in list_exercises(course)
    }


def defined(text: str) -> set[str]:
    """Public names of functions and classes at the top level of a text."""
    return {name for pair in _DEFINED.findall(text) for name in pair if name and not name.startswith("_")}


@dataclass(frozen=True)
class Content:
    """What a file defines.

    Attributes:
        names: public names at its top level.
        unwritten: names of functions that stand as they were given.
        imports: first parts of the names of modules that it imports.
    """

    names: frozenset[str] = frozenset()
    unwritten: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()

    def written(self, contract: frozenset[str]) -> int:
        """How many names of a contract it defines and has written."""
        return len((self.names & contract) - self.unwritten)

    def fits(self, contracts: Contracts) -> list[str]:
        """The exercises that only this can be for: it defines a name that no other exercise has."""
        shared = _shared(contracts.values())
        own = {exercise: self.names & (names - shared) for exercise, names in contracts.items()}
        fitting = [exercise for exercise, names in own.items() if names]
        if len(fitting) > 1:
            # A name or two of another exercise may be borrowed; most of an exercise is not.
            most = max(len(own[exercise]) for exercise in fitting)
            fitting = [exercise for exercise in fitting if 2 * len(own[exercise]) > most]
        return fitting


def content_of(submission: Submission) -> Content:
    """What a file that was read defines."""
    text = "\n".join(cell.source for cell in submission.cells)
    imports = frozenset(name for pair in _IMPORTED.findall(text) for name in pair if name)
    # The expression tries every word: most texts have none of these.
    unwritten = frozenset(_UNWRITTEN.findall(text)) if NOT_WRITTEN in text else frozenset()
    return Content(frozenset(defined(text)), unwritten, imports)


def _shared(contracts: Iterable[frozenset[str]]) -> set[str]:
    """Names that several exercises ask for."""
    seen: set[str] = set()
    twice: set[str] = set()
    for names in contracts:
        twice |= names & seen
        seen |= names
    return twice
