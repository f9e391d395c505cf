"""The same checks for programs that test in the student's own kernel: what nbgrader's cells and otter's tests call.

The checks are the course's own files. They run in the kernel, on the names that the student's cells made, as such
programs do it: with nothing between the two.
"""

from __future__ import annotations

import json
import os
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EXERCISE = "realnvp_toy"
COURSE = "BENCHMARK_COURSE"  # environment variable: the folder of the benchmark's course

_known: dict[str, dict[str, Any]] = {}


def outcome(namespace: dict[str, Any], check: str) -> None:
    """Raise AssertionError unless this check passes on these names."""
    if not _known:
        _known.update(_run(namespace))
    found = _known[check]
    assert found["outcome"] == "passed", found["message"]


class _Line:
    """One job in, one answer out, in the place of a socket."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self.answers: list[dict[str, Any]] = []

    def __iter__(self) -> Iterator[str]:
        yield json.dumps(self._job)

    def write(self, text: str) -> None:
        self.answers.append(json.loads(text))

    def flush(self) -> None:
        """Nothing is held back."""


def _run(namespace: dict[str, Any]) -> dict[str, dict[str, Any]]:
    from floor import FloorEngine, FloorLoop

    from autograder.judge.process import run_loop
    from autograder.judge.transport import LocalTransport

    module = types.ModuleType("kernel")
    module.__dict__.update(namespace)

    class KernelEngine(FloorEngine):
        def transport(self, job: Any, kit: Any) -> LocalTransport:
            return LocalTransport(module)

    class KernelLoop(FloorLoop):
        engine_class = KernelEngine

    root = Path(os.environ[COURSE])
    order = {
        "config": str(root / "grading_config.yaml"),
        "checks": [str(root / "tests" / "hidden" / EXERCISE)],
        "secret": b"the secret of benchmarks".hex(),
    }
    line = _Line({"exercise": EXERCISE, "student": "student", "cells": []})
    run_loop(KernelLoop(line, order), order)
    result = line.answers[-1]["result"]
    return {found["id"]: found for found in result["checks"]}
