"""Every command of the tutorials and how-to pages is run, as its reader would run it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from .conftest import DOCS, REPOSITORY, blocks, follow

PAGES = sorted(page for folder in ("tutorial", "how-to") for page in (DOCS / folder).glob("*.md"))
NAMES = [f"{page.parent.name}/{page.stem}" for page in PAGES]
MOST_NOT_RUN = 0.4  # of the commands: what needs another machine, a network, a cluster


# Its steps are those of CONTRIBUTING.md, which test_contributing.py follows.
LONG = "tutorial/author"
QUICK = [
    pytest.param(page, id=name, marks=[pytest.mark.slow] if name == LONG else [])
    for page, name in zip(PAGES, NAMES, strict=True)
]


@pytest.mark.parametrize("page", QUICK)
def test_the_commands_of_a_page_work(page, graded_course, tmp_path):
    folder = tmp_path / "course"
    shutil.copytree(graded_course, folder)
    follow(page, folder, tmp_path / "logs")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_the_commands_of_a_page_work_on_the_whole_course(page, whole_graded_course, tmp_path):
    folder = tmp_path / "course"
    shutil.copytree(whole_graded_course, folder)
    follow(page, folder, tmp_path / "logs")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_stand_where_they_are_run(page):
    """In ```console blocks with `$ `, not in blocks of a shell's language nor in indented ones."""
    for block in blocks(page):
        assert block.language not in ("sh", "bash", "shell", ""), f"line {block.line}: write ```console, or a language"
        if block.language == "console":
            assert block.commands, f"line {block.line}: no line begins with `$ `"
    outside = re.sub(r"(?ms)^ *(```+).*?^ *\1\s*$", "", page.read_text(encoding="utf-8"))
    assert not re.search(r"(?m)^(    |\t)(\$ )?(autograder|pytest|pip|make) ", outside), "commands in an indented block"


def test_few_commands_are_not_run():
    run = skipped = 0
    for page in PAGES:
        for block in blocks(page):
            if block.language == "console":
                count = len(block.commands)
                run, skipped = (run, skipped + count) if "not run" in block.remarks else (run + count, skipped)
                assert block.remarks.get("not run", "-"), f"{page}, line {block.line}: say why it is not run"
    assert run > 40, "the pages are read"
    assert skipped <= MOST_NOT_RUN * (run + skipped), f"{skipped} of {run + skipped} are not run"


def test_a_command_that_fails_and_an_output_that_does_not_come_are_seen(tmp_path):
    """The test of the pages can fail."""
    page = tmp_path / "page.md"

    def follow_text(text: str) -> int:
        page.write_text(text)
        shutil.rmtree(tmp_path / "logs", ignore_errors=True)
        return follow(page, tmp_path, tmp_path / "logs")

    assert follow_text("```console\n$ echo a b\na   b\n$ cd .. &&\n> echo c\nc\n```\n") == 2
    assert follow_text("<!-- exit: 3 -->\n```console\n$ cd /\n$ pwd\n/\n$ (exit 3)\n```\n") == 3
    assert follow_text("<!-- file: a/b.txt -->\n```text\nx\n```\n\n```console\n$ cat a/b.txt\nx\n```\n") == 1
    assert follow_text("<!-- not run: needs a cluster -->\n```console\n$ false\n```\n") == 0
    with pytest.raises(AssertionError, match=r"(?s)line 1: false.*status 1"):
        follow_text("```console\n$ false\n$ true\n```\n")
    with pytest.raises(AssertionError, match="another output"):
        follow_text("```console\n$ echo a\nb\n```\n")
    with pytest.raises(AssertionError, match="status 0"):
        follow_text("<!-- exit: 1 -->\n```console\n$ true\n```\n")
    assert follow_text("```console\n$ echo one 0.123 s\none ... s\n```\n") == 1


def test_paths_that_the_repository_names_exist():
    """No text names a page of the documentation that has moved."""
    named = re.compile(r"\bdocs/[\w/-]+\.md\b")
    texts = [path for pattern in ("*.md", "autograder/**/*.py", "autograder/**/*.html", "tests/**/*.py", "docs/**/*.md",
                                  "examples/*.md", "Makefile") for path in REPOSITORY.glob(pattern)]  # fmt: skip
    wrong = {
        f"{path.relative_to(REPOSITORY)}: {name}"
        for path in texts if path != Path(__file__)
        for name in named.findall(path.read_text(encoding="utf-8")) if not (REPOSITORY / name).is_file()
    }  # fmt: skip
    assert not wrong


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_repositorys_pages_lead_somewhere(name):
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", (REPOSITORY / name).read_text(encoding="utf-8"))
    assert not [link for link in links if not (REPOSITORY / link).exists()]


def test_the_readme_shows_commands_that_exist():
    from autograder.commands.main import COMMANDS

    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"(?m)^    autograder ([\w-]+)", text)
    assert set(shown) <= set(COMMANDS)
    assert len(text.splitlines()) <= 120, "about a hundred lines: the rest belongs into docs/"
