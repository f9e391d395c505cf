"""Decisions: the template lists what has to be decided, and what is decided is done."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.course.errors import ConfigurationError
from autograder.course.roster import read_roster
from autograder.submissions import Wanted, read_class
from autograder.submissions.resolutions import Resolutions, read_resolutions, template

EXERCISES = ("markov_quiz", "vae_mnist")


@pytest.fixture
def given(tmp_path: Path) -> Path:
    for name in ("ada/v1.py", "ada/v2.py", "=eve/markov_quiz.py", "bob/markov_quiz.py"):
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"x = '{name}'\n")
    (tmp_path / "roster.csv").write_text("id,name\nada,Ada L\nbob,Bob Ray\nzoe,Zoe M\n")
    return tmp_path


def read(given: Path, decided: Resolutions | None = None):
    roster = read_roster(given / "roster.csv")
    return read_class(given / "class", Wanted(EXERCISES, roster=roster, resolutions=decided or Resolutions()))


def test_the_template_filled_in_settles_everything(given: Path):
    scan = read(given)
    text = template(scan.questions)
    paths = [line.partition(",")[0] for line in text.splitlines()[1:]]
    assert paths == ["'=eve/markov_quiz.py", "ada/v1.py", "ada/v2.py"]
    filled = (
        text.replace("'=eve/markov_quiz.py,", "'=eve/markov_quiz.py,zoe", 1)
        .replace("ada/v1.py,,,,", "ada/v1.py,,,,ignore")
        .replace("ada/v2.py,,,", "ada/v2.py,,markov_quiz,2027-02-08 23:10")
    )
    (given / "resolve.csv").write_text(filled)
    decided = read_resolutions(given / "resolve.csv", EXERCISES, read_roster(given / "roster.csv"), UTC)
    scan = read(given, decided)
    found = {(entry.student, entry.exercise): entry for entry in scan.entries}
    assert set(found) == {("ada", "markov_quiz"), ("bob", "markov_quiz"), ("zoe", "markov_quiz")}
    assert found["ada", "markov_quiz"].path.name == "v2.py"
    assert found["ada", "markov_quiz"].submitted == datetime(2027, 2, 8, 23, 10, tzinfo=UTC)
    assert scan.questions == []
    assert scan.not_gradable == ()
    (given / "again.csv").write_text(template(scan.questions, scan.decided))
    again = read_resolutions(given / "again.csv", EXERCISES, read_roster(given / "roster.csv"), UTC)
    assert again == decided, "what was decided is kept in the next template"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("ada/v1.py,adaa,,,", "line 2.*adaa.*did you mean ada"),
        ("ada/v1.py,,markov,,", "line 2.*no exercise markov"),
        ("ada/v1.py,,,soon,", "line 2.*no time"),
        ("ada/v1.py,,,,maybe", "line 2.*no decision"),
    ],
)
def test_a_misspelt_decision_is_refused(given: Path, row: str, words: str):
    (given / "resolve.csv").write_text(f"path,student,exercise,submitted,decision\n{row}\n")
    with pytest.raises(ConfigurationError, match=words):
        read_resolutions(given / "resolve.csv", EXERCISES, read_roster(given / "roster.csv"), UTC)


def test_decisions_in_yaml_are_those_of_a_table(given: Path):
    roster = read_roster(given / "roster.csv")
    (given / "resolve.csv").write_text(
        "path,student,exercise,submitted,decision\n=eve/markov_quiz.py,zoe,,,\nada/v1.py,,,,ignore\n"
        "ada/v2.py,,markov_quiz,2027-02-08 23:10,\n"
    )
    (given / "resolve.yaml").write_text(
        "- {path: =eve/markov_quiz.py, student: zoe}\n- {path: ada/v1.py, decision: ignore}\n"
        "- path: ada/v2.py\n  exercise: markov_quiz\n  submitted: 2027-02-08 23:10\n  decision:\n"
    )
    table, listed = (read_resolutions(given / name, EXERCISES, roster, UTC) for name in ("resolve.csv", "resolve.yaml"))
    assert listed == table
    assert len(listed.settled) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {path: ada/v1.py}\n- {path: ada/v2.py, student: adaa}", "entry 2.*adaa.*did you mean ada"),
        ("- {path: ada/v1.py, word: ignore}", "entry 1.*word"),
        ("- {student: ada}", "entry 1.*path"),
        ("- {path: [ada]}", "entry 1"),
        ("path: ada/v1.py", "list"),
        ("- {path: ", "line 1"),
    ],
)
def test_a_wrong_entry_in_yaml_is_refused(given: Path, text: str, words: str):
    (given / "resolve.yml").write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        read_resolutions(given / "resolve.yml", EXERCISES, read_roster(given / "roster.csv"), UTC)
