"""Libraries that a submission may not import: not found, left out and said, for `check` as for grading."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import pytest

from autograder.language import said, speaking
from autograder.worker.imports import Gate
from autograder.worker.loader import load


@pytest.fixture
def gate(monkeypatch):
    """A gate for NumPy alone; what has been imported is forgotten for the test."""
    for name in [name for name in sys.modules if name.split(".")[0] in ("sklearn", "tqdm")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Gate(sys.meta_path, ["numpy"])])


def test_a_library_that_is_not_among_them_is_not_found(gate):
    with pytest.raises(ModuleNotFoundError, match="sklearn"):
        importlib.import_module("sklearn.datasets")
    assert importlib.util.find_spec("sklearn") is None, "libraries ask so for what they can do without"
    assert importlib.util.find_spec("numpy") is not None
    assert importlib.util.find_spec("wave") is not None, "Python's own"
    importlib.invalidate_caches()


@pytest.mark.parametrize("text", ["import sklearn.datasets", "from sklearn.datasets import load_digits"])
def test_the_statement_is_left_out_and_said_in_both_languages(gate, text):
    cell = {"source": f"{text}\nx = 1\n", "where": "cell 2", "filename": "toy.py", "first_line": 1}
    module, [problem] = load("toy", [cell], set(), 10.0, lambda *at: None, ["numpy", "torch"])
    assert module.x == 1
    assert problem.message.startswith("`sklearn` cannot be imported here")
    assert "numpy, torch" in problem.message
    with speaking("fr"):
        assert said(problem.message).startswith("`sklearn` ne peut pas être importé")


def test_other_faults_of_an_import_are_what_they_were(gate):
    source = "import numpy.no_such_part\nraise ModuleNotFoundError('mine')\nfrom numpy import no_such_name\n"
    cell = {"source": source, "where": "cell 2", "filename": "toy.py", "first_line": 1}
    _module, problems = load("toy", [cell], set(), 10.0, lambda *at: None, ["numpy"])
    assert [p.message.split(":")[0] for p in problems] == ["ModuleNotFoundError", "ModuleNotFoundError", "ImportError"]
