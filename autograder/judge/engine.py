"""What a judge process makes once for all submissions: reference modules, limits, mistakes, the warm parent."""

from __future__ import annotations

import ast
import base64
import marshal
import os
import types
from collections.abc import Callable, Container, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from msgspec import structs

from autograder.authoring.losses import read_bank
from autograder.authoring.mistakes import Mistake
from autograder.authoring.overlay import apply_mistake
from autograder.authoring.personal import load_quiz, personal_rng, personalise
from autograder.course.config import CourseConfig, ExerciseConfig
from autograder.course.discovery import Exercise, find_exercise
from autograder.course.secret import derive_seed
from autograder.judge.calibrated import LimitBook
from autograder.judge.gpus import Place, take_place
from autograder.judge.grading import Grading
from autograder.judge.images import RealImages
from autograder.judge.loading import Code
from autograder.judge.local import LocalTransport
from autograder.judge.messages import Job
from autograder.judge.quiz import RightAnswers
from autograder.judge.reference import classes, load_module, parameters, signatures
from autograder.judge.session import Session
from autograder.judge.transport import Transport, WorkerTransport
from autograder.judge.verdicts import FrameworkFault
from autograder.language import said
from autograder.sandbox import WarmParent, WorkerLimits
from autograder.sandbox.installed import installed
from autograder.sandbox.isolation import GPU_LAYER, MIB
from autograder.submissions.model import CodeCell
from autograder.worker.proofs import names_in

if TYPE_CHECKING:
    from autograder.judge.drawing import Drawing
    from autograder.judge.right_code import RightCode

FILE_BYTES = 32 * MIB


def compiled(probes: str) -> str:
    """Probes as a worker gets them: code without text, for whoever looks round in its process."""
    tree = ast.parse(probes)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[:1] = [] if len(node.body) > 1 else [ast.Pass()]
    code = compile(ast.fix_missing_locations(tree), "probes.py", "exec", dont_inherit=True)
    return base64.b64encode(marshal.dumps(code)).decode()


class Kit:
    """The trusted material of one exercise, read once."""

    def __init__(self, exercise: Exercise, config: ExerciseConfig) -> None:
        self.exercise = exercise
        self.config = config
        self.drawings: dict[str, Drawing] = {}  # the reference's figures, by name

    @cached_property
    def solution(self) -> str:
        return self.exercise.solution.read_text(encoding="utf-8")

    @cached_property
    def reference(self) -> types.ModuleType:
        return load_module(f"reference_{self.exercise.id}", self.solution, str(self.exercise.solution))

    @cached_property
    def signatures(self) -> Mapping[str, str]:
        return signatures(self.reference)

    @cached_property
    def parameters(self) -> Mapping[str, tuple[str, ...]]:
        return parameters(self.reference)

    @cached_property
    def classes(self) -> frozenset[str]:
        return classes(self.reference)

    @cached_property
    def probes(self) -> str:
        """Compiled, see `compiled`."""
        path = self.exercise.probes
        if not path.is_file():
            return ""
        source = path.read_text(encoding="utf-8")
        try:
            load_module(f"probes_{self.exercise.id}", source, str(path))
        except Exception as error:  # said here once: beside a submission it would look like the student's doing
            raise FrameworkFault(f"{path}: cannot be loaded ({type(error).__name__}: {error})") from error
        return compiled(source)

    @cached_property
    def probe_names(self) -> tuple[str, ...]:
        """What they use of others, by name."""
        return tuple(sorted(names_in(marshal.loads(base64.b64decode(self.probes))))) if self.probes else ()

    @cached_property
    def limits(self) -> LimitBook:
        return LimitBook(self.exercise.reference_json)

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        return read_bank(self.exercise)

    def quiz_answers(self, student: str) -> RightAnswers:
        """The right answers to this student's own questions."""
        if not self.exercise.quiz.is_file():
            return {}
        quiz = load_quiz(self.exercise.quiz)
        if quiz.answers is None:
            raise FrameworkFault(f"{self.exercise.quiz}: defines no function answers")
        numbers, _questions = quiz.draw(personal_rng(self.exercise, student))
        return quiz.answers(numbers)

    def quiz_questions(self, student: str) -> dict[str, str]:
        """This student's own questions, in the language in force."""
        if not self.exercise.quiz.is_file():
            return {}
        _numbers, questions = load_quiz(self.exercise.quiz).draw(personal_rng(self.exercise, student))
        return {key: said(text) for key, text in questions.items()}

    def reference_session(self) -> Session:
        """A session on the reference solution, in this process."""
        return Session(LocalTransport(self.reference), Code(self.exercise.id, (), self.probes), 60.0)

    def mistake_sessions(self, check: str, passed: Container[str] = ()) -> Iterator[tuple[str, Session]]:
        """A session on each known mistake that this check catches, the most specific first: those meant for it, and
        those that lose the least besides. None whose own check is among those `passed`: that is not it."""
        meant = [mistake for mistake in self.mistakes if check in mistake.loses and mistake.check not in passed]
        for mistake in sorted(meant, key=lambda one: (one.check != check, len(one.loses))):
            yield mistake.id, self.mistake_session(mistake)

    def mistake_session(self, mistake: Mistake) -> Session:
        """A session on a known mistake."""
        module = self._mistake_modules.get(mistake.id)
        if module is None:
            source = apply_mistake(self.solution, mistake)
            module = load_module(f"mistake_{self.exercise.id}_{mistake.id}", source, f"{mistake.id}.py")
            self._mistake_modules[mistake.id] = module
        return Session(LocalTransport(module), Code(self.exercise.id, (), self.probes), 60.0)

    @cached_property
    def alternatives(self) -> tuple[types.ModuleType, ...]:
        """Correct solutions that were written differently."""
        return tuple(
            load_module(f"alternative_{self.exercise.id}_{path.stem}", path.read_text(encoding="utf-8"), str(path))
            for path in self.exercise.alternatives
        )

    @cached_property
    def right_code(self) -> RightCode:
        """What the reference and the alternatives agree on."""
        from autograder.judge.right_code import RightCode

        return RightCode(self)

    @cached_property
    def _mistake_modules(self) -> dict[str, types.ModuleType]:
        return {}

    def mistake(self, mistake_id: str) -> Mistake:
        """The mistake with this id; KeyError names those there are."""
        for mistake in self.mistakes:
            if mistake.id == mistake_id:
                return mistake
        known = ", ".join(m.id for m in self.mistakes)
        raise KeyError(f"{self.exercise.mistakes}: no mistake {mistake_id!r}; there are: {known}")


