"""The batch's database: its steps from version to version, and what is refused."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.book.engine import StoreFault
from autograder.book.migrations import HEAD
from autograder.book.place import open_store
from autograder.book.store import Store
from autograder.book.tables import metadata
from autograder.results.model import Result

RESULT = Result("ada", "toy", 3.0, 10.0, "graded", duration_s=1.5)


def first_version(folder, version=1):
    """A database as the first version of the program left it."""
    connection = sqlite3.connect(folder / "book.db")
    connection.executescript(f"""
        CREATE TABLE schema_version (version INTEGER NOT NULL);
        INSERT INTO schema_version VALUES ({version});
        CREATE TABLE attempts (id INTEGER NOT NULL, student VARCHAR(400) NOT NULL, exercise VARCHAR(100) NOT NULL,
            sha256 VARCHAR(64) NOT NULL, "key" JSON NOT NULL, graded_at DATETIME NOT NULL, outcome VARCHAR(20) NOT NULL,
            points FLOAT NOT NULL, max_points FLOAT NOT NULL, result TEXT NOT NULL, PRIMARY KEY (id));
        CREATE INDEX attempts_by_student ON attempts (student, exercise, id);
    """)
    connection.execute(
        "INSERT INTO attempts VALUES (1, 'ada', 'toy', 'abc', '{\"submission\": \"x\"}', '2026-01-01 00:00:00.0',"
        " 'graded', 3.0, 10.0, ?)",
        [json.dumps(RESULT.to_json())],
    )
    connection.commit()
    connection.close()


def schema_of(folder):
    with sqlite3.connect(folder / "book.db") as connection:
        columns = connection.execute("SELECT name, \"notnull\" FROM pragma_table_info('attempts')").fetchall()
        index = connection.execute("SELECT name FROM pragma_index_info('attempts_by_student')").fetchall()
    return sorted(columns), index


def test_the_steps_lead_to_the_tables(tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine

    open_store(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'book.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_last_step_is_the_head():
    from pathlib import Path

    from alembic.config import Config
    from alembic.script import ScriptDirectory

    import autograder.book.migrations as migrations

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_database_of_the_first_version_is_brought_up_to_date(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    first_version(old)
    state = open_store(old, "toy")
    known = state.attempts.latest()["ada", "toy"]
    assert (known.outcome, known.key) == ("graded", {"submission": "x"})
    assert state.attempts.result(known.id) == RESULT
    assert [attempt.result for attempt in state.attempts.history("ada", "toy")] == [RESULT]
    state.attempts.keep(RESULT, {"submission": "y"}, "def")
    assert state.attempts.latest()["ada", "toy"].key == {"submission": "y"}
    state.close()
    open_store(new).close()
    assert schema_of(old) == schema_of(new)


def test_a_step_that_is_killed_leaves_the_version_before(tmp_path):
    first_version(tmp_path)
    before = schema_of(tmp_path)
    script = (
        "import os, signal, sys, alembic.op\n"
        "from pathlib import Path\n"
        "from autograder.book.place import open_store\n"
        "def killed(*a, **k): os.kill(os.getpid(), signal.SIGKILL)\n"
        "alembic.op.drop_index = killed\n"
        "open_store(Path(sys.argv[1]))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=dict(os.environ), timeout=120, check=False)
    assert ran.returncode == -signal.SIGKILL
    assert schema_of(tmp_path) == before
    state = open_store(tmp_path)
    assert [attempt.result for attempt in state.attempts.history("ada", "toy")] == [RESULT]
    state.close()


@pytest.mark.parametrize("old", [True, False])
def test_a_database_of_a_newer_version_is_refused(tmp_path, old):
    if old:
        first_version(tmp_path, version=99)
    else:
        open_store(tmp_path).close()
        with sqlite3.connect(tmp_path / "book.db") as connection:
            connection.execute("UPDATE alembic_version SET version_num = '99'")
        connection.close()
    with pytest.raises(StoreFault, match="version 99"):
        open_store(tmp_path)


def test_courses_in_one_database_do_not_meet(tmp_path):
    url = f"sqlite:///{tmp_path / 'all.db'}"
    first, second = Store(url, "first"), Store(url, "second")
    first.attempts.keep(RESULT, {}, "abc")
    assert ("ada", "toy") in first.attempts.latest()
    assert second.attempts.latest() == {}
    assert second.attempts.history("ada", "toy") == []
    first.close()
    second.close()


def test_the_password_is_not_shown(tmp_path):
    with pytest.raises(StoreFault) as fault:
        Store("postgresql://me:geheim@127.0.0.1:1/none")
    assert "geheim" not in str(fault.value)


def test_many_that_open_a_new_book_at_once_all_open_it(tmp_path):
    together = threading.Barrier(8)

    def opened(number):
        together.wait(60)
        open_store(tmp_path / str(number)).close()

    with ThreadPoolExecutor(8) as pool:
        for number in range(10):
            for opening in [pool.submit(opened, number) for _ in range(8)]:
                opening.result()
