# ruff: noqa: E501 - a table of attackers: a line each, where it can be
"""Hostile folders: floods of files, absurd names, links. One student's folder costs nobody else anything."""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
from pathlib import Path

import pytest

from autograder.book.grades import grade
from autograder.course import load_config
from autograder.course.written import Intake
from autograder.exporters.people import People
from autograder.exporters.table import GradeTable
from autograder.reports.cells import Form, safe_cell
from autograder.reports.table import grade_table, result_table
from autograder.results.files import result_path
from autograder.results.model import CheckResult, Result
from autograder.service.views import write_result
from autograder.submissions import SubmissionUnreadable, Wanted, read_class, read_submission, shelf, walking
from autograder.submissions.choosing import MAX_CANDIDATES

SOURCE = "def mean(x):\n    return x.mean(1)\n"


TOY = Path(__file__).parents[1] / "toy"


@pytest.fixture
def course():
    return load_config(TOY / "grading_config.yaml")


def put(base: Path, name: str, content: str | bytes = SOURCE) -> Path:
    path = base / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def placed(scan) -> list[tuple[str, str]]:
    return [(entry.student, entry.path.name) for entry in scan.entries]


@pytest.mark.parametrize("where", ["beside", "before", "nested"])
def test_a_flood_of_files_hides_nobodys_work(tmp_path, where):
    """Three times the bound, and the work is found all the same: the student's own, and the next one's."""
    inside = {"beside": "eve", "before": "eve/a_data", "nested": "eve/a/b"}[where]
    put(tmp_path, f"{inside}/x0")
    for number in range(3 * Intake().entries):
        (tmp_path / inside / f"picture{number}.png").touch()
    put(tmp_path, "eve/toy.py")
    put(tmp_path, "fay/toy.py")
    scan = read_class(tmp_path, Wanted(["toy"]))
    assert placed(scan) == [("eve", "toy.py"), ("fay", "toy.py")]
    assert sum(str(Intake().entries) in item.reason for item in scan.evidence) == 1
    assert len(scan.evidence) <= Intake().entries + 2


def test_no_more_entries_are_kept_than_looked_at(tmp_path, monkeypatch):
    """A million names must not become a million objects, nor be sorted."""
    kept: list[int] = []
    listed = walking.listed

    def count(*arguments):
        found = listed(*arguments)
        kept.append(len(found))
        return found

    monkeypatch.setattr(walking, "listed", count)
    for number in range(500):
        put(tmp_path, f"eve/{number}.txt", b"")
    read_class(tmp_path, Wanted(["toy"], intake=Intake(entries=50)))
    assert max(kept) == 51


def test_of_many_files_for_one_exercise_few_are_read(tmp_path, monkeypatch):
    """Each may have 32 MB, and all would be read to choose one."""
    read: list[Path] = []
    reader = shelf.read_submission
    monkeypatch.setattr(shelf, "read_submission", lambda path, **more: read.append(path) or reader(path, **more))
    for number in range(40):
        put(tmp_path, f"eve/toy ({number}).py")
    put(tmp_path, "eve/toy.py")
    scan = read_class(tmp_path, Wanted(["toy"]))
    assert len(read) == MAX_CANDIDATES
    assert placed(scan) == [("eve", "toy.py")]
    assert len(scan.entries[0].notes) < 2 * MAX_CANDIDATES
    assert len(scan.evidence) == 40, "all others are listed"


def test_a_name_that_grows_when_composed_is_listed(tmp_path):
    """255 bytes here, 510 where the result would go: writing it would end the whole batch."""
    name = "\u0958" * 85
    assert len(unicodedata.normalize("NFC", name).encode()) > 255
    put(tmp_path, f"{name}/toy.py")
    put(tmp_path, "fay/toy.py")
    scan = read_class(tmp_path, Wanted(["toy"]))
    assert placed(scan) == [("fay", "toy.py")]
    assert "longer than" in scan.evidence[0].reason


def test_every_name_that_is_taken_can_be_written(tmp_path):
    for name in ("é" * 100, "🌊" * 50, "a" * 200, "con", "-rf", "=1+1", "~", "$(reboot)", "a;b", "[red]x[/red]"):
        put(tmp_path / "class", f"{name}/toy.py")
    scan = read_class(tmp_path / "class", Wanted(["toy"]))
    assert len(scan.entries) == 10
    for entry in scan.entries:
        path = result_path(tmp_path / "out", entry.student, entry.exercise)
        write_result(tmp_path / "out", Result(entry.student, entry.exercise, 0, 10, "graded"))
        assert path.is_file()
        assert path.parents[2] == tmp_path / "out"


