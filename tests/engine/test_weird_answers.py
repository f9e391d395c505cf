"""Whatever a student's functions return, no hidden check of the course breaks: it fails, in the student's words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge
from autograder.course import find_exercise, load_config

ROOT = Path(__file__).parents[2]
COURSE = load_config(ROOT / "grading_config.yaml")
EXERCISES = [exercise.id for exercise in COURSE.finished]

ANSWERS = [
    "None", "'text'", "[1, 2]", "float('nan')", "float('inf')", "object()", "torch.zeros(0)", "-1", "True",
    "torch.full((4,), float('nan'))", "{'loss': [1.0], 'elbo': 'x', 'nll': None}", "torch.eye(3).to_sparse()",
    "10**400", "torch.ones(3, 3, 3)", "torch.ones(4, dtype=torch.complex64)", "(1, 2, 3)",
    "(torch.zeros(1), torch.zeros(1))", "np.ones((2, 2))", "a[0] if a else None", "a", "lambda *a, **k: None",
    "[[0.5, 0.5], [1.0]]", "torch.zeros(3, dtype=torch.bool)", "nn.Linear(2, 2)", "torch.tensor(1.0)", "[]", "{}", "()",
    "torch.ones(5, 2) * 1e308", "['a', None]", "{1: 2}", "torch.tensor([2**62])",
]  # fmt: skip

METHODS = """
class {name}(nn.Module):
    def __init__(self, *a, **k):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))
        self.latent_dim = 2
    def __getattr__(self, name):
        if name in ("_parameters", "_modules", "_buffers") or name.startswith("__"):
            return super().__getattr__(name)
        if name in self._parameters:
            return self._parameters[name]
        return lambda *a, **k: {answer}
    def forward(self, *a, **k):
        return {answer}
"""


@pytest.fixture(scope="module")
def judge():
    folders = [find_exercise(COURSE, name).hidden_folder for name in EXERCISES]
    with Judge(Order(COURSE.file, tuple(folders), b"a secret of the tests", uncalibrated=True)) as process:
        yield process


def submission(exercise: str, answer: str) -> str:
    contract = yaml.safe_load(find_exercise(COURSE, exercise).contract.read_text(encoding="utf-8"))
    source = "import numpy as np\nimport torch\nfrom torch import nn\n"
    for name in contract["names"]:
        name = name.split(".")[0]
        if name[0].isupper():
            source += METHODS.format(name=name, answer=answer)
        else:
            source += f"\n\ndef {name}(*a, **k):\n    return {answer}\n"
    return source + f"\n\nANSWERS = {answer.replace('a[0] if a else ', '') if answer != 'a' else 3}\n"


# Of many, which take minutes an exercise: in turn, one for each.
FEW = ("torch.full((4,), float('nan'))", "a[0] if a else None")


def hold(judge: Judge, exercise: str, answers) -> None:
    broken: dict[str, list[str]] = {}
    for answer in answers:
        cells = [{"source": submission(exercise, answer), "where": "x.py", "filename": "x.py", "first_line": 1}]
        result = judge.grade(Job(exercise, "ada", cells, 900)).to_json()
        for check in result["checks"]:
            if check["outcome"] == "error":
                broken.setdefault(f"{check['id']}: {check['message']}", []).append(answer)
        assert result["points"] <= 2, (answer, [c["id"] for c in result["checks"] if c["points"]])
    assert broken == {}


@pytest.mark.parametrize(("number", "exercise"), list(enumerate(EXERCISES)))
def test_no_answer_breaks_a_check(judge, number, exercise):
    hold(judge, exercise, [FEW[number % len(FEW)]])


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES)
def test_none_of_many_answers_breaks_a_check(judge, exercise):
    hold(judge, exercise, ANSWERS)
