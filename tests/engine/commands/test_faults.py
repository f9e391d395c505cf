"""A machine that fails a command: one clear line, status 1, nothing half-written, and the same command goes on."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import subprocess
import sys

import pytest
from sqlalchemy.exc import OperationalError

from autograder.commands import main as command_line
from autograder.commands.faults import of_the_machine
from autograder.results.files import sweep, write_atomically
from autograder.sandbox import IsolationRefused, WarmParent

FULL = OSError(errno.ENOSPC, "No space left on device", "/out/grades.csv")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FULL, "/out/grades.csv: No space left on device. Nothing half-written is left"),
        (OSError(errno.EROFS, "Read-only file system", b"/out"), "/out: Read-only file system"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files: allow more of them, with `ulimit"),
        (OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full")), "the book: database or"),
    ],
)
def test_what_the_machine_failed_at_is_said_in_one_line(monkeypatch, capsys, error, line):
    def run(**options):
        raise error

    monkeypatch.setattr(command_line, "translated", lambda cli: run)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.startswith(f"autograder: {line}")
    assert said.count("\n") == 1


def test_our_own_mistakes_are_no_machines():
    assert of_the_machine(ValueError("a mistake")) is None


def test_no_half_of_a_file_stays_on_a_full_disk(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    write_atomically(tmp_path / "grades.csv", "before")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"No space.*grades\.csv'"):
            write_atomically(tmp_path / "grades.csv", "after")
    assert os.listdir(tmp_path) == ["grades.csv"]
    assert (tmp_path / "grades.csv").read_text() == "before"


def test_what_a_killed_process_left_is_swept(tmp_path):
    for name in (
        ".grades.csv.1.2.draft",
        "results/ada/.toy.json.1.2.draft",
        f".mine.csv.{os.getpid()}.2.draft",
        "a.draft",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    sweep(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*draft"))
    assert left == [f".mine.csv.{os.getpid()}.2.draft", "a.draft"]


def test_a_machine_without_proc_is_refused_in_one_line(monkeypatch):
    if sys.platform != "linux":
        pytest.skip("nothing is isolated here")
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: path != "/proc/self/status" and exists(path))
    with pytest.raises(IsolationRefused, match=r"^there is no /proc here.*$") as refused:
        WarmParent(preload=()).start()
    assert "\n" not in str(refused.value)


def grade(toy, folder, out, limit=None, most=0):
    def limited():
        if limit is not None:
            resource.setrlimit(limit, (most, most))

    return subprocess.run(
        [sys.executable, "-m", "autograder.commands.main", "grade", folder, "--out", out, "--course", toy],
        env=dict(os.environ) | {"AUTOGRADER_SECRET": "a secret of the tests"}, preexec_fn=limited,
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def held(ran, out, words):
    assert ran.returncode == 1, ran.stderr
    assert words in ran.stderr
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    assert not list(out.parent.rglob("*.draft"))


@pytest.fixture
def place(tmp_path, toy_solution):
    folder = tmp_path / "class"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "toy.py").write_text(toy_solution)
    return folder, tmp_path / "out"


def test_a_place_that_cannot_be_written(toy, place):
    folder, out = place
    out.write_text("no folder")
    held(grade(toy, folder, out / "below"), out, "cannot be made")
    held(grade(toy, folder, out), out, "cannot be used")


def test_rubbish_where_the_book_is(toy, place):
    folder, out = place
    out.mkdir()
    (out / "book.db").write_bytes(b"rubbish" * 1000)
    held(grade(toy, folder, out), out, "book.db cannot be used")
    assert (out / "book.db").read_bytes() == b"rubbish" * 1000, "what nobody can read may be somebody's"


def test_too_few_files(toy, place):
    folder, out = place
    held(grade(toy, folder, out, resource.RLIMIT_NOFILE, 12), out, "ulimit")


@pytest.mark.slow
@pytest.mark.parametrize("most", [0, 60_000, 100_000])
def test_a_disk_that_is_full_at_some_moment(toy, place, most):
    """A limit of a file's size stands for it: the book is what grows."""
    folder, out = place
    ran = grade(toy, folder, out, resource.RLIMIT_FSIZE, most)
    assert ran.returncode in (0, 1, 3), ran.stderr  # 3: something needs a person
    assert "Traceback" not in ran.stderr
    assert not list(out.rglob("*.draft"))
    again = grade(toy, folder, out)
    assert again.returncode in (0, 3), again.stderr
    assert (out / "grades.csv").is_file()


def test_a_library_that_students_have_not_is_said_and_a_fault_of_ours_is_not_hidden():
    fault = of_the_machine(ModuleNotFoundError("No module named 'sqlalchemy.orm'", name="sqlalchemy.orm"))
    assert fault is not None
    assert "this needs the library sqlalchemy, which is not installed here" in str(fault)
    assert fault.status == 2
    assert of_the_machine(ModuleNotFoundError("No module named 'autograder.x'", name="autograder.x")) is None
    assert of_the_machine(ModuleNotFoundError("odd")) is None
