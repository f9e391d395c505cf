"""Entropic optimal transport between discrete laws, by another way than Sinkhorn's, and how fast Sinkhorn finds it."""

from __future__ import annotations

import math

import numpy as np

from autograder.statistics.arrays import Floats, Values, as_array, as_vector

ENOUGH = 1e-9  # what is left of the error when Sinkhorn's iterations are said to have ended


def entropic_plan(a: Values, b: Values, C: Values, epsilon: float) -> Floats:
    r"""The plan P (n, m) of margins a, b with the least $\langle P, C\rangle + \epsilon \sum_{ij} P_{ij} \log P_{ij}$.

    Newton's method on the semi-dual, epsilon halved from the cost's maximum: the concave
    $\max_g \langle b, g\rangle - \epsilon \sum_i a_i \log\sum_j e^{(g_j - C_{ij}) / \epsilon}$ has m unknowns. The rows
    of the plan are right by construction, and its columns are where the gradient vanishes (Peyré and Cuturi 2019,
    section 4.4).

    Args:
        a, b: (n,) and (m,), positive, of sum 1.
        C: costs (n, m).
        epsilon: of the entropy, in the unit of C.

    Raises:
        ValueError: shapes, values that are not finite.
        RuntimeError: the columns are not reached within 1e-8.
    """
    a, b, C = as_vector(a, "a"), as_vector(b, "b"), as_array(C, "C")
    if C.shape != (len(a), len(b)):
        raise ValueError(f"C: expected shape {(len(a), len(b))}, got {C.shape}")
    g = np.zeros(len(b))
    scales = [epsilon]
    while scales[-1] < C.max():
        scales.append(2 * scales[-1])

    def solve(g: Floats, scale: float) -> tuple[float, Floats]:
        z = (g - C) / scale
        top = z.max(axis=1, keepdims=True)
        mass = np.exp(z - top)
        total = mass.sum(axis=1, keepdims=True)
        value = b @ g - scale * (a @ (top + np.log(total))[:, 0])
        return float(value), a[:, None] * mass / total

    for scale in reversed(scales):
        for _k in range(200):
            value, plan = solve(g, scale)
            columns = plan.sum(axis=0)
            gradient = b - columns
            if np.abs(gradient).sum() < 1e-11:
                break
            curvature = (np.diag(columns) - plan.T @ (plan / a[:, None])) / scale
            # A constant added to g changes nothing: fix it, and keep the matrix away from singular.
            ridge = np.trace(curvature) / len(b)
            curvature += ridge * (np.full_like(curvature, 1 / len(b)) + 1e-13 * np.eye(len(b)))
            way, length = np.linalg.solve(curvature, gradient), 1.0
            while solve(g + length * way, scale)[0] < value + 1e-4 * length * (gradient @ way) - 1e-15:
                length /= 2
                if length < 1e-9:
                    break
            g = g + length * way
    if np.abs(gradient).sum() > 1e-8:
        raise RuntimeError(f"the plan's columns are off by {np.abs(gradient).sum():.1e}")
    return plan


def sinkhorn_iterations(a: Values, b: Values, plan: Values) -> float:
    """Iterations that Sinkhorn takes to an error of 1e-9 near its end: each shrinks the error by a known factor.

    The factor is the square of the second singular value of diag(a)^-1/2 P diag(b)^-1/2 (Peyré and Cuturi 2019, section
    4.2, on local convergence). It varies by a hundred between clouds drawn alike.

    Args:
        a, b: the margins, (n,) and (m,).
        plan: what Sinkhorn's iterations approach, (n, m).
    """
    scaled = as_array(plan, "plan") / np.sqrt(np.outer(as_vector(a, "a"), as_vector(b, "b")))
    second = float(np.linalg.svd(scaled, compute_uv=False)[1])
    return math.log(ENOUGH) / math.log(min(second**2, 1 - 1e-12))


def sinkhorn_error(iterations: int, a: Values, b: Values, C: Values, epsilon: float, plan: Values) -> float:
    """The largest error of an entry of the plan after so many of Sinkhorn's iterations, each with right columns.

    Args:
        a, b: the margins, (n,) and (m,).
        C: costs (n, m).
        epsilon: of the entropy, in the unit of C.
        plan: what the iterations approach, (n, m).
    """
    a, b, C = as_vector(a, "a"), as_vector(b, "b"), as_array(C, "C")
    g = np.zeros(len(b))
    for _k in range(iterations):
        z = (g - C) / epsilon
        top = z.max(axis=1, keepdims=True)
        f = epsilon * (np.log(a) - (top + np.log(np.exp(z - top).sum(axis=1, keepdims=True)))[:, 0])
        z = (f[:, None] - C) / epsilon
        top = z.max(axis=0)
        g = epsilon * (np.log(b) - (top + np.log(np.exp(z - top).sum(axis=0))))
    return float(np.abs(np.exp((f[:, None] + g - C) / epsilon) - as_array(plan, "plan")).max())
