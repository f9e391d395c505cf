"""`autograder report`: results as a table, a student's checks, CSV, pages for students, the class for teachers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.commands.handing_in import class_options, read_submissions
from autograder.language import LANGUAGES, _, ngettext, said, use_language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.course import CourseConfig
    from autograder.reports.similarity import Likeness
    from autograder.results.grade import Grade
    from autograder.results.model import Result
    from autograder.submissions import HandIn

FOLDER = click.Path(path_type=Path, file_okay=False)
EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)
GIVEN = click.Path(path_type=Path, exists=True)


@click.command("report")
@click.argument("out", type=EXISTING)
@click.option("--student", help="The checks of one student.")
@click.option("--exercise", help="Of one exercise only.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV to the terminal.")
@click.option("--html", type=FOLDER, help="Write one page per student, for the students, into this folder.")
@click.option("--teacher", is_flag=True, help="With --html: pages for teachers, hidden checks and figures included.")
@click.option("--class", "class_folder", type=FOLDER, help="Write the class report (HTML, Markdown, CSV) there.")
@click.option("--submissions", type=GIVEN, help="With --class: what was graded, to find near copies.")
@class_options
@click.option("--course", type=EXISTING, default=Path("."), help="The course's folder (default: here or above).")
@click.option("--database", help="SQLAlchemy URL of the book (default: SQLite in OUT).")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the pages (default: the course's).")
def command(
    out: Path,
    student: str | None,
    exercise: str | None,
    as_csv: bool,
    html: Path | None,
    teacher: bool,
    class_folder: Path | None,
    submissions: Path | None,
    layout: str,
    roster: Path | None,
    course: Path,
    database: str | None,
    lang: str | None,
) -> None:
    """Show the results in OUT, a folder written by `autograder grade`.

    Students' pages show what the configuration lets them see: `visibility`, `published`, due dates. Overrides,
    extensions and comments of the gradebook are applied in pages and in the class report.
    """
    if teacher and html is None:
        raise CommandFault(_("--teacher goes with --html DIR"), status=2)
    if submissions is not None and class_folder is None:
        raise CommandFault(_("--submissions goes with --class DIR"), status=2)
    from autograder.results.files import read_results

    def wanted(result: Result) -> bool:
        return student in (None, result.student) and exercise in (None, result.exercise)

    everything = list(read_results(out))
    results = [result for result in everything if wanted(result)]
    if not results:
        of = _("no results of {student}").format(student=student) if student else _("no results")
        raise CommandFault(_("{out}: {reason}; grade first").format(out=out, reason=of), status=2)
    from autograder.course import CONFIG_NAME, find_course, load_config

    config = load_config(find_course(course) / CONFIG_NAME)
    spoken = lang or config.language
    use_language(spoken, config.translations)
    from autograder.book.grades import grades
    from autograder.book.missing import complete
    from autograder.book.place import read_decisions
    from autograder.book.rubric import load_rubric

    decisions = read_decisions(database or out, config.id)
    # What is missing is known from the whole class: an exercise counts once somebody handed it in.
    results = [result for result in complete(everything, config, decisions) if wanted(result)]
    final = grades(results, config, decisions, load_rubric(config))
    if html is None and class_folder is None:
        _show(config, out, results, final, student, as_csv)
    if html is not None:
        count = _write_students(config, spoken, out, results, final, html, teacher)
        click.echo(ngettext("{n} page: {html}", "{n} pages: {html}", count).format(n=count, html=html))
    if class_folder is not None:
        handed_in = submissions and read_submissions(submissions, config, layout=layout, roster=roster)
        click.echo(
            _("class report: {file}").format(
                file=_write_class(config, spoken, out, results, final, class_folder, handed_in, database)
            )
        )


def _show(
    config: CourseConfig, out: Path, results: Sequence[Result], final: Sequence[Grade], student: str | None,
    as_csv: bool,
) -> None:  # fmt: skip
    from rich.console import Console

    from autograder.exporters.people import People
    from autograder.exporters.table import GradeTable
    from autograder.reports.cells import Form
    from autograder.reports.table import grade_table, result_table
    from autograder.reports.words import legend, outcome_word, points, short

    people = People(None, out)
    if as_csv:
        table = GradeTable(zip(results, final, strict=True), config, people)
        click.echo(Form().text(table.long(Form())), nl=False)
        return
    console = Console()
    if student is None:
        names = {result.student: people.of(result.student).name for result in results}
        console.print(grade_table(zip(results, final, strict=True), names))
        return
    for result, grade in zip(results, final, strict=True):
        cell = short(grade, bool(result.alarms))
        console.print(
            f"{result.exercise}: {cell} / {points(grade.max_points)} "
            f"({outcome_word(result.outcome)}) {said(result.message)}",
            markup=False, style="bold",
        )  # fmt: skip
        if meaning := legend([cell]):
            console.print(f"  {meaning}", markup=False)
        for problem in result.loading:
            console.print(
                _("  {where}, line {line}: {message}").format(
                    where=problem.where, line=problem.line, message=said(problem.message)
                ),
                markup=False,
                style="yellow",
            )
        for note in result.notes:
            console.print(_("  note: {note}").format(note=said(note)), markup=False)
        console.print(result_table(result))


def _write_students(
    config: CourseConfig,
    language: str,
    out: Path,
    results: Sequence[Result],
    final: Sequence[Grade],
    folder: Path,
    teacher: bool,
) -> int:
    from datetime import UTC, datetime

    from autograder.reports.pages import student_page
    from autograder.reports.pictures import student_pictures
    from autograder.reports.reading import ReadingList
    from autograder.reports.visible import student_view
    from autograder.results.files import write_atomically

    now = datetime.now(UTC)
    by_student: dict[str, list[tuple[Result, Grade]]] = {}
    for result, grade in zip(results, final, strict=True):
        by_student.setdefault(result.student, []).append((result, grade))
    reading = ReadingList(config)
    for name, pairs in by_student.items():
        own, own_grades = [result for result, _ in pairs], [grade for _, grade in pairs]
        view = student_view(
            config, own, own_grades, now, teacher=teacher, read_on=reading.of(own),
            pictures={r.exercise: student_pictures(out, name, r.exercise) for r in own},
        )  # fmt: skip
        write_atomically(folder / f"{name}.html", student_page(view, config, language))
    return len(by_student)


def _write_class(
    config: CourseConfig,
    language: str,
    out: Path,
    results: Sequence[Result],
    final: Sequence[Grade],
    folder: Path,
    handed_in: HandIn | None,
    database: str | None,
) -> Path:
    from datetime import UTC, datetime

    from autograder.exporters.people import People
    from autograder.exporters.table import GradeTable
    from autograder.reports.cells import Form
    from autograder.reports.class_text import checks_csv, class_markdown, mistakes_csv, statistics_csv
    from autograder.reports.class_view import class_view
    from autograder.reports.pages import class_page
    from autograder.results.files import write_atomically

    view = class_view(
        config, results, final, datetime.now(UTC), likeness=_likeness(config, results, handed_in),
        before=_before(database or out, config, results),
    )  # fmt: skip
    page = folder / "class.html"
    write_atomically(page, class_page(view, config, language))
    write_atomically(folder / "class.md", class_markdown(view))
    table = GradeTable(zip(results, final, strict=True), config, People(None, out))
    write_atomically(folder / "grades.csv", Form().text(table.long(Form())))
    write_atomically(folder / "checks.csv", checks_csv(view))
    write_atomically(folder / "statistics.csv", statistics_csv(view))
    write_atomically(folder / "mistakes.csv", mistakes_csv(view))
    return page


def _likeness(config: CourseConfig, results: Sequence[Result], handed_in: HandIn | None) -> list[Likeness]:
    """What the submissions that were graded have in common; nothing without their files."""
    if handed_in is None:
        return []
    from autograder.authoring.bundle import stub_source
    from autograder.course import find_exercise
    from autograder.reports.similarity import likeness
    from autograder.submissions import SubmissionUnreadable

    graded = {(r.student, r.exercise) for r in results}
    codes: dict[str, dict[str, str]] = {}
    for entry in handed_in.entries:
        if (entry.student, entry.exercise) not in graded:
            continue
        try:
            read = handed_in.read(entry)
        except SubmissionUnreadable:
            continue  # its result says so
        codes.setdefault(entry.exercise, {})[entry.student] = "\n".join(cell.source for cell in read.cells)
    return [likeness(e, codes[e], stub_source(find_exercise(config, e))) for e in sorted(codes)]


def _before(place: Path | str, course: CourseConfig, results: Sequence[Result]) -> dict[tuple[str, str], float]:
    """The points of the attempt before the last, where the book has one."""
    from autograder.book.place import has_book, open_store

    before: dict[tuple[str, str], float] = {}
    if not has_book(place):
        return before
    with open_store(place, course.id) as store:
        for result in results:
            attempts = store.attempts.history(result.student, result.exercise)
            if len(attempts) > 1:
                before[result.student, result.exercise] = attempts[-2].result.points
    return before
