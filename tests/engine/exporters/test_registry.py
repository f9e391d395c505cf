"""An exporter is one file: the command line, its help and what is written follow from the files that are there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograder
from autograder.exporters.formats import exporter, names
from autograder.reports.cells import ExportFault

LINES = '''"""Final points, a line each."""

from autograder.exporters.exporter import Written, Option

TITLE = "Final points, a line each."
HELP = ("Write a line for each grade.", "For whoever reads lines.")
OPTIONS = (Option("sign", "What stands between.", choices=("dash", "colon")), Option("loud", "In capitals.", "flag"))
TABLE = True


def write(graded, given):
    sign = {"dash": " - ", "colon": ": "}[given.text("sign") or "dash"]
    lines = [f"{row.grade.student}{sign}{given.form.number(row.final)}" for row in graded.table.rows]
    text = "\\n".join(lines)
    return Written((text.upper() if given.flag("loud") else text).encode(), f"{len(lines)} lines", ("that is all",))
'''


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the framework with an exporter more."""
    folder = tmp_path_factory.mktemp("tree")
    package = Path(autograder.__file__).parent
    shutil.copytree(package, folder / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "autograder/exporters/formats/by_line.py").write_text(LINES)
    return folder


def run(tree: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [sys.executable, "-m", "autograder.commands.main", "export", *arguments],
        capture_output=True, text=True, timeout=120, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)},
    )  # fmt: skip
    assert ran.returncode == status, ran.stderr
    return ran


def test_an_exporter_is_added_by_one_file(tree, course):
    out, file = str(course / "out"), course / "lines"
    ran = run(tree, "by-line", out, "-o", str(file), "--course", str(course), "--sign", "colon", "--loud",
              "--exercise", "chains", "--decimal", "comma")  # fmt: skip
    assert file.read_text(encoding="utf-8").splitlines() == ["=CMD(): 3", "ADA: 15", "ZOÉ: 12,5"]
    assert ran.stdout.splitlines() == [f"wrote {file}", "3 lines"]
    assert ran.stderr.splitlines()[-1] == "that is all"


def test_its_help_follows(tree):
    assert "by-line          Final points, a line each." in run(tree, "--help").stdout
    said = run(tree, "by-line", "--help").stdout
    for text in ("Write a line for each grade.", "For whoever reads lines.", "--sign [dash|colon]", "--loud"):
        assert text in said
    assert "--decimal" in said
    assert "'dash', 'colon'" in run(tree, "by-line", ".", "-o", "x", "--sign", "star", status=2).stderr
    assert "by-line" in run(tree, "by-lines", status=2).stderr


def test_an_exporter_that_is_not_there():
    assert names() == ("canvas", "csv", "feedback", "json", "moodle", "nbgrader-csv")
    with pytest.raises(ExportFault, match="no exporter 'exel'; there are: canvas, csv, feedback"):
        exporter("exel")


@pytest.mark.parametrize("name", names())
def test_every_exporter_says_what_it_is(name):
    one = exporter(name)
    assert one.TITLE.endswith(".")
    assert all(text.endswith(".") for text in one.HELP)
    assert all(option.help for option in one.OPTIONS)


def test_a_table_without_a_choice_of_form_has_no_such_options(tree):
    assert "--decimal" not in run(tree, "json", "--help").stdout
