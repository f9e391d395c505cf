"""The grader of a course: judges that stay warm between calls, for one submission or for a class."""

from __future__ import annotations

import hashlib
import json
import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import structs

from autograder.authoring.personal import read_drawn_for
from autograder.authoring.public import checks_of
from autograder.batch.cluster import Cluster
from autograder.batch.job import Order, Worth, job_of, ungraded
from autograder.batch.judges import JudgeFault, OnCheck
from autograder.batch.keys import Keys
from autograder.batch.pictures import Pictures
from autograder.batch.plan import Choice, Plan, make_plan
from autograder.batch.pool import Judges, OnDone, Source, workers_for
from autograder.batch.retries import started
from autograder.course import find_exercise
from autograder.course.discovery import PUBLIC_CHECKS
from autograder.language import _
from autograder.results.attempt import Name
from autograder.results.model import Result
from autograder.service.course import PUBLIC, Course, in_its_language
from autograder.service.speed import slower
from autograder.submissions import Entry, HandIn, Submission, SubmissionUnreadable, ipython_version, read_submission
from autograder.submissions.shown import shown

if TYPE_CHECKING:
    from autograder.batch.cluster import Client
    from autograder.batch.cluster_run import ClusterRunner
    from autograder.service.book import Book
    from autograder.service.classes import Batch, Listener  # a student's install has not what a book needs

__all__ = ["Cluster", "Grader", "JudgeFault", "Plan", "Worth", "isolation_here", "worth"]

# Public inputs are fixed: a student who asks twice gets the same answer.
PUBLIC_SECRET = b"public checks have no secret"


@dataclass(eq=False)
class _Warm:
    """Judges, what they have read, and how many calls use them."""

    judges: Judges
    learns: bool  # reads the checks of other exercises when they are needed
    seen: dict[str, str] = field(default_factory=dict)  # digests of the checks, by exercise
    users: int = 0

    def knows(self, wanted: dict[str, str]) -> bool:
        """Whether these exercises can be judged by it as they are now."""
        return all(self.seen.get(one, digest if self.learns else "") == digest for one, digest in wanted.items())

    def is_stale(self, wanted: dict[str, str]) -> bool:
        """Whether one of them has changed since it was read."""
        return any(self.seen.get(exercise, digest) != digest for exercise, digest in wanted.items())


