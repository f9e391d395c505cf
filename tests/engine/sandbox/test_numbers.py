"""A locked worker computes what a cold process computes, bit for bit, and can do what exercises need."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.sandbox import WarmParent, WorkerLimits
from autograder.sandbox.environment import environment
from autograder.sandbox.isolation import MIB

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation is built on Linux alone")

TRAINING = """
import hashlib, torch
torch.set_num_threads(1)
torch.manual_seed(7)
x = torch.randn(256, 20)
model = torch.nn.Sequential(torch.nn.Linear(20, 32), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(32, 20))
optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
for _ in range(60):
    loss = (model(x) - x).square().mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
picture = torch.nn.functional.conv2d(torch.randn(4, 1, 28, 28), torch.randn(8, 1, 3, 3))
parts = [loss, *model.parameters(), picture, *torch.linalg.svd(x.double()), torch.linalg.eigh(x.T @ x)[1]]
digest = hashlib.sha256()
for part in parts:
    digest.update(part.detach().contiguous().numpy().tobytes())
answer = [digest.hexdigest(), loss.item(), torch.initial_seed()]
"""


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    parent = WarmParent(serve="obedient:serve", import_path=[Path(__file__).parent])
    with parent:
        yield parent


@pytest.fixture
def limits() -> WorkerLimits:
    return WorkerLimits(memory_bytes=512 * MIB, cpu_seconds=120)


def test_training_is_the_same_bit_for_bit(warm, talk, limits):
    text = TRAINING + "\nimport json; print(json.dumps(answer))"
    cold = subprocess.run(
        [sys.executable, "-P", "-c", text], capture_output=True, text=True, check=True, env=environment(), cwd="/"
    )
    answers = []
    for _ in range(3):
        with warm.spawn(limits) as worker:
            answers.append(talk(worker, TRAINING).answer)
    assert answers[0] is not None
    assert answers[0] == json.loads(cold.stdout)
    assert answers == [answers[0]] * 3


def test_every_worker_begins_with_the_same_generators(warm, talk, limits):
    """Whoever forgets to seed gets other numbers in every fresh process: no two gradings would agree."""
    text = """
        import random, numpy, torch
        answer = [random.random(), numpy.random.rand(), torch.rand(1).item(), torch.initial_seed()]
    """
    import numpy
    import torch

    expected = [random.Random(0).random(), numpy.random.RandomState(0).rand()]
    expected += [torch.rand(1, generator=torch.Generator().manual_seed(0)).item(), 0]
    for _ in range(2):
        with warm.spawn(limits) as worker:
            assert talk(worker, text).answer == expected


def test_figures_can_be_drawn_and_kept(warm, talk, limits):
    with warm.spawn(limits) as worker:
        reply = talk(
            worker,
            """
            import os
            from matplotlib import pyplot
            figure, axes = pyplot.subplots()
            axes.plot([0, 1], label="$\\\\mu$")
            axes.legend()
            figure.savefig("figure.png")
            answer = os.path.getsize("figure.png") > 1000
        """,
        )
        assert reply.answer is True, reply.text


def test_memory_limit_of_torch_is_an_error_not_a_death(warm, talk, limits):
    with warm.spawn(limits) as worker:
        reply = talk(worker, "import torch; torch.empty(1 << 30)")
        assert reply.error == "RuntimeError"
        assert "alloc" in reply.text
        assert talk(worker, "answer = 1").answer == 1


def test_a_module_not_yet_imported_can_be(warm, talk, limits):
    with warm.spawn(limits) as worker:
        reply = talk(worker, "import sys; was = 'sklearn' in sys.modules; import sklearn.datasets; answer = was")
        assert reply.answer is False, reply.text


def test_data_loader_without_processes(warm, talk, limits):
    with warm.spawn(limits) as worker:
        text = (
            "import torch; answer = [b.shape[0] for b in torch.utils.data.DataLoader(torch.ones(5, 2), batch_size=2)]"
        )
        assert talk(worker, text).answer == [2, 2, 1]
