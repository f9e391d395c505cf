"""What a student may name to be checked, and what they read where it is nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder import Course
from autograder.authoring.bundle import write
from autograder.course import ConfigurationError, load_config
from autograder.service import speed
from autograder.service.own_check import to_check

MEAN = "def mean(x):\n    return x\n"


@pytest.fixture(scope="module")
def course(toy: Path) -> Course:
    write(load_config(toy / "grading_config.yaml"))
    return Course.handed_out(toy)


@pytest.mark.parametrize("name", ["toy.py", "toy.ipynb", "Toy (1).py", "my toy.py", "copy of toy.ipynb", "TOY-Copy.py"])
def test_a_file_is_known_by_its_name(course, tmp_path, name):
    (tmp_path / name).write_text(MEAN)
    for place in (tmp_path / name, tmp_path):
        assert [(e.exercise, e.path) for e in to_check(course, place)] == [("toy", tmp_path / name)]


def test_a_file_of_another_name_is_known_by_what_it_defines(course, tmp_path):
    (tmp_path / "homework.py").write_text(MEAN)
    assert to_check(course, tmp_path / "homework.py")[0].exercise == "toy"
    (tmp_path / "other.py").write_text("x = 1\n")
    with pytest.raises(ConfigurationError, match=r"say --exercise NAME, one of: toy"):
        to_check(course, tmp_path / "other.py")
    assert to_check(course, tmp_path / "other.py", "toy")[0].exercise == "toy"


def test_an_exercise_is_found_here(course, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"there is no toy\.py or toy\.ipynb here"):
        to_check(course, Path("toy"))
    for folder in ("ada", "bob"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "toy.py").write_text(MEAN)
        if folder == "ada":
            assert to_check(course, Path("toy"))[0].path == Path("ada/toy.py")
    with pytest.raises(ConfigurationError, match=r"which of these is meant\? ada.toy.py, bob.toy.py"):
        to_check(course, Path("toy"))


def test_what_is_not_there_is_met_halfway(course, tmp_path):
    (tmp_path / "toy.py").write_text(MEAN)
    with pytest.raises(ConfigurationError, match=r"no such file; did you mean '.*toy.py'\?"):
        to_check(course, tmp_path / "toi.py")
    for other in ("ada/toy.ipynb", "toy/toy.py", "ada/notes.py", "install.py"):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).write_text("")
    with pytest.raises(ConfigurationError, match=r"no such file; there are: \S*/toy.py, \S*/ada/toy.ipynb$"):
        to_check(course, tmp_path / "zzzzzzzzz")
    shutil.rmtree(tmp_path / "toy")
    shutil.rmtree(tmp_path / "ada")
    with pytest.raises(ConfigurationError, match=r"no such file; did you mean 'toy'\?"):
        to_check(course, Path("tooy"))
    with pytest.raises(ConfigurationError, match="the course has no exercise 'to'"):
        to_check(course, tmp_path / "toy.py", "to")
    (tmp_path / "empty" / "ada").mkdir(parents=True)
    (tmp_path / "empty" / "ada" / "toy.py").write_text(MEAN)
    with pytest.raises(ConfigurationError, match=r"no file of an exercise is in this folder; name a file.*ada.toy.py"):
        to_check(course, tmp_path / "empty")


def test_in_a_folder_a_function_means_the_files_that_have_checks_of_it(tmp_path):
    for name, function in (("toy", "mean"), ("flows", "sample")):
        (tmp_path / "given" / name).mkdir(parents=True)
        (tmp_path / "given" / name / "test_public.py").write_text(f"def test_a(student):\n    student.{function}()\n")
        (tmp_path / "ada").mkdir(exist_ok=True)
        (tmp_path / "ada" / f"{name}.py").write_text(MEAN)
    handout = SimpleNamespace(file=lambda exercise, name: tmp_path / "given" / exercise / name)
    course = SimpleNamespace(exercises=("toy", "flows"), handout=handout)

    def chosen(*parts: str) -> list[str]:
        return [entry.exercise for entry in to_check(course, tmp_path / "ada", None, parts)]

    assert chosen("sample") == ["flows"]
    assert chosen() == chosen("typo") == ["flows", "toy"], "the first says what can be named"


@pytest.mark.parametrize(("seconds", "factor"), [(1.0, 1.0), (1.1, 1.0), (2.04, 2.0), (0.6, 0.6), (0.1, 0.5), (9, 8.0)])
def test_limits_follow_the_machine(monkeypatch, seconds, factor):
    tries = iter([9e9, seconds * speed.NOMINAL_SECONDS, *[9e9] * 99])
    monkeypatch.setattr(speed, "_timed", lambda: next(tries))
    assert speed.slower() == factor
