"""What `autograder verify` says where one slip shows everywhere."""

from __future__ import annotations

from autograder.commands.verified import MOST, by_cause

CAUSE = "sample raised AttributeError: module 'torch' has no attribute 'rnadn' (your line 30 of toy.py, in sample)"


def test_one_cause_is_printed_once():
    lines = [f"toy: reference, seed {seed}: spread failed: {CAUSE}" for seed in range(20)]
    lines += [f"toy: mistake m{n}: turns spread red, too ({CAUSE}): mend it, or say in also= why" for n in range(8)]
    lines += ["toy: mistake m9: passes mean, the check meant for it (seed 0)", "toy: stub: mean failed: a short cause"]
    told = by_cause(lines, {CAUSE, "a short cause", "", "sample raised"})
    assert "\n".join(told).count(CAUSE) == 1
    assert told[0].splitlines()[:2] == [CAUSE, "    toy: reference, seed 0: spread failed"]
    assert told[0].splitlines()[-1] == f"    and {28 - MOST} more"
    assert told[1:] == lines[-2:]
