"""A notebook to cells, from its JSON alone: formats 3 and 4, whatever else in it is missing or broken."""

from __future__ import annotations

import json
import re

from autograder.language import _
from autograder.submissions.code import names_in
from autograder.submissions.model import Cell, LeftOut, SubmissionUnreadable

MAX_CELLS = 5_000
MAX_SOURCE = 1_000_000  # characters of code, all cells together
MAX_ITEMS = 2_000_000  # JSON values: each becomes an object of ours, however short it is in the file

# Lines that are code wherever they stand, and what of Markdown shows some or looks like it.
_CODE = re.compile(
    r"^(?:async def|def|class) \w+.*:[ \t]*(?:#.*)?$|^import [\w.]*\w(?: as \w+)?[ \t]*$|^from [\w.]+ import \S"
    r"|^\w+(?:\.\w+|\[[^\]\n]*\])* ?[-+*/]?= ?[^=\s]|^\w+ = ",
    re.MULTILINE,
)
_SHOWN = re.compile(
    r"^[ ]{0,3}(```|~~~).*?(?:^[ ]{0,3}\1|\Z)|\$\$.*?\$\$|\$[^$\n]*(?:\n[^$\n]*)?\$", re.MULTILINE | re.DOTALL
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def looks_like_notebook(text: str) -> bool:
    """Whether a file that is not called .ipynb is one."""
    return text.lstrip().startswith("{") and ('"cell_type"' in text or ('"cells"' in text and '"nbformat"' in text))


def split_notebook(text: str) -> tuple[tuple[Cell, ...], list[str], list[LeftOut]]:
    """The code cells of a notebook, notes for the student, and code in cells that are no code cells.

    Code cells are called by their number among those that hold something, which is what Jupyter shows beside them after
    "restart and run all"; where it showed another number when the notebook was saved, by both.

    Raises:
        SubmissionUnreadable: no JSON, no notebook, or larger than anyone's work.
    """
    document = _load(text)
    cells = _cell_list(document)
    if len(cells) > MAX_CELLS:
        raise SubmissionUnreadable(
            _("The notebook has {count} cells; at most {limit} are read.").format(count=len(cells), limit=MAX_CELLS)
        )
    notes: list[str] = []
    found: list[Cell] = []
    damaged: list[int] = []
    left_out: list[LeftOut] = []
    number = 0
    for index, cell in enumerate(cells, start=1):
        source = _source(cell) if isinstance(cell, dict) else None
        if not isinstance(cell, dict) or source is None:
            damaged += [index] if not isinstance(cell, dict) or cell.get("cell_type") == "code" else []
        elif cell.get("cell_type") == "code" and source.strip():
            number += 1
            if not _is_check(cell):
                found.append(Cell(index, _label(cell, number), source, 1))
        elif cell.get("cell_type") != "code" and _CODE.search(_SHOWN.sub("", source)):
            left_out.append(_no_code_cell(cell, number, source))
    if sum(len(cell.source) for cell in found) > MAX_SOURCE:
        raise SubmissionUnreadable(
            _("The notebook holds more than {limit:.0f} MB of code.").format(limit=MAX_SOURCE / 1e6)
        )
    if damaged:
        listed = ", ".join(map(str, damaged[:10])) + (" ..." if len(damaged) > 10 else "")
        notes.append(_("These cells are damaged and were left out (counting all cells): {cells}.").format(cells=listed))
    if not found:
        notes.append(_("The notebook has no code cell with code in it."))
    notes += _language_note(document)
    return tuple(found), notes, left_out


def _label(cell: dict[str, object], number: int) -> str:
    shown = cell.get("execution_count", cell.get("prompt_number"))
    if type(shown) is not int or shown in (number, 0):
        return _("cell {number}").format(number=number)
    return _("cell {number} (In [{shown}])").format(number=number, shown=shown)


def _no_code_cell(cell: dict[str, object], number: int, source: str) -> LeftOut:
    kind = _("Markdown cell") if cell.get("cell_type") == "markdown" else _("raw cell")
    where = _("{kind} after cell {number}") if number else _("{kind} at the top")
    reason = _("left out: it holds what looks like code, but only code cells are run; make it a code cell")
    return LeftOut(where.format(kind=kind, number=number), 1, reason, names_in(source))


def _load(text: str) -> dict[str, object]:
    if sum(text.count(sign) for sign in "[{,") > MAX_ITEMS:
        raise SubmissionUnreadable(_("The notebook is too complicated to be read. Clear its outputs."))
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated"):
            message = _("The notebook is cut off at its end (line {line}): it was not saved or uploaded whole.")
        else:
            message = _("The notebook is damaged: line {line} is not valid JSON ({reason}).")
        raise SubmissionUnreadable(message.format(line=error.lineno, reason=error.msg)) from error
    except RecursionError as error:
        raise SubmissionUnreadable(_("The notebook is damaged: it is nested too deeply.")) from error
    except ValueError as error:  # a number of thousands of digits
        reason = str(error)[:100].rstrip(".")
        raise SubmissionUnreadable(_("The notebook is damaged: {reason}.").format(reason=reason)) from error
    if not isinstance(document, dict):
        raise SubmissionUnreadable(_("The file is JSON, but not a notebook: it has no cells."))
    return document


def _cell_list(document: dict[str, object]) -> list[object]:
    cells = document.get("cells")
    if isinstance(cells, list):
        return cells
    # Format 3: cells stand in worksheets, their code under "input".
    worksheets = document.get("worksheets")
    if isinstance(worksheets, list):
        lists = [sheet.get("cells") for sheet in worksheets if isinstance(sheet, dict)]
        return [cell for part in lists if isinstance(part, list) for cell in part]
    raise SubmissionUnreadable(_("The file is JSON, but not a notebook: it has no cells."))


def _is_check(cell: dict[str, object]) -> bool:
    """Whether a cell is a test that nbgrader or otter-grader put there: it is not the student's work."""
    metadata = cell.get("metadata")
    if not isinstance(metadata, dict):
        return False
    tags, rights = metadata.get("tags"), metadata.get("nbgrader")
    ignored = isinstance(tags, list) and "otter_ignore" in tags
    return ignored or (isinstance(rights, dict) and rights.get("grade") is True and rights.get("solution") is not True)


def _source(cell: dict[str, object]) -> str | None:
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list):
        if not all(isinstance(line, str) for line in source):
            return None
        source = "".join(source)
    if not isinstance(source, str):
        return None
    # JSON can spell half a character, which no encoding can write.
    source = _SURROGATE.sub("\ufffd", source)
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _language_note(document: dict[str, object]) -> list[str]:
    metadata = document.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = kernel.get("language") if isinstance(kernel, dict) else None
    if isinstance(language, str) and language and not language.lower().startswith("python"):
        note = _("The notebook says that its language is {language}, not Python.")
        return [note.format(language=ascii(language[:40]).strip("'"))]
    return []
