"""Judges that stay warm: one after the other for many threads, started when needed, ended with the block."""

from __future__ import annotations

import contextlib
import shutil
import threading

import psutil
import pytest

from autograder.batch.job import Order, job_of
from autograder.batch.judges import CannotJudge, Judge, JudgeFault
from autograder.batch.pool import InOrder, Judges, Task
from autograder.course import load_config
from autograder.submissions.model import Cell, Submission


@pytest.fixture(scope="module")
def course(toy):
    return load_config(toy / "grading_config.yaml")


@pytest.fixture(scope="module")
def warm(course):
    with Judges(Order(course.file, (), b"a secret of the tests"), 2) as judges:
        yield judges


@pytest.fixture
def job(course, toy_solution, tmp_path):
    def make(student, **more):
        cells = (Cell(1, "toy.py", toy_solution, 1),)
        return job_of(course, Submission(student, "toy", tmp_path / "toy.py", "ab" * 32, "py", cells), **more)

    return make


def running():
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if child.name() == "ag-judge":
                found.append(child.pid)
    return found


def test_a_judge_is_asked_again(warm, job):
    """Checks are collected when the first job of an exercise comes: the order names none."""
    before = set(running())
    first = warm.grade(job("ada"))
    mine = set(running()) - before
    again = warm.grade(job("ada"))
    assert [c.outcome for c in first.checks] == [c.outcome for c in again.checks]
    assert first.points > 0
    assert first.submission.file == "toy.py"
    assert len(mine) == 1
    assert set(running()) - before == mine


def test_threads_share_the_judges_and_a_class_leaves_room(warm, job):
    """While a class runs, a single submission gets its turn; there are never more judges than were asked for."""
    before = len(running())
    results = {}

    def single(name):
        results[name] = warm.grade(job(name, checks=("mean_value",)))

    threads = [threading.Thread(target=single, args=(name,)) for name in ("a", "b", "c")]
    done = []

    def on_done(one):
        done.append(one.task.key)
        if len(done) == 1:
            for thread in threads:
                thread.start()
        assert len(running()) <= before + 2

    warm.run(InOrder([Task(n, job(f"s{n}", checks=("mean_value",))) for n in range(6)]), on_done)
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(6))
    assert {name: result.student for name, result in results.items()} == {"a": "a", "b": "b", "c": "c"}
    assert [check.id for check in results["a"].checks] == ["mean_value"]


def test_an_exercise_with_broken_checks_grades_nobody_and_the_others_go_on(toy, tmp_path, job):
    root = tmp_path / "course"
    shutil.copytree(toy, root)
    (root / "tests/hidden/toy/test_toy.py").write_text("import no_such_module\n")
    with Judges(Order(root / "grading_config.yaml", (), b"a secret of the tests")) as judges:
        for _ in range(2):
            with pytest.raises(CannotJudge, match="cannot be collected"):
                judges.grade(job("ada"))


def test_images_that_the_course_demands_and_that_are_missing_are_said_in_one_line(toy, tmp_path, job, monkeypatch):
    monkeypatch.setenv("AUTOGRADER_MNIST", str(tmp_path))
    root = tmp_path / "course"
    shutil.copytree(toy, root)
    (root / "tests/hidden/toy/test_toy.py").write_text(
        "from autograder.judge import check\n\n\n"
        '@check(points=10)\ndef test_images(student, digits):\n'
        '    """Images are there."""\n    student.mean(digits.train)\n'
    )
    config = root / "grading_config.yaml"
    config.write_text(config.read_text() + "data: {set: mnist}\n")
    with (
        Judges(Order(config, (), b"a secret of the tests")) as judges,
        pytest.raises(CannotJudge, match="lacks t10k-images") as told,
    ):
        judges.grade(job("ada"))
    assert "\n" not in str(told.value)


def test_closed_judges_grade_nobody(warm, course, job):
    judges = Judges(Order(course.file, (), b"a secret of the tests"))
    judges.close()
    with pytest.raises(JudgeFault, match="closed"):
        judges.grade(job("ada"))


class Waiting(Judge):
    """A judge that grades when it is let."""

    begun = threading.Event()
    ended = threading.Event()

    def start(self):
        """Nothing is started."""

    def ask(self, question, on_check=None):
        self.begun.set()
        self.ended.wait(30)
        raise JudgeFault("ended")

    def interrupt(self):
        self.ended.set()


def test_closing_ends_what_other_threads_wait_for(course, job):
    judges = Judges(Order(course.file, (), b"a secret of the tests"))
    judges.judge_class = Waiting
    faults = []

    def grade():
        try:
            judges.grade(job("ada"))
        except JudgeFault as fault:
            faults.append(str(fault))

    threads = [threading.Thread(target=grade) for _ in range(2)]  # one grades, one waits for a judge
    threads[0].start()
    Waiting.begun.wait(30)
    threads[1].start()
    judges.close()
    for thread in threads:
        thread.join(30)
    assert len(faults) == 2
