"""The bank of mistakes: `mistakes.py`, a catalogue of typical wrong versions of an exercise's functions.

Each mistake has an id, a title, the hint that a student gets for it, the check meant for it, and what it changes. That
is a text of the solution and another in its place,

    mistake("kl_averaged", "KL divergence averaged over the latent coordinates", check="kl_value",
            hint="The divergence of independent coordinates is the sum of theirs.",
            function="kl_divergence", old=".sum(dim=-1)", new=".mean(dim=-1)")

or a definition under `@mistake(...)`, which takes the place of the solution's: see `overlay.py`, which lays both over
the solution. A further `mistake(id, old=..., new=...)` or `@mistake(id)` adds a change to the mistake above it. The
file is parsed, never imported.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeGuard

from autograder.authoring.errors import AuthoringError
from autograder.course.document import did_you_mean
from autograder.language import _

_DESCRIBES = ("title", "hint", "check", "also")
_CHANGES = ("function", "old", "new")
_FIELDS = (*_DESCRIBES, *_CHANGES, "guards")
HowOften = Literal["always", "sometimes"]


@dataclass(frozen=True)
class Change:
    """A text of the solution and another in its place; `function` says where the text stands, None: anywhere."""

    old: str
    new: str
    function: str | None
    line: int


@dataclass(frozen=True)
class Definition:
    """A function or class in place of the solution's; `guards`: the solution's guards stand before its body."""

    name: str
    node: ast.FunctionDef | ast.ClassDef
    guards: bool
    line: int


@dataclass(frozen=True)
class Mistake:
    """One known mistake.

    Attributes:
        id: a word; title, hint: for students.
        check: id of the check meant for it, which has to fail and to name it.
        also: further exact checks that it turns red -> why they cannot but do.
        changes, definitions, imports: what it does to the solution.
        losses: further checks that do not pass with it, as measured (`losses.py`).
        file, line: where it stands.
    """

    id: str
    title: str
    hint: str
    check: str
    file: Path
    line: int
    also: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    definitions: tuple[Definition, ...] = ()
    imports: tuple[str, ...] = ()
    losses: Mapping[str, HowOften] = field(default_factory=dict)

    @property
    def loses(self) -> tuple[str, ...]:
        """Ids of the checks that never pass with it, the one meant for it first."""
        return (self.check, *(check for check, when in self.losses.items() if when == "always"))


def read_mistakes(
    file: Path, *, check_ids: Collection[str] | None = None, solution: Path | None = None
) -> tuple[Mistake, ...]:
    """All mistakes of a file, in its order.

    Args:
        file: a mistakes.py.
        check_ids: the ids that `check` and `also` may name; anything goes without it.
        solution: each mistake must then fit this file.

    Raises:
        AuthoringError: with file and line, for whatever is not a mistake of the documented form.
    """
    source = read_source(file)
    mistakes: dict[str, Mistake] = {}
    imports: list[str] = []
    for position, node in enumerate(parse_source(source, file).body):
        if position == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # the docstring
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports += _import(source, node)
        elif isinstance(node, ast.Expr) and _is_mistake(node.value):
            _Entry(node.value, file).add_to(mistakes)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            _Entry(_decorator(node, file), file, node).add_to(mistakes)
        else:
            raise AuthoringError(
                _("only mistake(...), and functions and classes under @mistake(...), may stand here"),
                file=file,
                line=node.lineno,
            )
    found = tuple(replace(mistake, imports=tuple(imports)) for mistake in mistakes.values())
    for mistake in found:
        if not mistake.changes and not mistake.definitions:
            raise AuthoringError(
                _("{id} changes nothing: give it old= and new=, or a definition under it").format(id=mistake.id),
                file=file,
                line=mistake.line,
            )
        if check_ids is not None:
            _know(mistake, check_ids)
    if solution is not None:
        from autograder.authoring.overlay import apply_mistake

        text = read_source(solution)
        parse_source(text, solution)
        for mistake in found:
            apply_mistake(text, mistake)
    return found


class _Entry:
    """One `mistake(...)` of the file: a call by itself, or the decorator of a definition."""

    def __init__(self, call: ast.Call, file: Path, node: ast.FunctionDef | ast.ClassDef | None = None) -> None:
        self.call = call
        self.file = file
        self.node = node
        if not 1 <= len(call.args) <= 2:
            raise self.error(_("mistake takes two arguments without a name, the id and the title"))
        identity = self.literal(call.args[0], "the id")
        if not isinstance(identity, str) or not identity.isidentifier():
            raise self.error(_("the id must be a word such as 'kl_sign', got {identity!r}").format(identity=identity))
        self.id = identity
        self.given: dict[str, object] = {}
        if len(call.args) == 2:
            self.given["title"] = self.literal(call.args[1], "title")
        for keyword in call.keywords:
            if keyword.arg not in _FIELDS:
                raise AuthoringError(
                    _("mistake has no argument {arg!r}{suggestion} (it has: {listing})").format(
                        arg=keyword.arg, suggestion=did_you_mean(keyword.arg or "", _FIELDS), listing=", ".join(_FIELDS)
                    ),
                    file=file,
                    line=keyword.value.lineno,
                )
            self.given[keyword.arg] = self.literal(keyword.value, keyword.arg)

    def error(self, message: str) -> AuthoringError:
        return AuthoringError(message, file=self.file, line=self.call.lineno)

    def literal(self, node: ast.expr, what: str) -> object:
        try:
            value: object = ast.literal_eval(node)
            return value
        except (ValueError, TypeError) as error:
            raise AuthoringError(
                _("{what} must be a literal (this file is parsed, never run), got {ast}").format(
                    what=what, ast=ast.unparse(node)
                ),
                file=self.file,
                line=node.lineno,
            ) from error

    def text(self, name: str) -> str:
        value = self.given[name]
        if not isinstance(value, str):
            raise self.error(_("{what} must be text, got {value!r}").format(what=name, value=value))
        return value

    def add_to(self, mistakes: dict[str, Mistake]) -> None:
        described = [name for name in _DESCRIBES if name in self.given]
        known = mistakes.get(self.id)
        if not described:
            if known is None:
                raise self.error(
                    _(
                        "mistake({identity!r}) without title, hint and check adds to an earlier mistake, but "
                        "there is none of this id{suggestion}"
                    ).format(identity=self.id, suggestion=did_you_mean(self.id, list(mistakes)))
                )
        elif known is not None:
            raise self.error(_("the id {identity!r} is taken (line {line})").format(identity=self.id, line=known.line))
        else:
            known = self.described()
        definition = self.definition()
        if definition is not None and definition.name in {one.name for one in known.definitions}:
            raise self.error(_("{identity} defines {name} twice").format(identity=self.id, name=definition.name))
        mistakes[self.id] = replace(
            known,
            changes=(*known.changes, *self.changes()),
            definitions=(*known.definitions, *([] if definition is None else [definition])),
        )

    def described(self) -> Mistake:
        missing = [name for name in ("title", "hint", "check") if not self.given.get(name)]
        if missing:
            raise self.error(
                _("mistake({identity!r}) lacks {listing}").format(identity=self.id, listing=", ".join(missing))
            )
        also = self.also()
        if self.text("check") in also:
            raise self.error(_("also names {check!r}, the check meant for it").format(check=self.text("check")))
        return Mistake(
            id=self.id,
            title=self.text("title"),
            hint=self.text("hint"),
            check=self.text("check"),
            also=also,
            file=self.file,
            line=self.call.lineno,
        )

    def also(self) -> dict[str, str]:
        """Further checks and why they are lost, one reason for one check or for a tuple of them."""
        given = self.given.get("also", {})
        pairs = given.items() if isinstance(given, dict) else [(given, "")]
        found = {check: why for checks, why in pairs for check in (checks if isinstance(checks, tuple) else (checks,))}
        if not all(isinstance(text, str) and text for text in (*found, *found.values())):
            raise self.error(
                _("also must say why each further check is lost: {{'elbo_value': 'why'}}, got {value!r}").format(
                    value=given
                )
            )
        return found

    def changes(self) -> tuple[Change, ...]:
        given = [name for name in _CHANGES if name in self.given]
        if not given:
            return ()
        if self.node is not None or "old" not in given or "new" not in given:
            raise self.error(
                _(
                    "{identity}: a change is old= and new=, and function= where the text stands; not over a definition"
                ).format(identity=self.id)
            )
        function = self.text("function") if "function" in given else None
        return (Change(self.text("old"), self.text("new"), function, self.call.lineno),)

    def definition(self) -> Definition | None:
        guards = self.given.get("guards", True)
        if not isinstance(guards, bool) or ("guards" in self.given and self.node is None):
            raise self.error(_("guards=False stands over a definition: it leaves the solution's guards out"))
        return None if self.node is None else Definition(self.node.name, self.node, guards, self.call.lineno)


def _decorator(node: ast.FunctionDef | ast.ClassDef, file: Path) -> ast.Call:
    """Its `@mistake(...)`, taken off; decorators of its own stay."""
    calls = [item for item in node.decorator_list if _is_mistake(item)]
    if len(calls) != 1:
        message = "has no @mistake(...) above it" if not calls else "has more than one @mistake(...)"
        raise AuthoringError(f"{node.name} {message}", file=file, line=node.lineno)
    node.decorator_list.remove(calls[0])
    assert isinstance(calls[0], ast.Call)
    return calls[0]


def _is_mistake(node: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "mistake"


def _import(source: str, node: ast.Import | ast.ImportFrom) -> list[str]:
    # `from autograder... import mistake` would only please an editor; it belongs in no submission.
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("autograder", "__future__"):
        return []
    return [ast.get_source_segment(source, node) or ast.unparse(node)]


def _know(mistake: Mistake, check_ids: Collection[str]) -> None:
    for check in (mistake.check, *mistake.also):
        if check not in check_ids:
            raise AuthoringError(
                _("{id} loses {check!r}, which is no check of this exercise{suggestion}").format(
                    id=mistake.id, check=check, suggestion=did_you_mean(check, list(check_ids))
                ),
                file=mistake.file,
                line=mistake.line,
            )


def read_source(file: Path) -> str:
    """The text of a file; AuthoringError where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise AuthoringError(
            _("cannot be read: {strerror}").format(strerror=error.strerror or error), file=file
        ) from error


def parse_source(source: str, file: Path) -> ast.Module:
    """Its tree; AuthoringError with the line where it is no Python."""
    try:
        return ast.parse(source, str(file))
    except SyntaxError as error:
        raise AuthoringError(
            _("is not valid Python: {msg}").format(msg=error.msg), file=file, line=error.lineno
        ) from error
