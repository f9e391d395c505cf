"""Validation of an answer before a check works with it: any other kind fails the check in the student's words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from autograder.judge.answers import as_tensor, describe, dtype_name
from autograder.judge.case import Record
from autograder.judge.labels import Labels
from autograder.judge.remote import Function, Handle
from autograder.judge.verdicts import CheckFailed, StudentError
from autograder.language import N_, _, ngettext, said

MAX_LENGTH = 1_000_000  # of what becomes a Python list: a tensor of 200 MB would take gigabytes
_NOTHING = torch.zeros(0, dtype=torch.float64)


class Expect:
    """Each method returns the answer in a form that is safe to compute with, or fails the check.

    Where `what` does not say what the answer is called, it is called by the call that gave it.

    Args:
        record: keeps a figure (a p-value) in the result.
        labels: what the answers of the check are called where a call here does not say it.
    """

    def __init__(self, record: Record | None = None, labels: Labels | None = None) -> None:
        self._record = record or (lambda name, value: None)
        self._labels = labels or Labels()

    def tensor(
        self,
        value: object,
        shape: Sequence[int | None] | None = None,
        what: str = "",
        *,
        finite: bool = True,
        dtype: torch.dtype | None = None,
        container: Literal["any", "tensor"] = "any",
        hint: str | None = None,
        mistakes: Mapping[str, Sequence[int] | torch.dtype] | None = None,
    ) -> Tensor:
        """A tensor of this shape (None: any size), float64 unless it holds integers.

        Booleans fail, unless `dtype` asks for them: they cannot be computed with. A bare number, Python's or NumPy's,
        has no dtype to keep: it is as good as a 0-d tensor, unless `container` asks for one. `mistakes`: known wrong
        shapes and dtypes by the mistake's id.
        """
        what = what or self._labels.of(value)
        wanted = _("a tensor of shape {shape}").format(shape=_shape(shape)) if shape is not None else _("a tensor")
        tensor = as_tensor(value)
        if tensor is None or (container == "tensor" and not isinstance(value, Tensor)):
            hint = hint or (_("Return a torch tensor: `torch.as_tensor(...)`.") if tensor is not None else "")
            raise _wrong(what, hint, _("{what}: expected {wanted}, got {got}."), wanted=wanted, got=describe(value))
        if shape is not None and (
            len(shape) != tensor.ndim or any(n not in (None, m) for n, m in zip(shape, tensor.shape, strict=True))
        ):
            named = _named(mistakes, tuple(tensor.shape))
            line = _("{what}: expected shape {shape}, got {got}.")
            raise _wrong(what, hint, line, named, shape=_shape(shape), got=describe(value))
        if dtype is not None and tensor.dtype != dtype and not (dtype.is_floating_point and _is_bare(value, tensor)):
            kept = _("Keep the dtype of the input: build new tensors with `x.new_zeros`, `zeros_like`, `.to(x)`.")
            line, named = _("{what}: expected dtype {dtype}, got {got}."), _named(mistakes, tensor.dtype)
            raise _wrong(what, hint or kept, line, named, dtype=dtype_name(dtype), got=describe(value))
        if tensor.is_complex():
            raise _wrong(what, hint, _("{what}: expected real numbers, got complex ones."))
        if tensor.dtype is torch.bool and dtype is None:
            raise _wrong(what, hint, _("{what}: expected numbers, got {got}."), got=describe(value))
        if tensor.is_floating_point():
            tensor = tensor.to(torch.float64)
            bad = int((~tensor.isfinite()).sum()) if finite else 0
            if bad:
                line = ngettext(
                    "{what}: {n} of {total} values is NaN or infinite.",
                    "{what}: {n} of {total} values are NaN or infinite.",
                    bad,
                )
                raise _wrong(what, hint, line, n=bad, total=tensor.numel())
        self._labels.keep_made(tensor, what)
        return tensor

    def number(
        self,
        value: object,
        what: str = "",
        low: float | None = None,
        high: float | None = None,
        hint: str | None = None,
    ) -> float:
        """A real number (a 0-d tensor is one), within [low, high] where given; NaN never."""
        what = what or self._labels.of(value)
        tensor = None if isinstance(value, list | tuple) else as_tensor(value)
        if tensor is None or tensor.numel() != 1 or tensor.is_complex():
            raise _wrong(what, hint, _("{what}: expected a number, got {got}."), got=describe(value))
        number = float(tensor.reshape(()))
        if math.isnan(number):
            raise _wrong(what, hint, _("{what}: expected a number, got NaN."))
        if (low is not None and number < low) or (high is not None and number > high):
            line = _("{what}: expected a number {range}, got {got:.4g}.")
            raise _wrong(what, hint, line, range=_range(low, high), got=number)
        return number

    def integers(
        self,
        value: object,
        what: str = "",
        length: int | None = None,
        low: int | None = None,
        high: int | None = None,
        hint: str | None = None,
    ) -> list[int]:
        """A list of whole numbers (a 1-d tensor is one), each in low..high where given."""
        what = what or self._labels.of(value)
        tensor = _NOTHING if _is_empty(value) else as_tensor(value)
        if tensor is None or tensor.ndim != 1 or tensor.is_complex() or tensor.dtype is torch.bool:
            raise _wrong(what, hint, _("{what}: expected a list of integers, got {got}."), got=describe(value))
        if length is not None and len(tensor) != length:
            line = ngettext("{what}: expected {n} item, got {got}.", "{what}: expected {n} items, got {got}.", length)
            raise _wrong(what, hint, line, n=length, got=len(tensor))
        items = _listed(tensor, what, hint)
        if any(not math.isfinite(i) or i != int(i) for i in items):
            raise _wrong(what, hint, _("{what}: expected integers, got other numbers."))
        if any((low is not None and i < low) or (high is not None and i > high) for i in items):
            line = _("{what}: expected integers {range}, got others too.")
            raise _wrong(what, hint, line, range=_range(low, high))
        return [int(i) for i in items]

    def flag(self, value: object, what: str = "", hint: str | None = None) -> bool:
        """True or False (0-d boolean tensors and NumPy's too)."""
        tensor = None if isinstance(value, list | tuple) else as_tensor(value)
        if tensor is None or tensor.numel() != 1 or tensor.dtype is not torch.bool:
            what = what or self._labels.of(value)
            raise _wrong(what, hint, _("{what}: expected True or False, got {got}."), got=describe(value))
        return bool(tensor)

    def strings(self, value: object, what: str = "", hint: str | None = None) -> list[str]:
        """A list of texts."""
        if not isinstance(value, list | tuple) or any(not isinstance(item, str) for item in value):
            what = what or self._labels.of(value)
            raise _wrong(what, hint, _("{what}: expected a list of strings, got {got}."), got=describe(value))
        return list(value)

    def history(
        self, value: object, key: str, length: int | None = None, what: str = "", hint: str | None = None
    ) -> list[float]:
        """The list of floats at `key` of a training's history, of this length, all finite."""
        what = what or self._labels.of(value)
        if not isinstance(value, dict):
            line = _("{what}: expected a dict of lists (the history), got {got}.")
            raise _wrong(what, hint, line, got=describe(value))
        if key not in value:
            keys = ", ".join(sorted(str(k)[:40] for k in value)[:10]) or "-"
            raise _wrong(what, hint, _("{what}: the history has no key {key!r}; its keys: {keys}."), key=key, keys=keys)
        series = value[key]
        name = f'{what}["{key}"]'
        tensor = _NOTHING if _is_empty(series) else self.tensor(series, (None,), name, hint=hint)
        if length is not None and len(tensor) != length:
            raise _several(name, hint, length, len(tensor))
        return [float(v) for v in _listed(tensor, name, hint)]

    def sequence(self, value: object, length: int, what: str = "", hint: str | None = None) -> tuple[object, ...]:
        """A tuple (or list) of this many things, such as the several values of a `return a, b`."""
        if not isinstance(value, list | tuple) or len(value) != length:
            raise _several(what or self._labels.of(value), hint, length, describe(value))
        return tuple(value)

    def handle(self, value: object, what: str = "", hint: str | None = None) -> Handle:
        """An object (a module, a class instance), not plain data."""
        if not isinstance(value, Handle):
            what = what or self._labels.of(value)
            raise _wrong(what, hint, _("{what}: expected an object, got {got}."), got=describe(value))
        return value

    def true(self, condition: object, message: str, hint: str | None = None, mistake: str | None = None) -> None:
        """Fail with `message` unless `condition` holds."""
        if not bool(condition):
            raise CheckFailed(message, hint or "", mistake)

    def raises(
        self,
        kind: type[Exception],
        function: Function,
        *args: object,
        what: str = "",
        hint: str | None = None,
        **kwargs: object,
    ) -> None:
        """Fail unless `function(*args, **kwargs)` raises `kind` (or a class derived from it)."""
        if not what:
            what = function._session.written(function, args, kwargs) if isinstance(function, Handle) else _("the call")
        try:
            value = function(*args, **kwargs)
        except StudentError as error:
            if error.kind == "raised" and kind.__name__ in error.bases:
                return
            if error.kind != "raised":
                raise
            got = error.bases[0] if error.bases else error.message
            line = _("{what}: expected {kind}, but it raised {got}.")
            raise _wrong(what, hint, line, kind=kind.__name__, got=got) from None
        line = _("{what}: expected {kind}, but it returned {got}.")
        raise _wrong(what, hint, line, kind=kind.__name__, got=describe(value))

    def p_value(
        self, p: float, what: str, alpha: float = 1e-5, hint: str | None = None, mistake: str | None = None
    ) -> None:
        """Fail where a correct solution would give so small a p-value less than `alpha` of the time."""
        self._record(N_("p-value: {what}").format(what=what), float(p))
        self._record(N_("false-fail rate: {what}").format(what=what), alpha)
        if not p >= alpha:
            raise CheckFailed(
                _("{what}: the sample does not follow the law that it should (a right sample looks like this less "
                  "than once in {n:,} times).").format(what=said(what), n=round(1 / alpha)),
                hint or "",
                mistake,
            )  # fmt: skip


def _wrong(what: str, hint: str | None, line: str, mistake: str | None = None, **values: object) -> CheckFailed:
    """The failure of a check by an answer that is not what was expected, in the student's words."""
    return CheckFailed(line.format(what=said(what), **values), hint or "", mistake)


def _is_bare(value: object, tensor: Tensor) -> bool:
    """Whether an answer is a number outside a tensor."""
    return tensor.ndim == 0 and not isinstance(value, Tensor) and tensor.dtype is not torch.bool


def _named(
    mistakes: Mapping[str, Sequence[int] | torch.dtype] | None, got: tuple[int, ...] | torch.dtype
) -> str | None:
    """The mistake that gives this shape or dtype."""
    known = {name: form if isinstance(form, torch.dtype) else tuple(form) for name, form in (mistakes or {}).items()}
    return next((name for name, form in known.items() if form == got), None)


def _several(what: str, hint: str | None, length: int, got: object) -> CheckFailed:
    line = ngettext("{what}: expected {n} value, got {got}.", "{what}: expected {n} values, got {got}.", length)
    return _wrong(what, hint, line, n=length, got=got)


def _is_empty(value: object) -> bool:
    return isinstance(value, list | tuple) and not value


def _listed(tensor: Tensor, what: str, hint: str | None) -> list[float]:
    if len(tensor) > MAX_LENGTH:
        line = _("{what}: expected at most {limit:,} items, got {got:,}.")
        raise _wrong(what, hint, line, limit=MAX_LENGTH, got=len(tensor))
    items: list[float] = tensor.tolist()
    return items


def _shape(shape: Sequence[int | None]) -> str:
    sizes = ["*" if n is None else str(n) for n in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return _("of at most {high}").format(high=high)
    if high is None:
        return _("of at least {low}").format(low=low)
    return _("between {low} and {high}").format(low=low, high=high)
