"""`autograder calibrate`: the limits of statistical checks, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.language import _

if TYPE_CHECKING:
    from autograder.course.config import DataSet


@click.command("calibrate")
@click.argument("exercises", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All exercises of the course.")
@click.option("--course", type=click.Path(path_type=Path, exists=True), default=Path("."), help="The course's folder.")
@click.option("--seeds", type=click.IntRange(5), default=40, show_default=True, help="Runs of the reference.")
@click.option("--alternative-seeds", type=click.IntRange(4), default=12, show_default=True, help="Of each alternative.")
@click.option("--mistake-seeds", type=click.IntRange(3), default=8, show_default=True, help="Runs of each mistake.")
@click.option("--workers", type=click.IntRange(1), help="Judge processes (default: one per core).")
@click.option("--data", "data_set", type=click.Choice(["auto", "mnist", "digits"]), help="Data set to calibrate for.")
def command(
    exercises: tuple[str, ...],
    everything: bool,
    course: Path,
    seeds: int,
    alternative_seeds: int,
    mistake_seeds: int,
    workers: int | None,
    data_set: DataSet | None,
) -> None:
    """Run correct solutions and mistakes over many seeds and place the limits between them.

    Writes reference/<exercise>.json and reference/<exercise>.png. Limits of other data sets stay as they are.
    """
    from autograder.batch.calibration import calibrate, merge_and_write, overlaps
    from autograder.batch.pool import default_workers
    from autograder.commands.progress import progress
    from autograder.course import CONFIG_NAME, find_course, find_exercise, load_config
    from autograder.course.calibration import Seeds
    from autograder.reports.calibration_plot import draw_calibration

    config = load_config(find_course(course) / CONFIG_NAME)
    names = [e.id for e in config.exercises] if everything else list(exercises)
    if not names:
        raise CommandFault(_("name an exercise, or --all"), status=2)
    problems = []
    for name in names:
        exercise = find_exercise(config, name)
        with progress(_("calibrating {name}").format(name=name)) as bar:
            measured = calibrate(
                config,
                exercise,
                Seeds(seeds, alternative_seeds, mistake_seeds),
                workers or default_workers(),
                lambda done, total: bar.advance(total, str(done.task.key)),
                data_set,
            )
        found = merge_and_write(exercise.reference_json, measured)
        click.echo(_("wrote {reference_json}").format(reference_json=exercise.reference_json))
        for data, figure, limit in measured.limits:
            shown = " .. ".join(f"{v:.4g}" for v in (limit.low, limit.high) if v is not None)
            false_pass = _("no mistake") if limit.false_pass is None else f"{limit.false_pass:.1e}"
            click.echo(
                _("  {figure} ({data}): {better} {shown}, false fail {false_fail:.1e}, false pass {false_pass}").format(
                    figure=figure, data=data, better=limit.better, shown=shown, false_fail=limit.false_fail,
                    false_pass=false_pass,
                )
            )  # fmt: skip
        if found.limits:
            picture = exercise.reference_json.with_suffix(".png")
            draw_calibration(found, picture)
            click.echo(_("wrote {picture}").format(picture=picture))
        problems += [f"{name}: {line}" for line in overlaps(measured)]
    if problems:
        raise CommandFault("\n  ".join([_("correct and wrong solutions overlap:"), *problems]))
