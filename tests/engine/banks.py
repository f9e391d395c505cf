"""The banks of submissions that we know the truth about, beside the alternatives: judged here, and by the tests.

    python -m tests.engine.banks degenerate EXERCISE [NAME]            points of submissions without merit
    python -m tests.engine.banks valid EXERCISE [--count 5] [--from 0] [--names 5] [--training]
    python -m tests.engine.banks missing EXERCISE [NAME] [--training]  loss where one public name is not written
    python -m tests.engine.banks stand-ins EXERCISE                    arguments used as the modules that they stand for
    python -m tests.engine.banks single EXERCISE [--names 5]           numbers that were a float32 tensor for a moment
    python -m tests.engine.banks own EXERCISE [MISTAKE]                mistakes with other weights that are not named

They stand in `tests/degenerate/<exercise>/*.py`, with `most.yaml`, and `tests/valid/<exercise>.py`, with `source(rng)`.
The quiz is left out.
"""

from __future__ import annotations

import argparse
import ast
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from autograder.authoring.losses import read_bank
from autograder.authoring.overlay import apply_mistake
from autograder.batch.declarations import declared_checks
from autograder.batch.job import Order, job_of
from autograder.batch.judges import Judge
from autograder.course import CourseConfig, Exercise, find_exercise, load_config
from autograder.judge.check import CheckInfo
from autograder.judge.reference import load_module
from autograder.results.model import CheckResult, Result
from autograder.submissions.model import Cell, Submission
from tests.engine.own_weights import with_own_weights

ROOT = Path(__file__).parents[2]
MARGIN = 0.25  # points of other checks that a missing name may cost
MOST = 2.0  # points that a submission without merit may earn of 20
NAMES = ("amelie", "bilal", "chloe", "daniel", "elif")
STAND_INS = (
    "model", "generator", "discriminator", "critic", "classifier", "score_fn", "text_encoder",
)  # fmt: skip
_UNWRITTEN = """

def {name}(*args, **kwargs):
    raise NotImplementedError("{name} is not written yet")
"""
# A check that passes plain functions, where a contract allows any callable, has this word in its id.
CALLABLES = "callable"
_USED = """
_autograder_inside = []


def _autograder_wrapped(function, names):
    import functools, inspect

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        if _autograder_inside:  # what the solution's functions hand to each other is the solution's business
            return function(*args, **kwargs)
        _autograder_inside.append(function)
        try:
            return looked_at(*args, **kwargs)
        finally:
            _autograder_inside.pop()

    def looked_at(*args, **kwargs):
        try:
            given = inspect.signature(function).bind(*args, **kwargs).arguments
        except TypeError:
            return function(*args, **kwargs)
        for name, m in given.items():
            if name in names and m is not None and not isinstance(m, torch.Generator):
                if type(m).forward is torch.nn.Module.forward:
                    raise AttributeError("a module without forward")
                was = [(part, part.training) for part in m.modules()]  # a submodule may have a mode of its own
                next(m.parameters()).device
                m.train(); m.eval(); m.state_dict(); m.to(next(m.parameters()).device)
                for part, mode in was:
                    part.training = mode
        return function(*args, **kwargs)

    return wrapped


for _name in {public!r}:
    if _name in globals() and not isinstance(globals()[_name], type):
        globals()[_name] = _autograder_wrapped(globals()[_name], {stand_ins!r})
"""
_SINGLE = """

def _autograder_single(function):
    import functools

    def short(value):
        return float(torch.tensor(value)) if type(value) is float else value

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        return function(*map(short, args), **{{name: short(value) for name, value in kwargs.items()}})

    return wrapped


for _name in {public!r}:
    if _name in globals() and not isinstance(globals()[_name], type):
        globals()[_name] = _autograder_single(globals()[_name])
"""


