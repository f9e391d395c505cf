"""`autograder export gradescope`: the zip that Gradescope makes an autograder from."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.faults import CommandFault
from autograder.language import _, ngettext

EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("gradescope")
@click.argument("exercise")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("-o", "--output", "archive", type=click.Path(path_type=Path, dir_okay=False), help="Write this zip.")
@click.option("--course", type=EXISTING, default=Path("."), help="The course's folder (default: here or above).")
@click.option(
    "--identity",
    type=click.Choice(["login", "email", "name", "sid"]),
    default="login",
    show_default=True,
    help="What of Gradescope's metadata names a student; login is the address before the @.",
)
@click.option(
    "--roster",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV that says who is who (id, name, email); wins over --identity.",
)
@click.option(
    "--leaderboard",
    multiple=True,
    metavar="ENTRY",
    help="points, CHECK:FIGURE or CHECK:FIGURE:asc; only of checks that are visible. May be repeated.",
)
@click.option(
    "--isolation",
    type=click.Choice(["full", "reduced", "unprotected"]),
    help="What to ask of the container (default: the course's). unprotected runs student code WITHOUT isolation "
    "where there is none.",
)
@click.option("--extra-index-url", "index", metavar="URL", help="Where pip finds the CPU build of torch.")
def command(
    exercise: str,
    folder: Path | None,
    archive: Path | None,
    course: Path,
    identity: str,
    roster: Path | None,
    leaderboard: tuple[str, ...],
    isolation: str | None,
    index: str | None,
) -> None:
    """Write the autograder of EXERCISE for Gradescope: into FOLDER, or as a zip with -o.

    It holds the solution, the hidden checks and the course secret: it is for Gradescope and for nobody else.
    """
    from autograder.bridges.gradescope.bundle import Choices, bundle_files, mode_of, write_zip
    from autograder.course import CONFIG_NAME, find_course, load_config, load_secret
    from autograder.course.roster import read_roster

    if (folder is None) == (archive is None):
        raise CommandFault(_("name a folder, or a zip with -o FILE.zip"), status=2)
    config = load_config(find_course(course) / CONFIG_NAME)
    config.exercise(exercise)
    if roster is not None:
        read_roster(roster)  # its faults are said here, not in the container
    secret = load_secret(config, config.root, lambda line: click.echo(line, err=True))
    choices = Choices(identity, roster, leaderboard, isolation, index)  # type: ignore[arg-type]
    files = bundle_files(config, exercise, secret, choices)
    if archive is not None:
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.touch(mode=0o600)
        archive.write_bytes(write_zip(files))
    else:
        assert folder is not None
        if folder.is_dir() and any(folder.iterdir()):
            raise CommandFault(_("{folder} is not empty; name a new folder").format(folder=folder), status=2)
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.touch(mode=0o600)
            target.write_bytes(content)
            target.chmod(mode_of(path) & 0o777)
    size = sum(len(content) for content in files.values()) / 1e6
    click.echo(
        ngettext(
            "wrote {archive}: {n} file, {size:.1f} MB unpacked",
            "wrote {archive}: {n} files, {size:.1f} MB unpacked",
            len(files),
        ).format(archive=archive or folder, n=len(files), size=size)
    )
    click.echo(_("It holds the solution, the hidden checks and the course secret: upload it, and give it to nobody."))
