"""`new-exercise`: what it writes works at once, and the configuration keeps its comments."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.authoring.bundle import check_up_to_date, write
from autograder.authoring.errors import AuthoringError
from autograder.authoring.mistakes import read_mistakes
from autograder.authoring.new_exercise import NewExercise, check_name, create, with_entry
from autograder.batch.declarations import read_coverage
from autograder.course import find_exercise, load_config

REPOSITORY = Path(__file__).parents[3]
NEW = "score_matching"
CONFIGS = {
    "comments": (
        "schema_version: 1  # the first\ncourse: {id: x, title: X}\nexercises:   # in order\n"
        "  - id: one\n    title: One    # the first one\n    checks:\n      a: {points: 1}\n  # two is to come\n\n"
        "limits:\n  total: {seconds: 99}  # short\n"
    ),
    "at the margin": (
        "exercises:\n- {id: one, title: One}\n- id: two\n  title: Two\ncourse: {id: x, title: X}\nschema_version: 1\n"
    ),
    "no line end": "schema_version: 1\ncourse: {id: x, title: X}\nexercises:\n- id: one\n  title: One",
    "a text over lines": (
        "schema_version: 1\ncourse: {id: x, title: X}\nexercises:\n  - id: one\n    title: |\n      One\n      more\n"
        "published: true\n"
    ),
    "a quoted text over lines": (
        "schema_version: 1\ncourse: {id: x, title: X}\nexercises:\n  - id: one\n    title: \"One\n      more\"\n# end\n"
    ),
    "Windows": "schema_version: 1\r\ncourse: {id: x, title: X}\r\nexercises:\r\n  - id: one\r\n    title: One\r\n",
}  # fmt: skip


@pytest.fixture
def course(tmp_path):
    """A course of the one new exercise."""
    create(NewExercise(NEW, "Score: “matching”", tmp_path), "A 2nd course")
    return load_config(tmp_path / "grading_config.yaml")


@pytest.mark.parametrize("name", CONFIGS)
def test_the_entry_is_added_and_nothing_else_changes(name, tmp_path):
    text = CONFIGS[name]
    (tmp_path / "grading_config.yaml").write_bytes(text.encode())
    before = load_config(tmp_path / "grading_config.yaml")
    create(NewExercise(NEW, 'A "title": # 1', tmp_path))
    written = (tmp_path / "grading_config.yaml").read_bytes().decode()
    after = load_config(tmp_path / "grading_config.yaml")
    assert after.exercises[:-1] == before.exercises
    assert (after.exercises[-1].id, after.exercises[-1].title, after.exercises[-1].points) == (
        NEW,
        'A "title": # 1',
        20,
    )
    assert after.finished == before.exercises, "the new one is a draft"
    end = "\r\n" if "\r" in text else "\n"
    kept = text.splitlines(keepends=True)
    if not text.endswith(end):
        kept[-1] += end
    lines = written.splitlines(keepends=True)
    where = next(n for n, line in enumerate(lines) if NEW in line)
    assert lines[:where] + lines[where + 4 :] == kept
    assert all(line.endswith(end) for line in lines)


def test_exercises_in_brackets_are_refused_with_the_line_to_add(tmp_path):
    config = tmp_path / "grading_config.yaml"
    text = "schema_version: 1\ncourse: {id: x, title: X}\nexercises: [{id: one, title: One}]\n"
    config.write_text(text)
    with pytest.raises(
        AuthoringError, match=r"grading_config.yaml:3: .*\{id: score_matching, title: \"T\", points: 20, draft: true\}"
    ):
        create(NewExercise(NEW, "T", tmp_path))
    assert config.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["grading_config.yaml"], "nothing is written"


@pytest.mark.parametrize("name", ["Upper", "1st", "a-b", "", "class", "../up", "é", "a b"])
def test_what_is_no_name_is_refused(name, tmp_path):
    with pytest.raises(AuthoringError, match="cannot name an exercise"):
        check_name(name, tmp_path)


@pytest.mark.parametrize(
    "path", [f"solutions/{NEW}", f"tests/hidden/{NEW}", f"tests/alternatives/{NEW}", f"reference/{NEW}.json"]
)
def test_nothing_is_overwritten(path, tmp_path):
    (tmp_path / path).mkdir(parents=True)
    with pytest.raises(AuthoringError, match=f"is there already: {path}"):
        create(NewExercise(NEW, "T", tmp_path), "A course")
    assert not (tmp_path / "grading_config.yaml").exists()


def test_a_course_is_not_made_twice(course):
    with pytest.raises(AuthoringError, match="leave out --new-course"):
        create(NewExercise("other", "T", course.root), "A course")
    create(NewExercise("other", "T", course.root))
    assert [exercise.id for exercise in load_config(course.file).exercises] == [NEW, "other"]
    with pytest.raises(AuthoringError, match="is there already"):
        create(NewExercise("other", "T", course.root))


def test_everything_that_belongs_to_an_exercise_is_there(course):
    exercise = find_exercise(course, NEW)
    assert exercise.missing() == ()
    assert exercise.reference_json.is_file()
    assert read_coverage(exercise).missing() == []
    assert len(read_mistakes(exercise.mistakes, solution=exercise.solution)) == 2
    assert (course.id, course.title) == ("a-2nd-course", "A 2nd course")
    texts = [path.read_text() for path in course.root.rglob("*.*") if path.is_file()]
    assert not any("{{" in text for text in texts), "a place was not filled in"
    assert json.loads(exercise.reference_json.read_text())["exercise"] == NEW


def test_what_students_get_is_up_to_date_and_holds_no_solution(course):
    written = write(course)
    assert f"exercises/en/{NEW}/{NEW}.ipynb" in written
    assert check_up_to_date(course) == []
    stub = (course.root / "exercises" / "en" / NEW / f"{NEW}.py").read_text()
    assert "log_density is not written yet" in stub
    assert "squares" not in stub


def test_what_is_written_keeps_the_house_style(course):
    for arguments in (["check"], ["format", "--check"]):
        configuration = ["--config", str(REPOSITORY / "pyproject.toml")]
        if arguments == ["check"]:  # as where it stands beside the framework
            configuration += ["--config", "lint.isort.known-first-party=['autograder']"]
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, *configuration, "--no-cache", "solutions", "tests/hidden"],
            cwd=course.root, capture_output=True, text=True,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_an_entry_goes_behind_the_last_exercise_wherever_that_is():
    text = "a: 1\nexercises:\n  - id: one   # here\n# there\nb: 2\n"
    made = with_entry(text, NewExercise("two", "T", Path()), Path("grading_config.yaml"))
    new = '  - id: two\n    title: "T"\n    points: 20\n    draft: true\n'
    assert made == f"a: 1\nexercises:\n  - id: one   # here\n{new}# there\nb: 2\n"


def test_without_a_course_the_command_says_how_to_make_one(tmp_path):
    command = [sys.executable, "-m", "autograder.commands.main", "new-exercise", NEW, "--course", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 2
    assert "--new-course TITLE" in ran.stderr
    ran = subprocess.run([*command, "--new-course", "A\x1bB"], capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 2
    assert list(tmp_path.iterdir()) == []
