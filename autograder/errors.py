"""The root of every error that speaks to whoever runs the program. At the bottom: it knows nobody."""

from __future__ import annotations


class AutograderError(Exception):
    """Something cannot be done; the message says what, what was got and what to do, and is shown as it stands.

    Attributes:
        status: the command's exit status: 1 for what could not be graded or proved, 2 for wrong usage or configuration.
    """

    status: int = 2

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in the place of a traceback."""
        return [f"{type(self).__name__}: {self}"]
