"""Grades for Canvas, read back as Canvas reads them.

The reader follows Canvas's own importer, as read in github.com/instructure/canvas-lms: `lib/gradebook_importer.rb`
(00b222d), and `title_and_id` of `app/models/assignment.rb`.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest

from autograder.book.handed_in import Handed
from autograder.book.place import open_store
from autograder.exporters.people import People
from autograder.reports.cells import ExportFault

OWN_COLUMNS = re.compile(
    "Current Score|Current Points|Current Grade|Final Score|Final Points|Final Grade|Override Score|Override Grade|"
    "Override Status"
)


class InvalidHeaderRow(Exception):
    """Canvas takes nothing of the file."""


def separator(text):
    """The sign that gives the first three lines as many cells each, and more of them."""
    counts = {}
    for sign in ";,":
        widths = {len(next(csv.reader([line], delimiter=sign), [])) for line in text.splitlines()[:3]}
        counts[sign] = widths.pop() if len(widths) == 1 else 0
    return ";" if counts[";"] > counts[","] else ","


def number(cell):
    if not re.fullmatch(r"-?[0-9.,]+%?", cell):
        return cell
    *parts, last = re.split("[,.]", cell)
    return f"{''.join(parts)}.{last}" if parts else last


def read(content, students, assignments):
    """Grades by student and assignment; who and what is not there yet comes under a name instead of a number.

    Args:
        content: the file.
        students: by number: name, sortable name, SIS user id, login.
        assignments: titles by number.
    """
    text = content.decode("utf-8")
    header, *rows = [
        [number(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator(text))
    ]
    if not (len(header) > 3 and "Student" in header[0] and "ID" in header[1]):
        raise InvalidHeaderRow
    width, sis, login = 3, None, None
    if re.search(r"SIS\s+Login\s+ID", header[2]):
        login, width = 2, 4
    elif re.search(r"SIS\s+User\s+ID", header[2]) and re.search(r"SIS\s+Login\s+ID", header[3]):
        sis, login, width = 2, 3, 5
    if "Section" not in header[width - 1]:
        raise InvalidHeaderRow
    columns = {}
    for heading in header[width:]:
        if OWN_COLUMNS.search(heading):
            continue
        numbered = re.fullmatch(r"(.*)\s\((\d+)\)", heading, re.DOTALL)
        known = next((key for key, title in assignments.items() if title == heading), None)
        by_number = numbered[2] if numbered and numbered[2] in assignments else None
        columns[by_number or known or (numbered[1] if numbered else heading)] = header.index(heading)
    found = {}
    for row in rows:
        if "Points Possible" in row[0] or not any(cell.strip() for cell in row):
            continue
        sis_id, own_login = row[sis] if sis is not None else "", row[login] if login is not None else ""
        matches = [key for key in students if key == row[1]]
        matches += [key for key, one in students.items() if sis_id and one[2] == sis_id]
        matches += [key for key, one in students.items() if own_login and one[3] == own_login]
        matches += [key for key, one in students.items() if row[0] in one[:2]]
        who = matches[0] if matches else None
        for key, at in columns.items():
            found[who or row[0], key] = row[at].strip()
    return found


ASSIGNMENTS = {"77": "Chains, and more", "88": "Flows"}
STUDENTS = {"11": ("Ada Lovelace", "Lovelace, Ada", "S1", "ada"), "12": ("Zoé Müller", "Müller, Zoé", "S2", "zoé")}
ROSTER = (
    'Student,ID,SIS User ID,SIS Login ID,Section,"Chains, and more (77)"\n    Points Possible,,,,,20\n'
    '"Lovelace, Ada",11,S1,ada,A,\n"Müller, Zoé",12,S2,zoé,B,\n'
)
EXPECTED = {("11", "77"): "15", ("11", "88"): "10", ("12", "77"): "12.5", ("12", "88"): "0",
            ("'=cmd()", "77"): "3", ("'=cmd()", "88"): ""}  # fmt: skip


@pytest.fixture
def roster(course):
    """Canvas's own export, as an option."""
    file = course / "roster.csv"
    file.write_text(ROSTER, encoding="utf-8")
    return "--roster", str(file)


@pytest.fixture
def titled(course):
    """Gives `flows` another title."""

    def titled(title):
        config = course / "grading_config.yaml"
        config.write_text(config.read_text().replace("title: Flows", f'title: "{title}"'))

    return titled