@dataclass
class Bank:
    """What is known of one exercise, and a judge for it.

    Args:
        course: with the exercise.
        name: its id.
        judge: of the course.
    """

    course: CourseConfig
    name: str
    judge: Judge

    @property
    def exercise(self) -> Exercise:
        """Its files."""
        return find_exercise(self.course, self.name)

    @cached_property
    def solution(self) -> str:
        """The text of the reference."""
        return self.exercise.solution.read_text(encoding="utf-8")

    @cached_property
    def checks(self) -> dict[str, CheckInfo]:
        """What it declares, the quiz left out."""
        return {c.info.id: c.info for c in declared_checks(self.exercise) if c.info.kind != "quiz"}

    @cached_property
    def public(self) -> tuple[str, ...]:
        """The contract's names."""
        return tuple(yaml.safe_load(self.exercise.contract.read_text(encoding="utf-8"))["names"])

    def quick(self, kinds: tuple[str, ...] = ("exact", "statistical")) -> tuple[str, ...]:
        """Ids of the checks that train nothing."""
        return tuple(name for name, info in self.checks.items() if info.kind in kinds)

    def graded(
        self, source: str, student: str = NAMES[0], checks: tuple[str, ...] = (), examples: bool = False
    ) -> dict[str, CheckResult]:
        """The checks of a file, without the quiz; examples of what is wrong where they are asked for."""
        file = f"{self.name}.py"
        submission = Submission(student, self.name, Path(file), "", "py", (Cell(1, file, source, 1),))
        # With a salt, as verification has one, no examples are made.
        job = job_of(self.course, submission, checks=checks or tuple(self.checks), salt="" if examples else "bank")
        result: Result = self.judge.grade(job)
        faults = [f"{check.id}: {check.message}" for check in result.checks if check.outcome == "error"]
        assert not faults, faults
        return {check.id: check for check in result.checks if check.kind != "quiz"}

    def points(self, found: Mapping[str, CheckResult], kind: str | None = None) -> float:
        """What was earned of the exercise's own points, all of its checks judged or not."""
        return sum(self.checks[c.id].points * c.share for c in found.values() if kind in (None, c.kind))

    # --- degenerate -----------------------------------------------------------------------------------------------

    @property
    def degenerate(self) -> dict[str, str]:
        """The submissions without merit: name -> text."""
        folder = ROOT / "tests" / "degenerate" / self.name
        return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}

    @property
    def most(self) -> dict[str, float]:
        """The most that each of them may earn."""
        file = ROOT / "tests" / "degenerate" / self.name / "most.yaml"
        return yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}

    # --- valid ----------------------------------------------------------------------------------------------------

    @property
    def valid(self) -> Callable[[random.Random], str] | None:
        """The generator of random valid solutions."""
        file = ROOT / "tests" / "valid" / f"{self.name}.py"
        if not file.is_file():
            return None
        return load_module(f"valid_{self.name}", file.read_text(encoding="utf-8"), str(file)).source

    def drawn(self, seed: int) -> str:
        """One valid solution."""
        assert self.valid is not None
        return self.valid(random.Random(f"{self.name} {seed}"))

    # --- missing --------------------------------------------------------------------------------------------------

    def without(self, name: str) -> str:
        """The reference where one public name is not written."""
        return self.solution + _UNWRITTEN.format(name=name)

    @cached_property
    def _uses(self) -> dict[str, set[str]]:
        """What each definition of the reference names of the others."""
        tree = ast.parse(self.solution)
        defined = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        return {
            name: {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in defined} - {name}
            for name, node in defined.items()
        }

    def reaching(self, name: str) -> set[str]:
        """The names of the reference that cannot work without this one: those that call it, and so on."""
        found, todo = {name}, [name]
        while todo:
            one = todo.pop()
            new = {user for user, used in self._uses.items() if one in used} - found
            found |= new
            todo += new
        return found

    def may_cost(self, name: str, judged: Mapping[str, CheckResult]) -> float:
        """The most that a file without this name may lose of the checks that were judged."""
        reaching = self.reaching(name)
        about = {key for key, info in self.checks.items() if reaching & set(info.covers)}
        grown = True
        while grown:
            more = {key for key, info in self.checks.items() if about & set(info.requires)} - about
            grown, about = bool(more), about | more
        return sum(self.checks[key].points for key in about if key in judged) + MARGIN

    def costs(self, name: str, training: bool = False) -> tuple[float, float, list[str]]:
        """What a file without this name loses, the most that it may lose, and the checks that it does not pass."""
        found = self.graded(self.without(name), checks=() if training else self.quick())
        lost = [key for key, check in found.items() if check.outcome != "passed"]
        total = sum(self.checks[key].points * (1 - check.share) for key, check in found.items())
        return total, self.may_cost(name, found), lost

    # --- stand-ins ------------------------------------------------------------------------------------------------

    def using_stand_ins(self) -> str:
        """The reference, whose functions use what they are given as the whole modules that it stands for."""
        return self.solution + _USED.replace("{public!r}", repr(self.public)).replace("{stand_ins!r}", repr(STAND_INS))

    def narrow(self) -> dict[str, str]:
        """The checks that hand over something narrower: id -> message."""
        wanted = tuple(name for name in self.quick() if CALLABLES not in name)
        found = self.graded(self.using_stand_ins(), checks=wanted)
        return {key: check.message for key, check in found.items() if key in wanted and check.outcome != "passed"}

    # --- single precision -----------------------------------------------------------------------------------------

    def with_single_numbers(self) -> str:
        """The reference with `torch.tensor(number)` around each number that it is given: 6e-8 of it are lost."""
        return self.solution + _SINGLE.format(public=self.public)

    # --- own weights ----------------------------------------------------------------------------------------------

    def unnamed(self, only: str | None = None) -> dict[str, CheckResult]:
        """The mistakes that their own check does not name where the networks have other weights; trainings aside."""
        found = {}
        for mistake in read_bank(self.exercise):
            if mistake.check in self.quick() and only in (None, mistake.id):
                wrong = with_own_weights(apply_mistake(self.solution, mistake))
                check = self.graded(wrong, checks=(mistake.check,))[mistake.check]
                if check.diagnosis != mistake.id:
                    found[mistake.id] = check
        return found


