"""Code that runs beside the student's: set and perturbed layers, Jacobians, what layers return, models of ours."""

import copy
import math

import torch
from torch import nn


def layer_order(flow, classes, method, x):
    """The numbers of the flow's layers in the order in which `flow.method(x)` calls them."""
    called = []
    layers = [m for m in flow.modules() if isinstance(m, tuple(classes))]
    own = [(c, {name: getattr(c, name) for name in ("forward", "inverse")}) for c in classes]

    def noting(function):
        def wrapper(self, *args, **kwargs):
            called.extend(k for k, layer in enumerate(layers) if layer is self)
            return function(self, *args, **kwargs)

        return wrapper

    try:
        for c, methods in own:
            for name, function in methods.items():
                setattr(c, name, noting(function))
        with torch.no_grad():
            getattr(flow, method)(x)
    finally:
        for c, methods in own:
            for name, function in methods.items():
                setattr(c, name, function)
    return called


def initialised(module, x):
    """The module in float64, set by one batch in training mode, then in evaluation mode."""
    module.double().train()
    with torch.no_grad():
        module(x)
    return module.eval()


def perturbed(module, x, scale=1.0, seed=1):
    """Such a module with normal noise on every weight that is trained.

    A matrix gets noise of the size of usual first weights, `scale` over the root of what it sums over; a kernel more,
    since at the edges, and in images of one pixel, it sums over less.
    """
    initialised(module, x)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            if p.requires_grad:
                noise = torch.randn(p.shape, generator=generator, dtype=torch.float64)
                vector = p.numel() == max(p.shape, default=1)
                p.add_(noise.to(p), alpha=scale / (4 if vector else size_of(p)))
    return module


def size_of(p):
    """Root of the number of channels that a matrix or a kernel sums over, and of its side."""
    return (p.shape[1] * (p[0, 0].numel() ** 0.5 if p.dim() > 2 else 1)) ** 0.5


def in_training(module, flag):
    """The module in training or in evaluation mode."""
    return module.train(flag)


def one_vector(value, rows):
    """A tensor or a list of tensors as one matrix (rows, D); None where it is neither."""
    parts = [value] if isinstance(value, torch.Tensor) else value
    if not isinstance(parts, list | tuple) or not parts:
        return None
    if not all(isinstance(p, torch.Tensor) and p.dim() > 0 and len(p) == rows for p in parts):
        return None
    return torch.cat([p.reshape(rows, -1) for p in parts], 1)


def transform(module, method, x):
    """[what `module.method(x)` returns, its first value (B, D), Jacobians (B, D, D) of that or None without a graph].

    `x` is a tensor, or a list of tensors (latents).
    """
    many = isinstance(x, list | tuple)
    parts = [v.detach().clone().requires_grad_() for v in (x if many else [x])]
    result = getattr(module, method)(parts if many else parts[0])
    first = result[0] if isinstance(result, tuple | list) and result else None
    y = one_vector(first, len(parts[0]))
    if y is None:
        return [result, None, None]
    if not y.requires_grad:
        return [result, y, None]
    rows = []
    for j in range(y.shape[1]):
        found = torch.autograd.grad(y[:, j].sum(), parts, retain_graph=True, allow_unused=True)
        row = [torch.zeros_like(p) if g is None else g for g, p in zip(found, parts, strict=True)]
        rows.append(torch.cat([g.reshape(len(g), -1) for g in row], 1))
    return [result, y.detach(), torch.stack(rows, 1)]


def carries_gradient(module, x, seed, images=False):
    """Whether the gradient of the sum of `forward`'s log-determinants, by the weights (or by x), is their slope.

    The slope is taken by differences in random directions; at a kink of a network one may be off, not each of three.
    """
    x = x.detach().clone().requires_grad_()
    moved = [x] if images else [p for p in module.parameters() if p.requires_grad]
    total = module(x)[1].sum()
    found = torch.autograd.grad(total, moved, allow_unused=True) if total.requires_grad else [None] * len(moved)
    generator, before = torch.Generator().manual_seed(seed), [p.detach().clone() for p in moved]
    for _turn in range(3):
        ways = [torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p) for p in moved]
        own = sum(float((g * way).sum()) for g, way in zip(found, ways, strict=True) if g is not None)
        ends = []
        with torch.no_grad():
            for step in (1e-7, -1e-7):
                for p, start, way in zip(moved, before, ways, strict=True):
                    p.copy_(start + step * way)
                ends.append(float(module(x)[1].sum()))
            for p, start in zip(moved, before, strict=True):
                p.copy_(start)
        slope = (ends[0] - ends[1]) / 2e-7
        if abs(own - slope) <= 1e-3 * (abs(own) + abs(slope)) + 1e-5:
            return True
    return False


