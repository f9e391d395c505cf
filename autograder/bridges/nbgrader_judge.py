"""nbgrader's preprocessors of an exported course: `JudgeCells` gives the points, and no kernel runs.

nbgrader runs a student's code and the tests in one kernel, where the code can change the tests, and reads the points
from the cells' outputs. `JudgeCells` takes the place of that run: it hands the code cells to a judge, which runs them
in the sandbox as `autograder grade` does, and writes the outputs itself. Nothing that a student writes into a notebook
(code, outputs, metadata, cells of checks) reaches the points but through the judge.
"""

from __future__ import annotations

import atexit
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from autograder.authoring.regions import make_stub
from autograder.bridges.asking import course_of, remarks, sure, verdict
from autograder.bridges.nbgrader_course import PREFIX, PUBLIC, check_cell
from autograder.language import _
from autograder.results.model import CheckResult, Result
from autograder.service.grader import Grader

_graders: dict[Path, Grader] = {}  # of each exported folder, for as long as nbgrader runs


class StubCells(NbGraderPreprocessor):  # type: ignore[misc]
    """Solution regions become the stubs that `autograder assign` writes."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> Any:
        """Replace the regions of one cell."""
        if cell.cell_type == "code" and "### BEGIN SOLUTION" in cell.source:
            cell.source = make_stub(cell.source, Path(resources["nbgrader"]["notebook"]))
        return cell, resources


class RestoreChecks(NbGraderPreprocessor):  # type: ignore[misc]
    """A submission gets the cells of the checks as the gradebook has them, once each, after all others."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Put them back, and take nbgrader's metadata from cells that it would not know."""
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            source = gradebook.find_notebook(names["notebook"], names["assignment"])
            known = {cell.name: cell for cell in source.source_cells}
            points = {cell.name: cell.max_score for cell in source.grade_cells}
            kept, seen = [], set(points)
            for cell in nb.cells:
                identity = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")
                if identity in points:
                    continue
                if identity is not None and (identity not in known or identity in seen):
                    del cell.metadata["nbgrader"]
                seen.add(identity)
                kept.append(cell)
            for name, worth in points.items():
                cell = nbformat.from_dict(check_cell(name, known[name].source, worth))  # type: ignore[no-untyped-call]
                cell.metadata.nbgrader["checksum"] = known[name].checksum
                kept.append(cell)
            nb.cells = kept
        if nb.nbformat_minor < 5:  # cells have no id in older notebooks
            for cell in nb.cells:
                cell.pop("id", None)
        return nb, resources


class JudgeCells(NbGraderPreprocessor):  # type: ignore[misc]
    """Judge the notebook and write each check's outcome into its cell, as output."""

    folder = Unicode("", help="Folder of the exported course; it holds autograder.json.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Judge, and fill the outputs.

        Raises:
            JudgeFault: the framework could not grade: nbgrader lists the submission and keeps no points of it.
        """
        names = resources["nbgrader"]
        grader = _grader(Path(self.folder or "."))
        with grader.course.speaking():
            self._fill(grader, nb, names)
        return nb, resources

    def _fill(self, grader: Grader, nb: Any, names: Any) -> None:
        exercise = grader.course.config.exercise(names["notebook"])
        result = judge_notebook(grader, nb, names["student"], exercise.id)
        outcomes = {PREFIX + check.id: check for check in result.checks}
        said = remarks(result) or result.message
        now = datetime.now(UTC)
        for cell in nb.cells:
            rights = cell.get("metadata", {}).get("nbgrader", {})
            if cell.cell_type != "code" or not rights.get("grade"):
                continue
            identity = rights["grade_id"]
            if identity == PUBLIC:
                cell.outputs = [_text(said)] if said else []
                continue
            check = outcomes.get(identity)
            cell.outputs = _outputs(check, verdict(check, result, exercise, now)) if check else [_nothing()]


def judge_notebook(grader: Grader, nb: Any, student: str, exercise: str) -> Result:
    """The result of a notebook in memory; the reader of submissions leaves out the cells of checks."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{exercise}.ipynb"
        file.write_text(nbformat.writes(nb), encoding="utf-8")  # type: ignore[no-untyped-call]
        return sure(grader.grade(file, student, exercise))


def _grader(folder: Path) -> Grader:
    folder = folder.resolve()
    if folder not in _graders:
        _graders[folder] = course_of(folder).grader(workers=1)
        atexit.register(_graders[folder].close)
    return _graders[folder]


def _outputs(check: CheckResult, text: str) -> list[Any]:
    if check.share:
        # The points themselves: nbgrader takes a number as the cell's score.
        number = nbformat.v4.new_output(  # type: ignore[no-untyped-call]
            "execute_result", {"text/plain": repr(check.points)}, execution_count=1
        )
        return [number] if check.outcome == "passed" else [_text(f"{check.title}\n{text}"), number]
    lines = [check.title, *text.split("\n")]
    return [nbformat.v4.new_output("error", ename=_("Check"), evalue=check.title, traceback=lines)]  # type: ignore[no-untyped-call]


def _nothing() -> Any:
    text = _("Not judged.")
    return nbformat.v4.new_output("error", ename="Check", evalue=text, traceback=[text])  # type: ignore[no-untyped-call]


def _text(text: str) -> Any:
    return nbformat.v4.new_output("stream", name="stdout", text=f"{text}\n")  # type: ignore[no-untyped-call]