TARGETS = {
    "a file": lambda base: put(base, "secret.py", "SECRET = 1\n"),
    "a folder": lambda base: put(base, "folder/x", "").parent,
    "a device": lambda base: Path("/dev/zero"),
    "own descriptors": lambda base: Path("/proc/self/fd/0"),
    "itself": lambda base: base / "class" / "eve" / "toy.py",
    "nothing": lambda base: base / "nowhere",
}


@pytest.mark.parametrize("target", TARGETS)
def test_a_linked_submission_is_refused(tmp_path, target):
    (tmp_path / "class" / "eve").mkdir(parents=True)
    link = tmp_path / "class" / "eve" / "toy.py"
    link.symlink_to(TARGETS[target](tmp_path))
    scan = read_class(tmp_path / "class", Wanted(["toy"]))
    assert scan.entries == ()
    assert scan.evidence[0].reason.startswith("a link")
    with pytest.raises(SubmissionUnreadable):  # and if it became a link after the scan
        read_submission(link, base=tmp_path / "class")


def test_a_linked_student_is_refused(tmp_path):
    put(tmp_path, "class/fay/toy.py")
    (tmp_path / "class" / "eve").symlink_to(tmp_path / "class" / "fay")
    scan = read_class(tmp_path / "class", Wanted(["toy"]))
    assert placed(scan) == [("fay", "toy.py")]


def test_a_gigabyte_is_refused_before_it_is_read(tmp_path):
    """A hole costs no disk here, and no memory there."""
    path = put(tmp_path, "eve/toy.ipynb")
    os.truncate(path, 2**30)
    before = os.times()
    with pytest.raises(SubmissionUnreadable, match="too large"):
        read_submission(path)
    assert os.times().user - before.user < 1, "a gigabyte was looked at"


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar"])
def test_what_is_only_called_an_archive_is_listed(tmp_path, suffix):
    """No bomb, no `..`, no absolute name comes out of it."""
    put(tmp_path, f"eve/toy{suffix}", b"PK\x03\x04" + b"../../../etc/passwd" * 3)
    put(tmp_path, f"class{suffix}", b"PK\x03\x04")
    scan = read_class(tmp_path, Wanted(["toy"]))
    assert scan.entries == ()
    assert all("archive" in item.reason for item in scan.evidence)
    assert len(scan.evidence) == 2


# --- what a name or a message may do to those who read it ---------------------------------------------------------

FORMULAS = ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1", "\uff0b1", " =1", "a;=1", "a\n=1+1", "a\t@x",
            "x|=1", "a; =cmd|' /C calc'!A0", "=HYPERLINK(\"http://x\")", "a;\u200b=1"]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula_in_any_spreadsheet(text, course, tmp_path):
    """Read with commas, and with the semicolons that many countries' spreadsheets take for separators."""
    result = Result(text, "toy", 1, 2, "graded", message=text)
    table = GradeTable([(result, grade(result, course, ()))], course, People(None))
    written = Form().text(table.long(Form()))
    cells = [cell for row in csv.reader(io.StringIO(written, newline="")) for cell in row]
    cells += re.split(r"[;\t|\r\n]", written)  # where a quote that does not begin a cell means nothing
    for cell in cells:
        shown = cell.lstrip(' \t\r\n\u200b\ufeff"')
        assert shown[:1] not in tuple("=+@\uff1d\uff0b\uff0d\uff20"), cell
        assert shown[:1] != "-" or _is_number(shown), cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("text", ["Zoé", "-1.5", "3", "a=b", "a-b", "shape (3, -1)", "O'Neil", "", "1e-5"])
def test_ordinary_cells_stay(text):
    assert safe_cell(text) == text


def test_markup_in_names_and_messages_is_text(course):
    from rich.console import Console

    check = CheckResult(
        "a", "[bold]title[/bold]", 0, 1, "failed", message="[link=http://x]y[/link] [red", hint=":bomb:"
    )
    result = Result("[red]eve[/red]", "toy", 0, 1, "graded", checks=[check])
    console = Console(file=io.StringIO(), width=200, force_terminal=True)
    console.print(grade_table([(result, grade(result, course, ()))]))
    console.print(result_table(result))
    shown = console.file.getvalue()
    for text in ("[red]eve[/red]", "[link=http://x]y[/link] [red", "[bold]title[/bold]", ":bomb:"):
        assert text in shown
    assert "\x1b]8" not in shown
