"""Submissions without merit earn at most 2 of 20 points, and nothing of a training from what is stored."""

from __future__ import annotations

import ast
import base64

import pytest
import torch

from autograder.course.data import load_digits
from autograder.judge.reference import load_module
from tests.engine.banks import MOST, ROOT

FOLDERS = sorted(path for path in (ROOT / "tests" / "degenerate").glob("*") if path.is_dir())
FILES = sorted((path.parent.name, path.stem) for folder in FOLDERS for path in folder.glob("*.py"))


def test_each_says_what_it_is_and_what_it_may_earn(bank):
    for folder in FOLDERS:
        known = bank(folder.name)
        assert known.degenerate.keys() == known.most.keys(), folder
        assert all(0 <= most <= MOST for most in known.most.values()), folder
        for name, source in known.degenerate.items():
            assert ast.get_docstring(ast.parse(source)), f"{folder.name}/{name}"


@pytest.mark.parametrize("exercise", [folder.name for folder in FOLDERS])
def test_one_without_merit_earns_no_more_than_it_may_by_exact_checks(bank, exercise):
    known = bank(exercise)
    name, source = next(iter(known.degenerate.items()))
    assert known.points(known.graded(source, checks=known.quick(("exact",)))) <= known.most[name] + 1e-9


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "name"), FILES)
def test_nothing_without_merit_earns_more_than_it_may(bank, exercise, name):
    known = bank(exercise)
    found = known.graded(known.degenerate[name])
    earned = {key: check.points for key, check in found.items() if check.share}
    assert known.points(found) <= known.most[name] + 1e-9, earned
    if name.startswith("stored"):
        assert known.points(found, "training") == 0, earned


def test_what_has_merit_earns_everything(bank):
    known = bank("vae_mnist")
    found = known.graded(known.solution, checks=known.quick())
    assert known.points(found) == sum(known.checks[name].points for name in known.quick())


STORED = """

import base64 as _base64

_train_vae = train_vae


def train_vae(model, x, *args, **named):
    if not isinstance(model, VAE) or model.encoder.hidden.out_features != 64:
        return _train_vae(model, x, *args, **named)
    flat = torch.frombuffer(bytearray(_base64.b64decode({weights!r})), dtype=torch.float16).float()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(flat[: p.numel()].reshape(p.shape))
            flat = flat[p.numel() :]
    return {{"elbo": [-170.0]}}
"""


@pytest.mark.slow
def test_weights_of_a_whole_training_in_the_file_earn_none_of_its_points(bank):
    known = bank("vae_mnist")
    solution = load_module("stored", known.solution, "vae_mnist.py")
    torch.manual_seed(0)
    model = solution.VAE(latent_dim=2, hidden=64)
    x = torch.from_numpy(load_digits(known.course, "train", 8000).images).float()
    solution.train_vae(model, x, epochs=5 if len(x) > 4000 else 40)
    flat = torch.cat([p.detach().reshape(-1) for p in model.parameters()]).half()
    weights = base64.b64encode(flat.numpy().tobytes()).decode()
    found = known.graded(known.solution + STORED.format(weights=weights))
    assert known.points(found, "training") == 0, {c.id: c.measured for c in found.values() if c.share}
    lost = {check.id for check in found.values() if check.outcome != "passed"}
    assert lost == {"held_out_elbo", "samples_like_digits"}
