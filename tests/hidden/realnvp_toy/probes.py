"""Code that runs beside the student's flow: perturbed weights, Jacobians, the layers' log-determinants."""

import torch


def perturbed(module, scale, seed):
    """The module in float64 and evaluation mode, with normal noise on every weight that is trained."""
    module.double()
    module.eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:  # a mask may be kept as a parameter that is not trained
                noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                parameter.add_(noise.to(parameter), alpha=scale)
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
