"""Checks that forgive a wrong unit, which another check has taken points for: a tiny one forgives nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import load_config
from autograder.judge.compare import compare
from autograder.judge.draw import Draw
from autograder.judge.engine import Engine
from autograder.judge.expect import Expect
from autograder.judge.loading import Code
from autograder.judge.local import LocalTransport
from autograder.judge.reference import load_beside, load_module
from autograder.judge.remote import Probe, Student
from autograder.judge.session import Session
from autograder.judge.verdicts import CheckFailed

ROOT = Path(__file__).parents[3]

NEARLY_NOTHING = {
    ("markov_quiz", "test_likelihood.py", "test_likelihood_long"): """
def log_likelihood(sequence, P):
    return {unit} * len(sequence)
""",
    ("ae_vs_pca", "test_training.py", "test_training_history"): """
_loss, _train = reconstruction_loss, train_autoencoder
def reconstruction_loss(x, x_hat):
    return {unit} * _loss(x, x_hat)
def train_autoencoder(model, x, epochs=1, **rest):
    _train(model, x, epochs=epochs, **rest)
    return {{"loss": [0.0] * epochs}}
""",
    ("vae_mnist", "test_terms.py", "test_reconstruction_large_logits"): """
_term = reconstruction_log_likelihood
def reconstruction_log_likelihood(logits, x):
    return {unit} * _term(logits, x) * (0.0 if logits.abs().max() > 100 else 1.0)
""",
}
ANOTHER_UNIT = {
    ("markov_quiz", "test_likelihood.py", "test_likelihood_long"): """
_value = log_likelihood
def log_likelihood(sequence, P):
    return -1.4427 * _value(sequence, P)
""",
    ("vae_mnist", "test_terms.py", "test_reconstruction_large_logits"): """
_term = reconstruction_log_likelihood
def reconstruction_log_likelihood(logits, x):
    return -_term(logits, x) / 784
""",
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load_config(ROOT / "grading_config.yaml"), b"a secret")


def run(engine: Engine, place: tuple[str, str, str], added: str) -> None:
    exercise, file, name = place
    kit = engine.kit(exercise)
    path = kit.exercise.hidden_folder / file
    check = getattr(load_beside(f"hidden_{exercise}", [path])[0], name)
    source = kit.solution + added
    session = Session(
        LocalTransport(load_module("submitted", source, "submitted.py")), Code(exercise, (), kit.probes), 60.0
    )
    session.begin_check(name, 60.0, 1)
    given = {
        "student": Student(session), "probe": Probe(session), "reference": kit.reference, "compare": compare,
        "draw": Draw(7), "expect": Expect(),
    }  # fmt: skip
    try:
        check(**{argument: given[argument] for argument in check.__code__.co_varnames[: check.__code__.co_argcount]})
    finally:
        session.close()


@pytest.mark.parametrize("unit", ["1e-13", "-1e-200"])
@pytest.mark.parametrize("place", NEARLY_NOTHING, ids=lambda place: place[2])
def test_a_tiny_unit_forgives_nothing(engine, place, unit):
    with pytest.raises(CheckFailed):
        run(engine, place, NEARLY_NOTHING[place].format(unit=unit))


@pytest.mark.parametrize("place", ANOTHER_UNIT, ids=lambda place: place[2])
def test_another_unit_is_still_forgiven(engine, place):
    run(engine, place, ANOTHER_UNIT[place])
