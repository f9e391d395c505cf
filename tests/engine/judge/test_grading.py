"""What a submission gets: full marks for right work, its own losses and no others for wrong work."""

from __future__ import annotations

import pytest

from autograder.authoring.mistakes import read_mistakes
from autograder.authoring.overlay import apply_mistake
from autograder.authoring.personal import personalise
from autograder.course import find_exercise, load_config
from tests.engine.valid_results import validate


@pytest.fixture(scope="session")
def own_solution(toy, toy_solution):
    """The toy's solution with the questions of `ada`."""
    course = load_config(toy / "grading_config.yaml")
    return personalise(toy_solution, find_exercise(course, "toy"), "ada")


def outcomes(result):
    return {name: check["outcome"] for name, check in result["by_id"].items()}


def test_the_solution_gets_full_marks_and_a_valid_result(grade, own_solution):
    result = grade(own_solution)
    assert set(outcomes(result).values()) == {"passed"}
    assert result["points"] == result["max_points"] == 10
    assert result["outcome"] == "graded"
    del result["by_id"]
    validate(result)


def test_the_layers_in_force_are_in_the_result(grade, own_solution):
    isolation = grade(own_solution)["environment"]["isolation"]
    assert isolation["level"] in ("full", "reduced")
    assert "seccomp" in isolation["layers"]


def test_the_same_submission_gets_the_same_inputs_and_another_student_others(grade, own_solution):
    seen = [grade(own_solution, student=s)["by_id"]["sample_spread"]["measured"] for s in ("ada", "ada", "bob")]
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize(
    "how", ["from tqdm import tqdm", "from tqdm.auto import tqdm", "from rich.progress import track as tqdm"]
)
def test_a_progress_bar_costs_nothing(grade, own_solution, how):
    shown = f"""
{how}

_mean = mean

def mean(x):
    for _ in tqdm(range(300)):
        pass
    return _mean(x)
"""
    result = grade(own_solution + shown)
    assert set(outcomes(result).values()) == {"passed"}, result["loading"]
    assert result["loading"] == []
    assert result["incidents"] == []


def test_each_mistake_loses_its_own_points_and_is_named(grade, own_solution, toy):
    for mistake in read_mistakes(toy / "solutions/toy/mistakes.py"):
        result = grade(apply_mistake(own_solution, mistake))
        meant = result["by_id"][mistake.loses[0]]
        assert meant["outcome"] == "failed", mistake.id
        assert meant["diagnosis"] == mistake.id
        assert mistake.hint in meant["hint"]


def test_a_prerequisite_blocks_and_is_named(grade, own_solution):
    result = grade(own_solution + "\n\ndef mean(x):\n    return x.sum(1)\n")
    blocked = result["by_id"]["spread_value"]
    assert blocked["outcome"] == "blocked"
    assert "The mean of each row is right." in blocked["message"]
    assert blocked["points"] == 0
    assert blocked["measured"] == {}


def test_a_missing_function_costs_its_own_checks(grade, own_solution):
    result = grade(own_solution + "\n\ndel sample\n")
    lost = {name for name, outcome in outcomes(result).items() if outcome != "passed"}
    assert lost == {"sample_law", "sample_spread"}
    assert "`sample` is not defined" in result["by_id"]["sample_law"]["message"]


def test_an_endless_function_costs_its_own_checks(grade, own_solution):
    result = grade(own_solution + "\n\ndef mean(x):\n    while True:\n        pass\n", checks=["mean_value", "line"])
    assert outcomes(result) == {"mean_value": "failed", "line": "passed"}
    assert "did not end within" in result["by_id"]["mean_value"]["message"]
    assert result["incidents"][0]["kind"] == "timeout"


@pytest.mark.parametrize(
    "body",
    ["import os; os._exit(0)", "import sys; sys.exit(0)", "import ctypes; ctypes.string_at(0)", "raise SystemExit"],
)
def test_ending_the_process_gains_nothing(grade, own_solution, body):
    result = grade(own_solution + f"\n\ndef mean(x):\n    {body}\n")
    assert outcomes(result)["mean_value"] == "failed"
    assert outcomes(result)["line"] == "passed"


def test_what_could_not_be_loaded_is_told_with_its_line(grade):
    result = grade("import torch\nx = 1 / 0\n\ndef mean(x):\n    return x.mean(1)\n")
    assert [(p["line"], p["kind"]) for p in result["loading"]] == [(2, "exception")]
    assert outcomes(result)["mean_value"] == "passed"


