"""What teachers collect by hand: a folder per student, an archive per student, or one folder of files."""

from __future__ import annotations

from collections.abc import Sequence

from tests.engine.submissions.platforms.model import Files, Handed, zipped


def folders(class_: Sequence[Handed]) -> Files:
    """A folder per student."""
    return {f"{handed.student.id}/{name}": content for handed in class_ for name, content in handed.files.items()}


def archives(class_: Sequence[Handed]) -> Files:
    """An archive per student."""
    return {f"{handed.student.id}.zip": zipped(handed.files) for handed in class_}


def flat(class_: Sequence[Handed]) -> Files:
    """`ada_toy.py`: the student before the name of the file."""
    return {f"{handed.student.id}_{name}": content for handed in class_ for name, content in handed.files.items()}
