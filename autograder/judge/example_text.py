"""An example's call as it can be typed into a notebook: what is used twice, or is long, gets a name first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from autograder.judge.arguments import Arguments
from autograder.judge.outcomes import Asked, with_seeds
from autograder.judge.plain_tensors import (
    OFTEN,
    eye_like,
    eyes,
    is_constant,
    is_plain,
    rows_moved,
    takes_a_name,
    text_of_plain,
)
from autograder.judge.recording import Made, Seeded, uses
from autograder.judge.shown import example_value

_NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e-?\d+)?(?![\w(])")
_PICKED = re.compile(r"(?<=[\w)\]])\[\d+\]")
WORDS = 8  # texts in a list that are all written
LONG = 48  # characters of an object within a call that is given a name


def example_text(
    asked: Asked,
    call: Arguments,
    parameters: Mapping[str, Sequence[str]],
    probes: Mapping[str, str],
    types: bool = False,
    objects: Mapping[int, str] | None = None,
) -> str:
    """The lines of an example.

    Args:
        parameters: names of parameters by function, class and `Class.method`.
        probes: what the checks' own functions do, by their names.
        types: dtypes are what matters.
        objects: what stands for an object, by the id of what made it, where that is not to be said.
    """
    return _Writer(call, parameters, probes, types, objects or {}).written(asked, call)


class _Writer:
    def __init__(
        self,
        call: Arguments,
        parameters: Mapping[str, Sequence[str]],
        probes: Mapping[str, str],
        types: bool,
        objects: Mapping[int, str],
    ) -> None:
        self._parameters = parameters
        self._probes = probes
        self._types = types
        self._uses = Counter(map(id, uses(call.args)))
        self._alike = Counter((x.shape, x.dtype) for x in call.leaves if isinstance(x, Tensor) and is_constant(x))
        self._eyes = eyes([x for x in call.leaves if isinstance(x, Tensor)])
        self._first: dict[tuple[torch.Size, torch.dtype], Tensor] = {}
        self._names: dict[int, str] = dict(objects)
        self._before: list[str] = []
        self._said: list[str] = []

    def written(self, asked: Asked, call: Arguments) -> str:
        made = call.args[0]
        if asked == "seeds":
            lines = [self.value(made), self.value(with_seeds(made, 1))]
        elif asked == "free":
            lines = [self.value(with_seeds(made, None))] * 2
        elif asked == "twice":
            lines = [self.value(made)] * 2
        else:
            lines = [self.value(one) for one in call.args]
        return "\n".join((*self._said, *self._before, *lines))

    def value(self, value: object, top: bool = True) -> str:
        if isinstance(value, Made):
            return self.made(value, top)
        if isinstance(value, Tensor):
            return self.tensor(value)
        if isinstance(value, Seeded):
            return f"torch.Generator().manual_seed({value.seed})"
        if isinstance(value, list):
            written = [self.value(item, False) for item in value]
            if len(written) > WORDS and all(isinstance(item, str) for item in value):
                written[2:] = ["..."]
            return f"[{', '.join(written)}]"
        if isinstance(value, tuple):
            return f"({', '.join(self.value(item, False) for item in value)}{',' * (len(value) == 1)})"
        if isinstance(value, dict):
            return f"{{{', '.join(f'{key!r}: {self.value(item, False)}' for key, item in value.items())}}}"
        return str(value) if isinstance(value, torch.dtype) else example_value(value) or repr(value)

    def tensor(self, value: Tensor) -> str:
        if is_plain(value):
            dtype = f", dtype={value.dtype}" if self._types or not value.is_floating_point() else ""
            return self._plain(value, dtype)
        text = example_value(value)
        if self._types and value.is_floating_point() and text.startswith("tensor("):
            text = f"{text[:-1]}, dtype={value.dtype})"
        if self._uses[id(value)] > 1 and takes_a_name(value):
            return self._named(value, text, "x")
        return text

    def _plain(self, value: Tensor, dtype: str) -> str:
        form = value.shape, value.dtype
        if rows_moved(value) == 0 and self._eyes[value.shape[-2:]] >= OFTEN and not self._types:
            eye = self._first.setdefault((value.shape[-2:], value.dtype), eye_like(value).reshape(value.shape[-2:]))
            return text_of_plain(value, dtype, like=self._named(eye, text_of_plain(eye, dtype), "x"))
        if not is_constant(value) or self._alike[form] < 2:
            return text_of_plain(value, dtype)
        first = self._first.setdefault(form, value)  # the others are written by its shape
        if first is value:
            return self._named(value, text_of_plain(value, dtype), "x")
        return text_of_plain(value, "", like=self._names[id(first)])

    def made(self, made: Made, top: bool) -> str:
        if id(made) in self._names:
            return self._names[id(made)]
        text = self._expression(made)
        if made.how in ("call", "probe") and (self._uses[id(made)] > 1 or (len(text) > LONG and not top)):
            method = made.of is not None and made.of.how == "get"
            return self._named(made, text, "answer" if method else _variable(made.contract_name or str(made.name)))
        return text

    def _expression(self, made: Made) -> str:
        if made.how == "name":
            return str(made.name)
        inner = self.value(made.of, made.how == "part") if made.of is not None else ""
        if made.how == "get":
            return f"{inner}.{made.name}"
        if made.how == "part":
            return f"{inner}[{made.name!r}]"
        names: list[str] = []
        if made.how == "probe":
            inner = str(made.name)
            if self._probes.get(inner):
                line = f"# {inner}: {self._probes[inner]}"
                self._said += [line] if line not in self._said else []
        else:
            names = list(self._parameters.get(made.contract_name, ()))
        names += [""] * len(made.args)
        passed = [
            self.value(arg, False) if place < 2 or not names[place] else f"{names[place]}={self.value(arg, False)}"
            for place, arg in enumerate(made.args)
        ]
        passed += [f"{name}={self.value(arg, False)}" for name, arg in made.kwargs.items()]
        return f"{inner}({', '.join(passed)})"

    def _named(self, value: object, text: str, name: str) -> str:
        if id(value) not in self._names:
            taken = set(self._names.values())
            free = next(n for n in (name, *(f"{name}{k}" for k in range(2, 99))) if n not in taken)
            self._names[id(value)] = free
            self._before.append(f"{free} = {text}")
        return self._names[id(value)]


def numbers_in(text: str, zeros: bool = True) -> int:
    """How many numbers somebody has to read in an example's call: what `[0]` picks, and words, are none, and a line
    that stands there twice is read once.

    Args:
        zeros: count those, too.
    """
    lines = [line for line in dict.fromkeys(text.splitlines()) if not line.startswith("#")]
    found = _NUMBER.findall(_PICKED.sub("", "\n".join(lines)))
    return sum(zeros or float(number) != 0 for number in found)


def _variable(name: str) -> str:
    """A variable for an object of this class, or that this function makes."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name.rpartition(".")[2] or name)
    return (words[-1].lower() if words else "model") + ("_" if words and words[-1] == name else "")
