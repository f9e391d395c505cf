"""Names and numbers that platforms let students write themselves: nobody's work lands on another's result."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course.roster import Claim, read_roster
from autograder.submissions import Wanted, read_class

SOURCE = "def mean(x):\n    return x.mean(1)\n"
METADATA = """\
submission_1:
  :submitters:
  - :name: Ada Lovelace
    :sid: {ada}
    :email: ada@example.org
  :created_at: 2027-02-08 10:00:00
submission_2:
  :submitters:
  - :name: Eve
    :sid: {eve}
    :email: eve@example.org
  :created_at: 2027-02-09 10:00:00
"""


def put(base: Path, names: list[str]) -> Path:
    for name in names:
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SOURCE, encoding="utf-8")
    return base


def gradescope(base: Path, ada: str, eve: str) -> Path:
    put(base, ["submission_1/toy.py", "submission_2/toy.py"])
    (base / "submission_metadata.yml").write_text(METADATA.format(ada=ada, eve=eve), encoding="utf-8")
    return base


def taken(scan) -> dict[str, str]:
    return {entry.student: entry.path.parent.name for entry in scan.entries}


def test_a_number_of_somebody_elses_takes_no_result(tmp_path):
    """Students of Gradescope write their own number: the later of two hand-ins would have been what counts."""
    scan = read_class(gradescope(tmp_path / "in", "4711", "4711"), Wanted(["toy"]), tmp_path / "work")
    assert taken(scan) == {"4711_ada@example.org": "submission_1", "4711_eve@example.org": "submission_2"}
    assert sum("2 students are called 4711" in item.reason for item in scan.evidence) == 2


def test_on_a_roster_neither(tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text("id,name,email\nada,Ada Lovelace,ada@example.org\neve,Eve,eve@example.org\n", encoding="utf-8")
    wanted = Wanted(["toy"], roster=read_roster(roster))
    scan = read_class(gradescope(tmp_path / "in", "ada", "ada"), wanted, tmp_path / "work")
    assert taken(scan) == {"ada": "submission_1"}
    assert any("ada, eve" in item.reason for item in scan.evidence)
    assert [(n.student, n.kind) for n in scan.not_gradable] == [("eve", "contradiction")], "and nobody is missing"
    found = read_roster(roster).find(Claim("ada", ("id",)), Claim("eve@example.org", ("email",)), name="Eve")
    assert [person.id for person in found] == ["ada", "eve"], "a number and an address of two people name neither"


@pytest.mark.parametrize("name", ["\u00a0..", "\u00a0.", "\u00a0.reference"])
def test_a_name_that_leads_elsewhere_is_listed(tmp_path, name):
    """A no-break space is no blank to the platform that took it off the ends of a name."""
    folder = put(tmp_path / "in", [f"{name}_1_assignsubmission_file_/toy.py", "Ada_2_assignsubmission_file_/toy.py"])
    scan = read_class(folder, Wanted(["toy"]), tmp_path / "work")
    assert [entry.student for entry in scan.entries] == ["Ada"]
    # Whoever it is gets a harmless name, and a person has to look.
    (stranger,) = set(scan.students) - {"Ada"}
    assert stranger.isidentifier()
    assert [(n.student, n.kind) for n in scan.not_gradable] == [(stranger, "person_unknown")]
    assert any("cannot name a student's folder" in item.reason for item in scan.evidence)


def test_an_own_number_that_leads_elsewhere(tmp_path):
    scan = read_class(gradescope(tmp_path / "in", "4711", ".reference"), Wanted(["toy"]), tmp_path / "work")
    assert taken(scan) == {"4711": "submission_1"}


def test_names_that_differ_in_case_are_told_apart(tmp_path):
    """On some file systems they are one folder."""
    names = ["Ada B_1_assignsubmission_file_/toy.py", "ADA B_2_assignsubmission_file_/toy.py"]
    scan = read_class(put(tmp_path / "in", names), Wanted(["toy"]), tmp_path / "work")
    assert [entry.student for entry in scan.entries] == ["ADA B_2", "Ada B_1"]


def test_folders_that_differ_in_case_stay(tmp_path):
    scan = read_class(put(tmp_path / "in", ["Ada/toy.py", "ada/toy.py"]), Wanted(["toy"]), tmp_path / "work")
    assert [entry.student for entry in scan.entries] == ["Ada", "ada"]
