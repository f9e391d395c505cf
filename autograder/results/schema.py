"""The published schema of results, from their declarations."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from autograder.results.model import SCHEMA_VERSION, Result

if TYPE_CHECKING:
    import jsonschema

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


def validate(data: object) -> None:
    """Hold a result against the published schema; raises jsonschema.ValidationError."""
    _validator().validate(data)


@cache
def _validator() -> jsonschema.Draft202012Validator:
    import jsonschema

    return jsonschema.Draft202012Validator(result_schema(), format_checker=jsonschema.FormatChecker())
