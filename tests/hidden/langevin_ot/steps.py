"""The student's samplers, judged apart from a langevin_step that changes what it is given."""

from __future__ import annotations

from autograder.judge import CheckFailed


def runs_of(student, probe, draw, name):
    """The student's function of this name; a langevin_step that changes its arguments gets copies inside.

    In place, it would make every frame of a trajectory the last one: that costs the points of the step, and no others.
    """
    function = getattr(student, name)
    try:
        changed = probe.changed(student.langevin_step, draw.normal(4, 2), draw.normal(4, 2), 0.1, draw.normal(4, 2))
    except CheckFailed:
        changed = []
    if not changed:
        return function

    def run(*arguments, **options):
        return probe.with_copies(function, "langevin_step", *arguments, **options)

    return run
