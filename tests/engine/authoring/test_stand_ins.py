"""What checks hand over as a model is a whole module: its device, its modes and its state can be asked for."""

from __future__ import annotations

import pytest

from tests.engine.authoring.test_missing import EXERCISES


def test_the_models_of_one_exercise_are_whole(bank):
    assert bank("vae_mnist").narrow() == {}


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_models_of_every_exercise_are_whole(bank, exercise):
    assert bank(exercise).narrow() == {}


def test_something_narrower_is_seen(bank):
    known = bank("vae_mnist")
    source = (
        known.using_stand_ins()
        + """

_whole = sample

def sample(model, n, generator=None):
    class Narrow:
        decoder, latent_dim = model.decoder, model.latent_dim
    return _whole(Narrow(), n, generator)
"""
    )
    found = known.graded(source, checks=("sample_prior",))
    assert "has no attribute" in found["sample_prior"].message
