"""What came out of a check, in the result's words: from how its function ended to a `CheckResult`."""

from __future__ import annotations

import contextlib
import inspect
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from autograder.course.discovery import PUBLIC_CHECKS
from autograder.judge import fixtures
from autograder.judge.check import CheckInfo
from autograder.judge.draw import subseed
from autograder.judge.excerpt import raised_line
from autograder.judge.misuse import misused_answer, tripped
from autograder.judge.parts import Parts
from autograder.judge.shown import text_of
from autograder.judge.sitting import Sitting
from autograder.judge.verdicts import OURS, Blocked, CheckFailed, StudentError
from autograder.language import _, mark

if TYPE_CHECKING:
    from autograder.judge.case import Case
    from autograder.judge.session import Answer, Call, Session
    from autograder.results.model import CheckResult
    from autograder.results.outcomes import PartOutcome

NOT_WRITTEN = "NotImplementedError"
DIAGNOSED = ("exact", "statistical")


def conclude(
    item: pytest.Function, info: CheckInfo, sitting: Sitting, call: pytest.CallInfo[None]
) -> CheckResult | None:
    """The result of a check that has ended, kept in its grading. None where there is none: nothing was judged."""
    grading = sitting.grading
    error = call.excinfo.value if call.excinfo is not None else None
    if grading is None or isinstance(error, KeyboardInterrupt):
        return None
    duration = call.duration
    if error is None:
        result = _of_parts(item, info, sitting, duration)
    elif isinstance(error, Blocked):
        message = _("Not judged, because this did not pass: {checks}.").format(checks=error.message)
        result = grading.finish(info, "blocked", 0.0, message)
    elif isinstance(error, Exception) and (failure := _in_words(item, sitting, error)) is not None:
        result = _failed(item, info, sitting, failure, duration)
    elif isinstance(error, pytest.skip.Exception):
        result = grading.finish(info, "skipped", duration, str(error))
    elif call.when == "call" and not isinstance(error, OURS) and _works_on_the_reference(item, info, sitting):
        # With the same inputs the check can work on right answers: it has tripped over one that is not.
        result = _failed(item, info, sitting, CheckFailed(tripped(grading.session.trace)), duration)
    else:
        result = grading.finish(info, "error", duration, f"{type(error).__name__}: {error}")
    return result


def _in_words(item: pytest.Function, sitting: Sitting, error: Exception) -> CheckFailed | None:
    """How a check, or a part of it, ended as the student's loss; None where the error does not say whose it is."""
    _engine, grading = sitting.in_force
    if isinstance(error, CheckFailed):
        return error
    if (reason := misused_answer(item.path, error, grading.session.trace)) is not None:
        return CheckFailed(reason)
    if isinstance(error, AssertionError):
        return CheckFailed(str(error.args[0]) if error.args else _("The answer is not right."))
    return None


def _of_parts(item: pytest.Function, info: CheckInfo, sitting: Sitting, duration: float) -> CheckResult:
    """The result of a check that has run to its end: passed, but for the parts (`each`) that are lost."""
    _engine, grading = sitting.in_force
    trace, parts = grading.session.trace, grading.parts
    failures = {name: _in_words(item, sitting, error) for name, error in parts.errors.items()}
    if None in failures.values() and not _works_on_the_reference(item, info, sitting):
        fault = next(error for name, error in parts.errors.items() if failures[name] is None)
        return grading.finish(info, "error", duration, f"{type(fault).__name__}: {fault}")
    lost = parts.verdict({name: failure or CheckFailed(tripped(trace)) for name, failure in failures.items()})
    if lost is None:
        return grading.finish(info, "passed", duration)
    if set(lost.parts.values()) == {"blocked"}:
        return grading.finish(info, "blocked", duration, lost.message)
    return _failed(item, info, sitting, lost, duration)


def _failed(
    item: pytest.Function, info: CheckInfo, sitting: Sitting, error: CheckFailed, duration: float
) -> CheckResult:
    result = _judged_wrong(item, info, sitting, error, duration)
    if error.raised_in is not None:
        engine, grading = sitting.in_force
        result.raised = raised_line(grading.session.code.cells, error.raised_in)
        if engine.public and result.raised is not None and result.raised.values:
            named = [f"`{name}`{mark(':')} {what}" for name, what in result.raised.values.items()]
            listing = f"{mark(';')} ".join(named)
            result.message += " " + _("In that line: {listing}.").format(listing=listing)
    return result


def _judged_wrong(
    item: pytest.Function, info: CheckInfo, sitting: Sitting, error: CheckFailed, duration: float
) -> CheckResult:
    engine, grading = sitting.in_force
    mistake = error.mistake
    hint, title = error.hint, ""
    if not engine.public:
        if grading.session.trace and _red(error):
            grading.about[info.id] = about(info.covers, grading.session.trace, error.parts)
        if mistake is None and info.kind in DIAGNOSED and _red(error) and not _hopeless(error):
            mistake = _diagnose(item, info, sitting, error)
        known = next((m for m in engine.kit(grading.exercise).mistakes if m.id == mistake), None)
        if known is not None:
            if error.mistake is None:
                grading.likened[info.id] = known.check, hint
            title = _(known.title)
            hint = _("It looks like this: {title}. {hint}").format(title=title, hint=_(known.hint))
        else:
            mistake = None
        return grading.finish(info, "failed", duration, error.message, hint, mistake, title, error.parts)
    if not (isinstance(error, StudentError) and NOT_WRITTEN in error.bases):
        call = _call(grading.session.called, error)
        if call and not error.message.endswith((".", "!", "?", "…")):
            error.message += "."  # what an exception says need not end as a sentence
        error.message, hint = f"{error.message} {call}".rstrip(), f"{hint} {_place(item)}".strip()
    return grading.finish(info, "failed", duration, error.message, hint, None, title, error.parts)


