"""Regions of a source between `### BEGIN ...` and `### END ...`: what is the solution's, what is the
student's own.

The marks are nbgrader's. They stand alone on their lines; a mark that is not closed, or that has text beside
it, is an error with file and line, since a solution that slips into a stub cannot be taken back.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autograder.authoring.errors import AuthoringError
from autograder.language import _

RegionKind = Literal["SOLUTION", "PERSONAL"]

_MARK = re.compile(r"^(?P<indent>[ \t]*)### (?P<edge>BEGIN|END) (?P<kind>SOLUTION|PERSONAL)[ \t]*$")
# Whoever mistypes a mark must hear of it: `## begin solution`, `#END SOLUTION`, a mark after code ...
_ALMOST = re.compile(r"#+\s*(BEGIN|END)\s+(SOLUTION|PERSONAL)\b", re.IGNORECASE)
TODO = "# YOUR CODE HERE"
NOT_WRITTEN = "is not written yet"


@dataclass(frozen=True)
class Region:
    """Lines `first` to `last` (0-based, marks included) of a source, and the indentation of its marks."""

    kind: RegionKind
    first: int
    last: int
    indent: str


def find_regions(source: str, file: Path) -> tuple[Region, ...]:
    """All regions in order; AuthoringError for marks that are malformed, nested, unbalanced or unaligned."""
    regions: list[Region] = []
    begun: tuple[RegionKind, int, str] | None = None

    def wrong(message: str, number: int) -> AuthoringError:
        return AuthoringError(message, file=file, line=number + 1)

    for number, line in enumerate(source.split("\n")):
        match = _MARK.match(line)
        if match is None:
            if _ALMOST.search(line):
                message = _(
                    "{line!r} looks like a region's mark but is none: write '### BEGIN SOLUTION' or '### END "
                    "SOLUTION' (or PERSONAL) alone on its line"
                )
                raise wrong(message.format(line=line.strip()), number)
            continue
        kind: RegionKind = "SOLUTION" if match["kind"] == "SOLUTION" else "PERSONAL"
        indent = match["indent"]
        if match["edge"] == "BEGIN":
            if begun is not None:
                message = _(
                    "'### BEGIN {kind}' inside the {outer} region that begins in line {line}: regions do not nest"
                )
                raise wrong(message.format(kind=kind, outer=begun[0], line=begun[1] + 1), number)
            begun = (kind, number, indent)
            continue
        if begun is None or begun[0] != kind:
            raise wrong(_("'### END {kind}' without its BEGIN").format(kind=kind), number)
        if begun[2] != indent:
            message = _("'### END {kind}' is indented otherwise than its BEGIN in line {line}")
            raise wrong(message.format(kind=kind, line=begun[1] + 1), number)
        regions.append(Region(kind, begun[1], number, indent))
        begun = None
    if begun is not None:
        raise wrong(_("'### BEGIN {kind}' has no END").format(kind=begun[0]), begun[1])
    return tuple(regions)


def replace_regions(source: str, file: Path, kind: RegionKind, replacement: Callable[[Region], list[str]]) -> str:
    """The source with each region of this kind (marks included) replaced by other lines."""
    lines = source.split("\n")
    for region in reversed(find_regions(source, file)):
        if region.kind == kind:
            lines[region.first : region.last + 1] = replacement(region)
    return "\n".join(lines)


def make_stub(source: str, file: Path) -> str:
    """The solution without its solution regions: what a student starts from.

    An indented region becomes an error that names the function, one at the margin (or in the body of a
    class, where an error would stop the import) becomes a comment. The stub is compiled once, so that a
    region that leaves a broken file behind is its author's error and not every student's.
    """
    functions = _functions(source, file)

    def todo(region: Region) -> list[str]:
        name = functions(region)
        if not region.indent:
            return [TODO]
        if name is None:
            return [f"{region.indent}{TODO}", f"{region.indent}pass"]
        return [f"{region.indent}{TODO}", f'{region.indent}raise NotImplementedError("{name} {NOT_WRITTEN}")']

    stub = replace_regions(source, file, "SOLUTION", todo)
    _compile(stub, file, "the stub (the file without its solution regions)")
    return stub


def strip_solutions(source: str, file: Path) -> str:
    """The source without its solution regions or a trace of them: for files that students only read."""
    stripped = replace_regions(source, file, "SOLUTION", lambda region: [])
    stripped = stripped.rstrip() + "\n"
    _compile(stripped, file, "the file without its solution regions")
    return stripped


def solution_texts(source: str, file: Path) -> tuple[str, ...]:
    """What stands in each solution region: the text that no student's file may hold."""
    lines = source.split("\n")
    return tuple(
        "\n".join(lines[region.first + 1 : region.last])
        for region in find_regions(source, file)
        if region.kind == "SOLUTION"
    )


def _compile(source: str, file: Path, what: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise AuthoringError(
            _("{what} is not valid Python: {msg} (line {lineno} of it)").format(
                what=what, msg=error.msg, lineno=error.lineno
            ),
            file=file,
        ) from error


def _functions(source: str, file: Path) -> Callable[[Region], str | None]:
    """A look-up: the dotted name of the innermost function around a region, None where there is none."""
    spans: list[tuple[int, int, str, bool]] = []

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = prefix + child.name
                end = child.end_lineno or child.lineno
                spans.append((child.lineno, end, name, not isinstance(child, ast.ClassDef)))
                visit(child, name + ".")
            else:
                visit(child, prefix)

    visit(_compile(source, file, "the solution"), "")

    lines = source.split("\n")

    def lookup(region: Region) -> str | None:
        # The marks are comments and belong to nothing; the first line of code between them does.
        between = range(region.first + 2, region.last + 1)  # 1-based, as in the tree
        code = next((n for n in between if lines[n - 1].strip() and not lines[n - 1].lstrip().startswith("#")), None)
        if code is None:
            raise AuthoringError(_("the region holds no code"), file=file, line=region.first + 1)
        around = [span for span in spans if span[0] <= region.first and span[0] < code <= span[1]]
        if not around:
            return None
        *_span, name, is_function = max(around, key=lambda span: span[0])
        return name if is_function else None

    return lookup
