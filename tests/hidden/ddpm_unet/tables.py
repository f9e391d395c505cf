"""The student's Diffusion as it is judged apart from its tables, and what a missing function costs."""

from __future__ import annotations

import torch

from autograder.judge.verdicts import StudentError

TABLES = ("alphas", "alpha_bars", "posterior_variance")


def make_diffusion(student, reference, probe, expect, betas):
    """The student's Diffusion and the right one. Tables that are wrong are set right in the student's.

    Wrong tables have checks of their own, and so has a Diffusion that is missing: here, what builds on them is judged
    by itself.
    """
    right = reference.Diffusion(betas)
    given = {name: getattr(right, name) for name in TABLES}
    try:
        diffusion = expect.handle(student.Diffusion(betas))
    except AssertionError:
        return probe.tables(**given), right
    found = probe.attributes(diffusion, list(TABLES))
    wrong = {
        name: table
        for name, table in given.items()
        if not isinstance(found, dict)
        or not isinstance(value := found.get(name), torch.Tensor)
        or value.shape != betas.shape
        or not torch.allclose(value.double(), table.double(), rtol=1e-4, atol=1e-6)
    }
    if wrong:
        probe.set_attributes(diffusion, wrong)
    return diffusion, right


def attempt(call):
    """An answer of the student's that a check can do without: None where the call fails or its function is missing."""
    try:
        return call()
    except StudentError:
        return None
