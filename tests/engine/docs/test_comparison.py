"""The page that compares the models has the numbers that stand beside it, and a likelihood where there is one only."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "docs"))
import comparison


def test_the_page_shows_its_numbers():
    numbers = json.loads(comparison.NUMBERS.read_text(encoding="utf-8"))
    assert comparison.write_page(numbers) == comparison.PAGE.read_text(encoding="utf-8")


def test_likelihoods_stand_in_columns_of_their_own():
    numbers = json.loads(comparison.NUMBERS.read_text(encoding="utf-8"))
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in comparison.page(numbers).splitlines()]
    bits, bound = rows[0].index("bits per dimension"), rows[0].index("VAE's bound, nats")
    with_bits = [row[0] for row in rows[2:] if row[bits] != "–"]
    with_bound = [row[0] for row in rows[2:] if row[bound] != "–"]
    assert (with_bits, with_bound) == (["flow (Glow)"], ["VAE"])
