"""The zip that Gradescope makes an autograder from: our package, one exercise of the course, two scripts.

setup.sh              run once, when the image is built
run_autograder        run for every submission
settings.json         who the student is, what the leaderboard shows
requirements.txt      the versions of the machine that exported: those that the limits were calibrated with
secret                the course secret, so that inputs are those of the instructor's own grading
roster.csv            where one was given
package/autograder/   this framework
course/               grading_config.yaml, solution, quiz, mistakes, hidden checks and limits of this exercise only
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

import yaml

import autograder
from autograder.bridges.gradescope.results import check_leaderboard
from autograder.bridges.gradescope.scripts import run_script, setup_script
from autograder.course import CONFIG_NAME, CourseConfig, Exercise, find_exercise
from autograder.course.data import find_images
from autograder.course.roster import read_roster
from autograder.course.sets import FASHION, IMAGES, LABELS, MNIST
from autograder.language import TRANSLATIONS
from autograder.language.catalogues import shipped
from autograder.language.registry import LOCALE

DISTRIBUTION = "genmodels-autograder"
EXTRA = "instructor"
_EXECUTABLE = frozenset({"setup.sh", "run_autograder"})
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same export gives the same bytes
_SKIPPED = frozenset({"__pycache__", ".pytest_cache", ".ipynb_checkpoints"})
_LEFT_OUT = frozenset({".pyc", ".draft", ".po", ".mo"})  # catalogues go built, and by themselves

KnownBy = Literal["login", "email", "name", "sid"]
IsolationChoice = Literal["full", "reduced", "unprotected"]


@dataclass(frozen=True)
class Choices:
    """What the instructor chose.

    Attributes:
        identity: what of Gradescope's metadata names a student: the part of the address before the @, the whole
            address, the name, or the student id. The numbers of a student's quiz depend on it.
        roster: a CSV file that says who is who; wins over `identity`.
        leaderboard: entries, see `results_json`.
        isolation: `full` or `reduced` instead of the course's; `unprotected` runs without where there is none.
        index: where pip finds the CPU build of torch.
    """

    identity: KnownBy = "login"
    roster: Path | None = None
    leaderboard: tuple[str, ...] = ()
    isolation: IsolationChoice | None = None
    index: str | None = None


def bundle_files(course: CourseConfig, exercise: str, secret: bytes, choices: Choices) -> dict[str, bytes]:
    """Every file of the zip: path -> content.

    Raises:
        ConfigurationError: the exercise is not complete, or the leaderboard would show what is hidden.
    """
    config = course.exercise(exercise)
    check_leaderboard(choices.leaderboard, config)
    files = find_exercise(course, exercise)
    files.require(files.solution, files.hidden_folder, *files.hidden_checks)
    settings = {
        "exercise": exercise,
        "identity": choices.identity,
        "leaderboard": list(choices.leaderboard),
        "unprotected": choices.isolation == "unprotected",
    }
    found = {
        "setup.sh": setup_script(_requirement("torch", choices.index), choices.index).encode(),
        "run_autograder": run_script().encode(),
        "settings.json": f"{json.dumps(settings, indent=1)}\n".encode(),
        "requirements.txt": "".join(f"{line}\n" for line in requirements()).encode(),
        "secret": secret,
    }
    if choices.roster is not None:
        read_roster(choices.roster)  # its faults are said here, not in the container
        found["roster.csv"] = choices.roster.read_bytes()
    found |= {f"package/autograder/{path}": content for path, content in _package().items()}
    found |= {f"course/{path}": content for path, content in _course(course, files, choices).items()}
    return found


def write_zip(files: dict[str, bytes]) -> bytes:
    """The files as a zip whose scripts may be executed and whose secret is its owner's alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            item = zipfile.ZipInfo(path, _EPOCH)
            item.create_system = 3  # Unix: the mode counts
            item.external_attr = mode_of(path) << 16
            item.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(item, files[path])
    return buffer.getvalue()


def write_archive(archive: Path, files: dict[str, bytes]) -> None:
    """Write the zip; nobody else may read it."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.touch(mode=0o600)
    archive.write_bytes(write_zip(files))


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files themselves; nobody else may read them."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.touch(mode=0o600)
        target.write_bytes(content)
        target.chmod(mode_of(path) & 0o777)


def mode_of(path: str) -> int:
    """The mode of a file of the zip."""
    return 0o100755 if path in _EXECUTABLE else 0o100600


def requirements() -> list[str]:
    """What grading needs beside torch, in the versions installed here."""
    lines = []
    for line in requires(DISTRIBUTION) or ():
        name = re.split(r"[\s;<>=!~\[]", line, maxsplit=1)[0]
        extra = re.search(r"""extra\s*==\s*['"]([\w-]+)['"]""", line)
        if name.lower() == "torch" or (extra and extra[1] != EXTRA):
            continue
        lines.append(_requirement(name, None))
    return sorted(set(lines), key=str.lower)


def _requirement(name: str, index: str | None) -> str:
    try:
        found = version(name)
    except PackageNotFoundError:
        return name
    # "2.13.0+cpu" is on no index but the one that has the CPU builds.
    return f"{name}=={found if index else found.partition('+')[0]}"


def _package() -> dict[str, bytes]:
    folder = Path(autograder.__file__).parent
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder)}
    return found | {f"{LOCALE.name}/{path}": built for path, built in shipped(LOCALE).items()}


def _course(course: CourseConfig, exercise: Exercise, choices: Choices) -> dict[str, bytes]:
    paths = [exercise.solution, exercise.quiz, exercise.mistakes, exercise.losses, exercise.reference_json]
    paths += _files(exercise.hidden_folder)
    found = {path.relative_to(course.root).as_posix(): path.read_bytes() for path in paths if path.is_file()}
    found |= {f"{TRANSLATIONS}/{path}": built for path, built in shipped(course.translations).items()}
    # The real images that the checks ask for, where this machine has them.
    checks = b"".join(path.read_bytes() for path in exercise.hidden_checks)
    real = set()
    for fixture, published in ((b"digits", MNIST), (b"fashion", FASHION)):
        if fixture in checks and (folder := find_images(published, course.data, course.root)):
            real.add(published.name)
            given = [path for path in folder.iterdir() if path.name.partition(".")[0] in (IMAGES, LABELS)]
            files = sorted(path for path in given if path.is_file())
            found |= {f"data/{published.folder}/{path.name}": path.read_bytes() for path in files}
    # What this machine uses, wherever the container may find others.
    data_set = course.data.set if real or course.data.set != "auto" else "digits"
    found[CONFIG_NAME] = _configuration(course, exercise.id, choices, data_set).encode()
    return found


def _configuration(course: CourseConfig, exercise: str, choices: Choices, data_set: str) -> str:
    """The course's configuration with this exercise alone; where its secret is kept stays behind."""
    values = yaml.safe_load(course.file.read_text(encoding="utf-8"))
    values["exercises"] = [given for given in values["exercises"] if given["id"] == exercise]
    for given in values["exercises"]:
        given |= {"due": due.isoformat()} if (due := course.exercise(exercise).due) else {}
    values.pop("secret", None)
    if choices.isolation in ("full", "reduced"):
        values["isolation"] = choices.isolation
    text = yaml.safe_dump(values | {"data": {"set": data_set}}, sort_keys=False, allow_unicode=True, width=100)
    return f"# Made by `autograder export gradescope` from the configuration of {course.id}.\n{text}"


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _SKIPPED.intersection(path.parts) and path.suffix not in _LEFT_OUT
    ]