class Engine:
    """Opens gradings for a course.

    Args:
        unprotected: allow workers without isolation, in so many words.
        without: layers to leave out (tests).
        public: public checks on a student's machine: no reference, no limits, no mistakes are read.
        slot: number of this judge among those that grade at the same time: its workers keep to one processor.
        slower: what limits in seconds are multiplied by.
    """

    def __init__(
        self,
        config: CourseConfig,
        secret: bytes,
        unprotected: bool = False,
        without: frozenset[str] = frozenset(),
        public: bool = False,
        slot: int | None = None,
        slower: float = 1.0,
    ) -> None:
        self.config = config
        self.slower = slower
        self.secret = secret
        self.public = public
        self._kits: dict[str, Kit] = {}
        self._unprotected = unprotected
        self._without = without
        self._slot = slot
        self._parent: WarmParent | None = None
        self._place: Place | None = None
        self.images = RealImages(config, public)

    def kit(self, exercise: str) -> Kit:
        """The trusted material of an exercise."""
        if exercise not in self._kits:
            self._kits[exercise] = Kit(find_exercise(self.config, exercise), self.config.exercise(exercise))
        return self._kits[exercise]

    def start(self) -> None:
        """Start the warm parent now rather than at the first submission."""
        if self._parent is None:
            self._place = place = take_place(self.config)
            parent = WarmParent(
                unprotected=self._unprotected,
                without=self._without,
                processor=processor_of(self._slot),
                gpu=place.opening if place is not None else None,
                gpu_required=self.config.device == "cuda",
            )
            try:
                parent.start()
            except BaseException:
                self.close()
                raise
            self._parent = parent
            if place is not None and not parent.isolation.gpu:
                place.leave()  # it does not compute here, and another judge finds that out for itself
                self._place = None
            self._require_gpu_limit(parent)
            level = parent.isolation.level
            if self.config.isolation == "full" and level != "full" and not self._unprotected:
                missing = ", ".join(parent.isolation.missing)
                self.close()
                raise FrameworkFault(
                    f"the configuration asks for isolation: full, but this machine gives {level} (missing: {missing}); "
                    "write isolation: reduced, or grade elsewhere"
                )

    def open(
        self, job: Job, watched: tuple[str, ...] = (), spent: float = 0.0, last: bool = True, doubted: bool = False
    ) -> Grading:
        """A grading of one submission; its session is to be closed.

        Args:
            watched: library functions that some check of the exercise forbids.
            spent: seconds that earlier tries have taken, which something from outside has spoilt.
            last: whether no other try will come.
            doubted: whether a worker was killed in an earlier one, and nobody knows by whom.
        """
        kit = self.kit(job.exercise)
        limits = kit.config.limits
        session = self.session(job, watched, last, doubted)
        return Grading(
            exercise=job.exercise,
            student=job.student,
            seed=self.seeds(job.exercise, job.student, job.salt),
            session=session,
            reference=None if self.public else kit.reference,
            quiz_answers={} if self.public else kit.quiz_answers(job.questions_of or job.student),
            answers_released=kit.config.answers_released,
            total_seconds=limits.total_seconds * self.slower,
            spent=spent,
            questions={} if self.public else kit.quiz_questions(job.questions_of or job.student),
        )

    def session(self, job: Job, watched: tuple[str, ...] = (), last: bool = True, doubted: bool = False) -> Session:
        """The submission behind calls, in a worker of its own; it is to be closed. See `open`."""
        kit = self.kit(job.exercise)
        limits = kit.config.limits
        return Session(
            self.transport(job, kit, doubted),
            Code(
                job.exercise,
                job.cells,
                kit.probes,
                self.device,
                watched,
                kit.config.libraries,
                tuple(installed(kit.config.libraries).names),
                job.left_out,
            ),
            limits.per_import.seconds * self.slower,
            {} if self.public else kit.signatures,
            frozenset() if self.public else kit.classes,
            limits.per_import.memory_mb,
            {} if self.public else kit.parameters,
            last,
            self.public,
        )

    def transport(self, job: Job, kit: Kit, doubted: bool = False) -> Transport:
        """The way to a worker for this job; with a witness where it is doubted who kills them."""
        self.start()
        assert self._parent is not None
        limits = worker_limits(kit.config, self.slower)
        return WorkerTransport(self._parent, limits, installed(kit.config.libraries).places, doubted, kit.probe_names)

    def seeds(self, exercise: str, student: str, salt: str = "") -> Callable[[str], int]:
        """The seed of each check: secret, student, exercise and check decide it."""
        return lambda check: derive_seed(self.secret, student, exercise, check, salt)

    def reference_cells(self, exercise: str, student: str, mistake: str | None = None) -> tuple[CodeCell, ...]:
        """The reference solution, or one known mistake, as a submission of this student's."""
        kit = self.kit(exercise)
        source = kit.solution
        if mistake is not None:
            source = apply_mistake(source, kit.mistake(mistake))
        if kit.exercise.quiz.is_file():
            source = personalise(source, kit.exercise, student)
        name = f"{exercise}.py"
        return (CodeCell(source=source, where=name, filename=name, first_line=1),)

    @property
    def device(self) -> str:
        """Where workers compute: `cpu` or `cuda`. Known when they are to be had: a GPU is tried before it is used."""
        self.start()
        assert self._parent is not None
        if not self._parent.ordinary:
            return "cuda" if self._parent.isolation.gpu else "cpu"
        found = self.config.device != "cpu" and torch.cuda.is_available()
        if self.config.device == "cuda" and not found:
            raise FrameworkFault("the course asks for device: cuda, but torch finds no GPU here")
        return "cuda" if found else "cpu"

    def _require_gpu_limit(self, parent: WarmParent) -> None:
        """Who shares a GPU must not be able to take all of it."""
        found = parent.isolation
        if self.config.workers_per_gpu > 1 and GPU_LAYER in found.missing and not self._unprotected:
            self.close()
            raise FrameworkFault(
                f"workers_per_gpu is {self.config.workers_per_gpu}, but what a worker uses of a GPU cannot be limited "
                f"here ({'; '.join(found.why)}): install nvidia-ml-py (the extra `gpu`), or write workers_per_gpu: 1"
            )

    def close(self) -> None:
        """End the warm parent and every worker."""
        if self._parent is not None:
            self._parent.close()
            self._parent = None
        if self._place is not None:
            self._place.leave()
            self._place = None


def processor_of(slot: int | None) -> int | None:
    """The processor for the workers of the judge with this number; None where it does not matter or cannot be had.

    A submission that keeps every processor busy with threads would otherwise take the time of those graded beside it.
    """
    if slot is None or not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[slot % len(allowed)]


def worker_limits(exercise: ExerciseConfig, slower: float = 1.0) -> WorkerLimits:
    """What a worker may use that judges this exercise, on a machine that is so much slower."""
    limits = exercise.limits
    of_checks = [check.memory_mb for check in exercise.checks.values() if check.memory_mb is not None]
    return WorkerLimits(
        memory_bytes=max(limits.per_check.memory_mb, limits.per_import.memory_mb, *of_checks) * MIB,
        cpu_seconds=int(limits.total_seconds * slower) + 1,
        file_bytes=FILE_BYTES,
        **structs.asdict(limits.process),
    )
