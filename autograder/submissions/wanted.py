"""How a class is read: the course's part of it, and what the caller asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from autograder.course.config import CourseConfig
from autograder.course.discovery import Exercise, list_exercises
from autograder.course.roster import Roster
from autograder.course.written import Counted, Intake
from autograder.submissions.contracts import Contracts, contracts
from autograder.submissions.resolutions import Resolutions


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
        contracts: public names that each exercise asks for: what a file defines may say which it is for.
        intake: what one student may hand in.
        resolutions: what the teacher decided before.
        damaged: read what can be read of a damaged archive of the class.
        without: folders that are not to be looked at, such as the one that results go to.
        quizzes: the files of exercises whose personal questions are drawn for each student.
    """

    exercises: Sequence[str]
    layout: str = "auto"
    roster: Roster | None = None
    zone: tzinfo = UTC
    submitted_from: Literal["", "mtime"] = ""
    handed_in_for: str = ""
    attempts: Counted = "last"
    contracts: Contracts = field(default_factory=dict)
    intake: Intake = field(default_factory=Intake)
    resolutions: Resolutions = field(default_factory=Resolutions)
    damaged: bool = False
    without: Sequence[Path] = ()
    quizzes: Sequence[Exercise] = ()

    @classmethod
    def of(
        cls,
        course: CourseConfig,
        *,
        exercises: Sequence[str] = (),
        layout: str = "auto",
        roster: Roster | None = None,
        submitted_from: Literal["", "mtime"] = "",
        resolutions: Resolutions | None = None,
        damaged: bool = False,
        without: Sequence[Path] = (),
    ) -> Wanted:
        """As a course has it; of `exercises`, where it is not everything, a single one is `handed_in_for`."""
        return cls(
            exercises=[exercise.id for exercise in course.exercises],
            layout=layout,
            roster=roster,
            zone=UTC if course.timezone == "UTC" else ZoneInfo(course.timezone),
            submitted_from=submitted_from,
            handed_in_for=exercises[0] if len(exercises) == 1 else "",
            attempts=course.attempts,
            contracts=contracts(course),
            intake=course.intake,
            resolutions=resolutions or Resolutions(),
            damaged=damaged,
            without=without,
            quizzes=() if course.questions == "shared" else list_exercises(course),
        )
