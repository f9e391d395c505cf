"""A judge process: one pytest session that collects the hidden checks once and runs them on many submissions.

    python -m autograder.judge.process DESCRIPTOR

The descriptor is a stream socket. The first line that comes in is the order (course, exercises, secret), answered by
`{"ready": true, "checks": ...}` or `{"fatal": ...}`; then one line of JSON per job; each is answered by one line of
JSON: `{"result": ...}` or `{"fault": ...}`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from _pytest.runner import runtestprotocol

from autograder.course import CourseConfig, load_config
from autograder.judge.engine import Engine, Job
from autograder.judge.grading import Grading
from autograder.judge.items import forbidden_names, info_of
from autograder.judge.kept import Kept
from autograder.judge.scoring import apply_points, build_result, versions
from autograder.judge.sitting import SITTING, Sitting
from autograder.language import speaking
from autograder.results.model import CheckResult, Environment, InForce, SubmissionFacts

MAX_ATTEMPTS = 3
LEAVING_SECONDS = 5.0


class JobLoop:
    """The pytest plugin that replaces the run of all tests by a loop over jobs."""

    engine_class: type[Engine] = Engine

    def __init__(self, stream: Any, order: dict[str, Any]) -> None:
        self._stream = stream
        self._order = order
        self.idle = threading.Event()  # waiting for the next job
        self.collection_errors: list[str] = []

    @pytest.hookimpl
    def pytest_configure(self, config: pytest.Config) -> None:
        """Nobody reads pytest's own account of a failure: making it means parsing the checks' source every time."""
        config.option.tbstyle = "native"

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what could not be collected: a broken check must not grade anybody."""
        if report.failed:
            self.collection_errors.append(f"{report.nodeid}: {report.longreprtext[-1500:]}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> object:
        """Answer jobs until there are no more."""
        if self.collection_errors:
            self._send({"fatal": "hidden checks cannot be collected:\n" + "\n".join(self.collection_errors)})
            return True
        torch_threads()
        course = load_config(Path(self._order["config"]))
        if self._order.get("data_set"):
            course = replace(course, data=replace(course.data, set=self._order["data_set"]))
        with speaking(self._order.get("language") or course.language, course.translations):
            self._answer_all(session, course)
        return True

    def _answer_all(self, session: pytest.Session, course: CourseConfig) -> None:
        engine = self.engine_class(
            course,
            bytes.fromhex(self._order["secret"]),
            self._order.get("unprotected", False),
            frozenset(self._order.get("without", ())),
            public=self._order.get("public", False),
            slot=self._order.get("slot"),
        )
        sitting = session.config.stash[SITTING]
        sitting.engine = engine
        sitting.limited = not self._order.get("uncalibrated", False)
        by_exercise: dict[str, list[pytest.Item]] = {}
        for item in session.items:
            if info_of(item) is not None:
                by_exercise.setdefault(item.path.parent.name, []).append(item)
        try:
            if not self._order.get("listing"):
                engine.start()
            self._send({"ready": True, "checks": worth(course, by_exercise)})
            self.idle.set()
            for line in self._stream:
                self.idle.clear()
                self._send(self._answer(json.loads(line), sitting, by_exercise))
                self.idle.set()
        except BrokenPipeError:
            pass  # the scheduler is gone
        except Exception as error:
            with contextlib.suppress(OSError):
                self._send({"fatal": f"{type(error).__name__}: {error}"})
        finally:
            engine.close()

    def _answer(
        self, order: dict[str, Any], sitting: Sitting, by_exercise: dict[str, list[pytest.Item]]
    ) -> dict[str, Any]:
        try:
            return {"result": self._judge(order, sitting, by_exercise)}
        except (KeyboardInterrupt, BrokenPipeError):
            raise
        except Exception:
            return {"fault": traceback.format_exc()[-4000:]}

    def _judge(
        self, order: dict[str, Any], sitting: Sitting, by_exercise: dict[str, list[pytest.Item]]
    ) -> dict[str, Any]:
        started = time.monotonic()
        engine = sitting.engine
        assert engine is not None
        everything = by_exercise.get(order["exercise"], [])
        watched = forbidden_names(everything)
        job = Job(order["exercise"], order["student"], order["cells"], order.get("salt", ""), watched)
        items = _selected(everything, order.get("checks", ()))
        kept = Kept(items, order["kept"]) if order.get("kept") else None
        for _attempt in range(MAX_ATTEMPTS):
            grading = engine.open(job)
            self._run(items, kept, grading, sitting, bool(order.get("progress")), partial(self._draw, engine, job))
            # Killed from outside, or by a system short of memory: that may not happen again, and is nobody's mistake.
            if not grading.session.transport.disturbed:
                break
        isolation = grading.session.transport.isolation
        environment = Environment(
            InForce("none")
            if isolation is None
            else InForce(isolation.level, list(isolation.layers), list(isolation.missing), list(isolation.why)),
            versions(),
            engine.device,
            engine.data_name if any("digits" in i.fixturenames for i in items) else "",  # type: ignore[attr-defined]
        )
        config = engine.kit(job.exercise).config
        facts = msgspec.convert(order.get("submission", {}), SubmissionFacts)
        duration = time.monotonic() - started
        result = build_result(grading, config, facts, order.get("notes", ()), environment, duration)
        return result.to_json()

    def _run(
        self, items: Sequence[pytest.Item], kept: Kept | None, grading: Grading, sitting: Sitting, tell: bool,
        afterwards: Callable[[Grading], None],
    ) -> None:  # fmt: skip
        def on_result(result: Any) -> None:
            if tell:
                self._send({"check": result.id, "outcome": result.outcome})

        sitting.grading, sitting.on_result = grading, on_result
        if kept is not None:
            grading.session.incidents += kept.incidents
        try:
            for item, following in zip(items, [*items[1:], None], strict=True):
                known = kept.result(item) if kept is not None else None
                if known is not None:
                    grading.results[known.id] = known
                    continue
                item._initrequest()  # type: ignore[attr-defined]
                runtestprotocol(item, log=False, nextitem=following)
            afterwards(grading)
        finally:
            sitting.grading = None
            grading.session.close()

    def _draw(self, engine: Engine, job: Job, grading: Grading) -> None:
        """Draw the submission's figures where they are asked for; they are for looking at, and cost no points."""
        folder = self._order.get("figures")
        if folder is None or grading.session.transport.disturbed:
            return
        from autograder.judge.figures import draw_figures

        draw_figures(engine, job, grading, Path(folder))

    def _send(self, message: dict[str, Any]) -> None:
        self._stream.write(json.dumps(message, allow_nan=False) + "\n")
        self._stream.flush()


def worth(course: CourseConfig, by_exercise: Mapping[str, Sequence[pytest.Item]]) -> dict[str, list[dict[str, Any]]]:
    """What there is to earn: for each exercise its checks as `id`, `title`, `max_points` and `visibility`, in order."""
    found = {}
    for exercise, items in by_exercise.items():
        infos = [info for item in items if (info := info_of(item)) is not None]
        checks = [CheckResult(info.id, info.title, 0.0, info.points, "skipped") for info in infos]
        apply_points(checks, course.exercise(exercise))
        found[exercise] = [
            {"id": c.id, "title": c.title, "max_points": c.max_points, "visibility": c.visibility} for c in checks
        ]
    return found


def _selected(items: list[pytest.Item], wanted: Sequence[str]) -> list[pytest.Item]:
    """The wanted checks and those that they require, all where none is named; their order is kept."""
    if not wanted:
        return items
    infos = {info.id: info for item in items if (info := info_of(item)) is not None}
    chosen: set[str] = set()
    todo = list(wanted)
    while todo:
        name = todo.pop()
        if name in infos and name not in chosen:
            chosen.add(name)
            todo += infos[name].requires
    return [item for item in items if (info := info_of(item)) is not None and info.id in chosen]


def torch_threads() -> None:
    """One thread: a class is graded by several processes, not by several threads of each."""
    import torch

    torch.set_num_threads(1)


def run_loop(loop: JobLoop, order: dict[str, Any]) -> None:
    """Collect the checks that the order names and hand them to the loop, in a pytest session of their own."""
    pytest.main(
        [
            *order["checks"],
            "-p", "autograder.judge.plugin", "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:logging",
            "-p", "no:faulthandler", "-p", "no:unraisableexception", "-p", "no:threadexception", "-W", "ignore",
            "-c", os.devnull, "--rootdir", str(Path(order["config"]).parent), "--noconftest",
            "--import-mode=importlib", "--assert=plain", "--capture=no",
        ],
        plugins=[loop],
    )  # fmt: skip


def leave_with_scheduler(connection: socket.socket, loop: JobLoop) -> None:
    """End this process when the scheduler is gone: killed, it cannot end us, and nobody waits for the job any more."""
    if not hasattr(select, "POLLRDHUP"):
        return  # not Linux: the loop notices after the job

    def watch() -> None:
        poll = select.poll()
        poll.register(connection, select.POLLRDHUP)
        poll.poll()
        if loop.idle.is_set():
            time.sleep(LEAVING_SECONDS)  # it ends by itself
        os.kill(os.getpid(), signal.SIGKILL)  # the warm parent and its workers go with us

    threading.Thread(target=watch, daemon=True).start()


def main() -> int:
    """Run the judge process on the descriptor named on the command line."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    stream = connection.makefile("rw", encoding="utf-8", newline="\n")
    order = json.loads(stream.readline())
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    loop = JobLoop(stream, order)
    leave_with_scheduler(connection, loop)
    run_loop(loop, order)
    return 0


if __name__ == "__main__":
    sys.exit(main())
