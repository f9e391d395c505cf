"""A class graded by the floor, as a whole process: `python floor_batch.py COURSE CLASS` prints JSON.

`seconds` is the loop over the submissions alone: reading each notebook, running its cells and the checks.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from floor import FloorLoop
from kernel_checks import EXERCISE

from autograder.batch.job import job_of
from autograder.course import CourseConfig, load_config
from autograder.judge.messages import Ask, JobResult, Order, Ready, Start, answer_from, to_line
from autograder.judge.process import run_loop
from autograder.submissions import read_submission


class Jobs:
    """The class as lines of jobs; answers are kept."""

    def __init__(self, course: CourseConfig, folder: Path) -> None:
        self._course = course
        self._folder = folder
        self.points: dict[str, float] = {}
        self.seconds = 0.0

    def __iter__(self) -> Iterator[str]:
        started = time.perf_counter()
        for place in sorted(self._folder.iterdir()):
            submission = read_submission(place / f"{EXERCISE}.ipynb", student=place.name, exercise=EXERCISE)
            yield to_line(Ask(job_of(self._course, submission), last=True))
        self.seconds = time.perf_counter() - started

    def write(self, text: str) -> None:
        """Keep an answer; a fault is an error of the benchmark."""
        answer = answer_from(text)
        if not isinstance(answer, Ready):
            assert isinstance(answer, JobResult), answer
            self.points[answer.result.student] = answer.result.points

    def flush(self) -> None:
        """Nothing is held back."""


if __name__ == "__main__":
    course, folder = Path(sys.argv[1]), Path(sys.argv[2])
    config = load_config(course / "grading_config.yaml")
    jobs = Jobs(config, folder)
    order = Order(config.file, (course / "tests" / "hidden" / EXERCISE,), b"the secret of benchmarks")
    run_loop(FloorLoop(jobs, Start(order)), order)
    print(json.dumps({"seconds": jobs.seconds, "points": jobs.points}))
