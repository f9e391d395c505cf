"""`autograder verify`: proof that the checks judge rightly, and the matrix of mistakes × checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.language import _, ngettext

if TYPE_CHECKING:
    from autograder.course import Exercise


@click.command("verify")
@click.argument("exercises", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All exercises of the course.")
@click.option("--course", type=click.Path(path_type=Path, exists=True), default=Path("."), help="The course's folder.")
@click.option("--seeds", type=click.IntRange(1), default=50, show_default=True, help="Runs of the reference.")
@click.option("--exact-seeds", type=click.IntRange(0), default=0, show_default=True, help="More of its exact checks.")
@click.option("--alternative-seeds", type=click.IntRange(0), default=3, show_default=True, help="Of each alternative.")
@click.option("--mistake-seeds", type=click.IntRange(1), default=2, show_default=True, help="Runs of each mistake.")
@click.option(
    "--coverage",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Only write the table contract × checks to FILE.",
)
@click.option("--workers", type=click.IntRange(1), help="Judge processes (default: one per core).")
@click.option("--picture", type=click.Path(path_type=Path), help="Folder for the matrix as <exercise>.png.")
def command(
    exercises: tuple[str, ...],
    everything: bool,
    course: Path,
    seeds: int,
    exact_seeds: int,
    alternative_seeds: int,
    mistake_seeds: int,
    workers: int | None,
    picture: Path | None,
    coverage: Path | None,
) -> None:
    """Judge the reference, the stub, the alternatives and every known mistake, over many seeds.

    The reference must get full marks, the stub none, every alternative full marks, and every mistake must lose exactly
    the checks that it names, the first of which must name it. Exit status 1 where one of these does not hold.
    """
    from rich.console import Console

    from autograder.batch.pool import default_workers
    from autograder.batch.verification import VerificationSeeds, verify
    from autograder.commands.progress import progress
    from autograder.course import CONFIG_NAME, find_course, find_exercise, load_config
    from autograder.reports.matrix import draw_matrix, matrix_table

    config = load_config(find_course(course) / CONFIG_NAME)
    names = [e.id for e in config.exercises] if everything else list(exercises)
    if not names:
        raise CommandFault(_("name an exercise, or --all"), status=2)
    if coverage is not None:
        _write_coverage(coverage, [find_exercise(config, name) for name in names])
        return
    console = Console()
    problems = []
    for name in names:
        exercise = find_exercise(config, name)
        counts = VerificationSeeds(seeds, alternative_seeds, mistake_seeds, 2, exact_seeds)
        with progress(_("verifying {name}").format(name=name)) as bar:
            seen = verify(
                config, exercise, counts, workers or default_workers(),
                lambda done, total: bar.advance(total, str(done.task.key)),
            )  # fmt: skip
        console.print(matrix_table(seen.exercise, seen.checks, seen.passed, seen.runs, seen.kinds, seen.expected))
        named = sum(seen.diagnosed[m] == seen.runs[m] for m in seen.expected)
        console.print(
            _(
                "{name}: reference {reference} runs, median {seconds:.1f} s; {n} mistakes, {named} named "
                "in every run; {n2} problems"
            ).format(
                name=name,
                reference=seen.runs["reference"],
                seconds=seen.seconds,
                n=len(seen.expected),
                named=named,
                n2=len(seen.problems),
            ),
            highlight=False,
        )
        for remark in seen.remarks:
            console.print(_("  remark: {remark}").format(remark=remark), markup=False, highlight=False, style="dim")
        if picture is not None:
            path = picture / f"{name}.png"
            draw_matrix(path, seen.exercise, seen.checks, seen.passed, seen.runs, seen.kinds, seen.expected)
            console.print(_("wrote {path}").format(path=path), soft_wrap=True, highlight=False)
        problems += [f"{name}: {line}" for line in seen.problems]
    if problems:
        raise CommandFault(
            "\n  ".join(
                [
                    ngettext(
                        "{n} thing is not as it should be:", "{n} things are not as they should be:", len(problems)
                    ).format(n=len(problems)),
                    *problems,
                ]
            )
        )


def _write_coverage(path: Path, exercises: list[Exercise]) -> None:
    from autograder.authoring.coverage import markdown, read_coverage

    found = [read_coverage(exercise) for exercise in exercises]
    path.write_text(markdown(found), encoding="utf-8")
    missing = [f"{c.exercise}: {c.sentences[key]}" for c in found for key in c.missing()]
    if missing:
        raise CommandFault("\n  ".join([_("no check covers these requirements:"), *missing]))
    n = sum(len(c.sentences) for c in found)
    click.echo(
        ngettext("wrote {path}: {n} requirement, covered", "wrote {path}: {n} requirements, all covered", n).format(
            path=path, n=n
        )
    )
