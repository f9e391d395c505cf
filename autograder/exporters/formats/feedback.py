"""Students' pages in a zip as Moodle's "Upload multiple feedback files in a zip" wants it.

One folder per participant, called as in "Download all submissions": `Ada Lovelace_1234567_assignsubmission_file_/`.
Moodle splits the name at underscores, so a name of its own must have none.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable

from autograder.exporters.exporter import Given, Graded, Option, Written
from autograder.language import LANGUAGES, N_, _, language, ngettext, speaking
from autograder.reports.cells import ExportFault

TITLE = N_("Students' pages zipped as Moodle's bulk upload wants them.")
HELP = (
    N_('Zip the page of each student for "Upload multiple feedback files in a zip" of one assignment of Moodle\'s.'),
    N_(
        "The pages are those of `report --html`, of one exercise: students see in them what the configuration lets "
        "them see. Participants' numbers come from the download that was graded, or from --roster (Moodle's grading "
        "worksheet)."
    ),
)
OPTIONS = (Option("lang", N_("Language of the pages (default: the course's)."), choices=LANGUAGES),)
TABLE = False

FILE = "feedback.html"
_DATE = (1980, 1, 1, 0, 0, 0)  # the same pages make the same archive


def write(graded: Graded, given: Given) -> Written:
    """A page for each student whose number Moodle's is known."""
    if len(graded.exercises) != 1:
        raise ExportFault(_("a zip is for one assignment: say which with --exercise"))
    spoken = given.text("lang") or language()
    notes: list[str] = []
    with speaking(spoken, graded.course.translations):
        pages = _pages(graded, spoken, notes)
    if not pages:
        raise ExportFault(_("no student's number in Moodle is known: nothing is written"))
    return Written(
        feedback_zip(pages), ngettext("{n} page", "{n} pages", len(pages)).format(n=len(pages)), tuple(notes)
    )


def _pages(graded: Graded, spoken: str, notes: list[str]) -> list[tuple[str, str, str]]:
    from autograder.authoring.bundle import purposes_of
    from autograder.authoring.overlay import changed_functions
    from autograder.reports.pages import student_page
    from autograder.reports.pictures import student_pictures
    from autograder.reports.reading import ReadingList
    from autograder.reports.visible import student_view

    reading = ReadingList(graded.course, changed_functions, purposes_of)
    pages = []
    for result, grade in zip(graded.results, graded.grades, strict=True):
        profile = graded.people.of(result.student, result.exercise)
        number = profile.number_in("moodle")
        if not number:
            line = _("{student}: no participant's number; give --roster, Moodle's grading worksheet")
            notes.append(line.format(student=result.student))
            continue
        view = student_view(
            graded.course, [result], [grade], graded.now, read_on=reading.of([result]),
            pictures={result.exercise: student_pictures(graded.out, result.student, result.exercise)},
            purposes=reading.purposes([result]),
        )  # fmt: skip
        pages.append((profile.name or result.student, number, student_page(view, graded.course, spoken)))
    return pages


def folder_name(name: str, participant: str) -> str:
    """The folder of a participant."""
    clean = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "", name).replace("_", " ").strip(" .") or "Participant"
    return f"{clean}_{participant}_assignsubmission_file_"


def feedback_zip(pages: Iterable[tuple[str, str, str]]) -> bytes:
    """The archive.

    Args:
        pages: name, participant's number and page of each student.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, participant, page in pages:
            info = zipfile.ZipInfo(f"{folder_name(name, participant)}/{FILE}", _DATE)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, page.encode("utf-8"))
    return stream.getvalue()
