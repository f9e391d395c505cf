"""Which functions a public check calls, for a check of one section."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.authoring.public import called_by_checks, checks_of
from autograder.course import ConfigurationError

CHECKS = """
def helper(student):
    return student.g(getattr(student, "h"))


@check()
def test_public_f(student):
    student.f(1)


@check()
def test_public_all(student, expect):
    helper(student)
    other.f(student)
"""
ROOT = Path(__file__).parents[3]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "test_public.py").write_text(CHECKS)
    return tmp_path / "test_public.py"


def test_a_check_calls_what_it_and_its_helpers_call(file):
    assert called_by_checks(file) == {"public_f": {"f"}, "public_all": {"g", "h"}}


def test_parts_are_functions_or_checks(file):
    assert checks_of(file, ["g"]) == ("public_all",)
    assert checks_of(file, ["h", "f"]) == ("public_f", "public_all")
    assert checks_of(file, ["all"]) == checks_of(file, ["public_all"]) == ("public_all",)
    assert checks_of(file, []) == ()
    with pytest.raises(ConfigurationError, match=r"no public check calls ff; did you mean 'f'\? They call: f, g, h"):
        checks_of(file, ["ff"])


def test_every_exercise_has_checks_of_its_sections():
    for path in sorted(ROOT.glob("solutions/*/test_public.py")):
        called = called_by_checks(path)
        assert called
        assert all(called.values()), path
