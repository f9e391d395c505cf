"""Comparison of a student's answer with the right one, in words that help and give nothing away."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from autograder.judge.answers import as_tensor, describe
from autograder.judge.labels import Labels
from autograder.judge.verdicts import CheckFailed
from autograder.language import _, ngettext, said

# Of a tensor's largest value: where a number of the call was a float32 tensor for a moment (`torch.tensor(2 * dt)`),
# each term of a sum is off by 6e-8 of its size, whatever is left of the sum. Five such terms.
OF_THE_LARGEST = 3e-7


def compare(
    actual: object,
    expected: object,
    what: str = "",
    *,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    mistakes: Mapping[str, object] | None = None,
    hint: str | None = None,
    labels: Labels | None = None,
) -> None:
    """Fail unless `actual` has the shape and the values of `expected`.

    Args:
        actual: the student's answer.
        expected: the right one: a tensor, or what makes one.
        what: the call, as the student would write it; as `labels` know it where it is empty.
        rtol: relative tolerance; an answer in float32 where float64 is due is compared at 1e-4 (its precision is
            the business of the `conventions` check).
        atol: absolute tolerance; at least `OF_THE_LARGEST`.
        mistakes: known wrong answers by the mistake's id, of whatever shape.
        hint: what to look at next.
        labels: what the answers of the check are called.

    Raises:
        CheckFailed: with what differs: kind, shape, finiteness or how many values by how much.
    """
    what = what or (labels or Labels()).of(actual)
    right = as_tensor(_detached(expected))
    if right is None:
        raise TypeError(f"compare {what}: the expected value {expected!r} is no tensor")
    got = as_tensor(actual)
    hint = hint or ""
    if got is None:
        raise CheckFailed(
            _("{what}: expected a tensor of shape {shape}, got {got}.").format(
                what=said(what), shape=tuple(right.shape), got=describe(actual)
            ),
            hint,
        )
    if got.shape == right.shape and same(got, right, rtol, atol):
        return
    named = next((name for name, value in (mistakes or {}).items() if _is(got, value, rtol, atol)), None)
    if got.shape != right.shape:
        raise CheckFailed(
            _("{what}: expected shape {expected}, got {got}.").format(
                what=said(what), expected=tuple(right.shape), got=describe(actual)
            ),
            hint or _shape_hint(got, right),
            named,
        )
    failed = CheckFailed(_difference(got, right, what, rtol, atol), hint, named)
    failed.compared = got, right, said(what)
    raise failed


def _is(got: Tensor, value: object, rtol: float, atol: float) -> bool:
    """Whether an answer is this wrong one."""
    wrong = as_tensor(_detached(value))
    return wrong is not None and wrong.shape == got.shape and same(got, wrong, max(rtol, 1e-5), atol)


def _detached(value: object) -> object:
    return value.detach().cpu() if isinstance(value, Tensor) else value


def same(got: Tensor, right: Tensor, rtol: float = 1e-6, atol: float = 1e-8) -> bool:
    """Whether two tensors of one shape agree: NaN nowhere unless in both, infinities in the same places.

    A value near 0 may be as far off as rounding on the way makes it: see `OF_THE_LARGEST`.
    """
    return got.is_complex() == right.is_complex() and bool(_near(got, right, rtol, atol).all())


def _near(got: Tensor, right: Tensor, rtol: float, atol: float) -> Tensor:
    """Which values of two tensors of one shape agree."""
    if got.dtype in (torch.float32, torch.float16, torch.bfloat16) and right.dtype is torch.float64:
        rtol, atol = max(rtol, 1e-4), max(atol, 1e-5)
    kind = torch.complex128 if got.is_complex() else torch.float64
    a, b = got.to(kind), right.to(kind)
    sizes = b.abs()[b.isfinite()]
    atol = max(atol, OF_THE_LARGEST * float(sizes.max())) if sizes.numel() else atol
    return torch.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True)


def _shape_hint(got: Tensor, right: Tensor) -> str:
    if got.numel() == right.numel() and got.squeeze().shape == right.squeeze().shape:
        return _("The values have an extra dimension of size 1: look at `squeeze`, `keepdim` and what you sum over.")
    if got.ndim == 2 and tuple(got.shape) == tuple(reversed(right.shape)):
        return _("The answer looks transposed.")
    return ""


def _difference(got: Tensor, right: Tensor, what: str, rtol: float, atol: float) -> str:
    if got.is_complex() and not right.is_complex():
        return _("{what}: expected real numbers, got complex ones.").format(what=said(what))
    a, b = got.to(torch.float64).reshape(-1), right.to(torch.float64).reshape(-1)
    bad = a.isnan() & ~b.isnan()
    if bad.any():
        return ngettext(
            "{what}: {n} of {total} values is NaN.", "{what}: {n} of {total} values are NaN.", int(bad.sum())
        ).format(what=said(what), n=int(bad.sum()), total=a.numel())
    infinite = a.isinf() & (a != b)
    if infinite.any():
        return ngettext(
            "{what}: {n} of {total} values is infinite.",
            "{what}: {n} of {total} values are infinite.",
            int(infinite.sum()),
        ).format(what=said(what), n=int(infinite.sum()), total=a.numel())
    wrong = ~_near(got, right, rtol, atol).reshape(-1)
    error = (a - b).abs()[wrong] / b.abs().nan_to_num(posinf=1.0).clamp_min(1e-12)[wrong]
    largest = float(error.max()) if error.numel() else 0.0
    # An order of magnitude helps; a figure would give the right value away.
    size = next(
        text
        for bound, text in (
            (1e-3, _("slightly (under 0.1 %)")),
            (1e-1, _("a little (under 10 %)")),
            (float("inf"), _("clearly (10 % or more)")),
        )
        if largest < bound or bound == float("inf")
    )
    return ngettext(
        "{what}: shape and kind are right, but {n} of {total} values differs {size} from the right one.",
        "{what}: shape and kind are right, but {n} of {total} values differ {size} from the right ones.",
        int(wrong.sum()),
    ).format(what=said(what), n=int(wrong.sum()), total=a.numel(), size=size)
