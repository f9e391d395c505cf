"""Generated notebooks run in a Jupyter kernel from top to bottom: the stub as students get it, and the solution."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from autograder.authoring.bundle import generate_exercise
from autograder.authoring.notebook import to_notebook
from autograder.course import find_exercise, load_config

nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parents[4]
COURSE = load_config(ROOT / "grading_config.yaml")
EXERCISES = [exercise.id for exercise in COURSE.exercises]
QUICK = "markov_quiz"
SECONDS = 1500  # a guard against a kernel that hangs

pytestmark = pytest.mark.filterwarnings("ignore")  # of the kernel's client, about event loops


def errors(text: str, folder: Path) -> list[str]:
    """What the cells of a notebook raised, every cell run whatever came before."""
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    # Those that check need the folder that students get; `test_check.py` does what they do.
    notebook.cells = [cell for cell in notebook.cells if "autograder-check" not in cell.metadata.get("tags", ())]
    client = nbclient.NotebookClient(
        notebook, timeout=SECONDS, allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip())
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [f"{output.ename}: {output.evalue}" for output in outputs if output.output_type == "error"]


def marked(exercises: list[str]) -> list:
    return [e if e == QUICK else pytest.param(e, marks=pytest.mark.slow) for e in exercises]


@pytest.mark.parametrize("exercise", marked(EXERCISES))
def test_the_notebook_that_students_get_runs(exercise, tmp_path):
    given = generate_exercise(find_exercise(COURSE, exercise))[f"{exercise}/{exercise}.ipynb"]
    found = errors(given.decode(), tmp_path)
    # Cells that use a function may fail only because it is not written, or for a name that such a cell left undefined.
    assert all(error.startswith(("NotImplementedError", "NameError")) for error in found), found
    first = found[0] if found else "NotImplementedError"
    assert first.startswith("NotImplementedError")


@pytest.mark.parametrize("exercise", marked(EXERCISES))
def test_the_solution_as_a_notebook_runs_whole(exercise, tmp_path):
    source = find_exercise(COURSE, exercise).solution.read_text(encoding="utf-8")
    assert errors(to_notebook(source, exercise), tmp_path) == []
