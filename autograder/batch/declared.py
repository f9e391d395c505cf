"""The checks that an exercise declares, and where: its files are loaded, and nothing is run."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Exercise
from autograder.judge.check import CheckInfo
from autograder.judge.questions import quiz_checks
from autograder.judge.reference import load_module


@dataclass(frozen=True)
class Declared:
    """A check and where it is declared."""

    info: CheckInfo
    file: Path
    line: int


def declared_checks(exercise: Exercise) -> list[Declared]:
    """Every hidden check of an exercise, those of the quiz among them. Its files are run: they are the course's own."""
    found = []
    for path in exercise.hidden_checks:
        module = load_module(f"declared_{exercise.id}_{path.stem}", path.read_text(encoding="utf-8"), str(path))
        for value in vars(module).values():
            info = getattr(value, "check", None)
            if isinstance(info, CheckInfo) and value.__module__ == module.__name__:
                found.append(Declared(info, path, inspect.unwrap(value).__code__.co_firstlineno))
    quiz = [info for check in quiz_checks(exercise) if isinstance(info := getattr(check, "check", None), CheckInfo)]
    return [*found, *(Declared(info, exercise.quiz, 1) for info in quiz)]
