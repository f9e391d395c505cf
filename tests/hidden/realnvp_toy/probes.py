"""Code that runs beside the student's: perturbed weights, Jacobians, the layers' log-determinants, a flow of ours."""

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook


def perturbed(module, x, scale=1.0, seed=1):
    """The module in float64 and evaluation mode, with normal noise on every weight that is trained.

    A matrix gets noise of the size of usual first weights, `scale` over the root of its longer side. Batches around x
    (B, d) come before: running statistics of normalisations are not where they started, either.
    """
    module.double()
    module.train()
    with torch.no_grad():
        for k in range(3):
            module((1.5 + k) * x + 1)
    module.eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:  # a mask may be kept as a parameter that is not trained
                noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                size = max(parameter.shape) ** 0.5 if parameter.numel() > max(parameter.shape, default=1) else 4
                parameter.add_(noise.to(parameter), alpha=scale / size)
    return module


def effect_on(module, x):
    """[whether `module(x)` changes x, whether what it then returns is x]."""
    before = x.clone()
    result = module(x)
    y = result[0] if isinstance(result, tuple | list) and result else None
    changed = not torch.equal(x, before)
    return [changed, changed and isinstance(y, torch.Tensor) and y.shape == x.shape and torch.equal(y, x)]


def keeps(module, method, x):
    """Whether `module.method(x)` leaves x as it is."""
    before = x.clone()
    getattr(module, method)(x)
    return torch.equal(x, before)


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
    """What the flow's layers return as second values while `flow.method(x)` runs, and their Jacobians where they do.

    A list of [second value, Jacobian (B, d, d) or None], in any order.
    """
    recorded = []
    own = {name: getattr(layer_class, name) for name in ("forward", "inverse")}

    def recording(function):
        def wrapper(self, *args, **kwargs):
            given = args[0].detach().clone() if args and isinstance(args[0], torch.Tensor) else None
            result = function(self, *args, **kwargs)
            if isinstance(result, tuple | list) and len(result) == 2 and isinstance(result[1], torch.Tensor):
                recorded.append((self, function.__name__, given, result[1].detach().clone()))
            return result

        return wrapper

    try:
        for name, function in own.items():
            setattr(layer_class, name, recording(function))
        getattr(flow, method)(x)
    finally:
        for name, function in own.items():
            setattr(layer_class, name, function)
    return [[log_det, jacobian_of(layer, name, given)] for layer, name, given, log_det in recorded]


def jacobian_of(module, method, x):
    """The Jacobians (B, d, d) of `module.method` at x; without a graph of `inverse`, by those of `forward`."""
    if x is None or x.dim() != 2 or method not in ("forward", "inverse"):
        return None
    result, jacobian = transform(module, method, x)
    if jacobian is None and method == "inverse" and isinstance(result[0], torch.Tensor) and result[0].shape == x.shape:
        jacobian = transform(module, "forward", result[0])[1]
        jacobian = None if jacobian is None else torch.linalg.inv_ex(jacobian)[0]
    return jacobian


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


def updates(train_flow, flow, x, steps, settings, generator):
    """[steps that optimisers make, times that the weights are others than before] in a training of a flow of ours."""
    taken, known = [], len(flow.noted_weights)
    hook = register_optimizer_step_post_hook(lambda *_a: taken.append(1))
    try:
        train_flow(flow, x, steps, generator=generator, **settings)
    finally:
        hook.remove()
    states = [*flow.noted_weights[known:], gaussian_weights(flow)]
    states = [torch.cat([p.flatten().cpu() for p in state]) for state in states]
    return [len(taken), sum(not torch.equal(state, states[k + 1]) for k, state in enumerate(states[:-1]))]


class GaussianFlow(nn.Module):
    """A whole flow whose map is affine, all of its weights trainable.

    It notes the points whose density it is asked for, the gradients that its mean gets, and its weights then.
    """

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
        self.noted_points.append(x.detach().clone())
        precision = self.affine_weight.T @ self.affine_weight
        law = torch.distributions.MultivariateNormal(
            self.affine_mean, precision_matrix=precision, validate_args=False
        )  # points that are no numbers have a density that is none: what comes of it is judged
        return law.log_prob(x)

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
    flow.noted_gradients, flow.noted_weights, flow.noted_points = [], [], []

    def note(mean):
        flow.noted_gradients.append(mean.grad.detach().clone())
        flow.noted_weights.append(gaussian_weights(flow))

    flow.affine_mean.register_post_accumulate_grad_hook(note)
    return flow


def gaussian_weights(flow):
    """[mean, weight] of such a flow as they are now."""
    return [flow.affine_mean.detach().clone(), flow.affine_weight.detach().clone()]


def noted(flow):
    """The gradients that the mean of such a flow has had, in order."""
    return list(flow.noted_gradients)


def weights_noted(flow, last):
    """The weights of such a flow at the last gradients: `last` of them, fewer where there were not so many."""
    return flow.noted_weights[-last:]


def notes(flow):
    """How many gradients the mean of such a flow has had."""
    return len(flow.noted_gradients)


def points_noted(flow):
    """All points (n, d) whose density such a flow was asked for; None where they do not fit together."""
    points = [x for x in flow.noted_points if x.dim() == 2 and x.shape[1] == flow.affine_mean.shape[0]]
    return torch.cat(points) if points else None
