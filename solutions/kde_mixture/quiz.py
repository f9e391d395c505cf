"""Quiz of kde_mixture: two Gaussians and their weights, a shell, boxes and three points of each student."""

from __future__ import annotations

import math
import random


def personal(rng: random.Random) -> dict:
    """Draw a class question whose answer the likelihood alone gets wrong, a shell, boxes and a kernel estimate."""
    while True:
        weights = rng.choice(([0.9, 0.1], [0.1, 0.9], [0.85, 0.15], [0.2, 0.8], [0.05, 0.95]))
        means, stds = [rng.randrange(-3, 1), rng.randrange(1, 5)], [rng.choice((1.0, 1.5, 2.0)) for _ in range(2)]
        point = rng.randrange(-20, 31) / 10
        logs = [-((point - mean) ** 2) / (2 * std**2) - math.log(std) for mean, std in zip(means, stds, strict=True)]
        gap, odds = logs[0] - logs[1], math.log(weights[0] / weights[1])
        if gap * (gap + odds) < 0 and abs(gap) > 0.2 and abs(gap + odds) > 0.2:
            break
    while True:
        points, bandwidth = rng.sample(range(9), 3), rng.choice((0.5, 0.8, 1.2, 1.5))
        at = round(rng.uniform(min(points), max(points)), 1)
        if sum(abs(at - x) < 2 * bandwidth for x in points) >= 2:  # not a number that rounds to 0
            break
    return {
        "weights": weights,
        "means": means,
        "stds": stds,
        "point": point,
        "sigma": rng.choice((0.5, 1.5, 2.0, 3.0)),
        "shell_d": rng.choice((50, 100, 200, 250, 400, 500, 784)),
        "epsilon": rng.choice((0.2, 0.1, 0.05, 0.02, 0.01)),
        "boxes_d": rng.randrange(5, 40),
        "points": points,
        "at": at,
        "bandwidth": bandwidth,
    }


def questions(personal: dict) -> dict[str, str]:
    """Texts of the questions, with the type of each answer."""
    p = personal
    return {
        "class": (
            f"Class 0 has the weight {p['weights'][0]} and the law N({p['means'][0]}, {p['stds'][0]}²), class 1 the "
            f"weight {p['weights'][1]} and the law N({p['means'][1]}, {p['stds'][1]}²). To which class does Bayes' "
            f"rule assign the point {p['point']}? Answer: an integer, 0 or 1."
        ),
        "shell": (
            f"White noise x ~ N(0, σ²/d I) with σ = {p['sigma']} in dimension d = {p['shell_d']}: what is the "
            "variance of ‖x‖²? Answer: a number, to 1 %."
        ),
        "boxes": (
            f"[0, 1]^d is cut into boxes of side ε = {p['epsilon']}, and d = {p['boxes_d']}. What is the "
            "logarithm to base 10 of the number of samples that is needed at least, so that every box can hold "
            "one? Answer: a number, to 0.01."
        ),
        "kernel": (
            f"Data {p['points']} on a line, bandwidth h = {p['bandwidth']}: what is the kernel density "
            f"estimate (not its logarithm) at x = {p['at']}? Answer: a number, to 0.0005."
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """What is right, how near an answer has to be, and why."""
    p = personal
    scores = [
        math.log(weight) - (p["point"] - mean) ** 2 / (2 * std**2) - math.log(std)
        for weight, mean, std in zip(p["weights"], p["means"], p["stds"], strict=True)
    ]
    shell = 2 * p["sigma"] ** 4 / p["shell_d"]
    h = p["bandwidth"]
    bumps = [math.exp(-((p["at"] - x) ** 2) / (2 * h * h)) / (h * math.sqrt(2 * math.pi)) for x in p["points"]]
    return {
        "class": {
            "title": "The class of your point.",
            "points": 0.5,
            "kind": "integer",
            "value": scores.index(max(scores)),
            "explanation": "Compare log Φ_i(x) + log α_i: the likelihood alone gives the other class, and the weights "
            "outvote it.",
        },
        "shell": {
            "title": "The thickness of your shell.",
            "points": 0.5,
            "kind": "number",
            "value": shell,
            "tolerance": 0.01 * shell,
            "explanation": "‖x‖² d/σ² is a χ² variable with d degrees of freedom, of variance 2d: so Var ‖x‖² = 2σ⁴/d.",
        },
        "boxes": {
            "title": "Samples for your boxes.",
            "points": 0.5,
            "kind": "number",
            "value": -p["boxes_d"] * math.log10(p["epsilon"]),
            "tolerance": 0.01,
            "explanation": "There are ε^-d boxes, and each needs a sample: log10 n = -d log10 ε.",
        },
        "kernel": {
            "title": "Your kernel estimate by hand.",
            "points": 0.5,
            "kind": "number",
            "value": sum(bumps) / 3,
            "tolerance": 5e-4,
            "explanation": "The mean of three Gaussian densities of standard deviation h, one around each point, at x.",
        },
    }


### END SOLUTION
