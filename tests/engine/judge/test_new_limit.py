"""A limit is one declaration: schema, configuration and the sandbox's worker follow from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import autograder

PACKAGE = Path(autograder.__file__).parent
ABOVE = "    open_files: Annotated["
NEW = '    scratch_bytes: Annotated[int, Meta(description="bytes of all files", ge=4096)] = 1 << 20\n'

LOOK = """
import sys
from pathlib import Path
from autograder.course import load_config
from autograder.course.schema import config_schema
from autograder.judge.engine import worker_limits

limits = worker_limits(load_config(Path(sys.argv[1])).exercises[0])
print(limits.scratch_bytes, limits.open_files, "scratch_bytes" in str(config_schema()))
"""


def look(tree: Path, config: Path) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", LOOK, config],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(tree)}, timeout=300,
    )  # fmt: skip
    return ran.stdout.split() or [ran.stderr.splitlines()[-1]]


def test_a_new_limit_is_one_line(tmp_path, toy):
    config = tmp_path / "grading_config.yaml"
    text = (toy / "grading_config.yaml").read_text(encoding="utf-8")
    config.write_text(text.replace("limits:", "limits:\n  process: {scratch_bytes: 8192, open_files: 77}"))
    (refused,) = look(PACKAGE.parent, config)
    assert "scratch_bytes" in refused
    shutil.copytree(PACKAGE, tmp_path / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    declarations = tmp_path / "autograder" / "course" / "written.py"
    source = declarations.read_text(encoding="utf-8")
    declarations.write_text(source.replace(ABOVE, NEW + ABOVE), encoding="utf-8")
    assert look(tmp_path, config) == ["8192", "77", "True"]
