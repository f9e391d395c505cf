"""Points are rounded in one way."""

from __future__ import annotations

import pytest

from autograder.results.points import rounded


@pytest.mark.parametrize(("points", "kept"), [(0.1 + 0.2, 0.3), (2 / 3, 0.6667), (1e-5, 0.0), (19.99996, 20.0), (7, 7)])
def test_four_decimals_are_kept(points, kept):
    assert rounded(points) == kept