def test_a_file_of_nothing_gets_nothing_and_no_fault(grade):
    result = grade("")
    assert result["points"] == 0
    assert result["outcome"] == "graded"
    assert set(outcomes(result).values()) <= {"failed", "blocked"}


WEIRD = [
    "None", "'text'", "[1, 2]", "float('nan')", "object()", "torch.zeros(0)", "torch.full((4,), float('nan'))",
    "x.numpy()", "lambda: 1", "{'a': 1}", "torch.eye(3).to_sparse()", "10**400", "torch.ones(3, 3, 3)",
    "torch.ones(4, dtype=torch.complex64)", "torch.zeros(1).expand(10**9)", "(1, 2, 3)", "{1, 2}", "b'bytes'", "x",
    "torch.tensor([True])", "type", "iter([])", "torch.nn.Linear(2, 2)",
]  # fmt: skip


@pytest.mark.parametrize("answer", WEIRD)
def test_no_answer_breaks_the_judge(grade, answer):
    source = f"""
import torch
def mean(x): return {answer}
def spread(x): return {answer}
def sample(n, generator=None):
    x = torch.zeros(n)
    return {answer}
class Line:
    def double(self): return self
    def __call__(self, x): return {answer}
ANSWERS = {{"mean": None}}
"""
    result = grade(source)
    assert "error" not in outcomes(result).values(), result["checks"]
    assert result["points"] == 0 or answer in ("x", "x.numpy()")  # the identity is a line


def test_other_containers_are_judged_by_their_values(grade, own_solution):
    for body in ("x.mean(1).tolist()", "x.mean(1).numpy()", "x.float().mean(1)"):
        result = grade(own_solution + f"\n\ndef mean(x):\n    return {body}\n", checks=["mean_value"])
        assert outcomes(result) == {"mean_value": "passed"}, body


def test_messages_say_kind_and_shape_and_no_value(grade, own_solution):
    result = grade(own_solution + "\n\ndef mean(x):\n    return x.mean(1, keepdim=True)\n", checks=["mean_value"])
    message = result["by_id"]["mean_value"]["message"]
    assert "expected shape" in message
    assert "1)" in message
    result = grade(own_solution + "\n\ndef mean(x):\n    return x.mean(1) + 1\n", checks=["mean_value"])
    assert not any(
        character.isdigit() and "." in word
        for word in result["by_id"]["mean_value"]["message"].replace("(10 %", "").split()
        for character in word
    )


def test_a_signature_that_differs_is_explained(grade, own_solution):
    result = grade(own_solution + "\n\ndef sample(n):\n    return torch.randn(n)\n", checks=["sample_law"])
    assert "sample(n, generator=None)" in result["by_id"]["sample_law"]["hint"]


def test_an_unwritten_function_is_called_unwritten(grade):
    result = grade("def mean(x):\n    raise NotImplementedError\n", checks=["mean_value"])
    assert "mean is not written yet" in result["by_id"]["mean_value"]["message"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return other(x)", "mean calls other, which is not written yet (NotImplementedError in your line 4 of"),
        ("import torch; return torch.nn.Module()(x)", "mean raised NotImplementedError: Module [Module] is missing"),
    ],
)
def test_what_is_not_written_is_named_and_what_is_only_not_there_is_not(grade, body, says):
    source = f"def mean(x):\n    {body}\ndef other(x):\n    raise NotImplementedError\n"
    assert says in grade(source, checks=["mean_value"])["by_id"]["mean_value"]["message"]


def test_the_quiz_is_personal(grade, own_solution):
    assert outcomes(grade(own_solution, student="ada"))["quiz_mean"] == "passed"
    assert outcomes(grade(own_solution, student="grace"))["quiz_mean"] == "failed"


def test_terminal_escapes_do_not_reach_the_result(grade):
    result = grade("def mean(x):\n    raise ValueError('\\x1b[2J\\u202e [red]gone[/red]')\n", checks=["mean_value"])
    message = result["by_id"]["mean_value"]["message"]
    assert "\x1b" not in message
    assert "\u202e" not in message
    assert "[red]" in message


def test_what_was_answered_to_the_quiz_is_kept_for_teachers(grade, own_solution):
    quiz = next(check for check in grade(own_solution, student="grace")["checks"] if check["id"] == "quiz_mean")
    assert quiz["outcome"] == "failed"
    assert list(quiz["measured"]) == ["answer"]
