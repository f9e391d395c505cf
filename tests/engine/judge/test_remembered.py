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
from autograder.judge import remembered
from autograder.judge.engine import Kit
from autograder.judge.public_calls import PublicCall, RightCode
from autograder.judge.recording import Made
from autograder.judge.shrink import Arguments

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
