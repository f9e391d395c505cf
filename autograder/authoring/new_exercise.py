"""A new exercise that works from the first minute: every file that one needs, and its entry in the configuration.

The files come from `starter/`: a small real exercise (a Gaussian's log-density and draws) with an exact check, a
calibrated one, a quiz, two mistakes and an alternative. An author replaces it piece by piece and has at every step
something that can be assigned, verified and graded.
"""

from __future__ import annotations

import json
import keyword
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from autograder.authoring.errors import AuthoringError
from autograder.authoring.personal import personalise_example
from autograder.course.config import CONFIG_NAME, load_config
from autograder.course.discovery import Exercise
from autograder.language import _

STARTER = Path(__file__).with_name("starter")
POINTS = 20
NAME = re.compile(r"[a-z][a-z0-9_]*")  # as in grading_config.schema.json

COURSE = """\
schema_version: 1

course:
  id: {id}
  title: {title}
  language: en         # of the messages to students: en | fr
  timezone: UTC        # in which due dates are meant

exercises:
  - id: {exercise}
    title: {exercise_title}
    points: {points}

# What a submission may use: seconds of wall clock, megabytes beyond the empty worker.
limits:
  per_check: {{seconds: 20, memory_mb: 2048}}
  per_import: {{seconds: 10, memory_mb: 2048}}
  total: {{seconds: 900}}

visibility: after_published   # hidden | after_due_date | after_published | visible
published: false
"""


@dataclass(frozen=True)
class NewExercise:
    """What is to be made: the id, the title that people read, and the course's folder."""

    id: str
    title: str
    root: Path


def check_name(name: str, root: Path) -> None:
    """Raise AuthoringError where `name` cannot be an exercise's id in the course at `root`."""
    config = root / CONFIG_NAME
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise AuthoringError(
            _(
                "{name!r} cannot name an exercise: lower-case letters, digits and '_', starting with a "
                "letter, and no word of Python's; it names files and a module"
            ).format(name=name),
            file=config,
        )
    taken = [path for path in places(name, root) if path.exists()]
    if taken:
        listing = ", ".join(path.relative_to(root).as_posix() for path in taken)
        raise AuthoringError(_("{name!r} is there already: {listing}").format(name=name, listing=listing), file=config)


def places(name: str, root: Path) -> tuple[Path, ...]:
    """The folders of an exercise, and its file of limits."""
    folders = ("solutions", "tests/hidden", "tests/alternatives")
    return (*(root / folder / name for folder in folders), root / "reference" / f"{name}.json")


def starter_files(new: NewExercise) -> dict[Path, str]:
    """Every file of the new exercise: path -> text. Nothing is written."""
    exercise = Exercise(new.id, "", new.root)
    alternatives = new.root / "tests" / "alternatives" / new.id
    targets = {
        "solution.py": exercise.solution,
        "quiz.py": exercise.quiz,
        "mistakes.py": exercise.mistakes,
        "test_public.py": exercise.public_checks,
        "test_hidden.py": exercise.hidden_folder / f"test_{new.id}.py",
        "probes.py": exercise.probes,
        "contract.yaml": exercise.contract,
        "alternative.py": alternatives / "with_distributions.py",
        "reference.json": exercise.reference_json,
    }
    files = {}
    for name, target in targets.items():
        text = (STARTER / f"{name}.txt").read_text(encoding="utf-8")
        files[target] = text.replace("{{exercise}}", new.id).replace("{{title}}", new.title)
    return files


def create(new: NewExercise, course_title: str | None = None) -> tuple[Path, ...]:
    """Write the files and the entry in `grading_config.yaml`; the paths written, the configuration last.

    Args:
        course_title: makes the course too, where `new.root` has no configuration yet.

    Raises:
        AuthoringError: the name cannot be used, or the configuration cannot take an entry; nothing is written then.
        ConfigurationError: the configuration is not valid as it stands.
    """
    check_name(new.id, new.root)
    config = new.root / CONFIG_NAME
    if course_title is not None:
        if config.exists():
            raise AuthoringError(_("is there already: leave out --new-course"), file=config)
        text = new_course(new, course_title)
    else:
        if new.id in {exercise.id for exercise in load_config(config).exercises}:
            raise AuthoringError(_("lists {id!r} already").format(id=new.id), file=config)
        with config.open(encoding="utf-8", newline="") as file:  # line ends stay as they are
            text = with_entry(file.read(), new, config)
    _prove(config, text)
    files = starter_files(new)
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    # Its own numbers: the quiz draws them, as for every exercise.
    exercise = Exercise(new.id, "", new.root)
    exercise.solution.write_text(personalise_example(files[exercise.solution], exercise), encoding="utf-8")
    config.write_bytes(text.encode())
    return (*files, config)


def new_course(new: NewExercise, title: str) -> str:
    """The text of a `grading_config.yaml` for a course of this one exercise."""
    identity = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    if not identity or not identity[0].isalpha():
        identity = f"course-{identity}".rstrip("-")
    return COURSE.format(
        id=identity, title=_quoted(title), exercise=new.id, exercise_title=_quoted(new.title), points=POINTS
    )


def with_entry(text: str, new: NewExercise, file: Path) -> str:
    """The configuration with the exercise as its last one; comments and everything else stay as they are."""
    exercises = _exercises(text, file)
    if exercises.flow_style:
        raise AuthoringError(
            _(
                "lists its exercises in brackets; write them one under the other, or add by hand: {{id: "
                "{id}, title: {quoted}, points: {points}, draft: true}}"
            ).format(id=new.id, quoted=_quoted(new.title), points=POINTS),
            file=file,
            line=exercises.start_mark.line + 1,
        )
    lines = text.splitlines(keepends=True)
    last = _last_line(exercises)
    end = "\r\n" if lines[last].endswith("\r\n") else "\n"
    if not lines[last].endswith("\n"):
        lines[last] += end
    dash = " " * exercises.start_mark.column
    entry = (
        f"{dash}- id: {new.id}", f"{dash}  title: {_quoted(new.title)}", f"{dash}  points: {POINTS}",
        f"{dash}  draft: true",
    )  # fmt: skip
    lines[last + 1 : last + 1] = [line + end for line in entry]
    return "".join(lines)


def _exercises(text: str, file: Path) -> yaml.SequenceNode:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    for key, value in pairs:
        if key.value == "exercises" and isinstance(value, yaml.SequenceNode):
            return value
    raise AuthoringError(_("has no list of exercises"), file=file)  # load_config has said so before


def _last_line(node: yaml.Node) -> int:
    """The last line that holds a part of this node. A block's own end mark lies behind the comments after it."""
    children = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and children:
        return max(_last_line(child) for child in children)
    line, column = node.end_mark.line, node.end_mark.column
    # A text in block style ("|") ends at the start of the line after it.
    return line - 1 if column == 0 and line > node.start_mark.line else line


def _prove(config: Path, text: str) -> None:
    """Raise ConfigurationError where the new text is not valid. What is not proved is not written."""
    config.parent.mkdir(parents=True, exist_ok=True)
    trial = config.with_name(f".{config.name}.new")
    try:
        trial.write_bytes(text.encode())
        load_config(trial)
    finally:
        trial.unlink(missing_ok=True)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a double-quoted scalar of YAML is written like JSON's
