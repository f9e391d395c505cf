"""Models with known answers, records of what a model was given, and the U-Net with its depths cut off."""

import torch
from torch.overrides import TorchFunctionMode


def _times(t, x):
    """The times that a model was given as (B,) integers, in whatever form they came."""
    times = torch.as_tensor(t, device=x.device).long().reshape(-1)
    return times.expand(len(x)) if len(times) == 1 else times


class _Recorder(torch.nn.Module):
    """A network that keeps the times that it was called with, call by call."""

    def __init__(self):
        super().__init__()
        self.times = []
        self.well_formed = True

    def note(self, x, t):
        kind = t.dtype if isinstance(t, torch.Tensor) else None
        whole = kind in (torch.int64, torch.int32, torch.int16, torch.uint8, torch.int8)
        self.well_formed &= whole and tuple(t.shape) == tuple(x.shape[:1])
        times = _times(t, x)
        self.times.append(times.detach().cpu())
        return times


class _Scaled(_Recorder):
    def __init__(self, scale, offset):
        super().__init__()
        self.scale = torch.nn.Parameter(scale.detach().clone())
        self.register_buffer("offset", offset.detach().clone())

    def forward(self, x, t):
        scale = self.scale[self.note(x, t)].to(x.dtype)
        return scale.reshape(-1, *[1] * (x.dim() - 1)) * x + self.offset.to(x.dtype)


def scaled_model(scale, offset):
    """model(x, t) = scale[t] x + offset: scale (T,), a parameter, offset the shape of x."""
    return _Scaled(scale, offset)


def scaled_function(scale, offset):
    """The same as a plain function."""
    model = _Scaled(scale, offset)

    def function(x, t):
        return model(x, t).detach()

    return function


class _Affine(_Recorder):
    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = torch.nn.Parameter(weight.detach().clone()), torch.nn.Parameter(bias.detach().clone())
        self.first = None

    def forward(self, x, t):
        times = self.note(x, t)
        if self.first is None:
            self.first = x.detach().clone().cpu()
        flat = x.reshape(len(x), -1).to(self.weight.dtype)  # (B, d)
        # All rows of a sampler's batch have one time, which spares (B, d, d) numbers.
        if bool((times == times[0]).all()):
            flat = flat @ self.weight[times[0]] + self.bias[times[0]]
        else:
            flat = torch.einsum("bi,bij->bj", flat, self.weight[times]) + self.bias[times]
        return flat.reshape(x.shape).to(x.dtype)


def affine_model(weight, bias):
    """model(x, t) = x W_t + b_t on flattened images: weight (T, d, d), bias (T, d), its parameters."""
    return _Affine(weight, bias)


class _Tables:
    def __init__(self, tables):
        self.alphas, self.alpha_bars, self.posterior_variance = tables


def tables(alphas, alpha_bars, posterior_variance):
    """Something with the public attributes of a Diffusion."""
    return _Tables((alphas, alpha_bars, posterior_variance))


def first_input(model):
    """The images that an affine model was given first."""
    return model.first


def times_seen(model):
    """The time of each call of a recording model; None where the rows of a call had several."""
    return [int(t[0]) if len(t) and bool((t == t[0]).all()) else None for t in model.times]


def times_well_formed(model):
    """Whether every call of a recording model came with (B,) integers."""
    return bool(model.well_formed)


def read(thing, name):
    """An attribute of an object."""
    return getattr(thing, name)


def attributes(thing, names):
    """Those of an object's attributes that are 1-d tensors, by name."""
    values = {name: getattr(thing, name, None) for name in names}
    return {n: v.detach() for n, v in values.items() if isinstance(v, torch.Tensor) and v.dim() == 1}


def set_attributes(thing, values):
    """Set attributes where the object allows it; returns the names of those that were set."""
    done = []
    for name, value in values.items():
        try:
            setattr(thing, name, value)
        except Exception:  # a property or a frozen class: it stays as it is
            continue
        done.append(name)
    return done


def call_each(function, before, times, after):
    """function(*before, time, *after) for each entry of `times` (or tuple of times): the answers stacked."""
    return torch.stack([function(*before, *(t if isinstance(t, tuple) else (t,)), *after) for t in times])


