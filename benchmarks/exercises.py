"""Processor time of each exercise's hidden checks on its reference solution, and their sum over the course.

    python benchmarks/exercises.py [--runs 3] [--to DIRECTORY] [EXERCISE ...]

Every exercise has a judge of its own, on one core: one run more is what all its checks cost, its start left out. A
control group counts the time of all processes, of those that ended too: Linux, and somebody who may make one (root).
Writes `exercises.json` and `exercises.md` after every exercise: what was measured before is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.course import load_config

ROOT = Path(__file__).resolve().parents[1]
TARGET_SECONDS = 360.0  # of the whole course
CGROUPS = Path("/sys/fs/cgroup")
_ONE_RUN = """
import sys
from autograder.batch.job import Order
from autograder.batch.judges import Judge
from autograder.batch.populations import subjects, task
from autograder.course import find_exercise, load_config
from pathlib import Path

file, name, runs = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
course = load_config(file)
exercise = find_exercise(course, name)
reference = next(subject for subject in subjects(exercise) if subject.kind == "reference")
with Judge(Order(file, (exercise.hidden_folder,), b"the secret of benchmarks")) as judge:
    for seed in range(runs):
        result = judge.grade(task(course, exercise, reference, seed).job)
        assert result.points == result.max_points, [c for c in result.checks if c.outcome != "passed"]
        print(seed, flush=True)
        sys.stdin.readline()  # until what was spent so far has been read
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exercises", nargs="*", metavar="EXERCISE")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--to", type=Path, default=ROOT / "benchmarks")
    options = parser.parse_args(arguments)
    course = load_config(ROOT / "grading_config.yaml")
    names = options.exercises or [exercise.id for exercise in course.finished]
    file = options.to / "exercises.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for name in names:
        known[name] = measured(name, options.runs)
        print(f"{name}: {known[name]['checks']:.1f} s of a processor, start {known[name]['start']:.1f} s", flush=True)
        file.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        (options.to / "exercises.md").write_text(table(known), encoding="utf-8")
    return 0


def measured(name: str, runs: int) -> dict[str, float]:
    """Seconds of a processor: of all checks of one run, and of everything up to the end of the first."""
    command = [sys.executable, "-c", _ONE_RUN, str(ROOT / "grading_config.yaml"), name, str(runs + 1)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with (
        counted() as group,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=group.enter
        ) as judge,
    ):
        assert judge.stdin is not None
        assert judge.stdout is not None
        spent = []
        for _line in judge.stdout:
            spent.append(group.seconds())
            judge.stdin.write("\n")
            judge.stdin.flush()
    if len(spent) != runs + 1:
        raise subprocess.CalledProcessError(judge.returncode, command[:2])
    each = (spent[-1] - spent[0]) / runs
    return {"checks": round(each, 2), "start": round(spent[0] - each, 2), "runs": runs}


@dataclass(frozen=True)
class Group:
    """A control group of processes: whatever descends from one that entered is counted, also once it ended."""

    folder: Path

    def enter(self) -> None:
        """Put the calling process into it."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

    def seconds(self) -> float:
        """Processor time of all of them so far."""
        if (v1 := self.folder / "cpuacct.usage").is_file():
            return int(v1.read_text(encoding="ascii")) / 1e9
        words = (self.folder / "cpu.stat").read_text(encoding="ascii").split()
        return int(words[words.index("usage_usec") + 1]) / 1e6


@contextmanager
def counted() -> Iterator[Group]:
    """A new control group below the one that this process is in (cgroup v1 or v2); OSError where none may be made."""
    lines = Path("/proc/self/cgroup").read_text(encoding="ascii").split()
    places = {kind: path for _number, kind, path in (line.split(":", 2) for line in lines)}
    v1 = Path("/sys/fs/cgroup/cpuacct")
    above = v1 / places.get("cpuacct", "/").lstrip("/") if v1.is_dir() else CGROUPS / places[""].lstrip("/")
    folder = above / f"autograder-benchmark-{os.getpid()}"
    folder.mkdir()
    try:
        yield Group(folder)
    finally:
        until = time.monotonic() + 10
        while (folder / "cgroup.procs").read_text(encoding="ascii") and time.monotonic() < until:
            time.sleep(0.05)  # what is left of a judge ends by itself
        folder.rmdir()


def table(known: Mapping[str, Mapping[str, float]]) -> str:
    """The figures as Markdown."""
    total = sum(figures["checks"] for figures in known.values())
    lines = [
        "| exercise | all hidden checks, processor seconds | start of a judge |", "|---|---|---|",
        *(f"| `{name}` | {own['checks']:.1f} | {own['start']:.1f} |" for name, own in known.items()),
        f"| together ({len(known)}) | {total:.1f} (target {TARGET_SECONDS:.0f}) | "
        f"{statistics.median(own['start'] for own in known.values()):.1f} (median) |",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
