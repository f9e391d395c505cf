"""Classes that a writer made after Moodle's source are read as they were handed in, through the public API alone."""

from __future__ import annotations

import csv
import importlib.util
import sys
import unicodedata
import zipfile
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from autograder import Course


def beside(name):
    """A module of this folder: the tests' folders are no packages."""
    spec = importlib.util.spec_from_file_location(f"independent_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


moodle = beside("moodle")
Assignment, Form, Participant, Team, Work = (
    moodle.Assignment, moodle.Form, moodle.Participant, moodle.Team, moodle.Work
)  # fmt: skip

NAMES = {
    1001: "Ada Lovelace",
    1002: "Zoé Müller-Łukasz",
    1003: "Seán O'Brien",
    1004: "D’Arcy Wu",
    1005: "ann_lee van der_Berg",
    1006: unicodedata.normalize("NFD", "José Núñez"),
    1007: "李雷",
    1008: "Ada Lovelace 3",
    1009: "Anne-Marie Roux & Co",
    1010: 'Nguyễn "An": Văn',
    1011: "assignsubmission_file Eve",
    1012: "Bob Ray",
    1013: "Nobody Here",
    1014: "Typed Only",
}
PEOPLE = tuple(Participant(number, name, f"s{number}@example.org") for number, name in NAMES.items())
ROSTERS = ("worksheet", "names", "participants")
NUMBERED = ("participants", "ungrouped")


@dataclass(frozen=True)
class Seen:
    """What was read of a zip: by a member's path, whose it is, and what is in it where it is graded."""

    students: frozenset[str]
    absent: frozenset[str]
    graded: dict[str, set[str]]
    owners: dict[str, set[str]]
    contents: dict[str, bytes]


def code(toy_solution, who):
    return f"{toy_solution}\n# by {who}\n".encode()


def ids(numbers):
    return {f"s{number}" for number in numbers}


def roster(assignment, folder, kind):
    """Who is in the course: Moodle's worksheet, or a teacher's own table with or without Moodle's numbers."""
    path = folder / "roster.csv"
    if kind == "worksheet":
        return moodle.worksheet(assignment, path)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["id", "name", "email", "group"] + ["participant"] * (kind in NUMBERED))
        for who in assignment.participants:
            team = assignment.teams.get(who.number)
            number = [str(who.number)] * (kind in NUMBERED)
            group = team.name if team and kind != "ungrouped" else ""
            rows.writerow([f"s{who.number}", who.name, who.email, group, *number])
    return path


def read(toy, assignment, form, folder, kind=None, unpacked=False):
    archive = moodle.write(assignment, form, folder)
    if unpacked:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder / "unpacked")
        archive = folder / "unpacked"
    graded, owners, contents = defaultdict(set), defaultdict(set), {}
    table = roster(assignment, folder, kind) if kind else None
    with Course.open(toy).read(archive, roster=table) as handed_in:
        for entry in (*handed_in.entries, *handed_in.earlier):
            path = handed_in.origin(entry.path).relative_to(archive).as_posix()
            graded[path].add(entry.student)
            owners[path].add(entry.student)
            contents[path] = entry.path.read_bytes()
        for evidence in handed_in.evidence:
            path = handed_in.origin(evidence.path)
            if path.is_relative_to(archive):
                owners[path.relative_to(archive).as_posix()].update(evidence.students)
        return Seen(
            frozenset(handed_in.students), frozenset(handed_in.absent), dict(graded), dict(owners), contents
        )  # fmt: skip


def check(seen, assignment, form, name="toy.py"):
    """Same students, same files, nothing lost, nothing at another student, and what is the exercise's is graded."""
    members = moodle.members(assignment, form)
    everybody = ids(who.number for who in assignment.participants)
    handed = {student for member in members for student in ids(member.numbers)}
    assert seen.students == everybody
    assert seen.absent == everybody - handed
    assert seen.owners == {member.path: ids(member.numbers) for member in members}
    answers = [member for member in members if member.path.endswith(name)]
    due = {(student, member.content) for member in answers for student in ids(member.numbers)}
    graded = [(student, seen.contents[path]) for path, students in seen.graded.items() for student in students]
    assert sorted(graded) == sorted(due)  # before 4.1 a team's file stands there once for each member: it counts once


@pytest.fixture
def odd_names(toy_solution):
    """A file of everybody's but two: one typed text, one handed in nothing."""
    work = {number: Work({"toy.py": code(toy_solution, number)}) for number in NAMES if number < 1013}
    return Assignment(PEOPLE, work | {1014: Work(text="<p>def mean(x): return 0</p>")})


