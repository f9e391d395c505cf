"""Which mistakes a limit is placed against."""

from __future__ import annotations

from autograder.batch.calibration import _judged_wrong
from autograder.course import find_exercise, load_config


def test_a_mistake_that_blocks_a_check_is_no_measure_of_it(toy):
    exercise = find_exercise(load_config(toy / "grading_config.yaml"), "toy")
    judged = _judged_wrong(exercise)
    # It loses spread_value as well, which requires mean_value and is then never judged.
    assert judged["mean_over_batch"] == {"mean_value"}
    assert judged["uniform_sample"] == {"sample_law", "sample_spread"}
