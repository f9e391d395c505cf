"""The systems of the sources, each with the exercise and the checks that cover it: `docs/reference/systems.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from autograder.batch.declarations import declared_checks
from autograder.course import list_exercises, load_config

FILE = Path(__file__).with_name("systems.yaml")
INTRODUCTION = """\
What the sources teach or set as an exercise, line by line, and the hidden checks that judge it. Where a figure or the
statement shows what no check can judge, its exercise stands in the last column."""


def systems() -> str:
    """The table; LookupError for a line that nothing covers, or a check that there is none of."""
    course = load_config(FILE.parents[1] / "grading_config.yaml")
    checks = {e.id: {check.info.id for check in declared_checks(e)} for e in list_exercises(course)}
    lines = ["# The sources' systems and the checks", "", INTRODUCTION]
    for source in yaml.safe_load(FILE.read_text(encoding="utf-8")):
        lines += ["", f"## {source['source']}", "", "| system | exercise and checks | figures |", "|---|---|---|"]
        lines += [_row(entry, checks) for entry in source["systems"]]
    return "\n".join(lines) + "\n"


def _row(entry: Mapping[str, object], checks: Mapping[str, set[str]]) -> str:
    system = str(entry["system"])
    covering = list(_covering(system, entry.get("checks"), checks))
    if not covering:
        raise LookupError(f"{FILE.name}: no check covers {system!r}")
    figures = entry.get("figure", [])
    assert isinstance(figures, list)
    return f"| {system.replace('|', chr(92) + '|')} | {'; '.join(covering)} | {', '.join(f'`{f}`' for f in figures)} |"


def _covering(system: str, named: object, checks: Mapping[str, set[str]]) -> Iterator[str]:
    assert isinstance(named, Mapping), system
    for exercise, ids in named.items():
        if unknown := sorted(set(ids) - checks.get(exercise, set())):
            raise LookupError(f"{FILE.name}: {exercise} has no check {', '.join(unknown)} ({system})")
        yield f"`{exercise}`: {', '.join(f'`{name}`' for name in ids)}"
