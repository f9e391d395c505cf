"""Code that runs beside the student's: perturbed weights, Jacobians, the layers' log-determinants, a flow of ours."""

import torch
from torch import nn


def perturbed(module, scale, seed):
    """The module in float64 and evaluation mode, with normal noise on every weight that is trained.

    A matrix gets noise of the size of usual first weights, `scale` over the root of its longer side.
    """
    module.double()
    module.eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:  # a mask may be kept as a parameter that is not trained
                noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                size = max(parameter.shape) ** 0.5 if parameter.numel() > max(parameter.shape, default=1) else 4
                parameter.add_(noise.to(parameter), alpha=scale / size)
    return module


def weights(module):
    """All parameters in one vector."""
    return torch.cat([p.detach().double().flatten().cpu() for p in module.parameters()])


def transform(module, method, x):
    """[what `module.method(x)` returns, Jacobians (B, d, d) of its first value or None without a graph]."""
    x = x.detach().clone().requires_grad_()
    result = getattr(module, method)(x)
    y = result[0] if isinstance(result, tuple | list) and result else None
    if not isinstance(y, torch.Tensor) or y.shape != x.shape or not y.requires_grad:
        return [result, None]
    rows = []
    for j in range(y.shape[1]):
        (row,) = torch.autograd.grad(y[:, j].sum(), x, retain_graph=True, allow_unused=True)
        rows.append(torch.zeros_like(x) if row is None else row)
    return [result, torch.stack(rows, 1)]


def layer_log_dets(flow, layer_class, method, x):
    """The second values that the flow's layers return, in any order, while `flow.method(x)` runs."""
    recorded = []
    own = {name: getattr(layer_class, name) for name in ("forward", "inverse")}

    def recording(function):
        def wrapper(self, *args, **kwargs):
            result = function(self, *args, **kwargs)
            if isinstance(result, tuple | list) and len(result) == 2 and isinstance(result[1], torch.Tensor):
                recorded.append(result[1].detach().clone())
            return result

        return wrapper

    try:
        for name, function in own.items():
            setattr(layer_class, name, recording(function))
        getattr(flow, method)(x)
    finally:
        for name, function in own.items():
            setattr(layer_class, name, function)
    return recorded


def layer_order(flow, layer_class, method, x):
    """The numbers of the flow's layers in the order in which `flow.method(x)` calls them."""
    called = []
    own = {name: getattr(layer_class, name) for name in ("forward", "inverse")}
    layers = [m for m in flow.modules() if isinstance(m, layer_class)]

    def noting(function):
        def wrapper(self, *args, **kwargs):
            called.extend(k for k, layer in enumerate(layers) if layer is self)
            return function(self, *args, **kwargs)

        return wrapper

    try:
        for name, function in own.items():
            setattr(layer_class, name, noting(function))
        getattr(flow, method)(x)
    finally:
        for name, function in own.items():
            setattr(layer_class, name, function)
    return called


def histories(train_flow, flow, x, steps, seeds):
    """The "nll" of trainings of one flow from the same weights, one for each seed of the generator."""
    settings = {"batch_size": 4, "lr": 1e-12}  # the flow stays as it is: only the mini-batches differ
    train_flow(flow, x, 1, **settings)  # whatever is set up at the first batch
    start = {name: value.clone() for name, value in flow.state_dict().items()}
    answers = []
    for seed in seeds:
        flow.load_state_dict(start)
        history = train_flow(flow, x, steps, generator=torch.Generator().manual_seed(seed), **settings)
        answers.append([float(value) for value in history["nll"]])
    return answers


class GaussianFlow(nn.Module):
    """A whole flow whose map is affine, all of its weights trainable; it notes the gradients that its mean gets."""

    def __init__(self, dim=2, n_layers=1, hidden=64):
        super().__init__()
        self.dim, self.n_layers, self.hidden = dim, n_layers, hidden

    def forward(self, x):
        z = (x - self.affine_mean) @ self.affine_weight.T
        return z, torch.linalg.slogdet(self.affine_weight)[1].expand(len(x))

    def inverse(self, z):
        x = torch.linalg.solve(self.affine_weight, z.T).T + self.affine_mean
        return x, -torch.linalg.slogdet(self.affine_weight)[1].expand(len(z))

    def log_prob(self, x):
        precision = self.affine_weight.T @ self.affine_weight
        return torch.distributions.MultivariateNormal(self.affine_mean, precision_matrix=precision).log_prob(x)

    def sample(self, n, generator=None):
        mean = self.affine_mean
        device = mean.device if generator is None else generator.device
        z = torch.randn(n, len(mean), generator=generator, dtype=mean.dtype, device=device)
        return self.inverse(z.to(mean))[0].detach()


def gaussian_flow(mean, weight, own=None):
    """A flow of ours with these weights: a module by itself, or a flow of the student's that is given our methods."""
    flow = GaussianFlow(len(mean)) if own is None else own
    if own is not None:
        methods = {name: getattr(GaussianFlow, name) for name in ("forward", "inverse", "log_prob", "sample")}
        flow.__class__ = type(type(own).__name__, (type(own),), methods)
    flow.affine_mean = nn.Parameter(mean.clone())  # (d,)
    flow.affine_weight = nn.Parameter(weight.clone())  # (d, d)
    flow.noted_gradients = []
    flow.affine_mean.register_post_accumulate_grad_hook(lambda p: flow.noted_gradients.append(p.grad.detach().clone()))
    return flow


def gaussian_weights(flow):
    """[mean, weight] of such a flow as they are now."""
    return [flow.affine_mean.detach().clone(), flow.affine_weight.detach().clone()]


def noted(flow):
    """The gradients that the mean of such a flow has had, in order."""
    return list(flow.noted_gradients)
