"""Which check proves which requirement of an exercise's contract. The checks are parsed, not imported."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import yaml

from autograder.authoring.errors import AuthoringError
from autograder.authoring.personal import quiz_questions
from autograder.course.discovery import Exercise
from autograder.language import _

QUIZ = "quiz"  # the requirement that the quiz covers, where a contract has it


@dataclass(frozen=True)
class Coverage:
    """One exercise's contract: requirement -> its sentence and the checks that cover it."""

    exercise: str
    sentences: dict[str, str]
    checks: dict[str, tuple[str, ...]]

    def missing(self) -> list[str]:
        """Requirements that no check covers."""
        return [key for key in self.sentences if not self.checks.get(key)]


def read_coverage(exercise: Exercise) -> Coverage:
    """The coverage of one exercise; AuthoringError for a check that covers something the contract does not know."""
    contract = yaml.safe_load(exercise.contract.read_text(encoding="utf-8"))
    sentences: dict[str, str] = dict(contract["requirements"])
    found: dict[str, list[str]] = {key: [] for key in sentences}
    for path in exercise.hidden_checks:
        for name, keys, line in _declared(path):
            for key in keys:
                if key not in found:
                    raise AuthoringError(
                        _("{name} covers {key!r}, which contract.yaml does not name (it names: {listing})").format(
                            name=name, key=key, listing=", ".join(sentences)
                        ),
                        file=path,
                        line=line,
                    )
                found[key].append(name)
    if QUIZ in found:
        found[QUIZ] += [f"quiz_{question.key}" for question in quiz_questions(exercise)]
    return Coverage(exercise.id, sentences, {key: tuple(names) for key, names in found.items()})


def _declared(path: Path) -> list[tuple[str, tuple[str, ...], int]]:
    declared = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "check":
                keywords = {k.arg: k.value for k in decorator.keywords}
                value = ast.literal_eval(keywords["covers"]) if "covers" in keywords else ()
                keys = (value,) if isinstance(value, str) else tuple(value)
                declared.append((node.name.removeprefix("test_"), keys, node.lineno))
    return declared


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
