"""The gradebook: what teachers decide holds, can be traced, and cannot be changed afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from autograder.book.decisions import Decision
from autograder.book.faults import StoreFault
from autograder.book.grades import grade, grades, with_missing
from autograder.book.place import open_store, read_decisions
from autograder.book.rubric import load_rubric
from autograder.course import ConfigurationError, load_config
from autograder.results.files import result_path, write_result
from autograder.results.model import CheckResult, Result

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
CONFIG = """\
schema_version: 1
course: {id: small, title: Small, timezone: Europe/Paris}
exercises:
  - {id: flows, title: Flows, points: 10, due: 2027-02-08}
  - {id: chains, title: Chains, points: 10}
late_penalty: {per_day: 0.1, cap: 0.5, grace_minutes: 30}
"""


@pytest.fixture
def course(tmp_path):
    file = tmp_path / "course" / "grading_config.yaml"
    file.parent.mkdir()
    file.write_text(CONFIG)
    return load_config(file)


def result(student="ada", points=(4.0, 2.0), submitted=None, exercise="flows"):
    checks = [CheckResult(f"c{i}", f"C{i}", p, 5.0, "passed" if p else "failed") for i, p in enumerate(points)]
    submission = {"file": "flows.py", "format": "py", "sha256": "0", "submitted": submitted}
    return Result(student, exercise, sum(points), 10.0, "graded", checks, submission=submission)


def change(kind, **more):
    return Decision(NOW, "Dr T", "because", kind, more.pop("student", "ada"), more.pop("exercise", "flows"), **more)


def test_changes_come_back_as_they_were(tmp_path):
    book = open_store(tmp_path)
    kept = [
        change("override", points=7.5, was=6.0),
        change("override", check="c1", points=0.1 + 0.2, was=0.0),
        change("extend", due=datetime(2027, 2, 9, 12, tzinfo=UTC)),
        change("comment", text="<b>é\n日本", private=True),
        change("override", withdrawn=True, was=6.0),
        change("comment", student="bob", text="x"),
    ]
    for one in kept:
        book.decisions.add(one)
    assert book.decisions.history() == kept
    assert book.decisions.history(student="bob") == kept[-1:]
    book.close()
    assert read_decisions(tmp_path) == kept


def test_nothing_can_be_changed_or_removed(tmp_path):
    book = open_store(tmp_path)
    book.decisions.add(change("override", points=7.5, was=6.0))
    book.close()
    engine = create_engine(f"sqlite:///{tmp_path / 'book.db'}")
    for statement in ("UPDATE decisions SET points = 20", "DELETE FROM decisions"):
        with pytest.raises(DatabaseError, match="only added to"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
    assert [c.points for c in read_decisions(tmp_path)] == [7.5]


@pytest.mark.parametrize("empty", ["who", "why"])
def test_a_change_says_who_and_why(tmp_path, empty):
    book = open_store(tmp_path)
    values = {"when": NOW, "who": "t", "why": "y", "kind": "comment", "student": "ada", "exercise": "flows"}
    with pytest.raises(StoreFault, match=empty):
        book.decisions.add(Decision(**(values | {empty: "  "})))
    assert book.decisions.history() == []
    book.close()


def test_reading_makes_no_gradebook(tmp_path):
    assert read_decisions(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_gradebook_is_named(tmp_path):
    (tmp_path / "book.db").write_text("no database at all, but long enough to be read as one " * 20)
    with pytest.raises(StoreFault, match=r"book\.db"):
        read_decisions(tmp_path)


def test_a_newer_gradebook_is_refused(tmp_path):
    open_store(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'book.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '99'"))
    engine.dispose()
    with pytest.raises(StoreFault, match="version 99"):
        open_store(tmp_path)


def test_overrides_by_check_and_of_the_whole(course):
    graded = result(points=(4.0, 0.0))
    by_check = [change("override", check="c1", points=3.0, was=0.0)]
    assert grade(graded, course, by_check).final == 7.0
    whole = [*by_check, change("override", points=9.0, was=4.0)]
    assert grade(graded, course, whole).final == 9.0
    back = [*whole, change("override", withdrawn=True)]
    assert grade(graded, course, back).final == 7.0
    assert grade(graded, course, []).final == 4.0


def test_an_override_survives_a_regrade_and_is_marked(course):
    changes = [change("override", points=9.0, was=6.0)]
    same = grade(result(points=(4.0, 2.0)), course, changes)
    assert (same.final, same.stale) == (9.0, False)
    other = grade(result(points=(5.0, 5.0)), course, changes)
    assert (other.final, other.stale) == (9.0, True)
    gone = grade(result(points=(4.0, 2.0)), course, [change("override", check="old", points=2.0, was=0.0)])
    assert (gone.final, gone.stale, len(gone.unused)) == (6.0, True, 1)


# Due 2027-02-08T23:59:59+01:00, half an hour of grace, a tenth for each day begun.
@pytest.mark.parametrize(
    ("submitted", "penalty"),
    [
        ("2027-02-08T22:59:59+00:00", 0.0),
        ("2027-02-08T23:20:00+00:00", 0.0),
        ("2027-02-09T00:00:00+00:00", 0.1),
        ("2027-02-10T12:00:00", 0.2),
        ("2027-06-01T12:00:00+02:00", 0.5),
        (None, 0.0),
    ],
)
def test_the_late_penalty_and_what_an_extension_does(course, submitted, penalty):
    given = result(points=(5.0, 5.0), submitted=submitted)
    late = grade(given, course, [])
    assert late.penalty == pytest.approx(penalty)
    assert late.final == pytest.approx(10 * (1 - penalty))
    later = datetime(2027, 2, 9, 23, 59, tzinfo=UTC)
    extended = grade(given, course, [change("extend", due=later)])
    assert extended.extended
    assert extended.penalty == course.exercise("flows").late_penalty.fraction(later, extended.submitted or later)
    assert extended.penalty <= late.penalty
    assert grade(given, course, [change("extend", due=later), change("extend", withdrawn=True)]) == late


def test_the_penalty_of_the_result_counts_where_the_time_is_unknown(course):
    given = result(points=(5.0, 5.0))
    given.late = {"penalty": 0.3}
    assert grade(given, course, []).final == pytest.approx(7.0)
    assert grade(given, course, [change("extend", due=NOW + timedelta(days=9))]).final == 10.0


def test_an_override_is_before_the_penalty(course):
    given = result(points=(0.0, 0.0), submitted="2027-02-10T12:00:00+01:00")
    assert grade(given, course, [change("override", points=10.0, was=0.0)]).final == pytest.approx(8.0)


def test_changes_touch_nobody_else(course):
    everyone = [result("ada"), result("bob"), result("ada", exercise="chains")]
    found = grades(everyone, course, [change("override", points=9.0, was=6.0)])
    assert [g.final for g in found] == [9.0, 6.0, 6.0]


def test_missing_work_has_a_place(course):
    assert [(r.student, r.exercise, r.outcome) for r in with_missing([result("ada"), result("bob")], course)] == [
        ("ada", "flows", "graded"), ("bob", "flows", "graded"),
    ]  # fmt: skip
    both = with_missing([result("ada"), result("bob", exercise="chains")], course)
    assert [(r.student, r.exercise, r.outcome) for r in both] == [
        ("ada", "flows", "graded"), ("ada", "chains", "missing"),
        ("bob", "flows", "missing"), ("bob", "chains", "graded"),
    ]  # fmt: skip


RUBRIC = """\
schema_version: 1
exercises:
  flows:
    - {id: figures, title: Figures are readable, points: 2}
    - {id: essay, title: The question is answered, points: 3}
