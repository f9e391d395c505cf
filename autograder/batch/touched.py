"""What a change touches of an exercise, so that a few runs verify it: `autograder verify --changed`.

The files of the course are compared with a revision of its git repository, definition by definition: a function's
comments and docstring do not count. What mentions a changed name is touched as well, through helpers, probes and the
solution's own functions, up to the checks. Too much is touched where two things bear one name, never too little.
"""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.errors import AuthoringError
from autograder.authoring.mistakes import read_mistakes
from autograder.batch.declarations import Declared, declared_checks
from autograder.course import Exercise
from autograder.language import _

ANYTHING = "*"  # a statement that binds no name was changed: every definition of its file is touched


@dataclass(frozen=True)
class Touched:
    """Which pieces of an exercise a change touches.

    Attributes:
        checks: ids, in the order of the declarations.
        alternatives, mistakes: changed themselves: they are judged by every check.
    """

    checks: tuple[str, ...] = ()
    alternatives: frozenset[str] = frozenset()
    mistakes: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.checks or self.alternatives or self.mistakes)


class Revision:
    """The files of a course as they were in a revision of its git repository.

    Raises:
        AuthoringError: the folder is in no git repository, or the revision is unknown there.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.top = Path(_git(root, "rev-parse", "--show-toplevel").strip())
        self.commit = _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", asked=name).strip()
        listed = _git(self.top, "ls-tree", "-r", "--name-only", "-z", self.commit)
        self.files = {self.top / line for line in listed.split("\0") if line}

    def text(self, file: Path) -> str:
        """What stood in the file; nothing where there was none."""
        file = file.resolve()
        if file not in self.files:
            return ""
        return _git(self.top, "show", f"{self.commit}:{file.relative_to(self.top).as_posix()}")


def _git(folder: Path, *arguments: str, asked: str = "") -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True)
    except FileNotFoundError as error:
        said = _("--changed compares with a git revision, and git is not installed")
        raise AuthoringError(said, file=folder) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip() or _("no revision {name!r}").format(name=asked)
        message = _("--changed compares with a git revision: {said}").format(said=said)
        raise AuthoringError(message, file=folder) from error
    return done.stdout.decode("utf-8", errors="replace")


def touched(exercise: Exercise, before: Revision) -> Touched:
    """What differs of the exercise from how it was, and the checks that this reaches."""
    declared = declared_checks(exercise)
    changed = _changed_names(exercise, before)
    changed |= _limits_moved(before.text(exercise.reference_json), _text(exercise.reference_json))
    hidden = _definitions(path.read_text(encoding="utf-8") for path in sorted(exercise.hidden_folder.glob("*.py")))
    reached = _reaching(hidden, changed)
    checks = {check.info.id for check in declared if _is_touched(check, exercise, reached)}
    if _names_changed(before.text(exercise.quiz), _text(exercise.quiz)):
        checks |= {check.info.id for check in declared if check.file == exercise.quiz}
    return Touched(
        tuple(check.info.id for check in declared if check.info.id in checks),
        frozenset(path.stem for path in exercise.alternatives if before.text(path) != _text(path)),
        frozenset(_changed_mistakes(exercise, before)),
    )


def _changed_names(exercise: Exercise, before: Revision) -> set[str]:
    """Names that are defined otherwise than before in the solution or beside the checks, and what builds on them."""
    solution = _text(exercise.solution)
    changed = _names_changed(before.text(exercise.solution), solution)
    changed = _reaching(_definitions([solution]), changed)
    folder = exercise.hidden_folder.resolve()
    for file in {*folder.glob("*.py"), *(old for old in before.files if old.parent == folder and old.suffix == ".py")}:
        changed |= _names_changed(before.text(file), _text(file))
    return changed


def _is_touched(check: Declared, exercise: Exercise, reached: Collection[str]) -> bool:
    function = f"test_{check.info.id}"
    return check.file != exercise.quiz and (function in reached or ANYTHING in reached)


def _limits_moved(was: str, now: str) -> set[str]:
    """Quantities of which a limit differs between two texts of reference/<exercise>.json, and their checks' names."""
    moved = {entry for entry, _bounds in _limits(was).items() ^ _limits(now).items()}
    return {name for quantity, check, _data_set in moved for name in (quantity, f"test_{check}")}


def _limits(text: str) -> dict[tuple[str, str, str], tuple[object, object]]:
    """Quantity, check and data set -> lower and upper limit."""
    data = json.loads(text)["data"] if text else {}
    return {
        (quantity, limit.get("check", ""), name): (limit["low"], limit["high"])
        for name, entry in data.items()
        for quantity, limit in entry["limits"].items()
    }


def _changed_mistakes(exercise: Exercise, before: Revision) -> set[str]:
    """Mistakes that are new or defined otherwise, and those whose line in losses.yaml was changed."""
    was, now = (_entries(text) for text in (before.text(exercise.mistakes), _text(exercise.mistakes)))
    changed = {name for name, entry in now.items() if was.get(name) != entry}
    lines = set(before.text(exercise.losses).splitlines()) ^ set(_text(exercise.losses).splitlines())
    changed |= {line.partition(":")[0] for line in lines}
    known = {mistake.id for mistake in read_mistakes(exercise.mistakes)} if exercise.mistakes.is_file() else set()
    return changed & known


def _entries(source: str) -> dict[str, str]:
    """Mistake -> its statements of a mistakes.py."""
    found: dict[str, str] = {}
    for node in ast.parse(source).body:
        decorators = getattr(node, "decorator_list", [])
        call = decorators[0] if decorators else getattr(node, "value", None)
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
            name = str(call.args[0].value)
            found[name] = found.get(name, "") + ast.dump(node)
    return found


def _names_changed(was: str, now: str) -> set[str]:
    """Top-level names whose definitions differ, with ANYTHING where a statement that binds none does."""
    before, after = _by_name(was), _by_name(now)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _by_name(source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # the docstring, or a statement's text
        text = ast.dump(_without_docstrings(node))
        for name in _bound(node) or {ANYTHING}:
            found[name] = found.get(name, "") + text
    return found


def _definitions(sources: Iterable[str]) -> dict[str, set[str]]:
    """Top-level name -> every word that its definition mentions."""
    found: dict[str, set[str]] = {}
    for source in sources:
        for node in ast.parse(source).body:
            for name in _bound(node):
                found.setdefault(name, set()).update(_mentioned(node))
    return found


def _reaching(definitions: Mapping[str, set[str]], changed: Collection[str]) -> set[str]:
    """The changed names and every definition that mentions one, directly or through others."""
    reached = set(changed)
    while more := {name for name, words in definitions.items() if name not in reached and words & reached}:
        reached |= more
    return reached


def _mentioned(node: ast.AST) -> set[str]:
    words = set()
    for part in ast.walk(node):
        match part:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.alias(name=word):
                words.add(word)
            case ast.Constant(value=str(word)):
                words.add(word)  # getattr(student, name) over a table of names
    return words


def _bound(node: ast.stmt) -> set[str]:
    """Names that a top-level statement binds."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {alias.asname or alias.name.partition(".")[0] for alias in names}
        case ast.Assign() | ast.AnnAssign():
            stored = (part for part in ast.walk(node) if isinstance(part, ast.Name))
            return {part.id for part in stored if isinstance(part.ctx, ast.Store)}
    return set()


def _without_docstrings(node: ast.stmt) -> ast.stmt:
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part, clean=False) is not None:
            part.body = part.body[1:] or [ast.Pass()]
    return node


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""
