"""Figures beside the reference's: plain arrays are checked, then drawn by us."""

from __future__ import annotations

import types
from pathlib import Path

import pytest
import torch

from autograder.judge import figures
from autograder.judge.drawing import (
    Curves,
    Images,
    Matrix,
    Paths,
    Points,
    check_drawing,
    save,
    save_beside,
    scale_of,
)
from autograder.judge.grading import Grading
from autograder.judge.messages import Job
from autograder.judge.verdicts import StudentError

DRAWINGS = {
    "images": Images(torch.rand(9, 5, 4), columns=4),
    "points": Points({"$ data": torch.randn(20, 2), "samples": torch.randn(20, 2)}, half_width=3.0),
    "curves": Curves({"loss": torch.rand(10)}),
    "matrix": Matrix(torch.rand(3, 4)),
    "paths": Paths(torch.randn(4, 6, 2)),
}


@pytest.mark.parametrize("kind", DRAWINGS)
def test_a_drawing_becomes_a_picture(kind, tmp_path):
    check_drawing(DRAWINGS[kind])
    save(DRAWINGS[kind], tmp_path / "new" / f"{kind}.png")
    assert (tmp_path / "new" / f"{kind}.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [f"{kind}.png"]


@pytest.mark.parametrize(
    "values",
    [torch.tensor([[float("nan")]]), torch.tensor([[1e30]]), torch.zeros(0, 2), torch.ones(1, 1) * 1j,
     torch.zeros(1000, 1000)],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(values):
    with pytest.raises(ValueError, match=r"drawn|too many"):
        check_drawing(Matrix(values))


class Asked:
    """A session that has no worker: what is asked of it is kept."""

    def __init__(self, student_seconds: float) -> None:
        self.student_seconds = student_seconds
        self.incidents: list[object] = []
        self.begun: list[str] = []

    def begin_check(self, name: str, *rest: object) -> None:
        self.begun.append(name)


@pytest.mark.parametrize("error", [OverflowError, ZeroDivisionError, MemoryError, AssertionError, StopIteration])
def test_no_error_of_a_figure_costs_the_result(monkeypatch, tmp_path, error):
    """Drawing libraries raise what they like on a student's numbers: the checks are judged by then."""
    session, drawn = drawing_that(monkeypatch, tmp_path, error("cell block limit"))
    assert session.begun == ["figure bad", "figure good"]
    assert [str(incident.check) for incident in session.incidents] == ["bad"]
    assert drawn == ["good.png"]


@pytest.mark.parametrize(
    "error",
    [StudentError("it is not written yet", bases=("NotImplementedError",)), StudentError("undefined", kind="missing")],
)
def test_what_is_not_written_yet_is_no_incident(monkeypatch, tmp_path, error):
    session, drawn = drawing_that(monkeypatch, tmp_path, error)
    assert session.incidents == []
    assert drawn == ["good.png"]


def test_figures_are_within_the_submissions_time(monkeypatch, tmp_path):
    """The judge would be given up, and the result with it."""
    session, drawn = drawing_that(monkeypatch, tmp_path, ValueError("never run"), spent=61.0)
    assert session.begun == []
    assert drawn == []
    assert len(session.incidents) == 2


def drawing_that(monkeypatch, tmp_path: Path, error: Exception, spent: float = 0.0) -> tuple[Asked, list[str]]:
    def bad():
        raise error

    def good():
        return DRAWINGS["curves"]

    monkeypatch.setattr(figures, "figure_functions", lambda engine, exercise: {"bad": bad, "good": good})
    monkeypatch.setattr(figures, "_draw_reference", lambda *arguments: {})
    session = Asked(spent)
    engine = types.SimpleNamespace(seeds=lambda exercise, student: lambda name: 1, digits=None)
    grading = Grading("toy", "ada", lambda name: 1, session, total_seconds=60.0)
    figures.draw_figures(engine, Job("toy", "ada", (), 60.0), grading, tmp_path)
    return session, sorted(path.name for path in tmp_path.rglob("*.png"))


def test_two_pictures_are_on_one_scale(tmp_path):
    """A reference that the student's figure stays within is drawn once for all; another one anew, on both's scale."""
    low, high = Curves({"loss": torch.tensor([1.0, 0.5])}), Curves({"loss": torch.tensor([3.0, 0.5, 0.1])})
    save_beside(low, high, tmp_path / "a.png", tmp_path / "a__reference.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    save_beside(high, low, tmp_path / "b.png", tmp_path / "b__reference.png")
    assert (tmp_path / "b__reference.png").is_file()
    both = scale_of(low).around(scale_of(high))
    assert both == scale_of(high)
    tables = Matrix(torch.tensor([[0.0, 1.0]])), Matrix(torch.tensor([[0.5, 4.0]]))
    assert scale_of(tables[0]).around(scale_of(tables[1])).colours == (0.0, 4.0)
