"""What an exporter of grades is: what it says of itself, what it gets, what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from autograder.reports.cells import Form

if TYPE_CHECKING:
    from autograder.course import CourseConfig
    from autograder.exporters.people import People
    from autograder.exporters.table import GradeTable
    from autograder.results.grade import Grade
    from autograder.results.model import Result

OptionValue = str | bool | Path | tuple[str, ...] | None


@dataclass(frozen=True)
class Option:
    """One of an exporter's own options; the command line makes `--name` of it.

    Attributes:
        name: with hyphens, as it is typed after `--`.
        help: in English, marked with `N_`.
        kind: a `flag`, a `text`, several `texts`, or a `file` that is there.
        metavar: what stands for the value in the help.
        choices: the only values of a text; any where there are none.
    """

    name: str
    help: str
    kind: Literal["flag", "text", "texts", "file"] = "text"
    metavar: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Given:
    """What was asked for: the form of the table, and values of the exporter's own options by name.

    Attributes:
        form: of the table.
        decimal: whether the decimal sign was asked for, and is not only the usual one.
        values: what was given; an option that was not is missing here.
    """

    form: Form = field(default_factory=Form)
    decimal: bool = False
    values: Mapping[str, OptionValue] = field(default_factory=dict)

    def flag(self, name: str) -> bool:
        """Whether the option was given."""
        return bool(self.values.get(name))

    def text(self, name: str) -> str:
        """A text; empty where it was not given."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Several texts."""
        value = self.values.get(name)
        return value if isinstance(value, tuple) else ()

    def file(self, name: str) -> Path | None:
        """A file."""
        value = self.values.get(name)
        return Path(value) if isinstance(value, str | Path) else None


@dataclass(frozen=True)
class Graded:
    """The grades of a class, and what is known of its students.

    Attributes:
        out: the folder of results; figures lie in it.
        exercises: that were asked for; all where there are none.
        results: in the grades' order.
    """

    course: CourseConfig
    out: Path
    exercises: tuple[str, ...]
    results: Sequence[Result]
    grades: Sequence[Grade]
    table: GradeTable
    people: People
    now: datetime


@dataclass(frozen=True)
class Written:
    """A file that was made.

    Attributes:
        done: what to say of it, in a line; nothing where it is empty.
        notes: what is missing in it, in a line each.
    """

    content: bytes
    done: str = ""
    notes: tuple[str, ...] = ()


class Exporter(Protocol):
    """A file of `formats/`: these names in it are the exporter.

    Attributes:
        TITLE: its line in the list of exporters, marked with `N_`.
        HELP: its help in paragraphs, each marked with `N_`.
        OPTIONS: its own.
        TABLE: whether it writes a table, whose form can be chosen.
    """

    TITLE: str
    HELP: tuple[str, ...]
    OPTIONS: tuple[Option, ...]
    TABLE: bool

    def write(self, graded: Graded, given: Given) -> Written:
        """Make the file.

        Raises:
            ExportFault: it cannot be made as asked for; says what is missing and what to do.
        """
