"""A pytest plugin that writes down what became of each attack: docs/reference/attacks.json, for the table of the docs.

    python -m pytest -p tests.engine.docs.record_attacks tests/engine/hostile tests/engine/sandbox/test_attacks.py

An attack is a parametrised test that proves (`prove`, hostile/conftest.py) or talks to a worker (`talk`,
sandbox/conftest.py). What was recorded of other attacks stays; what is no longer there goes.
"""

from __future__ import annotations

import errno
import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[3] / "docs" / "reference" / "attacks.json"
_seen: dict[str, dict[str, Any]] = {}


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    name = pyfuncitem.callspec.params.get("name") if hasattr(pyfuncitem, "callspec") else None
    mode = pyfuncitem.funcargs.get("mode")
    results: list[Any] = []
    for asked in ("prove", "talk"):
        if name is not None and asked in pyfuncitem.funcargs:
            pyfuncitem.funcargs[asked] = _listening(pyfuncitem.funcargs[asked], results)
    outcome = yield
    plain = mode == "full" == pyfuncitem.funcargs.get("given", "full")  # with a GPU they get the same answers
    if name is None or not plain or not results or outcome.excinfo is not None:
        return
    key = f"{pyfuncitem.path.stem}::{pyfuncitem.originalname}::{name}"
    first = results[0]
    _seen[key] = _graded(first) if isinstance(first, dict) else _refused(first)


def pytest_sessionfinish() -> None:
    before = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    tested = runpy.run_path(str(FILE.parents[1] / "attacks.py"))["tested"]()
    merged = {key: value for key, value in sorted((before | _seen).items()) if key in tested}
    FILE.write_text(json.dumps(merged, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _listening(function: Any, results: list[Any]) -> Any:
    def call(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        results.append(result)
        return result

    return call


def _graded(result: dict[str, Any]) -> dict[str, Any]:
    """What the student reads first, and what the instructor is shown besides."""
    failed = [check for check in result["checks"] if check["outcome"] == "failed"]
    loading = [problem["message"] for problem in result["loading"]]
    return {
        "student": [*loading, *(check["message"] for check in failed)][:1],
        "instructor": sorted({f"{incident['kind']}: {incident['detail']}" for incident in result["incidents"]}),
    }


def _refused(reply: Any) -> dict[str, Any]:
    return {"error": reply.error, "errno": errno.errorcode.get(reply.errno or 0, "")}
