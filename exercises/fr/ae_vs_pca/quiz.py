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
