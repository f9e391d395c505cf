"""Where a student's copy of the course is found, and where a user's own files lie."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autograder.course.config import load_config
from autograder.course.discovery import find_exercise
from autograder.course.errors import ConfigurationError
from autograder.course.folders import user_folder
from autograder.course.handout import find_handout

CONFIG = """\
schema_version: 1
course: {id: demo, title: Demo}
exercises: [{id: first, title: One}]
"""


@pytest.mark.parametrize("start", [".", "exercises", "exercises/first", "alice/deeper"])
def test_the_handout_is_found_from_inside_and_from_beside(tmp_path: Path, start: str) -> None:
    folder = tmp_path / "exercises"
    (folder / "first").mkdir(parents=True)
    (folder / "course.yaml").write_text(CONFIG)
    (folder / "first" / "quiz.py").write_text("")
    (tmp_path / start).mkdir(parents=True, exist_ok=True)
    handout = find_handout(tmp_path / start)
    assert handout.folder == folder.resolve()
    assert handout.file("first", "quiz.py") == folder.resolve() / "first" / "quiz.py"
    assert handout.exercise("first").course == "demo"
    with pytest.raises(ConfigurationError, match=r"first\.py: missing; get the course's files again"):
        handout.file("first", "first.py")
    with pytest.raises(ConfigurationError, match="no exercise 'second'"):
        handout.exercise("second")


@pytest.mark.parametrize(
    ("made", "course", "asked", "found"),
    [
        (["en"], None, None, "en"),
        (["en"], None, "fr", "en"),
        (["en", "fr"], None, "fr", "fr"),
        (["en", "fr"], None, None, "en"),
        (["en", "fr"], "fr", None, "fr"),
        (["en", "fr"], "fr", "en", "en"),
    ],
)
def test_the_wanted_language_comes_first(tmp_path, made, course, asked, found) -> None:
    for language in made:
        (tmp_path / "exercises" / language).mkdir(parents=True)
        (tmp_path / "exercises" / language / "course.yaml").write_text(CONFIG)
    if course is not None:
        (tmp_path / "grading_config.yaml").write_text(CONFIG.replace("title: Demo", f"title: Demo, language: {course}"))
    assert find_handout(tmp_path, asked).folder == tmp_path.resolve() / "exercises" / found


def test_no_handout_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no course\.yaml in "):
        find_handout(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG folders are Linux's")
def test_user_folders_follow_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTOGRADER_CACHE", "AUTOGRADER_STATE", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_folder("cache") == tmp_path / ".cache" / "autograder"
    assert user_folder("state") == tmp_path / ".local" / "state" / "autograder"
    monkeypatch.setenv("XDG_STATE_HOME", "relative/is/ignored")
    assert user_folder("state") == tmp_path / ".local" / "state" / "autograder"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert user_folder("state") == tmp_path / "xdg" / "autograder"
    monkeypatch.setenv("AUTOGRADER_STATE", str(tmp_path / "named"))
    assert user_folder("state") == tmp_path / "named"


def test_shared_questions_reach_students_and_judge(tmp_path: Path) -> None:
    (tmp_path / "course.yaml").write_text(f"{CONFIG}questions: shared\n")
    assert find_handout(tmp_path).exercise("first").shared_questions
    assert find_exercise(load_config(tmp_path / "course.yaml"), "first").shared_questions
