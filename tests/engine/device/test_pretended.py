"""The pretended device is no easier than a GPU: what real torch refuses there is refused, in its words, and no more."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tests.engine.device.pretended import CPU, CUDA, PretendedDevice, device_of

TWO = "Expected all tensors to be on the same device, but found at least two devices"
GENERATOR = "Expected a '{}' device type for generator but found '{}'"


@pytest.fixture(autouse=True)
def _pretended():
    with PretendedDevice():
        yield


@pytest.fixture
def x():
    return torch.arange(6.0, device="cuda").view(3, 2)


def small():
    return nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))


REFUSED = {
    "a sum": lambda x: x + torch.zeros(3, 2),
    "a product": lambda x: torch.zeros(5, 3) @ x,
    "a comparison": lambda x: torch.equal(x, torch.zeros(3, 2)),
    "a choice": lambda x: torch.where(torch.ones(3, 2) > 0, x, 0.0),
    "in place": lambda x: x.mul_(torch.ones(2)),
    "in place, into the CPU's": lambda x: torch.zeros(3, 2).add_(x),
    "in place, into a number of the CPU's": lambda x: torch.tensor(0.0).add_(x[0, 0]),
    "a stack": lambda x: torch.stack([x[0, 0], torch.tensor(1.0)]),
    "a concatenation": lambda x: torch.cat([x, torch.zeros(1, 2)]),
    "a mask": lambda x: x.masked_fill(torch.ones(3, 2) > 0, 1.0),
    "a gather": lambda x: x.gather(0, torch.zeros(1, 2, dtype=torch.long)),
    "a table": lambda x: nn.functional.embedding(torch.tensor([0]), x),
    "values put at an index": lambda x: x.__setitem__(torch.tensor([0, 1]), torch.zeros(2, 2)),
    "a module of the CPU": lambda x: small()(x),
    "a module's tensor that is no buffer": lambda x: _Forgetful().to("cuda")(x),
    "NumPy's numbers": lambda x: x + torch.from_numpy(np.zeros((3, 2), dtype=np.float32)),
    "the old constructor": lambda x: x + torch.Tensor([[1.0, 2.0]]),
    "a view": lambda x: x + torch.zeros(6).view(3, 2).T.contiguous().mT,
    "under vmap": lambda x: torch.func.vmap(lambda row: row + torch.zeros(2))(x),
    "in a gradient": lambda x: torch.func.grad(lambda y: (y * torch.zeros(2)).sum())(x),
    "after copy": lambda x: copy.deepcopy(x) + torch.zeros(3, 2),
    "a loss": lambda x: nn.functional.mse_loss(x, torch.zeros(3, 2)),
}


class _Forgetful(nn.Module):
    def __init__(self):
        super().__init__()
        self.mask = torch.ones(2)

    def forward(self, x):
        return self.mask * x


@pytest.mark.parametrize("what", REFUSED)
def test_tensors_of_two_devices_are_refused(what, x):
    with pytest.raises(RuntimeError, match=TWO):
        REFUSED[what](x)


ALLOWED = {
    "a number of the CPU": lambda x: x * torch.tensor(2.0),
    "an index of the CPU": lambda x: x[torch.tensor([0, 2])],
    "a mask of the CPU as an index": lambda x: x[torch.tensor([True, False, True])],
    "the device of the input": lambda x: x + torch.zeros(2, device=x.device),
    "a tensor like it": lambda x: x + torch.ones_like(x) + x.new_zeros(2),
    "a move": lambda x: torch.zeros(3, 2).to(x) + x,
    "the same dtype": lambda x: torch.zeros(3, 2, dtype=torch.float64).type_as(x) + x,
    "a module that was moved": lambda x: small().to(x.device)(x),
    "a number read": lambda x: x.sum().item() * x,
    "under vmap": lambda x: torch.func.vmap(lambda row: row + torch.zeros(2, device=row.device))(x),
    "eigenvectors": lambda x: torch.linalg.eigh(x.T @ x).eigenvectors,
    "rows": lambda x: torch.stack(list(x)),
    "sorted": lambda x: x.sort(dim=0).values,
    "a default device": lambda x: x + _made_under("cuda"),
}  # fmt: skip


def _made_under(device):
    with torch.device(device):
        return torch.zeros(2)


@pytest.mark.parametrize("what", ALLOWED)
def test_the_rest_is_not_and_stays_there(what, x):
    assert ALLOWED[what](x).device == CUDA


def test_numbers_are_those_of_the_cpu(x):
    torch.manual_seed(3)
    module = small()
    moved = copy.deepcopy(module).to("cuda")
    expected = module(x.cpu())
    assert torch.equal(moved(x).cpu(), expected)
    torch.manual_seed(3)
    there = torch.randn(4, device="cuda")
    torch.manual_seed(3)
    assert torch.equal(there.cpu(), torch.randn(4))


def test_there_and_back(x):
    assert (x.device, x.is_cuda, x.get_device()) == (CUDA, True, 0)
    back = x.to("cpu")
    assert (back.device, back.is_cuda, x.cpu().device, x.to(torch.zeros(1)).device) == (CPU, False, CPU, CPU)
    back[0] = 7.0
    assert x[0, 0] == 0.0  # a copy, as between two memories
    assert back.cuda().to("cuda:0", torch.float64).dtype == torch.float64
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        x.to("cuda:1")


@pytest.mark.parametrize("convert", [lambda x: x.numpy(), np.asarray, lambda x: x.detach().T.numpy()])
def test_numpy_is_on_the_cpu_only(convert, x):
    with pytest.raises(TypeError, match=r"can't convert cuda:0 device type tensor to numpy\. Use Tensor\.cpu"):
        convert(x)
    assert x.cpu().numpy().sum() == 15.0


def test_a_generator_draws_on_its_own_device(x):
    here, there = torch.Generator(), torch.Generator(device=x.device)
    assert isinstance(here, torch.Generator)
    assert isinstance(torch.default_generator, torch.Generator)
    assert (here.device, there.device) == (CPU, CUDA)
    assert torch.randn(2, generator=there, device="cuda").device == CUDA
    assert x.clone().normal_(generator=there).device == CUDA
    for draw in (
        lambda: torch.randn(2, generator=here, device="cuda"),
        lambda: torch.bernoulli(x / 6, generator=here),
        lambda: torch.multinomial(x, 1, generator=here),
        lambda: nn.init.normal_(x.clone(), generator=here),
    ):
        with pytest.raises(RuntimeError, match=GENERATOR.format("cuda", "cpu")):
            draw()
    data = TensorDataset(x)
    for draw in (
        lambda: torch.randperm(3, generator=there),
        lambda: torch.rand(2, generator=there).to(x),
        lambda: list(DataLoader(data, batch_size=2, shuffle=True, generator=there)),
    ):
        with pytest.raises(RuntimeError, match=GENERATOR.format("cpu", "cuda")):
            draw()
    assert [rows.device for (rows,) in DataLoader(data, batch_size=2, shuffle=True, generator=here)] == [CUDA, CUDA]


@pytest.mark.parametrize("optimiser", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop])
def test_a_training_stays_there(optimiser, x):
    model = small().to("cuda")
    steps = optimiser(model.parameters(), lr=1e-2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for _ in range(3):
        steps.zero_grad()
        model(x).square().mean().backward()
        steps.step()
    assert {device_of(p) for p in model.parameters()} == {device_of(p.grad) for p in model.parameters()} == {CUDA}
    assert all(value.device == CUDA for value in model.state_dict().values())
    assert any(not torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with pytest.raises(RuntimeError, match="assigned grad has data located on a different device"):
        next(model.parameters()).grad = torch.zeros(4, 2)
    assert next(model.cpu().parameters()).device == CPU
    assert nn.Parameter(torch.zeros(2)).device == CPU
    assert nn.Parameter(x).device == CUDA


def test_gradients_are_where_their_inputs_are(x):
    x.requires_grad_()
    (found,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    assert found.device == CUDA
    assert torch.autograd.grad(found.sum(), x)[0].device == CUDA
    assert torch.func.jacrev(lambda y: y.sin())(x.detach()).device == CUDA
    weight = torch.ones(2, requires_grad=True)  # moved on its way: its gradient comes back
    (weight.to("cuda") * x.detach()).sum().backward()
    assert weight.grad.device == CPU


def test_what_a_gpu_cannot_do():
    counts = torch.ones(2, 2, dtype=torch.long, device="cuda")
    with pytest.raises(RuntimeError, match="not implemented for 'Long'"):
        counts @ counts
    with pytest.raises(NotImplementedError, match="aten::histogram"):
        torch.histogram(counts.float(), 3)


def test_nothing_is_left_behind():
    x = torch.zeros(2, device="cuda")
    with PretendedDevice():
        pass
    assert (x.device, torch.cuda.is_available()) == (CUDA, True)  # the outer one goes on
