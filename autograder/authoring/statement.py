"""The texts of an exercise's script in another language: Markdown cells, docstrings, comments, words in its figures.

A text is translated in pieces that a person can overlook: a paragraph, an item of a list, a line of a table, an entry
of `Arguments:`. Breaks of lines do not belong to a piece, so that a new break in the source needs no new translation.
Formulas set apart and code stay as they are.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Say = Callable[[str], str]

_WIDTH = 106
_PREFIX = re.compile(r"(#+ |[-*+] |\d+\. |)")
_ENTRY = re.compile(r"[\w*`\[][^:]{0,60}: ")
_SECTION = re.compile(r"[A-Z]\w*(?: \(.*\))?:")
# Spaces in a formula or in code are no places to break a line: "- 1" at the start of one would begin a list.
_UNBROKEN = re.compile(r"\$[^$]+\$|`[^`]+`")
_FIGURE_WORDS = frozenset({"title", "suptitle", "xlabel", "ylabel", "label"})
_FIELD = re.compile(r"\{[^{}]*\}")
_FIGURE_LISTS = _FIGURE_WORDS | {"titles", "labels"}
_GLUE = "\x00"
# What is no text of a comment: shapes and the like between parentheses.
_BETWEEN = re.compile(r"\([^)]*\)")
_NO_TEXT = re.compile(r"(?:fmt|type|noqa|YOUR CODE HERE)\b")
_RISKY = re.compile(r"(?:[-+*>#|=]+|\d+[.)])$")


@dataclass(frozen=True)
class Piece:
    """One text, or lines that are kept: what begins its first line, the indent of the others, the text."""

    first: str
    others: str
    text: str
    kept: bool = False


def texts(script: str) -> list[str]:
    """Every text of a percent script that wants a translation, in order, each once."""
    found: dict[str, None] = {}

    def note(text: str) -> str:
        found[text] = None
        return text

    translate(script, note)
    return list(found)


def translate(script: str, say: Say) -> str:
    """The script with its Markdown cells, docstrings, comments and figures said by `say`, all other code as it is."""
    for part in (_translate_docstrings, _translate_cells, _translate_comments, _translate_figures):
        script = part(script, say)
    return script


def purposes(script: str) -> dict[str, str]:
    """What each function, class and method (`Class.method` too) is for: the first sentence or line of its docstring."""
    found: dict[str, str] = {}

    def visit(node: ast.Module | ast.ClassDef, prefix: str) -> None:
        for child in node.body:
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                pieces = _docstring((ast.get_docstring(child) or "").split("\n"))
                if text := next((piece.text for piece in pieces if piece.text and not piece.kept), ""):
                    found[prefix + child.name] = text
                if isinstance(child, ast.ClassDef):
                    visit(child, f"{child.name}.")

    visit(ast.parse(script), "")
    return found


# --- Markdown cells -----------------------------------------------------------------------------------------------


def _translate_cells(script: str, say: Say) -> str:
    lines: list[str] = []
    cell: list[str] = []
    inside = False
    for line in [*script.split("\n"), "# %%"]:
        if inside and line.startswith("#") and not line.startswith("# %%"):
            cell.append(line[2:] if line.startswith("# ") else line[1:])
            continue
        if inside:
            lines += [f"# {text}".rstrip() for text in _written(_markdown(cell), say)]
            inside, cell = False, []
        lines.append(line)
        inside = line.startswith("# %% [markdown]")
    return "\n".join(lines[:-1])


def _markdown(lines: list[str]) -> Iterator[Piece]:
    words: list[str] = []
    first = others = ""
    formula = False
    for line in [*lines, ""]:
        bare = line.strip()
        sets_apart = bare.startswith("$$") or formula
        starts = _PREFIX.match(bare)
        begins = bool(starts and starts[0]) or bare.startswith("|") or sets_apart or not bare
        if begins and words:
            yield Piece(first, others, " ".join(words))
            words = []
        if sets_apart:
            yield Piece("", "", line, kept=True)
            marks = bare.count("$$")
            formula = formula != (marks % 2 == 1)
        elif not bare:
            yield Piece("", "", "", kept=True)
        elif line.startswith("    ") and not words:
            yield Piece("", "", line, kept=True)  # a drawing or code, set apart by its indent
        elif bare.startswith("|"):
            yield Piece("", "", bare, kept=not re.search(r"[A-Za-z]", bare))
        else:
            indent = line[: len(line) - len(line.lstrip())]
            prefix = starts[0] if starts else ""
            if not words:
                first = indent + prefix
                # A heading is one line.
                others = indent if prefix.startswith("#") else indent + " " * len(prefix)
            words.append(bare.removeprefix(prefix) if not words else bare)
            if prefix.startswith("#"):
                yield Piece(first, others, " ".join(words))
                words = []


# --- docstrings ---------------------------------------------------------------------------------------------------


def _translate_docstrings(script: str, say: Say) -> str:
    lines = script.split("\n")
    nodes = [
        node.body[0].value
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and ast.get_docstring(node)
        and isinstance(node.body[0], ast.Expr)
    ]
    for node in sorted(nodes, key=lambda n: -n.lineno):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        opening = re.match(r'(\s*)(r?""")', lines[first])
        if opening is None or not lines[last].endswith('"""'):
            continue  # one that is written otherwise stays as it is
        indent, quotes = opening.groups()
        inner = "\n".join(lines[first : last + 1])[len(opening[0]) : -3]
        alone = lines[last].strip() == '"""'
        body = [line.removeprefix(indent) for line in inner.rstrip().split("\n")]
        # The first line has the quotes before it, the last one perhaps after it.
        said = list(_written(_docstring(body), say, _WIDTH - len(indent), len(quotes)))
        text = "\n".join(f"{indent}{line}".rstrip() if i else line for i, line in enumerate(said))
        closing = f'\n{indent}"""' if alone else '"""'
        lines[first : last + 1] = f"{indent}{quotes}{text}{closing}".split("\n")
    return "\n".join(lines)


