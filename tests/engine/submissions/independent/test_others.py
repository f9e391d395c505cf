"""Classes as Gradescope, GitHub Classroom and nbgrader hand them out, read through the public API."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta, timezone

import pytest

from autograder import Course
from tests.engine.submissions.independent.conftest import check, told
from tests.engine.submissions.independent.others import (
    Submitted,
    notebook,
    write_classroom,
    write_gradescope,
    write_nbgrader,
)

WHEN = datetime(2027, 2, 8, 22, 10, 30, 123456, tzinfo=UTC)
LATER = datetime(2027, 2, 11, 1, 2, 3, tzinfo=UTC)
ID = {"ada": "00123", "jm": "00124", "am1": "00125", "am2": "00126", "li": "00127"}
ROSTER = (
    "student number;name;email\n00123;Ada Lovelace;ada@example.org\n00124;Jürgen Müller;jm@example.org\n"
    "00125;Anne Martin;am1@example.org\n00126;Anne Martin;am2@example.org\n00127;小龙 李;li@example.org\n"
)
ADA, JM = ("Ada Lovelace", "00123", "ada@example.org"), ("Jürgen Müller", "00124", "jm@example.org")
AM1, AM2 = ("Anne Martin", "00125", "am1@example.org"), ("Anne Martin", "00126", "am2@example.org")


def times(handed_in) -> dict[str, datetime]:
    """When each student handed in what is graded."""
    return {entry.student: entry.submitted for entry in handed_in.entries}


def test_gradescope(tmp_path, read, work):
    """Two of one name, accents, several files, several attempts: the last one's time counts."""
    files = {"toy.py": work("jm"), "rapport été.pdf": b"%PDF jm", "data/plot.png": b"\x89PNG jm"}
    place = write_gradescope(
        tmp_path / "g.zip",
        [
            Submitted(101, [ADA], WHEN, {"toy.py": work("ada")}, earlier=[WHEN - timedelta(days=3)]),
            Submitted(102, [JM], LATER, files),
            Submitted(103, [AM1], WHEN, {"toy.py": work("am1")}),
            Submitted(99, [AM2], LATER, {"toy.py": work("am2")}),
        ],
    )
    handed_in = read(place, ROSTER)
    owners = {work(who): {ID[who]} for who in ("ada", "jm", "am1", "am2")}
    check(
        handed_in,
        place,
        {**owners, b"%PDF jm": {ID["jm"]}, b"\x89PNG jm": {ID["jm"]}},
        {ID["ada"], ID["jm"], ID["am1"], ID["am2"]},
    )
    assert times(handed_in) == {ID["ada"]: WHEN, ID["jm"]: LATER, ID["am1"]: WHEN, ID["am2"]: LATER}
    assert set(handed_in.absent) == {ID["li"]}


def test_gradescope_group(tmp_path, read, work):
    """Each of several submitters has what they share."""
    place = write_gradescope(
        tmp_path / "g.zip",
        [
            Submitted(101, [ADA, JM], WHEN, {"toy.py": work("pair")}),
            Submitted(102, [AM1], LATER, {"toy.py": work("am1")}),
        ],
    )
    handed_in = read(place, ROSTER)
    check(
        handed_in,
        place,
        {work("pair"): {ID["ada"], ID["jm"]}, work("am1"): {ID["am1"]}},
        {ID["ada"], ID["jm"], ID["am1"]},
    )
    assert times(handed_in) == {ID["ada"]: WHEN, ID["jm"]: WHEN, ID["am1"]: LATER}


def test_gradescope_without_numbers(tmp_path, read, work):
    """A student's number is often left empty; the address says who it is, also of two of one name."""
    place = write_gradescope(
        tmp_path / "g.zip",
        [
            Submitted(101, [("Anne Martin", "", "am1@example.org")], WHEN, {"toy.py": work("am1")}),
            Submitted(102, [("Anne Martin", "", "AM2@Example.org")], WHEN, {"toy.py": work("am2")}),
        ],
    )
    handed_in = read(place, ROSTER)
    check(handed_in, place, {work("am1"): {ID["am1"]}, work("am2"): {ID["am2"]}}, {ID["am1"], ID["am2"]})


