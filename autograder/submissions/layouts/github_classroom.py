"""Clones of GitHub Classroom's repositories: `markov-quiz-submissions/markov-quiz-adalovelace/`, each with its `.git`.

The time is the committer's of the last commit. Git's own program is never run on a stranger's repository, whose
configuration and hooks could run anything: a library reads the commit, in a process of its own with little memory and
time. The clock of a commit is the student's own; where it matters, take the time from the platform (submissions.csv).
The repository of a group is called after its team.

After cmd/gh-classroom/clone/student-repos/student-repos.go (08b078eec0e2) of github.com/github/gh-classroom.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from os.path import exists
from pathlib import Path

from autograder.course.roster import OWN, Claim, Roster, fold
from autograder.language import N_, _, ngettext
from autograder.submissions.evidence import Evidence
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading
from autograder.submissions.names import normal

RANK = 50
TITLE = N_("clones of GitHub Classroom's repositories")
SURE = True

SECONDS = 20


def detect(folder: Path, context: Context) -> str:
    """Most folders are repositories, called after one assignment."""
    folders = [item for item in context.listed(folder) if item.is_folder]
    clones = [item.name for item in folders if exists(item.path / ".git")]
    start, exercise = _assignment(clones, folder, context)
    if not clones or 2 * len(clones) <= len(folders) or not (start or exercise):
        return ""
    return ngettext("{n} folder with a .git", "{n} folders with a .git", len(clones)).format(n=len(clones))


def read(folder: Path, context: Context) -> Reading:
    """A delivery for each repository."""
    reading = Reading()
    items = context.listed(folder)
    start, _exercise = _assignment([item.name for item in items if item.is_folder], folder, context)
    folders: list[tuple[Path, str, str]] = []
    for item in items:
        user, exercise = _split(item.name, start, context.exercises)
        if not item.is_folder:
            reading.stranger(item.path, _("not a folder: a clone of a repository is expected"))
        elif not user:
            reading.stranger(item.path, _("no user's name in the folder's name"))
        else:
            folders.append((item.path, user, exercise))
    times = commit_times([path for path, _user, _exercise in folders])
    for path, user, exercise in folders:
        found = times[path]
        if isinstance(found, str):
            reading.evidence.append(Evidence(path / ".git", found))
        when = None if isinstance(found, str) else found
        reading.deliveries.append(Delivery(_identity(user, context.roster), (Part(path),), when, exercise=exercise))
    return reading


def _identity(user: str, roster: Roster | None) -> Identity:
    claims = (Claim(user, ("github",)),)
    if roster is not None and not roster.known(claims[0]):
        # Classroom writes a team's name with hyphens, and `-1` behind a repository whose name was taken.
        group = next((group for group in roster.groups if fold(group) == fold(user)), "")
        if group:
            return Identity(user, group=group)
        again = Claim(re.sub(r"-\d{1,2}$", "", user), ("github",))
        claims = (again,) if roster.known(again) else (Claim(user, ("github", *OWN)),)
    return Identity(user, claims)


def _assignment(names: Sequence[str], folder: Path, context: Context) -> tuple[str, str]:
    """What the names of all repositories begin with, and the exercise that they are for; "" where nothing tells.

    Classroom's folder says it. Else it is what they have in common: more of it than an exercise's name only where the
    roster then knows more of the users, for users may begin alike.
    """
    slug = re.sub(r"-submissions$", "", folder.name)
    exercise = next((found for name in names if (found := _split(name, "", context.exercises)[1])), "")
    if slug != folder.name and any(name.startswith(f"{slug}-") for name in names):
        return f"{slug}-", exercise
    start = _common_start(names)
    if exercise and context.roster is not None and start:
        users = [[_split(name, long, context.exercises)[0] for name in names] for long in ("", start)]
        short, long = (sum(bool(context.roster.known(Claim(u, ("github", *OWN)))) for u in found) for found in users)
        return (start if long > short else ""), exercise
    return ("" if exercise else start), exercise


def _split(name: str, start: str, exercises: Sequence[str]) -> tuple[str, str]:
    """The user and the exercise in `markov-quiz-adalovelace`; the exercise is "" where none has this name."""
    if start and name.startswith(start):
        inside = [exercise for exercise in exercises if exercise in normal(start)]
        return name[len(start) :], max(inside, key=len, default="")
    for exercise in sorted(exercises, key=len, reverse=True):
        before = exercise.replace("_", "-") + "-"
        if name.lower().replace("_", "-").startswith(before):
            return name[len(before) :], exercise
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
