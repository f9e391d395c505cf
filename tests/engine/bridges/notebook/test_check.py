"""`autograder.check` in a live kernel and out of it: what was checked, how it reads, no markup of a student's in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from autograder.bridges.notebook import check
from autograder.bridges.notebook.history import cells_that_ran
from autograder.bridges.notebook.report import Report
from autograder.course import ConfigurationError
from autograder.language import language, speaking
from autograder.results.model import CheckResult, LoadingProblem, Result

nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

MEAN = "def mean(x):\n    return x.sum(1) / x.shape[1]"
WRONG = "def mean(x):\n    return x.sum(0)"


def shell_with(*cells: str) -> SimpleNamespace:
    """A shell whose history these cells are; the real one's first entry is empty."""
    history = SimpleNamespace(input_hist_raw=["", *cells], input_hist_parsed=["", *cells])
    return SimpleNamespace(history_manager=history)


def test_the_history_holds_what_the_session_holds():
    cells = cells_that_ran(
        shell_with(
            "import torch",
            WRONG,
            "x = 1",
            "import autograder",
            "autograder.check('toy')",
            "get_ipython().run_line_magic('autograder', 'toy')",
            "print(mean(torch.ones(2, 2)))",
            "def broken(:",
            MEAN + "\ny = 2",
        )
    )
    assert [(cell.label, cell.source) for cell in cells] == [
        ("In[1]", "import torch"),
        ("In[3]", "x = 1"),
        ("In[7]", "print(mean(torch.ones(2, 2)))"),
        ("In[9]", MEAN + "\ny = 2"),
    ]


def test_a_later_cell_that_defines_less_replaces_nothing():
    both = f"{MEAN}\n\ndef spread(x):\n    return x"
    assert [cell.label for cell in cells_that_ran(shell_with(both, MEAN))] == ["In[1]", "In[2]"]
    assert [cell.label for cell in cells_that_ran(shell_with("m.x = 1", "m = 2"))] == ["In[1]", "In[2]"]


def report() -> Report:
    checks = [
        CheckResult("a", "The first.", 0, 0, "passed", measured={"loss <i>": 0.25}),
        CheckResult("b", "The <script>second</script>.", 0, 0, "failed", "got <img src=x> from `mean`", "[bold]look"),
    ]
    loading = [LoadingProblem("In[2]", 1, "syntax", "<b>what</b>")]
    return Report(Result("you", "toy", 0, 0, "graded", checks, loading=loading), "Toy & more", "2 cells")


def test_a_report_keeps_the_language_in_which_it_was_made():
    with speaking("fr"):
        french = report()
    assert "1 test public réussi sur 2" in repr(french)
    assert "1 test public réussi sur 2" in french._repr_html_()
    form = CheckResult("quiz_n", "Quiz, n: an answer of the form that is asked for.", 0, 0, "passed", kind="quiz")
    with speaking("fr"):
        assert "Quiz, n : une réponse de la forme demandée." in Report(
            Result("you", "toy", 0, 0, "graded", [form]), "Toy", "2 cells"
        )._repr_html_().replace("\u00a0", " ")
    assert "public checks passed" in repr(report())
    assert language() == "en"


def test_the_table_in_html_has_no_markup_of_a_students():
    text = report()._repr_html_()
    for sign in ("<script", "<img", "<b>", "<i>"):
        assert sign not in text
    assert "&lt;script&gt;" in text
    assert "<code>mean</code>" in text
    assert "1 of 2 public checks passed" in text
    assert "0.25" in text
    # No colour of its own behind or in front of text: readable on dark and on light.
    assert "background:transparent" in text
    assert "color:inherit" in text
    assert "#fff" not in text
    assert "#000" not in text


def test_the_table_in_plain_text():
    text = repr(report())
    assert "[bold]look" in text
    assert "Checked: 2 cells." in text
    assert "\x1b" not in text
    assert not report()


