"""The plan for squared rmsd, and where it pulls: against SciPy's rotations and another Sinkhorn.

What builds on `align` may also agree with the student's own one where that follows the right one: its fault has cost
its points already.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from autograder.judge import CheckFailed, check
from autograder.judge.answers import as_tensor
from autograder.judge.verdicts import StudentError
from autograder.language import _

from .positions import centred, nearest

CLOSE = {"rtol": 1e-5, "atol": 1e-7}


def lay(x, y, orders):
    """y in its best order moved onto x, and the squared rmsd; (N, 3) each."""
    best = None
    for order in orders:
        moved = centred(y)[order]
        rotation, _distance = Rotation.align_vectors(centred(x).numpy(), moved.numpy())
        turned = torch.as_tensor(rotation.apply(moved.numpy()))
        cost = float((centred(x) - turned).square().sum(1).mean())
        if best is None or cost < best[1]:
            best = turned + x.mean(0), cost
    return best


def right_pairs(x, y, permutations=None):
    """All y laid on all x, (n, m, N, 3), and the costs (n, m)."""
    orders = [list(range(x.shape[1]))] if permutations is None else permutations.tolist()
    pairs = [[lay(one, other, orders) for other in y] for one in x]
    aligned = torch.stack([torch.stack([pair[0] for pair in row]) for row in pairs])
    return aligned, torch.tensor([[pair[1] for pair in row] for row in pairs], dtype=torch.float64)


def sinkhorn(C, epsilon, most=400):
    """The converged plan of uniform weights, columns last; None where that takes more pairs of updates than this."""
    scaled = C.numpy() / epsilon
    n, m = scaled.shape
    g = np.zeros(m)
    for _k in range(most):
        z = g - scaled
        top = z.max(1)
        f = -math.log(n) - top - np.log(np.exp(z - top[:, None]).sum(1))
        z = f[:, None] - scaled
        top = z.max(0)
        before, g = g, -math.log(m) - top - np.log(np.exp(z - top).sum(0))
        if np.abs(g - before).max() < 1e-12:
            return torch.from_numpy(np.exp(f[:, None] + g - scaled))
    return None


def own_pairs(student, expect, x, y, permutations, aligned, costs):
    """The same by the student's own align, where its distances follow the right ones; else None."""
    options = {} if permutations is None else {"permutations": permutations}
    try:
        pair = expect.sequence(student.align(x[:, None], y[None], **options), 2)
        own = expect.tensor(pair[0], tuple(aligned.shape)).double()
        rmsd = expect.tensor(pair[1], tuple(costs.shape)).double()
    except (CheckFailed, StudentError):
        return None
    columns = torch.stack([rmsd.flatten(), costs.sqrt().flatten()])
    ratio = float(columns[0].norm() / columns[1].norm())
    follows = float(torch.corrcoef(columns)[0, 1].nan_to_num(0.0)) > 0.5 and 0.3 < ratio < 3
    return (own, rmsd.square()) if follows else None


class Problem:
    """Two sets of molecules of one rough shape, turned at random, where Sinkhorn's iteration has converged."""

    def __init__(self, draw, orders, N=4, scale=0.3, epsilon=None):
        while True:
            self.n, self.m = draw.integer(4, 6), draw.integer(7, 9)
            base = 1.5 * draw.normal(N, 3)
            self.x = base + scale * draw.normal(self.n, N, 3) + 3 * draw.normal(self.n, 1, 3)
            self.y = base + scale * draw.normal(self.m, N, 3)
            self.permutations = None
            if orders:
                rows = [[0, 1, 2, 3], [1, 2, 0, 3], [0, 1, 3, 2]]
                self.permutations = torch.tensor(draw.shuffle(rows))
                place = torch.tensor([1, 2, 0, 3])
                for j in range(0, self.m, 2):
                    self.y[j, place] = self.y[j].clone()
            turns = torch.as_tensor(Rotation.random(self.m, random_state=draw.integer(0, 2**31)).as_matrix())
            self.y = self.y @ turns.mT + 3 * draw.normal(self.m, 1, 3)
            self.aligned, self.costs = right_pairs(self.x, self.y, self.permutations)
            self.epsilon = epsilon or round(float(self.costs.mean()) * draw.choice((0.4, 0.8)), 4)
            if sinkhorn(self.costs, self.epsilon, 200) is not None:
                break
        self.options = {} if self.permutations is None else {"permutations": self.permutations}
        extra = f", permutations=({len(self.permutations)}, {N})" if orders else ""
        self.what = f"transport_pull(x ({self.n}, {N}, 3), y ({self.m}, {N}, 3), {self.epsilon:g}{extra})"

    def solutions(self, student, expect):
        """Plan and destinations T(x), right ones and those of the student's own align."""
        found = [(self.aligned, self.costs)]
        own = own_pairs(student, expect, self.x, self.y, self.permutations, *found[0])
        answers = []
        for aligned, costs in found if own is None else [*found, own]:
            plan = sinkhorn(costs, self.epsilon)
            if plan is None:
                continue
            shares = plan / plan.sum(1, keepdim=True)
            answers.append((plan, (shares[..., None, None] * aligned).sum(1)))
        return answers


