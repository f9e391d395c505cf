"""What a teacher decides from: a class's results counted by exercise, check, question and mistake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import correlation, mean, median

from autograder.course import CourseConfig
from autograder.language import said
from autograder.reports.misunderstandings import Misunderstanding, misunderstandings
from autograder.reports.similarity import Likeness
from autograder.reports.words import measured
from autograder.results.attempt import Name
from autograder.results.grade import Grade
from autograder.results.model import CheckResult, Incident, Result
from autograder.results.outcomes import HANDED_IN, RESULT_OUTCOMES

_ANSWER = "answer"  # as the judge records it: a number under this name, a word behind it
MOST_ANSWERS = 8  # wrong ones of a question
ENOUGH = 5  # students, before a correlation says something


@dataclass(frozen=True)
class CheckStats:
    """One check over the class.

    Attributes:
        share: who passes, of those for whom it was judged or blocked.
        tells_apart: correlation of what is earned here with what is earned in the rest of the exercise; None where
            everybody earns the same, or fewer than `ENOUGH` were judged.
    """

    exercise: str
    id: str
    title: str
    kind: str
    max_points: float
    outcomes: Mapping[str, int]
    share: float
    tells_apart: float | None
    median_s: float
    longest_s: float

    @property
    def runs(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True)
class QuizStats:
    """One question over the class.

    Attributes:
        id: of its check.
        right: how many answered rightly.
        wrong: the wrong answers, the most frequent first, with how many gave them; at most `MOST_ANSWERS`.
        others: how many gave other wrong answers.
        unanswered: how many gave none, or one of another kind.
    """

    id: str
    title: str
    right: int
    wrong: tuple[tuple[str, int], ...]
    others: int
    unanswered: int

    @property
    def students(self) -> int:
        """How many were asked."""
        return self.right + sum(count for _answer, count in self.wrong) + self.others + self.unanswered


@dataclass(frozen=True)
class ExerciseStats:
    """One exercise over the class; the figures are of final grades, of those who handed in."""

    id: str
    title: str
    max_points: float
    outcomes: Mapping[str, int]
    finals: tuple[float, ...]
    full_marks: int
    mean: float | None
    median: float | None
    median_s: float | None
    longest_s: float | None
    checks: tuple[CheckStats, ...]
    questions: tuple[QuizStats, ...]

    @property
    def tenths(self) -> tuple[int, ...]:
        """How many students have final points in each tenth of what is to be had; full marks are in the last."""
        counted = [0] * 10
        for final in self.finals:
            counted[min(max(int(10 * final / (self.max_points or 1.0)), 0), 9)] += 1
        return tuple(counted)


@dataclass(frozen=True)
class StudentRow:
    """A student's line: grades by exercise; `alarms` are exercises with an incident that should be looked at."""

    student: str
    grades: Mapping[str, Grade]
    alarms: frozenset[str]


@dataclass(frozen=True)
class Listing:
    """The students of a class and their grades, for a list of their pages; `exercises` are ids."""

    course: str
    names: Mapping[str, str]
    made: datetime
    exercises: tuple[str, ...]
    students: tuple[StudentRow, ...]


@dataclass(frozen=True)
class ClassView:
    """Everything of the class.

    Attributes:
        names: of students, where they are known by another name than their id.
        personal: whether each student has quiz questions of their own.
        incidents: what happened to workers while they ran a submission.
        moved: points that are not those of the attempt before, with those.
    """

    course: str
    names: Mapping[str, str]
    personal: bool
    made: datetime
    students: tuple[StudentRow, ...]
    exercises: tuple[ExerciseStats, ...]
    mistakes: tuple[Misunderstanding, ...]
    never_passed: tuple[CheckStats, ...]
    incidents: tuple[tuple[Result, Incident], ...]
    faults: tuple[Result, ...]
    identical: tuple[tuple[str, tuple[str, ...]], ...]
    likeness: tuple[Likeness, ...]
    moved: tuple[tuple[Result, float], ...]
    stale: tuple[Grade, ...]
    results: tuple[Result, ...]

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that somebody's exercise has, and those that nobody should have to look for."""
        there = {outcome for exercise in self.exercises for outcome, count in exercise.outcomes.items() if count}
        return tuple(name for name in RESULT_OUTCOMES if name in there or name in ("graded", "missing", "error"))


def class_view(
    course: CourseConfig,
    results: Sequence[Result],
    grades: Sequence[Grade],
    now: datetime,
    *,
    names: Mapping[str, str] | None = None,
    likeness: Sequence[Likeness] = (),
    before: Mapping[Name, float] | None = None,
) -> ClassView:
    """Count a class.

    Args:
        results: of everyone, `missing` ones included.
        grades: of these results, in the same order.
        before: points of the attempt before the last, where there was one.
    """
    titles = {exercise.id: said(exercise.title) for exercise in course.exercises}
    order = [e for e in titles if any(r.exercise == e for r in results)]
    order += sorted({r.exercise for r in results} - set(order))
    finals = {(grade.student, grade.exercise): grade for grade in grades}
    exercises = tuple(_exercise(e, titles.get(e, e), [r for r in results if r.exercise == e], finals) for e in order)
    return ClassView(
        course=said(course.title),
        names=_other_names(names or {}),
        personal=course.questions == "personal",
        made=now,
        students=_students([(grade, bool(r.alarms)) for r, grade in zip(results, grades, strict=True)], order),
        exercises=exercises,
        mistakes=misunderstandings(results),
        never_passed=tuple(c for e in exercises for c in e.checks if not c.outcomes.get("passed") and c.runs),
        incidents=tuple((r, incident) for r in results for incident in r.incidents),
        faults=tuple(r for r in results if r.outcome == "error"),
        identical=_identical(results),
        likeness=tuple(likeness),
        moved=tuple(
            (r, was) for r in results if (was := (before or {}).get((r.student, r.exercise), r.points)) != r.points
        ),
        stale=tuple(grade for grade in grades if grade.stale),
        results=tuple(results),
    )


