"""`autograder verify`: proof that the checks judge rightly, and the matrix of mistakes × checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.commands.options import WRITTEN, chosen, gathered, in_course, named_exercises, open_course, with_workers
from autograder.language import _, ngettext

if TYPE_CHECKING:
    from autograder.service.proofs import VerificationSeeds


def _runs(
    seeds: int | None, exact_seeds: int, alternative_seeds: int | None, mistake_seeds: int | None, changed: str | None
) -> tuple[VerificationSeeds, str | None]:
    """How many runs of each kind, and the revision that the course is compared with."""
    from autograder.service.proofs import VerificationSeeds

    usual = VerificationSeeds(50, 3, 2, 2) if changed is None else VerificationSeeds(3, 1, 1, 1)
    return VerificationSeeds(
        seeds or usual.reference, usual.alternative if alternative_seeds is None else alternative_seeds,
        usual.mistake if mistake_seeds is None else mistake_seeds, usual.stub, exact_seeds,
    ), changed  # fmt: skip


@click.command("verify")
@named_exercises
@in_course
@gathered(
    "runs",
    _runs,
    click.option("--seeds", type=click.IntRange(1), help="Runs of the reference (default: 50; with --changed 3)."),
    click.option(
        "--exact-seeds", type=click.IntRange(0), default=0, show_default=True, help="More of its exact checks."
    ),
    click.option(
        "--alternative-seeds", type=click.IntRange(0), help="Of each alternative (default: 3; with --changed 1)."
    ),
    click.option("--mistake-seeds", type=click.IntRange(0), help="Of each mistake (default: 2; with --changed 1)."),
    click.option(
        "--changed", is_flag=False, flag_value="HEAD", metavar="[REVISION]",
        help="Only what a change since a git revision (default: HEAD) touches: its checks, on every known submission "
        "that they are meant for.",
    ),
)
@click.option("--mistake", "mistakes", multiple=True, metavar="ID", help="Only this mistake; may be repeated.")
@click.option("--accept", is_flag=True, help="Write what each mistake loses into losses.yaml instead of comparing.")
@click.option("--coverage", type=WRITTEN, help="Only write the table contract × checks to FILE.")
@with_workers
@click.option("--picture", type=click.Path(path_type=Path), help="Folder for the matrix as <exercise>.png.")
def command(
    exercises: tuple[str, ...], everything: bool, course: Path, runs: tuple[VerificationSeeds, str | None],
    mistakes: tuple[str, ...], accept: bool, workers: int | None, picture: Path | None, coverage: Path | None,
) -> None:  # fmt: skip
    """Judge the reference, the stub, the alternatives and every known mistake, over many seeds.

    The reference must get full marks, the stub none, every alternative full marks, and every mistake must lose the
    check meant for it, which must name it, and beside it what its line in losses.yaml says and nothing else. Exit
    status 1 where one of these does not hold.

    With --changed, no exercise named means all of them.
    """
    from autograder.commands.progress import progress
    from autograder.commands.verified import by_cause, draw, tell, write_coverage
    from autograder.service.proofs import verify, wrong

    counts, changed = runs
    of = open_course(course)
    names = chosen(of, exercises, everything or changed is not None)
    if coverage is not None:
        write_coverage(of, names, coverage)
        return
    if changed is not None and (mistakes or accept or picture):
        raise CommandFault(_("--changed runs a part: it goes with neither --mistake nor --accept nor --picture"))
    declared = wrong(of, names, mistakes)
    if declared:
        head = _("nothing was run: {n} declarations are wrong:").format(n=len(declared))
        raise CommandFault("\n  ".join([head, *declared]))
    problems: list[str] = []
    for name in names:
        with progress(_("verifying {name}").format(name=name)) as bar:
            seen = verify(of, name, counts, bar.advance, workers, mistakes, changed)
        if seen is None:
            click.echo(_("{name}: nothing of it differs from {revision}").format(name=name, revision=changed))
            continue
        tell(of, seen, accept)
        if picture is not None:
            draw(seen, picture / f"{name}.png")
        differences = [] if accept else [f"{line} (verify --accept writes it)" for line in seen.differences]
        problems += by_cause([f"{name}: {line}" for line in (*seen.problems, *differences)], seen.messages)
    if problems:
        n = len(problems)
        head = ngettext("{n} thing is not as it should be:", "{n} things are not as they should be:", n).format(n=n)
        raise CommandFault("\n  ".join([head, *problems]))
