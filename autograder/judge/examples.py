"""The smallest call that shows what is wrong: a failed check's function on public inputs, small and round.

A check is run on the reference with numbers that anybody may know (`public_calls`), and its calls are kept. When it has
failed, those calls are made of the submission, in a fresh worker that has never seen the inputs that graded: what it
answers is shown to the student, and could be what it has seen. One where its answer departs from what the reference and
every alternative agree on is shrunk as long as it does. Where they do not agree with each other the contract leaves the
answer free, or does not allow the arguments, and nothing is shown.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import pytest
from torch import Tensor

from autograder.judge import fixtures
from autograder.judge.answers import as_tensor
from autograder.judge.case import Case
from autograder.judge.check import CheckInfo
from autograder.judge.concluding import run_with
from autograder.judge.engine import Engine, Kit
from autograder.judge.example_text import example_text, numbers_in
from autograder.judge.grading import Grading
from autograder.judge.items import info_of
from autograder.judge.messages import Job
from autograder.judge.outcomes import CannotGoOn, Ended, Right, departs, outcome, text_of_outcome
from autograder.judge.own_run import OwnRuns
from autograder.judge.public_calls import PublicCall, public_calls
from autograder.judge.relations import Compared, relation
from autograder.judge.session import Session
from autograder.judge.shrink import Arguments, is_plain, shrink
from autograder.judge.sitting import Sitting
from autograder.language import _
from autograder.results.model import CheckResult, Example

RUNS = 2  # of the check, each on other public numbers
STEPS = 250  # calls that shrinking one example may make
FEW = 6  # numbers of an example that is small
MOST = 12  # numbers of an example: a larger one is nothing to look at
TRIED = 24  # calls of one check that are made of a submission
TOTAL_SECONDS = 10.0
KINDS = ("exact", "statistical")


@dataclass(frozen=True)
class Explained:
    """What is found about a failed check: the smallest call, and what all wrong answers are to the right ones."""

    example: Example | None
    relation: str | None


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
    try:
        session.begin_check("examples", TOTAL_SECONDS, 0)
        explainer = Explainer(session, engine.kit(job.exercise), lambda item, case: run_with(item, case, sitting))
        for item, info, result in failed:
            about, named = grading.about.get(info.id, ""), result.diagnosis is not None
            try:
                explained = explainer.explain(item, info, sitting.case(item), about, named=named)
            except CannotGoOn:  # something from outside may have ended the worker: a result must not hang on it
                session.begin_check("examples", TOTAL_SECONDS, 0)
                explained = explainer.explain(item, info, sitting.case(item), about, named=named)
            result.example = explained.example
            if result.diagnosis is None and explained.relation:
                result.relation = explained.relation
                result.hint = f"{result.hint} {explained.relation}".strip()
    except CannotGoOn:  # nor does it with another one: there are no more examples
        return
    finally:
        session.close()


def _red(result: CheckResult) -> bool:
    """Whether an answer was wrong there, and not only in the checks of the values of some parts' functions."""
    return result.outcome == "failed" and (not result.parts or "failed" in result.parts.values())


def explainable(item: pytest.Function, info: CheckInfo) -> bool:
    """Whether a check can be run on public numbers."""
    takes = set(inspect.signature(item.obj).parameters)
    return info.kind in KINDS and takes <= set(fixtures.FIXTURES) - {"quiz"}


