"""Right answers, a few of them mangled: whichever reply of whichever check it is, no check ends as a fault of ours.

The submission is the reference solution with code below it that takes hold of the worker's own table of handlers. One
reply in eight is something else, by a seed. Trainings are left out: their replies are of the same kinds, and slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge
from autograder.course import find_exercise, load_config
from autograder.judge.engine import Engine

COURSE = load_config(Path(__file__).parents[3] / "grading_config.yaml")
SECRET = b"a secret of the tests"
SEEDS = range(12)

MANGLE = """
import random as _random
from autograder.worker.dispatcher import _HANDLERS

_dice = _random.Random({seed})


def _other(value):
    kinds = [None, 1, True, -1.5, 1e160, float("nan"), 10**400, "text", [], {{}}, (), [1, "a"], [value], (value, value),
             {{"loss": value}}, object(), torch.zeros(0), torch.tensor(2**62), torch.full((2, 2), 1e160).double(),
             torch.zeros((), dtype=torch.complex64)]
    if isinstance(value, torch.Tensor):
        kinds += [value.long(), value.bool(), value[None], value.reshape(-1)[:1], value.tolist(), value.float() * 1e30,
                  value.double() * 1e160, value.double() * float("nan"), value.new_zeros(value.shape), value + 1j]
    if isinstance(value, (int, float)):
        kinds += [str(value), [value], torch.tensor(value), value * 1e160, int(value) if value == value else 0]
    if isinstance(value, (list, tuple)) and value:
        kinds += [value[:-1], list(value) + [None], value[0], {{str(i): v for i, v in enumerate(value)}}]
    if isinstance(value, dict):
        kinds += [list(value.values()), {{key: None for key in value}}, {{key: [item] for key, item in value.items()}}]
    return _dice.choice(kinds)


def _mangling(handler):
    def handle(dispatcher, **fields):
        kind, value = handler(dispatcher, **fields)
        return kind, (_other(value) if kind == "value" and _dice.random() < 0.125 else value)
    return handle


for _kind in ("call", "probe", "get"):
    _HANDLERS[_kind] = _mangling(_HANDLERS[_kind])
"""


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    folders = tuple(find_exercise(COURSE, exercise.id).hidden_folder for exercise in COURSE.exercises)
    with Judge(Order(COURSE.file, folders, SECRET, uncalibrated=True)) as process:
        yield process


def held(judge: Judge, exercise: str, seed: int) -> None:
    (cell,) = Engine(COURSE, SECRET).reference_cells(exercise, "ada")
    cell["source"] += MANGLE.format(seed=seed)
    quick = tuple(worth.id for worth in judge.checks[exercise] if not worth.id.startswith(("train", "quiz")))
    result = judge.grade(Job(exercise, "ada", (cell,), 1500, checks=quick, salt=str(seed)))
    broken = [f"{check.id}: {check.message}" for check in result.checks if check.outcome == "error"]
    assert broken == []
    assert result.outcome == "graded"
    assert any(check.outcome == "failed" for check in result.checks), "nothing was mangled"


@pytest.mark.parametrize("exercise", ["markov_quiz"])
def test_a_mangled_reply_breaks_no_check(judge, exercise):
    held(judge, exercise, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise", [exercise.id for exercise in COURSE.exercises])
def test_no_mangled_reply_breaks_a_check(judge, exercise, seed):
    held(judge, exercise, seed)
