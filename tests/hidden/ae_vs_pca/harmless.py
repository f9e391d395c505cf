"""What no call may do: change the tensors that it is given, seed torch's global generator."""

from __future__ import annotations

from autograder.language import _


def expect_harmless(probe, expect, name, function, *arguments, **named):
    """The tensors that are given are those of the caller, and so is the global generator."""
    expect_unchanged(probe, expect, name, function, *arguments, **named)
    expect.true(
        not expect.flag(probe.seeds(function, *arguments, **named), name),
        _("{name} seeds torch's global generator.").format(name=name),
        hint=_("Nothing seeds the global generator: no torch.manual_seed inside a function."),
        mistake="seed_inside",
    )


def expect_unchanged(probe, expect, name, function, *arguments, **named):
    """The tensors that are given are those of the caller."""
    expect.true(
        probe.changed(function, *arguments, **named) == [],
        _("{name} changes the tensors that it is given.").format(name=name),
        hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
        mistake="arguments_changed",
    )
