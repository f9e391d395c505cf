"""Centred positions, their density, and molecules laid on each other, against SciPy and torch.distributions."""

from __future__ import annotations

import torch
from scipy.spatial.transform import Rotation
from torch.distributions import MultivariateNormal

from autograder.judge import check
from autograder.language import _

from .positions import centred


def positions(draw, *shape):
    """Molecules, each with a centre of its own: (*shape, 3)."""
    return 1.5 * draw.normal(*shape, 3) + 3 * draw.normal(*shape[:-1], 1, 3)


def turn(draw):
    """A rotation drawn uniformly, (3, 3)."""
    return torch.as_tensor(Rotation.random(random_state=draw.integer(0, 2**31)).as_matrix())


@check(points=0.5, covers=("centred", "centre"))
def test_centre_value(student, compare, draw):
    """Each molecule is moved so that the mean over its atoms is 0, whatever the leading dimensions."""
    for shape in ((draw.integer(3, 5), draw.integer(2, 6)), (draw.integer(4, 7),), (2, 3, draw.integer(3, 5))):
        x = positions(draw, *shape)
        compare(student.centre(x), centred(x), f"centre(x) of {tuple(x.shape)}")


def right_log_prob(x, std):
    """The density of N(0, std² I) in an orthonormal basis of the subspace."""
    N = x.shape[1]
    ones = torch.ones(N, 1, dtype=torch.float64)
    basis = torch.linalg.svd(ones).U[:, 1:]  # (N, N-1), orthonormal and orthogonal to (1, ..., 1)
    flat = (basis.T @ x).flatten(1)  # (B, 3 (N-1))
    zero = torch.zeros(flat.shape[1], dtype=torch.float64)
    return MultivariateNormal(zero, std**2 * torch.eye(len(zero), dtype=torch.float64)).log_prob(flat)


@check(points=1, covers=("density", "zero_mean_log_prob"))
def test_log_prob_value(student, compare, draw):
    """The log-density of centred noise in the dimensions where it lives, of any standard deviation and by default 1."""
    for N in (2, 3, draw.integer(4, 9)):
        std = round(float(draw.uniform(1, low=0.3, high=0.8)) * draw.choice((1.0, 3.0)), 2)
        x = std * centred(draw.normal(draw.integer(3, 5), N, 3))
        compare(student.zero_mean_log_prob(x, std=std), right_log_prob(x, std), f"zero_mean_log_prob(x, std={std})")
        compare(student.zero_mean_log_prob(x), right_log_prob(x, 1.0))


def lay(x, y):
    """y moved onto x by SciPy's rotation, the rmsd, and how clearly this rotation is the best: (N, 3) each."""
    still, moved = centred(x), centred(y)
    rotation, _distance = Rotation.align_vectors(still.numpy(), moved.numpy())
    turned = torch.as_tensor(rotation.apply(moved.numpy()))
    values = torch.linalg.svdvals(moved.T @ still)
    sign = torch.linalg.det(moved.T @ still).sign()
    clear = float((values[1] + sign * values[2]) / values[0])
    return turned + x.mean(0), float((still - turned).square().sum(1).mean().sqrt()), clear


def right_align(x, y, permutations=None):
    """The best of all orders: (aligned, rmsd, clear), clear where no other rotation or order comes near it."""
    orders = [list(range(len(x)))] if permutations is None else permutations.tolist()
    found = sorted((lay(x, y[order]) for order in orders), key=lambda one: one[1])
    apart = found[1][1] - found[0][1] if len(found) > 1 else 1.0
    return found[0][0], torch.tensor(found[0][1], dtype=torch.float64), found[0][2] > 0.1 and apart > 0.02


def judge_align(student, expect, compare, x, y, what, permutations=None):
    """Both answers of one call."""
    right, rmsd, _clear = right_align(x, y, permutations)
    answer = student.align(x, y) if permutations is None else student.align(x, y, permutations=permutations)
    aligned, distance = expect.sequence(answer, 2, what)
    compare(distance, rmsd, _("rmsd of {what}").format(what=what))
    compare(aligned, right, _("aligned of {what}").format(what=what))