def about(covers: Sequence[str], trace: Sequence[Answer], parts: Mapping[str, PartOutcome]) -> str:
    """The function that was called last of those that the check is about: it may have asked others what they say."""
    called = [re.split(r"\W", answer.label)[0] for answer in trace]
    lost = [name for name, outcome in parts.items() if outcome == "failed"]
    meant = [name for name in called if name in (lost or covers)]
    return (meant or lost or called)[-1]


def _call(call: Call | None, error: CheckFailed) -> str:
    """The last call of a public check, with what was passed and what came: nothing there is secret."""
    if call is None or (isinstance(error, StudentError) and error.kind == "missing"):
        return ""
    if not call.answered:
        return _("The call was {call}.").format(call=call.written)
    return _("The call was {call}; its answer: {answer}.").format(call=call.written, answer=text_of(call.answer))


def _place(item: pytest.Function) -> str:
    """Where to read a public check."""
    if item.path.name != PUBLIC_CHECKS:
        return ""
    return _("The check is {name} in {folder}/{file}, line {line}.").format(
        name=item.function.__name__, folder=item.path.parent.name, file=item.path.name,
        line=item.function.__code__.co_firstlineno,
    )  # fmt: skip


def _red(error: CheckFailed) -> bool:
    """Whether an answer was wrong here, and not only in the checks of the values of some parts' functions."""
    return not error.parts or "failed" in error.parts.values()


def _hopeless(error: CheckFailed) -> bool:
    return isinstance(error, StudentError) and error.kind != "raised"


def _diagnose(item: pytest.Function, info: CheckInfo, sitting: Sitting, error: CheckFailed) -> str | None:
    from autograder.judge.diagnosis import matching_mistake

    engine, grading = sitting.in_force
    kit, session = engine.kit(grading.exercise), grading.session
    trace, labels, measured = list(session.trace), session.labels, dict(grading.measured)
    seed = subseed(grading.seed(info.id), "globals")

    def again() -> list[Answer] | None:
        """The student's answers in the whole check, beyond the comparison that has failed."""
        if isinstance(error, StudentError) or not session.can_answer:
            return None
        session.trace = []
        with contextlib.suppress(Exception):
            session.reseed(seed)
            run_with(item, replace(sitting.case(item), parts=Parts(), noted=[]), sitting)
        return session.trace if session.can_answer else None

    try:
        candidates = kit.mistake_sessions(info.id, grading.passed)
        run, asked, whole = partial(_run_on, item, sitting), trace, again
        # A part that has failed leaves out the rest of its calls, and the next part's come after: no beginning of all.
        if error.parts and (answers := again()):
            asked, whole = answers, lambda: answers
        return matching_mistake(asked, candidates, run, seed, kit.reference_session(), whole)
    finally:
        session.trace, session.labels, grading.measured = trace, labels, measured


def _run_on(item: pytest.Function, sitting: Sitting, session: Session) -> None:
    """The function of a check on other code, with the same inputs."""
    run_with(item, sitting.case_on(item, session), sitting)


def run_with(item: pytest.Function, case: Case, sitting: Sitting) -> None:
    """The function of a check, run beyond comparisons that fail; CheckFailed where one did, or where a part is lost."""
    others = item.funcargs or {}  # none any more, when all checks are over
    names = [name for name in inspect.signature(item.obj).parameters if name in others or name in fixtures.FIXTURES]
    noted = case.noted if case.noted is not None else []
    try:
        item.obj(**{
            name: fixtures.make(name, case) if name in fixtures.FIXTURES else others[name] for name in names
        })  # fmt: skip
    except Exception:
        if not noted:
            raise
    failures = {name: _in_words(item, sitting, error) for name, error in case.parts.errors.items()}
    if noted:
        raise noted[0]
    for name, failure in failures.items():
        if failure is None:
            raise case.parts.errors[name]
    if (lost := case.parts.verdict({name: failure for name, failure in failures.items() if failure})) is not None:
        raise lost


def _works_on_the_reference(item: pytest.Function, info: CheckInfo, sitting: Sitting) -> bool:
    engine, grading = sitting.in_force
    if engine.public:
        return False
    measured = dict(grading.measured)
    session = engine.kit(grading.exercise).reference_session()
    session.begin_check(info.id, math.inf, subseed(grading.seed(info.id), "globals"))
    try:
        _run_on(item, sitting, session)
        return True
    except AssertionError:  # judged, and found wrong: by chance where samples are judged
        return True
    except Exception:
        return False
    finally:
        session.close()
        grading.measured = measured
