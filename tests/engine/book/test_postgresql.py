"""The book in a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from autograder.book.engine import StoreFault
from autograder.book.handed_in import Handed
from autograder.book.store import Store
from autograder.book.tables import metadata
from autograder.results.model import Result
from tests.engine.book.conftest import NOW, decision

pytest.importorskip("psycopg", reason="the extra `postgresql` is not installed")

RESULT = Result("ada", "toy", 3.0, 10.0, "graded", message="zoé 🌊", duration_s=1.5)


def test_attempts_are_kept(url, tmp_path):
    state = Store(url, "toy")
    state.attempts.keep(RESULT, {"submission": "x", "checks": "1"}, "abc")
    state.attempts.keep(RESULT, {"submission": "y", "checks": "1"}, "abd")
    state.close()
    state = Store(url, "toy")
    known = state.attempts.latest()["ada", "toy"]
    assert known.key == {"submission": "y", "checks": "1"}
    assert state.attempts.result(known.id) == RESULT
    assert [a.sha256 for a in state.attempts.history("ada", "toy")] == ["abc", "abd"]
    assert state.attempts.history("ada", "toy")[0].graded_at.tzinfo is not None
    state.close()
    assert not (tmp_path / "state.db").exists()


def test_decisions_and_hand_ins_are_kept(url):
    kept = decision("extend", due=NOW)
    files = [Handed("ada", "flows", "a", submitted=NOW, name="Ada 🌊"), Handed("ada", "flows", "b", late=True)]
    for _again in range(2):
        with Store(url, "toy") as store:
            store.handed_in.note(files, ["eve"])
    with Store(url, "toy") as store:
        store.decisions.add(kept)
        assert store.decisions.history() == [kept]
        assert store.handed_in.files() == files
        assert store.handed_in.students() == ["ada", "eve"]
        with pytest.raises(DatabaseError, match="only added to"), store._engine.begin() as connection:
            connection.execute(text("UPDATE decisions SET why = ''"))
    with Store(url, "other") as store:
        assert (store.decisions.history(), store.handed_in.files(), store.handed_in.students()) == ([], [], [])


def test_another_programs_database_gets_no_tables(url):
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE assignment (id integer)")
    with pytest.raises(StoreFault, match="assignment") as fault:
        Store(url, "toy")
    assert "\n" not in str(fault.value)
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("assignment",)]


def test_the_steps_lead_to_the_tables(url, tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    state = Store(url)
    with state._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    state.close()


def test_two_that_open_a_new_database_make_it_once(url, tmp_path):
    script = "import sys; from autograder.book.store import Store\nsys.stdin.readline(); Store(sys.argv[1]).close()\n"
    both = [
        subprocess.Popen([sys.executable, "-c", script, url], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        _out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err


def test_one_grader_of_a_course_at_a_time(url, tmp_path):
    first, second, other = Store(url, "toy"), Store(url, "toy"), Store(url, "other")
    with first.only_grader(tmp_path / "a"):
        with pytest.raises(StoreFault, match="another `autograder grade`"), second.only_grader(tmp_path / "b"):
            pass
        with other.only_grader(tmp_path / "c"):
            pass
    with second.only_grader(tmp_path / "b"):
        pass
    for state in (first, second, other):
        state.close()


def test_the_lock_of_a_killed_grader_is_free(url, tmp_path):
    script = (
        "import os, signal, sys; from pathlib import Path; from autograder.book.store import Store\n"
        "with Store(sys.argv[1], 'toy').only_grader(Path(sys.argv[2])):\n"
        "    print('locked', flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, url, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert "locked" in ran.stdout, ran.stderr
    state = Store(url, "toy")
    with state.only_grader(tmp_path):
        pass
    state.close()


def test_a_class_is_graded_into_it(url, toy, tmp_path):
    """The command: graded once, kept the second time, also with the files of results gone."""
    folder = tmp_path / "class" / "ada"
    folder.mkdir(parents=True)
    (folder / "toy.py").write_text("def mean(x):\n    return x.mean(1)\n")

    def grade():
        command = [sys.executable, "-m", "autograder.commands.main", "grade", str(folder.parent), "--course", str(toy),
                   "--out", str(tmp_path / "out"), "--database", url, "--workers", "1"]  # fmt: skip
        environment = dict(os.environ) | {"AUTOGRADER_SECRET": "a secret of the tests"}
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)

    first = grade()
    assert first.returncode == 0, first.stderr
    result = tmp_path / "out/results/ada/toy.json"
    text = result.read_bytes()
    result.unlink()
    second = grade()
    assert "1 unchanged" in second.stdout, second.stdout + second.stderr
    assert result.read_bytes() == text
