"""A notebook to cells, from its JSON alone: formats 3 and 4, whatever else in it is missing or broken."""

from __future__ import annotations

import json
import re

from autograder.language import _
from autograder.submissions.model import Cell, SubmissionUnreadable

MAX_CELLS = 5_000
MAX_SOURCE = 1_000_000  # characters of code, all cells together
MAX_ITEMS = 2_000_000  # JSON values: each becomes an object of ours, however short it is in the file

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def looks_like_notebook(text: str) -> bool:
    """Whether a file that is not called .ipynb is one."""
    return text.lstrip().startswith("{") and ('"cell_type"' in text or ('"cells"' in text and '"nbformat"' in text))


def split_notebook(text: str) -> tuple[tuple[Cell, ...], list[str]]:
    """The code cells of a notebook, and notes for the student.

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
    for index, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict):
            damaged.append(index)
            continue
        if cell.get("cell_type") != "code" or _is_check(cell):
            continue
        source = _source(cell)
        if source is None:
            damaged.append(index)
        elif source.strip():
            found.append(Cell(index, _("cell {number}").format(number=index), source, 1))
    if sum(len(cell.source) for cell in found) > MAX_SOURCE:
        raise SubmissionUnreadable(
            _("The notebook holds more than {limit:.0f} MB of code.").format(limit=MAX_SOURCE / 1e6)
        )
    if damaged:
        listed = ", ".join(map(str, damaged[:10])) + (" ..." if len(damaged) > 10 else "")
        notes.append(_("These cells are damaged and were left out: {cells}.").format(cells=listed))
    if not found:
        notes.append(_("The notebook has no code cell with code in it."))
    notes += _language_note(document)
    return tuple(found), notes


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
