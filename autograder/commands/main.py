"""`autograder`: the table of subcommands. Each is imported only when it runs, so that `--help` is instant."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from autograder import __version__
from autograder.commands.faults import of_the_machine
from autograder.commands.lazy import LazyGroup, Subcommand
from autograder.commands.options import SPOKEN
from autograder.commands.translated import language_of, speak_click, translated
from autograder.errors import AutograderError
from autograder.language import LANGUAGES, _, said, use_language

COMMANDS: dict[str, Subcommand] = {
    "new": Subcommand("new", "Make a student's own copy of an exercise."),
    "check": Subcommand("check", "Run the public checks on your file."),
    "ci": Subcommand("ci", "Check a repository in continuous integration."),
    "grade": Subcommand("grade", "Grade a folder of submissions."),
    "report": Subcommand("report", "Show results: a table, pages for students, the class."),
    "gradebook": Subcommand("gradebook", "Override points, extend due dates, comment, export."),
    "export": Subcommand("export", "Give grades back: Moodle, Canvas, CSV, JSON, feedback files."),
    "new-exercise": Subcommand("new_exercise", "Make the files of a new exercise, ready to be changed."),
    "preview": Subcommand("preview", "Show an exercise as students will read it."),
    "assign": Subcommand("assign", "Make what students get from the solutions."),
    "calibrate": Subcommand("calibrate", "Measure the limits of statistical checks."),
    "verify": Subcommand("verify", "Prove that the checks judge rightly."),
    "messages": Subcommand("messages", "Bring the catalogues of translations up to date."),
    "data": Subcommand("data", "Get the MNIST digits, or say which digits are used."),
}


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of messages (default: the course's).")
@click.version_option(__version__, prog_name="autograder")
@click.pass_context
def cli(ctx: click.Context, lang: str | None) -> None:
    """Exercises on generative models, and the grader that keeps every answer out of reach.

    Exit status: 0 done; 1 something could not be graded or proved; 2 wrong usage or configuration; 3
    (of grade) something needs a person.
    """
    if lang is not None:
        use_language(lang)
        speak_click(lang)
        ctx.meta[SPOKEN] = lang
        # `assign --lang` is about what it writes.
        ctx.default_map = {name: {"lang": lang} for name in COMMANDS if name != "assign"}


def _in_utf8() -> None:
    """Begin again in Python's UTF-8 mode where the locale's letters are few: no student's name may be lost in them."""
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode:
        os.environ["PYTHONUTF8"] = "1"  # for judges and workers
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def main() -> None:
    """Run the command line; errors meant for the user come out as one message."""
    _in_utf8()
    spoken = language_of(sys.argv[1:], Path())
    use_language(spoken)
    speak_click(spoken)
    try:
        translated(cli)(standalone_mode=False)
    except click.exceptions.Exit as exit_request:
        sys.exit(exit_request.exit_code)
    except click.Abort:
        click.echo(_("Interrupted."), err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except AutograderError as error:
        _end(error)
    except Exception as error:
        fault = of_the_machine(error)
        if fault is None:
            raise
        _end(fault)


def _end(fault: AutograderError) -> NoReturn:
    click.echo(f"autograder: {said(str(fault))}", err=True)
    sys.exit(fault.status)


if __name__ == "__main__":
    main()
