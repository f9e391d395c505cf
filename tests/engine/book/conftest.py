"""A small course with due dates, decisions and results that no grading made, and a real PostgreSQL.

The server is a temporary one of its own, at a socket in a temporary folder.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.book.decisions import Decision
from autograder.book.grades import extensions, grade_by
from autograder.book.missing import expected, not_handed_in
from autograder.course import load_config
from autograder.results.model import CheckResult, Result, SubmissionFacts

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
CONFIG = """\
schema_version: 1
course: {id: small, title: Small, timezone: Europe/Paris}
exercises:
  - {id: flows, title: Flows, points: 10, due: 2027-02-08}
  - {id: chains, title: Chains, points: 10}
late_penalty: {per_day: 0.1, cap: 0.5, grace_minutes: 30}
"""
RUBRIC = """\
schema_version: 1
exercises:
  flows:
    - {id: figures, title: Figures are readable, points: 2}
    - {id: essay, title: The question is answered, points: 3}
"""


@pytest.fixture
def course(tmp_path):
    file = tmp_path / "course" / "grading_config.yaml"
    file.parent.mkdir()
    file.write_text(CONFIG)
    return load_config(file)


def result(student="ada", points=(4.0, 2.0), submitted=None, exercise="flows", sha256="0", outcome="graded"):
    checks = [CheckResult(f"c{i}", f"C{i}", p, 5.0, "passed" if p else "failed") for i, p in enumerate(points)]
    when = datetime.fromisoformat(submitted) if submitted else None
    facts = SubmissionFacts(f"{exercise}.py", "py", sha256, when)
    return Result(student, exercise, sum(points), 10.0, outcome, checks, submission=facts)


def decision(kind, **more):
    more = {"student": "ada", "exercise": "flows", "who": "Dr T", "why": "because", "when": NOW} | more
    return Decision(kind, **more)


def complete(results, course, decisions=(), students=(), now=NOW):
    """Results of a class, and one for what its students should have and did not hand in."""
    known, own = {(result.student, result.exercise): result for result in results}, extensions(decisions)
    names = expected(course, known, decisions, students)
    return [known.get(name) or not_handed_in(course, name, own.get(name), now) for name in names]


def grades(results, course, decisions=(), rubric=None):
    return list(map(grade_by(course, decisions, rubric), results))


# --- PostgreSQL


def server_programs():
    """Where PostgreSQL's server is, or None."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return places[-1].parent if places else None


@pytest.fixture(scope="session")
def server():
    """The URL of a server's database, without its name."""
    programs = server_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)")
    base = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has at most 107 bytes
    as_somebody = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            user = pwd.getpwnam("nobody")
        os.chown(base, user.pw_uid, user.pw_gid)
        as_somebody = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def run(program, *arguments):
        ran = subprocess.run(
            [programs / program, *arguments], capture_output=True, text=True, cwd=base, timeout=120, check=False,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, **as_somebody,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr

    data = str(base / "data")
    run("initdb", "-D", data, "-U", "grader", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={base} -c fsync=off"
    run("pg_ctl", "-D", data, "-o", options, "-l", str(base / "log"), "-w", "start")
    try:
        yield f"postgresql://grader@/{{name}}?host={base}"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(base)


@pytest.fixture
def url(server, request):
    """The URL of a new database in PostgreSQL."""
    psycopg = pytest.importorskip("psycopg", reason="the extra `postgresql` is not installed")

    name = f"db{abs(hash(request.node.nodeid))}"
    with psycopg.connect(
        server.format(name="postgres").replace("postgresql+psycopg", "postgresql"), autocommit=True
    ) as c:
        c.execute(f'CREATE DATABASE "{name}"')
    return server.format(name=name)
