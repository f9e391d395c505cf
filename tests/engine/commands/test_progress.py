"""How long a command says it will take."""

from __future__ import annotations

import pytest

from autograder.commands import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_nothing_is_guessed_from_the_first(clock, capsys):
    """It takes the start of everything with it: 14 seconds, and the other 75 half a second each."""
    bar = progress.Progress("grading")
    clock[0] += 14
    bar.advance(76)
    assert capsys.readouterr().err == "grading: 1 of 76, 14 s, 4.3 per minute\n"
    for _one in range(25):
        clock[0] += 0.5
        bar.advance(76)
    assert capsys.readouterr().err == "grading: 21 of 76, 24 s, 52.5 per minute, 28 s to go\n"


def test_what_is_known_is_said_at_once(clock, capsys):
    bar = progress.Progress("grading")
    clock[0] += 14
    bar.advance(76, left=6.0)
    assert "6 s to go" in capsys.readouterr().err
    for _one in range(75):
        bar.advance(76, left=6.0)
    assert capsys.readouterr().err.endswith(", 0 s to go\n")
