"""Gradescope's "Export submissions": `submission_123/` for each, and `submission_metadata.yml` with who and when.

A group's submission is each member's. Only the submission that counts in Gradescope is in an export; how many came
before it stands in its history. Students write their own number there, so number and address must mean the same
person.

Gradescope's source is not public; the form is the one of its manual (help.gradescope.com, exporting submissions),
with the keys as Ruby writes symbols.
"""

from __future__ import annotations

from os.path import isfile
from pathlib import Path

from autograder.course.roster import Claim
from autograder.language import N_, _, ngettext
from autograder.submissions.evidence import Evidence
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.opening import read_regular
from autograder.submissions.times import parse_time

RANK = 10
TITLE = N_('Gradescope\'s "Export submissions"')
SURE = True

METADATA = "submission_metadata.yml"
MAX_BYTES = 64_000_000


def detect(folder: Path, context: Context) -> str:
    """Its file of metadata."""
    return METADATA if isfile(folder / METADATA) else ""


def read(folder: Path, context: Context) -> Reading:
    """A delivery for each member of each submission."""
    reading = Reading(ignored=[folder / METADATA])
    try:
        metadata = _metadata(folder)
    except (SubmissionUnreadable, ValueError) as error:
        reason = _("cannot be read: {reason}").format(reason=error)
        reading.evidence.append(Evidence(folder / METADATA, reason))
        metadata = {}
    here = {item.name for item in context.listed(folder) if item.name != METADATA}
    for name, about in metadata.items():
        path = folder / Path(name).name
        members = _members(about)
        if name not in here:
            reason = _("named in the metadata, but not in the export")
            reading.deliveries += [Delivery(who, (Part(path, lost=reason),)) for who in members]
            continue
        here.discard(name)
        if not members:
            reading.stranger(path, _("the metadata names nobody who handed it in"))
        for who in members:
            reading.deliveries.append(_delivery(who, members, about, path, context))
    for name in sorted(here):
        reading.stranger(folder / name, _("not in the metadata: nobody knows whose it is"))
    return reading


def _delivery(
    who: Identity, members: list[Identity], about: dict[str, object], path: Path, context: Context
) -> Delivery:
    notes = []
    if len(members) > 1:
        others = ", ".join(other.name or other.student for other in members if other != who)
        notes.append(_("Handed in together with {others}.").format(others=others))
    history = about.get(":history")
    if isinstance(history, list) and history:
        note = ngettext(
            "Gradescope knows {n} earlier attempt; an export holds the one that counts there.",
            "Gradescope knows {n} earlier attempts; an export holds the one that counts there.",
            len(history),
        )
        notes.append(note.format(n=len(history)))
    text = str(about.get(":created_at") or "")
    submitted = parse_time(text, context.zone)
    unread = "" if submitted else text
    return Delivery(who, (Part(path),), submitted, notes=tuple(notes), unread=unread)


def _metadata(folder: Path) -> dict[str, dict[str, object]]:
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


def _members(about: dict[str, object]) -> list[Identity]:
    members = []
    given = about.get(":submitters")
    for one in given if isinstance(given, list) else []:
        if not isinstance(one, dict):
            continue
        name, sid, email = (" ".join(str(one.get(key) or "").split()) for key in (":name", ":sid", ":email"))
        sid = "" if sid in ("~", "null") else sid
        if student := (sid or email or name):
            claims = (Claim(sid, ("id",)), Claim(email, ("email",)))
            members.append(Identity(student, tuple(claim for claim in claims if claim.text), name))
    return members
