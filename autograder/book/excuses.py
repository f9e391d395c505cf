"""Whom a teacher freed of an exercise: it counts nothing for them, whatever was handed in."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from autograder.book.decisions import Decision
from autograder.language import _
from autograder.results.model import Result


def excuse_in_force(decisions: Iterable[Decision]) -> Decision | None:
    """The excuse that holds, of decisions about one student's exercise, oldest first.

    Points that a teacher gives for the whole exercise afterwards take its place.
    """
    found: Decision | None = None
    for decision in decisions:
        whole = decision.kind == "override" and not decision.check and not decision.withdrawn
        if decision.kind == "excuse":
            found = None if decision.withdrawn else decision
        elif whole:
            found = None
    return found


def excused(result: Result) -> Result:
    """The result of somebody who is excused: what the checks say is kept, for who wants to know."""
    message = _("You are excused from this exercise: it does not count for you.")
    return msgspec.structs.replace(result, outcome="excused", message=message)
