"""Verification: the reference gets full marks over many seeds, the stub none, every mistake loses what it should.

A mistake must lose the check meant for it and be named there, in every run. What else it loses is compared with
`losses.yaml`, which `--accept` writes. An exact check that it turns red, and that is not merely blocked, needs a
written reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograder.authoring.losses import losses_text, read_bank, read_losses
from autograder.authoring.mistakes import HowOften, Mistake
from autograder.batch.job import Order
from autograder.batch.pool import Done, run_tasks
from autograder.batch.populations import Advance, Run, Subject, SubjectKind, subjects, task
from autograder.batch.touched import Touched
from autograder.course import CourseConfig, Exercise
from autograder.language import _
from autograder.results.files import write_atomically
from autograder.results.model import CheckResult

SECRET = b"the secret of verification runs"
PASSES, LOSES, SOMETIMES, UNANSWERED, NOT_RUN, WRONG = "●", "○", "◐", "·", " ", "✗"
FURTHER = 1000  # seeds of the reference from here on are of its exact checks alone
_ORDER: dict[SubjectKind, int] = {"reference": 0, "alternative": 1, "stub": 2, "mistake": 3}
Rows = dict[str, list[str]]  # submission -> a sign for each check


@dataclass(frozen=True)
class VerificationSeeds:
    """How many runs of each kind."""

    reference: int = 50
    alternative: int = 3
    mistake: int = 2
    stub: int = 2
    exact: int = 0  # further runs of the reference on its exact checks only


@dataclass
class Verification:
    """What was seen of one exercise.

    Attributes:
        bank: mistake -> what is known of it.
        checks: ids in order.
        passed, judged: subject -> check -> how often it passed, and was judged.
        runs: subject -> number of runs, but for those of exact checks alone.
        kinds: subject -> reference, alternative, mistake or stub.
        lost: mistake -> seed -> the checks that did not pass.
        durations: of the reference's runs, seconds.
        exact: ids of the exact checks.
        problems: one line for each thing that is not as it should be.
        differences: one line for each check whose loss is another than in losses.yaml.
        measured: what each mistake without a problem loses beside the check meant for it.
        remarks: what an author may want to look at.
    """

    exercise: str
    bank: dict[str, Mistake] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    passed: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    judged: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    runs: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    kinds: dict[str, SubjectKind] = field(default_factory=dict)
    lost: dict[str, dict[int, dict[str, CheckResult]]] = field(default_factory=lambda: defaultdict(dict))
    durations: list[float] = field(default_factory=list)
    exact: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    measured: dict[str, dict[str, HowOften]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    messages: set[str] = field(default_factory=set)  # of checks that did not pass: the causes that problems name

    @property
    def seconds(self) -> float:
        """Median time of all checks on the reference."""
        return sorted(self.durations)[len(self.durations) // 2] if self.durations else 0.0

    def rows(self) -> Rows:
        """A sign for each submission and check, with a cross where it is not as it should be."""
        rows = expected(self.kinds, self.checks, self.bank)
        return crossed(rows, self.checks, self.passed, self.judged)

    @property
    def named(self) -> int:
        """How many mistakes were named by the check meant for them in every run."""
        return sum(
            all((own := lost.get(self.bank[name].check)) and own.diagnosis == name for lost in runs.values())
            for name, runs in self.lost.items()
        )


def verify(
    course: CourseConfig,
    exercise: Exercise,
    seeds: VerificationSeeds,
    workers: int,
    advance: Advance,
    only: Collection[str] = (),
    touched: Touched | None = None,
) -> Verification:
    """Judge every known submission of an exercise; what is not as it should be is said.

    Args:
        only: these mistakes and no other submission.
        touched: what this touches and no more.
    """
    seen = Verification(exercise.id, bank={mistake.id: mistake for mistake in read_bank(exercise)})
    order = Order(course.file, (exercise.hidden_folder,), SECRET)
    only = only or () if touched is None else ()
    chosen = [s for s in subjects(exercise) if not only or (s.kind == "mistake" and s.name in only)]
    limited = {one.name: () if touched is None else _asked(one, touched, seen.bank) for one in chosen}
    tasks = [
        task(course, exercise, one, seed, asked)
        for one in chosen
        if (asked := limited[one.name]) is not None
        for seed in range(getattr(seeds, one.kind))
    ]
    further = not only and touched is None
    total = len(tasks) + (seeds.exact if further else 0)

    def collect(done: Done[Run]) -> None:
        _note(seen, done)
        advance(total, str(done.task.key))

    run_tasks(order, tasks, workers, collect)
    if seeds.exact and further:
        exact = tuple(check for check in seen.checks if check in seen.exact)
        more = [task(course, exercise, chosen[0], FURTHER + seed, exact) for seed in range(seeds.exact)]
        run_tasks(order, more, workers, collect)
    for name in sorted(seen.lost, key=list(seen.bank).index):
        problems = _faults(seen, seen.bank[name], seen.lost[name])
        seen.problems += [f"mistake {name}: {line}" for line in problems]
        if not problems:
            seen.measured[name] = _measured(seen.bank[name], seen.lost[name])
            seen.differences += [f"mistake {name}: {line}" for line in _differences(seen, name)]
    if further:
        gone = [name for name in read_losses(exercise.losses) if name not in seen.bank]
        seen.differences += [_("losses.yaml names {name}, which is no mistake").format(name=name) for name in gone]
        wanted = {check for mistake in seen.bank.values() for check in (mistake.check, *mistake.losses)}
        for check in seen.checks:
            if check not in wanted and "quiz" not in check:
                seen.remarks.append(_("no mistake of the bank is meant for {check}").format(check=check))
    return seen


def _asked(subject: Subject, touched: Touched, bank: Mapping[str, Mistake]) -> tuple[str, ...] | None:
    """Checks that a change leaves to run on a submission: `()` all of them, None that none is left."""
    if subject.kind == "mistake":
        if subject.name in touched.mistakes:
            return ()
        mistake = bank[subject.name]
        lost = {mistake.check, *mistake.losses}.intersection(touched.checks)
        return (*touched.checks, mistake.check) if lost else None
    if subject.name in touched.alternatives and subject.kind == "alternative":
        return ()
    return touched.checks or None


def accept(seen: Verification, exercise: Exercise) -> list[str]:
    """Write what was measured into losses.yaml, and leave out mistakes that are gone; the lines that are new."""
    seen.bank = {name: replace(m, losses=seen.measured.get(name, m.losses)) for name, m in seen.bank.items()}
    text = losses_text({name: mistake.losses for name, mistake in seen.bank.items()})
    before = exercise.losses.read_text(encoding="utf-8") if exercise.losses.is_file() else ""
    if text != before:
        write_atomically(exercise.losses, text)
    return [line for line in text.splitlines()[1:] if line not in before.splitlines()]


def _note(seen: Verification, done: Done[Run]) -> None:
    kind, name, seed = done.task.key
    label = str(done.task.key)
    if done.result is None:
        seen.problems.append(f"{label}: {done.fault}")
        return
    seen.kinds[name] = kind
    result = done.result
    for check in result.checks:
        if check.id not in seen.checks:
            seen.checks.append(check.id)
        if check.kind == "exact":
            seen.exact.add(check.id)
        if check.outcome == "error" and kind != "mistake":
            seen.problems.append(f"{label}: {check.id} is a fault of ours: {check.message}")
        seen.messages |= {check.message} if check.outcome != "passed" else set()
        seen.judged[name][check.id] += 1
        seen.passed[name][check.id] += check.outcome == "passed"
    if seed < FURTHER:
        seen.runs[name] += 1
        if kind == "reference":
            seen.durations.append(result.duration_s)
    if kind == "mistake":
        seen.lost[name][seed] = {check.id: check for check in result.checks if check.outcome != "passed"}
    for check in result.checks:
        if kind == "stub" and check.outcome == "passed":
            seen.problems.append(f"{label}: the untouched stub passes {check.id}")
        wanted = kind == "reference" or (kind == "alternative" and check.kind != "quiz")
        if wanted and check.outcome != "passed":
            seen.problems.append(f"{label}: {check.id} {check.outcome}: {check.message}")


def _faults(seen: Verification, mistake: Mistake, runs: Mapping[int, Mapping[str, CheckResult]]) -> list[str]:
    """What is wrong with a mistake itself: --accept does not put up with it."""
    lines = []
    for seed, lost in runs.items():
        meant = lost.get(mistake.check)
        if meant is None:
            lines.append(_("passes {check}, the check meant for it (seed {n})").format(check=mistake.check, n=seed))
        elif meant.diagnosis != mistake.id:
            lines.append(
                _("{check} does not name it (seed {n}, diagnosis: {diagnosis})").format(
                    check=mistake.check, n=seed, diagnosis=meant.diagnosis
                )
            )
    lines += [
        _("{check} met a fault of ours: {message}").format(check=check, message=entry.message)
        for lost in runs.values()
        for check, entry in lost.items()
        if entry.outcome == "error"
    ]
    red = {
        check: entry.message
        for lost in runs.values()
        for check, entry in lost.items()
        # What only lost parts whose functions' values are wrong elsewhere is blocked there, not red.
        if check in seen.exact
        and check != mistake.check
        and entry.outcome == "failed"
        and (not entry.parts or "failed" in entry.parts.values())
    }
    lines += [
        _("turns {check} red, too ({message}): mend it, or say in also= why").format(check=check, message=message)
        for check, message in red.items()
        if check not in mistake.also
    ]
    lines += [
        _("also= says why {check} turns red, and it does not").format(check=check)
        for check in mistake.also
        if check not in red and mistake.losses.get(check) != "sometimes" and seen.judged[mistake.id][check]
    ]
    return lines


def _measured(mistake: Mistake, runs: Mapping[int, Mapping[str, CheckResult]]) -> dict[str, HowOften]:
    """What a mistake loses beside the check meant for it. What it once lost in some runs only stays `sometimes`."""
    known = {check for check, when in mistake.losses.items() if when == "sometimes"}
    lost = {check for run in runs.values() for check in run} | known
    always = {check for check in lost - known if all(check in run for run in runs.values())}
    return {check: "always" if check in always else "sometimes" for check in sorted(lost - {mistake.check})}


def _differences(seen: Verification, name: str) -> list[str]:
    """Where that is not what losses.yaml says."""
    was, now = seen.bank[name].losses, seen.measured[name]
    messages = {check: entry.message for lost in seen.lost[name].values() for check, entry in lost.items()}
    return [
        _("loses {check} {now}, in losses.yaml {was}: {message}").format(
            check=check, now=now.get(check, "never"), was=was.get(check, "never"), message=messages.get(check, "-")
        )
        for check in sorted(was.keys() | now.keys())
        if was.get(check) != now.get(check) and seen.judged[name][check]
    ]


# --- the matrix of known submissions × checks: what should come out, and where something else did


def expected(kinds: Mapping[str, SubjectKind], checks: Sequence[str], bank: Mapping[str, Mistake]) -> Rows:
    """What each submission should give: the reference first, then alternatives, the stub and the mistakes."""
    names = sorted(kinds, key=lambda name: _ORDER[kinds[name]])
    return {name: [_expected(kinds[name], check, bank.get(name)) for check in checks] for name in names}


def _expected(kind: SubjectKind, check: str, mistake: Mistake | None) -> str:
    if kind == "stub":
        return LOSES
    if kind == "alternative":
        return UNANSWERED if check.startswith("quiz_") else PASSES
    if mistake is None:
        return PASSES
    if check == mistake.check:
        return LOSES
    return {"always": LOSES, "sometimes": SOMETIMES}.get(mistake.losses.get(check, ""), PASSES)


def crossed(
    rows: Rows, checks: Sequence[str], passed: Mapping[str, Mapping[str, int]], judged: Mapping[str, Mapping[str, int]]
) -> Rows:
    """The same, with a cross where what came out is not as it should be, and nothing where nothing was run."""
    kept = {PASSES: lambda p, n: p == n, LOSES: lambda p, n: p == 0}
    return {
        name: [
            NOT_RUN if not judged[name][check]
            else sign if sign not in kept or kept[sign](passed[name][check], judged[name][check])
            else WRONG
            for check, sign in zip(checks, signs, strict=True)
        ]
        for name, signs in rows.items()
    }
