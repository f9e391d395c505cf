"""Submissions that we know the truth about: the reference, its alternatives, its mistakes, the stub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from autograder.authoring.bundle import stub_source
from autograder.authoring.losses import read_bank
from autograder.authoring.overlay import apply_mistake
from autograder.authoring.personal import personalise
from autograder.batch.job import job_of
from autograder.batch.pool import Task
from autograder.course import CourseConfig, Exercise
from autograder.submissions.model import Cell, Submission

Advance = Callable[[int, str], object]  # told, as each run ends, how many there are in all, and which it was
SubjectKind = Literal["reference", "alternative", "mistake", "stub"]


@dataclass(frozen=True)
class Subject:
    """One known submission: its kind, its name, its text before the student's numbers are put in."""

    kind: SubjectKind
    name: str
    source: str
    personal: bool = True


class Run(NamedTuple):
    """Which subject was judged, under which seed."""

    kind: SubjectKind
    name: str
    seed: int

    def __str__(self) -> str:
        return f"{self.kind} {self.name}, seed {self.seed}"


def kinds(exercise: Exercise) -> dict[str, SubjectKind]:
    """Of what kind each known submission of an exercise is, by its name, in the order of `subjects`."""
    found: dict[str, SubjectKind] = {"reference": "reference", "stub": "stub"}
    found |= {path.stem: "alternative" for path in exercise.alternatives}
    return found | {mistake.id: "mistake" for mistake in read_bank(exercise)}


def subjects(exercise: Exercise) -> list[Subject]:
    """The reference, the stub, every alternative and every mistake of an exercise."""
    solution = exercise.solution.read_text(encoding="utf-8")
    found = [Subject("reference", "reference", solution), Subject("stub", "stub", stub_source(exercise))]
    for path in exercise.alternatives:
        found.append(Subject("alternative", path.stem, path.read_text(encoding="utf-8"), personal=False))
    for mistake in read_bank(exercise):
        found.append(Subject("mistake", mistake.id, apply_mistake(solution, mistake)))
    return found


def task(
    course: CourseConfig, exercise: Exercise, subject: Subject, seed: int, checks: tuple[str, ...] = ()
) -> Task[Run]:
    """The job that judges a subject as another student under another seed."""
    student = f"verification-{seed}"
    source = personalise(subject.source, exercise, student) if subject.personal else subject.source
    name = f"{exercise.id}.py"
    submission = Submission(student, exercise.id, Path(name), "", "py", (Cell(1, name, source, 1),))
    return Task(Run(subject.kind, subject.name, seed), job_of(course, submission, checks=checks, salt=str(seed)))
