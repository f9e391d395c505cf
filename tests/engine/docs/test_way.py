"""The way of a submission names every room of the house, once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_room_is_named_once():
    text = (ROOT / "docs" / "explanation" / "way.md").read_text(encoding="utf-8")
    named = Counter(re.findall(r"`(\w+(?:/|\.py))`", text))
    named.pop("autograder/")
    rooms = {f"{path.name}/" if path.is_dir() else path.name for path in (ROOT / "autograder").iterdir()}
    assert named == Counter(rooms - {"__pycache__/", "__init__.py", "py.typed"})