def restored(fresh, module):
    """A fresh layer with the state of another one, in float64 and in training mode."""
    fresh.double().load_state_dict({name: value.detach().clone() for name, value in module.state_dict().items()})
    return fresh.train()


def twin(module):
    """A copy of a module with all of its state."""
    return copy.deepcopy(module)


def built(cls, sizes, seeds, x):
    """What new objects of a class make of x, one for each seed of torch's global generator."""
    answers = []
    for seed in seeds:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = cls(*sizes).double().eval().to(x.device)
        with torch.no_grad():
            answers.append(module(x)[0].clone())
    return answers


def weights(module):
    """All parameters in one vector."""
    return torch.cat([p.detach().double().flatten().cpu() for p in module.parameters()])


class _Recorded:
    """Within it, the classes' `forward` and `inverse` note what they return.

    With `mend`, `inverse` answers from memory: what `forward` of that object was given when it returned these numbers,
    so that a flow can be judged although a layer's own inverse is wrong.
    """

    def __init__(self, classes, mend=False):
        self.classes, self.mend, self.log_dets, self.memory = classes, mend, [], {}
        self.graphs = []  # the same log-determinants with what they were computed from

    def __enter__(self):
        self.own = [(c, {name: getattr(c, name) for name in ("forward", "inverse")}) for c in self.classes]
        for c, methods in self.own:
            for name, function in methods.items():
                setattr(c, name, self.noting(name, function))
        return self

    def __exit__(self, *_error):
        for c, methods in self.own:
            for name, function in methods.items():
                setattr(c, name, function)

    def noting(self, name, function):
        def wrapper(layer, x, *args, **kwargs):
            kept = self.memory.get(id(layer))
            known = self.mend and name == "inverse" and kept is not None and kept[1].shape == x.shape
            if known and torch.allclose(kept[1], x, rtol=1e-5, atol=1e-6):
                return kept[0].clone(), x.new_zeros(len(x))
            result = function(layer, x, *args, **kwargs)
            if isinstance(result, tuple | list) and len(result) == 2 and isinstance(result[1], torch.Tensor):
                self.log_dets.append(result[1].detach().clone())
                self.graphs.append(result[1])
                if name == "forward" and isinstance(result[0], torch.Tensor):
                    self.memory[id(layer)] = (x.detach().clone(), result[0].detach().clone())
            return result

        return wrapper


def layer_log_dets(flow, classes, method, x):
    """The second values that the flow's layers return, in any order, while `flow.method(x)` runs."""
    with _Recorded(classes) as noted, torch.no_grad():
        getattr(flow, method)(x)
    return noted.log_dets


def _gradients(module, total):
    """The gradients of a number by all trained weights, zeros where it does not depend on them."""
    trained = [p for p in module.parameters() if p.requires_grad]
    if not total.requires_grad:
        return [torch.zeros_like(p) for p in trained]
    found = torch.autograd.grad(total, trained, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(trained, found, strict=True)]


def sum_carries_gradient(flow, classes, x):
    """Whether the flow's log-determinant depends on all weights on which those of its layers depend."""
    with _Recorded(classes) as noted:
        total = flow(x)[1].sum()
    layers = [v.sum() for v in noted.graphs if v.requires_grad]
    pairs = zip(_gradients(flow, total), _gradients(flow, sum(layers)), strict=True) if layers else []
    return all(bool((own != 0).any()) or not bool((wanted.abs() > 1e-9).any()) for own, wanted in pairs)


def same_gradient(flow, x):
    """Whether log_prob has the gradient of the normal prior of all latents plus forward's log-determinant."""
    zs, log_det = flow(x)
    law = log_det.sum() - 0.5 * sum((z**2).sum() for z in zs)
    pairs = list(zip(_gradients(flow, flow.log_prob(x).sum()), _gradients(flow, law), strict=True))
    size = max(float(right.abs().max()) for _own, right in pairs)
    return all(float((own - right).abs().max()) <= 1e-4 * size + 1e-9 for own, right in pairs)


def mended_round_trip(flow, classes, x):
    """`flow.inverse(flow.forward(x))` with layers whose inverse is right."""
    with _Recorded(classes, mend=True), torch.no_grad():
        return flow.inverse(flow(x)[0])[0]


def after_sums(flow, x, factor, offset, layer=None):
    """What two copies of a new flow make of x and of factor·x + offset in their first batch, each a (B, D) matrix.

    Layers of the class `layer` bring each channel to mean 0 and variance 1, whatever they do by themselves.
    """
    own = getattr(layer, "forward", None)
    if layer is not None:
        layer.forward = lambda _self, x: (_standard(x), x.new_zeros(len(x)))
    answers = []
    try:
        for batch in (x, factor * x + offset):
            copied = copy.deepcopy(flow).double().train()
            with torch.no_grad():
                answers.append(one_vector(copied(batch)[0], len(x)))
    finally:
        if layer is not None:
            layer.forward = own
    return answers


