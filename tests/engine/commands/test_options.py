"""One name for the book everywhere; its old name says so."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from autograder.commands.main import cli
from autograder.results.model import Result
from tests.engine.classes import keep

CONFIG = "schema_version: 1\ncourse: {id: c, title: C}\nexercises: [{id: toy, title: Toy, points: 10}]\n"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "grading_config.yaml").write_text(CONFIG)
    (tmp_path / "out").mkdir()
    keep(tmp_path / "elsewhere", Result("ada", "toy", 7.0, 10.0, "graded"))

    def run(*arguments: str):
        own = [str(tmp_path / "out") if word == "OUT" else word for word in arguments]
        return CliRunner().invoke(cli, [*own, "--course", str(tmp_path)])

    return run


@pytest.mark.parametrize(
    "command",
    [("report", "OUT", "--csv"), ("gradebook", "show", "OUT"), ("gradebook", "export", "OUT"),
     ("gradebook", "override", "OUT", "ada", "toy", "8", "--why", "x")],
)  # fmt: skip
@pytest.mark.parametrize("option", ["--book", "--database"])
def test_the_book_is_where_it_is_said_to_be(run, tmp_path, command, option):
    """`--database` was the attempts for one command and the gradebook for the next."""
    place = f"sqlite:///{tmp_path / 'elsewhere' / 'book.db'}"
    ran = run(*command, option, place)
    assert ran.exit_code == 0, ran.output
    assert "ada" in ran.stdout
    assert ("--database is called --book now" in ran.stderr) == (option == "--database")
    assert run(*command).exit_code != 0  # there is no book in OUT, and none is made by looking
    assert list((tmp_path / "out").iterdir()) == []


def test_every_command_with_a_book_calls_it_so():
    import click

    from autograder.commands.main import COMMANDS

    def options(command: click.Command, context: click.Context) -> list[set[str]]:
        own = [{name for parameter in command.params for name in parameter.opts}]
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                own += options(command.get_command(context, name), context)
        return own

    context = click.Context(cli)
    found = [names for name in COMMANDS for names in options(cli.get_command(context, name), context)]
    assert sum("--book" in names for names in found) >= 10
    assert all(("--database" in names) == ("--book" in names) for names in found)
