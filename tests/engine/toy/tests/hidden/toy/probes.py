"""Probes of the toy."""


def twice(function, x):
    return function(x) + function(x)
