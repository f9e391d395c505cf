"""An exercise for otter-grader: what students get, and what its autograder zip is made of.

    DIR/<exercise>/student/       notebook, tests/ (public checks), what they need
    DIR/<exercise>/autograder/    tests/ (a name and points per hidden check), otter_config.json, files/

Test files are of the exception-based format. None holds a hidden check: the points come from the plugin that
`otter_config.json` names. Nothing here imports otter.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.authoring.bundle import generate
from autograder.authoring.notebook import CHECK_TAG, cell, notebook_text
from autograder.course import CONFIG_NAME, CourseConfig, find_exercise
from autograder.course.handout import HANDOUT_CONFIG
from autograder.errors import AutograderError
from autograder.language import TRANSLATIONS, _
from autograder.language.catalogues import shipped
from autograder.service.course import Course
from autograder.service.grader import Worth, worth

PLUGIN = "autograder.bridges.otter_plugin.JudgePlugin"
BUNDLE = "autograder_course"  # in files/: the part of the course that judges the exercise

HIDDEN_TEST = """\
from otter.test_files import test_case

OK_FORMAT = False

name = {name!r}


@test_case(name={title!r}, points={points!r}, hidden={hidden!r})
def test_{name}(env):
    # Points come from the judge, through the plugin in otter_config.json. Without the plugin nobody earns any.
    raise AssertionError("This check is judged outside the notebook.")
"""

PUBLIC_TEST = """\
from otter.test_files import test_case

OK_FORMAT = False

name = {name!r}


@test_case(name={title!r}, points=1)
def test_{name}(env):
    from autograder.bridges.cells import public

    public({exercise!r}, {name!r})
"""


class OtterFault(AutograderError):
    """otter could not make its zip; says what it said."""

    status = 1


def write_exercises(course: Course, folder: Path, exercises: Sequence[str], packed: bool) -> Iterator[Path]:
    """Write exercises, each in a folder of its name; what was written as it comes.

    Args:
        packed: whether otter makes its zip, which is how it takes an autograder.

    Raises:
        OtterFault: it does not.
    """
    hidden, public = worth(course, exercises), worth(course, exercises, public=True)
    for exercise in exercises:
        place = folder / exercise
        yield write_student(course.config, exercise, place / "student", public[exercise])
        write_autograder(course.config, exercise, place / "autograder", hidden[exercise])
        if packed:
            yield _zip(place / "autograder", f"{exercise}-autograder.zip")


def write_student(course: CourseConfig, exercise: str, folder: Path, public: Sequence[Worth]) -> Path:
    """Write what students get; returns the notebook."""
    handout = generate(course)
    _write(folder / HANDOUT_CONFIG, handout[HANDOUT_CONFIG].decode())
    for name in ("quiz.py", "test_public.py"):
        _write(folder / exercise / name, handout[f"{exercise}/{name}"].decode())
    for check in public:
        text = PUBLIC_TEST.format(name=check.id, title=check.title, exercise=exercise)
        _write(folder / "tests" / f"{check.id}.py", text)
    notebook = json.loads(handout[f"{exercise}/{exercise}.ipynb"])
    # otter runs every cell, and has checks of its own.
    notebook["cells"] = [given for given in notebook["cells"] if CHECK_TAG not in given["metadata"].get("tags", ())]
    title = "## Checks\n\nSave the notebook first: the checks read the file. They earn no points."
    sources = f'import otter\n\ngrader = otter.Notebook("{exercise}.ipynb")', "grader.check_all()"
    # Neither otter nor our reader takes these cells for the student's work.
    tags = ["otter_ignore"]
    notebook["cells"] += [
        cell("markdown", "otter-checks", title, tags=tags),
        *(cell("code", f"otter-{number}", source, tags=tags) for number, source in enumerate(sources, start=1)),
    ]
    return _write(folder / f"{exercise}.ipynb", notebook_text(notebook))


def write_autograder(course: CourseConfig, exercise: str, folder: Path, checks: Sequence[Worth]) -> Path:
    """Write what the zip is made of, in place of what an earlier export wrote; returns the configuration."""
    for old in ("tests", "files"):
        shutil.rmtree(folder / old, ignore_errors=True)
    for check in checks:
        hidden = check.visibility != "visible"
        text = HIDDEN_TEST.format(name=check.id, title=check.title, points=check.max_points, hidden=hidden)
        _write(folder / "tests" / f"{check.id}.py", text)
    _bundle(course, exercise, folder / "files" / BUNDLE)
    # The summary of public tests, otter's default, would say of every hidden one that all its cases passed.
    shown = {"show_hidden": True, "force_public_test_summary": False}
    config = {"lang": "python", **shown, "plugins": [{PLUGIN: {"exercise": exercise}}]}
    return _write(folder / "otter_config.json", json.dumps(config, indent=2) + "\n")


def _zip(folder: Path, name: str) -> Path:
    """Have otter make the zip from the folder, so that it is what this version of otter reads."""
    command_line = [
        sys.executable, "-m", "otter", "generate", "-t", "tests", "-c", "otter_config.json", "-o", name, "files",
    ]  # fmt: skip
    done = subprocess.run(command_line, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or [""]
        raise OtterFault(_("otter generate failed: {reason}").format(reason=lines[-1]))
    return folder / name


def _bundle(course: CourseConfig, exercise: str, folder: Path) -> None:
    files = find_exercise(course, exercise)
    leftovers = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    for place in (files.folder, files.hidden_folder):
        shutil.copytree(place, folder / place.relative_to(course.root), ignore=leftovers)
    for path, built in shipped(course.translations).items():
        target = folder / TRANSLATIONS / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(built)
    (folder / "reference").mkdir()
    if files.reference_json.is_file():
        shutil.copy(files.reference_json, folder / "reference")
    shutil.copy(course.file, folder / CONFIG_NAME)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
