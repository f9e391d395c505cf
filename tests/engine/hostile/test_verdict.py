# ruff: noqa: E501 - a table of attackers: a line each, where it can be
"""Attacks on the verdict: ending the process, forged replies, replaced functions, planted files and hooks.

name -> (checks that the honest code under the attack loses, whether the result must say so, text appended to the
right solution).
"""

from __future__ import annotations

import pytest

NONE: frozenset[str] = frozenset()
MEAN = frozenset({"mean_value", "mean_refuses", "spread_value"})  # what a wrong `mean` costs
MEAN_ALSO = MEAN | {"also others"}  # and what the attack spoils for itself
WRONG = "\ndef mean(x):\n    return x.sum(1)\n"  # wrong values, and no error for a vector but torch's own

ENDING = {
    "exit at import": (NONE, False, "import sys; sys.exit(0)"),
    "hard exit at import": (NONE, True, "import os; os._exit(0)"),
    "exit in a destructor": (NONE, False, """
class Bomb:
    def __del__(self): raise SystemExit(0)
Bomb()
_old = mean
def mean(x):
    Bomb()
    return _old(x)
"""),
    "exit by atexit": (MEAN, None, WRONG + """
import atexit, os
atexit.register(os._exit, 0)
"""),
    "exit in a call": (MEAN, False, "def mean(x): raise SystemExit(0)"),
    "hard exit in a call": (MEAN, True, "def mean(x): import os; os._exit(0)"),
    "exit from a thread": (MEAN, True, """
def mean(x):
    import os, threading
    threading.Thread(target=os._exit, args=(0,)).start()
    import time; time.sleep(60)
"""),
    "killing itself": (MEAN, False, "def mean(x): import os; os.kill(os.getpid(), 9)"),
    "crash of the interpreter": (MEAN, True, "def mean(x): import ctypes; ctypes.string_at(1)"),
    "every kind of exception": (MEAN, False, """
def mean(x):
    raise (GeneratorExit, KeyboardInterrupt, StopIteration, SystemExit)[x.shape[0] % 4]
"""),
    "interrupt at import": (NONE, False, "raise KeyboardInterrupt"),
    "a passing skip": (MEAN, False, """
def mean(x):
    class Skipped(BaseException): allow_module_level = True
    Skipped.__module__ = "_pytest.outcomes"; Skipped.__qualname__ = "Skipped"
    raise Skipped("skip me")
"""),
    "an exception group": (MEAN, False, "def mean(x): raise BaseExceptionGroup('x', [SystemExit(), ValueError()])"),
    "another ValueError": (frozenset({"mean_refuses"}), False, """
_old = mean
def mean(x):
    if x.ndim != 2:
        raise type("ValueError", (Exception,), {"__module__": "builtins"})
    return _old(x)
"""),
}  # fmt: skip

