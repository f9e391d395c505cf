"""What a layout is: how a platform lays out what students handed in, and what reading it gives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Literal, Protocol

from autograder.course.roster import OWN, Claim, Person, Roster
from autograder.language import _
from autograder.submissions.evidence import Evidence, EvidenceKind
from autograder.submissions.names import is_leftover


@dataclass(frozen=True)
class Identity:
    """Who handed something in, as the platform says it.

    Attributes:
        student: what to call the student where no roster says it.
        claims: ids, numbers and addresses; every one must mean the same person.
        name: in full, where the platform gives it.
        number: the platform's own, where it wants it back with a grade.
        group: the group that it was handed in for.
        unknown: why nobody can say who this is.
        doubted_group: a group that it may be, too, and nothing tells.
    """

    student: str
    claims: tuple[Claim, ...] = ()
    name: str = ""
    number: str = ""
    group: str = ""
    unknown: str = ""
    doubted_group: str = ""

    @classmethod
    def own(cls, name: str) -> Identity:
        """Somebody whom a teacher's folder or file is called after: by any of the course's own names."""
        return cls(name, (Claim(name, OWN),), name)

    @property
    def platform(self) -> str:
        """Whose number `number` is: the name space of the claim that it makes; "" where it makes none."""
        return next((claim.spaces[0] for claim in self.claims if self.number and claim.text in self.number), "")

    @property
    def email(self) -> str:
        """The address, where one was given."""
        return next((claim.text for claim in self.claims if "@" in claim.text), "")


@dataclass(frozen=True)
class Part:
    """A file, or a folder of files, that a student handed in.

    Attributes:
        path: where it lies.
        name: what the student called the file, where the platform put something before it.
        typed: it is text typed into the platform, and no file of the student's.
        lost: why it is not there, though the platform says that it was handed in.
    """

    path: Path
    name: str = ""
    typed: bool = False
    lost: str = ""


@dataclass(frozen=True)
class Delivery:
    """What one student handed in at one time.

    Attributes:
        who: the student.
        parts: files and folders.
        submitted: with its time zone; None where the platform does not say.
        unread: how the platform writes the time, where that could not be understood.
        late: the platform marks it as late.
        exercise: which it is for, or words that may name it ("" where only the files' names can tell).
        notes: for student and teacher.
        renames: the platform calls a file `name-1` where it has a `name` of that student's already: the last one is
            the one with the highest number.
        attempt: counted by the platform or a system; a later one has a higher number.
        students: whose it is, as results call them; several of a group; none where `kind` and `reason` say why.
        possible: whose it may be.
        doubt: what the teacher may want to look at, though somebody gets it.
    """

    who: Identity
    parts: tuple[Part, ...]
    submitted: datetime | None = None
    late: bool = False
    exercise: str = ""
    notes: tuple[str, ...] = ()
    unread: str = ""
    renames: bool = False
    attempt: int = 0
    students: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    kind: EvidenceKind = "aside"
    reason: str = ""
    doubt: str = ""

    def nobodys(self, kind: EvidenceKind, reason: str, possible: Iterable[Person] = ()) -> Delivery:
        """The same, which nobody gets, and why."""
        people = tuple(dict.fromkeys(person.id for person in possible))
        return replace(self, students=(), kind=kind, reason=reason, possible=people)


@dataclass
class Reading:
    """What a layout found.

    Attributes:
        deliveries: also of people whom nobody can make out: `Identity.unknown` says why.
        evidence: what is in nobody's delivery.
        ignored: what belongs to the platform or a system.
    """

    deliveries: list[Delivery] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)

    def stranger(self, path: Path, reason: str) -> None:
        """Something that nobody can say whose it is: it is somebody's all the same."""
        self.deliveries.append(Delivery(Identity("", unknown=reason), (Part(path),)))


@dataclass(frozen=True)
class Context:
    """What a layout is told about the course; `names` are those of what lies there under another name."""

    exercises: Sequence[str]
    zone: tzinfo
    roster: Roster | None = None
    names: Mapping[Path, str] = field(default_factory=dict)

    def listed(self, folder: Path, limit: int = 100_000) -> list[Item]:
        """What is in a folder by name, without leftovers of systems; nothing where it cannot be read."""
        return listed(folder, self.names, limit)


class Layout(Protocol):
    """One module per layout.

    Attributes:
        RANK: layouts are tried in this order; the more special one has the smaller number.
        TITLE: what it reads, for people.
        SURE: where it is detected, nothing else is there: what it cannot explain is damaged. Without it, a layout that
            explains less than half is none.
    """

    RANK: int
    TITLE: str
    SURE: bool

    def detect(self, folder: Path, context: Context) -> str:
        """What shows that a folder is laid out like this, in words; "" where nothing does."""

    def read(self, folder: Path, context: Context) -> Reading:
        """Who handed in what, and when."""


@dataclass(frozen=True)
class Item:
    """Something in a folder.

    Attributes:
        path: where it lies.
        name: what it is called: in an archive it may have a name that no disk takes.
        kind: a link is never followed.
    """

    path: Path
    name: str
    kind: Literal["file", "folder", "link", "other"]

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, and no link to one."""
        return self.kind == "folder"

    @property
    def is_file(self) -> bool:
        """Whether it is an ordinary file, and no link to one."""
        return self.kind == "file"


def listed(
    folder: Path,
    names: Mapping[Path, str],
    limit: int = 100_000,
    always: Set[str] = frozenset(),
    faults: list[Evidence] | None = None,
) -> list[Item]:
    """What is in a folder, by name.

    Args:
        folder: nothing is in one that cannot be read.
        names: of what lies there under another name.
        limit: at most so many, and those called as in `always`.
        faults: takes why a folder cannot be read. Without it, leftovers of systems are left out, too.
    """
    found: list[Item] = []
    try:
        with os.scandir(folder) as items:
            for item in items:
                if (len(found) < limit or item.name in always) and (faults is not None or not is_leftover(item.name)):
                    path = folder / item.name
                    found.append(Item(path, names.get(path, item.name) if names else item.name, _kind(item)))
    except OSError as error:
        if faults is not None:
            reason = _("cannot be read: {reason}").format(reason=error.strerror or str(error))
            faults.append(Evidence(folder, reason, "unreadable"))
        return []
    return sorted(found, key=lambda item: item.name)


def why_closed(folder: Path) -> str:
    """Why nobody can say what is in a folder; "" where it can be listed."""
    faults: list[Evidence] = []
    listed(folder, {}, limit=1, faults=faults)
    return faults[0].reason if faults else ""


def _kind(item: os.DirEntry[str]) -> Literal["file", "folder", "link", "other"]:
    if item.is_symlink():
        return "link"
    if item.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if item.is_file(follow_symlinks=False) else "other"
