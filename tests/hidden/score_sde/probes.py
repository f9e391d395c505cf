"""Fields, densities and scores to be differentiated and followed, and a record of what a model was trained on."""

import torch


def curved_field(inner, shift, outer):
    """The field tanh(x inner^T + shift) outer^T, a plain function: inner (h, d), shift (h,), outer (d, h)."""

    def field(x):
        return torch.tanh(x @ inner.T + shift) @ outer.T

    return field


def fixed_field(value):
    """A field that is `value` (d,) everywhere."""

    def field(x):
        return value.expand_as(x)

    return field


def polynomial(matrix, slope, growth, quartic):
    """log_prob(x, t): -(1 + t) x^T matrix x / 2 + cos(t) slope x + growth t^2 - quartic |x|^4 / 4, matrix symmetric."""

    def log_prob(x, t):
        square = (x * x).sum(1)
        bent = -(1 + t) * ((x @ matrix) * x).sum(1) / 2 + torch.cos(t) * (x @ slope)
        return bent + growth * t**2 - quartic * square**2 / 4

    return log_prob


def still(matrix):
    """log_prob(x, t) = -x^T matrix x / 2, at all times."""

    def log_prob(x, t):
        return -((x @ matrix) * x).sum(1) / 2

    return log_prob


def flat(growth):
    """log_prob(x, t) = growth t^2, everywhere."""

    def log_prob(x, t):
        return growth * t**2

    return log_prob


def gaussians(means, std, weights):
    """log_prob(x, t) of noised Gaussians that start as N(means_k, std^2 I), weights_k; a plain function."""

    def log_prob(x, t):
        left = torch.exp(-t)[:, None, None]
        variance = 1 + (std**2 - 1) * torch.exp(-2 * t)[:, None]
        squares = (x[:, None] - left * means).square().sum(-1)
        logs = weights.log() - squares / (2 * variance) - x.shape[1] / 2 * torch.log(6.283185307179586 * variance)
        return torch.logsumexp(logs, 1)

    return log_prob


class _Score(torch.nn.Module):
    """A score that is asked for: it notes whether the times come as they should, and is NaN outside `between`."""

    def __init__(self, between, **numbers):
        super().__init__()
        self.between, self.well_formed = between, True
        for name, value in numbers.items():
            setattr(self, name, torch.nn.Parameter(value.detach().clone()))

    def forward(self, x, t):
        self.well_formed &= isinstance(t, torch.Tensor) and t.dtype == x.dtype and t.shape == x.shape[:1]
        t = torch.as_tensor(t, dtype=x.dtype, device=x.device).expand(x.shape[0])
        low, high = self.between
        inside = (t >= low) & (t <= high)
        return torch.where(inside[:, None], self.value(x, t), torch.full_like(x, float("nan")))


class _Bent(_Score):
    def value(self, x, t):
        drift = (x @ self.weight.to(x.dtype).T + self.bias.to(x.dtype)) * (1 + t / 2)[:, None]
        return drift + self.bend.to(x.dtype) * torch.sin(x)


OF_ONE = torch.tensor([[-1.0]])


def bent_score(weight=OF_ONE, bias=0 * OF_ONE[0], bend=0 * OF_ONE[0], between=(-9.0, 9.0)):
    """score(x, t) = (x weight^T + bias) (1 + t / 2) + bend sin(x); weight (d, d), bias, bend (d,); or -x (1 + t/2)."""
    return _Bent(between, weight=weight, bias=bias, bend=bend)


class _Wells(_Score):
    def value(self, x, t):
        left = torch.exp(-t)[:, None]
        variance = 1 + (self.std**2 - 1) * left**2
        z = x - left * self.centre
        side = torch.tanh((z * left * self.reach).sum(1, keepdim=True) / variance + self.log_odds)
        return (side * left * self.reach - z) / variance


def wells(centre, half, std, log_odds, between):
    """The score of two wells at centre + half and centre - half (d,), on their way to noise."""
    return _Wells(between, centre=centre, reach=half, std=std, log_odds=log_odds)


def well_formed(score):
    """Whether every call came with times (B,) in the dtype of the points."""
    return bool(score.well_formed)