@check(points=0.75, covers=("plan", "transport_pull"))
def test_pull_plan(student, expect, compare, draw):
    """The plan is the entropic one of uniform weights for squared rmsd, over the orders allowed."""
    for orders in (False, True):
        problem = Problem(draw, orders)
        answer = student.transport_pull(problem.x, problem.y, problem.epsilon, **problem.options)
        _moved, plan = expect.sequence(answer, 2, problem.what)
        right = nearest(plan, [found[0] for found in problem.solutions(student, expect)])
        compare(plan, right, _("the plan of {what}").format(what=problem.what), **CLOSE)


def own_destinations(expect, plan, problem, solutions):
    """T(x) by the plan that came with it, where that follows the right one: a wrong plan has its check."""
    try:
        own = expect.tensor(plan, (problem.n, problem.m)).double()
    except CheckFailed:
        return []
    right = solutions[0][0]
    follows = float(torch.corrcoef(torch.stack([own.flatten(), right.flatten()]))[0, 1].nan_to_num(0.0)) > 0.5
    if not follows or bool((own < 0).any()):
        return []
    shares = own / own.sum(1, keepdim=True)
    return [(shares[..., None, None] * problem.aligned).sum(1)]


@check(points=0.75, covers=("pull", "transport_pull"))
def test_pull_moved(student, expect, compare, draw):
    """Each molecule moves by `strength` towards the mean of its destinations, aligned on it; by default all the way."""
    for orders, strength in ((False, None), (True, round(float(draw.uniform(1, low=0.2, high=0.8)), 2)), (False, 0.0)):
        problem = Problem(draw, orders)
        options = dict(problem.options) if strength is None else {**problem.options, "strength": strength}
        answer = student.transport_pull(problem.x, problem.y, problem.epsilon, **options)
        what = problem.what if strength is None else f"{problem.what[:-1]}, strength={strength})"
        moved, plan = expect.sequence(answer, 2, what)
        solutions = problem.solutions(student, expect)
        targets = [found[1] for found in solutions] + own_destinations(expect, plan, problem, solutions)
        full = 1.0 if strength is None else strength
        rights = [problem.x + full * (target - problem.x) for target in targets]
        compare(moved, nearest(moved, rights), _("the molecules of {what}").format(what=what), **CLOSE)


@check(points=0.25, covers=("far", "transport_pull"))
def test_pull_far(student, expect, compare, draw):
    """Plan and molecules are right where exp(-C / epsilon) is 0 for every pair."""
    while True:
        problem = Problem(draw, False, scale=0.0, epsilon=1.0)
        # One shape each, a little varied: all costs are large, and they differ by some epsilon.
        other = 1.5 * draw.normal(4, 3)
        problem.x = problem.x + 0.003 * draw.normal(problem.n, 4, 3)
        problem.y = other + 0.003 * draw.normal(problem.m, 4, 3)
        problem.aligned, problem.costs = right_pairs(problem.x, problem.y)
        problem.epsilon = float(f"{float(problem.costs.min()) / 1500:.2g}")
        spread = float(problem.costs.max() - problem.costs.min()) / problem.epsilon
        if 1 < spread < 100 and sinkhorn(problem.costs, problem.epsilon, 200) is not None:
            break
    what = f"transport_pull(x, y, {problem.epsilon:g})"
    hint = _("There exp(-C/epsilon) is 0 in floating point, and 0/0 follows: work with torch.logsumexp.")
    moved, plan = expect.sequence(student.transport_pull(problem.x, problem.y, problem.epsilon), 2, what)
    # The hint is about NaN and inf: what is finite and wrong is wrong for another reason.
    parts = [as_tensor(part) for part in (plan, moved)]
    if all(part is None or not part.is_floating_point() or bool(part.isfinite().all()) for part in parts):
        hint = None
    plan = expect.tensor(plan, (problem.n, problem.m), _("the plan of {what}").format(what=what), hint=hint)
    moved = expect.tensor(moved, tuple(problem.x.shape), _("the molecules of {what}").format(what=what), hint=hint)
    solutions = problem.solutions(student, expect)
    # A thousandth of C decides here: roundings of the rmsd show.
    right = nearest(plan, [found[0] for found in solutions])
    compare(plan, right, _("the plan of {what}").format(what=what), rtol=1e-4, atol=1e-6)
    targets = [found[1] for found in solutions] + own_destinations(expect, plan, problem, solutions)
    compare(moved, nearest(moved, targets), _("the molecules of {what}").format(what=what), rtol=1e-4, atol=1e-6)
