"""Where to read on about a check: the section of the exercise that defines the function which the check is about, and
what that function should do.

Found by name, in what the exercise is made from: the headings of the script, the functions and classes below them,
their docstrings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.course import CourseConfig, Exercise, find_exercise
from autograder.results.model import CheckResult, Result

_HEADING = re.compile(r"^# (#{1,4}) (.+)$")
_CELL = re.compile(r"^# %%(.*)$")
_DEFINITION = re.compile(r"^\s*(?:def|class) (\w+)")
_OWN = re.compile(r"(?:async )?(?:def|class) (\w+)")  # of the student's lines
_WORD = re.compile(r"[A-Za-z_]\w*")


def sections(source: str) -> dict[str, str]:
    """The heading above each function, method and class of a percent script, by name."""
    found: dict[str, str] = {}
    heading, prose = "", False
    for line in source.splitlines():
        if cell := _CELL.match(line):
            prose = "[markdown]" in cell.group(1)
        elif prose and (title := _HEADING.match(line)):
            heading = title.group(2).strip()
        elif not prose and heading and (definition := _DEFINITION.match(line)):
            name = definition.group(1)
            if not name.startswith("_"):
                found.setdefault(name, heading)
    return found


@dataclass(frozen=True)
class Purpose:
    """What a function of the exercise should do, as its docstring begins."""

    name: str
    text: str


class ReadingList:
    """Sections by check, for the exercises of a course; an exercise whose files are not here has none.

    Args:
        mistaken: the function that each known mistake changes, by the mistake's id.
        purposes: what the functions and classes of an exercise are for, by name.
    """

    def __init__(
        self, course: CourseConfig, mistaken: Callable[[Exercise], Mapping[str, str]],
        purposes: Callable[[Exercise], Mapping[str, str]] = lambda exercise: {},
    ) -> None:  # fmt: skip
        self._course = course
        self._mistaken = mistaken
        self._explained = purposes
        self._purposes: dict[str, Mapping[str, str]] = {}
        self._sections: dict[str, dict[str, str]] = {}
        self._mistakes: dict[str, Mapping[str, str]] = {}

    def of(self, results: Iterable[Result]) -> dict[tuple[str, str], str]:
        """The section to read, by exercise and check, for the checks that did not pass."""
        return {
            (exercise, check.id): section
            for exercise, check in self._lost(results, "failed", "blocked")
            if (section := self._section(exercise, check))
        }

    def purposes(self, results: Iterable[Result]) -> dict[tuple[str, str], Purpose]:
        """What the function should do that a check is about, by exercise and check, for the checks that failed."""
        return {
            (exercise, check.id): purpose
            for exercise, check in self._lost(results, "failed")
            if (purpose := self._purpose(exercise, check)) is not None
        }

    def _lost(self, results: Iterable[Result], *outcomes: str) -> Iterator[tuple[str, CheckResult]]:
        """Checks of the course's exercises that ended so, with their exercise."""
        known = {exercise.id for exercise in self._course.exercises}
        for result in results:
            if result.exercise in known:
                yield from ((result.exercise, check) for check in result.checks if check.outcome in outcomes)

    def _purpose(self, exercise: str, check: CheckResult) -> Purpose | None:
        self._load(exercise)
        texts = self._purposes[exercise]
        # The function that was called last, before those that are only spoken of.
        called = _OWN.match(check.lines.text) if check.lines is not None else None
        for name in [called[1]] if called else []:
            if name in texts:
                return Purpose(name, texts[name])
        for word in (*_WORD.findall(check.message), *_WORD.findall(check.title)):
            if word in texts and _as_code(word, check):
                return Purpose(word, texts[word])
        return None

    def _section(self, exercise: str, check: CheckResult) -> str:
        self._load(exercise)
        by_name = self._sections[exercise]
        mistaken = self._mistakes[exercise].get(check.diagnosis or "", "")
        # What the message is about comes before what the title names; a mistake's own function before both.
        for word in (mistaken, *_WORD.findall(check.message), *_WORD.findall(check.title)):
            # Plain words of a sentence ("mean", "forward") count only where they are written as code.
            if word in by_name and (word == mistaken or _as_code(word, check)):
                return by_name[word]
        return ""

    def _load(self, exercise: str) -> None:
        if exercise in self._sections:
            return
        files = find_exercise(self._course, exercise)
        self._sections[exercise] = sections(_text(files.solution))
        self._mistakes[exercise] = self._mistaken(files)
        self._purposes[exercise] = self._explained(files)


def _as_code(word: str, check: CheckResult) -> bool:
    text = f"{check.message}\n{check.title}"
    return "_" in word or any(mark in text for mark in (f"{word}(", f"`{word}", f".{word}", f"{word}`"))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
