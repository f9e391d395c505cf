"""Which known mistake gives this very answer? The check is run again on each mistake, with the same inputs.

The student's answers in a check were kept (`Session.trace`). A mistake of the bank that gives the same answers, call
by call, on the same inputs, and fails like the student, is what the student most likely did. Not only up to the first
comparison that failed: where a mistake looks like the student's, both are asked for the rest of the check too, and have
to agree there as well. Where a mistake answers otherwise it is asked no more: most depart at their first answer, and a
check may train for seconds after that.

Near is judged by the size of the mistake: two answers that differ by a millionth are the same where the mistake moves
the answer by half, and are not where it moves it by two millionths.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from autograder.judge.answers import as_tensor
from autograder.judge.remote import Handle
from autograder.judge.session import Answer, Session
from autograder.judge.verdicts import CheckFailed
from autograder.wire.values import Unusable

RunOn = Callable[[Session], None]

ROUNDING = 1e-5, 1e-7  # relative and absolute: answers that come from other orders of operations
SINGLE = 1e-4, 1e-5  # the same for answers in single precision
OF_EFFECT = 1e-3  # of what a mistake changes in a number: as near as that is the mistake, computed less precisely
CLEARLY = 1e-2  # of what a mistake changes at most: what is farther from it than that is something else

Effects = list[tuple[float, float]]  # of one answer, see `_compared`


class _Departed(BaseException):
    """A mistake has answered otherwise than the student: what it says to the rest of the check changes nothing."""


class _Follows(list[Answer]):
    """A mistake's answers, as long as they are the student's."""

    def __init__(self, student: Sequence[Answer], right: Sequence[Answer]) -> None:
        super().__init__()
        self._student, self._right = student, right

    def append(self, answer: Answer, /) -> None:
        """Keep one more. Raises _Departed where the student's is another one."""
        place = len(self)
        super().append(answer)
        if place < len(self._student) and _alike(self._student[place], answer, self._right[place:][:1]) is None:
            raise _Departed


def matching_mistake(
    trace: Sequence[Answer],
    candidates: Iterable[tuple[str, Session]],
    run: RunOn,
    seed: int,
    right: Session | None = None,
    again: Callable[[], Sequence[Answer] | None] = lambda: None,
) -> str | None:
    """The id of the mistake whose answers are nearest to the student's, or None where none's equal them.

    Args:
        trace: the student's answers up to the comparison that failed.
        candidates: sessions on the mistakes that this check is meant to catch, the most specific first: of several that
            are as near, the first is named.
        run: runs the check's function on a session, beyond comparisons that fail.
        seed: of the check, for the global generators.
        right: a session on the reference.
        again: gives the student's answers in the whole check, None where they cannot be had.
    """
    if not trace:
        return None
    rightly = _answers(right, run, seed, [])[0] if right is not None else []
    found: list[tuple[str, list[Answer]]] = []
    for mistake, session in candidates:
        answers, failed = _answers(session, run, seed, _Follows(trace, rightly))
        if failed and _distance(trace, answers[: len(trace)], rightly) is not None:
            found.append((mistake, answers))
    whole = again() if found else None
    best: tuple[float, str] | None = None
    for mistake, answers in found:
        near = _distance(trace, answers[: len(trace)], rightly)
        distance = near if whole is None else _distance(whole, answers, rightly)
        if distance is not None and (best is None or distance < 0.1 * best[0]):
            best = distance, mistake
    return best[1] if best is not None else None


def _answers(session: Session, run: RunOn, seed: int, trace: list[Answer]) -> tuple[list[Answer], bool]:
    """The answers of a session in the check, kept in `trace`, and whether the check found them wrong."""
    session.begin_check("diagnosis", 60.0, seed)
    session.trace = trace
    failed = False
    try:
        run(session)
    except CheckFailed:
        failed = True
    except (_Departed, Exception):
        pass  # where the check could not digest a mistake's answer it is not what the student's answer is, either
    finally:
        answers = list(session.trace)
        session.close()
    return answers, failed


