"""Which attempt counts, how late it was, and what a class's download becomes: best, last, first, zones, extensions."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from autograder import Course
from autograder.batch.keys import Keys
from autograder.batch.pool import Done
from autograder.book.place import open_store
from autograder.course import load_config
from autograder.results.model import Result, SubmissionFacts
from autograder.service.rounds import earlier_rounds
from autograder.submissions import Entry, HandIn
from tests.engine import command_line
from tests.engine.classes import Running

PARIS = ZoneInfo("Europe/Paris")
DUE = datetime(2027, 2, 8, 23, 59, 59, tzinfo=PARIS)
CONFIG = """
schema_version: 1
course: {id: c, title: C, timezone: Europe/Paris}
exercises: [{id: toy, title: Toy, points: 10, due: 2027-02-08}]
late_penalty: {per_day: 0.25, cap: 0.5, grace_minutes: 30}
"""


@pytest.fixture
def course(tmp_path):
    (tmp_path / "grading_config.yaml").write_text(CONFIG)
    return load_config(tmp_path / "grading_config.yaml")


def attempt(sha: str, points: float, submitted: datetime | None, outcome="graded") -> Result:
    about = SubmissionFacts("toy.py", "py", sha, submitted)
    return Result("ada", "toy", points, 10.0, outcome, submission=about)


# --- earlier attempts, where the best of all counts


def test_an_earlier_attempt_is_graded_once(toy, tmp_path):
    course = load_config(toy / "grading_config.yaml")
    entries = []
    for number in (1, 2):
        file = tmp_path / "class" / "ada" / f"toy-{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"x = {number}\n")
        entries.append(Entry("ada", "toy", file, sha256=hashlib.sha256(file.read_bytes()).hexdigest()))
    last = Entry("ada", "toy", tmp_path / "class" / "ada" / "toy-3.py")
    scan = HandIn(tmp_path / "class", ("ada",), (last,), (), (), earlier=tuple(entries))
    store, keys = open_store(tmp_path / "out", course.id), Keys(course, b"a secret of the tests", "en", False)

    def todo(keys):
        found = list(earlier_rounds(scan, store, keys))
        assert all(one.students == () for one in found)  # nobody misses anything in them
        return [one.entries for one in found]

    assert todo(keys) == [(entries[0],), (entries[1],)]
    sha256 = hashlib.sha256(entries[0].path.read_bytes()).hexdigest()
    store.attempts.keep(attempt(sha256, 3, None), keys.of("ada", "toy", sha256), sha256)
    assert todo(keys) == [(entries[1],)]
    assert todo(Keys(course, b"another secret of the tests", "en", False)) == [(entries[0],), (entries[1],)]
    # One that ended in a fault of ours is graded again.
    sha256 = hashlib.sha256(entries[1].path.read_bytes()).hexdigest()
    store.attempts.keep(attempt(sha256, 0, None, "error"), keys.of("ada", "toy", sha256), sha256)
    assert todo(keys) == [(entries[1],)]
    store.close()


def test_a_fault_in_an_earlier_round_is_in_the_batch(toy, tmp_path):
    """It was forgotten: only the last round's batch was looked at, and the command ended with 0."""
    course = Course(replace(load_config(toy / "grading_config.yaml"), attempts="best"), secret=b"a secret of the tests")
    entries = []
    for number in (1, 2):
        file = tmp_path / "class" / f"toy-{number}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"x = {number}\n")
        entries.append(Entry("ada", "toy", file))
    handed_in = HandIn(tmp_path / "class", ("ada",), (entries[1],), (), (), earlier=(entries[0],))

    def first_fails(order, source, on_done):
        task = source.take()
        first = task.job.submission.file == "toy-1.py"
        result = None if first else Result("ada", "toy", 10.0, 10.0, "graded", submission=task.job.submission)
        on_done(Done(task, result, "the judge was lost" if first else ""))

    grader = Running(course, workers=1)
    grader.run = first_fails
    with course.book(tmp_path / "out") as book, grader:
        batch = grader.grade_class(handed_in, book)
        assert [(fault.student, fault.submission.file) for fault in batch.faults] == [("ada", "toy-1.py")]
        assert [(result.outcome, result.points) for result in batch.results] == [("graded", 10.0)]


