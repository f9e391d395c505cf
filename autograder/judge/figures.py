"""A submission's figures beside the reference's: `tests/hidden/<exercise>/figures.py`.

Each public function there takes fixtures by name (`student`, `probe`, `expect`, `once`, `draw`, `digits`) and returns a
`Drawing`; its name is the figure's. It is run on the student's worker after the checks, and once on the reference. What
fails is left out and noted for teachers: a figure never costs points.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from autograder.judge import fixtures
from autograder.judge.case import Case, Once
from autograder.judge.draw import Draw, subseed
from autograder.judge.drawing import Drawing, check_drawing, save, save_beside
from autograder.judge.engine import Engine
from autograder.judge.grading import Grading
from autograder.judge.messages import Job
from autograder.judge.reference import load_beside
from autograder.judge.session import Session
from autograder.judge.verdicts import StudentError
from autograder.results.model import Incident

FILE = "figures.py"
REFERENCE = ".reference"
BESIDE = "__reference"  # after the name of a figure: the reference's, on the submission's scale
SECONDS = 20.0  # of the student's code, for one figure
REFERENCE_SECONDS = 300.0  # of the reference, likewise
TOTAL_SECONDS = 60.0  # for all of an exercise


class Figure(Protocol):
    """A function of `figures.py`: it takes fixtures by name."""

    def __call__(self, **made: object) -> Drawing: ...


def draw_figures(engine: Engine, job: Job, grading: Grading, folder: Path) -> None:
    """Write a submission's pictures into `folder/<student>/<exercise>`, and the reference's where they are missing.

    Both are on one scale: where the submission's needs more than the reference has by itself, the reference is drawn
    anew beside it, as `<name>__reference.png`.
    """
    functions = figure_functions(engine, job.exercise)
    if not functions:
        return
    own = folder / job.student / job.exercise
    for stale in own.glob("*.png"):
        stale.unlink()
    until = time.monotonic() + TOTAL_SECONDS
    drawn: dict[str, Drawing] = {}
    for name, function in functions.items():
        spent = grading.session.student_seconds >= grading.total_seconds  # a judge waits no longer than for that
        if spent or time.monotonic() > until:
            grading.session.incidents.append(Incident("figure", "no time was left for it", name))
            continue
        try:
            drawn[name] = _drawing(
                name, function, grading.session, grading.once, _seed(engine, job.exercise, name), engine
            )
            save(drawn[name], own / f"{name}.png")
        except Exception as error:  # whatever it is: the checks are judged, and their result must not be lost
            drawn.pop(name, None)
            if not _not_written(error):
                grading.session.incidents.append(Incident("figure", f"not drawn: {error}", name))
    references = _draw_reference(engine, job.exercise, functions, folder / REFERENCE / job.exercise)
    for name, drawing in drawn.items():
        if name in references:
            save_beside(drawing, references[name], own / f"{name}.png", own / f"{name}{BESIDE}.png")


def _not_written(error: Exception) -> bool:
    """Whether a function is missing or still the stub's: the checks say so, and nothing happened."""
    return isinstance(error, StudentError) and (error.kind == "missing" or "NotImplementedError" in error.bases)


def figure_functions(engine: Engine, exercise: str) -> dict[str, Figure]:
    """The figures of an exercise by name, in the order of the file; none where there is no file."""
    path = engine.kit(exercise).exercise.hidden_folder / FILE
    if not path.is_file():
        return {}
    [module] = load_beside(f"figures_{exercise}", [path])
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }


def _draw_reference(engine: Engine, exercise: str, functions: dict[str, Figure], folder: Path) -> dict[str, Drawing]:
    """The reference's drawings, computed once, and its pictures where they are missing."""
    kit = engine.kit(exercise)
    missing = {name: function for name, function in functions.items() if name not in kit.drawings}
    if not missing:
        return kit.drawings
    session = kit.reference_session()
    known: dict[str, object] = {}

    def once(key: str, function: Callable[[Draw], object]) -> object:
        if key not in known:
            known[key] = function(Draw(_seed(engine, exercise, f"once/{key}")))
        return known[key]

    try:
        for name, function in missing.items():
            kit.drawings[name] = _drawing(
                name, function, session, once, _seed(engine, exercise, name), engine, REFERENCE_SECONDS
            )
            if not (folder / f"{name}.png").is_file():
                save(kit.drawings[name], folder / f"{name}.png")
    finally:
        session.close()
    return kit.drawings


def _drawing(
    name: str, function: Figure, session: Session, once: Once, seed: int, engine: Engine, seconds: float = SECONDS
) -> Drawing:
    # The same inputs for everybody: a student's figure is to be compared with the reference's.
    session.begin_check(f"figure {name}", seconds, subseed(seed, "globals"))
    case = Case(engine, session, seed, record=lambda name, value: None, once=once)
    drawing = function(**{name: fixtures.make(name, case) for name in inspect.signature(function).parameters})
    check_drawing(drawing)
    return drawing


def _seed(engine: Engine, exercise: str, name: str) -> int:
    return engine.seeds(exercise, "")(f"figure/{name}")
