"""Looks for the smallest call that shows what is wrong in one check; `examples` says of which submissions and when."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic, process_time

import pytest
from torch import Tensor

from autograder.judge.answers import as_tensor
from autograder.judge.arguments import Arguments
from autograder.judge.case import Case
from autograder.judge.check import CheckInfo
from autograder.judge.engine import Kit
from autograder.judge.example_text import example_text, numbers_in
from autograder.judge.ladder import MOST
from autograder.judge.outcomes import CannotGoOn, Ended, Right, departs, outcome, text_of_outcome
from autograder.judge.own_run import OwnRuns
from autograder.judge.plain_tensors import is_plain
from autograder.judge.public_calls import public_calls
from autograder.judge.relations import Compared, relation
from autograder.judge.right_code import PublicCall
from autograder.judge.session import Session
from autograder.judge.shrink import SMALL, shrink
from autograder.language import _
from autograder.results.model import Example

RELATED = 2  # calls whose answers a relation is looked for in
MOST_OWN = 26  # numbers of what a check finds wrong in weights of its own: it cannot be asked of anything smaller
TRIED = 24  # calls of one check that are made of a submission


@dataclass(frozen=True)
class Effort:
    """How much is tried for one check.

    Attributes:
        runs: of the check, each on other public numbers.
        ladders: failing calls whose small versions are tried.
        shrunk: failing calls of other sizes that are made smaller by trying.
        steps: calls that shrinking one of them may make.
        until_small: whether it goes on as long as an example is not small.
        clock: that its seconds are counted by.
    """

    runs: int = 2
    ladders: int = 2
    shrunk: int = 1
    steps: int = 120
    until_small: bool = False
    clock: Callable[[], float] = monotonic


# What shows a known mistake is looked for once, and kept for all classes. Its seconds are this process's own: what else
# the machine does must not decide. Those of a submission that has ten mistakes fit into what a judge may be silent for.
THOROUGH = Effort(runs=4, ladders=10, shrunk=3, steps=600, until_small=True, clock=process_time)
THOROUGH_SECONDS = 12.0


@dataclass(frozen=True)
class Explained:
    """What is found about a failed check: the smallest call, and what all wrong answers are to the right ones."""

    example: Example | None
    relation: str | None


@dataclass(frozen=True)
class Found:
    """An example, how many numbers it has, and the call that it shows; None where that is the check's own."""

    numbers: int
    example: Example
    shows: PublicCall | None = None


