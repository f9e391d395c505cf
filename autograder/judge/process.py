"""A judge process: one pytest session that collects checks once and runs them on many submissions.

    python -m autograder.judge.process DESCRIPTOR

The descriptor is a stream socket; `messages` says what is spoken on it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
from _pytest.outcomes import OutcomeException
from _pytest.runner import runtestprotocol
from msgspec import Struct

from autograder.course import ConfigurationError, CourseConfig, find_exercise, load_config
from autograder.judge.check import CheckInfo
from autograder.judge.engine import Engine
from autograder.judge.grading import Grading
from autograder.judge.items import forbidden_names, info_of
from autograder.judge.kept import KeptChecks
from autograder.judge.messages import (
    Ask,
    Disturbed,
    Fault,
    Job,
    JobAnswer,
    JobResult,
    Judging,
    Killed,
    Order,
    Ready,
    Start,
    Unable,
    Worth,
    from_line,
    to_line,
)
from autograder.judge.scoring import apply_points, build_result, versions
from autograder.judge.sitting import SITTING, Sitting
from autograder.judge.transport import Death
from autograder.language import said, speaking
from autograder.results.model import CheckResult, Environment, Incident, InForce
from autograder.sandbox import WarmParentDied

LEAVING_SECONDS = 5.0


class LineStream(Protocol):
    """Where questions come from and answers go: a socket's stream."""

    def __iter__(self) -> Iterator[str]:
        """The questions, as they come."""

    def write(self, text: str, /) -> object:
        """Send a line."""

    def flush(self) -> object:
        """Let it go."""


class CannotCollect(Exception):
    """The checks of an exercise are broken: they must not grade anybody."""


