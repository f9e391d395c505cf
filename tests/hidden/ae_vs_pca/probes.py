"""Probes of ae_vs_pca: models made for the checks, and weights of the student's set from outside."""

import torch
from torch import nn
from torch.nn.utils import parametrize


def plain(module):
    """The module with plain weights: those that torch makes of others (norms, orthogonal ones) stay what they are now.

    Numbers that are put into what a weight is made of are not that weight.
    """
    for part in list(module.modules()):
        if parametrize.is_parametrized(part):
            for name in list(part.parametrizations):
                parametrize.remove_parametrizations(part, name, leave_parametrized=True)
        for undo in (nn.utils.remove_weight_norm, nn.utils.remove_spectral_norm):  # older forms, by hooks
            try:
                undo(part)
            except ValueError:
                continue
    return module


def matrix_shapes(module):
    """The shapes of all weight matrices, either way round; vectors (biases) are left out."""
    shapes = []
    for parameter in module.parameters():
        sizes = sorted(n for n in parameter.shape if n > 1)
        if len(sizes) > 1:
            shapes.append(sizes)
    return shapes


def unused(module, x):
    """Shapes of the weight matrices that the answer of the module at x does not depend on."""
    module.zero_grad()
    out = module(x)
    (out * torch.linspace(1, 2, out.numel(), dtype=out.dtype, device=out.device).reshape(out.shape)).sum().backward()
    found = []
    for parameter in module.parameters():
        if parameter.numel() > max(parameter.shape, default=1) and (parameter.grad is None or not parameter.grad.any()):
            found.append(sorted(n for n in parameter.shape if n > 1))
    module.zero_grad()
    return found


def still(module):
    """The module in evaluation mode, so that nothing in it is random; what mixes the rows of a batch still does."""
    module.eval()
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.train()
    return module


def numbers_beside(module):
    """How many numbers the module learns beside its weight matrices: the biases, and whatever else is a vector."""
    return sum(p.numel() for p in plain(module).parameters() if p.numel() <= max(p.shape, default=1))


def moved(module, x, z, seed):
    """The module after steps that bring its halves nearer to maps by random numbers; nothing in it is random then.

    Steps down a loss keep what a parametrisation needs; noise on what a weight is made of can make it singular.
    """
    still(module)
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=0.03) if parameters else None
    for _step in range(20 if parameters else 0):
        generator = torch.Generator().manual_seed(seed)  # the same maps in each step
        losses = []
        code = module.encode(x)
        own = code.detach() if isinstance(code, torch.Tensor) else z  # of another size than asked for, perhaps
        given = z if own.shape == z.shape else own
        for out, points in ((code, x), (module.decode(given), given)):
            if isinstance(out, torch.Tensor) and out.requires_grad and out.ndim == 2 and len(out) == len(points):
                numbers = torch.randn(points.shape[1], out.shape[1], generator=generator, dtype=torch.float64)
                losses.append(((out - points @ numbers.to(points)) ** 2).mean())
        if not losses:
            break
        optimizer.zero_grad()
        sum(losses).backward()
        optimizer.step()
    module.zero_grad()
    return module


def fill(module, matrices, vectors, seed):
    """Put normal numbers times `matrices` into every weight matrix and the number `vectors` into every bias."""
    module = still(plain(module))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.numel() > max(parameter.shape, default=1):
                numbers = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                parameter.copy_(numbers * matrices)
            else:
                parameter.fill_(vectors)
    return module


def sign(module, negative, seed):
    """Positive numbers in every weight matrix, negative ones in those of the shapes `negative`, zero in every bias."""
    module = still(plain(module))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.numel() > max(parameter.shape, default=1):
                numbers = 0.5 + torch.rand(parameter.shape, generator=generator, dtype=torch.float64)
                shape = sorted(n for n in parameter.shape if n > 1)
                parameter.copy_(-numbers if shape in negative else numbers)
            else:
                parameter.zero_()
    return module


class Curved(nn.Module):
    """A model with given weights whose two halves are curved."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = nn.Parameter(encoder.clone())  # (d, D)
        self.decoder = nn.Parameter(decoder.clone())  # (D, d)

    def encode(self, x):
        return torch.tanh(x @ self.encoder.T)

    def decode(self, z):
        return torch.sin(z @ self.decoder.T)

    def forward(self, x):
        return self.decode(self.encode(x))


def curved(encoder, decoder):
    """A model with `encode`, `decode` and `forward`, not trained."""
    return Curved(encoder, decoder)


class Log(list):
    """The batches of a recorder and of all its copies."""

    copied = False

    def __deepcopy__(self, memo):
        return self


class Recorder(nn.Module):
    """An affine auto-encoder that keeps the batches it is trained on, and its gradients."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = nn.Parameter(encoder.clone())  # (d, D)
        self.decoder = nn.Parameter(decoder.clone())  # (D, d)
        self.bias = nn.Parameter(decoder.new_zeros(len(decoder)))  # (D,)
        self.batches, self.fresh, self.whole = Log(), [], []
        self.first = id(self)
        self.encoder.register_hook(lambda gradient: self.fresh.append(gradient.detach().clone()))
        self.encoder.register_post_accumulate_grad_hook(lambda p: self.whole.append(p.grad.detach().clone()))

    def encode(self, x):
        if torch.is_grad_enabled():  # a look at the loss without gradient is not training
            self.batches.append(x.detach().clone())
            self.batches.copied |= id(self) != self.first
        return x @ self.encoder.T

    def decode(self, z):
        return z @ self.decoder.T + self.bias

    def forward(self, x):
        return self.decode(self.encode(x))


def recorder(encoder, decoder):
    """A recording model with these first weights."""
    return Recorder(encoder, decoder)


def weights(model):
    """All weights of a recorder in one vector."""
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def batches(model):
    """The batches that a recorder was trained on, in order."""
    return list(model.batches)


def copied(model):
    """Whether a copy of a recorder was called, not the recorder alone."""
    return model.batches.copied


def gradients(model):
    """What each backward pass of a recorder's training gave its encoder, and what was there after it."""
    return {"fresh": list(model.fresh), "whole": list(model.whole)}


def seeds(function, *args, **kwargs):
    """Whether a call seeds torch's global generator, which afterwards is what it was."""
    kept = torch.get_rng_state()
    try:
        torch.default_generator.manual_seed(8127364501827)  # nobody's
        function(*args, **kwargs)
        return torch.initial_seed() != 8127364501827
    finally:
        torch.set_rng_state(kept)
