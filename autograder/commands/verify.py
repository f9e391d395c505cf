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


def _seeds(seeds: int, exact_seeds: int, alternative_seeds: int, mistake_seeds: int) -> VerificationSeeds:
    from autograder.service.proofs import VerificationSeeds

    return VerificationSeeds(seeds, alternative_seeds, mistake_seeds, 2, exact_seeds)


@click.command("verify")
@named_exercises
@in_course
@gathered(
    "counts",
    _seeds,
    click.option("--seeds", type=click.IntRange(1), default=50, show_default=True, help="Runs of the reference."),
    click.option(
        "--exact-seeds", type=click.IntRange(0), default=0, show_default=True, help="More of its exact checks."
    ),
    click.option(
        "--alternative-seeds", type=click.IntRange(0), default=3, show_default=True, help="Of each alternative."
    ),
    click.option("--mistake-seeds", type=click.IntRange(1), default=2, show_default=True, help="Runs of each mistake."),
)
@click.option("--mistake", "mistakes", multiple=True, metavar="ID", help="Only this mistake; may be repeated.")
@click.option("--accept", is_flag=True, help="Write what each mistake loses into losses.yaml instead of comparing.")
@click.option("--coverage", type=WRITTEN, help="Only write the table contract × checks to FILE.")
@with_workers
@click.option("--picture", type=click.Path(path_type=Path), help="Folder for the matrix as <exercise>.png.")
def command(
    exercises: tuple[str, ...], everything: bool, course: Path, counts: VerificationSeeds, mistakes: tuple[str, ...],
    accept: bool, workers: int | None, picture: Path | None, coverage: Path | None,
) -> None:  # fmt: skip
    """Judge the reference, the stub, the alternatives and every known mistake, over many seeds.

    The reference must get full marks, the stub none, every alternative full marks, and every mistake must lose the
    check meant for it, which must name it, and beside it what its line in losses.yaml says and nothing else. Exit
    status 1 where one of these does not hold.
    """
    from autograder.commands.progress import progress
    from autograder.commands.verified import by_cause, draw, tell, write_coverage
    from autograder.service.proofs import verify, wrong

    of = open_course(course)
    names = chosen(of, exercises, everything)
    if coverage is not None:
        write_coverage(of, names, coverage)
        return
    declared = wrong(of, names, mistakes)
    if declared:
        head = _("nothing was run: {n} declarations are wrong:").format(n=len(declared))
        raise CommandFault("\n  ".join([head, *declared]))
    problems: list[str] = []
    for name in names:
        with progress(_("verifying {name}").format(name=name)) as bar:
            seen = verify(of, name, counts, bar.advance, workers, mistakes)
        tell(of, seen, accept)
        if picture is not None:
            draw(seen, picture / f"{name}.png")
        differences = [] if accept else [f"{line} (verify --accept writes it)" for line in seen.differences]
        problems += by_cause([f"{name}: {line}" for line in (*seen.problems, *differences)], seen.messages)
    if problems:
        n = len(problems)
        head = ngettext("{n} thing is not as it should be:", "{n} things are not as they should be:", n).format(n=n)
        raise CommandFault("\n  ".join([head, *problems]))
