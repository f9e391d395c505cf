"""The reference solution and its known mistakes as modules of the judge's own process."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path


def load_module(name: str, source: str, filename: str) -> types.ModuleType:
    """Run trusted source text (ours) as a module.

    Args:
        name: the module's name, which must be free: dataclasses look their module up by it.
    """
    module = types.ModuleType(name)
    module.__file__ = filename
    module.__package__ = name.rpartition(".")[0]
    sys.modules[name] = module
    exec(compile(source, filename, "exec"), module.__dict__)
    return module


def load_beside(package: str, paths: Sequence[Path]) -> list[types.ModuleType]:
    """Run files of one folder as modules of a package of this name: they may import what lies beside them.

    What was imported under the name before is forgotten, as the files may have changed since.
    """
    for known in [known for known in sys.modules if known == package or known.startswith(f"{package}.")]:
        del sys.modules[known]
    folder = sys.modules[package] = types.ModuleType(package)
    folder.__path__ = [str(path) for path in dict.fromkeys(path.parent for path in paths)]
    return [load_module(f"{package}.{path.stem}", path.read_text(encoding="utf-8"), str(path)) for path in paths]


def signatures(module: types.ModuleType) -> Mapping[str, str]:
    """The signature of each public function and class, as a student would write it."""
    found = {}
    for name, value in vars(module).items():
        if name.startswith("_") or not callable(value) or getattr(value, "__module__", None) != module.__name__:
            continue
        try:
            found[name] = f"{name}{_signature(value)}"
        except (TypeError, ValueError):
            continue
    return found


def parameters(module: types.ModuleType) -> Mapping[str, tuple[str, ...]]:
    """The names of the parameters of each public function, class and `Class.method` of the module's own."""
    found = {}
    for name, value in vars(module).items():
        if name.startswith("_") or not callable(value) or getattr(value, "__module__", None) != module.__name__:
            continue
        own = vars(value).items() if isinstance(value, type) else ()
        methods = {f"{name}.{method}": function for method, function in own if inspect.isfunction(function)}
        for label, function in {name: value, **methods}.items():
            try:
                names = tuple(inspect.signature(function).parameters)
            except (TypeError, ValueError):
                continue
            found[label] = names[1:] if label in methods else names
    return found


def classes(module: types.ModuleType) -> frozenset[str]:
    """The names of the module's own public classes."""
    own = (
        name for name, value in vars(module).items() if isinstance(value, type) and value.__module__ == module.__name__
    )
    return frozenset(name for name in own if not name.startswith("_"))


def _signature(value: object) -> str:
    if not callable(value):
        raise TypeError(f"{value!r} cannot be called")
    signature = inspect.signature(value)
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(inspect.Signature(plain))
