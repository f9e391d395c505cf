"""Canvas's "Download submissions" and its gradebook's export.

Sources, read at github.com/instructure/canvas-lms: lib/content_zipper.rb at 05e9653c12ef (names in the archive, LATE,
anonymous ids, pages of text), app/models/attachment.rb (`make_unique_filename`: `-1` before everything that looks
like an extension), lib/gradebook_exporter.rb (columns). For a group the archive holds the submission of one
representative, whose sortable name is replaced by the group's (app/models/assignment.rb, `representatives`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from tests.engine.submissions.platforms.model import Files, Handed, Student

_EXTENSION = re.compile(r"(\.[A-Za-z][A-Za-z0-9]*)*(\.[A-Za-z0-9]*)$")


def unique(name: str, existing: set[str]) -> str:
    """The name that Canvas gives a file that is uploaded into a folder which has that name already."""
    if name not in existing:
        return name
    found = _EXTENSION.search(name)
    extension = found[0] if found else ""
    stem = name[: len(name) - len(extension)]
    return next(new for n in range(1, 8) if (new := f"{stem}-{n}{extension}") not in existing)


def _display(name: str) -> str:
    return re.sub(r"[\x00/\\:*?\"<>|]+", "_", name)


def _prefix(handed: Handed, anonymous: bool) -> str:
    student = handed.student
    sortable = student.group if handed.members else f"{student.last}, {student.first}"
    name = None if anonymous else re.sub(r"_(\d+)_", r"\1", sortable).lower()
    number = f"anon_{student.anonymous}" if anonymous else str(student.canvas)
    parts = [part for part in (name, "LATE" if handed.late else None, number) if part is not None]
    return re.sub(r"[^\w]", "", "_".join(parts))


def download(class_: Sequence[Handed], *, anonymous: bool = False) -> Files:
    """The archive: all files at its top. A later attempt's files replace the earlier ones, but keep names like `-1`."""
    files: Files = {}
    number = 900_001
    for handed in class_:
        prefix = _prefix(handed, anonymous)
        for name, content in handed.files.items():
            files[f"{prefix}_{number}_{_display(name)}"] = content
            number += 1
        if handed.text:
            files[f"{prefix}_text.html"] = (
                "<!DOCTYPE html>\n<html>\n<head>\n  <title>Text entry</title>\n</head>\n<body>\n"
                f"  {handed.text}\n</body>\n</html>\n"
            ).encode()
    return files


def gradebook(students: Sequence[Student]) -> bytes:
    """The gradebook's export: heading, maxima, students."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Toy (101)", "Final Score"])
    writer.writerow(["    Points Possible", "", "", "", "", "20.00", "(read only)"])
    for student in students:
        row = [f"{student.last}, {student.first}", student.canvas, student.id, student.email.partition("@")[0], "A"]
        writer.writerow([*row, "", ""])
    return stream.getvalue().encode()
