"""The published schema of results, from their declarations."""

from __future__ import annotations

from pathlib import Path

import msgspec

from autograder.results.model import SCHEMA_VERSION, Result

LATER = ("parts",)  # results of this version were written before these were there
SCHEMA_FILE = Path(__file__).with_name("result.schema.json")  # written by docs/generate.py


def result_schema() -> dict[str, object]:
    """JSON Schema (2020-12) of a result."""
    _references, parts = msgspec.json.schema_components([Result], ref_template="#/$defs/{name}")
    for part in parts.values():
        _as_written(part)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:autograder:result:{SCHEMA_VERSION}",
        **parts.pop("Result"),
        "$defs": parts,
    }


def _as_written(part: dict[str, object]) -> None:
    """Whatever has a default when a result is made is there when it is written."""
    properties = part.get("properties")
    assert isinstance(properties, dict)
    part["required"] = [name for name in properties if name not in LATER]
    for one in properties.values():
        one.pop("default", None)
