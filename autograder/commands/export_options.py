"""The options of exporters, made of what an exporter says of itself, and what was given for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autograder.commands.options import FILE

if TYPE_CHECKING:
    from autograder.exporters.exporter import Given, Option, OptionValue

FORM = (
    click.Option(["--decimal"], type=click.Choice(["point", "comma"]), help="The decimal sign (default: point)."),
    click.Option(
        ["--delimiter"],
        type=click.Choice(["comma", "semicolon", "tab"]),
        help="Between cells (default: comma; semicolon with --decimal comma).",
    ),
    click.Option(
        ["--encoding"],
        type=click.Choice(["utf-8", "utf-8-bom", "latin-1"]),
        default="utf-8",
        help="utf-8-bom is what Excel opens rightly.",
    ),
)


def option(own: Option) -> click.Option:
    """An exporter's own option."""
    flags = [f"--{own.name}", own.name.replace("-", "_")]
    if own.kind == "flag":
        return click.Option(flags, is_flag=True, help=own.help)
    kind = FILE if own.kind == "file" else click.Choice(own.choices) if own.choices else click.STRING
    return click.Option(flags, type=kind, multiple=own.kind == "texts", metavar=own.metavar, help=own.help)


def given(decimal: str | None, delimiter: str | None, encoding: str, values: dict[str, OptionValue]) -> Given:
    from typing import cast

    from autograder.exporters.exporter import Given
    from autograder.reports.cells import DELIMITERS, Encoding, Form

    between = DELIMITERS[delimiter or ("semicolon" if decimal == "comma" else "comma")]
    form = Form("," if decimal == "comma" else ".", between, cast("Encoding", encoding))
    return Given(form, decimal is not None, {name.replace("_", "-"): value for name, value in values.items()})
