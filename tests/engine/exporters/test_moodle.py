"""Grades for Moodle, read back as Moodle reads them.

The readers below follow Moodle's own importers, as read in github.com/ziegenberg/moodle (a fork of moodle/moodle that
is up to date with Moodle 5): `grade/import/csv/classes/load_data.php` (bbd4e96), `lib/csvlib.class.php` (172d432),
`mod/assign/feedback/offline/importgradeslib.php` (e459265), `unformat_float` of `lib/moodlelib.php` (172d432); and in
github.com/moodle/moodle: `mod/assign/feedback/offline/locallib.php` (0497556),
`mod/assign/feedback/file/importziplib.php` (0203d8f), `grade/import/csv/classes/load_data.php` of Moodle 3 (0289d8c).
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from autograder.course.errors import ConfigurationError
from autograder.exporters.formats.feedback import folder_name
from autograder.reports.cells import ExportFault
from tests.engine.exporters.conftest import fill_book

DOCS = Path(__file__).parents[3] / "docs" / "how-to" / "give-grades-back.md"


class Aborted(Exception):
    """Moodle takes nothing of the file."""


def load(content, encoding="utf-8", separator=","):
    """`csv_import_reader::load_csv_content`: rows, all as wide as the first, or nothing at all."""
    text = content.decode(encoding).removeprefix("\ufeff").replace("\r\n", "\n").strip()
    table = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
    if any(len(row) != len(table[0]) for row in table):
        raise Aborted("csvweirdcolumns")
    return table


def unformat_float(text, decimal_sign, strict=False):
    """A number as a site of this language reads it; PHP's `(float)` takes what begins like a number."""
    text = text.strip().replace(" ", "").replace(decimal_sign, ".")
    if text == "":
        return None
    if strict and not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text):
        raise Aborted("badgrade")
    begins = re.match(r"[-+]?(\d+\.?\d*|\.\d+)", text)
    return float(begins[0]) if begins else 0.0


def import_gradebook(content, users, heading, field, items, decimal_sign=".", **how):
    """"Import CSV": users by one column mapped to one field; a line whose user is not found aborts everything.

    An older version leaves out the look-up where the cell is empty, and gives the line to the user before.
    """
    table = load(content, **how)
    at = table[0].index(heading)
    found = {}
    for row in table[1:]:
        matching = [name for name, fields in users.items() if fields[field] == row[at].strip()]
        if len(matching) != 1:
            raise Aborted(f"usermappingerror: {field} {row[at]!r}")
        for column, item in items.items():
            cell = row[table[0].index(column)].strip()
            value = None if cell in ("", "-") else unformat_float(cell, decimal_sign, strict=True)
            if value is not None and value > 100:
                raise Aborted("gradevaluetoobig")
            found[matching[0], item] = value
    return found


ENGLISH = ("Identifier", "Grade", "Last modified (grade)")


def import_worksheet(content, participants, most, decimal_sign=".", words=ENGLISH, **how):
    """"Upload grading worksheet": three columns must be there; what is no grade within the range is passed over."""
    table = load(content, **how)
    if any(word not in table[0] for word in words):
        raise Aborted("invalidgradeimport")
    who, grade, _modified = (table[0].index(word) for word in words)
    found = {}
    for row in table[1:]:
        user = participants.get(row[who][len("Participant ") :])
        value = unformat_float(row[grade], decimal_sign)
        if user is not None and value is not None and 0 <= value <= most:
            found[user] = value
    return found


def feedback_user(path, participants):
    """`is_valid_filename_for_import`: name, number, plugin's type and plugin between underscores."""
    for part in path.split("/"):
        info = part.split("_", 4)
        if len(info) >= 4 and info[1].isdigit() and info[1] in participants:
            return participants[info[1]], info[2:4]
    return None


