"""The same checks for programs that test in the student's own kernel: what nbgrader's cells and otter's tests call.

The checks are the course's own files. They run in the kernel, on the names that the student's cells made, as such
programs do it: with nothing between the two.
"""

from __future__ import annotations

import os
import types
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.results.model import CheckResult

EXERCISE = "realnvp_toy"
COURSE = "BENCHMARK_COURSE"  # environment variable: the folder of the benchmark's course

_known: dict[str, CheckResult] = {}


def outcome(namespace: dict[str, Any], check: str) -> None:
    """Raise AssertionError unless this check passes on these names."""
    if not _known:
        _known.update(_run(namespace))
    found = _known[check]
    assert found.outcome == "passed", found.message


class _Line:
    """One job in, one answer out, in the place of a socket."""

    def __init__(self, question: str) -> None:
        self._question = question
        self.answer = ""

    def __iter__(self) -> Iterator[str]:
        yield self._question

    def write(self, text: str) -> None:
        self.answer = text

    def flush(self) -> None:
        """Nothing is held back."""


def _run(namespace: dict[str, Any]) -> dict[str, CheckResult]:
    from floor import FloorEngine, FloorLoop

    from autograder.judge.messages import Ask, Job, JobResult, Order, Start, answer_from, to_line
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
    order = Order(root / "grading_config.yaml", (root / "tests" / "hidden" / EXERCISE,), b"the secret of benchmarks")
    line = _Line(to_line(Ask(Job(EXERCISE, "student", (), 900.0), last=True)))
    run_loop(KernelLoop(line, Start(order)), order)
    answer = answer_from(line.answer)
    assert isinstance(answer, JobResult), answer
    return {check.id: check for check in answer.result.checks}
