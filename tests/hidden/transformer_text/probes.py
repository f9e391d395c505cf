"""Models with known answers that keep what they were given; networks fed in chunks, and what that costs."""

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

EIGHT = torch.eye(8, dtype=torch.float64)


class _Cache:
    """What a step hands on: an opaque thing."""

    def __init__(self, state, length):
        self.state, self.length = state, length


class _Fading(nn.Module):
    """logits[t] = sum over s <= t of decay^(t - s) weight[token s]. Keeps the tokens of each call."""

    def __init__(self, weight, decay, context):
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())
        self.decay = decay
        if context != "absent":
            self.context = context
        self.calls, self.steps, self.records = [], [], []
        self.last_cache, self.cache_handed_on = None, True
        self.fresh, self.whole = [], []
        self.weight.register_hook(lambda gradient: self.fresh.append(gradient.detach().clone()))
        self.weight.register_post_accumulate_grad_hook(lambda p: self.whole.append(p.grad.detach().clone()))

    def _limit(self, n):
        most = getattr(self, "context", None)
        if most is not None and n > most:
            raise ValueError(f"at most context = {most} tokens, got {n}")

    def forward(self, tokens):
        self.calls.append(tokens.detach().clone().cpu())
        self._limit(tokens.shape[1])
        places = torch.arange(tokens.shape[1], device=tokens.device)
        gaps = (places[:, None] - places).clamp(min=0).to(self.weight)
        fading = (self.decay**gaps).tril()  # (T, T)
        logits = fading @ self.weight[tokens]  # (B, T, V)
        if torch.is_grad_enabled():
            self.records.append((self.calls[-1], logits.detach().clone().cpu()))
        return logits

    def step(self, tokens, cache=None):
        self.steps.append(tokens.detach().clone().cpu())
        self.cache_handed_on &= cache is self.last_cache
        state = tokens.new_zeros(len(tokens), self.weight.shape[1]).to(self.weight) if cache is None else cache.state
        length = 0 if cache is None else cache.length
        self._limit(length + tokens.shape[1])
        rows = []
        for token in tokens.T:
            state = self.decay * state + self.weight[token]
            rows.append(state)
        self.last_cache = _Cache(state, length + tokens.shape[1])
        return torch.stack(rows, 1), self.last_cache


def fading_model(weight=EIGHT, decay=0.0, context="absent"):
    """A whole module whose logits are sums of fading rows of `weight` (V, V). Else 1 for the token itself, of eight."""
    return _Fading(weight, decay, context)


def fading_function(weight, decay):
    """The same as a plain function."""
    model = _Fading(weight, decay, "absent")

    def function(tokens):
        return model(tokens).detach()

    return function


def calls_of(model):
    """The tokens of each call of a fading model."""
    return list(model.calls)


def steps_of(model):
    """The tokens of each step of a fading model, and whether each step got the cache of the one before."""
    return {"tokens": list(model.steps), "handed_on": bool(model.cache_handed_on)}


def training_of(model):
    """What a fading model was trained on: tokens and answers of each call with gradients; each step's own gradient
    and the one that the optimiser saw."""
    return {
        "tokens": [tokens for tokens, _logits in model.records],
        "logits": [logits for _tokens, logits in model.records],
        "fresh": list(model.fresh),
        "whole": list(model.whole),
    }


def weight_of(model):
    """The table of a fading model now."""
    return model.weight.detach().clone()


class _Answers(nn.Module):
    """A model that answers this, whatever it is given."""

    def __init__(self, answer):
        super().__init__()
        self.answer = nn.Parameter(answer.detach().clone())

    def forward(self, tokens):
        return self.answer


def losses_on(function, rows, logits):
    """function(model, rows) for each pair of rows and of a model's answers."""
    pairs = zip(rows, logits, strict=True)
    return torch.stack([torch.as_tensor(function(_Answers(y), x)).detach().reshape(()) for x, y in pairs])


def value_and_gradient(function, model, tokens):
    """function(model, tokens), and its gradient by the model's table; None where no graph reaches it."""
    value = function(model, tokens)
    if not isinstance(value, torch.Tensor) or not value.requires_grad:
        return [value, None]
    return [value.detach(), torch.autograd.grad(value.sum(), model.weight, allow_unused=True)[0]]


def zero(module):
    """All parameters of a module become zero; returns the module."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    return module


def evaluation(module):
    """The module in evaluation mode."""
    return module.eval()


def training_mode(module):
    """The module in training mode."""
    return module.train()


def answer(module, x):
    """module(x), without gradients."""
    with torch.no_grad():
        return module(x)


def in_steps(model, tokens, sizes):
    """The logits that model.step gives for chunks of these sizes, side by side."""
    rows, cache = [], None
    with torch.no_grad():
        for chunk in tokens.split(sizes, dim=1):
            logits, cache = model.step(chunk, cache)
            rows.append(logits)
    return torch.cat(rows, dim=1)


def multiplications(model, tokens):
    """What torch counts in forward on all tokens, and in a step on the last one after the others."""
    from torch.utils.flop_counter import FlopCounterMode

    def count(call):
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), counter:
            call()
        return counter.get_total_flops()

    whole = count(lambda: model(tokens))
    with torch.no_grad():
        _logits, cache = model.step(tokens[:, :-1])
    return [whole, count(lambda: model.step(tokens[:, -1:], cache))]


class _Watch(TorchFunctionMode):
    """Notes what is called of torch's own attention."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", str(function))
        if "attention" in name:
            self.seen.append(name)
        return function(*args, **(kwargs or {}))


def by_hand(function, *args, **kwargs):
    """What a function answers, and what of torch's own attention it calls.

    The same text may call it elsewhere, so that looking for its name would say nothing.
    """
    watch = _Watch()
    with watch:
        value = function(*args, **kwargs)
    return [value, sorted(set(watch.seen))]


def renewed(fresh, trained):
    """A fresh network with the parameters and the buffers of a trained one; None where they do not fit."""
    try:
        fresh.load_state_dict({name: value.detach().clone() for name, value in trained.state_dict().items()})
    except RuntimeError:
        return None
    return fresh.eval()
