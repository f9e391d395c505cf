"""A YAML file held against a JSON Schema, with errors that name the line and the place in the document.

YAML is composed to nodes first: the nodes know their lines, the plain values do not. Dates stay text (the
schema says what a date looks like), and a key given twice is an error instead of the last one winning.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from autograder.course.errors import ConfigurationError
from autograder.language import N_, _

if TYPE_CHECKING:
    import jsonschema

Steps = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_VALUES = 100_000  # aliases of aliases can make a short file endless


class _Loader(yaml.SafeLoader):
    """SafeLoader without timestamps: `2027-02-01` stays a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Document:
    """The values of one YAML file and the line of each."""

    def __init__(self, file: Path, values: object, lines: dict[Steps, int], key_lines: dict[Steps, int]) -> None:
        self.file = file
        self.values = values
        self._lines = lines
        self._key_lines = key_lines

    def line(self, steps: Steps) -> int | None:
        """The line of the value at `steps`, or of the nearest thing around it that has one."""
        while steps not in self._lines and steps:
            steps = steps[:-1]
        return self._lines.get(steps)

    def key_line(self, steps: Steps) -> int | None:
        """The line of the key itself: that of a misspelt word."""
        return self._key_lines.get(steps, self.line(steps))

    def error(self, message: str, steps: Steps = (), *, key: bool = False) -> ConfigurationError:
        line = self.key_line(steps) if key else self.line(steps)
        return ConfigurationError(message, file=self.file, line=line, path=render_path(steps))


def render_path(steps: Iterable[str | int]) -> str:
    """`("exercises", 1, "points")` as `exercises[1].points`."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else str(step))
    return text


def read_document(file: Path) -> Document:
    """Parse a YAML file; ConfigurationError where it is missing, no text, no YAML, or repeats a key."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            _("cannot be read: {strerror}").format(strerror=error.strerror or error), file=file
        ) from error
    if len(raw) > MAX_BYTES:
        raise ConfigurationError(
            _("is {n} bytes long; at most {max_bytes} are read").format(n=len(raw), max_bytes=MAX_BYTES), file=file
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigurationError(_("is not UTF-8 text; save it as UTF-8"), file=file, line=line) from error
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise ConfigurationError(_("is empty"), file=file)
        lines: dict[Steps, int] = {}
        key_lines: dict[Steps, int] = {}
        _note_lines(node, (), lines, key_lines, file, open_nodes=set())
        return Document(file, loader.construct_document(node), lines, key_lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line_number = None if mark is None else mark.line + 1
        raise ConfigurationError(
            _("is not valid YAML: {problem}").format(problem=error.problem), file=file, line=line_number
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(
            _("is not valid YAML: {value}").format(value=str(error).splitlines()[0]), file=file
        ) from error


def _note_lines(
    node: yaml.Node,
    steps: Steps,
    lines: dict[Steps, int],
    key_lines: dict[Steps, int],
    file: Path,
    open_nodes: set[int],
) -> None:
    # An alias that contains itself would never end.
    if id(node) in open_nodes:
        raise ConfigurationError(_("an alias refers to itself"), file=file, line=node.start_mark.line + 1)
    if len(lines) > MAX_VALUES:
        raise ConfigurationError(_("holds more than {max_values} values").format(max_values=MAX_VALUES), file=file)
    open_nodes.add(id(node))
    lines[steps] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in seen:
                raise ConfigurationError(
                    _("the key {name!r} is given twice (first in line {seen})").format(name=name, seen=seen[name]),
                    file=file,
                    line=line,
                    path=render_path(steps),
                )
            seen[name] = line
            key_lines[(*steps, name)] = line
            _note_lines(value, (*steps, name), lines, key_lines, file, open_nodes)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _note_lines(item, (*steps, index), lines, key_lines, file, open_nodes)
    open_nodes.discard(id(node))


def validate(document: Document, schema: Mapping[str, object]) -> None:
    """Hold the document against the schema; the first thing wrong, from the top, is raised."""
    import jsonschema  # a second of imports beside Jupyter: only when a file is read

    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(document.values))
    if errors:
        # A misspelt key explains the missing one, so unknown keys come first.
        _, translated = min(
            ((error.validator != "additionalProperties", _translate(document, error)) for error in errors),
            key=lambda pair: (pair[0], pair[1].line or 0, pair[1].path),
        )
        raise translated


def did_you_mean(word: str, allowed: Sequence[str]) -> str:
    """`; did you mean 'points'?` or nothing."""
    close = difflib.get_close_matches(word.lower(), allowed, n=1, cutoff=0.6)
    close = close or [name for name in allowed if len(word) > 2 and word.lower() in name]
    return _("; did you mean {name!r}?").format(name=close[0]) if close else ""


_KINDS = {
    "object": N_("a mapping (key: value)"),
    "array": N_("a list"),
    "string": N_("text"),
    "number": N_("a number"),
    "integer": N_("a whole number"),
    "boolean": N_("true or false"),
    "null": N_("null"),
}


def _translate(document: Document, error: jsonschema.ValidationError) -> ConfigurationError:
    steps: Steps = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    value: object = error.validator_value
    allowed = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    got: object = error.instance
    keyword = error.validator
    if keyword == "additionalProperties":
        known = sorted(schema.get("properties", {}))
        unknown = next(str(key) for key in (got if isinstance(got, Mapping) else ()) if key not in known)
        suggestion = did_you_mean(unknown, known)
        message = _("unknown key {unknown!r}{suggestion} (allowed: {listing})").format(
            unknown=unknown, suggestion=suggestion, listing=", ".join(known)
        )
        return document.error(message, (*steps, unknown), key=True)
    if keyword == "required":
        missing = next(name for name in allowed if not isinstance(got, Mapping) or name not in got)
        about = schema["properties"][missing].get("description", "")
        return document.error(
            _("the key {missing!r} is missing").format(missing=missing) + (f": {about}" if about else ""), steps
        )
    shown, described = _shown(got), _described(schema)
    bounds = {
        "minimum": _("at least"),
        "maximum": _("at most"),
        "exclusiveMinimum": _("more than"),
        "exclusiveMaximum": _("less than"),
        "const": _("exactly"),
    }
    if keyword == "enum":
        suggestion = did_you_mean(got, allowed) if isinstance(got, str) else ""
        message = _("got {shown}{suggestion} (allowed: {listing})").format(
            shown=shown, suggestion=suggestion, listing=", ".join(allowed)
        )
    elif keyword == "type":
        expected = _(" or ").join(_(_KINDS[kind]) for kind in allowed)
        message = _("got {shown}, expected {expected}{described}").format(
            shown=shown, expected=expected, described=described
        )
    elif keyword in bounds:
        message = _("got {shown}, allowed is {bounds} {allowed}{described}").format(
            shown=shown, bounds=bounds[keyword], allowed=value, described=described
        )
    elif keyword in ("minItems", "minLength", "minProperties"):
        message = _("must not be empty{described}").format(described=described)
    elif keyword == "pattern":
        message = _("got {shown}{described}").format(shown=shown, described=described)
    else:
        message = _("got {shown}: {message}").format(shown=shown, message=error.message)
    return document.error(message, steps)


def _described(schema: Mapping[str, object]) -> str:
    about = schema.get("description", "")
    return f": {about}" if about else ""


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = "null" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