def course() -> CourseConfig:
    """Ours."""
    return load_config(ROOT / "grading_config.yaml")


def a_judge(config: CourseConfig) -> Judge:
    """For all exercises, whose checks are collected when they are first asked for."""
    return Judge(Order(config.file, (), b"the secret of the banks"))


def _degenerate(bank: Bank, options: argparse.Namespace) -> Iterator[str]:
    for name, source in bank.degenerate.items():
        if options.name in (None, name):
            found = bank.graded(source)
            most, training = bank.most.get(name), bank.points(found, "training")
            earned = ", ".join(f"{c.id} {bank.checks[c.id].points * c.share:.3g}" for c in found.values() if c.share)
            yield f"{name}: {bank.points(found):.3g} (training {training:.3g}; most {most}): {earned or '-'}"


def _valid(bank: Bank, options: argparse.Namespace) -> Iterator[str]:
    for seed in range(options.start, options.start + options.count):
        source = bank.drawn(seed)
        for number, student in enumerate(NAMES[: options.names]):
            found = bank.graded(source, student, () if options.training and number == 0 else bank.quick())
            lost = {key: check.message for key, check in found.items() if check.outcome != "passed"}
            yield f"{seed} {student}: {lost or 'full marks'}"


def _missing(bank: Bank, options: argparse.Namespace) -> Iterator[str]:
    for name in bank.public:
        if options.name in (None, name):
            lost, most, checks = bank.costs(name, options.training)
            sign = "!!" if lost > most + 1e-9 else "ok"
            yield f"{sign} {name}: loses {lost:.3g} of at most {most:.3g}: {', '.join(checks)}"


def _own(bank: Bank, options: argparse.Namespace) -> Iterator[str]:
    for mistake, check in bank.unnamed(options.name).items():
        yield f"{mistake} / {check.id}: {check.diagnosis}: {check.message}"


def _stand_ins(bank: Bank, options: argparse.Namespace) -> Iterator[str]:
    for key, message in bank.narrow().items():
        yield f"{key}: {message}"


def _single(bank: Bank, options: argparse.Namespace) -> Iterator[str]:
    for student in NAMES[: options.names]:
        found = bank.graded(bank.with_single_numbers(), student, bank.quick())
        yield f"{student}: {({key: c.message for key, c in found.items() if c.outcome != 'passed'}) or 'full marks'}"


COMMANDS = {
    "degenerate": _degenerate, "valid": _valid, "missing": _missing, "stand-ins": _stand_ins, "single": _single,
    "own": _own,
}  # fmt: skip


def main() -> None:
    """Judge a bank and say what came out, a line each."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.banks")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("exercise")
    parser.add_argument("name", nargs="?")
    parser.add_argument("--count", type=int, default=5, help="how many valid solutions")
    parser.add_argument("--from", type=int, default=0, dest="start", help="number of the first one")
    parser.add_argument("--names", type=int, default=5, help="students under whose names each is graded")
    parser.add_argument("--training", action="store_true", help="the trainings as well")
    options = parser.parse_args()
    config = course()
    with a_judge(config) as judge:
        for line in COMMANDS[options.command](Bank(config, options.exercise, judge), options):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
