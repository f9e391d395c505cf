"""The assignment of the benchmarks: RealNVP's coupling layers, and a class that hands it in.

The checks are those of `tests/hidden/realnvp_toy/test_coupling.py` and `test_flow.py`: masks, round trips,
log-determinants against the Jacobian. They train nothing. Eighteen submissions: right in five ways, wrong in eight,
raising in three, with a syntax error in two; a larger class repeats them, each copy with a line of its own.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel_checks import EXERCISE

from autograder.authoring.bundle import stub_source
from autograder.authoring.mistakes import read_mistakes
from autograder.authoring.notebook import to_notebook
from autograder.authoring.overlay import apply_mistake
from autograder.course import Exercise, find_exercise, load_config

ROOT = Path(__file__).resolve().parents[1]
POINTS = 10

QUICK = ("test_coupling.py", "test_flow.py", "probes.py", "contract.yaml")

RIGHT = ("identity_start", "sigmoid_scale", "softplus_flips", "split_networks")
WRONG = (
    "log_det_sign", "log_det_same_sign", "log_det_unmasked", "network_sees_all", "additive", "mask_ignored",
    "mask_never_alternates", "log_det_overwritten",
)  # fmt: skip

CONFIG = f"""\
schema_version: 1
course: {{id: benchmarks, title: Benchmarks}}
exercises:
  - {{id: {EXERCISE}, title: Coupling layers, points: {POINTS}}}
"""

RAISES = "\n\n# %%\nclass AffineCoupling(AffineCoupling):\n    def forward(self, x):\n        return x @ x\n"
BREAKS = "\n\n# %%\nresult = [1, 2, 3][7]\n"
UNCLOSED = ("return x * s.exp() + t, s.sum(dim=-1)", "return x * s.exp() + t, s.sum(dim=-1")


@dataclass(frozen=True)
class Course:
    """The benchmark's course: its folder, and the exercise in it."""

    folder: Path
    exercise: Exercise


def make_course(folder: Path, whole: bool = False) -> Course:
    """A course of one exercise: with the quick checks alone, or with the whole exercise's, which train."""
    own = find_exercise(load_config(ROOT / "grading_config.yaml"), EXERCISE)
    folder.mkdir(parents=True)
    (folder / "grading_config.yaml").write_text(CONFIG, encoding="utf-8")
    made = find_exercise(load_config(folder / "grading_config.yaml"), EXERCISE)
    shutil.copytree(own.folder, made.folder, ignore=shutil.ignore_patterns("__pycache__"))
    made.hidden_folder.mkdir(parents=True)
    for path in own.hidden_folder.iterdir():
        if path.is_file() and (whole or path.name in QUICK):
            shutil.copy(path, made.hidden_folder)
    made.reference_json.parent.mkdir()
    shutil.copy(own.reference_json, made.reference_json)
    return Course(folder, made)


def notebooks(count: int) -> dict[str, dict[str, Any]]:
    """Notebooks by student, as JSON-able data; the first 18 are all different."""
    kinds = [json.loads(to_notebook(script, EXERCISE)) for script in _scripts()]
    for kind in kinds:
        for cell in kind["cells"]:
            cell["metadata"] = {}  # nbgrader refuses cells of its own that its gradebook does not know
    found = {}
    for number in range(count):
        notebook = json.loads(json.dumps(kinds[number % len(kinds)]))
        first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
        first["source"] = [f"# handed in by student {number}\n", *_lines(first["source"])]
        found[f"student{number:04d}"] = notebook
    return found


def write_class(folder: Path, count: int) -> Path:
    """`folder/<student>/realnvp_toy.ipynb` for so many students."""
    for student, notebook in notebooks(count).items():
        place = folder / student
        place.mkdir(parents=True)
        (place / f"{EXERCISE}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return folder


def _scripts() -> Sequence[str]:
    own = find_exercise(load_config(ROOT / "grading_config.yaml"), EXERCISE)
    solution = own.solution.read_text(encoding="utf-8")
    bank = {mistake.id: mistake for mistake in read_mistakes(own.mistakes)}
    alternatives = {path.stem: path.read_text(encoding="utf-8") for path in own.alternatives}
    assert solution.count(UNCLOSED[0]) == 1
    scripts = [
        solution,
        *(alternatives[name] for name in RIGHT),
        *(apply_mistake(solution, bank[name]) for name in WRONG),
        stub_source(own),
        solution + RAISES,
        solution + BREAKS,
        solution.replace(*UNCLOSED),
        solution + "\n\n# %%\ndef half_done(x:\n    return\n",
    ]
    return [_without_run(script) for script in scripts]


def _without_run(script: str) -> str:
    """Without marks, and without the cell that draws figures (a kernel would train for them)."""
    lines = [line for line in script.split("\n") if not line.lstrip().startswith(("### BEGIN", "### END"))]
    cells = "\n".join(lines).split("\n# %%")
    return "\n# %%".join(cell for cell in cells if '__name__ == "__main__"' not in cell)


def _lines(source: str | list[str]) -> list[str]:
    return source.splitlines(keepends=True) if isinstance(source, str) else source