class Explainer:
    """Looks for examples of one submission's failed checks.

    Args:
        session: on the submission, in a worker of its own.
        kit: of the exercise.
        rerun: runs a check's function on a case, beyond comparisons that fail.
        seconds: that all examples of this submission may take.
        effort: for each check.
    """

    def __init__(
        self, session: Session, kit: Kit, rerun: Callable[[pytest.Function, Case], None], seconds: float,
        effort: Effort = Effort(),
    ) -> None:  # fmt: skip
        self._session = session
        self._effort = effort
        self._kit = kit
        self._rerun = rerun
        self._now = effort.clock
        self._end = self._until = self._now() + seconds
        self.found: dict[str, Found | None] = {}  # by check
        self._missed: dict[str, list[tuple[PublicCall, Right]]] = {}  # by check: what fails, and nothing small does
        self._known: dict[str, Found] = {}  # the smallest, by function
        self._related: dict[str, str | None] = {}
        self._asked: tuple[PublicCall, Arguments, Ended] | None = None  # the last

    def explain(
        self, item: pytest.Function, info: CheckInfo, case: Case, about: str = "", mistake: str | None = None
    ) -> Explained:
        """What shows best what is wrong in this check.

        Args:
            case: as the check was judged; of it, nothing secret is used.
            about: the function that it judges.
            mistake: the known one that was found; no relation is needed then.

        Raises:
            CannotGoOn: the worker was lost.
        """
        named = mistake is not None
        known = self._known.get(about)
        if known is not None and known.numbers <= SMALL and (named or about in self._related):
            return Explained(known.example, self._related.get(about))
        if mistake is not None:
            one = self._shown_by(mistake, item, info, case, about)
            if one is None:  # nor will trying find anything here
                return Explained(None, None)
            if (right := self._kit.right_code.says(one)) is not None and departs(
                self._of_student(one, one.call), right
            ):
                return Explained(self._kept(one, one.call).example, None)
        best: Found | None = None
        self._until = (self._now() + self._end) / 2  # a slow function leaves time to others
        pairs: dict[str, list[Compared]] = {}
        failing: list[tuple[PublicCall, Right]] = []

        def more() -> bool:
            large = best is None or best.numbers > SMALL
            return not failing or (self._effort.until_small and large) or not (named or len(pairs.get(about, ())) > 1)

        for one in self._calls(item, info, case, about, more):
            small = best is not None and best.numbers <= SMALL
            related = named or len(pairs.get(one.function, ())) >= RELATED
            if self._late() or (related and (small or len(failing) >= self._effort.ladders)):
                break
            if len(failing) >= self._effort.ladders + RELATED or (small and one.asked != "value"):
                continue
            try:
                if (wrong := self._wrong(one)) is None:
                    continue
                got, right = wrong
                failing.append((one, right))
                if one.asked == "value":
                    pairs.setdefault(one.function, []).extend(_pair(one.call, got, right))
                found = self._smallest(one, right) if not small and len(failing) <= self._effort.ladders else None
                if found is not None and (best is None or found.numbers < best.numbers):
                    best = found
            except CannotGoOn:
                if not self._session.can_answer:
                    raise
                continue  # this function has no answer
        if best is None or best.numbers > SMALL:
            self._miss(info.id, [one for one, _right in failing])
        self._related |= {name: relation(of_one) for name, of_one in pairs.items()}
        self.found[info.id] = best
        return Explained(
            best.example if best is not None else None,
            next((text for name in pairs if (text := self._related[name])), None),
        )

    def _miss(self, check: str, failing: Sequence[PublicCall]) -> None:
        """Keep the first of these calls on which all who are right agree, to be made smaller by trying."""
        kept = self._missed[check] = []
        sizes: list[set[int]] = []
        for one in failing:
            if len(kept) == self._effort.shrunk or one.call.sizes in sizes:
                continue
            right = self._kit.right_code.says(one)
            try:
                if right is not None and departs(self._of_student(one, one.call), right):
                    kept.append((one, right))
                    sizes.append(one.call.sizes)
            except CannotGoOn:
                if not self._session.can_answer:
                    raise

    def search(self, item: pytest.Function, info: CheckInfo, case: Case, about: str = "") -> Example | None:
        """An example where none was found by rule: by trying, or of what the check itself finds wrong."""
        self._until = (self._now() + self._end) / 2
        found = self._known.get(about)
        for one, right in self._missed.get(info.id, ()):
            found = found or self._shrunk(one, right)
        if found is None and info.kind == "exact" and self._now() < self._end:
            self._until = self._end
            found = self._own(item, info, case)
        return found.example if found is not None else None

    def _shown_by(
        self, mistake: str, item: pytest.Function, info: CheckInfo, case: Case, about: str
    ) -> PublicCall | None:
        """The small call that shows a known mistake, which says nothing of any submission."""

        def search() -> PublicCall | None:
            session = self._kit.mistake_session(self._kit.mistake(mistake))
            session.begin_check("examples", math.inf, 0)
            other = Explainer(session, self._kit, self._rerun, THOROUGH_SECONDS, THOROUGH)
            other.explain(item, info, case, about)
            other._until = other._end
            several = [other.found[info.id], *(other._shrunk(*missed) for missed in other._missed.get(info.id, ()))]
            found = min((one for one in several if one is not None), key=lambda one: one.numbers, default=None)
            return found.shows if found is not None else None

        with self._for_all():
            return self._kit.right_code.shown_by(mistake, info.id, search)

    @contextlib.contextmanager
    def _for_all(self) -> Iterator[None]:
        """What is found out here is known for all submissions: it takes no time of this one."""
        started = self._now()
        yield
        taken = self._now() - started
        self._end, self._until = self._end + taken, self._until + taken

    def _late(self) -> bool:
        return self._now() > self._until

    def _calls(
        self, item: pytest.Function, info: CheckInfo, case: Case, about: str, more: Callable[[], bool]
    ) -> Iterator[PublicCall]:
        """What the check asks on public numbers, of the function that it judges first."""
        for run in range(self._effort.runs):
            if more():
                with self._for_all():
                    calls = public_calls(self._kit, item, info, case, run, self._rerun)
                yield from itertools.islice(sorted(calls, key=lambda one: one.function != about), TRIED)

    def _wrong(self, one: PublicCall) -> tuple[Ended, Right] | None:
        """What comes of a call and what is right, where it is wrong: the alternatives are asked where that may be."""
        if self._kit.right_code.says(one, asked=1) is None:
            return None
        got, right = self._of_student(one, one.call), None
        for asked in (1, 2):
            right = self._kit.right_code.says(one, asked=asked)
            if right is None or not departs(got, right):
                return None
        return None if right is None else (got, right)

    def _own(self, item: pytest.Function, info: CheckInfo, case: Case) -> Found | None:
        """What the check itself finds wrong on public numbers, where that is little."""
        runs = OwnRuns(self._kit, self._rerun)
        with self._for_all():
            runs.passed_by_all(item, info, case)
        shown = runs.shown(self._session, item, info, case)
        if shown is None:
            return None
        words = self._kit.right_code.probe_words
        text = shown.what or example_text("value", shown.call, self._kit.parameters, words, objects=shown.objects)
        numbers = numbers_in(text)
        if any(isinstance(leaf, Tensor) and leaf.numel() > MOST and not is_plain(leaf) for leaf in shown.call.leaves):
            numbers = max(numbers, SMALL + 1)  # whose numbers are not written out
        tells = shown.got != shown.right and numbers <= MOST_OWN
        return Found(numbers, Example(text, shown.got, shown.right)) if tells else None

    def _of_student(self, one: PublicCall, call: Arguments) -> Ended:
        if self._asked is None or self._asked[0] is not one or self._asked[1] is not call:
            self._asked = one, call, outcome(self._session, one.asked, call)
        return self._asked[2]

    def _smallest(self, one: PublicCall, first: Right) -> Found | None:
        """An example of what is wrong in a function, and how many numbers it has; a small one is looked for once."""
        known = self._known.get(one.function)
        if known is not None and known.numbers <= SMALL:
            return known
        with contextlib.nullcontext() if self._effort.until_small else self._for_all():
            self._kit.right_code.plainer(one)
        for rung in self._kit.right_code.rungs(one):
            if known is not None and rung.numbers >= known.numbers:
                continue
            # The reference says nearly always what all who are right do, in a part of the time.
            shows = self._fails(one, first, rung, 1) and self._fails(one, first, rung)
            if shows and (found := self._kept(one, rung)).numbers <= MOST:
                return found
        return known

    def _shrunk(self, one: PublicCall, first: Right) -> Found | None:
        """One found by trying, where no version made by rule shows what is wrong."""
        for start in (*self._kit.right_code.plainer(one), one.call):
            if not self._fails(one, first, start):
                continue
            for asked in (2, None):
                fails = functools.partial(self._fails, one, first, asked=asked, trying=True)
                small = shrink(start, fails, self._effort.steps)
                if self._fails(one, first, small):
                    break
            if (found := self._kept(one, small)).numbers <= MOST:
                return found
        return None

    def _fails(
        self, one: PublicCall, first: Right, candidate: Arguments, asked: int | None = None, trying: bool = False
    ) -> bool:
        if self._late():
            return False
        right = self._kit.right_code.says(one, candidate, asked, trying)
        if right is None or bool(right.ended.raised) != bool(first.ended.raised):
            return False
        if right.settled != first.settled and first.settled != "kind":  # of less, more may be settled
            if right.settled != "values":
                return False
            right = replace(right, settled=first.settled)  # but what is free in the call itself stays free
        try:
            return departs(self._of_student(one, candidate), right)
        except CannotGoOn:
            if not self._session.can_answer:
                raise
            return False

    def _kept(self, one: PublicCall, call: Arguments) -> Found:
        example = self._example(one, call)
        numbers = max(numbers_in(example.call), call.numbers)
        if one.asked == "pair":
            numbers = max(numbers, 2 * SMALL)  # one call says more
        if example.got == example.right:  # they differ in what is left out of a long answer
            numbers = MOST + 1
        found = Found(numbers, example, replace(one, call=call))
        known = self._known.get(one.function)
        if found.numbers <= MOST and (known is None or found.numbers < known.numbers):
            self._known[one.function] = found
        return found

    def _example(self, one: PublicCall, call: Arguments) -> Example:
        right = self._kit.right_code.says(one, call)
        assert right is not None
        got = self._of_student(one, call)
        text = example_text(one.asked, call, self._kit.parameters, self._kit.right_code.probe_words, one.types)
        due = text_of_outcome(right.ended, right.settled, one.asked)
        if right.settled == "signs":
            due = _("{value}, up to signs").format(value=due)
        if right.settled == "order":
            due = _("{value}, in any order").format(value=due)
        return Example(text, text_of_outcome(got, right.settled, one.asked), due)


def _pair(call: Arguments, ended: Ended, right: Right) -> list[Compared]:
    got, value = as_tensor(ended.value), as_tensor(right.ended.value)
    if got is None or value is None or right.settled != "values":
        return []
    sizes = {size for leaf in call.leaves if isinstance(leaf, Tensor) for size in leaf.shape}
    return [Compared(got, value, frozenset(sizes))]