FORGED = {
    "a reply before any request": (NONE, True, "_write(_frame(1, 'value', 5))"),
    "a reply from a thread, over and over": (MEAN_ALSO, True, WRONG + """
def _flood():
    number = 1
    while True:
        number += 1
        try: _write(_frame(number, "value", 0.0))
        except OSError: return
        _time.sleep(0.0005)
_threading.Thread(target=_flood, daemon=True).start()
"""),
    "a reply twice": (frozenset({"also others"}), True, """
_old = mean
def mean(x):
    _threading.Timer(0.05, lambda: _write(_frame(3, "value", 1.0))).start()
    return _old(x)
class Line(Line):
    def double(self):
        _time.sleep(0.2)
        return super().double()
"""),
    "a reply with a wrong id": (MEAN, True, "def mean(x): _write(_frame(10**6, 'value', 0)); _time.sleep(60)"),
    "a reply with the id of an earlier check": (MEAN, True, "def mean(x): _write(_frame(1, 'value', 0)); _time.sleep(60)"),
    "a reply with a negative id": (MEAN, True, "def mean(x): _write(_frame(-1, 'value', 0)); _time.sleep(60)"),
    "a verdict for a reply": (MEAN, True, """
def mean(x):
    for n in range(1, 20): _write(_frame(n, "passed", {"t": "dict", "v": [["outcome", "passed"]]}))
    _time.sleep(60)
"""),
    "the scheduler's language": (MEAN, True, """
def mean(x):
    _write(b'{"result": {"points": 10, "max_points": 10, "outcome": "graded"}}\\n')
    _time.sleep(60)
"""),
    "half a frame": (MEAN, True, "def mean(x): _write(_frame(3, 'value', 0)[:20]); _time.sleep(60)"),
    "a frame that promises 200 MB": (MEAN, True, """
def mean(x):
    _write(_struct.pack(">4sIQ", b"AGW1", 100, 200 * 2**20)); _time.sleep(60)
"""),
    "a header that is a bomb": (MEAN, True, """
def mean(x):
    header = b"[" * 3_000_000
    _write(_struct.pack(">4sIQ", b"AGW1", len(header), 0) + header); _time.sleep(60)
"""),
    "keys made to collide": (MEAN, True, """
def mean(x):
    value = {"t": "set", "v": [i * (2**61 - 1) for i in range(100_000)]}
    for n in range(2, 12): _write(_frame(n, "value", value))
    _time.sleep(60)
"""),
    "closing the wire": (MEAN, True, "def mean(x): _wire().close(); _time.sleep(60)"),
    "shutting the wire down": (MEAN, True, "def mean(x): _wire().shutdown(2); _time.sleep(60)"),
    "reading the judge's requests": (MEAN_ALSO, None, """
def _steal():
    while True:
        try: _wire().recv(65536)
        except BlockingIOError: _time.sleep(0.001)
        except OSError: return
_threading.Thread(target=_steal, daemon=True).start()
""" + WRONG),
    "another handler of probes": (frozenset(), False, """
from autograder.worker.dispatcher import _HANDLERS
_HANDLERS["probes"] = lambda self, **more: ("raised", "no")
"""),
    "seeds refused": (NONE, None, """
from autograder.worker.dispatcher import _HANDLERS
def _refuse(self, **more): raise RuntimeError
_HANDLERS["seed"] = _refuse
"""),
    "another dispatcher": (MEAN_ALSO, None, WRONG + """
from autograder.worker.dispatcher import Dispatcher
def _answer(self, kind, request): return ("value", True) if kind == "call" else ("done", None)
import autograder.worker.dispatcher
Dispatcher.passed = True
_old = Dispatcher.answer
def _both(self, kind, request):
    kind, value = _old(self, kind, request)
    return kind, value
Dispatcher.answer = _both
"""),
    "handles that do not exist": (frozenset({"line"}), None, """
class Line:
    def double(self): return self
    def __call__(self, x):
        from autograder.wire.values import HandleReference
        return HandleReference(-7, "Tensor", True)
"""),
    "a handle named like a format": (frozenset({"line"}), False, """
Line = type("{0.__class__}{label}%s%(x)n", (), {"double": lambda self: self, "__call__": lambda self, x: self})
"""),
}  # fmt: skip

