"""Which check proves which requirement of an exercise's contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from autograder.batch.declared import Declared, declared_checks
from autograder.course.discovery import Exercise


@dataclass(frozen=True)
class Coverage:
    """One exercise's contract: requirement -> its sentence and the checks that cover it."""

    exercise: str
    sentences: dict[str, str]
    checks: dict[str, tuple[str, ...]]

    def missing(self) -> list[str]:
        """Requirements that no check covers."""
        return [key for key in self.sentences if not self.checks[key]]


def read_coverage(exercise: Exercise, checks: Sequence[Declared] | None = None) -> Coverage:
    """The coverage of one exercise; `checks`: what it declares, where that was read before."""
    sentences: dict[str, str] = yaml.safe_load(exercise.contract.read_text(encoding="utf-8"))["requirements"]
    declared = declared_checks(exercise) if checks is None else checks
    covering = {key: tuple(c.info.id for c in declared if key in c.info.covers) for key in sentences}
    return Coverage(exercise.id, sentences, covering)


def markdown(coverages: list[Coverage]) -> str:
    """The table exercise × requirement as Markdown."""
    lines = [
        "# What the hidden checks prove",
        "",
        "Made by `autograder verify --coverage`: every requirement of each exercise's contract and the checks for it.",
    ]
    for coverage in coverages:
        lines += ["", f"## {coverage.exercise}", "", "| requirement | checks |", "|---|---|"]
        for key, sentence in coverage.sentences.items():
            checks = ", ".join(f"`{name}`" for name in coverage.checks[key]) or "**none**"
            lines.append(f"| {sentence} | {checks} |")
    return "\n".join(lines) + "\n"
