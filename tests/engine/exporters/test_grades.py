"""Giving grades back: the forms that Moodle, Canvas and nbgrader document, other countries' decimals, no formulas."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from autograder.exporters.feedback import folder_name
from autograder.reports.cells import ExportFault, Form


def rows(content: bytes, encoding: str = "utf-8", delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(encoding), newline=""), delimiter=delimiter))


def roster(course: Path, text: str) -> str:
    file = course / "roster.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


CANVAS_ROSTER = (
    'Student,ID,SIS User ID,SIS Login ID,Section,"Chains, and more (77)"\n    Points Possible,,,,,20\n'
    '"Lovelace, Ada",11,S1,ada,A,\n"Müller, Zoé",12,S2,zoé,B,\n'
)


def test_moodles_gradebook(export):
    content, said = export("moodle")
    table = rows(content)
    assert table[0] == [
        "First name", "Last name", "ID number", "Email address", "Assignment: Chains, and more (Real)",
        "Assignment: Flows (Real)",
    ]  # fmt: skip
    assert ["Ada", "Lovelace", "ada", "ada@x.org", "15", "10"] in table  # 20 by hand, a quarter lost
    assert [next(row for row in table if "cmd" in row[2])[i] for i in (2, 4, 5)] == ["'=cmd()", "3", ""]
    assert "cell stays empty" in said


def test_moodles_worksheet_is_filled_in_and_else_untouched(export, course):
    text = (
        "\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
        "Last modified (submission),Last modified (grade),Feedback comments\r\n"
        'Participant 1001,Ada Lovelace,ada@x.org,Submitted,,"20,00",Yes,"Monday, 8 February 2027",-,"a\nb"\r\n'
        'Participant 1002,Zoé Müller,zoe@x.org,Submitted,7,"20,00",Yes,-,-,\r\n'
        'Participant 1009,-Never There,never@x.org,No submission,,"20,00",Yes,-,-,\r\n'
    )
    sheet = course / "sheet.csv"
    sheet.write_text(text, encoding="utf-8")
    content, said = export("moodle", "--worksheet", str(sheet), "--exercise", "chains", "--decimal", "comma",
                           "--encoding", "utf-8-bom")  # fmt: skip
    assert content.startswith(b"\xef\xbb\xbf")
    made, given = rows(content, "utf-8-sig"), rows(sheet.read_bytes(), "utf-8-sig")
    assert [row[4] for row in made] == ["Grade", "15", "12,5", ""]
    assert [row[:4] + row[5:] for row in made] == [row[:4] + row[5:] for row in given]
    assert "2 grades filled in" in said
    assert "no grade for: Participant 1009" in said
    assert "not in the worksheet: =cmd()" in said


def test_a_worksheet_with_another_maximum_is_refused(export, course):
    sheet = course / "sheet.csv"
    sheet.write_text("Identifier,Full name,Grade,Maximum Grade\nParticipant 1001,Ada Lovelace,,100\n")
    with pytest.raises(ExportFault, match=r"maximum is 100.* 20"):
        export("moodle", "--worksheet", str(sheet), "--exercise", "chains", fails=True)


def test_canvas(export, course):
    content, said = export("canvas", "--roster", roster(course, CANVAS_ROSTER), "--column", "flows=Flows (88)")
    table = rows(content)
    assert table[:2] == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Chains, and more (77)", "Flows (88)"],
        ["    Points Possible", "", "", "", "", "20", "10"],
    ]
    assert ["Lovelace, Ada", "11", "S1", "ada", "A", "15", "10"] in table
    assert ["Müller, Zoé", "12", "S2", "zoé", "B", "12.5", "0"] in table
    assert "no number of an assignment" not in said


def test_canvas_without_numbers_says_what_will_happen(export):
    _content, said = export("canvas", "--exercise", "flows", "--missing", "blank")
    assert "Canvas makes a new one" in said


def test_nbgraders_columns(export):
    table = rows(export("nbgrader-csv")[0])
    assert table[0] == [
        "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
        "late_submission_penalty", "score", "max_score",
    ]  # fmt: skip
    assert [
        "chains", "2027-02-08 22:59:59", "2027-02-09 11:00:00", "ada", "Lovelace", "Ada", "ada@x.org", "20", "5", "15",
        "20",
    ] in table  # fmt: skip


def test_other_countries(export):
    content, _said = export("csv", "--wide", "--decimal", "comma", "--encoding", "latin-1")
    table = rows(content, "cp1252", ";")
    assert ["zoé", "12,5", "0", "12,5", "30", "0", "Zoé_Müller", "zoe@x.org"] in table


def test_a_letter_that_the_encoding_lacks_is_named():
    with pytest.raises(ExportFault, match="utf-8-bom"):
        Form(encoding="latin-1").table([["李雷"]])


@pytest.mark.parametrize("value", ["=1", "+1;2", "@x", "-cmd", "\t=1"])
def test_no_cell_is_a_formula(value):
    (row,) = rows(Form(decimal=",", delimiter=";").table([[value, "-1,5", "12,5"]]), delimiter=";")
    assert row[0].lstrip().startswith("'")
    assert row[1:] == ["-1,5", "12,5"]


def test_json_holds_no_private_word(export):
    document = json.loads(export("json")[0])
    ada = next(g for g in document["grades"] if (g["student"], g["exercise"]) == ("ada", "chains"))
    assert (ada["raw"], ada["override"], ada["final"], ada["comments"]) == (18.25, 20.0, 15.0, [])
    assert next(g for g in document["grades"] if g["outcome"] == "error")["final"] is None


def test_feedback_for_moodle(export):
    content, said = export("feedback", "--exercise", "chains")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [
            "Ada Lovelace_1001_assignsubmission_file_/feedback.html",
            "Zoé Müller_1002_assignsubmission_file_/feedback.html",
        ]
        page = archive.read(archive.namelist()[0]).decode()
    assert "Chains, and more" in page
    assert "Flows" not in page
    assert "private!" not in page
    assert "=cmd(): no participant's number" in said


@pytest.mark.parametrize("name", ["a_b", "a/b", "../x", "", "con:x", "é"])
def test_a_folder_that_moodle_takes_apart_again(name):
    """Moodle splits at underscores: name, number, plugin's type, plugin, file."""
    parts = f"{folder_name(name, '17')}/feedback.html".split("_", 4)
    assert parts[1:] == ["17", "assignsubmission", "file", "/feedback.html"]
    assert "/" not in parts[0]
    assert parts[0]
