"""A number that was a float32 tensor for a moment, as in `torch.sqrt(torch.tensor(2 * dt))`, costs nothing."""

from __future__ import annotations

import pytest

from tests.engine.authoring.test_missing import EXERCISES
from tests.engine.banks import NAMES


def lost(bank, exercise, names):
    known = bank(exercise)
    graded = {name: known.graded(known.with_single_numbers(), name, known.quick()) for name in names}
    return {
        (name, key): check.message
        for name, found in graded.items()
        for key, check in found.items()
        if check.outcome != "passed"
    }


def test_a_number_in_single_precision_costs_nothing(bank):
    assert lost(bank, "bridge_style", ("daniel",)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES)
def test_it_costs_nothing_in_any_exercise(bank, exercise):
    assert lost(bank, exercise, NAMES) == {}
