"""The student bundle: generated, reproducible, up to date or said to be not, and empty of every answer."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.authoring import bundle
from autograder.authoring.errors import AuthoringError
from autograder.authoring.personal import load_quiz, write_personal
from autograder.course import find_exercise, list_exercises, load_config
from autograder.course.config import CourseConfig
from autograder.course.errors import ConfigurationError

CONFIG = """\
schema_version: 1
course: {id: demo-course, title: "Démo: a course", language: fr, timezone: Europe/Paris}
exercises:
  - {id: demo, title: A demo, due: 2027-02-01}
secret: {env: SECRET_PLACE}
"""
SOLUTION = '''\
# %% [markdown]
# # Demo

# %%
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    factor_that_nobody_may_see = 2
    return factor_that_nobody_may_see * x
    ### END SOLUTION


# %%
### BEGIN PERSONAL
PERSONAL = {}
QUIZ = {}
### END PERSONAL
ANSWERS = {"q": None}
### BEGIN SOLUTION
ANSWERS = {"q": PERSONAL["n"] + 1}
### END SOLUTION
'''
QUIZ = '''\
"""Quiz."""


def personal(rng):
    return {"n": rng.randint(1, 99)}


def questions(personal):
    return {"q": f"What comes after {personal['n']}? Answer: a whole number."}


### BEGIN SOLUTION
def answers(personal):
    return {"q": {"kind": "integer", "value": personal["n"] + 1}}
### END SOLUTION
'''
PUBLIC = '''\
from autograder.judge import check


@check(points=0, kind="exact")
def test_double(student, compare):
    """Twice two is four."""
    compare(student.double(2), 4, what="double(2)")
'''


@pytest.fixture
def course(tmp_path: Path) -> CourseConfig:
    (tmp_path / "grading_config.yaml").write_text(CONFIG, encoding="utf-8")
    found = load_config(tmp_path / "grading_config.yaml")
    exercise = find_exercise(found, "demo")
    exercise.folder.mkdir(parents=True)
    exercise.quiz.write_text(QUIZ)
    exercise.public_checks.write_text(PUBLIC)
    exercise.mistakes.write_text("")
    drawn = load_quiz(exercise.quiz).draw(random.Random("example"))
    exercise.solution.write_text(write_personal(SOLUTION, exercise.solution, *drawn))
    return found


def test_the_bundle_holds_what_students_need_and_no_more(course: CourseConfig) -> None:
    files = bundle.generate(course)
    assert sorted(files) == [
        "README.md",
        "course.yaml",
        "demo/demo.ipynb",
        "demo/demo.py",
        "demo/quiz.py",
        "demo/test_public.py",
        "install.py",
    ]
    everything = b"\n".join(files.values())
    for secret in (b"factor_that_nobody_may_see", b"def answers", b"SOLUTION", b"SECRET_PLACE"):
        assert secret not in everything
    stub = files["demo/demo.py"].decode()
    assert 'raise NotImplementedError("double is not written yet")' in stub
    notebook = nbformat.reads(files["demo/demo.ipynb"].decode(), as_version=4)
    assert [cell.id for cell in notebook.cells] == ["demo", "double", "check-double", "quiz-questions", "quiz", "check"]


def test_generation_is_the_same_every_time(course: CourseConfig) -> None:
    """In another process too, whose sets are in another order."""
    program = (
        "import hashlib, pathlib, sys; from autograder.authoring.bundle import generate; "
        "from autograder.course import load_config; files = generate(load_config(pathlib.Path(sys.argv[1]))); "
        "print(hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program, str(course.file)],
            env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True, timeout=120,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {f"{hashlib.sha256(repr(sorted(bundle.generate(course).items())).encode()).hexdigest()}\n"}


def test_the_students_course_file_is_a_configuration(course: CourseConfig, tmp_path: Path) -> None:
    file = tmp_path / "student" / "course.yaml"
    file.parent.mkdir()
    file.write_bytes(bundle.generate(course)["course.yaml"])
    theirs = load_config(file)
    assert (theirs.id, theirs.title, theirs.language) == (course.id, course.title, course.language)
    assert theirs.exercises[0].due == course.exercises[0].due
    assert theirs.secret.env != course.secret.env


def test_writing_makes_it_up_to_date(course: CourseConfig) -> None:
    assert [line for line in bundle.check_up_to_date(course) if "missing" in line]
    assert len(bundle.write(course)) == 7
    assert bundle.check_up_to_date(course) == []
    assert bundle.write(course) == ()


def test_each_language_has_a_place_of_its_own(course: CourseConfig) -> None:
    """Those that the course is translated to, or those that are asked for; each can be given out as it is."""
    catalogue = course.translations / "en" / "LC_MESSAGES" / "course.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n', encoding="utf-8")
    assert bundle.languages(course) == ["fr", "en"]
    assert {path.split("/")[1] for path in bundle.write(course, ["en"])} == {"en"}
    assert bundle.check_up_to_date(course, ["en"]) == []
    assert {line.split("/")[1] for line in bundle.check_up_to_date(course)} == {"fr"}
    assert {path.split("/")[1] for path in bundle.write(course)} == {"fr"}
    assert bundle.check_up_to_date(course) == []
    for language in ("en", "fr"):
        assert load_config(course.root / f"exercises/{language}/course.yaml").language == language


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("exercises/fr/demo/demo.py", None, "exercises/fr/demo/demo.py: missing"),
        (
            "exercises/fr/demo/demo.py",
            "# %%\n",
            "exercises/fr/demo/demo.py: differs from its source, first in line 1",
        ),
        ("exercises/fr/demo/notes.txt", "x", "exercises/fr/demo/notes.txt: not generated"),
        ("exercises/fr/old/old.py", "x", "exercises/fr/old/old.py: not generated"),
        ("solutions/demo/quiz.py", QUIZ.replace("99", "9"), "its PERSONAL block is not what quiz.py draws"),
        ("solutions/demo/demo.py", None, None),
    ],
)
def test_whatever_is_out_of_date_is_told(
    course: CourseConfig, path: str, content: str | None, words: str | None
) -> None:
    bundle.write(course)
    target = course.root / path
    if content is None:
        target.unlink()
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    if words is None:
        with pytest.raises(ConfigurationError, match=r"il manque solutions/demo/demo\.py"):  # the course speaks French
            bundle.check_up_to_date(course)
        return
    (line,) = [line for line in bundle.check_up_to_date(course) if words in line]
    # What helps is said, and it helps.
    if "run `autograder assign`" in line:
        bundle.write(course)
    else:
        assert "remove it" in line
        target.unlink()
    assert bundle.check_up_to_date(course) == []


def test_what_tools_leave_behind_does_not_count(course: CourseConfig) -> None:
    bundle.write(course)
    left = course.root / "exercises" / "fr" / "demo" / "__pycache__" / "quiz.cpython-311.pyc"
    left.parent.mkdir()
    left.write_bytes(b"")
    assert bundle.check_up_to_date(course) == []


def test_a_solution_copied_into_given_code_is_refused(course: CourseConfig) -> None:
    exercise = find_exercise(course, "demo")
    lines = SOLUTION.split("\n")
    region = "\n".join(lines[lines.index("    ### BEGIN SOLUTION") + 1 : lines.index("    ### END SOLUTION")])
    text = exercise.solution.read_text()
    exercise.solution.write_text(f"{text}\n\n# %%\ndef given(x):\n{region}\n")
    with pytest.raises(AuthoringError, match="contiendraient des parties de la solution"):
        bundle.generate(course)


def test_a_solution_without_regions_is_refused(course: CourseConfig) -> None:
    exercise = find_exercise(course, "demo")
    exercise.solution.write_text("### BEGIN PERSONAL\nPERSONAL = {}\n### END PERSONAL\n")
    with pytest.raises(AuthoringError, match="aucune région de solution"):
        bundle.generate(course)


def test_leaks_are_seen_in_notebooks_too(course: CourseConfig) -> None:
    exercise = find_exercise(course, "demo")
    secret = "    factor_that_nobody_may_see = 2\n    return factor_that_nobody_may_see * x"
    notebook = {"cells": [{"cell_type": "code", "source": secret.splitlines(keepends=True)}]}
    assert bundle.leaks(exercise, {"a.ipynb": json.dumps(notebook)})
    assert bundle.leaks(exercise, {"a.py": "### BEGIN SOLUTION"})
    assert not bundle.leaks(exercise, {"a.py": "def double(x):\n    return x"})


# --- this repository's own course


COURSE = load_config(Path(__file__).parents[3] / "grading_config.yaml")
WRITTEN = [exercise for exercise in list_exercises(COURSE) if exercise.public_checks.is_file()]


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.id)
def test_the_exercises_of_this_course_hold_no_answer(exercise: bundle.Exercise) -> None:
    files = {path: content.decode() for path, content in bundle.generate_exercise(exercise).items()}
    assert bundle.leaks(exercise, files) == []
    compile(files[f"{exercise.id}/{exercise.id}.py"], "stub", "exec")
    assert "def answers" not in files[f"{exercise.id}/quiz.py"]
    nbformat.validate(nbformat.reads(files[f"{exercise.id}/{exercise.id}.ipynb"], as_version=4))
