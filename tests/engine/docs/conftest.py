"""Running a page of the documentation as its reader would: its console blocks, in order, in a copy of the course.

What a page may say about a block, in a comment on the line above it:

    <!-- not run: why -->     needs another machine, a network, a person
    <!-- exit: 1 -->          its last command ends with this status (each other one with 0)
    <!-- file: rubric.yaml --> the block, of any language, is the content of this file
    <!-- append: rubric.yaml --> the block is put at the end of this file

Every other ```console block is run: lines that begin with `$ ` (and `> ` for what they go on with). Lines of output
that a block shows must come, in this order, but for spaces; `...` stands for anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[3]
DOCS = REPOSITORY / "docs"
QUICK_COURSE = "markov_quiz"  # its functions take milliseconds

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+|~~~+)(?P<language>[^\s`]*)")
_REMARK = re.compile(r"^\s*<!--\s*(?P<kind>not run|exit|file|append):\s*(?P<value>.*?)\s*-->\s*$")


@dataclass
class Block:
    """One fenced block: where it begins, its language, its lines, what the comment above it says."""

    line: int
    language: str
    lines: list[str] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """Each command with the lines of output shown under it."""
        found: list[tuple[str, list[str]]] = []
        for line in self.lines:
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.startswith("> ") and found and not found[-1][1]:
                found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
            elif line.strip() and found:
                found[-1][1].append(line)
        return found


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    found: list[Block] = []
    inside: tuple[Block, str, int] | None = None
    remarks: dict[str, str] = {}
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if inside is not None:
            block, fence, indent = inside
            if line.strip() == fence:
                inside = None
            else:
                block.lines.append(line[indent:] if line[:indent].isspace() else line)
        elif match := _FENCE.match(line):
            block = Block(number, match["language"], remarks=remarks)
            found.append(block)
            inside = (block, match["fence"], len(match["indent"]))
            remarks = {}
        elif match := _REMARK.match(line):
            remarks[match["kind"]] = match["value"]
        elif line.strip():
            remarks = {}
    assert inside is None, f"{page}: the block of line {inside[0].line if inside else 0} has no end"
    return found


def copy_course(folder: Path, exercises: list[str] | None) -> Path:
    """The course in a folder of its own: all of it, or these exercises with one alternative each."""
    folder.mkdir()
    config = yaml.safe_load((REPOSITORY / "grading_config.yaml").read_text())
    if exercises is not None:
        config["exercises"] = [e for e in config["exercises"] if e["id"] in exercises]
    for entry in config["exercises"]:
        if "due" in entry:
            entry["due"] = str(entry["due"])
    names = [entry["id"] for entry in config["exercises"]]
    (folder / "grading_config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    ignore = shutil.ignore_patterns("__pycache__")
    for name in names:
        for part in ("solutions", "tests/hidden", "tests/alternatives"):
            if (REPOSITORY / part / name).is_dir():
                shutil.copytree(REPOSITORY / part / name, folder / part / name, ignore=ignore)
        if exercises is not None:
            for path in sorted((folder / "tests/alternatives" / name).glob("*.py"))[1:]:
                path.unlink()
        for path in (REPOSITORY / "reference").glob(f"{name}.*"):
            (folder / "reference").mkdir(exist_ok=True)
            shutil.copy(path, folder / "reference")
    for path in (REPOSITORY / "examples/submissions").rglob("*"):
        if path.is_file() and any(name in re.sub(r"\W", "_", path.name.lower()) for name in names):
            target = folder / path.relative_to(REPOSITORY)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    environment = reader(folder)
    subprocess.run(["autograder", "assign"], cwd=folder, env=environment, check=True, capture_output=True)
    return folder


def reader(home: Path) -> dict[str, str]:
    """The environment of somebody who reads along: the installed command, a home of their own."""
    kept = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "LANG") if name in os.environ}
    paths = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    return kept | {
        "PATH": paths, "HOME": str(home), "USER": "reader", "COLUMNS": "120", "MPLBACKEND": "Agg",
        "AUTOGRADER_SECRET": "a secret of the docs",
    }  # fmt: skip


def follow(page: Path, folder: Path, logs: Path) -> int:
    """Do what the page says, in `folder`; the number of commands. AssertionError names the line that does not hold."""
    logs.mkdir()
    script = ["set -u"]
    shown: list[tuple[str, list[str], Path]] = []
    for block in blocks(page):
        if "not run" in block.remarks:
            continue
        goal = block.remarks.get("file", block.remarks.get("append"))
        if goal is not None:
            content = logs / f"file-{block.line}"
            content.write_text("\n".join(block.lines) + "\n", encoding="utf-8")
            script += [
                f"mkdir -p {Path(goal).parent}",
                f"cat {content} {'>' if 'file' in block.remarks else '>>'} {goal}",
            ]
        if block.language != "console":
            continue
        commands = block.commands
        for number, (command, output) in enumerate(commands):
            expected = int(block.remarks.get("exit", 0)) if number == len(commands) - 1 else 0
            log = logs / f"{len(shown)}.txt"
            shown.append((f"{page.name}, block of line {block.line}: {command}", output, log))
            stop = f'echo "{len(shown) - 1} $status" > {logs}/failed; exit'
            script += [f"{{ {command}\n}} > {log} 2>&1", f'status=$?; if [ "$status" != {expected} ]; then {stop}; fi']
    subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, env=reader(folder), timeout=3000, check=False)
    failed = logs / "failed"
    if failed.exists():
        number, status = failed.read_text().split()
        where, _, log = shown[int(number)]
        raise AssertionError(f"{where}\nended with status {status}:\n{log.read_text()[-3000:]}")
    for where, output, log in shown:
        text = re.sub(r"\s+", " ", log.read_text())
        wanted = [re.escape(re.sub(r"\s+", " ", line.strip())).replace(r"\.\.\.", ".*?") for line in output]
        if not re.search(".*?".join(wanted), text):
            raise AssertionError(f"{where}\nshows another output than\n{log.read_text()[-3000:]}")
    return len(shown)


def graded(folder: Path, exercises: list[str] | None) -> Path:
    """A copy of the course whose example class is graded in `out`: pages that grade it again find it unchanged."""
    copy_course(folder, exercises)
    command = ["autograder", "grade", "examples/submissions", "--out", "out"]
    ran = subprocess.run(command, cwd=folder, env=reader(folder), check=False, capture_output=True)
    assert ran.returncode == 3, ran.stderr  # one of the example class handed in a PDF
    return folder


@pytest.fixture(scope="session")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small one."""
    return graded(tmp_path_factory.mktemp("docs") / "course", [QUICK_COURSE])


@pytest.fixture(scope="session")
def whole_graded_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of it."""
    return graded(tmp_path_factory.mktemp("docs") / "course", None)
