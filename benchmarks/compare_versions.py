"""Grades the same files with two clones of this repository and compares points and outcomes, check by check.

    python benchmarks/compare_versions.py OLD NEW --to FOLDER [--exercise ID ...] [--workers N]

The files are the example class and, for each exercise, the solution with each known mistake of OLD's bank, handed in
by a student of the mistake's name. Both clones get the same course secret: both draw the same inputs. A run that was
interrupted goes on with the same command. Exit status 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

SECRET = "the secret of a comparison"

# Run by OLD's own Python: what stands in its bank is what is compared.
WRITE_BANK = """
import sys
from pathlib import Path
from autograder.authoring.overlay import apply_mistake, read_mistakes
from autograder.authoring.personal import personalise
from autograder.course import find_exercise, load_config
root, target, wanted = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
course = load_config(root / "grading_config.yaml")
for entry in course.exercises:
    if wanted and entry.id not in wanted:
        continue
    exercise = find_exercise(course, entry.id)
    folder = root / "solutions" / entry.id
    source = (folder / f"{entry.id}.py").read_text(encoding="utf-8")
    for mistake in (None, *read_mistakes(folder / "mistakes.py")):
        name = f"{entry.id}-{mistake.id if mistake else 'reference'}"
        text = personalise(apply_mistake(source, mistake) if mistake else source, exercise, name)
        place = target / name / f"{entry.id}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
"""

Outcome = tuple[str, float, tuple[tuple[str, str, float, str], ...]]


def grade(clone: Path, submissions: Path, out: Path, exercises: list[str], workers: int) -> None:
    """Grade a class with one clone, in that clone's environment."""
    chosen = [option for exercise in exercises for option in ("--exercise", exercise)]
    command = [
        clone / ".venv/bin/python", "-m", "autograder.commands.main", "grade", submissions, "--out", out,
        "--course", clone, "--workers", str(workers), *chosen,
    ]  # fmt: skip
    environment = dict(os.environ) | {"AUTOGRADER_SECRET": SECRET, "COLUMNS": "200"}
    done = subprocess.run(list(map(str, command)), cwd=clone, env=environment, check=False, stdout=subprocess.PIPE)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"{clone}: grade ended with status {done.returncode}\n{done.stdout.decode()[-2000:]}")


def outcomes(out: Path) -> dict[tuple[str, str], Outcome]:
    """Of each result: outcome, points, and of each check id, outcome, points and diagnosis."""
    found = {}
    for path in sorted((out / "results").glob("*/*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        checks = tuple((c["id"], c["outcome"], c["points"], c["diagnosis"] or "") for c in data["checks"])
        found[data["student"], data["exercise"]] = (data["outcome"], data["points"], tuple(sorted(checks)))
    return found


def differences(old: dict[tuple[str, str], Outcome], new: dict[tuple[str, str], Outcome]) -> list[str]:
    """A line for each result, and each check, that is not the same."""
    lines = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        label = "/".join(name)
        if before is None or after is None:
            lines.append(f"{label}: only in {'the new' if before is None else 'the old'} one")
            continue
        if before[:2] != after[:2]:
            lines.append(f"{label}: {before[0]} {before[1]:g} -> {after[0]} {after[1]:g}")
        was, now = {c[0]: c[1:] for c in before[2]}, {c[0]: c[1:] for c in after[2]}
        lines += [
            f"  {label} {check}: {was.get(check)} -> {now.get(check)}"
            for check in sorted(was.keys() | now.keys())
            if was.get(check) != now.get(check)
        ]
    return lines


def main() -> int:
    """Write the files, grade them with both, print what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--to", type=Path, required=True, help="where files and results go")
    parser.add_argument("--exercise", action="append", default=[])
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    old, new, to = given.old.resolve(), given.new.resolve(), given.to.resolve()
    bank = to / "bank"
    writer = [old / ".venv/bin/python", "-c", WRITE_BANK, old, bank, *given.exercise]
    subprocess.run(list(map(str, writer)), cwd=old, check=True)
    status = 0
    for name, folder in (("example class", old / "examples/submissions"), ("banks", bank)):
        found = []
        for clone, label in ((old, "old"), (new, "new")):
            out = to / f"{name.split()[0]}-{label}"
            grade(clone, folder, out, given.exercise, given.workers)
            found.append(outcomes(out))
        lines = differences(*found)
        checks = sum(len(outcome[2]) for outcome in found[0].values())
        print(f"{name}: {len(found[0])} results, {checks} checks, {len(lines)} differences")
        print("\n".join(lines))
        status |= bool(lines)
    return status


if __name__ == "__main__":
    sys.exit(main())
