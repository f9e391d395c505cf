"""Calls that share something: a generator, the global one's seed, a list of the caller's."""

import torch


def twice(function, *args, **options):
    """The answers of two calls, one after the other: a generator among the arguments is the same one in both."""
    return [function(*args, **options) for _ in range(2)]


def from_seed(seed, function, *args):
    """The answer of a call just after torch's global generator was seeded."""
    torch.manual_seed(seed)
    return function(*args)


def start_after(function, start, *args):
    """What the list `start` holds after a call."""
    function(start, *args)
    return start
