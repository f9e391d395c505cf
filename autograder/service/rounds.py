"""What is graded in which round: earlier attempts first, one of each student and exercise at a time.

Attempts go into the book in the order in which they were handed in, where all of them are graded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from autograder.batch.keys import Keys
from autograder.batch.plan import key_of
from autograder.book.handed_in import Handed
from autograder.book.store import Store
from autograder.submissions import Entry, HandIn
from autograder.submissions.layout import Identity

HandedFiles = Mapping[tuple[str, str, str], Entry]  # by student, exercise and SHA-256


def earlier_rounds(handed_in: HandIn, store: Store, keys: Keys) -> Iterator[HandIn]:
    """What to grade before a hand-in's own entries; attempts whose results still hold are left out."""
    waiting = list(handed_in.earlier)
    while waiting:
        first = {(entry.student, entry.exercise): entry for entry in reversed(waiting)}
        waiting = [entry for entry in waiting if first[entry.student, entry.exercise] is not entry]
        entries = tuple(entry for entry in first.values() if not _holds(store, keys, entry))
        if entries:
            # No students: nobody misses anything in a round of earlier attempts.
            yield replace(handed_in, students=(), entries=entries, evidence=(), earlier=())


def found(handed_in: HandIn, digests: Mapping[tuple[str, str], str] | None = None) -> HandedFiles:
    """Which file of a hand-in has which content.

    Args:
        digests: SHA-256 of the entries, by student and exercise, as a plan read them.
    """
    files = {(entry.student, entry.exercise, entry.sha256): entry for entry in handed_in.earlier}
    for entry in handed_in.entries:
        name = entry.student, entry.exercise
        # A file that holds no code has no digest in the plan: whatever was last said of it is said of this file.
        files[*name, (digests or {}).get(name, "")] = entry
    return files


def noted(files: HandedFiles) -> Iterator[Handed]:
    """What a book keeps of files that were handed in."""
    for (student, exercise, sha256), entry in files.items():
        who = entry.who
        yield Handed(
            student, exercise, sha256, entry.path.name, entry.submitted, entry.late,
            who.name if who else "", who.email if who else "", _number(who) if who else "", " ".join(entry.notes),
        )  # fmt: skip


def _number(who: Identity) -> str:
    """The platform's number; one that is not Moodle's says whose it is."""
    return who.number if who.platform in ("", "moodle") or not who.number else f"{who.platform} {who.number}"


def _holds(store: Store, keys: Keys, entry: Entry) -> bool:
    key = key_of(keys, entry, entry.sha256)
    return any(
        attempt.sha256 == entry.sha256 and attempt.key == key and attempt.result.outcome != "error"
        for attempt in store.attempts.history(entry.student, entry.exercise)
    )
