"""Nothing of the hidden checks, the answers or the secret can be had from inside a submission."""

from __future__ import annotations

import textwrap

import pytest

MARK = "The spread of each row is right"  # stands in the hidden checks only
ANSWER = "x.sum(1) / x.shape[1]"  # stands in the solution only
SECRET = "a secret of the tests"

# Each snippet leaves in FOUND whatever text it can get.
WAYS = {
    "by path": """
        import os
        for top in ("/", {root!r}, os.getcwd(), os.path.dirname(os.__file__)):
            for folder, _, files in os.walk(top):
                if len(FOUND) > 5000 or folder.count("/") > 12 or "site-packages" in folder:
                    break
                for name in files:
                    if "toy" in folder or "hidden" in folder or "solution" in name:
                        try: FOUND.append(open(os.path.join(folder, name), errors="replace").read(10**6))
                        except OSError: pass
        for name in ("tests/hidden/toy/test_toy.py", "solutions/toy/toy.py", "reference/toy.json"):
            try: FOUND.append(open(os.path.join({root!r}, name)).read())
            except OSError as error: ERRORS.append(type(error).__name__)
    """,
    "by inspect and modules": """
        import sys, inspect
        for module in list(sys.modules.values()):
            FOUND.append(repr(getattr(module, "__file__", "")))
            if "autograder" in getattr(module, "__name__", "") or "toy" in getattr(module, "__name__", ""):
                try: FOUND.append(inspect.getsource(module))
                except Exception: pass
                FOUND.append(repr(vars(module))[:10**6])
    """,
    "by gc": """
        import gc
        for thing in gc.get_objects():
            if type(thing) in (str, bytes, dict, list, tuple):
                try: FOUND.append(repr(thing)[:10**5])
                except BaseException: pass
    """,
    "by frames": """
        import sys
        frame = sys._getframe()
        while frame is not None:
            FOUND.append(repr(frame.f_locals)[:10**6]); FOUND.append(repr(frame.f_globals)[:10**6])
            FOUND.append(repr(frame.f_code.co_consts)); frame = frame.f_back
    """,
    "by /proc": """
        import os
        for pid in ["self", "1", str(os.getppid())] + [str(n) for n in range(1, 3000)]:
            for name in ("mem", "environ", "cmdline", "maps", "fd", "cwd/x"):
                try: FOUND.append(open("/proc/" + pid + "/" + name, "rb").read(10**5).decode(errors="replace"))
                except OSError as error: ERRORS.append(type(error).__name__)
    """,
    "by traceback": """
        import sys, traceback
        try: 1 / 0
        except ZeroDivisionError as error:
            tb = error.__traceback__
            while tb:
                frame = tb.tb_frame
                while frame:
                    FOUND.append(repr(frame.f_locals)[:10**5]); frame = frame.f_back
                tb = tb.tb_next
            FOUND.append("".join(traceback.format_stack()))
        FOUND.append(repr(sys.exc_info()))
    """,
    "by environment": """
        import os, sys
        FOUND.append(repr(dict(os.environ))); FOUND.append(repr(sys.argv)); FOUND.append(repr(sys.path))
        FOUND.append(repr(sys.orig_argv)); FOUND.append(repr(getattr(sys, "flags", "")))
    """,
    "by descriptors": """
        import os
        for n in range(64):
            try: os.lseek(n, 0, 0); FOUND.append(os.read(n, 10**6).decode(errors="replace"))
            except OSError as error: ERRORS.append(type(error).__name__)
    """,
    "by linecache and importlib": """
        import linecache, importlib, pkgutil
        FOUND.append(repr(linecache.cache)[:10**6])
        names = ("tests.hidden.toy.test_toy", "test_toy", "solutions.toy.toy", "autograder.judge.plugin", "conftest")
        for name in names:
            try: FOUND.append(repr(vars(importlib.import_module(name)))[:10**6])
            except BaseException as error: ERRORS.append(type(error).__name__)
    """,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("moment", ["at import", "in a call"])
def test_nothing_hidden_is_found(grade, toy, way, moment):
    """The submission searches and answers with how often it found each hidden text; the texts are spelt in pieces."""
    snippet = textwrap.dedent(WAYS[way]).format(root=str(toy)).strip()
    needles = [MARK, ANSWER, SECRET]
    # The needles are written backwards here, so that finding this very source is no finding.
    source = "FOUND, ERRORS = [], []\n"
    source += f"NEEDLES = {[n[::-1] for n in needles]!r}\n"
    search = f"def search():\n{textwrap.indent(snippet, '    ')}\n"
    count = "    text = '\\n'.join(map(str, FOUND))\n    return sum(text.count(n[::-1]) for n in NEEDLES)\n"
    source += search + count
    if moment == "at import":
        source += "HITS = search()\n\n\ndef mean(x):\n    raise ValueError(f'hits={HITS}')\n"
    else:
        source += "\n\ndef mean(x):\n    raise ValueError(f'hits={search()}')\n"
    result = grade(source, checks=["mean_value"])
    message = result["by_id"]["mean_value"]["message"]
    assert "hits=0" in message, message
