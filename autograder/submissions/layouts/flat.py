"""A flat folder: `ada_toy.py`, `toy-ada.ipynb`; the exercise's id and the student's name in each file's name."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from autograder.language import N_, _, ngettext
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading
from autograder.submissions.names import SUFFIXES, normal
from autograder.submissions.packed import is_archive

RANK = 60
TITLE = N_("files in one folder, with exercise and student in their names")
SURE = False

_COPY = re.compile(r"\s*\((\d{1,3})\)$")


def detect(folder: Path, context: Context) -> str:
    """Files of code at the top, and more of them than folders."""
    items = context.listed(folder)
    files = [item.name for item in items if item.is_file and item.name.lower().endswith(SUFFIXES)]
    named = [name for name in files if not isinstance(split(name, context.exercises), str)]
    text = ngettext(
        "{n} file with an exercise and a student in its name", "{n} files with an exercise and a student in the name",
        len(named),
    )  # fmt: skip
    return text.format(n=len(named)) if named and len(files) > sum(item.is_folder for item in items) else ""


def read(folder: Path, context: Context) -> Reading:
    """A delivery for each student: their files may be several attempts."""
    reading = Reading()
    parts: dict[tuple[str, str, int], list[Part]] = {}
    for item in context.listed(folder):
        path = item.path
        found: tuple[str, str] | str = _("not an ordinary file, and a flat folder holds only files")
        if item.kind == "link":
            found = _("a link: links are not followed")
        elif item.is_file:
            found = split(item.name, context.exercises)
        if isinstance(found, str):
            reading.stranger(path, found)
            continue
        student, exercise = found
        name = f"{exercise}{os.path.splitext(item.name)[1].lower()}"
        copy = _COPY.search(os.path.splitext(item.name)[0])
        parts.setdefault((student, exercise, int(copy[1]) if copy else 0), []).append(Part(path, name))
    for (student, exercise, copy_number), own in parts.items():
        who = Identity.own(student)
        reading.deliveries.append(Delivery(who, tuple(own), exercise=exercise, attempt=copy_number))
    return reading


def split(name: str, exercises: Sequence[str]) -> tuple[str, str] | str:
    """The student and the exercise in a file's name, or why there are none."""
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
        return student, exercise
    return _("no exercise has this name") if normal(stem) else _("the name is blank")