"""


def test_marks_come_on_top_and_before_the_penalty(course):
    (course.root / "rubric.yaml").write_text(RUBRIC)
    items = load_rubric(course)["flows"]
    given = result(points=(4.0, 2.0), submitted="2027-02-10T12:00:00+01:00")
    unmarked = grade(given, course, [], items)
    assert (unmarked.points, unmarked.max_points) == (6.0, 15.0)
    assert [m.points for m in unmarked.marks] == [None, None]
    changes = [
        change("mark", check="figures", points=1.5), change("mark", check="essay", points=3.0),
        change("mark", check="gone", points=9.0), change("mark", check="essay", withdrawn=True),
        change("override", points=8.0, was=6.0),
    ]  # fmt: skip
    marked = grade(given, course, changes, items)
    assert [m.points for m in marked.marks] == [1.5, None]
    assert marked.points == 9.5
    assert marked.final == pytest.approx(9.5 * 0.8)
    assert not marked.stale


@pytest.mark.parametrize(
    ("change_of", "word"),
    [
        (("flows:", "flwos:"), "did you mean 'flows'"),
        (("essay", "figures"), "listed twice"),
        (("points: 3", "points: three"), "points"),
        (("schema_version: 1", "schema_version: 2"), "schema_version"),
    ],
)
def test_a_wrong_rubric_is_named_by_its_line(course, change_of, word):
    (course.root / "rubric.yaml").write_text(RUBRIC.replace(*change_of))
    with pytest.raises(ConfigurationError, match=word) as raised:
        load_rubric(course)
    assert "rubric.yaml:" in str(raised.value)


def test_marking(course, out):
    (course.root / "rubric.yaml").write_text(RUBRIC)
    signed = ("--why", "axes without units", "--by", "Dr T", "--course", course.root)
    assert gradebook("mark", out, "ada", "flows", "figures", "1.5", *signed).returncode == 0
    assert gradebook("mark", out, "ada", "flows", "figures", "2.5", *signed).returncode == 2
    assert gradebook("mark", out, "ada", "flows", "nan", "nan", *signed).returncode == 2
    assert "figures, essay" in gradebook("mark", out, "ada", "flows", "music", "1", *signed).stderr
    assert gradebook("export", out, "--wide", "--course", course.root).stdout.splitlines()[1] == "ada,7.5,7.5,15,0,,"
    assert len(read_decisions(out)) == 1


def gradebook(*arguments, cwd=None):
    ran = subprocess.run(
        [sys.executable, "-m", "autograder.commands.main", "gradebook", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, cwd=cwd,
    )  # fmt: skip
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


@pytest.fixture
def out(tmp_path: Path):
    folder = tmp_path / "out"
    for one in (result("ada"), result("bob", points=(5.0, 5.0))):
        write_result(result_path(folder, one.student, one.exercise), one)
    return folder


def test_the_commands(course, out):
    common = ("--course", course.root)
    signed = ("--why", "seen on paper", "--by", "Dr T", *common)
    assert gradebook("override", out, "ada", "flows", "8.5", *signed).returncode == 0
    assert gradebook("override", out, "bob", "flows", "1", "--check", "c0", *signed).returncode == 0
    assert gradebook("extend", out, "new student", "flows", "2027-02-20", *signed).returncode == 0
    assert gradebook("comment", out, "ada", "flows", "well done", "--by", "Dr T", *common).returncode == 0
    lines = [json.loads(line) for line in gradebook("history", out, "--json").stdout.splitlines()]
    assert [(c["kind"], c["who"], c["student"]) for c in lines] == [
        ("override", "Dr T", "ada"), ("override", "Dr T", "bob"), ("extend", "Dr T", "new student"),
        ("comment", "Dr T", "ada"),
    ]  # fmt: skip
    assert lines[0]["was"] == 6.0
    assert lines[2]["due"] == "2027-02-20T23:59:59+01:00"
    # A regrade writes the result anew.
    write_result(result_path(out, "ada", "flows"), result("ada", points=(1.0, 0.0)))
    wide = gradebook("export", out, "--wide", *common).stdout.splitlines()
    assert wide == ["student,flows,total,of,open,name,email", "ada,8.5,8.5,10,0,,", "bob,6,6,10,0,,"]
    assert "8.5*≠ (1) / 10" in gradebook("show", out, *common).stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("override", "OUT", "adda", "flows", "3", "--why", "x"), "did you mean 'ada'"),
        (("override", "OUT", "ada", "flws", "3", "--why", "x"), "did you mean 'flows'"),
        (("override", "OUT", "ada", "flows", "30", "--why", "x"), "--bonus"),
        (("override", "OUT", "ada", "flows", "nan", "--why", "x"), "from 0 to 10"),
        (("override", "OUT", "ada", "flows", "--why", "x"), "give POINTS"),
        (("override", "OUT", "ada", "flows", "3"), "--why"),
        (("override", "OUT", "ada", "flows", "3", "--why", " "), "why"),
        (("override", "OUT", "ada", "flows", "3", "--check", "zz", "--why", "x"), "c0, c1"),
        (("extend", "OUT", "ada", "flows", "2027-02-31", "--why", "x"), "no date"),
        (("extend", "OUT", "ada", "flows", "2027-02-01", "--why", "x"), "not after"),
        (("extend", "OUT", "ada", "chains", "2027-02-11", "--why", "x"), "no due date"),
        (("comment", "OUT", "ada", "flows", " "), "TEXT"),
    ],
)
def test_what_makes_no_sense_is_refused(course, out, arguments, word):
    ran = gradebook(*(out if a == "OUT" else a for a in arguments), "--course", course.root)
    assert ran.returncode == 2
    assert word in ran.stderr
    assert read_decisions(out) == []
