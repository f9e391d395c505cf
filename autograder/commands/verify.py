"""`autograder verify`: proof that the checks judge rightly, and the matrix of mistakes × checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.language import _, ngettext

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.batch.verification import Verification
    from autograder.course import CourseConfig, Exercise


@click.command("verify")
@click.argument("exercises", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All exercises of the course.")
@click.option("--course", type=click.Path(path_type=Path, exists=True), default=Path("."), help="The course's folder.")
@click.option("--seeds", type=click.IntRange(1), default=50, show_default=True, help="Runs of the reference.")
@click.option("--exact-seeds", type=click.IntRange(0), default=0, show_default=True, help="More of its exact checks.")
@click.option("--alternative-seeds", type=click.IntRange(0), default=3, show_default=True, help="Of each alternative.")
@click.option("--mistake-seeds", type=click.IntRange(1), default=2, show_default=True, help="Runs of each mistake.")
@click.option("--mistake", "mistakes", multiple=True, metavar="ID", help="Only this mistake; may be repeated.")
@click.option("--accept", is_flag=True, help="Write what each mistake loses into losses.yaml instead of comparing.")
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
    mistakes: tuple[str, ...],
    accept: bool,
    workers: int | None,
    picture: Path | None,
    coverage: Path | None,
) -> None:
    """Judge the reference, the stub, the alternatives and every known mistake, over many seeds.

    The reference must get full marks, the stub none, every alternative full marks, and every mistake must lose the
    check meant for it, which must name it, and beside it what its line in losses.yaml says and nothing else. Exit
    status 1 where one of these does not hold.
    """
    from rich.console import Console

    from autograder.batch.pool import default_workers
    from autograder.batch.verification import VerificationSeeds, verify
    from autograder.commands.progress import progress
    from autograder.course import CONFIG_NAME, find_course, find_exercise, load_config
    from autograder.reports.matrix import draw_matrix

    config = load_config(find_course(course) / CONFIG_NAME)
    names = [e.id for e in config.exercises] if everything else list(exercises)
    if not names:
        raise CommandFault(_("name an exercise, or --all"), status=2)
    if coverage is not None:
        _write_coverage(coverage, [find_exercise(config, name) for name in names])
        return
    _refuse(config, [find_exercise(config, name) for name in names], mistakes)
    console = Console()
    problems = []
    for name in names:
        exercise = find_exercise(config, name)
        counts = VerificationSeeds(seeds, alternative_seeds, mistake_seeds, 2, exact_seeds)
        with progress(_("verifying {name}").format(name=name)) as bar:
            seen = verify(
                config, exercise, counts, workers or default_workers(),
                lambda done, total: bar.advance(total, str(done.task.key)), mistakes,
            )  # fmt: skip
        _tell(console, seen, exercise, accept)
        if picture is not None:
            path = picture / f"{name}.png"
            draw_matrix(path, name, seen.checks, seen.rows())
            console.print(_("wrote {path}").format(path=path), soft_wrap=True, highlight=False)
        problems += [f"{name}: {line}" for line in seen.problems]
        if not accept:
            problems += [f"{name}: {line} (verify --accept writes it)" for line in seen.differences]
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


def _refuse(config: CourseConfig, exercises: list[Exercise], mistakes: tuple[str, ...]) -> None:
    """Before anything runs: what is declared must be right."""
    from autograder.batch.declarations import wrong_declarations

    wrong = [line for exercise in exercises for line in wrong_declarations(config, exercise, mistakes)]
    if wrong:
        head = _("nothing was run: {n} declarations are wrong:").format(n=len(wrong))
        raise CommandFault("\n  ".join([head, *wrong]))


def _tell(console: Console, seen: Verification, exercise: Exercise, accepting: bool) -> None:
    from autograder.batch.verification import accept
    from autograder.reports.matrix import matrix_table

    changed = accept(seen, exercise) if accepting else []
    console.print(matrix_table(seen.exercise, seen.checks, seen.rows()))
    console.print(
        _(
            "{name}: reference {reference} runs, median {seconds:.1f} s; {n} mistakes, {named} named "
            "in every run; {n2} problems"
        ).format(
            name=seen.exercise,
            reference=seen.runs["reference"],
            seconds=seen.seconds,
            n=len(seen.lost),
            named=seen.named,
            n2=len(seen.problems) + (0 if accepting else len(seen.differences)),
        ),
        highlight=False,
    )
    if accepting:
        console.print(
            _("wrote {path}: {n} lines changed; look at them before you commit them").format(
                path=exercise.losses, n=len(changed)
            ),
            soft_wrap=True,
            highlight=False,
        )
    for line in changed:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    for remark in seen.remarks:
        console.print(_("  remark: {remark}").format(remark=remark), markup=False, highlight=False, style="dim")


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
