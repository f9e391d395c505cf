"""The command line: instant help, exit statuses, errors in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.commands.main import COMMANDS
from tests.engine import command_line

HEAVY = ("torch", "numpy", "matplotlib", "jsonschema", "rich", "yaml", "pytest", "sklearn", "ot", "scipy")


def autograder(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return command_line.autograder(*arguments, cwd=cwd, env=os.environ | environment)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_imports_nothing_heavy(command):
    code = (
        "import sys\nfrom autograder.commands import main\n"
        f"sys.argv = ['autograder', *{[command] if command else []!r}, '--help']\n"
        "try:\n    main.main()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "HEAVY []" in ran.stdout, ran.stdout + ran.stderr
    assert "Usage" in ran.stdout


def test_a_misspelt_command_is_met_halfway():
    ran = autograder("graed")
    assert ran.returncode == 2
    assert "Did you mean 'grade'?" in ran.stderr


def test_a_wrong_configuration_is_one_line(tmp_path):
    (tmp_path / "grading_config.yaml").write_text("schema_version: 1\ncourse: {id: x, title: X}\nexercise: []\n")
    ran = autograder("assign", cwd=tmp_path)
    assert ran.returncode == 2
    assert "grading_config.yaml:3" in ran.stderr
    assert "did you mean 'exercises'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_student_goes_from_new_to_check(toy, tmp_path):
    assert autograder("assign", cwd=toy).returncode == 0
    assert autograder("assign", "--check", cwd=toy).returncode == 0
    ran = autograder("new", "toy", "--student", "ada", "--course", str(toy), cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    file = tmp_path / "ada" / "toy.py"
    assert file.is_file()
    again = autograder("new", "toy", "--student", "ada", "--course", str(toy), cwd=tmp_path)
    assert again.returncode == 2
    assert "--force" in again.stderr
    ran = autograder("check", str(file), "--course", str(toy))
    assert ran.returncode == 1
    assert "not written yet" in " ".join(ran.stdout.split())
    file.write_text("def mean(x):\n    return x.mean(1)\n\nANSWERS = {'mean': 'b'}\n")
    ran = autograder("check", str(file), "--course", str(toy))
    said = " ".join(ran.stdout.split())
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "1 of 1 public checks passed. Quiz: 0 of 1 answers have the form that is asked for." in said
    assert "What cannot be known here" in said
    assert "Limits of grading: 4 s for a check, 3 s for a statement" in said
    assert "The mean of ones is one. (at most" in ran.stderr
    file.write_text("def mean(x):\n    return x.mean(1)\n\nANSWERS = {'mean': 1}\n")
    spaced = tmp_path / "My work" / "Toy (1).py"
    spaced.parent.mkdir()
    file.rename(spaced)
    for place in (spaced.parent, spaced):
        ran = autograder("check", str(place), "--course", str(toy))
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "1 of 1 public checks passed" in ran.stdout


def test_what_kept_a_file_from_loading_is_said_in_the_language(toy, tmp_path):
    assert autograder("assign", cwd=toy).returncode == 0
    (tmp_path / "toy.py").write_text("import sys\n\nsys.exit()\n\n\ndef mean(x):\n    return x.mean(1)\n")
    ran = autograder("check", "toy.py", "--course", str(toy), "--lang", "fr", cwd=tmp_path)
    assert "cette instruction demande à Python de terminer" in " ".join(ran.stdout.split())
    (tmp_path / "toy.py").write_text("import pandas\n\n\ndef mean(x):\n    return pandas.mean(x)\n")
    told = autograder("check", "toy.py", "mean", "--course", str(toy), "--lang", "fr", cwd=tmp_path).stdout
    told = " ".join(told.replace("│", " ").split())
    assert "Pendant la lecture" in told
    assert "cannot be" not in told, "nor where a check repeats it"


def test_a_stale_handout_is_found(toy):
    assert autograder("assign", cwd=toy).returncode == 0
    stub = toy / "exercises" / "en" / "toy" / "toy.py"
    text = stub.read_text()
    stub.write_text(text + "\n# changed by hand\n")
    ran = autograder("assign", "--check", cwd=toy)
    assert ran.returncode == 1
    assert "exercises/en/toy/toy.py" in ran.stderr
    stub.write_text(text)


@pytest.mark.parametrize("name", ["../up", "a/b", " ", "x\x1b[2J"])
def test_a_student_name_that_is_no_name_is_refused(toy, tmp_path, name):
    assert autograder("new", "toy", "--student", name, "--course", str(toy), cwd=tmp_path).returncode == 2


def test_verify_proves_the_toy_and_finds_a_wrong_claim(toy, tmp_path):
    ran = autograder("verify", "toy", "--course", str(toy), "--seeds", "3", "--picture", str(tmp_path))
    assert "0 problems" in " ".join(ran.stdout.split()), ran.stdout + ran.stderr
    assert ran.returncode == 0
    assert (tmp_path / "toy.png").stat().st_size > 1000
    bank = toy / "solutions" / "toy"
    mistakes, losses = (bank / "mistakes.py").read_text(), (bank / "losses.yaml").read_text()
    short = ("verify", "toy", "--course", str(toy), "--mistake", "mean_over_batch", "--mistake-seeds", "1")
    try:
        (bank / "losses.yaml").write_text(losses.replace("mean_over_batch: {spread_value: always}\n", ""))
        ran = autograder(*short)
        assert ran.returncode == 1
        assert "mean_over_batch: loses spread_value always, in losses.yaml never" in " ".join(ran.stderr.split())
        ran = autograder(*short, "--accept")
        assert ran.returncode == 0, ran.stderr
        assert "mean_over_batch: {spread_value: always}" in ran.stdout
        assert (bank / "losses.yaml").read_text() == losses
        (bank / "mistakes.py").write_text(mistakes.replace('check="spread_value"', 'check="spread_vale"'))
        ran = autograder(*short)
        assert ran.returncode == 2
        assert "did you mean 'spread_value'" in " ".join(ran.stderr.split())
        (bank / "mistakes.py").write_text(mistakes.replace('check="mean_value"', 'check="line"'))
        ran = autograder(*short, "--accept")
        assert ran.returncode == 1
        assert "passes line, the check meant for it" in " ".join(ran.stderr.split())
        assert (bank / "losses.yaml").read_text() == losses
    finally:
        (bank / "mistakes.py").write_text(mistakes)
        (bank / "losses.yaml").write_text(losses)


def test_calibrate_writes_limits_that_the_checks_read(toy):
    ran = autograder("calibrate", "toy", "--course", str(toy), "--seeds", "40", cwd=toy)
    assert ran.returncode == 0, ran.stderr
    import json

    written = json.loads((toy / "reference" / "toy.json").read_text())
    limit = written["data"]["any"]["limits"]["sample_mean"]
    assert limit["low"] is None
    assert 0 < limit["high"] < 1
    assert (toy / "reference" / "toy.png").is_file()
