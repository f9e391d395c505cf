"""The questions on RealNVP: a density by hand with the student's numbers, and two on what it means."""

from __future__ import annotations

import math
import random
from typing import Any


def personal(rng: random.Random) -> dict[str, Any]:
    """A point, and the log-scale and shift that a coupling layer gives at it."""
    return {
        "x1": rng.choice([-1, 1]) * round(rng.uniform(0.2, 1.5), 2),
        "x2": rng.choice([-1, 1]) * round(rng.uniform(0.2, 1.5), 2),
        "s": rng.choice([-1, 1]) * round(rng.uniform(0.2, 0.9), 2),
        "t": rng.choice([-1, 1]) * round(rng.uniform(0.3, 1.2), 2),
    }


def questions(personal: dict[str, Any]) -> dict[str, str]:
    """Key -> text, with the type of the answer."""
    return {
        "log_density": (
            "A flow has one coupling layer, z1 = x1 and z2 = exp(s) x2 + t, and the prior N(0, I). "
            "At x = ({x1}, {x2}) its network gives s = {s} and t = {t}. "
            "What is log p(x), in nats? (number, to 0.001)".format(**personal)
        ),
        "determinant": (
            "Why does the log-determinant of a coupling layer cost only O(d), however large its networks "
            "are? "
            "(a) the networks for the scale and the shift are invertible; "
            "(b) the Jacobian is triangular, since the scale and the shift depend on the unchanged "
            "coordinates alone; "
            "(c) the Jacobian is orthogonal; "
            "(d) the mask makes the Jacobian the identity. (choice: one letter)"
        ),
        "below_entropy": (
            "A friend's flow reaches a held-out NLL of 0.4 nats on the two moons of this exercise, whose "
            "entropy is 1.009 nats. What do you conclude? "
            "(a) the flow is better than the true density; (b) it has memorised the training points; "
            "(c) its log-density is computed wrongly, for instance the log-determinant; "
            "(d) it was trained for too few steps. (choice: one letter)"
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Key -> the right answer and its explanation."""
    z2 = math.exp(personal["s"]) * personal["x2"] + personal["t"]
    log_prior = -0.5 * (personal["x1"] ** 2 + z2**2) - math.log(2 * math.pi)
    return {
        "log_density": {
            "title": "Quiz: a log-density by hand.",
            "points": 1,
            "kind": "number",
            "value": log_prior + personal["s"],
            "tolerance": 1e-3,
            "explanation": (
                "log N(z; 0, I) at z = (x1, exp(s) x2 + t), with its constant -log 2π, plus log|det J| = s."
            ),
        },
        "determinant": {
            "title": "Quiz: why the determinant of a coupling layer is cheap.",
            "points": 0.5,
            "kind": "choice",
            "value": "b",
            "explanation": (
                "Scale and shift do not depend on the moved coordinates, so the Jacobian is triangular with "
                "the scales and ones on its diagonal; the networks themselves are never inverted."
            ),
        },
        "below_entropy": {
            "title": "Quiz: a likelihood that is too good to be true.",
            "points": 0.5,
            "kind": "choice",
            "value": "c",
            "explanation": (
                "The expected NLL is the entropy plus a divergence, which is never negative. On held-out "
                "points no density gets clearly below the entropy: what was computed does not integrate to 1."
            ),
        },
    }


### END SOLUTION
