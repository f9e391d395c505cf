"""The grader: warm between calls, safe from several threads, reading changed checks again."""

from __future__ import annotations

import contextlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from autograder import AutograderError, Course, JudgeFault
from autograder.course import ConfigurationError, load_config
from autograder.results.model import Result
from autograder.service.course import PUBLIC
from autograder.submissions import read_submission
from tests.engine.classes import SECRET

GOOD = "def mean(x):\n    return x.sum(1) / x.shape[1]\n"


@pytest.fixture
def course(toy: Path) -> Course:
    return Course(load_config(toy / "grading_config.yaml"), secret=SECRET)


@pytest.fixture
def files(tmp_path: Path, toy_solution: str) -> list[Path]:
    """Four students' work: two right, one wrong, one that is no code."""
    found = []
    wrong = "def mean(x):\n    return x\n"
    for student, text in (("ada", toy_solution), ("bob", GOOD), ("cem", wrong), ("dot", "\0" * 99)):
        found.append(tmp_path / student / "toy.py")
        found[-1].parent.mkdir()
        found[-1].write_text(text)
    return found


def judges() -> set[int]:
    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if child.name() == "ag-judge":
                found.add(child.pid)
    return found


def outcome(result: Result) -> tuple[str, str, float]:
    return result.student, result.outcome, result.points


def test_four_threads_grade_at_once_and_judges_stay_warm(course, files):
    before = judges()
    with course.grader(workers=2) as grader:
        alone = [outcome(grader.grade(file)) for file in files]
        with ThreadPoolExecutor(4) as pool:
            together = [outcome(result) for result in pool.map(grader.grade, files * 4)]
        warm = judges() - before
        assert 1 <= len(warm) <= 2
        assert [outcome(grader.grade(file)) for file in files] == alone
        assert judges() - before == warm
    assert judges() == before
    assert together == alone * 4
    assert [points for _student, _outcome, points in alone] == [9.0, 2.0, 0.0, 0.0]


def test_a_closed_folder_beside_the_course_closes_nothing(toy, files, tmp_path):
    """Whoever grades in /home, or below /tmp, may not look into the folders of others there."""
    closed = tmp_path / "home" / "somebody"
    closed.mkdir(parents=True)
    (closed / "test_public.py").symlink_to("x" * 300)  # who looks is told so by an error, root too
    shutil.copytree(toy, tmp_path / "home" / "course")
    here = Course(load_config(tmp_path / "home" / "course" / "grading_config.yaml"), secret=SECRET)
    with here.grader(workers=1) as grader:
        assert outcome(grader.grade(files[0]))[1:] == ("graded", 9.0)


def test_one_submission_is_a_file_or_what_was_read(course, files):
    with course.grader(workers=1) as grader:
        by_file = grader.grade(str(files[0]))
        by_text = grader.grade(read_submission(files[0]))
        as_another = grader.grade(files[0], "zoé", "toy")
    assert outcome(by_file) == outcome(by_text)
    assert as_another.student == "zoé"
    assert [check.outcome for check in by_file.checks] == [check.outcome for check in by_text.checks]


def test_a_changed_check_is_read_again(course, toy, files):
    path = toy / "tests/hidden/toy/test_toy.py"
    text = path.read_text()
    with course.grader(workers=1) as grader:
        first = grader.grade(files[1])
        path.write_text(text.replace("The spread of each row is right.", "The spread of every row is right."))
        try:
            again = grader.grade(files[1])
        finally:
            path.write_text(text)
    titles = [{check.title for check in result.checks} for result in (first, again)]
    assert "The spread of each row is right." in titles[0]
    assert "The spread of every row is right." in titles[1]


def test_only_some_checks(course, files):
    with course.grader(["mean_value"], workers=1) as grader:
        assert [check.id for check in grader.grade(files[0]).checks] == ["mean_value"]


def test_public_checks_need_no_secret(toy, files):
    from autograder.authoring.bundle import write

    write(load_config(toy / "grading_config.yaml"))
    with Course.handed_out(toy).grader(PUBLIC, workers=1) as grader:
        result = grader.grade(files[1], "you", "toy")
    assert {check.id: check.outcome for check in result.checks if check.kind != "quiz"} == {"mean_of_ones": "passed"}


def test_what_is_wrong_is_said(course, files, tmp_path):
    with course.grader(workers=1) as grader, pytest.raises(ConfigurationError, match="no exercise 'tyo'"):
        grader.grade(files[0], exercise="tyo")
    with pytest.raises(AutograderError, match="no language 'xx'"):
        Course.open(course.config.root, "xx")
    with pytest.raises(AutograderError, match="grading_config"):
        Course.open(tmp_path)


def test_grading_without_ipython_is_refused(toy, tmp_path, monkeypatch):
    """Our own reader serves a student's check alone."""
    from autograder.authoring.bundle import write
    from autograder.course import load_config

    file = tmp_path / "toy.py"
    file.write_text("def mean(x):\n    return x.sum(1) / x.shape[1]\n")
    write(load_config(toy / "grading_config.yaml"))
    for place in ("submissions.jupyter", "submissions.code", "submissions"):
        monkeypatch.setattr(f"autograder.{place}.ipython_version", lambda: "")
    monkeypatch.setattr("autograder.service.grader.ipython_version", lambda: "")
    course = Course(load_config(toy / "grading_config.yaml"), secret=SECRET)
    with course.grader(workers=1) as grader, pytest.raises(JudgeFault, match="IPython is not installed"):
        grader.grade(file)
    with course.grader(PUBLIC, workers=1) as grader:
        result = grader.grade(file)
    assert result.checks[0].outcome == "passed"
    assert "ipython" not in result.environment.versions
