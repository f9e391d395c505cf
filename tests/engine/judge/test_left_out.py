"""What of a file is not run: named in the result, and where a function is missing for it, said there."""

from __future__ import annotations

import pytest

from autograder.submissions.model import LeftOut

pytest.importorskip("IPython")

MEAN = "def mean(x):\n    return x.sum(1) / x.shape[1]\n"


def test_a_function_in_a_cell_that_is_left_out_is_not_only_missing(grade):
    result = grade(f"%%bash\n{MEAN}")
    (note,) = result["loading"]
    assert (note["where"], note["line"], note["kind"]) == ("toy.py", 1, "note")
    assert "%%bash" in note["message"]
    (message,) = {c["message"] for c in result["checks"] if "`mean` is not defined" in c["message"]}
    assert "process of its own" in message


def test_a_stub_whose_body_stands_in_a_cell_that_is_left_out_is_not_only_unwritten(grade):
    result = grade("def mean(x):\n    raise NotImplementedError\n\n\n# %%\n" + f"%%script python\n{MEAN}")
    assert not any("%%script" in c["message"] for c in result["checks"]), "it is no cell magic in the middle of a cell"
    source = "def mean(x):\n    raise NotImplementedError\n"
    stub = [{"source": source, "where": "toy.py", "filename": "toy.py", "first_line": 1}]
    part = LeftOut("cell 4", 1, "left out: why", ("mean",))
    checks = grade("", cells=stub, left_out=(part,))["checks"]
    messages = [c["message"] for c in checks if "not written" in c["message"]]
    assert messages
    assert all(message.endswith("cell 4: left out: why.") for message in messages)


def test_what_is_defined_elsewhere_has_another_reason(grade):
    result = grade("%%bash\ndef other(x):\n    return 1\n")
    messages = [c["message"] for c in result["checks"] if "`mean` is not defined" in c["message"]]
    assert messages
    assert not any("%%bash" in message for message in messages)


def test_what_jupyter_runs_is_graded(grade, toy_solution):
    """Timed, awaited, under a cell magic that runs it, in a file that nbconvert has written."""
    best = grade(toy_solution)["points"]
    lines = "%matplotlib inline\nfiles = !ls\nfor name in files: pass\n"
    awaited = "\nimport asyncio\nasync def w(x):\n    await asyncio.sleep(0.001)\n    return x\nmean = await w(mean)\n"
    for source in (
        f"%%time\n{lines}{toy_solution}",
        lines + toy_solution + awaited,
        f"x = 1\nget_ipython().run_cell_magic('capture', 'out', {lines + toy_solution!r})\n",
    ):
        result = grade(source)
        assert result["loading"] == []
        assert result["points"] == best > 0


def test_the_version_of_the_reader_is_in_the_result(grade):
    import IPython

    assert grade(MEAN)["environment"]["versions"]["ipython"] == IPython.__version__
    assert "ipython" not in grade(MEAN, reader="")["environment"]["versions"]