@pytest.mark.parametrize("kind", ROSTERS)
@pytest.mark.parametrize("form", Form)
def test_names_of_all_kinds(toy, odd_names, tmp_path, form, kind):
    check(read(toy, odd_names, form, tmp_path, kind), odd_names, form)


@pytest.mark.parametrize("form", Form)
def test_a_teacher_who_unpacked_it(toy, odd_names, tmp_path, form):
    check(read(toy, odd_names, form, tmp_path, "worksheet", unpacked=True), odd_names, form)


@pytest.mark.parametrize("kind", ROSTERS)
@pytest.mark.parametrize("form", Form)
def test_files_of_all_kinds(toy, toy_solution, tmp_path, form, kind):
    mine, hers = code(toy_solution, "ada"), code(toy_solution, "zoé")
    assignment = Assignment(PEOPLE[:5], {
        1001: Work({"toy.py": mine, "it's my notes.pdf": b"%PDF-1.4 a", "d_e/données_été.pdf": b"%PDF-1.4 b"}),
        1002: Work({"src/deep/toy.py": hers}, text="<p>see the file</p>", attached={"a_picture.png": b"\x89PNG"}),
        1003: Work({"x_assignsubmission_file_y.pdf": b"%PDF-1.4 c", "1005_assignsubmission_file_.pdf": b"%PDF-1.4 d"}),
        1004: Work(text="<p>só text</p>", attached={"photo.jpg": b"\xff\xd8"}),
        1005: Work(),
    })  # fmt: skip
    check(read(toy, assignment, form, tmp_path, kind), assignment, form)


@pytest.mark.parametrize("form", Form)
def test_hidden_names_with_the_worksheet(toy, odd_names, tmp_path, form):
    """Without names and addresses, who somebody is called is up to the reader: but nobody gets another's file."""
    hidden = replace(odd_names, hidden=True)
    students = one_each(read(toy, hidden, form, tmp_path, "worksheet"), hidden, form)
    assert len(students) == len(hidden.participants)


@pytest.mark.parametrize("form", Form)
def test_hidden_names_with_the_numbers(toy, odd_names, tmp_path, form):
    hidden = replace(odd_names, hidden=True)
    check(read(toy, hidden, form, tmp_path, "participants"), hidden, form)


@pytest.mark.parametrize("form", Form)
def test_no_roster(toy, odd_names, tmp_path, form):
    students = one_each(read(toy, odd_names, form, tmp_path), odd_names, form)
    assert len(students) == len(odd_names.work)


@pytest.mark.parametrize("form", Form)
def test_two_of_one_name(toy, toy_solution, tmp_path, form):
    people = (Participant(7, "Ada Lovelace"), Participant(70, "Ada Lovelace"), Participant(77, "Ada Lovelace 7"))
    assignment = Assignment(people, {who.number: Work({"toy.py": code(toy_solution, who)}) for who in people})
    assert len(one_each(read(toy, assignment, form, tmp_path), assignment, form)) == 3
    check(read(toy, assignment, form, tmp_path, "participants"), assignment, form)


def one_each(seen, assignment, form):
    """Every file is somebody's alone, and always the same person's. Returns all students."""
    members = moodle.members(assignment, form)
    paths = {member.path for member in members}
    assert set(seen.owners) - {Path(path).parent.as_posix() for path in paths} == paths
    known = {}
    for member in members:
        assert len(seen.owners[member.path]) == 1
        (number,), (student,) = member.numbers, seen.owners[member.path]
        assert known.setdefault(number, student) == student
    assert len(set(known.values())) == len(known)
    assert set(known.values()) <= seen.students
    assert seen.contents == {member.path: member.content for member in members if member.path in seen.graded}
    assert {member.path for member in members if member.path.endswith("toy.py")} == set(seen.graded)
    return seen.students


TEAMS = (Team(12, "team_red"), Team(7, "L'équipe & Zoé"), Team(21, "A-B-C"), Team(22, "Group 7"))


