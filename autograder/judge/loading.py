"""The import of a submission into a worker, and again into the next one, without what broke a worker before."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.judge.raised import in_words
from autograder.judge.transport import Loaded, RequestFields, Transport, WorkerLost, no_handle
from autograder.language import _, said
from autograder.results.model import Incident, LoadingProblem
from autograder.submissions.model import LeftOut
from autograder.wire.values import CellData
from autograder.worker.forbidden import Mention

MAX_RELOADS = 4
GRACE_SECONDS = 1.0  # the loader interrupts a statement itself; the kill comes only where that did not help


@dataclass(frozen=True)
class Code:
    """What a worker loads.

    Attributes:
        probes: the exercise's probes, compiled: their text is nobody's beside a submission.
        device: where tensors and modules are put.
        watched: library functions that some check forbids: the text is searched for them before it is loaded.
        libraries: installed libraries that it may import, as people call them.
        importable: their top-level modules and those of what they need; None: whatever is installed.
        left_out: parts of the file that are not run.
    """

    exercise: str
    cells: Sequence[CellData]
    probes: str = ""
    device: str = "cpu"
    watched: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    importable: tuple[str, ...] | None = None
    left_out: tuple[LeftOut, ...] = ()


class Loading:
    """Loads a submission as often as it needs a worker.

    Args:
        seconds: for one top-level statement; a whole load may take three times as long.
        memory_mb: what the worker may have meanwhile.
        incidents: where lost workers are noted.
        last: whether no other try will come: then a statement at which a worker was killed is left out as one that has
            ended it itself; before, it is not blamed.

    Attributes:
        names: public names that the submission has defined.
        problems: what of it could not be loaded, by line.
        mentions: where its text names library functions that some check forbids.
        spent: seconds of all loads.
    """

    def __init__(
        self, code: Code, seconds: float, memory_mb: int, incidents: list[Incident], last: bool = True
    ) -> None:
        self._code = code
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._incidents = incidents
        self._last = last
        self._skip: set[int] = set()
        self._lost: list[LoadingProblem] = []
        self._searched = False
        self._killed = False  # from outside: this check is judged again, and the next one loads anew
        self.names: frozenset[str] = frozenset()
        self.problems: list[LoadingProblem] = []
        self.mentions: list[Mention] = []
        self.spent = 0.0

    def into(self, transport: Transport) -> bool:
        """Start workers until one has loaded the submission, without the statements that broke others."""
        budget = time.monotonic() + 3 * (self._seconds + GRACE_SECONDS)
        for _attempt in range(MAX_RELOADS):
            loaded = self._try(transport, budget)
            if loaded is not None:
                self.names = loaded.names
                self.problems = sorted([*self._lost, *loaded.problems], key=lambda p: p.line)
                return True
            if self._killed:
                return False
            if -1 in self._skip:
                break  # another time it would be no different
        self.names = frozenset()
        no_further = LoadingProblem("", 0, "crash", _("the file could not be loaded any further"))
        self.problems = [*self._lost, no_further]
        return False

    def _try(self, transport: Transport, budget: float) -> Loaded | None:
        transport.start()
        transport.hand_key()
        transport.allow_memory(self._memory_mb)
        if self._code.watched and not self._searched:
            self._search(transport)
        request: RequestFields = {
            "name": self._code.exercise,
            "cells": [dict(cell) for cell in self._code.cells],
            "skip": sorted(self._skip),
            "seconds": self._seconds,
            "device": self._code.device,
            "libraries": list(self._code.libraries),
            "importable": None if self._code.importable is None else list(self._code.importable),
        }
        started = time.monotonic()
        try:
            return transport.load(request, max(self._seconds / 2, budget - started))
        except WorkerLost as lost:
            self._killed = lost.death is not None and (lost.death.proved or not self._last)
            if self._killed:
                return None
            self._incidents.append(Incident(lost.kind, f"{lost.reason} ({lost.where} {lost.line})", "import"))
            # Where it broke before or after every statement there is nothing to leave out.
            again = lost.statement is None or lost.statement in self._skip
            self._skip.add(-1 if again or lost.statement is None else lost.statement)
            message = (
                _("this statement did not end within {seconds:g} s and was left out").format(seconds=self._seconds)
                if lost.kind == "timeout"
                else _("this statement ended the process ({reason}) and was left out").format(
                    reason=in_words(lost.reason)
                )
            )
            self._lost.append(LoadingProblem(lost.where, lost.line, "crash", message))
            return None
        finally:
            self.spent += time.monotonic() - started

    def _search(self, transport: Transport) -> None:
        """Search the text in a worker that has run none of it; one that this breaks is replaced."""
        self._searched = True
        request: RequestFields = {"cells": [dict(cell) for cell in self._code.cells], "names": list(self._code.watched)}
        try:
            _kind, value = transport.request("mentions", request, self._seconds, no_handle)
        except WorkerLost as lost:
            self._incidents.append(Incident(lost.kind, f"searching the text: {lost.reason}", "import"))
            transport.start()
            transport.hand_key()
            return
        for item in value if type(value) is list else []:
            match item:
                case {"name": str(name), "said": str(text), "where": str(where), "line": int(line), "within": within}:
                    names = within if isinstance(within, list | tuple) else ()
                    self.mentions.append(Mention(name, text, where, line, tuple(n for n in names if type(n) is str)))

    @property
    def everything(self) -> list[LoadingProblem]:
        """What could not be loaded, after what was left out before."""
        left_out = [LoadingProblem(part.where, part.line, "note", part.reason) for part in self._code.left_out]
        return [*left_out, *self.problems]

    def left_out(self, name: str) -> str:
        """That a name is defined in a part of the file that is not run, where it is."""
        found = next((part for part in self._code.left_out if name in part.names), None)
        return " " + _("{where}: {reason}.").format(where=found.where, reason=said(found.reason)) if found else ""

    def note(self, name: str = "") -> str:
        """What a student should know where a name is missing: that it was left out with its cell, or the first thing
        that could not be loaded."""
        if left_out := self.left_out(name):
            return left_out
        serious = [p for p in self.problems if p.kind != "note"]
        if not serious:
            return ""
        first = serious[0]
        return " " + _("While your file was read, {where}, line {line}: {message}.").format(
            where=first.where, line=first.line, message=said(first.message).rstrip(".")
        )
