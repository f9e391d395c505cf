"""Networks, noise functions and text encoders made beside the student's code, some of which keep what they are fed."""

import torch
from torch import nn


def _whole(t, rows):
    """Whether times came as (B,) integers."""
    return isinstance(t, torch.Tensor) and t.dtype == torch.int64 and tuple(t.shape) == (rows,)


class _Network(nn.Module):
    """e(z, t, c) = tanh(z W + c M + U[t]) V, row by row; keeps the form of the times and the types that came."""

    def __init__(self, W, M, U, V):
        super().__init__()
        self.W, self.M, self.U, self.V = (nn.Parameter(w.detach().clone()) for w in (W, M, U, V))
        self.well_formed, self.dtypes, self.given = True, set(), []

    def forward(self, z, t, c):
        self.well_formed &= _whole(t, len(z))
        self.dtypes.add(str(z.dtype).removeprefix("torch."))
        self.given.append(c.detach().clone())
        like = self.W
        inner = z.to(like) @ self.W + c.to(like) @ self.M + self.U[t]
        return (torch.tanh(inner) @ self.V).to(z.dtype)  # (B, d)


ONE = torch.ones(1, 1)


def network(W=ONE, M=ONE, U=ONE, V=ONE):
    """Such a network: W (d, h), M (k, h), U (T, h), V (h, d), its parameters; else one number 1 each."""
    return _Network(W, M, U, V)


def network_function(W, M, U, V):
    """The same as a plain function."""
    model = _Network(W, M, U, V)

    def function(z, t, c):
        return model(z, t, c)

    return function


def conditions_given(model):
    """The conditions of all calls of such a network, one after the other."""
    return torch.cat(model.given) if model.given else None


def call_form(model):
    """Whether the times of every call were (B,) int64, and the dtypes of the latents."""
    return [bool(model.well_formed), sorted(model.dtypes)]


def noise_function(W, U, V):
    """A plain function (z, t) -> tanh(z W + U[t]) V; `form` keeps whether the times were (B,) int64."""
    form = {"well_formed": True, "dtypes": set()}

    def noise(z, t):
        form["well_formed"] &= _whole(t, len(z))
        form["dtypes"].add(str(z.dtype).removeprefix("torch."))
        return (torch.tanh(z.to(W) @ W + U[t]) @ V).to(z.dtype)

    noise.form = form
    return noise


def function_form(noise):
    """As call_form, of a noise function."""
    return [bool(noise.form["well_formed"]), sorted(noise.form["dtypes"])]


def affine_noise(slopes, shifts):
    """A plain function (z, t) -> slopes[t] z + shifts[t], slopes (T,), shifts (T, d)."""

    def noise(z, t):
        return slopes.to(z)[t][:, None] * z + shifts.to(z)[t]

    return noise


def scaled_noise(slopes):
    """A plain function (z, t) -> slopes[t] z, coordinate by coordinate: slopes (T, d)."""

    def noise(z, t):
        return slopes.to(z)[t] * z

    return noise


def shifted_network(slopes, shifts, directions):
    """A network (z, t, c) -> slopes[t] z + shifts[t] + c directions[t]: directions (T, k, d)."""
    return _Shifted(slopes, shifts, directions)


class _Shifted(nn.Module):
    def __init__(self, slopes, shifts, directions):
        super().__init__()
        self.slopes, self.shifts, self.directions = (
            nn.Parameter(v.detach().clone()) for v in (slopes, shifts, directions)
        )
        self.first = None

    def forward(self, z, t, c):
        if self.first is None:
            self.first = z.detach().clone()
        told = torch.einsum("bk,bkd->bd", c.to(z), self.directions.to(z)[t])
        return self.slopes.to(z)[t][:, None] * z + self.shifts.to(z)[t] + told


def first_latents(model):
    """The latents that such a network was given first."""
    return model.first


