"""The service and what is around it print nothing, read no command line and change nothing that the process shares."""

from __future__ import annotations

import ast
import contextvars
import os
import signal
import threading
from pathlib import Path

import pytest

from autograder import Course
from autograder.language import language, speaking
from tests.engine.classes import SECRET

PACKAGE = Path(__file__).parents[3] / "autograder"
ROOMS = ("service", "bridges", "batch", "book", "course")
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for room in ROOMS for path in (PACKAGE / room).rglob("*.py"))
# Programs of their own, and code that is written into students' notebooks: their process is theirs.
THEIR_OWN = {
    "batch/cluster_local.py": {"signal", "print", "sys.argv"},  # `python -m`: a cluster of this machine
    "bridges/gradescope/run.py": {"print", "sys.argv", "sys.exit"},  # `python -m`, in Gradescope's container
    "bridges/cells.py": {"print", "os.environ"},  # what cells call that nbgrader and otter-grader execute
    "bridges/nbgrader_judge.py": {"atexit.register"},  # nbgrader's plugin: judges end with nbgrader
    "bridges/notebook/check.py": {"print"},  # tells a student in a notebook which check runs
    "bridges/ci/log.py": {"sys.stdout"},  # asks whether it is a terminal
}
FORBIDDEN_MODULES = {"click", "rich", "signal", "argparse", "autograder.commands"}
FORBIDDEN_CALLS = {
    "print", "input", "use_language", "os.chdir", "os.putenv", "os.unsetenv", "os.umask", "os.environ.update",
    "os.environ.setdefault", "os.environ.pop", "signal.signal", "sys.exit", "locale.setlocale", "atexit.register",
    "logging.basicConfig", "warnings.simplefilter", "warnings.filterwarnings", "random.seed", "torch.manual_seed",
}  # fmt: skip
FORBIDDEN_NAMES = {"sys.argv", "sys.stdout", "sys.stderr", "sys.stdin", "sys.path"}


def shared(source: str) -> set[str]:
    """What of the process a module touches."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in FORBIDDEN_MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} & FORBIDDEN_MODULES
            found |= {f"{node.module}.{alias.name}" for alias in node.names} & (FORBIDDEN_MODULES | FORBIDDEN_CALLS)
        elif isinstance(node, ast.Call):
            found |= {ast.unparse(node.func)} & FORBIDDEN_CALLS
        elif isinstance(node, ast.Attribute):
            found |= {ast.unparse(node)} & FORBIDDEN_NAMES
        elif isinstance(node, ast.Global):
            found.add("global")
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            found |= {ast.unparse(node.value)} & {"os.environ"}
    return found


@pytest.mark.parametrize("name", MODULES)
def test_no_module_touches_what_is_shared(name):
    assert shared((PACKAGE / name).read_text(encoding="utf-8")) == THEIR_OWN.get(name, set())


@pytest.mark.parametrize(
    "line",
    ["print('x')", "import click", "from rich.console import Console\nimport rich", "os.environ['A'] = 'x'", "sys.argv",
     "del os.environ['A']", "os.chdir('/')", "signal.signal(2, f)", "def f():\n    global x", "use_language('fr')"],
)  # fmt: skip
def test_what_would_be_is_found(line):
    assert shared(line)


def test_a_run_leaves_the_process_as_it_was(toy, toy_solution, tmp_path, capfd):
    """In another thread, in another language than the caller's, which stays the caller's."""
    file = tmp_path / "ada" / "toy.py"
    file.parent.mkdir()
    file.write_text(toy_solution)
    before = os.getcwd(), dict(os.environ), [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    seen = []

    def run():
        course = Course.open(toy, "fr")
        course = Course(course.config, "fr", secret=SECRET)
        grader, book = course.grader(workers=1), course.book(tmp_path / "out")
        with course.read(tmp_path) as handed_in, book, grader:
            grader.grade_class(handed_in, book)
            seen.append(grader.grade(file).points)
            seen.extend(grade.final for grade in book.grades())
        seen.append(language())

    with speaking("en"):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(run,))
        thread.start()
        thread.join()
        assert language() == "en"
    assert seen == [9.0, 9.0, "en"]
    assert capfd.readouterr() == ("", "")
    assert before == (os.getcwd(), dict(os.environ), [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)])
