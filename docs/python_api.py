"""The page on the Python API: what `autograder.__all__` names, told by its own docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import autograder
from autograder.errors import AutograderError

_SECTION = re.compile(r"(Args|Returns|Raises|Attributes):")
_ITEM = re.compile(r"    (\w+): (.*)")
RETURNED = {"Batch", "Grade", "HandIn", "Result"}  # callers get them and make none


def page() -> str:
    """What a package's caller can use, the course first, errors last."""
    public = {name: getattr(autograder, name) for name in autograder.__all__}
    errors = [name for name, one in public.items() if inspect.isclass(one) and issubclass(one, AutograderError)]
    lines = [
        "# Python API", "", *_told(autograder), "",
        "`examples/api.py` grades a class and prints a table in twenty lines.",
    ]  # fmt: skip
    for name in sorted(public.keys() - set(errors), key=lambda name: (name != "Course", name)):
        lines += _of(name, public[name])
    lines += ["", "## Errors", "", "| error | when |", "|---|---|"]
    for name in errors:
        told = " ".join(_plain(inspect.getdoc(public[name]) or "").split("\n\n")[0].split())
        lines.append(f"| `{name}` | {told.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def _of(name: str, one: object) -> Iterator[str]:
    call = () if name in RETURNED else ("```python", _signature(name, one), "```", "")
    yield from ("", f"## {name}", "", *call, *_told(one))
    if name == "Result":
        yield from ("", "Its fields are those of [results on disk](result-schema.md).")
    for method, found in vars(one).items() if inspect.isclass(one) else ():
        made = found.__func__ if isinstance(found, classmethod | staticmethod) else found
        if method.startswith("_") or not (inspect.isfunction(made) or isinstance(made, property)):
            continue
        if isinstance(made, property):
            yield from ("", f"### {name}.{method}", "", *_told(made))
        else:
            yield from ("", f"### {name}.{method}", "", "```python", _signature(method, made), "```", "", *_told(made))


def _signature(name: str, one: object) -> str:
    """On one line where it fits, else a parameter a line."""
    assert callable(one)
    signature = inspect.signature(one)
    parts: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        kind = parameter.annotation
        typed = "" if kind is parameter.empty else f": {kind}"
        value = "..." if repr(parameter.default).startswith("<") else repr(parameter.default)
        default = "" if parameter.default is parameter.empty else f" = {value}"
        parts.append(f"{parameter.name}{typed}{default}")
    returned = signature.return_annotation
    tail = f" -> {returned}" if isinstance(returned, str) and not inspect.isclass(one) else ""
    text = f"{name}({', '.join(parts)}){tail}"
    return text if len(text) <= 100 else f"{name}(\n    " + ",\n    ".join(parts) + f",\n){tail}"


def _told(one: object) -> Iterator[str]:
    """A docstring as Markdown: its sections as lists."""
    section = False
    for line in _plain(inspect.getdoc(one) or "").splitlines():
        if found := _SECTION.fullmatch(line):
            section = True
            yield from (f"**{found[1]}**", "")
        elif section and (item := _ITEM.fullmatch(line)):
            yield f"- `{item[1]}`: {item[2]}"
        elif section:
            yield f"  {line.strip()}" if line.strip() else ""
        else:
            yield line


def _plain(text: str) -> str:
    """What stands in no code and would be read as HTML."""
    return re.sub(r"`[^`\n]*`|[<>]", lambda found: {"<": "&lt;", ">": "&gt;"}.get(found[0], found[0]), text)
