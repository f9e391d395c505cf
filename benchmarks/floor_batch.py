"""A class graded by the floor, as a whole process: `python floor_batch.py COURSE CLASS` prints JSON.

`seconds` is the loop over the submissions alone: reading each notebook, running its cells and the checks.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from floor import FloorLoop
from kernel_checks import EXERCISE

from autograder.judge.process import run_loop
from autograder.submissions import code_cells, read_submission


class Jobs:
    """The class as lines of jobs; answers are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.points: dict[str, float] = {}
        self.seconds = 0.0

    def __iter__(self) -> Iterator[str]:
        started = time.perf_counter()
        for place in sorted(self._folder.iterdir()):
            submission = read_submission(place / f"{EXERCISE}.ipynb", student=place.name, exercise=EXERCISE)
            cells = list(code_cells(submission, EXERCISE))
            yield json.dumps({"exercise": EXERCISE, "student": place.name, "cells": cells})
        self.seconds = time.perf_counter() - started

    def write(self, text: str) -> None:
        """Keep an answer; a fault is an error of the benchmark."""
        answer: dict[str, Any] = json.loads(text)
        if "ready" not in answer:
            result = answer["result"]
            self.points[result["student"]] = result["points"]

    def flush(self) -> None:
        """Nothing is held back."""


if __name__ == "__main__":
    course, folder = Path(sys.argv[1]), Path(sys.argv[2])
    jobs = Jobs(folder)
    order = {
        "config": str(course / "grading_config.yaml"),
        "checks": [str(course / "tests" / "hidden" / EXERCISE)],
        "secret": b"the secret of benchmarks".hex(),
    }
    run_loop(FloorLoop(jobs, order), order)
    print(json.dumps({"seconds": jobs.seconds, "points": jobs.points}))
