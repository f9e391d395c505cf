"""A student's own numbers: the PERSONAL block of an exercise, drawn by the exercise's quiz.py.

The draw depends on the course, the exercise and the student alone, and on no secret: the student's
`autograder new` and the judge draw the same numbers, each on their own machine.
"""

from __future__ import annotations

import ast
import hashlib
import json
import random
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from autograder.authoring.errors import AuthoringError
from autograder.authoring.regions import find_regions, replace_regions
from autograder.course.discovery import Exercise
from autograder.language import _, ngettext, said

WIDTH = 100
FORMS = "FORMS"
_CODE = 6  # letters of the code beside the name
_DRAWN_FOR = re.compile(rf'^[ \t]*DRAWN_FOR = "((?:[^"\\\n]|\\.){{1,400}}) ([0-9a-f]{{{_CODE}}})"[ \t]*$', re.MULTILINE)

Numbers = dict[str, object]  # what a quiz draws for a student: plain JSON values by name


Personal = Callable[[random.Random], Numbers]
AskQuestions = Callable[[Numbers], dict[str, str]]
Answers = Callable[[Numbers], dict[str, dict[str, object]]]


@dataclass(frozen=True)
class Quiz:
    """An exercise's quiz.py, loaded. `answers` is None in the stripped version that students have, which has `forms`:
    the kind of answer that each question takes."""

    file: Path
    personal: Personal
    questions: AskQuestions
    answers: Answers | None
    forms: Mapping[str, str]

    def draw(self, rng: random.Random) -> tuple[Numbers, dict[str, str]]:
        """The numbers and the questions they make, as plain JSON values; AuthoringError otherwise."""
        try:
            personal = self.personal(rng)
            values = json.loads(json.dumps(personal, allow_nan=False))
            if not isinstance(values, dict) or list(values) != list(personal):
                raise TypeError("personal() must return a dict with text as its keys")
        except (TypeError, ValueError) as error:
            raise AuthoringError(
                _("what personal() returns cannot be written as JSON: {error}").format(error=error), file=self.file
            ) from error
        # The questions are made from the values as written, so that a tuple and its list cannot differ.
        questions = self.questions(values)
        for key, text in questions.items():
            if not isinstance(key, str) or not isinstance(text, str):
                raise AuthoringError(
                    _("questions() must map text to text; got {key!r}: {text!r}").format(key=key, text=text),
                    file=self.file,
                )
        return values, questions


def load_quiz(file: Path) -> Quiz:
    """Run a quiz.py of the course (our own code) and take its functions."""
    if not file.is_file():
        raise AuthoringError(_("the quiz is missing"), file=file)
    names: dict[str, object] = {"__name__": "quiz", "__file__": str(file)}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    missing = [name for name in ("personal", "questions") if not callable(names.get(name))]
    if missing:
        raise AuthoringError(_("defines no function {listing}").format(listing=", ".join(missing)), file=file)
    # Our own code is believed to have the arguments that it should.
    return Quiz(
        file,
        cast("Personal", names["personal"]),
        cast("AskQuestions", names["questions"]),
        cast("Answers | None", names.get("answers")),
        cast("Mapping[str, str]", names.get(FORMS, {})),
    )


def answer_forms(file: Path) -> str:
    """A line of Python for the quiz.py that students have: the kind of answer that each question takes."""
    quiz = load_quiz(file)
    if quiz.answers is None:
        raise AuthoringError(_("defines no function {listing}").format(listing="answers"), file=file)
    answers = quiz.answers(quiz.draw(random.Random("example"))[0])
    return render(f"{FORMS} = ", {key: str(answer.get("kind", "")) for key, answer in answers.items()})


@dataclass(frozen=True)
class QuizQuestion:
    """A question of the quiz as a check: its key, the title that students see, its points."""

    key: str
    title: str
    points: float


def quiz_questions(exercise: Exercise) -> tuple[QuizQuestion, ...]:
    """The questions of an exercise's quiz, as `answers` describes them; none where there is no quiz.

    Raises:
        AuthoringError: a question without an answer, an answer without title or points, or the other way round.
    """
    if not exercise.quiz.is_file():
        return ()
    quiz = load_quiz(exercise.quiz)
    if quiz.answers is None:
        raise AuthoringError(_("defines no function {listing}").format(listing="answers"), file=exercise.quiz)
    numbers, questions = quiz.draw(random.Random("example"))
    answers = quiz.answers(numbers)
    alone = sorted(questions.keys() ^ answers.keys())
    if alone:
        raise AuthoringError(
            _("questions() and answers() must have the same keys; only one of them has {listing}").format(
                listing=", ".join(alone)
            ),
            file=exercise.quiz,
        )
    found = []
    for key, answer in answers.items():
        title, points = answer.get("title"), answer.get("points")
        if not isinstance(title, str) or not title or not isinstance(points, int | float) or points < 0:
            raise AuthoringError(
                _("answers()[{key!r}] needs a title and points, got {title!r} and {points!r}").format(
                    key=key, title=title, points=points
                ),
                file=exercise.quiz,
            )
        found.append(QuizQuestion(key, title, float(points)))
    return tuple(found)


def personal_rng(exercise: Exercise, student: str) -> random.Random:
    """The generator of a student's numbers; case, spaces around and Unicode form of the name do not count.

    In a course with shared questions everybody has the numbers that the general stub carries.
    """
    if exercise.shared_questions:
        return random.Random("example")
    return random.Random(_digest(exercise, student))


def _plain(student: str) -> str:
    return unicodedata.normalize("NFKC", student).strip().casefold()


