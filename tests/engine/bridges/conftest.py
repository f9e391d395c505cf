"""nbgrader and otter-grader as installed by `make bridges`, and a small class for them to grade."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.authoring.notebook import to_notebook
from autograder.authoring.personal import personalise
from autograder.course import find_exercise, load_config

ROOT = Path(__file__).parents[3]
BIN = ROOT / ".venv-bridges" / "bin"


@dataclass
class Programs:
    """Runs programs of the bridges' environment in a folder."""

    environment: dict[str, str]

    def __call__(self, *words: str | Path, at: Path, status: int = 0, **more: str) -> str:
        """What a program printed; it must end with this status."""
        done = subprocess.run(
            [BIN / str(words[0]), *map(str, words[1:])],
            cwd=at, env=self.environment | more, capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
        assert done.returncode == status, f"{words}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout + done.stderr

    def autograder(self, *words: str | Path, at: Path, status: int = 0, **more: str) -> str:
        """The same for ours, as this checkout has it."""
        return self("python", "-m", "autograder.commands.main", *words, at=at, status=status, **more)


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """The programs; a test that needs them is skipped where they are not installed."""
    if not (BIN / "nbgrader").is_file() or not (BIN / "otter").is_file():
        pytest.skip("nbgrader and otter-grader are not installed here: run `make bridges`")
    return Programs(environment(tmp_path_factory.mktemp("state")))


def environment(state: Path) -> dict[str, str]:
    """What programs are told; `state` is the folder of whoever runs them."""
    state.mkdir(exist_ok=True)
    own = {
        "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(state), "OMP_NUM_THREADS": "1",
        "AUTOGRADER_SECRET": "a secret of the tests of bridges", "AUTOGRADER_STATE": str(state),
    }  # fmt: skip
    return dict(os.environ) | own


Write = Callable[..., Path]

# What a hostile student puts first. Whatever runs it in the grader's process or a kernel leaves the file behind.
FORGERY = """\
import pathlib, sys
pathlib.Path({ran!r}).write_text("ran")
import autograder.bridges.cells as cells
cells.judged = cells.public = lambda *a, **k: None
"""


@pytest.fixture(scope="session")
def toy_class(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Submissions of the toy: right (a notebook and a script), partly right, broken, hostile."""
    folder = tmp_path_factory.mktemp("class")
    exercise = find_exercise(load_config(toy / "grading_config.yaml"), "toy")
    solution = exercise.solution.read_text(encoding="utf-8")

    def work(student: str, **edits: str) -> str:
        text = personalise(solution, exercise, student)
        for old, new in edits.items():
            text = text.replace(EDITS[old], new)
        return "\n".join(line for line in text.split("\n") if "SOLUTION" not in line)

    def notebook(student: str, text: str) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(to_notebook(text, "toy"))
        keep(student, "toy.ipynb", json.dumps(data))
        return data

    def keep(student: str, name: str, text: str) -> None:
        (folder / student).mkdir(exist_ok=True)
        (folder / student / name).write_text(text, encoding="utf-8")

    notebook("ada", work("ada"))
    keep("bob", "toy.py", work("bob"))
    notebook("cleo", work("cleo", spread="return mean((x - mean(x)[:, None]) ** 2) + 1"))
    notebook("dan", work("dan", spread="return mean((x - "))
    forged = notebook("eve", work("eve", mean="return x.sum(1)"))
    ran = str(folder.parent / "ran")
    forged["cells"].insert(0, code("forgery", FORGERY.format(ran=ran)))
    for name in ("check-mean_value", "check-spread_value"):
        cell = code(name, "100")
        rights = {"grade": True, "grade_id": name, "locked": True, "points": 100, "schema_version": 3}
        cell["metadata"] = {"nbgrader": {**rights, "solution": False, "task": False, "cell_type": "code"}}
        result = {"output_type": "execute_result", "data": {"text/plain": "100"}, "metadata": {}, "execution_count": 1}
        cell["outputs"] = [result]
        forged["cells"].append(cell)
    keep("eve", "toy.ipynb", json.dumps(forged))
    return folder


EDITS = {"spread": "return mean((x - mean(x)[:, None]) ** 2)", "mean": "return x.sum(1) / x.shape[1]"}


def code(identity: str, source: str) -> dict[str, Any]:
    """A code cell."""
    return {
        "cell_type": "code", "execution_count": None, "id": f"{identity}-cell", "metadata": {}, "outputs": [],
        "source": source,
    }  # fmt: skip


def ours(
    programs: Programs, course: Path, submissions: Path, out: Path, *more: str, status: int = 0
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Our results by student, from `autograder grade`, which ends with this status."""
    programs.autograder("grade", submissions, "--out", out, "--course", course, *more, at=out.parent, status=status)
    found = {}
    for path in sorted((out / "results").glob("*/*.json")):
        found[path.parent.name] = json.loads(path.read_text(encoding="utf-8"))
    return found
