"""Who mixes devices is told where the tensor was made, and what to write. The words are those of torch with a GPU."""

from __future__ import annotations

import pytest

from autograder.judge.raised import raised_error
from autograder.language import use_language

SUM = (
    "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! "
    "(when checking argument for argument mat2 in method wrapper_CUDA_mm)"
)
INDEX = "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
NUMPY = "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
GENERATOR = "Expected a 'cuda' device type for generator but found 'cpu'"
NOT_BUILT = "Torch not compiled with CUDA enabled"
SAID = {
    ("RuntimeError", SUM): "made on the CPU, and is used with tensors on cuda: write `torch.zeros(n, device=x.device)`",
    ("RuntimeError", INDEX): "`torch.zeros(n, device=x.device)`",
    ("TypeError", NUMPY): "write `x.detach().cpu().numpy()`",
    ("RuntimeError", GENERATOR): "device=generator.device).to(x.device)`",
    ("AssertionError", NOT_BUILT): "write `x.device`",
}


@pytest.mark.parametrize(("kind", "message"), SAID)
def test_mixed_devices_are_explained(grade, toy_solution, kind, message):
    wrong = f"{toy_solution}\n\ndef mean(x):\n    raise {kind}({message!r})\n"
    check = grade(wrong)["by_id"]["mean_value"]
    assert check["outcome"] == "failed"
    assert message.split(" (")[0] in check["message"]
    assert SAID[kind, message] in check["hint"]


def _raised(message: str) -> str:
    value = {"type_name": "RuntimeError", "bases": ("RuntimeError",), "message": message, "where": "toy.py", "line": 3,
             "function": "mean", "own": True, "values": {}}  # fmt: skip
    return raised_error(value, "mean(...)", None, "").hint


def test_another_error_is_not():
    assert _raised("mat1 and mat2 shapes cannot be multiplied (3x2 and 3x2)") == ""
    assert _raised("CUDA out of memory") == ""


def test_in_french_too():
    english = _raised(SUM)
    use_language("fr")
    assert _raised(SUM) != english
    assert "`torch.zeros(n, device=x.device)`" in _raised(SUM)
