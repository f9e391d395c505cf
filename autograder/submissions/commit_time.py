"""A small program: paths of repositories in, the time of each last commit out, a line for each.

`python -m autograder.submissions.commit_time` is a process of its own, held short in memory and time, because what it
reads is a stranger's: a pack may unfold to gigabytes. It runs nothing of the repository.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

MEMORY = 1 << 30
SECONDS = 30


def commit_time(folder: Path) -> str:
    """Seconds since 1970 and the offset in seconds, or a word that says why there are none."""
    try:
        from dulwich.errors import NotGitRepository
        from dulwich.objects import Commit
        from dulwich.repo import Repo
    except ImportError:
        return "library"
    git = folder / ".git"
    try:
        # A file would point elsewhere; so would alternates.
        if not stat.S_ISDIR(git.lstat().st_mode) or (git / "objects/info/alternates").exists():
            return "link"
        for name in ("HEAD", "objects", "refs", "packed-refs", "config"):
            path = git / name
            if path.is_symlink() or (path.exists() and not (path.is_file() or path.is_dir())):
                return "link"
        with Repo(os.fspath(folder)) as repository:
            commit = repository[repository.head()]
            if not isinstance(commit, Commit):
                return "broken"
            return f"{int(commit.commit_time)} {int(commit.commit_timezone)}"
    except (KeyError, NotGitRepository):
        return "none"
    except Exception:
        return "broken"


def main() -> None:
    """Answer each line of standard input with one line."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    except (ImportError, ValueError, OSError):
        pass  # no such limits here (Windows); the caller's time limit holds
    for line in sys.stdin:
        sys.stdout.write(commit_time(Path(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
