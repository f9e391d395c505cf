"""What a layout is: how a platform lays out what students handed in, and what reading it gives."""

from __future__ import annotations

import os
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Protocol

from autograder.language import _
from autograder.submissions.names import is_leftover


@dataclass(frozen=True)
class Unplaced:
    """Something in the folder that is not graded, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Identity:
    """Who handed something in, as the platform says it.

    Attributes:
        student: what to call the student where no roster says it.
        name: in full.
        email: address.
        ids: logins and numbers; the first tells two students of one name apart.
        number: the platform's own, where it wants it back with a grade.
    """

    student: str
    name: str = ""
    email: str = ""
    ids: tuple[str, ...] = ()
    number: str = ""


@dataclass(frozen=True)
class Part:
    """A file, or a folder of files, that a student handed in.

    Attributes:
        path: where it lies.
        name: what the student called the file, where the platform put something before it.
        attempt: counted by the platform; a later one has a higher number.
    """

    path: Path
    name: str = ""
    attempt: int = 0


@dataclass(frozen=True)
class Delivery:
    """What one student handed in at one time.

    Attributes:
        who: the student.
        parts: files and folders.
        submitted: with its time zone; None where the platform does not say.
        late: the platform marks it as late.
        exercise: which it is for, or words that may name it ("" where only the files' names can tell).
        notes: for student and teacher.
    """

    who: Identity
    parts: tuple[Part, ...]
    submitted: datetime | None = None
    late: bool = False
    exercise: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class Reading:
    """What a layout found."""

    deliveries: list[Delivery] = field(default_factory=list)
    unplaced: list[Unplaced] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """What a layout is told about the course."""

    exercises: Sequence[str]
    zone: tzinfo


class Layout(Protocol):
    """One module per layout.

    Attributes:
        RANK: layouts are tried in this order; the more special one has the smaller number.
        TITLE: what it reads, for people.
    """

    RANK: int
    TITLE: str

    def detect(self, folder: Path, context: Context) -> str:
        """What shows that a folder is laid out like this, in words; "" where nothing does."""

    def read(self, folder: Path, context: Context) -> Reading:
        """Who handed in what, and when."""


def listed(folder: Path, limit: int = 100_000) -> list[os.DirEntry[str]]:
    """What is in a folder by name, without leftovers of systems; links and all."""
    found = []
    with os.scandir(folder) as items:
        for item in items:
            if not is_leftover(item.name):
                found.append(item)
            if len(found) >= limit:
                break
    return sorted(found, key=lambda item: item.name)


def listed_within(
    folder: Path, unplaced: list[Unplaced], limit: int | None = None, always: Set[str] = frozenset()
) -> list[os.DirEntry[str]]:
    """What is in a folder, by name: at most `limit` entries, and those called as in `always`."""
    kept: list[os.DirEntry[str]] = []
    try:
        with os.scandir(folder) as items:
            for item in items:
                if limit is None or len(kept) < limit or item.name in always:
                    kept.append(item)
    except OSError as error:
        unplaced.append(Unplaced(folder, _("cannot be read: {reason}").format(reason=error.strerror or str(error))))
        return []
    return sorted(kept, key=lambda item: item.name)


def is_folder(item: os.DirEntry[str]) -> bool:
    """Whether it is a folder, and no link to one."""
    return item.is_dir(follow_symlinks=False)


def is_file(item: os.DirEntry[str]) -> bool:
    """Whether it is an ordinary file, and no link to one."""
    return item.is_file(follow_symlinks=False)
