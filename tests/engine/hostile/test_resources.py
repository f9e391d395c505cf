# ruff: noqa: E501 - a table of attackers: a line each, where it can be
"""Attacks on the machine: time, memory, processes, threads, files, output, at import and in a call.

name -> (checks that the honest code under the attack loses, whether the result must say so, text appended to the
right solution). `CALL` is what a call of `mean` does, `IMPORT` a statement at the top of the file.
"""

from __future__ import annotations

import os

import pytest

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge

MEAN = frozenset({"mean_value", "mean_refuses", "spread_value"})
ONE = ("mean_value", "line")  # a check that meets its time limit, and the one after it


def call(text: str) -> str:
    lines = "\n".join("    " + line for line in text.strip().split("\n"))
    return f"import ctypes, os, signal, sys, threading, time\n\n\ndef mean(x):\n{lines}\n    return x\n"


ENDLESS = {
    "a loop in Python": "while True: pass",
    "a loop in C": "sum(range(10**15))",
    "a loop in torch": "a = torch.zeros(400, 400)\nwhile True: a = a @ a",
    "a loop over an iterator": "max(iter(int, 1))",
    "a regular expression": "import re; re.match('(a*)*b', 'a' * 60)",
    "a loop that catches everything": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "a loop with signals blocked": """
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True: pass""",
    "a number without end": "9 ** 9 ** 9",
    "a sleep": "time.sleep(10**6)",
    "a lock": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "threads that loop": """
def burn():
    while True: pass
for _ in range(8): threading.Thread(target=burn).start()
while True: pass""",
    "a destructor that loops": """
class D:
    def __del__(self):
        while True: pass
D()""",
}

# Killed as a system short of memory kills, it would be graded again and again, and then not at all.
LIKE_A_DISTURBANCE = {
    "killing itself": "os.kill(os.getpid(), signal.SIGKILL)",
    "killing itself by a thread": "signal.pthread_kill(threading.get_ident(), signal.SIGKILL)",
    "stopping itself": "os.kill(os.getpid(), signal.SIGSTOP); time.sleep(60)",
    "a limit of its own": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
    "a limit by process": "import resource; resource.prlimit(0, resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
    "a timer that kills": """
event, timer = (ctypes.c_ulong * 8)(0, 9), ctypes.c_ulong()
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(222, 1, event, ctypes.byref(timer)) < 0:
    raise OSError(ctypes.get_errno(), "no timer")
libc.syscall(223, timer, 0, (ctypes.c_ulong * 4)(0, 0, 0, 1000), None)
time.sleep(60)""",
}

BOMBS = {
    "memory": "kept = [bytearray(10**7) for _ in range(10**4)]",
    "memory of torch": "kept = [torch.ones(10**7) for _ in range(10**4)]",
    "memory in one piece": "torch.ones(10**11)",
    "memory by mapping": "import mmap; kept = [mmap.mmap(-1, 2**28) for _ in range(100)]",
    "shared memory": "kept = [torch.ones(10**6).share_memory_() for _ in range(1000)]",
    "a list that grows": "kept = [0]\nwhile True: kept += kept",
    "forks": "while True: os.fork()",
    "processes": "import subprocess; subprocess.Popen(['sleep', '1000'])",
    "a daemon": "os.setsid(); os.fork(); time.sleep(1000)",
    "workers of multiprocessing": "import multiprocessing; multiprocessing.Pool(4).map(str, range(9))",
    "workers of a loader": "from torch.utils.data import DataLoader; list(DataLoader(list(range(9)), num_workers=2))",
    "threads": """
event = threading.Event()
while True: threading.Thread(target=event.wait, daemon=True).start()""",
    "a file": """
with open("{MARK}", "wb") as file:
    while True: file.write(bytes(10**7))""",
    "many files": """
for n in range(10**6): open(f"{MARK}{n}", "w").close()""",
    "shared memory files": """
with open("/dev/shm/{MARK}", "wb") as file: file.write(bytes(10**8))""",
    "descriptors": "kept = []\nwhile True: kept.append(os.pipe())",
    "recursion": "return mean(x)",
    "recursion without a limit": "sys.setrecursionlimit(10**9); return mean(x)",
    "recursion in C": "kept = []\nfor _ in range(10**6): kept = [kept]\nreturn repr(kept)",
    "priority": "os.nice(-20)",
    "processors of others": "os.sched_setaffinity(1, {0}); os.sched_setaffinity(os.getppid(), {0})",
    "limits raised": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))",
}