def test_canvas_takes_our_table(export, roster):
    content, said = export("canvas", *roster, "--column", "flows=Flows (88)")
    assert read(content, STUDENTS, ASSIGNMENTS) == EXPECTED
    assert "no number of an assignment" not in said
    assert "=cmd(): no Canvas number and no SIS id" in said


@pytest.mark.parametrize("id_columns", ["ID,SIS Login ID", "ID,SIS User ID,SIS Login ID,Integration ID"])
def test_rosters_of_other_shapes(export, course, id_columns):
    cells = {"ID": "11", "SIS User ID": "S1", "SIS Login ID": "ada", "Integration ID": "X"}
    line = ",".join(cells[name] for name in id_columns.split(","))
    (course / "other.csv").write_text(f'Student,{id_columns},Section\n"Lovelace, Ada",{line},A\n')
    found = read(export("canvas", "--roster", str(course / "other.csv"))[0], STUDENTS, ASSIGNMENTS)
    assert found["11", "77"] == "15"


def test_no_id_of_ours_stands_for_canvass(export):
    """Moodle's number 1001, or our `ada`, may be somebody else's in Canvas: without a roster the name has to do."""
    others = STUDENTS | {"11": (*STUDENTS["11"][:3], "alovelace"), "1001": ("Else", "Else", "S3", "ada")}
    content, said = export("canvas")
    found = read(content, others, ASSIGNMENTS)
    assert (found["11", "77"], found["Zoé_Müller", "77"]) == ("15", "12.5")
    assert not [key for key in found if key[0] == "1001"]
    assert "ada: no Canvas number and no SIS id" in said


def test_a_heading_that_canvas_would_drop(export, titled):
    titled("The Final Grade of Flows")
    content, said = export("canvas", "--column", "chains=My Final Score (77)")
    assert {key for _who, key in read(content, STUDENTS, ASSIGNMENTS)} == {"77", "flows"}
    assert "chains (77)" in content.decode()
    assert "Canvas keeps “Final Score” for itself" in said


@pytest.mark.parametrize("title", ["Section", "Student", "ID"])
def test_a_title_that_is_a_column_of_canvass(export, titled, title):
    titled(title)
    assert read(export("canvas")[0], STUDENTS, ASSIGNMENTS)["11", "flows"] == "10"


def test_two_exercises_of_one_title(export, titled):
    titled("Chains, and more")
    found = read(export("canvas")[0], STUDENTS, {})
    assert (found["11", "chains"], found["11", "flows"]) == ("15", "10")
    with pytest.raises(ExportFault, match=r"chains and flows .* \(77\)"):
        export("canvas", "--column", "chains=A (77)", "--column", "flows=B (77)", fails=True)


def test_new_assignments_are_announced(export):
    _content, said = export("canvas", "--exercise", "flows", "--missing", "blank")
    assert "Canvas makes a new one" in said


def test_a_number_stands_after_a_blank(export):
    _content, said = export("canvas", "--column", "chains=Chains(77)")
    assert "Chains(77): no number of an assignment" in said


def test_decimal_commas(export, roster):
    content, _said = export("canvas", *roster, "--decimal", "comma")
    assert "12,5" in content.decode()
    assert read(content, STUDENTS, ASSIGNMENTS)["12", "77"] == "12.5"


@pytest.mark.parametrize(("option", "value"), [("--delimiter", "tab"), ("--encoding", "latin-1")])
def test_what_canvas_cannot_read_is_refused(export, option, value):
    with pytest.raises(ExportFault, match="Canvas reads"):
        export("canvas", option, value, fails=True)


def test_the_number_that_canvas_told_is_its_own(export, course):
    """From a download of Canvas's; no other platform's number is taken for it, and it for no other's."""
    with open_store(course / "out", "c") as store:
        told = [Handed("ada", "chains", "1", "chains.py", name="Ada L.", lms_id="canvas 11")]
        store.handed_in.note(told, [])
    found = read(export("canvas")[0], {"11": ("Ada", "A", "", "")}, ASSIGNMENTS)
    assert found["11", "77"] == "15"
    assert People(None, told).of("ada").number_in("moodle") == ""
    # Who handed in nothing is known by the roster of the grading.
    assert People(None, told, {"dave": "Dave De"}).of("dave").name == "Dave De"
    assert People(None, [replace(told[0], lms_id="1001")]).of("ada").numbers == {"moodle": "1001"}
