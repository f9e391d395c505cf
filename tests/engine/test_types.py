"""How little of the package has no types: few modules may say Any, and few times. `make lint` runs mypy itself."""

from __future__ import annotations

import io
import tokenize
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_MODULES = 5
MOST_USES = 60


def test_mypy_is_strict_but_for_few_modules():
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert mypy["strict"]
    assert mypy["disallow_any_explicit"]
    loose = [name for one in mypy["overrides"] if not one.get("disallow_any_explicit", True) for name in one["module"]]
    assert len(loose) <= MOST_MODULES
    for name in loose:
        assert (ROOT / (name.replace(".", "/") + ".py")).is_file(), f"{name} is no module any more"
    assert not [one for one in mypy["overrides"] if one.get("ignore_errors") or one.get("follow_imports") == "skip"]


def uses(source: str) -> int:
    """How often a file says Any in its code, comments and texts left out."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return sum(token.type == tokenize.NAME and token.string == "Any" for token in tokens)


def test_any_is_said_seldom():
    found = {str(path.relative_to(ROOT)): uses(path.read_text(encoding="utf-8"))
             for path in (ROOT / "autograder").rglob("*.py")}  # fmt: skip
    found = {path: number for path, number in found.items() if number}
    assert sum(found.values()) <= MOST_USES, dict(sorted(found.items(), key=lambda pair: -pair[1]))


def test_any_is_counted_in_code_alone():
    assert uses("from typing import Any\n\n# Any\nx: dict[str, Any] = {'Any': 1}\n") == 2
