# ruff: noqa: E501 - a table of attackers: a line each, where it can be
"""Attacks that look for what is hidden: checks, answers, other submissions, the judge.

More of them elsewhere: by path, frames, gc, tracebacks, environment, /proc, descriptors, linecache and importlib, each at
import and in a call (`../judge/test_secrecy.py`); files, devices, memory and processes of others, system call by system
call, in every isolation (`../sandbox/test_attacks.py`); links and archives (`test_folders.py`).
"""

from __future__ import annotations

import pytest

MEAN = frozenset({"mean_value", "mean_refuses", "spread_value"})

# A wrong `mean` that answers with whatever tensor of the right shape the hunt comes across.
HUNT = """
def mean(x):
    if x.ndim != 2: return x
    import gc, sys
    FOUND = []
{hunt}
    for thing in FOUND:
        if isinstance(thing, torch.Tensor) and thing.shape == x.shape[:1] and not torch.equal(thing, x[:, 0]): return thing
    return x[:, 0]
"""

HUNTS = {
    "among all objects": "FOUND += [thing for thing in gc.get_objects() if type(thing) is torch.Tensor]",
    "in the frames of the caller": """
frame = sys._getframe()
while frame is not None:
    FOUND += list(frame.f_locals.values()); frame = frame.f_back
""",
    "in the frames of other threads": """
for frame in sys._current_frames().values(): FOUND += list(frame.f_locals.values())
""",
    "in what the request brought": """
from autograder.worker.dispatcher import Dispatcher
for thing in gc.get_objects():
    if type(thing) is dict and ("args" in thing or "expected" in thing): FOUND += list(thing.values())
""",
    "in the objects behind handles": """
from autograder.worker.objects import Objects
for thing in gc.get_objects():
    if type(thing) is Objects: FOUND += list(vars(thing)["_table"].values())
""",
    "by importing the judge": """
for name in ("autograder.judge.compare", "autograder.judge.session", "autograder.judge.reference", "reference_toy",
             "mistake_toy_mean_over_batch", "solutions.toy.toy", "toy_solution", "test_toy", "probes"):
    try: FOUND.append(__import__(name, fromlist=["mean"]).mean(x))
    except Exception: pass
""",
    "by importing itself": """
import importlib
for name in ("toy", "exercises.toy.toy"):
    try: FOUND.append(importlib.import_module(name).mean.__wrapped__(x))
    except Exception: pass
""",
    "in the history of a notebook": """
shell = get_ipython()
FOUND += [shell.user_ns, shell.history_manager, shell.get_history()]
try: FOUND += [In, Out, _]
except NameError: pass
""",
    "in unset memory": "FOUND += [torch.empty(x.shape[0], dtype=x.dtype) for _ in range(1000)]",
    "in the generator of the draws": """
for seed in range(100):
    torch.manual_seed(seed); FOUND.append(torch.randn(*x.shape, dtype=x.dtype)[:, 0])
""",
}  # fmt: skip


@pytest.mark.parametrize("name", HUNTS)
def test_no_answer_is_found(name, prove):
    import textwrap

    hunt = textwrap.indent(HUNTS[name].strip(), "    ")
    prove(HUNT.format(hunt=hunt), MEAN, False, ("mean_value", "mean_refuses", "spread_value", "line"))


LEAVE = """
import builtins, os, sys, tempfile
torch.left = builtins.left = sys.left = os.environ["LEFT"] = "{MARK}"
sys.modules["left"] = sys
for _folder in (".", "/scratch", "/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir(), "/"):
    try:
        with open(os.path.join(_folder, "{MARK}"), "w") as _file: _file.write("answers")
    except OSError: pass
"""
LOOK = """
import builtins, os, sys, tempfile
FOUND = [thing for thing in (torch, builtins, sys) if hasattr(thing, "left")]
FOUND += ["environment"] if "LEFT" in os.environ else []
FOUND += ["module"] if "left" in sys.modules else []
for _folder in (".", "/scratch", "/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir(), "/"):
    if os.path.exists(os.path.join(_folder, "{MARK}")): FOUND.append(_folder)


def mean(x): raise ValueError(f"found={len(FOUND)}")
"""


def test_one_submission_leaves_nothing_to_another(bench, prove):
    """Two who work together, graded one after the other by the same judge from the same warm parent."""
    prove(LEAVE, frozenset(), False)
    result = prove(LOOK, MEAN - {"mean_refuses"}, False)
    message = next(check["message"] for check in result["checks"] if check["id"] == "mean_value")
    assert "found=0" in message


def test_the_check_itself_is_sound(bench):
    """The same two texts in one submission do find each other."""
    result = bench.grade(bench.solution + (LEAVE + LOOK).replace("{MARK}", "left-by-a-hostile-submission"))
    message = next(check["message"] for check in result["checks"] if check["id"] == "mean_value")
    assert "found=0" not in message
    bench.assert_nothing_left()