def listing(
    course: CourseConfig, grades: Iterable[tuple[Grade, bool]], now: datetime, names: Mapping[str, str]
) -> Listing:
    """The list of a class."""
    grades = list(grades)
    there = {grade.exercise for grade, _alarm in grades}
    order = [exercise.id for exercise in course.exercises if exercise.id in there]
    order += sorted(there - set(order))
    return Listing(said(course.title), _other_names(names), now, tuple(order), _students(grades, order))


def _other_names(names: Mapping[str, str]) -> dict[str, str]:
    return {student: name for student, name in names.items() if name and name != student}


def _exercise(exercise: str, title: str, results: Sequence[Result], finals: Mapping[Name, Grade]) -> ExerciseStats:
    # Of those who handed in: what is missing says nothing about the exercise.
    known = [finals[r.student, r.exercise].final for r in results if r.outcome in HANDED_IN]
    values = [final for final in known if final is not None]
    maximum = max((finals[r.student, r.exercise].max_points for r in results), default=0.0)
    seconds = [r.duration_s for r in results if r.outcome == "graded"]
    by_check: dict[str, list[CheckResult]] = {}
    rest: dict[str, list[float]] = {}
    for result in results:
        for check in result.checks:
            by_check.setdefault(check.id, []).append(check)
            rest.setdefault(check.id, []).append(result.points - check.points)
    return ExerciseStats(
        id=exercise,
        title=title,
        max_points=maximum,
        outcomes=Counter(r.outcome for r in results),
        finals=tuple(values),
        full_marks=sum(value >= maximum for value in values),
        mean=mean(values) if values else None,
        median=median(values) if values else None,
        median_s=median(seconds) if seconds else None,
        longest_s=max(seconds, default=None),
        checks=tuple(_check(exercise, name, checks, rest[name]) for name, checks in by_check.items()),
        questions=tuple(quiz_stats(name, checks) for name, checks in by_check.items() if checks[-1].kind == "quiz"),
    )


def _check(exercise: str, name: str, checks: Sequence[CheckResult], rest: Sequence[float]) -> CheckStats:
    outcomes: Counter[str] = Counter(check.outcome for check in checks)
    counted = outcomes["passed"] + outcomes["failed"] + outcomes["blocked"]
    seconds = [check.duration_s for check in checks]
    return CheckStats(
        exercise=exercise,
        id=name,
        title=said(checks[-1].title),
        kind=checks[-1].kind,
        max_points=checks[-1].max_points,
        outcomes=outcomes,
        share=outcomes["passed"] / counted if counted else 0.0,
        tells_apart=_correlation([check.share for check in checks], rest),
        median_s=median(seconds),
        longest_s=max(seconds),
    )


def _correlation(here: Sequence[float], rest: Sequence[float]) -> float | None:
    if len(here) < ENOUGH or len(set(here)) < 2 or len(set(rest)) < 2:
        return None
    return correlation(here, rest)


def quiz_stats(name: str, checks: Sequence[CheckResult]) -> QuizStats:
    """Count one question; the checks are of all students."""
    judged = [check for check in checks if check.outcome in ("passed", "failed")]
    right = sum(check.outcome == "passed" for check in judged)
    answers = Counter(answer for check in judged if check.outcome == "failed" and (answer := answer_of(check)))
    shown = tuple(answers.most_common(MOST_ANSWERS))
    given = answers.total()
    return QuizStats(
        id=name,
        title=said(checks[-1].title),
        right=right,
        wrong=shown,
        others=given - sum(count for _answer, count in shown),
        unanswered=len(judged) - right - given,
    )


def answer_of(check: CheckResult) -> str:
    """What was answered, as a text; empty where nothing was that could be read."""
    for name, value in check.measured.items():
        if name == _ANSWER:
            return measured(value)
        if name.startswith(f"{_ANSWER}: "):
            return name.removeprefix(f"{_ANSWER}: ")
    return ""


def _identical(results: Sequence[Result]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    groups: dict[Name, list[str]] = {}
    for result in results:
        digest = result.submission.sha256
        if digest:
            groups.setdefault((result.exercise, digest), []).append(result.student)
    return tuple((exercise, tuple(names)) for (exercise, _), names in sorted(groups.items()) if len(names) > 1)


def _students(grades: Iterable[tuple[Grade, bool]], order: Sequence[str]) -> tuple[StudentRow, ...]:
    by_student: dict[str, dict[str, Grade]] = {}
    alarms: dict[str, set[str]] = {}
    for grade, alarm in grades:
        by_student.setdefault(grade.student, {})[grade.exercise] = grade
        if alarm:
            alarms.setdefault(grade.student, set()).add(grade.exercise)
    return tuple(
        StudentRow(student, {e: own[e] for e in order if e in own}, frozenset(alarms.get(student, ())))
        for student, own in by_student.items()
    )
