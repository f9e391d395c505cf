"""The gradient of the likelihood, and the fit against the exact maximum likelihood of its data."""

from __future__ import annotations

import torch

from autograder.judge import CheckFailed, check
from autograder.judge.verdicts import StudentError
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


@check(points=1, kind="statistical", time_limit=180, covers=("fit", "fit_ising"))
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


def first_steps(student, expect, draw):
    """What a first step moves (J, h) by where all data are up, minus where they are a checkerboard, over lr.

    (J, h) is (0, 0) there: after a sweep of heat bath the chains are the same from any start, and the gradients differ
    by the data's alone, (4, 1) per site. Metropolis turns every spin, those of chains that start at data points, too:
    (0, 2), or (0, 0) after an even number of sweeps.
    """
    height = draw.choice((4, 6))
    width, lr, seed = 10 - height, 0.02, draw.seed()
    board = 1.0 - 2 * ((torch.arange(height)[:, None] + torch.arange(width)) % 2)
    data = [lattice.double().repeat(8, 1, 1) for lattice in (torch.ones(height, width), board)]
    found = []
    for lattices in data:
        what = f"fit_ising(data (8, {height}, {width}), 2, lr={lr}, n_chains=8)"
        generator = torch.Generator().manual_seed(seed)
        answer = student.fit_ising(lattices, 2, lr=lr, n_chains=8, generator=generator)
        found.append(torch.tensor([series[0] for series in fitted(expect, answer, 2, what)[1]]).double())
    try:
        own = expect.tensor(student.log_likelihood_gradient(*data), (2,), "log_likelihood_gradient(...)")
    except (CheckFailed, StudentError):
        own = None
    return (found[0] - found[1]) / lr, own if own is None else own / (height * width), height / width, what


def check_first_steps(student, expect, draw):
    """A first step is as long as lr times the gradient over the number of sites, on lattices that are no squares.

    Only its length is judged: of which sign and of which statistics the gradient is has been judged elsewhere.
    """
    moved, own, sides, what = first_steps(student, expect, draw)
    for along in (torch.tensor([4.0, 1.0]).double(), torch.tensor([0.0, 2.0]).double()):
        length = float(moved @ along / (along @ along))
        if not torch.allclose(moved, length * along, atol=1e-3):
            continue  # chains of another kind, or another gradient
        squared = any(abs(length * factor - 1) < 1e-3 for factor in (sides, 1 / sides))
        rights = [0.0, 1.0] if own is None else [0.0, 1.0, float(own.abs().max()) / 4]
        expect.true(
            any(abs(abs(length) - right) <= 1e-3 * right + 1e-6 for right in rights),
            _("{what}: the first step is not lr times the gradient over the number of sites.").format(what=what),
            hint=_("A lattice of H × W spins has H·W sites."),
            mistake="fit_over_side_squared" if squared else None,
        )


@check(points=0.5, kind="statistical", covers=("fit_history", "fit_ising"))
def test_fit_history(student, expect, draw):
    """The history has one value per step, the steps are lr times the gradient over the number of sites, and n_sweeps
    and n_chains count.
    """
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
        # Data-started chains are nearly in the data's law at first: their gradient may be smaller. Of chains that start
        # with all spins up and are turned as a whole it is larger: 2 - m, or 1 + m.
        first, bound = series[:, 0], 4 * lr * (mean.abs() + 0.2)
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
    check_first_steps(student, expect, draw)
    for name, counts, mistake in (
        ("n_sweeps", (1, 3), "fit_sweeps_ignored"), ("n_chains", (20, 60), "fit_chains_ignored")
    ):  # fmt: skip
        fits, seed = [], draw.seed()
        for count in counts:
            what = f"fit_ising(data, {steps}, {name}={count})"
            generator = torch.Generator().manual_seed(seed)
            answer = student.fit_ising(data, steps, **{"n_chains": 40, name: count}, generator=generator)
            fits.append(torch.tensor(fitted(expect, answer, steps, what)[1]).double())
        ways = fits[0].diff(dim=1)
        still = torch.allclose(ways[:, 1:], ways[:, :-1], atol=1e-6)  # chains that never move are judged by the fit
        expect.true(
            still or not torch.equal(*fits),
            _("fit_ising: with {name}={few} and with {name}={many} the fit is the same.").format(
                name=name, few=counts[0], many=counts[1]
            ),
            hint=_("Each step makes n_sweeps sweeps of n_chains chains."),
            mistake=mistake,
        )