def test_gradescope_beside_ids_of_our_own(tmp_path, read, work):
    """A roster may have ids and the school's numbers: results carry the ids."""
    place = write_gradescope(
        tmp_path / "g.zip",
        [Submitted(101, [AM1], WHEN, {"toy.py": work("am1")}), Submitted(102, [AM2], WHEN, {"toy.py": work("am2")})],
    )
    handed_in = read(place, "id;name;student number\nam1;Anne Martin;00125\nam2;Anne Martin;00126\n")
    check(handed_in, place, {work("am1"): {"am1"}, work("am2"): {"am2"}}, {"am1", "am2"})


def test_gradescope_of_two_whom_only_their_submissions_tell_apart(tmp_path, toy, work):
    """Two submissions to Gradescope are never of one person: without numbers and a roster each is somebody's own."""
    nobody = ("Anne Martin", "", "")
    place = write_gradescope(
        tmp_path / "g.zip", [Submitted(n, [nobody], WHEN, {"toy.py": work(f"number {n}")}) for n in (101, 102)]
    )
    with Course.open(toy).read(place) as handed_in:
        assert len(handed_in.students) == 2


def test_gradescope_stranger_and_nothing_of_code(tmp_path, read, work):
    """Who is not on the roster has nothing at anybody else; who gave only a PDF has handed in."""
    place = write_gradescope(
        tmp_path / "g.zip",
        [
            Submitted(101, [ADA], WHEN, {"toy.py": work("ada")}),
            Submitted(102, [JM], WHEN, {"scan.pdf": b"%PDF jm"}),
            Submitted(103, [("Sam Stranger", "99999", "sam@example.org")], WHEN, {"toy.py": work("sam")}),
        ],
    )
    handed_in = read(place, ROSTER)
    check(handed_in, place, {work("ada"): {ID["ada"]}, b"%PDF jm": {ID["jm"]}}, {ID["ada"]})
    assert set(handed_in.absent) == {ID["am1"], ID["am2"], ID["li"]}
    (his,) = [one for one in told(handed_in, place) if one.content == work("sam")]
    assert not his.graded
    assert not his.students & {ID["ada"], ID["jm"], ID["am1"], ID["am2"], ID["li"]}


CLASSROOM = (
    '"id","github","name"\n"lovelace","ada-l","Ada Lovelace"\n"lam","ada","Ada Lam"\n"jm","JMueller","Jürgen Müller"\n'
    '"am1","annemartin","Anne Martin"\n"am2","annemartin-1","Anne Martin"\n'
)
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="clones are made with git")


@needs_git
def test_classroom(tmp_path, read, work):
    """Logins that begin like another's, or end like a second copy; the last commit's time counts, in its own zone."""
    pytest.importorskip("dulwich")
    when = WHEN.replace(microsecond=0)
    tokyo = datetime(2027, 2, 9, 7, 10, 30, tzinfo=timezone(timedelta(hours=9)))
    files = {"toy.py": work("jm"), "rapport été.pdf": b"%PDF jm"}
    place = write_classroom(
        tmp_path,
        [
            ("ada-l", when, {"toy.py": work("lovelace")}),
            ("ada", LATER, {"toy.py": work("lam")}),
            ("JMueller", tokyo, files),
            ("annemartin", when, {"toy.py": work("am1")}),
            ("annemartin-1", LATER, {"toy.py": work("am2")}),
        ],
    )
    handed_in = read(place, CLASSROOM)
    everyone = {"lovelace", "lam", "jm", "am1", "am2"}
    check(handed_in, place, {**{work(who): {who} for who in everyone}, b"%PDF jm": {"jm"}}, everyone)
    assert times(handed_in) == {"lovelace": when, "lam": LATER, "jm": tokyo, "am1": when, "am2": LATER}


@needs_git
def test_classroom_who_did_nothing(tmp_path, read, work):
    """A clone of the template alone, and one of a stranger, give nobody anything."""
    place = write_classroom(
        tmp_path,
        [
            ("ada-l", WHEN, {"toy.py": work("lovelace")}),
            ("JMueller", WHEN, {}),
            ("stranger", WHEN, {"toy.py": work("sam")}),
        ],
    )
    handed_in = read(place, CLASSROOM)
    check(handed_in, place, {work("lovelace"): {"lovelace"}}, {"lovelace"})
    (his,) = [one for one in told(handed_in, place) if one.content == work("sam")]
    assert not his.graded
    assert not his.students & {"lovelace", "lam", "jm", "am1", "am2"}


