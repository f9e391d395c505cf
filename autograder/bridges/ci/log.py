"""A CI run in a service's log: a table per exercise, and GitHub's commands where it reads them."""

from __future__ import annotations

import io
import os
import secrets
import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.bridges.ci.report import Line, Section, closing
from autograder.bridges.ci.writers import github_annotations, without_commands
from autograder.language import _
from autograder.reports.table import STYLES
from autograder.reports.words import outcome_word

_WIDTH = 130  # logs of services are wide, and say they are 80


def log(sections: Sequence[Section]) -> str:
    """What stands in the log."""
    text = _tables(sections)
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return text
    lines = "".join(f"{line}\n" for line in github_annotations(sections))
    return without_commands(text, secrets.token_hex(16)) + lines


def _tables(sections: Sequence[Section]) -> str:
    buffer, terminal = io.StringIO(), sys.stdout.isatty()
    colour = terminal or "true" in (os.environ.get("GITHUB_ACTIONS"), os.environ.get("GITLAB_CI"))
    console = Console(file=buffer, force_terminal=colour, width=None if terminal else _WIDTH)
    for part in sections:
        console.print(Text(f"{part.id}: {part.file}", style="bold"))
        for line in _section(part):
            console.print(line)
    if len(sections) > 1:
        console.print(Text(closing(sections), style="bold"))
    return buffer.getvalue()


def _section(part: Section) -> Iterator[Text | Table]:
    if not part.begun:
        yield Text(part.headline, style="dim")
        return
    yield from (Text(f"  {sentence}") for sentence in part.text.split("\n") if sentence)
    yield from (Text(f"  {warning}", style="yellow") for warning in part.warnings)
    if part.seen:
        table = Table(header_style="bold")
        for column in (_("check"), "", _("points"), _("line"), _("what to look at")):
            table.add_column(column)
        for line in part.seen:
            table.add_row(*_row(line))
        yield table
    yield Text(part.headline)


def _row(line: Line) -> list[Text]:
    return [
        Text(line.title), Text(outcome_word(line.outcome), style=STYLES.get(line.outcome, "dim")), Text(line.earned),
        Text(str(line.line or "")), Text(line.text),
    ]  # fmt: skip
