"""What an exercise declares, held against itself before anything runs: points, prerequisites, contract, mistakes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import get_args

from autograder.authoring.mistakes import read_mistakes
from autograder.batch.coverage import read_coverage
from autograder.batch.declared import Declared, declared_checks
from autograder.course import CourseConfig, Exercise
from autograder.course.document import did_you_mean
from autograder.language import _
from autograder.results.outcomes import CheckKind


def wrong_declarations(course: CourseConfig, exercise: Exercise, only: Collection[str] = ()) -> list[str]:
    """A line for each declaration that cannot be right, with its file and line; `only`: mistakes that were asked for.

    Raises:
        AuthoringError: mistakes.py or quiz.py is not of the documented form, or a mistake does not fit the solution.
    """
    checks = declared_checks(exercise)
    ids = [check.info.id for check in checks]
    lines = [*_checks(checks), *_points(course, exercise, checks)]
    known = []
    if exercise.mistakes.is_file():
        bank = read_mistakes(exercise.mistakes, check_ids=ids, solution=exercise.solution)
        known = [mistake.id for mistake in bank]
    lines += [_("{file}: no mistake is called {id!r}{suggestion}").format(
        file=exercise.mistakes, id=name, suggestion=did_you_mean(name, known)) for name in only if name not in known
    ]  # fmt: skip
    return [*lines, *_contract(exercise, checks)]


def _checks(checks: list[Declared]) -> Iterator[str]:
    ids = [check.info.id for check in checks]
    for number, check in enumerate(checks):
        info = check.info
        if info.id in ids[:number]:
            yield _at(check, _("the id {id!r} is taken").format(id=info.id))
        if info.kind not in get_args(CheckKind):
            yield _at(check, _("{id} is of kind {kind!r}{suggestion}").format(
                id=info.id, kind=info.kind, suggestion=did_you_mean(info.kind, get_args(CheckKind))))  # fmt: skip
        for required in info.requires:
            if required not in ids or required == info.id:
                suggestion = did_you_mean(required, [name for name in ids if name != info.id])
                yield _at(check, _("{id} requires {required!r}, which is no other check{suggestion}").format(
                    id=info.id, required=required, suggestion=suggestion))  # fmt: skip


def _points(course: CourseConfig, exercise: Exercise, checks: list[Declared]) -> Iterator[str]:
    config = course.exercise(exercise.id)
    ids = [check.info.id for check in checks]
    for name in config.checks:
        if name not in ids:
            yield _("{file}: {exercise} sets something for {name!r}, which is no check{suggestion}").format(
                file=course.file, exercise=exercise.id, name=name, suggestion=did_you_mean(name, ids)
            )
    own = {check.info.id: check.info.points for check in checks}
    own |= {name: its.points for name, its in config.checks.items() if its.points is not None}
    if abs(sum(own.values()) - config.points) > 1e-6:
        yield _("{file}: {exercise} is worth {points:g} points, and its checks sum to {sum:g}").format(
            file=course.file, exercise=exercise.id, points=config.points, sum=sum(own.values())
        )


def _contract(exercise: Exercise, checks: list[Declared]) -> Iterator[str]:
    if not exercise.contract.is_file():
        return
    coverage = read_coverage(exercise, checks)
    for check in checks:
        for key in check.info.covers:
            if key not in coverage.sentences and check.file != exercise.quiz:
                yield _at(check, _("{id} covers {key!r}, which contract.yaml does not name{suggestion}").format(
                    id=check.info.id, key=key, suggestion=did_you_mean(key, list(coverage.sentences))))  # fmt: skip
    for key in coverage.missing():
        yield _("{file}: no check covers {key!r}").format(file=exercise.contract, key=key)


def _at(check: Declared, message: str) -> str:
    return f"{check.file}:{check.line}: {message}"
