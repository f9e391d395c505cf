"""Generic probes: code that has to run beside the student's, whatever the exercise.

A probe holds no answer and no limit; what it returns is judged like everything else. Tensors cross the wire
without their graph, so whatever needs autograd is a probe.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class Target(Protocol):
    """A function of the student's, one of its methods, or a probe: anything that can be called."""

    __name__: str

    def __call__(self, *args: object, **kwargs: object) -> object: ...


def _select(value: object, output: int | None) -> object:
    return value if output is None else cast(Sequence[object], value)[output]


def gradient(
    function: Target, inputs: list[Tensor], wrt: list[int], output: int | None = None, **kwargs: object
) -> list[Tensor | None]:
    """Gradients of the summed output of `function(*inputs)` with respect to the inputs numbered in `wrt`.

    None stands where the output does not depend on the input, or has no graph at all.
    """
    arguments = list(inputs)
    for i in wrt:
        arguments[i] = arguments[i].detach().clone().requires_grad_()
    value = _select(function(*arguments, **kwargs), output)
    if not (isinstance(value, Tensor) and value.requires_grad):
        return [None] * len(wrt)
    return list(torch.autograd.grad(value.sum(), [arguments[i] for i in wrt], allow_unused=True))


def batch_jacobian(function: Target, x: Tensor, output: int | None = None) -> Tensor:
    """Jacobian of each row of the output by the same row of `x` (B, D_in): (B, D_out, D_in)."""
    x = x.detach().clone().requires_grad_()
    y = cast(Tensor, _select(function(x), output))
    rows = []
    for j in range(y.shape[1]):
        (row,) = torch.autograd.grad(y[:, j].sum(), x, retain_graph=True, allow_unused=True)
        rows.append(torch.zeros_like(x) if row is None else row)
    return torch.stack(rows, 1)


def perturb(module: nn.Module, scale: float = 1.0, seed: int = 1) -> nn.Module:
    """Add normal noise of standard deviation `scale` to every parameter; returns the module."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(noise.to(parameter), alpha=scale)
    return module


def parameters(module: nn.Module) -> dict[str, Tensor]:
    """The parameters by name."""
    return {name: value.detach().clone() for name, value in module.named_parameters()}


def set_parameters(module: nn.Module, values: dict[str, Tensor]) -> nn.Module:
    """Set parameters by name; returns the module."""
    own = dict(module.named_parameters())
    with torch.no_grad():
        for name, value in values.items():
            own[name].copy_(value)
    return module


def parameter_count(module: nn.Module) -> int:
    """How many numbers the module learns."""
    return sum(p.numel() for p in module.parameters())


def call_without_grad(function: Target, *args: object, **kwargs: object) -> object:
    """Call `function` under `torch.no_grad()`."""
    with torch.no_grad():
        return function(*args, **kwargs)


def linear(weight: Tensor, bias: Tensor | None = None) -> nn.Module:
    """An affine module with these weights (out, in) and this bias (out,)."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None).to(weight)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer


def constant(value: object) -> Target:
    """A function of anything that returns `value`."""

    def function(*args: object, **kwargs: object) -> object:
        return value

    return function


def is_instance(value: object, class_name: str) -> bool:
    """Whether `value` is an instance of the class named with its module, as in `torch.nn.Module`."""
    return any(f"{c.__module__}.{c.__qualname__}" in (class_name, _full(class_name)) for c in type(value).__mro__)


def _full(class_name: str) -> str:
    return "torch.nn.modules.module.Module" if class_name == "torch.nn.Module" else class_name


def submodule_types(module: nn.Module) -> list[str]:
    """Class names of the module and everything in it."""
    return [type(m).__name__ for m in module.modules()]


def requires_grad(function: Target, *args: object, **kwargs: object) -> bool:
    """Whether the answer of `function` carries a graph."""
    value = function(*args, **kwargs)
    return isinstance(value, Tensor) and value.requires_grad


def weight_gradients(function: Target, model: nn.Module, *args: object) -> list[Tensor | None]:
    """Gradients of `function(model, *args)` with respect to the model's parameters, None where none arrive."""
    value, weights = function(model, *args), list(model.parameters())
    if not (isinstance(value, Tensor) and value.requires_grad):
        return [None for _weight in weights]
    return list(torch.autograd.grad(value.sum(), weights, allow_unused=True))


def predict(module: nn.Module, *args: object) -> object:
    """`module(*args)` in evaluation mode, without gradients."""
    module.eval()
    with torch.no_grad():
        return module(*args)


def global_seed() -> int:
    """The seed of torch's global generator."""
    return torch.initial_seed()


def from_seed(seed: int, function: Target, *args: object) -> object:
    """The answer of a call just after torch's global generator was seeded."""
    torch.manual_seed(seed)
    return function(*args)


def twice(function: Target, *args: object, **kwargs: object) -> list[object]:
    """The answers of two calls, one after the other: a generator among the arguments is the same one in both."""
    return [function(*args, **kwargs) for _call in range(2)]


def changed(function: Target, *args: object, **kwargs: object) -> list[int]:
    """The numbers of the positional tensors that a call of `function` changes."""
    tensors = {i: value for i, value in enumerate(args) if isinstance(value, Tensor)}
    kept = {i: value.clone() for i, value in tensors.items()}
    function(*args, **kwargs)
    return [i for i, value in tensors.items() if value.shape != kept[i].shape or not torch.equal(value, kept[i])]


def quadratic(a: Tensor, b: Tensor) -> Target:
    """The function `x -> a x^2 + b x`: of what is measured on it the judge knows what is right."""

    def function(*args: object, **kwargs: object) -> object:
        x = cast(Tensor, args[0])
        return a * x * x + b * x

    return function


class _Half(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))

    def forward(self, x: Tensor, *others: object, **more: object) -> Tensor:
        return x * self.factor.to(x.dtype)


def half() -> nn.Module:
    """lambda x, *others: x / 2, as a module whose one weight is the factor."""
    return _Half()


class _Bowl(_Half):
    def forward(self, x: Tensor, *others: object, **more: object) -> Tensor:
        return -super().forward(x.square()).flatten(1).sum(1)


def bowl() -> nn.Module:
    """lambda x, *others: -(x ** 2).flatten(1).sum(1) / 2, as a module whose one weight is the half."""
    return _Bowl()


class _Noting(TorchFunctionMode):
    """Notes what is called of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.names.append(getattr(func, "__name__", str(func)))
        return func(*args, **(kwargs or {}))


def torch_calls(function: Target, *args: object, **kwargs: object) -> list[str]:
    """The names of torch's functions that a call of `function` uses, in their order."""
    noting = _Noting()
    with noting:
        function(*args, **kwargs)
    return noting.names


_PROBES: tuple[object, ...] = (
    gradient, batch_jacobian, perturb, parameters, set_parameters, parameter_count, call_without_grad, linear,
    constant, is_instance, submodule_types, requires_grad, weight_gradients, predict, global_seed, from_seed, twice,
    changed, quadratic, half, bowl, torch_calls,
)  # fmt: skip
GENERIC: dict[str, Target] = {probe.__name__: probe for probe in cast(tuple[Target, ...], _PROBES)}
