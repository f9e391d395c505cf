"""What crosses to a worker with a GPU arrives there: tensors wherever they are, modules, generators; answers return."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.overrides import _get_current_function_mode_stack

from autograder.judge.loading import Code
from autograder.judge.local import LocalTransport
from autograder.judge.reference import load_module
from autograder.judge.remote import Probe, Student
from autograder.judge.session import Session
from autograder.wire.channel import Frame
from autograder.worker import service
from autograder.worker.dispatcher import Dispatcher
from tests.engine.device.pretended import PretendedDevice

CODE = """
import torch
from torch import nn

def places(x, more=(), generator=None):
    devices = [x.device, *(m.device for m in more["inner"])]
    return [str(device) for device in devices + ([generator.device] if generator is not None else [])]

def moved(x):
    return {"rows": [x + 1, (x.sum(), "text")]}

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 1)
        self.register_buffer("kept", torch.ones(2))

    def forward(self, x):
        return self.inner(x * self.kept)

def trained(model, x, generator):
    before = model.inner.weight.detach().clone()
    steps = torch.optim.Adam(model.parameters())
    rows = torch.randperm(len(x), generator=generator)
    noise = torch.randn(x.shape, generator=generator, device=x.device)
    model(x[rows] + noise).mean().backward()
    steps.step()
    return not torch.equal(before, model.inner.weight)

def mixed(x):
    return x + torch.zeros(len(x))
"""


@pytest.fixture
def student():
    session = Session(LocalTransport(load_module("crossing", CODE, "crossing.py"), "cuda"), Code("crossing", ()), 60.0)
    with PretendedDevice():
        session.begin_check("crossing", 60.0, 3)
        yield Student(session)
        session.close()


def test_tensors_and_generators_arrive_on_the_device(student):
    more = {"inner": [torch.zeros(2), torch.zeros(0), torch.zeros(3, dtype=torch.bool)]}
    assert student.places(torch.zeros(3), more=more, generator=torch.Generator().manual_seed(3)) == ["cuda:0"] * 5


def test_answers_come_back(student):
    rows = student.moved(torch.arange(3.0))["rows"]
    assert [rows[0].device.type, rows[1][0].device.type, rows[1][1]] == ["cpu", "cpu", "text"]
    assert rows[0].tolist() == [1.0, 2.0, 3.0]


def test_modules_are_moved_and_generators_draw_on_both(student):
    net = student.Net()
    assert net(torch.ones(4, 2)).shape == (4, 1)
    assert net.kept.device.type == "cpu"  # an answer
    assert student.trained(net, torch.ones(4, 2), generator=torch.Generator().manual_seed(3)) is True
    probe = Probe(student._session)
    assert probe.linear(torch.ones(1, 2))(torch.ones(3, 2)).tolist() == [[2.0]] * 3
    assert torch.equal(probe.gradient(net, [torch.ones(2, 2)], [0])[0][0],
                       net.inner.weight[0] * net.kept)  # fmt: skip


def test_a_tensor_made_on_the_cpu_is_told(student):
    with pytest.raises(Exception, match="on the same device") as raised:
        student.mixed(torch.zeros(3))
    assert "`torch.zeros(n, device=x.device)`" in raised.value.hint


def test_a_worker_with_a_gpu_lets_generators_draw_on_both(monkeypatch):
    monkeypatch.setattr(service.surroundings, "prepare", lambda: None)  # of a process of its own
    cells = [{"source": "x = 1", "where": "toy.py", "filename": "toy.py", "first_line": 1}]
    request = {"name": "toy", "cells": cells, "skip": [], "seconds": 9.0, "importable": None, "libraries": []}
    channel, dispatcher = SimpleNamespace(device=None, send=lambda *reply: None), Dispatcher()
    service._load(channel, dispatcher, Frame(1, "load", {**request, "device": "cpu"}, 0))
    assert (channel.device, dispatcher.device, _get_current_function_mode_stack()) == (None, None, [])
    with PretendedDevice():
        service._load(channel, dispatcher, Frame(1, "load", {**request, "device": "cuda"}, 0))
        try:
            assert channel.device == dispatcher.device == "cuda"
            assert len(torch.randperm(3, generator=torch.Generator(device="cuda"))) == 3
        finally:
            dispatcher.generators.__exit__(None, None, None)
