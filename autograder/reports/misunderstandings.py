"""What several students of a class have in common that is wrong, and what to tell them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.language import _, ngettext, said
from autograder.reports.visible import example_text
from autograder.results.model import CheckResult, Example, Result

Cause = tuple[str, str, str]  # exercise, kind, what


@dataclass(frozen=True)
class Misunderstanding:
    """One thing that is wrong: who has it, and where it was seen.

    Attributes:
        id: of the known mistake; empty for what only answers alike.
        title: the mistake's, or what all wrong answers are to the right ones, or the call that goes wrong.
        example: a small call that shows it, with both answers; empty where there is none.
    """

    exercise: str
    id: str
    title: str
    hint: str
    students: tuple[str, ...]
    checks: tuple[str, ...]
    example: str

    @property
    def for_all(self) -> str:
        """What can be told to the whole class: it names nobody."""
        n = len(self.students)
        first = ngettext("{n} submission of {exercise} shows this:", "{n} submissions of {exercise} show this:", n)
        said_there = self.hint if self.title in self.hint else f"{self.title}. {self.hint}".strip()
        lines = [first.format(n=n, exercise=self.exercise), said_there]
        return "\n".join([*lines, *(f"    {line}" for line in self.example.splitlines())])


def misunderstandings(results: Sequence[Result]) -> tuple[Misunderstanding, ...]:
    """Known mistakes, and what two students or more get wrong in the same way; the most frequent first.

    A student who shows one in three checks has it once.
    """
    found: dict[Cause, list[tuple[str, CheckResult]]] = {}
    for result in results:
        for check in result.checks:
            if check.outcome != "passed" and (key := _key(result.exercise, check)) is not None:
                found.setdefault(key, []).append((result.student, check))
    groups = [_group(key, seen) for key, seen in found.items()]
    kept = [group for group in groups if group.id or len(group.students) > 1]
    return tuple(sorted(kept, key=lambda m: (-len(m.students), m.exercise, m.id, m.title)))


def _key(exercise: str, check: CheckResult) -> Cause | None:
    """The mistake, else the function and the relation, else the function's very answer."""
    if check.diagnosis:
        return exercise, "mistake", check.diagnosis
    if check.example is None:
        return None
    if check.relation:
        return exercise, "relation", f"{_function(check.example)} {check.relation}"
    return exercise, "answer", f"{check.example.call} {check.example.got}"


def _function(example: Example) -> str:
    return example.call.splitlines()[-1].partition("(")[0]


def _group(key: Cause, seen: Sequence[tuple[str, CheckResult]]) -> Misunderstanding:
    exercise, kind, name = key
    check = seen[0][1]
    examples = Counter(example_text(one.example) for _student, one in seen if one.example is not None)
    example = examples.most_common(1)[0][0] if examples else ""
    title = said(check.diagnosis_title) or name
    if kind != "mistake" and check.example is not None:
        function = _function(check.example)
        answers = _("a wrong answer of {function}").format(function=function)
        title = f"{function}: {said(check.relation)}" if check.relation else answers
    return Misunderstanding(
        exercise=exercise,
        id=name if kind == "mistake" else "",
        title=title,
        hint=said(check.hint) if kind == "mistake" else "",
        students=tuple(dict.fromkeys(student for student, _check in seen)),
        checks=tuple(dict.fromkeys(one.id for _student, one in seen)),
        example=example,
    )
