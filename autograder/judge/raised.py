"""What the student's exception says, from what the worker says about it: checked, then put into words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autograder.judge.verdicts import RaisedIn, StudentError
from autograder.language import _
from autograder.sandbox.isolation import GPU_MEMORY, SHARED_MEMORY
from autograder.wire.values import DTYPES, MAX_DIMENSIONS
from autograder.worker.raised import MAX_VALUES

_FIELDS = {
    "type_name": str, "bases": tuple, "message": str, "where": str, "line": int, "function": str, "own": bool,
    "values": dict,
}  # fmt: skip
_NUMBERS = frozenset(("int", "float", "complex", *DTYPES))


def is_line(number: object) -> bool:
    """Whether this is a line's number: an integer of thousands of digits would be written into a result."""
    return type(number) is int and 0 <= number < 10**7


def raised_error(
    value: object, label: str, signature: str | None, loading_note: str, libraries: Sequence[str] = ()
) -> StudentError:
    """The error that a call of `label` ended with.

    Args:
        signature: the contract's, where it has one.
        loading_note: what of the file could not be loaded, for names that are not there.
        libraries: those that can be imported, for who has imported another.
    """
    if type(value) is not dict or {k: type(v) for k, v in value.items()} != _FIELDS or not is_line(value["line"]):
        return StudentError(_("{label} gave no answer.").format(label=label), kind="protocol")
    bases = tuple(b for b in value["bases"] if type(b) is str)
    if "NotImplementedError" in bases and value["own"]:
        return StudentError(_not_written(label, value["function"], value["line"], value["where"]), bases=bases)
    raised = {"label": label, "type": value["type_name"], "message": value["message"] or "-"}
    hint = ""
    if value["line"]:
        message = _("{label} raised {type}: {message} (your line {line} of {where}, in {function})").format(
            **raised, line=value["line"], where=value["where"], function=value["function"]
        )
    else:
        message = _("{label} raised {type}: {message}").format(**raised)
    if not value["line"] and "TypeError" in bases and signature is not None:
        hint = _("The contract's signature is `{signature}`.").format(signature=signature)
    if "ModuleNotFoundError" in bases and libraries:
        hint = _("Where exercises are graded there are Python's own modules and {listing}.").format(
            listing=", ".join(libraries)
        )
    if "NameError" in bases and loading_note:
        message += f".{loading_note}"
    hint = hint or _about_devices(value["message"])
    error = StudentError(message, hint, bases=bases)
    if value["line"]:
        error.raised_in = RaisedIn(value["where"], value["line"], dict(_in_words(value["values"])))
    return error


def _in_words(values: dict[object, object]) -> Iterator[tuple[str, str]]:
    """What variables were, by name; what a worker may not have written is left out."""
    for name, form in list(values.items())[:MAX_VALUES]:
        if type(name) is not str or not name.isidentifier() or len(name) > 100 or type(form) is not tuple:
            continue
        match form:
            case ("number", str(kind), ()) if kind in _NUMBERS:
                yield name, _("a number of type {type}").format(type=kind)
            case (("tensor" | "array") as kind, str(dtype), tuple(shape)) if dtype in DTYPES and _is_shape(shape):
                template = (
                    _("a tensor of shape {shape}, {dtype}")
                    if kind == "tensor"
                    else _("a NumPy array of shape {shape}, {dtype}")
                )
                yield name, template.format(shape=shape, dtype=dtype)


def _is_shape(shape: tuple[object, ...]) -> bool:
    return len(shape) <= MAX_DIMENSIONS and all(type(n) is int and 0 <= n < 2**48 for n in shape)


def _about_devices(message: str) -> str:
    """What to do where an exception of torch's says that devices are mixed; "" where it says nothing of the kind."""
    if "to be on the same device" in message or "indices should be either on" in message:
        return _(
            "A tensor was made on the CPU, and is used with tensors on cuda: write `torch.zeros(n, device=x.device)` "
            "and the like, and give a module its tensors with `register_buffer`."
        )
    if "device type tensor to numpy" in message:
        return _(
            "NumPy computes on the CPU only: write `x.detach().cpu().numpy()`, and on the way back "
            "`torch.from_numpy(a).to(x.device)`."
        )
    if "device type for generator" in message:
        return _(
            "A generator draws on its own device only: write `torch.randn(n, generator=generator, "
            "device=generator.device).to(x.device)`."
        )
    if "not compiled with CUDA" in message or "no NVIDIA driver" in message:
        return _("There is no GPU where this is graded: write `x.device` in the place of a device's name.")
    return ""


def _not_written(label: str, function: str, line: int, where: str) -> str:
    """What is not written: what was called, or what that calls in its turn."""
    called = label.removesuffix("(...)").rpartition(".")[2]
    if function in (called, "__init__", "forward", "__call__", "<lambda>"):
        return _("{label} is not written yet (it raises NotImplementedError).").format(label=label)
    return _(
        "{label} calls {function}, which is not written yet (NotImplementedError in your line {line} of {where})."
    ).format(label=label, function=function, line=line, where=where)


def in_words(reason: str) -> str:
    """Why a worker ended, as students read it."""
    if reason == GPU_MEMORY:
        return _("it used more memory of the GPU than it may have")
    if reason == SHARED_MEMORY:
        return _("it used more memory than it may have")
    return reason
