"""Quiz of model_evaluation: two Gaussians, an image's likelihood, and two questions on what measures see."""

from __future__ import annotations

import math
import random


def personal(rng: random.Random) -> dict:
    """Draw two diagonal Gaussians, and a likelihood with its sizes."""
    means = [[rng.randrange(-3, 4) for _ in range(2)] for _ in range(2)]
    stds = [rng.sample((0.5, 1.0, 1.5, 2.0, 3.0), 2) for _ in range(2)]
    while stds[0] == stds[1]:
        stds[1] = rng.sample((0.5, 1.0, 1.5, 2.0, 3.0), 2)
    return {
        "means": means,
        "stds": stds,
        "nats": -100 * rng.randrange(5, 30),
        "pixels": rng.choice((49, 196, 256, 784)),
        "levels": rng.choice((16, 32, 64, 256)),
    }


def questions(personal: dict) -> dict[str, str]:
    """Texts of the questions, with the type of each answer."""
    p = personal
    (u, v), (s, t) = p["means"], p["stds"]
    return {
        "frechet": (
            f"Two Gaussians in the plane with independent coordinates: means {u} and {v}, standard deviations "
            f"{s} and {t}. What is their Fréchet distance, squared as in FID? Answer: a number, to 0.001."
        ),
        "bits": (
            f"An image of {p['pixels']} pixels with {p['levels']} grey levels, dequantised and divided by "
            f"{p['levels']}, has the log-density {p['nats']} nats. How many bits per dimension? Answer: a number, "
            "to 0.001."
        ),
        "copying": (
            "A model returns training images with a little noise. Which of these measures sees it? "
            "(a) the FID to held-out images; (b) the inception score; (c) the recall on held-out images; (d) the "
            "share of memorisation ratios below 1/3. Answer: a letter, such as 'a'."
        ),
        "map": (
            "A map has a low trustworthiness. What does that say? "
            "(a) Some neighbours in the data are far from each other in the map; (b) some neighbours in the map are "
            "far from each other in the data; (c) the classes overlap in the data; (d) the perplexity exceeds the "
            "number of points. Answer: a letter, such as 'a'."
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """What is right, how near an answer has to be, and why."""
    p = personal
    squares = [(x - y) ** 2 for x, y in zip(*p["means"], strict=True)]
    roots = [(x - y) ** 2 for x, y in zip(*p["stds"], strict=True)]
    return {
        "frechet": {
            "title": "The Fréchet distance of your two Gaussians.",
            "points": 0.5,
            "kind": "number",
            "value": float(sum(squares) + sum(roots)),
            "tolerance": 1e-3,
            "explanation": "Diagonal covariances commute: the trace is the sum of (σ1 - σ2)² over the coordinates, "
            "beside the squared distance of the means.",
        },
        "bits": {
            "title": "Your image in bits per dimension.",
            "points": 0.5,
            "kind": "number",
            "value": -p["nats"] / (math.log(2) * p["pixels"]) + math.log2(p["levels"]),
            "tolerance": 1e-3,
            "explanation": "From nats to bits by ln 2, per pixel, plus log2 of the levels for the division.",
        },
        "copying": {
            "title": "Which measure sees a copying model.",
            "points": 0.5,
            "kind": "choice",
            "value": "d",
            "explanation": "Copies of training images have the law of images: only a comparison with the training set "
            "itself sees them.",
        },
        "map": {
            "title": "What a low trustworthiness says.",
            "points": 0.5,
            "kind": "choice",
            "value": "b",
            "explanation": "It charges neighbours of the map that are far down in the ranking of the data; neighbours "
            "that are torn apart are the business of another measure, continuity.",
        },
    }


### END SOLUTION
