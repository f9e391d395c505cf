"""One submission in one worker: calls, handles, the clock of each check, the replacement of a lost worker."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.judge.answers import describe
from autograder.judge.raised import raised_error
from autograder.judge.remote import Handle
from autograder.judge.transport import Loaded, Transport, WorkerLost
from autograder.judge.verdicts import StudentError
from autograder.language import _
from autograder.wire.values import HandleReference, Unusable

MAX_RELOADS = 4
GRACE_SECONDS = 1.0  # the loader interrupts a statement itself; the kill comes only where that did not help
TIMEOUTS_BEFORE_GIVING_UP = 2
MAX_ANSWER_BYTES = 512 * 2**20  # of one check


@dataclass(frozen=True)
class Code:
    """What a worker loads.

    Attributes:
        exercise: its id.
        cells: the code cells (`source`, `where`, `filename`, `first_line`).
        probes: source of the exercise's probes.
        device: where tensors and modules are put.
        watched: library functions that some check forbids: the text is searched for them before it is loaded.
    """

    exercise: str
    cells: Sequence[Mapping[str, Any]]
    probes: str = ""
    device: str = "cpu"
    watched: tuple[str, ...] = ()


@dataclass
class Answer:
    """One answer of the student's code, kept so that a known mistake can be compared with it."""

    label: str
    kind: str
    value: Any


@dataclass
class Incident:
    """Something that an instructor should know: a worker that broke the protocol, died or hung."""

    kind: str
    detail: str
    check: str = ""


