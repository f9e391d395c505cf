"""What a result depends on, part by part: a submission is graded again when a part has changed, and only then.

Each hidden check has a part of its own (`check:<id>`: its function and its calibrated limits), so that after a change
to one check nothing but this check is graded again. Whatever checks share is one part, `checks`.
"""

from __future__ import annotations

import ast
import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

import autograder
from autograder.course import CourseConfig, Exercise, derive_seed, find_exercise
from autograder.course.calibration import read_calibration
from autograder.course.data import find_images
from autograder.course.sets import PUBLISHED
from autograder.language import LANGUAGES, _
from autograder.language.catalogues import content, files
from autograder.language.registry import LOCALE
from autograder.results.attempt import Key

# The rooms whose code decides what comes out. Commands, reports and exporters do not.
_JUDGING = (
    "judge", "worker", "wire", "sandbox", "statistics", "results", "authoring", "submissions", "course", "language",
)  # fmt: skip
_VERSIONS = ("torch", "numpy", "scipy", "POT", "scikit-learn", "matplotlib", "pytest", "ipython")
# What changes no answer: dates, titles, what a late submission loses.
_NO_ANSWER = ("due", "title", "late_penalty", "published")

CHECK = "check:"


def parts() -> dict[str, str]:
    """The parts of a key in words, but for those of single checks."""
    return {
        "submission": _("the file handed in"),
        "checks": _("what the exercise's checks share (probes, reference, quiz, mistakes, helpers)"),
        "limits": _("the calibrated limits"),
        "settings": _("the configuration of the exercise"),
        "judging": _("the framework's judging code"),
        "versions": _("a library's version"),
        "student": _("the student's seed (name or course secret)"),
    }


class Keys:
    """The keys of a batch: what submissions share is read once."""

    def __init__(self, course: CourseConfig, secret: bytes, language: str, unprotected: bool = False) -> None:
        self._course = course
        self._secret = secret
        self._language = language
        self._unprotected = unprotected
        self._shared: dict[str, Key] = {}

    def of(self, student: str, exercise: str, sha256: str) -> Key:
        """The key of one submission: a short digest per part."""
        seed = derive_seed(self._secret, student, exercise, "key")
        return self.shared(exercise) | {"submission": sha256[:16], "student": f"{seed:016x}"}

    def shared(self, exercise: str) -> Key:
        """The parts that all submissions for an exercise share."""
        if exercise not in self._shared:
            found = find_exercise(self._course, exercise)
            self._shared[exercise] = {
                **_checks(found),
                "settings": _settings(self._course, exercise, self._language, self._unprotected),
                "judging": _judging(),
                "versions": _versions(),
            }
        return self._shared[exercise]


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """In words, which parts differ; the same check under another digest is named."""
    words = [text for part, text in parts().items() if old.get(part) != new.get(part)]
    checks = changed_checks(old, new)
    if checks:
        words.append(_("the checks {names}").format(names=", ".join(checks)))
    return words


def changed_checks(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Ids of the checks that are new, changed or gone."""
    names = dict.fromkeys(part for part in (*new, *old) if part.startswith(CHECK))
    return [part.removeprefix(CHECK) for part in names if old.get(part) != new.get(part)]


def only_checks_differ(old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Whether the rest of a result still holds."""
    return all(old.get(part) == new.get(part) for part in (*new, *old) if not part.startswith(CHECK))


def _checks(exercise: Exercise) -> Key:
    limits, rest = _limits(exercise.reference_json)
    digests: dict[str, list[str]] = {}
    shared: list[str] = []
    for path in exercise.hidden_checks:
        functions, others = _functions(path.read_text(encoding="utf-8"))
        shared.append(f"{path.name}\n{others}")
        for name, source in functions.items():
            digests.setdefault(name, []).append(source)
    # A check that is only in the limits is none that is graded.
    own = {CHECK + name: _digest([*sources, limits.get(name, "")]) for name, sources in digests.items()}
    unknown = [text for name, text in limits.items() if name not in digests]
    return own | {
        "checks": _digest([*shared, _files(_material(exercise))]),
        "limits": _digest([rest, *unknown]),
    }


def _material(exercise: Exercise) -> list[Path]:
    """Files that all checks of an exercise may use."""
    hidden = exercise.hidden_folder
    found = [
        path
        for path in sorted(hidden.rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and path not in exercise.hidden_checks
        and path.name != "figures.py"  # it gives no points
    ]
    return [*found, exercise.solution, exercise.quiz, exercise.mistakes, exercise.losses]


def _functions(source: str) -> tuple[dict[str, str], str]:
    """The text of each check by id, and the text around them. A file that cannot be parsed is all around."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return {}, source
    lines = source.splitlines(keepends=True)
    found: dict[str, str] = {}
    kept = [True] * len(lines)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and node.end_lineno is not None:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
            found[node.name.removeprefix("test_")] = "".join(lines[first : node.end_lineno])
            kept[first : node.end_lineno] = [False] * (node.end_lineno - first)
    # The order counts: it decides the order of checks.
    around = "".join(line for line, keep in zip(lines, kept, strict=True) if keep)
    return found, around + "\n" + " ".join(found)


def _limits(path: Path) -> tuple[dict[str, str], str]:
    """The limits of each check as text, and whatever else of the file decides. Its raw values do not."""
    if not path.is_file():
        return {}, ""
    text = path.read_text(encoding="utf-8")
    try:
        limits = read_calibration(path).limits
    except ValueError:
        return {}, text
    found: dict[str, list[object]] = {}
    for data, name, limit in sorted(limits, key=lambda one: one[:2]):
        found.setdefault(limit.check, []).append([data, name, msgspec.to_builtins(limit)])
    return {check: json.dumps(entries, sort_keys=True) for check, entries in found.items()}, ""


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        raw = text.encode()
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()[:16]


def _files(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _settings(course: CourseConfig, exercise: str, language: str, unprotected: bool) -> str:
    config = asdict(course.exercise(exercise))
    for name in _NO_ANSWER:
        config.pop(name, None)
    own: dict[str, object] = {
        "course": course.id,  # a student's own quiz is drawn from it
        "exercise": config,
        "data": [name for name, published in PUBLISHED.items() if find_images(published, course.data, course.root)],
        "device": course.device,
        "isolation": [course.isolation, unprotected],
        "language": language,
        "questions": course.questions,
    }
    return hashlib.sha256(json.dumps(own, sort_keys=True, default=str).encode()).hexdigest()[:16]


@cache
def _judging() -> str:
    package = Path(autograder.__file__).parent
    rooms = [path for room in _JUDGING for path in sorted((package / room).rglob("*.py"))]
    digest = hashlib.sha256(_files(rooms).encode())
    for language in LANGUAGES:
        for catalogue in files(LOCALE, language):
            digest.update(content(catalogue))
    return digest.hexdigest()[:16]


@cache
def _versions() -> str:
    found = [platform.python_version(), *(_version(name) for name in _VERSIONS)]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
