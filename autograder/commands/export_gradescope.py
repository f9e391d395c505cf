"""`autograder export gradescope`: the zip that Gradescope makes an autograder from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.commands.options import FILE, FOLDER, WRITTEN, gathered, in_course, open_course
from autograder.language import _, ngettext

if TYPE_CHECKING:
    from autograder.bridges.gradescope.bundle import Choices, IsolationChoice, KnownBy


def _choices(
    identity: KnownBy, roster: Path | None, leaderboard: tuple[str, ...], isolation: IsolationChoice | None,
    index: str | None,
) -> Choices:  # fmt: skip
    from autograder.bridges.gradescope.bundle import Choices

    return Choices(identity, roster, leaderboard, isolation, index)


@click.command("gradescope")
@click.argument("exercise")
@click.argument("folder", type=FOLDER, required=False)
@click.option("-o", "--output", "archive", type=WRITTEN, help="Write this zip.")
@in_course
@gathered(
    "choices",
    _choices,
    click.option(
        "--identity",
        type=click.Choice(["login", "email", "name", "sid"]),
        default="login",
        show_default=True,
        help="What of Gradescope's metadata names a student; login is the address before the @.",
    ),
    click.option("--roster", type=FILE, help="CSV that says who is who (id, name, email); wins over --identity."),
    click.option(
        "--leaderboard",
        multiple=True,
        metavar="ENTRY",
        help="points, CHECK:FIGURE or CHECK:FIGURE:asc; only of checks that are visible. May be repeated.",
    ),
    click.option(
        "--isolation",
        type=click.Choice(["full", "reduced", "unprotected"]),
        help="What to ask of the container (default: the course's). unprotected runs student code WITHOUT isolation "
        "where there is none.",
    ),
    click.option("--extra-index-url", "index", metavar="URL", help="Where pip finds the CPU build of torch."),
)
def command(exercise: str, folder: Path | None, archive: Path | None, course: Path, choices: Choices) -> None:
    """Write the autograder of EXERCISE for Gradescope: into FOLDER, or as a zip with -o.

    It holds the solution, the hidden checks and the course secret: it is for Gradescope and for nobody else.
    """
    if (folder is None) == (archive is None):
        raise CommandFault(_("name a folder, or a zip with -o FILE.zip"), status=2)
    from autograder.bridges.gradescope.bundle import bundle_files, write_archive, write_folder

    of = open_course(course)
    files = bundle_files(of.config, of.config.exercise(exercise).id, of.secret(), choices)
    if archive is not None:
        write_archive(archive, files)
    elif folder is not None:
        if folder.is_dir() and any(folder.iterdir()):
            raise CommandFault(_("{folder} is not empty; name a new folder").format(folder=folder), status=2)
        write_folder(folder, files)
    size = sum(len(content) for content in files.values()) / 1e6
    click.echo(
        ngettext(
            "wrote {archive}: {n} file, {size:.1f} MB unpacked",
            "wrote {archive}: {n} files, {size:.1f} MB unpacked",
            len(files),
        ).format(archive=archive or folder, n=len(files), size=size)
    )
    click.echo(_("It holds the solution, the hidden checks and the course secret: upload it, and give it to nobody."))
