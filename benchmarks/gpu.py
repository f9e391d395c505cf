"""Grading on a GPU, measured in one run: to be started once on a machine that has one.

    python benchmarks/gpu.py [--minutes 9] [--exercise ID ...]

Workers in the strongest isolation that there is: how long a start takes and what memory one has, on the CPU and the
GPU. Then the reference solution of each exercise under all its hidden checks, on both, and the example class on the
GPU, held to `examples/expected.yaml`. What the time does not reach is said to be missing. Writes `gpu.json` and
`gpu.md`, after every step. Exit status 1 where there is no GPU, or where one of them does not get its points.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import yaml

from autograder import Course
from autograder.batch.job import Job, Order, job_of
from autograder.batch.judges import Judge, JudgeFault
from autograder.batch.populations import Subject, task
from autograder.course import CourseConfig, find_exercise, load_config
from autograder.judge.engine import worker_limits
from autograder.judge.gpus import usable_gpus
from autograder.judge.verdicts import FrameworkFault
from autograder.results.model import Result
from autograder.sandbox import IsolationRefused, WarmParent, WarmParentDied
from autograder.sandbox.gpu import Gpu, opening
from autograder.sandbox.isolation import MIB
from autograder.submissions import read_submission

ROOT = Path(__file__).resolve().parents[1]
SECRET = b"the secret of benchmarks"
STARTS = 5
LEFT_OUT = "not reached in time"
Device = str  # "cpu" or "cuda"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--exercise", action="append")
    parser.add_argument("--to", type=Path, default=ROOT / "benchmarks")
    options = parser.parse_args(arguments)
    course = load_config(ROOT / "grading_config.yaml")
    try:
        gpus = usable_gpus(replace(course, device="cuda"))
    except FrameworkFault as reason:
        print(f"Nothing is measured: {reason}", file=sys.stderr)
        return 1
    deadline = time.monotonic() + 60 * options.minutes
    figures: dict[str, Any] = {"machine": _machine(gpus), "starts": {}, "exercises": {}, "class": {}}

    def keep() -> None:  # after each step: what is measured is not lost with the machine
        (options.to / "gpu.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        (options.to / "gpu.md").write_text(page(figures), encoding="utf-8")

    for device in ("cpu", "cuda"):
        figures["starts"][device] = starts(course, gpus[0] if device == "cuda" else None)
        keep()
    if "refused" in figures["starts"]["cuda"]:
        figures["layers"] = layers(gpus[0])
        keep()
        print(f"The sandbox gets no GPU: {figures['starts']['cuda']['refused']}", file=sys.stderr)
        return 1
    names = options.exercise or [exercise.id for exercise in course.finished]
    _both_at_once(references(course, names), deadline, figures["exercises"], keep)
    examples = example_class(course)
    _run(["cuda"], [(name, "cuda", job) for name, job in examples], deadline, figures["class"], keep)
    keep()
    print(page(figures))
    return 0 if not wrong(figures) else 1


# --- starts


def starts(course: CourseConfig, gpu: Gpu | None) -> dict[str, Any]:
    """How long workers take to start, and what one has then: seconds, megabytes."""
    limits = worker_limits(course.exercises[0])
    driver = None
    begun = time.perf_counter()
    try:
        with WarmParent(gpu=opening(gpu) if gpu is not None else None) as parent:
            ready = time.perf_counter() - begun
            seconds, host, device = [], [], []
            for _ in range(STARTS):
                begun = time.perf_counter()
                with parent.spawn(limits) as worker:
                    seconds.append(time.perf_counter() - begun)
                    host.append(_resident(worker.pid))
                    if gpu is not None:
                        from autograder.sandbox import cuda

                        driver = driver or cuda.gauge(gpu.device)
                        used = driver.used(worker.pid)
                        device.append(used / MIB if used is not None else None)
                        worker.kill()
            isolation = parent.isolation.to_json()
    except (IsolationRefused, WarmParentDied, OSError) as refusal:
        return {"refused": str(refusal)}
    return {
        "warm_parent_seconds": round(ready, 2),
        "worker_seconds": [round(value, 3) for value in seconds],
        "host_mb": [round(value) for value in host],
        "gpu_mb": [value if value is None else round(value) for value in device],
        "isolation": isolation,
    }


def layers(gpu: Gpu) -> dict[str, str]:
    """Without which layer the GPU computes, where it does not with all: for who has to find out why."""
    found = {}
    for name, without, unprotected in (
        ("without Landlock", {"landlock"}, False),
        ("without namespaces", {"namespaces"}, False),
        ("without a filter", {"seccomp"}, True),
        ("without a filter and Landlock", {"seccomp", "landlock"}, True),
        ("without a filter and namespaces", {"seccomp", "namespaces"}, True),
        ("without any", {"seccomp", "namespaces", "landlock"}, True),
    ):
        try:
            with WarmParent(gpu=opening(gpu), without=frozenset(without), unprotected=unprotected) as parent:
                found[name] = f"it computes; {'; '.join(parent.isolation.why)}"
        except (IsolationRefused, WarmParentDied, OSError) as refusal:
            found[name] = str(refusal)
    return found


def _resident(pid: int) -> float:
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / MIB


# --- jobs


def references(course: CourseConfig, names: Iterable[str]) -> list[tuple[str, Job]]:
    """The reference solution of each exercise, as one student's submission."""
    found = []
    for name in names:
        exercise = find_exercise(course, name)
        subject = Subject("reference", "reference", exercise.solution.read_text(encoding="utf-8"))
        found.append((name, task(course, exercise, subject, 0).job))
    return found


