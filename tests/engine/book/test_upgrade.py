"""What version 0.1 wrote opens with the same final points; whenever it is killed, nothing is lost."""

from __future__ import annotations

import csv
import filecmp
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from autograder.book import upgrade
from autograder.book.counting import counting
from autograder.book.engine import StoreFault
from autograder.book.grades import extensions, grade_by
from autograder.book.missing import expected, not_handed_in
from autograder.book.place import open_store
from autograder.book.rubric import load_rubric
from autograder.book.store import Store
from autograder.course import load_config
from autograder.results.files import read_result
from autograder.results.model import Result

WRITTEN = Path(__file__).parent / "written_by_0_1"
NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def course():
    return load_config(WRITTEN / "course" / "grading_config.yaml")


@pytest.fixture
def out(tmp_path):
    return Path(shutil.copytree(WRITTEN / "out", tmp_path / "out"))


def then():
    with (WRITTEN / "final.csv").open(newline="") as stream:
        return {row["student"]: row for row in csv.DictReader(stream)}


def counted(store, course):
    """The result that counts of everybody."""
    own, times = extensions(store.decisions.history()), {}
    for file in store.handed_in.files():
        times.setdefault((file.student, file.exercise), {})[file.sha256] = file
    known = store.attempts.latest()
    for name in expected(course, known, store.decisions.history(), store.handed_in.students()):
        if name not in known:
            yield not_handed_in(course, name, own.get(name), NOW)
            continue
        graded = [(attempt.sha256, attempt.result) for attempt in store.attempts.history(*name)]
        yield counting(course, graded, times.get(name, {}), own.get(name))


def final(store, course):
    grade_of = grade_by(course, store.decisions.history(), load_rubric(course))
    return {grade.student: grade for grade in map(grade_of, counted(store, course))}


def assert_the_same(store, course, absent=("eve",)):
    """As version 0.1 had it, but that nobody's zero is made of what could not be graded."""
    grades = final(store, course)
    assert set(grades) == set(then()) - ({"eve"} - set(absent))
    for student, grade in grades.items():
        row = then()[student]
        open_yet = row["outcome"] in ("error", "unreadable") and row["overridden"] == "no"
        assert grade.final == (None if open_yet else float(row["final"])), student
        assert (grade.points, grade.graded, grade.penalty) == tuple(
            float(row[name]) for name in ("points", "graded", "late_penalty")
        ), student
        assert grade.extended == (row["extended"] == "yes")
        assert (grade.due.isoformat(), grade.max_points) == (row["due"], float(row["max_points"]))
        assert (grade.submitted.isoformat() if grade.submitted else "") == row["submitted"]
        assert grade.marked == float(row["marked"])
        assert ("" if grade.overridden is None else f"{grade.overridden:g}") == row["override"]


def rows(file, statement):
    """What a database holds, without a change of its file."""
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as old:
        return old.execute(statement).fetchall()


def content(file):
    if file.suffix != ".db":
        return file.read_bytes()
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as old:
        return list(old.iterdump())


def decisions_then():
    wanted = 'SELECT who, why, kind, student, "check", points, text FROM gradebook_changes'
    return rows(WRITTEN / "out" / "gradebook.db", wanted)


def decisions_now(store):
    return [(d.who, d.why, d.kind, d.student, d.check, d.points, d.text) for d in store.decisions.history()]


def assert_whole(out, course):
    """A book with everything in it once, and a whole copy of what was there."""
    with open_store(out, "toy") as store:
        assert_the_same(store, course)
        assert decisions_now(store) == decisions_then()
        ((n,),) = rows(WRITTEN / "out" / "state.db", "SELECT count(*) FROM attempts")
        names = {(name, "toy") for name in then()}
        assert sum(len(store.attempts.history(*name)) for name in names) == n
    assert not any((out / name).exists() for name in upgrade.DATABASES)
    kept = out / upgrade.COPY
    assert {path.name for path in out.iterdir() if path.name.startswith(upgrade.COPY)} >= {kept.name}
    for file in (WRITTEN / "out").rglob("*"):
        if file.is_file():
            assert content(file) == content(kept / file.relative_to(WRITTEN / "out")), file


# --- what is in it


def test_an_output_folder_opens_with_the_same_final_points(out, course):
    assert_whole(out, course)
    before = sorted(out.rglob("*"))
    assert_whole(out, course)  # and again
    assert sorted(out.rglob("*")) == before


def test_the_results_that_count_are_those_that_counted(out, course):
    with open_store(out, "toy") as store:
        found = {result.student: result for result in counted(store, course)}
    for path in (WRITTEN / "out" / "results").glob("*/*.json"):
        result = read_result(path)
        if result.student == "kim":  # what is open is said by now
            assert found["kim"].notes.pop(0).startswith("Attempt 2 of 2 could not be graded yet")
        assert found[result.student] == result


