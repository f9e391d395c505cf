"""Import of a submission: every top-level statement runs by itself, and one that fails costs only itself."""

from __future__ import annotations

import builtins
import linecache
import signal
import sys
import types
from collections.abc import Callable, Coroutine, Sequence
from inspect import CO_COROUTINE

from autograder.wire.values import CellData
from autograder.worker.cells import N_, Problem, Statement, describe_syntax_error, split_statements
from autograder.worker.raised import describe_exception

MAX_PROBLEMS = 50


class StatementTimeout(BaseException):
    """Raised inside a top-level statement that runs too long. Not an Exception: `except Exception` lets it pass."""


def load(
    name: str,
    cells: list[CellData],
    skip: set[int],
    statement_seconds: float,
    progress: Callable[[int, str, int], None],
    libraries: Sequence[str] = (),
) -> tuple[types.ModuleType, list[Problem]]:
    """Run the cells of a submission in a fresh module.

    Args:
        name: the exercise, which becomes the module's name.
        cells: `source`, `where`, `filename` and `first_line` of each code cell.
        skip: numbers of top-level statements not to be run (they hung or killed an earlier worker).
        statement_seconds: how long one statement may take before it is interrupted.
        progress: told the number, place and line of each statement before it runs.
        libraries: those that can be imported, for who has imported another.

    Returns:
        The module with everything that could be defined, and what could not.
    """
    module = types.ModuleType(name)
    module.__file__ = f"{name}.py"
    module.__dict__["__builtins__"] = builtins
    sys.modules[name] = module
    problems: list[Problem] = []
    statements: list[Statement] = []
    flags = 0
    for cell in cells:
        _remember_source(cell["filename"], cell["source"], cell["first_line"])
        try:
            found, lost, flags = split_statements(
                cell["source"], cell["filename"], cell["where"], cell["first_line"], flags
            )
        except Exception as error:  # whatever is in a cell, it must not cost the other cells
            found, lost = [], [Problem(cell["where"], cell["first_line"], "syntax", describe_syntax_error(error))]
        statements += found
        problems += lost
    for number, statement in enumerate(statements):
        if number in skip:
            continue
        progress(number, statement.where, statement.line)
        problem = _run(statement, module.__dict__, statement_seconds, libraries)
        if problem is not None:
            problems.append(problem)
    sys.modules[name] = module
    return module, problems[:MAX_PROBLEMS]


def _run(
    statement: Statement, namespace: dict[str, object], seconds: float, libraries: Sequence[str]
) -> Problem | None:
    def interrupt(signum: int, frame: object) -> None:
        raise StatementTimeout

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        if statement.code.co_flags & CO_COROUTINE:  # `await` at the top level, as notebooks have it
            _complete(eval(statement.code, namespace))
        else:
            exec(statement.code, namespace)
        return None
    except StatementTimeout:
        late = N_("this statement did not end within {seconds:g} s and was left out")
        kind, message = "timeout", late.format(seconds=seconds)
    except SystemExit:
        kind, message = "exception", N_("this statement asks Python to exit; the rest of the file was still read")
    except BaseException as error:
        kind, message = "exception", _absent(error, libraries)
        if not message:
            raised = describe_exception(error)
            message = f"{raised.type_name}: {raised.message}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return Problem(statement.where, statement.line, kind, message)


def _absent(error: BaseException, libraries: Sequence[str]) -> str:
    """What to say of a whole library that is not there; empty where it is another error."""
    name = error.name if type(error) is ModuleNotFoundError else None
    if type(name) is not str or not libraries or name.partition(".")[0] in sys.modules:
        return ""
    absent = N_("`{name}` cannot be imported here; there are Python's own modules and {listing}; this was left out")
    return absent.format(name=name[:100], listing=", ".join(libraries))


def _complete(coroutine: Coroutine[object, object, object]) -> None:
    import asyncio

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(coroutine)
    finally:
        loop.close()


def _remember_source(filename: str, source: str, first_line: int) -> None:
    # inspect.getsource and tracebacks read the student's own lines from here; there is no file to read.
    lines = [line + "\n" for line in source.split("\n")]
    known = linecache.cache.get(filename)
    before: list[str] = list(known[2]) if known and len(known) == 4 else []
    before += ["\n"] * (first_line - 1 - len(before))
    text = before[: first_line - 1] + lines
    linecache.cache[filename] = (sum(map(len, text)), None, text, filename)
