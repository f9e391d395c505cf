"""nbgrader's gradebook is made without this process's path being changed for it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from autograder.bridges.nbgrader_scores import _make

# As nbgrader's: where the gradebook is missing, `alembic` is looked for on the path.
FAKE = """
import json, os, pathlib


class Gradebook:
    def __init__(self, database, course):
        pathlib.Path(database).write_text(json.dumps([course, os.environ["PATH"]]))

    def close(self):
        pass
"""


def test_the_path_stays_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "nbgrader").mkdir()
    (tmp_path / "nbgrader" / "__init__.py").touch()
    (tmp_path / "nbgrader" / "api.py").write_text(FAKE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = dict(os.environ)
    _make(str(tmp_path / "gradebook"), "toy")
    assert dict(os.environ) == before
    course, path = json.loads((tmp_path / "gradebook").read_text())
    assert (course, path.split(os.pathsep)[0]) == ("toy", str(Path(sys.executable).parent))
