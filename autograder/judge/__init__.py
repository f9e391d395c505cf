"""Runs hidden checks as pytest tests on a submission that lives in another process."""

from autograder.judge.check import check
from autograder.judge.verdicts import CheckFailed

__all__ = ["CheckFailed", "check"]
