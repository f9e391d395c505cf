"""The documentation is built without a warning, and the pages made from the code are up to date."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .conftest import DOCS, REPOSITORY


@pytest.fixture(scope="module")
def generator():
    import runpy

    return runpy.run_path(str(DOCS / "generate.py"))


def test_pages_made_from_the_code_are_up_to_date():
    """In a process of its own: the overloads of a function are kept in one that anything imported may have cleared."""
    command = [sys.executable, str(DOCS / "generate.py"), "--check"]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_attack_has_been_recorded(generator):
    tables = generator["tables"]
    assert tables.unrecorded() == [], f"run `{tables.RECORD_COMMAND}` and `make docs`"


def test_every_command_and_option_is_in_the_reference():
    from autograder.commands.main import COMMANDS

    text = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"## autograder {name}\n" in text


def test_every_page_is_made_without_a_warning(tmp_path):
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        str(DOCS),
        str(tmp_path / "html"),
    ]
    ran = subprocess.run([*command, "-d", str(tmp_path / "trees")], capture_output=True, text=True, cwd=REPOSITORY)
    assert ran.returncode == 0, ran.stderr
    pages = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")}
    assert all((tmp_path / "html" / page).is_file() for page in pages)
    for page in (tmp_path / "html").rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|img|link)\b[^>]*\b(?:src|href)="(https?:|//)[^"]*"', page.read_text(encoding="utf-8")
        )
        assert not loaded, f"{page} loads something from elsewhere"


def test_the_page_on_checks_names_all_that_a_check_can_use():
    import ast
    import inspect

    from autograder.judge.check import check
    from autograder.judge.draw import Draw
    from autograder.judge.expect import Expect
    from autograder.judge.fixtures import FIXTURES

    text = (DOCS / "reference" / "writing-checks.md").read_text(encoding="utf-8")
    probes = ast.parse((REPOSITORY / "autograder/worker/probes.py").read_text(encoding="utf-8")).body
    names = {
        "fixture": [rf"\| `{name}[`(]" for name in FIXTURES],
        "argument of check": [rf"`{name}`" for name in inspect.signature(check).parameters],
        "method": [rf"\.{name}\(" for kind in (Draw, Expect) for name in vars(kind) if not name.startswith("_")],
        "probe": [rf"`{node.name}\(" for node in probes if isinstance(node, ast.FunctionDef) and node.name[0] != "_"],
    }
    missing = [f"{kind} {name}" for kind, patterns in names.items() for name in patterns if not re.search(name, text)]
    assert not missing
