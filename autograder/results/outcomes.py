"""What can come of a submission and of a check, and who may see a check: each word declared once."""

from __future__ import annotations

from typing import Final, Literal, TypeGuard, get_args

# graded: judged by the checks. error: a fault of ours, never the student's. handed_in_not_gradable: there is no code to
# judge in what was handed in. missing: nothing was handed in, and it was due. not_due: nothing was handed in yet.
# excused: a teacher freed this student of this exercise.
ResultOutcome = Literal["graded", "error", "handed_in_not_gradable", "missing", "not_due", "excused"]

# failed: the student's code is wrong. blocked: a check that it needs did not pass. error: a fault of ours.
CheckOutcome = Literal["passed", "failed", "error", "blocked", "skipped"]

# Of a part of a check: blocked where the function's values are not right, so that its form earns nothing.
PartOutcome = Literal["passed", "failed", "blocked"]

CheckKind = Literal["exact", "statistical", "training", "quiz"]
Visibility = Literal["hidden", "after_due_date", "after_published", "visible"]
ProblemKind = Literal["syntax", "exception", "timeout", "crash", "note"]
IsolationLevel = Literal["full", "reduced", "none"]

RESULT_OUTCOMES: Final[tuple[ResultOutcome, ...]] = get_args(ResultOutcome)
PROBLEM_KINDS: Final[tuple[ProblemKind, ...]] = get_args(ProblemKind)

# Something came from the student.
HANDED_IN: Final[frozenset[ResultOutcome]] = frozenset({"graded", "error", "handed_in_not_gradable"})
# Points of these count by themselves; any other needs a teacher's decision, and is never a zero of its own.
WITH_POINTS: Final[frozenset[ResultOutcome]] = frozenset({"graded", "missing"})


def is_problem_kind(word: str) -> TypeGuard[ProblemKind]:
    """Whether this is a kind of loading problem."""
    return word in PROBLEM_KINDS
