"""Gradescope's "Export submissions": `submission_123/` for each, and `submission_metadata.yml` with who and when.

A group's submission is each member's. Only the submission that counts in Gradescope is in an export; how many came
before it stands in its history.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.language import N_, _
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading, Unplaced, listed
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.names import bad_name, long_name
from autograder.submissions.opening import read_regular
from autograder.submissions.times import parse_time

RANK = 10
TITLE = N_('Gradescope\'s "Export submissions"')

METADATA = "submission_metadata.yml"
MAX_BYTES = 64_000_000


def detect(folder: Path, context: Context) -> str:
    """Its file of metadata."""
    return METADATA if (folder / METADATA).is_file() else ""


def read(folder: Path, context: Context) -> Reading:
    """A hand-in for each member of each submission."""
    reading = Reading(ignored=[folder / METADATA])
    try:
        metadata = _metadata(folder)
    except (SubmissionUnreadable, ValueError) as error:
        reading.unplaced.append(Unplaced(folder / METADATA, _("cannot be read: {reason}").format(reason=error)))
        metadata = {}
    here = {item.name: item for item in listed(folder) if item.name != METADATA}
    for name, about in metadata.items():
        item = here.pop(name, None)
        path = folder / Path(name).name
        if item is None:
            reading.unplaced.append(Unplaced(path, _("named in the metadata, but not in the export")))
            continue
        if item.is_symlink():
            reading.unplaced.append(Unplaced(path, _("a link: links are not followed")))
            continue
        members = _members(about)
        if not members:
            reading.unplaced.append(Unplaced(path, _("the metadata names nobody who handed it in")))
        for who in members:
            reading.deliveries.append(_delivery(who, members, about, path, context))
    reading.unplaced += [Unplaced(folder / name, _("not in the metadata: nobody knows whose it is")) for name in here]
    return reading


def _delivery(who: Identity, members: list[Identity], about: dict[str, Any], path: Path, context: Context) -> Delivery:
    notes = []
    if len(members) > 1:
        others = ", ".join(other.name or other.student for other in members if other != who)
        notes.append(_("Handed in together with {others}.").format(others=others))
    history = about.get(":history")
    if isinstance(history, list) and history:
        note = _("Gradescope knows {count} earlier attempts; an export holds the one that counts there.")
        notes.append(note.format(count=len(history)))
    submitted = parse_time(str(about.get(":created_at", "")), context.zone)
    return Delivery(who, (Part(path),), submitted, notes=tuple(notes))


def _metadata(folder: Path) -> dict[str, dict[str, Any]]:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # texts as they stand: "007" is no number
    try:
        content = read_regular(folder / METADATA, MAX_BYTES, folder).content.decode("utf-8", "replace")
        found = yaml.load(content, Loader=loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())[:200]) from error
    if not isinstance(found, dict):
        raise ValueError(_("it is no list of submissions"))
    return {str(name): about if isinstance(about, dict) else {} for name, about in found.items()}


def _members(about: dict[str, Any]) -> list[Identity]:
    members = []
    given = about.get(":submitters")
    for one in given if isinstance(given, list) else []:
        if not isinstance(one, dict):
            continue
        name, sid, email = (" ".join(str(one.get(key) or "").split()) for key in (":name", ":sid", ":email"))
        sid = "" if sid in ("~", "null") else sid
        student = (sid or email or name).replace("/", "_")
        if student and not bad_name(student) and not long_name(student) and student not in (".", ".."):
            members.append(Identity(student, name, email, tuple(filter(None, (sid, email)))))
    return members
