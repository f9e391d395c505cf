"""The one error of a book."""

from __future__ import annotations

from autograder.errors import AutograderError


class StoreFault(AutograderError):
    """The book cannot be used, or a decision makes no sense: says which and why, in one line."""
