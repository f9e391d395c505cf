"""Quiz of score_sde: an equation read backwards, a step's bias, the best denoiser, and two ways back from one point."""

from __future__ import annotations

import random

CLOUDS = ("gaussian", "mixture", "ring", "square")


def personal(rng: random.Random) -> dict:
    """Draw a time and a step: paper and a calculator do. The order of the clouds is the student's."""
    return {
        "time": rng.randrange(30, 121, 5) / 100,
        "dt": rng.randrange(10, 91, 5) / 100,
        "clouds": rng.sample(CLOUDS, len(CLOUDS)),
    }


def questions(personal: dict) -> dict[str, str]:
    """Texts of the questions, with the type of each answer."""
    return {
        "runaway": (
            "The data are N(0, 1), so that ∇log p_t(x) = -x at all times. You read the notes' equation (17), "
            "dx = -(x + 2∇log p) dt + √2 dW, with dt > 0, start from x ~ N(0, 1) and go on for a time of "
            f"{personal['time']} (exactly, without steps). Which variance has x then? Answer: a number, to 0.001."
        ),
        "settles": (
            f"ou_step is repeated for ever with dt = {personal['dt']} and fresh noise. Which variance does x settle "
            "at? It is not 1. Answer: a number, to 0.001."
        ),
        "wiener": (
            "y = x + σz with x from one of four clouds in the plane, all of mean 0 and covariance I: "
            f"{', '.join(personal['clouds'])}. For which one is the Wiener filter the best of all denoisers? Answer: "
            "one of these words."
        ),
        "same_point": (
            "The reverse SDE (η = 1) and the flow (η = 0) start from the same x_T, with the exact score and steps as "
            "small as you like. Do they end at the same point? Answer: True or False."
        ),
        "same_law": "Many such x_T are drawn from p_T. Do SDE and flow end in the same law? Answer: True or False.",
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """What is right, how near an answer has to be, and why."""
    from math import exp

    return {
        "runaway": {
            "title": "Your time in the equation read with the wrong clock.",
            "points": 0.5,
            "kind": "number",
            "value": 2 * exp(2 * personal["time"]) - 1,
            "tolerance": 1e-3,
            "explanation": "The drift is -(x - 2x) = +x: dv/dt = 2v + 2, so v = (v_0 + 1) e^{2t} - 1 with v_0 = 1. It "
            "runs away; read with dt < 0 the same equation keeps N(0, 1).",
        },
        "settles": {
            "title": "The variance at which your Euler steps settle.",
            "points": 0.5,
            "kind": "number",
            "value": 1 / (1 - personal["dt"] / 2),
            "tolerance": 1e-3,
            "explanation": "v = (1 - dt)² v + 2 dt gives v = 1 / (1 - dt/2): the process settles at 1, its Euler steps "
            "do not.",
        },
        "wiener": {
            "title": "For which data the Wiener filter is the best denoiser.",
            "points": 0.5,
            "kind": "choice",
            "value": "gaussian",
            "explanation": "The Wiener filter is the best affine estimate. The best of all is E[x|y], which is affine "
            "in y only for Gaussian data.",
        },
        "same_point": {
            "title": "Whether SDE and flow end at one point.",
            "points": 0.25,
            "kind": "boolean",
            "value": False,
            "explanation": "The SDE's noise takes every path elsewhere; the flow has one path from each point.",
        },
        "same_law": {
            "title": "Whether SDE and flow end in one law.",
            "points": 0.25,
            "kind": "boolean",
            "value": True,
            "explanation": "Both have the marginals p_t, at every time: that is what their drifts were made for.",
        },
    }


### END SOLUTION
