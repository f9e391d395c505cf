"""The table of grades, as it is."""

from __future__ import annotations

from autograder.exporters.exporter import Given, Graded, Option, Written
from autograder.language import N_

TITLE = N_("Grades as a plain table.")
HELP = (N_("Write the grades in OUT as a table: what the checks gave, overrides, late penalty, what counts."),)
OPTIONS = (
    Option("columns", N_("Only these columns, in this order: student,exercise,final ...")),
    Option("wide", N_("One line per student, one column per exercise, and the total."), "flag"),
)
TABLE = True


def write(graded: Graded, given: Given) -> Written:
    """One line per student and exercise, or per student."""
    columns = tuple(name.strip() for name in given.text("columns").split(",") if name.strip())
    form = given.form
    return Written(form.table(graded.table.wide(form) if given.flag("wide") else graded.table.long(form, columns)))
