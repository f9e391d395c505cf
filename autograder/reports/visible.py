"""What a page may show: results turned into views, where everything that is not for the reader is gone.

A template is given views and nothing else, so what is withheld here cannot be in the page's source. Students see, of a
check that they may see (`ExerciseConfig.is_visible`), its title, outcome, points, message, hint, likely mistake and,
where examples may be seen, the smallest one. Of the others they see the title and what it is worth, no outcome. An
exercise's points are shown once it is published, or where every check of it may be seen. Measured figures, times of
single checks and incidents are for teachers, and so are the messages of faults of ours, which can quote a hidden check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from autograder.course import CourseConfig, ExerciseConfig
from autograder.language import _, said
from autograder.reports.pictures import Picture
from autograder.reports.reading import Purpose
from autograder.reports.words import kind_word
from autograder.results.grade import Comment, Grade, Override
from autograder.results.model import (
    AskedQuestion,
    CheckResult,
    Environment,
    Example,
    Incident,
    LoadingProblem,
    OwnLines,
    RaisedLine,
    Result,
)

NOT_SHOWN = "not_shown"
Excerpt = tuple[tuple[int, str], ...]  # lines of a file with their numbers


@dataclass(frozen=True)
class CheckView:
    """One check as the reader may see it; `points` is None where they are withheld."""

    title: str
    outcome: str
    max_points: float
    points: float | None = None
    message: str = ""
    hint: str = ""
    mistake: str = ""
    read_on: str = ""
    override: Override | None = None
    example: str = ""
    lines: OwnLines | None = None
    raised: RaisedLine | None = None
    purpose: Purpose | None = None
    asked: AskedQuestion | None = None
    # For teachers only:
    id: str = ""
    kind: str = ""
    measured: tuple[tuple[str, float | None], ...] = ()
    duration_s: float | None = None


@dataclass(frozen=True)
class ChangesView:
    """What has changed since the attempt before: titles of checks, and what the checks gave, None where withheld."""

    passed: tuple[str, ...]
    lost: tuple[str, ...]
    points: tuple[float, float] | None


@dataclass(frozen=True)
class SectionView:
    """A section of the statement and the cards that send there; `lost` are points, of all that they are worth."""

    title: str
    cards: tuple[tuple[CheckView, ...], ...]
    lost: float
    worth: float


@dataclass(frozen=True)
class ExerciseView:
    """One exercise as the reader may see it; `grade` is None where the points are withheld.

    `cards` are the checks that did not pass, those together that say the same. `late` is the fraction of the points
    that is lost by it, which is known before they are.
    """

    id: str
    title: str
    outcome: str
    message: str
    max_points: float
    grade: Grade | None
    due: datetime | None
    extended: bool
    submitted: datetime | None
    file: str
    sha256: str
    checks: tuple[CheckView, ...]
    cards: tuple[tuple[CheckView, ...], ...]
    sections: tuple[SectionView, ...]
    counts: Mapping[str, int]
    late: float
    loading: tuple[LoadingProblem, ...]
    notes: tuple[str, ...]
    comments: tuple[Comment, ...]
    excerpts: Mapping[str, Excerpt]
    pictures: tuple[Picture, ...]
    environment: Environment
    changes: ChangesView | None = None
    incidents: tuple[Incident, ...] = ()
    duration_s: float | None = None


@dataclass(frozen=True)
class StudentView:
    """Everything of one student; `grades` is None as long as the points of some exercise are withheld.

    `name` is the roster's, or the student's id where nobody says another.
    """

    student: str
    name: str
    course: str
    exercises: tuple[ExerciseView, ...]
    grades: tuple[Grade, ...] | None
    made: datetime
    teacher: bool


def student_view(
    course: CourseConfig,
    results: Sequence[Result],
    grades: Sequence[Grade],
    now: datetime,
    *,
    name: str = "",
    teacher: bool = False,
    read_on: Mapping[tuple[str, str], str] | None = None,
    pictures: Mapping[str, tuple[Picture, ...]] | None = None,
    excerpts: Mapping[tuple[str, str], Excerpt] | None = None,
    purposes: Mapping[tuple[str, str], Purpose] | None = None,
    before: Mapping[str, Result] | None = None,
) -> StudentView:
    """One student's view.

    Args:
        course: titles, due dates and what may be seen.
        grades: of these results, in the same order.
        now: when the page is made; decides what may be seen.
        read_on: where to read about a check, by exercise and check.
        excerpts: of the files, by exercise and by what a comment says of its line.
        purposes: what the function should do that a check is about, by exercise and check.
        before: of the attempt before, by exercise.
    """
    views = []
    for result, grade in zip(results, grades, strict=True):
        config = next((e for e in course.exercises if e.id == result.exercise), None)
        # An exercise that the configuration no longer has: nobody said that it may be seen.
        config = config or ExerciseConfig(id=result.exercise, title=result.exercise, visibility="hidden")
        views.append(
            _exercise_view(
                config,
                result,
                grade,
                now,
                teacher,
                read_on or {},
                (pictures or {}).get(config.id, ()),
                excerpts or {},
                purposes or {},
                (before or {}).get(config.id),
            )
        )
    shown = tuple(view.grade for view in views if view.grade is not None)
    return StudentView(
        student=results[0].student,
        name=name or results[0].student,
        course=said(course.title),
        exercises=tuple(views),
        grades=shown if len(shown) == len(views) else None,
        made=now,
        teacher=teacher,
    )


def _exercise_view(
    config: ExerciseConfig,
    result: Result,
    grade: Grade,
    now: datetime,
    teacher: bool,
    read_on: Mapping[tuple[str, str], str],
    pictures: tuple[Picture, ...],
    excerpts: Mapping[tuple[str, str], Excerpt],
    purposes: Mapping[tuple[str, str], Purpose],
    before: Result | None,
) -> ExerciseView:
    seen = {check.id: teacher or config.is_visible(check.id, now) for check in result.checks}
    hidden = [check for check in result.checks if not seen[check.id]]
    checks = tuple(
        _check_view(
            check,
            hidden,
            grade,
            teacher,
            read_on.get((config.id, check.id), ""),
            teacher or config.shows_examples(now),
            purposes.get((config.id, check.id)),
        )
        if seen[check.id]
        else CheckView(said(check.title), NOT_SHOWN, check.max_points, asked=_asked_again(check.asked))
        for check in result.checks
    )
    # Nothing was judged, unless a teacher gave points for it.
    judged = result.outcome in ("graded", "error") or grade.override is not None or bool(grade.marks)
    shown = teacher or config.published or not judged or (bool(checks) and not hidden)
    return ExerciseView(
        id=config.id,
        title=said(config.title),
        outcome=result.outcome,
        message=_message(result, teacher),
        max_points=grade.max_points,
        grade=grade if shown else None,
        due=grade.due,
        extended=grade.extended,
        submitted=grade.submitted,
        file=result.submission.file,
        sha256=result.submission.sha256,
        checks=checks,
        counts=Counter(check.outcome for check in checks),
        cards=(cards := _cards(checks)),
        sections=_sections(cards),
        loading=tuple(
            msgspec.structs.replace(problem, where=said(problem.where), message=said(problem.message))
            for problem in result.loading
        ),
        late=grade.penalty,
        notes=tuple(said(note) for note in result.notes),
        # A comment speaks of what was judged: it waits with the points.
        comments=tuple(comment for comment in grade.comments if teacher or (shown and not comment.private)),
        excerpts={line: lines for (exercise, line), lines in excerpts.items() if exercise == config.id},
        pictures=pictures,
        environment=result.environment,
        changes=_changes(before, result, seen, shown) if before is not None else None,
        incidents=tuple(result.incidents) if teacher else (),
        duration_s=result.duration_s if teacher else None,
    )


def _cards(checks: Sequence[CheckView]) -> tuple[tuple[CheckView, ...], ...]:
    """A missing function fails ten checks with one message: it is read once."""
    cards: dict[tuple[object, ...], list[CheckView]] = {}
    for check in checks:
        if check.outcome in ("failed", "error", "blocked"):
            # Shapes differ from check to check where nothing else does.
            line = check.raised and (check.raised.where, check.raised.line)
            says = (
                check.outcome, check.message, check.hint, check.mistake, check.read_on, check.example, check.lines,
                line, check.asked, check.purpose,
            )  # fmt: skip
            cards.setdefault(says, []).append(check)
    return tuple(tuple(card) for card in cards.values())


def _sections(cards: Sequence[tuple[CheckView, ...]]) -> tuple[SectionView, ...]:
    """The cards under the sections to read, where most points are lost first; those of none at the end."""
    by_title: dict[str, list[tuple[CheckView, ...]]] = {}
    for card in cards:
        by_title.setdefault(card[0].read_on, []).append(card)
    sections = [SectionView(title, tuple(own), *_points_of(own)) for title, own in by_title.items()]
    return tuple(sorted(sections, key=lambda section: (not section.title, -section.lost)))


def _points_of(cards: Sequence[tuple[CheckView, ...]]) -> tuple[float, float]:
    checks = [check for card in cards for check in card]
    return sum(check.max_points - (check.points or 0.0) for check in checks), sum(check.max_points for check in checks)


def _changes(before: Result, now: Result, seen: Mapping[str, bool], points: bool) -> ChangesView | None:
    """What may be told of the difference between two attempts; None where nothing may, or nothing has changed."""
    earlier = {check.id: check.outcome == "passed" for check in before.checks}
    turned = [
        check for check in now.checks
        if seen[check.id] and check.outcome not in ("error", "skipped")
        and earlier.get(check.id, check.outcome == "passed") != (check.outcome == "passed")
    ]  # fmt: skip
    passed = tuple(said(check.title) for check in turned if check.outcome == "passed")
    lost = tuple(said(check.title) for check in turned if check.outcome != "passed")
    both = (before.points, now.points) if points and now.outcome == before.outcome == "graded" else None
    changed = passed or lost or (both is not None and both[0] != both[1])
    return ChangesView(passed, lost, both) if changed else None


def _message(result: Result, teacher: bool) -> str:
    if result.outcome == "error" and not teacher:
        return _(
            "Part of this exercise could not be graded because of a fault on our side. Your teachers see it; "
            "it is graded again, and what is missing here is not your zero."
        )
    return said(result.message)


def to_student(check: CheckResult, hidden: Sequence[CheckResult]) -> tuple[str, str]:
    """Message and hint of a check that its student may see: faults of ours and hidden checks are not told of."""
    if check.outcome == "error":
        return _("This check could not be run because of a fault on our side."), ""
    message = said(check.message)
    if check.outcome == "blocked" and any(h.title in check.message or h.id in check.message for h in hidden):
        message = _("Not judged, because a check that it needs did not pass.")
    return message, said(check.hint)


def example_text(example: Example) -> str:
    """An example in three lines, as a student can type the first of them."""
    return "\n".join((
        example.call,
        _("gives {value}").format(value=example.got),
        _("right is {value}").format(value=example.right),
    ))  # fmt: skip


def raised_text(raised: RaisedLine) -> str:
    """The line that raised an exception, and what stood in it."""
    told = _("Line {line} of {where} raised it:").format(line=raised.line, where=raised.where)
    return "\n".join((told, raised.text, *(f"{name}: {what}" for name, what in raised.values.items())))


def _said_again(raised: RaisedLine | None) -> RaisedLine | None:
    if raised is None:
        return None
    values = {name: said(what) for name, what in raised.values.items()}
    return msgspec.structs.replace(raised, where=said(raised.where), values=values)


def _asked_again(asked: AskedQuestion | None) -> AskedQuestion | None:
    return None if asked is None else msgspec.structs.replace(asked, question=said(asked.question))


def _check_view(
    check: CheckResult, hidden: Sequence[CheckResult], grade: Grade, teacher: bool, read_on: str, examples: bool,
    purpose: Purpose | None,
) -> CheckView:  # fmt: skip
    override = grade.overrides.get(check.id)
    message, hint = (said(check.message), said(check.hint)) if teacher else to_student(check, hidden)
    lost = check.outcome in ("failed", "blocked")
    return CheckView(
        title=said(check.title),
        outcome=check.outcome,
        max_points=check.max_points,
        points=check.points if override is None else override.points,
        message=message,
        hint=hint,
        mistake=said(check.diagnosis_title) if check.diagnosis else "",
        read_on=said(read_on) if lost and read_on else "",
        override=override,
        example=example_text(check.example) if examples and check.example is not None else "",
        lines=check.lines and msgspec.structs.replace(check.lines, where=said(check.lines.where)),
        raised=_said_again(check.raised),
        purpose=None if purpose is None else Purpose(purpose.name, said(purpose.text)),
        asked=_asked_again(check.asked),
        id=check.id if teacher else "",
        kind=kind_word(check.kind) if teacher else "",
        measured=tuple((said(name), value) for name, value in check.measured.items()) if teacher else (),
        duration_s=check.duration_s if teacher else None,
    )
