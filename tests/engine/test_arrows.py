"""The arrows between the framework's rooms go one way, however an import is written."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "autograder"

# What each room may know: whole rooms, or single modules of one. `errors` is below everything.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "language": set(),
    "results": set(),
    "wire": set(),
    "worker": {"wire"},
    "sandbox": {"worker.service"},
    "statistics": {"course.calibration"},
    "course": {"language", "results"},
    "authoring": {"course", "language"},
    "submissions": {"course", "authoring", "language", "results"},
    "judge": {"wire", "worker", "sandbox", "course", "authoring", "submissions", "results", "language", "statistics"},
    "batch": {"judge", "sandbox", "course", "authoring", "submissions", "results", "language", "statistics"},
    "reports": {"results", "course", "language"},
    "book": {"results", "course", "language"},
    "exporters": {"results", "course", "authoring", "book", "reports", "language"},
    "service": {"batch", "book", "exporters", "reports", "sandbox", "submissions", "translation", "authoring",
                "course", "results", "language"},
    "bridges": {"service", "exporters", "reports", "submissions", "authoring", "course", "results", "language"},
    "translation": {"course", "authoring", "book.rubric", "language"},
    # Nothing goes round the service. What else a command knows decides nothing:
    "commands": {"service", "bridges", "results", "language",
                 # which layouts and exporters there are: choices of options, before a course is open;
                 "submissions.layouts", "exporters.formats", "exporters.exporter", "exporters.table", "reports.cells",
                 # how results, names of strangers and matrices are shown on a terminal.
                 "submissions.shown", "reports.public", "reports.table", "reports.matrix", "reports.words"},
    "__main__": {"commands"},
    # What is public, errors included, and where a submission that checks itself is known by.
    "__init__": {"service", "bridges.notebook", "book.decisions", "submissions", "results", "worker.service",
                 "authoring.errors", "batch.judges", "book.engine", "course.errors", "reports.cells"},
}  # fmt: skip
# Where a name is put together while the program runs that is not of the module's own folder, and where it comes from.
IMPORT_BY_NAME = {
    "sandbox/parent.py", "sandbox/plain.py", "sandbox/zygote.py",  # what `sandbox.warm` and `sandbox.forks` name
    "worker/forbidden.py",  # libraries, from a check's `forbids`
    "__init__.py",  # the table of what is public
}  # fmt: skip

# `autograder.room` or `autograder.room.module` in a string: a table of modules, `python -m`, a plugin's name.
_IN_TEXT = re.compile(r"(?<![\w./-])autograder((?:\.\w+)+)")


def rooms() -> list[str]:
    return sorted(p.stem for p in PACKAGE.iterdir() if p.name != "__pycache__" and (p.is_dir() or p.suffix == ".py"))


def modules() -> set[str]:
    """Every module by its dotted name below the package: `batch`, `batch.pool`, ..."""
    paths = (path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py"))
    return {".".join(path.parts).removesuffix(".__init__") for path in paths}


def arrows_of(source: str, path: str) -> Iterator[str]:
    """What a file imports, by dotted names below the package: at its top, inside functions, by name in strings."""
    known = modules()
    tree = ast.parse(source)
    # A docstring only speaks of modules.
    spoken = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    own = ["autograder", *Path(path).with_suffix("").parts]
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(own[: len(own) - node.level]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            names = [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [ast.unparse(node)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken:
            names = [f"autograder{dotted}" for dotted in _IN_TEXT.findall(node.value)]
        for name in names:
            parts = name.split(".")
            if parts[0] != "autograder":
                continue
            while len(parts) > 1 and ".".join(parts[1:]) not in known:
                parts.pop()
            if len(parts) > 1:
                yield ".".join(parts[1:])


def imports_of(room: str) -> dict[str, set[str]]:
    """What each file of a room imports of others."""
    found = {}
    base = PACKAGE / room
    for path in sorted(base.rglob("*.py")) if base.is_dir() else [base.with_suffix(".py")]:
        name = path.relative_to(PACKAGE).as_posix()
        arrows = set(arrows_of(path.read_text(encoding="utf-8"), name))
        found[name] = {arrow for arrow in arrows if arrow.partition(".")[0] not in (room, "errors")}
    return found


@pytest.mark.parametrize("room", [r for r in rooms() if r != "locale"])
def test_a_room_knows_only_what_it_may(room):
    assert room in MAY_IMPORT, f"autograder/{room}: say in MAY_IMPORT what this room may know"
    for path, names in imports_of(room).items():
        wrong = {name for name in names if not any(f"{name}.".startswith(f"{may}.") for may in MAY_IMPORT[room])}
        assert not wrong, f"{path} imports {sorted(wrong)}"


def test_the_table_names_rooms_that_are_there():
    assert set(MAY_IMPORT) == set(rooms()) - {"locale"}
    assert {name for known in MAY_IMPORT.values() for name in known} <= modules()


def test_the_arrows_have_no_circle():
    order: list[str] = []
    while len(order) < len(MAY_IMPORT):
        ready = [
            r for r, known in MAY_IMPORT.items()
            if r not in order and {name.partition(".")[0] for name in known} <= set(order)
        ]  # fmt: skip
        assert ready, f"a circle among {sorted(set(MAY_IMPORT) - set(order))}"
        order += ready


@pytest.mark.parametrize(
    "line",
    [
        "import autograder.judge.check", "from autograder.judge.check import CheckInfo",
        "from autograder.judge import check", "from autograder import judge",
        "from ..judge import check", "from .. import judge",
        "def f():\n    from autograder.judge import check", "import autograder\nautograder.judge.check",
        "importlib.import_module('autograder.judge.check')", "TABLE = [('autograder.judge.check', 'CheckInfo', 2)]",
        "run(['-m', 'autograder.judge.process'])", "SCRIPT = 'exec python -P -m autograder.judge.process \"$base\"'",
        "PLUGIN = 'autograder.judge.plugin.JudgePlugin'", "import_module(f'autograder.judge.{name}')",
        "if TYPE_CHECKING:\n    from autograder.judge.check import CheckInfo",
    ],
)  # fmt: skip
def test_no_way_of_writing_an_import_goes_unseen(line):
    assert {arrow.partition(".")[0] for arrow in arrows_of(line, "reports/table.py")} == {"judge"}


@pytest.mark.parametrize(
    "line",
    [
        "'''Says what autograder.judge does.'''", "import autograder", "'autograder.json'", "'/autograder/judge'",
        "import judge",
    ],
)  # fmt: skip
def test_what_is_no_import_is_none(line):
    assert not set(arrows_of(line, "reports/table.py"))


def test_names_of_modules_are_put_together_in_few_places():
    """What such a call imports cannot be read from the call."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith(("import_module", "__import__")):
                continue
            own = re.match(r"""f['"]\{__(name|package)__\}\.""", ast.unparse(node.args[0]))
            if not isinstance(node.args[0], ast.Constant) and not own:
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found == IMPORT_BY_NAME


def test_torch_is_imported_by_what_judges_alone():
    """Its import takes seconds, in a command that only reads or hands on as well."""
    with_torch, others = {"judge", "worker", "wire", "statistics"}, {"nbgrader_judge", "otter_plugin"}
    paths = (path.relative_to(PACKAGE.parent).with_suffix("") for path in sorted(PACKAGE.rglob("*.py")))
    names = [
        ".".join(path.parts)
        for path in paths
        if not {"migrations", *with_torch, *others} & set(path.parts) and path.stem != "__main__"
    ]
    program = (
        f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_no_room_for_odds_and_ends():
    names = {p.stem for p in PACKAGE.rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc"}


def test_commands_parse_call_the_service_and_print():
    """Nothing else fits into a hundred lines; what is heavy is imported when they run."""
    long = {p.name: n for p in (PACKAGE / "commands").glob("*.py")
            if (n := len(p.read_text(encoding="utf-8").splitlines())) > 100}  # fmt: skip
    assert not long


def test_modules_are_short():
    long = {str(p.relative_to(PACKAGE)): n for p in PACKAGE.rglob("*.py")
            if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400}  # fmt: skip
    assert not long
