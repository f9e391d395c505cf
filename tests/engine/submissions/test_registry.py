"""A layout is one file: what the command line offers and what is read follow from the files that are there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.submissions.layouts import layouts, names

PACKAGE = Path(__file__).parents[3] / "autograder"

# The exercise and the student, with an equals sign between: no layout of ours reads it.
INBOX = '''
"""Files called `exercise=student.py`."""

from autograder.submissions.layout import Delivery, Identity, Part, Reading

RANK = 5
TITLE = "an inbox"
SURE = False


def detect(folder, context):
    return "an equals sign in every name" if all("=" in item.name for item in context.listed(folder)) else ""


def read(folder, context):
    reading = Reading()
    for item in context.listed(folder):
        exercise, student = item.name.removesuffix(".py").split("=")
        who = Identity(student)
        part = Part(item.path, f"{exercise}.py")
        reading.deliveries.append(Delivery(who, (part,), exercise=exercise))
    return reading
'''


def run(tree: Path, *arguments: str | Path, status: int = 0) -> str:
    """`autograder` of a copy of the package, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "autograder.commands.main", *map(os.fspath, arguments)],
        env=os.environ | {"PYTHONPATH": os.fspath(tree), "COLUMNS": "200"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == status, ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGE, tmp_path / "tree" / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "tree"


@pytest.fixture
def class_of_one(tmp_path: Path) -> Path:
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "toy=ada.py").write_text("def double(x):\n    return 2 * x\n")
    return folder


def test_a_layout_is_added_by_one_file(tree: Path, class_of_one: Path, toy: Path, tmp_path: Path):
    dry_run = ("grade", class_of_one, "--course", toy, "--out", tmp_path / "out", "--dry-run")
    assert "inbox" not in run(tree, "grade", "--help")
    assert "only 0 of 1 things are explained" in run(tree, *dry_run, status=2)
    (tree / "autograder/submissions/layouts/inbox.py").write_text(INBOX)
    assert "inbox" in run(tree, "grade", "--help")
    for layout in ("auto", "inbox"):
        told = run(tree, *dry_run, "--layout", layout)
        assert "ada" in told
        assert "1 would be graded" in told
    assert "inbox" in run(tree, *dry_run, "--layout", "in-box", status=2)


def test_every_layout_says_what_it_is_and_when_it_is_tried():
    found = layouts()
    assert set(found) == set(names())
    assert len({layout.RANK for layout in found.values()}) == len(found)
    assert list(found)[-1] == "folder"
    assert all(layout.TITLE for layout in found.values())
