"""The one table of grades: whoever writes it, the same rows and the same points."""

from __future__ import annotations

import csv
import io

import pytest

from autograder.exporters.table import COLUMNS
from autograder.reports.cells import ExportFault


def rows(text):
    return {(row["student"], row["exercise"]): row for row in csv.DictReader(io.StringIO(text, newline=""))}


@pytest.fixture
def tables(run, export, course):
    """The tables that five ways write, by the way."""
    file = course / "out" / "grades.csv"
    file.touch()
    run("gradebook", "override", "OUT", "ada", "flows", "9.5", "--why", "a slip")
    run("report", "OUT", "--class", str(course / "class"))
    return {
        "grades.csv": rows(file.read_text(encoding="utf-8")),
        "report --csv": rows(run("report", "OUT", "--csv").stdout),
        "gradebook export": rows(run("gradebook", "export", "OUT").stdout),
        "export csv": rows(export("csv")[0].decode()),
        "report --class": rows((course / "class" / "grades.csv").read_text(encoding="utf-8")),
    }


def test_a_fault_of_ours_is_an_empty_cell_everywhere(tables):
    for way, table in tables.items():
        row = table["'=cmd()", "flows"]
        assert (row["points"], row["final"], row["outcome"]) == ("4", "", "error"), way


def test_after_an_override_all_show_the_same(tables):
    for way, table in tables.items():
        assert [table["ada", "chains"][name] for name in ("points", "override", "final")] == ["18.25", "20", "15"], way
        assert [table["ada", "flows"][name] for name in ("points", "override", "final")] == ["10", "9.5", "9.5"], way


def test_every_way_writes_the_same_rows(tables):
    first, *others = tables.values()
    assert all(other == first for other in others)
    assert [list(row) for row in first.values()] == [list(COLUMNS)] * 6


def test_a_total_leaves_out_what_is_open_and_says_so(run):
    text = run("gradebook", "export", "OUT", "--wide").stdout
    table = {row["student"]: row for row in csv.DictReader(io.StringIO(text))}
    assert [table["'=cmd()"][name] for name in ("chains", "flows", "total", "of", "open")] == ["3", "", "3", "20", "1"]
    assert [table["ada"][name] for name in ("chains", "flows", "total", "of", "open")] == ["15", "10", "25", "30", "0"]


def test_one_students_checks_have_the_points_that_a_teacher_gave(run):
    run("gradebook", "override", "OUT", "ada", "flows", "7", "--check", "a.b", "--why", "a slip")
    shown = run("report", "OUT", "--student", "ada").stdout
    assert shown.count("7* (10) / 10") == 2, "of the exercise, and of the check"


def test_columns_are_chosen(export):
    lines = export("csv", "--columns", "exercise,student,final")[0].decode().splitlines()
    assert lines[:2] == ["exercise,student,final", "chains,'=cmd(),3"]
    with pytest.raises(ExportFault, match=r"no column 'points_final'; there are: student, exercise, points"):
        export("csv", "--columns", "points_final", fails=True)


def test_the_terminal_shows_final_points_and_what_the_marks_mean(run):
    for command in (("report", "OUT"), ("gradebook", "show", "OUT")):
        shown = run(*command).stdout
        assert "15*† (18.25) / 20" in shown
        assert "12.5‡ / 20" in shown
        assert "3 / 20 (1 open)" in shown
        assert "not graded" in shown
        assert "Ada Lovelace (ada)" in shown
        said = " ".join(shown.split())
        assert "* changed by hand; † late; ‡ due date extended; (in parentheses: the points of the checks)" in said
        assert "look at its incidents" not in said, "no mark of these is in the table"