def example_class(course: CourseConfig) -> list[tuple[str, Job]]:
    """Every file of the example class that holds code."""
    found = []
    with Course(course, secret=SECRET).read(ROOT / "examples" / "submissions") as handed_in:
        for entry in handed_in.entries:
            read = read_submission(
                entry.path, student=entry.student, exercise=entry.exercise, base=entry.base or handed_in.folder
            )
            found.append((f"{entry.student} {entry.exercise}", job_of(course, read, entry)))
    return found


Work = tuple[str, Device, Job]


def _both_at_once(
    jobs: Sequence[tuple[str, Job]], deadline: float, into: dict[str, Any], keep: Callable[[], None]
) -> None:
    """Each job on the CPU and on the GPU, at the same time: every judge has a processor of its own."""
    beside = max(1, min(8, (os.cpu_count() or 2) - 2))
    work = [(name, device, job) for name, job in jobs for device in ("cpu", "cuda")]
    _run(["cuda", *["cpu"] * beside], work, deadline, into, keep)


def _run(
    judges: Sequence[Device], work: Sequence[Work], deadline: float, into: dict[str, Any], keep: Callable[[], None]
) -> None:
    """Have judges of these devices do the work until the time is up; results go to `into[name][device]`."""
    waiting: dict[Device, queue.SimpleQueue[Work]] = {device: queue.SimpleQueue() for device in set(judges)}
    for one in work:
        waiting[one[1]].put(one)
        into.setdefault(one[0], {})[one[1]] = {"fault": LEFT_OUT}
    lock = threading.Lock()
    running: set[Judge] = set()

    def judge_all(device: Device, number: int) -> None:
        order = Order(ROOT / "grading_config.yaml", (), SECRET, device=device)  # type: ignore[arg-type]
        judge = Judge(order, number if device == "cpu" else None)
        running.add(judge)
        try:
            while time.monotonic() < deadline:
                try:
                    name, _, job = waiting[device].get_nowait()
                except queue.Empty:
                    return
                try:
                    judge.start()
                    found = measured(judge.grade(job))
                except JudgeFault as fault:
                    found = {"fault": LEFT_OUT if time.monotonic() >= deadline else str(fault)}
                with lock:
                    into[name][device] = found
                    print(f"{name} on {device}: {found.get('points', found.get('fault'))}", file=sys.stderr, flush=True)
                    keep()
        finally:
            judge.close()

    with ExitStack() as stack:
        clock = threading.Timer(max(0.0, deadline - time.monotonic()), lambda: [one.kill() for one in tuple(running)])
        clock.daemon = True
        clock.start()
        stack.callback(clock.cancel)
        threads = [threading.Thread(target=judge_all, args=(d, n), daemon=True) for n, d in enumerate(judges)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def measured(result: Result) -> dict[str, Any]:
    """What is kept of a result."""
    return {
        "points": result.points,
        "max_points": result.max_points,
        "outcome": result.outcome,
        "seconds": round(result.duration_s, 2),
        "device": result.environment.device,
        "isolation": result.environment.isolation.level,
        "lost": {check.id: check.message for check in result.checks if check.outcome != "passed"},
    }


# --- what came of it


def wrong(figures: dict[str, Any]) -> list[str]:
    """What did not get its points, in words."""
    found = []
    for name, devices in figures["exercises"].items():
        for device, one in devices.items():
            if one.get("fault", LEFT_OUT) != LEFT_OUT:
                found.append(f"{name} on {device}: {one['fault']}")
            elif "points" in one and (one["points"] < one["max_points"] or one["device"] != device):
                found.append(f"{name} on {device}: {one['points']} of {one['max_points']} points, on {one['device']}")
    expected = yaml.safe_load((ROOT / "examples" / "expected.yaml").read_text(encoding="utf-8"))
    for name, devices in figures["class"].items():
        student, exercise = name.split(" ")
        least, most = expected[student][exercise]["points"]
        one = devices["cuda"]
        if "points" in one and not least <= one["points"] <= most:
            found.append(f"{name}: {one['points']} points, {least} to {most} are due")
        elif one.get("fault", LEFT_OUT) != LEFT_OUT:
            found.append(f"{name}: {one['fault']}")
    return found


def page(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    machine = figures["machine"]
    lines = ["# Grading on a GPU", "", ", ".join(f"{key}: {value}" for key, value in machine.items()) + ".", ""]
    lines += [
        "| | warm parent, s | worker, s | its memory, MB | of the GPU's, MB | isolation |",
        "|---|---|---|---|---|---|",
    ]
    for device, one in figures["starts"].items():
        if "refused" in one:
            lines.append(f"| {device} | {one['refused']} | | | | |")
            continue
        gpu = [value for value in one["gpu_mb"] if value is not None]
        level = one["isolation"]["level"]
        missing = ", ".join(one["isolation"]["missing"]) or "nothing"
        lines.append(
            f"| {device} | {one['warm_parent_seconds']} | {statistics.median(one['worker_seconds'])} "
            f"| {statistics.median(one['host_mb'])} | {statistics.median(gpu) if gpu else '-'} "
            f"| {level}, missing: {missing} |"
        )
    lines += ["", "| reference of | CPU, s | GPU, s | points on the CPU | on the GPU |", "|---|---|---|---|---|"]
    for name, devices in figures["exercises"].items():
        cpu, cuda = devices.get("cpu", {}), devices.get("cuda", {})
        lines.append(
            f"| {name} | {_said(cpu, 'seconds')} | {_said(cuda, 'seconds')} | {_points(cpu)} | {_points(cuda)} |"
        )
    graded = [one["cuda"] for one in figures["class"].values() if "points" in one["cuda"]]
    lines += ["", f"Example class on the GPU: {len(graded)} of {len(figures['class'])} files graded, "
              f"{sum(one['seconds'] for one in graded):.0f} s.", ""]  # fmt: skip
    lines += [f"- {name}: {said}" for name, said in figures.get("layers", {}).items()]
    problems = wrong(figures)
    lines += [f"- {line}" for line in problems] or ["What was measured got the points that are due."]
    return "\n".join(lines) + "\n"


def _said(one: dict[str, Any], key: str) -> str:
    return str(one[key]) if key in one else one.get("fault", "-")


def _points(one: dict[str, Any]) -> str:
    return f"{one['points']} of {one['max_points']}" if "points" in one else "-"


def _machine(gpus: Sequence[Gpu]) -> dict[str, Any]:
    import torch

    try:
        driver = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8").splitlines()[0]
    except OSError:
        driver = "unknown"
    return {
        "gpus": len(gpus),
        "gpu": asdict(gpus[0]),
        "driver": driver,
        "kernel": platform.release(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
    }


if __name__ == "__main__":
    sys.exit(main())