def test_who_is_in_the_class_is_known(out):
    with open_store(out, "toy") as store:
        assert store.handed_in.students() == sorted(then())
        names = {file.student: file.name for file in store.handed_in.files() if file.name}
        assert names["bob"]


def test_results_without_a_database_are_taken_over(out, course):
    """A folder whose state was elsewhere, or gone: what its files say counts."""
    (out / "state.db").unlink()
    with open_store(out, "toy") as store:
        assert_the_same(store, course)
    assert (out / upgrade.COPY / "results/ada/toy.json").is_file()


def test_a_folder_of_another_course_says_nothing_of_this_one(out, course):
    with open_store(out, "toy"):
        pass
    with open_store(out, "other") as store:
        assert store.attempts.latest() == {}


def test_version_0_1_used_again_beside_it_loses_nothing(out, course, tmp_path):
    with open_store(out, "toy") as store:
        n = len(store.decisions.history())
    shutil.copy(WRITTEN / "out/gradebook.db", out)
    with sqlite3.connect(out / "gradebook.db") as old:
        old.execute(
            'INSERT INTO gradebook_changes SELECT 99, "when", who, why, kind, \'eve\', exercise, "check", 3, was, due, '
            "text, private, withdrawn FROM gradebook_changes WHERE id = 1"
        )
    old.close()
    with open_store(out, "toy") as store:
        assert len(store.decisions.history()) == 2 * n + 1
        assert final(store, course)["eve"].final == 3.0
        assert final(store, course)["cleo"].final == 7.65
    assert (out / f"{upgrade.COPY}-2" / "gradebook.db").is_file()


# --- by URL


@pytest.mark.parametrize("name", ["state.db", "gradebook.db", "book.db"])
def test_the_url_of_an_old_database_is_its_folders_book(out, course, name):
    with open_store(out / name if (out / name).is_file() else out, "toy") as store:
        assert store.file == out / "book.db"
    for _again in range(2):
        with open_store(f"sqlite:///{out / name}", "toy") as store:
            assert_the_same(store, course)
            assert store.file == out / "book.db"


@pytest.mark.parametrize("moved", ["state.db", "gradebook.db"])
def test_an_old_database_elsewhere_becomes_the_book(out, course, tmp_path, moved):
    """With the output folder beside it, where the other one is."""
    elsewhere = tmp_path / "department.sqlite"
    (out / moved).rename(elsewhere)
    for _again in range(2):
        with open_store(f"sqlite:///{elsewhere}", "toy", out) as store:
            assert_the_same(store, course)
    (_copy,) = tmp_path.glob("department.sqlite.before-*")
    assert not (out / "book.db").exists()


def test_two_old_databases_elsewhere_become_one(out, course, tmp_path):
    state, gradebook = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    (out / "state.db").rename(state)
    (out / "gradebook.db").rename(gradebook)
    with open_store(f"sqlite:///{state}", "toy", out) as store:
        for _again in range(2):
            store.take_over_database(f"sqlite:///{gradebook}")
        assert_the_same(store, course)
        assert decisions_now(store) == decisions_then()
    assert filecmp.cmp(gradebook, WRITTEN / "out/gradebook.db", shallow=False)


def test_postgresql_opens_with_the_same_final_points(url, course, tmp_path):
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((WRITTEN / "postgresql.sql").read_text())
    out = tmp_path / "out"
    shutil.copytree(WRITTEN / "out/results", out / "results")
    for _again in range(2):
        with open_store(url, "toy", out) as store:
            assert_the_same(store, course)
            assert decisions_now(store) == decisions_then()
    assert not (out / "book.db").exists()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM attempts_0_1").fetchone() > (0,)
        assert connection.execute("SELECT count(*) FROM gradebook_changes_0_1").fetchone() == (len(decisions_then()),)
        with pytest.raises(psycopg.errors.RaiseException, match="only added to"):
            connection.execute("DELETE FROM decisions")


# --- killed


class Killed(BaseException):
    """In the place of a signal."""


def killing_at(monkeypatch, step):
    """Die at a step: a statement, or a change of a file. Returns how many there were."""
    count = [0]

    def die(*_arguments):
        count[0] += 1
        if count[0] == step:
            raise Killed

    def before(of, name):
        real = getattr(of, name)

        def dying(*arguments, **options):
            die()
            return real(*arguments, **options)

        monkeypatch.setattr(of, name, dying)

    for of, name in ((shutil, "copy2"), (shutil, "copytree"), (Path, "rename"), (Path, "unlink"), (Path, "mkdir")):
        before(of, name)
    event.listen(Engine, "before_cursor_execute", die)
    return count, lambda: event.remove(Engine, "before_cursor_execute", die)


