"""The smallest call that shows what is wrong: a failed check's function on public inputs, small and round.

A check is run on the reference with numbers that anybody may know (`public_calls`), and its calls are kept. When it has
failed, those calls are made of the submission, in a fresh worker that has never seen the inputs that graded: what it
answers is shown to the student, and could be what it has seen. One where its answer departs from what the reference and
every alternative agree on is shrunk as long as it does. Where they do not agree with each other the contract leaves the
answer free, or does not allow the arguments, and nothing is shown.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from time import monotonic
from typing import TypeVar

import pytest

from autograder.judge import fixtures
from autograder.judge.check import CheckInfo
from autograder.judge.concluding import run_with
from autograder.judge.engine import Engine
from autograder.judge.explainer import Explainer
from autograder.judge.grading import Grading
from autograder.judge.items import info_of
from autograder.judge.messages import Job
from autograder.judge.outcomes import CannotGoOn
from autograder.judge.sitting import Sitting
from autograder.results.model import CheckResult

# What all examples of a submission may take: a share of what its checks took. What bounds them is the `Effort`: seconds
# only where a submission is slow.
SHARE = 0.1
LEAST_SECONDS, MOST_SECONDS = 2.0, 10.0
# What is found out for all submissions is no part of that, and a class's first pays for it: not more than this share of
# what a judge may be silent for.
LONGEST = 0.25
TRIES = 2  # of one check
KINDS = ("exact", "statistical")

T = TypeVar("T")


def explain_failures(
    engine: Engine, job: Job, grading: Grading, items: Sequence[pytest.Item], sitting: Sitting
) -> None:
    """Add an example and a relation to the results of the exact checks that have failed just now."""
    failed = [
        (item, info, grading.results[info.id])
        for item in items
        if isinstance(item, pytest.Function)
        and (info := info_of(item)) is not None
        and info.id in grading.results
        and _red(grading.results[info.id])
        and explainable(item, info)
    ]
    if not failed or engine.kit(job.exercise).config.examples == "hidden":
        return
    session = engine.session(job)
    taken = sum(result.duration_s for result in grading.results.values())
    seconds = min(max(SHARE * taken, LEAST_SECONDS), MOST_SECONDS)
    try:
        session.begin_check("examples", seconds, 0)
        kit = engine.kit(job.exercise)
        explainer = Explainer(session, kit, lambda item, case: run_with(item, case, sitting), seconds)
        end = monotonic() + LONGEST * job.seconds
        for item, info, result in until(end, failed):
            about, case, mistake = grading.about.get(info.id, ""), sitting.case(item), result.diagnosis
            for _try in range(TRIES):
                try:
                    explained = explainer.explain(item, info, case, about, mistake)
                    break
                except CannotGoOn:  # something from outside may have ended the worker: a result must not hang on it
                    session.begin_check("examples", seconds, 0)
            else:
                continue
            result.example = explained.example
            if result.diagnosis is None and explained.relation:
                result.relation = explained.relation
                result.hint = f"{result.hint} {explained.relation}".strip()
        for item, info, result in until(end, failed):
            if result.example is None:
                with suppress(CannotGoOn):
                    result.example = explainer.search(item, info, sitting.case(item), grading.about.get(info.id, ""))
                if not session.can_answer:
                    session.begin_check("examples", seconds, 0)
    finally:
        session.close()
        engine.kit(job.exercise).right_code.remembered.write()


def until(end: float, items: Iterable[T]) -> Iterator[T]:
    """These, as long as it is not so late by the monotonic clock."""
    for item in items:
        if monotonic() > end:
            return
        yield item


def _red(result: CheckResult) -> bool:
    """Whether an answer was wrong there, and not only in the checks of the values of some parts' functions."""
    return result.outcome == "failed" and (not result.parts or "failed" in result.parts.values())


def explainable(item: pytest.Function, info: CheckInfo) -> bool:
    """Whether a check can be run on public numbers."""
    takes = set(inspect.signature(item.obj).parameters)
    return info.kind in KINDS and takes <= set(fixtures.FIXTURES) - {"quiz"}
