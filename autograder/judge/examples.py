"""The smallest call that shows what is wrong: a failed check's function on public inputs, small and round.

An exact check is run on the reference with numbers that anybody may know (their seed follows from the exercise and the
check alone), and its calls of public functions on plain data are kept. When it has failed, those calls are made of the
submission, in a fresh worker that has never seen the inputs that graded: what it answers is shown to the student, and
could be what it has seen. One where its answer differs from the reference's, and every alternative agrees with that, is
shrunk as long as both stay so. Where the alternatives do not agree with each other the contract leaves the answer free,
or does not allow the arguments, and nothing is shown.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from autograder.judge import fixtures
from autograder.judge.answers import as_tensor, describe
from autograder.judge.case import Case
from autograder.judge.check import CheckInfo
from autograder.judge.compare import same
from autograder.judge.concluding import run_with
from autograder.judge.draw import Draw, subseed
from autograder.judge.engine import IMAGE_FIXTURES, Engine, Kit
from autograder.judge.grading import Grading
from autograder.judge.items import info_of
from autograder.judge.messages import Job
from autograder.judge.parts import Parts
from autograder.judge.relations import Compared, relation
from autograder.judge.remote import Handle
from autograder.judge.session import Recorded, Session
from autograder.judge.shown import example_call, example_value
from autograder.judge.shrink import Arguments, shrink
from autograder.judge.sitting import Sitting
from autograder.judge.verdicts import StudentError
from autograder.results.model import CheckResult, Example

RUNS = 2  # of the check, each on other public numbers
CALLS = 4  # of one function, which are tried
STEPS = 250  # calls that shrinking one example may make
FEW = 6  # numbers of an example that is small
MOST = 12  # numbers of an example: a larger one is nothing to look at
TOTAL_SECONDS = 20.0
LARGEST = 5000  # numbers of a call that is looked at
KINDS = ("exact", "statistical")
CLEARLY = 1e-3  # relative: what rounding would hide shows nothing


@dataclass(frozen=True)
class Explained:
    """What is found about a failed check: the smallest call, and what all wrong answers are to the right ones."""

    example: Example | None
    relation: str | None


@dataclass(frozen=True)
class Ended:
    """How a call ended: what it answered, or the builtin exception that it raised."""

    value: object = None
    raised: str = ""


class PublicCall(NamedTuple):
    """A call that anybody may know."""

    name: str
    call: Arguments
    right: Ended


class CannotGoOn(Exception):
    """The student's worker answers no more."""


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
    """Whether a check can be run on public numbers: not where it looks at images, which are held out."""
    takes = set(inspect.signature(item.obj).parameters)
    return info.kind in KINDS and takes <= set(fixtures.FIXTURES) - {*IMAGE_FIXTURES, "quiz", "calibrated"}


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
        for run in range(RUNS):
            if monotonic() > self._until or (named and best is not None and best[0] <= FEW):
                break
            for name, call, right in self._calls(item, info, case, run):
                try:
                    if not _differ(self._of_student(name, call), right):
                        continue
                    pairs.setdefault(name, []).extend(self._pair(name, call, right))
                    found = self._smallest(name, call)
                    best = found if best is None or found[0] < best[0] else best
                except CannotGoOn:
                    if not self._session.can_answer:
                        raise
                    continue  # this function has no answer
        self._related |= {name: relation(of_one) for name, of_one in pairs.items()}
        return Explained(
            best[1] if best is not None and best[0] <= MOST else None,
            next((text for name in pairs if (text := self._related[name])), None),
        )

    def _calls(self, item: pytest.Function, info: CheckInfo, case: Case, run: int) -> Sequence[PublicCall]:
        """The calls of public functions on plain data that the check makes of the reference, with what is right."""
        known = self._kit.public_calls
        if (info.id, run) not in known:
            known[info.id, run] = tuple(self._found(item, info, case, run))
        return known[info.id, run]

    def _found(self, item: pytest.Function, info: CheckInfo, case: Case, run: int) -> Iterator[PublicCall]:
        seed = subseed(run, f"example/{self._kit.exercise.id}/{info.id}")
        session = self._kit.reference_session()
        session.recorded = []
        try:
            session.begin_check(info.id, TOTAL_SECONDS, subseed(seed, "globals"))
            public = replace(
                case, session=session, seed=seed, once=lambda key, function: function(Draw(subseed(seed, key))),
                record=lambda name, value: None, limits=None, quiz_answers={}, parts=Parts(), noted=[],
            )  # fmt: skip
            self._rerun(item, public)
        except Exception:  # however it ends: what was called is what counts
            pass
        finally:
            session.close()
        by_name: dict[str, list[Arguments]] = {}
        for one in session.recorded:
            call = _plain(one)
            if call is not None and one.name in self._kit.parameters:
                by_name.setdefault(one.name, []).append(call)
        for name, calls in by_name.items():
            for call in sorted(calls, key=lambda call: call.numbers)[:CALLS]:
                if (right := self._right(name, call)) is not None:
                    yield PublicCall(name, call, right)

    def _of_student(self, name: str, call: Arguments) -> Ended:
        if not self._session.can_answer:
            raise CannotGoOn
        passed = call.copy()
        try:
            function = self._session.get_public(name)
            if not isinstance(function, Handle):
                raise CannotGoOn
            return Ended(function(*passed.args, **passed.kwargs))
        except StudentError as error:
            if error.kind != "raised" or not error.bases or "NotImplementedError" in error.bases:
                raise CannotGoOn from None
            return Ended(raised=error.bases[0])

    def _right(self, name: str, call: Arguments) -> Ended | None:
        """What is right, where the reference says it and every alternative agrees; None where nothing can be shown."""
        right = _outcome(self._kit.reference, name, call)
        if right is None or not _showable(right):
            return None
        for module in self._kit.alternatives:
            if hasattr(module, name):
                other = _outcome(module, name, call)
                if other is None or _differ(other, right, 1e-6):
                    return None
        return right

    def _smallest(self, name: str, call: Arguments) -> tuple[int, Example]:
        """An example of what is wrong in a function, and how many numbers it has; a small one is looked for once."""
        known = self._known.get(name)
        if known is not None and known[0] <= FEW:
            return known
        first = self._right(name, call)
        raises = first is not None and bool(first.raised)

        def fails(candidate: Arguments) -> bool:
            right = self._right(name, candidate)
            if right is None or bool(right.raised) != raises or monotonic() > self._until:
                return False
            return _differ(self._of_student(name, candidate), right)

        small = shrink(call, fails, STEPS)
        found = small.numbers, self._example(name, small)
        if known is None or found[0] < known[0]:
            self._known[name] = found
        return self._known[name]

    def _example(self, name: str, call: Arguments) -> Example:
        right = self._right(name, call)
        assert right is not None
        got = self._of_student(name, call)
        parameters = self._kit.parameters.get(name, ())
        return Example(example_call(name, call.args, call.kwargs, parameters), _text(got), _text(right))

    def _pair(self, name: str, call: Arguments, right: Ended) -> list[Compared]:
        got, value = as_tensor(self._of_student(name, call).value), as_tensor(right.value)
        if got is None or value is None:
            return []
        sizes = {size for leaf in call.leaves if isinstance(leaf, Tensor) for size in leaf.shape}
        return [Compared(got, value, frozenset(sizes))]


