"""What examples keep for the next judge: what follows from the exercise's files, and nothing that the time decided."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from msgspec import msgpack

from autograder.course import find_exercise
from autograder.course.config import load_config
from autograder.judge import remembered, right_code
from autograder.judge.arguments import Arguments
from autograder.judge.engine import Kit
from autograder.judge.outcomes import Ended, differ
from autograder.judge.recording import Made
from autograder.judge.remembered import call_of, plain
from autograder.judge.right_code import PublicCall, RightCode

FOUND = PublicCall("mean", "value", Arguments((Made("name", "mean", None, (torch.ones(1, 2),), {}),)))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "user_folder", lambda kind: tmp_path)
    return tmp_path / "examples"


@pytest.fixture
def next_judge(toy: Path, cache):
    exercise = find_exercise(load_config(toy / "grading_config.yaml"), "toy")
    return lambda: RightCode(cast("Kit", SimpleNamespace(exercise=exercise)))


def never():
    raise AssertionError("looked for again")


@pytest.mark.parametrize("found", [FOUND, None])
def test_what_was_found_is_known_to_the_next_judge(next_judge, found):
    first = next_judge()
    assert first.shown_by("wrong", "check", lambda: found) == found
    first.remembered.write()
    known = next_judge().shown_by("wrong", "check", never)
    assert (known and known.label) == (found and found.label)
    if known is not None:
        assert known.call.args[0].args[0].tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("value", [torch.tensor([1.5, 2.5]), {"loss": [0.5, 1.0], "z": (torch.ones(2), None)}])
def test_an_answer_is_known_to_the_next_judge(next_judge, monkeypatch, value):
    asked = []

    def answer(session, one, call):
        asked.append(call)
        return Ended(value, "")

    monkeypatch.setattr(right_code, "_outcome", answer)
    monkeypatch.setattr(RightCode, "sessions", (None,))
    first = next_judge()
    said = first.says(FOUND)
    first.remembered.write()
    again = next_judge().says(FOUND)
    assert len(asked) == 1
    assert not differ(again.ended.value, said.ended.value, 0.0)
    other = PublicCall("mean", "value", Arguments((Made("name", "mean", None, (torch.ones(1, 3),), {}),)))
    next_judge().says(other)
    assert len(asked) == 2


@pytest.mark.parametrize("value", [{"network": object()}, torch.ones(5000)], ids=["no data", "large"])
def test_what_is_no_small_data_is_asked_again(next_judge, monkeypatch, value):
    asked = []
    monkeypatch.setattr(right_code, "_outcome", lambda *call: asked.append(call) or Ended(value, ""))
    monkeypatch.setattr(RightCode, "sessions", (None,))
    for _judge in range(2):
        judge = next_judge()
        judge.says(FOUND)
        judge.remembered.write()
    assert len(asked) == 2


@pytest.mark.parametrize(("takes", "times"), [(0.0, 2), (1.0, 1)], ids=["soon", "long"])
def test_what_one_submission_led_to_is_kept_where_it_takes_long(next_judge, monkeypatch, takes, times):
    """Another will lead elsewhere, and there is no room for all that somebody could write."""
    asked, now = [], 0.0

    def answer(session, one, call):
        nonlocal now
        asked.append(call)
        now += takes
        return Ended(torch.ones(2), "")

    monkeypatch.setattr(right_code, "process_time", lambda: now)
    monkeypatch.setattr(right_code, "_outcome", answer)
    monkeypatch.setattr(RightCode, "sessions", (None,))
    for _judge in range(2):
        judge = next_judge()
        judge.says(FOUND, trying=True)
        judge.remembered.write()
    assert len(asked) == times


def test_no_more_is_kept_than_there_is_room_for(next_judge, monkeypatch):
    asked = []
    monkeypatch.setattr(right_code, "_outcome", lambda *call: asked.append(call) or Ended(torch.ones(2), ""))
    monkeypatch.setattr(RightCode, "sessions", (None,))
    monkeypatch.setattr(remembered, "ROOM", 10)
    judge = next_judge()
    assert judge.remembered.has_room
    judge.shown_by("wrong", "check", lambda: FOUND)
    judge.remembered.write()
    for last in (judge, next_judge()):
        assert not last.remembered.has_room
        last.says(FOUND)
        last.remembered.write()
    assert next_judge().shown_by("wrong", "check", never).label == FOUND.label
    assert len(asked) == 2


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "int64", "bool", "complex64"])
@pytest.mark.parametrize("shape", [(), (0, 2), (2, 3), (4, 5)])
def test_a_tensor_is_kept_as_it_is(dtype, shape):
    tensor = torch.tensor([[0.1, float("nan"), float("inf")], [0, 1, -2]]).nan_to_num(0.3, 7)
    tensor = (tensor if shape == (2, 3) else torch.full(shape, 0.1)).to(getattr(torch, dtype))
    again = call_of(msgpack.decode(msgpack.encode(plain(Arguments(([tensor, -0.0, float("inf")],)))))).args[0]
    assert (again[0].dtype, again[0].shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(again[0], tensor)
    assert again[1:] == [-0.0, float("inf")]


def test_a_large_tensor_of_one_number_takes_little_room():
    assert len(msgpack.encode(plain(Arguments((torch.ones(100, 784),))))) < 200
    signs = torch.tensor([0.0, -0.0])
    again = call_of(plain(Arguments((signs,)))).args[0]
    assert again.signbit().tolist() == [False, True]


def test_what_a_check_asks_is_known_to_the_next_judge(next_judge):
    other = replace(FOUND, asked="twice", types=True)
    first = next_judge()
    assert first.calls_of("check", 1, lambda: [FOUND, other]) == [FOUND, other]
    first.remembered.write()
    again = next_judge().calls_of("check", 1, never)
    assert [(one.label, one.asked, one.types) for one in again] == [("mean", "value", False), ("mean", "twice", True)]
    assert next_judge().calls_of("check", 2, list) == []


def test_what_several_judges_find_is_kept_together(next_judge):
    several = [next_judge() for _number in range(3)]
    for number, judge in enumerate(several):
        judge.shown_by(f"wrong {number}", "check", lambda: FOUND)
        judge.remembered.write()
    for number in range(3):
        assert next_judge().shown_by(f"wrong {number}", "check", never).label == FOUND.label


def test_a_judge_that_is_killed_while_it_writes_costs_what_it_wrote_alone(next_judge, cache):
    for name in ("first", "cut", "last"):
        judge = next_judge()
        judge.shown_by(name, "check", lambda: FOUND)
        judge.remembered.write()
        if name == "cut":
            (path,) = cache.iterdir()
            path.write_bytes(path.read_bytes()[:-9])
    assert next_judge().shown_by("first", "check", never).label == FOUND.label
    assert next_judge().shown_by("last", "check", never).label == FOUND.label
    assert next_judge().shown_by("cut", "check", lambda: None) is None


def test_what_is_no_plain_data_is_kept_by_nobody(next_judge, cache):
    judge = next_judge()
    judge.remembered["strange"] = object()
    judge.remembered["large"] = 2**70
    judge.remembered["plain"] = [1, "two", None]
    judge.remembered.write()
    known = next_judge().remembered
    assert known["plain"] == [1, "two", None]
    assert not {name for name in ("strange", "large") if name in known}


def test_a_broken_file_is_none_and_old_versions_go(next_judge, cache):
    cache.mkdir()
    for age in range(6):
        old = cache / f"toy-{age}.pt"
        old.write_bytes(b"broken")
        os.utime(old, (age, age))
    judge = next_judge()
    judge.shown_by("wrong", "check", lambda: None)
    judge.remembered.write()
    kept = sorted(path.name for path in cache.iterdir())
    assert len(kept) == remembered.VERSIONS_KEPT
    assert {"toy-3.pt", "toy-4.pt", "toy-5.pt"} < set(kept)
    new = next(path for path in cache.iterdir() if path.name not in {"toy-3.pt", "toy-4.pt", "toy-5.pt"})
    new.write_bytes(b"cut")
    assert next_judge().shown_by("wrong", "check", lambda: FOUND) is FOUND
