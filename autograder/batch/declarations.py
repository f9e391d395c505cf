"""What an exercise declares, held against itself before anything runs: points, prerequisites, contract, mistakes."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import yaml

from autograder.authoring.mistakes import read_mistakes
from autograder.course import CourseConfig, Exercise
from autograder.course.document import did_you_mean
from autograder.judge.check import CheckInfo
from autograder.judge.questions import quiz_checks
from autograder.judge.reference import load_beside
from autograder.language import _
from autograder.results.outcomes import CheckKind


@dataclass(frozen=True)
class Declared:
    """A check and where it is declared."""

    info: CheckInfo
    file: Path
    line: int


def declared_checks(exercise: Exercise) -> list[Declared]:
    """Every hidden check of an exercise, those of the quiz among them. Its files are run: they are the course's own."""
    found = []
    modules = load_beside(f"declared_{exercise.id}", exercise.hidden_checks)
    for path, module in zip(exercise.hidden_checks, modules, strict=True):
        for value in vars(module).values():
            info = getattr(value, "check", None)
            if isinstance(info, CheckInfo) and value.__module__ == module.__name__:
                found.append(Declared(info, path, inspect.unwrap(value).__code__.co_firstlineno))
    quiz = [info for check in quiz_checks(exercise) if isinstance(info := getattr(check, "check", None), CheckInfo)]
    return [*found, *(Declared(info, exercise.quiz, 1) for info in quiz)]


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
        for name in sorted({name for names in info.substance.values() for name in names} - (set(ids) - {info.id})):
            suggestion = did_you_mean(name, [other for other in ids if other != info.id])
            message = _("{id} has {name!r} as the substance of a part, which is no other check{suggestion}")
            yield _at(check, message.format(id=info.id, name=name, suggestion=suggestion))


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
            known = [*coverage.sentences, *coverage.names]
            if key not in known and check.file != exercise.quiz:
                yield _at(check, _("{id} covers {key!r}, which contract.yaml does not name{suggestion}").format(
                    id=check.info.id, key=key, suggestion=did_you_mean(key, known)))  # fmt: skip
    for key in coverage.missing():
        yield _("{file}: no check covers {key!r}").format(file=exercise.contract, key=key)


def _at(check: Declared, message: str) -> str:
    return f"{check.file}:{check.line}: {message}"


@dataclass(frozen=True)
class Coverage:
    """One exercise's contract: requirement -> its sentence and the checks that cover it; its public names."""

    exercise: str
    sentences: dict[str, str]
    checks: dict[str, tuple[str, ...]]
    names: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Requirements that no check covers."""
        return [key for key in self.sentences if not self.checks[key]]


def read_coverage(exercise: Exercise, checks: Sequence[Declared] | None = None) -> Coverage:
    """The coverage of one exercise; `checks`: what it declares, where that was read before."""
    contract = yaml.safe_load(exercise.contract.read_text(encoding="utf-8"))
    sentences: dict[str, str] = contract["requirements"]
    declared = declared_checks(exercise) if checks is None else checks
    covering = {key: tuple(c.info.id for c in declared if key in c.info.covers) for key in sentences}
    return Coverage(exercise.id, sentences, covering, tuple(contract["names"]))


def markdown(coverages: list[Coverage]) -> str:
    """The table exercise × requirement as Markdown."""
    lines = [
        "# What the hidden checks prove",
        "",
        "Made by `autograder verify --coverage`: every requirement of each exercise's contract and the checks for it.",
    ]
    for coverage in coverages:
        lines += ["", f"## {coverage.exercise}", "", "| requirement | checks |", "|---|---|"]
        for key, sentence in coverage.sentences.items():
            checks = ", ".join(f"`{name}`" for name in coverage.checks[key]) or "**none**"
            lines.append(f"| {sentence} | {checks} |")
    return "\n".join(lines) + "\n"
