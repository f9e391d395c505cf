"""nbgrader's tree: `submitted/<student>/<assignment>/`, with the time in `timestamp.txt`.

After nbgrader/coursedir.py and nbgrader/exchange (0.9.5, 207a8e544968) of github.com/jupyter/nbgrader.
"""

from __future__ import annotations

from datetime import UTC
from os.path import isdir, isfile, islink
from pathlib import Path

from autograder.language import N_, _, ngettext
from autograder.submissions.evidence import Evidence
from autograder.submissions.layout import Context, Delivery, Identity, Item, Part, Reading, listed, why_closed
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.opening import read_regular
from autograder.submissions.times import parse_time

RANK = 30
TITLE = N_("nbgrader's folder of a course, or its `submitted`")
SURE = False

TIMESTAMP = "timestamp.txt"
SECRET = "submission_secret.txt"  # names the feedback's file, from 0.9 on
SUBMITTED = "submitted"
# What nbgrader itself makes in a course's folder.
_OWN = frozenset(
    {"source", "release", "autograded", "feedback", "solution", "source_with_tests", "downloaded", "exchange"}
    | {"inbound", "outbound", "nbgrader_config.py", ".nbgrader.log", "nbgrader.log", "grades.csv", "header.ipynb"}
)


def detect(folder: Path, context: Context) -> str:
    """A folder `submitted`, or a `timestamp.txt` beside an assignment's files."""
    inner = folder / SUBMITTED
    if isdir(inner) and not islink(inner) and any(item.is_folder for item in context.listed(inner)):
        return _("a folder {name}").format(name=SUBMITTED)
    students = [item for item in context.listed(folder) if item.is_folder]
    # Of most students: one of them alone must not turn the whole class into another layout.
    found = sum(_has_timestamp(student.path, context) for student in students)
    text = ngettext("{n} student with a {name}", "{n} students with a {name}", found)
    return text.format(n=found, name=TIMESTAMP) if 2 * found > len(students) else ""


def _has_timestamp(student: Path, context: Context) -> bool:
    return any(isfile(item.path / TIMESTAMP) for item in context.listed(student, 1000) if item.is_folder)


def read(folder: Path, context: Context) -> Reading:
    """A delivery for each student and assignment."""
    reading = Reading()
    inner = folder / SUBMITTED
    if isdir(inner) and not islink(inner):
        for item in context.listed(folder):
            if item.name in _OWN or item.name.startswith("gradebook.db"):
                reading.ignored.append(item.path)
            elif item.name != SUBMITTED:
                reading.stranger(item.path, _("beside the folder {name}").format(name=SUBMITTED))
        folder = inner
    for student in context.listed(folder):
        if not student.is_folder:
            reading.stranger(student.path, _("belongs into a student's folder: submitted/<student>/<assignment>/"))
            continue
        who = Identity.own(student.name)
        if lost := why_closed(student.path):
            reading.deliveries.append(Delivery(who, (Part(student.path, lost=lost),)))
            continue
        items = context.listed(student.path)
        if not items:
            reading.evidence.append(Evidence(student.path, _("the folder is empty")))
        reading.deliveries += [_delivery(who, item, context, reading) for item in items if item.is_folder]
        # A file beside the assignments' folders: whose it is stands above it, and what it is for in its name alone.
        loose = tuple(Part(item.path) for item in items if not item.is_folder)
        if loose or not any(item.is_folder for item in items):
            reading.deliveries.append(Delivery(who, loose))
    return reading


def _delivery(who: Identity, folder: Item, context: Context, reading: Reading) -> Delivery:
    if lost := why_closed(folder.path):
        return Delivery(who, (Part(folder.path, lost=lost),), exercise=folder.name)
    stamp = folder.path / TIMESTAMP
    submitted, unread = None, ""
    parts = []
    for item in listed(folder.path, context.names, faults=reading.evidence):
        if item.name not in (TIMESTAMP, SECRET):
            parts.append(Part(item.path))
            continue
        reading.ignored.append(item.path)
        if item.name == SECRET:
            continue
        try:
            text = read_regular(stamp, 1000, folder.path).content.decode("utf-8", "replace")
            # nbgrader writes the zone; where it does not, the time is UTC.
            submitted = parse_time(text, UTC)
            unread = "" if submitted else ascii(text[:60])
        except SubmissionUnreadable as unreadable:
            unread = unreadable.message
    if not parts:
        reading.evidence.append(Evidence(folder.path, _("the folder is empty")))
    return Delivery(who, tuple(parts), submitted, exercise=folder.name, unread=unread)
