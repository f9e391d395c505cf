"""Threads left behind: those that compute are told from those that draw a bar or fetch a batch, on any machine."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import pytest

from autograder.sandbox import background
from autograder.sandbox.background import LOOK_EVERY, Look, keeps_computing

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="isolation is built on Linux alone")


def seen(running: Iterable[bool], share: float = 1.0) -> bool:
    """What is made of these looks, the threads having this share of a processor whenever they run."""
    now, looks = 0.0, iter(running)

    def look() -> Look:
        nonlocal now
        runs = next(looks, False)
        now += LOOK_EVERY * share if runs else 0.0
        return Look(runs, now)

    return keeps_computing(look, lambda seconds: None)


ALWAYS = [True] * 5000


@pytest.mark.parametrize(
    ("looks", "share"),
    [(ALWAYS, 1.0), (ALWAYS, 0.1), ([True, False, *ALWAYS], 1.0), ([False, *ALWAYS], 1.0),
     (([True] * 9 + [False]) * 500, 1.0), (([True] * 5 + [False]) * 500, 0.5)],
    ids=["alone", "on a loaded core", "a gap at once", "a gap at first", "with pauses", "with pauses, loaded"],
)  # fmt: skip
def test_computing_is_noticed(looks, share):
    assert seen(looks, share)


@pytest.mark.parametrize(
    ("looks", "share"),
    [([], 1.0), ([True], 1.0), ([True] * 40, 1.0), (([True] + [False] * 9) * 500, 1.0),
     (([True] * 3 + [False] * 7) * 500, 0.2), (ALWAYS, 0.01)],
    ids=["nothing", "at the end of its work", "a batch, then rest", "a bar drawn ten times a second",
         "a bar on a loaded core", "hardly ever its turn"],
)  # fmt: skip
def test_what_hardly_computes_is_let_alone(looks, share):
    assert not seen(looks, share)


def test_an_honest_thread_costs_three_looks():
    looks = []

    def look() -> Look:
        looks.append(None)
        return Look(len(looks) == 1, 0.0)

    assert not keeps_computing(look, lambda seconds: None)
    assert len(looks) <= 4


BURN = """
import threading
def burn():
    while True: pass
for _ in range({n}): threading.Thread(target=burn, daemon=True).start()
"""

HONEST = {
    "a bar": """
import threading, time
def draw():
    while True:
        time.sleep(0.02)
        sum(range(20_000))
threading.Thread(target=draw, daemon=True).start()
""",
    "a loader": """
import queue, threading
batches = queue.Queue(2)
def fetch():
    while True: batches.put(sum(range(200_000)))
threading.Thread(target=fetch, daemon=True).start()
""",
    "waiting threads": """
import threading
for _ in range(3): threading.Thread(target=threading.Event().wait, daemon=True).start()
""",
    "threads that have ended": """
import threading
threads = [threading.Thread(target=sum, args=(range(10_000),)) for _ in range(3)]
for thread in threads: thread.start()
""",
}


@linux_only
@pytest.mark.parametrize("n", [1, 4])
def test_a_worker_that_burns_is_noticed(n, worker, talk):
    assert not worker.works_unasked()
    assert talk(worker, BURN.format(n=n)).error is None
    assert worker.works_unasked()
    worker.kill()
    assert not worker.works_unasked()


@linux_only
@pytest.mark.parametrize("kind", HONEST)
def test_a_worker_with_honest_threads_is_not(kind, worker, talk):
    assert talk(worker, HONEST[kind]).error is None
    for _ in range(20):
        assert talk(worker, "answer = batches.get() if 'batches' in globals() else 1").error is None
        assert not worker.works_unasked()


def test_where_there_is_no_proc_nothing_is_said():
    assert not background.works_unasked(-1)
