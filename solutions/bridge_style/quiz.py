"""Quiz of bridge_style: a horizon, two Gaussians, two weight vectors and two times of each student."""

from __future__ import annotations

import random


def personal(rng: random.Random) -> dict:
    """Draw the noise and the horizon of a reference, two spreads, two weight vectors, two times of a bridge."""
    std0, std1 = rng.sample((0.5, 0.8, 1.2, 1.5, 2.0, 2.5), 2)
    cuts = [sorted(rng.sample(range(1, 10), 2)) for _ in range(2)]
    a, b = ([low / 10, (high - low) / 10, (10 - high) / 10] for low, high in cuts)
    early, late = sorted(rng.sample(range(2, 19), 2))
    return {
        "sigma": rng.randrange(4, 30) / 20,
        "horizon": rng.choice((0.25, 0.5, 2, 3, 4, 5)),
        "std0": std0,
        "std1": std1,
        "noise": rng.choice((0.6, 0.9, 1.1, 1.4, 1.6)),
        "a": a,
        "b": b,
        "entry": [rng.randrange(3), rng.randrange(3)],
        "spread": rng.choice((0.5, 1.5, 2.0, 2.5, 3.0)),
        "early": early / 20,
        "late": late / 20,
    }


def questions(personal: dict) -> dict[str, str]:
    """Texts of the questions, with the type of each answer."""
    row, column = personal["entry"]
    return {
        "epsilon": (
            f"The reference dX = σ dW with σ = {personal['sigma']} runs on [0, T] with T = {personal['horizon']} "
            "instead of [0, 1]. With which epsilon is the entropic plan (cost: the squared distance) "
            "Schrödinger's coupling? Answer: a number, to 0.0001."
        ),
        "variance": (
            f"The Schrödinger bridge on the line from N(0, {personal['std0']}²) to N(3, {personal['std1']}²) "
            f"has the reference's noise σ = {personal['noise']}. What is the variance of X_t at t = 1/2? "
            "Answer: a number, to 0.001."
        ),
        "large_sigma": (
            f"schrodinger_coupling with a = {personal['a']} and b = {personal['b']}, any two clouds: towards "
            f"which value does the entry [{row}, {column}] of the plan go (indices from 0) as sigma goes to "
            "infinity? Answer: a number, to 0.001."
        ),
        "covariance": (
            f"A Brownian bridge on the line with σ = {personal['spread']}, pinned at both ends. What is the "
            f"covariance of its values at the times {personal['early']} and {personal['late']}? Answer: a "
            "number, to 0.001."
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """What is right, how near an answer has to be, and why."""
    from math import sqrt

    v0, v1, s2 = personal["std0"] ** 2, personal["std1"] ** 2, personal["noise"] ** 2
    row, column = personal["entry"]
    return {
        "epsilon": {
            "title": "The epsilon of your reference.",
            "points": 0.5,
            "kind": "number",
            "value": 2 * personal["sigma"] ** 2 * personal["horizon"],
            "tolerance": 1e-4,
            "explanation": "In the time T the reference spreads by the variance σ²T: the law of the ends is "
            "proportional to exp(-‖x - y‖² / (2σ²T)), so epsilon = 2σ²T.",
        },
        "variance": {
            "title": "The variance of your bridge half way.",
            "points": 0.5,
            "kind": "number",
            "value": (v0 + v1 + sqrt(4 * v0 * v1 + s2**2)) / 4,
            "tolerance": 1e-3,
            "explanation": "K = (sqrt(4 v0 v1 + σ⁴) - σ²) / 2, and at t = 1/2 the variance is (v0 + v1 + 2K + σ²) / 4 "
            "= (v0 + v1 + sqrt(4 v0 v1 + σ⁴)) / 4. The means play no part.",
        },
        "large_sigma": {
            "title": "Your coupling where sigma is large.",
            "points": 0.5,
            "kind": "number",
            "value": personal["a"][row] * personal["b"][column],
            "tolerance": 1e-3,
            "explanation": "A particle that diffuses very far forgets where it started: the ends are independent, "
            "P[i, j] = a_i b_j.",
        },
        "covariance": {
            "title": "The covariance of your bridge at two times.",
            "points": 0.5,
            "kind": "number",
            "value": personal["spread"] ** 2 * personal["early"] * (1 - personal["late"]),
            "tolerance": 1e-3,
            "explanation": "For s ≤ t it is σ² s (1 - t): the earlier time, and what is left after the later one. "
            "Where the ends are plays no part.",
        },
    }


### END SOLUTION
