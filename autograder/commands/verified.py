"""What `autograder verify` says of an exercise that was verified."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from autograder.commands.faults import CommandFault
from autograder.language import _, ngettext
from autograder.reports.matrix import draw_matrix, matrix_table
from autograder.service import proofs

if TYPE_CHECKING:
    from autograder import Course
    from autograder.service.proofs import Verification

MOST = 5  # lines of one cause


def tell(course: Course, seen: Verification, accepting: bool) -> None:
    """The matrix, how it went, and with `accepting` what was written of it."""
    console = Console()
    file, changed = proofs.accept(course, seen) if accepting else (None, [])
    console.print(matrix_table(seen.exercise, seen.checks, seen.rows()))
    line = _(
        "{name}: reference {reference} runs, median {seconds:.1f} s; {n} mistakes, {named} named in every run; {n2} "
        "problems"
    )
    problems = len(seen.problems) + (0 if accepting else len(seen.differences))
    click.echo(
        line.format(
            name=seen.exercise, reference=seen.runs["reference"], seconds=seen.seconds, n=len(seen.lost),
            named=seen.named, n2=problems,
        )
    )  # fmt: skip
    if file is not None:
        line = _("wrote {path}: {n} lines changed; look at them before you commit them")
        click.echo(line.format(path=file, n=len(changed)))
    for line in changed:
        click.echo(f"  {line}")
    for remark in seen.remarks:
        click.secho(_("  remark: {remark}").format(remark=remark), dim=True)


def by_cause(lines: Sequence[str], causes: Collection[str]) -> list[str]:
    """The lines, those of one cause below it: a slip in the solution shows in every run and every mistake."""
    groups: dict[str, list[str]] = {}
    for line in lines:
        cause = max((one for one in causes if one and one in line), key=len, default=line)
        groups.setdefault(cause, []).append(line)
    told = []
    for cause, found in groups.items():
        seen_in = [line.replace(f": {cause}", "").replace(f" ({cause})", "") for line in found]
        more = [_("and {n} more").format(n=len(found) - MOST)] if len(found) > MOST else []
        told.append(found[0] if len(found) == 1 else "\n    ".join([cause, *seen_in[:MOST], *more]))
    return told


def draw(seen: Verification, picture: Path) -> None:
    """The matrix as a picture."""
    draw_matrix(picture, seen.exercise, seen.checks, seen.rows())
    click.echo(_("wrote {path}").format(path=picture))


def write_coverage(course: Course, exercises: Sequence[str], path: Path) -> None:
    """The table contract × checks.

    Raises:
        CommandFault: no check covers a requirement.
    """
    drafts = {one.id for one in course.config.exercises if one.draft}
    found = proofs.coverage(course, [name for name in exercises if name not in drafts or len(exercises) == 1])
    path.write_text(proofs.markdown(found), encoding="utf-8")
    missing = [f"{c.exercise}: {c.sentences[key]}" for c in found for key in c.missing()]
    if missing:
        raise CommandFault("\n  ".join([_("no check covers these requirements:"), *missing]))
    n = sum(len(c.sentences) for c in found)
    click.echo(
        ngettext("wrote {path}: {n} requirement, covered", "wrote {path}: {n} requirements, all covered", n).format(
            path=path, n=n
        )
    )
