"""A warm parent that is killed while it starts is not started again here: that is for whoever counts the tries."""

from __future__ import annotations

import pytest

from autograder.course import load_config
from autograder.judge import engine
from autograder.judge.engine import Engine
from autograder.sandbox import Isolation, WarmParentDied


def dying(times):
    """A warm parent of which the first so many are killed while they start."""
    started = []

    class Parent:
        isolation = Isolation("full", (), ())

        def __init__(self, **options):
            pass

        def start(self):
            started.append(self)
            if len(started) <= times:
                raise WarmParentDied("the warm parent did not come up")

    return Parent, started


def test_one_try_is_one_start_and_the_next_may_end_well(toy, monkeypatch):
    parent, started = dying(1)
    monkeypatch.setattr(engine, "WarmParent", parent)
    one = Engine(load_config(toy / "grading_config.yaml"), b"a secret of the tests")
    with pytest.raises(WarmParentDied):
        one.start()
    assert len(started) == 1
    one.start()
    one.start()
    assert len(started) == 2
