"""Quiz of latent_diffusion: two conventions of guidance, a guided Gaussian, Bayes' rule, and a compression."""

from __future__ import annotations

import math
import random


def personal(rng: random.Random) -> dict:
    """Draw a guidance, two Gaussians to guide between, two classes on the line, and the sizes of an auto-encoder."""
    return {
        "paper": rng.choice((0.5, 0.8, 1.5, 2.5, 4.0, 6.5)),
        "mean": rng.randint(-3, 3),
        "mean_c": rng.choice((-1, 1)) * rng.randint(4, 6),
        "guidance": rng.choice((2.0, 2.5, 3.0, 4.0)),
        "means": [rng.choice((-1.0, -0.5, 0.0)), rng.choice((1.0, 1.5, 2.0))],
        "stds": [rng.choice((0.5, 0.8)), rng.choice((1.2, 1.5))],
        "prior": rng.choice((0.2, 0.3, 0.4, 0.6)),
        "x": rng.choice((0.2, 0.4, 0.6, 0.8)),
        "side": rng.choice((256, 512, 768, 1024)),
        "factor": rng.choice((4, 8, 16)),
        "channels": rng.choice((3, 6, 8, 12)),
    }


def questions(personal: dict) -> dict[str, str]:
    """The text of each question, with the type of its answer."""
    (m0, m1), (s0, s1) = personal["means"], personal["stds"]
    small = personal["side"] // personal["factor"]
    return {
        "scale": (
            "A paper guides by (1 + w') e1 - w' e0, where e1 is the noise guessed with the prompt and e0 the "
            f"one without, and reports w' = {personal['paper']}. Which guidance_scale of this exercise "
            "is that? Answer: a number."
        ),
        "mean": (
            f"Without a prompt the latents follow N({personal['mean']}, s²), with it N({personal['mean_c']}, s²), with "
            "one s. Guided scores are ∇log p(z) + w (∇log p(z|c) - ∇log p(z)). What is the mean of the law "
            f"that has this score, for w = {personal['guidance']}? Answer: a number, to 0.001."
        ),
        "posterior": (
            f"Two classes on the line: p(x|0) = N({m0}, {s0}²), p(x|1) = N({m1}, {s1}²), and p(c = 1) = "
            f"{personal['prior']}. What is p(c = 1|x) at x = {personal['x']}? Answer: a number, to 0.001."
        ),
        "compression": (
            f"An auto-encoder turns colour images of {personal['side']} × {personal['side']} pixels (3 channels) into "
            f"latents of {small} × {small} with {personal['channels']} channels. How many times fewer numbers is that? "
            "Answer: a number, to 0.01."
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """What is right, how near an answer has to be, and why."""
    density = [
        math.exp(-0.5 * ((personal["x"] - m) / s) ** 2) / s
        for m, s in zip(personal["means"], personal["stds"], strict=True)
    ]
    one = personal["prior"] * density[1]
    mean = personal["mean"] + personal["guidance"] * (personal["mean_c"] - personal["mean"])
    return {
        "scale": {
            "title": "One guidance in two conventions.",
            "points": 0.5,
            "kind": "number",
            "value": 1 + personal["paper"],
            "tolerance": 1e-6,
            "explanation": "(1 + w') e1 - w' e0 = e0 + (1 + w') (e1 - e0): guidance_scale = 1 + w'.",
        },
        "mean": {
            "title": "The mean of a guided Gaussian.",
            "points": 0.5,
            "kind": "number",
            "value": mean,
            "tolerance": 1e-3,
            "explanation": "The scores are (m - z)/s² and (m_c - z)/s²; the guided one is (m + w (m_c - m) - z)/s².",
        },
        "posterior": {
            "title": "Bayes' rule for two Gaussian classes.",
            "points": 0.5,
            "kind": "number",
            "value": one / (one + (1 - personal["prior"]) * density[0]),
            "tolerance": 1e-3,
            "explanation": "p(1) p(x|1) / (p(0) p(x|0) + p(1) p(x|1)); each density has its own 1/s.",
        },
        "compression": {
            "title": "How much smaller the latents are.",
            "points": 0.5,
            "kind": "number",
            "value": 3 * personal["factor"] ** 2 / personal["channels"],
            "tolerance": 1e-2,
            "explanation": "Side · side · 3 over (side/f) · (side/f) · channels is 3 f² / channels.",
        },
    }


### END SOLUTION
