"""Giving grades back: nbgrader's columns, JSON, pages for Moodle; other countries' decimals, no formulas."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest

from autograder.reports.cells import ExportFault, Form


def rows(content: bytes, encoding: str = "utf-8", delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(encoding), newline=""), delimiter=delimiter))


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
    assert (ada["points"], ada["override"], ada["final"], ada["comments"]) == (18.25, 20.0, 15.0, [])
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
