"""What `verify --changed` runs: the checks that a change reaches, and no others; on the toy course in a repository."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from autograder.authoring.errors import AuthoringError
from autograder.batch import verification
from autograder.batch.touched import Revision, Touched, touched
from autograder.batch.verification import VerificationSeeds, verify
from autograder.course import find_exercise, load_config

TOY = Path(__file__).parents[1] / "toy"
QUIZ = ("quiz_mean",)


def git(folder, *arguments):
    own = ("-c", "user.name=Author", "-c", "user.email=author@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path):
    """The toy course, committed in a folder below the repository's root."""
    root = tmp_path / "repository" / "the course"
    shutil.copytree(TOY, root, ignore=shutil.ignore_patterns("__pycache__"))
    git(root.parent, "init", "-q")
    git(root.parent, "add", "-A")
    git(root.parent, "commit", "-qm", "Write the toy")
    return root


def exercise(root):
    return find_exercise(load_config(root / "grading_config.yaml"), "toy")


def replace(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, (file, old)
    file.write_text(text.replace(old, new), encoding="utf-8")


def after(root, file, old, new):
    replace(root / file, old, new)
    found = exercise(root)
    return touched(found, Revision(found.root, "HEAD"))


CHECKS = "tests/hidden/toy/test_toy.py"
PROBES = "tests/hidden/toy/probes.py"
SOLUTION = "solutions/toy/toy.py"


@pytest.mark.parametrize(
    ("file", "old", "new", "checks"),
    [
        (CHECKS, "The mean of each row is right.", "Each row's mean.", ()),
        (CHECKS, "    n = draw.integer(3, 6)\n", "    # Few rows.\n    n = draw.integer(3, 6)\n", ()),
        (CHECKS, "draw.integer(3, 6)", "draw.integer(3, 5)", ("mean_value",)),
        (CHECKS, "points=2, requires", "points=3, requires", ("spread_value",)),
        ("tests/hidden/toy/samples.py", "(500,)", "(500, )", ()),
        ("tests/hidden/toy/samples.py", "sample(500,", "sample(400 + 100,", ("sample_law", "sample_spread")),
        (PROBES, "function(x) + function(x)", "2 * function(x)", ("line",)),
        # `mean` is the name of a method as well: too much is touched, never too little.
        (SOLUTION, "x.sum(1) / x.shape[1]", "x.mean(1)",
         ("mean_value", "mean_refuses", "spread_value", "sample_spread")),
        (SOLUTION, "mean((x -", "1 * mean((x -", ("spread_value",)),
        (SOLUTION, "`n` draws from N(0, 1)", "Draws from N(0, 1)", ()),
        (SOLUTION, "torch.randn(n,", "torch.randn((n,),", ("sample_law", "sample_spread")),
        ("solutions/toy/quiz.py", "randint(1, 20)", "randint(1, 30)", QUIZ),
    ],
)  # fmt: skip
def test_a_change_reaches_the_checks_that_build_on_it(root, file, old, new, checks):
    assert after(root, file, old, new) == Touched(checks)


def test_nothing_is_touched_by_no_change(root):
    found = exercise(root)
    assert not touched(found, Revision(found.root, "HEAD"))


def test_a_statement_that_binds_nothing_touches_every_check(root):
    found = after(root, CHECKS, "import torch\n", "import torch\n\ntorch.manual_seed(0)\n")
    assert set(found.checks) == {"mean_value", "mean_refuses", "spread_value", "line", "sample_law", "sample_spread"}


def test_a_new_file_beside_the_checks_is_looked_at(root):
    (root / "tests/hidden/toy/test_more.py").write_text(
        '"""More."""\n\nfrom autograder.judge import check\n\n\n@check(points=1)\ndef test_more(student):\n'
        '    """More."""\n    student.mean\n',
        encoding="utf-8",
    )
    found = exercise(root)
    assert "more" in touched(found, Revision(found.root, "HEAD")).checks


def test_mistakes_alternatives_and_limits(root):
    found = after(root, "solutions/toy/mistakes.py", "division by n - 1", "division by n minus 1")
    assert found == Touched(mistakes=frozenset({"unbiased_spread"}))
    git(root, "commit", "-qam", "Name it")
    found = after(root, "solutions/toy/losses.yaml", "sample_spread: always", "sample_spread: sometimes")
    assert found == Touched(mistakes=frozenset({"uniform_sample"}))
    git(root, "commit", "-qam", "Measure it")
    folder = root / "tests/alternatives/toy"
    folder.mkdir(parents=True)
    (folder / "loops.py").write_text("x = 1\n", encoding="utf-8")
    reference = root / "reference/toy.json"
    kept = json.loads(reference.read_text(encoding="utf-8"))
    for entry in kept["data"].values():
        for limit in entry["limits"].values():
            limit["high"] *= 2
    reference.write_text(json.dumps(kept), encoding="utf-8")
    now = exercise(root)
    assert touched(now, Revision(now.root, "HEAD")) == Touched(("sample_spread",), frozenset({"loops"}))


def test_only_what_is_touched_is_run(root, monkeypatch):
    ran = {}

    def run_tasks(order, tasks, workers, on_done):
        for task in tasks:
            ran.setdefault(task.key.name, []).append(task.job.checks)

    monkeypatch.setattr(verification, "run_tasks", run_tasks)
    what = Touched(("spread_value",), mistakes=frozenset({"uniform_sample"}))
    course = load_config(root / "grading_config.yaml")
    seeds = VerificationSeeds(2, 1, 1, 1, exact=7)
    verify(course, exercise(root), seeds, 1, lambda total, label: None, touched=what)
    assert ran == {
        "reference": [("spread_value",)] * 2,
        "stub": [("spread_value",)],
        "mean_over_batch": [("spread_value", "mean_value")],  # it loses spread_value as well
        "unbiased_spread": [("spread_value", "spread_value")],
        "uniform_sample": [()],  # changed itself: every check
    }


def test_what_cannot_be_compared_is_said(root, tmp_path):
    with pytest.raises(AuthoringError, match="no revision 'nowhere'"):
        Revision(root, "nowhere")
    with pytest.raises(AuthoringError, match="--changed compares with a git revision"):
        Revision(tmp_path, "HEAD")
