"""What examples cost: classes in which every submission fails three exact checks or more, graded with them and without.

    python benchmarks/examples.py [EXERCISE ...] [--size 8] [--rounds 3] [--whole] [--write]

Each submission is the solution with several mistakes of the bank in it, each meant for another exact check. The quick
checks alone are judged, since trainings would hide what examples take; all of them with `--whole`. Both ways grade the
same class in one run, each in a judge of its own that is started for it, as a command does. It has been graded before:
what follows from an exercise's files alone is kept (`judge/remembered.py`), and the first class after a change pays for
it. `--write` keeps the figures in `benchmarks/examples.json`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from autograder.authoring.losses import read_bank
from autograder.authoring.overlay import apply_mistake
from autograder.batch.declarations import declared_checks
from autograder.batch.job import Job, Order, job_of
from autograder.batch.judges import Judge
from autograder.course import CourseConfig, find_exercise, load_config
from autograder.results.model import Result
from autograder.submissions.model import Cell, Submission

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_suffix(".json")
EXERCISES = ("markov_quiz", "realnvp_toy", "kde_mixture")
FAILING = 3  # exact checks of each submission
SETTLED = 0.3  # seconds until what a worker took that has just ended stands in the account of its parent


def submissions(course: CourseConfig, name: str, size: int, whole: bool = False) -> list[Job]:
    """A class: each submission with four mistakes that are meant for different exact checks."""
    exercise = find_exercise(course, name)
    kinds = {c.info.id: c.info.kind for c in declared_checks(exercise)}
    quick = tuple(check for check, kind in kinds.items() if kind in ("exact", "statistical"))
    solution = exercise.solution.read_text(encoding="utf-8").rstrip()
    by_check: dict[str, list[str]] = {}
    for mistake in read_bank(exercise):
        if kinds[mistake.check] == "exact":
            by_check.setdefault(mistake.check, []).append(apply_mistake(solution, mistake)[len(solution) :])
    jobs = []
    for number in range(size):
        checks = [list(by_check)[(number + step * 3) % len(by_check)] for step in range(FAILING + 1)]
        changes = [by_check[check][number % len(by_check[check])] for check in dict.fromkeys(checks)]
        file = f"{name}.py"
        cell = Cell(1, file, solution + "".join(changes), 1)
        submission = Submission(f"s{number}", name, Path(file), "", "py", (cell,))
        jobs.append(job_of(course, submission, checks=() if whole else quick))
    return jobs


def processor_seconds() -> float:
    """What this process and all that have come of it have taken of processors: what a class takes on one, however busy
    the machine is."""
    everybody = [psutil.Process(), *psutil.Process().children(recursive=True)]
    total = 0.0
    for process in everybody:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def paired(configs: Sequence[Path], jobs: list[Job]) -> tuple[list[list[tuple[float, float]]], list[Result]]:
    """A class graded both ways by fresh judges, each submission by one and then the other: what else goes on on the
    machine slows down both.

    Returns:
        the seconds of each way, by the clock and of processors, its start first; the results of the last one.
    """
    seconds: list[list[tuple[float, float]]] = [[] for _ in configs]
    results: list[list[Result]] = [[] for _ in configs]

    @contextlib.contextmanager
    def timed(place: int) -> Iterator[None]:
        clock, processors = time.perf_counter(), processor_seconds()
        yield
        clock = time.perf_counter() - clock
        time.sleep(SETTLED)
        seconds[place].append((clock, processor_seconds() - processors))

    with contextlib.ExitStack() as stack:
        judges = []
        for place, config in enumerate(configs):
            with timed(place):
                judges.append(stack.enter_context(Judge(Order(config, (), b"the secret of benchmarks"))))
        for number, job in enumerate(jobs):
            ways = range(len(configs))
            for place in ways if number % 2 else reversed(ways):
                with timed(place):
                    results[place].append(judges[place].grade(job))
    return seconds, results[-1]


def without_examples(folder: Path) -> Path:
    """The course, making none."""
    written = yaml.safe_load((ROOT / "grading_config.yaml").read_text(encoding="utf-8"))
    file = ROOT / f".without-examples-{folder.name}.yaml"
    file.write_text(yaml.safe_dump(written | {"examples": "hidden"}), encoding="utf-8")
    return file


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("exercises", nargs="*", default=EXERCISES)
    parser.add_argument("--size", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--whole", action="store_true", help="judge trainings too")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    options = parser.parse_args()
    config = ROOT / "grading_config.yaml"
    course = load_config(config)
    figures = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    with tempfile.TemporaryDirectory() as folder:
        plain = without_examples(Path(folder))
        try:
            for name in options.exercises:
                jobs = submissions(course, name, options.size, options.whole)
                paired((config,), jobs)  # what is kept of an exercise, and what all starts share, is there
                rounds = [paired((plain, config), jobs) for _ in range(options.rounds)]
                explained = rounds[0][1]
                # The middle of what each step took, the start among them: [way][clock or processors][step].
                bare, ours = (
                    [
                        [statistics.median(one[kind] for one in step) for step in zip(*steps, strict=True)]
                        for kind in (0, 1)
                    ]
                    for steps in ([seconds[way] for seconds, _ in rounds] for way in (0, 1))
                )
                red = [sum(c.kind == "exact" and c.outcome == "failed" for c in r.checks) for r in explained]
                measured = f"{name}, whole" if options.whole else name
                figures[measured] = {
                    "submissions": len(jobs),
                    "fewest_failing": min(red),
                    "failing": sum(red),
                    "examples": sum(c.example is not None for result in explained for c in result.checks),
                    "seconds_without": round(sum(bare[0]), 2),
                    "seconds_with": round(sum(ours[0]), 2),
                    "ratio": round(sum(ours[0]) / sum(bare[0]), 3),
                    "processor_seconds_without": round(sum(bare[1]), 2),
                    "processor_seconds_with": round(sum(ours[1]), 2),
                    "processor_ratio": round(sum(ours[1]) / sum(bare[1]), 3),
                    "processor_ratio_after_the_start": round(sum(ours[1][1:]) / sum(bare[1][1:]), 3),
                }
                print(measured, figures[measured], flush=True)
        finally:
            plain.unlink()
    if options.write:
        RESULTS.write_text(json.dumps(dict(sorted(figures.items())), indent=1) + "\n")


if __name__ == "__main__":
    main()