@needs_git
@pytest.mark.parametrize("heading", ["identifier", "id"])
def test_classroom_with_its_own_roster(tmp_path, read, work, heading):
    """Classroom's `classroom_roster.csv`: the identifier is what the school knows the student by."""
    place = write_classroom(tmp_path, [("ada-l", WHEN, {"toy.py": work("1")}), ("blam", WHEN, {"toy.py": work("2")})])
    roster = f'"{heading}","github_username","github_id","name"\n"e1","ada-l","11","Ada Lovelace"\n'
    roster += '"e2","blam","12","Bo Lam"\n'
    handed_in = read(place, roster)
    check(handed_in, place, {work("1"): {"e1"}, work("2"): {"e2"}}, {"e1", "e2"})


@needs_git
def test_classroom_of_an_assignment_with_a_longer_name(tmp_path, read, work):
    """The folder of clones says what the assignment is called; GitHub's logins know no capitals."""
    clones = [("jmueller", WHEN, {"toy.py": work("jm")}), ("Ada-L", WHEN, {"toy.py": work("lovelace")})]
    place = write_classroom(tmp_path, clones, "toy-homework-1")
    handed_in = read(place, CLASSROOM)
    check(handed_in, place, {work("jm"): {"jm"}, work("lovelace"): {"lovelace"}}, {"jm", "lovelace"})


@needs_git
def test_classroom_teams(tmp_path, read, work):
    """A group assignment's repository is called after the team."""
    place = write_classroom(
        tmp_path, [("team-7", WHEN, {"toy.py": work("seven")}), ("etoiles", LATER, {"toy.py": work("stars")})]
    )
    roster = (
        "id;name;github;group\nada;Ada Lovelace;ada-l;team-7\njm;Jürgen Müller;JMueller;team-7\n"
        "am1;Anne Martin;annemartin;etoiles\nli;小龙 李;li;\n"
    )
    handed_in = read(place, roster)
    check(handed_in, place, {work("seven"): {"ada", "jm"}, work("stars"): {"am1"}}, {"ada", "jm", "am1"})
    assert set(handed_in.absent) == {"li"}


def test_nbgrader(tmp_path, read, work):
    """Ids of any form, notebooks and what lies beside them; the exchange's time counts."""
    roster = "id;name\nlovelace_ada;Ada Lovelace\njm@uni;Jürgen Müller\nmartin;Anne Martin\nmartin2;Anne Martin\n"
    roster += "li;小龙 李\n"
    ada, jm, one, two = (notebook(work(who)) for who in ("ada", "jm", "martin", "martin2"))
    files = {"toy.ipynb": jm, "données.csv": b"1;2 of jm", "figures/plot.png": b"\x89PNG jm"}
    place = write_nbgrader(
        tmp_path,
        [
            ("lovelace_ada", "2027-02-08 22:10:30.123456 UTC", {"toy.ipynb": ada}),
            ("jm@uni", "2027-02-11 01:02:03.000000 UTC", files),
            ("martin", "2027-02-08 22:10:30.123456 UTC\n", {"toy.ipynb": one}),
            ("martin2", "", {"toy.ipynb": two}),
        ],
    )
    handed_in = read(place, roster)
    owners = {
        ada: {"lovelace_ada"},
        jm: {"jm@uni"},
        one: {"martin"},
        two: {"martin2"},
        files["données.csv"]: {"jm@uni"},
        files["figures/plot.png"]: {"jm@uni"},
    }
    check(handed_in, place, owners, {"lovelace_ada", "jm@uni", "martin", "martin2"})
    assert times(handed_in) == {"lovelace_ada": WHEN, "jm@uni": LATER, "martin": WHEN, "martin2": None}
    assert set(handed_in.absent) == {"li"}


def test_nbgrader_in_a_courses_own_zone(tmp_path, read, work):
    """An exchange set to another zone writes its short name: the right time, or none, never a wrong one."""
    place = write_nbgrader(
        tmp_path,
        [
            ("ada", "2027-02-08 23:10:30.123456 CET", {"toy.ipynb": notebook(work("ada"))}),
            ("jm", "2027-02-08 22:10:30.123456 UTC", {"toy.ipynb": notebook(work("jm"))}),
        ],
    )
    handed_in = read(place, "id;name\nada;Ada Lovelace\njm;Jürgen Müller\n")
    assert times(handed_in)["ada"] in {WHEN, None}
    assert times(handed_in)["jm"] == WHEN