USERS = {
    "ada": {"idnumber": "20-1", "email": "ada@x.org", "username": "alovelace"},
    "zoé": {"idnumber": "20-2", "email": "zoe@x.org", "username": "zmueller"},
    "other": {"idnumber": "ada", "email": "other@x.org", "username": "ada"},  # whose numbers are our ids of others
}
ITEMS = {"Assignment: Chains, and more (Real)": "chains", "Assignment: Flows (Real)": "flows"}
EXPECTED = {("ada", "chains"): 15.0, ("ada", "flows"): 10.0, ("zoé", "chains"): 12.5, ("zoé", "flows"): 0.0}


def roster(course, text):
    file = course / "roster.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_the_gradebook_takes_our_table(export):
    content, said = export("moodle")
    assert import_gradebook(content, USERS, "Email address", "email", ITEMS) == EXPECTED
    assert "left out: =cmd(): no address" in said


def test_no_id_of_ours_stands_for_moodles(export):
    """An "ID number" that is not Moodle's aborts the import, or finds somebody else."""
    table = load(export("moodle")[0])
    assert "ID number" not in table[0]


def test_id_numbers_of_the_roster(export, course):
    text = "id;first name;last name;ID number\nada;Ada;Lovelace;20-1\nzoé;Zoé;Müller;20-2\n"
    content, _said = export("moodle", "--roster", roster(course, text))
    assert import_gradebook(content, USERS, "ID number", "idnumber", ITEMS) == EXPECTED
    assert import_gradebook(content, USERS, "Email address", "email", ITEMS) == EXPECTED


def test_every_column_that_can_name_the_user_is_complete(export, course):
    """A line without an id is the user's before, in some versions of Moodle."""
    text = "id;first name;last name;ID number\nada;Ada;Lovelace;20-1\nzoé;Zoé;Müller;\n"
    content, _said = export("moodle", "--roster", roster(course, text))
    assert load(content)[0][:3] == ["First name", "Last name", "Email address"]
    assert import_gradebook(content, USERS, "Email address", "email", ITEMS) == EXPECTED
    assert "20-1" not in content.decode()


def test_ids_that_are_moodles(export, course):
    fill_book(course / "out", told=False)
    with pytest.raises(ExportFault, match="--ids-are"):
        export("moodle", fails=True)
    users = {name: {"username": name} for name in ("ada", "zoé")}
    content, said = export("moodle", "--ids-are", "username")
    assert import_gradebook(content, users, "Username", "username", ITEMS) == EXPECTED
    assert "left out: =cmd()" in said


def test_two_students_with_one_address_are_refused(export, course):
    text = "id;name;email\nada;Ada;x@x.org\nzoé;Zoé;x@x.org\n"
    with pytest.raises(ExportFault, match=r"ada and zoé .*x@x\.org"):
        export("moodle", "--roster", roster(course, text), fails=True)


@pytest.mark.parametrize("missing", ["zero", "blank"])
@pytest.mark.parametrize("of_course", [None, "zero", "blank"])
def test_what_is_not_handed_in(export, course, missing, of_course):
    """The course says what it counts; the option says otherwise for one file."""
    if of_course:
        with (course / "grading_config.yaml").open("a") as file:
            file.write(f"missing: {of_course}\n")
        content, _said = export("moodle")
        expected = EXPECTED | ({("zoé", "flows"): None} if of_course == "blank" else {})
        assert import_gradebook(content, USERS, "Email address", "email", ITEMS) == expected
    content, _said = export("moodle", "--missing", missing)
    expected = EXPECTED | ({("zoé", "flows"): None} if missing == "blank" else {})
    assert import_gradebook(content, USERS, "Email address", "email", ITEMS) == expected


def test_a_country_with_decimal_commas(export):
    content, _said = export("moodle", "--decimal", "comma", "--encoding", "utf-8-bom")
    found = import_gradebook(content, USERS, "Email address", "email", ITEMS, ",", separator=";")
    assert found == EXPECTED


PARTICIPANTS = {"1001": "ada", "1002": "zoé", "1009": "never"}
WORKSHEET = (
    "\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\r\n"
    'Participant 1001,Ada Lovelace,ada@x.org,Submitted,,"20,00",Yes,"Monday, 8 February 2027",-,"a\nb"\r\n'
    'Participant 1002,Zoé Müller,zoe@x.org,Submitted,7,"20,00",Yes,-,-,\r\n'
    'Participant 1009,-Never There,never@x.org,No submission,,"20,00",Yes,-,-,\r\n'
)


