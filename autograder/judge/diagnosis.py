"""Which known mistake gives this very answer? The check is run again on each mistake, with the same inputs.

The student's answers in a check were kept (`Session.trace`). A mistake of the bank that gives the same answers, call
by call, on the same inputs, and fails like the student, is what the student most likely did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from autograder.judge.answers import as_tensor
from autograder.judge.compare import same
from autograder.judge.remote import Handle
from autograder.judge.session import Answer, Session
from autograder.judge.verdicts import CheckFailed
from autograder.wire.values import Unusable

RunOn = Callable[[Session], None]


def matching_mistake(
    trace: Sequence[Answer], candidates: Iterable[tuple[str, Session]], run: RunOn, seed: int
) -> str | None:
    """The id of the first mistake whose answers equal the student's, or None.

    Args:
        trace: the student's answers in the failed check.
        candidates: sessions on the mistakes that this check is meant to catch.
        run: runs the check's function on a session.
        seed: of the check, for the global generators.
    """
    if not trace:
        return None
    for mistake, session in candidates:
        session.begin_check("diagnosis", 60.0, seed)
        try:
            run(session)
        except CheckFailed:
            if _same_answers(trace, session.trace):
                return mistake
        except Exception:
            # The check could not digest this mistake's answer; it is then not what the student's answer is.
            continue
        finally:
            session.close()
    return None


def _same_answers(student: Sequence[Answer], mistake: Sequence[Answer]) -> bool:
    if len(student) != len(mistake):
        return False
    if not all(a.label == b.label and a.kind == b.kind for a, b in zip(student, mistake, strict=True)):
        return False
    return all(_same(a.value, b.value) for a, b in zip(student, mistake, strict=True))


def _same(a: object, b: object) -> bool:
    if isinstance(a, Handle) and isinstance(b, Handle):
        return True
    if isinstance(a, Unusable) or isinstance(b, Unusable):
        return False
    if isinstance(a, dict) and isinstance(b, dict):
        if "bases" in a and "bases" in b:
            return bool(a["bases"] == b["bases"])
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    x, y = as_tensor(a), as_tensor(b)
    if x is not None and y is not None:
        return x.shape == y.shape and same(x, y, 1e-5, 1e-7)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_same(p, q) for p, q in zip(a, b, strict=True))
    return type(a) is type(b) and bool(a == b)
