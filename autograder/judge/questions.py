"""The checks of a quiz: one for each question of `quiz.py`, collected as if `test_quiz.py` stood beside the others."""

from __future__ import annotations

from collections.abc import Iterator
from os.path import isfile
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

import pytest

from autograder.authoring.personal import AskQuestions, load_quiz, quiz_questions
from autograder.course.discovery import PUBLIC_CHECKS, Exercise
from autograder.course.handout import HANDOUT_CONFIG
from autograder.judge.check import check
from autograder.language import N_

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


def form_checks(quiz: Path) -> tuple[FunctionType, ...]:
    """A check `quiz_<key>` for each question of the quiz that students have: whether its answer has the right form."""
    loaded = load_quiz(quiz)
    return tuple(_form_check_of(key, kind, loaded.questions) for key, kind in loaded.forms.items())


def _form_check_of(key: str, kind: str, ask: AskQuestions) -> FunctionType:
    def judge(quiz: QuizJudge) -> None:
        quiz.look_at_form(key, kind, ask)

    assert isinstance(judge, FunctionType)
    judge.__name__ = judge.__qualname__ = f"test_quiz_{key}"
    judge.__doc__ = N_("Quiz, {key}: an answer of the form that is asked for.").format(key=key)
    assert isinstance(judge, FunctionType)
    return check(kind="quiz")(judge)


def folder_of_checks(path: Path, parent: pytest.Collector) -> pytest.Directory | None:
    """A collector for the checks of an exercise that has a quiz, hidden or public; None for every other folder."""
    # Not `Path.is_file`, which raises where a folder is closed to us.
    if isfile(path / PUBLIC_CHECKS) and isfile(path.parent / HANDOUT_CONFIG):
        given: PublicFolder = PublicFolder.from_parent(parent, path=path)
        return given
    if path.parts[-3:-1] != HIDDEN:
        return None
    exercise = Exercise(path.name, "", path.parents[2])
    if not exercise.quiz.is_file():
        return None
    folder: HiddenFolder = HiddenFolder.from_parent(parent, path=path)
    folder.exercise = exercise
    return folder


class PublicFolder(pytest.Directory):
    """The public checks of an exercise, and the form of the answers to its quiz."""

    def collect(self) -> Iterator[pytest.Collector]:
        """Both files."""
        yield from self.ihook.pytest_collect_file(file_path=self.path / PUBLIC_CHECKS, parent=self)
        if (self.path / "quiz.py").is_file():
            forms: AnswerForms = AnswerForms.from_parent(self, path=self.path / "quiz.py")
            yield forms


class AnswerForms(pytest.Module):
    """The checks of the form of answers as a module."""

    def _getobj(self) -> ModuleType:
        module = ModuleType(f"forms_of_{self.path.parent.name}")
        vars(module).update({function.__name__: function for function in form_checks(self.path)})
        return module


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