def _digest(exercise: Exercise, student: str) -> str:
    return hashlib.sha256(json.dumps([exercise.course, exercise.id, _plain(student)]).encode()).hexdigest()


@dataclass(frozen=True)
class DrawnFor:
    """Whom a PERSONAL block says that it was drawn for."""

    student: str
    code: str

    def fits(self, exercise: Exercise) -> bool:
        """Whether the code is this name's. It proves nothing, the draw depends on no secret: it finds slips."""
        return self.code == _digest(exercise, self.student)[:_CODE]


def read_drawn_for(text: str) -> DrawnFor | None:
    """Whom the block in a text was drawn for; None where it does not say so. The text may be anybody's."""
    found = _DRAWN_FOR.search(text)
    return DrawnFor(json.loads(f'"{found[1]}"'), found[2]) if found and _is_json(found[1]) else None


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(f'"{text}"'), str)
    except ValueError:
        return False


def drawn_numbers(exercise: Exercise, student: str | None) -> str:
    """The numbers of a student, or of nobody, as the block writes them, for comparing: without blanks."""
    rng = random.Random("example") if student is None else personal_rng(exercise, student)
    return squeezed(render("PERSONAL = ", load_quiz(exercise.quiz).draw(rng)[0]))


def squeezed(text: str) -> str:
    """A text without blanks and line breaks."""
    return re.sub(r"\s+", "", text)


def personalise(source: str, exercise: Exercise, student: str, quiz: Path | None = None) -> str:
    """The source (solution or stub) with the PERSONAL block of this student.

    Args:
        quiz: another quiz.py than the exercise's own: the stripped one, on a student's machine.
    """
    personal, questions = load_quiz(quiz or exercise.quiz).draw(personal_rng(exercise, student))
    name = "" if exercise.shared_questions else f"{_plain(student)} {_digest(exercise, student)[:_CODE]}"
    return write_personal(source, exercise.solution, personal, _said(questions), name)


def personalise_example(source: str, exercise: Exercise) -> str:
    """The source with the numbers of nobody, which the solution and the general stub carry."""
    personal, questions = load_quiz(exercise.quiz).draw(random.Random("example"))
    return write_personal(source, exercise.solution, personal, _said(questions))


def _said(questions: dict[str, str]) -> dict[str, str]:
    """The questions in the language in force: their texts are made of parts, so they are said when they are whole."""
    return {key: said(text) for key, text in questions.items()}


def write_personal(source: str, file: Path, personal: Numbers, questions: dict[str, str], drawn_for: str = "") -> str:
    """Put these numbers and questions, and whom they are for, into the PERSONAL block.

    AuthoringError unless there is exactly one.
    """
    count = sum(region.kind == "PERSONAL" for region in find_regions(source, file))
    if count != 1:
        raise AuthoringError(
            ngettext("has {n} PERSONAL block instead of one", "has {n} PERSONAL blocks instead of one", count).format(
                n=count
            ),
            file=file,
        )
    block = [
        "### BEGIN PERSONAL",
        *([f"DRAWN_FOR = {_flat(drawn_for)}"] if drawn_for else []),
        *render("PERSONAL = ", personal).split("\n"),
        *render("QUIZ = ", questions).split("\n"),
        "### END PERSONAL",
    ]
    return replace_regions(source, file, "PERSONAL", lambda region: block)


def read_personal(source: str, file: Path) -> dict[str, object]:
    """The literal values of `PERSONAL` and `QUIZ` in our own source (never in a submission)."""
    found: dict[str, object] = {}
    lines = source.split("\n")
    for region in find_regions(source, file):
        if region.kind != "PERSONAL":
            continue
        try:
            tree = ast.parse("\n".join(lines[region.first : region.last + 1]))
            for node in tree.body:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    found[node.targets[0].id] = ast.literal_eval(node.value)
        except (SyntaxError, ValueError) as error:
            raise AuthoringError(
                _("the PERSONAL block is not made of literals: {error}").format(error=error),
                file=file,
                line=region.first + 1,
            ) from error
    return found


def render(start: str, value: object, indent: int = 0) -> str:
    """Python text of plain JSON values: on one line where it fits, else an item per line, texts broken."""
    flat = start + _flat(value)
    if indent + len(flat) + 1 <= WIDTH:
        return " " * indent + flat
    pad = " " * indent
    if isinstance(value, dict):
        items = [render(f"{_flat(key)}: ", item, indent + 4) for key, item in value.items()]
        return f"{pad}{start}{{\n" + "".join(f"{item},\n" for item in items) + pad + "}"
    if isinstance(value, list):
        items = [render("", item, indent + 4) for item in value]
        return f"{pad}{start}[\n" + "".join(f"{item},\n" for item in items) + pad + "]"
    if isinstance(value, str) and " " in value:
        lines = [f"{' ' * (indent + 4)}{_flat(part)}\n" for part in _parts(value, WIDTH - indent - 8)]
        return f"{pad}{start}(\n{''.join(lines)}{pad})"
    return pad + flat


def _parts(text: str, width: int) -> list[str]:
    parts = [""]
    for word in re.findall(r"[^ ]* |[^ ]+", text):  # each with the space after it, so that nothing is lost
        if parts[-1] and len(_flat(parts[-1] + word)) > width:
            parts.append("")
        parts[-1] += word
    return parts


def _flat(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # double quotes; JSON's escapes are Python's
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flat(key)}: {_flat(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flat(item) for item in value) + "]"
    return repr(value)
