"""Reading a small class through the public API, and what is true of every download whichever platform it is from."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder import Course

Read = Callable[..., Any]


@pytest.fixture
def read(toy: Path, tmp_path: Path):
    """`read(place, roster_text)` gives the hand-in; it is closed after the test."""
    with ExitStack() as stack:

        def run(place: Path, roster: str, **more: Any) -> Any:
            table = tmp_path / "roster-of-the-test.csv"
            table.write_text(roster, encoding="utf-8")
            return stack.enter_context(Course.open(toy).read(place, roster=table, **more))

        yield run


@dataclass(frozen=True)
class Told:
    """One thing that the reader tells of a file."""

    content: bytes | None
    students: frozenset[str]
    graded: bool
    late: bool


def told(handed_in: Any, place: Path) -> list[Told]:
    """Everything that is said of the files of a download, a zip or a folder."""
    found = []
    for one in (*handed_in.entries, *handed_in.evidence):
        path = handed_in.origin(one.path)
        path = path if path.is_absolute() else handed_in.folder / path
        content = None
        if place.is_dir():
            content = path.read_bytes() if path.is_file() else None
        elif path != place:
            with zipfile.ZipFile(place) as archive:
                content = archive.read(path.relative_to(place).as_posix())
        graded = hasattr(one, "student")
        found.append(Told(content, frozenset([one.student] if graded else one.students), graded, one.late))
    return found


def check(
    handed_in: Any, place: Path, owners: Mapping[bytes, set[str]], graded: set[str], late: Collection[str] = ()
) -> None:
    """Every file is accounted for, at its owner and at nobody else, and late where it was marked so.

    Args:
        handed_in: what was read.
        place: the download.
        owners: the students whose a file is, by its content.
        graded: who has an entry.
        late: who of them is late.
    """
    every = told(handed_in, place)
    assert {entry.student for entry in handed_in.entries} == graded, every
    assert {entry.student for entry in handed_in.entries if entry.late} == set(late), every
    lost = [content for content in owners if not any(one.content == content for one in every)]
    assert not lost, (lost, handed_in.ignored)
    for content, whose in owners.items():
        at = {student for one in every if one.content == content for student in one.students}
        assert at <= whose, (content[-80:], at)
        graded_at = [student for one in every if one.graded and one.content == content for student in one.students]
        assert len(graded_at) == len(set(graded_at))


@pytest.fixture
def work(toy_solution: str):
    """`work("ada")`: a solution whose bytes are this student's alone."""
    return lambda mark: f"{toy_solution}\n# work of {mark}\n".encode()
