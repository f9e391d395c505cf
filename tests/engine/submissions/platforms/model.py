"""A class, as a platform knows it: people with a number, name and address in each system, and what they handed in."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Student:
    """One person, under every name and number that a platform may use."""

    id: str  # of the university: what the roster calls them
    first: str
    last: str
    email: str
    moodle: int  # "Participant 1234567", of one assignment
    canvas: int
    anonymous: str  # Canvas's, five letters and digits
    github: str
    group: str = ""

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


@dataclass(frozen=True)
class Handed:
    """What was handed in at one time: by a student, or by one of a group for all of it."""

    student: Student
    files: Mapping[str, bytes]
    when: datetime = datetime(2027, 2, 8, 22, 10, tzinfo=UTC)
    late: bool = False
    text: str = ""  # typed into the platform's text field; HTML
    members: tuple[Student, ...] = ()  # of a group, with the student


Files = dict[str, bytes]


def folder(base: Path, files: Mapping[str, bytes]) -> Path:
    """The files in a folder."""
    base.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return base


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The files in a zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()
