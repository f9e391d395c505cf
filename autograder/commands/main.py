"""`autograder`: the table of subcommands. Each is imported only when it runs, so that `--help` is instant."""

from __future__ import annotations

import importlib
import sys
from typing import NamedTuple

import click

from autograder import __version__
from autograder.commands.faults import CommandFault


class Entry(NamedTuple):
    """Where a subcommand lives, and its line in `--help`."""

    module: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "new": Entry("new", "Make a student's own copy of an exercise."),
    "check": Entry("check", "Run the public checks on your file."),
    "grade": Entry("grade", "Grade a folder of submissions."),
    "report": Entry("report", "Show results: a table, pages for students, the class."),
    "gradebook": Entry("gradebook", "Override points, extend due dates, comment, export."),
    "assign": Entry("assign", "Make what students get from the solutions."),
    "calibrate": Entry("calibrate", "Measure the limits of statistical checks."),
    "verify": Entry("verify", "Prove that the checks judge rightly."),
    "data": Entry("data", "Get the MNIST digits, or say which digits are used."),
}


class LazyGroup(click.Group):
    """A group that imports a subcommand when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"autograder.commands.{entry.module}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            suggestion = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"No command {args[0]!r}.{suggestion} There are: {', '.join(COMMANDS)}.")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="autograder")
def cli() -> None:
    """Exercises on generative models, and the grader that keeps every answer out of reach.

    Exit status: 0 done; 1 something could not be graded or proved; 2 wrong usage or configuration.
    """


def main() -> None:
    """Run the command line; errors meant for the user come out as one message."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as exit_request:
        sys.exit(exit_request.exit_code)
    except click.Abort:
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CommandFault as fault:
        click.echo(f"autograder: {fault}", err=True)
        sys.exit(fault.status)
    except Exception as error:
        status = _status_of(error)
        if status is None:
            raise
        click.echo(f"autograder: {error}", err=True)
        sys.exit(status)


def _status_of(error: Exception) -> int | None:
    """Errors that already speak to the user; their classes are looked up only where they can have been imported."""
    for module, name, status in (
        ("autograder.course.errors", "ConfigurationError", 2),
        ("autograder.authoring.errors", "AuthoringError", 2),
        ("autograder.results.files", "BrokenResult", 1),
        ("autograder.gradebook.book", "GradebookFault", 2),
        ("autograder.batch.judges", "JudgeFault", 1),
        ("autograder.batch.state", "StateFault", 2),
    ):
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(error, getattr(loaded, name)):
            return status
    return None


if __name__ == "__main__":
    main()
