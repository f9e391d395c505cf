"""`autograder export`: grades and exercises in the forms of other programs.

One line per exporter in this table, one module `export_<name>.py` for each, imported when it runs.
"""

from __future__ import annotations

import click

from autograder.commands.lazy import Entry, LazyGroup

EXPORTERS: dict[str, Entry] = {
    "moodle": Entry("export_moodle", "Grades for Moodle's gradebook import, or its offline worksheet."),
    "canvas": Entry("export_canvas", "Grades for Canvas's gradebook import."),
    "nbgrader-csv": Entry("export_nbgrader_csv", "Grades with nbgrader's columns."),
    "csv": Entry("export_csv", "Grades as a plain table."),
    "json": Entry("export_json", "Grades as JSON."),
    "gradescope": Entry("export_gradescope", "The autograder zip of an exercise for Gradescope."),
    "nbgrader": Entry("export_nbgrader", "The exercises as a course for nbgrader."),
    "nbgrader-scores": Entry("export_nbgrader_scores", "Grades into nbgrader's gradebook.db."),
    "otter": Entry("export_otter", "The exercises for otter-grader."),
    "feedback": Entry("export_feedback", "Students' pages zipped as Moodle's bulk upload wants them."),
}


@click.group("export", cls=LazyGroup, table=EXPORTERS)
def command() -> None:
    """Write grades or exercises in the form of another program."""