def _standard(x):
    """Each channel with mean 0 and variance 1 over batch and positions."""
    return (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True, unbiased=False)


ONE_PIXEL = torch.zeros(1, 1, 1)


class KnownFlow(nn.Module):
    """A whole flow of images whose map is one shift and scale per pixel; it notes what its `log_prob` is given.

    z = (x - mean) exp(-log_scale), then a normal or a logistic law.
    """

    def __init__(self, mean, log_scale, law):
        super().__init__()
        self.mean, self.log_scale = nn.Parameter(mean.detach().clone()), nn.Parameter(log_scale.detach().clone())
        self.law, self.calls, self.kept, self.noted_gradients, self.asked = law, [], [], [], []
        self.modes = []
        self.mean.register_post_accumulate_grad_hook(lambda p: self.noted_gradients.append(p.grad.detach().clone()))

    def forward(self, x):
        z = (x - self.mean) * (-self.log_scale).exp()
        return [z], -self.log_scale.sum().expand(len(x))

    def inverse(self, zs):
        return zs[0] * self.log_scale.exp() + self.mean, self.log_scale.sum().expand(len(zs[0]))

    def log_prob(self, x):
        self.calls.append(x.detach().clone())
        self.modes.append(self.training)
        self.kept.append((self.mean.detach().clone(), self.log_scale.detach().clone()))
        (z,), log_det = self(x)
        if self.law == "logistic":
            values = nn.functional.logsigmoid(z) + nn.functional.logsigmoid(-z)
        else:
            values = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
        return values.flatten(1).sum(1) + log_det

    def sample(self, n, temperature=1.0, generator=None):
        if n < 1 or temperature < 0:
            raise ValueError("n must be at least 1 and temperature not negative")
        device = self.mean.device if generator is None else generator.device
        z = torch.randn(n, *self.mean.shape, generator=generator, dtype=self.mean.dtype, device=device)
        x = self.inverse([temperature * z.to(self.mean)])[0].detach()
        self.asked.append((n, float(temperature), x.clone()))
        return x


def known_flow(mean=ONE_PIXEL, log_scale=ONE_PIXEL, law="normal"):
    """A flow of ours with these numbers, (C, H, W) each; else of one pixel, standard normal."""
    return KnownFlow(mean, log_scale, law)


def trained(train, mean, log_scale, law, pixels, settings, generator):
    """Train a flow of ours: its history, what each call of `log_prob` was given, the weights then and at the end."""
    model = KnownFlow(mean, log_scale, law)
    history = train(model, pixels, generator=generator, **settings)
    nothing = [mean[:0]]
    return {
        "history": history,
        "sizes": [len(x) for x in model.calls],
        "calls": torch.cat(model.calls or nothing).double(),
        "means": torch.stack([m for m, _s in [*model.kept, (model.mean.detach(), None)]]).double(),
        "scales": torch.stack([s for _m, s in [*model.kept, (None, model.log_scale.detach())]]).double(),
        "gradients": [g.double() for g in model.noted_gradients],
    }


def modes(train, mean, log_scale, pixels, settings, generator):
    """Whether a flow of ours, handed over in training mode, is in that mode at each call of `log_prob`."""
    model = KnownFlow(mean, log_scale, "normal").train()
    train(model, pixels, generator=generator, **settings)
    return model.modes


def images_asked(sample_images, model, n, levels, settings, generator):
    """[images, what `model.sample` was asked for and what it gave]."""
    model.asked.clear()
    images = sample_images(model, n, levels, generator=generator, **settings)
    return [images, [[a, b] for a, b, _x in model.asked], [x for _a, _b, x in model.asked]]


def log_prob_of(model, x):
    """model.log_prob(x) in evaluation mode, without gradients; the mode is put back."""
    was = model.training
    model.eval()
    with torch.no_grad():
        answer = model.log_prob(x)
    model.train(was)
    return answer


def sample_has_graph(flow):
    """Whether a sample carries a graph."""
    return bool(flow.sample(2).requires_grad)


def histories(train, sizes, pixels, settings, seeds):
    """The "bpd" of trainings of flows of ours that are equal, one for each seed of the generator."""
    answers = []
    for seed in seeds:
        model = KnownFlow(*sizes)
        history = train(model, pixels, generator=torch.Generator().manual_seed(seed), **settings)
        answers.append([float(v) for v in history["bpd"]])
    return answers
