"""A mistake laid over the solution: what it changes is appended, so that everything that calls it gets the wrong one.

A text of the solution in place of another must stand there exactly once: in the function that is named (its docstring
aside), or else in the solution regions. A definition takes the place of the solution's of the same name:

- A function gets the solution's guards before its body: what the solution's body begins with and only refuses wrong
  arguments, that is `if ...: raise`, a bare call of a function of the solution's own, a loop over such, and the
  assignments between them. `guards=False` leaves them out. A class gets them in each method that calls no `super()`.
- A function whose first parameter is `solution` gets the solution's function there, and no guards.

What is appended stands behind the answers to the quiz, which stay right.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import accumulate

from autograder.authoring.errors import AuthoringError
from autograder.authoring.mistakes import Change, Definition, Mistake, read_mistakes, read_source
from autograder.authoring.regions import find_regions
from autograder.course.discovery import Exercise
from autograder.course.document import did_you_mean
from autograder.language import _

WRAPPER = "solution"  # first parameter of a definition that gets the solution's handed in


def apply_mistake(solution_source: str, mistake: Mistake) -> str:
    """The solution with this mistake; AuthoringError, with the mistake's line, where it does not fit the solution."""
    cell = [*mistake.imports, *_changed(solution_source, mistake)]
    cell += [_laid_over(definition, _places(solution_source), mistake) for definition in mistake.definitions]
    text = "\n\n\n".join(cell)
    return f"{solution_source.rstrip()}\n\n\n# %%\n{text}\n"


_Place = ast.FunctionDef | ast.ClassDef


@lru_cache(maxsize=8)
def _places(source: str) -> Mapping[str, _Place]:
    """What a source defines, by dotted name; SyntaxError where it is no Python."""
    found: dict[str, _Place] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found[prefix + node.name] = node
                if isinstance(node, ast.ClassDef):
                    visit(node.body, f"{prefix}{node.name}.")

    visit(ast.parse(source).body, "")
    return found


def changed_functions(exercise: Exercise) -> dict[str, str]:
    """The function or class that each mistake of a bank changes (the first one), by the mistake's id."""
    if not exercise.mistakes.is_file() or not exercise.solution.is_file():
        return {}
    source = read_source(exercise.solution)
    return {
        mistake.id: mistake.definitions[0].name
        if mistake.definitions
        else _around(source, _position(source, mistake.changes[0], mistake))
        for mistake in read_mistakes(exercise.mistakes)
    }


# --- changes of a text ---


def _changed(source: str, mistake: Mistake) -> Iterator[str]:
    """The definitions that the changes of a mistake touch, as they are then."""
    touched: dict[str, None] = {}
    for change in mistake.changes:
        position = _position(source, change, mistake)
        if change.new == change.old:
            raise _error(_("{id}: old and new are the same").format(id=mistake.id), change.line, mistake)
        touched[_around(source, position)] = None
        source = source[:position] + change.new + source[position + len(change.old) :]
        try:
            _places(source)
        except SyntaxError as error:
            raise _error(
                _("{id}: with the new text the solution is not valid Python: {msg}").format(
                    id=mistake.id, msg=error.msg
                ),
                change.line,
                mistake,
            ) from error
    yield from (ast.unparse(_places(source)[name]) for name in touched)  # without the marks of solution regions


def _around(source: str, position: int) -> str:
    """What is defined at the margin around a position."""
    line = source.count("\n", 0, position) + 1
    places = _places(source).items()
    return next(name for name, node in places if "." not in name and _first(node) <= line <= _end(node))


def _position(source: str, change: Change, mistake: Mistake) -> int:
    """Where the old text stands, which must be once."""
    starts = list(accumulate((len(line) + 1 for line in source.split("\n")), initial=0))
    positions = [
        position
        for first, last in _searched(source, change, mistake)
        for position in _occurrences(source, change.old, starts[first], starts[last])
    ]
    if len(positions) == 1:
        return positions[0]
    message = (
        _("{id}: {old!r} does not stand in {where}: take the text from the solution as it is")
        if not positions
        else _("{id}: {old!r} stands in {where} {n} times (lines {lines}): give more of it, or function=")
    )
    text = message.format(
        id=mistake.id,
        old=change.old,
        where=_("the solution regions") if change.function is None else change.function,
        n=len(positions),
        lines=", ".join(str(source.count("\n", 0, position) + 1) for position in positions),
    )
    raise _error(text, change.line, mistake)


def _searched(source: str, change: Change, mistake: Mistake) -> list[tuple[int, int]]:
    """The lines in which the old text may stand: from, and up to but not (0-based)."""
    places = _places(source)
    if change.function is not None:
        node = places.get(change.function)
        if node is None:
            raise _error(
                _("{id}: the solution defines no {name!r}{suggestion}").format(
                    id=mistake.id, name=change.function, suggestion=did_you_mean(change.function, list(places))
                ),
                change.line,
                mistake,
            )
        docstring = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
        if docstring is None:
            return [(node.lineno - 1, _end(node))]
        return [(node.lineno - 1, docstring.lineno - 1), (_end(docstring), _end(node))]
    definitions = [node for name, node in places.items() if "." not in name]
    return [
        (region.first + 1, region.last)
        for region in find_regions(source, mistake.file)
        if region.kind == "SOLUTION" and any(_first(d) <= region.first + 1 <= _end(d) for d in definitions)
    ]


