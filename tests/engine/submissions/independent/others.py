"""Downloads of Gradescope, GitHub Classroom and nbgrader, made as they make them, without a look at our reader.

- Gradescope, "Export submissions": `assignment_N_export/submission_metadata.yml`, Ruby's YAML with symbols, and
  `submission_N/` for each submission, which several submitters may share; as public programs that read it take it to be
  (`:submitters`, `:name`, `:sid`, `:email`, `:created_at`, `:score`, `:history`, `:results`).
- github/gh-classroom, cmd/gh-classroom/clone/student-repos/student-repos.go at
  08b078eec0e2b0a8c48d7afd523bbf7e77c5c342:
  clones `<assignment>-submissions/<repository>`, where a repository is `<assignment>-<login or team>`.
- jupyter/nbgrader, nbgrader/docs/source/user_guide/philosophy.rst and nbgrader/exchange/default/submit.py at
  08fcced55ff16c5ba7048726888b449caa8ba5d3 with collect.py at 3f75113786ea9cb242cf3b8d8c9657981ef56f22:
  `submitted/<student>/<assignment>/` with the files, `timestamp.txt` and `submission_secret.txt`.
"""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Submitted:
    """A submission to Gradescope: its number, (name, school's number, address) of each submitter, when, the files."""

    number: int
    submitters: Sequence[tuple[str, str, str]]
    when: datetime
    files: Files
    earlier: Sequence[datetime] = field(default=())


def _scalar(text: str) -> str:
    """Text as Ruby writes it: what looks like a number, or is empty, in quotes."""
    return f"'{text}'" if not text or text.isdigit() else text


def _time(when: datetime) -> str:
    """A time as Ruby's YAML writes it, to the nanosecond."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f000 Z")


def gradescope_metadata(submissions: Sequence[Submitted]) -> str:
    """The text of `submission_metadata.yml`."""
    lines = ["---"]
    for one in submissions:
        lines += [f"submission_{one.number}:", "  :submitters:"]
        for name, sid, email in one.submitters:
            lines += [f"  - :name: {_scalar(name)}", f"    :sid: {_scalar(sid)}", f"    :email: {_scalar(email)}"]
        lines += [f"  :created_at: {_time(one.when)}", "  :score: 7.5", "  :status: processed"]
        lines += ["  :results:", "    output: ''", "    tests:", "    - name: mean", "      max_score: 10.0"]
        lines += ["  :history:" if one.earlier else "  :history: []"]
        for when in one.earlier:
            lines += [f"  - :created_at: {_time(when)}", "    :score: 1.0"]
    return "\n".join(lines) + "\n"


def write_gradescope(place: Path, submissions: Sequence[Submitted], assignment: int = 8046601) -> Path:
    """The zip as it is downloaded."""
    root = f"assignment_{assignment}_export"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{root}/submission_metadata.yml", gradescope_metadata(submissions))
        for one in submissions:
            for name, content in one.files.items():
                archive.writestr(f"{root}/submission_{one.number}/{name}", content)
    return place


def write_classroom(place: Path, clones: Sequence[tuple[str, datetime, Files]], assignment: str = "toy") -> Path:
    """The folder of clones, of (login or team, time of the last commit, files); each has the template's files too."""
    folder = place / f"{assignment}-submissions"
    for login, when, files in clones:
        clone = folder / f"{assignment}-{login}"
        template = {"README.md": b"# Toy\n", ".github/workflows/classroom.yml": b"name: Autograding Tests\n"}
        _write(clone, {**template, **files})
        bot, student = "github-classroom[bot]", login
        _git(clone, bot, datetime(2027, 1, 1, tzinfo=UTC), "init", "-q", "-b", "main")
        for who, at, paths in ((bot, datetime(2027, 1, 1, tzinfo=UTC), list(template)), (student, when, ["."])):
            _git(clone, who, at, "add", *paths)
            _git(clone, who, at, "commit", "-q", "--allow-empty", "-m", "Add files via upload")
    return folder


def _git(clone: Path, who: str, when: datetime, *arguments: str) -> None:
    """Run git, without the settings of this machine, at a time."""
    people = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", who), ("EMAIL", "x@example.org"), ("DATE", when.isoformat()))
    }
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    subprocess.run(["git", *arguments], cwd=clone, env={**people, **settings}, check=True, timeout=60)


def write_nbgrader(place: Path, collected: Sequence[tuple[str, str, Files]], assignment: str = "toy") -> Path:
    """The tree `submitted/`, of (student, text of `timestamp.txt`, files)."""
    for student, timestamp, files in collected:
        secret = {"submission_secret.txt": b"0f" * 64}
        stamp = {"timestamp.txt": timestamp.encode()} if timestamp else {}
        _write(place / "submitted" / student / assignment, {**files, **secret, **stamp})
    return place / "submitted"


def notebook(source: bytes) -> bytes:
    """A notebook of one cell, whose text is this code's."""
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "a1",
        "metadata": {},
        "outputs": [],
        "source": source.decode().splitlines(keepends=True),
    }
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps(
        {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    ).encode()


def _write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