AT_IMPORT = {
    "a loop": "while True: pass\n",
    "a loop that catches everything": """
while True:
    try:
        while True: pass
    except BaseException: pass
""",
    "a loop in C": "sum(range(10**15))\n",
    "memory": "kept = [bytearray(10**7) for _ in range(10**4)]\ndel kept\n",
    "forks": "import os\nwhile True: os.fork()\n",
    "threads": "import threading\nwhile True: threading.Thread(target=threading.Event().wait, daemon=True).start()\n",
    "output": "import os, sys\nfor _ in range(20000): print('x' * 10**4)\nsys.stderr.write('x' * 10**7); os.write(1, b'x' * 10**7)\n",
    "a text that is hard to parse": "x = " + "(" * 3000 + ")" * 3000 + "\n",
    "a text that is hard to compile": "x = " + "+".join(["1"] * 20000) + "\n",
    "a text that is hard to fold": "x = ((((((2 ** 64) ** 64) ** 64) ** 2) ** 2) ** 2)\n",
    "ten thousand statements": "x = 1\n" * 10_000,
    "ten thousand names": "for _n in range(10_000): globals()[f'name{_n}'] = 1\n",
    "names a megabyte long": "for _n in range(3): globals()['n' * 10**6 + str(_n)] = 1\n",
    "names that are no texts": "globals()[5] = globals()[None] = globals()[1.5] = 1\n",
    "progress on the wire": """
def _flood():
    number = 10**6
    while True:
        number += 1
        _write(_frame(1, "progress", {"t": "dict", "v": [["statement", number], ["where", "x"], ["line", 1]]}))
_threading.Thread(target=_flood, daemon=True).start()
while True: _time.sleep(1)
""",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_call_costs_its_own_check(name, prove):
    prove(call(ENDLESS[name]), MEAN, True, ONE)


@pytest.mark.parametrize("name", LIKE_A_DISTURBANCE)
def test_no_submission_looks_killed_from_outside(name, prove):
    """Each call is refused, so that the check fails at once, and nothing is tried again."""
    prove(call(LIKE_A_DISTURBANCE[name]), MEAN, False, ONE)


LEFT_BEHIND = """
import threading
_right = mean

def mean(x):
    def burn():
        while True: pass
    for _ in range(4): threading.Thread(target=burn, daemon=True).start()
"""


@pytest.mark.parametrize(
    ("end", "loses"),
    [("    return _right(x)", frozenset()), ("    raise RuntimeError('no')", MEAN)],
    ids=["answers", "raises"],
)
def test_threads_left_behind_cost_no_other_check(end, loses, prove):
    result = prove(LEFT_BEHIND + end, loses, True, ONE)
    assert "background" in {incident["kind"] for incident in result["incidents"]}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_its_own_check(name, prove):
    prove(call(BOMBS[name]), MEAN, None, ONE)


@pytest.mark.parametrize("name", AT_IMPORT)
def test_a_bomb_at_import_costs_its_own_statement(name, prove):
    """What stands above and below it is graded."""
    below = "\n\nHERE = 5\n"
    loses = {"also others"} if name == "progress on the wire" else set()
    prove(AT_IMPORT[name] + below, loses, None, ONE)


HOG = """
import os
def mean(x):
    try:
        os.sched_setaffinity(0, range(os.cpu_count()))
        escaped = "escaped"
    except OSError as error:
        escaped = error.strerror
    raise RuntimeError(f"{os.sched_getaffinity(0)} {escaped}")
"""


def test_workers_keep_to_the_processor_of_their_judge(quick_toy, own_solution):
    """A hundred threads of one submission then take no time from what another judge's worker computes."""
    order = Order(quick_toy / "grading_config.yaml", (quick_toy / "tests/hidden/toy",), b"a secret of the tests")
    with Judge(order, slot=1) as judge:
        cells = [{"source": own_solution + HOG, "where": "toy.py", "filename": "toy.py", "first_line": 1}]
        result = judge.grade(Job("toy", "ada", cells, 100, checks=("mean_value",))).to_json()
    allowed = sorted(os.sched_getaffinity(0))
    expected = {allowed[1 % len(allowed)]}
    assert f"{expected} Operation not permitted" in result["checks"][0]["message"]
