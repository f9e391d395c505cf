"""A course of exercises on generative models, and the grader that keeps every answer out of reach.

    from autograder import Course

    course = Course.open("course")
    with course.read("class.zip") as handed_in, course.book("out") as book, course.grader() as grader:
        batch = grader.grade_class(handed_in, book)
        for grade in book.grades():
            print(grade.student, grade.exercise, grade.final)

Public is what `__all__` names; each is imported when it is used, so that the package itself stays light. Errors that a
caller can do something about derive from `AutograderError`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograder.authoring.errors import AuthoringError as AuthoringError
    from autograder.batch.judges import JudgeFault as JudgeFault
    from autograder.book.decisions import Decision as Decision
    from autograder.book.engine import StoreFault as StoreFault
    from autograder.bridges.notebook.check import Shell
    from autograder.bridges.notebook.check import check as check
    from autograder.course.errors import ConfigurationError as ConfigurationError
    from autograder.errors import AutograderError as AutograderError
    from autograder.reports.cells import ExportFault as ExportFault
    from autograder.results.grade import Grade as Grade
    from autograder.results.model import Result as Result
    from autograder.service.book import Book as Book
    from autograder.service.classes import Batch as Batch
    from autograder.service.classes import Choice as Choice
    from autograder.service.classes import ChoiceFault as ChoiceFault
    from autograder.service.classes import Listener as Listener
    from autograder.service.course import Course as Course
    from autograder.service.decisions import DecisionFault as DecisionFault
    from autograder.service.grader import Cluster as Cluster
    from autograder.service.grader import Grader as Grader
    from autograder.service.roll import RollFault as RollFault
    from autograder.submissions import HandIn as HandIn
    from autograder.submissions import SubmissionUnreadable as SubmissionUnreadable

__version__ = "0.2.0"

_PUBLIC = {
    "AuthoringError": "autograder.authoring.errors",
    "AutograderError": "autograder.errors",
    "Batch": "autograder.service.classes",
    "Book": "autograder.service.book",
    "Choice": "autograder.service.classes",
    "ChoiceFault": "autograder.service.classes",
    "Cluster": "autograder.service.grader",
    "ConfigurationError": "autograder.course.errors",
    "Course": "autograder.service.course",
    "Decision": "autograder.book.decisions",
    "DecisionFault": "autograder.service.decisions",
    "ExportFault": "autograder.reports.cells",
    "Grade": "autograder.results.grade",
    "Grader": "autograder.service.grader",
    "HandIn": "autograder.submissions",
    "JudgeFault": "autograder.batch.judges",
    "Listener": "autograder.service.classes",
    "Result": "autograder.results.model",
    "RollFault": "autograder.service.roll",
    "StoreFault": "autograder.book.engine",
    "SubmissionUnreadable": "autograder.submissions",
    "check": "autograder.bridges.notebook.check",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> object:
    """What is public, imported when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "check" and "autograder.worker.service" in sys.modules:
        # A submission that checks itself, run by the checks: there is nobody to show a report to.
        return _Nothing()
    return getattr(import_module(_PUBLIC[name]), name)


class _Nothing:
    """What `autograder.check` is, and gives, where a submission is graded: whatever is asked of it is nothing."""

    def __call__(self, *arguments: object, **options: object) -> _Nothing:
        return self

    def __getattr__(self, name: str) -> _Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: object) -> _Nothing:
        return self

    def __iter__(self) -> Iterator[_Nothing]:
        return iter(())

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return ""

    def __format__(self, form: str) -> str:
        return ""


def load_ipython_extension(shell: Shell) -> None:
    """What `%load_ext autograder` calls: register `%autograder`."""
    from autograder.bridges.notebook.check import register

    register(shell)
