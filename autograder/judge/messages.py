"""What a scheduler and a judge process say to each other: a line of JSON each, made of the types below.

The scheduler begins with a `Start`, which is answered by `Ready`, or by `Unable` or `Disturbed`. Then each `Ask`
is answered by any number of `Judging`, where it asks for them, and one of the other answers. A judge ends when its
scheduler hangs up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from autograder.course.written import DataSet, Device
from autograder.results.model import CheckResult, Incident, Result, SubmissionFacts
from autograder.results.outcomes import Visibility
from autograder.submissions.model import CodeCell, LeftOut


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """What every judge of a batch is told.

    Attributes:
        checks: files or folders of checks to collect at the start; hidden checks of other exercises are collected when
            the first job of theirs comes.
        unprotected: run student code without isolation where there is none.
        without: isolation layers left out (tests).
        uncalibrated: record measured numbers, judge none.
        language: of the messages; None takes the course's.
        data_set: `mnist` or `digits`; None takes the course's.
        device: `cpu` or `cuda`; None takes the course's.
        listing: asked only what its checks are worth: no worker is made ready.
        slower: what limits in seconds are multiplied by, on a student's own machine.
    """

    config: Path
    checks: tuple[Path, ...]
    secret: bytes
    unprotected: bool = False
    without: frozenset[str] = frozenset()
    public: bool = False
    uncalibrated: bool = False
    language: str | None = None
    data_set: DataSet | None = None
    device: Device | None = None
    listing: bool = False
    slower: float = 1.0


class Kept(Struct, frozen=True, forbid_unknown_fields=True):
    """What of an earlier result is taken over."""

    checks: tuple[CheckResult, ...]
    incidents: tuple[Incident, ...] = ()


class Job(Struct, frozen=True, forbid_unknown_fields=True):
    """One submission to judge. Made by `batch.job`, whoever asks.

    Attributes:
        student: who handed it in; part of every seed.
        seconds: how long a judge may be silent about it before it is taken for lost.
        submission: what the result says of the file.
        notes: about the file, for the student.
        checks: only these and those that they require; all where empty.
        kept: checks that are not judged again.
        salt: added to every seed; empty for grading, a number for verification over many seeds.
        pictures: folder for pictures of the submission's figures; none are drawn without it.
        questions_of: whose personal questions it answers, where they are not the student's own.
        left_out: parts of the file that are not run.
        reader: version of the IPython that read its cells; empty where there was none.
    """

    exercise: str
    student: str
    cells: tuple[CodeCell, ...]
    seconds: float
    submission: SubmissionFacts = msgspec.field(default_factory=SubmissionFacts)
    notes: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    kept: Kept | None = None
    salt: str = ""
    pictures: Path | None = None
    questions_of: str = ""
    left_out: tuple[LeftOut, ...] = ()
    reader: str = ""


class Start(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line: the order, and the judge's number among those that work at the same time."""

    order: Order
    slot: int | None = None


class Ask(Struct, frozen=True, forbid_unknown_fields=True):
    """A try of a job; `progress` asks for a `Judging` before each check.

    `last`: there will be no other try. `spent`: seconds that the student's code has taken in earlier tries: all tries
    together have one total. `doubted`: workers were killed in an earlier one.
    """

    job: Job
    progress: bool = False
    last: bool = True
    spent: float = 0.0
    doubted: bool = False


class Worth(Struct, frozen=True, forbid_unknown_fields=True):
    """What there is to earn by a check."""

    id: str
    title: str
    max_points: float
    visibility: Visibility


class Ready(Struct, frozen=True, tag="ready"):
    """The judge waits for questions; `checks` are those collected, by exercise and in order."""

    checks: dict[str, tuple[Worth, ...]]


class Judging(Struct, frozen=True, tag="judging"):
    """A check of the job begins; it may take so many seconds."""

    title: str
    seconds: float


class Killed(Struct, frozen=True, forbid_unknown_fields=True):
    """A check that did not pass while a worker was killed.

    Attributes:
        check: its id.
        at: when, on the machine's monotonic clock.
        proved: whether it was nothing that the submission did.
    """

    check: str
    at: float
    proved: bool


class JobResult(Struct, frozen=True, tag="result"):
    """A try of the job is done. What is made of checks that lost their worker is decided by `batch.retries`.

    Attributes:
        result: of all checks, but where the last try is to come and the warm parent has died.
        killed: checks that lost their worker.
        spent: seconds that the student's code has taken in this try.
    """

    result: Result
    killed: tuple[Killed, ...] = ()
    spent: float = 0.0


class Disturbed(Struct, frozen=True, tag="disturbed"):
    """Something from outside ended the try, and nobody's mistake: another may end well."""

    reason: str


class Fault(Struct, frozen=True, tag="fault"):
    """The framework failed on this job; the judge goes on."""

    reason: str


class Unable(Struct, frozen=True, tag="unable"):
    """The judge can judge nothing."""

    reason: str


JobAnswer = Ready | Judging | JobResult | Disturbed | Fault | Unable
M = TypeVar("M")


def to_line(message: Struct) -> str:
    """A message as a line; ValueError where a number in it is not finite."""
    # Not by msgspec's own encoder: a student's text may hold halves of characters, which only this one lets through.
    return json.dumps(msgspec.to_builtins(message, enc_hook=str), allow_nan=False) + "\n"


def from_line(line: str, kind: type[M]) -> M:
    """The message that a line holds; ValueError where it holds none of this kind."""
    return msgspec.convert(json.loads(line), kind, dec_hook=_path)


def answer_from(line: str) -> JobAnswer:
    """What a judge said; ValueError where it is no answer."""
    answer: JobAnswer = msgspec.convert(json.loads(line), JobAnswer)
    return answer


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError
