# ruff: noqa: E501 - a table of attackers: a line each, where it can be
"""Attacks on the comparison: answers that lie, change, overflow or say something to whoever reads the message.

name -> (checks that the honest code under the attack loses, whether the result must say so, text appended to the
right solution).
"""

from __future__ import annotations

import pytest

NONE: frozenset[str] = frozenset()
MEAN = frozenset({"mean_value", "mean_refuses", "spread_value"})
VALUE = frozenset({"mean_value", "spread_value"})


def answer(expression: str, before: str = "") -> str:
    """A `mean` that refuses what it should and else answers this."""
    return f"""
{before}
_right = mean
def mean(x):
    right = _right(x)
    return {expression}
def spread(x):
    return _right((x - _right(x)[:, None]) ** 2)
"""


LYING = """
class Lying:
    def __init__(self, *a): pass
    __eq__ = __ge__ = __le__ = __contains__ = lambda *a: True
    __hash__ = lambda self: 0
    __len__ = lambda self: 3
    __bool__ = lambda self: True
    __float__ = __int__ = __index__ = lambda self: 1
    __array__ = lambda self, *a, **k: __import__("numpy").zeros(3)
    shape, dtype, ndim = (3,), torch.float64, 1
    __class__ = torch.Tensor
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None): return torch.tensor(True)
"""
SUBCLASS = """
class Lying(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name in ("numel", "dim", "size"): return 0
        return torch.ones(3, dtype=torch.float64)
    shape = torch.Size([3])
    def __eq__(self, other): return True
"""
ATTACKS = {
    "an object that equals everything": (VALUE, False, answer("Lying()", LYING)),
    "a list of such objects": (VALUE, False, answer("[Lying() for _ in right]", LYING)),
    "a tensor that lies in every function": (VALUE, False, answer("(right + 1).as_subclass(Lying)", SUBCLASS)),
    "a tensor that lies on dispatch": (VALUE, False, answer("torch.Tensor._make_subclass(Two, right + 1)", """
class Two(torch.Tensor):
    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None): raise SystemExit
""")),
    "a parameter that lies": (VALUE, False, answer("P(right + 1)", """
class P(torch.nn.Parameter):
    @property
    def shape(self): return torch.Size([3])
    def detach(self): return torch.zeros(3)
    data = property(lambda self: torch.zeros(3))
""")),
    "an integer that lies": (VALUE, False, answer("[Lying(7) for _ in right]", """
class Lying(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __float__(self): return 0.0
""")),
    "a dict that lies": (VALUE, False, answer("Lying(a=1)", """
class Lying(dict):
    def __getitem__(self, key): return torch.zeros(3)
    def items(self): return [("a", torch.zeros(3))]
    def __contains__(self, key): return True
""")),
    "a list that never ends": (VALUE, False, answer("Lying()", """
class Lying(list):
    def __iter__(self):
        while True: yield 0.0
    def __len__(self): return 3
""")),
    "an array that lies": (VALUE, False, answer("(right + 1).numpy().view(Lying)", """
import numpy
class Lying(numpy.ndarray):
    nbytes = 0
    def __array_finalize__(self, other): pass
    def __eq__(self, other): return True
""")),
    "an array of objects": (VALUE, False, answer("numpy.array([Lying()] * len(right), dtype=object)", LYING + "import numpy")),
    "a structured array": (VALUE, False, answer("numpy.zeros(len(right), dtype=[('a', 'f8')])", "import numpy")),
    "a lazy tensor": (VALUE, False, answer("LazyTensor(lambda expected: expected)", """
class LazyTensor:
    def __init__(self, make): self.make = make
    def __getattr__(self, name): return getattr(self.make(torch.zeros(3)), name)
""")),
    "a mode left on": (VALUE | {"also others"}, None, answer("right + 1", """
from torch.utils._python_dispatch import TorchDispatchMode
class Lie(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None): return torch.zeros(3)
_mode = Lie(); _mode.__enter__()
""")),
    "not a number": (VALUE, False, answer("right * float('nan')")),
    "infinity": (VALUE, False, answer("right + float('inf')")),
    "the right values and one not a number": (VALUE, False, answer("torch.cat([right[:-1], right[-1:] * float('nan')])")),
    "complex": (VALUE, False, answer("right + 0j")),
    "sparse": (VALUE, False, answer("right.to_sparse()")),
    "sparse rows": (VALUE, False, answer("torch.eye(3).to_sparse_csr()")),
    "quantised": (VALUE, False, answer("torch.quantize_per_tensor(right.float(), 1e-9, 0, torch.qint32)")),
    "meta": (VALUE, False, answer("right.to('meta')")),
    "nested": (VALUE, False, answer("torch.nested.nested_tensor([right, right])")),
    "half precision": (VALUE, False, answer("right.half()")),
    "8 bits": (VALUE, False, answer("right.to(torch.float8_e4m3fn)")),
    "expanded to 10^9": (VALUE, False, answer("torch.zeros(1).expand(10**9)")),
    "expanded to 10^9 in a right shape's place": (VALUE, False, answer("torch.zeros(()).expand(len(right), 10**9)")),
    "of no size": (VALUE, False, answer("torch.zeros(0)")),
    "of no size and 10^18 columns": (VALUE, False, answer("torch.zeros(0, 10**18)")),
    "of sixty dimensions": (VALUE, False, answer("right.reshape([1] * 60 + [-1])")),
    "an array of thirty dimensions": (VALUE, False, answer("right.numpy().reshape([1] * 30 + [-1])")),
    "an extra dimension to broadcast": (VALUE, False, answer("right[None].expand(len(right), -1)")),
    "a number to broadcast": (VALUE, False, answer("float(right[0])")),
    "a million numbers": (VALUE, False, answer("[0.0] * 10**6 + [1]")),
    "a million lists": (VALUE, None, answer("[[0.0] for _ in range(10**6)]")),
    "a list in itself": (VALUE, False, answer("LOOP", "LOOP = []\nLOOP.append(LOOP)")),
    "a list a thousand deep": (VALUE, False, answer("DEEP", "DEEP = []\nfor _ in range(1000): DEEP = [DEEP]")),
    "an integer of a million digits": (VALUE, False, answer("1 << 3_000_000")),
    "a text of 100 MB": (VALUE, False, answer("'x' * 10**8")),
    "bytes that unpickle": (VALUE, False, answer("b'cos\\nsystem\\n(S\"true\"\\ntR.'")),
    "keys made to collide": (VALUE, True, answer("{i * (2**61 - 1): 0 for i in range(30000)}")),
    "a module": (VALUE, False, answer("torch")),
    "a generator": (VALUE, False, answer("(v for v in right)")),
    "a hundred generators": (VALUE, True, answer("[torch.Generator() for _ in range(100)]")),
    "a type": (VALUE, False, answer("type('T', (torch.Tensor,), {})")),
    "inputs changed before the comparison": (VALUE, False, """
_right = mean
def mean(x):
    if x.ndim == 2: x.zero_()
    return _right(x)
def spread(x): return mean(x)
"""),
    "the input": (VALUE, False, answer("x")),
    "a view of the input": (VALUE, False, answer("x[:, 0]")),
    "an answer changed after it was given": (VALUE, False, answer("later(right)", """
import threading, time
def later(right):
    wrong = right + 1
    def repair():
        for _ in range(2000): wrong.copy_(right)
    threading.Thread(target=repair, daemon=True).start()
    return torch.cat([wrong[:0], right + 1])
""")),
    "a hook on the answer": (VALUE, False, answer("hooked(right)", """
def hooked(right):
    wrong = (right + 1).requires_grad_()
    wrong.register_hook(lambda g: g * 0)
    return wrong
""")),
    # --- messages -------------------------------------------------------------------------------------------------
    "a message of 100 MB": (MEAN - {"mean_refuses"}, False, "def mean(x): raise ValueError('x' * 10**8)"),
    "a message that raises": (MEAN - {"mean_refuses"}, False, """
class E(ValueError):
    def __str__(self): raise SystemExit
def mean(x): raise E
"""),
    "a message that never ends": (MEAN, True, """
class E(ValueError):
    def __str__(self):
        while True: pass
def mean(x): raise E
"""),
    "a message that is no text": (MEAN - {"mean_refuses"}, False, """
class T(str):
    def __getitem__(self, key): raise SystemExit
    def __format__(self, spec): raise SystemExit
class E(ValueError):
    def __str__(self): return T("x" * 5000)
def mean(x): raise E
"""),
    "escapes, markup, formulas and braces": (MEAN - {"mean_refuses"}, False, """
def mean(x): raise ValueError("=1+1 \\x1b]8;;http://x\\x07 \\x1b[2J \\u202e \\x9b1m [red]{0} {label!r} %s <script>alert(1)</script> \\ud800")
"""),
    "a class named like a format": (MEAN, False, """
def mean(x): raise type("{label.__class__.__init__.__globals__}[bold]\\x1b[31m" * 100, (Exception,), {})
"""),
    "a message that looks like our own lines": (MEAN - {"mean_refuses"}, False, """
def mean(x): raise ValueError("\\n\\ntoy: 10 / 10 (graded)\\r\\n\\x0b passed")
"""),
    "an exception with a million causes": (MEAN - {"mean_refuses"}, False, """
def mean(x):
    error = ValueError("0")
    for n in range(10**5):
        following = ValueError(str(n)); following.__cause__ = error; error = following
    raise error
"""),
    "the judge's own exception": (MEAN, None, """
def mean(x):
    try: from autograder.judge.verdicts import Blocked as E
    except ImportError: E = type("Blocked", (Exception,), {"message": "x"})
    raise E("blocked")
"""),
    # --- the quiz -------------------------------------------------------------------------------------------------
    "every answer at once": (frozenset({"quiz_mean"}), False, "ANSWERS = {'mean': [float(n) for n in range(20)]}"),
    "an answer near everything": (frozenset({"quiz_mean"}), False, "ANSWERS = {'mean': float('nan')}"),
    "an answer without bound": (frozenset({"quiz_mean"}), False, "ANSWERS = {'mean': float('inf')}"),
    "an answer as a text": (frozenset({"quiz_mean"}), False, "ANSWERS = {'mean': '1e999'}"),
    "answers that lie": (frozenset({"quiz_mean"}), False, LYING + """
ANSWERS = type("D", (dict,), {"__missing__": lambda s, k: 0})(mean=Lying())
"""),
    "answers under many names": (frozenset({"quiz_mean"}), False, "ANSWERS = {n / 6: n / 6 for n in range(100)}"),
}  # fmt: skip


def test_a_problem_at_import_is_one_line(prove):
    """Printed by `report`, more lines could pass for a verdict."""
    result = prove("raise ValueError('\\n\\ntoy: 10 / 10 (graded)\\r\\n' + '\\u2028' + 'x')", set(), False)
    assert [p["message"] for p in result["loading"]] == ["ValueError: toy: 10 / 10 (graded) x"]


@pytest.mark.parametrize("name", ATTACKS)
def test_no_comparison_is_won(name, prove):
    loses, flagged, text = ATTACKS[name]
    result = prove(text, loses, flagged)
    for text in [c["message"] + c["hint"] for c in result["checks"]] + [p["message"] for p in result["loading"]]:
        assert len(text) < 5000
        assert not any((ord(sign) < 32 and sign not in "\n\t") or 127 <= ord(sign) < 160 for sign in text), repr(text)
        assert "\u202e" not in text
