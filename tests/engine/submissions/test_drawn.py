"""Whose personal questions a file answers: said to student and teacher, and counted where the name is the student's."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.authoring.personal import personalise, personalise_example, read_drawn_for
from autograder.course import find_exercise, load_config
from autograder.course.roster import read_roster
from autograder.submissions import HandIn, Resolutions, Wanted, read_class
from autograder.submissions.resolutions import Settlement

ROSTER = "student id,name,email,login\nada,Ada Lovelace,ada.l@x.org,alove\nbob,Bob Ray,bob@x.org,bray\n"


@pytest.fixture
def course(toy: Path):
    return load_config(toy / "grading_config.yaml")


@pytest.fixture
def read(course, tmp_path: Path, toy_solution: str):
    exercise = find_exercise(course, "toy")

    def run(name: str, text: str = "", decided: Resolutions | None = None) -> HandIn:
        file = tmp_path / "class" / "ada" / "toy.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text or personalise(toy_solution, exercise, name))
        (tmp_path / "roster.csv").write_text(ROSTER)
        roster = read_roster(tmp_path / "roster.csv")
        return read_class(tmp_path / "class", Wanted.of(course, roster=roster, resolutions=decided))

    return run


@pytest.mark.parametrize("name", ["ada", " ADA "])
def test_the_students_own_are_not_spoken_of(read, name):
    (entry,) = read(name).entries
    assert (entry.drawn_for, entry.drawn_doubt, entry.notes) == ("", "", ())


@pytest.mark.parametrize("name", ["alove", "ada.l@x.org", "ada.l", "Ada Lovelace"])
def test_another_name_of_the_students_counts(read, name):
    (entry,) = read(name).entries
    assert entry.drawn_for == name.casefold()
    assert entry.drawn_doubt == ""


def test_a_friends_is_told_to_both_and_does_not_count(read):
    scan = read("bob")
    (entry,) = scan.entries
    assert entry.drawn_for == ""
    assert any("drawn for bob, not for ada" in note for note in entry.notes)
    assert any("or a copy" in item.reason and item.students == ("ada",) for item in scan.evidence)
    (question,) = scan.questions
    assert question.path == "ada/toy.py"
    (entry,) = read("bob", decided=Resolutions({"ada/toy.py": Settlement(word="accept")})).entries
    assert entry.drawn_for == "bob"
    assert entry.drawn_doubt == ""


def test_the_general_ones_are_known_by_their_numbers(read, course, toy_solution):
    general = personalise_example(toy_solution, find_exercise(course, "toy"))
    (entry,) = read("", general).entries
    assert any("nobody's own" in note for note in entry.notes)


def test_a_block_of_before_is_known_by_its_numbers(read, course, toy_solution):
    exercise = find_exercise(course, "toy")
    own, others = (
        "\n".join(line for line in personalise(toy_solution, exercise, name).split("\n") if "DRAWN_FOR" not in line)
        for name in ("ada", "bob")
    )
    assert read("", own).entries[0].drawn_doubt == ""
    assert "another name, or a copy" in read("", others).entries[0].drawn_doubt


def test_a_name_changed_by_hand_is_nobodys(read, course, toy_solution):
    text = personalise(toy_solution, find_exercise(course, "toy"), "bob")
    assert read_drawn_for(text) is not None
    (entry,) = read("", text.replace('DRAWN_FOR = "bob ', 'DRAWN_FOR = "ada ')).entries
    assert entry.drawn_doubt


def test_copies_for_a_whole_roster(toy: Path, tmp_path: Path):
    import subprocess
    import sys

    (tmp_path / "roster.csv").write_text(ROSTER)
    command = [sys.executable, "-m", "autograder.commands.main", "new", "toy", "--course", str(toy)]
    if not (toy / "exercises" / "toy.py").exists():
        subprocess.run([sys.executable, "-m", "autograder.commands.main", "assign"], cwd=toy, check=True)
    made = [*command, "--roster", str(tmp_path / "roster.csv"), "--to", str(tmp_path / "copies")]
    subprocess.run(made, check=True, cwd=tmp_path)
    names = {read_drawn_for((tmp_path / "copies" / s / "toy.py").read_text()).student for s in ("ada", "bob")}
    assert names == {"ada", "bob"}
    assert subprocess.run(made, check=False, cwd=tmp_path).returncode == 2, "nobody's work is replaced"
    assert subprocess.run(command, check=False, cwd=tmp_path).returncode == 2, "a name or a roster is needed"