class Grader:
    """Judges of a course. A context manager; safe from several threads: each call has a judge of its own.

    A judge is started at the first submission of an exercise and kept for the next; changed checks are read again.
    Student code runs in the sandbox, never in this process.

    Args:
        course: whose exercises are graded.
        checks: `PUBLIC` for the public checks, as on a student's machine; ids of hidden checks, which are judged with
            those that they need; all hidden ones where empty.
        workers: judge processes; one per core without it. No more than have a place on a GPU, where there are any.
        unprotected: run student code WITHOUT isolation where this machine has none.
        cluster: hands a class's jobs to a cluster's workers instead.
        figures: draw the figures that pages show, for a class.

    Attributes:
        slower: what limits in seconds are multiplied by for public checks: this machine's speed.
    """

    def __init__(
        self, course: Course, checks: Sequence[str] = (), workers: int | None = None, unprotected: bool = False,
        cluster: Cluster | None = None, figures: bool = False,
    ) -> None:  # fmt: skip
        self.course = course
        self.workers = workers_for(course.config, workers)
        self._public = checks == PUBLIC
        self._checks = () if self._public else tuple(checks)
        self._unprotected = unprotected or self._public
        self._cluster = None if cluster is None else self._asking(cluster, workers)
        self._figures = figures
        self._warm: list[_Warm] = []
        self._lock = threading.Lock()
        self._closing = ExitStack()
        self._client: Client | None = None
        self.slower = slower() if self._public else 1.0

    # --- one submission

    @in_its_language
    def grade(
        self, submission: Path | str | Submission, student: str | None = None, exercise: str | None = None, *,
        parts: Sequence[str] = (), watch: OnCheck | None = None,
    ) -> Result:  # fmt: skip
        """Grade one submission; nothing is kept of it.

        Args:
            submission: a file, or what was read of one.
            student: whose it is: inputs are drawn by the name; that of the file's folder without it.
            exercise: what it answers; the file's own name without it.
            parts: only the public checks of these functions and classes.
            watch: told the title of each check before it begins, and how many seconds it may take; in this thread.

        Returns:
            The result, in points before any late penalty. Its outcome is `handed_in_not_gradable` where the file holds
            no code, and `error` where a hidden check broke, which is never the student's fault.

        Raises:
            ConfigurationError: the course has no such exercise.
            JudgeFault: nothing can be graded here, the judge was lost, or a public check broke.
        """
        if isinstance(submission, Submission):
            name = exercise or submission.exercise
            read = replace(submission, student=student or submission.student, exercise=name)
            return self._graded(read, Entry(read.student, name, read.path), parts, watch)
        path = Path(submission)
        entry = Entry(student or path.absolute().parent.name, exercise or path.stem, path)
        return self._of_entry(entry, path.parent, parts, watch)

    @in_its_language
    def grade_entry(self, handed_in: HandIn, entry: Entry) -> Result:
        """Grade one file of a hand-in; nothing is kept of it. Result and errors as of `grade`."""
        return self._of_entry(entry, handed_in.folder)

    def _of_entry(
        self, entry: Entry, base: Path, parts: Sequence[str] = (), watch: OnCheck | None = None
    ) -> Result:  # fmt: skip
        self.course.config.exercise(entry.exercise)
        try:
            read = read_submission(
                entry.path, student=entry.student, exercise=entry.exercise, base=entry.base or base
            )  # fmt: skip
        except SubmissionUnreadable as reason:
            return ungraded(self.course.config, entry, reason)
        return self._graded(read, entry, parts, watch)

    def _graded(self, submission: Submission, entry: Entry, parts: Sequence[str], watch: OnCheck | None) -> Result:
        self._require_reader()
        job = job_of(self.course.config, submission, entry, checks=self._checks)
        if self._public:
            chosen = checks_of(self.course.handout.file(entry.exercise, PUBLIC_CHECKS), parts)
            notes = (*job.notes, *(_drawn_for(submission) if not parts else ()))
            job = structs.replace(job, checks=chosen, notes=notes, seconds=job.seconds * self.slower)
        with self._judges([entry.exercise]) as judges:
            result = judges.grade(job, watch)
        broken = next((check for check in result.checks if check.outcome == "error"), None)
        if broken is not None and self._public:
            # Nobody but its author can do anything about it.
            message = _("the public check {id} is broken: {message}").format(id=broken.id, message=broken.message)
            raise JudgeFault(message)
        return result

    # --- a class

    @in_its_language
    def plan(self, handed_in: HandIn, book: Book, choice: Choice | None = None) -> Plan:
        """What `grade_class` would do and why; nothing is graded or written. Arguments and errors as there."""
        from autograder.service.classes import require

        choice = choice or Choice()
        require(choice, self.course.exercises, [*handed_in.students, *handed_in.absent])
        keys = self._keys()
        pictures = self._pictures(book, keys) if self._figures else None
        return make_plan(self.course.config, keys, handed_in, book.known(), choice, pictures)

    @in_its_language
    def grade_class(
        self, handed_in: HandIn, book: Book, choice: Choice | None = None, listener: Listener | None = None
    ) -> Batch:
        """Grade of a class what is new or has changed, into its book.

        Every result is in the book as soon as it is made: an interrupted call (KeyboardInterrupt, after the judges have
        been ended) loses none of them, and the next call goes on. Views are brought up to date at the end.

        Args:
            handed_in: what the class handed in.
            book: that results are kept in.
            choice: what of it is graded; everything without it.
            listener: told each result as it comes, in this thread.

        Returns:
            What came of it: every fault of every round is in it.

        Raises:
            ChoiceFault: what was chosen is not there.
            StoreFault: the book cannot be used, or somebody else is grading into it.
            JudgeFault: nothing can be graded here.
        """
        from autograder.service.classes import ClassGrading, Listener, require

        self._require_reader()
        choice = choice or Choice()
        require(choice, self.course.exercises, [*handed_in.students, *handed_in.absent])
        keys = self._keys()
        pictures = self._pictures(book, keys)

        exercises = {entry.exercise for entry in (*handed_in.entries, *handed_in.earlier)}

        def run(source: Source[Name], on_done: OnDone[Name]) -> None:
            self._run(sorted(exercises), keys, source, on_done)

        grading = ClassGrading(book, keys, choice, run, listener or Listener(), pictures, self._figures)
        return grading.grade(handed_in)

    # --- judges

    def _require_reader(self) -> None:
        """Grades depend on how cells are read: only a student's own check goes without IPython."""
        if not self._public and not ipython_version():
            raise JudgeFault(
                _(
                    "IPython is not installed here, and it reads the cells of what was handed in: "
                    "pip install ipython, or the extra `instructor`"
                )
            )

    def _run(self, exercises: Sequence[str], keys: Keys, source: Source[Name], on_done: OnDone[Name]) -> None:
        """Have the jobs of a class judged, here or on the cluster."""
        if self._cluster is not None:
            self._over_the_cluster(self._cluster, keys)(self._order(exercises), source, on_done)
            return
        with self._judges(exercises) as judges:
            judges.run(source, on_done)

    def close(self) -> None:
        """End the judges."""
        with self._lock:
            for warm in self._warm:
                warm.judges.close()
            self._warm.clear()
            self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _asking(self, cluster: Cluster, workers: int | None) -> Cluster:
        resources, share = dict(cluster.resources), self.course.config.workers_per_gpu
        if self.course.config.device == "cuda":
            # Rounded down: all parts together are no more than one, also where they are written with few digits.
            resources.setdefault("GPU", math.floor(1e6 / share) / 1e6)
        return replace(cluster, resources=resources, workers=workers or 1, workers_per_gpu=share)

    def _keys(self) -> Keys:
        course = self.course
        return Keys(course.config, course.secret(), course.language, self._unprotected)

    def _pictures(self, book: Book, keys: Keys) -> Pictures | None:
        return Pictures(book.views, self.course.config, keys) if book.views is not None else None

    def _order(self, exercises: Sequence[str]) -> Order:
        course, file = self.course, self.course.config.file
        if self._public:
            checks = tuple(course.handout.file(exercise, PUBLIC_CHECKS).parent for exercise in exercises)
            return Order(file, checks, PUBLIC_SECRET, True, public=True, language=course.language, slower=self.slower)
        # Hidden checks are collected when they are first needed.
        return Order(file, (), course.secret(), self._unprotected, language=course.language)

    @contextmanager
    def _judges(self, exercises: Sequence[str]) -> Iterator[Judges]:
        """Judges that know these exercises as they are now, for the time of a block."""
        if os.name == "nt":
            raise JudgeFault(
                _(
                    "student code cannot be run under its limits on Windows: use WSL (wsl --install), and do the same "
                    "there"
                )
            )
        wanted = {exercise: self._digest(exercise) for exercise in exercises}
        with self._lock:
            older = [old for old in self._warm if not old.users and old.is_stale(wanted)]
            self._warm = [one for one in self._warm if one not in older]
            warm = next((one for one in self._warm if one.knows(wanted)), None)
            if warm is None:
                warm = _Warm(Judges(self._order(exercises), self.workers), not self._public)
                self._warm.append(warm)
            warm.seen |= wanted
            warm.users += 1
        for old in older:
            old.judges.close()
        try:
            yield warm.judges
        finally:
            with self._lock:
                warm.users -= 1

    def _digest(self, exercise: str) -> str:
        """Of the checks and all that they read: judges that have read others are not asked."""
        if self._public:
            files = sorted(self.course.handout.file(exercise, PUBLIC_CHECKS).parent.glob("*.py"))
            return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
        return json.dumps(self._keys().shared(exercise), sort_keys=True)

    def _over_the_cluster(self, cluster: Cluster, keys: Keys) -> ClusterRunner:
        from autograder.batch.cluster import connect
        from autograder.batch.cluster_run import ClusterRunner

        with self._lock:
            if self._client is None:
                self._client = self._closing.enter_context(connect(cluster))
        return ClusterRunner(self._client, self.course.config, keys, cluster.resources, cluster.course)


