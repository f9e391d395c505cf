"""Mistakes in networks and trainings are named whatever was written, and right ones are never taken for a mistake."""

from __future__ import annotations

import pytest

from autograder.authoring.losses import read_bank
from tests.engine.own_trainings import TRAININGS
from tests.engine.own_weights import VARIANTS, variant, with_own_weights

EXERCISES = sorted(VARIANTS)
WRITTEN_DIFFERENTLY = [
    pytest.param(exercise, *entry, marks=[pytest.mark.slow] if k else [], id=f"{exercise}-{entry[0]}-{k}")
    for exercise in EXERCISES
    for k, entry in enumerate(VARIANTS[exercise] + TRAININGS[exercise])
]


@pytest.mark.parametrize(("exercise", "mistake", "alternative", "old", "new"), WRITTEN_DIFFERENTLY)
def test_a_mistake_in_code_written_differently_is_named(bank, exercise, mistake, alternative, old, new):
    known = bank(exercise)
    check = next(m.check for m in read_bank(known.exercise) if m.id == mistake)
    source = next(p for p in known.exercise.alternatives if p.stem == alternative).read_text(encoding="utf-8")
    found = known.graded(variant(source, old, new), checks=(check,))[check]
    assert (found.outcome, found.diagnosis) == ("failed", mistake), found.message


@pytest.mark.parametrize("exercise", EXERCISES)
def test_right_code_with_other_weights_keeps_full_marks(bank, exercise):
    known = bank(exercise)
    found = known.graded(with_own_weights(known.solution), checks=known.quick())
    assert {key: check.message for key, check in found.items() if check.outcome != "passed"} == {}


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_mistake_is_named_with_other_weights(bank, exercise):
    unnamed = bank(exercise).unnamed()
    assert unnamed == {}, {key: check.message for key, check in unnamed.items()}