def _docstring(lines: list[str]) -> Iterator[Piece]:
    words: list[str] = []
    indent = ""
    section = False
    for line in [*lines, ""]:
        bare = line.strip()
        here = line[: len(line) - len(line.lstrip())]
        header = bool(_SECTION.fullmatch(bare)) and not here
        begins = not bare or header or here[:4] != indent[:4] or (section and bool(here) and bool(_ENTRY.match(bare)))
        if begins and words:
            yield Piece(indent, indent, " ".join(words))
            words = []
        if not bare:
            yield Piece("", "", "", kept=True)
            continue
        if header:
            yield Piece("", "", bare)
            section = True
            continue
        if not here:
            section = False
        elif not section:
            yield Piece("", "", line, kept=True)  # a formula, set apart by its indent
            continue
        if not words:
            indent = here
        words.append(bare)


# --- comments -----------------------------------------------------------------------------------------------------


def _translate_comments(script: str, say: Say) -> str:
    """Comments in the code; lines of nothing else that follow each other are one text. Shapes stay as they are."""
    lines = script.split("\n")
    for first, last, column in reversed(list(_comments(script))):
        text = " ".join(line[column + 1 :].strip() for line in lines[first : last + 1])
        if _NO_TEXT.match(text) or len(re.findall(r"[^\W\d_]{2,}", _BETWEEN.sub("", text))) < 2:
            continue
        before = lines[first][:column] + "# "
        alone = not before[:-2].strip()
        lines[first : last + 1] = _wrapped(say(text), before, before, _WIDTH, 0) if alone else [before + say(text)]
    return "\n".join(lines)


