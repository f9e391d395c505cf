"""Clones as `gh classroom clone student-repos` makes them.

Source, read at github.com/github/gh-classroom: cmd/gh-classroom/clone/student-repos/student-repos.go at 08b078eec0e2:
a folder `<slug of the assignment>-submissions`, in it each repository under its own name, `<slug>-<user>` or, for a
group, `<slug>-<team>`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.engine.submissions.platforms.model import Handed, folder


def clones(base: Path, class_: Sequence[Handed], *, slug: str) -> Path:
    """Repositories with one commit each, made by git itself; its time is the committer's."""
    place = base / f"{slug}-submissions"
    for handed in class_:
        user = handed.student.group.lower().replace(" ", "-") if handed.members else handed.student.github
        repository = folder(place / f"{slug}-{user}", handed.files)
        moment = handed.when.isoformat()
        names = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        environment = os.environ | names | {"GIT_COMMITTER_DATE": moment, "GIT_AUTHOR_DATE": moment}
        for command in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-q", "-m", "x", "--no-gpg-sign"]):
            subprocess.run(["git", "-C", os.fspath(repository), *command], env=environment, check=True)
    return place
