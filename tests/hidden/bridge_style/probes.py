"""Drifts and models with known answers, records of what a model was given, and whole networks evaluated."""

import torch


def sloped_drift(matrix, slope):
    """A drift that is a plain function, x A + t c; its matrix asks for gradients."""
    matrix = torch.nn.Parameter(matrix.clone())

    def drift(x, t):
        return x @ matrix.to(x.dtype) + t * slope.to(x.dtype)

    return drift


def drift_towards(function, y, b, g, sigma):
    """The drift x, t -> function(x, t, y, b, g, sigma)."""

    def drift(x, t):
        return function(x, t, y, b, g, sigma)

    return drift


class _Affine(torch.nn.Module):
    """A network that is affine in place and time, x W + t v + c, and keeps what it was given."""

    def __init__(self, weight, slope, bias):
        super().__init__()
        self.weight, self.slope, self.bias = (torch.nn.Parameter(v.clone()) for v in (weight, slope, bias))
        self.calls, self.well_formed = [], True

    def forward(self, x, t):
        self.well_formed &= isinstance(t, torch.Tensor) and tuple(t.shape) == tuple(x.shape[:1])
        times = torch.as_tensor(t).to(x.dtype).reshape(-1)
        weight, slope, bias = (v.to(x.dtype) for v in (self.weight, self.slope, self.bias))
        answer = x @ weight + times[:, None] * slope + bias
        seen = (x, times.expand(len(x)), answer)
        self.calls.append((torch.is_grad_enabled(), *(v.detach().clone().cpu() for v in seen)))
        return answer


def affine_model(weight, slope, bias):
    """model(x (B, d), t (B,)) = x W + t v + c."""
    return _Affine(weight, slope, bias)


def times_well_formed(model):
    """Whether every call of an affine model came with times (B,)."""
    return bool(model.well_formed and model.calls)


def record(model):
    """What an affine model was given under gradients: the rows of each call; x, t and answers of all of them."""
    calls = [call[1:] for call in model.calls if call[0]]
    if not calls:
        return {"rows": []}
    x, t, answer = (torch.cat(v) for v in zip(*calls, strict=True))
    return {"rows": [len(c[0]) for c in calls], "x": x, "t": t, "answer": answer}


def _units(t):
    one, zero = t.new_ones(len(t), 1), t.new_zeros(len(t), 1)
    return (one, zero, zero), (zero, one, zero), (zero, zero, one)


def parts_of_bridge(function, t, sigma):
    """function(x0, x1, t, sigma, noise) with one of x0, x1, noise 1 and the others 0: (B, 3)."""
    return torch.cat([function(x0, x1, t, sigma, noise) for x0, x1, noise in _units(t)], 1)


def parts_of_loss(function, t, sigma):
    """The place that function(model, x0, x1, t, sigma, noise) shows the model, in the same way: (B, 3)."""
    shown = []
    for x0, x1, noise in _units(t):
        eye, zero = t.new_ones(1, 1), t.new_zeros(1)
        model = _Affine(eye, zero, zero)
        function(model, x0, x1, t, sigma, noise)
        shown.append(model.calls[0][1])
    return torch.cat(shown, 1)


class _Answers(torch.nn.Module):
    """A network that answers this, whatever it is given."""

    def __init__(self, answer):
        super().__init__()
        self.answer = torch.nn.Parameter(answer.detach().clone())

    def forward(self, x, t):
        return self.answer.to(x.dtype)


def losses_on(function, x0, x1, t, sigma, noise, answers, rows):
    """function(model, x0, x1, t, sigma, noise) in batches of so many rows, for a model that answers so."""
    values = []
    for parts in zip(*(v.split(rows) for v in (x0, x1, t, noise, answers)), strict=True):
        start, end, times, xi, answer = parts
        value = function(_Answers(answer), start, end, times, sigma, xi)
        values.append(torch.as_tensor(value).detach().reshape(()))
    return torch.stack(values)


def first_row_sees_others(module, x, t):
    """Whether in training mode the first row's answer has a slope in the other rows: dropout has none."""
    module.train()
    x = x.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(module(x, t)[0].sum(), x, allow_unused=True)
    return slope is not None and bool(slope[1:].any())


def renewed(fresh, trained):
    """A fresh network with the parameters and the buffers of a trained one; None where they do not fit."""
    try:
        fresh.load_state_dict({name: value.detach().clone() for name, value in trained.state_dict().items()})
    except RuntimeError:
        return None
    return fresh


def dtype_of(value):
    """Name of a tensor's dtype."""
    return str(getattr(value, "dtype", ""))
