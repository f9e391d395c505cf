"""The questions on Glow: a log-determinant and a likelihood with the student's numbers, and two on what they mean."""

from __future__ import annotations

import math
import random
from typing import Any


def personal(rng: random.Random) -> dict[str, Any]:
    """A 2×2 matrix with a negative determinant, a size of images, and a log-density."""
    while True:
        matrix = [[rng.choice([-1, 1]) * round(rng.uniform(0.3, 2.5), 1) for _ in range(2)] for _ in range(2)]
        (a, b), (c, d) = matrix
        if -6 < a * d - b * c < -1.5:
            break
    side = rng.choice([8, 16, 32])
    return {
        "matrix": matrix,
        "height": rng.choice([4, 6, 8, 10]),
        "width": rng.choice([5, 7, 9, 12]),
        "side": side,
        "log2_levels": rng.choice([4, 5, 6, 8]),
        "log_density": round(rng.uniform(0.5, 2.5) * side**2, 1),
    }


def questions(personal: dict[str, Any]) -> dict[str, str]:
    """Key -> text, with the type of the answer."""
    return {
        "log_det": (
            "An invertible 1×1 convolution with W = {matrix} (a list of rows) is applied to images of 2 channels with "
            "{height} rows and {width} columns. What log-determinant does it return for each image, in nats? "
            "(number, to 0.001)".format(**personal)
        ),
        "bits": (
            "Grey images of {side}×{side} pixels have {levels} levels, y = (pixels + noise) / {levels} needs no "
            "logit, and a model gives an image the log-density log p(y) = {log_density} nats. "
            "How many bits per dimension is that? (number, to 0.001)".format(
                **personal, levels=2 ** personal["log2_levels"]
            )
        ),
        "fewer_latents": (
            "What can a variational auto-encoder do that no normalising flow can? "
            "(a) draw new images; (b) use fewer latent numbers than the image has pixels; "
            "(c) be trained by gradients; (d) give the exact likelihood of an image. (choice: one letter)"
        ),
        "noise": (
            "Pixels are whole numbers. A flow is trained on them without adding noise. What is the lowest loss that it "
            "can reach, in bits per dimension? (a) 0; (b) log₂ of the number of levels; (c) the entropy of the "
            "images; (d) there is none: the density on the whole numbers can grow without bound. "
            "(choice: one letter)"
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Key -> the right answer and its explanation."""
    (a, b), (c, d) = personal["matrix"]
    return {
        "log_det": {
            "title": "Quiz: the log-determinant of a 1×1 convolution.",
            "points": 0.75,
            "kind": "number",
            "value": personal["height"] * personal["width"] * math.log(abs(a * d - b * c)),
            "tolerance": 1e-3,
            "explanation": (
                "The Jacobian has one block W for each of the H·W positions: H·W·log|det W|, with the absolute value, "
                "since det W is negative."
            ),
        },
        "bits": {
            "title": "Quiz: from nats to bits per dimension.",
            "points": 0.5,
            "kind": "number",
            "value": personal["log2_levels"] - personal["log_density"] / (personal["side"] ** 2 * math.log(2)),
            "tolerance": 1e-3,
            "explanation": (
                "-(log p(y) - D log levels) / (D log 2), with D the number of pixels: log₂ of the levels minus "
                "log p(y) in bits, divided by D."
            ),
        },
        "fewer_latents": {
            "title": "Quiz: what no flow can do.",
            "points": 0.5,
            "kind": "choice",
            "value": "b",
            "explanation": (
                "An invertible differentiable map keeps the dimension: a flow has as many latents as pixels. The exact "
                "likelihood is what the flow has and the VAE has not."
            ),
        },
        "noise": {
            "title": "Quiz: why noise is added.",
            "points": 0.5,
            "kind": "choice",
            "value": "d",
            "explanation": (
                "Whole numbers are a set of volume 0: a density can be as high on them as it likes. With uniform noise "
                "the loss stays above the entropy of the images."
            ),
        },
    }


### END SOLUTION
