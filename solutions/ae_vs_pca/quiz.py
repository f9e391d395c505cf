"""Quiz of ae_vs_pca: the advantage over PCA, and three questions on numbers drawn for each student."""

from __future__ import annotations

import random
from itertools import pairwise


def personal(rng: random.Random) -> dict:
    """Draw the variances of a data set, how many components to keep, a share, and the sizes of a network."""
    while True:  # until no share is so near the one asked for that rounding matters
        variances = sorted((round(rng.uniform(0.2, 9.0), 1) for _ in range(rng.randint(6, 8))), reverse=True)
        share = rng.choice((0.6, 0.7, 0.8, 0.9))
        partial = [sum(variances[: i + 1]) / sum(variances) for i in range(len(variances))]
        if len(set(variances)) == len(variances) and min(abs(p - share) for p in partial) > 0.01:
            break
    return {
        "variances": variances,
        "kept": rng.randint(2, 4),
        "share": share,
        "D": rng.randrange(100, 400, 4),
        "hidden": [rng.randrange(60, 100, 2), rng.randrange(20, 40, 2)],
        "d": rng.randint(2, 8),
    }


def questions(personal: dict) -> dict[str, str]:
    """Texts of the questions, with the type of each answer."""
    variances = ", ".join(str(v) for v in personal["variances"])
    layers = ", ".join(str(h) for h in personal["hidden"])
    return {
        "advantage": (
            "What is the main advantage of an auto-encoder with hidden layers over PCA with a code of the same "
            "size? Answer: one of the strings 'speed' (it is found faster), 'capacity' (it can follow curved data), "
            "'orthogonality' (its codes are uncorrelated), 'uniqueness' (its solution is unique)."
        ),
        "optimum": (
            f"The covariance (1/n) of centred data has the eigenvalues {variances}. What is the smallest mean "
            f"squared error over all entries that a LinearAutoencoder with d = {personal['kept']} can reach on "
            "these data? Answer: a number, to 0.001."
        ),
        "components": (
            "Same data: how many principal components explain together at least "
            f"{round(100 * personal['share'])} % of the variance? Answer: a whole number, the smallest."
        ),
        "parameters": (
            f"How many parameters (weights and biases) has Autoencoder(D={personal['D']}, hidden=({layers}), "
            f"d={personal['d']})? Answer: a whole number."
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """What is right, how near an answer has to be, and why."""
    variances, kept = personal["variances"], personal["kept"]
    explained, components = 0.0, 0
    while explained / sum(variances) < personal["share"]:
        explained += variances[components]
        components += 1
    sizes = [personal["D"], *personal["hidden"], personal["d"], *personal["hidden"][::-1], personal["D"]]
    return {
        "advantage": {
            "title": "The main advantage of an auto-encoder over PCA.",
            "points": 0.5,
            "kind": "choice",
            "value": "capacity",
            "explanation": "PCA is the best affine map, found at once, unique and with uncorrelated codes; hidden "
            "layers with nonlinearities can follow data that lie near a curved surface.",
        },
        "optimum": {
            "title": "The smallest error of an affine auto-encoder, from the eigenvalues.",
            "points": 0.5,
            "kind": "number",
            "value": sum(variances[kept:]) / len(variances),
            "tolerance": 1e-3,
            "explanation": "Eckart and Young: the sum of the eigenvalues left out, over the number of entries.",
        },
        "components": {
            "title": "How many components explain a given share of the variance.",
            "points": 0.5,
            "kind": "integer",
            "value": components,
            "explanation": "Add the largest eigenvalues until their sum over the sum of all reaches the share.",
        },
        "parameters": {
            "title": "How many parameters an auto-encoder has.",
            "points": 0.5,
            "kind": "integer",
            "value": sum(a * b + b for a, b in pairwise(sizes)),
            "explanation": "Each layer from a to b values has a·b weights and b biases; the decoder mirrors the "
            "encoder, so that it has as many weights, but the biases of its own outputs.",
        },
    }


### END SOLUTION
