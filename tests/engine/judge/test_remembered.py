"""What examples keep for the next judge: what follows from the exercise's files, and nothing that the time decided."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch

from autograder.course import find_exercise
from autograder.course.config import load_config
from autograder.judge import public_calls, remembered
from autograder.judge.arguments import Arguments
from autograder.judge.engine import Kit
from autograder.judge.outcomes import Ended, differ
from autograder.judge.public_calls import PublicCall, RightCode
from autograder.judge.recording import Made

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
def test_an_answer_that_takes_long_is_known_to_the_next_judge(next_judge, monkeypatch, value):
    asked = []

    def answer(session, one, call):
        asked.append(call)
        return Ended(value, "")

    monkeypatch.setattr(public_calls, "WORTH_KEEPING", -1.0)
    monkeypatch.setattr(public_calls, "_outcome", answer)
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


@pytest.mark.parametrize(
    ("value", "worth"), [({"network": object()}, -1.0), (torch.ones(5000), -1.0), (torch.ones(2), 60.0)],
    ids=["no data", "large", "soon answered"],
)  # fmt: skip
def test_what_is_no_small_data_or_soon_answered_is_asked_again(next_judge, monkeypatch, value, worth):
    asked = []
    monkeypatch.setattr(public_calls, "_outcome", lambda *call: asked.append(call) or Ended(value, ""))
    monkeypatch.setattr(public_calls, "WORTH_KEEPING", worth)
    monkeypatch.setattr(RightCode, "sessions", (None,))
    for _judge in range(2):
        judge = next_judge()
        judge.says(FOUND)
        judge.remembered.write()
    assert len(asked) == 2


def test_no_more_is_kept_than_there_is_room_for(next_judge, monkeypatch):
    monkeypatch.setattr(public_calls, "_outcome", lambda *call: Ended(torch.ones(2), ""))
    monkeypatch.setattr(public_calls, "WORTH_KEEPING", -1.0)
    monkeypatch.setattr(RightCode, "sessions", (None,))
    monkeypatch.setattr(remembered, "MOST_FACTS", 1)
    judge = next_judge()
    judge.shown_by("wrong", "check", lambda: FOUND)
    judge.says(FOUND)
    assert not judge.remembered.has_room
    assert list(judge.remembered._facts) == ["wrong in check"]


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
