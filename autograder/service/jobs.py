"""The jobs of a class in the order of its schedule, each made of its file when a judge is free for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from autograder.batch.pictures import Pictures
from autograder.batch.plan import Plan, Planned, make_task
from autograder.batch.pool import Task
from autograder.batch.schedule import Schedule, ToDo
from autograder.results.attempt import Known, Name
from autograder.submissions import HandIn

if TYPE_CHECKING:
    from autograder.service.book import Book


class Jobs:
    """Where judges get their jobs from."""

    def __init__(
        self, book: Book, handed_in: HandIn, plan: Plan, known: Mapping[Name, Known], pictures: Pictures | None
    ) -> None:
        self._book = book
        self._handed_in = handed_in
        self._pictures = pictures
        self.begun: dict[Name, Planned] = {}
        pieces = (
            ToDo(p.name, p, p.known.seconds or None if p.known is not None else None, p.size) for p in plan.todo
        )  # fmt: skip
        self.schedule: Schedule[Planned] = Schedule(pieces, _durations(known))

    def __len__(self) -> int:
        return len(self.schedule)

    def take(self) -> Task[Name] | None:
        """Read the next submission."""
        planned = self.schedule.take()
        if planned is None:
            return None
        self.begun[planned.name] = planned
        if self._pictures is not None:
            self._pictures.begin(*planned.name)
        before = None
        if planned.again is not None and planned.known is not None:
            before = self._book.store.attempts.result(planned.known.id)
        folder = self._pictures.folder if self._pictures is not None else None
        return make_task(self._book.course.config, self._handed_in, planned, before, folder)


def _durations(attempts: Mapping[Name, Known]) -> Mapping[str, Sequence[float]]:
    """How long earlier attempts took, by exercise."""
    seen: dict[str, list[float]] = defaultdict(list)
    for (_student, exercise), known in attempts.items():
        if known.outcome == "graded" and known.seconds:
            seen[exercise].append(known.seconds)
    return dict(seen)
