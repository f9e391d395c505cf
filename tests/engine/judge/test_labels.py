"""An answer is called by the call that gave it, in the contract's words, in whatever coat a check passes it on."""

from __future__ import annotations

import itertools

import pytest
import torch

from autograder.judge.compare import compare
from autograder.judge.expect import Expect
from autograder.judge.labels import Labels, written
from autograder.judge.loading import Code
from autograder.judge.local import LocalTransport
from autograder.judge.reference import load_module, parameters
from autograder.judge.remote import Student
from autograder.judge.session import Session
from autograder.judge.verdicts import CheckFailed

_numbers = itertools.count()

CONTRACT = """
import torch
def kl(mu, logvar): return mu + logvar
def sample(n, generator=None): return torch.zeros(n)
def both(x, steps=3): return x, {"loss": [1.5, x]}
def count(x): return 3
class Model:
    def __init__(self, latent_dim): self.latent_dim, self.table = latent_dim, torch.ones(2)
    def encode(self, x): return x
    def forward(self, x): return x
    __call__ = forward
"""


@pytest.fixture
def session() -> Session:
    name = f"labelled_{next(_numbers)}"
    module = load_module(name, CONTRACT, f"{name}.py")
    made = Session(LocalTransport(module), Code("toy", ()), 60.0, parameters=parameters(module))
    made.begin_check("a", 60.0, 0)
    return made


def said(session: Session, value: object, right: object = None) -> str:
    """How a failed comparison calls this answer."""
    with pytest.raises(CheckFailed) as failed:
        compare(value, torch.zeros(7, 7, 7) if right is None else right, labels=session.labels)
    return failed.value.message.split(": expected")[0]


@pytest.mark.parametrize(
    ("call", "label"),
    [
        (lambda s, x: s.kl(x, x), "kl(mu, logvar)"),
        (lambda s, x: s.kl(mu=x, logvar=x), "kl(mu=mu, logvar=logvar)"),
        (lambda s, x: s.sample(5), "sample(5)"),
        (lambda s, x: s.sample(5, generator=torch.Generator()), "sample(5, generator=generator)"),
        (lambda s, x: s.sample(n=5), "sample(n=5)"),
        (lambda s, x: s.kl(0.5, x), "kl(0.5, logvar)"),
        (lambda s, x: s.kl(0.123456789012345, x), "kl(mu, logvar)"),
        (lambda s, x: s.both(x)[0], "both(x)[0]"),
        (lambda s, x: s.both(x, steps=2)[1]["loss"], 'both(x, steps=2)[1]["loss"]'),
        (lambda s, x: s.Model(2).encode(x), "Model(...).encode(x)"),
        (lambda s, x: s.Model(latent_dim=2)(x), "Model(...)(x)"),
        (lambda s, x: s.Model(2), "Model(2)"),
        (lambda s, x: s.Model(2).table, "Model(...).table"),
        (lambda s, x: s.count(x), "count(x)"),
        (lambda s, x: Expect(None, s._session.labels).tensor(s.kl(x, x).double()), "the answer"),
        (lambda s, x: Expect(None, s._session.labels).tensor(s.kl(x, x)), "kl(mu, logvar)"),
        (lambda s, x: Expect(None, s._session.labels).tensor(s.kl(x, x), (2,), "the KL"), "the KL"),
        (lambda s, x: Expect(None, s._session.labels).sequence(s.both(x), 2)[0], "both(x)[0]"),
        (lambda s, x: s.kl(x, x) + 1, "the answer"),
        (lambda s, x: 3, "the answer"),
    ],
)
def test_an_answer_is_called_by_its_call(session, call, label):
    assert said(session, call(Student(session), torch.ones(2))) == label


def test_what_is_said_comes_first(session):
    with pytest.raises(CheckFailed, match=r"^the KL: "):
        compare(Student(session).kl(torch.ones(2), torch.ones(2)), torch.zeros(3), "the KL", labels=session.labels)


def test_a_number_is_called_by_the_last_call_alone(session):
    student = Student(session)
    student.count(torch.ones(2))
    student.kl(torch.ones(2), torch.ones(2))
    assert said(session, 3) == "the answer"


def test_every_validation_says_the_call(session):
    student, expect = Student(session), Expect(None, session.labels)
    for validate in (
        lambda v: expect.number(v), lambda v: expect.integers(v), lambda v: expect.flag(v), lambda v: expect.strings(v),
        lambda v: expect.history(v, "loss"), lambda v: expect.sequence(v, 3), lambda v: expect.handle(v),
        lambda v: expect.tensor(v, (4,)),
    ):  # fmt: skip
        with pytest.raises(CheckFailed, match=r"^kl\(mu, logvar\): "):
            validate(student.kl(torch.ones(2), torch.full((2,), 0.5)))
    with pytest.raises(CheckFailed, match=r"^kl\(mu, logvar\): expected ValueError"):
        expect.raises(ValueError, student.kl, torch.ones(2), torch.ones(2))


def test_the_next_check_knows_no_earlier_answer(session):
    value = Student(session).kl(torch.ones(2), torch.ones(2))
    session.begin_check("b", 60.0, 0)
    assert said(session, value) == "the answer"


def test_another_object_in_the_same_place_has_no_name():
    """A tensor that is gone may leave its address to another one."""
    labels = Labels()
    for number in range(200):
        labels.keep_made(torch.full((1000,), float(number)), "gone")
        assert labels.of(torch.zeros(1000)) == "the answer"


def test_without_a_contract_arguments_are_left_out():
    assert written("f", [torch.ones(2), torch.ones(2)], {}, {}) == "f(...)"
    assert written("f", [torch.ones(2), 3], {"k": True}, {}) == "f(..., 3, k=True)"
