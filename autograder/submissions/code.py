"""From what was read to the code that a worker loads: cells as Jupyter runs them, and which are left out and why.

A cell under `%%time` and its like is Python that runs in the session. What stands under another cell magic does not
run in the notebook's own Python, and is not run here. All of it is decided by the text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from autograder.language import _
from autograder.submissions.jupyter import Reader, ipython_version
from autograder.submissions.model import Cell, CodeCell, LeftOut, Submission

# What stands under these runs in the notebook's own session.
_RUN_HERE = frozenset({
    "time", "timeit", "capture", "prun", "debug", "memit", "wandb", "cache", "heat", "notify", "pyinstrument",
    "scalene", "snakeviz", "viztracer",
})  # fmt: skip
_ELSEWHERE = frozenset({
    "script", "bash", "sh", "zsh", "cmd", "powershell", "python", "python2", "python3", "pypy", "px",
})  # fmt: skip
_WRITTEN = frozenset({"writefile", "file"})
_OTHER_LANGUAGE = frozenset({
    "html", "javascript", "js", "svg", "latex", "markdown", "sql", "R", "julia", "perl", "ruby", "cython", "cpp", "css",
})  # fmt: skip

_CELL_MAGIC = re.compile(r"(?:[^\S\n]*\n)*[^\S\n]*%%(\w+)(?!\?)[^\n]*(?:\n|\Z)")
_TEXT = r"""[uU]?(?:'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
# What `jupyter nbconvert --to script` makes of a cell magic.
_EXPORTED = re.compile(rf"^get_ipython\(\)\.run_cell_magic\(({_TEXT}), ?({_TEXT}), ?({_TEXT})\)[^\S\n]*$", re.MULTILINE)
_NAMES = re.compile(
    r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+([A-Za-z_]\w*)|^([A-Za-z_]\w*)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE
)


@dataclass(frozen=True)
class LoadableCode:
    """What a worker loads of a submission.

    Attributes:
        cells: of Python.
        left_out: of the file, and why.
        reader: version of the IPython that read it; empty where there is none.
    """

    cells: tuple[CodeCell, ...]
    left_out: tuple[LeftOut, ...]
    reader: str


def code_of(submission: Submission, exercise: str = "") -> LoadableCode:
    """The code of a submission.

    Args:
        submission: what was read.
        exercise: under which name the file appears in messages; the submission's own without it.
    """
    cells: list[CodeCell] = []
    left_out = list(submission.left_out)
    reader = Reader()
    for cell, where, filename in places(submission, exercise):
        for part in _parts(cell):
            source, reason = _python(part.source, reader)
            if reason:
                left_out.append(LeftOut(where, part.first_line, reason, names_in(part.source)))
            elif source.strip():
                cells.append(CodeCell(source=source, where=where, filename=filename, first_line=part.first_line))
    return LoadableCode(tuple(cells), tuple(left_out), ipython_version())


def places(submission: Submission, exercise: str = "") -> Iterator[tuple[Cell, str, str]]:
    """Each cell with its place in the student's words, and the name that tracebacks show for its file."""
    name = f"{exercise or submission.exercise}.{submission.format}"
    for cell in submission.cells:
        yield (cell, name, name) if submission.format == "py" else (cell, cell.label, f"{name}, {cell.label}")


def names_in(text: str) -> tuple[str, ...]:
    """What a text would define, were it run."""
    return tuple(dict.fromkeys(name for pair in _NAMES.findall(text) for name in pair if name))


def _parts(cell: Cell) -> Iterator[Cell]:
    """A cell cut around the cell magics of an exported script, each of which was a cell of its own."""
    if "run_cell_magic" not in cell.source:
        yield cell
        return
    at, line = 0, cell.first_line
    for found in _EXPORTED.finditer(cell.source):
        before = cell.source[at : found.start()]
        if before.strip():
            yield replace(cell, source=before, first_line=line)
        line += before.count("\n")
        try:
            name, rest, body = (str(ast.literal_eval(text)) for text in found.groups())
        except (SyntaxError, ValueError):  # `'\x'`: no text of Python's
            name, rest, body = "", "", ""
        if name.isidentifier():
            yield replace(cell, source=f"%%{name} {rest}\n{body}", first_line=line)
        at = found.end()
    yield replace(cell, source=cell.source[at:], first_line=line)


def _python(source: str, reader: Reader) -> tuple[str, str]:
    """A cell as Python, or the reason why it is none."""
    magic = _CELL_MAGIC.match(source)
    if magic is None:
        return reader.as_python(source), ""
    name, rest = magic[1], source[magic.end() :]
    if name in _RUN_HERE:
        below, reason = _python(rest, reader)
        return "\n" * magic[0].count("\n") + below, reason
    if not rest.strip():
        return "", ""  # a line of IPython's, and nothing under it
    if name in _ELSEWHERE:
        reason = _(
            "left out: what stands under %%{name} runs in a process of its own, and defines nothing in a notebook"
        )
    elif name in _WRITTEN:
        reason = _("left out: what stands under %%{name} is written into a file and not run")
    elif name in _OTHER_LANGUAGE:
        reason = _("left out: what stands under %%{name} is not run as Python")
    else:
        reason = _("left out: the cell magic %%{name} is not known here; take its line away if Python stands under it")
    return "", reason.format(name=name[:40])
