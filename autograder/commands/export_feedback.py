"""`autograder export feedback`: students' pages for Moodle's bulk upload of feedback files."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.export_grades import of_grades, read_grades, write
from autograder.commands.faults import CommandFault
from autograder.language import LANGUAGES, _


@click.command("feedback")
@of_grades
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the pages (default: the course's).")
def command(
    out: Path, to: Path, exercises: tuple[str, ...], roster: Path | None, course: Path, database: str | None,
    lang: str | None,
) -> None:  # fmt: skip
    """Zip the page of each student for "Upload multiple feedback files in a zip" of one assignment of Moodle's.

    The pages are those of `report --html`, of one exercise: students see in them what the configuration lets them see.
    Participants' numbers come from the download that was graded, or from --roster (Moodle's grading worksheet).
    """
    from datetime import UTC, datetime

    from autograder.exporters.feedback import feedback_zip
    from autograder.language import use_language
    from autograder.reports.pages import student_page
    from autograder.reports.pictures import student_pictures
    from autograder.reports.reading import ReadingList
    from autograder.reports.visible import student_view

    if len(exercises) != 1:
        raise CommandFault(_("a zip is for one assignment: say which with --exercise"), status=2)
    graded = read_grades(out, exercises, roster, course, database)
    config = graded.course
    language = lang or config.language
    use_language(language, config.root / "translations")
    now = datetime.now(UTC)
    reading = ReadingList(config)
    pages: list[tuple[str, str, str]] = []
    for result, grade in zip(graded.results, graded.grades, strict=True):
        known = graded.people.of(result.student, result.exercise)
        if not known.lms_id.isdigit():
            line = _("{student}: no participant's number; give --roster, Moodle's grading worksheet")
            click.echo(line.format(student=result.student), err=True)
            continue
        view = student_view(
            config, [result], [grade], now, read_on=reading.of([result]),
            pictures={result.exercise: student_pictures(out, result.student, result.exercise)},
        )  # fmt: skip
        pages.append((known.name or result.student, known.lms_id, student_page(view, config, language)))
    if not pages:
        raise CommandFault(_("no student's number in Moodle is known: nothing is written"))
    write(to, feedback_zip(pages))
    click.echo(_("{count} pages").format(count=len(pages)))
