"""One class, five programs, one score: what docs/reference/equal-scores.md shows is true."""

from __future__ import annotations

import pytest

from tests.engine.bridges.equal_scores import PAGE, WAYS, measure, page


@pytest.mark.slow
def test_every_program_gives_our_scores(programs, tmp_path):
    scores = measure(programs, tmp_path)
    first = scores[WAYS[0]]
    assert len(first) >= 10
    for way in WAYS[1:]:
        for student, points in first.items():
            found = scores[way].get(student)
            # What a program cannot open is worth nothing here too.
            assert points == 0 if found is None else found == pytest.approx(points, abs=1e-3), (
                f"{way}: {student} has {found}, ours is {points}"
            )
    assert PAGE.read_text(encoding="utf-8") == page(scores), "run `python -m tests.engine.bridges.equal_scores`"


def test_the_page_shows_equal_scores():
    rows = [line.split("|")[2:-1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][
        1:
    ]
    assert len(rows) >= 10
    for row in rows:
        assert len({cell.strip() for cell in row} - {"–"}) == 1
