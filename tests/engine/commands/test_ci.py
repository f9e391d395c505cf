"""`autograder ci`: which checks run, what is shown to whom, the files it writes, its exit status."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from autograder.authoring.bundle import write
from autograder.authoring.notebook import to_notebook
from autograder.course import load_config
from tests.engine.command_line import autograder

MEAN = "import torch\n\n\ndef mean(x):\n    return x.sum(1) / x.shape[1]\n"
WRONG = "import torch\n\n\ndef mean(x):\n    y = x.sum(1)\n    return y / undefined\n"


def ci(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "GITLAB_", "CI"))}
    secret = {"AUTOGRADER_SECRET": "a secret of the tests"}
    return autograder("ci", *arguments, cwd=cwd, env=known | secret | environment)


@pytest.fixture(scope="module")
def handout(toy) -> Path:
    write(load_config(toy / "grading_config.yaml"))
    return toy / "exercises" / "en"


@pytest.fixture
def repository(handout, tmp_path) -> Path:
    """A student's repository: the course's public files, nothing hidden."""
    for name in ("course.yaml", "toy/toy.py", "toy/quiz.py", "toy/test_public.py"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((handout / name).read_bytes())
    return tmp_path


def test_a_wrong_function_is_remarked_at_its_line(repository):
    (repository / "toy/toy.py").write_text(WRONG)
    out, note = repository / "out", repository / "note"
    ran = ci("--junit", "j.xml", cwd=repository, GITHUB_ACTIONS="true", GITHUB_OUTPUT=str(out),
             GITHUB_STEP_SUMMARY=str(note))  # fmt: skip
    assert ran.returncode == 1, ran.stdout + ran.stderr
    (remark,) = [line for line in ran.stdout.splitlines() if line.startswith("::error")]
    assert remark.startswith("::error file=toy/toy.py,line=6,")
    assert "NameError" in remark
    (suite,) = ET.fromstring((repository / "j.xml").read_bytes())
    assert suite.get("failures") == "1"
    assert "NameError" in note.read_text()
    outputs = dict(line.split("=", 1) for line in out.read_text().splitlines())
    assert outputs["status"] == "fail"
    assert json.loads(base64.b64decode(outputs["result"]))["tests"][0]["line_no"] == 6
    assert "points" not in outputs  # public checks earn none


def test_a_notebook_is_remarked_at_the_line_of_its_file(repository):
    (repository / "toy/toy.py").unlink()
    text = to_notebook(f"# %% [markdown]\n# # Toy\n\n# %%\n{WRONG}", "toy")
    (repository / "toy/toy.ipynb").write_text(text)
    ran = ci("--code-quality", "q.json", cwd=repository, GITLAB_CI="true")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    (issue,) = json.loads((repository / "q.json").read_text())
    line = issue["location"]["lines"]["begin"]
    assert "undefined" in text.splitlines()[line - 1]


def test_what_passes_and_what_is_not_begun(repository):
    ran = ci(cwd=repository)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "not begun" in ran.stdout
    (repository / "toy/toy.py").write_text(MEAN)
    ran = ci(cwd=repository)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 of 1 public checks passed" in ran.stdout
    assert "::" not in ran.stdout  # not on GitHub


def test_an_untouched_template_fails_nobody(handout, tmp_path):
    """All that students get, as script and notebook: neither is begun, and neither is said to be another file."""
    shutil.copytree(handout, tmp_path / "work")
    ran = ci("--summary", "s.md", "--classroom", "c.txt", cwd=tmp_path / "work")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "another file" not in ran.stdout
    assert json.loads(base64.b64decode((tmp_path / "work/c.txt").read_text()))["status"] == "pass"
    script = tmp_path / "work/toy/toy.py"
    own = tmp_path / "work/ada/toy.py"
    own.parent.mkdir()
    own.write_text(
        script.read_text().replace('raise NotImplementedError("mean is not written yet")', "return x.mean(1)")
    )
    ran = ci(cwd=tmp_path / "work")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "ada/toy.py" in ran.stdout
    assert "1 of 1 public checks passed" in ran.stdout
    assert "another file" not in ran.stdout
    script.write_text(script.read_text() + "\n\ndef other():\n    return 1\n")
    said = ci(cwd=tmp_path / "work").stdout
    assert said.count("another file") == 1
    assert "toy/toy.py" in said


def test_what_raises_the_stubs_error_is_begun(repository):
    """What is begun is told by the file, not by a word in a message."""
    (repository / "toy/toy.py").write_text(MEAN.replace("return", "raise NotImplementedError\n    return"))
    ran = ci(cwd=repository)
    assert ran.returncode == 1
    assert "not begun" not in ran.stdout


def test_an_unanswered_quiz_is_not_begun_where_hidden_checks_run(toy, handout, tmp_path):
    folder = tmp_path / "ada"
    folder.mkdir()
    new = [sys.executable, "-m", "autograder.commands.main", "new", "toy", "--student", "ada", "--to", str(folder)]
    subprocess.run([*new, "--course", str(handout)], check=True, capture_output=True, timeout=120)
    ran = ci(folder, "--course", toy, "--teacher", "--checks", "hidden", "--student", "ada", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "not begun" in ran.stdout


def test_a_forged_message_is_no_command(repository):
    (repository / "toy/toy.py").write_text(
        "def mean(x):\n    raise ValueError('x\\n::error::forged\\n::set-output name=points::99')\n"
    )
    ran = ci("--no-fail", cwd=repository, GITHUB_ACTIONS="true")
    assert ran.returncode == 0, ran.stderr
    paused, seen = None, []
    for line in ran.stdout.splitlines():
        text = line.strip()
        if text.startswith("::stop-commands::"):
            paused = text.removeprefix("::stop-commands::")
        elif paused and text == f"::{paused}::":
            paused = None
        elif not paused and (text.startswith("::") or "##[" in text):
            seen.append(text)
    assert len(seen) == 1
    assert seen[0].startswith("::error file=toy/toy.py,line=")


def test_hidden_checks_show_what_the_course_lets_students_see(toy, handout, tmp_path, toy_solution, grade):
    folder = tmp_path / "ada"
    folder.mkdir()
    source = toy_solution.replace("mean((x - mean(x)[:, None]) ** 2)", "x.var(1)")
    (folder / "toy.py").write_text(source)
    withheld = ci(folder, "--course", toy, "--classroom", "c.txt", cwd=tmp_path)
    assert withheld.returncode == 0, withheld.stdout + withheld.stderr
    assert "students do not see them yet" in withheld.stdout
    assert "failed" not in withheld.stdout
    assert "points" not in withheld.stdout
    shown = ci(
        folder, "--course", toy, "--teacher", "--junit", "j.xml", cwd=tmp_path, GITHUB_OUTPUT=str(tmp_path / "o")
    )
    assert shown.returncode == 1, shown.stdout + shown.stderr
    ours = grade(source)
    assert f"points={ours['points']:g}\n" in (tmp_path / "o").read_text()
    assert "spread" in shown.stdout
    (suite,) = ET.fromstring((tmp_path / "j.xml").read_bytes())
    assert len(suite) == len(ours["checks"])


def test_wrong_usage_is_status_2(toy, handout, repository):
    assert ci(toy, cwd=repository).returncode == 2  # the course itself
    assert ci("--exercise", "tyo", cwd=repository).returncode == 2
    empty = repository / "empty"
    empty.mkdir()
    ran = ci(empty, cwd=repository)
    assert ran.returncode == 2
    assert "toy" in ran.stderr


def test_a_fault_of_ours_is_status_3(repository):
    checks = repository / "toy/test_public.py"
    checks.write_text(checks.read_text().replace("torch.ones(2, 3)", "torch.no_such_thing(2, 3)"))
    ran = ci(cwd=repository)
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "broken" in ran.stderr