def combined(model, conditions, weights):
    """A plain function (z, t): the sum of weights[i] times model(z, t, conditions[i])."""

    def noise(z, t):
        return sum(w * model(z, t, c) for w, c in zip(weights, conditions, strict=True))

    return noise


def with_arguments(function, model, *others):
    """A plain function (z, t) -> function(model, z, t, *others)."""

    def noise(z, t):
        return function(model, z, t, *others)

    return noise


def falling(start, stop, step):
    """The range of these times."""
    return range(start, stop, step)


class _Classifier(nn.Module):
    """Logits (B, K) = tanh(z W + U[t]) V + z A, row by row."""

    def __init__(self, W, U, V, A):
        super().__init__()
        self.W, self.U, self.V, self.A = (nn.Parameter(w.detach().clone()) for w in (W, U, V, A))

    def forward(self, z, t):
        W, U, V, A = (w.to(z) for w in (self.W, self.U, self.V, self.A))
        return torch.tanh(z @ W + U[t]) @ V + z @ A


def classifier(W, U, V, A):
    """Such a classifier."""
    return _Classifier(W, U, V, A)


def classifier_function(W, U, V, A):
    """The same as a plain function."""
    model = _Classifier(W, U, V, A)

    def logits(z, t):
        return model(z, t)

    return logits


class _Quadratic(nn.Module):
    """Logits (B, K): quadratics[k][t] |z|² + z·slopes[k][t] + offsets[k][t]."""

    def __init__(self, quadratics, slopes, offsets):
        super().__init__()
        self.quadratics, self.slopes, self.offsets = (
            nn.Parameter(v.detach().clone()) for v in (quadratics, slopes, offsets)
        )

    def forward(self, z, t):
        quadratics, slopes, offsets = (v.to(z)[t] for v in (self.quadratics, self.slopes, self.offsets))
        return quadratics * z.square().sum(1, keepdim=True) + torch.einsum("bd,bkd->bk", z, slopes) + offsets


def quadratic_classifier(quadratics, slopes, offsets):
    """Such a classifier: quadratics (T, K), slopes (T, K, d), offsets (T, K)."""
    return _Quadratic(quadratics, slopes, offsets)


class _Phrases(nn.Module):
    """A text encoder that knows whole prompts: each has a row of the table, any other one gets zeros."""

    def __init__(self, phrases, table):
        super().__init__()
        self.vocabulary = list(phrases)
        self.place = {phrase: i for i, phrase in enumerate(phrases)}
        self.table = nn.Parameter(table.detach().clone())

    def forward(self, prompts):
        zero = self.table.new_zeros(self.table.shape[1])
        rows = [self.table[self.place[p]] if p in self.place else zero for p in prompts]
        return torch.stack(rows) if rows else self.table.new_zeros(0, self.table.shape[1])


def phrases(prompts, table):
    """Such a text encoder: one row of the table for each of these prompts."""
    return _Phrases(prompts, table)


def phrases_function(prompts, table):
    """The same as a plain function."""
    encoder = _Phrases(prompts, table)

    def embed(texts):
        return encoder(texts)

    return embed


class _Recorder(nn.Module):
    """A trainable linear model, z A + c M + b, that keeps what it is given while gradients are taken."""

    def __init__(self, A, M, b):
        super().__init__()
        self.A, self.M, self.b = (nn.Parameter(w.detach().clone()) for w in (A, M, b))
        self.calls = []

    def forward(self, z, t, c):
        answer = z @ self.A.to(z) + c.to(z) @ self.M.to(z) + self.b.to(z)
        if torch.is_grad_enabled():
            self.calls.append(tuple(v.detach().clone() for v in (z, t, c, answer)))
        return answer


def recorder(A, M, b):
    """Such a model."""
    return _Recorder(A, M, b)