def gradient_of_scale(function, model, arguments):
    """Gradient of function(model, *arguments) by the scale of a scaled model; None where it has no graph."""
    value = function(model, *arguments)
    if not isinstance(value, torch.Tensor) or not value.requires_grad:
        return None
    return torch.autograd.grad(value.sum(), model.scale)[0]


class _Answers(torch.nn.Module):
    """A network that answers this, whatever it is given."""

    def __init__(self, answer):
        super().__init__()
        self.answer = torch.nn.Parameter(answer.detach().clone())

    def forward(self, x, t):
        return self.answer.to(x.dtype)


class _Pixels(torch.nn.Module):
    """A trainable model: each pixel by its own weight, plus its own bias. Keeps what it was trained on."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight = torch.nn.Parameter(weight.clone())
        self.bias = torch.nn.Parameter(bias.clone())
        self.calls = []

    def forward(self, x, t):
        answer = self.weight.to(x.dtype) * x + self.bias.to(x.dtype)
        if torch.is_grad_enabled():
            seen = (x, _times(t, x), answer)
            self.calls.append(tuple(v.detach().clone().cpu() for v in seen))
        return answer


def pixel_model(weight, bias):
    """A trainable model with weight and bias of an image's shape."""
    return _Pixels(weight, bias)


def training_record(model):
    """What a pixel model was trained on: the rows of each call; x, t and answers of all calls."""
    if not model.calls:
        return {"rows": []}
    x, t, answer = (torch.cat(v) for v in zip(*model.calls, strict=True))
    return {"rows": [len(c[0]) for c in model.calls], "x": x, "t": t, "answer": answer}


def mixing(function, diffusion, times, rows):
    """What function(diffusion, image, t, noise) multiplies image and noise with, in batches of so many rows."""
    image, noise = [], []
    for t in times.split(rows):
        one = torch.ones(len(t), 1, 1, 1, device=t.device)
        image.append(function(diffusion, one, t, torch.zeros_like(one)))
        noise.append(function(diffusion, torch.zeros_like(one), t, one))
    return {"image": torch.cat(image).reshape(-1), "noise": torch.cat(noise).reshape(-1)}


def losses_on(function, diffusion, images, times, noise, answers, rows):
    """function(model, diffusion, images, times, noise) in batches of so many rows, for a model that answers so."""
    values = []
    for x, t, z, y in zip(*(v.split(rows) for v in (images, times, noise, answers)), strict=True):
        values.append(torch.as_tensor(function(_Answers(y), diffusion, x, t, z)).detach().reshape(()))
    return torch.stack(values)


def renewed(fresh, trained):
    """A fresh network with the parameters and the buffers of a trained one; None where they do not fit."""
    try:
        fresh.load_state_dict({name: value.detach().clone() for name, value in trained.state_dict().items()})
    except RuntimeError:
        return None
    return fresh.train(trained.training)


def evaluation(module):
    """The module in evaluation mode."""
    return module.eval()


class _Cut(TorchFunctionMode):
    """Watches the maps (rows, C, n, n) that a network makes; no gradient passes those of size n <= cut."""

    def __init__(self, rows, cut):
        super().__init__()
        self.rows, self.cut, self.sizes = rows, cut, set()

    def _is_map(self, value):
        if not isinstance(value, torch.Tensor) or value.dim() != 4 or not value.is_floating_point():
            return False
        return value.shape[0] == self.rows and value.shape[2] == value.shape[3]

    def __torch_function__(self, function, types, args=(), kwargs=None):
        value = function(*args, **(kwargs or {}))
        if self._is_map(value):
            size = int(value.shape[3])
            self.sizes.add(size)
            if size <= self.cut:
                return value.detach()
        return value


def pixel_gradient(module, x, t, cut):
    """How one pixel of the answer depends on the image where maps of size <= cut pass no gradient.

    Returns {"sizes": sizes of the maps seen, "gradient": sum over the batch of |gradient|, (H, W)}.
    """
    module.eval()
    x = x.clone().requires_grad_()
    watch = _Cut(len(x), cut)
    with watch:
        y = module(x, t)
    pixel = y[:, :, y.shape[2] // 2, y.shape[3] // 2].sum()
    gradient = torch.zeros_like(x)
    if pixel.requires_grad:
        found = torch.autograd.grad(pixel, x, allow_unused=True)[0]
        gradient = gradient if found is None else found
    return {"sizes": sorted(watch.sizes), "gradient": gradient.abs().sum((0, 1))}
