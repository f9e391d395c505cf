"""The student's install needs none of the bridged programs, and no module of ours imports them but its bridge."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib

from tests.engine.bridges.conftest import ROOT

FOREIGN = {"nbgrader", "otter", "nbconvert", "nbclient", "jupyter_client", "notebook", "ipykernel"}
OWN = {"nbgrader_judge.py": "nbgrader", "nbgrader_scores.py": "nbgrader", "otter_plugin.py": "otter"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_the_core_names_no_bridge():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[\s<>=!~;\[]", line)[0].lower() for line in project["dependencies"]}
    assert not names & {"nbgrader", "otter-grader", "jupyter", "notebook", "nbconvert", "ipykernel", "nbformat"}
    assert any(line.startswith("nbgrader") for line in project["optional-dependencies"]["nbgrader"])
    assert any(line.startswith("otter-grader") for line in project["optional-dependencies"]["otter"])


def test_each_bridge_alone_imports_its_program():
    for path in sorted((ROOT / "autograder" / "bridges").glob("*.py")):
        found = set(imported(path)) & FOREIGN
        assert found <= {OWN.get(path.name)}, path.name


def test_commands_start_without_them():
    program = (
        "import sys; from autograder.commands.main import cli; import autograder.commands.check, "
        f"autograder.commands.new, autograder.commands.export; print(sorted(set(sys.modules) & {FOREIGN!r}))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
