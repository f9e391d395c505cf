"""The bank of mistakes: typical wrong versions of single functions, laid over the solution.

`mistakes.py` is parsed, never imported: a definition under `@mistake(...)` is appended to the solution's
text, so that it can use the solution's names and everything that calls the function gets the wrong one.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograder.authoring.errors import AuthoringError
from autograder.course.document import did_you_mean
from autograder.language import _

_FIELDS = ("title", "hint", "loses", "may_lose", "read_on")


@dataclass(frozen=True)
class Mistake:
    """One known mistake."""

    id: str
    title: str
    hint: str
    loses: tuple[str, ...]  # ids of the checks that do not pass with it; the first is the one meant for it
    sources: tuple[str, ...]  # the definitions that replace the solution's, and the imports they need
    names: tuple[str, ...]  # what they define
    read_on: str | None = None  # where to read on: a section of the statement or a paper
    may_lose: tuple[str, ...] = ()  # ids of checks with a calibrated limit that it comes near: lost under some seeds
    line: int = 0  # in mistakes.py


def read_mistakes(
    file: Path, *, check_ids: Collection[str] | None = None, solution: Path | None = None
) -> tuple[Mistake, ...]:
    """All mistakes of a file, in its order.

    Args:
        file: a mistakes.py.
        check_ids: the ids that `loses` may name; anything goes without it.
        solution: each mistake must then redefine something that this file defines.

    Raises:
        AuthoringError: with file and line, for whatever is not a mistake of the documented form.
    """
    source = _read(file)
    tree = _parse(source, file)
    mistakes: dict[str, Mistake] = {}
    imports: list[str] = []
    for position, node in enumerate(tree.body):
        if position == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # the docstring
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports += _import(source, node)
            continue
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            raise AuthoringError(
                _("only functions and classes under @mistake(...) may stand here"), file=file, line=node.lineno
            )
        _add(mistakes, node, source, file)
    defined = None if solution is None else _defined_names(solution)
    for mistake in mistakes.values():
        _check(mistake, file, check_ids, defined)
    return tuple(replace(mistake, sources=(*imports, *mistake.sources)) for mistake in mistakes.values())


def apply_mistake(solution_source: str, mistake: Mistake) -> str:
    """The solution with this mistake: its definitions come last, so they are the ones that count."""
    cell = "\n\n\n".join(mistake.sources)
    return f"{solution_source.rstrip()}\n\n\n# %%\n{cell}\n"


def _add(mistakes: dict[str, Mistake], node: ast.FunctionDef | ast.ClassDef, source: str, file: Path) -> None:
    calls = [item for item in node.decorator_list if isinstance(item, ast.Call) and _is_mistake(item.func)]
    if len(calls) != 1:
        message = "has no @mistake(...) above it" if not calls else "has more than one @mistake(...)"
        raise AuthoringError(f"{node.name} {message}", file=file, line=node.lineno)
    call = calls[0]
    identity, given = _arguments(call, file)
    text = _definition(source, node, call)
    if not given:  # a second definition for a mistake described above
        known = mistakes.get(identity)
        if known is None:
            raise AuthoringError(
                _(
                    "@mistake({identity!r}) without title, hint and loses adds to an earlier mistake, but "
                    "there is none of this id{suggestion}"
                ).format(identity=identity, suggestion=did_you_mean(identity, list(mistakes))),
                file=file,
                line=call.lineno,
            )
        if node.name in known.names:
            raise AuthoringError(
                _("{identity} defines {name} twice").format(identity=identity, name=node.name),
                file=file,
                line=node.lineno,
            )
        mistakes[identity] = replace(known, sources=(*known.sources, text), names=(*known.names, node.name))
        return
    if identity in mistakes:
        raise AuthoringError(
            _("the id {identity!r} is taken (line {line})").format(identity=identity, line=mistakes[identity].line),
            file=file,
            line=call.lineno,
        )
    missing = [name for name in ("title", "hint", "loses") if not given.get(name)]
    if missing:
        raise AuthoringError(
            _("@mistake({identity!r}) lacks {listing}").format(identity=identity, listing=", ".join(missing)),
            file=file,
            line=call.lineno,
        )
    mistakes[identity] = Mistake(
        id=identity,
        title=_text(given["title"], "title", call, file),
        hint=_text(given["hint"], "hint", call, file),
        loses=_ids(given["loses"], call, file),
        may_lose=_ids(given.get("may_lose", ()), call, file),
        read_on=None if given.get("read_on") is None else _text(given["read_on"], "read_on", call, file),
        sources=(text,),
        names=(node.name,),
        line=call.lineno,
    )


def _is_mistake(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id == "mistake"


def _arguments(call: ast.Call, file: Path) -> tuple[str, dict[str, Any]]:
    if len(call.args) != 1:
        raise AuthoringError(
            _(
                "@mistake takes one argument without a name, the id; "
                "the others are title=, hint=, loses=, may_lose=, read_on="
            ),
            file=file,
            line=call.lineno,
        )
    identity = _literal(call.args[0], "the id", file)
    if not isinstance(identity, str) or not identity.isidentifier():
        raise AuthoringError(
            _("the id must be a word such as 'kl_sign', got {identity!r}").format(identity=identity),
            file=file,
            line=call.lineno,
        )
    given = {}
    for keyword in call.keywords:
        if keyword.arg not in _FIELDS:
            raise AuthoringError(
                _("@mistake has no argument {arg!r}{suggestion} (it has: {listing})").format(
                    arg=keyword.arg, suggestion=did_you_mean(keyword.arg or "", _FIELDS), listing=", ".join(_FIELDS)
                ),
                file=file,
                line=keyword.value.lineno,
            )
        given[keyword.arg] = _literal(keyword.value, keyword.arg, file)
    return identity, given


def _literal(node: ast.expr, what: str, file: Path) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise AuthoringError(
            _("{what} must be a literal (this file is parsed, never run), got {ast}").format(
                what=what, ast=ast.unparse(node)
            ),
            file=file,
            line=node.lineno,
        ) from error


def _text(value: Any, what: str, call: ast.Call, file: Path) -> str:
    if not isinstance(value, str):
        raise AuthoringError(
            _("{what} must be text, got {value!r}").format(what=what, value=value), file=file, line=call.lineno
        )
    return value


def _ids(value: Any, call: ast.Call, file: Path) -> tuple[str, ...]:
    if not isinstance(value, tuple | list) or not all(isinstance(item, str) for item in value):
        raise AuthoringError(
            _("loses must be a tuple of check ids such as ('kl_value',), got {value!r}").format(value=value),
            file=file,
            line=call.lineno,
        )
    if len(set(value)) != len(value):
        raise AuthoringError(_("loses names a check twice: {value!r}").format(value=value), file=file, line=call.lineno)
    return tuple(value)


def _definition(source: str, node: ast.FunctionDef | ast.ClassDef, call: ast.Call) -> str:
    """The definition's own text, with every decorator but @mistake."""
    lines = source.split("\n")
    # `@` may stand on the line of its expression only, so a decorator's lines are those of its expression.
    kept = ["\n".join(lines[item.lineno - 1 : item.end_lineno]) for item in node.decorator_list if item is not call]
    return "\n".join([*kept, *lines[node.lineno - 1 : node.end_lineno]])


