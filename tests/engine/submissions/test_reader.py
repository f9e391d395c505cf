"""Reading handed-in files: each kind of damage has its stated outcome, readable with a note or a message."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder.submissions import Submission, SubmissionUnreadable, code_of, read_submission
from autograder.submissions import notebook as notebook_reader
from autograder.submissions import reader as file_reader

TEXT = "# é\nx = 1\n"


def put(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / "alice" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def sources(submission: Submission) -> list[str]:
    return [cell.source for cell in submission.cells]


def book(*cells: Any, **more: Any) -> str:
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more})


def code(source: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}


def refused(path: Path) -> str:
    with pytest.raises(SubmissionUnreadable) as caught:
        read_submission(path)
    assert caught.value.fault == "content"
    assert caught.value.student == "alice"
    return caught.value.message


# --- scripts


def test_a_plain_script_is_one_cell(tmp_path: Path) -> None:
    path = put(tmp_path, "demo.py", TEXT)
    found = read_submission(path)
    assert (found.student, found.exercise, found.format, found.problems) == ("alice", "demo", "py", ())
    assert found.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert [(cell.source, cell.first_line) for cell in found.cells] == [(TEXT, 1)]
    assert code_of(found).cells == ({"source": TEXT, "where": "demo.py", "filename": "demo.py", "first_line": 1},)


def test_a_percent_script_is_cut_at_its_parts(tmp_path: Path) -> None:
    text = "import torch\n# %% [markdown]\n# Text.\n\n# %%\nx = 1\n# %% title\ny = 2\n#%%\nz = 3\n # %% no\n"
    found = read_submission(put(tmp_path, "demo.py", text))
    assert [(cell.first_line, cell.source) for cell in found.cells] == [
        (1, "import torch\n"),
        (5, "# %%\nx = 1\n"),
        (7, "# %% title\ny = 2\n"),
        (9, "#%%\nz = 3\n # %% no\n"),
    ]


def test_code_under_a_markdown_mark_is_still_code(tmp_path: Path) -> None:
    found = read_submission(put(tmp_path, "demo.py", "# %% [markdown]\n# Text\nx = 1\n"))
    assert len(found.cells) == 1


def test_a_mark_inside_a_text_is_no_mark(tmp_path: Path) -> None:
    text = 'a = \'\'\'\n# %%\n\'\'\'  # don\'t\nb = "it\'s"\n# %%\nc = r"""\\"\n# %%\n"""\n'
    found = read_submission(put(tmp_path, "demo.py", text))
    assert [cell.first_line for cell in found.cells] == [1, 5]
    for cell in found.cells:
        compile(cell.source, "cell", "exec")


def test_a_text_that_never_ends_costs_its_own_part(tmp_path: Path) -> None:
    text = '# %%\ndef f():\n    """Unclosed\n    return 1\n# %%\ny = 2\n# %%\ndef g():\n    """Closed."""\n'
    found = read_submission(put(tmp_path, "demo.py", text))
    assert [cell.first_line for cell in found.cells] == [1, 5, 7]


LINES = st.sampled_from(
    [
        "# %%",
        "#%% [markdown]",
        "x = 1",
        "'''",
        '"""',
        "s = 'it\\'s'",
        "# don't",
        '"',
        "",
        "  y",
        "\\",
        "# %% '''",
    ]
)


@given(st.lists(LINES, max_size=25))
def test_no_line_is_lost_or_moved(lines: list[str]) -> None:
    from autograder.submissions.script import split_script

    for cell in split_script("\n".join(lines), "demo.py"):
        part = cell.source.split("\n")
        expected = lines[cell.first_line - 1 : cell.first_line - 1 + len(part)]
        assert part[:-1] == expected[: len(part) - 1]
        assert part[-1] in ("", expected[-1])


@given(st.lists(LINES, max_size=25))
def test_what_is_valid_python_stays_valid_in_parts(lines: list[str]) -> None:
    from autograder.submissions.script import split_script

    text = "\n".join(lines)
    try:
        compile(text, "whole", "exec")
    except SyntaxError:
        return
    for cell in split_script(text, "demo.py"):
        compile(cell.source, "part", "exec")


# --- encodings


