"""What a result depends on, part by part: a submission is graded again when a part has changed, and only then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import autograder
from autograder.course import CourseConfig, Exercise, derive_seed

# The rooms whose code decides what comes out. Commands, reports and exporters do not.
_JUDGING = ("judge", "worker", "wire", "sandbox", "statistics", "results", "authoring", "submissions")
_VERSIONS = ("torch", "numpy", "scipy", "POT", "scikit-learn", "pytest")

Key = dict[str, str]

PARTS = {
    "submission": "the file handed in",
    "checks": "the exercise's checks, probes, reference, quiz or mistakes",
    "limits": "the calibrated limits",
    "settings": "the configuration of the exercise",
    "judging": "the framework's judging code",
    "versions": "a library's version",
    "student": "the student's seed (name or course secret)",
}


def job_key(course: CourseConfig, exercise: Exercise, secret: bytes, student: str, sha256: str, language: str) -> Key:
    """The key of one submission: a short digest per part."""
    return {
        "submission": sha256[:16],
        "checks": _checks(exercise),
        "limits": _files([exercise.reference_json]),
        "settings": _settings(course, exercise.id, language),
        "judging": _judging(),
        "versions": _versions(),
        "student": f"{derive_seed(secret, student, exercise.id, 'key'):016x}",
    }


def differences(old: Key, new: Key) -> list[str]:
    """In words, which parts differ."""
    return [words for part, words in PARTS.items() if old.get(part) != new.get(part)]


def _checks(exercise: Exercise) -> str:
    folder = exercise.hidden_folder
    own = [exercise.solution, exercise.quiz, exercise.mistakes]
    return _files([*sorted(folder.rglob("*.py")), folder / "contract.yaml", *own])


def _files(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _settings(course: CourseConfig, exercise: str, language: str) -> str:
    config = asdict(course.exercise(exercise))
    # A new date or title changes no answer.
    for name in ("due", "title", "late_penalty", "published"):
        config.pop(name)
    own: dict[str, Any] = {
        "exercise": config,
        "data": str(course.data.set),
        "device": course.device,
        "language": language,
    }
    if course.questions != "personal":
        own["questions"] = course.questions
    return hashlib.sha256(json.dumps(own, sort_keys=True, default=str).encode()).hexdigest()[:16]


@cache
def _judging() -> str:
    package = Path(autograder.__file__).parent
    return _files(path for room in _JUDGING for path in sorted((package / room).rglob("*.py")))


@cache
def _versions() -> str:
    return hashlib.sha256(json.dumps([_version(name) for name in _VERSIONS]).encode()).hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
