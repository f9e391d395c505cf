"""`autograder data`: the images that exercises use."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.options import in_course, open_course
from autograder.language import _


@click.group("data")
def command() -> None:
    """The real images behind the checks: MNIST and Fashion-MNIST where they are, else scikit-learn's digits."""


@command.command("fetch")
@click.argument("names", nargs=-1, type=click.Choice(["mnist", "fashion-mnist"]))
def fetch(names: tuple[str, ...]) -> None:
    """Download test images into the cache (checksums, mirrors, progress): those named, else all."""
    from autograder.service.exercises import DATA_SETS, fetch_images

    for name in names or DATA_SETS:
        title, folder = fetch_images(name, DownloadBar)
        click.echo(_("{title} is in {folder}").format(title=title, folder=folder))


@command.command("which")
@in_course
def which(course: Path) -> None:
    """Say which images this course uses on this machine, and from where."""
    from autograder.service.exercises import images

    for name, place, note in images(open_course(course)):
        click.echo(f"{name}: {place}")
        if note:
            click.echo(note)


class DownloadBar:
    """A bar for a file that comes."""

    def __init__(self, title: str) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        self.total: int = 0
        self._progress = Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self._task = self._progress.add_task(title, total=None)
        self._progress.start()

    def update(self, n: int) -> None:
        self._progress.update(self._task, advance=n, total=self.total or None)

    def reset(self) -> None:
        self._progress.reset(self._task)

    def close(self) -> None:
        self._progress.update(self._task, completed=self.total, total=self.total or None)

    def stop(self) -> None:
        self._progress.stop()
