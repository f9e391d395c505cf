"""What there is to translate, as pairs of a place and a message: the framework's texts, and a course's.

In code that is `_("...")`, `N_("...")` and `ngettext("...", "...", n)`, as everywhere with gettext. Beside it, by their
place: help of commands, titles of checks, titles and hints of mistakes, questions of a quiz, the statement. A text made
of parts (an f-string) is a message with placeholders, that `language.said` knows again when it is finished.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from autograder.authoring.bundle import stub_source
from autograder.authoring.mistakes import read_mistakes
from autograder.authoring.regions import strip_solutions
from autograder.authoring.statement import texts
from autograder.course import CourseConfig, find_exercise


class Text(NamedTuple):
    """A message, and where it stands; `many` is its form for several."""

    place: str
    message: str
    many: str = ""


SHARED = "shared"

# Arguments and variables of checks that are put into messages: "the mean from {what}".
_LABELS = frozenset({"what", "label", "hint", "message", "name"})
_JUDGES = frozenset({"compare", "expect", "calibrated", "p_value", "CheckFailed", "StudentError"})
_WORDS = re.compile(r"[A-Za-z]{2,} [a-z]{2,}|(?<![\w(.])[a-z]{2,} [a-zA-Z]\b|\bthe \w")


def framework(package: Path) -> Iterator[Text]:
    """The texts of the framework: its modules, its commands, its templates."""
    for file in sorted(package.rglob("*.py")):
        place = file.relative_to(package.parent).as_posix()
        tree = ast.parse(file.read_text(encoding="utf-8"))
        yield from marked(tree, place)
        if file.parent.name == "commands":
            yield from _help(tree, place)
    for file in sorted(package.rglob("*.html")):
        yield from _template(file, file.relative_to(package.parent).as_posix())


def click_texts() -> Iterator[Text]:
    """The texts of click: its own catalogue does not come with it."""
    import click

    for file in sorted(Path(click.__file__).parent.glob("*.py")):
        yield from marked(ast.parse(file.read_text(encoding="utf-8")), f"click/{file.name}")


def course_texts(course: CourseConfig) -> dict[str, list[Text]]:
    """The texts of a course by catalogue.

    `course` has the titles; each exercise has three: `<exercise>.statement`, `<exercise>.public` (what students' own
    machines say) and `<exercise>.hidden`, which no student gets; what several of them have is in `shared`.
    Drafts have none.
    """
    found: dict[str, list[Text]] = {"course": list(_titles(course))}
    for config in course.finished:
        exercise = find_exercise(course, config.id)
        statement = [Text(f"{exercise.id}.py", text) for text in texts(stub_source(exercise))]
        public = [*_questions(exercise.quiz), *_checks([exercise.public_checks])]
        hidden = [
            *_checks(sorted(exercise.hidden_folder.glob("*.py"))),
            *_mistakes(exercise.mistakes),
            *_answers(exercise.quiz),
        ]
        found[f"{exercise.id}.statement"] = statement
        found[f"{exercise.id}.public"] = public
        found[f"{exercise.id}.hidden"] = hidden
    return once(found, ["course", *(name for name in found if name.endswith(".public"))])


def once(catalogues: Mapping[str, list[Text]], first: Sequence[str]) -> dict[str, list[Text]]:
    """Each message in one catalogue: the first of `first` that has it, or where several others have it, `shared`."""
    places: dict[str, str] = {}
    for name in (*first, *catalogues):
        for message in {text.message for text in catalogues[name]}:
            known = places.setdefault(message, name)
            if known != name and known not in first:
                places[message] = SHARED
    found: dict[str, list[Text]] = {name: [] for name in catalogues}
    for text in chain.from_iterable(catalogues.values()):
        found.setdefault(places[text.message], []).append(text)
    return found


def marked(tree: ast.AST, place: str) -> Iterator[Text]:
    """The literals in `_("...")`, `N_("...")` and `ngettext("...", "...", n)`."""
    for call in _calls(tree):
        if isinstance(call.func, ast.Name) and call.func.id == "ngettext" and len(call.args) == 3:
            forms = [template_of(argument) or "" for argument in call.args[:2]]
            yield Text(f"{place}:{call.lineno}", *forms)
        if isinstance(call.func, ast.Name) and call.func.id in ("_", "N_") and call.args:
            for literal in _choices(call.args[0]):
                if isinstance(literal, ast.Constant) and isinstance(literal.value, str) and literal.value:
                    yield Text(f"{place}:{literal.lineno}", literal.value)


def template_of(node: ast.expr) -> str | None:
    """A literal or an f-string as a message with placeholders; None for everything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = template_of(node.left), template_of(node.right)
        return None if left is None or right is None else left + right
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return template_of(node.func.value)
    if not isinstance(node, ast.JoinedStr):
        return None
    names: dict[str, str] = {}
    text = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value).replace("{", "{{").replace("}", "}}")
        elif isinstance(part, ast.FormattedValue):
            source = ast.unparse(part.value)
            known = next((name for name, code in names.items() if code == source), None)
            name = known or _placeholder(part.value, names)
            names[name] = source
            text += f"{{{name}}}"
    return text