@pytest.mark.parametrize(
    ("content", "text", "note"),
    [
        (TEXT.encode(), TEXT, None),
        (TEXT.encode("utf-8-sig"), TEXT, None),
        (TEXT.replace("\n", "\r\n").encode(), TEXT, None),
        (TEXT.replace("\n", "\r").encode(), TEXT, None),
        (TEXT.encode("utf-16"), TEXT, "utf-16"),
        (TEXT.encode("utf-16-be"), TEXT, "utf-16-be"),
        (TEXT.encode("utf-16-le"), TEXT, "utf-16-le"),
        (TEXT.encode("utf-32"), TEXT, "utf-32"),
        (TEXT.encode("latin-1"), TEXT, "Line 1 is not UTF-8"),
        (b"x = 1\n# \x81\n", "x = 1\n# \x81\n", "Line 2 is not UTF-8; the file was read as latin-1"),
        (b"# coding: latin-1\nx = '\xe9'\n", "# coding: latin-1\nx = 'é'\n", "iso8859-1"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n", None, "cp1252"),
        (b"x = 1\n# coding: cp437\ny = '\xc3\xa9'\n", "x = 1\n# coding: cp437\ny = 'é'\n", None),
        (b"# coding: rot13\nk = 1\n", "# coding: rot13\nk = 1\n", None),
        (b"# coding: no-such-thing\nk = 1\n", "# coding: no-such-thing\nk = 1\n", None),
        (b"\xef\xbb\xbf# \xe9\nx = 1\n", None, "Line 1 is not UTF-8"),
        ("s = 'a\u2028b'\x0c\n".encode(), "s = 'a\u2028b'\x0c\n", None),
    ],
    ids=range(17),
)
def test_every_encoding_gives_the_text(tmp_path: Path, content: bytes, text: str | None, note: str | None) -> None:
    found = read_submission(put(tmp_path, "demo.py", content))
    if text is not None:
        assert "".join(sources(found)) == text
    assert len(found.problems) == (note is not None)
    if note:
        assert note in found.problems[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (b"\xef\xbb\xbf\n", "empty"),
        (b"%PDF-1.7\n...", "PDF"),
        (b"PK\x03\x04....", "zip"),
        (b"\x7fELF\x02", "ELF"),
        (b"\x80\x04\x95....", "pickle"),
        (b"<!DOCTYPE html>\n<html><body>Log in</body></html>", "web page"),
        (b"\n <html lang='fr'>", "web page"),
        (b"x = 1\n" * 50 + b"y = '\x00'\n", "null bytes"),
        (bytes(range(256)) * 20, "binary"),
        (os.urandom(20_000).replace(b"\n", b""), "binary|another kind"),
    ],
    ids=range(12),
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    import re

    for name in ("demo.py", "demo.ipynb"):
        assert re.search(words, refused(put(tmp_path, name, content)))


def test_a_script_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "1.2 MB" in refused(put(tmp_path, "demo.py", "x = 1\n" * 200_000))
    monkeypatch.setattr(file_reader, "MAX_BYTES", 1_000)
    assert "too large" in refused(put(tmp_path, "demo.py", "#" * 1_001))
    assert read_submission(put(tmp_path, "demo.py", "x" + "#" * 999))


def test_comments_alone_are_read_and_noted(tmp_path: Path) -> None:
    found = read_submission(put(tmp_path, "demo.py", "# nothing\n"))
    assert found.cells == ()
    assert "no code" in found.problems[0]


# --- notebooks


def test_a_notebook_gives_its_code_cells(tmp_path: Path) -> None:
    text = book(
        {"cell_type": "markdown", "source": "# Title"},
        code("x = 1\r\ny = 2"),
        code(["a = 1\n", "b = 2"]),
        code("  \n"),
    )
    found = read_submission(put(tmp_path, "demo.ipynb", text))
    assert found.format == "ipynb"
    assert [(cell.index, cell.label, cell.source) for cell in found.cells] == [
        (2, "cell 1", "x = 1\ny = 2"),
        (3, "cell 2", "a = 1\nb = 2"),
    ]
    assert found.problems == ()
    assert [(cell["where"], cell["filename"], cell["first_line"]) for cell in code_of(found, "other").cells] == [
        ("cell 1", "other.ipynb, cell 1", 1),
        ("cell 2", "other.ipynb, cell 2", 1),
    ]


def test_cells_have_the_numbers_that_jupyter_shows(tmp_path: Path) -> None:
    """Those after "restart and run all", where empty cells and text have none; and others that it showed at last."""
    check = code("assert x")
    check["metadata"] = {"nbgrader": {"grade": True, "solution": False}}
    title = {"cell_type": "markdown", "source": "# Title"}
    cells = [code(""), title, code("x = 1"), check, code("y = 2"), code("z = 3")]
    for cell, shown in zip([cells[2], *cells[4:]], (1, 7, None), strict=True):
        cell["execution_count"] = shown
    found = read_submission(put(tmp_path, "demo.ipynb", book(*cells)))
    assert [cell.label for cell in found.cells] == ["cell 1", "cell 3 (In [7])", "cell 4"]


@pytest.mark.parametrize(
    "source",
    ["def f(x):\n    return x", "x = 1", "import torch", "from torch import nn", "ANSWERS = {\n    'a': 1}",
     "a.b[0] = 2", "Some words.\n\nclass A:\n    x = 1", "@decorated\ndef f(): # why\n    pass"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_code_in_a_cell_that_is_no_code_cell_is_named(tmp_path: Path, source: str, kind: str) -> None:
    name = "Markdown" if kind == "markdown" else "raw"
    cell = {"cell_type": kind, "source": source}
    found = read_submission(put(tmp_path, "demo.ipynb", book(cell, code("y = 2"), cell, code("z = 3"))))
    assert [cell.source for cell in found.cells] == ["y = 2", "z = 3"]
    assert [part.where for part in found.left_out] == [f"{name} cell at the top", f"{name} cell after cell 1"]
    assert "make it a code cell" in found.left_out[0].reason


@pytest.mark.parametrize(
    "source",
    ["# Title", "A line where x = 1 holds.", "- `x = 1`", "```python\nx = 1\ndef f():\n    pass\n```", "    x = 1",
     "From here on\nimport matters.", "$$\nx = 1\n$$\n", "class A is meant", "| a | b |\n|---|---|", ""],
)  # fmt: skip
def test_text_is_no_code(tmp_path: Path, source: str) -> None:
    text = book({"cell_type": "markdown", "source": source}, code("y = 2"))
    assert read_submission(put(tmp_path, "demo.ipynb", text)).left_out == ()


def test_no_statement_of_an_exercise_looks_like_code(tmp_path: Path) -> None:
    from autograder.authoring.notebook import to_notebook

    for solution in sorted(Path(__file__).parents[3].glob("solutions/*/*.py")):
        if solution.stem == solution.parent.name:
            text = to_notebook(solution.read_text(encoding="utf-8"), solution.stem)
            assert read_submission(put(tmp_path, "demo.ipynb", text)).left_out == ()


def test_a_notebook_of_format_3_is_read(tmp_path: Path) -> None:
    new = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1"), nbformat.v4.new_markdown_cell("t")])
    text = nbformat.writes(new, version=3)
    assert "worksheets" in text
    assert sources(read_submission(put(tmp_path, "demo.ipynb", text))) == ["x = 1"]


@pytest.mark.parametrize(
    ("text", "expected", "note"),
    [
        (
            book(code("x = 1"), code("y = 2")).replace('"metadata": {}', '"id": "same"'),
            ["x = 1", "y = 2"],
            None,
        ),
        (book(code("x = 1"), nbformat=3), ["x = 1"], None),
        (json.dumps({"cells": [{"cell_type": "code", "source": "x = 1"}]}), ["x = 1"], None),
        (book(code("x = 1"), 7, code(None), code(["a", 1]), "cell"), ["x = 1"], "2, 3, 4, 5"),
        (book(code("x = 1"), metadata=[1]), ["x = 1"], None),
        (book(code("x = 1"), metadata={"kernelspec": "python"}), ["x = 1"], None),
        (
            book(code("x <- 1"), metadata={"kernelspec": {"language": "R\u001b[1m"}}),
            ["x <- 1"],
            "language is R\\x1b",
        ),
        (book(code("x = '\ud800'")), ["x = '\ufffd'"], None),
        (book(), [], "no code cell"),
        (book({"cell_type": "markdown", "source": "only"}), [], "no code cell"),
        ("\ufeff" + book(code("x = 1")), ["x = 1"], None),
    ],
    ids=range(11),
)
def test_a_strange_notebook_gives_what_it_has(tmp_path: Path, text: str, expected: list[str], note: str | None) -> None:
    found = read_submission(put(tmp_path, "demo.ipynb", text))
    assert sources(found) == expected
    assert len(found.problems) == (note is not None)
    if note:
        assert note in found.problems[0]


WHOLE = book(code("x = 1"), code("y = 2"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WHOLE[:-1], "cut off"),
        (WHOLE[:40], "cut off"),
        (WHOLE[: WHOLE.index("x =") + 1], "cut off"),
        (WHOLE.replace("},", "}", 1), "line 1 is not valid JSON"),
        ("[1, 2]", "not a notebook"),
        ("{}", "not a notebook"),
        ('{"cells": {}}', "not a notebook"),
        ('{"worksheets": 3}', "not a notebook"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"cells": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"cells": [], "n": ' + "9" * 5_000 + "}", "damaged"),
        ("just words, no code", "not a notebook"),
    ],
    ids=range(12),
)
def test_a_broken_notebook_is_refused_with_the_reason(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(put(tmp_path, "demo.ipynb", text))


def test_sizes_of_notebooks_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {"cell_type": "code", "source": "x = 1", "outputs": [{"data": {"image/png": "A" * 3_000_000}}]}
    assert sources(read_submission(put(tmp_path, "demo.ipynb", book(outputs)))) == ["x = 1"]
    assert "1 MB of code" in refused(put(tmp_path, "demo.ipynb", book(*[code("x" * 600_000)] * 2)))
    assert "5001 cells" in refused(put(tmp_path, "demo.ipynb", book(*[code("x")] * 5_001)))
    monkeypatch.setattr(notebook_reader, "MAX_ITEMS", 1_000)
    assert "too complicated" in refused(put(tmp_path, "demo.ipynb", book(code("x = 1"), metadata=[0] * 1_000)))


# --- names that do not fit the content


def test_a_notebook_called_py_is_read_as_one(tmp_path: Path) -> None:
    found = read_submission(put(tmp_path, "demo.py", book(code("x = 1"))))
    assert found.format == "ipynb"
    assert sources(found) == ["x = 1"]
    assert "called .py but is a notebook" in found.problems[0]
    assert "cut off" in refused(put(tmp_path, "demo.py", book(code("x = 1"))[:-3]))


def test_a_script_called_ipynb_is_read_as_one(tmp_path: Path) -> None:
    found = read_submission(put(tmp_path, "demo.ipynb", "import torch\n# %%\nx = 1\n"))
    assert found.format == "py"
    assert len(found.cells) == 2
    assert "called .ipynb but is a script" in found.problems[0]


def test_a_script_that_begins_with_a_dict_is_a_script(tmp_path: Path) -> None:
    found = read_submission(put(tmp_path, "demo.py", '{"cells": 1}\nx = 1\n'))
    assert found.format == "py"


# --- the file system


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "secret.py"
    path.write_text("password = 1\n")
    return path


def test_a_link_is_not_followed(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "alice").mkdir()
    link = tmp_path / "alice" / "demo.py"
    link.symlink_to(outside)
    assert "link" in refused(link)


def test_a_linked_folder_below_the_base_is_not_followed(tmp_path: Path, outside: Path) -> None:
    real = tmp_path / "real" / "alice"
    real.mkdir(parents=True)
    (real / "demo.py").write_text("x = 1\n")
    base = tmp_path / "class"
    base.mkdir()
    (base / "alice").symlink_to(real)
    path = base / "alice" / "demo.py"
    assert read_submission(path)  # without a base the way there is the caller's
    with pytest.raises(SubmissionUnreadable, match="link"):
        read_submission(path, base=base)
    assert read_submission(real / "demo.py", base=tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "alice").mkdir()
    os.mkfifo(tmp_path / "alice" / "demo.py")
    assert "not an ordinary file" in refused(tmp_path / "alice" / "demo.py")


def test_folders_and_devices_are_refused(tmp_path: Path) -> None:
    (tmp_path / "alice" / "demo.py").mkdir(parents=True)
    assert "not an ordinary file" in refused(tmp_path / "alice" / "demo.py")
    with pytest.raises(SubmissionUnreadable, match="not an ordinary file"):
        read_submission(Path("/dev/zero"))


def test_a_hard_link_is_said(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "alice").mkdir()
    os.link(outside, tmp_path / "alice" / "demo.py")
    assert "hard link" in read_submission(tmp_path / "alice" / "demo.py").problems[0]


def test_what_we_cannot_open_is_not_the_students_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SubmissionUnreadable, match="No such file") as caught:
        read_submission(tmp_path / "nothing.py")
    assert caught.value.fault == "access"

    def refuse(*arguments: object, **named: object) -> int:
        raise PermissionError(13, "Permission denied")

    path = put(tmp_path, "demo.py", "x = 1\n")
    monkeypatch.setattr(os, "open", refuse)  # root may open anything
    with pytest.raises(SubmissionUnreadable, match="Permission denied") as caught:
        read_submission(path)
    assert (caught.value.fault, caught.value.sha256) == ("access", "")


def test_no_descriptor_stays_open(tmp_path: Path, outside: Path) -> None:
    put(tmp_path, "demo.py", "x = 1\n")
    (tmp_path / "alice" / "link.py").symlink_to(outside)
    before = len(os.listdir("/dev/fd"))
    for name in ("demo.py", "link.py", "nothing.py"):
        for base in (None, tmp_path):
            with contextlib.suppress(SubmissionUnreadable):
                read_submission(tmp_path / "alice" / name, base=base)
    assert len(os.listdir("/dev/fd")) == before


# --- anything at all


WORDS = st.sampled_from(["cells", "worksheets", "source", "input", "cell_type", "metadata", "kernelspec"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("code"),
    lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | JSON.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([".py", ".ipynb"]),
)
@example(b"\xff\xfe", ".py")
@example(b"\xff\xfe\x00\x00", ".py")
@example(b'{"cells": [{"cell_type": "code", "source": ["\\udc80"]}]}', ".ipynb")
def test_anything_is_read_or_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = put(tmp_path, f"demo{suffix}", content)
    refusal = None
    try:
        found = read_submission(path)
    except SubmissionUnreadable as unreadable:
        refusal = unreadable
    if refusal is not None:
        assert refusal.message
        assert refusal.fault == "content"
        assert refusal.sha256 == hashlib.sha256(content).hexdigest()
        return
    for cell in found.cells:
        cell.source.encode()  # can be sent on
        assert "\r" not in cell.source
    assert all(note.isprintable() for note in found.problems)


def test_student_code_is_never_compiled_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ast
    import builtins

    paths = [put(tmp_path, "demo.py", TEXT), put(tmp_path, "demo.ipynb", WHOLE)]

    def forbidden(*arguments: object, **named: object) -> None:
        raise AssertionError("student text was compiled in the trusted process")

    monkeypatch.setattr(builtins, "compile", forbidden)
    monkeypatch.setattr(ast, "parse", forbidden)
    monkeypatch.setattr(builtins, "exec", forbidden)
    monkeypatch.setattr(builtins, "eval", forbidden)
    for path in paths:
        assert read_submission(path).cells


def test_an_archive_called_py_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "demo.py", b"")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo.py", "x = 1")
    assert "zip" in refused(path)


def test_reading_a_hostile_script_takes_time_in_proportion() -> None:
    import time

    from autograder.submissions.script import split_script

    def seconds(text: str) -> float:
        begun = time.process_time()
        split_script(text, "demo.py")
        return time.process_time() - begun

    for unit in ("'''\n# %%\n'''\n", "# %%\nx\n", '"', "\\", "'''\\"):
        small, large = unit * (30_000 // len(unit)), unit * (900_000 // len(unit))
        # 30 times the text: about 30 times the time; quadratic work would take 900 times.
        assert seconds(large) < 200 * max(seconds(small), 1e-3)
