"""`autograder data`: the images that exercises use."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.language import _


@click.group("data")
def command() -> None:
    """The real images behind the checks: MNIST and Fashion-MNIST where they are, else scikit-learn's digits."""


@command.command("fetch")
@click.argument("names", nargs=-1, type=click.Choice(["mnist", "fashion-mnist"]))
def fetch(names: tuple[str, ...]) -> None:
    """Download test images into the cache (checksums, mirrors, progress): those named, else all."""
    from autograder.course.download import fetch
    from autograder.course.sets import PUBLISHED

    for name in names or PUBLISHED:
        published = PUBLISHED[name]
        folder = fetch(published, progress=True)
        click.echo(_("{title} is in {folder}").format(title=published.title, folder=folder))


@command.command("which")
@click.option("--course", type=click.Path(path_type=Path, exists=True), default=Path("."), help="The course's folder.")
def which(course: Path) -> None:
    """Say which images this course uses on this machine, and from where."""
    from autograder.course import CONFIG_NAME, find_course, load_config
    from autograder.course.data import find_images, load_images
    from autograder.course.sets import PUBLISHED

    config = load_config(find_course(course) / CONFIG_NAME)
    for name, published in PUBLISHED.items():
        images = load_images(config, published, "held_out", 1)
        folder = find_images(published, config.data, config.root)
        click.echo(f"{name}: {folder or images.data_set}")
        if images.note:
            click.echo(images.note)