REPLACED = {
    "torch.allclose": (MEAN | {"line"}, True, WRONG + "torch.allclose = torch.isclose = torch.equal = lambda *a, **k: True\n"),
    "methods of tensors": (MEAN | {"line"}, True, WRONG + """
for _name in ("__eq__", "__ne__", "__sub__", "isfinite", "__bool__", "allclose", "equal"):
    setattr(torch.Tensor, _name, lambda *a, **k: True)
"""),
    "builtins": (MEAN_ALSO, None, WRONG + """
import builtins
for _name in ("all", "any", "abs", "max", "min", "sum", "sorted", "repr", "AssertionError"):
    setattr(builtins, _name, lambda *a, **k: True)
"""),
    "isinstance and len": (MEAN_ALSO, None, WRONG + """
import builtins
builtins.isinstance = lambda *a: True
builtins.len = lambda *a: 0
"""),
    "the building of classes": (MEAN_ALSO, None, WRONG + """
import builtins
builtins.__build_class__ = lambda *a, **k: object
"""),
    "the import": (MEAN_ALSO, None, WRONG + """
import builtins
builtins.__import__ = lambda *a, **k: None
"""),
    "json": (MEAN, False, WRONG + """
import json
json.dumps = lambda *a, **k: '{"id": 2, "kind": "value", "value": true, "sizes": []}'
"""),
    "the wire's JSON": (MEAN_ALSO, True, WRONG + """
import autograder.wire.channel as channel
class Encoder:
    def encode(self, value): return '{"id": 2, "kind": "value", "value": true, "sizes": []}'
channel._ENCODER = Encoder()
"""),
    "the encoder": (MEAN_ALSO, None, WRONG + """
import autograder.wire.channel as channel
channel.encode = lambda *a: {"t": "tensor", "d": "float64", "s": [3], "b": 0, "c": "torch"}
"""),
    "the description of exceptions": (MEAN_ALSO, None, """
import autograder.worker.dispatcher as d
from autograder.worker.raised import Raised
d.describe_exception = lambda *a: Raised("x", ("AssertionError", "Passed"), "passed", "", 0, "", False)
def mean(x): raise RuntimeError
"""),
    "pytest in sys.modules": (MEAN, False, WRONG + """
import sys, types
_fake = types.ModuleType("pytest"); _fake.fail = _fake.skip = lambda *a, **k: None
for _name in ("pytest", "_pytest", "_pytest.runner", "conftest", "autograder.judge", "autograder.judge.compare"):
    sys.modules[_name] = _fake
"""),
    "hooks of pytest": (MEAN, False, WRONG + """
def pytest_runtest_makereport(item, call): call.excinfo = None
def pytest_collection_modifyitems(items): items.clear()
def test_mean_value(): pass
test_mean_value.check = object()
pytest_plugins = ["toy"]
"""),
    "planted modules": (MEAN, None, WRONG + """
import os
for _name in ("conftest.py", "torch.py", "sitecustomize.py", "usercustomize.py", "x.pth", "__init__.py", "pytest.ini"):
    for _folder in (".", os.getcwd(), "/scratch", "/tmp", os.path.dirname(torch.__file__)):
        try:
            with open(f"{_folder}/{_name}", "w") as _file: _file.write("raise SystemExit")
        except OSError: pass
"""),
    "a planted result": (MEAN, None, WRONG + """
import os, pathlib
for _folder in (".", "/scratch", "out/results/ada", "/tmp"):
    try:
        pathlib.Path(_folder).mkdir(parents=True, exist_ok=True)
        (pathlib.Path(_folder) / "toy.json-{MARK}").write_text('{"points": 10}')
    except OSError: pass
"""),
    "tracing": (MEAN, None, WRONG + """
import sys
def _trace(frame, event, argument):
    if "expected" in frame.f_locals: frame.f_locals["actual"] = frame.f_locals["expected"]
    return _trace
sys.settrace(_trace); sys.setprofile(_trace)
"""),
    "an import hook": (MEAN, False, WRONG + """
import sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None): raise ImportError(name)
sys.meta_path.insert(0, Finder); sys.path_hooks.insert(0, Finder)
"""),
    "an audit hook": (MEAN_ALSO, None, WRONG + """
import sys
def _audit(event, arguments):
    if event in ("compile", "exec", "import"): raise RuntimeError(event)
sys.addaudithook(_audit)
"""),
    "the module itself": (MEAN, False, WRONG + """
import sys, types
class Lying(types.ModuleType):
    def __getattr__(self, name): return lambda *a, **k: True
    def __eq__(self, other): return True
sys.modules[__name__].__class__ = Lying
"""),
    "autograder imported": (MEAN, None, WRONG + """
import autograder
try:
    from autograder.judge import check
    import autograder.judge.compare as _c
    _c.compare = _c.same = lambda *a, **k: True
except Exception: pass
"""),
    "the limits": (MEAN, None, WRONG + """
import resource, signal, sys
for _kind in range(16):
    try: resource.setrlimit(_kind, (-1, -1))
    except (ValueError, OSError): pass
signal.alarm(0); sys.setrecursionlimit(10**9)
"""),
}  # fmt: skip
ATTACKS = ENDING | FORGED | REPLACED


@pytest.mark.parametrize("name", ATTACKS)
def test_no_verdict_is_gained(name, prove):
    loses, flagged, text = ATTACKS[name]
    prove(text, loses, flagged)
