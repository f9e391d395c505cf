"""From cells of text to statements that can run one by one, losing no more than what is broken.

The text is Python: IPython's own lines have become calls where the file was read. A cell that does not compile is cut
at its top-level statements, and only the pieces that do not compile are lost.
"""

from __future__ import annotations
import __future__

import ast
import re
from dataclasses import dataclass
from types import CodeType

_RUN_HERE = ("time", "prun")  # what stands behind these line magics runs in the notebook's own session
_STARTS = re.compile(r"^(def |async def |class |@|import |from |[A-Za-z_]\w*\s*(:[^=]*)?=[^=])")
_DECIMAL_COMMA = re.compile(r""":\s*-?\d+,\d+\s*(,?\s*(#.*)?$|[,}])""")  # "answer": 0,5
_CONTINUES = re.compile(r"^(else|elif|except|finally)\b|^[)\]}]")


@dataclass(frozen=True)
class Statement:
    """One top-level statement: its code, and where it stands for the student."""

    code: CodeType
    where: str
    line: int
    summary: str


@dataclass(frozen=True)
class Problem:
    """Something that could not be loaded: `kind` is syntax, exception, timeout, crash or note."""

    where: str
    line: int
    kind: str
    message: str


def split_statements(
    source: str, filename: str, where: str, first_line: int, flags: int
) -> tuple[list[Statement], list[Problem], int]:
    """Compile a cell into its top-level statements.

    Args:
        filename: the name that tracebacks show.
        first_line: line number of the cell's first line, as the student counts.
        flags: compiler flags of `from __future__` imports seen so far.

    Returns:
        The statements, what could not be compiled, and the flags for the cells after this one.
    """
    above = first_line - 1
    # Empty lines put a cell where it stands; for a small piece of a long file it is cheaper to move its syntax tree.
    moved = above > len(source)
    try:
        tree = ast.parse(source if moved else "\n" * above + source, filename)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _recover(source, filename, where, first_line, flags)
    if moved:
        ast.increment_lineno(tree, above)
    if "run_line_magic" in source:
        tree = ast.fix_missing_locations(_Timed().visit(tree))
    statements: list[Statement] = []
    problems: list[Problem] = []
    for node in tree.body:
        flags |= _future_flags(node)
        interactive = ast.Module([node], [])
        try:
            code = compile(interactive, filename, "exec", flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            problems.append(Problem(where, node.lineno, "syntax", describe_syntax_error(error)))
            continue
        statements.append(Statement(code, where, node.lineno, _summary(node)))
    return statements, problems, flags


class _Timed(ast.NodeTransformer):
    """Puts the statement that `%time` measures in the place of the call that IPython makes of it."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        return self._statements(node.value, node.lineno) or self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match self._statements(node, node.lineno):
            case [ast.Expr(value)]:
                return value
        return self.generic_visit(node)

    def _statements(self, node: ast.expr, line: int) -> list[ast.stmt]:
        match node:
            case ast.Call(
                ast.Attribute(ast.Call(ast.Name("get_ipython")), "run_line_magic"),
                [ast.Constant(str(name)), ast.Constant(str(text))],
            ) if name in _RUN_HERE:
                try:
                    return ast.parse("\n" * (line - 1) + text.strip()).body
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    pass
        return []


def _recover(
    source: str, filename: str, where: str, first_line: int, flags: int
) -> tuple[list[Statement], list[Problem], int]:
    problem = Problem(where, first_line, "syntax", "")
    try:
        ast.parse(source, filename)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        problem = Problem(where, first_line + line - 1, "syntax", describe_syntax_error(error))
    statements: list[Statement] = []
    pieces = _pieces(source)
    if len(pieces) < 2:
        return [], [problem], flags
    for offset, text in pieces:
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        found, _, flags = split_statements(text, filename, where, first_line + offset, flags)
        statements += found
    return statements, [problem], flags


def _pieces(source: str) -> list[tuple[int, str]]:
    # Only definitions, imports and assignments are taken from a broken cell: a line of a broken text literal may
    # look like any other statement.
    lines = source.split("\n")
    starts = []
    decorated = False
    for i, line in enumerate(lines):
        if _STARTS.match(line) and not decorated:
            starts.append(i)
        if line and not line[0].isspace() and not line.startswith("#"):
            decorated = line.startswith("@")
    pieces: list[tuple[int, str]] = []
    if not starts:
        return pieces
    for start, following in zip(starts, [*starts[1:], len(lines)], strict=True):
        end = start + 1
        while end < following and (
            not lines[end].strip()
            or lines[end][0].isspace()
            or _CONTINUES.match(lines[end])
            or lines[end].startswith(("#", "def ", "async def ", "class ", "@"))
        ):
            end += 1
        pieces.append((start, "\n".join(lines[start:end])))
    return pieces


def _future_flags(node: ast.stmt) -> int:
    if not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
        return 0
    flags = 0
    for alias in node.names:
        feature = getattr(__future__, alias.name, None)
        flags |= feature.compiler_flag if feature else 0
    return flags


def _summary(node: ast.stmt) -> str:
    name = getattr(node, "name", None)
    return f"{'class' if isinstance(node, ast.ClassDef) else 'def'} {name}" if name else type(node).__name__


def N_(message: str) -> str:  # gettext's own name for it
    """Mark a message for the catalogues: the worker knows no languages, the judge says what it hears again."""
    return message


def describe_syntax_error(error: BaseException) -> str:
    """A student's sentence for an error of the compiler."""
    if isinstance(error, RecursionError | MemoryError):
        return N_("this code is nested too deeply to be compiled")
    if isinstance(error, SyntaxError):
        text = (error.text or "").strip()[:120]
        if _DECIMAL_COMMA.search(text):
            return N_("a number with a decimal comma; write it with a point, such as 0.5, in: {text}").format(text=text)
        return f"{type(error).__name__}: {error.msg}" + (f", at: {text}" if text else "")
    return f"{type(error).__name__}: {error}"[:300]
