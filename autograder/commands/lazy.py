"""Subcommands that are imported only when they run, so that `--help` is instant."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from autograder.commands.translated import translated
from autograder.language import _


class Subcommand(NamedTuple):
    """Where a subcommand lives (a module of `autograder.commands`), and its line in `--help`."""

    module: str
    summary: str


class LazyGroup(click.Group):
    """A group over a table of subcommands; each module has its click command under the name `command`."""

    def __init__(self, *args: Any, table: Mapping[str, Subcommand], **options: Any) -> None:
        super().__init__(*args, **options)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"{__package__}.{entry.module}")
        command: click.Command = module.command
        return translated(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, _(entry.summary)) for name, entry in self.table.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.table and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], self.table, n=1)
            suggestion = _(" Did you mean {name!r}?").format(name=close[0]) if close else ""
            ctx.fail(
                _("No command {name!r}.{suggestion} There are: {listing}.").format(
                    name=args[0], suggestion=suggestion, listing=", ".join(self.table)
                )
            )
        return super().resolve_command(ctx, args)