class JobLoop:
    """The pytest plugin that replaces the run of all tests by a loop over jobs."""

    engine_class: type[Engine] = Engine

    def __init__(self, stream: LineStream, start: Start) -> None:
        self._stream = stream
        self._order = start.order
        self._slot = start.slot
        self._items: dict[str, list[pytest.Item]] = {}  # checks by exercise
        self._broken: list[str] = []
        self.idle = threading.Event()  # waiting for the next job

    @pytest.hookimpl
    def pytest_configure(self, config: pytest.Config) -> None:
        """Nobody reads pytest's own account of a failure: making it means parsing the checks' source every time."""
        config.option.tbstyle = "native"

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what could not be collected: a broken check must not grade anybody."""
        if report.failed:
            self._broken.append(f"{report.nodeid}: {report.longreprtext[-1500:]}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        """Nothing yet: see `_collect`."""
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Answer jobs until there are no more."""
        try:
            self._collect(session, self._order.checks)
        except CannotCollect as broken:
            self._send(Unable(str(broken)))
            return True
        torch_threads()
        course = load_config(self._order.config)
        if self._order.data_set is not None:
            course = replace(course, data=replace(course.data, set=self._order.data_set))
        if self._order.device is not None:
            course = replace(course, device=self._order.device)
        with speaking(self._order.language or course.language, course.translations):
            self._answer_all(session, course)
        return True

    def _collect(self, session: pytest.Session, places: Sequence[Path]) -> None:
        """Collect checks, once for all jobs."""
        if places:
            session.perform_collect([str(place) for place in places])
        if self._broken:
            listing = "\n".join(self._broken)
            self._broken.clear()
            raise CannotCollect(f"hidden checks cannot be collected:\n{listing}")
        for item in session.items:
            if info_of(item) is not None:
                self._items.setdefault(item.path.parent.name, []).append(item)

    def _answer_all(self, session: pytest.Session, course: CourseConfig) -> None:
        order = self._order
        engine = self.engine_class(
            course,
            order.secret,
            order.unprotected,
            order.without,
            public=order.public,
            slot=self._slot,
            slower=order.slower,
        )
        sitting = session.config.stash[SITTING]
        sitting.engine = engine
        sitting.limited = not order.uncalibrated
        try:
            if not order.listing:
                engine.start()
            self._send(Ready(worth(course, self._items)))
            self.idle.set()
            for line in self._stream:
                self.idle.clear()
                self._send(self._answer(from_line(line, Ask), session, engine, sitting))
                self.idle.set()
        except BrokenPipeError:
            pass  # the scheduler is gone
        except WarmParentDied as died:  # killed while it started, perhaps, by a system short of memory
            with contextlib.suppress(OSError):
                self._send(Disturbed(str(died)))
        except Exception as error:
            with contextlib.suppress(OSError):
                self._send(Unable(f"{type(error).__name__}: {error}"))
        finally:
            engine.close()

    def _answer(self, question: Ask, session: pytest.Session, engine: Engine, sitting: Sitting) -> JobAnswer:
        exercise = question.job.exercise
        try:
            if exercise not in self._items and not self._order.public:
                self._collect(session, [find_exercise(engine.config, exercise).hidden_folder])
            return self._judge(question, engine, sitting)
        except (KeyboardInterrupt, BrokenPipeError):
            raise
        except (CannotCollect, ConfigurationError) as broken:
            return Unable(str(broken))
        except WarmParentDied as died:
            engine.close()
            return Disturbed(str(died))
        except Exception:
            return Fault(traceback.format_exc()[-4000:])

    def _judge(self, question: Ask, engine: Engine, sitting: Sitting) -> JobAnswer:
        started = time.monotonic()
        job = question.job
        everything = self._items.get(job.exercise, [])
        items = _selected(everything, job.checks)
        kept = KeptChecks(items, job.kept) if job.kept is not None else None
        kit = engine.kit(job.exercise)
        grading = engine.open(job, forbidden_names(everything), question.spent, question.last, question.doubted)
        killed = self._run(items, kept, grading, sitting, question, partial(self._afterwards, engine, job, sitting))
        if killed:
            engine.close()  # the warm parent may be among the dead
        isolation = grading.session.transport.isolation
        environment = Environment(
            InForce("none")
            if isolation is None
            else InForce(isolation.level, list(isolation.layers), list(isolation.missing), list(isolation.why)),
            versions() | ({"ipython": job.reader} if job.reader else {}),
            engine.device,
            ", ".join(sorted({engine.images.data_name(names_of(item)) for item in items} - {""})),
            "cpu" if engine.device != "cpu" and sitting.limited and kit.limits.borrowed else "",
        )
        result = build_result(grading, kit.config, job.submission, job.notes, environment, time.monotonic() - started)
        return JobResult(result, killed, grading.session.student_seconds)

    def _run(
        self,
        items: Sequence[pytest.Item],
        kept: KeptChecks | None,
        grading: Grading,
        sitting: Sitting,
        question: Ask,
        afterwards: Callable[[Grading, Sequence[pytest.Item], bool], None],
    ) -> tuple[Killed, ...]:
        """Run the checks; those that lost their worker are told."""

        def on_start(info: CheckInfo, seconds: float) -> None:
            if question.progress:
                self._send(Judging(said(info.title), seconds))

        sitting.grading, sitting.on_start = grading, on_start
        deaths = grading.session.transport.deaths
        killed: list[Killed] = []
        known = {}
        if kept is not None:
            grading.session.incidents += kept.incidents
            known = {item: result for item in items if (result := kept.result(item)) is not None}
        judged = [item for item in items if item not in known]
        following = dict(zip(judged, [*judged[1:], None], strict=True))
        try:
            for item in items:
                if item in known:
                    grading.results[known[item].id] = known[item]
                    continue
                item._initrequest()  # type: ignore[attr-defined]
                before, told = len(deaths), len(grading.session.incidents)
                runtestprotocol(item, log=False, nextitem=following[item])
                killed += _lost_by(item, grading, deaths[before:], told)
            grading.reconsider()
            afterwards(grading, judged, bool(killed))
            return tuple(killed)
        finally:
            _tear_down(judged)
            sitting.grading = None
            grading.session.close()

    def _afterwards(
        self, engine: Engine, job: Job, sitting: Sitting, grading: Grading, judged: Sequence[pytest.Item], killed: bool
    ) -> None:
        """What is for looking at, and costs no points: figures where they are asked for, examples of what is wrong.

        Figures wait for a try in which nobody was killed. What a check has lost by itself is explained in this one: its
        result is kept in the next.
        """
        if job.pictures is not None and not killed:
            from autograder.judge.figures import draw_figures

            draw_figures(engine, job, grading, job.pictures)
        if not (self._order.public or self._order.uncalibrated or job.salt):  # somebody is graded, and may read it
            from autograder.judge.examples import explain_failures
            from autograder.judge.excerpt import excerpts

            written = excerpts(job.cells)
            for check, name in grading.about.items():
                grading.results[check].lines = written.get(name)

            try:
                explain_failures(engine, job, grading, judged, sitting)
            except Exception as error:  # the checks are judged, and their result must not be lost
                if not killed:
                    why = f"not looked for: {type(error).__name__}: {error}"
                    grading.session.incidents.append(Incident("example", why))

    def _send(self, message: Struct) -> None:
        self._stream.write(to_line(message))
        self._stream.flush()


