"""JSON Schemas (2020-12) of what people write, from the declarations that it is read into."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from autograder.course.written import IN_ORDER, SCHEMA_VERSION, WrittenConfig

SCHEMA_FILE = Path(__file__).with_name("grading_config.schema.json")  # written by docs/generate.py

Schema = dict[str, object]


@cache
def config_schema() -> Schema:
    """Of `grading_config.yaml`."""
    return schema_of(WrittenConfig, "grading_config", SCHEMA_VERSION, "Configuration of a graded course")


def schema_of(kind: type[Struct], name: str, version: int, title: str) -> Schema:
    """The schema of a file."""
    _references, parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    for part in parts.values():
        del part["title"]
        _tidy(part)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:autograder:{name}:{version}",
        **parts.pop(kind.__name__),
        "title": title,
        "$defs": parts,
    }


def _tidy(part: object) -> None:
    """Words for people: one allowed value is said as such, a default only where it is one value."""
    if not isinstance(part, dict):
        return
    if "default" in part and part["default"] is None:
        # It is left out, and never written as null: who reads a file has refused that by this schema.
        del part["default"]
        (given,) = (one for one in part.pop("anyOf") if one != {"type": "null"})
        part |= given
    allowed = part.get("enum")
    if IN_ORDER in part:
        part["enum"] = part.pop(IN_ORDER)
    elif isinstance(allowed, list) and len(allowed) == 1:
        part["const"] = part.pop("enum")[0]
    if isinstance(part.get("default"), dict | list | tuple):
        del part["default"]
    own, required = part.get("properties", {}), part.get("required", ())
    if own:
        part["properties"] = {name: own[name] for name in (*required, *(n for n in own if n not in required))}
    if required == []:
        del part["required"]
    for inner in (*own.values(), *part.get("anyOf", ()), part.get("items"), part.get("additionalProperties")):
        _tidy(inner)
