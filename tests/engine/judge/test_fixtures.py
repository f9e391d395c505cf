"""A fixture is one file: what checks may take by name follows from the files that are there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import autograder

PACKAGE = Path(autograder.__file__).parent

TWELVE = '''"""`twelve`: the number twelve, times what the student's `mean` gives for a row of ones."""

from autograder.judge.case import Case
from autograder.judge.remote import Student


def make(case: Case) -> float:
    """Twelve times one."""
    import torch

    return 12 * float(Student(case.session).mean(torch.ones(1, 3)))
'''

CHECK = '''

@check(points=0)
def test_twelve(twelve):
    """Twelve is there."""
    assert twelve == 12, "it should be twelve"
'''


def test_a_new_fixture_is_one_file(tmp_path, toy):
    shutil.copytree(PACKAGE, tmp_path / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "autograder" / "judge" / "fixtures" / "twelve.py").write_text(TWELVE, encoding="utf-8")
    shutil.copytree(toy, tmp_path / "course")
    checks = tmp_path / "course" / "tests" / "hidden" / "toy" / "test_toy.py"
    checks.write_text(checks.read_text(encoding="utf-8") + CHECK, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "autograder.judge.plugin", "-q", "-k", "twelve or mean_value",
               "--import-mode=importlib", "--noconftest", "-p", "no:cacheprovider", "-c", os.devnull]  # fmt: skip
    ran = subprocess.run(
        [*command, "--rootdir", tmp_path, checks],
        capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, timeout=300,
    )  # fmt: skip
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr
