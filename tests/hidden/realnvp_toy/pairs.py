"""Answers `y, log_det` of layers and flows, taken apart."""

from __future__ import annotations

import torch

from autograder.language import _


def hint_pair():
    return _("Both directions return two values: the transformed points (B, dim) and the log-determinant (B,).")


def hint_jacobian():
    return _("Take the Jacobian at one point (torch.autograd.functional.jacobian) and its torch.linalg.slogdet.")


def points_of(expect, result, x, what):
    """The first value of an answer `y, log_det`."""
    pair = expect.sequence(result, 2, what, hint=hint_pair())
    return expect.tensor(pair[0], x.shape, what).double()


def log_det_of(expect, result, x, what):
    """The second value of an answer `y, log_det`."""
    pair = expect.sequence(result, 2, what, hint=hint_pair())
    return expect.tensor(
        pair[1], (len(x),), _("the log-determinant of {what}").format(what=what), hint=hint_pair()
    ).double()


def jacobian_log_det(expect, jacobian, x, what):
    jacobian = expect.tensor(jacobian, (*x.shape, x.shape[1]), _("the Jacobian of {what}").format(what=what)).double()
    return torch.linalg.slogdet(jacobian)[1], jacobian


def say_changed(expect, changed, what):
    """A call that writes into what it is given is told so, whatever else came of it."""
    expect.true(
        not changed,
        _("{name} changes the tensors that it is given.").format(name=what),
        hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
        mistake="arguments_changed",
    )


def writes_back(probe, expect, module, x, what):
    """Whether `module(x)` changes x; where x is what it returns, too, no Jacobian can be taken, and that is said."""
    changed, returned = (bool(flag) for flag in expect.sequence(probe.effect_on(module, x), 2, what))
    say_changed(expect, returned, what)
    return changed
