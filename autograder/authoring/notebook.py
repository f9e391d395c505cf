"""Percent script to notebook, so that the same source is generated into the same bytes every time.

The notebook carries nbgrader's metadata (schema version 3): a cell that has a solution region, and the quiz,
are the student's to change; statements are locked. The quiz's questions are read as text: they stand in a Markdown cell
before the cell that takes the answers. Cells get ids made from what they hold instead of random
ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

from autograder.authoring.errors import AuthoringError
from autograder.authoring.personal import read_drawn_for, read_personal, write_personal
from autograder.authoring.regions import TODO
from autograder.language import _

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
CHECK_TAG = "autograder-check"  # of cells that check and are nobody's work
QUESTIONS_TAG = "autograder-questions"  # of the cell that holds a student's questions
_MARKS = {"PERSONAL": "### BEGIN PERSONAL", "SOLUTION": "### BEGIN SOLUTION"}
_DEFINITION = re.compile(r"^(?:async def|def|class)\s+(\w+)", re.MULTILINE)
_HEADING = re.compile(r"^#+\s+(.+)$", re.MULTILINE)


def to_notebook(script: str, exercise: str) -> str:
    """A percent script as the text of a notebook (JSON, ends with a newline)."""
    import jupytext
    import nbformat

    notebook = jupytext.reads(script, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    taken: set[str] = set()
    for cell in notebook.cells:
        identity = _identity(cell, taken)
        cell["id"] = identity
        cell["metadata"] = {}
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        rights = _nbgrader(cell)
        if rights is not None:
            cell["metadata"]["nbgrader"] = {"grade_id": f"{exercise}-{identity}", **rights}
    notebook.cells = nbformat.from_dict(list(_with_questions(notebook.cells, exercise)))  # type: ignore[no-untyped-call]
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return f"{nbformat.writes(notebook, version=nbformat.NO_CONVERT)}\n"  # type: ignore[no-untyped-call]


def cell(kind: Literal["code", "markdown"], identity: str, source: str, **metadata: object) -> dict[str, object]:
    """A cell of a notebook as JSON; a code cell that was not run."""
    ran: dict[str, object] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": identity[:64], "metadata": metadata, **ran, "source": source}


def notebook_text(notebook: Mapping[str, object]) -> str:
    """A notebook's text: the same each time."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _with_questions(cells: Iterable[dict[str, object]], exercise: str) -> Iterator[dict[str, object]]:
    """The cells, with the questions of the PERSONAL block in a Markdown cell before it."""
    for given in cells:
        source = "".join(cast("Sequence[str]", given["source"]))
        if QUESTIONS_TAG in cast("Mapping[str, Sequence[str]]", given["metadata"]).get("tags", ()):
            continue  # of the block as it was
        asked = _questions(source) if given["cell_type"] == "code" and _MARKS["PERSONAL"] in source else {}
        if asked:
            rights = {"grade": False, "locked": True, "schema_version": 3, "solution": False, "task": False}
            nbgrader = {"grade_id": f"{exercise}-quiz-questions", **rights}
            yield cell("markdown", "quiz-questions", _as_markdown(asked), nbgrader=nbgrader, tags=[QUESTIONS_TAG])
            given["source"] = _numbered(source, asked)
        yield given


def questions_apart(script: str) -> str:
    """A percent script with the questions of its quiz in a Markdown cell, as notebooks have them."""
    cells = re.split(r"(?m)^(?=# %%)", script)
    for place, source in enumerate(cells):
        if _MARKS["PERSONAL"] in source and (asked := _questions(source)):
            text = "".join(f"# {line}".rstrip() + "\n" for line in _as_markdown(asked).split("\n"))
            cells[place] = f"# %% [markdown]\n{text}\n{_numbered(source, asked)}"
    return "".join(cells)


def _questions(source: str) -> dict[str, str]:
    asked = read_personal(source, Path("quiz")).get("QUIZ")
    return cast("dict[str, str]", asked) if isinstance(asked, dict) else {}


