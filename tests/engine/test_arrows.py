"""The arrows between the framework's rooms go one way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "autograder"

# What each room may know. `results`, `language` and `wire` know nobody; the worker knows only the wire.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "language": set(),
    "results": set(),
    "wire": set(),
    "worker": {"wire"},
    "sandbox": set(),
    "statistics": set(),
    "course": {"language"},
    "authoring": {"course", "language"},
    "submissions": {"course", "authoring", "language"},
    "judge": {"wire", "worker", "sandbox", "course", "authoring", "submissions", "results", "language", "statistics"},
    "batch": {"judge", "sandbox", "course", "authoring", "submissions", "results", "language", "statistics"},
    "bridges": {"batch", "course", "authoring", "submissions", "results", "language"},
    "reports": {"results", "course", "language"},
    "gradebook": {"results", "course", "language"},
    "translation": {"course", "authoring", "gradebook", "language"},
    "exporters": {"results", "course", "authoring", "gradebook", "reports", "language"},
    "web": {"results", "course", "reports", "gradebook", "language"},
    "notebook": {"batch", "course", "results", "reports", "language", "submissions"},
}


def rooms() -> list[str]:
    return sorted(p.stem for p in PACKAGE.iterdir() if p.name != "__pycache__" and (p.is_dir() or p.suffix == ".py"))


def imports_of(room: str) -> dict[str, set[str]]:
    """Rooms that each file of a room imports."""
    found = {}
    base = PACKAGE / room
    for path in sorted(base.rglob("*.py")) if base.is_dir() else [base.with_suffix(".py")]:
        names = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module]
            names |= {m.split(".")[1] for m in modules if m.startswith("autograder.")}
        found[str(path.relative_to(PACKAGE))] = names - {room, "errors"}
    return found


@pytest.mark.parametrize("room", [r for r in rooms() if r not in ("__init__", "commands", "locale")])
def test_a_room_knows_only_what_it_may(room):
    assert room in MAY_IMPORT, f"autograder/{room}: say in MAY_IMPORT what this room may know"
    for path, names in imports_of(room).items():
        assert names <= MAY_IMPORT[room], f"{path} imports {sorted(names - MAY_IMPORT[room])}"


def test_the_arrows_have_no_circle():
    order: list[str] = []
    while len(order) < len(MAY_IMPORT):
        ready = [r for r, known in MAY_IMPORT.items() if r not in order and known <= set(order)]
        assert ready, f"a circle among {sorted(set(MAY_IMPORT) - set(order))}"
        order += ready


def test_no_room_for_odds_and_ends():
    names = {p.stem for p in PACKAGE.rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc"}


def test_modules_are_short():
    long = {str(p.relative_to(PACKAGE)): n for p in PACKAGE.rglob("*.py")
            if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400}  # fmt: skip
    assert not long
