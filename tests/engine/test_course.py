"""The course's own invariants, read from its files: nothing missing, nothing stale, nothing leaking."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.authoring.bundle import check_up_to_date
from autograder.authoring.losses import read_bank
from autograder.batch.declarations import declared_checks, markdown, read_coverage, wrong_declarations
from autograder.course import find_exercise, load_config
from autograder.course.calibration import read_calibration
from autograder.judge.check import CheckInfo

ROOT = Path(__file__).parents[2]
COURSE = load_config(ROOT / "grading_config.yaml")
EXERCISES = [exercise.id for exercise in COURSE.finished]


def checks_of(exercise) -> dict[str, CheckInfo]:
    """Declared checks by id."""
    return {check.info.id: check.info for check in declared_checks(exercise)}


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_is_complete(name):
    assert find_exercise(COURSE, name).missing() == ()


@pytest.mark.parametrize("name", EXERCISES)
def test_nothing_wrong_is_declared(name):
    assert wrong_declarations(COURSE, find_exercise(COURSE, name)) == []


@pytest.mark.parametrize("name", EXERCISES)
def test_the_quiz_earns_little(name):
    checks = checks_of(find_exercise(COURSE, name))
    assert 1 <= sum(check.points for check in checks.values() if check.kind == "quiz") <= 3
    assert all((check.kind == "quiz") == ("quiz" in key) for key, check in checks.items())


@pytest.mark.parametrize("name", EXERCISES)
def test_no_check_depends_on_the_quiz(name):
    for key, check in checks_of(find_exercise(COURSE, name)).items():
        assert not any("quiz" in required for required in check.requires), key


@pytest.mark.parametrize("name", EXERCISES)
def test_the_bank_is_no_handful_and_its_losses_are_known(name):
    bank = read_bank(find_exercise(COURSE, name))
    assert len(bank) >= 12
    checks = checks_of(find_exercise(COURSE, name))
    for mistake in bank:
        assert set(mistake.losses) <= set(checks) - {mistake.check}, mistake.id
        for check in mistake.also:
            assert check in mistake.losses, (mistake.id, check)
        # What is not merely blocked by another loss has its reason.
        lost = {mistake.check, *mistake.losses}
        for check in mistake.losses:
            if checks[check].kind == "exact" and not lost & set(checks[check].needs):
                assert check in mistake.also, (mistake.id, check)


@pytest.mark.parametrize("name", EXERCISES)
def test_every_requirement_has_a_check(name):
    assert read_coverage(find_exercise(COURSE, name)).missing() == []


def test_the_coverage_table_is_up_to_date():
    found = [read_coverage(find_exercise(COURSE, name)) for name in EXERCISES]
    assert (ROOT / "docs" / "contract-coverage.md").read_text(encoding="utf-8") == markdown(found), (
        "run: autograder verify --all --coverage docs/contract-coverage.md"
    )


@pytest.mark.parametrize("name", EXERCISES)
def test_correct_alternatives_are_kept(name):
    assert len(find_exercise(COURSE, name).alternatives) >= 4


def test_the_handout_can_be_made_and_the_solutions_carry_the_numbers_of_the_quiz():
    """What is made is not committed, so that it need not be here; a solution's numbers are."""
    assert not [line for line in check_up_to_date(COURSE) if not line.startswith("exercises/")]


@pytest.mark.parametrize("name", EXERCISES)
def test_calibrated_false_fail_rates_keep_to_their_share(name):
    path = find_exercise(COURSE, name).reference_json
    if not path.is_file():
        pytest.skip("no calibrated check")
    found = read_calibration(path)
    for measured in found.data.values():
        assert sum(limit.false_fail for limit in measured.limits.values()) <= 1e-3
        for name, limit in measured.limits.items():
            assert limit.low is not None or limit.high is not None
            # What the file states of a data set is what its figures come from.
            runs = measured.runs[name]
            assert len(runs.good["reference"]) == measured.seeds.reference
            assert {len(v) for k, v in runs.good.items() if k != "reference"} <= {measured.seeds.alternative}
            assert all(len(values) <= measured.seeds.mistake for values in runs.bad.values())