def _as_markdown(asked: Mapping[str, str]) -> str:
    lines = [_("Your questions. The answers go into `ANSWERS` below, by the names that stand before the questions.")]
    for number, (key, question) in enumerate(asked.items(), start=1):
        lines.append(f"{number}. **`{key}`** – {_plain(question)}")
    return "\n\n".join(lines)


def _plain(text: str) -> str:
    """A text in which Markdown finds no marks but code."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if n % 2 else re.sub(r"([\\*_$<\[~])", r"\\\1", part) for n, part in enumerate(parts))


def _numbered(source: str, asked: Mapping[str, str]) -> str:
    """The cell with the numbers of the questions in the place of their texts."""
    numbers = {key: _("question {n}").format(n=number) for number, key in enumerate(asked, start=1)}
    file, drawn_for = Path("quiz"), read_drawn_for(source)
    personal = cast("dict[str, object]", read_personal(source, file)["PERSONAL"])
    name = "" if drawn_for is None else f"{drawn_for.student} {drawn_for.code}"
    return write_personal(source, file, personal, numbers, name)


def with_checks(notebook: str, exercise: str, called: Collection[str]) -> str:
    """A finished notebook with a line that checks it behind each section, and one for the whole at the end.

    Args:
        called: the functions and classes that some public check calls.
    """
    document = json.loads(notebook)
    cells: list[dict[str, object]] = []
    for given in document["cells"]:
        cells.append(given)
        source = "".join(given["source"])
        names = [name for name in _DEFINITION.findall(source) if name in called]
        if given["cell_type"] == "code" and TODO in source and names:
            cells.append(_check_cell(exercise, names))
    document["cells"] = [*cells, _check_cell(exercise, [])]
    return notebook_text(document)


def _check_cell(exercise: str, names: Sequence[str]) -> dict[str, object]:
    comment = _("The public checks of this section, on the cells that you ran.") if names else _("All public checks.")
    line = f"autograder.check({', '.join(json.dumps(name) for name in (exercise, *names))})"
    name = re.sub(r"[^a-z0-9]+", "-", "-".join(["check", *names]).lower())
    return cell("code", name, f"# {comment}\nimport autograder\n\n{line}", tags=[CHECK_TAG])


def replace_personal(notebook: str, change: Callable[[str], str], file: Path) -> str:
    """A finished notebook with another text of the cell that holds the PERSONAL block; it is read as JSON alone.

    AuthoringError where there is none.
    """
    document = json.loads(notebook)
    for given in document["cells"]:
        source = "".join(given["source"])
        if _MARKS["PERSONAL"] in source:
            given["source"] = change(source)
            exercise = given["metadata"].get("nbgrader", {}).get("grade_id", "").removesuffix("-quiz")
            document["cells"] = list(_with_questions(document["cells"], exercise))
            for one in document["cells"]:
                if one is given or QUESTIONS_TAG in one["metadata"].get("tags", ()):
                    one["source"] = "".join(one["source"]).splitlines(keepends=True)
            return notebook_text(document)
    raise AuthoringError(_("has no cell with a PERSONAL block"), file=file)


def _nbgrader(cell: Mapping[str, str]) -> dict[str, object] | None:
    if cell["cell_type"] != "code":
        return {"grade": False, "locked": True, "schema_version": 3, "solution": False, "task": False}
    if any(mark in cell["source"] for mark in (TODO, *_MARKS.values())):
        return {"grade": False, "locked": False, "schema_version": 3, "solution": True, "task": False}
    return None  # given code: a student may add to it


def _identity(cell: Mapping[str, str], taken: set[str]) -> str:
    """A name from what the cell holds: inserting another cell does not rename this one."""
    source = cell["source"]
    if cell["cell_type"] == "code":
        match = _DEFINITION.search(source)
        name = "quiz" if _MARKS["PERSONAL"] in source else match[1] if match else "code"
    else:
        match = _HEADING.search(source)
        name = match[1] if match else "text"
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48].rstrip("-") or "cell"
    unique, count = slug, 1
    while unique in taken:
        count += 1
        unique = f"{slug}-{count}"
    taken.add(unique)
    return unique
