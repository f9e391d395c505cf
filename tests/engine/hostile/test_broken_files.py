# ruff: noqa: E501 - a table of files: a line each, where it can be
"""Broken, not hostile: each file has a stated outcome and says what is wrong, in one `autograder grade` of all.

`docs/reference/broken-files.md` is this table for readers. More kinds of files, each for itself: `../submissions/test_reader.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.results.files import read_result
from tests.engine.valid_results import validate

FULL = 9.0  # the quiz is another student's
ANSI = "\x1b]0;owned\x07\x1b[2J"


@dataclass(frozen=True)
class File:
    """A file of the class: what it is called, what is in it, what it must get, and words that its result must hold."""

    content: Callable[[str], bytes]
    points: float = FULL
    outcome: str = "graded"
    words: str = ""
    name: str = "toy.py"
    loses: frozenset[str] = frozenset({"quiz_mean"})


def text(change: Callable[[str], str], encoding: str = "utf-8") -> Callable[[str], bytes]:
    return lambda source: change(source).encode(encoding)


def notebook(**changes: object) -> Callable[[str], bytes]:
    def write(source: str) -> bytes:
        cells = [{"cell_type": "code", "source": source, "outputs": [], "metadata": {}, "execution_count": None}]
        return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | changes).encode()

    return write


def added(code: str) -> Callable[[str], bytes]:
    return text(lambda source: f"{source}\n\n{code}\n")


def outputs(source: str) -> bytes:
    output = {"output_type": "stream", "name": "stdout", "text": "x" * 8_000_000}
    cell = {"cell_type": "code", "source": source, "outputs": [output], "metadata": {}}
    return notebook(cells=[cell])(source)


def format_3(source: str) -> bytes:
    cell = {"cell_type": "code", "input": source.splitlines(True), "language": "python", "outputs": []}
    return json.dumps({"worksheets": [{"cells": [cell]}], "metadata": {}, "nbformat": 3}).encode()


def twice(source: str) -> bytes:
    cell = {"cell_type": "code", "id": "same", "source": source, "outputs": [], "metadata": {}}
    return notebook(cells=[cell, cell])(source)


FILES = {
    # --- encodings and spelling -----------------------------------------------------------------------------------
    "utf16": File(text(str, "utf-16"), words="utf-16"),
    "utf16-without-mark": File(text(str, "utf-16-le"), words="utf-16"),
    "mark": File(text(str, "utf-8-sig")),
    "latin1": File(text(lambda s: s + "\n# écrit à Évry\n", "latin-1"), words="is not UTF-8"),
    "null-bytes": File(text(lambda s: s[:200] + "\0" + s[200:]), 0, "handed_in_not_gradable", "null bytes"),
    "line-ends": File(text(lambda s: s.replace("\n", "\r\n"))),
    "old-line-ends": File(text(lambda s: s.replace("\n", "\r"))),
    "tabs": File(text(lambda s: s.replace("    ", "\t"))),
    "tabs-and-spaces": File(
        added("def mean(x):\n\tif x.ndim != 2:\n        raise ValueError\n\treturn x.mean(1)"), words="TabError"
    ),
    "no-line-end": File(text(lambda s: s.rstrip("\n"))),
    "python-2": File(added('print "hello"\nexec "x = 1"'), words="Missing parentheses"),
    "merge-conflict": File(added("<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> main"), words="invalid syntax"),
    "typographic-quotes": File(added("name = “toy”"), words="invalid character"),
    "unclosed": File(added("values = [1, 2"), words="never closed"),
    # --- notebooks ------------------------------------------------------------------------------------------------
    "notebook": File(notebook(), name="toy.ipynb"),
    "no-kernel": File(notebook(metadata={"language_info": {}}), name="toy.ipynb"),
    "other-kernel": File(notebook(metadata={"kernelspec": {"language": "R"}}), words="language is R", name="toy.ipynb"),
    "format-3": File(format_3, name="toy.ipynb"),
    "large-outputs": File(outputs, name="toy.ipynb"),
    "same-ids": File(twice, name="toy.ipynb"),
    "cut-off": File(lambda s: notebook()(s)[:-400], 0, "handed_in_not_gradable", "cut off", name="toy.ipynb"),
    "page": File(text(lambda s: "<!DOCTYPE html><html></html>"), 0, "handed_in_not_gradable", "web page", name="toy.ipynb"),
    "no-notebook": File(text(lambda s: "{}"), 0, "handed_in_not_gradable", "no cells", name="toy.ipynb"),
    "script-as-notebook": File(text(str), words="called .ipynb but is a script", name="toy.ipynb"),
    "notebook-as-script": File(notebook(), words="called .py but is a notebook"),
    "broken-cell": File(
        lambda s: notebook(
            cells=[{"cell_type": "code", "source": text, "outputs": [], "metadata": {}} for text in ("print 'a'", s, "Oops!")]
        )(s),
        words="Missing parentheses", name="toy.ipynb",
    ),
    "magics": File(text(lambda s: "%matplotlib inline\n!pip install torch\n" + s)),
    # --- other kinds ----------------------------------------------------------------------------------------------
    "pdf": File(lambda s: b"%PDF-1.7\n" + bytes(range(256)) * 9, 0, "handed_in_not_gradable", "PDF"),
    "zip": File(lambda s: b"PK\x03\x04" + bytes(99), 0, "handed_in_not_gradable", "zip"),
    "empty": File(lambda s: b"", 0, "handed_in_not_gradable", "empty"),
    "blank": File(lambda s: b"\n \n\n", 0, "handed_in_not_gradable", "empty"),
    "comments": File(
        text(lambda s: "# TODO\n"), 0, words="no code",
        loses=frozenset({"mean_value", "mean_refuses", "spread_value", "line", "sample_law", "sample_spread", "quiz_mean"}),
    ),
    "essay": File(
        text(lambda s: "The mean is the sum divided by n.\n" * 20), 0, words="invalid syntax",
        loses=frozenset({"mean_value", "mean_refuses", "spread_value", "line", "sample_law", "sample_spread", "quiz_mean"}),
    ),
    # --- names ----------------------------------------------------------------------------------------------------
    "wrong-case": File(text(str), name="Toy.PY", words="it was taken for toy"),
    "spaces": File(text(str), name="toy (2).py", words="it was taken for toy"),
    "text-suffix": File(text(str), name="toy.py.txt", words="it was taken for toy"),
    "Zoé Müller-Ångström 🌊": File(text(str), name="toy – copie.py", words="it was taken for toy"),
    "O'Neil; rm -rf $(HOME)": File(text(str)),
    "=cmd|'C calc'!A0": File(text(str)),
    # --- functions ------------------------------------------------------------------------------------------------
    "missing-function": File(
        added("del sample"), 7, words="`sample` is not defined", loses=frozenset({"sample_law", "sample_spread", "quiz_mean"})
    ),
    "wrong-parameters": File(
        added("def sample(size, rng=None):\n    return torch.randn(size, generator=rng)"), 7,
        words="sample(n, generator=None)", loses=frozenset({"sample_law", "sample_spread", "quiz_mean"}),
    ),
    "other-order": File(
        added("def sample(generator=None, n=10):\n    return torch.randn(n, generator=generator)"), 7,
        words="sample", loses=frozenset({"sample_law", "sample_spread", "quiz_mean"}),
    ),
    "method-for-function": File(
        added("class Tools:\n    def mean(self, x):\n        return x.mean(1)\n\n\nmean = Tools.mean"), 4,
        words="missing 1 required positional argument", loses=frozenset({"mean_value", "mean_refuses", "spread_value", "quiz_mean"}),
    ),
    "bound-method": File(
        added("class Tools:\n    def spread(self, x):\n        return x.var(1, unbiased=False)\n\n\nspread = Tools().spread")
    ),
    "variable-for-function": File(
        added("spread = spread(torch.ones(2, 3))"), 7, words="`spread` should be a function",
        loses=frozenset({"spread_value", "quiz_mean"}),
    ),
    "unwritten": File(
        added("def spread(x):\n    # YOUR CODE HERE\n    raise NotImplementedError('spread is not written yet')"), 7,
        words="not written yet", loses=frozenset({"spread_value", "quiz_mean"}),
    ),
    "forgotten-return": File(
        added("def spread(x):\n    x.var(1)"), 7, words="got None", loses=frozenset({"spread_value", "quiz_mean"})
    ),
    # --- results --------------------------------------------------------------------------------------------------
    "numpy": File(added("_spread = spread\ndef spread(x): return _spread(x).numpy()")),
    "lists": File(added("_spread = spread\ndef spread(x): return _spread(x).tolist()")),
    "tuple-of-numbers": File(added("_spread = spread\ndef spread(x): return tuple(float(v) for v in _spread(x))")),
    "float32": File(added("_spread = spread\ndef spread(x): return _spread(x.float())")),
    "extra-dimension": File(
        added("_spread = spread\ndef spread(x): return _spread(x)[None]"), 7, words="extra dimension of size 1",
        loses=frozenset({"spread_value", "quiz_mean"}),
    ),
    "graph-attached": File(added("_spread = spread\ndef spread(x): return _spread(x.requires_grad_())")),
    # --- what it does when it is read -----------------------------------------------------------------------------
    "prints": File(added("for _n in range(50_000): print('x' * 1000)")),
    "asks": File(added("name = input('Your name? ')"), words="nobody to ask"),
    "shows": File(added("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nplt.savefig('figure.png')")),
    "missing-package": File(added("import no_such_package"), words="`no_such_package` cannot be imported here"),
    "missing-data": File(added("data = open('data/mnist.csv').read()"), words="data/mnist.csv"),
    "many-names": File(text(lambda s: "for _n in range(5000): globals()[f'v{_n}'] = 1\n" + s)),
    "main-block": File(added("if __name__ == '__main__':\n    raise SystemExit(1)")),
    "own-tests": File(added("def test_mean():\n    assert False\n\n\nassert mean(torch.zeros(1, 2))[0] == 1"), words="AssertionError"),
}  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory, quick_toy, toy_solution):
    base = tmp_path_factory.mktemp("broken")
    for student, file in FILES.items():
        folder = base / "class" / student
        folder.mkdir(parents=True)
        (folder / file.name).write_bytes(file.content(toy_solution))
    both = base / "class" / "two-files"
    both.mkdir()
    (both / "toy.py").write_text(
        toy_solution.replace("return x.sum(1) / x.shape[1]", "raise NotImplementedError('mean is not written yet')")
    )
    (both / "toy.ipynb").write_bytes(notebook()(toy_solution))
    strange = base / "class" / "strange-names"
    strange.mkdir()
    (strange / f"toy{ANSI}.py").write_text(toy_solution)
    (strange / os.fsdecode(b"toy\xff\xfe.py")).write_text(toy_solution)
    (base / "class" / f"mallory{ANSI}").mkdir()
    command = [sys.executable, "-m", "autograder.commands.main", "grade", str(base / "class"), "--out", str(base / "out"),
               "--course", str(quick_toy), "--workers", "1"]  # fmt: skip
    environment = {"PATH": "/usr/bin:/bin", "AUTOGRADER_SECRET": "a secret of the tests", "HOME": str(base)}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    return base / "out", ran


def result_of(out: Path, student: str):
    import unicodedata

    return read_result(out / "results" / unicodedata.normalize("NFC", student) / "toy.json")


@pytest.mark.parametrize("student", FILES)
def test_a_broken_file_gets_what_is_stated(graded, student):
    out, _ran = graded
    file = FILES[student]
    result = result_of(out, student)
    validate(result.to_json())
    lost = {check.id for check in result.checks if check.outcome != "passed"}
    said = "\n".join(
        [
            result.message,
            *result.notes,
            *(p.message for p in result.loading),
            *(c.message + c.hint for c in result.checks),
        ]
    )
    assert (result.outcome, result.points) == (file.outcome, file.points), said
    assert lost == (file.loses if file.outcome == "graded" else set()), said
    assert file.words in said, said


def test_of_two_files_the_more_written_one_is_graded(graded):
    out, _ = graded
    result = result_of(out, "two-files")
    assert result.points == FULL
    assert "fewer parts left to write" in result.notes[0]


def test_the_batch_ends_well_and_lists_the_rest(graded):
    out, ran = graded
    assert ran.returncode == 3, ran.stderr
    assert "need a person" in ran.stdout.splitlines()[-1]
    assert "control characters" in ran.stdout
    assert "Traceback" not in ran.stderr
    assert (out / "grades.csv").is_file()


def test_no_name_reaches_the_terminal_as_a_command(graded):
    _, ran = graded
    assert "\x1b" not in ran.stdout + ran.stderr
    assert "\x07" not in ran.stdout + ran.stderr
    assert "\\x1b]0;owned" in ran.stdout, "it is shown, spelt out"
    assert "\\udcff" in ran.stdout
