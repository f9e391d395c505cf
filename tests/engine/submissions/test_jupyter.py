"""Cells read as Jupyter reads them: by IPython's own transformer, and by ours where IPython is not installed."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from autograder.authoring.notebook import to_notebook
from autograder.submissions import Cell, Submission, code_of, jupyter, magics
from autograder.submissions.jupyter import Reader, transformer
from tests.engine.submissions.notebook_cells import CELLS

pytest.importorskip("IPython")
ROOT = Path(__file__).parents[3]


def meaning(text: str) -> str:
    """What a text means to Python, with its lines; the text where it means nothing."""
    try:
        return ast.dump(ast.parse(text), include_attributes=False) + str([n.lineno for n in ast.parse(text).body])
    except SyntaxError:
        return "\n".join(line.rstrip() for line in text.rstrip().split("\n"))


def by_ipython(cell: str) -> str:
    """What IPython makes of a cell; the cell where it cannot read it."""
    try:
        return transformer(lambda characters: None).transform_cell(cell)
    except SyntaxError:
        return cell


def as_python(cell: str) -> str:
    return Reader().as_python(cell)


def test_there_are_hundreds_of_cells():
    assert len(CELLS) >= 300
    assert sum(by_ipython(cell) != f"{cell}\n" for cell in CELLS) >= 200


def test_our_own_reader_reads_as_ipython_does():
    different = {}
    for cell in CELLS:
        above = "\n" * re.match(r"(?:[ \t]*\n)*", cell)[0].count("\n")  # which IPython takes away
        ours, theirs = meaning(magics.as_python(cell)), meaning(above + by_ipython(cell))
        if ours != theirs and not (unreadable(cell) and "\n" in ours):
            different[cell] = ours, theirs
    assert different == {}


def unreadable(cell: str) -> bool:
    """Whether IPython says that there is an error in the indentation: then the cell does not run."""
    try:
        transformer(lambda characters: None).transform_cell(cell)
    except IndentationError:
        return True
    return False


def test_where_ipython_is_not_asked_it_would_change_nothing():
    asked = [cell for cell in CELLS if jupyter.may_change(cell)]
    assert 200 < len(asked) < len(CELLS) - 50
    assert [cell for cell in CELLS if cell not in asked and by_ipython(cell).strip("\n") != cell.strip("\n")] == []


def test_lines_keep_their_numbers():
    """What stands in the last line stands there still."""
    moved = []
    for cell in CELLS:
        marked = f"{cell}\nTHE_END"
        read = as_python(marked).split("\n")
        if not cell.lstrip().startswith("%%") and "THE_END" in read:
            moved += [cell] if read.index("THE_END") != cell.count("\n") + 1 else []
    assert moved == []


def test_the_exercises_need_no_reader(monkeypatch):
    """Nothing of an exercise is taken for IPython's."""
    for solution in sorted(ROOT.glob("solutions/*/*.py")):
        text = solution.read_text(encoding="utf-8")
        assert as_python(text).rstrip() == text.rstrip()
        if solution.stem == solution.parent.name:
            for cell in json.loads(to_notebook(text, solution.stem))["cells"]:
                source = "".join(cell["source"])
                assert cell["cell_type"] != "code" or as_python(source).rstrip() == source.rstrip()


@pytest.mark.parametrize(
    "text",
    ["!ls\n" * 5_000, "%time (" * 10_000, "x = !" + "(" * 30_000, '"""\n' + "!a\n" * 30_000, "a?\n" * 10_000],
    ids=["commands", "brackets", "nested", "unclosed", "helps"],
)
def test_no_text_keeps_the_reader_busy(text, monkeypatch):
    """After so many characters, all cells together, IPython is left, and ours is linear."""
    read: list[int] = []
    count = Reader._count
    monkeypatch.setattr(Reader, "_count", lambda self, characters: (read.append(characters), count(self, characters)))
    monkeypatch.setattr(jupyter, "MOST_READ", 60_000)
    reader = Reader()
    for _ in range(3):
        assert reader.as_python(text)
    assert sum(read[:-3]) <= jupyter.MOST_READ
    assert len(read) <= 3 + jupyter.MOST_READ / len(text)


def code(*cells: str) -> tuple[list[str], list[str]]:
    """Sources of the cells that run, and `where: reason` of those that do not."""
    made = tuple(Cell(n, f"cell {n}", source, 1) for n, source in enumerate(cells, 1))
    found = code_of(Submission("ada", "toy", Path("toy.ipynb"), "", "ipynb", made))
    return [cell["source"] for cell in found.cells], [f"{part.where}: {part.reason}" for part in found.left_out]


@pytest.mark.parametrize("magic", ["time", "timeit -n 3", "capture out", "prun", "wandb", "memit -r 1", "debug"])
def test_what_runs_in_the_session_is_kept(magic):
    assert code(f"%%{magic}\nx = 1\n!ls\n") == (["\nx = 1\nget_ipython().system('ls')\n"], [])


@pytest.mark.parametrize(
    ("magic", "reason"),
    [
        ("bash", "process of its own"), ("script python", "process of its own"), ("python", "process of its own"),
        ("writefile a.py", "written into a file"), ("html", "not run as Python"), ("R -i x", "not run as Python"),
        ("never_heard_of", "not known here"),
    ],
)  # fmt: skip
def test_what_does_not_run_is_named_with_the_reason(magic, reason):
    run, left_out = code("y = 1", f"%%{magic}\ndef f():\n    pass\n")
    assert run == ["y = 1"]
    assert len(left_out) == 1
    assert left_out[0].startswith("cell 2: left out: ")
    assert f"%%{magic.split()[0]}" in left_out[0]
    assert reason in left_out[0]


def test_a_cell_magic_with_nothing_under_it_is_no_loss():
    assert code("%%bash\n", "%%never_heard_of") == ([], [])


def test_the_cell_magics_of_an_exported_script_are_cells_again():
    script = (
        "x = 1\nget_ipython().run_cell_magic('time', '', 'def f():\\n    return \"a\\'s\"\\n\\n%time y = 2\\n')\n"
        "\nz = 3\n"
        "get_ipython().run_cell_magic('bash', '', 'ls\\n')\nw = 4\n"
    )
    found = code_of(Submission("ada", "toy", Path("toy.py"), "", "py", (Cell(1, "toy.py", script, 1),)))
    assert [(cell["source"], cell["first_line"]) for cell in found.cells] == [
        ("x = 1\n", 1),
        ("\ndef f():\n    return \"a's\"\n\nget_ipython().run_line_magic('time', 'y = 2')\n", 2),
        ("\n\nz = 3\n", 2),
        ("\nw = 4\n", 5),
    ]
    assert [(part.where, part.line) for part in found.left_out] == [("toy.py", 5)]


def test_names_of_what_is_left_out_are_known():
    made = (Cell(1, "cell 1", "%%bash\ndef f(:\nclass G:\n    x = 1\nasync def h(): 1\ny: int = 3\nz == 2", 1),)
    (part,) = code_of(Submission("ada", "toy", Path("toy.ipynb"), "", "ipynb", made)).left_out
    assert part.names == ("f", "G", "h", "y")


def test_the_reader_is_recorded(monkeypatch):
    import IPython

    nothing = Submission("ada", "toy", Path("toy.py"), "", "py", ())
    assert code_of(nothing).reader == IPython.__version__
    monkeypatch.setattr("autograder.submissions.code.ipython_version", lambda: "")
    assert code_of(nothing).reader == ""
