"""The gradient of the likelihood, and the fit against the exact maximum likelihood of its data."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

STATES = 2000
STEPS = 300
SIDE = 4


def statistics(s):
    bonds = s * (s.roll(-1, 1) + s.roll(-1, 2))
    return torch.stack([bonds.sum((1, 2)), s.sum((1, 2))], 1)


def all_states():
    bits = (torch.arange(2 ** (SIDE * SIDE))[:, None] >> torch.arange(SIDE * SIDE)) & 1
    return (2.0 * bits.double() - 1).reshape(-1, SIDE, SIDE)


def best(data):
    """The exact maximum likelihood (J, h), by Newton's method on all states."""
    T, target, theta = statistics(all_states()), statistics(data).mean(0), torch.zeros(2, dtype=torch.float64)
    for _k in range(30):
        p = torch.softmax(T @ theta, 0)
        mean = p @ T
        covariance = (T - mean).T @ ((T - mean) * p[:, None])
        way = torch.linalg.solve(covariance, target - mean)
        theta = theta + way * (0.05 / way.abs().max().clamp_min(0.05))  # short at first: it is far from a parabola
    return theta


@check(points=1, covers=("likelihood_gradient", "log_likelihood_gradient"))
def test_likelihood_gradient(student, compare, draw):
    """Mean statistics of the data minus those of the samples, for the coupling and for the field."""
    for _k in range(2):
        h, n, m = draw.integer(3, 4), draw.integer(4, 7), draw.integer(8, 11)
        data, samples = (2.0 * draw.integers(0, 2, k, h, h + 2).double() - 1 for k in (n, m))
        right = statistics(data).mean(0) - statistics(samples).mean(0)
        compare(student.log_likelihood_gradient(data, samples), right)


def draw_data(draw, n):
    """Exact states of a law whose coupling and field are not 0, and where chains still move fast."""
    coupling, field = float(draw.uniform(1, low=0.17, high=0.27)), float(draw.uniform(1, low=0.1, high=0.2))
    theta = torch.tensor([coupling, draw.choice((-1, 1)) * field], dtype=torch.float64)
    states = all_states()
    p = torch.softmax(statistics(states) @ theta, 0)
    return states[torch.from_numpy(draw.numpy().choice(len(p), n, p=p.numpy() / p.numpy().sum()))]


def fitted(expect, answer, steps, what):
    """(coupling, field), and both histories."""
    coupling, field, history = expect.sequence(answer, 3, what)
    found = [expect.number(v, what, low=-100, high=100) for v in (coupling, field)]
    return torch.tensor(found).double(), [expect.history(history, key, steps, what) for key in ("coupling", "field")]


@check(points=1, kind="statistical", time_limit=60, covers=("fit", "fit_ising"))
def test_fit(student, expect, calibrated, draw):
    """The fits to two data sets come near their exact maximum likelihood, in the coupling and in the field."""
    errors, away, no_field = [], [], []
    for _k in range(2):  # the error of one alone may be near 0 by chance
        data = draw_data(draw, STATES)
        what = f"fit_ising(data ({STATES}, {SIDE}, {SIDE}), {STEPS})"
        answer = student.fit_ising(data, STEPS, generator=draw.generator())
        found, _histories = fitted(expect, answer, STEPS, what)
        right = best(data)
        errors.append(found - right)
        away.append(bool((found * right < 0).all()))  # both parameters on the other side of 0, where the fit starts
        no_field.append(float(found[1]) == 0.0)
    mistake = "fit_descends" if all(away) else "fit_field_not_updated" if all(no_field) else None
    calibrated(
        "fit_error",
        float(torch.stack(errors).square().mean().sqrt()),
        better="lower",
        what=_("The distance of coupling and field from the exact maximum likelihood of the data"),
        hint=_("Do the chains go on from step to step, and are both parameters updated?"),
        mistake=mistake,
    )


@check(points=0.5, kind="statistical", covers=("fit_history", "fit_ising"))
def test_fit_history(student, expect, draw):
    """The history has one value per step, and the steps are lr times the gradient over the number of sites."""
    steps, data = draw.integer(4, 8), draw_data(draw, 400)
    mean = statistics(data).mean(0) / SIDE**2  # at the start the model's means are 0
    sizes = []
    for lr in (0.02, 0.001):
        what = f"fit_ising(data, {steps}, lr={lr}, n_chains=300, n_sweeps=2)"
        seed = draw.seed()

        def run(seed, lr=lr, what=what):
            generator = torch.Generator().manual_seed(seed)
            answer = student.fit_ising(data, steps, lr=lr, n_chains=300, n_sweeps=2, generator=generator)
            return torch.tensor(fitted(expect, answer, steps, what)[1]).double()

        series, again = run(seed), run(seed)
        expect.true(
            torch.equal(series, again), _("{what}: two generators of one seed give two fits.").format(what=what)
        )
        # Data-started chains are nearly in the data's law at first: their gradient may be smaller.
        first, bound = series[:, 0], 3 * lr * (mean.abs() + 0.2)
        expect.true(
            bool((first.abs() <= bound).all() and (series.abs() <= steps * bound[:, None]).all()),
            _("{what}: the first steps are longer than lr times the gradient over the number of sites.").format(
                what=what
            ),
        )
        expect.true(
            bool((series[:, 1:] != series[:, :-1]).any(1).all()),
            _("{what}: coupling or field stands still.").format(what=what),
        )
        sizes.append(float((series[:, 1:] - series[:, :-1]).abs().mean()))
    expect.true(
        4 < sizes[0] / sizes[1] < 100,
        _("fit_ising: with lr = 0.02 the steps should be about 20 times as long as with lr = 0.001."),
    )
