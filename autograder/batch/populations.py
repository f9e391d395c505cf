"""Submissions that we know the truth about: the reference, its alternatives, its mistakes, the stub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from autograder.authoring.bundle import stub_source
from autograder.authoring.losses import read_bank
from autograder.authoring.overlay import apply_mistake
from autograder.authoring.personal import personalise
from autograder.batch.pool import Task
from autograder.course import CourseConfig, Exercise

Kind = Literal["reference", "alternative", "mistake", "stub"]


@dataclass(frozen=True)
class Subject:
    """One known submission: its kind, its name, its text before the student's numbers are put in."""

    kind: Kind
    name: str
    source: str
    personal: bool = True


def subjects(exercise: Exercise) -> list[Subject]:
    """The reference, the stub, every alternative and every mistake of an exercise."""
    solution = exercise.solution.read_text(encoding="utf-8")
    found = [Subject("reference", "reference", solution), Subject("stub", "stub", stub_source(exercise))]
    for path in exercise.alternatives:
        found.append(Subject("alternative", path.stem, path.read_text(encoding="utf-8"), personal=False))
    for mistake in read_bank(exercise):
        found.append(Subject("mistake", mistake.id, apply_mistake(solution, mistake)))
    return found


def task(course: CourseConfig, exercise: Exercise, subject: Subject, seed: int, checks: tuple[str, ...] = ()) -> Task:
    """The job that judges a subject as another student under another seed."""
    student = f"verification-{seed}"
    source = personalise(subject.source, exercise, student) if subject.personal else subject.source
    name = f"{exercise.id}.py"
    job: dict[str, Any] = {
        "exercise": exercise.id,
        "student": student,
        "salt": str(seed),
        "cells": [{"source": source, "where": name, "filename": name, "first_line": 1}],
        "checks": list(checks),
    }
    return Task((subject.kind, subject.name, seed), job, course.exercise(exercise.id).limits.total_seconds)