def _import(source: str, node: ast.Import | ast.ImportFrom) -> list[str]:
    # `from autograder... import mistake` would only please an editor; it belongs in no submission.
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("autograder", "__future__"):
        return []
    return [ast.get_source_segment(source, node) or ast.unparse(node)]


def _check(mistake: Mistake, file: Path, check_ids: Collection[str] | None, defined: Collection[str] | None) -> None:
    if check_ids is not None:
        for check in (*mistake.loses, *mistake.may_lose):
            if check not in check_ids:
                raise AuthoringError(
                    _("{id} loses {check!r}, which is no check of this exercise{suggestion}").format(
                        id=mistake.id, check=check, suggestion=did_you_mean(check, list(check_ids))
                    ),
                    file=file,
                    line=mistake.line,
                )
    if defined is not None and not set(mistake.names) & set(defined):
        raise AuthoringError(
            _(
                "{id} defines {listing}, and the solution defines nothing of that name{suggestion}: it "
                "would change nothing"
            ).format(
                id=mistake.id,
                listing=", ".join(mistake.names),
                suggestion=did_you_mean(mistake.names[0], list(defined)),
            ),
            file=file,
            line=mistake.line,
        )


def _defined_names(solution: Path) -> set[str]:
    return {
        node.name
        for node in _parse(_read(solution), solution).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise AuthoringError(
            _("cannot be read: {strerror}").format(strerror=error.strerror or error), file=file
        ) from error


def _parse(source: str, file: Path) -> ast.Module:
    try:
        return ast.parse(source, str(file))
    except SyntaxError as error:
        raise AuthoringError(
            _("is not valid Python: {msg}").format(msg=error.msg), file=file, line=error.lineno
        ) from error