def worth(course: CourseConfig, by_exercise: Mapping[str, Sequence[pytest.Item]]) -> dict[str, tuple[Worth, ...]]:
    """What there is to earn by the checks of each exercise, in order."""
    found = {}
    for exercise, items in by_exercise.items():
        infos = [info for item in items if (info := info_of(item)) is not None]
        checks = [CheckResult(info.id, info.title, 0.0, info.points, "skipped") for info in infos]
        apply_points(checks, course.exercise(exercise))
        found[exercise] = tuple(Worth(c.id, c.title, c.max_points, c.visibility) for c in checks)
    return found


def names_of(item: pytest.Item) -> Sequence[str]:
    """The fixtures that a check takes."""
    return item.fixturenames if isinstance(item, pytest.Function) else ()


def _lost_by(item: pytest.Item, grading: Grading, deaths: Sequence[Death], told: int) -> list[Killed]:
    """What a check lost by workers that were killed meanwhile. Nothing where it has passed all the same: then it is
    nobody's mistake, and no incident either (those before `told` are older)."""
    info = info_of(item)
    result = grading.results.get(info.id) if info is not None else None
    if result is None or not deaths or result.outcome == "blocked":
        return []
    if result.outcome == "passed":
        grading.session.incidents[told:] = [one for one in grading.session.incidents[told:] if one.kind != "died"]
        return []
    return [Killed(result.id, death.at, death.proved) for death in deaths]


def _selected(items: Sequence[pytest.Item], wanted: Sequence[str]) -> Sequence[pytest.Item]:
    """The wanted checks and those that they need, all where none is named; their order is kept."""
    if not wanted:
        return items
    infos = {info.id: info for item in items if (info := info_of(item)) is not None}
    chosen: set[str] = set()
    todo = list(wanted)
    while todo:
        name = todo.pop()
        if name in infos and name not in chosen:
            chosen.add(name)
            todo += infos[name].needs
    return [item for item in items if (info := info_of(item)) is not None and info.id in chosen]


def _tear_down(items: Sequence[pytest.Item]) -> None:
    """Leave nothing set up that the next job would stumble over, where this one has ended before its last check."""
    for item in items[:1]:
        with contextlib.suppress(Exception, OutcomeException):  # no result comes of it
            item.session._setupstate.teardown_exact(None)


def torch_threads() -> None:
    """One thread: a class is graded by several processes, not by several threads of each."""
    import torch

    torch.set_num_threads(1)


def run_loop(loop: JobLoop, order: Order) -> None:
    """Run the loop in a pytest session of its own."""
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):  # of whoever runs us: for other tests, and `-v` would be refused
        os.environ.pop(name, None)
    course = str(order.config.parent)
    pytest.main(
        [
            "-p", "autograder.judge.plugin", "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:logging",
            "-p", "no:faulthandler", "-p", "no:unraisableexception", "-p", "no:threadexception", "-W", "ignore",
            "-c", os.devnull, "--rootdir", course, "--noconftest",
            # Nothing above it is looked at: who grades in /home may not read what stands beside their own folder.
            "--confcutdir", course,
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
    start = from_line(stream.readline(), Start)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    loop = JobLoop(stream, start)
    leave_with_scheduler(connection, loop)
    run_loop(loop, start.order)
    return 0


if __name__ == "__main__":
    sys.exit(main())