def divergences(function, score, path, times):
    """function(x -> -x - score(x, t), x) for each t of `times` (n,) and x of `path` (n, B, d): (n, B)."""
    found = []
    for x, t in zip(path, times, strict=True):
        found.append(torch.as_tensor(function(lambda y, t=t: -y - score(y, t.expand(y.shape[0])), x)).detach())
    return torch.stack(found)


def starting_point_kept(function, score, x, times):
    """Whether function(score, x, times) leaves x as it was, and answers without a graph."""
    before = x.clone()
    answer = function(score, x, times)
    return {"kept": bool(torch.equal(before, x)), "graph": bool(torch.as_tensor(answer).requires_grad)}


class _Affine(torch.nn.Module):
    """A trainable model: each coordinate by its own weight, plus its own bias. Keeps what it was trained on."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = torch.nn.Parameter(weight.clone()), torch.nn.Parameter(bias.clone())
        self.calls, self.fresh, self.whole = [], [], []
        self.well_formed = True
        # The gradient of each backward pass by itself, and with what was there before it.
        self.weight.register_hook(lambda gradient: self.fresh.append(gradient.detach().clone()))
        self.weight.register_post_accumulate_grad_hook(lambda p: self.whole.append(p.grad.detach().clone()))

    def forward(self, x, t):
        answer = self.weight.to(x.dtype) * x + self.bias.to(x.dtype)
        times = torch.as_tensor(t, dtype=x.dtype, device=x.device)
        self.well_formed &= isinstance(t, torch.Tensor) and t.dtype == x.dtype and t.shape == x.shape[:1]
        if torch.is_grad_enabled():
            seen = (x, times.reshape(-1).expand(len(x)), answer)
            self.calls.append(tuple(v.detach().clone().cpu() for v in seen))
        return answer


def affine_model(weight, bias):
    """A trainable model with weight and bias (d,)."""
    return _Affine(weight, bias)


def training_record(model):
    """What an affine model was trained on: the rows of each call; x, t and answers of all calls; its gradients."""
    if not model.calls:
        return {"rows": []}
    x, t, answer = (torch.cat(v) for v in zip(*model.calls, strict=True))
    rows = [len(c[0]) for c in model.calls]
    return {"rows": rows, "x": x, "t": t, "answer": answer, "fresh": model.fresh, "whole": model.whole}


class _TimeLinear(torch.nn.Module):
    """A model with a weight: (x weight^T) + bias t, noting what it was given."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = torch.nn.Parameter(weight.clone()), torch.nn.Parameter(bias.clone())
        self.inputs = None

    def forward(self, x, t):
        self.inputs = x.detach().clone()
        return x @ self.weight.to(x.dtype).T + torch.as_tensor(t, dtype=x.dtype).reshape(-1, 1) * self.bias.to(x.dtype)


def time_linear(weight, bias):
    """Such a model: weight (d, d), bias (d,)."""
    return _TimeLinear(weight, bias)


class _Answers(torch.nn.Module):
    """A network that answers this, whatever it is given."""

    def __init__(self, answer):
        super().__init__()
        self.answer = torch.nn.Parameter(answer.detach().clone())

    def forward(self, x, t):
        return self.answer.to(x.dtype)


def losses_on(function, points, times, noise, answers, rows):
    """function(model, points, times, noise) in batches of so many rows, for a model that answers so."""
    values = []
    for x, t, z, y in zip(*(v.split(rows) for v in (points, times, noise, answers)), strict=True):
        values.append(torch.as_tensor(function(_Answers(y), x, t, z)).detach().reshape(()))
    return torch.stack(values)


def mixing(function, times):
    """What function(x0, t, noise) multiplies data and noise with at these times (n,)."""
    one = torch.ones(len(times), 1, dtype=times.dtype, device=times.device)
    data, noise = function(one, times, torch.zeros_like(one)), function(torch.zeros_like(one), times, one)
    return {"data": data.reshape(-1), "noise": noise.reshape(-1)}


def predict_training(module, x, t):
    """module(x, t) in training mode, without gradients."""
    module.train()
    with torch.no_grad():
        return module(x, t)
