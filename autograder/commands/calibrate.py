"""`autograder calibrate`: the limits of statistical checks, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.commands.options import chosen, gathered, in_course, named_exercises, open_course, with_workers
from autograder.language import _, number

if TYPE_CHECKING:
    from autograder.service.proofs import DataSet, Measurements, Seeds


def _seeds(seeds: int, alternative_seeds: int, mistake_seeds: int) -> Seeds:
    from autograder.service.proofs import Seeds

    return Seeds(seeds, alternative_seeds, mistake_seeds)


@click.command("calibrate")
@named_exercises
@in_course
@gathered(
    "counts",
    _seeds,
    click.option("--seeds", type=click.IntRange(5), default=40, show_default=True, help="Runs of the reference."),
    click.option(
        "--alternative-seeds", type=click.IntRange(4), default=12, show_default=True, help="Of each alternative."
    ),
    click.option("--mistake-seeds", type=click.IntRange(3), default=8, show_default=True, help="Runs of each mistake."),
)
@with_workers
@click.option("--data", "data_set", type=click.Choice(["auto", "mnist", "digits"]), help="Data set to calibrate for.")
def command(
    exercises: tuple[str, ...], everything: bool, course: Path, counts: Seeds, workers: int | None,
    data_set: DataSet | None,
) -> None:  # fmt: skip
    """Run correct solutions and mistakes over many seeds and place the limits between them.

    Writes reference/<exercise>.json and reference/<exercise>.png. Limits of other data sets stay as they are.
    """
    from autograder.commands.progress import progress
    from autograder.service.proofs import calibrate

    of = open_course(course)
    problems = []
    for name in chosen(of, exercises, everything):
        with progress(_("calibrating {name}").format(name=name)) as bar:
            found = calibrate(of, name, counts, bar.advance, workers, data_set)
        _tell(found)
        problems += [f"{name}: {line}" for line in found.overlaps]
    if problems:
        raise CommandFault("\n  ".join([_("correct and wrong solutions overlap:"), *problems]))


def _tell(found: Measurements) -> None:
    click.echo(_("wrote {reference_json}").format(reference_json=found.file))
    line = _("  {figure} ({data}): {better} {shown}, false fail {false_fail:.1e}, false pass {false_pass}")
    for data, figure, limit in found.limits:
        shown = " .. ".join(number(v, ".4g") for v in (limit.low, limit.high) if v is not None)
        false_pass = _("no mistake") if limit.false_pass is None else number(limit.false_pass, ".1e")
        click.echo(
            line.format(
                figure=figure, data=data, better=limit.better, shown=shown, false_fail=limit.false_fail,
                false_pass=false_pass,
            )
        )  # fmt: skip
    if found.picture is not None:
        click.echo(_("wrote {picture}").format(picture=found.picture))