def draw_pair(draw, N, spread, mirrored=False, order=None):
    """x, and y that is x turned, shifted, a little changed, and mirrored or reordered; until its best turn is clear."""
    while True:
        x = positions(draw, N)
        image = x * torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64) if mirrored else x
        y = image @ turn(draw).T + 3 * draw.normal(3) + spread * draw.normal(N, 3)
        if order is not None:
            reordered = torch.empty_like(y)
            reordered[order] = y
            y = reordered
        if order is not None or right_align(x, y)[2]:
            return x, y


@check(points=1, covers=("rotation", "align"))
def test_align_turn(student, expect, compare, draw):
    """y is shifted and turned onto x as well as it goes; the rmsd is the root of the mean over the atoms."""
    for N in (3, 4, draw.integer(5, 9)):
        x, y = draw_pair(draw, N, 0.4)
        judge_align(student, expect, compare, x, y, f"align(x ({N}, 3), y ({N}, 3))")


@check(points=0.5, covers=("handed", "align"))
def test_align_handed(student, expect, compare, draw):
    """A molecule is not its mirror image: only proper rotations are allowed."""
    for N in (4, draw.integer(5, 7)):
        x, y = draw_pair(draw, N, 0.1, mirrored=True)
        judge_align(student, expect, compare, x, y, _("align(x, y), y near the mirror image of x"))


def draw_orders(draw, N, count):
    """The order as it is, a cycle of three atoms, and others; no inverse of the cycle is among them."""
    while True:
        atoms = draw.shuffle(range(N))[:3]
        cycle = list(range(N))
        for here, there in zip(atoms, [*atoms[1:], atoms[0]], strict=True):
            cycle[here] = there
        inverse = torch.tensor(cycle).argsort().tolist()
        orders = [list(range(N)), *(draw.shuffle(range(N)) for _k in range(count - 2))]
        if cycle not in orders and inverse not in orders and len({tuple(o) for o in orders}) == len(orders):
            place = draw.integer(0, len(orders))
            return torch.tensor([*orders[:place], cycle, *orders[place:]]), torch.tensor(cycle)


@check(points=0.5, covers=("orders", "align"))
def test_align_orders(student, expect, compare, draw):
    """The best of the orders allowed is taken: atom perm[p, i] of y lies on atom i of x."""
    for N in (draw.integer(4, 5), draw.integer(6, 7)):
        while True:
            permutations, cycle = draw_orders(draw, N, draw.integer(3, 5))
            x, y = draw_pair(draw, N, 0.2, order=cycle)
            if right_align(x, y, permutations)[2]:
                break
        what = f"align(x, y, permutations ({len(permutations)}, {N}))"
        judge_align(student, expect, compare, x, y, what, permutations)
        # Where it is not among them, the best order must not be found.
        others = torch.stack([order for order in permutations if not torch.equal(order, cycle)])
        if right_align(x, y, others)[2]:
            judge_align(student, expect, compare, x, y, what, others)


@check(points=0.25, covers=("broadcast", "align"))
def test_align_broadcast(student, expect, compare, draw):
    """Leading dimensions of x and y are broadcast: all pairs of two sets at once, one onto many."""
    N, n, m = draw.integer(4, 5), 2, 3
    while True:
        permutations, cycle = draw_orders(draw, N, 3)
        base = positions(draw, N)
        x, y = base + 0.3 * draw.normal(n, N, 3), base + 0.3 * draw.normal(m, N, 3)
        one = draw.integer(0, m - 1)  # whose atoms stand in another order
        y[one, cycle] = y[one].clone()
        y = y @ turn(draw).T
        found = [[right_align(one, other, permutations) for other in y] for one in x]
        if all(entry[2] for row in found for entry in row):
            break
    right = torch.stack([torch.stack([entry[0] for entry in row]) for row in found])  # (n, m, N, 3)
    rmsd = torch.stack([torch.stack([entry[1] for entry in row]) for row in found])
    calls = (
        (x[:, None], y, right, rmsd),
        (x[1], y, right[1], rmsd[1]),
        (x, y[:n], right[range(n), range(n)], rmsd[range(n), range(n)]),
    )
    for one, other, wanted, distances in calls:
        what = f"align(x {tuple(one.shape)}, y {tuple(other.shape)}, permutations)"
        aligned, distance = expect.sequence(student.align(one, other, permutations=permutations), 2, what)
        compare(distance, distances, _("rmsd of {what}").format(what=what))
        compare(aligned, wanted, _("aligned of {what}").format(what=what))
