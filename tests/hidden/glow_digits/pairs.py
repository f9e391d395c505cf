"""Answers `z, log_det` of layers, taken apart."""

from __future__ import annotations

from autograder.language import _


def hint_pair():
    return _("Both directions return two values: the transformed images (B, C, H, W) and the log-determinant (B,).")


def images_of(expect, result, x, what):
    """The first value of an answer `z, log_det`."""
    pair = expect.sequence(result, 2, what, hint=hint_pair())
    return expect.tensor(pair[0], x.shape, what).double()


def log_det_of(expect, result, x, what):
    """The second value of an answer `z, log_det`."""
    pair = expect.sequence(result, 2, what, hint=hint_pair())
    name = _("the log-determinant of {what}").format(what=what)
    return expect.tensor(pair[1], (len(x),), name, hint=hint_pair()).double()
