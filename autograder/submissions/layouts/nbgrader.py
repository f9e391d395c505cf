"""nbgrader's tree: `submitted/<student>/<assignment>/`, with the time in `timestamp.txt`."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from autograder.language import N_, _
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading, Unplaced, is_folder, listed
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.names import bad_name, long_name
from autograder.submissions.opening import read_regular
from autograder.submissions.times import parse_time

RANK = 30
TITLE = N_("nbgrader's folder of a course, or its `submitted`")

TIMESTAMP = "timestamp.txt"
SUBMITTED = "submitted"


def detect(folder: Path, context: Context) -> str:
    """A folder `submitted`, or a `timestamp.txt` beside an assignment's files."""
    inner = folder / SUBMITTED
    if inner.is_dir() and not inner.is_symlink() and any(map(is_folder, listed(inner))):
        return _("a folder {name}").format(name=SUBMITTED)
    students = [item.name for item in listed(folder) if is_folder(item)]
    # Of most students: one of them alone must not turn the whole class into another layout.
    found = sum(_has_timestamp(folder / student) for student in students)
    return _("{count} students with a {name}").format(count=found, name=TIMESTAMP) if 2 * found > len(students) else ""


def _has_timestamp(student: Path) -> bool:
    return any((student / item.name / TIMESTAMP).is_file() for item in listed(student, 1000) if is_folder(item))


def read(folder: Path, context: Context) -> Reading:
    """A hand-in for each student and assignment."""
    reading = Reading()
    inner = folder / SUBMITTED
    if inner.is_dir() and not inner.is_symlink():
        # Beside it lie nbgrader's own folders: source, release, autograded, feedback and its database.
        reading.ignored += [folder / item.name for item in listed(folder) if item.name != SUBMITTED]
        folder = inner
    for student in listed(folder):
        path = folder / student.name
        reason = bad_name(student.name) or long_name(student.name)
        if not reason and not is_folder(student):
            reason = _("belongs into a student's folder: submitted/<student>/<assignment>/")
        if reason:
            reading.unplaced.append(Unplaced(path, reason))
            continue
        items = listed(path)
        if not items:
            reading.unplaced.append(Unplaced(path, _("the folder is empty")))
        who = Identity(student.name, student.name, ids=(student.name,))
        found = False
        for item in items:
            if is_folder(item):
                found = True
                reading.deliveries.append(_delivery(who, path / item.name, context, reading))
            else:
                reason = _("belongs into an assignment's folder: submitted/<student>/<assignment>/")
                reading.unplaced.append(Unplaced(path / item.name, reason))
        if not found:
            reading.deliveries.append(Delivery(who, ()))
    return reading


def _delivery(who: Identity, folder: Path, context: Context, reading: Reading) -> Delivery:
    stamp = folder / TIMESTAMP
    submitted = None
    parts = []
    for item in listed(folder):
        if item.name != TIMESTAMP:
            parts.append(Part(folder / item.name))
            continue
        reading.ignored.append(stamp)
        try:
            text = read_regular(stamp, 1000, folder).content.decode("utf-8", "replace")
            # nbgrader writes the zone; where it does not, the time is UTC.
            submitted = parse_time(text, UTC)
            reason = "" if submitted else _("no time that can be understood: {text}").format(text=ascii(text[:60]))
        except SubmissionUnreadable as unreadable:
            reason = unreadable.message
        if reason:
            reading.unplaced.append(Unplaced(stamp, reason))
    if not parts:
        reading.unplaced.append(Unplaced(folder, _("the folder is empty")))
    return Delivery(who, tuple(parts), submitted, exercise=folder.name)
