"""Mistakes in networks that are not the bank's: other first weights, other layers, another architecture.

A student's network never equals the bank's. `with_own_weights` gives every network of a file other first weights and
activations, and an order of its parameters in which a check that sets them one by one gives others. `VARIANTS` are
mistakes in alternatives, whose networks were written differently: (mistake, alternative, text, text in its place).
"""

from __future__ import annotations

import ast

OWN = '''
import types as _types

import torch as _torch


def _bias_first(layer):
    layer._parameters["weight"] = layer._parameters.pop("weight")


class _Linear(_torch.nn.Linear):
    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        _bias_first(self)

    def reset_parameters(self):
        _torch.nn.init.normal_(self.weight, std=0.9 / self.weight.shape[1] ** 0.5)
        if self.bias is not None:
            _torch.nn.init.normal_(self.bias, std=0.1)


class _LayerNorm(_torch.nn.LayerNorm):
    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        _bias_first(self)


class _Embedding(_torch.nn.Embedding):
    def reset_parameters(self):
        _torch.nn.init.uniform_(self.weight, -1.0, 1.0)


nn = _types.SimpleNamespace(**{
    **vars(_torch.nn), "Linear": _Linear, "LayerNorm": _LayerNorm, "Embedding": _Embedding,
    "SiLU": _torch.nn.Tanh, "GELU": _torch.nn.SiLU,
})
'''

VARIANTS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "wgan_gp": (
        ("batch_norm", "adamw", "nn.LayerNorm(128)", "nn.BatchNorm1d(128)"),
        ("batch_norm", "loops", "return h[:, 0]", "return ((h - h.mean(0)) / (h.std(0) + 1e-5))[:, 0]"),
        ("critic_sigmoid", "loops", "return h[:, 0]", "return torch.sigmoid(h[:, 0])"),
        ("critic_sigmoid", "elu_orthogonal", "return h.sum(1)", "return 1 / (1 + (-h.sum(1)).exp())"),
        ("critic_column", "numpy_epochs", ".squeeze(1)", ""),
        ("critic_column", "functional", "self.body(x).flatten()", "self.body(x)"),
        ("critic_squeezes_all", "numpy_epochs", ".squeeze(1)", ".squeeze()"),
        ("generator_tanh", "loops", "        return h\n", "        return h.tanh()\n"),
        ("generator_tanh", "functional", "return self.body(z)", "return self.body(z).sigmoid()"),
    ),
}


def with_own_weights(source: str) -> str:
    """A file whose networks are made of layers of its own: the imports come first, then the layers."""
    defined = (ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    first = next(node for node in ast.parse(source).body if isinstance(node, defined))
    line = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))]) - 1
    lines = source.split("\n")
    return "\n".join([*lines[:line], OWN, *lines[line:]])


def variant(source: str, old: str, new: str) -> str:
    """A file with a text of it, which stands there once, replaced."""
    assert source.count(old) == 1, f"{old!r} stands there {source.count(old)} times"
    return source.replace(old, new)
