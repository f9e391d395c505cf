"""The checks of a quiz: one for each question of `quiz.py`, collected as if `test_quiz.py` stood beside the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

import pytest

from autograder.authoring.personal import quiz_questions
from autograder.course.discovery import Exercise
from autograder.judge.check import check

if TYPE_CHECKING:
    from autograder.judge.quiz import QuizJudge

FILE = "test_quiz.py"  # there is none: it says where the questions come among the checks
HIDDEN = ("tests", "hidden")


def quiz_checks(exercise: Exercise) -> tuple[FunctionType, ...]:
    """A check `quiz_<key>` for each question; AuthoringError where quiz.py is not of the documented form."""
    return tuple(_check_of(q.key, q.title, q.points) for q in quiz_questions(exercise))


def _check_of(key: str, title: str, points: float) -> FunctionType:
    def judge(quiz: QuizJudge) -> None:
        quiz.grade(key)

    assert isinstance(judge, FunctionType)
    judge.__name__ = judge.__qualname__ = f"test_quiz_{key}"
    judge.__doc__ = title
    assert isinstance(judge, FunctionType)
    return check(points=points, kind="quiz", covers=("quiz",))(judge)


def hidden_folder(path: Path, parent: pytest.Collector) -> pytest.Directory | None:
    """A collector for the hidden checks of an exercise that has a quiz, None for every other folder."""
    if path.parts[-3:-1] != HIDDEN:
        return None
    exercise = Exercise(path.name, "", path.parents[2])
    if not exercise.quiz.is_file():
        return None
    folder: HiddenFolder = HiddenFolder.from_parent(parent, path=path)
    folder.exercise = exercise
    return folder


class HiddenFolder(pytest.Directory):
    """The files of hidden checks, and the quiz among them."""

    exercise: Exercise

    def collect(self) -> Iterator[pytest.Collector]:
        """The files by name, as pytest has them."""
        for path in sorted({*self.path.glob("*.py"), self.path / FILE}):
            if path.is_file():
                yield from self.ihook.pytest_collect_file(file_path=path, parent=self)
            if path.name == FILE:
                questions: Questions = Questions.from_parent(self, path=path)
                questions.exercise = self.exercise
                yield questions


class Questions(pytest.Module):
    """The checks of the quiz as a module."""

    exercise: Exercise

    def _getobj(self) -> ModuleType:
        module = ModuleType(f"quiz_of_{self.exercise.id}")
        vars(module).update({function.__name__: function for function in quiz_checks(self.exercise)})
        return module