def _plain(recorded: Recorded) -> Arguments | None:
    """What was passed, where it is data that can be written down."""
    call = Arguments(tuple(recorded.args), dict(recorded.kwargs))
    for leaf in call.leaves:
        if not (leaf is None or isinstance(leaf, bool | int | float | str | Tensor)):
            return None
        if isinstance(leaf, Tensor) and (leaf.is_complex() or leaf.requires_grad):
            return None
    return call if call.numbers <= LARGEST else None


def _outcome(module: types.ModuleType, name: str, call: Arguments) -> Ended | None:
    passed = call.copy()
    try:
        value = getattr(module, name)(*passed.args, **passed.kwargs)
    except ValueError:
        return Ended(raised="ValueError")
    except Exception:
        return None
    return Ended(_detached(value))


def _detached(value: object) -> object:
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, list | tuple):
        return tuple(_detached(item) for item in value)
    if isinstance(value, dict):
        return {key: _detached(item) for key, item in value.items()}
    return value


def _showable(outcome: Ended) -> bool:
    """Whether an answer is data with nothing in it that is no number."""
    if outcome.raised:
        return True
    value = outcome.value
    items: Sequence[object] = value if isinstance(value, list | tuple) else [value]
    if isinstance(value, dict):
        items = list(value.values())
    for item in items:
        tensor = as_tensor(item)
        if tensor is None and not isinstance(item, str | bool):
            return False
        if tensor is not None and (tensor.isnan().any() or tensor.numel() > LARGEST):
            return False
    return bool(items)


def _differ(got: Ended, right: Ended, by: float = CLEARLY) -> bool:
    if got.raised or right.raised:
        return got.raised != right.raised
    return _values_differ(got.value, right.value, by)


def _values_differ(got: object, right: object, by: float) -> bool:
    a, b = as_tensor(got), as_tensor(right)
    if a is not None and b is not None:
        b = b.to(torch.float64)
        finite = b[b.isfinite()]
        size = float(finite.abs().max()) if finite.numel() else 0.0
        return a.shape != b.shape or not same(a.to(torch.float64), b, by, by * size + 1e-12)
    if isinstance(right, list | tuple):
        if not isinstance(got, list | tuple) or len(got) != len(right):
            return True
        return any(_values_differ(one, other, by) for one, other in zip(got, right, strict=True))
    if isinstance(right, dict):  # other keys are free
        known = isinstance(got, dict) and right.keys() <= got.keys()
        return not known or any(_values_differ(got[key], value, by) for key, value in right.items())
    return type(got) is not type(right) or got != right


def _text(outcome: Ended) -> str:
    if outcome.raised:
        return outcome.raised
    return example_value(outcome.value) or describe(outcome.value)
