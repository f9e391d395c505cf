"""The rounds of a class, and what is settled about results once it is graded: which attempt counts, how late it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from autograder.batch.keys import Keys
from autograder.book.counting import counting, on_time, with_lateness
from autograder.book.handed_in import Handed
from autograder.book.store import Store
from autograder.course import CourseConfig
from autograder.results.files import result_path, result_text, text_digest, write_atomically
from autograder.results.model import Result
from autograder.submissions import Entry, HandIn


def rounds(scan: HandIn) -> list[HandIn]:
    """What to grade before a scan's own entries: earlier attempts, one of each student and exercise at a time."""
    waiting = list(scan.earlier)
    found: list[HandIn] = []
    while waiting:
        first = {(entry.student, entry.exercise): entry for entry in reversed(waiting)}
        # No students: nobody misses anything in a round of earlier attempts.
        found.append(replace(scan, students=(), entries=tuple(first.values()), evidence=(), earlier=()))
        waiting = [entry for entry in waiting if first[entry.student, entry.exercise] is not entry]
    return found


def not_graded_yet(scan: HandIn, store: Store, keys: Keys) -> HandIn:
    """A round without the attempts whose results in the database still hold."""
    entries = []
    for (student, exercise, sha256), entry in handed_in(replace(scan, entries=(), earlier=scan.entries), {}).items():
        key = keys.of(student, exercise, sha256)
        known = (a for a in store.attempts.history(student, exercise) if a.sha256 == sha256 and a.key == key)
        if not any(attempt.result.outcome != "error" for attempt in known):
            entries.append(entry)
    return replace(scan, entries=tuple(entries))


Found = Mapping[tuple[str, str, str], Entry]  # by student, exercise and SHA-256


def handed_in(scan: HandIn, digests: Mapping[tuple[str, str], str]) -> Found:
    """Which file of a scan has which content.

    Args:
        scan: with its earlier attempts.
        digests: SHA-256 of the entries, by student and exercise, as the plan read them.
    """
    found: dict[tuple[str, str, str], Entry] = {}
    for entry in scan.earlier:
        if entry.sha256:
            found[entry.student, entry.exercise, entry.sha256] = entry
    for entry in scan.entries:
        name = entry.student, entry.exercise
        # A file that holds no code has no digest in the plan: whatever was last said of it is said of this file.
        found[*name, digests.get(name, "")] = entry
    return found


def handed_files(found: Found) -> Iterator[Handed]:
    """What is kept of the files of a scan."""
    for (student, exercise, sha256), entry in found.items():
        who = entry.who
        yield Handed(
            student, exercise, sha256, entry.path.name, entry.submitted, entry.late,
            who.name if who else "", who.email if who else "", who.number if who else "", " ".join(entry.notes),
        )  # fmt: skip


def settle(
    course: CourseConfig,
    found: Found,
    results: Iterable[Result],
    out: Path,
    store: Store,
    extensions: Mapping[tuple[str, str], datetime] | None = None,
) -> int:
    """Write, into the files of results, what counts and how late it was; those that say so already are left alone.

    Args:
        course: `attempts` and late penalties.
        found: when each file was handed in.
        results: of the batch.
        out: the output folder.
        store: the attempts.
        extensions: due dates of students who have one of their own.

    Returns:
        How many files were written.
    """
    several = store.attempts.several()
    times: dict[tuple[str, str], dict[str, Handed]] = {}
    for handed in handed_files(found):
        times.setdefault((handed.student, handed.exercise), {})[handed.sha256] = handed
    written = 0
    for result in results:
        name = result.student, result.exercise
        own, extension = times.get(name, {}), (extensions or {}).get(name)
        if name in several and result.outcome != "handed_in_not_gradable":
            settled = counting(course, store.attempts.history(*name), own, extension)
        else:
            settled = on_time(result, own)
            settled.submission.attempt = settled.submission.attempts = None
        settled = with_lateness(course, settled, extension)
        if settled == result:
            continue
        text = result_text(settled)
        # The row first: a kill in between has the next run write the newest attempt and settle it again.
        store.attempts.rewritten(*name, text_digest(text))
        write_atomically(result_path(out, *name), text, durable=False)
        written += 1
    return written
