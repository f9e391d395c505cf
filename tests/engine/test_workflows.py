"""The files for continuous integration: right in form by their publishers' schemas, and their scripts by bash."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from autograder.course import load_config

ROOT = Path(__file__).parents[2]
GITHUB = [*sorted((ROOT / "ci/github").glob("*.yml")), *sorted((ROOT / ".github/workflows").glob("*.yml"))]
WORKFLOWS = [path for path in GITHUB if path.name != "action.yml"]
ACTION = ROOT / "ci/github/action.yml"
GITLAB = sorted((ROOT / "ci/gitlab").glob("*.yml"))


def lint(schema: str, files: list[Path], *options: str) -> None:
    pytest.importorskip("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *options, *map(str, files)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_workflows_are_as_github_documents_them():
    assert WORKFLOWS
    lint("vendor.github-workflows", WORKFLOWS)


def test_the_action_is_as_github_documents_it():
    lint("vendor.github-actions", [ACTION])


def test_pipelines_are_as_gitlab_documents_them():
    assert GITLAB
    lint("vendor.gitlab-ci", GITLAB, "--data-transform", "gitlab-ci")


def test_the_linter_finds_a_wrong_workflow(tmp_path):
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOWS[0].read_text().replace("runs-on:", "runs_on:"))
    with pytest.raises(AssertionError):
        lint("vendor.github-workflows", [wrong])


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed here")
def test_actionlint_finds_nothing():
    ran = subprocess.run(["actionlint", *map(str, WORKFLOWS)], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout


def scripts(node: object) -> list[str]:
    """Every `run` and `script` of a file."""
    if isinstance(node, dict):
        own = [node[key] for key in ("run", "script", "before_script") if key in node]
        lines = [line for text in own for line in ([text] if isinstance(text, str) else text)]
        return lines + [line for value in node.values() for line in scripts(value) if not isinstance(value, str)]
    return [line for item in node for line in scripts(item)] if isinstance(node, list) else []


@pytest.mark.parametrize("path", [*GITHUB, *GITLAB], ids=lambda path: path.name)
def test_scripts_are_bash_and_take_nothing_from_outside_as_text(path, tmp_path):
    found = scripts(yaml.safe_load(path.read_text()))
    for text in found:
        # An expression in a script is replaced before bash reads it: a branch named `$(...)` would be run.
        assert "${{" not in text
        file = tmp_path / "script.sh"
        file.write_text(text)
        assert subprocess.run(["bash", "-n", file]).returncode == 0, text


def test_every_exercise_is_verified():
    course = [exercise.id for exercise in load_config(ROOT / "grading_config.yaml").finished]
    workflow = yaml.safe_load((ROOT / ".github/workflows/course.yml").read_text())
    assert workflow["jobs"]["verify"]["strategy"]["matrix"]["exercise"] == course
    pipeline = yaml.safe_load((ROOT / "ci/gitlab/course.gitlab-ci.yml").read_text())
    assert pipeline["verify"]["parallel"]["matrix"] == [{"EXERCISE": course}]


def test_the_action_calls_the_command_with_options_that_it_has(tmp_path):
    from click.testing import CliRunner

    from autograder.commands.ci import command

    steps = yaml.safe_load(ACTION.read_text())["runs"]["steps"]
    script = next(step["run"] for step in steps if step.get("id") == "check")
    folder = tmp_path / "autograder/bin"
    folder.mkdir(parents=True)
    spy = folder / "autograder"
    spy.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$RUNNER_TEMP/called"\n')
    spy.chmod(spy.stat().st_mode | stat.S_IXUSR)
    environment = dict(os.environ) | {
        "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "output"), "CHECKS": "public", "COURSE": "c d",
        "EXERCISES": "toy other", "FOLDER": "a b", "NO_FAIL": "true", "STUDENT": "ada; $(touch forged)",
    }  # fmt: skip
    assert subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=tmp_path, env=environment).returncode == 0
    called = (tmp_path / "called").read_text().splitlines()
    assert called[:2] == ["ci", "a b"]
    assert called[called.index("--student") + 1] == "ada; $(touch forged)"
    assert not (tmp_path / "forged").exists()
    known = CliRunner().invoke(command, ["--help"]).output
    assert all(word in known for word in re.findall(r"--[a-z-]+", " ".join(called)))
    for path in GITLAB:
        assert all(word in known for word in re.findall(r"--[a-z-]+", " ".join(
            line for line in scripts(yaml.safe_load(path.read_text())) if "autograder ci" in line
        )))  # fmt: skip