@pytest.fixture
def fill(export, course):
    """`fill(text)` fills in a worksheet for `chains`."""

    def fill(text, *options, fails=False):
        sheet = course / "sheet.csv"
        sheet.write_text(text, encoding="utf-8", newline="")
        return export("moodle", "--worksheet", str(sheet), "--exercise", "chains", *options, fails=fails)

    return fill


def test_the_worksheet_is_filled_in_and_else_untouched(fill):
    content, said = fill(WORKSHEET)
    assert import_worksheet(content, PARTICIPANTS, 20, ",") == {"ada": 15.0, "zoé": 12.5}
    made, given = load(content), load(WORKSHEET.encode())
    assert [row[:4] + row[5:] for row in made] == [row[:4] + row[5:] for row in given]
    assert "2 grades filled in" in said
    assert "no grade for: Participant 1009" in said
    assert "not in the worksheet: =cmd()" in said


def test_the_worksheet_says_which_decimal_sign_its_site_reads(fill):
    """An English site reads 12,5 as 12."""
    assert unformat_float("12,5", ".") == 12
    english = WORKSHEET.replace('"20,00"', "20.00")
    assert import_worksheet(fill(english)[0], PARTICIPANTS, 20) == {"ada": 15.0, "zoé": 12.5}
    with pytest.raises(ExportFault, match=r"writes 20\.00.* leave out --decimal"):
        fill(english, "--decimal", "comma", fails=True)


@pytest.mark.parametrize("word", ["Identifier", "Grade", "Last modified (grade)"])
def test_a_worksheet_that_moodle_would_refuse_is_refused(fill, word):
    text = WORKSHEET.replace(f"{word},", "Something else,", 1)
    with pytest.raises(Aborted):
        import_worksheet(text.encode(), PARTICIPANTS, 20)
    with pytest.raises(ConfigurationError, match="no grading worksheet"):
        fill(text, fails=True)


def test_a_worksheet_in_french(fill):
    text = (
        "Identifiant;Nom complet;Statut;Note;Note maximale;Dernière modification (travail remis);"
        'Dernière modification (note)\nParticipant 1001;Ada Lovelace;Remis;;"20,00";-;-\n'
    )
    words = ("Identifiant", "Note", "Dernière modification (note)")
    content = fill(text)[0]
    assert import_worksheet(content, PARTICIPANTS, 20, ",", words, separator=";") == {"ada": 15.0}


def test_another_maximum_is_refused(fill):
    with pytest.raises(ExportFault, match=r"maximum is 100.* 20"):
        fill(WORKSHEET.replace('"20,00"', "100"), fails=True)


def test_who_is_who_in_the_worksheet(fill, course):
    """Moodle's number and address must not contradict each other, and our ids are no numbers of Moodle's."""
    swapped = WORKSHEET.replace("ada@x.org", "zoe@x.org", 1)
    content, said = fill(swapped)
    assert import_worksheet(content, PARTICIPANTS, 20, ",") == {"zoé": 12.5}
    assert "Participant 1001: the number is ada's, the address zoé's" in said
    fill_book(course / "out", told=False, called={"ada": "1002", "zoé": "1001"})
    assert import_worksheet(fill(WORKSHEET)[0], PARTICIPANTS, 20, ",") == {"zoé": 7.0}, "what was there stays"


def test_the_documented_worksheet_is_one(fill):
    text = DOCS.read_text(encoding="utf-8")
    blocks = re.findall(r"<!-- file: worksheet\.csv -->\n```text\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 1
    assert import_worksheet(blocks[0].encode(), {}, 20) == {}


@pytest.mark.parametrize("name", ["a_b", "a/b", "../x", "", "con:x", "é"])
def test_feedback_files_find_their_participant(name):
    folder = folder_name(name, "1001")
    assert feedback_user(f"{folder}/feedback.html", PARTICIPANTS) == ("ada", ["assignsubmission", "file"])
