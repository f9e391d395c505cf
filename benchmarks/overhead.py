"""Time per submission beyond the student's own computation: our judge against the floor, in one run.

    python benchmarks/overhead.py [--rounds 7]

Both grade the same submissions one after another on one core: the reference and five known mistakes of each of two
exercises. The floor calls the same checks in one warm process (`floor.py`), without worker, wire or isolation. Writes
`benchmarks/overhead.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge
from autograder.batch.populations import subjects, task
from autograder.course import find_exercise, load_config

ROOT = Path(__file__).resolve().parents[1]
EXERCISES = ("markov_quiz", "realnvp_toy")


class Floor(Judge):
    """The floor behind a judge's face."""

    program = (str(ROOT / "benchmarks" / "floor.py"),)


def jobs(mistakes: int) -> list[Job]:
    """The reference and some mistakes of each exercise."""
    course = load_config(ROOT / "grading_config.yaml")
    found = []
    for name in EXERCISES:
        exercise = find_exercise(course, name)
        known = subjects(exercise)
        chosen = [s for s in known if s.kind == "reference"] + [s for s in known if s.kind == "mistake"][:mistakes]
        found += [task(course, exercise, subject, 0).job for subject in chosen]
    return found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mistakes", type=int, default=5)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for everything
    course = load_config(ROOT / "grading_config.yaml")
    folders = tuple(find_exercise(course, name).hidden_folder for name in EXERCISES)
    order = Order(course.file, folders, b"the secret of benchmarks")
    work = jobs(options.mistakes)
    times: dict[str, list[list[float]]] = {"judge": [[] for _ in work], "floor": [[] for _ in work]}
    with Judge(order) as judge, Floor(order) as floor:
        for grader in (judge, floor):
            for job in work:
                grader.grade(job)  # warm
        for _ in range(options.rounds):
            for i, job in enumerate(work):
                for name, grader in (("judge", judge), ("floor", floor)):
                    started = time.perf_counter()
                    grader.grade(job)
                    times[name][i].append(time.perf_counter() - started)
    ours = [statistics.median(t) for t in times["judge"]]
    bare = [statistics.median(t) for t in times["floor"]]
    extra = [a - b for a, b in zip(ours, bare, strict=True)]
    figures = {
        "submissions": len(work),
        "rounds": options.rounds,
        "seconds_judge": round(sum(ours), 3),
        "seconds_floor": round(sum(bare), 3),
        "ratio": round(sum(ours) / sum(bare), 3),
        "extra_ms_median": round(1000 * statistics.median(extra), 1),
        "extra_ms_highest": round(1000 * max(extra), 1),
    }
    (ROOT / "benchmarks" / "overhead.json").write_text(json.dumps(figures, indent=1) + "\n")
    json.dump(figures, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
