"""One submission in one worker: calls, handles, the clock of each check, the replacement of a lost worker."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import torch

from autograder.judge.answers import describe
from autograder.judge.labels import Labels, written
from autograder.judge.loading import Code, Loading
from autograder.judge.raised import in_words, raised_error
from autograder.judge.recording import Recorder
from autograder.judge.remote import Answered, Handle
from autograder.judge.shown import shown_call
from autograder.judge.transport import RequestFields, Transport, WorkerLost
from autograder.judge.verdicts import StudentError
from autograder.language import _
from autograder.results.model import Incident
from autograder.wire.values import HandleReference, Unusable
from autograder.worker.raised import REPLACED

TIMEOUTS_BEFORE_GIVING_UP = 2
CONTROLS = 0.03  # of all uses of a probe, with a control before them
LOOKS = 0.05  # with a look at what probes rely on
MAX_ANSWER_BYTES = 512 * 2**20  # of one check


@dataclass
class Answer:
    """One answer of the student's code, kept so that a known mistake can be compared with it."""

    label: str
    kind: str
    value: Answered


@dataclass
class Call:
    """A call as it was made, with what came of it, where it answered."""

    written: str
    answer: Answered = None
    answered: bool = False


@dataclass
class Session:
    """The student's code behind calls.

    Args:
        import_seconds: for one top-level statement; a whole load may take three times as long.
        import_memory_mb: what the worker may have while it loads.
        signatures: text of the contract's signature by public name; what has one must be callable.
        classes: names of the contract's classes: calling one must give an object.
        parameters: names of parameters by function, class and `Class.method` of the contract.
        last: whether no other try of this submission will come.
        shows: keeps the last call with its values, for messages of public checks.
    """

    transport: Transport
    code: Code
    import_seconds: float
    signatures: Mapping[str, str] = field(default_factory=dict)
    classes: frozenset[str] = frozenset()
    import_memory_mb: int = 2048
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    last: bool = True
    shows: bool = False

    def __post_init__(self) -> None:
        self.generation = 0
        self.incidents: list[Incident] = []
        self.loading = Loading(self.code, self.import_seconds, self.import_memory_mb, self.incidents, self.last)
        self.trace: list[Answer] = []
        self.labels = Labels()
        self.called: Call | None = None
        self.recorder: Recorder | None = None  # of how answers came about, where somebody wants to know
        self._called_seconds = 0.0
        self._alive = False
        self._probes_sent = False
        self._released: list[int] = []
        self._functions: dict[str, Handle] = {}
        self._remaining = 0.0
        self._limit = 0.0
        self._check = ""
        self._hung: Counter[str] = Counter()
        self._received_before = 0
        self._forbidden: tuple[str, ...] = ()
        self._dice = random.SystemRandom()
        self._probed = False  # in this check
        self.next_seed: int | None = None  # of the global generators, set with what is asked next: one message for both

    # --- life of the worker ---------------------------------------------------------------------------------------

    @property
    def student_seconds(self) -> float:
        """What the student's code has taken so far, all imports and calls together."""
        return self.loading.spent + self._called_seconds

    @property
    def can_answer(self) -> bool:
        """Whether the check that runs now can be answered any more: the worker lives, and there is time left."""
        return self._alive and self._remaining > 0

    def _load(self) -> None:
        self.generation += 1
        self._probes_sent = False
        self._functions.clear()
        self._released.clear()
        self._forbidden = ()
        self._alive = self.loading.into(self.transport)

    def flag_mentions(self, forbids: Sequence[str], judged: Sequence[str]) -> None:
        """Tell the instructor where what is judged names what a check forbids. The check has passed all the same."""
        for mention in self.loading.mentions:
            if mention.name in forbids and mention.matters_to(judged):
                way = "" if mention.said == mention.name else f"a way to {mention.name}, "
                detail = f"{mention.where}, line {mention.line} names {mention.said}, {way}which is forbidden here"
                self.incidents.append(Incident("forbidden", detail, self._check))

    def begin_check(
        self, check: str, seconds: float, seed: int, forbids: tuple[str, ...] = (), memory_mb: int | None = None
    ) -> None:
        """Give the next check a living worker, its own clock and its own random state.

        Args:
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
        self._probed, self.next_seed = False, None
        self.trace, self.labels, self.called = [], Labels(), None
        if not self._alive:
            self._load()
        self._remaining = seconds
        self._received_before = self.transport.received
        if self._alive:
            try:
                self._request("seed", {"n": seed}, "torch.manual_seed")
            except StudentError:
                self._load()
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

    def get_public(self, name: str) -> Answered:
        """A public name of the student's file."""
        if name in self._functions:
            if self.recorder is not None:
                self.recorder.named(self._functions[name], name)
            return self._functions[name]
        if self._alive and name not in self.loading.names:
            raise StudentError(
                _("`{name}` is not defined in your file.").format(name=name) + self.loading.note(name), kind="missing"
            )
        kind, value = self._request("get", {"target": HandleReference(0, "module", False), "name": name}, name)
        if kind == "missing":
            raise StudentError(_("`{name}` is not defined in your file.").format(name=name), kind="missing")
        value = self._value(kind, value, name)
        if self.recorder is not None:
            self.recorder.named(value, name)
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

    def get(self, handle: Handle, name: str) -> Answered:
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
        value = self._value(kind, value, label)
        self.labels.keep(value, label)
        if self.recorder is not None:
            self.recorder.got(handle, name, value)
        return value

    def call(self, handle: Handle, args: Sequence[object], kwargs: Mapping[str, object]) -> Answered:
        """Call a function, a class, a module or a method of the student's."""
        self._own(handle)
        request: RequestFields = {"target": handle._reference, "args": list(args), "kwargs": dict(kwargs)}
        self._own_all(request)
        if self.shows:
            self.called = Call(shown_call(handle._label, args, kwargs))
        kept = self.recorder.call(handle, args, kwargs) if self.recorder is not None else None
        kind, value = self._request("call", request, handle._label)
        value = self._value(kind, value, handle._label, traced=True)
        if self.recorder is not None:
            self.recorder.answer(kept, value)
        if self.called is not None:
            self.called.answer, self.called.answered = value, True
        self.labels.keep(value, self.written(handle, args, kwargs))
        if handle._label in self.classes and not isinstance(value, Handle):
            raise StudentError(
                _("{label}(...): expected an object of your class, got {got}.").format(
                    label=handle._label, got=describe(value)
                )
            )
        return value

    def written(self, handle: Handle, args: Sequence[object], kwargs: Mapping[str, object]) -> str:
        """A call of this object in the contract's words."""
        return written(handle._label, args, kwargs, self.parameters)

    def probe(self, name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> Answered:
        """Run a probe beside the student's code."""
        if self._alive and not self._probes_sent:
            kind, value = self._request("probes", {"code": self.code.probes}, "probes")
            if kind != "done":
                # They can be defined: the judge has tried. What prevents it here is the submission's doing.
                self._refuse_replaced(kind, value)
                self._no_probes(f"{kind} where probes are defined")
            self._probes_sent = True
        # What has been replaced for good shows at a check's first probe; what comes and goes, now and then.
        look = not self._probed or self._dice.random() < LOOKS
        self._probed = True
        request: RequestFields = {"name": name, "args": list(args), "kwargs": dict(kwargs), "look": look}
        self._own_all(request)
        label = next((a._label for a in args if isinstance(a, Handle)), name)
        if self._alive and self.transport.sealed and self._dice.random() < CONTROLS:
            self._control(label)
        kept = self.recorder.probe(name, args, kwargs) if self.recorder is not None else None
        kind, value = self._request("probe", request, label)
        self._refuse_replaced(kind, value)
        value = self._value(kind, value, label, traced=True)
        if self.recorder is not None:
            self.recorder.answer(kept, value)
        return value

    def _control(self, label: str) -> None:
        """Measure something by probes of which the judge knows what is right."""
        numbers = torch.tensor([self._dice.gauss(0, 1) for _ in range(12)], dtype=torch.float64)
        a, b, x = numbers.view(3, 4).unbind()
        request: RequestFields = {"name": "quadratic", "args": [a, b], "kwargs": {}, "look": False}
        _kind, function = self._request("probe", request, label)
        right: object = None
        if isinstance(function, Handle):
            request = {"name": "gradient", "args": [function, [x], [0]], "kwargs": {}, "look": False}
            kind, value = self._request("probe", request, label)
            right = value[0] if kind == "value" and isinstance(value, list) and len(value) == 1 else None
        if not (isinstance(right, torch.Tensor) and right.shape == x.shape and torch.allclose(right, 2 * a * x + b)):
            self._no_probes("a probe gave something else than it must")

    def _refuse_replaced(self, kind: str, value: Answered) -> None:
        if kind == "raised" and type(value) is dict and value.get("type_name") == REPLACED:
            name = str(value.get("message"))[:200]
            self._no_probes(f"replaced: {name}", _("Leave `{name}` as it is: your file replaces it.").format(name=name))

    def _no_probes(self, detail: str, hint: str = "") -> NoReturn:
        self.incidents.append(Incident("probes", detail, self._check))
        raise StudentError(_("The checks' own code could not run beside your file."), hint, kind="protocol")

    def released(self, handle: Handle) -> None:
        """A handle is no longer used here; the worker may forget the object."""
        if handle._generation == self.generation:
            self._released.append(handle._reference.number)

    # --- messages -------------------------------------------------------------------------------------------------

    def _request(self, kind: str, value: RequestFields, label: str) -> tuple[str, Answered]:
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

    def _exchange(self, kind: str, value: RequestFields, label: str) -> tuple[str, Answered]:
        if self._remaining <= 0:
            raise StudentError(self._too_slow(label), kind="timeout")
        if self.next_seed is not None:
            seed, self.next_seed = self.next_seed, None
            if kind == "call":
                value = value | {"seed": seed}
            else:
                self.reseed(seed)
        started = time.monotonic()
        result = label if kind == "get" else _result_label(label)
        try:
            return self.transport.request(
                kind, value, self._remaining, lambda reference: Handle(self, reference, result)
            )
        except WorkerLost as lost:
            self._alive = False
            if lost.death is None or not lost.death.proved:
                self.incidents.append(Incident(lost.kind, f"{label}: {lost.reason}", self._check))
            if lost.kind == "timeout":
                self._hung[label] += 1
                message = self._too_slow(label)
            elif lost.kind == "protocol":
                message = _("{label}: the process sent something that is no answer ({reason}).").format(
                    label=label, reason=lost.reason
                )
            else:
                message = _("{label} ended the process ({reason}).").format(label=label, reason=in_words(lost.reason))
            raise StudentError(message, kind=lost.kind) from None
        finally:
            elapsed = time.monotonic() - started
            self._remaining -= elapsed
            self._called_seconds += elapsed

    def _too_slow(self, label: str) -> str:
        return _("{label} did not end within the {seconds:g} s of this check.").format(label=label, seconds=self._limit)

    def _value(self, kind: str, value: Answered, label: str, traced: bool = False) -> Answered:
        if self.transport.received - self._received_before > MAX_ANSWER_BYTES:
            # What a check has been answered stays in memory until it ends.
            self.trace, self.labels = [], Labels()
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
            if type(value) is dict and value.get("type_name") == "WayRound":
                detail = f"{label}: a way round what is forbidden here: {str(value.get('message'))[:200]}"
                self.incidents.append(Incident("forbidden", detail, self._check))
            raised = raised_error(value, label, self.signatures.get(label), self.loading.note(), self.code.libraries)
            if "NotImplementedError" in raised.bases:  # the stub: what was written may stand where nothing is run
                raised.message += self.loading.left_out(re.split(r"\W", label)[0])
            raise raised
        raise StudentError(_("{label} gave no answer.").format(label=label), kind="protocol")

    def _own(self, handle: Handle) -> None:
        if handle._generation != self.generation:
            raise StudentError(_("{label} was lost when the process ended.").format(label=handle._label), kind="died")

    def _own_all(self, value: object) -> None:
        if isinstance(value, Handle):
            self._own(value)
        elif isinstance(value, Unusable):
            raise StudentError(_("an answer cannot be used further: {why}").format(why=value.why))
        elif isinstance(value, list | tuple | dict):
            for item in value.values() if isinstance(value, dict) else value:
                self._own_all(item)


def _result_label(label: str) -> str:
    return label if label.endswith("(...)") else f"{label}(...)"
