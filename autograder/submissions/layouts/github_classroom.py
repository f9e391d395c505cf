"""Clones of GitHub Classroom's repositories: `markov-quiz-adalovelace/`, each with its `.git`.

The time is the committer's of the last commit. Git's own program is never run on a stranger's repository, whose
configuration and hooks could run anything: a library reads the commit, in a process of its own with little memory and
time. The clock of a commit is the student's own; where it matters, take the time from the platform (submissions.csv).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from autograder.language import N_, _
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading, Unplaced, is_folder, listed
from autograder.submissions.names import bad_name, long_name, normal

RANK = 50
TITLE = N_("clones of GitHub Classroom's repositories")

SECONDS = 20


def detect(folder: Path, context: Context) -> str:
    """Most folders are repositories, called after one assignment."""
    folders = [item.name for item in listed(folder) if is_folder(item)]
    clones = [name for name in folders if (folder / name / ".git").is_dir()]
    if not clones or 2 * len(clones) <= len(folders) or not _assignment(clones, context.exercises):
        return ""
    return _("{count} folders with a .git").format(count=len(clones))


def read(folder: Path, context: Context) -> Reading:
    """A hand-in for each repository."""
    reading = Reading()
    items = listed(folder)
    names = [item.name for item in items if is_folder(item)]
    common = _common_start(names)
    folders: list[tuple[str, str, str]] = []
    for item in items:
        path = folder / item.name
        student, exercise = _split(item.name, common, context.exercises)
        reason = bad_name(item.name) or long_name(item.name)
        if not reason and not is_folder(item):
            reason = _("not a folder: a clone of a repository is expected")
        if not reason and not student:
            reason = _("no user's name in the folder's name")
        if reason:
            reading.unplaced.append(Unplaced(path, reason))
        else:
            folders.append((item.name, student, exercise))
    times = commit_times([folder / name for name, _student, _exercise in folders])
    for name, student, exercise in folders:
        found = times[folder / name]
        if isinstance(found, str):
            reading.unplaced.append(Unplaced(folder / name / ".git", found))
        when = None if isinstance(found, str) else found
        who = Identity(student, student, ids=(student,))
        reading.deliveries.append(Delivery(who, (Part(folder / name),), when, exercise=exercise))
    return reading


def _assignment(names: Sequence[str], exercises: Sequence[str]) -> bool:
    return bool(_common_start(names)) or any(_split(name, "", exercises)[1] for name in names)


def _split(name: str, common: str, exercises: Sequence[str]) -> tuple[str, str]:
    """The user and the exercise in `markov-quiz-adalovelace`; the exercise is "" where none has this name."""
    for exercise in sorted(exercises, key=len, reverse=True):
        start = exercise.replace("_", "-") + "-"
        if name.lower().replace("_", "-").startswith(start):
            return name[len(start) :], exercise
    if common and name.startswith(common):
        inside = [exercise for exercise in exercises if exercise in normal(common)]
        return name[len(common) :], inside[0] if len(inside) == 1 else ""
    return name, ""


def _common_start(names: Sequence[str]) -> str:
    """What all names begin with, up to a hyphen; of one name nobody can say."""
    if len(names) < 2:
        return ""
    start = os.path.commonprefix(list(names))  # noqa: RUF071 - sign by sign is what is meant
    return start[: start.rfind("-") + 1]


def commit_times(folders: Sequence[Path]) -> dict[Path, datetime | str]:
    """When the last commit of each repository was made, or why that is not known.

    One process reads them all; the repository at which it dies is blamed, and another goes on after it.
    """
    times: dict[Path, datetime | str] = {}
    left = list(folders)
    while left:
        for folder, line in zip(list(left), _read_some(left), strict=False):
            times[folder] = _moment(line)
            left.remove(folder)
        if left:
            times[left.pop(0)] = _("the repository's last commit could not be read")
    return times


def _read_some(folders: Sequence[Path]) -> list[str]:
    asked = "\n".join(json.dumps(os.fspath(folder.absolute())) for folder in folders) + "\n"
    try:
        ran = subprocess.run(
            [sys.executable, "-P", "-m", "autograder.submissions.commit_time"],
            input=asked, capture_output=True, text=True, timeout=SECONDS + len(folders), check=False,
        )  # fmt: skip
        return ran.stdout.splitlines()
    except subprocess.TimeoutExpired as late:
        output = late.stdout or b""
        text = output.decode("utf-8", "replace") if isinstance(output, bytes) else output
        return text.splitlines()[: text.count("\n")]


def _moment(line: str) -> datetime | str:
    found = re.match(r"^(-?\d{1,12}) (-?\d{1,6})$", line)
    if found:
        offset = max(-86_340, min(86_340, int(found[2])))
        try:
            return datetime.fromtimestamp(int(found[1]), timezone(timedelta(seconds=offset)))
        except (ValueError, OverflowError, OSError):
            return _("the time of the last commit is no time")
    return {
        "library": _("no time of submission: it needs the package dulwich (pip install dulwich)"),
        "none": _("no time of submission: the repository has no commit"),
        "link": _("no time of submission: .git is not an ordinary folder"),
    }.get(line, _("no time of submission: the repository's last commit could not be read"))
