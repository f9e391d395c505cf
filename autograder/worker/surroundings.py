"""The small world a student's file expects: no display, no keyboard, a notebook's names."""

from __future__ import annotations

import builtins
import sys
import types


def prepare() -> None:
    """Make what notebooks take for granted harmless: `input`, `plt.show`, `display`, `get_ipython`."""
    builtins.input = _no_input
    builtins.display = _nothing  # type: ignore[attr-defined]
    builtins.get_ipython = _ipython  # type: ignore[attr-defined]
    for name in ("exit", "quit"):
        setattr(builtins, name, sys.exit)
    _quiet_pyplot()
    _pretend_ipython()


def _no_input(prompt: object = "") -> str:
    raise EOFError("input() has nobody to ask while a file is graded; write the value into the code")


def _nothing(*args: object, **kwargs: object) -> None:
    return None


class _Shell:
    """Stands for IPython's shell: every method does nothing."""

    def getoutput(self, command: str) -> list[str]:
        """What a command printed, line by line: none is run."""
        return []

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return _nothing


def _ipython() -> _Shell:
    return _Shell()


def _quiet_pyplot() -> None:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.show = _nothing  # type: ignore[attr-defined]


def _pretend_ipython() -> None:
    # Students import these for display only; the package need not be installed where grades are made.
    if "IPython" in sys.modules:
        return
    package = types.ModuleType("IPython")
    package.get_ipython = _ipython  # type: ignore[attr-defined]
    display = types.ModuleType("IPython.display")
    for name in ("display", "clear_output", "HTML", "Image", "Markdown", "Math", "Latex", "Video", "Audio", "SVG"):
        setattr(display, name, _nothing)
    package.display = display  # type: ignore[attr-defined]
    sys.modules["IPython"] = package
    sys.modules["IPython.display"] = display
