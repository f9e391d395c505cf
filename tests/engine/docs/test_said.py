"""What the documentation names outside of the commands that are run is there: options, keys, files, layouts, cells."""

from __future__ import annotations

import ast
import json
import re
import shutil
import textwrap
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions

import click
import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from autograder.commands.main import cli
from autograder.course import load_config
from autograder.submissions.layouts import names as layouts
from autograder.translation.catalogues import read

from .conftest import DOCS, QUICK_COURSE, REPOSITORY, blocks

PAGES = [*sorted(DOCS.rglob("*.md")), REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md"]
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]\b(?!-)")
# Options of other programs, by what stands before them on their line.
OTHERS = {
    "dask": "protocol port tls-ca-file tls-cert tls-key nworkers nthreads resources",
    "unless scheduler": "host",
    "docker": "gpus",
    "SLURM": "gres",
    "wsl": "install",
    "--gres=gpu:1": "gres",
    "mypy": "strict",
    "feedback.py": "sample write",
    "examples.py": "size whole write",
    "pytest": "submission mistake",
    "hidden checks there": "submission",
    "--gres": "gres",
    "%autograder": "file",
}


INCIDENTS = {"died", "protocol", "timeout", "probes"}  # what stands in a result, in the table of attacks


def commands(command: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Every command with its options."""
    yield path, {"--help", "--lang", *(o for p in command.params for o in (*p.opts, *p.secondary_opts))}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


COMMANDS = dict(commands())
OPTIONS = set().union(*COMMANDS.values())


def unknown(text: str) -> list[str]:
    """Options in a text that no command has."""
    found = []
    for line in text.splitlines():
        allowed = {f"--{name}" for mark, others in OTHERS.items() if mark in line for name in others.split()}
        found += [option for option in OPTION.findall(line) if option not in OPTIONS | allowed]
    return found


def misused(text: str) -> list[str]:
    """Commands that do not exist, and options of other commands, in `autograder ...`."""
    found = []
    begins = r"(?m)(?:`|^(?:\$|   ) (?:[A-Z_]+=\S+ )*)autograder (?:--lang \w+ )?([a-z][^`\n]*)"
    for match in re.finditer(begins, text):
        words = match[1].split()
        for length in (3, 2, 1):
            if (path := tuple(words[:length])) in COMMANDS:
                found += [f"{' '.join(path)} {o}" for o in OPTION.findall(match[1]) if o not in COMMANDS[path]]
                break
        else:
            found.append(words[0])
    return found


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(REPOSITORY)) for page in PAGES])
def test_every_option_that_a_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    assert not unknown(text)
    assert not misused(text)


def test_every_option_that_a_message_names_is_there():
    told = read(REPOSITORY / "autograder/locale/fr/LC_MESSAGES/autograder.po")
    assert len(told) > 1000
    assert not {message: wrong for message in told if (wrong := unknown(message.replace("{name}", "ca")))}


def test_a_wrong_option_is_seen():
    assert unknown("or pass `--uncalibrated`, `--out`") == ["--uncalibrated"]
    assert misused("`autograder grade X --seeds 3`, `autograder gard`") == ["grade --seeds", "gard"]


def schema_keys() -> set[str]:
    """Every key that a configuration, a rubric or a result may have."""
    keys: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            keys.update(node.get("properties", {}))
            node = list(node.values())
        if isinstance(node, list):
            for inner in node:
                walk(inner)

    for file in (REPOSITORY / "autograder").rglob("*.schema.json"):
        walk(json.loads(file.read_text(encoding="utf-8")))
    return keys


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(REPOSITORY)) for page in PAGES])
def test_keys_of_the_configuration_and_files_that_a_page_names_are_there(page):
    text = page.read_text(encoding="utf-8")
    keys = schema_keys() | INCIDENTS
    named = re.findall(r"`([a-z_]+): [^`/]*`", text)
    assert not [key for key in named if key not in keys]
    text = text.replace("gaussians", QUICK_COURSE)  # the author's exercise
    ours = re.findall(r"`((?:ci|tests|benchmarks|autograder|reference)/[\w./-]+)`", text)
    made = ("benchmarks/gpu.", f"reference/{QUICK_COURSE}.json")  # by who follows the page
    assert not [path for path in ours if not path.startswith(made) and not (REPOSITORY / path).exists()]


def test_the_settings_of_a_gpu_are_settings(tmp_path):
    (block,) = [block for block in blocks(DOCS / "how-to/gpus.md") if block.language == "yaml"]
    config = yaml.safe_load((REPOSITORY / "tests/engine/toy/grading_config.yaml").read_text())
    given = yaml.safe_load("\n".join(block.lines))
    (tmp_path / "grading_config.yaml").write_text(yaml.safe_dump({**config, **given}))
    read_back = load_config(tmp_path / "grading_config.yaml")
    assert read_back.workers_per_gpu == given["workers_per_gpu"]
    limits = read_back.exercises[0].limits
    assert limits.process.gpu_memory_mb == given["limits"]["process"]["gpu_memory_mb"]


def test_the_steps_that_the_page_on_ci_shows_are_those_of_the_action():
    (block,) = [block for block in blocks(DOCS / "how-to/ci.md") if block.language == "yaml"]
    shown = yaml.safe_load("\n".join(block.lines))["steps"]
    given = yaml.safe_load((REPOSITORY / "ci/github/student.yml").read_text())["jobs"]["check"]["steps"]
    assert [step["uses"] for step in shown] == [step["uses"] for step in given[:2]]
    assert shown[1]["with"] == given[1]["with"]
    assert shown[1]["with"].keys() <= yaml.safe_load((REPOSITORY / "ci/github/action.yml").read_text())["inputs"].keys()


def test_tables_name_every_layout_and_every_export():
    lms = (DOCS / "how-to/lms.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"(?m)^\| `([a-z][a-z-]*)` \|", lms)) == sorted(layouts())
    back = (DOCS / "how-to/give-grades-back.md").read_text(encoding="utf-8")
    formats = {file.stem.replace("_", "-") for file in (REPOSITORY / "autograder/exporters/formats").glob("[a-z]*.py")}
    rows = re.findall(r"(?m)^\| (`[a-z].*?) \|", back)
    assert {name for row in rows for name in re.findall(r"`([a-z-]+)[ `]", row)} == formats


def test_python_that_the_pages_show_is_python():
    for page in PAGES:
        for block in blocks(page) if page.stem != "python-api" else ():  # its signatures are made from the code
            if block.language == "python" and not any(line.startswith("%") for line in block.lines):
                source = textwrap.dedent("\n".join(block.lines))
                source = source.replace("... computed from PERSONAL ...", "...")  # where a value would be
                ast.parse(f"f({source})" if source.startswith("also=") else source, f"{page.name}:{block.line}")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the kernel's client, about event loops
def test_the_cells_that_the_page_on_notebooks_shows_run(graded_course, tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    shutil.copytree(graded_course / "exercises/en", tmp_path / "course")
    folder = tmp_path / "course" / QUICK_COURSE
    page = [b for b in blocks(DOCS / "how-to/jupyter.md") if b.language == "python"]
    cells = [nbformat.v4.new_code_cell(line) for block in page for line in block.lines if line]
    own = nbformat.v4.new_code_cell("def tokenize(text):\n    return text.lower().split()")
    notebook = nbformat.v4.new_notebook(cells=[own, *cells])
    client = nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}})
    client.execute()
    assert "message" not in str(cells[-1].outputs[0])


def test_every_pinned_package_runs_on_the_first_release_of_the_oldest_python():
    """Debian 12 has 3.11.2: a pin that asks for 3.11.5 stops `make demo` there, and nowhere else."""
    oldest = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["requires-python"]
    (first,) = re.findall(r"\d+\.\d+", oldest)
    pins = {canonicalize_name(line.split("==")[0]) for line in (REPOSITORY / "constraints.txt").read_text().split("\n")}
    asked = {
        name: one.metadata.get("Requires-Python")
        for one in distributions()
        if (name := canonicalize_name(one.name)) in pins and one.metadata.get("Requires-Python")
    }
    assert len(asked) > 50
    assert [name for name, versions in asked.items() if not SpecifierSet(versions).contains(f"{first}.0")] == []