def _comments(script: str) -> Iterator[tuple[int, int, int]]:
    """First line, last line and column of each comment that is indented or stands behind code."""
    found: tuple[int, int, int] | None = None
    for token in tokenize.generate_tokens(io.StringIO(script).readline):
        line, column = token.start[0] - 1, token.start[1]
        if token.type != tokenize.COMMENT or not column:
            continue
        alone = not token.line[:column].strip()
        if found and alone and found[1:] == (line - 1, column):
            found = (found[0], line, column)
            continue
        if found:
            yield found
        found = (line, line, column)
        if not alone:
            yield found
            found = None
    if found:
        yield found


# --- figures ------------------------------------------------------------------------------------------------------


def _translate_figures(script: str, say: Say) -> str:
    """Titles, labels of axes and of curves, as they stand between double quotes; what an f-string puts in stays."""
    lines = script.split("\n")
    nodes = [text for node in ast.walk(ast.parse(script)) for shown in _shown(node) for text in _strings(shown)]
    for node in sorted(nodes, key=lambda node: (-node.lineno, -node.col_offset)):
        line = lines[node.lineno - 1].encode()  # offsets are those of bytes
        start, end = node.col_offset, node.end_col_offset or node.col_offset
        written = line[start:end].decode()
        quoted = re.fullmatch(r'(f?)"((?:[^"\\]|\\n)+)"', written)
        if node.lineno == node.end_lineno and quoted and re.search(r"[^\W\d_]{2}", quoted[2]):
            parts = quoted[2].split("\\n")
            # A line that only shows a value, as "{loss:.2f}", has no words.
            said = "\\n".join(say(part) if _FIELD.sub("", part).strip() else part for part in parts)
            lines[node.lineno - 1] = (line[:start] + f'{quoted[1]}"{said}"'.encode() + line[end:]).decode()
    return "\n".join(lines)


def _shown(node: ast.AST) -> Iterator[ast.expr]:
    """What a call shows by `title=`, `set_title` and the like, and what is kept for it under such a name."""
    if isinstance(node, ast.Call):
        yield from (keyword.value for keyword in node.keywords if keyword.arg in _FIGURE_LISTS)
        if isinstance(node.func, ast.Attribute) and node.func.attr.removeprefix("set_") in _FIGURE_WORDS:
            yield from node.args[:1]
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(target, ast.Name) and target.id in _FIGURE_LISTS for target in targets):
            yield node.value


def _strings(value: ast.expr) -> Iterator[ast.expr]:
    """The strings of a value: itself, the members of a tuple or a list, the two sides of a choice."""
    if isinstance(value, ast.Tuple | ast.List):
        for member in value.elts:
            yield from _strings(member)
    elif isinstance(value, ast.IfExp):
        yield from _strings(value.body)
        yield from _strings(value.orelse)
    elif isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and isinstance(value.value, str)):
        yield value


# --- writing ------------------------------------------------------------------------------------------------------


def _written(pieces: Iterator[Piece], say: Say, width: int = _WIDTH, taken: int = 0) -> Iterator[str]:
    found = list(pieces)
    while found and found[-1].kept and not found[-1].text:
        found.pop()  # the blank line that only ended the last piece
    for piece in found:
        if piece.kept or not re.search(r"[^\W\d_]{2}", piece.text):
            yield piece.first + piece.text
        elif piece.text.startswith("|") or piece.first.lstrip().startswith("#"):
            yield piece.first + say(piece.text)
        else:
            yield from _wrapped(say(piece.text), piece.first, piece.others, width, taken)
        taken = 0


def _wrapped(text: str, first: str, others: str, width: int, taken: int) -> Iterator[str]:
    glued = _UNBROKEN.sub(lambda found: found[0].replace(" ", _GLUE), text)
    line, room = first, width - taken
    empty = True
    for word in filter(None, glued.split(" ")):  # a no-break space is none to break at
        if not empty and len(line) + 1 + len(word) > room and not _RISKY.match(word):
            yield line.replace(_GLUE, " ")
            line, room, empty = others, width, True
        line += word if empty else f" {word}"
        empty = False
    yield line.replace(_GLUE, " ")
