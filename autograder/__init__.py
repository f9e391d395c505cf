"""A course of exercises on generative models, and the grader that keeps every answer out of reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.bridges.notebook import check as check

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`autograder.check`, imported when it is used: the package itself stays light."""
    if name != "check":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import sys

    if "autograder.worker.service" in sys.modules:
        # A submission that checks itself, run by the checks: there is nobody to show a report to.
        return lambda *arguments, **options: None
    from autograder.bridges.notebook import check

    return check


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext autograder` calls: register `%autograder`."""
    from autograder.bridges.notebook.magic import register

    register(shell)
