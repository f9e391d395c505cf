"""A public name that is not written costs the checks that are about it, and a quarter of a point besides at most."""

from __future__ import annotations

import pytest

from tests.engine.banks import course

EXERCISES = [exercise.id for exercise in course().finished]


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_name_costs_its_own_checks(bank, exercise):
    known = bank(exercise)
    costs = {name: known.costs(name) for name in known.public}
    assert {name: found for name, found in costs.items() if found[0] > found[1] + 1e-9} == {}
    assert all(loss > 0 for loss, _most, _checks in costs.values()), costs
