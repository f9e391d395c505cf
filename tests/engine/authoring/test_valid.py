"""Valid solutions drawn at random from what a contract leaves free keep full marks, whoever hands them in."""

from __future__ import annotations

import pytest

from tests.engine.banks import NAMES, ROOT

DRAWN = 40
EXERCISES = sorted(path.stem for path in (ROOT / "tests" / "valid").glob("*.py"))


def lost(found):
    return {key: check.message for key, check in found.items() if check.outcome != "passed"}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_generator_draws_different_files(bank, exercise):
    known = bank(exercise)
    drawn = [known.drawn(seed) for seed in range(6)]
    assert len(set(drawn)) == 6
    assert drawn == [known.drawn(seed) for seed in range(6)]
    for source in drawn:
        compile(source, exercise, "exec")


@pytest.mark.parametrize("exercise", EXERCISES[:1])
def test_a_valid_solution_loses_nothing_outside_trainings(bank, exercise):
    known = bank(exercise)
    assert lost(known.graded(known.drawn(0), checks=known.quick())) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(DRAWN))
@pytest.mark.parametrize("exercise", EXERCISES)
def test_valid_solutions_lose_nothing(bank, exercise, seed):
    known = bank(exercise)
    source = known.drawn(seed)
    assert lost(known.graded(source, NAMES[0])) == {}
    for student in NAMES[1:]:
        assert lost(known.graded(source, student, known.quick())) == {}, student