@dataclass
class Session:
    """The student's code behind calls.

    Args:
        transport: the way to the worker.
        code: what it loads.
        import_seconds: for one top-level statement; a whole load may take three times as long.
        import_memory_mb: what the worker may have while it loads.
        signatures: text of the contract's signature by public name; what has one must be callable.
        classes: names of the contract's classes: calling one must give an object.
    """

    transport: Transport
    code: Code
    import_seconds: float
    signatures: Mapping[str, str] = field(default_factory=dict)
    classes: frozenset[str] = frozenset()
    import_memory_mb: int = 2048

    def __post_init__(self) -> None:
        self.generation = 0
        self.names: frozenset[str] = frozenset()
        self.problems: list[dict[str, Any]] = []
        self.incidents: list[Incident] = []
        self.trace: list[Answer] = []
        self.student_seconds = 0.0
        self._lost_statements: list[dict[str, Any]] = []
        self._skip: set[int] = set()
        self._alive = False
        self._probes_sent = False
        self._released: list[int] = []
        self._functions: dict[str, Any] = {}
        self._remaining = 0.0
        self._limit = 0.0
        self._check = ""
        self._hung: Counter[str] = Counter()
        self._received_before = 0
        self._mentions: list[dict[str, Any]] | None = None
        self._forbidden: tuple[str, ...] = ()

    # --- life of the worker ---------------------------------------------------------------------------------------

    def load(self) -> None:
        """Start a worker and load the submission, leaving out statements that break it."""
        budget = time.monotonic() + 3 * (self.import_seconds + GRACE_SECONDS)
        for _attempt in range(MAX_RELOADS):
            loaded = self._try_load(budget)
            if loaded is not None:
                self.names, self.problems = (
                    loaded.names,
                    sorted([*self._lost_statements, *loaded.problems], key=lambda p: p["line"]),
                )
                return
        self.names = frozenset()
        self.problems = [
            *self._lost_statements,
            {"where": "", "line": 0, "kind": "crash", "message": _("the file could not be loaded any further")},
        ]

    def _try_load(self, budget: float) -> Loaded | None:
        self.transport.start()
        self.transport.allow_memory(self.import_memory_mb)
        self.generation += 1
        self._alive, self._probes_sent = True, False
        self._functions.clear()
        self._released.clear()
        self._forbidden = ()
        if self.code.watched and self._mentions is None:
            self._look_for_watched()
        request = {
            "name": self.code.exercise,
            "cells": [dict(cell) for cell in self.code.cells],
            "skip": sorted(self._skip),
            "seconds": self.import_seconds,
            "device": self.code.device,
        }
        started = time.monotonic()
        try:
            return self.transport.load(request, max(self.import_seconds / 2, budget - started))
        except WorkerLost as lost:
            self._alive = False
            self.incidents.append(Incident(lost.kind, f"{lost.reason} ({lost.where} {lost.line})", "import"))
            if lost.statement is None or lost.statement in self._skip:
                # It broke before or after every statement: nothing to leave out.
                self._skip.add(-1)
            else:
                self._skip.add(lost.statement)
            message = (
                _("this statement did not end within {seconds:g} s and was left out").format(
                    seconds=self.import_seconds
                )
                if lost.kind == "timeout"
                else _("this statement ended the process ({reason}) and was left out").format(reason=lost.reason)
            )
            self._lost_statements.append({"where": lost.where, "line": lost.line, "kind": "crash", "message": message})
            return None
        finally:
            self.student_seconds += time.monotonic() - started

    def _look_for_watched(self) -> None:
        """Search the text in a worker that has run none of it; one that this breaks is replaced."""
        self._mentions = []
        request = {"cells": [dict(cell) for cell in self.code.cells], "names": list(self.code.watched)}
        try:
            _kind, value = self.transport.request("mentions", request, self.import_seconds, lambda reference: None)
        except WorkerLost as lost:
            self.incidents.append(Incident(lost.kind, f"searching the text: {lost.reason}", "import"))
            self.transport.start()
            return
        fields = {"name": str, "where": str, "line": int}
        if type(value) is list:
            self._mentions = [m for m in value if type(m) is dict and {k: type(v) for k, v in m.items()} == fields]

    def flag_mentions(self, forbids: Sequence[str]) -> None:
        """Tell the instructor where the text names what a check forbids. The check has passed all the same."""
        for mention in self._mentions or []:
            if mention["name"] in forbids:
                detail = f"{mention['where']}, line {mention['line']} names {mention['name']}, which is forbidden here"
                self.incidents.append(Incident("forbidden", detail, self._check))

    def begin_check(
        self, check: str, seconds: float, seed: int, forbids: tuple[str, ...] = (), memory_mb: int | None = None
    ) -> None:
        """Give the next check a living worker, its own clock and its own random state.

        Args:
            check: its id.
            seconds: of the student's code.
            seed: of the worker's global generators.
            forbids: library functions that refuse to be called until the next check.
            memory_mb: what the worker may have until the next check; None: as before.

        Raises:
            StudentError: the submission keeps them from being forbidden.
        """
        if self._alive and self.transport.works_unasked():
            # It would slow down this check for what another one has started.
            self.incidents.append(Incident("background", "threads went on computing after the answer", self._check))
            self._alive = False
        self._check, self._limit = check, seconds
        self.trace = []
        if not self._alive:
            self.load()
        self._remaining = seconds
        self._received_before = self.transport.received
        if self._alive:
            try:
                self._request("seed", {"n": seed}, "torch.manual_seed")
            except StudentError:
                self.load()
        if self._alive and memory_mb is not None:
            self.transport.allow_memory(memory_mb)
        if self._alive and forbids != self._forbidden:
            self._forbidden = forbids  # also where only some could be replaced: the next check puts them back
            kind, _value = self._request("forbid", {"names": list(forbids)}, "forbid")
            if kind != "done":
                self.incidents.append(
                    Incident("forbidden", "the submission keeps functions from being forbidden", check)
                )
                raise StudentError(_("The checks' own code could not run beside your file."), kind="protocol")

    def reseed(self, seed: int) -> None:
        """Set the worker's global generators in the middle of a check."""
        self._request("seed", {"n": seed}, "torch.manual_seed")

    def close(self) -> None:
        """End the worker."""
        self._alive = False
        self.transport.stop()

    # --- what checks do -------------------------------------------------------------------------------------------

    def get_public(self, name: str) -> Any:
        """A public name of the student's file."""
        if name in self._functions:
            return self._functions[name]
        if self._alive and name not in self.names:
            raise StudentError(
                _("`{name}` is not defined in your file.").format(name=name) + self._loading_note(), kind="missing"
            )
        kind, value = self._request("get", {"target": HandleReference(0, "module", False), "name": name}, name)
        if kind == "missing":
            raise StudentError(_("`{name}` is not defined in your file.").format(name=name), kind="missing")
        value = self._value(kind, value, name)
        if isinstance(value, Handle):
            self._functions[name] = value
        elif name in self.signatures:
            # A variable of the same name further down in the file is how this happens.
            raise StudentError(
                _("`{name}` should be a function or a class, but at the end of your file it is {got}.").format(
                    name=name, got=describe(value)
                ),
                _("Give the variable of this name another one."),
            )
        return value

    def get(self, handle: Handle, name: str) -> Any:
        """An attribute of an object of the student's."""
        label = f"{handle._label}.{name}"
        self._own(handle)
        kind, value = self._request("get", {"target": handle._reference, "name": name}, label)
        if kind == "missing":
            raise StudentError(
                _("{object} (a {type}) has no attribute `{name}`.").format(
                    object=handle._label, type=handle._type_name, name=name
                ),
                kind="missing",
            )
        return self._value(kind, value, label)

    def call(self, handle: Handle, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call a function, a class, a module or a method of the student's."""
        self._own(handle)
        request = {"target": handle._reference, "args": list(args), "kwargs": dict(kwargs)}
        self._own_all(request)
        kind, value = self._request("call", request, handle._label)
        value = self._value(kind, value, handle._label, traced=True)
        if handle._label in self.classes and not isinstance(value, Handle):
            raise StudentError(
                _("{label}(...): expected an object of your class, got {got}.").format(
                    label=handle._label, got=describe(value)
                )
            )
        return value

    def probe(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run a probe beside the student's code."""
        if self._alive and not self._probes_sent:
            kind, value = self._request("probes", {"source": self.code.probes}, "probes")
            if kind != "done":
                # They can be defined: the judge has tried. What prevents it here is the submission's doing.
                self.incidents.append(Incident("probes", f"{kind} where probes are defined", self._check))
                raise StudentError(_("The checks' own code could not run beside your file."), kind="protocol")
            self._probes_sent = True
        request = {"name": name, "args": list(args), "kwargs": dict(kwargs)}
        self._own_all(request)
        label = next((a._label for a in args if isinstance(a, Handle)), name)
        kind, value = self._request("probe", request, label)
        return self._value(kind, value, label, traced=True)

    def released(self, handle: Handle) -> None:
        """A handle is no longer used here; the worker may forget the object."""
        if handle._generation == self.generation:
            self._released.append(handle._reference.number)

    # --- messages -------------------------------------------------------------------------------------------------

    def _request(self, kind: str, value: dict[str, Any], label: str) -> tuple[str, Any]:
        if not self._alive:
            raise StudentError(_("{label}: the process had ended before.").format(label=label), kind="died")
        if self._hung[label] >= TIMEOUTS_BEFORE_GIVING_UP:
            raise StudentError(
                _("{label} was not called again: it did not end in {n} earlier checks.").format(
                    label=label, n=self._hung[label]
                ),
                kind="timeout",
            )
        if len(self._released) > 64:
            numbers, self._released = self._released, []
            self._exchange("release", {"numbers": numbers}, label)
        return self._exchange(kind, value, label)

    def _exchange(self, kind: str, value: dict[str, Any], label: str) -> tuple[str, Any]:
        if self._remaining <= 0:
            raise StudentError(self._too_slow(label), kind="timeout")
        started = time.monotonic()
        result = label if kind == "get" else _result_label(label)
        try:
            return self.transport.request(
                kind, value, self._remaining, lambda reference: Handle(self, reference, result)
            )
        except WorkerLost as lost:
            self._alive = False
            self.incidents.append(Incident(lost.kind, f"{label}: {lost.reason}", self._check))
            if lost.kind == "timeout":
                self._hung[label] += 1
                message = self._too_slow(label)
            elif lost.kind == "protocol":
                message = _("{label}: the process sent something that is no answer ({reason}).").format(
                    label=label, reason=lost.reason
                )
            else:
                message = _("{label} ended the process ({reason}).").format(label=label, reason=lost.reason)
            raise StudentError(message, kind=lost.kind) from None
        finally:
            elapsed = time.monotonic() - started
            self._remaining -= elapsed
            self.student_seconds += elapsed

    def _too_slow(self, label: str) -> str:
        return _("{label} did not end within the {seconds:g} s of this check.").format(label=label, seconds=self._limit)

    def _value(self, kind: str, value: Any, label: str, traced: bool = False) -> Any:
        if self.transport.received - self._received_before > MAX_ANSWER_BYTES:
            # What a check has been answered stays in memory until it ends.
            self.trace = []
            raise StudentError(
                _("{label}: the answers of this check together have more than {limit:g} MB.").format(
                    label=label, limit=MAX_ANSWER_BYTES / 2**20
                )
            )
        if traced:
            self.trace.append(Answer(label, kind, value))
        if kind == "value":
            return value
        if kind == "raised":
            raise raised_error(value, label, self.signatures.get(label), self._loading_note())
        raise StudentError(_("{label} gave no answer.").format(label=label), kind="protocol")

    def _loading_note(self) -> str:
        serious = [p for p in self.problems if p["kind"] != "note"]
        if not serious:
            return ""
        first = serious[0]
        return " " + _("While your file was read, {where}, line {line}: {message}.").format(
            where=first["where"], line=first["line"], message=first["message"].rstrip(".")
        )

    def _own(self, handle: Handle) -> None:
        if handle._generation != self.generation:
            raise StudentError(_("{label} was lost when the process ended.").format(label=handle._label), kind="died")

    def _own_all(self, value: Any) -> None:
        if isinstance(value, Handle):
            self._own(value)
        elif isinstance(value, Unusable):
            raise StudentError(_("an answer cannot be used further: {why}").format(why=value.why))
        elif isinstance(value, list | tuple):
            for item in value:
                self._own_all(item)
        elif isinstance(value, dict):
            for item in value.values():
                self._own_all(item)


def _result_label(label: str) -> str:
    return label if label.endswith("(...)") else f"{label}(...)"