def record(model):
    """What a recorder was given: z_t, t, c and its answers, rows in the order of the calls; and how many calls."""
    if not model.calls:
        return {"calls": 0}
    z, t, c, answer = (torch.cat(v) for v in zip(*model.calls, strict=True))
    return {"calls": len(model.calls), "z": z, "t": t, "c": c, "answer": answer}


def losses_on(function, alpha_bars, z0, c, t, noise, drop, answers, rows):
    """function(model, alpha_bars, z0, c, t, noise, drop) in batches of so many rows, for a model that answers so."""
    values = []
    for z, k, s, e, out, answer in zip(*(v.split(rows) for v in (z0, c, t, noise, drop, answers)), strict=True):

        class Answers(nn.Module):
            def __init__(self, value):
                super().__init__()
                self.value = nn.Parameter(value)

            def forward(self, z_t, times, condition):
                return self.value

        loss = function(Answers(answer), alpha_bars, z, k, s, e, out)
        values.append(torch.as_tensor(loss).detach().reshape(()))
    return torch.stack(values)


def loss_gradients(function, model, alpha_bars, z0, c, t, noise, drop):
    """Gradients of function(model, alpha_bars, z0, c, t, noise, drop) by c and by the model's parameters, or None."""
    c = c.detach().clone().requires_grad_()
    value = function(model, alpha_bars, z0, c, t, noise, drop)
    names, parameters = zip(*model.named_parameters(), strict=True)
    if not (isinstance(value, torch.Tensor) and value.requires_grad):
        return None
    found = torch.autograd.grad(value.sum(), [c, *parameters], allow_unused=True)
    return dict(zip(("c", *names), found, strict=True))


def set_table(encoder, table):
    """Put these numbers into a text encoder's table, in its dtype; returns the encoder."""
    with torch.no_grad():
        encoder.table.copy_(table)
    return encoder


def table_of(encoder):
    """A text encoder's table: zeros in its form, whether it is a parameter, and whether the encoder is a module.

    Its first numbers are anybody's: among the answers they would hide that the others are those of a known mistake.
    """
    table = encoder.table
    return [torch.zeros_like(table.detach()), isinstance(table, nn.Parameter), isinstance(encoder, nn.Module)]


def table_gradient(encoder, prompts, weights):
    """Gradient of the sum of weights · encoder(prompts) by the table; None where no graph reaches it."""
    value = (encoder(prompts) * weights.to(encoder.table)).sum()
    if not value.requires_grad:
        return None
    return torch.autograd.grad(value, encoder.table, allow_unused=True)[0]


def renewed(fresh, trained):
    """A fresh network with the parameters and the buffers of a trained one; None where they do not fit."""
    try:
        fresh.load_state_dict({name: value.detach().clone() for name, value in trained.state_dict().items()})
    except RuntimeError:
        return None
    return fresh


def training_mode(module):
    """The module in training mode."""
    return module.train()


class _Perceptron(nn.Module):
    """A denoiser to fall back on: two hidden layers that are told the time and the condition."""

    def __init__(self, d, k, T, hidden):
        super().__init__()
        self.time = nn.Embedding(T, hidden)
        self.first, self.second = nn.Linear(d + k + hidden, 2 * hidden), nn.Linear(2 * hidden, 2 * hidden)
        self.third = nn.Linear(2 * hidden, d)

    def forward(self, z, t, c):
        h = torch.nn.functional.silu(self.first(torch.cat([z, c, self.time(t)], 1)))
        return self.third(torch.nn.functional.silu(self.second(h)))


def perceptron(d, k, T, hidden):
    """Such a denoiser, with torch's usual initial weights."""
    return _Perceptron(d, k, T, hidden)


class _Bound(nn.Module):
    """A module (z, t) -> model(z, t, c) for one condition."""

    def __init__(self, model, c):
        super().__init__()
        self.model = model
        self.register_buffer("c", c)

    def forward(self, z, t):
        return self.model(z, t, self.c)


def bound_module(model, c):
    """Such a module."""
    return _Bound(model, c)
