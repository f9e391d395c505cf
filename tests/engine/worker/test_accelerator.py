"""Settings that a submission changes are full precision again at the next check; generators draw on either device."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from autograder.worker.accelerator import EitherDevice, full_precision
from autograder.worker.dispatcher import Dispatcher
from tests.engine.device.pretended import PretendedDevice


def _settings():
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    return {
        "tf32": matmul.allow_tf32 or cudnn.allow_tf32 or cudnn.conv.fp32_precision == "tf32",
        "reduced": matmul.allow_fp16_reduced_precision_reduction or matmul.allow_bf16_reduced_precision_reduction,
        "precision": torch.get_float32_matmul_precision(),
        "free": cudnn.benchmark or not cudnn.deterministic,
    }


FULL = {"tf32": False, "reduced": False, "precision": "highest", "free": False}


@pytest.fixture
def _restored():
    yield
    full_precision()
    torch.backends.cudnn.deterministic = False


@pytest.mark.usefixtures("_restored")
def test_each_check_begins_in_full_precision():
    torch.set_float32_matmul_precision("medium")
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = True
    assert _settings() != FULL
    assert Dispatcher().answer("seed", {"n": 3}) == ("done", None)
    assert _settings() == FULL


def test_the_settings_touch_no_gpu():
    code = (
        "import torch\nfrom autograder.worker.accelerator import full_precision\n"
        "torch.backends.fp32_precision = 'tf32'\nfull_precision()\n"
        "assert torch.backends.fp32_precision == 'ieee' and not torch.cuda.is_initialized()"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, env=os.environ)
    assert ran.returncode == 0, ran.stderr


def _draws(generator, device):
    """As students write it: on the CPU, and on the device of the input."""
    return {
        "a permutation": torch.randperm(50, generator=generator).tolist(),
        "noise": torch.randn(4, generator=generator, device=device).tolist(),
        "noise of the CPU": torch.randn(4, generator=generator).to(device).tolist(),
        "in place": torch.zeros(4, device=device).normal_(generator=generator).tolist(),
        "a choice": torch.multinomial(torch.ones(9, device=device), 4, generator=generator).tolist(),
    }


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_one_generator_draws_on_both_devices(kind):
    with PretendedDevice():
        with pytest.raises(RuntimeError, match="device type for generator"):
            _draws(torch.Generator(device=kind).manual_seed(3), "cuda")
        with EitherDevice():
            first, again = (_draws(torch.Generator(device=kind).manual_seed(3), "cuda") for _ in range(2))
            assert first == again  # a seed says what is drawn
            assert first != _draws(torch.Generator(device=kind).manual_seed(4), "cuda")
            assert len({str(numbers) for numbers in first.values()}) == len(first)


def test_a_generator_that_is_seeded_anew_begins_anew():
    with PretendedDevice(), EitherDevice() as either:
        generator = torch.Generator(device="cuda")
        drawn = []
        for seed in (3, 4, 3):
            generator.manual_seed(seed)
            drawn.append(torch.randperm(50, generator=generator).tolist())
        assert drawn[0] == drawn[2] != drawn[1]
        either.forget()


def test_on_the_cpu_alone_nothing_changes():
    expected = torch.randn(3, generator=torch.Generator().manual_seed(3))
    with EitherDevice():
        assert torch.equal(torch.randn(3, generator=torch.Generator().manual_seed(3)), expected)
