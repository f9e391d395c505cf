"""What a CI run has to say, as its reader may see it: made from views, so that nothing withheld can be in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from autograder.language import _, mark, ngettext, number
from autograder.reports.visible import NOT_SHOWN, CheckView, ExerciseView
from autograder.submissions.lines import LineFinder

Checks = Literal["public", "hidden"]
BAD = ("failed", "blocked", "error")


@dataclass(frozen=True)
class Line:
    """One check. `points` is None where they are withheld; `line` counts in the file, None where it is not known."""

    title: str
    outcome: str
    max_points: float
    points: float | None
    text: str
    line: int | None

    @property
    def earned(self) -> str:
        """Points of how many; empty where they are withheld or there are none."""
        if self.points is None or not self.max_points:
            return ""
        return f"{number(self.points, 'g')} / {number(self.max_points, 'g')}"


@dataclass(frozen=True)
class Finding:
    """Something to look at in a student's file."""

    file: str
    line: int
    title: str
    text: str
    level: Literal["error", "warning"] = "error"


@dataclass(frozen=True)
class Section:
    """One exercise.

    Attributes:
        file: relative to the repository, with forward slashes.
        checks: which were run.
        points: None where they are withheld.
        begun: whether anything of it is written; what is not begun fails nobody.
        isolation: level in force.
        text: about the submission as a whole.
    """

    id: str
    title: str
    file: str
    kind: Checks
    outcome: str
    lines: tuple[Line, ...]
    findings: tuple[Finding, ...]
    points: float | None
    max_points: float
    begun: bool
    isolation: str
    text: str
    seconds: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether something that the reader may see did not pass."""
        return self.outcome in ("handed_in_not_gradable", "error") or any(line.outcome in BAD for line in self.lines)

    @property
    def seen(self) -> tuple[Line, ...]:
        """The checks whose outcome may be seen."""
        return tuple(line for line in self.lines if line.outcome != NOT_SHOWN)

    @property
    def whole(self) -> Line:
        """The exercise as one line, where there are none of checks."""
        outcome = "error" if self.outcome == "error" else "failed" if self.bad else "skipped"
        return Line(self.title, outcome, self.max_points, None, self.text, None)

    @property
    def warnings(self) -> list[str]:
        """What was not loaded, and where."""
        return [f"{one.file}:{one.line}: {one.text}" for one in self.findings if one.level == "warning"]

    @property
    def passed(self) -> int:
        """How many checks passed, of those that may be seen."""
        return sum(line.outcome == "passed" for line in self.lines)

    @property
    def headline(self) -> str:
        """What came out, in a sentence."""
        if not self.begun:
            return _("not begun")
        text = ngettext("{n} of {total} checks passed", "{n} of {total} checks passed", self.passed).format(
            n=self.passed, total=len(self.seen)
        )
        if self.kind == "public":
            text = ngettext(
                "{n} of {total} public checks passed", "{n} of {total} public checks passed", self.passed
            ).format(n=self.passed, total=len(self.seen))
        withheld = len(self.lines) - len(self.seen)
        if withheld:
            text = ngettext(
                "{n} check was run; students do not see it yet",
                "{n} checks were run; students do not see them yet",
                withheld,
            ).format(n=withheld) + (f"; {text}" if self.seen else "")
        if self.kind == "hidden" and self.points is not None:
            text += ngettext("; {n:g} of {most:g} points", "; {n:g} of {most:g} points", self.points).format(
                n=self.points, most=self.max_points
            )
        if self.isolation == "none" and self.lines:
            text += _("; run without isolation")
        return text


def section(
    view: ExerciseView, file: str, kind: Checks, begun: bool, where: LineFinder | None, seconds: float
) -> Section:  # fmt: skip
    """The part of a report on one exercise."""
    lines = tuple(_line(check, where) for check in view.checks)
    findings = [
        Finding(file, (where and where.of_place(p.where, p.line)) or 1, _("not loaded"), p.message, "warning")
        for p in view.loading
        if p.kind != "note"
    ]
    # What ten checks say of one function is said once, at its line.
    for card in view.cards:
        known = _line(card[0], where)
        titles = card[0].title if len(card) == 1 else f"{card[0].title} (+{len(card) - 1})"
        findings.append(Finding(file, known.line or 1, titles, known.text))
    return Section(
        view.id, view.title, file, kind, view.outcome, lines, tuple(findings) if begun else (),
        view.grade.final if view.grade is not None else None, view.max_points, begun,
        view.environment.level, "\n".join([*filter(None, [view.message]), *view.notes]),
        seconds,
    )  # fmt: skip


def _line(check: CheckView, where: LineFinder | None) -> Line:
    text = " ".join(part for part in (check.message, check.hint) if part)
    bad = check.outcome in BAD
    return Line(
        check.title, check.outcome, check.max_points, check.points, text if check.outcome != "passed" else "",
        where.of_message(check.message, check.title) if bad and where else None,
    )  # fmt: skip


def status(sections: Sequence[Section]) -> Literal["pass", "fail", "error"]:
    """What came out as a whole, of what is begun."""
    if any(part.outcome == "error" for part in sections):
        return "error"
    return "fail" if any(part.bad for part in sections if part.begun) else "pass"


def closing(sections: Sequence[Section]) -> str:
    """What came out of all exercises, in a line."""
    begun = [part for part in sections if part.begun]
    text = ngettext("{n} of {total} exercises begun", "{n} of {total} exercises begun", len(begun)).format(
        n=len(begun), total=len(sections)
    )
    passed, seen = sum(part.passed for part in begun), sum(len(part.seen) for part in begun)
    if seen:
        checks = ngettext("{n} of {total} checks passed", "{n} of {total} checks passed", passed)
        text += f"{mark(';')} {checks.format(n=passed, total=seen)}"
    scored = [part for part in sections if part.kind == "hidden" and part.points is not None]
    if scored and len(scored) == len(sections):
        earned = sum(part.points or 0.0 for part in scored)
        text += ngettext("; {n:g} of {most:g} points", "; {n:g} of {most:g} points", earned).format(
            n=earned, most=sum(part.max_points for part in scored)
        )
    return text