class Explainer:
    """Looks for examples of one submission's failed checks.

    Args:
        session: on the submission, in a worker of its own.
        kit: of the exercise.
        rerun: runs a check's function on a case, beyond comparisons that fail.
    """

    def __init__(self, session: Session, kit: Kit, rerun: Callable[[pytest.Function, Case], None]) -> None:
        self._session = session
        self._kit = kit
        self._rerun = rerun
        self._until = monotonic() + TOTAL_SECONDS
        self._known: dict[str, tuple[int, Example]] = {}  # the smallest found, by function
        self._related: dict[str, str | None] = {}

    def explain(
        self, item: pytest.Function, info: CheckInfo, case: Case, about: str = "", named: bool = False
    ) -> Explained:
        """What shows best what is wrong in this check.

        Args:
            case: as the check was judged; of it, nothing secret is used.
            about: the function that it judges.
            named: whether a known mistake is found, and no relation needed.

        Raises:
            CannotGoOn: the worker was lost.
        """
        known = self._known.get(about)
        if known is not None and known[0] <= FEW and (named or about in self._related):
            return Explained(known[1], self._related.get(about))
        best: tuple[int, Example] | None = None
        pairs: dict[str, list[Compared]] = {}
        until = (monotonic() + self._until) / 2  # the rest is for the check's own run
        for run in range(RUNS):
            small = best is not None and best[0] <= FEW
            if monotonic() > until or (small and named):
                break
            calls = public_calls(self._kit, item, info, case, run, self._rerun)
            for one in itertools.islice(sorted(calls, key=lambda one: one.function != about), TRIED):
                if (small and (named or one.asked != "value")) or monotonic() > until:
                    break
                try:
                    if (wrong := self._wrong(one)) is None:
                        continue
                    got, right = wrong
                    if one.asked == "value":
                        pairs.setdefault(one.function, []).extend(_pair(one.call, got, right))
                    found = self._smallest(one, right)
                    best = found if best is None or found[0] < best[0] else best
                    small = best[0] <= FEW
                except CannotGoOn:
                    if not self._session.can_answer:
                        raise
                    continue  # this function has no answer
        if info.kind == "exact" and (best is None or best[0] > FEW) and monotonic() < self._until:
            best = self._own(item, info, case, about) or best
        self._related |= {name: relation(of_one) for name, of_one in pairs.items()}
        return Explained(
            best[1] if best is not None and best[0] <= MOST else None,
            next((text for name in pairs if (text := self._related[name])), None),
        )

    def _wrong(self, one: PublicCall) -> tuple[Ended, Right] | None:
        """What comes of a call and what is right, where it is wrong: the alternatives are asked where that may be."""
        if self._kit.right_code.says(one, asked=1) is None:
            return None
        got, right = self._of_student(one, one.call), None
        for asked in (1, 2, None):
            right = self._kit.right_code.says(one, asked=asked)
            if right is None or not departs(got, right):
                return None
        return None if right is None else (got, right)

    def _own(self, item: pytest.Function, info: CheckInfo, case: Case, about: str) -> tuple[int, Example] | None:
        """What the check itself finds wrong on public numbers, where that is little."""
        shown = OwnRuns(self._kit, self._rerun).shown(self._session, item, info, case)
        if shown is None:
            return None
        words = self._kit.right_code.probe_words
        text = shown.what or example_text("value", shown.call, self._kit.parameters, words, objects=shown.objects)
        numbers = numbers_in(text)
        if any(isinstance(leaf, Tensor) and leaf.numel() > MOST and not is_plain(leaf) for leaf in shown.call.leaves):
            numbers = max(numbers, FEW + 1)  # whose numbers are not written out
        return (numbers, Example(text, shown.got, shown.right)) if numbers <= MOST else None

    def _of_student(self, one: PublicCall, call: Arguments) -> Ended:
        return outcome(self._session, one.asked, call)

    def _smallest(self, one: PublicCall, first: Right) -> tuple[int, Example]:
        """An example of what is wrong in a function, and how many numbers it has; a small one is looked for once."""
        known = self._known.get(one.function)
        if known is not None and known[0] <= FEW:
            return known

        def fails(candidate: Arguments, asked: int | None = None) -> bool:
            if monotonic() > self._until:
                return False
            right = self._kit.right_code.says(one, candidate, asked)
            if right is None or right.settled != first.settled or bool(right.ended.raised) != bool(first.ended.raised):
                return False
            try:
                return departs(self._of_student(one, candidate), right)
            except CannotGoOn:
                if not self._session.can_answer:
                    raise
                return False

        # Two of those who are right say nearly always what all of them do, in a part of the time.
        small = shrink(one.call, lambda candidate: fails(candidate, 2), STEPS)
        if not fails(small):
            small = shrink(one.call, fails, STEPS)
        example = self._example(one, small)
        found = max(numbers_in(example.call), small.numbers), example
        if known is None or found[0] < known[0]:
            self._known[one.function] = found
        return self._known[one.function]

    def _example(self, one: PublicCall, call: Arguments) -> Example:
        right = self._kit.right_code.says(one, call)
        assert right is not None
        got = self._of_student(one, call)
        text = example_text(one.asked, call, self._kit.parameters, self._kit.right_code.probe_words, one.types)
        due = text_of_outcome(right.ended, right.settled)
        if right.settled == "signs":
            due = _("{value}, up to signs").format(value=due)
        if one.asked != "value" and not right.ended.raised:  # words
            return Example(text, str(got.value or got.raised), str(right.ended.value))
        return Example(text, text_of_outcome(got, right.settled), due)


def _pair(call: Arguments, ended: Ended, right: Right) -> list[Compared]:
    got, value = as_tensor(ended.value), as_tensor(right.ended.value)
    if got is None or value is None or right.settled != "values":
        return []
    sizes = {size for leaf in call.leaves if isinstance(leaf, Tensor) for size in leaf.shape}
    return [Compared(got, value, frozenset(sizes))]