def test_killed_at_any_step_it_goes_on(out, course, monkeypatch, tmp_path):
    reached, last = 0, False
    for step in range(1, 1000):
        if last:
            break
        if step > 30 and step % 7:
            continue
        shutil.rmtree(out)
        shutil.copytree(WRITTEN / "out", out)
        with monkeypatch.context() as patch:
            count, done = killing_at(patch, step)
            try:
                open_store(out, "toy").close()
                last = True
            except Killed:
                reached += 1
            finally:
                done()
        assert_whole(out, course)
    assert reached > 20
    assert last, count


@pytest.mark.parametrize("at", ["upgrade._take_files", "upgrade._keep_copy", "shutil.copytree", "upgrade._new"])
def test_a_real_kill_loses_nothing(out, course, at):
    script = (
        "import os, shutil, signal, sys\n"
        "from pathlib import Path\n"
        "from autograder.book import upgrade\n"
        "from autograder.book.place import open_store\n"
        "def killed(*a, **k): os.kill(os.getpid(), signal.SIGKILL)\n"
        f"{at} = killed\n"
        "open_store(Path(sys.argv[1]), 'toy')\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(out)], env=dict(os.environ), timeout=120, check=False)
    assert ran.returncode == -signal.SIGKILL
    assert_whole(out, course)


def test_two_that_open_it_at_once_take_it_over_once(out, course):
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from autograder.book.place import open_store\n"
        "sys.stdin.readline()\n"
        "open_store(Path(sys.argv[1]), 'toy').close()\n"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(out)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        _out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert_whole(out, course)


# --- refused


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("state.db", "UPDATE alembic_version SET version_num = '0099'"),
        ("gradebook.db", "UPDATE gradebook_version SET version = 99"),
    ],
)
def test_a_newer_old_database_is_refused_in_one_line(out, file, statement):
    with sqlite3.connect(out / file) as old:
        old.execute(statement)
    old.close()
    with pytest.raises(StoreFault, match="99") as fault:
        open_store(out, "toy")
    assert "\n" not in str(fault.value)
    assert file in str(fault.value)
    assert (out / file).is_file()


def test_a_newer_book_is_refused_in_one_line(out):
    open_store(out, "toy").close()
    with sqlite3.connect(out / "book.db") as new:
        new.execute("UPDATE alembic_version SET version_num = '0099'")
    new.close()
    with pytest.raises(StoreFault, match=r"version 0099.*update it") as fault:
        open_store(out, "toy")
    assert "\n" not in str(fault.value)


def test_nbgraders_gradebook_is_left_alone(out, course, tmp_path):
    """Its file has the name that ours had; it may lie in the same folder, and be named by mistake."""
    (out / "gradebook.db").unlink()
    with sqlite3.connect(out / "gradebook.db") as other:
        other.executescript("CREATE TABLE assignment (id INTEGER); CREATE TABLE alembic_version (version_num TEXT);")
    other.close()
    shutil.copy(out / "gradebook.db", tmp_path / "other.db")
    with open_store(out, "toy") as store:
        assert store.decisions.history() == []
    assert filecmp.cmp(out / "gradebook.db", tmp_path / "other.db", shallow=False)
    for url in (f"sqlite:///{tmp_path / 'other.db'}",):
        with pytest.raises(StoreFault, match="assignment"):
            Store(url, "toy")
    with sqlite3.connect(tmp_path / "other.db") as other:
        found = {name for (name,) in other.execute("SELECT name FROM sqlite_master")}
    other.close()
    assert found == {"assignment", "alembic_version"}
    with open_store(tmp_path / "new", "toy") as store, pytest.raises(StoreFault, match="no database of version"):
        store.take_over_database(f"sqlite:///{tmp_path / 'other.db'}")


def test_what_is_no_database_is_refused_in_one_line(out):
    (out / "state.db").write_bytes(b"no database at all " * 500)
    with pytest.raises(StoreFault, match=r"state\.db") as fault:
        open_store(out, "toy")
    assert "\n" not in str(fault.value)
    assert (out / "state.db").is_file()


def test_a_broken_result_that_no_database_has_is_named(out):
    (out / "state.db").unlink()
    (out / "results/ada/toy.json").write_text("{")
    with pytest.raises(Exception, match=r"ada/toy\.json"):
        open_store(out, "toy")
    (out / "results/ada/toy.json").write_text(json.dumps(Result("ada", "toy", 1.0, 11.0, "graded").to_json()))
    with open_store(out, "toy") as store:
        assert store.attempts.history("ada", "toy")[0].result.points == 1.0
