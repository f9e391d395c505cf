"""A student sets up from nothing: what is asked of pip on each system; and (slow) all of it in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.authoring.bundle import _installer, generate, write
from autograder.course import load_config

ROOT = Path(__file__).parents[3]
TORCH = version("torch").partition("+")[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "install.py").write_text(_installer())
    (tmp_path / "genmodels_autograder-1.0-py3-none-any.whl").write_text("")
    return tmp_path


def asked(folder: Path, monkeypatch, system: str, fails=lambda command, env: False, arguments=()) -> list[str]:
    """What the installer asks of pip, with the index that it adds; ends as it ends."""
    seen: list[str] = []

    def run(command: list[str], env: dict[str, str]) -> SimpleNamespace:
        added = env.get("PIP_EXTRA_INDEX_URL") if "PIP_EXTRA_INDEX_URL" not in os.environ else None
        seen.append(" ".join([*command[6:], *([f"({added})"] if added else [])]).replace(f"{folder}/", ""))
        return SimpleNamespace(returncode=int(fails(command, env)))

    names = {"__name__": "installer", "__file__": str(folder / "install.py")}
    exec(compile((folder / "install.py").read_text(), "install.py", "exec"), names)
    monkeypatch.setattr(names["venv"], "create", lambda place, with_pip: None)
    monkeypatch.setitem(names, "subprocess", SimpleNamespace(run=run))
    monkeypatch.setitem(names, "sys", SimpleNamespace(
        platform=system, argv=["install.py", *arguments], exit=sys.exit, version_info=sys.version_info,
    ))  # fmt: skip
    names["main"]()
    return seen


def test_torch_comes_in_its_cpu_build(folder, monkeypatch, capsys):
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    wheel = "genmodels_autograder-1.0-py3-none-any.whl[student]"
    assert asked(folder, monkeypatch, "linux") == [f"torch=={TORCH}+cpu", wheel]
    assert asked(folder, monkeypatch, "darwin", arguments=["--notebook"]) == [f"torch=={TORCH}", f"{wheel} jupyterlab"]
    assert ".venv/bin/activate" in capsys.readouterr().out
    monkeypatch.setenv("TORCH", "torch")
    assert asked(folder, monkeypatch, "linux")[0] == "torch"


def test_the_index_of_cpu_builds_is_asked_where_nobody_named_another(folder, monkeypatch):
    def fails(command, env):
        return command[-1].startswith("torch") and "PIP_EXTRA_INDEX_URL" not in env

    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    first, second, _wheel = asked(folder, monkeypatch, "linux", fails)
    assert second == f"{first} (https://download.pytorch.org/whl/cpu)"
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://example.org/simple")
    with pytest.raises(SystemExit, match="name an index that has it in PIP_EXTRA_INDEX_URL"):
        asked(folder, monkeypatch, "linux", lambda command, env: True)


def test_a_folder_that_is_not_whole_is_met_with_help(folder, monkeypatch):
    next(folder.glob("*.whl")).unlink()
    with pytest.raises(SystemExit, match="get the course's files again"):
        asked(folder, monkeypatch, "linux")


def test_what_students_get_can_be_installed_and_says_what_may_be_imported(toy):
    files = generate(load_config(toy / "grading_config.yaml"))
    assert files["install.py"].decode() == _installer()
    compile(files["install.py"], "install.py", "exec")
    readme = " ".join(files["README.md"].decode().split())
    assert "python3 install.py" in readme
    assert "Python's own modules and torch, numpy, matplotlib, tqdm, rich." in readme


@pytest.mark.slow
def test_the_first_hour_in_a_folder_of_ones_own(toy, tmp_path):
    """Needs an index with torch's CPU build."""
    write(load_config(toy / "grading_config.yaml"))
    place = tmp_path / "en"
    subprocess.run(["cp", "-r", toy / "exercises" / "en", place], check=True)
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", place, ROOT]
    subprocess.run([sys.executable, *build], check=True, timeout=600)
    subprocess.run([sys.executable, "install.py"], cwd=place, check=True, timeout=1800)
    command = place / ".venv" / "bin" / "autograder"
    for notebook in ([], ["--notebook"]):
        new = [command, "new", "toy", "--student", "Ada Lovelace", *notebook]
        assert subprocess.run(new, cwd=place, timeout=300).returncode == 0
    for file in ("toy.py", "toy.ipynb"):
        ran = subprocess.run(
            [command, "check", f"Ada Lovelace/{file}"], cwd=place, capture_output=True, text=True, timeout=600
        )
        assert ran.returncode == 1, ran.stderr
        assert "0 of 1 public checks passed. Quiz: 0 of 1 answers" in " ".join(ran.stdout.split())


def test_a_student_goes_from_new_to_check_and_ci_with_nothing_but_their_own_install(toy, tmp_path):
    """Everything that only the extras bring is made impossible to import, in every process."""
    write(load_config(toy / "grading_config.yaml"))
    absent = ("jupytext", "nbformat", "ot", "scipy", "sklearn", "pooch", "psutil", "sqlalchemy", "alembic", "filelock",
              "babel", "jinja2", "dateparser", "IPython", "dask", "distributed", "dulwich")  # fmt: skip
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n\nclass Absent:\n    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {absent!r}:\n            raise ModuleNotFoundError(name, name=name)\n\n"
        "sys.meta_path.insert(0, Absent())\n"
    )

    def autograder(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "autograder", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=300,
            env=os.environ | {"PYTHONPATH": str(tmp_path), "AUTOGRADER_MNIST": str(tmp_path / "not-here")},
        )  # fmt: skip

    made = autograder("new", "toy", "--student", "ada", "--notebook", "--course", str(toy))
    assert made.returncode == 0, made.stderr
    ran = autograder("check", "ada/toy.ipynb", "mean", "--course", str(toy))
    assert ran.returncode == 1, ran.stderr
    assert "mean is not written yet" in " ".join(ran.stdout.split())
    assert "0 of 1 public checks passed." in ran.stdout
    assert "Traceback" not in ran.stderr
    shutil.copytree(toy / "exercises" / "en", tmp_path / "template")
    green = autograder("ci", "template", "--summary", "summary.md", "--junit", "junit.xml")
    assert green.returncode == 0, green.stdout + green.stderr
    assert "not begun" in green.stdout

    public = tmp_path / "template/toy/test_public.py"
    digits = 'def test_digits(student, digits):\n    """Digits have pixels."""\n    student.mean(digits("train", 5))\n'
    public.write_text(f"{public.read_text()}\n\n@check()\n{digits}")
    ran = autograder("check", "template/toy/toy.py")
    said = " ".join(ran.stdout.split())
    assert ran.returncode == 1, ran.stderr
    assert "mean is not written yet" in said, "what needs no digits is judged"
    assert "skipped" in said
    assert "(AUTOGRADER_MNIST) lacks" in said
    assert autograder("ci", "template").returncode == 0
