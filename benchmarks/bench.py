"""How fast a class is graded: this project, nbgrader, otter-grader and the floor, side by side in one run.

    python benchmarks/bench.py [--quick] [--sections tools,training,size,cores] [--rounds 5]

Writes results.json (ratios with their spread over the rounds), pictures and README.md beside this file; with --quick,
which proves that it runs and measures nothing, into out/bench. Needs `make bridges`, and a machine that does nothing
else meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from assignment import ROOT, make_course, write_class
from measuring import spread
from presenting import draw, readme
from programs import BRIDGES, Graded, Programs

TARGETS = {"floor": 1.15, "nbgrader": 10.0, "otter": 20.0, "two_cores": 1.8, "regrade": 0.01, "flat": 0.10}


class Bench:
    """The sections of the benchmark on one course."""

    def __init__(self, work: Path, rounds: int, quick: bool) -> None:
        self._work = work
        self._rounds = rounds
        self._batch = 6 if quick else 18
        self._sizes = (3, 6, 12) if quick else (10, 100, 1000)
        self._pair = 12 if quick else 100
        self._cores = sorted(os.sched_getaffinity(0))
        self._programs = Programs(make_course(work / "course"), work / "runs")

    def tools(self) -> dict[str, Any]:
        """The batch by each program, on one core; in turns, so that a slow minute hits all alike."""
        folder = self._class(self._batch)
        one = self._cores[:1]
        graders: dict[str, Callable[[], Graded]] = {
            "floor": lambda: self._programs.floor(folder, one),
            "ours": lambda: self._programs.ours(folder, one),
        }
        if (BRIDGES / "nbgrader").is_file() and (BRIDGES / "otter").is_file():
            graders["nbgrader"] = lambda: self._programs.nbgrader(folder, one)
            graders["otter"] = lambda: self._programs.otter(folder, one)
        else:
            print("nbgrader and otter-grader are not installed: run `make bridges`", file=sys.stderr)
        runs: dict[str, list[Graded]] = {name: [] for name in graders}
        graders["floor"]()  # files into the cache
        for number in range(self._rounds):
            names = list(graders)
            for name in names[number % len(names):] + names[: number % len(names)]:  # fmt: skip
                runs[name].append(graders[name]())
                print(f"round {number + 1}: {name} {runs[name][-1].measured.seconds:.1f} s", file=sys.stderr)
        _same_points({name: found[0].points for name, found in runs.items()})
        whole = {name: [g.measured.seconds for g in found] for name, found in runs.items()}
        steady = {name: [g.steady_seconds or 0.0 for g in runs[name]] for name in ("floor", "ours")}
        section: dict[str, Any] = {
            "submissions": self._batch,
            "seconds": {name: spread(values) for name, values in whole.items()},
            "peak_mb": {name: spread([g.measured.largest_mb for g in found], 0) for name, found in runs.items()},
            "together_mb": {name: spread([g.measured.together_mb for g in found], 0) for name, found in runs.items()},
            "steady_seconds": {name: spread(values) for name, values in steady.items()},
            "ours_to_floor": spread(_ratios(whole["ours"], whole["floor"])),
            "ours_to_floor_after_the_start": spread(_ratios(steady["ours"], steady["floor"])),
        }
        for name in ("nbgrader", "otter"):
            if name in whole:
                section[f"{name}_to_ours"] = spread(_ratios(whole[name], whole["ours"]), 1)
        return section

    def training(self) -> dict[str, Any]:
        """The same batch judged by all checks of the exercise, trainings and quiz included: ours and the floor."""
        folder, one = self._class(self._batch), self._cores[:1]
        course = make_course(self._work / "course-whole", whole=True)
        programs = Programs(course, self._work / "runs-whole")
        ours, floor = [], []
        for number in range(self._rounds):
            floor.append(programs.floor(folder, one))
            ours.append(programs.ours(folder, one))
            seconds = ours[-1].measured.seconds, floor[-1].measured.seconds
            print(
                f"round {number + 1}, with trainings: ours {seconds[0]:.1f} s, floor {seconds[1]:.1f} s",
                file=sys.stderr,
            )
        _same_points({"ours": ours[0].points, "floor": floor[0].points})
        whole = [[g.measured.seconds for g in found] for found in (ours, floor)]
        steady = [[g.steady_seconds or 0.0 for g in found] for found in (ours, floor)]
        return {
            "submissions": self._batch,
            "seconds": {"ours": spread(whole[0]), "floor": spread(whole[1])},
            "ours_to_floor": spread(_ratios(*whole)),
            "ours_to_floor_after_the_start": spread(_ratios(*steady)),
        }

    def size(self) -> dict[str, Any]:
        """Cost and memory against the size of the class, on one core; and the same class again, unchanged."""
        rows = []
        for count in self._sizes:
            folder, out = self._class(count), self._work / f"out-{count}"
            graded = self._programs.ours(folder, self._cores[:1], out)
            steady = graded.steady_seconds or 0.0
            row = {
                "submissions": count,
                "seconds": round(graded.measured.seconds, 2),
                "seconds_each": round(graded.measured.seconds / count, 4),
                "steady_seconds_each": round(steady / count, 4),
                "peak_mb": round(graded.measured.largest_mb),
                "together_mb": round(graded.measured.together_mb),
            }
            again = [self._programs.ours(folder, self._cores[:1], out).measured.seconds for _ in range(self._rounds)]
            row["regrade_seconds"] = spread(again)
            row["regrade_to_grade"] = spread([seconds / graded.measured.seconds for seconds in again], 5)
            rows.append(row)
            print(
                f"{count} submissions: {row['seconds']} s, again {row['regrade_seconds']['median']} s", file=sys.stderr
            )
        each = [row["steady_seconds_each"] for row in rows]
        return {"classes": rows, "each_largest_to_smallest_class": round(each[-1] / each[0], 3)}

    def cores(self) -> dict[str, Any]:
        """One core against two."""
        if len(self._cores) < 2:
            return {"left_out": "this machine has one core"}
        section: dict[str, Any] = {}
        for name, count in (("batch", self._batch), ("class", self._pair)):
            folder = self._class(count)
            one, two = [], []
            for _ in range(self._rounds):
                one.append(self._programs.ours(folder, self._cores[:1]))
                two.append(self._programs.ours(folder, self._cores[:2]))
            section[name] = {
                "submissions": count,
                "one_to_two": spread(_ratios([g.measured.seconds for g in one], [g.measured.seconds for g in two])),
                "one_to_two_after_the_start": spread(
                    _ratios([g.steady_seconds or 0.0 for g in one], [g.steady_seconds or 1.0 for g in two])
                ),
            }
            print(f"{count} submissions on two cores: {section[name]['one_to_two']['median']}", file=sys.stderr)
        return section

    def _class(self, count: int) -> Path:
        folder = self._work / f"class-{count}"
        return folder if folder.exists() else write_class(folder, count)


def _ratios(above: list[float], below: list[float]) -> list[float]:
    return [a / b for a, b in zip(above, below, strict=True)]


def _same_points(points: dict[str, dict[str, float]]) -> None:
    """All programs must have judged the same: a fast grader that judges otherwise is no comparison."""
    for name, found in points.items():
        for student, expected in points["ours"].items():
            if abs(found.get(student, 0.0) - expected) > 0.01:
                raise SystemExit(f"{name} gives {student} {found.get(student)} points, ours gives {expected}")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small classes, one round: proves that it runs")
    parser.add_argument("--sections", default="tools,training,size,cores", help="which to run (default: all)")
    parser.add_argument("--rounds", type=int, help="default: 5, with --quick 1")
    options = parser.parse_args()
    target = ROOT / "out" / "bench" if options.quick else ROOT / "benchmarks"
    target.mkdir(parents=True, exist_ok=True)
    file = target / "results.json"
    results = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    results |= {
        "command": "make bench",
        "machine": {"cores": os.cpu_count(), "processor": _processor(), "python": platform.python_version()},
        "targets": TARGETS,
    }
    work = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        bench = Bench(work, options.rounds or (1 if options.quick else 5), options.quick)
        for section in options.sections.split(","):
            results[section] = getattr(bench, section)()
            # What has been measured is kept, whatever comes after.
            file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    draw(results, target)
    (target / "README.md").write_text(readme(results), encoding="utf-8")
    print(readme(results))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


if __name__ == "__main__":
    main()
