"""The example class graded in five ways; run as a program it writes docs/reference/equal-scores.md.

.venv/bin/python -m tests.engine.bridges.equal_scores
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.engine.bridges.conftest import BIN, ROOT, Programs, ours

EXERCISE = "markov_quiz"
SUBMISSIONS = ROOT / "examples" / "submissions"
PAGE = ROOT / "docs" / "reference" / "equal-scores.md"
WAYS = ("autograder grade", "nbgrader autograde", "otter run", "Gradescope", "autograder ci")
Scores = dict[str, dict[str, float | None]]  # way -> student -> points; None where the program cannot read the file

_NBGRADER = """\
import json, sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///" + sys.argv[1]) as gradebook:
    print(json.dumps({s.student.id: s.score for s in gradebook.assignment_submissions(sys.argv[2])}))
"""

_HEAD = f"""\
# Equal scores

The submissions of the example class to `{EXERCISE}`, graded by `autograder grade` and by each program that the exercise
can be exported to: the real nbgrader and otter-grader, the run script of the Gradescope export in a folder laid out as
Gradescope does it, and `autograder ci`. The inputs of the hidden checks are the same everywhere: they follow from the
course secret and the student's name.

"""
_FOOT = """
– : jonas handed in a PDF, of which no notebook for nbgrader can be made. Nobody is given points for it anywhere.

This page is made, and held against a new run, by the slow tests (`tests/engine/bridges/test_equal_scores.py`).
"""


def page(scores: Scores) -> str:
    """The table as Markdown."""
    lines = [f"| student | {' | '.join(f'`{way}`' for way in WAYS)} |", f"|---|{'---:|' * len(WAYS)}"]
    for student in scores[WAYS[0]]:
        lines.append(f"| {student} | {' | '.join(_cell(scores[way].get(student)) for way in WAYS)} |")
    return _HEAD + "\n".join(lines) + "\n" + _FOOT


def _cell(points: float | None) -> str:
    return "–" if points is None else f"{points:g}"


def measure(programs: Programs, folder: Path) -> Scores:
    """Grade the class in every way, in a folder of its own."""
    results = ours(programs, ROOT, SUBMISSIONS, folder / "out", "--exercise", EXERCISE, status=3)
    files = {name: SUBMISSIONS / name / result["submission"]["file"] for name, result in results.items()}
    return dict(
        zip(
            WAYS,
            (
                {student: result["points"] for student, result in results.items()},
                _by_nbgrader(programs, folder),
                {name: _by_otter(programs, folder, name, file) for name, file in files.items()},
                _by_gradescope(programs, folder, files),
                {name: _by_ci(programs, folder, name) for name in files},
            ),
            strict=True,
        )
    )


def _by_nbgrader(programs: Programs, folder: Path) -> dict[str, float | None]:
    course = folder / "nbgrader"
    words = ("export", "nbgrader", course, "--exercise", EXERCISE, "--submissions", SUBMISSIONS)
    programs.autograder(*words, at=ROOT)
    programs("nbgrader", "generate_assignment", EXERCISE, at=course)
    programs("nbgrader", "autograde", EXERCISE, at=course)
    said = programs("python", "-c", _NBGRADER, course / "gradebook.db", EXERCISE, at=course)
    return json.loads(said.splitlines()[-1])


def _by_otter(programs: Programs, folder: Path, student: str, file: Path) -> float | None:
    exported = folder / "otter"
    if not exported.exists():
        programs.autograder("export", "otter", exported, "--exercise", EXERCISE, at=ROOT)
    zip_file = exported / EXERCISE / "autograder" / f"{EXERCISE}-autograder.zip"
    at = folder / "otter-runs" / student
    at.mkdir(parents=True)
    programs("otter", "run", "-a", zip_file, "-o", at, file, at=at, AUTOGRADER_STUDENT=student)
    written = json.loads((at / "results.json").read_text(encoding="utf-8"))
    return round(sum(test["score"] for test in written["tests"] if "score" in test), 4)


def _by_gradescope(programs: Programs, folder: Path, files: dict[str, Path]) -> dict[str, float | None]:
    base = folder / "gradescope"
    programs.autograder("export", "gradescope", EXERCISE, base / "source", at=ROOT)
    (base / "results").mkdir()
    found: dict[str, float | None] = {}
    for student, file in files.items():
        shutil.rmtree(base / "submission", ignore_errors=True)
        (base / "submission").mkdir()
        shutil.copy(file, base / "submission")
        user = {"email": f"{student}@example.org", "id": 1, "name": student.title()}
        metadata = {"created_at": "2026-12-01T12:00:00+00:00", "users": [user]}
        (base / "submission_metadata.json").write_text(json.dumps(metadata))
        own = {"AUTOGRADER_BASE": str(base), "AUTOGRADER_PYTHON": str(BIN / "python"), "PYTHONPATH": ""}
        programs(base / "source" / "run_autograder", at=base, **own)
        found[student] = json.loads((base / "results" / "results.json").read_text(encoding="utf-8"))["score"]
    return found


def _by_ci(programs: Programs, folder: Path, student: str) -> float | None:
    outputs = folder / "ci" / student
    outputs.parent.mkdir(exist_ok=True)
    words = ("ci", SUBMISSIONS / student, "--exercise", EXERCISE, "--teacher", "--no-fail")
    try:
        programs.autograder(*words, at=ROOT, GITHUB_OUTPUT=str(outputs))
    except AssertionError as error:
        if "no file of an exercise" in str(error):
            return None
        raise
    lines = dict(line.split("=", 1) for line in outputs.read_text(encoding="utf-8").splitlines())
    return float(lines["points"])


def main() -> None:
    """Write the page."""
    from tests.engine.bridges.conftest import environment

    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page(measure(Programs(environment(Path(folder) / "state")), Path(folder))), encoding="utf-8")
    sys.stdout.write(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
