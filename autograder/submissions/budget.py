"""How much of what one student handed in is looked at: bytes, entries, archives within archives, seconds.

One student's archives must not fill the disk or stop the class. What is over a limit is said with the number, and
what the student handed in is then not gradable: never missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from autograder.course.written import Intake
from autograder.language import _
from autograder.submissions.packed import ArchiveRefused


class OverBudget(ArchiveRefused):
    """More than a student may hand in; `message` says which limit, with its number."""


@dataclass
class Budget:
    """What is left of the limits.

    Args:
        intake: the course's limits.
        clock: seconds; where it starts does not matter.
    """

    intake: Intake
    clock: Callable[[], float] = time.monotonic
    entries: int = 0
    unpacked: int = 0
    began: float = -1.0

    def enter(self, count: int = 1) -> None:
        """Count files and folders."""
        self.entries += count
        if self.entries > self.intake.entries:
            raise OverBudget(_("more than {limit} files").format(limit=self.intake.entries))
        self.tick()

    def unpack(self, size: int) -> None:
        """Count bytes that came out of an archive."""
        self.unpacked += size
        if self.unpacked > self.intake.unpacked_mb * 1_000_000:
            raise OverBudget(_("more than {limit:g} MB unpacked").format(limit=self.intake.unpacked_mb))
        self.tick()

    def nest(self, depth: int) -> None:
        """Refuse an archive within too many others; `depth` counts from 1."""
        if depth > self.intake.depth:
            raise OverBudget(_("more than {limit} archives within one another").format(limit=self.intake.depth))

    def tick(self) -> None:
        """Refuse to go on after too many seconds; they count from the first call."""
        now = self.clock()
        if self.began < 0:
            self.began = now
        if now - self.began > self.intake.seconds:
            raise OverBudget(_("more than {limit:g} seconds to unpack it").format(limit=self.intake.seconds))