@pytest.fixture
def teams(toy_solution):
    """Four teams of three, one of which handed in nothing; everybody else's numbers look like theirs."""
    members = {who.number: TEAMS[at // 3] for at, who in enumerate(PEOPLE[:12])}
    work = {
        1002: Work({"toy.py": code(toy_solution, "red")}),
        1004: Work({"toy.py": code(toy_solution, "équipe"), "notes.pdf": b"%PDF-1.4"}, text="<p>ours</p>"),
        1009: Work(text="<p>typed together</p>"),
    }
    return Assignment(PEOPLE[:12], work, members)


@pytest.mark.parametrize("kind", ROSTERS)
@pytest.mark.parametrize("form", Form)
def test_teams(toy, teams, tmp_path, form, kind):
    check(read(toy, teams, form, tmp_path, kind), teams, form)


@pytest.mark.parametrize("form", [Form.FLAT_BEFORE, Form.FOLDERS_BEFORE])
def test_teams_that_the_roster_does_not_know_are_told_by_their_members(toy, teams, tmp_path, form):
    """Before 4.1 each member's name and number stand there."""
    alone = {who.number: work for who in teams.participants if (work := teams.work_of(who))}
    seen = read(toy, teams, form, tmp_path, "ungrouped")
    assert seen.absent == ids(who.number for who in teams.participants if who.number not in alone)
    assert {student for students in seen.graded.values() for student in students} == ids(range(1001, 1007))
    for member in moodle.members(teams, form):
        assert seen.owners[member.path] <= ids(member.numbers)
        assert seen.owners[member.path]


@pytest.mark.parametrize("form", Form)
def test_those_in_no_team_hand_in_together_and_nobody_else_gets_it(toy, teams, toy_solution, tmp_path, form):
    """They share `Default group`, which stands on the worksheet as their group."""
    loose = PEOPLE[12:]
    more = replace(
        teams, participants=PEOPLE, work=teams.work | {1013: Work({"toy.py": code(toy_solution, "no team")})}
    )
    assert not set(teams.teams) & {who.number for who in loose}
    check(read(toy, more, form, tmp_path, "worksheet"), more, form)


@pytest.mark.parametrize("form", Form)
def test_teams_without_a_roster_lose_nothing(toy, teams, tmp_path, form):
    seen = read(toy, teams, form, tmp_path)
    assert set(seen.owners) == {member.path for member in moodle.members(teams, form)}


HARSH = (
    ".dot Eve", "~tilde Eve", "_MACOSX Eve", "._Ivo", "Eve.", "toy", "Toy.py", "EVE.", "Participant 1001", "Evë (2)",
    "Ad\u200ba Lovelace", "\u200fליאור כהן", "Eve_1001_assignsubmission_file_toy", "-Eve", "Eve, Adam", "=1+1",
)  # fmt: skip


@pytest.mark.parametrize("kind", ROSTERS)
@pytest.mark.parametrize("form", Form)
def test_harsh_names(toy, toy_solution, tmp_path, form, kind):
    people = tuple(Participant(200 + at, name, f"s{200 + at}@example.org") for at, name in enumerate(HARSH))
    assignment = Assignment(people, {who.number: Work({"toy.py": code(toy_solution, who)}) for who in people})
    check(read(toy, assignment, form, tmp_path, kind), assignment, form)


@pytest.mark.parametrize("form", Form)
def test_a_name_as_long_as_moodle_allows(toy, toy_solution, tmp_path, form):
    """A first and a last name of a hundred letters each; in Moodle's zip that is a name of 600 bytes."""
    people = (Participant(1, "王" * 100 + " " + "李" * 100, "s1@example.org"), *PEOPLE[:1])
    assignment = Assignment(people, {who.number: Work({"toy.py": code(toy_solution, who)}) for who in people})
    seen = read(toy, assignment, form, tmp_path, "participants")
    assert set(seen.owners) == {member.path for member in moodle.members(assignment, form)}
    assert not seen.absent


@pytest.mark.parametrize("title", ["a" * 230, "д" * 130])
@pytest.mark.parametrize("form", Form)
def test_a_file_name_too_long_for_a_disk(toy, toy_solution, tmp_path, form, title):
    """Moodle takes file names of 255 letters; with the student's name before it, or in Cyrillic, a disk does not."""
    assignment = Assignment(PEOPLE[:2], {
        1001: Work({f"{title}.py": code(toy_solution, "ada")}), 1002: Work({"toy.py": code(toy_solution, "zoé")}),
    })  # fmt: skip
    seen = read(toy, assignment, form, tmp_path, "participants")
    assert seen.owners == {member.path: ids(member.numbers) for member in moodle.members(assignment, form)}
    assert not seen.absent


@pytest.mark.parametrize("kind", ROSTERS)
@pytest.mark.parametrize("form", Form)
def test_what_calls_itself_anothers_stays_with_who_handed_it_in(toy, toy_solution, tmp_path, form, kind):
    assignment = Assignment(PEOPLE[:3], {
        1001: Work({"Seán OBrien_1003_assignsubmission_file_toy.py": code(toy_solution, "ada")}),
        1002: Work({"Seán OBrien_1003_assignsubmission_file/toy.py": code(toy_solution, "zoé")}),
    })  # fmt: skip
    check(read(toy, assignment, form, tmp_path, kind), assignment, form)


@pytest.mark.parametrize("form", Form)
def test_student_ids_that_are_others_numbers(toy, toy_solution, tmp_path, form):
    """The school's numbers and Moodle's are the same few, turned by one."""
    people = tuple(Participant(10 + at, name) for at, name in enumerate(("Ada Lovelace", "Bob Ray", "Zoé Müller")))
    assignment = Assignment(people, {who.number: Work({"toy.py": code(toy_solution, who)}) for who in people[:2]})
    archive = moodle.write(assignment, form, tmp_path)
    (tmp_path / "roster.csv").write_text(
        "id;name;participant\n11;Ada Lovelace;10\n12;Bob Ray;11\n10;Zoé Müller;12\n", encoding="utf-8"
    )
    with Course.open(toy).read(archive, roster=tmp_path / "roster.csv") as handed_in:
        found = {(entry.student, entry.path.read_bytes()) for entry in handed_in.entries}
        assert handed_in.absent == ("10",)
    assert found == {("11", code(toy_solution, people[0])), ("12", code(toy_solution, people[1]))}


def two_teams(first, toy_solution):
    second = Team(22, "Blue")
    members = {1001: first, 1002: first, 1003: second, 1004: second, 1005: second}
    work = {1001: Work({"toy.py": code(toy_solution, "first")}), 1003: Work({"toy.py": code(toy_solution, "second")})}
    return Assignment(PEOPLE[:5], work, members)


@pytest.mark.parametrize("kind", ROSTERS)
@pytest.mark.parametrize("form", Form)
def test_a_teams_number_that_is_also_a_participants(toy, toy_solution, tmp_path, form, kind):
    assignment = two_teams(Team(1004, "Red"), toy_solution)
    check(read(toy, assignment, form, tmp_path, kind), assignment, form)


@pytest.mark.parametrize("kind", ROSTERS)
@pytest.mark.parametrize("form", Form)
def test_a_team_that_is_called_as_one_of_its_members(toy, toy_solution, tmp_path, form, kind):
    assignment = two_teams(Team(21, "Ada Lovelace"), toy_solution)
    check(read(toy, assignment, form, tmp_path, kind), assignment, form)


SCRIPTS = ("สมชาย ใจดี", "अर्जुन शर्मा", "محمد بن علي", "Ḥāfiẓ", "Иван Ёлкин", "김 민준", "X Æ A-12", "O’Neil–Smith", "Ó")


@pytest.mark.parametrize("kind", ROSTERS)
@pytest.mark.parametrize("form", Form)
def test_names_of_many_scripts(toy, toy_solution, tmp_path, form, kind):
    people = tuple(Participant(300 + at, name, f"s{300 + at}@example.org") for at, name in enumerate(SCRIPTS))
    assignment = Assignment(people, {who.number: Work({"toy.py": code(toy_solution, who)}) for who in people})
    check(read(toy, assignment, form, tmp_path, kind), assignment, form)


@pytest.mark.parametrize("form", Form)
def test_files_that_are_called_as_tables_of_ours_or_of_moodles(toy, toy_solution, tmp_path, form):
    """What a student hands in decides nothing about anybody."""
    assignment = Assignment(PEOPLE[:3], {
        1001: Work({
            "toy.py": code(toy_solution, "ada"), "roster.csv": b"id;name\n9;X\n", "groups.csv": b"group,student\nA,9\n",
            "submissions.csv": b"student;exercise;submitted\ns1002;toy;2020-01-01\n",
        }),
        1002: Work({"toy.py": code(toy_solution, "zoé"), "onlinetext.html": b"<p>mine</p>"}, text="typed"),
        1003: Work({"resolve.csv": b"path,student\n", "grading_config.yaml": b"x: 1\n", ".hidden.pdf": b"%PDF-1.4"}),
    })  # fmt: skip
    check(read(toy, assignment, form, tmp_path, "worksheet"), assignment, form)