def run_notebook(folder: Path, *cells: str) -> list[dict]:
    """The outputs of the last cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(folder)}})
    client.execute()
    return notebook.cells[-1].outputs


@pytest.fixture(scope="module")
def handout(toy, tmp_path_factory) -> Path:
    from autograder.authoring.bundle import write
    from autograder.course import load_config

    write(load_config(toy / "grading_config.yaml"))
    return toy / "exercises" / "en" / "toy"


def test_a_check_in_another_language_changes_nothing_that_comes_after_it(handout, tmp_path):
    file = tmp_path / "toy.py"
    file.write_text(MEAN)
    french = check("toy", file=file, course=handout, language="fr")
    assert language() == "en"
    english = check("toy", file=file, course=handout)
    assert "1 test public réussi sur 1." in repr(french)
    assert "1 of 1 public checks passed." in repr(english)
    assert "1 test public réussi sur 1." in repr(french)


@pytest.mark.filterwarnings("ignore")  # of the kernel's client, about event loops
def test_a_live_notebook_is_checked_as_it_is_on_the_screen(handout):
    (handout / "toy.ipynb").write_text("nothing that could be read: the saved file is not looked at")
    (output,) = run_notebook(handout, WRONG, "import autograder", MEAN, "autograder.check('toy', 'mean')")
    assert output.output_type == "execute_result"
    assert "1 of 1 public checks passed" in output.data["text/html"]
    assert "1 cell that you ran in this session" in output.data["text/plain"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_magic_shows_the_same(handout):
    (output,) = run_notebook(handout, WRONG, "%load_ext autograder", "%autograder toy")
    assert "0 of 1 public checks passed" in output.data["text/html"]
    assert "Traceback" not in str(output)
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="did you mean"):
        run_notebook(handout, MEAN, "%load_ext autograder", "%autograder tyo")


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=folder, capture_output=True, text=True, timeout=240,
        env=dict(os.environ),
    )  # fmt: skip


def test_outside_a_notebook_the_file_is_checked(handout):
    (handout / "toy.ipynb").unlink(missing_ok=True)
    (handout / "toy.py").write_text(MEAN)
    ran = python("import autograder; print(repr(autograder.check('toy')))", handout)
    assert "1 of 1 public checks passed" in ran.stdout, ran.stderr
    assert "the saved file" in ran.stdout


def test_a_submission_that_checks_itself_is_graded_all_the_same(grade, toy_solution):
    checks_itself = (
        "import autograder\nautograder.check('toy', 'mean')\n%load_ext autograder\n%autograder toy\n"
        "report = autograder.check('toy')\n"
        "if not report:\n    print(report, f'{report.passed:d}', report.result.checks[0].message)\n"
    )
    result = grade(checks_itself + toy_solution)
    assert result["loading"] == []
    assert result["points"] == grade(toy_solution)["points"] > 0


def test_importing_the_package_is_light(tmp_path):
    heavy = ("torch", "numpy", "IPython", "jsonschema", "yaml", "rich")
    ran = python(f"import sys, autograder; print([m for m in {heavy!r} if m in sys.modules])", tmp_path)
    assert ran.stdout.strip() == "[]"


def test_every_word_has_the_notebooks_own_colour():
    """No colour can be read on a light notebook and on a dark one; signs and bars say what the colours say."""
    html = report()._repr_html_()
    assert {colour.strip() for colour in re.findall(r"[;\"]color:([^;\"]*)", html)} == {"inherit"}
    assert "border-left:.3em solid" in html


def test_an_error_is_a_line_in_ipython_and_no_traceback(handout):
    with pytest.raises(ConfigurationError, match="did you mean 'toy'") as caught:
        check("tooy", course=handout)
    assert caught.value._render_traceback_() == [f"ConfigurationError: {caught.value}"]
    with pytest.raises(ConfigurationError, match="no public check calls maen; did you mean 'mean'"):
        check("toy", "maen", file=handout / "toy.py", course=handout)
