"""`autograder gradebook`: what teachers decide holds after a regrade, and what makes no sense is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from autograder import Course
from autograder.book.handed_in import Handed
from autograder.book.place import open_store
from autograder.course import load_config
from tests.engine.book.conftest import CONFIG, RUBRIC, result
from tests.engine.classes import keep
from tests.engine.command_line import autograder


@pytest.fixture
def course(tmp_path):
    file = tmp_path / "course" / "grading_config.yaml"
    file.parent.mkdir()
    file.write_text(CONFIG)
    return load_config(file)


def test_marking(course, out):
    (course.root / "rubric.yaml").write_text(RUBRIC)
    signed = ("--why", "axes without units", "--by", "Dr T", "--course", course.root)
    assert gradebook("mark", out, "ada", "flows", "figures", "1.5", *signed).returncode == 0
    assert gradebook("mark", out, "ada", "flows", "figures", "2.5", *signed).returncode == 2
    assert gradebook("mark", out, "ada", "flows", "nan", "nan", *signed).returncode == 2
    assert "figures, essay" in gradebook("mark", out, "ada", "flows", "music", "1", *signed).stderr
    assert gradebook("export", out, "--wide", "--course", course.root).stdout.splitlines()[1] == "ada,7.5,7.5,15,0,,"
    assert len(Course(course).book(out).history()) == 1


def gradebook(*arguments, cwd=None):
    ran = autograder("gradebook", *arguments, cwd=cwd)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


@pytest.fixture
def out(tmp_path: Path):
    folder = tmp_path / "out"
    for one in (result("ada"), result("bob", points=(5.0, 5.0))):
        keep(folder, one)
    with open_store(folder, "small") as store:
        store.handed_in.note([], ["ada", "bob", "new student"])
    return folder


def test_the_commands(course, out):
    common = ("--course", course.root)
    signed = ("--why", "seen on paper", "--by", "Dr T", *common)
    assert gradebook("override", out, "ada", "flows", "8.5", *signed).returncode == 0
    assert gradebook("override", out, "bob", "flows", "1", "--check", "c0", *signed).returncode == 0
    assert gradebook("extend", out, "new student", "flows", "2027-02-20", *signed).returncode == 0
    assert gradebook("comment", out, "ada", "flows", "well done", "--by", "Dr T", *common).returncode == 0
    lines = [json.loads(line) for line in gradebook("history", out, "--json", *common).stdout.splitlines()]
    assert [(c["kind"], c["who"], c["student"]) for c in lines] == [
        ("override", "Dr T", "ada"), ("override", "Dr T", "bob"), ("extend", "Dr T", "new student"),
        ("comment", "Dr T", "ada"),
    ]  # fmt: skip
    assert lines[0]["was"] == 6.0
    assert lines[2]["due"] == "2027-02-20T23:59:59+01:00"
    # A regrade writes the result anew.
    keep(out, result("ada", points=(1.0, 0.0)))
    wide = gradebook("export", out, "--wide", *common).stdout.splitlines()
    assert wide[:3] == ["student,flows,total,of,open,name,email", "ada,8.5,8.5,10,0,,", "bob,6,6,10,0,,"]
    assert "8.5*≠ (1) / 10" in gradebook("show", out, *common).stdout


def test_an_excuse_leaves_every_cell_empty_until_it_is_withdrawn(course, out):
    common = ("--course", course.root)
    signed = ("--why", "ill", "--by", "Dr T", *common)
    # Before anything of `chains` was handed in, whoever is in the class may be excused.
    assert gradebook("excuse", out, "new student", "chains", *signed).returncode == 0
    assert "no student 'newcomer'" in gradebook("excuse", out, "newcomer", "chains", *signed).stderr
    assert "did you mean 'ada'" in gradebook("excuse", out, "adda", "flows", *signed).stderr
    assert "ada, flows: excused because: ill" in gradebook("excuse", out, "ada", "flows", *signed).stdout
    assert gradebook("export", out, "--wide", *common).stdout.splitlines()[1] == "ada,,0,0,0,,"
    (row,) = csv.DictReader(gradebook("export", out, *common).stdout.splitlines()[:2])
    assert (row["points"], row["final"], row["outcome"]) == ("6", "", "excused")
    assert "excused" in gradebook("show", out, *common).stdout
    # A regrade changes nothing of it.
    keep(out, result("ada", points=(5.0, 5.0)))
    assert gradebook("export", out, "--wide", *common).stdout.splitlines()[1] == "ada,,0,0,0,,"
    assert gradebook("excuse", out, "ada", "flows", "--withdraw", *signed).returncode == 0
    assert gradebook("export", out, "--wide", *common).stdout.splitlines()[1] == "ada,10,10,10,0,,"


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_nobody_decides_under_the_name_of_an_account(course, out, user, monkeypatch):
    monkeypatch.delenv("AUTOGRADER_USER")
    monkeypatch.setenv("LOGNAME", user)
    asked = ("comment", out, "ada", "flows", "well done", "--course", course.root)
    refused = gradebook(*asked)
    assert refused.returncode == 2
    assert "--by" in refused.stderr
    assert Course(course).book(out).history() == []
    sheet = out.parent / "sheet.csv"
    sheet.write_text("student,text\nada,well done\nbob,well done\n")
    table = gradebook("apply", out, sheet, "--exercise", "flows", "--course", course.root)
    assert table.returncode == 2
    assert table.stderr.count("--by") == 1, "one cause is said once"
    assert gradebook(*asked, "--by", "Dr T").returncode == 0
    monkeypatch.setenv("LOGNAME", "turing")
    assert gradebook(*asked).returncode == 0
    assert [decision.who for decision in Course(course).book(out).history()] == ["Dr T", "turing"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("extend", "OUT", "adda", "flows", "2027-02-20", "--why", "x"), "did you mean 'ada'"),
        (("extend", "OUT", "*", "flows", "2027-02-20", "--why", "x"), "no student '*'"),
        (("comment", "OUT", "bbo", "flows", "well done"), "did you mean 'bob'"),
        (("mark", "OUT", "adda", "flows", "figures", "1", "--why", "x"), "did you mean 'ada'"),
        (("show", "OUT", "--student", "adda"), "did you mean 'ada'"),
        (("show", "OUT", "--exercise", "flws"), "did you mean 'flows'"),
        (("history", "OUT", "--student", "adda"), "did you mean 'ada'"),
        (("people", "remove", "OUT", "adda", "--why", "x"), "did you mean 'ada'"),
        (("people", "merge", "OUT", "ada", "bbo", "--why", "x"), "did you mean 'bob'"),
        (("people", "rename", "OUT", "ada", "bob", "--why", "x"), "people merge"),
        (("people", "rename", "OUT", "ada", "../x", "--why", "x"), "cannot name a student"),
        (("people", "restore", "OUT", "ada", "--why", "x"), "not removed"),
        (("people", "erase", "OUT", "*", "--yes", "--why", "x"), "no student '*'"),
        (("people", "remove", "OUT", "ada"), "--why"),
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
    assert Course(course).book(out).history() == []


def test_a_table_decides_for_many(course, out, tmp_path):
    """Extensions, marks, overrides and comments of a class at once; a second time only what is new."""
    (course.root / "rubric.yaml").write_text(RUBRIC)
    common = ("--course", course.root, "--by", "Dr T")
    table = tmp_path / "sheet.csv"
    table.write_text(
        "student;due;figures;points;check;text;line;why;remarks\n"
        "ada;2027-02-20;1,5;;;Look here.;2;ill;not ours\n"
        "bob;;2;1;c0;;;on paper;\n"
        "new student;2027-02-21;;;;;;;\n"
        ";;;;;;;;\n",
        encoding="utf-8",
    )
    ran = gradebook("apply", out, table, "--exercise", "flows", "--why", "as agreed", *common)
    assert ran.returncode == 0, ran.stderr
    assert "6 changes kept" in ran.stdout
    found = [(d.kind, d.student, d.check, d.points, d.line, d.why) for d in Course(course).book(out).history()]
    assert sorted(found, key=str) == sorted(
        [
            ("extend", "ada", "", None, "", "ill"), ("mark", "ada", "figures", 1.5, "", "ill"),
            ("comment", "ada", "", None, "2", "comment"), ("mark", "bob", "figures", 2.0, "", "on paper"),
            ("override", "bob", "c0", 1.0, "", "on paper"), ("extend", "new student", "", None, "", "as agreed"),
        ],
        key=str,
    )  # fmt: skip
    table.write_text(table.read_text().replace("bob;;2", "bob;;1"))
    again = gradebook("apply", out, table, "--exercise", "flows", "--why", "as agreed", *common)
    assert "1 change kept" in again.stdout
    assert "bob, flows figures: marked 1 because" in again.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "student,points,why\nadda,3,x\nbob,30,x\nada,three,x\n",
            ("line 2: ", "mean 'ada'", "line 3: ", "--bonus", "line 4: 'three' is no number"),
        ),
        ("student,points,why\nadda,3,x\nbob,30,x\nada,3,x\n", ("line 2: ", "mean 'ada'", "line 3: ", "--bonus")),
        ("student,points\nada,3\n", ("line 2: every change says why",)),
        ("student,text,line\nada,Look,cell 3\n", ("line 2: 'cell 3' is no line of flows.py",)),
        ("name,points\nada,3\n", ("no column 'student'",)),
        ("student,grade\nada,3\n", ("no column that decides anything",)),
        ("student,exercise,excuse,why\nada,flws,yes,x\n", ("did you mean 'flows'",)),
        ("student,excuse,why\nada,maybe,x\n", ("neither yes nor no",)),
    ],
)
def test_a_table_with_a_wrong_line_decides_nothing(course, out, tmp_path, text, words):
    table = tmp_path / "sheet.csv"
    table.write_text(text)
    ran = gradebook("apply", out, table, "--exercise", "flows", "--course", course.root, "--by", "Dr T")
    assert ran.returncode == 2
    for word in words:
        assert word in ran.stderr
    assert Course(course).book(out).history() == []


def test_the_language_of_the_command_line_is_that_of_every_command(course, out):
    gradebook("override", out, "ada", "flows", "8.5", "--why", "x", "--by", "Dr T", "--course", course.root)
    words = ("gradebook", "history", str(out), "--course", str(course.root))
    ran = autograder("--lang", "fr", *words)
    assert "(tests : 6)" in ran.stdout.replace("\u00a0", " "), ran.stdout


def test_another_language_is_no_change_of_grades_csv(course, out):
    english, french = Course(course).book(out), Course(course, "fr").book(out)
    english.write_views()
    assert not french.renew_views()
    (out / "grades.csv").write_text(french.table())
    assert not english.renew_views()
    (out / "grades.csv").write_text("of another configuration")
    assert french.renew_views()


def grades(out):
    return (out / "grades.csv").read_text()


def test_people(course, out):
    common = ("--course", course.root)
    signed = ("--why", "registrar", "--by", "Dr T", *common)

    def people(word, *arguments, why=signed):
        ran = gradebook("people", word, out, *arguments, *why)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    gradebook("comment", out, "ada", "flows", "well done", *common)
    with open_store(out, "small") as store:
        store.handed_in.note([Handed("ada", "flows", "0", name="Ada Lovelace", email="ada@x.org")])
    Course(course).book(out).write_views()
    assert people("list", why=common).splitlines()[0] == "ada  Ada Lovelace  exercises: 1"
    people("remove", "ada")
    assert "ada" not in grades(out)
    assert not (out / "results/ada").exists()
    assert "ada" not in (out / "handed_in.csv").read_text()
    assert "ada" not in gradebook("export", out, *common).stdout
    assert "removed" in people("list", why=common).splitlines()[0]
    ran = gradebook("override", out, "ada", "flows", "1", *signed)
    assert (ran.returncode, "people restore" in ran.stderr) == (2, True)
    people("restore", "ada")
    assert "ada,flows,6" in grades(out)
    assert (out / "results/ada/flows.json").is_file()
    people("rename", "ada", "augusta")
    assert json.loads((out / "results/augusta/flows.json").read_text())["student"] == "augusta"
    assert not (out / "results/ada").exists()
    assert "augusta,flows,6" in grades(out)
    assert "well done" in gradebook("history", out, "--student", "augusta", *common).stdout
    people("merge", "new student", "bob")
    assert "new student" not in grades(out)


def test_who_is_erased_is_nowhere_any_more(course, out, tmp_path):
    common = ("--course", course.root)
    with open_store(out, "small") as store:
        store.handed_in.note([Handed("ada", "flows", "0", name="Ada Lovelace", email="ada@x.org")])
    gradebook("comment", out, "ada", "flows", "well done", *common)
    Course(course).book(out).write_views()
    (out / "unplaced.csv").write_text("path,reason\nada/notes.pdf,neither\nbob/notes.pdf,neither\n")
    (out / "resolve.csv").write_text("path,handed_in_by\nx.pdf,Ada Lovelace\nbob/notes.pdf,bob\n")
    for name in (out / "figures/ada/flows", out / "written-by-0.1", tmp_path / "class/ada", tmp_path / "class/bob"):
        name.mkdir(parents=True)
        (name / "ada.txt").write_text("ada")
    (out / "book.db.before-0004").write_text("ada")
    words = ("people", "erase", out, "ada", "--why", "asked for it", "--by", "Dr T", *common)
    refused = gradebook(*words)
    assert refused.returncode != 0
    assert "ada" in grades(out), "nothing without a yes"
    assert gradebook(*words, "--yes", "--submissions", tmp_path / "class").returncode == 0
    assert [path.name for path in (tmp_path / "class").iterdir()] == ["bob"]
    for path in out.rglob("*"):
        assert "ada" not in path.name, path
        assert not path.is_file() or b"ada" not in path.read_bytes().lower(), path
    assert "bob" in grades(out)
    assert (out / "unplaced.csv").read_text() == "path,reason\nbob/notes.pdf,neither\n"
    with open_store(out, "small") as store:
        assert [(one.kind, one.student, one.why) for one in store.roll.history()] == [("erase", "", "asked for it")]


def test_the_table_of_grades_follows_the_configuration(course, out):
    """After a due date has changed, whoever looks has the table written again, where it was."""

    def report():
        return autograder("report", out, "--course", course.root).stdout

    assert "written again" not in report()
    assert not (out / "grades.csv").exists()
    Course(course).book(out).write_views()
    assert "written again" not in report()
    course.file.write_text(CONFIG.replace("2027-02-08", "2027-03-08"))
    assert "grades.csv is written again" in report()
    assert "2027-03-08" in (out / "grades.csv").read_text()
    assert "written again" not in report()