def worth(course: Course, exercises: Sequence[str], public: bool = False) -> Mapping[str, Sequence[Worth]]:
    """The checks of each exercise, in their order; nothing is graded.

    Raises:
        JudgeFault: they cannot be collected.
    """
    found = [find_exercise(course.config, exercise) for exercise in exercises]
    places = tuple(exercise.public_checks if public else exercise.hidden_folder for exercise in found)
    order = Order(course.config.file, places, b"nothing is graded with it", listing=True, public=public)
    with started(order) as judge:
        return {exercise: judge.checks.get(exercise, ()) for exercise in exercises}


def isolation_here() -> str:
    """The level of isolation and what is missing, in words; or why there is none."""
    from autograder.sandbox import IsolationRefused, WarmParent, WarmParentDied

    try:
        with WarmParent(preload=()) as parent:
            found = parent.isolation
    except (IsolationRefused, WarmParentDied, OSError) as reason:
        return f"none ({reason})"
    return f"{found.level}; missing: {', '.join(found.missing) or 'nothing'}"


def _drawn_for(submission: Submission) -> list[str]:
    """Whose questions the file has: handed in under another name it would be judged by other ones."""
    named = read_drawn_for("\n".join(cell.source for cell in submission.cells))
    if named is None:
        return []
    return [_("Its questions were drawn for {name}: hand it in under this name.").format(name=shown(named.student))]