# --- from a download to grades.csv

WRONG = "def mean(x):\n    return x\n"


def autograder(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return command_line.autograder(*arguments, env=os.environ | {"AUTOGRADER_SECRET": "a secret of the tests"})


def test_a_canvas_download_becomes_grades(toy, toy_solution, tmp_path):
    """The best of two attempts, a late mark, an absent student, an override and an extension, in one class."""
    import shutil

    folder = tmp_path / "course"
    shutil.copytree(toy, folder)
    config = folder / "grading_config.yaml"
    config.write_text(config.read_text().replace("points: 10", "points: 10\n    due: 2026-02-08")
                      + "attempts: best\nlate_penalty: {per_day: 0.5}\n")  # fmt: skip
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("lovelaceada_11_100_toy.py", toy_solution)
        archive.writestr("lovelaceada_11_101_toy-1.py", WRONG)
        archive.writestr("mullerzoe_LATE_12_102_toy.py", toy_solution)
        archive.writestr("raybob_13_103_essay.pdf", b"%PDF")
    download = tmp_path / "submissions.zip"
    download.write_bytes(stream.getvalue())
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "Student;ID;SIS Login ID\nLovelace, Ada;11;ada\nMüller, Zoé;12;zoe\nRay, Bob;13;bob\nVoid, Eve;14;eve\n"
    )
    out = tmp_path / "out"
    command = ("grade", download, "--out", out, "--course", folder, "--roster", roster, "--workers", "1")
    ran = autograder(*command)
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "layout: canvas" in ran.stdout
    assert "1 of the roster handed in nothing: Eve Void (eve)" in ran.stdout

    def grades() -> dict[str, dict[str, str]]:
        with (out / "grades.csv").open(newline="") as file:
            return {row["student"]: row for row in csv.DictReader(file)}

    found = grades()  # 9 of 10: the quiz of the solution is somebody else's
    assert {s: r["outcome"] for s, r in found.items()} == {
        "ada": "graded", "zoe": "graded", "bob": "handed_in_not_gradable", "eve": "missing"
    }  # fmt: skip
    assert (found["ada"]["final"], found["ada"]["attempt"], found["ada"]["attempts"]) == ("9", "1", "2")
    assert (found["zoe"]["points"], found["zoe"]["late_penalty"], found["zoe"]["final"]) == ("9", "0.5", "4.5")
    with (out / "unplaced.csv").open(newline="") as file:
        listed = {row["path"]: row["reason"] for row in csv.DictReader(file)}
    assert "neither .py nor .ipynb" in next(reason for path, reason in listed.items() if "essay.pdf" in path)
    assert listed["eve"] == "on the roster, and handed in nothing"

    # What teachers decide shows at once, and after the next run, which grades nothing.
    assert autograder("gradebook", "override", out, "zoe", "toy", "8", "--why", "x", "--course", folder).returncode == 0
    assert (grades()["zoe"]["override"], grades()["zoe"]["final"]) == ("8", "4")
    extend = ("gradebook", "extend", out, "zoe", "toy", "2027-03-01", "--why", "ill", "--course", folder)
    assert autograder(*extend).returncode == 0
    ran = autograder(*command)
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "3 unchanged" in ran.stdout, ran.stdout
    assert (grades()["zoe"]["final"], grades()["zoe"]["extended"]) == ("8", "yes")
    assert grades()["ada"] == found["ada"]
    ran = autograder("export", "canvas", out, "-o", tmp_path / "c.csv", "--course", folder, "--roster", roster)
    assert ran.returncode == 0, ran.stderr
    assert '"Lovelace, Ada",11,,ada,,9' in (tmp_path / "c.csv").read_text()
