# ruff: noqa: E501 - a table of attackers: a line each, where it can be
"""Attacks on what is computed: answers kept, replayed or copied in place of being worked out.

name -> (checks that the honest code under the attack loses, whether the result must say so, text appended to the
right solution).
"""

from __future__ import annotations

import pytest

MEAN = frozenset({"mean_value", "mean_refuses", "spread_value"})
VALUE = frozenset({"mean_value", "spread_value"})
SAMPLES = frozenset({"sample_law", "sample_spread"})
LAW = frozenset({"sample_law"})

ATTACKS = {
    "the public checks only": (MEAN, False, """
def mean(x): return torch.ones(x.shape[0]) if bool((x == 1).all()) else torch.zeros(x.shape[0])
"""),
    "kept by shape": (VALUE, False, """
_kept = {}
_right = mean
def mean(x):
    if x.ndim != 2: raise ValueError
    return _kept.setdefault(x.shape, torch.zeros(x.shape[0], dtype=x.dtype))
"""),
    "kept by id": (frozenset(), False, """
_kept = {}
_right = mean
def mean(x):
    if id(x) not in _kept: _kept[id(x)] = x, _right(x)
    return _kept[id(x)][1]
"""),
    "kept by size": (frozenset({"spread_value"}), False, """
_kept = {}
_right = mean
def mean(x):
    if x.ndim != 2: raise ValueError
    return _kept.setdefault("first", _right(x))
def spread(x): return mean(x)
"""),
    "earlier answers replayed": (VALUE, False, """
ANSWERED = []
_right = mean
def mean(x):
    if x.ndim != 2: raise ValueError
    for answer in ANSWERED:
        if answer.shape[0] == x.shape[0]: return answer
    ANSWERED.append(torch.randn(x.shape[0], dtype=x.dtype))
    return ANSWERED[-1]
"""),
    "right only where it is asked first": (frozenset({"line"}), False, """
class Line(Line):
    calls = 0
    def forward(self, x):
        Line.calls += 1
        return super().forward(x) if Line.calls == 1 else x ** 2
"""),
    "one mode for samples": (SAMPLES, False, "def sample(n, generator=None): return torch.zeros(n) + 2.0"),
    "few values for samples": (LAW, None, """
def sample(n, generator=None): return torch.randn(n, generator=generator).round()
"""),
    "samples of another law with the right mean": (LAW, False, """
def sample(n, generator=None): return torch.randn(n, generator=generator).abs() * (torch.arange(n) % 2 * 2 - 1) * 0.5
"""),
    "too many samples": (SAMPLES, False, "def sample(n, generator=None): return torch.randn(10 * n, generator=generator)"),
    "samples that are not finite": (SAMPLES, False, """
def sample(n, generator=None): return torch.randn(n, generator=generator) / torch.zeros(n)
"""),
    "precision dropped": (VALUE, False, """
_right = mean
def mean(x): return _right(x).to(torch.bfloat16).to(x.dtype)
"""),
    "precision dropped and owned up to": (VALUE, False, """
_right = mean
def mean(x): return _right(x).to(torch.bfloat16)
"""),
    "an integer answer": (VALUE, False, """
_right = mean
def mean(x): return _right(x).round().long()
"""),
    "the default type changed": (frozenset(), False, "torch.set_default_dtype(torch.bfloat16)"),
    "deterministic generators broken": (frozenset({"line"}), True, """
torch.manual_seed = lambda seed: None
import random
random.seed = lambda seed: None
"""),
    "the reference downloaded": (VALUE, False, """
import urllib.request
_right = mean
def mean(x):
    if x.ndim != 2: raise ValueError
    try: exec(urllib.request.urlopen("http://127.0.0.1/solution.py", timeout=1).read())
    except Exception: return x.sum(1)
"""),
    "a time that shows what comes next": (VALUE, False, """
import time
_asked = []
_right = mean
def mean(x):
    if x.ndim != 2: raise ValueError
    _asked.append(time.time())
    return torch.full((x.shape[0],), float(len(_asked)), dtype=x.dtype)
"""),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_no_computation_is_spared(name, prove):
    loses, flagged, text = ATTACKS[name]
    prove(text, loses, flagged)
