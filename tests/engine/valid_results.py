"""Results held against their published schema."""

from __future__ import annotations

from functools import cache

import jsonschema

from autograder.results.schema import result_schema


def validate(data: object) -> None:
    """Raises jsonschema.ValidationError where this is no result."""
    _validator().validate(data)


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(result_schema(), format_checker=jsonschema.FormatChecker())
