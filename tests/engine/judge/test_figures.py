"""Figures beside the reference's: plain arrays are checked, then drawn by us."""

from __future__ import annotations

import pytest
import torch

from autograder.judge.drawing import Curves, Images, Matrix, Paths, Points, check_drawing, save

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
