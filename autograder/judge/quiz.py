"""The quiz: answers compared with those to the student's own questions."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from autograder.authoring.personal import AskQuestions
from autograder.judge.answers import as_tensor, describe
from autograder.judge.remote import Student
from autograder.judge.verdicts import CheckFailed, StudentError
from autograder.language import _, said

RightAnswers: TypeAlias = Mapping[str, Mapping[str, object]]
MOST_LETTERS = 60  # of an answer that is kept


class QuizJudge:
    """The `quiz` fixture.

    Args:
        answers: right answers by key: `kind`, `value`, `tolerance`, `explanation`.
        released: whether the course has released the answers: a wrong one is then explained.
        record: keeps what was answered, for teachers: `answer` is a number's or a truth value's, `answer: WORD` is 1.
        told: keeps it as it was given, for the student's page.
    """

    def __init__(
        self, student: Student, answers: RightAnswers, released: bool, record: Callable[[str, float], None],
        told: Callable[[object], None] = lambda answer: None,
    ) -> None:  # fmt: skip
        self._student = student
        self._answers = answers
        self._released = released
        self._record = record
        self._told = told

    def grade(self, key: str) -> None:
        """Fail unless the student's answer to `key` is right."""
        expected = self._answers[key]
        value = self._read(key, str(expected["kind"]))
        if isinstance(value, str):
            self._record(f"answer: {value[:MOST_LETTERS]}", 1.0)
        else:
            self._record("answer", float(value))
        if not _right(value, expected):
            explanation = str(expected.get("explanation", "")) if self._released else ""
            raise CheckFailed(_("ANSWERS[{key!r}]: this is not the right answer.").format(key=key), _(explanation))

    def look_at_form(self, key: str, kind: str, ask: AskQuestions | None = None) -> None:
        """Fail unless there is an answer to `key`, of this kind; a word has to be one that the question offers.

        Args:
            ask: makes the questions of the student's numbers, which a notebook has as text; without it `QUIZ` has them.
        """
        value = self._read(key, kind)
        if not isinstance(value, str):
            return
        question = self._question(key, ask)
        if isinstance(question, str) and not _offers(question, value):
            raise CheckFailed(
                _("ANSWERS[{key!r}]: expected {kind}, got {got}.").format(
                    key=key, kind=_KINDS[kind](), got=describe(value)
                )
            )

    def _question(self, key: str, ask: AskQuestions | None) -> object:
        try:
            numbers = self._student.QUIZ if ask is None else self._student.PERSONAL
            questions = numbers if ask is None else ask(cast("dict[str, object]", numbers))
            return said(str(cast("Mapping[str, str]", questions)[key]))
        except (StudentError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
            return None  # it was taken away, or the numbers were: nobody knows the words

    def _read(self, key: str, kind: str) -> float | str:
        given = self._given(key)
        self._told(given)
        reader = _READERS.get(kind)
        if reader is None:
            raise KeyError(f"quiz {key}: unknown kind of answer {kind!r}; use one of {', '.join(_READERS)}")
        value = reader(given)
        if value is None:
            raise CheckFailed(
                _("ANSWERS[{key!r}]: expected {kind}, got {got}.").format(
                    key=key, kind=_KINDS[kind](), got=describe(given)
                )
            )
        return value

    def _given(self, key: str) -> object:
        try:
            answers = self._student.ANSWERS
        except StudentError as error:
            raise CheckFailed(_("The quiz is not answered: {reason}").format(reason=error.message)) from None
        if not isinstance(answers, dict):
            raise CheckFailed(_("ANSWERS: expected a dict, got {got}.").format(got=describe(answers)))
        if key not in answers:
            keys = ", ".join(repr(str(k)[:40]) for k in list(answers)[:10]) or "-"
            raise CheckFailed(_("ANSWERS has no key {key!r} (its keys: {keys}).").format(key=key, keys=keys))
        if answers[key] is None:
            raise CheckFailed(_("ANSWERS[{key!r}] is still None: not answered.").format(key=key))
        return answers[key]


def _number(given: object) -> float | None:
    if isinstance(given, str):
        try:
            return float(given.strip().replace(",", "."))
        except ValueError:
            return None
    tensor = None if isinstance(given, bool | list | tuple) else as_tensor(given)
    if tensor is None or tensor.numel() != 1 or tensor.is_complex():
        return None
    return float(tensor.reshape(()))


def _integer(given: object) -> int | None:
    number = _number(given)
    return None if number is None or not math.isfinite(number) or number != int(number) else int(number)


def _boolean(given: object) -> bool | None:
    if isinstance(given, str):
        return {"true": True, "false": False, "yes": True, "no": False, "vrai": True, "faux": False,
                "oui": True, "non": False}.get(_choice(given) or "")  # fmt: skip
    tensor = None if isinstance(given, list | tuple) else as_tensor(given)
    import torch

    return bool(tensor) if tensor is not None and tensor.numel() == 1 and tensor.dtype is torch.bool else None


def _choice(given: object) -> str | None:
    if not isinstance(given, str):
        return None
    text = unicodedata.normalize("NFKD", given).encode("ascii", "ignore").decode()
    return " ".join(text.lower().strip(" .)('\"").split())


def _words(text: str) -> str:
    """The words of a question as `_choice` writes an answer."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(re.sub(r"[^\w-]+", " ", plain).split())


def _offers(question: str, word: str) -> bool:
    """Whether a question offers a word: one of its letters where it lists (a), (b) ..., else any of its words."""
    letters = re.findall(r"(?:^|[\s;,])\(([a-z])\)\s", question)
    return word in letters if {"a", "b"} <= set(letters) else f" {word} " in f" {_words(question)} "


def _right(value: float | str, expected: Mapping[str, object]) -> bool:
    right = expected["value"]
    if expected["kind"] == "number" and isinstance(value, float):
        number = float(str(right))
        tolerance = float(str(expected.get("tolerance", 1e-3)))
        return math.isfinite(value) and abs(value - number) <= tolerance * max(1.0, abs(number))
    if expected["kind"] == "choice":
        return value in [_choice(item) for item in (right if isinstance(right, list | tuple) else [right])]
    return bool(value == right)


_READERS: dict[str, Callable[[object], float | str | None]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "choice": _choice,
}
_KINDS: dict[str, Callable[[], str]] = {
    "number": lambda: _("a number"),
    "integer": lambda: _("a whole number"),
    "boolean": lambda: _("True or False"),
    "choice": lambda: _("one of the words that the question offers, as a text"),
}