def _placeholder(node: ast.expr, taken: Iterable[str]) -> str:
    """A name for what an f-string puts in: the last name in its code that says something."""
    everything: list[str] = re.findall(r"[A-Za-z]\w*", ast.unparse(node))
    words = [w for w in everything if len(w) > 1 and w not in _CODE_WORDS] or everything or ["value"]
    name, count = words[-1], 1
    while name in taken:
        count += 1
        name = f"{words[-1]}{count}"
    return name


_CODE_WORDS = frozenset(
    {"join", "for", "in", "str", "len", "tuple", "shape", "self", "personal", "round", "float", "int"}
)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _choices(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.IfExp):
        return [*_choices(node.body), *_choices(node.orelse)]
    return [node]


def _help(tree: ast.Module, place: str) -> Iterator[Text]:
    for call in _calls(tree):
        for keyword in call.keywords:
            if keyword.arg == "help" and (text := template_of(keyword.value)):
                yield Text(f"{place}:{keyword.value.lineno}", text)
        if isinstance(call.func, ast.Name) and call.func.id == "Subcommand" and len(call.args) == 2:
            text = template_of(call.args[1])
            if text:
                yield Text(f"{place}:{call.lineno}", text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(_is_command(d) for d in node.decorator_list):
            for paragraph in (ast.get_docstring(node) or "").split("\n\n"):
                if paragraph.strip():
                    yield Text(f"{place}:{node.lineno}", " ".join(paragraph.split()))


def _is_command(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in ("command", "group")


def _template(file: Path, place: str) -> Iterator[Text]:
    from jinja2.ext import babel_extract

    with file.open("rb") as stream:
        for line, _function, message, _comments in babel_extract(stream, ("_", "ngettext"), (), {"encoding": "utf-8"}):
            forms = (message,) if isinstance(message, str) else message or ()
            yield Text(f"{place}:{line}", *(form for form in forms if form))


def _titles(course: CourseConfig) -> Iterator[Text]:
    from autograder.book.rubric import load_rubric

    yield Text(course.file.name, course.title)
    for exercise in course.finished:
        yield Text(course.file.name, exercise.title)
    for items in load_rubric(course).values():
        for item in items:
            yield Text("rubric.yaml", item.title)


def _checks(files: Iterable[Path]) -> Iterator[Text]:
    for file in files:
        if not file.is_file():
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if file.name == "figures.py":
            for function in tree.body:
                if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
                    yield Text(f"{file.name}:{function.lineno}", function.name.replace("_", " "))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and node.decorator_list:
                title = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
                if title:
                    yield Text(f"{file.name}:{node.lineno}", title)
        yield from marked(tree, file.name)
        yield from _labels(tree, file.name)


def _labels(tree: ast.Module, place: str) -> Iterator[Text]:
    """Texts with words in them where checks say what they compare."""
    candidates: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _judges(node.func):
            candidates += [*node.args, *(k.value for k in node.keywords if k.arg in _LABELS)]
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in _LABELS for t in node.targets):
            candidates.append(node.value)
    for node in candidates:
        for choice in _choices(node):
            text = template_of(choice) if isinstance(choice, ast.Constant | ast.JoinedStr) else None
            if text and _WORDS.search(re.sub(r"\{\w*\}", "", text)):
                yield Text(f"{place}:{choice.lineno}", text)


def _judges(function: ast.expr) -> bool:
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    return bool(names & _JUDGES)


def _mistakes(file: Path) -> Iterator[Text]:
    for mistake in read_mistakes(file) if file.is_file() else ():
        place = f"{file.name}:{mistake.line}"
        yield Text(place, mistake.title)
        yield Text(place, mistake.hint)


def _questions(file: Path) -> Iterator[Text]:
    tree = ast.parse(strip_solutions(file.read_text(encoding="utf-8"), file))
    yield from _values_of(tree, "questions", file.name)


def _answers(file: Path) -> Iterator[Text]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in ("title", "explanation"):
                    for choice in _choices(value):
                        text = template_of(choice)
                        if text:
                            yield Text(f"{file.name}:{choice.lineno}", text)


def _values_of(tree: ast.Module, name: str, place: str) -> Iterator[Text]:
    """The texts of the dict that a function returns."""
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name == name:
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
                    for value in node.value.values:
                        for choice in _choices(value):
                            text = template_of(choice)
                            if text:
                                yield Text(f"{place}:{choice.lineno}", text)


__all__ = ["Text", "click_texts", "course_texts", "framework", "marked", "template_of"]
