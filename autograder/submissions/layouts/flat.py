"""A flat folder: `ada_toy.py`, `toy-ada.ipynb`; the exercise's id and the student's name in each file's name."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from autograder.language import N_, _
from autograder.submissions.archives import is_archive
from autograder.submissions.layout import (
    Context,
    Delivery,
    Identity,
    Part,
    Reading,
    Unplaced,
    is_file,
    is_folder,
    listed,
)
from autograder.submissions.names import SUFFIXES, bad_name, long_name, normal

RANK = 60
TITLE = N_("files in one folder, with exercise and student in their names")

_COPY = re.compile(r"\s*\((\d{1,3})\)$")


def detect(folder: Path, context: Context) -> str:
    """Files of code at the top, and more of them than folders."""
    items = listed(folder)
    files = [item.name for item in items if is_file(item) and item.name.lower().endswith(SUFFIXES)]
    named = [name for name in files if not isinstance(split(name, context.exercises), str)]
    enough = named and len(files) > sum(map(is_folder, items))
    return _("{count} files with an exercise and a student in the name").format(count=len(named)) if enough else ""


def read(folder: Path, context: Context) -> Reading:
    """A hand-in for each file."""
    reading = Reading()
    for item in listed(folder):
        path = folder / item.name
        parts: tuple[str, str, int] | str = _("not an ordinary file, and a flat folder holds only files")
        if item.is_symlink():
            parts = _("a link: links are not followed")
        elif is_file(item):
            parts = bad_name(item.name) or split(item.name, context.exercises)
        if isinstance(parts, str):
            reading.unplaced.append(Unplaced(path, parts))
            continue
        student, exercise, attempt = parts
        who = Identity(student, student, ids=(student,))
        part = Part(path, f"{exercise}{os.path.splitext(item.name)[1].lower()}", attempt)
        reading.deliveries.append(Delivery(who, (part,), exercise=exercise))
    return reading


def split(name: str, exercises: Sequence[str]) -> tuple[str, str, int] | str:
    """The student, the exercise and the number of the copy in a file's name, or why there are none."""
    stem, suffix = os.path.splitext(unicodedata.normalize("NFC", name))
    if suffix.lower() not in SUFFIXES and not is_archive(name):
        return _("neither .py nor .ipynb")
    copy = _COPY.search(stem)
    if copy:
        stem = stem[: copy.start()]
    # The longest first: `vae` must not be found in `vae_mnist`.
    for exercise in sorted(exercises, key=len, reverse=True):
        words = r"[\s_.\-]+".join(map(re.escape, exercise.split("_")))
        found = re.search(rf"(?:^|[\s_.\-]){words}(?:$|[\s_.\-])", stem, re.IGNORECASE)
        if found is None:
            continue
        student = " ".join(part for part in (stem[: found.start()], stem[found.end() :]) if part).strip(" _.-")
        if not student:
            return _("the name says which exercise it is, but not whose")
        reason = bad_name(student) or long_name(student)
        return reason or (student, exercise, int(copy[1]) if copy else 0)
    return _("no exercise has this name") if normal(stem) else _("the name is blank")
