"""The graders side by side: each grades a class as its user would, by its own command."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assignment import POINTS, ROOT, Course
from kernel_checks import COURSE, EXERCISE
from measuring import Measured, measure

HERE = Path(__file__).resolve().parent
BRIDGES = ROOT / ".venv-bridges" / "bin"


@dataclass(frozen=True)
class Graded:
    """A class graded: what the whole command took, the part of it after the start, and the points by student."""

    measured: Measured
    steady_seconds: float | None
    points: dict[str, float]


class Programs:
    """Runs each grader on the benchmark's course.

    Args:
        course: what to grade.
        work: an empty folder to work in.
    """

    def __init__(self, course: Course, work: Path) -> None:
        self._course = course
        self._work = work
        self._checks = _check_points(course)
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self._environment = dict(os.environ) | threads | {
            "AUTOGRADER_SECRET": "the secret of benchmarks", "PYTHONPATH": f"{HERE}{os.pathsep}{ROOT}",
            COURSE: str(course.folder), "HOME": str(work), "JUPYTER_PLATFORM_DIRS": "1",
        }  # fmt: skip
        self._bridges = self._environment | {"PATH": f"{BRIDGES}{os.pathsep}{os.environ['PATH']}"}
        work.mkdir(parents=True, exist_ok=True)

    def ours(self, folder: Path, cores: Sequence[int], out: Path | None = None) -> Graded:
        """`autograder grade`, one worker per core; into a fresh folder where none is named."""
        if out is None:
            out = self._work / "out"
            shutil.rmtree(out, ignore_errors=True)
        command = [
            sys.executable, "-m", "autograder.commands.main", "grade", folder, "--out", out,
            "--course", self._course.folder, "--workers", str(len(cores)),
        ]  # fmt: skip
        measured = measure(command, cores, self._environment, self._work)
        begun, ended, points = [], [], {}
        for path in (out / "results").glob("*/*.json"):
            result = json.loads(path.read_text(encoding="utf-8"))
            points[result["student"]] = result["points"]
            ended.append(path.stat().st_mtime)
            begun.append(ended[-1] - result["duration_s"])
        return Graded(measured, max(ended) - min(begun), points)

    def floor(self, folder: Path, cores: Sequence[int]) -> Graded:
        """The same checks in one warm process, without any isolation."""
        command = [sys.executable, HERE / "floor_batch.py", self._course.folder, folder]
        measured = measure(command, cores, self._environment, self._work)
        said = json.loads(measured.output.strip().splitlines()[-1])
        return Graded(measured, said["seconds"], said["points"])

    def nbgrader(self, folder: Path, cores: Sequence[int]) -> Graded:
        """`nbgrader autograde`, as nbgrader does it: a kernel for each notebook, tests in its cells."""
        template = self._work / "nbgrader-template"
        if not template.exists():
            self._make_nbgrader(template, cores)
        place = self._work / "nbgrader"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(template, place)
        for student in sorted(folder.iterdir()):
            notebook = json.loads((student / f"{EXERCISE}.ipynb").read_text(encoding="utf-8"))
            notebook["cells"] += self._test_cells()
            target = place / "submitted" / student.name / EXERCISE / f"{EXERCISE}.ipynb"
            target.parent.mkdir(parents=True)
            target.write_text(json.dumps(notebook), encoding="utf-8")
        measured = measure([BRIDGES / "nbgrader", "autograde", EXERCISE], cores, self._bridges, place)
        program = (
            "import json; from nbgrader.api import Gradebook\n"
            "with Gradebook('sqlite:///gradebook.db') as g:\n"
            f"    print(json.dumps({{s.student.id: s.score for s in g.assignment_submissions({EXERCISE!r})}}))"
        )
        said = measure([BRIDGES / "python", "-c", program], cores, self._bridges, place).output
        return Graded(measured, None, json.loads(said.strip().splitlines()[-1]))

    def otter(self, folder: Path, cores: Sequence[int]) -> Graded:
        """`otter run` on each submission, one after another."""
        zip_file = self._work / "otter" / "autograder.zip"
        if not zip_file.exists():
            self._make_otter(zip_file.parent, cores)
        parts, points = [], {}
        for student in sorted(folder.iterdir()):
            command = [BRIDGES / "otter", "run", "-a", zip_file, "-o", zip_file.parent, student / f"{EXERCISE}.ipynb"]
            parts.append(measure(command, cores, self._bridges, zip_file.parent))
            said = json.loads((zip_file.parent / "results.json").read_text(encoding="utf-8"))
            points[student.name] = sum(test.get("score", 0.0) for test in said["tests"])
        together = Measured(
            sum(part.seconds for part in parts), max(part.largest_mb for part in parts),
            max(part.together_mb for part in parts), "",
        )  # fmt: skip
        return Graded(together, None, points)

    def _make_nbgrader(self, place: Path, cores: Sequence[int]) -> None:
        source = place / "source" / EXERCISE / f"{EXERCISE}.ipynb"
        source.parent.mkdir(parents=True)
        config = "c = get_config()\nc.CourseDirectory.course_id = 'benchmarks'\nc.Execute.timeout = 300\n"
        (place / "nbgrader_config.py").write_text(config, encoding="utf-8")
        notebook = {
            "cells": self._test_cells(), "nbformat": 4, "nbformat_minor": 5,
            "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        }  # fmt: skip
        source.write_text(json.dumps(notebook), encoding="utf-8")
        measure([BRIDGES / "nbgrader", "generate_assignment", EXERCISE], cores, self._bridges, place)

    def _test_cells(self) -> list[dict[str, Any]]:
        """A cell with points for each check, as authors of nbgrader courses write them."""
        return [
            {
                "cell_type": "code", "execution_count": None, "id": f"test-{check}", "outputs": [],
                "metadata": {"nbgrader": {
                    "grade": True, "grade_id": check, "locked": True, "points": points, "schema_version": 3,
                    "solution": False, "task": False, "cell_type": "code",
                }},
                "source": f"from kernel_checks import outcome\n\noutcome(globals(), {check!r})",
            }
            for check, points in self._checks.items()
        ]  # fmt: skip

    def _make_otter(self, place: Path, cores: Sequence[int]) -> None:
        (place / "tests").mkdir(parents=True)
        for check, points in self._checks.items():
            text = (
                "from otter.test_files import test_case\n\nOK_FORMAT = False\n"
                f"name = {check!r}\n\n\n@test_case(points={points!r})\ndef test_{check}(env):\n"
                f"    from kernel_checks import outcome\n\n    outcome(env, {check!r})\n"
            )
            (place / "tests" / f"{check}.py").write_text(text, encoding="utf-8")
        command = [BRIDGES / "otter", "generate", "-t", "tests", "-o", "autograder.zip", "--no-config"]
        measure(command, cores, self._bridges, place)


def _check_points(course: Course) -> dict[str, float]:
    """The points of each check, scaled as our configuration scales them."""
    from autograder import Course as OurCourse
    from autograder.service.grader import worth

    found = {check.id: check.max_points for check in worth(OurCourse.open(course.folder), [EXERCISE])[EXERCISE]}
    assert abs(sum(found.values()) - POINTS) < 0.01
    return found
