"""What is tried again, how often and where: this is the only place that tries a job again.

- **A job** is tried `TRIES` times in all, whatever came between: its judge died, hung or could not be started, a
  machine of the cluster was lost, something outside killed a worker. The tries are counted here (`Tries`), those of a
  cluster too; the judge is started again as part of the next try. A fault that the judge itself reports would be the
  same each time and ends the job at once. Nothing below tries again what has failed: there is one warm parent and one
  worker each time that one is needed, and what they cannot do ends the try (`Disturbed`).
- **A check that lost its worker to a SIGKILL** is judged again in the next try, by itself; the others keep what they
  have. No submission can kill itself, or set a limit that would: somebody outside has done it, by mistake or for want
  of memory. In the next tries an idle worker stands beside it as a witness, and the last one is made in quiet: no other
  judge works meanwhile (`Quiet`).
- **Whose fault it is** is settled at the end. It is ours where the kernel says that it has killed for want of memory,
  where nothing of the submission had run, or where others died with it: the witness, or a worker of another submission
  within `TOGETHER` seconds. Then the check is an `error`, which is no zero and is never kept. Else it is the
  submission's, and costs that check.
- **A batch** ends where no judge can judge: at once where the judge says why (isolation refused, checks that cannot be
  collected), after `TRIES` starts where it dies of each.

These are no retries, and do not count: a check gets a new worker where an earlier check lost its own, and nothing is
repeated in it (`judge.session`); loading a file leaves out, one by one, statements that end the worker (there too); a
layer of isolation is probed twice before a whole course does without it (`sandbox.parent`); a judge that cannot be
forked from the zygote is started as a program of its own (`batch.judges`); what is downloaded has mirrors
(`course.download`).
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from autograder.batch.judges import CannotJudge, Judge, JudgeFault, StartLost, TryLost
from autograder.judge.messages import Ask, Job, JobResult, Kept, Order
from autograder.language import _
from autograder.results.model import Result
from autograder.results.points import rounded

TRIES = 3
TOGETHER = 2.0  # seconds between two deaths of one cause
REMEMBERED = 10_000


class Deaths:
    """When workers of a batch were killed, and whose they were. For several threads."""

    def __init__(self) -> None:
        self._known: deque[tuple[float, Job]] = deque(maxlen=REMEMBERED)

    def add(self, at: float, job: Job) -> None:
        """One more."""
        self._known.append((at, job))

    def with_it(self, at: float, job: Job) -> bool:
        """Whether a worker of another job was killed at about that time."""
        return any(abs(at - other) <= TOGETHER and whose is not job for other, whose in tuple(self._known))


class Tries:
    """The tries of one job.

    Args:
        job: what is to be judged.
        deaths: of the batch.

    Attributes:
        lost: how many came to nothing, or left checks without a verdict.
    """

    def __init__(self, job: Job, deaths: Deaths | None = None) -> None:
        self.lost = 0
        self._job = self._todo = job
        self._deaths = deaths or Deaths()
        self._spent = 0.0
        self._doubted = False
        self._proved = False
        self._died: list[float] = []

    @property
    def last(self) -> bool:
        """Whether the next one is the last."""
        return self.lost >= TRIES - 1

    def next(self, progress: bool = False) -> Ask:
        """What to ask the judge; `progress`: about each check."""
        return Ask(self._todo, progress, self.last, self._spent, self._doubted)

    def came(self, done: JobResult) -> Result | None:
        """The result that a judge's answer makes; None where another try is due."""
        if not done.killed:
            return done.result
        for killed in done.killed:
            self._deaths.add(killed.at, self._job)
            self._died.append(killed.at)
        self._proved |= any(killed.proved for killed in done.killed)
        lost = {killed.check for killed in done.killed}
        if self.last:
            ours = self._proved or any(self._deaths.with_it(at, self._job) for at in self._died)
            return _as_error(done.result, lost) if ours else done.result
        self.lost += 1
        self._doubted = True
        self._spent += done.spent
        known = tuple(check for check in done.result.checks if check.id not in lost)
        self._todo = replace(self._todo, kept=Kept(known, tuple(done.result.incidents)))
        return None

    def came_to_nothing(self, why: TryLost) -> JudgeFault | None:
        """The fault of the job where that was the last try; None where another is due."""
        self.lost += 1
        if self.lost < TRIES:
            return None
        return _lost_for_good(why)


@contextlib.contextmanager
def started(order: Order) -> Iterator[Judge]:
    """A judge by itself that has come up, in as many tries as another.

    Raises:
        CannotJudge: it cannot grade at all, or every try was lost.
    """
    judge = Judge(order)
    lost: StartLost | None = None
    for _number in range(TRIES):
        try:
            judge.start()
            break
        except StartLost as why:
            lost = why
    else:
        raise _lost_for_good(lost or StartLost("")) from None
    try:
        yield judge
    finally:
        judge.close()


def _lost_for_good(why: TryLost) -> JudgeFault:
    words = _("the judge was lost {n} times: {reason}").format(n=TRIES, reason=why)
    return CannotJudge(words) if isinstance(why, StartLost) else JudgeFault(words)


def _as_error(result: Result, lost: set[str]) -> Result:
    """The result with checks that nobody can judge here: a fault of ours, and never a zero."""
    message = _("Not judged: the process was killed from outside each time, perhaps by a system short of memory.")
    for check in result.checks:
        if check.id in lost:
            check.outcome, check.points, check.message, check.hint = "error", 0.0, message, ""
            check.diagnosis, check.diagnosis_title, check.parts = None, "", {}
    result.points = rounded(sum(check.points for check in result.checks))
    result.outcome = "error"
    return result


class Quiet:
    """Lets tries run side by side, and a last one alone. For several threads."""

    def __init__(self) -> None:
        self._running = 0
        self._alone = 0  # last tries that run, or wait for others to end
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def trying(self, last: bool, given_up: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """While a try runs; `given_up`: whether nobody waits for it any more."""
        with self._changed:
            self._alone += last
            while not given_up() and (self._running if last else self._alone):
                self._changed.wait(1.0)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._alone -= last
                self._changed.notify_all()


def in_tries(
    tries: Tries, once: Callable[[Ask], JobResult], quiet: Quiet, given_up: Callable[[], bool] = lambda: False,
    progress: bool = False,
) -> Result | None:  # fmt: skip
    """The result of a job.

    Args:
        tries: of the job.
        once: one try; TryLost where another may end well.
        quiet: where other jobs are tried too.
        given_up: whether nobody waits any more: then None.
        progress: whether to ask about each check.

    Raises:
        JudgeFault: every try was lost, or one failed in a way that the next would too.
        CannotJudge: no judge could be started.
    """
    while not given_up():
        try:
            with quiet.trying(tries.last, given_up):
                result = tries.came(once(tries.next(progress)))
            if result is not None:
                return result
        except TryLost as lost:
            fault = tries.came_to_nothing(lost)
            if fault is not None and not given_up():
                raise fault from lost
    return None
