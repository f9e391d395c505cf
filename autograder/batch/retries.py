"""What is tried again, how often and where: this is the only place that tries a job again.

- **A job** is tried `TRIES` times in all, whatever came between: its judge died, hung or could not be started, a
  machine of the cluster was lost, something outside killed a worker. The tries are counted here, on a cluster by
  `cluster_run`; the judge is started again as part of the next try. A fault that the judge itself reports would be the
  same each time and ends the job at once. Nothing below tries again what has failed: there is one warm parent and one
  worker each time that one is needed, and what they cannot do ends the try (`Disturbed`).
- **A batch** ends where no judge can judge: at once where the judge says why (isolation refused, checks that cannot be
  collected), after `TRIES` starts where it dies of each.

These are no retries, and do not count: a check gets a new worker where an earlier check lost its own, and nothing is
repeated in it (`judge.session`); loading a file leaves out, one by one, statements that end the worker (there too); a
layer of isolation is probed twice before a whole course does without it (`sandbox.parent`); a judge that cannot be
forked from the zygote is started as a program of its own (`batch.judges`); what is downloaded has mirrors
(`course.download`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from autograder.batch.judges import CannotJudge, JudgeFault, StartLost, TryLost
from autograder.language import _

TRIES = 3

T = TypeVar("T")


def in_tries(once: Callable[[bool], T], given_up: Callable[[], bool] = lambda: False) -> T | None:
    """What `once` gives, in at most `TRIES` tries; it is told whether this is the last.

    Args:
        once: one try; TryLost where another may end well.
        given_up: whether nobody waits any more: then None.

    Raises:
        JudgeFault: every try was lost, or one failed in a way that the next would too.
        CannotJudge: no judge could be started.
    """
    for _number in range(1, TRIES):
        try:
            return once(False)
        except TryLost:
            if given_up():
                return None
    try:
        return once(True)
    except TryLost as lost:
        if given_up():
            return None
        raise lost_for_good(lost) from lost


def lost_for_good(lost: TryLost) -> JudgeFault:
    """The fault of a job whose last try was lost."""
    words = _("the judge was lost {n} times: {reason}").format(n=TRIES, reason=lost)
    return CannotJudge(words) if isinstance(lost, StartLost) else JudgeFault(words)
