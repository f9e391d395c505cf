"""A warm parent that is killed while it starts is started again: that is nobody's mistake."""

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
            self.closed = False

        def start(self):
            started.append(self)
            if len(started) <= times:
                raise WarmParentDied("the warm parent did not come up")

        def close(self):
            self.closed = True

    return Parent, started


def test_it_is_started_again(toy, monkeypatch):
    parent, started = dying(2)
    monkeypatch.setattr(engine, "WarmParent", parent)
    one = Engine(load_config(toy / "grading_config.yaml"), b"a secret of the tests")
    one.start()
    one.start()
    assert [p.closed for p in started] == [True, True, False]


def test_it_is_not_tried_for_ever(toy, monkeypatch):
    parent, started = dying(99)
    monkeypatch.setattr(engine, "WarmParent", parent)
    one = Engine(load_config(toy / "grading_config.yaml"), b"a secret of the tests")
    with pytest.raises(WarmParentDied):
        one.start()
    assert len(started) == 3
    assert all(p.closed for p in started)
    with pytest.raises(WarmParentDied):
        one.start()
