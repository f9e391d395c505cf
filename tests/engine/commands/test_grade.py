"""What `autograder grade` says: a dry run, a misspelt student, what was left out. Nothing here needs a judge."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.batch.keys import Keys
from autograder.book.place import open_store
from autograder.commands.grade import command
from autograder.course import load_config
from autograder.results.model import Result
from autograder.service.classes import ChoiceFault
from autograder.submissions import Wanted, read_class

SECRET = "a secret of the tests"


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        (tmp_path / "class" / f"s{number}").mkdir(parents=True)
        (tmp_path / "class" / f"s{number}" / "toy.py").write_text(f"x = {number}\n")
    return tmp_path / "class"


@pytest.fixture
def run(toy, folder, tmp_path, monkeypatch):
    """`run(*options)` gives what the command prints in a dry run."""
    monkeypatch.setenv("AUTOGRADER_SECRET", SECRET)

    def grade(*options):
        arguments = [str(folder), "--out", str(tmp_path / "out"), "--course", str(toy), "--dry-run", *options]
        return CliRunner().invoke(command, arguments, catch_exceptions=False).output

    return grade


def graded(toy, folder, out, *students):
    """As if these had been graded."""
    course = load_config(toy / "grading_config.yaml")
    store = open_store(out, course.id)
    keys = Keys(course, SECRET.encode(), course.language)
    for entry in read_class(folder, Wanted(["toy"])).entries:
        if entry.student in students:
            import hashlib

            sha256 = hashlib.sha256(entry.path.read_bytes()).hexdigest()
            key = keys.of(entry.student, "toy", sha256)
            store.attempts.keep(Result(entry.student, "toy", 1.0, 10.0, "graded"), key, sha256)
    store.close()


def test_a_dry_run_writes_nothing(run, tmp_path):
    said = run()
    assert "s0 toy: new" in said
    assert "3 would be graded, 0 keep their result, 0 cannot be read." in said
    assert not (tmp_path / "out").exists()


def test_a_large_class_is_summed_up(run, monkeypatch):
    monkeypatch.setattr("autograder.commands.planned.MOST_STUDENTS", 2)
    said = run()
    assert "toy: 3 (s0, s1, s2): new" in said
    assert "s0 toy: new" not in said


def test_a_misspelt_student_is_an_error(run):
    with pytest.raises(ChoiceFault, match=r"--student S1: nobody of this name.*s1") as fault:
        run("--student", "S1")
    assert fault.value.status == 2


def test_what_is_left_out_is_said(run, toy, folder, tmp_path):
    """It is not the same as unchanged."""
    graded(toy, folder, tmp_path / "out", "s0", "s1")
    (folder / "s0" / "toy.py").write_text("x = 'changed'\n")
    assert "1 keep their result" in run()
    said = run("--failed")
    assert "0 would be graded, 1 keep their result, 0 cannot be read." in said
    assert "2 new or changed ones are left for a run without --failed and --only" in said


def test_a_gradebook_of_version_0_1_is_taken_over(run, tmp_path):
    written = Path(__file__).parents[1] / "book/written_by_0_1/out"
    shutil.copytree(written / "results", tmp_path / "out" / "results")
    shutil.copy(written / "gradebook.db", tmp_path / "department.db")
    url = f"sqlite:///{tmp_path / 'department.db'}"
    for _again in range(2):
        assert "decisions are in the book now" in run("--gradebook", url)
    with open_store(tmp_path / "out", "toy") as store:
        assert len(store.decisions.history(student="cleo")) == 1
        assert len(store.decisions.history()) == 14
