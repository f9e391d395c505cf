"""`autograder data`: the digits that exercises use."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.language import _


@click.group("data")
def command() -> None:
    """The real digits behind the checks: MNIST where it is, else scikit-learn's."""


@command.command("fetch")
def fetch() -> None:
    """Download MNIST's test images into the cache (checksums, mirrors, progress)."""
    from autograder.course.download import fetch_mnist

    click.echo(_("MNIST is in {folder}").format(folder=fetch_mnist(progress=True)))


@command.command("which")
@click.option("--course", type=click.Path(path_type=Path, exists=True), default=Path("."), help="The course's folder.")
def which(course: Path) -> None:
    """Say which digits this course uses on this machine."""
    from autograder.course import CONFIG_NAME, find_course, load_config
    from autograder.course.data import load_digits

    digits = load_digits(load_config(find_course(course) / CONFIG_NAME), "held_out", 1)
    click.echo(digits.data_set)
    if digits.note:
        click.echo(digits.note)
