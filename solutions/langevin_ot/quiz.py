"""Quiz of langevin_ot: a step size, a convention, two small clouds and two small laws of each student."""

from __future__ import annotations

import random


def personal(rng: random.Random) -> dict:
    """Draw a target's spread and a step, a step of the other convention, two samples, two weight vectors."""
    sigma = rng.choice((1.0, 1.2, 1.5, 2.0))
    x, y = (sorted(rng.sample(range(13), 4)) for _ in range(2))
    while x == y:
        y = sorted(rng.sample(range(13), 4))
    rng.shuffle(x)
    rng.shuffle(y)
    cuts = [sorted(rng.sample(range(1, 10), 2)) for _ in range(2)]
    a, b = ([low / 10, (high - low) / 10, (10 - high) / 10] for low, high in cuts)
    return {
        "sigma": sigma,
        "step": rng.randrange(10, 91, 5) / 100,
        "eta": rng.randrange(2, 40) / 1000,
        "x": x,
        "y": y,
        "a": a,
        "b": b,
        "entry": [rng.randrange(3), rng.randrange(3)],
    }


def questions(personal: dict) -> dict[str, str]:
    """Texts of the questions, with the type of each answer."""
    row, column = personal["entry"]
    return {
        "variance": (
            "Your langevin_sample runs for a very long time with the exact score of "
            f"N(0, {personal['sigma']}²) and step = {personal['step']}. Which variance does "
            f"the chain end with? It is not {personal['sigma']}². Answer: a number, to 0.001."
        ),
        "step": (
            f"A paper writes its sampler as x + (η/2)·score + sqrt(η)·noise and uses η = {personal['eta']}. "
            "Which `step` of your langevin_step gives the same chain? Answer: a number, to six decimals."
        ),
        "distance": (
            f"Two samples on a line: x = {personal['x']} and y = {personal['y']}, all weights 1/4. "
            "What is their Wasserstein distance of order 2, W_2, with the root? Answer: a number, to 0.001."
        ),
        "large_epsilon": (
            f"Sinkhorn with a = {personal['a']} and b = {personal['b']}, any cost: towards which value does "
            f"the entry P[{row}, {column}] of the plan go (indices from 0) as epsilon goes to infinity? "
            "Answer: a number, to 0.001."
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """What is right, how near an answer has to be, and why."""
    from math import sqrt

    s2, h = personal["sigma"] ** 2, personal["step"]
    pairs = list(zip(sorted(personal["x"]), sorted(personal["y"]), strict=True))
    row, column = personal["entry"]
    return {
        "variance": {
            "title": "The variance that your chain ends with.",
            "points": 0.5,
            "kind": "number",
            "value": s2 / (1 - h / (2 * s2)),
            "tolerance": 1e-3,
            "explanation": "One step multiplies x by 1 - h/σ² and adds the variance 2h: the stationary "
            "variance solves v = (1 - h/σ²)² v + 2h, so v = σ² / (1 - h / (2σ²)). The bias goes to 0 with h.",
        },
        "step": {
            "title": "Your step in the other convention.",
            "points": 0.5,
            "kind": "number",
            "value": personal["eta"] / 2,
            "tolerance": 1e-6,
            "explanation": "With step = η/2 the drift is step·score and the noise sqrt(2·step) = sqrt(η).",
        },
        "distance": {
            "title": "The Wasserstein distance of your two samples.",
            "points": 0.5,
            "kind": "number",
            "value": sqrt(sum((u - v) ** 2 for u, v in pairs) / len(pairs)),
            "tolerance": 1e-3,
            "explanation": "On a line the optimal plan matches the sorted points: W_2² is the mean of their "
            "squared differences.",
        },
        "large_epsilon": {
            "title": "Your plan where epsilon is large.",
            "points": 0.5,
            "kind": "number",
            "value": personal["a"][row] * personal["b"][column],
            "tolerance": 1e-3,
            "explanation": "Only the entropy counts then: the plan of largest entropy with these marginals "
            "is the independent one, P[i, j] = a_i b_j.",
        },
    }


### END SOLUTION
