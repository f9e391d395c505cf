"""Models with known answers, records of what a model was given, and networks asked in one mode or the other."""

import torch

HALF, FOUR = torch.tensor([0.5], dtype=torch.float64), torch.zeros(4, 3, dtype=torch.float64)


def _times(t, x):
    """The times that a model was given as (B,) integers, in whatever form they came."""
    times = torch.as_tensor(t, device=x.device).long().reshape(-1)
    return times.expand(len(x)) if len(times) == 1 else times


class _Scaled(torch.nn.Module):
    """f(x, types, t) = scale[t] x + the arrows of the types, less their mean. Keeps what it was called with."""

    def __init__(self, scale, arrows):
        super().__init__()
        self.scale = torch.nn.Parameter(scale.detach().clone())
        self.arrows = torch.nn.Parameter(arrows.detach().clone())
        self.calls, self.well_formed, self.first = [], True, None
        # The gradient of each backward pass by itself, and with what was there before it.
        self.fresh, self.whole = [], []
        self.scale.register_hook(lambda gradient: self.fresh.append(gradient.detach().clone()))
        self.scale.register_post_accumulate_grad_hook(lambda p: self.whole.append(p.grad.detach().clone()))

    def forward(self, x, types, t):
        whole = isinstance(t, torch.Tensor) and t.dtype == torch.int64
        self.well_formed &= whole and tuple(t.shape) == tuple(x.shape[:1])
        times = _times(t, x)
        arrows = self.arrows.to(x.dtype)[types]  # (N, 3)
        answer = self.scale.to(x.dtype)[times][:, None, None] * x + arrows - arrows.mean(0)
        if self.first is None:
            self.first = x.detach().clone().cpu()
        seen = (x, times, answer) if torch.is_grad_enabled() else (x[:0], times[:1], answer[:0])
        self.calls.append([v.detach().clone().cpu() for v in (*seen, types)])
        return answer


def scaled_model(scale=HALF, arrows=FOUR):
    """f(x, types, t) = scale[t] x + arrows[types] less their mean: scale (T,), arrows (n_types, 3). Else x / 2 at 0."""
    return _Scaled(scale, arrows)


def scaled_function(scale, arrows):
    """The same as a plain function."""
    model = _Scaled(scale, arrows)

    def function(x, types, t):
        return model(x, types, t).detach()

    return function


class _Answers(torch.nn.Module):
    """A network that answers this, whatever it is given."""

    def __init__(self, answer):
        super().__init__()
        self.answer = torch.nn.Parameter(answer.detach().clone())

    def forward(self, x, types, t):
        return self.answer.to(x.dtype)


def first_input(model):
    """What a recording model was given first."""
    return model.first


def times_well_formed(model):
    """Whether every call of a recording model came with (B,) int64 times, and there was one."""
    return bool(model.well_formed and model.calls)


def training_record(model):
    """What a recording model was called with: rows of each call; x, t, answers and types of all calls."""
    if not model.calls:
        return {"rows": []}
    x, t, answer, _types = (torch.cat(v) for v in zip(*model.calls, strict=True))
    return {"rows": [len(c[0]) for c in model.calls], "x": x, "t": t, "answer": answer, "types": model.calls[0][3]}


def gradients_of(model):
    """The gradients by a scaled model's scale, one for each backward pass: fresh ones, and as they were added up."""
    return {"fresh": list(model.fresh), "whole": list(model.whole)}


def learnt_scale(model):
    """The scale of a scaled model as it is now."""
    return model.scale.detach()


def gradient_of_scale(function, model, arguments):
    """Gradient of function(model, *arguments) by the scale of a scaled model; None where it has no graph."""
    value = function(model, *arguments)
    if not isinstance(value, torch.Tensor) or not value.requires_grad:
        return None
    return torch.autograd.grad(value.sum(), model.scale, allow_unused=True)[0]


def mixing(function, alpha_bars, molecule):
    """What function(x0, alpha_bars, t, noise) makes of a molecule without noise, and of it as noise, at each time."""
    t = torch.arange(len(alpha_bars), device=molecule.device)
    zero = molecule.new_zeros(len(alpha_bars), *molecule.shape)
    x = molecule.expand_as(zero).contiguous()
    return {"molecule": function(x, alpha_bars, t, zero), "noise": function(zero, alpha_bars, t, x)}


def steps_on(function, model, types, alpha_bars, x, noise):
    """function(model, x, types, alpha_bars, t, noise) at each time, first without noise, then of zeros with noise."""
    zero, times = torch.zeros_like(x), range(len(alpha_bars))
    still = [function(model, x, types, alpha_bars, t, zero) for t in times]
    drawn = [function(model, zero, types, alpha_bars, t, noise) for t in times]
    return {"still": torch.stack(still).detach(), "drawn": torch.stack(drawn).detach()}


def losses_on(function, answers, x0, types, alpha_bars, t, noise, rows):
    """function(model, x0, types, alpha_bars, t, noise) in batches of so many rows, for a model that answers so."""
    values = []
    for y, x, s, z in zip(*(v.split(rows) for v in (answers, x0, t, noise)), strict=True):
        loss = function(_Answers(y), x, types, alpha_bars, s, z)
        values.append(torch.as_tensor(loss).detach().reshape(()))
    return torch.stack(values)


def losses_at_scales(function, scales, arrows, x0, types, alpha_bars, noise):
    """The loss at each time for scaled models whose scale is each of these numbers: (scales, T)."""
    rows = []
    for scale in scales:
        model = _Scaled(torch.full_like(alpha_bars, scale), arrows)
        times = [torch.full((len(x0),), t, device=x0.device) for t in range(len(alpha_bars))]
        losses = [function(model, x0, types, alpha_bars, t, noise) for t in times]
        rows.append(torch.stack([torch.as_tensor(loss).detach().reshape(()) for loss in losses]))
    return torch.stack(rows)


def renewed(fresh, trained):
    """A fresh network with the parameters and the buffers of a trained one; None where they do not fit."""
    try:
        fresh.load_state_dict({name: value.detach().clone() for name, value in trained.state_dict().items()})
    except RuntimeError:
        return None
    return fresh.train(trained.training)


def mode(module, training):
    """The module in training or in evaluation mode."""
    return module.train(training)
