"""What follows from the code: the pages under docs/reference/ (commands, configuration ...), the published schemas.

`make docs` (or `python docs/generate.py`) writes them; `--check` only says which are out of date.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))
import attacks as tables
import explained
import hand_ins
import python_api
import systems

from autograder.authoring.course_map import FILE, course_map
from autograder.book.rubric import SCHEMA_FILE as RUBRIC_SCHEMA
from autograder.book.rubric import rubric_schema
from autograder.course import CourseConfig, load_config
from autograder.course.schema import SCHEMA_FILE as CONFIG_SCHEMA
from autograder.course.schema import config_schema
from autograder.results.schema import SCHEMA_FILE as RESULT_SCHEMA
from autograder.results.schema import result_schema

DOCS = Path(__file__).parent
REPOSITORY = DOCS.parent
OUR_COURSE = load_config(REPOSITORY / "grading_config.yaml")
MAP = DOCS / "pictures" / FILE
MADE = "<!-- Made by docs/generate.py: change what it reads, then run `make docs`. -->"


# --- commands -----------------------------------------------------------------------------------------------------


def commands() -> str:
    """Every subcommand with its arguments and options, as `--help` says them."""
    from autograder.commands.main import COMMANDS, cli

    context = click.Context(cli, info_name="autograder")
    lines = [MADE, "", "# Commands", "", *_paragraphs(cli.help or ""), "", "| command | what it does |", "|---|---|"]
    lines += [f"| [`{name}`](#autograder-{name}) | {_cell(entry.summary)} |" for name, entry in COMMANDS.items()]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None, name
        lines += _command(command, click.Context(command, info_name=name, parent=context), 2)
    return "\n".join(lines) + "\n"


def _command(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from ("", f"{'#' * level} {context.command_path}", "", "```text", usage, "```", "")
    yield from _paragraphs(command.help or "")
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in record[0] and record[1]:
            rows.append(f"| `{record[0].replace('|', chr(92) + '|')}` | {_cell(record[1])} |")
    if rows:
        yield from ("", "| option | meaning |", "|---|---|", *rows)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            part = command.get_command(context, name)
            if part is not None and not part.hidden:
                yield from _command(part, click.Context(part, info_name=name, parent=context), level + 1)


def _paragraphs(text: str) -> list[str]:
    lines = [line.strip().replace("\b", "") for line in text.strip().splitlines()]
    return [_text(line) for line in lines]


# --- schemas ------------------------------------------------------------------------------------------------------


def configuration() -> str:
    """grading_config.yaml and rubric.yaml, from their JSON Schemas."""
    schema = config_schema()
    example = _beginning((REPOSITORY / "grading_config.yaml").read_text(encoding="utf-8"))
    lines = [
        MADE, "", "# Configuration", "",
        "`grading_config.yaml` says which exercises a course has and how they are graded. It is held against",
        "`autograder/course/grading_config.schema.json` (JSON Schema 2020-12): what is not allowed is refused with",
        "its line, what was got and what is allowed. Editors use the schema for completion. A key that is left out",
        "takes the default; an exercise takes the course's value unless it has its own.", "",
        *_table(schema), "", "## An example", "", "```yaml", example.rstrip(), "```",
    ]  # fmt: skip
    rubric = rubric_schema()
    lines += [
        "", "## rubric.yaml", "",
        f"{_sentence(rubric)} Its schema is `autograder/book/rubric.schema.json`.",
        "", *_table(rubric),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _beginning(text: str) -> str:
    """A configuration with its first two exercises: another one changes no page."""
    head, *entries = re.split(r"(?m)^(?=  - id: )", text)
    last, _line, rest = entries[-1].partition("\n\n")
    shown = [*entries[:2], "  # ... and so on\n\n"] if len(entries) > 2 else [*entries[:-1], f"{last}\n\n"]
    return "".join([head, *shown, rest])


def results() -> str:
    """A result's JSON, from its schema."""
    schema = result_schema()
    lines = [
        MADE, "", "# Results", "",
        "`autograder grade` writes one JSON file per submission and exercise, `OUT/results/<student>/<exercise>.json`,",
        "valid under `autograder/results/result.schema.json` (JSON Schema 2020-12). These files are for instructors:",
        "what a student may see of them is decided when a page or an export is made.", "",
        *_table(schema),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _schema(path: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((REPOSITORY / "autograder" / path).read_text(encoding="utf-8"))
    return schema


def _table(schema: dict[str, Any]) -> list[str]:
    rows = [f"| `{key}` | {kind} | {_cell(meaning)} |" for key, kind, meaning in _keys(schema, schema, "", ())]
    return ["| key | value | meaning |", "|---|---|---|", *rows]


def _keys(
    node: dict[str, Any], root: dict[str, Any], prefix: str, seen: tuple[str, ...]
) -> Iterator[tuple[str, str, str]]:
    """Every key below a schema: its path, its kind, what it means."""
    required = set(node.get("required", ()))
    for name, part in node.get("properties", {}).items():
        key = f"{prefix}.{name}" if prefix else name
        yield from _key(key, part, root, name in required, seen)
    other = node.get("additionalProperties")
    if isinstance(other, dict):
        yield from _key(f"{prefix}.<id>" if prefix else "<id>", other, root, False, seen)


def _key(
    key: str, part: dict[str, Any], root: dict[str, Any], required: bool, seen: tuple[str, ...]
) -> Iterator[tuple[str, str, str]]:
    part, reference = _resolved(part, root)
    known = reference in seen
    if reference:
        seen = (*seen, reference)
    meaning = part.get("description", "")
    if required:
        meaning = f"{meaning} (required)" if meaning else "(required)"
    # What an exercise or a check leaves out, the course says.
    inherited = key.startswith("exercises[].") and key.split(".")[-1] in ("visibility", "published", "answers_released")
    if inherited:
        meaning = f"{meaning}; default: the {'exercise' if 'checks' in key else 'course'}'s"
    elif "default" in part and not re.match(r"exercises\[\]\.(late_penalty|limits)\.", key):
        meaning = f"{meaning}; default `{json.dumps(part['default'])}`".lstrip("; ")
    yield key, _kind(part, root), meaning
    if known:
        return
    yield from _keys(part, root, key, seen)
    items = part.get("items")
    if isinstance(items, dict):
        items, _reference = _resolved(items, root)
        yield from _keys(items, root, f"{key}[]", seen)


def _resolved(part: dict[str, Any], root: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A part with what it refers to, and the reference; what may be null is what it is otherwise, `nullable`."""
    options = part.get("anyOf", ())
    some = [option for option in options if option != {"type": "null"}]
    if len(some) == 1:
        part = some[0] | {k: v for k, v in part.items() if k != "anyOf"} | {"nullable": len(some) < len(options)}
    reference = part.get("$ref", "")
    if reference:
        part = root["$defs"][reference.rsplit("/", 1)[1]] | {k: v for k, v in part.items() if k != "$ref"}
    return part, reference


def _kind(part: dict[str, Any], root: dict[str, Any]) -> str:
    if "const" in part:
        return f"`{json.dumps(part['const'])}`"
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    kinds = part.get("type", "object" if "properties" in part else "any")
    names = {
        "object": "mapping",
        "array": "list",
        "string": "text",
        "boolean": "true or false",
        "integer": "whole number",
    }
    kinds = [kinds] if isinstance(kinds, str) else kinds
    text = " or ".join(names.get(kind, kind) for kind in kinds)
    low, high = part.get("minimum", part.get("exclusiveMinimum")), part.get("maximum")
    if low is not None and high is not None:
        text += f", {'more than ' if 'exclusiveMinimum' in part else ''}{low} to {high}"
    elif low is not None:
        text += f", {'more than' if 'exclusiveMinimum' in part else 'at least'} {low}"
    items = part.get("items")
    if isinstance(items, dict):
        items, _reference = _resolved(items, root)
        text += f" of {_kind(items, root)}s" if "type" in items and "enum" not in items else ""
    return f"{text} or null" if part.get("nullable") else text


def _sentence(schema: dict[str, Any]) -> str:
    text = str(schema.get("description", schema.get("title", ""))).strip()
    return text[:1].upper() + text[1:].rstrip(".") + "."


# --- fixtures of checks ---------------------------------------------------------------------------------------------

_FIXTURES = re.compile(
    r"(?<=<!-- fixtures: from autograder/judge/fixtures -->\n).*?(?=<!-- end of fixtures -->)", re.DOTALL
)


def checks() -> str:
    """The page on checks as it stands, its table of fixtures made anew."""
    from importlib import import_module

    from autograder.judge.fixtures import FIXTURES

    rows = ["| fixture | what it is |", "|---|---|"]
    for name in FIXTURES:
        text = " ".join((import_module(f"autograder.judge.fixtures.{name}").__doc__ or "").split())
        found = re.fullmatch(r"(`[^`]+`): (.+)", text)
        assert found is not None, f"autograder/judge/fixtures/{name}.py: its docstring is `how it is used`: what it is"
        rows.append(f"| {found[1]} | {found[2].replace('|', chr(92) + '|')} |")
    page = (DOCS / "reference" / "writing-checks.md").read_text(encoding="utf-8")
    table = "\n" + "\n".join(rows) + "\n\n"
    return _FIXTURES.sub(lambda _found: table, page)


# --- text ---------------------------------------------------------------------------------------------------------


def _text(text: str) -> str:
    """Text of a help page as Markdown: paths with <names> are no HTML."""
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("*", "\\*")


def _cell(text: str) -> str:
    return _text(" ".join(text.split())).replace("|", "\\|")


PAGES: dict[str, Callable[[], str]] = {
    "configuration": configuration,
    "result-schema": results,
    "attacks": lambda: f"{MADE}\n\n{tables.attacks()}",
    "broken-files": lambda: f"{MADE}\n\n{tables.broken_files()}",
    "hand-ins": lambda: f"{MADE}\n\n{hand_ins.page()}",
    "commands": commands,
    "explained": lambda: f"{MADE}\n\n{explained.page()}",
    "python-api": lambda: f"{MADE}\n\n{python_api.page()}",
    "writing-checks": checks,
    "systems": lambda: f"{MADE}\n\n{systems.systems()}",
}


def schemas() -> dict[Path, str]:
    """The published schemas, by file."""
    made = {CONFIG_SCHEMA: config_schema(), RUBRIC_SCHEMA: rubric_schema(), RESULT_SCHEMA: result_schema()}
    return {path: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for path, schema in made.items()}


def finished_map(course: CourseConfig) -> str:
    """What builds on what among the finished exercises: a draft makes no page out of date."""
    known = {exercise.id for exercise in course.finished}
    after = {one.id: tuple(other for other in one.after if other in known) for one in course.finished}
    return course_map(replace(course, exercises=tuple(replace(one, after=after[one.id]) for one in course.finished)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where something is out of date"
    )
    check = parser.parse_args().check
    stale = []
    pages = {DOCS / "reference" / f"{name}.md": make for name, make in PAGES.items()}
    texts = [*((page, make()) for page, make in pages.items()), *schemas().items(), (MAP, finished_map(OUR_COURSE))]
    for page, text in texts:
        if page.is_file() and page.read_text(encoding="utf-8") == text:
            continue
        stale.append(str(page.relative_to(REPOSITORY)))
        if not check:
            page.write_text(text, encoding="utf-8")
            print(f"wrote {page.relative_to(REPOSITORY)}")
    if check and stale:
        sys.exit(f"out of date; run `python docs/generate.py`: {', '.join(stale)}")


if __name__ == "__main__":
    main()