def _distance(student: Sequence[Answer], mistake: Sequence[Answer], right: Sequence[Answer]) -> float | None:
    """How far the answers are from each other, of what the mistake changes; None where they are not the same."""
    if len(student) != len(mistake):
        return None
    largest = effect = 0.0
    for place, (a, b) in enumerate(zip(student, mistake, strict=True)):
        effects = _alike(a, b, right[place:][:1])
        if effects is None:
            return None
        for apart, moved in effects:
            largest, effect = max(largest, apart), max(effect, moved)
    if effect == 0:
        return 0.0  # texts, errors, or nothing to compare with
    return largest / effect if largest <= CLEARLY * effect else None


def _alike(student: Answer, mistake: Answer, right: Sequence[Answer]) -> Effects | None:
    """What `_compared` says of two answers to the same call, None where they are not the same.

    Args:
        right: the reference's answer in this place, if it has one.
    """
    if student.label != mistake.label or student.kind != mistake.kind:
        return None
    same_call = right and (right[0].label, right[0].kind) == (mistake.label, mistake.kind)
    effects: Effects = []
    for part in _compared(student.value, mistake.value, right[0].value if same_call else None):
        if part is None:
            return None
        effects.append(part)
    return effects


def _compared(a: object, b: object, right: object) -> Iterator[tuple[float, float] | None]:
    """For each number or tensor how far two answers are apart, and how far the mistake moves it; None: they differ."""
    if isinstance(a, Handle) and isinstance(b, Handle):
        return
    x, y = as_tensor(a), as_tensor(b)
    if isinstance(a, Unusable) or isinstance(b, Unusable) or (x is None) != (y is None):
        yield None
    elif isinstance(a, dict) and isinstance(b, dict):
        if "bases" in a and "bases" in b:
            yield (0.0, 0.0) if a["bases"] == b["bases"] and _said(a) == _said(b) else None
        elif a.keys() != b.keys():
            yield None
        else:
            for key in a:
                yield from _compared(a[key], b[key], right.get(key) if isinstance(right, dict) else None)
    elif x is not None and y is not None:
        yield _near(x, y, as_tensor(right))
    elif isinstance(a, list | tuple) and isinstance(b, list | tuple):
        if len(a) != len(b):
            yield None
            return
        others = right if isinstance(right, list | tuple) and len(right) == len(a) else [None] * len(a)
        for one, other, third in zip(a, b, others, strict=True):
            yield from _compared(one, other, third)
    else:
        yield (0.0, 0.0) if type(a) is type(b) and bool(a == b) else None


def _said(raised: dict[object, object]) -> str:
    """What torch says in a RuntimeError, its numbers aside: one kind stands for many faults. Other texts are free."""
    bases = raised["bases"]
    known = isinstance(bases, list | tuple) and "RuntimeError" in bases
    return re.sub(r"\d+", "", str(raised.get("message"))) if known else ""


def _near(student: Tensor, mistake: Tensor, right: Tensor | None) -> tuple[float, float] | None:
    """How far an answer is from a mistake's, and the mistake's from the right one; None where they are not the same."""
    if student.shape != mistake.shape or student.is_complex() != mistake.is_complex():
        return None
    single = student.dtype in (torch.float32, torch.float16, torch.bfloat16)
    relative, absolute = SINGLE if single else ROUNDING
    kind = torch.complex128 if student.is_complex() else torch.float64
    a, b = student.to(kind), mistake.to(kind)
    finite = a.isfinite() & b.isfinite()
    if not torch.equal(a[~finite].nan_to_num(), b[~finite].nan_to_num()) or not torch.equal(a.isnan(), b.isnan()):
        return None
    moved = torch.zeros_like(b.abs())
    if right is not None and right.shape == mistake.shape and right.is_complex() == mistake.is_complex():
        moved = (b - right.to(kind)).abs().nan_to_num(nan=0.0, posinf=0.0)
    apart = (a - b).abs()[finite]
    if (apart > absolute + relative * b.abs()[finite] + OF_EFFECT * moved[finite]).any():
        return None
    # By how much a tensor of its size is moved: answers of one check differ by orders of magnitude.
    size = float(b.abs()[finite].max()) if apart.numel() else 0.0
    size = size or 1.0
    return (float(apart.max()) / size if apart.numel() else 0.0), float(moved.max()) / size if moved.numel() else 0.0