def _occurrences(source: str, text: str, start: int, stop: int) -> Iterator[int]:
    position = source.find(text, start, stop)
    while text and position >= 0:
        yield position
        position = source.find(text, position + 1, stop)


def _first(node: _Place) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


# --- definitions ---


def _laid_over(definition: Definition, places: Mapping[str, _Place], mistake: Mistake) -> str:
    """The definition's text, with the solution's guards before it, or with the solution handed in."""
    theirs = places.get(definition.name)
    if theirs is None or isinstance(theirs, ast.ClassDef) != isinstance(definition.node, ast.ClassDef):
        if theirs is None and any(one.name in places for one in mistake.definitions):
            return ast.unparse(definition.node)  # a helper of the definition beside it
        raise _error(
            _(
                "{id} defines {name}, and the solution defines nothing of that name{suggestion}: it changes nothing"
            ).format(
                id=mistake.id,
                name=definition.name,
                suggestion=did_you_mean(definition.name, [name for name in places if "." not in name]),
            ),
            definition.line,
            mistake,
        )
    node = _copy(definition.node)
    if isinstance(node, ast.FunctionDef):
        parameters = [*node.args.posonlyargs, *node.args.args]
        if parameters and parameters[0].arg == WRAPPER:
            _hand_in(node)
        elif definition.guards:
            _guard(node, theirs, definition, places, mistake)
    elif definition.guards:
        for method in node.body:
            original = places.get(f"{node.name}.{method.name}") if isinstance(method, ast.FunctionDef) else None
            if isinstance(method, ast.FunctionDef) and original is not None and not _calls_super(method):
                _guard(method, original, definition, places, mistake)
    return ast.unparse(ast.fix_missing_locations(node))


def _copy(node: _Place) -> _Place:
    copied = ast.parse(ast.unparse(node)).body[0]
    assert isinstance(copied, ast.FunctionDef | ast.ClassDef)
    return copied


def _hand_in(node: ast.FunctionDef) -> None:
    """The parameter `solution` becomes one by name whose default is the function that this one replaces."""
    (node.args.posonlyargs or node.args.args).pop(0)
    node.args.kwonlyargs.append(ast.arg(WRAPPER))
    node.args.kw_defaults.append(ast.Name(node.name, ast.Load()))


def _guard(
    node: ast.FunctionDef, theirs: _Place, definition: Definition, places: Mapping[str, _Place], mistake: Mistake
) -> None:
    assert isinstance(theirs, ast.FunctionDef)
    guards = guards_of(theirs, {name for name in places if "." not in name})
    used = {name.id for guard in guards for name in ast.walk(guard) if isinstance(name, ast.Name)}
    lacking = [arg.arg for arg in _parameters(theirs) if arg.arg in used - {arg.arg for arg in _parameters(node)}]
    if lacking:
        raise _error(
            _("{id}: the solution's guards use {listing}, for which {name} has no parameter: name its parameters as "
              "the solution does, or leave the guards out (guards=False)")
            .format(id=mistake.id, listing=", ".join(lacking), name=node.name),
            definition.line,
            mistake,
        )  # fmt: skip
    start = 1 if ast.get_docstring(node) is not None else 0
    node.body[start:start] = guards


def _parameters(node: ast.FunctionDef) -> list[ast.arg]:
    extra = [arg for arg in (node.args.vararg, node.args.kwarg) if arg is not None]
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, *extra]


def guards_of(function: ast.FunctionDef, own: set[str]) -> list[ast.stmt]:
    """What the body of a function begins with to refuse wrong arguments; `own`: what the solution itself defines."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    end = 0
    for number, statement in enumerate(body, start=1):
        if _is_guard(statement, own):
            end = number
        elif not isinstance(statement, ast.Assign | ast.AnnAssign):
            break
    return body[:end]


def _is_guard(statement: ast.stmt, own: set[str]) -> bool:
    if isinstance(statement, ast.If):
        return _refuses(statement)
    if isinstance(statement, ast.For):
        return not statement.orelse and all(_is_guard(inner, own) for inner in statement.body)
    called = statement.value.func if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) else None
    return isinstance(called, ast.Name) and called.id in own


def _refuses(statement: ast.If) -> bool:
    """Whether every branch raises, and does no more than to put a message together before it."""
    *before, last = statement.body
    raises = isinstance(last, ast.Raise) and all(isinstance(inner, ast.Assign) for inner in before)
    otherwise = statement.orelse
    return raises and (
        not otherwise or (len(otherwise) == 1 and isinstance(otherwise[0], ast.If) and _refuses(otherwise[0]))
    )


def _calls_super(method: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "super" for node in ast.walk(method))


def _error(message: str, line: int, mistake: Mistake) -> AuthoringError:
    return AuthoringError(message, file=mistake.file, line=line)
